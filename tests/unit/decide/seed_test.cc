// State from facts: what is wrong is told with its place, and nothing of it is written.
#include "runtime/state/seed.h"

#include <gtest/gtest.h>

#include "runtime/facts/json_facts.h"
#include "tests/unit/decide/world.h"

namespace dpl {
namespace {

constexpr std::string_view kPolicy = R"dpl(
package t owned by team staff
granted 2026-10-01
review every 180d
person { key id: string }
team staff { owner person "E1" }
system app { owner team staff }
resource Folder in app { can list }
resource Doc in app { within app.Folder  can read  can pay { amount: money must be limited } }
grant reading {
  to team staff  may read, pay on app.Doc
  limit amount to 100 USD per day for each person
  limit requests to 10 in any 1h for each person and resource
  because "Staff read"
}
agent helper {
  accountable person "E1"  purpose "Reads for people"  runs as spiffe "spiffe://acme.example/helper"  may read on app.Doc  lives at most 1h
}
agent other {
  accountable person "E1"  purpose "Reads for people"  runs as spiffe "spiffe://acme.example/other"  may read on app.Doc  lives at most 1h
}
task sweep(folders: set<app.Folder>, days: set<int>) { for agent helper  may read on app.Doc where 1 in days and some f in folders satisfies (resource in f)  lasts at most 2h  nothing else }
task tidy(source: app.Folder, times: int) { for agent helper  may read on app.Doc in source  lasts at most 2h  nothing else }
task errand() { may read on app.Doc  lasts at most 2h  nothing else }
delegation help { from team staff  to agent helper, agent other  consent every 30d  because "Reading may be handed to software" }
)dpl";
constexpr std::string_view kFacts =
    R"({"persons": [{"id": "E1"}, {"id": "E7"}], "teams": {"staff": ["E7"]}, "roles": [], "accounts": [], "resources": [{"type": "app.Folder", "id": "A"}]})";

Status Seed(World* w, std::string_view json) {
  Result<FactsInput> input = ReadFactsJson(json, "facts.json");
  EXPECT_TRUE(input.ok()) << input.error().message;
  return SeedState(*w->snapshot, *input, &w->store, w->now);
}

TEST(Seed, WrongNamesAreToldWithTheirPlace) {
  World w(kPolicy, kFacts);
  struct Case {
    const char* json;
    const char* code;
  };
  for (const Case& c : std::initializer_list<Case>{{R"({"consents": [
                 {"delegation": "hlep", "person": "E7", "at": "2026-11-20"}]})",
                                                    "facts.delegation"},
                                                   {R"({"consents": [
                 {"delegation": "help", "person": "E9", "at": "2026-11-20"}]})",
                                                    "facts.person"},
                                                   {R"({"tasks": [
                 {"id": "t", "shape": "tydi", "agent": "helper", "person": "E7", "args": {}}]})",
                                                    "facts.task"},
                                                   {R"({"tasks": [
                 {"id": "t", "shape": "tidy", "agent": "other", "person": "E7", "args": {"source": "A", "times": 1}}]})",
                                                    "facts.agent"},
                                                   {R"({"tasks": [
                 {"id": "t", "shape": "tidy", "agent": "helper", "person": "E7", "args": {"source": "A"}}]})",
                                                    "facts.task"},
                                                   {R"({"tasks": [
                 {"id": "t", "shape": "tidy", "agent": "helper", "person": "E7", "args": {"source": "A", "times": 1, "more": 2}}]})",
                                                    "facts.task"},
                                                   {R"({"tasks": [
                 {"id": "t", "shape": "tidy", "agent": "helper", "person": "E7", "args": {"source": "A", "times": "one"}}]})",
                                                    "type"},
                                                   {R"({"used": [
                 {"limit": "writing", "quantity": "1.00 USD", "person": "E7"}]})",
                                                    "facts.limit"},
                                                   {R"({"used": [
                 {"limit": "reading", "quantity": "1.00 USD", "person": "E7"}]})",
                                                    "facts.limit"},
                                                   {R"({"used": [
                 {"limit": "reading.amount", "quantity": "1.00 USD"}]})",
                                                    "facts.limit"},
                                                   {R"({"used": [
                 {"limit": "reading.amount", "quantity": "-1.00 USD", "person": "E7"}]})",
                                                    "facts.limit"},
                                                   {R"({"used": [
                 {"limit": "reading.amount", "quantity": 5, "person": "E7"}]})",
                                                    "facts.limit"},
                                                   {R"({"used": [
                 {"limit": "reading.requests", "quantity": 5, "person": "E7"}]})",
                                                    "facts.limit"},
                                                   {R"({"handoffs": [
                 {"from": {"agent": "helpr", "instance": "a"}, "to": {"agent": "other", "instance": "b"}}]})",
                                                    "facts.agent"},
                                                   {R"({"handoffs": [
                 {"from": {"person": "E9"}, "to": {"agent": "other", "instance": "b"}}]})",
                                                    "facts.person"},
                                                   {R"({"tasks": [
                 {"id": "t", "shape": "errand", "deputy": "E9", "person": "E7"}]})",
                                                    "facts.person"},
                                                   {R"({"tasks": [
                 {"id": "t", "shape": "tidy", "deputy": "E1", "person": "E7", "args": {"source": "A", "times": 1}}]})",
                                                    "facts.task"}}) {
    Status s = Seed(&w, c.json);
    ASSERT_FALSE(s.ok()) << c.json;
    EXPECT_EQ(s.error().code, c.code) << c.json << s.error().message;
    EXPECT_EQ(s.error().line, 2u) << c.json;
  }
}

TEST(Seed, IsAllOrNothing) {
  World w(kPolicy, kFacts);
  EXPECT_FALSE(
      Seed(
          &w,
          R"({"tasks": [{"id": "t", "shape": "tidy", "agent": "helper", "person": "E7", "args": {"source": "A", "times": 1}}],
                            "consents": [{"delegation": "help", "person": "E7", "at": "2026-11-20"}, {"delegation": "no", "person": "E7", "at": "2026-11-20"}]})")
          .ok());
  EXPECT_EQ(w.store.FindTask("t"), nullptr);
  ConsentRecord consent;
  EXPECT_FALSE(w.store.FindConsent("t.help", "E7", &consent));
}

TEST(Seed, ATaskLastsNoLongerThanItsShape) {
  World w(kPolicy, kFacts);
  ASSERT_TRUE(
      Seed(
          &w,
          R"({"tasks": [{"id": "t", "shape": "t.tidy", "agent": "t.helper", "person": "E7", "args": {"source": {"type": "app.Folder", "id": "A"}, "times": 3},
                           "expires": "2027-01-01"}]})")
          .ok());
  std::shared_ptr<const TaskRecord> task = w.store.FindTask("t");
  ASSERT_NE(task, nullptr);
  EXPECT_EQ(task->expires.us, w.now.us + 2 * kMicrosPerHour);
  EXPECT_EQ(task->args,
            (std::vector<std::pair<std::string, std::string>>{{"source", "A"}, {"times", "3"}}));
}

TEST(Seed, ASetIsKeptAsTheArrayOfItsMembers) {
  World w(kPolicy, kFacts);
  ASSERT_TRUE(Seed(&w,
                   R"({"tasks": [{"id": "t", "shape": "sweep", "agent": "helper", "person": "E7",
                         "args": {"folders": [{"type": "app.Folder", "id": "A"}, "B\"]"], "days": [1, 3]}}]})")
                  .ok());
  std::shared_ptr<const TaskRecord> task = w.store.FindTask("t");
  ASSERT_NE(task, nullptr);
  EXPECT_EQ(task->args, (std::vector<std::pair<std::string, std::string>>{
                            {"folders", R"(["A","B\"]"])"}, {"days", "[1,3]"}}));
}

TEST(Seed, AConsentCoversWhatIsLentNow) {
  World w(kPolicy, kFacts);
  ASSERT_TRUE(
      Seed(&w, R"({"consents": [{"delegation": "help", "person": "E7", "at": "2026-11-20"}]})")
          .ok());
  ConsentRecord consent;
  ASSERT_TRUE(w.store.FindConsent("t.help", "E7", &consent));
  EXPECT_TRUE(consent.whole_day);
  EXPECT_FALSE(consent.reach.empty());
}

}  // namespace
}  // namespace dpl
