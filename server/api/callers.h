// Who is asking: the registered enforcement points, and how a request proves to come from one.
//
//   CallerRegistry registry;                       // development: everyone may assert everything
//   registry.Add({.caller = …, .token_sha256 = …});  // from now on only registered callers
//   const Caller* caller = registry.Find(request); // null: answer 401
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

struct RegisteredCaller {
  Caller caller;
  std::optional<Digest> token_sha256;
  std::optional<int64_t> unix_uid;
};

class CallerRegistry {
 public:
  CallerRegistry() : development_(Caller::Everything("development")) {}

  void Add(RegisteredCaller caller) { callers_.push_back(std::move(caller)); }

  // No caller is registered: a start for development, in which every request may assert everything.
  bool development() const { return callers_.empty(); }
  size_t size() const { return callers_.size(); }

  // The caller behind the request, or null. A token that is presented must be good, also on a unix
  // socket; all tokens are compared in full, so the time taken tells nothing about them.
  const Caller* Find(const HttpRequest& request) const;

 private:
  Caller development_;
  std::vector<RegisteredCaller> callers_;
};

// The token of `Bearer <token>`; empty when the header has another form.
std::string_view BearerToken(std::string_view authorization);

}  // namespace dpl
