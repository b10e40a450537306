// Who is asking: the registered enforcement points, and how a request proves to come from one.
//
//   CallerRegistry registry;                       // development: everyone may assert everything
//   registry.Add({.caller = …, .token_sha256 = …});  // from now on only registered callers
//   const RegisteredCaller* caller = registry.Authenticate(request);  // null: answer 401
//   if (!caller->Has(Role::kDecide)) …                                 // answer 403
//
// A caller proves itself by a bearer token, of which only the SHA-256 is kept, or by the user id
// that the kernel reports for a unix socket. Immutable once serving; any thread may look up.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "runtime/base/sha256.h"
#include "runtime/decide/request.h"
#include "server/http/message.h"

namespace dpl {

// What a caller is let in for. Each is given by name in the configuration; none implies another.
enum class Role : uint8_t {
  kDecide = 1,   // asks for decisions, ends its own reservations, makes access requests
  kOperate = 2,  // changes state: tasks, hand-offs, revocations
  kApprove = 4,  // approves and denies access requests
  kAudit = 8,    // reads state
  kPerson = 16,  // of a personal token: reads what is that person's own, consents, signs
};
using Roles = uint8_t;  // of Role
constexpr Roles operator|(Role a, Role b) {
  return static_cast<Roles>(static_cast<Roles>(a) | static_cast<Roles>(b));
}
constexpr Roles operator|(Roles a, Role b) { return static_cast<Roles>(a | static_cast<Roles>(b)); }
constexpr Roles kAllRoles = Role::kDecide | Role::kOperate | Role::kApprove | Role::kAudit;

// `decide` → kDecide; false: there is no such role.
bool FindRole(std::string_view name, Role* role);
std::string_view RoleName(Role role);

struct RegisteredCaller {
  Caller caller;
  std::optional<Digest> token_sha256;
  std::optional<int64_t> unix_uid;
  Roles roles = static_cast<Roles>(Role::kDecide);
  // A personal token: whoever presents it is this person, acting directly, and nobody else. Empty:
  // a service.
  std::string person;

  bool Has(Role role) const { return HasAny(static_cast<Roles>(role)); }
  bool HasAny(Roles wanted) const { return (roles & wanted) != 0; }
  // Sees what is that person's own and nothing else; `wider` are the roles that see all of it.
  bool OwnOnly(Roles wider) const { return Has(Role::kPerson) && !HasAny(wider); }
};

class CallerRegistry {
 public:
  CallerRegistry()
      : development_{Caller::Everything("development"), std::nullopt, std::nullopt, kAllRoles, {}} {
  }

  void Add(RegisteredCaller caller) { callers_.push_back(std::move(caller)); }

  // No caller is registered: a start for development, in which every request may assert everything.
  bool development() const { return callers_.empty(); }
  size_t size() const { return callers_.size(); }

  // The caller behind the request, or null. A token that is presented must be good, also on a unix
  // socket; all tokens are compared in full, so the time taken tells nothing about them. In
  // development whoever asks is the caller `development`, with all roles.
  const RegisteredCaller* Authenticate(const HttpRequest& request) const;

  // The caller of this name, or null: for what it asked earlier.
  const RegisteredCaller* Named(std::string_view name) const;

 private:
  RegisteredCaller development_;
  std::vector<RegisteredCaller> callers_;
};

// The token of `Bearer <token>`; empty when the header has another form.
std::string_view BearerToken(std::string_view authorization);

}  // namespace dpl
