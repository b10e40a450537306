// What only the facts can tell: DPL0410, 0411, 0704, and people for whom limits disagree.
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "compiler/check/check.h"
#include "compiler/diag/sink.h"
#include "compiler/syntax/parse.h"

namespace dpl::check {
namespace {

constexpr const char* kPolicy = R"(package shop owned by team finance
team finance { owner person "E1" }
team sales { owner team finance }
team emea { within team sales }
role buyer
role payer
role boss { includes role buyer }
system app { owner team finance }
activity spend { measure amount: money must be limited  limits must agree }
resource Lead in app { owner team sales  can read }
resource Order in app { can pay is spend can sign }
grant leads { to role buyer may read on app.Lead because "Buyers read leads" approved by person "E7" expires 2036-12-31 }
grant buying { to role buyer may pay on app.Order limit amount to 5 USD each because "Buyers pay little" expires 2036-12-31 }
grant paying { to role payer may pay on app.Order limit amount to 9 USD each because "Payers pay more" expires 2036-12-31 }
approval two { by 2 of role boss because "Two bosses look at it" }
agent bot { accountable person "E9" purpose "Reads the leads" runs as spiffe "spiffe://x/bot" may read on app.Lead lives at most 1h }
delegation d { from role buyer to agent bot consent by policy because "Reads for buyers" }
role clerk in app.Order { includes role writer }
role writer in app.Order
role checker in app.Order
grant writing { to role writer may sign on app.Order because "Writers sign orders" expires 2036-12-31 }
separate duties { roles writer, checker because "Nobody checks their own" }
separate desk { roles boss, auditor because "No boss audits" }
role auditor
)";

FactsInput::Members Group(bool role, std::string name, std::vector<std::string> people,
                          std::vector<std::string> teams = {}) {
  FactsInput::Members group;
  group.is_role = role;
  group.name = std::move(name);
  for (std::string& id : people) {
    FactsInput::Member member;
    member.id = std::move(id);
    group.members.push_back(std::move(member));
  }
  for (std::string& id : teams) {
    FactsInput::Member member;
    member.is_team = true;
    member.id = std::move(id);
    group.members.push_back(std::move(member));
  }
  return group;
}

std::vector<std::string> Said(const FactsInput* facts) {
  SourceSet sources;
  DiagnosticSink sink;
  std::vector<std::unique_ptr<ast::File>> files;
  files.push_back(Parse(sources.Add("p.dpl", kPolicy), &sink).file);
  Model model;
  CheckOptions options;
  options.facts = facts;
  Check(files, sources, options, &sink, &model);
  std::vector<std::string> said;
  for (const Diagnostic& d : sink.Sorted()) {
    said.push_back(std::string(d.severity == Severity::Error ? "error " : "warning ") +
                   CodeText(d.code) + " " + d.message);
  }
  return said;
}

const char* const kLimits =
    "DPL0501 amount is limited to `9 USD` here and to `5 USD` at p.dpl:13:51 for people of both "
    "role `buyer` and role `payer`";

TEST(Facts, WithoutThemOnlyThePolicyIsJudged) {
  EXPECT_EQ(Said(nullptr),
            (std::vector<std::string>{"warning " + std::string(kLimits) + " (activity `spend`)"}));
}

TEST(Facts, EverythingInPlace) {
  FactsInput facts;
  facts.members = {Group(false, "emea", {"E7"}), Group(true, "shop.boss", {"E2", "E3"}),
                   Group(true, "payer", {"E4"})};
  EXPECT_EQ(Said(&facts),
            (std::vector<std::string>{"warning " + std::string(kLimits) + " (activity `spend`)"}));
}

TEST(Facts, ApproversOwnersAndPeopleInBothRoles) {
  FactsInput facts;
  FactsInput::Person gone;
  gone.id = "E9";
  gone.status = "left";
  facts.persons = {gone};
  facts.members = {Group(true, "boss", {"E2"}), Group(true, "payer", {}, {"shop.finance"}),
                   Group(false, "finance", {"E2"})};
  EXPECT_EQ(
      Said(&facts),
      (std::vector<std::string>{
          "error DPL0411 team `sales` answers for what it owns but has no members and no owner",
          "error DPL0410 person \"E7\" approved this but is not in team shop.sales, which owns "
          "`app.Lead`",
          "error " + std::string(kLimits) + ", such as person \"E2\", (activity `spend`)",
          "error DPL0704 nobody can give approval `two`",
          "error DPL0411 person \"E9\" answers for agent `bot` but has left",
      }));
}

TEST(Facts, NobodyHoldsBothOfTwoSeparatedRoles) {
  auto held = [](std::string role, std::string at, std::vector<std::string> people) {
    FactsInput::Members group = Group(true, std::move(role), std::move(people));
    if (!at.empty()) group.scope_type = "app.Order", group.scope_id = std::move(at);
    return group;
  };
  auto both = [&](std::vector<FactsInput::Members> members) {
    FactsInput facts;
    facts.members = std::move(members);
    std::vector<std::string> found;
    for (const std::string& one : Said(&facts)) {
      if (one.starts_with("error DPL0711")) found.push_back(one.substr(14));
    }
    return found;
  };
  using Told = std::vector<std::string>;
  EXPECT_EQ(both({held("clerk", "O1", {"E2"}), held("checker", "O2", {"E2"})}), Told{})
      << "not of the same order";
  EXPECT_EQ(both({held("clerk", "O1", {"E2"}), held("checker", "O1", {"E3"})}), Told{});
  EXPECT_EQ(both({held("clerk", "O1", {"E2", "E3"}), held("checker", "O1", {"E2"}),
                  held("checker", "O2", {"E3"})}),
            Told{"person \"E2\" holds both role `writer` and role `checker`"});
  EXPECT_EQ(both({held("boss", "", {"E4"}), held("auditor", "", {"E4", "E5"})}),
            Told{"person \"E4\" holds both role `boss` and role `auditor`"});
}

TEST(Facts, AFeedThatIsNotLoadedAccusesNobody) {
  FactsInput facts;
  facts.has_memberships = false;
  std::vector<std::string> said = Said(&facts);
  for (const std::string& one : said) EXPECT_FALSE(one.starts_with("error DPL0410")) << one;
}

}  // namespace
}  // namespace dpl::check
