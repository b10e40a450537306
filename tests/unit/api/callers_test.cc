// Who is asking, and which content types are JSON.
#include "server/api/callers.h"

#include <gtest/gtest.h>

#include "server/api/headers.h"

namespace dpl {
namespace {

HttpRequest With(std::string_view authorization) {
  HttpRequest request;
  if (!authorization.empty()) request.headers.push_back({"authorization", authorization});
  return request;
}

TEST(CallerRegistry, DevelopmentLetsEveryoneAssertEverything) {
  CallerRegistry registry;
  EXPECT_TRUE(registry.development());
  const RegisteredCaller* found = registry.Authenticate(With(""));
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->roles, kAllRoles);
  const Caller* caller = &found->caller;
  EXPECT_TRUE(caller->serves_persons && caller->asserts_actors && caller->asserts_all_attributes &&
              caller->details);
}

TEST(CallerRegistry, TokensAreKnownByTheirDigest) {
  CallerRegistry registry;
  registry.Add(
      {.caller = {.name = "gateway"}, .token_sha256 = Sha256("s3cret-token"), .unix_uid = {}});
  registry.Add({.caller = {.name = "job"}, .token_sha256 = Sha256("other-token"), .unix_uid = {}});
  EXPECT_FALSE(registry.development());
  ASSERT_NE(registry.Authenticate(With("Bearer s3cret-token")), nullptr);
  EXPECT_EQ(registry.Authenticate(With("Bearer s3cret-token"))->caller.name, "gateway");
  EXPECT_EQ(registry.Authenticate(With("bearer  other-token"))->caller.name, "job");
  for (const char* bad :
       {"", "Bearer", "Bearer ", "Bearer s3cret-toke", "Bearer s3cret-tokenn", "Basic s3cret-token",
        "s3cret-token", "Bearer s3cret-token x", "Bearer s3cret-token,x"}) {
    EXPECT_EQ(registry.Authenticate(With(bad)), nullptr) << bad;
  }
  HttpRequest twice = With("Bearer s3cret-token");
  twice.headers.push_back({"Authorization", "Bearer s3cret-token"});
  EXPECT_EQ(registry.Authenticate(twice), nullptr);
}

TEST(CallerRegistry, UnixPeersAreKnownByTheirUserId) {
  CallerRegistry registry;
  registry.Add({.caller = {.name = "local"}, .token_sha256 = {}, .unix_uid = 1000});
  HttpRequest request;
  EXPECT_EQ(registry.Authenticate(request), nullptr) << "not a unix socket";
  request.unix_socket = true;
  EXPECT_EQ(registry.Authenticate(request), nullptr) << "no user id";
  request.peer_uid = 1001;
  EXPECT_EQ(registry.Authenticate(request), nullptr);
  request.peer_uid = 1000;
  ASSERT_NE(registry.Authenticate(request), nullptr);
  // A token that is presented must be good, whoever presents it.
  request.headers.push_back({"Authorization", "Bearer nonsense"});
  EXPECT_EQ(registry.Authenticate(request), nullptr);
}

TEST(CallerRegistry, RolesAreGivenByNameAndNoneImpliesAnother) {
  RegisteredCaller caller;
  EXPECT_TRUE(caller.Has(Role::kDecide)) << "what callers were before there were roles";
  for (Role role : {Role::kDecide, Role::kOperate, Role::kApprove, Role::kAudit}) {
    Role found = Role::kDecide;
    ASSERT_TRUE(FindRole(RoleName(role), &found));
    EXPECT_EQ(found, role);
    caller.roles = static_cast<Roles>(role);
    for (Role other : {Role::kDecide, Role::kOperate, Role::kApprove, Role::kAudit})
      EXPECT_EQ(caller.Has(other), other == role);
  }
  Role unused;
  EXPECT_FALSE(FindRole("admin", &unused));
}

TEST(IsJson, TakesParametersAndRefusesOtherTypes) {
  for (const char* good : {"application/json", "Application/JSON", "application/json;charset=utf-8",
                           "application/json ; charset=\"UTF-8\"",
                           "application/json; profile=x; charset=utf-8", "application/json;"}) {
    EXPECT_TRUE(IsJson(good)) << good;
  }
  for (const char* bad : {"", "text/plain", "application/jsonp", "application/x-json", "json",
                          "application/json, text/plain", "application/json; charset=utf-16",
                          "application/json;charset=latin1", "text/json"}) {
    EXPECT_FALSE(IsJson(bad)) << bad;
  }
}

}  // namespace
}  // namespace dpl
