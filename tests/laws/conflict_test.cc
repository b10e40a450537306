// Closing rule 39: the checker is never silent on two grants with different limits that one request
// can join. Pairs of grants are generated, and every request of a small world is put to the engine:
// where it finds both grants adding, DPL0501 must have been said.
#include <gtest/gtest.h>

#include "compiler/testing/compile.h"
#include "runtime/decide/engine.h"
#include "runtime/facts/json_facts.h"
#include "runtime/json/json.h"
#include "runtime/state/memory_store.h"
#include "tests/support/rng.h"

namespace dpl {
namespace {

using gen::Rng;
using gen::Texts;

constexpr std::string_view kSchema = R"dpl(
package pair owned by team owners
granted 2026-01-05
review every 3650d
enum Region { emea, amer, apac }
person { key id: string  has home: Region }
team owners { owner person "E9" }
team one { owner team owners  within team two }
team two { owner team owners }
team three { owner team owners }
role base { owner team owners }
role more { owner team owners  includes role base }
system shop { owner team owners }
activity spend { owner team owners  measure amount: money must be limited  limits must agree within region }
resource Order in shop { has region: Region  has size: int  can pay { amount: money } is spend  can refund { amount: money } is spend }
agent robot {
  accountable person "E9"  purpose "Pays on its own"  runs as spiffe "spiffe://pair.example/robot"
  modes standing  may pay, refund on shop.Order  lives at most 1h
}
)dpl";
constexpr std::string_view kFacts = R"({
  "persons": [{"id": "E1", "attributes": {"home": "emea"}}, {"id": "E2", "attributes": {"home": "amer"}},
    {"id": "E3", "attributes": {"home": "apac"}}, {"id": "E4", "attributes": {"home": "emea"}}, {"id": "E9"}],
  "teams": {"one": ["E1"], "two": ["E2", "E4"], "three": ["E1", "E2", "E3"]},
  "roles": [{"role": "base", "members": ["E2"]}, {"role": "more", "members": ["E3", "E4"]}], "accounts": [],
  "resources": [{"type": "shop.Order", "id": "a", "attributes": {"region": "emea", "size": 1}},
    {"type": "shop.Order", "id": "b", "attributes": {"region": "amer", "size": 2}},
    {"type": "shop.Order", "id": "c", "attributes": {"region": "apac", "size": 3}}]
})";

std::string Subject(Rng* rng) {
  return rng->Of(Texts{"everyone", "team one", "team two", "team three", "role base", "role more",
                       "person \"E1\"", "person \"E2\"", "person \"E4\"", "agent robot", "public"});
}

std::string Grant(Rng* rng, const char* name, const char* cap) {
  std::string who = Subject(rng);
  bool person = who != "agent robot" && who != "public";
  std::string text = "grant " + std::string(name) + " {\n  to " + who;
  if (person && rng->Chance(25)) text += ", " + rng->Of(Texts{"team three", "role base"});
  text +=
      "\n  may " + rng->Of(Texts{"pay", "refund", "pay, refund", "any action"}) + " on shop.Order";
  if (rng->Chance(25)) text += rng->Of(Texts{" \"a\"", " \"b\""});
  Texts conditions = {"resource.region == emea",
                      "resource.region in { emea, apac }",
                      "resource.region != amer",
                      "amer == resource.region",
                      "resource.size == 2",
                      "resource.size > 1",
                      "(resource.region == emea or resource.region == amer)",
                      "not (resource.region == emea)"};
  if (person) {
    conditions.push_back("person.home == amer");
    conditions.push_back("person.home == resource.region");
    conditions.push_back("person.home in { emea, apac }");
  }
  for (int i = 0, n = rng->Below(3); i < n; ++i)
    text += (i == 0 ? " where " : " and ") + rng->Of(conditions);
  return text + "\n  limit amount to " + cap + " USD each\n  because \"Generated grant\"\n}\n";
}

TEST(ClosingRule, R39_TwoLimitsThatOneRequestCanJoinAreFound) {
  Arena arena;
  const WireValue* amount = *ParseJson(R"({"amount": "1.00 USD"})", &arena);
  Result<FactsInput> facts = ReadFactsJson(kFacts, "facts.json");
  ASSERT_TRUE(facts.ok()) << facts.error().message;
  constexpr Instant kNow{int64_t{1'795'186'800} * 1'000'000};  // 2026-11-20T15:00Z
  Caller caller = Caller::Everything("test");
  Scratch scratch;
  int joined = 0, found = 0, silent = 0;
  for (uint64_t seed = 1; seed <= 500 && !HasFailure(); ++seed) {
    Rng rng(seed);
    std::string text = std::string(kSchema) + Grant(&rng, "g1", "5") + Grant(&rng, "g2", "9");
    ::dpl::testing::Compilation c;
    c.sources.Add("pair.dpl", text);
    bool ok = ::dpl::testing::Compile({}, &c);
    bool told = false;
    for (const Diagnostic& d : c.sink.Sorted()) {
      told = told || CodeText(d.code) == "DPL0501";
      EXPECT_TRUE(d.severity != Severity::Error || CodeText(d.code) == "DPL0501")
          << CodeText(d.code) << " " << d.message << text;
    }
    found += told ? 1 : 0;
    if (told || !ok) continue;
    ++silent;
    Result<std::unique_ptr<Snapshot>> snapshot = Snapshot::Build(c.program, *facts, kNow);
    ASSERT_TRUE(snapshot.ok()) << snapshot.error().message;
    for (const char* who : {"E1", "E2", "E3", "E4", "pair.robot", "nobody"}) {
      for (const char* action : {"pay", "refund"}) {
        for (const char* order : {"a", "b", "c"}) {
          Request r;
          bool agent = std::string_view(who) == "pair.robot";
          r.subject_type = agent ? "agent" : "person";
          r.subject_id = who;
          if (agent) r.hops[static_cast<size_t>(r.hop_count++)] = {who, "run-1", kNow};
          r.action = action;
          r.action_properties = amount;
          r.resource_type = "shop.Order";
          r.resource_id = order;
          r.caller = &caller;
          MemoryStore store;
          const Decision& d = Decide(**snapshot, &store, r, kNow, &scratch);
          int adding = 0;
          for (const By& by : d.by) adding += by.part == Part::kGrant ? 1 : 0;
          if (adding > 0) ++joined;
          EXPECT_LT(adding, 2) << who << " " << action << " " << order << text;
        }
      }
    }
  }
  EXPECT_GT(found, 100);
  EXPECT_GT(silent, 50);
  EXPECT_GT(joined, 200);
}

}  // namespace
}  // namespace dpl
