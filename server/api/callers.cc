// Authentication of enforcement points.
#include "server/api/callers.h"

#include <utility>

namespace dpl {
namespace {

constexpr std::pair<Role, std::string_view> kRoleNames[] = {{Role::kDecide, "decide"},
                                                            {Role::kOperate, "operate"},
                                                            {Role::kApprove, "approve"},
                                                            {Role::kAudit, "audit"},
                                                            {Role::kPerson, "person"}};

// Equal without an early way out.
bool SameDigest(const Digest& a, const Digest& b) {
  uint8_t difference = 0;
  for (size_t i = 0; i < a.size(); ++i)
    difference = static_cast<uint8_t>(difference | (a[i] ^ b[i]));
  return difference == 0;
}

}  // namespace

bool FindRole(std::string_view name, Role* role) {
  for (const auto& [known, text] : kRoleNames) {
    if (text != name) continue;
    *role = known;
    return true;
  }
  return false;
}

std::string_view RoleName(Role role) {
  for (const auto& [known, text] : kRoleNames) {
    if (known == role) return text;
  }
  return {};
}

std::string_view BearerToken(std::string_view authorization) {
  constexpr std::string_view kScheme = "bearer ";
  if (!EqualIgnoringCase(authorization.substr(0, kScheme.size()), kScheme)) return {};
  std::string_view token = authorization.substr(kScheme.size());
  while (!token.empty() && token.front() == ' ') token.remove_prefix(1);
  for (char c : token) {
    if (c <= ' ' || c > '~' || c == ',' || c == '"') return {};
  }
  return token;
}

const RegisteredCaller* CallerRegistry::Authenticate(const HttpRequest& request) const {
  if (development()) return &development_;
  HttpRequest::Found authorization = request.Find("Authorization");
  if (authorization.count > 1) return nullptr;
  const RegisteredCaller* found = nullptr;
  if (authorization.count == 1) {
    std::string_view token = BearerToken(authorization.value);
    if (token.empty()) return nullptr;
    const Digest digest = Sha256(token);
    for (const RegisteredCaller& registered : callers_) {
      if (registered.token_sha256 && SameDigest(*registered.token_sha256, digest))
        found = &registered;
    }
    return found;
  }
  if (!request.unix_socket || request.peer_uid < 0) return nullptr;
  for (const RegisteredCaller& registered : callers_) {
    if (registered.unix_uid == request.peer_uid) found = &registered;
  }
  return found;
}

const RegisteredCaller* CallerRegistry::Named(std::string_view name) const {
  if (development()) return name == development_.caller.name ? &development_ : nullptr;
  for (const RegisteredCaller& registered : callers_) {
    if (registered.caller.name == name) return &registered;
  }
  return nullptr;
}

}  // namespace dpl
