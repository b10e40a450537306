// Reading the facts file: every section, what times mean, and the seeds on their own.
#include "runtime/facts/json_facts.h"

#include <gtest/gtest.h>

#include "tests/unit/facts/policy_for_test.h"

namespace dpl {
namespace {

FactsInput Read(std::string_view json) {
  Result<FactsInput> facts = ReadFactsJson(json, "facts.json");
  EXPECT_TRUE(facts.ok()) << (facts.ok() ? "" : facts.error().message);
  return facts.ok() ? facts.take() : FactsInput();
}

TEST(JsonFacts, AVersionIsGivenOrTheDigest) {
  EXPECT_EQ(Read(R"({"version": "hr-1"})").version, "hr-1");
  std::string digest = Read("{}").version;
  EXPECT_EQ(digest.size(), 7 + 64u);
  EXPECT_TRUE(digest.starts_with("sha256:"));
  EXPECT_NE(digest, Read("{ }").version);
  EXPECT_EQ(Read("{}").name, "facts.json");
}

TEST(JsonFacts, DatesAreDaysOfUtc) {
  FactsInput facts = Read(R"({"as_of": "2026-11-20",
    "persons": [{"id": "a", "status": "left", "left": "2026-11-19"}],
    "teams": {"t": [{"person": "a", "until": "2026-11-20"}, {"person": "b", "until": "2026-11-20T10:00+01:00"}, "c"]},
    "accounts": [{"system": "s", "key": "k", "person": "a", "checked": "2026-11-18"}],
    "consents": [{"delegation": "d", "person": "a", "at": "2026-11-17"}, {"delegation": "d", "person": "b", "at": "2026-11-17T10:00Z"}],
    "tasks": [{"id": "t", "shape": "s", "agent": "x", "opened": "2026-11-16", "expires": "2026-11-17"}]})");
  EXPECT_EQ(facts.as_of, At("2026-11-20T00:00Z"));
  EXPECT_EQ(facts.persons[0].left, At("2026-11-19T00:00Z"));
  EXPECT_EQ(facts.members[0].members[0].until, At("2026-11-21T00:00Z"));
  EXPECT_EQ(facts.members[0].members[1].until, At("2026-11-20T09:00Z"));
  EXPECT_EQ(facts.members[0].members[2].until, std::nullopt);
  EXPECT_EQ(facts.accounts[0].checked, At("2026-11-18T00:00Z"));
  EXPECT_EQ(facts.consents[0].at, At("2026-11-17T00:00Z"));
  EXPECT_TRUE(facts.consents[0].whole_day);
  EXPECT_FALSE(facts.consents[1].whole_day);
  EXPECT_EQ(facts.tasks[0].opened, At("2026-11-16T00:00Z"));
  EXPECT_EQ(facts.tasks[0].expires, At("2026-11-18T00:00Z"));
}

TEST(JsonFacts, EveryPlaceIsKept) {
  FactsInput facts = Read(
      "{\n \"persons\": [\n  {\"id\": \"a\"}],\n \"resources\": [{\"type\": \"t\", \"id\": "
      "\"x\",\n  \"attributes\": {\"v\": 1}}]}");
  EXPECT_EQ(facts.persons[0].where.line, 3u);
  EXPECT_EQ(facts.persons[0].where.column, 3u);
  EXPECT_EQ(facts.resources[0].where.line, 4u);
  EXPECT_EQ(facts.resources[0].fields[0].value.line, 5u);
}

TEST(JsonFacts, APersonMayDoATaskOrStartARun) {
  FactsInput facts = Read(R"({"tasks": [{"id": "t", "shape": "s", "deputy": "E2", "person": "E1"}],
    "handoffs": [{"from": {"person": "E2"}, "to": {"agent": "b", "instance": "2"}}]})");
  EXPECT_EQ(facts.tasks[0].deputy, "E2");
  EXPECT_EQ(facts.tasks[0].agent, "");
  EXPECT_EQ(facts.handoffs[0].parent_person, "E2");
  EXPECT_EQ(facts.handoffs[0].child_agent, "b");
  for (
      const char* wrong :
      {R"({"tasks": [{"id": "t", "shape": "s", "deputy": "E2", "agent": "a", "person": "E1"}]})",
       R"({"tasks": [{"id": "t", "shape": "s", "deputy": "E2"}]})",
       R"({"tasks": [{"id": "t", "shape": "s", "person": "E1"}]})",
       R"({"handoffs": [{"from": {"person": "E2", "agent": "a"}, "to": {"agent": "b", "instance": "2"}}]})",
       R"({"handoffs": [{"from": {"agent": "a", "instance": "1"}, "to": {"person": "E2"}}]})"}) {
    EXPECT_FALSE(ReadFactsJson(wrong, "f.json").ok()) << wrong;
  }
}

TEST(JsonFacts, SeedsOnTheirOwn) {
  FactsInput seeds;
  {
    FactsInput facts = Read(
        R"({"persons": [{"id": "a"}], "consents": [{"delegation": "d", "person": "a", "at": "2026-11-17"}],
      "tasks": [{"id": "t", "shape": "s", "agent": "x", "person": "a", "args": {"where": {"type": "T", "id": ["1", 2]}}}],
      "handoffs": [{"from": {"agent": "a", "instance": "1"}, "to": {"agent": "b", "instance": "2"}, "task": "t"}],
      "used": [{"limit": "l", "quantity": "5.00 USD", "person": "a"}]})");
    seeds = SeedsOnly(facts);
  }
  EXPECT_TRUE(seeds.persons.empty());
  ASSERT_EQ(seeds.consents.size(), 1u);
  ASSERT_EQ(seeds.tasks.size(), 1u);
  const WireValue& where = seeds.tasks[0].args[0].value;
  ASSERT_NE(where.Find("id"), nullptr);
  EXPECT_EQ(where.Find("type")->text, "T");
  EXPECT_EQ(where.Find("id")->items[1].text, "2");
  EXPECT_EQ(seeds.handoffs[0].child_instance, "2");
  EXPECT_EQ(seeds.used[0].quantity.text, "5.00 USD");
}

}  // namespace
}  // namespace dpl
