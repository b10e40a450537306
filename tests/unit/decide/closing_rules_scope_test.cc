// Closing rules 8 to 18 of docs/semantics.md: errors and scope, resources and attributes.
#include <gtest/gtest.h>

#include "tests/unit/decide/world.h"

namespace dpl {
namespace {

constexpr std::string_view kPolicy = R"dpl(
package t owned by team staff
granted 2026-10-01
review every 180d
enum Class { open < internal < secret }
person { key id: string  has region: string?  has clearance: Class from request  has manager: Person? }
team staff { owner person "E1" }
team interns { owner person "E1" }
role reader { owner team staff }
system app { owner team staff }
resource Folder in app { within app.Folder?  can list }
resource Doc in app {
  within folder: app.Folder
  has class: Class?
  has approvers: set<Person>
  has draft: bool from request
  can read, sign, share
  can create { parent: app.Folder } makes
}
resource Key in app { key id: string fold ascii matches "[a-z0-9-]+"  can use }
grant reading { to team staff  may read, create on app.Doc  may use on app.Key  because "Staff read and write" }
grant signing {
  to team staff  may sign on app.Doc where all a in resource.approvers satisfies (a != person)
  because "Nobody signs what they approve themselves"
}
forbid secrets { covers read on app.Doc where resource.class == Class.secret  because "Secrets are not read here" }
forbid intern_sharing { applies to team interns  covers share on app.Doc  because "Interns share nothing outside" }
grant sharing { to role reader, team staff  may share on app.Doc in app.Folder "public"  because "What is public may be shared" }
forbid drafts {
  covers sign on app.Doc
  unless resource.class == Class.open
  because "Only open documents are signed here"
}
agent helper {
  accountable person "E1"  purpose "Reads for people"  runs as spiffe "spiffe://acme.example/helper"
  may read, sign, share on app.Doc  lives at most 1h
}
delegation help { from everyone  to agent helper  consent by policy  because "Reading may be handed to software" }
)dpl";
constexpr std::string_view kFacts = R"({
  "persons": [{"id": "E1"}, {"id": "E7"}, {"id": "E8"}],
  "teams": {"staff": ["E1", "E7", "E8"], "interns": ["E8"]}, "roles": [], "accounts": [],
  "resources": [{"type": "app.Folder", "id": "public", "parent": null}, {"type": "app.Folder", "id": "hr", "parent": null},
    {"type": "app.Doc", "id": "d1", "parent": "public", "attributes": {"class": "internal", "approvers": ["E1"]}},
    {"type": "app.Doc", "id": "d2", "parent": "public", "attributes": {"class": "secret"}},
    {"type": "app.Doc", "id": "d3", "parent": "public"},
    {"type": "app.Doc", "id": "d4", "parent": "hr", "attributes": {"class": "open", "approvers": ["E7"]}},
    {"type": "app.Doc", "id": "d5", "parent": "hr", "attributes": {"class": "open"}},
    {"type": "app.Doc", "id": "d6", "parent": "hr", "attributes": {"class": "open", "approvers": ["E1"]}}]
})";
// The facts without one section: that feed is not loaded.
std::string Without(std::string_view facts, std::string_view section) {
  std::string out(facts);
  size_t at = out.find("\"" + std::string(section) + "\": "), end = at;
  int depth = 0;
  bool opened = false;
  for (; !opened || depth > 0; ++end) {
    char c = out[end];
    depth += c == '{' || c == '[' ? 1 : c == '}' || c == ']' ? -1 : 0;
    opened |= depth > 0;
  }
  out.erase(at, end - at);
  size_t comma = out.find_first_not_of(" \n", at);
  if (out[comma] != ',') comma = out.rfind(',', at);
  return out.erase(comma, 1);
}

Ask Of(std::string person, std::string action, std::string doc) {
  return Ask().Person(std::move(person)).Does(std::move(action), "app.Doc", std::move(doc));
}

TEST(ClosingRule, R08_RestrictingStatementBitesOnError) {
  World w(kPolicy, kFacts);
  EXPECT_EQ(w.Code(Of("E7", "share", "d1")), "permit");
  EXPECT_EQ(w.Code(Of("E8", "share", "d1")), "forbidden");
  // Whatever feed goes, nothing that was denied is permitted.
  std::vector<Ask> asks;
  for (const char* person : {"E1", "E7", "E8"}) {
    for (const char* action : {"read", "sign", "share"}) {
      for (const char* doc : {"d1", "d2", "d3", "d4", "d5", "d6", "dx"}) {
        asks.push_back(Of(person, action, doc));
        asks.push_back(Of(person, action, doc).Agent("helper", "i"));
      }
    }
  }
  int denied = 0;
  for (const char* feed : {"persons", "teams", "accounts", "resources"}) {
    for (const Ask& ask : asks) {
      w.Facts(kFacts);
      bool before = w.Decide(ask).outcome == OutcomeKind::kPermit;
      std::string less = Without(kFacts, feed);
      if (std::string_view(feed) == "teams") less = Without(less, "roles");
      w.Facts(less);
      bool after = w.Decide(ask).outcome == OutcomeKind::kPermit;
      EXPECT_LE(after, before) << feed << " " << ask.subject_id << " " << ask.action << " "
                               << ask.id;
      denied += before ? 0 : 1;
    }
  }
  EXPECT_GT(denied, 100);
  // A membership that cannot be told makes the interns' forbid bite for everybody.
  w.Facts(Without(Without(kFacts, "teams"), "roles"));
  EXPECT_EQ(w.Code(Of("E7", "share", "d1")), "forbidden");
  EXPECT_EQ(w.last->by.items[0].match, Truth::kError);
}

TEST(ClosingRule, R09_UnlessLiftsOnTrueOnly) {
  World w(kPolicy, kFacts);
  EXPECT_EQ(w.Code(Of("E7", "sign", "d6")), "permit");     // T
  EXPECT_EQ(w.Code(Of("E7", "sign", "d1")), "forbidden");  // F
  EXPECT_EQ(w.Code(Of("E7", "sign", "d3")), "forbidden");  // ⊥
  std::string policy(kPolicy);
  policy.replace(policy.find("unless resource.class == Class.open"), 35, "unless resource.draft");
  EXPECT_NE(DiagnosticsOf(policy), "");
}

TEST(ClosingRule, R10_TheUnlabelledAreForbiddenToo) {
  EXPECT_EQ(DiagnosticsOf(kPolicy).find("DPL0303"), std::string::npos);
  World w(kPolicy, kFacts);
  EXPECT_EQ(w.Code(Of("E7", "read", "d1")), "permit");
  EXPECT_EQ(w.Code(Of("E7", "read", "d2")), "forbidden");
  EXPECT_EQ(w.Code(Of("E7", "read", "d3")), "forbidden");
}

TEST(ClosingRule, R11_AllOfNothingIsNotTrue) {
  World w(kPolicy, kFacts);
  EXPECT_EQ(w.Code(Of("E7", "sign", "d6")), "permit");
  EXPECT_EQ(w.Code(Of("E7", "sign", "d4")), "person.no_grant");  // F: E7 is an approver
  EXPECT_EQ(w.Code(Of("E7", "sign", "d5")), "person.no_grant");  // nobody is
  std::string policy(kPolicy);
  policy.replace(policy.find("where resource.class == Class.secret"), 36,
                 "where all a in resource.approvers satisfies (a == person)");
  World forbid(policy, kFacts);
  EXPECT_EQ(forbid.Code(Of("E7", "read", "d1")), "permit");
  EXPECT_EQ(forbid.Code(Of("E7", "read", "d5")), "forbidden");
}

TEST(ClosingRule, R13_RestrictingStatementsDoNotExpire) {
  std::string policy(kPolicy);
  policy.replace(policy.find("because \"Secrets are not read here\""), 0, "expires 2026-11-01  ");
  EXPECT_NE(DiagnosticsOf(policy).find("DPL0102"), std::string::npos);
  policy = kPolicy;
  policy.replace(policy.find("because \"Secrets are not read here\""), 0, "review every 1d  ");
  World w(policy, kFacts);
  EXPECT_EQ(w.Code(Of("E7", "read", "d2")), "forbidden");  // long overdue
}

TEST(ClosingRule, R14_BreakGlassThatIsNotThereOpensNothing) {
  World w(kPolicy, kFacts);
  Ask ask = Of("E7", "read", "d1");
  ask.break_glass = "emergency";
  EXPECT_EQ(w.Code(ask), "break_glass.not_allowed");
}

TEST(ClosingRule, R15_ContainmentAndAttributesComeFromFacts) {
  World w(kPolicy, kFacts);
  for (const char* doc : {"d1", "d2", "d3", "d4", "dx"}) {
    for (const char* action : {"read", "share", "sign"}) {
      std::string without = w.Code(Of("E7", action, doc));
      EXPECT_EQ(
          w.Code(
              Of("E7", action, doc)
                  .Saying(
                      R"({"folder": "public", "parent": "public", "class": "open", "approvers": ["E1"]})")),
          without);
      EXPECT_EQ(w.last->ignored.size, 4);
    }
  }
}

TEST(ClosingRule, R16_ANewResourceIsDecidedOnItsParent) {
  std::string policy(kPolicy);
  policy.replace(policy.find("may read, create on app.Doc"), 27,
                 "may read on app.Doc  may create on app.Doc in app.Folder \"public\"");
  World w(policy, kFacts);
  EXPECT_EQ(w.Code(Of("E7", "create", "new").With(R"({"parent": "public"})")), "permit");
  EXPECT_EQ(w.Code(Of("E7", "create", "new").With(R"({"parent": "hr"})")), "person.no_grant");
  EXPECT_EQ(w.Code(Of("E7", "create", "new").With(R"({"parent": "no-such"})")), "request.invalid");
  EXPECT_EQ(w.Code(Of("E7", "create", "new")), "person.no_grant");  // no parent at all
  EXPECT_EQ(w.Code(Of("E7", "create", "d4").With(R"({"parent": "public"})")),
            "request.invalid");  // it lies in hr
}

TEST(ClosingRule, R17_IdsAreRefusedNotRepaired) {
  World w(kPolicy, kFacts);
  auto key = [](std::string id) {
    return Ask().Person("E7").Does("use", "app.Key", std::move(id));
  };
  EXPECT_EQ(w.Code(key("hr-review")), "permit");
  for (const char* id : {"HR-Review", "hr-review/", "%68r-review", "", " hr-review", "hr\nreview",
                         "hr-revie\u0301w", "hr\u200b-review", "\u202ehr"}) {
    EXPECT_EQ(w.Code(key(id)), "request.invalid") << id;
  }
  for (const char* id : {"cafe\u0301", "a\x01", "a\u202e", ""})
    EXPECT_EQ(w.Code(Of("E7", "read", id)), "request.invalid") << id;
  EXPECT_EQ(w.Code(Of("E7", "sign", "\u00e9")),
            "forbidden");  // composed: a plain id, of a document nobody knows
}

TEST(ClosingRule, R18_WhatTheRequestSaysCountsOnlyFromWhoMaySayIt) {
  std::string policy(kPolicy);
  policy += R"dpl(
grant cleared { to everyone  may list on app.Folder where person.clearance >= Class.internal  trusting request  because "The gateway knows clearances" }
)dpl";
  World w(policy, kFacts);
  Ask ask =
      Ask().Person("E7").Does("list", "app.Folder", "hr").OfPerson(R"({"clearance": "secret"})");
  EXPECT_EQ(w.Code(ask), "permit");
  w.caller.asserts_all_attributes = false;
  EXPECT_EQ(w.Code(ask), "person.no_grant");
  EXPECT_EQ(w.last->ignored.size, 1);
  w.caller.asserts = {"person.clearance"};
  EXPECT_EQ(w.Code(ask), "permit");
  std::string facts(kFacts);
  facts.replace(facts.find(R"({"id": "E7"})"), 12,
                R"({"id": "E7", "attributes": {"clearance": "open"}})");
  w.Facts(facts);
  EXPECT_EQ(w.Code(ask), "person.no_grant");  // the stored fact stands
  policy.replace(policy.find("trusting request"), 16, "");
  EXPECT_NE(DiagnosticsOf(policy), "");
}

}  // namespace
}  // namespace dpl
