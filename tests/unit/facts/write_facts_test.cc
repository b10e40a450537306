// Facts written are the facts read: every section, and once more after changes.
#include "runtime/facts/write_facts.h"

#include <gtest/gtest.h>

#include "runtime/facts/changes.h"
#include "tests/unit/facts/policy_for_test.h"

namespace dpl {
namespace {

constexpr std::string_view kFacts = R"({
  "version": "v\"1", "as_of": "2026-11-20T06:00:00.000001Z",
  "persons": [{"id": "a", "status": "left", "left": "2026-11-19", "attributes": {"name": "Ä\u0001", "n": 1.50, "s": ["x", {"k": null}]}}, {"id": "b"}],
  "teams": {"t": ["a", {"person": "b", "until": "2026-11-20"}, {"team": "u"}], "u": []},
  "roles": [{"role": "r", "in": {"type": "x", "id": "1"}, "members": ["a"]}, {"role": "s", "in": "1", "members": []},
            {"role": "q", "members": [{"team": "t", "until": "2026-11-20T10:00Z"}]}],
  "accounts": [{"system": "m", "key": "k", "person": "a", "checked": "2026-11-18", "evidence": "e"}],
  "resources": [{"type": "x", "id": "1", "parent": {"type": "y", "id": "2"}, "attributes": {"v": true}}, {"type": "x", "id": "3", "parent": "4"}],
  "consents": [{"delegation": "d", "person": "a", "at": "2026-11-17"}, {"delegation": "d", "person": "b", "at": "2026-11-17T10:00:00.5Z"}],
  "tasks": [{"id": "t", "shape": "s", "agent": "x", "person": "a", "args": {"p": ["1"]}, "opened": "2026-11-16", "expires": "2026-11-17"},
            {"id": "t2", "shape": "s", "deputy": "b", "person": "a"}],
  "handoffs": [{"from": {"agent": "x", "instance": "1"}, "to": {"agent": "y", "instance": "2"}, "task": "t"},
               {"from": {"person": "a"}, "to": {"agent": "y", "instance": "3"}}],
  "used": [{"limit": "l", "quantity": "1.00 USD", "person": "a"}]})";

FactsInput Read(std::string_view json) {
  Result<FactsInput> facts = ReadFactsJson(json, "f");
  EXPECT_TRUE(facts.ok()) << (facts.ok() ? "" : facts.error().message) << "\n" << json;
  return facts.ok() ? facts.take() : FactsInput();
}
std::string Write(const FactsInput& facts) {
  std::string out;
  AppendFactsJson(&out, facts);
  return out;
}

TEST(WriteFacts, WhatIsWrittenIsWhatWasRead) {
  FactsInput once = Read(kFacts);
  const std::string text = Write(once);
  FactsInput twice = Read(text);
  EXPECT_EQ(Write(twice), text);
  EXPECT_EQ(twice.version, "v\"1");
  EXPECT_EQ(twice.as_of, once.as_of);
  EXPECT_EQ(twice.persons[0].left, once.persons[0].left);
  EXPECT_EQ(twice.persons[0].fields[1].value.text, "1.50");
  EXPECT_EQ(twice.members.size(), once.members.size());
  EXPECT_EQ(twice.members[0].members[1].until, once.members[0].members[1].until);
  EXPECT_EQ(twice.members[4].members[0].until, once.members[4].members[0].until);
  EXPECT_EQ(twice.accounts[0].checked, once.accounts[0].checked);
  EXPECT_TRUE(twice.consents[0].whole_day);
  EXPECT_EQ(twice.consents[1].at, once.consents[1].at);
  EXPECT_EQ(twice.tasks[0].expires, once.tasks[0].expires);
  EXPECT_EQ(twice.tasks[1].deputy, "b");
  EXPECT_EQ(twice.handoffs[1].parent_person, "a");
  EXPECT_EQ(twice.used[0].quantity.text, "1.00 USD");
}

TEST(WriteFacts, AFeedThatIsNotLoadedStaysSo) {
  FactsInput none = Read(Write(Read("{}")));
  EXPECT_FALSE(none.has_persons || none.has_memberships || none.has_accounts || none.has_resources);
  FactsInput empty = Read(Write(Read(R"({"persons": [], "teams": {}})")));
  EXPECT_TRUE(empty.has_persons && empty.has_memberships);
  EXPECT_FALSE(empty.has_accounts || empty.has_resources);
}

TEST(WriteFacts, AlsoAfterChanges) {
  FactsDocument document(Read(kFacts));
  FactsChanges changes;
  changes.leave.emplace_back();
  changes.leave[0].group.name = "t";
  changes.leave[0].member.id = "b";
  ASSERT_TRUE(document.Apply(changes).ok());
  document.Accept();
  FactsInput again = Read(Write(document.facts()));
  EXPECT_EQ(again.members[0].members.size(), 2u);
  EXPECT_EQ(Write(again), Write(document.facts()));
}

}  // namespace
}  // namespace dpl
