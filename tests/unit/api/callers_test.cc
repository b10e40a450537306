// Who is asking, and which content types are JSON.
#include "server/api/callers.h"

#include <gtest/gtest.h>

#include "server/api/service_thread.h"

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
  const Caller* caller = registry.Find(With(""));
  ASSERT_NE(caller, nullptr);
  EXPECT_TRUE(caller->serves_persons && caller->asserts_actors && caller->asserts_all_attributes &&
              caller->details);
}

TEST(CallerRegistry, TokensAreKnownByTheirDigest) {
  CallerRegistry registry;
  registry.Add(
      {.caller = {.name = "gateway"}, .token_sha256 = Sha256("s3cret-token"), .unix_uid = {}});
  registry.Add({.caller = {.name = "job"}, .token_sha256 = Sha256("other-token"), .unix_uid = {}});
  EXPECT_FALSE(registry.development());
  ASSERT_NE(registry.Find(With("Bearer s3cret-token")), nullptr);
  EXPECT_EQ(registry.Find(With("Bearer s3cret-token"))->name, "gateway");
  EXPECT_EQ(registry.Find(With("bearer  other-token"))->name, "job");
  for (const char* bad :
       {"", "Bearer", "Bearer ", "Bearer s3cret-toke", "Bearer s3cret-tokenn", "Basic s3cret-token",
        "s3cret-token", "Bearer s3cret-token x", "Bearer s3cret-token,x"}) {
    EXPECT_EQ(registry.Find(With(bad)), nullptr) << bad;
  }
  HttpRequest twice = With("Bearer s3cret-token");
  twice.headers.push_back({"Authorization", "Bearer s3cret-token"});
  EXPECT_EQ(registry.Find(twice), nullptr);
}

TEST(CallerRegistry, UnixPeersAreKnownByTheirUserId) {
  CallerRegistry registry;
  registry.Add({.caller = {.name = "local"}, .token_sha256 = {}, .unix_uid = 1000});
  HttpRequest request;
  EXPECT_EQ(registry.Find(request), nullptr) << "not a unix socket";
  request.unix_socket = true;
  EXPECT_EQ(registry.Find(request), nullptr) << "no user id";
  request.peer_uid = 1001;
  EXPECT_EQ(registry.Find(request), nullptr);
  request.peer_uid = 1000;
  ASSERT_NE(registry.Find(request), nullptr);
  // A token that is presented must be good, whoever presents it.
  request.headers.push_back({"Authorization", "Bearer nonsense"});
  EXPECT_EQ(registry.Find(request), nullptr);
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
