// Routes: patterns, templates, and which question a request stands for.
#include "server/gate/routes.h"

#include <gtest/gtest.h>

#include "runtime/json/json_writer.h"
#include "server/gate/proxy.h"

namespace dpl {
namespace {

PathPattern Pattern(std::string_view text) {
  Result<PathPattern> parsed = PathPattern::Parse(text);
  EXPECT_TRUE(parsed.ok()) << text;
  return parsed.ok() ? *parsed : PathPattern{};
}

bool Fits(std::string_view pattern, std::string_view path) {
  Target target;
  return ReadTarget(path, &target).empty() && Pattern(pattern).Fits(target);
}

Route RouteOf(std::string method, std::string_view path, std::string action, std::string_view id) {
  Route route;
  route.methods = {std::move(method)};
  route.path = Pattern(path);
  route.action = std::move(action);
  route.type = "Order";
  route.id = *TextTemplate::Parse(id, route.path);
  return route;
}

std::string Asked(const RouteTable& table, std::string_view method, std::string_view path,
                  std::string_view host = {}, std::vector<HttpHeader> headers = {}) {
  Target target;
  if (std::string why = ReadTarget(path, &target); !why.empty()) return "!" + why;
  HttpRequest http;
  http.headers = std::move(headers);
  std::string out;
  JsonWriter writer(&out);
  writer.BeginObject();
  if (std::string why = table.Ask({method, host, &target, &http}, &writer); !why.empty())
    return "!";
  writer.EndObject();
  return out;
}

TEST(Routes, APatternFitsWholeSegments) {
  EXPECT_TRUE(Fits("/orders/{id}", "/orders/O1"));
  EXPECT_TRUE(Fits("/orders/{id}", "/orders/a%20b"));
  for (std::string_view path :
       {"/orders", "/orders/", "/orders/O1/", "/orders/O1/x", "/Orders/O1", "/order/O1"})
    EXPECT_FALSE(Fits("/orders/{id}", path)) << path;
  EXPECT_TRUE(Fits("/files/{rest...}", "/files/a/b/c"));
  EXPECT_TRUE(Fits("/files/{rest...}", "/files/a"));
  EXPECT_FALSE(Fits("/files/{rest...}", "/files"));
  EXPECT_FALSE(Fits("/files/{rest...}", "/files/a/"));
  EXPECT_TRUE(Fits("/a/", "/a/"));
  EXPECT_FALSE(Fits("/a/", "/a"));
  EXPECT_TRUE(Fits("/", "/"));
  for (std::string_view wrong :
       {"", "a", "/{a", "/a}", "/{}", "/x{a}", "/{a}x", "/{a}/{a}", "/{a...}/b", "/*", "/a//b",
        "/a/../b", "/a?b", "/%61", "/{a b}", "/a;b", "/*/{a}"})
    EXPECT_FALSE(PathPattern::Parse(wrong).ok()) << wrong;
}

TEST(Routes, ATemplateHoldsWhatThePathHolds) {
  const PathPattern path = Pattern("/{a}/{b}/{rest...}");
  for (std::string_view wrong : {"", "{c}", "{", "}", "a}", "{query.}", "{header.a b}", "{query.a"})
    EXPECT_FALSE(TextTemplate::Parse(wrong, path).ok()) << wrong;
  for (std::string_view tells : {"x", "{a}", "n-{a}-m", "{a}/{b}", "{b}/{a}/{rest}", "{query.id}"})
    EXPECT_TRUE(TextTemplate::Parse(tells, path)->Tells()) << tells;
  for (std::string_view blurs :
       {"{a}{b}", "{a}-{b}", "{a}/x-{b}", "{query.a}/{query.b}", "{query.a}/{b}"})
    EXPECT_FALSE(TextTemplate::Parse(blurs, path)->Tells()) << blurs;
}

TEST(Routes, TheFirstThatFitsIsAsked) {
  RouteTable table;
  table.Add(RouteOf("GET", "/orders/new", "create", "none"));
  table.Add(RouteOf("GET", "/orders/{id}", "read", "{id}"));
  Route approve = RouteOf("POST", "/orders/{id}/approve", "approve", "{id}");
  approve.parameters.push_back(
      {"amount", *TextTemplate::Parse("{query.amount} USD", approve.path), false});
  approve.parameters.push_back(
      {"days", *TextTemplate::Parse("{header.x-days}", approve.path), true});
  approve.query = {"amount"};
  table.Add(approve);
  EXPECT_EQ(Asked(table, "GET", "/orders/new"),
            R"({"action":{"name":"create"},"resource":{"type":"Order","id":"none"}})");
  EXPECT_EQ(Asked(table, "GET", "/orders/O%221?x=y"),
            R"({"action":{"name":"read"},"resource":{"type":"Order","id":"O\"1"}})");
  EXPECT_EQ(Asked(table, "HEAD", "/orders/O1"), Asked(table, "GET", "/orders/O1"));
  EXPECT_EQ(
      Asked(table, "POST", "/orders/O1/approve?amount=5", {}, {{"X-Days", "7"}}),
      R"({"action":{"name":"approve","properties":{"amount":"5 USD","days":7}},"resource":{"type":"Order","id":"O1"}})");
  for (std::string_view days : {"", "07", "1e3", "0x7", "7 ", "-", "7.", ".7", "true"})
    EXPECT_EQ(Asked(table, "POST", "/orders/O1/approve?amount=5", {}, {{"X-Days", days}}), "!")
        << days;
  EXPECT_EQ(Asked(table, "POST", "/orders/O1/approve?amount=5"), "!");
  EXPECT_EQ(
      Asked(table, "POST", "/orders/O1/approve?amount=5", {}, {{"X-Days", "7"}, {"x-days", "7"}}),
      "!");
  EXPECT_EQ(Asked(table, "POST", "/orders/O1/approve?amount=5&_method=GET", {}, {{"X-Days", "7"}}),
            "!");
  EXPECT_EQ(Asked(table, "POST", "/orders/O1/approve?amount=", {}, {{"X-Days", "7"}}), "!");
  for (std::string_view method : {"get", "POST", "DELETE", "", "OPTIONS"})
    EXPECT_EQ(Asked(table, method, "/orders/O1"), "!");
}

TEST(Routes, AHostNarrows) {
  RouteTable table;
  Route route = RouteOf("GET", "/{id}", "read", "{id}");
  route.host = "shop.example";
  table.Add(route);
  EXPECT_NE(Asked(table, "GET", "/O1", "Shop.Example"), "!");
  EXPECT_EQ(Asked(table, "GET", "/O1", "shop.example.evil"), "!");
  EXPECT_EQ(Asked(table, "GET", "/O1"), "!");
}

class Proxies : public testing::Test {
 protected:
  Proxies() {
    auto table = std::make_shared<RouteTable>();
    table->Add(RouteOf("GET", "/orders/{id}", "read", "{id}"));
    routes = table;
  }
  static std::string Ask(const Adapter& adapter, std::string_view path,
                         std::vector<HttpHeader> headers, std::string_view query = {}) {
    HttpRequest request;
    request.method = "GET";
    request.path = path;
    request.query = query;
    request.headers = std::move(headers);
    std::string out;
    std::string why = adapter.Ask(request, &out);
    return why.empty() ? out : "!" + why;
  }
  std::shared_ptr<const RouteTable> routes;
};

TEST_F(Proxies, IdentityComesFromItsHeadersAlone) {
  const NginxAdapter nginx("/n", "person", routes);
  auto with = [&](std::vector<HttpHeader> more) {
    more.push_back({"X-Original-Method", "GET"});
    more.push_back({"X-Original-URI", "/orders/O1"});
    return Ask(nginx, "/n", std::move(more));
  };
  EXPECT_EQ(
      with({{"x-dpl-subject-id", "E1"}}),
      R"({"subject":{"type":"person","id":"E1"},"action":{"name":"read"},"resource":{"type":"Order","id":"O1"}})");
  EXPECT_EQ(with({{"X-DPL-Subject-Id", "E1"},
                  {"X-DPL-Agent", "spiffe://a/b"},
                  {"X-DPL-Agent-Instance", "r1"},
                  {"X-DPL-Task", "t1"},
                  {"X-DPL-Subject-Issuer", "https://i"},
                  {"X-DPL-Subject-Type", "user"}}),
            R"({"subject":{"type":"user","id":"E1","properties":{"iss":"https://i"}},)"
            R"("context":{"agent":{"sub":"spiffe://a/b","instance":"r1"},"task":"t1"},)"
            R"("action":{"name":"read"},"resource":{"type":"Order","id":"O1"}})");
  using Headers = std::vector<HttpHeader>;
  for (const Headers& wrong :
       {Headers{}, Headers{{"X-DPL-Subject-Id", ""}},
        Headers{{"X-DPL-Subject-Id", "E1"}, {"X-DPL-Subject-Id", "E1"}},
        Headers{{"X-DPL-Subject-Id", "E1"}, {"x-dpl-agnet", "a"}},
        Headers{{"X-DPL-Subject-Id", "E1"}, {"X-DPL-Agent-Instance", "r1"}},
        Headers{{"X-DPL-Subject-Id", "E\xff"}},
        Headers{{"X-DPL-Subject-Id", "E1"}, {"X-Original-URI", "/orders/O1"}},
        Headers{{"X-DPL-Subject-Id", "E1"}, {"X-Original-Method", "GET"}}})
    EXPECT_EQ(with(wrong).front(), '!');
}

TEST_F(Proxies, EnvoyNamesTheTargetByItsOwnPath) {
  const EnvoyAdapter envoy("/integrations/envoy", "person", routes);
  EXPECT_TRUE(envoy.Takes("/integrations/envoy/orders/O1"));
  for (std::string_view path :
       {"/integrations/envoy", "/integrations/envoyx/a", "/integrations/Envoy/a", "/"})
    EXPECT_FALSE(envoy.Takes(path)) << path;
  const std::vector<HttpHeader> who = {{"Host", "h:80"}, {"X-DPL-Subject-Id", "E1"}};
  EXPECT_NE(Ask(envoy, "/integrations/envoy/orders/O1", who).front(), '!');
  EXPECT_NE(Ask(envoy, "/integrations/envoy/orders/O1", who, "a=b").front(), '!');
  EXPECT_EQ(Ask(envoy, "/integrations/envoy/orders//O1", who).front(), '!');
  EXPECT_EQ(Ask(envoy, "/integrations/envoy//orders/O1", who).front(), '!');
  EXPECT_EQ(Ask(envoy, "/integrations/envoy/../orders/O1", who).front(), '!');
}

}  // namespace
}  // namespace dpl
