// The member `integrations`: what switches adapters on, and what is refused in it.
#include <gtest/gtest.h>

#include "server/config.h"

namespace dpl {
namespace {

constexpr std::string_view kRoute =
    R"({"methods": ["GET"], "path": "/o/{id}", "action": "read", "resource": {"type": "Order", "id": "{id}"}})";

std::string With(std::string_view integrations) {
  return R"({"integrations": {)" + std::string(integrations) + "}}";
}
std::string WithRoute(std::string_view route) {
  return With(R"("nginx": {}, "routes": [)" + std::string(route) + "]");
}
std::string Complaint(const std::string& text) {
  Result<Config> read = ReadConfigJson(text, "c.json");
  return read.ok() ? "" : read.error().message;
}

TEST(Integrations, AreOffUntilNamed) {
  EXPECT_TRUE(MakeAdapters(ReadConfigJson("{}", "c.json")->integrations)->empty());
  Result<Config> read = ReadConfigJson(
      With(
          R"("nginx": {}, "envoy": {"path": "/integrations/mesh"}, "kubernetes": {}, "routes": [)" +
          std::string(kRoute) + "]"),
      "c.json");
  ASSERT_TRUE(read.ok()) << read.error().message;
  std::vector<std::string_view> taken;
  const std::shared_ptr<const Adapters> adapters = MakeAdapters(read->integrations);
  for (std::string_view path :
       {"/integrations/nginx", "/integrations/mesh/o/1", "/integrations/kubernetes",
        "/integrations/envoy/o/1", "/integrations/nginx/", "/access/v1/evaluation"}) {
    for (const auto& adapter : *adapters) {
      if (adapter->Takes(path)) taken.push_back(path);
    }
  }
  EXPECT_EQ(taken, (std::vector<std::string_view>{"/integrations/nginx", "/integrations/mesh/o/1",
                                                  "/integrations/kubernetes"}));
}

TEST(Integrations, SayWhatIsWrong) {
  EXPECT_EQ(Complaint(WithRoute(kRoute)), "");
  const std::pair<std::string, std::string_view> rows[] = {
      {With(R"("nginx": {})"), "integrations.routes: are required"},
      {With(R"("apache": {})"), "has no member \"apache\""},
      {With(R"("kubernetes": {"path": "/access/v1/evaluation"})"), "below /integrations/"},
      {With(R"("kubernetes": {"path": "/integrations/"})"), "below /integrations/"},
      {With(R"("kubernetes": {"path": "/integrations/a/../b"})"), "below /integrations/"},
      {With(R"("kubernetes": {"path": "/integrations/a%2fb"})"), "below /integrations/"},
      {With(R"("kubernetes": {"ungranted": true})"), "must be \"deny\" or \"no_opinion\""},
      {With(R"("kubernetes": {"unknown_subjects": "allow"})"),
       "must be \"deny\" or \"no_opinion\""},
      {With(R"("kubernetes": {"agent_extra": "Agent"})"), "must be in lower case"},
      {With(R"("kubernetes": {"subjects": [{"user": "a"}]})"), "are required"},
      {With(R"("kubernetes": {"subjects": [{"user": "a", "type": "t", "id": "b*"}]})"),
       "may hold `*` at its end only"},
      {With(
           R"("nginx": {"path": "/integrations/a"}, "envoy": {"path": "/integrations/a/b"}, "routes": [)" +
           std::string(kRoute) + "]"),
       "one lies in the other"},
      {WithRoute("{}"), "cannot be sent"},
      {WithRoute(R"({"methods": ["GET"], "path": "/o/{id}", "action": "read"})"),
       "needs `methods`"},
      {WithRoute(
           R"({"methods": ["get"], "path": "/o", "action": "a", "resource": {"type": "t", "id": "x"}})"),
       "in capitals"},
      {WithRoute(
           R"({"methods": ["GET"], "path": "/o//p", "action": "a", "resource": {"type": "t", "id": "x"}})"),
       "empty segment"},
      {WithRoute(
           R"({"methods": ["GET"], "path": "/o/{id}", "action": "a", "resource": {"type": "t", "id": "{key}"}})"),
       "does not hold"},
      {WithRoute(
           R"({"methods": ["GET"], "path": "/{a}/{b}", "action": "a", "resource": {"type": "t", "id": "{a}-{b}"}})"),
       "must hold one placeholder"},
      {WithRoute(
           R"({"methods": ["GET"], "path": "/o", "host": "h:80", "action": "a", "resource": {"type": "t", "id": "x"}})"),
       "without a port"},
      {WithRoute(
           R"({"methods": ["GET"], "path": "/o", "action": "a", "resource": {"type": "t", "id": "x"}, "parameters": {"n": 1}})"),
       "must be a text, or"},
  };
  for (const auto& [text, message] : rows)
    EXPECT_NE(Complaint(text).find(message), std::string::npos) << text << "\n" << Complaint(text);
}

}  // namespace
}  // namespace dpl
