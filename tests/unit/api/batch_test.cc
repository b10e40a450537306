// A batch is its items one by one: whatever they share is read once, and no answer shows it. Two
// services with the same policy and stores of their own, one asked in batches, the other item by
// item; every answer has to have the same bytes.
#include <array>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "compiler/testing/compile.h"
#include "runtime/facts/json_facts.h"
#include "runtime/state/memory_store.h"
#include "runtime/state/seed.h"
#include "server/api/service.h"

namespace dpl {
namespace {

constexpr char kPolicy[] = R"dpl(
package t owned by team staff
granted 2026-10-01
review every 3650d
person { key id: string  has region: string }
team staff { owner person "E1" }
system app { owner team staff }
resource Doc in app {
  has region: string
  can read
  can approve { amount: money must be limited }
}
grant reading {
  to team staff  may read on app.Doc where resource.region == person.region  because "Staff read their region"
}
grant approving {
  to team staff  may approve on app.Doc  limit amount to 50 USD per day for each person  because "Staff approve a little"
}
forbid elsewhere { covers read on app.Doc where resource.region == "moon"  because "Nobody reads there" }
agent helper {
  accountable person "E1"  purpose "Reads for people"  runs as spiffe "spiffe://acme.example/helper"
  may read on app.Doc  lives at most 10h
}
agent other {
  accountable person "E1"  purpose "Reads, too"  runs as spiffe "spiffe://acme.example/other"
  may read on app.Doc  lives at most 10h
}
task look(docs: set<app.Doc>) {
  for agent helper  may read on app.Doc where resource in docs  lasts at most 4h  nothing else
}
delegation help {
  from team staff  to agent helper  may read on app.Doc  consent by policy  because "Reading may be handed to software"
}
)dpl";
constexpr char kFacts[] = R"({
  "persons": [{"id": "E1", "attributes": {"region": "emea"}}, {"id": "E2", "attributes": {"region": "moon"}}],
  "teams": {"staff": ["E1"]},
  "resources": [{"type": "app.Doc", "id": "d1", "attributes": {"region": "emea"}},
                {"type": "app.Doc", "id": "d2", "attributes": {"region": "moon"}}],
  "tasks": [{"id": "t1", "shape": "look", "person": "E1", "agent": "helper", "args": {"docs": ["d1"]}}]})";

// Members as they stand in a request; some cannot be read.
const std::vector<std::string> kSubjects = {
    R"({"type":"person","id":"E1"})",
    R"({"type":"person","id":"E1","properties":{"act":{"sub":"spiffe://acme.example/helper","instance":"run-1"}}})",
    R"({"type":"person","id":"E1","properties":{"act":{"sub":"spiffe://acme.example/helper","instance":"run-2"}}})",
    R"({"type":"person","id":"E2"})",
    R"({"type":"person","id":"E1","properties":{"act":{"sub":"spiffe://acme.example/other","act":{"sub":"spiffe://acme.example/helper"}}}})",
    R"({"type":"agent","id":"spiffe://acme.example/helper","properties":{"instance":"run-3"}})",
    R"({"type":"person"})",
    R"({"type":"person","id":7})",
    R"({"type":"person","id":"E1","properties":{"act":{"sub":"x","born":"soon"}}})"};
const std::vector<std::string> kActions = {
    R"({"name":"read"})",
    R"({"name":"approve","properties":{"amount":"20 USD"}})",
    R"({"name":"approve","properties":{"amount":"20 USD","idempotency_key":"k1"}})",
    R"({"name":"approve","properties":{"amount":"10 USD","idempotency_key":"k2"}})",
    R"({"name":"approve","properties":{"idempotency_key":5}})",
    R"({"name":"sing"})",
    R"({})"};
const std::vector<std::string> kResources = {
    R"({"type":"app.Doc","id":"d1"})",
    R"({"type":"app.Doc","id":"d1","properties":{}})",
    R"({"type":"app.Doc","id":"d2"})",
    R"({"type":"app.Doc","id":"none","properties":{"region":"emea"}})",
    R"({"type":"app.Nothing","id":"d1"})",
    R"({"type":"app.Doc","id":"d1","properties":4})",
    R"({"id":"d1"})"};
const std::vector<std::string> kContexts = {
    R"({})",
    R"({"dry_run":false})",
    R"({"task":"t1"})",
    R"({"task":"unknown"})",
    R"({"dry_run":true})",
    R"({"explain":"reason"})",
    R"({"explain":"trace"})",
    R"({"agent":{"sub":"spiffe://acme.example/helper","instance":"run-1"}})"};

class World {
 public:
  World() {
    testing::Compilation compilation;
    compilation.sources.Add("t.dpl", kPolicy);
    EXPECT_TRUE(testing::Compile({}, &compilation));
    Result<FactsInput> facts = ReadFactsJson(kFacts, "facts");
    EXPECT_TRUE(facts.ok());
    Result<std::unique_ptr<Snapshot>> snapshot =
        Snapshot::Build(compilation.program, *facts, clock_.Now());
    EXPECT_TRUE(snapshot.ok());
    EXPECT_TRUE(SeedState(**snapshot, *facts, &store_, clock_.Now()).ok());
    service_ = std::make_unique<Service>(
        ServiceOptions{.clock = &clock_, .store = &store_, .version = "1", .start_id = "s"});
    service_->Publish(snapshot.take(), std::make_shared<CallerRegistry>());
  }
  const HttpResponse& Ask(std::string_view path, std::string_view body) {
    HttpRequest request;
    request.method = "POST";
    request.path = path;
    request.body = body;
    request.headers.push_back({"Content-Type", "application/json"});
    response_.Reset();
    service_->Handle(request, &response_);
    return response_;
  }

 private:
  FakeClock clock_{ParseInstant("2026-11-20T10:00Z").value()};
  MemoryStore store_;
  std::unique_ptr<Service> service_;
  HttpResponse response_;
};

// Subject, action, resource, context; empty: not there.
using Evaluation = std::array<std::string, 4>;

std::string Members(const Evaluation& e) {
  static constexpr const char* kNames[] = {"subject", "action", "resource", "context"};
  std::string out;
  for (size_t i = 0; i < e.size(); ++i) {
    if (e[i].empty()) continue;
    out.append(out.empty() ? "\"" : ",\"").append(kNames[i]).append("\":").append(e[i]);
  }
  return out;
}

// Where something stands in a body is another place in a batch.
std::string WithoutPlaces(std::string text) {
  for (size_t at; (at = text.find(" (line ")) != std::string::npos;)
    text.erase(at, text.find(')', at) + 1 - at);
  return text;
}

class Random {
 public:
  explicit Random(uint64_t seed) : numbers_(seed) {}
  bool OneIn(unsigned n) { return numbers_() % n == 0; }
  size_t Below(size_t n) { return numbers_() % n; }
  // Mostly one of the first, which can be read.
  const std::string& Of(const std::vector<std::string>& all) {
    return all[OneIn(3) ? Below(all.size()) : Below(2)];
  }

 private:
  std::mt19937_64 numbers_;
};

TEST(Batch, IsItsItemsOneByOne) {
  int stopped = 0, permits = 0, denials = 0, errors = 0;
  for (uint64_t seed = 1; seed <= 400; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    static std::unique_ptr<World> batched, single;
    if (seed % 20 == 1) batched = std::make_unique<World>(), single = std::make_unique<World>();
    Evaluation defaults;
    const std::vector<std::string>* lists[] = {&kSubjects, &kActions, &kResources, &kContexts};
    for (size_t k = 0; k < 4; ++k) {
      if (!random.OneIn(3)) defaults[k] = random.Of(*lists[k]);
    }
    std::vector<Evaluation> items(1 + random.Below(8));
    for (Evaluation& item : items) {
      for (size_t k = 0; k < 4; ++k) {
        if (random.OneIn(k == 2 ? 2 : 5)) item[k] = random.Of(*lists[k]);
      }
    }
    static constexpr const char* kSemantics[] = {"execute_all", "deny_on_first_deny",
                                                 "permit_on_first_permit"};
    const size_t semantic = random.Below(3);
    std::string body = "{" + Members(defaults);
    if (body.size() > 1) body += ",";
    body += R"("options":{"evaluations_semantic":")" + std::string(kSemantics[semantic]) +
            "\"},\"evaluations\":[";
    std::string expected = "{\"evaluations\":[";
    bool stop = false;
    for (size_t i = 0; i < items.size(); ++i) {
      body.append(i == 0 ? "{" : ",{").append(Members(items[i])).append("}");
      if (stop) continue;
      Evaluation whole = defaults;
      for (size_t k = 0; k < 4; ++k) {
        if (!items[i][k].empty()) whole[k] = items[i][k];
      }
      const HttpResponse& answer = single->Ask("/access/v1/evaluation", "{" + Members(whole) + "}");
      if (i > 0) expected.push_back(',');
      if (answer.status == 200) {
        expected.append(answer.body);
      } else {
        EXPECT_EQ(answer.status, 400);
        constexpr std::string_view kError = "{\"error\":";
        std::string why = answer.body.substr(kError.size());
        why.pop_back();
        expected.append(R"({"decision":false,"context":{"error":{"status":400,"message":)" + why +
                        "}}}");
        ++errors;
      }
      const bool permitted = answer.status == 200 && answer.body.starts_with(R"({"decision":true)");
      (permitted ? permits : denials) += 1;
      stop = (semantic == 1 && !permitted) || (semantic == 2 && permitted);
      stopped += stop && i + 1 < items.size() ? 1 : 0;
    }
    expected += "]}";
    const HttpResponse& answer = batched->Ask("/access/v1/evaluations", body + "]}");
    ASSERT_EQ(answer.status, 200) << answer.body;
    ASSERT_EQ(WithoutPlaces(answer.body), WithoutPlaces(expected)) << body;
  }
  // The cases are worth something.
  EXPECT_GT(stopped, 50);
  EXPECT_GT(permits, 100);
  EXPECT_GT(denials, 200);
  EXPECT_GT(errors, 100);
}

}  // namespace
}  // namespace dpl
