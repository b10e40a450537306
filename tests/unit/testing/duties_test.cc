// `with duties`, `expect … must` and `using break_glass` in tests: what is met, and what is said
// when not.
#include <gtest/gtest.h>

#include "tests/unit/testing/policy_for_test.h"

namespace dpl::testing {
namespace {

const std::string kPolicy = kBase + R"(
team audit { owner person "E2" }
grant reading { to role buyer  may read, update on shop.Order  because "Buyers read" }
obligation masked {
  covers read on shop.Order
  must mask region, locked  must notify team audit  must sign meaning "seen"  must step_up "urn:2"
  because "Everything at once"
}
forbid shut { covers update on shop.Order where resource.locked  because "Locked orders stay" }
break_glass door {
  who role buyer  may update on shop.Order  lifts forbid shut  needs reason
  lasts at most 1h  notify person "E2"  review within 24h by team audit
  because "Somebody must"
}
)";
const std::string kGiven = R"(  at 2026-11-20T15:00Z
  given { role buyer has person "E7"  shop.Order "o" { region = emea, locked = true } }
)";

// The messages of the one test made of these steps; "passed" when there are none.
std::string Says(const std::string& steps) {
  auto c = CompileText(kPolicy + "test \"t\" {\n" + kGiven + steps + "\n}\n");
  TestRun run = RunAll(*c);
  std::string out;
  for (const TestFailure& f : run.results.at(0).failures) out += f.message + "\n";
  return out.empty() ? "passed" : out;
}
std::string Expecting(const std::string& must) {
  return Says("  when person \"E7\" does read on shop.Order \"o\" expect permit " + must);
}

TEST(DutiesInTests, WhatIsSaidMustBeThere) {
  for (const char* there :
       {"must mask region", "must mask locked, region", "must notify", "must notify team audit",
        "must sign", "must sign meaning \"seen\"", "must step_up", "must step_up \"urn:2\"",
        "must sign must mask region must step_up"})
    EXPECT_EQ(Expecting(there), "passed") << there;
  const std::string all =
      " is not among its duties (mask region, locked, notify team acme.shop.audit, sign meaning "
      "\"seen\", step_up \"urn:2\")\n";
  for (const auto& [absent, said] : std::vector<std::pair<std::string, std::string>>{
           {"must log", "`log`"},
           {"must mask amount", "`mask amount`"},
           {"must mask region, amount", "`mask region, amount`"},
           {"must notify team finance", "`notify team finance`"},
           {"must notify person \"E2\"", "`notify person \"E2\"`"},
           {"must sign meaning \"approved\"", "`sign meaning \"approved\"`"},
           {"must step_up \"urn:3\"", "`step_up \"urn:3\"`"}}) {
    EXPECT_EQ(Expecting(absent), "expected permit must " + said + ", " + said + all);
  }
}

TEST(DutiesInTests, TheApplicationDoesEverythingUnlessTheTestSaysOtherwise) {
  const std::string when = "  when person \"E7\" does read on shop.Order \"o\" ";
  EXPECT_EQ(Says(when + "with no duties expect deny obligation.unsupported"), "passed");
  EXPECT_EQ(Says(when + "with duties mask, sign, step_up expect deny obligation.unsupported"),
            "passed");
  EXPECT_EQ(Says(when + "with duties mask, sign, step_up, notify, log expect permit"), "passed");
  EXPECT_EQ(Says(when + "with no duties expect deny\n" + when + "expect permit"), "passed");
}

TEST(DutiesInTests, ADoorIsOpenedWithWords) {
  const std::string when = "  when person \"E7\" does update on shop.Order \"o\" ";
  const std::string open = when + "using break_glass door(reason = \"fire\") ";
  EXPECT_EQ(Says(when + "expect deny forbidden\n" + open +
                 "expect permit by door must notify person \"E2\""),
            "passed");
  EXPECT_EQ(Says(when + "using break_glass door() expect deny break_glass.not_allowed"), "passed");
  EXPECT_EQ(Says(open + "expect permit\n  revoke break_glass door\n" + open +
                 "expect deny break_glass.not_allowed"),
            "passed");
  EXPECT_EQ(
      Says(open + "expect permit\n  advance 1h\n" + open + "expect deny break_glass.not_allowed"),
      "passed");
}

TEST(DutiesInTests, MisusesAreFound) {
  auto found = [](const std::string& step) {
    Compilation c;
    c.sources.Add("policy.dpl", kPolicy + "test \"t\" {\n" + kGiven + step + "\n}\n");
    EXPECT_FALSE(Compile({}, &c));
    return RenderText(c.sources, c.sink.Sorted(), {.excerpts = false});
  };
  const std::string when = "  when person \"E7\" does update on shop.Order \"o\" ";
  EXPECT_NE(found(when + "expect deny must log").find("DPL0301"), std::string::npos);
  EXPECT_NE(found(when + "expect permit must notify team nobody").find("DPL0201"),
            std::string::npos);
  EXPECT_NE(found(when + "using break_glass dor(reason = \"x\") expect permit").find("DPL0201"),
            std::string::npos);
  EXPECT_NE(found(when + "using break_glass door(raeson = \"x\") expect permit").find("DPL0302"),
            std::string::npos);
  EXPECT_NE(found(when + "using break_glass door(reason = 5) expect permit").find("DPL0301"),
            std::string::npos);
  EXPECT_NE(found("  revoke break_glass dor\n" + when + "expect deny").find("DPL0201"),
            std::string::npos);
}

}  // namespace
}  // namespace dpl::testing
