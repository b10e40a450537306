// Separation by role: where a grant gives something to one of two roles, nobody acts who holds
// both.
#include <gtest/gtest.h>

#include "tests/unit/decide/world.h"

namespace dpl {
namespace {

constexpr std::string_view kPolicy = R"dpl(
package t owned by team staff
granted 2026-10-01
review every 180d
person { key id: string  has grade: int = 1 }
team staff { owner person "E1" }
role buyer
role chief { includes role buyer }
role payer
role editor in app.Shelf { includes role viewer }
role viewer in app.Shelf
role checker in app.Shelf
role senior { where person.grade > 5 }
role auditor
system app { owner team staff }
resource Shelf in app
resource Doc in app { within shelf: app.Shelf  can order, pay, edit, view, check, list, audit }
grant ordering { to role buyer  may order on app.Doc  because "Buyers order" }
grant paying { to role payer  may pay on app.Doc  because "Payers pay" }
grant editing { to role editor  may edit on app.Doc  because "Editors edit" }
grant viewing { to role viewer  may view on app.Doc  because "Viewers view" }
grant checking { to role checker  may check on app.Doc  because "Checkers check" }
grant listing { to team staff  may list on app.Doc  because "Everybody lists" }
grant auditing { to role auditor  may audit on app.Doc  because "Auditors audit" }
separate order_then_pay { roles buyer, payer  because "Nobody pays what they ordered" }
separate four_eyes { roles editor, checker  because "Nobody checks their own" }
separate grades { roles senior, auditor  because "Seniors are audited" }
agent helper { accountable person "E1"  purpose "Helps people"  runs as spiffe "spiffe://acme.example/h"  may pay on app.Doc  lives at most 1h }
delegation help { from role payer  to agent helper  consent by policy  because "Paying by software" }
delegation cover { from role payer  to team staff  may pay on app.Doc  consent by policy  because "Cover during leave" }
)dpl";
constexpr std::string_view kFacts = R"({
  "persons": [{"id": "E1"}, {"id": "B"}, {"id": "P"}, {"id": "BP"}, {"id": "CP"}, {"id": "X"}, {"id": "S"},
              {"id": "EC", "attributes": {"grade": 9}}, {"id": "A", "attributes": {"grade": 9}}, {"id": "A1"}],
  "teams": {"staff": ["E1", "BP", "X", "S"]},
  "roles": [{"role": "buyer", "members": ["B", "BP"]}, {"role": "payer", "members": ["P", "BP", "CP"]},
            {"role": "chief", "members": ["CP", "X"]},
            {"role": "editor", "in": "s1", "members": ["EC", "X"]}, {"role": "checker", "in": "s1", "members": ["EC"]},
            {"role": "checker", "in": "s2", "members": ["X"]}, {"role": "viewer", "in": "s2", "members": ["X"]},
            {"role": "auditor", "members": ["A", "A1"]}],
  "resources": [{"type": "app.Shelf", "id": "s1"}, {"type": "app.Shelf", "id": "s2"},
                {"type": "app.Doc", "id": "d1", "parent": "s1"}, {"type": "app.Doc", "id": "d2", "parent": "s2"}]
})";

Ask Does(std::string who, std::string what, std::string which = "d1") {
  return Ask().Person(std::move(who)).Does(std::move(what), "app.Doc", std::move(which));
}

TEST(SeparateRoles, WhoHoldsOneActsWhoHoldsBothDoesNot) {
  World w(kPolicy, kFacts);
  EXPECT_EQ(w.Code(Does("B", "order")), "permit");
  EXPECT_EQ(w.Code(Does("P", "pay")), "permit");
  EXPECT_EQ(w.Code(Does("BP", "order")), "separation");
  EXPECT_EQ(w.By(), "t.order_then_pay, t.ordering");
  EXPECT_EQ(w.Code(Does("BP", "pay")), "separation");
  EXPECT_EQ(w.Code(Does("BP", "list")), "permit") << "what neither role is granted stays open";
}

TEST(SeparateRoles, ARoleThatIncludesOneCounts) {
  World w(kPolicy, kFacts);
  EXPECT_EQ(w.Code(Does("CP", "order")), "separation");
  EXPECT_EQ(w.Code(Does("CP", "pay")), "separation");
  EXPECT_EQ(w.Code(Does("X", "order")), "permit");
}

TEST(SeparateRoles, OfAnObjectCollideThere) {
  World w(kPolicy, kFacts);
  EXPECT_EQ(w.Code(Does("EC", "edit")), "separation");
  EXPECT_EQ(w.Code(Does("EC", "check")), "separation");
  EXPECT_EQ(w.Code(Does("EC", "view")), "separation") << "an editor is a viewer";
  EXPECT_EQ(w.Code(Does("X", "edit")), "permit") << "checker of another shelf";
  EXPECT_EQ(w.Code(Does("X", "check", "d2")), "permit");
  EXPECT_EQ(w.Code(Does("X", "view", "d2")), "permit") << "a viewer is no editor";
}

TEST(SeparateRoles, AComputedRoleCounts) {
  World w(kPolicy, kFacts);
  EXPECT_EQ(w.Code(Does("A1", "audit")), "permit");
  EXPECT_EQ(w.Code(Does("A", "audit")), "separation");
}

TEST(SeparateRoles, ThroughAgentsAndForOthers) {
  World w(kPolicy, kFacts);
  EXPECT_EQ(w.Code(Does("P", "pay").Agent("helper")), "permit");
  EXPECT_EQ(w.Code(Does("BP", "pay").Agent("helper")), "separation");
  EXPECT_EQ(w.Code(Does("P", "pay").Deputy("S")), "permit");
  EXPECT_EQ(w.Code(Does("P", "pay").Deputy("BP")), "separation");
  EXPECT_EQ(w.By(), "t.order_then_pay, t.paying, t.cover");
}

TEST(SeparateRoles, NobodyActsWhileMembershipsCannotBeTold) {
  World w(std::string(kPolicy) + R"dpl(
grant named { to person "B"  may order on app.Doc  because "B in person" }
)dpl",
          kFacts);
  EXPECT_EQ(w.Code(Does("B", "order")), "permit");
  std::string facts(kFacts);
  size_t teams = facts.find("\"teams\""), resources = facts.find("\"resources\"");
  w.Facts(facts.substr(0, teams) + facts.substr(resources));
  EXPECT_EQ(w.Code(Does("B", "order")), "separation");
}

}  // namespace
}  // namespace dpl
