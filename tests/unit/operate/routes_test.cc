// How a path finds its route, and what may stand in one.
#include "server/operate/routes.h"

#include <set>

#include <gtest/gtest.h>

namespace dpl {
namespace {

bool Match(std::string_view pattern, std::string_view path, std::vector<std::string>* out,
           bool* bad) {
  Route route{"GET", pattern, 0, BodyRule::kNone, "", nullptr};
  return MatchPath(route, path, out, bad);
}

TEST(Routes, SegmentsMatchWhole) {
  std::vector<std::string> found;
  bool bad = false;
  EXPECT_TRUE(Match("/v1/tasks", "/v1/tasks", &found, &bad));
  for (std::string_view other : {"/v1/tasks/", "/v1/task", "/v1/tasks/x", "/v1", "/", "//v1/tasks",
                                 "/v1//tasks", "/V1/tasks", "/v1/%74asks"}) {
    EXPECT_FALSE(Match("/v1/tasks", other, &found, &bad)) << other;
  }
}

TEST(Routes, ParametersArriveDecodedAndInOrder) {
  std::vector<std::string> found;
  bool bad = false;
  ASSERT_TRUE(Match("/v1/instances/{agent}/{instance}", "/v1/instances/a.b/run%2F1", &found, &bad));
  EXPECT_EQ(found, (std::vector<std::string>{"a.b", "run/1"}));
  EXPECT_FALSE(bad);
  EXPECT_FALSE(Match("/v1/tasks/{id}", "/v1/tasks/", &found, &bad)) << "a parameter is never empty";
  EXPECT_FALSE(Match("/v1/tasks/{id}/close", "/v1/tasks/t1/open", &found, &bad));
  for (std::string_view wrong : {"/v1/tasks/%ff", "/v1/tasks/%0a", "/v1/tasks/%c3%28"}) {
    EXPECT_TRUE(Match("/v1/tasks/{id}", wrong, &found, &bad)) << wrong;
    EXPECT_TRUE(bad) << wrong;
  }
}

TEST(Routes, DecodingTakesWellFormedTextOnly) {
  std::string out;
  EXPECT_TRUE(DecodePart("a+b%2Bc", true, &out));
  EXPECT_EQ(out, "a b+c");
  EXPECT_TRUE(DecodePart("a+b", false, &out));
  EXPECT_EQ(out, "a+b");
  EXPECT_TRUE(DecodePart("%e2%82%ac", false, &out));
  EXPECT_EQ(out, "€");
  for (std::string_view wrong : {"%", "%4", "%zz", "%00", "%1b", "%ed%a0%80", "a%"})
    EXPECT_FALSE(DecodePart(wrong, false, &out)) << wrong;
}

TEST(Routes, EveryRowIsReachableAndStartsWithItsVersion) {
  std::set<std::string> seen;
  for (const Route& route : Routes()) {
    EXPECT_TRUE(route.path.starts_with("/v1/")) << route.path;
    EXPECT_TRUE(route.method == "GET" || route.method == "POST" || route.method == "PUT" ||
                route.method == "PATCH" || route.method == "DELETE")
        << route.method;
    EXPECT_NE(route.roles, 0) << route.path;
    EXPECT_TRUE(route.method != "GET" || route.body == BodyRule::kNone) << route.path;
    // Two rows that match the same path would hide one of them.
    std::string shape(route.method);
    for (size_t i = 0; i < route.path.size(); ++i) {
      shape += route.path[i];
      if (route.path[i] == '{') i = route.path.find('}', i);
    }
    EXPECT_TRUE(seen.insert(shape).second) << route.path;
  }
}

}  // namespace
}  // namespace dpl
