// Pushed changes: what each does to the facts, what is refused, and that many of them in a row
// leave what a plain model says.
#include "runtime/facts/changes.h"

#include <map>
#include <random>
#include <set>

#include <gtest/gtest.h>

#include "runtime/json/json.h"
#include "tests/unit/facts/policy_for_test.h"

namespace dpl {
namespace {

constexpr std::string_view kFacts = R"({
  "version": "v1", "as_of": "2026-11-20T06:00Z",
  "persons": [{"id": "a", "attributes": {"name": "A"}}, {"id": "b"}, {"id": "c"}],
  "teams": {"t": ["a", "b", {"person": "c", "until": "2026-12-01"}, {"team": "u"}], "u": ["b"]},
  "roles": [{"role": "r", "members": ["a"]}, {"role": "r", "members": ["b", "a"]},
            {"role": "s", "in": {"type": "x", "id": "1"}, "members": ["a"]}],
  "accounts": [{"system": "m", "key": "ka", "person": "a", "checked": "2026-11-01"},
               {"system": "m", "key": "kb", "person": "b", "checked": "2026-11-01"},
               {"system": "m", "key": "kb", "person": "c", "checked": "2026-11-01"}],
  "resources": [{"type": "x", "id": "1"}, {"type": "x", "id": "2", "attributes": {"l": [1, [2]]}}]
})";

class Changing : public testing::Test {
 protected:
  void Start(std::string_view json = kFacts) {
    Result<FactsInput> facts = ReadFactsJson(json, "facts.json");
    ASSERT_TRUE(facts.ok()) << facts.error().message;
    document_ = std::make_unique<FactsDocument>(facts.take());
  }
  // "" when it is applied, else the code.
  std::string Push(std::string_view json) {
    if (document_ == nullptr) Start();
    arena_ = std::make_unique<Arena>();
    Result<const WireValue*> root = ParseJson(json, arena_.get());
    if (!root.ok()) return root.error().code;
    Result<FactsChanges> changes = ReadFactsChanges(**root);
    error_ = {};
    if (!changes.ok()) return (error_ = changes.error()).code;
    Status applied = document_->Apply(*changes);
    if (!applied.ok()) return (error_ = applied.error()).code;
    document_->Accept();
    return "";
  }
  std::set<std::string> Members(std::string_view name) const {
    std::set<std::string> out;
    for (const FactsInput::Members& group : document_->facts().members) {
      if (group.name != name) continue;
      for (const FactsInput::Member& m : group.members)
        out.insert((m.is_team ? "team " : "") + m.id);
    }
    return out;
  }
  using Names = std::set<std::string>;

  std::unique_ptr<FactsDocument> document_;
  std::unique_ptr<Arena> arena_;
  Error error_;
};

TEST_F(Changing, OnePersonJoinsAndLeaves) {
  EXPECT_EQ(Push(R"({"version": "v2", "upsert": {"memberships": [{"team": "u", "member": "c"}]}})"),
            "");
  EXPECT_EQ(Members("u"), (Names{"b", "c"}));
  EXPECT_EQ(document_->facts().version, "v2");
  EXPECT_EQ(document_->facts().as_of, At("2026-11-20T06:00Z"));
  EXPECT_EQ(Push(R"({"as_of": "2026-11-20T07:00Z",
                     "remove": {"memberships": [{"team": "u", "member": "b"}, {"team": "t", "member": {"team": "u"}}]}})"),
            "");
  EXPECT_EQ(Members("u"), (Names{"c"}));
  EXPECT_EQ(Members("t"), (Names{"a", "b", "c"}));
  EXPECT_EQ(document_->facts().as_of, At("2026-11-20T07:00Z"));
}

TEST_F(Changing, AMembershipGivenAgainTakesThePlaceOfTheOld) {
  EXPECT_EQ(
      Push(
          R"({"upsert": {"memberships": [{"team": "t", "member": {"person": "c", "until": "2026-11-21"}}]}})"),
      "");
  int found = 0;
  for (const FactsInput::Member& m : document_->facts().members[0].members) {
    if (m.id != "c") continue;
    ++found;
    EXPECT_EQ(m.until, At("2026-11-22T00:00Z"));
  }
  EXPECT_EQ(found, 1);
}

TEST_F(Changing, ARoleWrittenInSeveralListsIsLeftWhole) {
  EXPECT_EQ(Push(R"({"remove": {"memberships": [{"role": "r", "member": "a"}]}})"), "");
  EXPECT_EQ(Members("r"), (Names{"b"}));
  EXPECT_EQ(Members("s"), (Names{"a"}));  // held in something: another membership
  EXPECT_EQ(
      Push(
          R"({"remove": {"memberships": [{"role": "s", "in": {"type": "x", "id": "1"}, "member": "a"}]}})"),
      "");
  EXPECT_EQ(Members("s"), Names{});
}

TEST_F(Changing, WholeListsTakeThePlaceOfWholeLists) {
  EXPECT_EQ(Push(R"({"upsert": {"teams": {"t": ["c"]}, "roles": [{"role": "r", "members": []}]}})"),
            "");
  EXPECT_EQ(Members("t"), (Names{"c"}));
  EXPECT_EQ(Members("r"), Names{});
}

TEST_F(Changing, APersonWhoGoesTakesMembershipsAndAccountsAlong) {
  EXPECT_EQ(Push(R"({"remove": {"persons": ["b"]}})"), "");
  EXPECT_EQ(document_->facts().persons.size(), 2u);
  EXPECT_EQ(Members("t"), (Names{"a", "c", "team u"}));
  EXPECT_EQ(Members("u"), Names{});
  EXPECT_EQ(Members("r"), (Names{"a"}));
  ASSERT_EQ(document_->facts().accounts.size(), 2u);
  for (const FactsInput::Account& account : document_->facts().accounts)
    EXPECT_NE(account.person, "b");
}

TEST_F(Changing, AnAccountIsMovedToAnotherPerson) {
  EXPECT_EQ(
      Push(
          R"({"upsert": {"accounts": [{"system": "m", "key": "kb", "person": "a", "checked": "2026-11-20"}]}})"),
      "");
  ASSERT_EQ(document_->facts().accounts.size(), 2u);
  for (const FactsInput::Account& account : document_->facts().accounts)
    EXPECT_EQ(account.person, "a");
  EXPECT_EQ(Push(R"({"remove": {"accounts": [{"system": "m", "key": "ka"}]}})"), "");
  ASSERT_EQ(document_->facts().accounts.size(), 1u);
  EXPECT_EQ(document_->facts().accounts[0].key, "kb");
}

TEST_F(Changing, WhatIsReplacedInOneCallIsRemovedFirst) {
  EXPECT_EQ(Push(R"({"remove": {"persons": ["a"]}, "upsert": {"persons": [{"id": "a"}],
                     "memberships": [{"team": "u", "member": "a"}]}})"),
            "");
  EXPECT_EQ(Members("u"), (Names{"a", "b"}));
  EXPECT_EQ(Members("t"), (Names{"b", "c", "team u"}));
}

TEST_F(Changing, RemovingWhatIsNotThereIsAnError) {
  for (std::string_view json : {R"({"remove": {"persons": ["nobody"]}})",
                                R"({"remove": {"memberships": [{"team": "u", "member": "a"}]}})",
                                R"({"remove": {"memberships": [{"team": "w", "member": "a"}]}})",
                                R"({"remove": {"accounts": [{"system": "m", "key": "z"}]}})",
                                R"({"remove": {"resources": [{"type": "x", "id": "9"}]}})"}) {
    Start();
    EXPECT_EQ(Push(json), "facts.unknown") << json;
    EXPECT_EQ(error_.line, 1u);
    EXPECT_GT(error_.column, 1u);
  }
}

TEST_F(Changing, AFewRecordsDoNotMakeAFeed) {
  Start(R"({"persons": [{"id": "a"}]})");
  EXPECT_EQ(Push(R"({"upsert": {"resources": [{"type": "x", "id": "1"}]}})"), "facts.feed");
  EXPECT_EQ(Push(R"({"upsert": {"memberships": [{"team": "t", "member": "a"}]}})"), "facts.feed");
  EXPECT_EQ(Push(R"({"upsert": {"persons": [{"id": "b"}]}})"), "");
}

TEST_F(Changing, WrongShapesAreRefusedWithTheirPlace) {
  for (std::string_view json :
       {R"({"upserts": {}})", R"({"upsert": {"person": []}})", R"({"upsert": {"consents": []}})",
        R"({"remove": {"teams": {}}})", R"({"remove": {"persons": [1]}})", R"({"upsert": []})",
        R"({"upsert": {"memberships": [{"member": "a"}]}})",
        R"({"upsert": {"memberships": [{"team": "t", "role": "r", "member": "a"}]}})",
        R"({"upsert": {"memberships": [{"team": "t", "in": "x", "member": "a"}]}})",
        R"({"upsert": {"memberships": [{"team": "t"}]}})", R"({"version": 1})"}) {
    EXPECT_EQ(Push(json), "facts.shape") << json;
    EXPECT_NE(error_.line, 0u) << json;
  }
  EXPECT_EQ(Push(R"({"as_of": "yesterday"})"), "facts.time");
}

TEST_F(Changing, PlacesAreThoseOfTheChangesUntilAccepted) {
  Start();
  arena_ = std::make_unique<Arena>();
  Result<const WireValue*> root = ParseJson(
      "{\"upsert\":\n {\"resources\": [{\"type\": \"x\", \"id\": \"3\",\n \"attributes\": {\"l\": "
      "[1, [2]]}}]}}",
      arena_.get());
  ASSERT_TRUE(root.ok());
  Result<FactsChanges> changes = ReadFactsChanges(**root);
  ASSERT_TRUE(changes.ok());
  ASSERT_TRUE(document_->Apply(*changes).ok());
  const FactsInput::Resource& last = document_->facts().resources.back();
  EXPECT_EQ(last.where.line, FactsDocument::kPushed + 2);
  EXPECT_EQ(last.fields[0].value.items[1].items[0].line, FactsDocument::kPushed + 3);
  EXPECT_LT(document_->facts().resources[1].where.line, FactsDocument::kPushed);
  document_->Accept();
  EXPECT_EQ(last.where.line, 0u);
  EXPECT_EQ(last.fields[0].value.items[1].items[0].line, 0u);
  arena_.reset();  // nothing points there any more
  EXPECT_EQ(last.fields[0].value.items[1].items[0].text, "2");
}

TEST_F(Changing, ManyChangesLeaveWhatTheModelSays) {
  Start(R"({"persons": [], "teams": {}, "accounts": [], "resources": []})");
  std::mt19937 random(7);
  std::set<std::string> persons, resources;
  std::map<std::string, std::string> accounts;
  std::map<std::string, std::set<std::string>> teams;
  auto pick = [&](int n) { return std::to_string(random() % static_cast<unsigned>(n)); };
  for (int step = 0; step < 3000; ++step) {
    std::string p = "p" + pick(20), t = "t" + pick(3), k = "k" + pick(20), r = "r" + pick(20);
    switch (random() % 8) {
      case 0:
        EXPECT_EQ(Push("{\"upsert\": {\"persons\": [{\"id\": \"" + p + "\"}]}}"), "");
        persons.insert(p);
        break;
      case 1:
        if (!persons.contains(p)) break;
        EXPECT_EQ(Push("{\"remove\": {\"persons\": [\"" + p + "\"]}}"), "");
        persons.erase(p);
        for (auto& [name, members] : teams) members.erase(p);
        std::erase_if(accounts, [&](const auto& a) { return a.second == p; });
        break;
      case 2:
        EXPECT_EQ(Push("{\"upsert\": {\"memberships\": [{\"team\": \"" + t + "\", \"member\": \"" +
                       p + "\"}]}}"),
                  "");
        teams[t].insert(p);
        break;
      case 3:
        EXPECT_EQ(Push("{\"remove\": {\"memberships\": [{\"team\": \"" + t + "\", \"member\": \"" +
                       p + "\"}]}}"),
                  teams[t].erase(p) == 1 ? "" : "facts.unknown");
        break;
      case 4:
        EXPECT_EQ(Push("{\"upsert\": {\"accounts\": [{\"system\": \"m\", \"key\": \"" + k +
                       "\", \"person\": \"" + p + "\", \"checked\": \"2026-11-01\"}]}}"),
                  "");
        accounts[k] = p;
        break;
      case 5:
        EXPECT_EQ(
            Push("{\"remove\": {\"accounts\": [{\"system\": \"m\", \"key\": \"" + k + "\"}]}}"),
            accounts.erase(k) == 1 ? "" : "facts.unknown");
        break;
      case 6:
        EXPECT_EQ(Push("{\"upsert\": {\"resources\": [{\"type\": \"x\", \"id\": \"" + r +
                       "\", \"attributes\": {\"n\": 1}}]}}"),
                  "");
        resources.insert(r);
        break;
      case 7:
        EXPECT_EQ(Push("{\"remove\": {\"resources\": [{\"type\": \"x\", \"id\": \"" + r + "\"}]}}"),
                  resources.erase(r) == 1 ? "" : "facts.unknown");
        break;
    }
    const FactsInput& facts = document_->facts();
    ASSERT_EQ(facts.persons.size(), persons.size());
    ASSERT_EQ(facts.accounts.size(), accounts.size());
    ASSERT_EQ(facts.resources.size(), resources.size());
    for (const FactsInput::Person& each : facts.persons) ASSERT_TRUE(persons.contains(each.id));
    for (const FactsInput::Account& each : facts.accounts)
      ASSERT_EQ(accounts[each.key], each.person);
    for (const FactsInput::Resource& each : facts.resources)
      ASSERT_TRUE(resources.contains(each.id));
    for (const auto& [name, members] : teams) ASSERT_EQ(Members(name), members);
  }
}

}  // namespace
}  // namespace dpl
