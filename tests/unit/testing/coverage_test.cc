// Coverage counts what settled an outcome, and nothing else.
#include "compiler/testing/coverage.h"

#include "compiler/testing/coverage_report.h"
#include "tests/unit/testing/policy_for_test.h"

namespace dpl::testing {
namespace {

struct Covered {
  std::unique_ptr<Compilation> c;
  std::unique_ptr<Coverage> coverage;
  TestRun run;

  // "true=1 false=0" of the item with this label.
  std::string Points(const std::string& label) const {
    for (const CoverageItem& item : coverage->items()) {
      if (item.label != label) continue;
      std::string out;
      for (const CoveragePoint& p : item.points) {
        if (p.name.empty()) continue;
        out += (out.empty() ? "" : " ") + p.name + "=" + std::to_string(p.hits);
      }
      return out + (item.unknown != 0 ? " unknown=" + std::to_string(item.unknown) : "");
    }
    return "no such item";
  }
};

Covered Cover(const std::string& text) {
  Covered out;
  out.c = CompileText(text);
  out.coverage = std::make_unique<Coverage>(out.c.get());
  TestOptions options;
  options.observer = out.coverage.get();
  options.on_decision = [&](const Decided& d) { out.coverage->OnDecision(*d.decision); };
  SystemClock clock;
  out.run = RunTests(out.coverage->program(), out.c->tests, out.c->test_packages, out.c->sources,
                     options, &clock);
  EXPECT_EQ(out.run.failed, 0u);
  return out;
}

const std::string kGrant = R"(
grant orders {
  to role buyer
  may read, update on shop.Order where resource.region == person.region and not resource.locked
  may approve on shop.Order
  limit amount to 100 USD each
  because "Routine"
}
)";
const std::string kWorld = R"(
  at 2026-11-20T15:00Z
  given {
    role buyer has person "E2"
    person "E2" { region = emea }
    shop.Order "O1" { region = emea, locked = false }
    shop.Order "O2" { region = amer, locked = false }
    shop.Order "O3" { region = amer, locked = true }
    shop.Order "O4" { region = emea, locked = true }
  }
)";

TEST(CoverageTest, ConditionsBothWaysAndTheirPartsAlone) {
  Covered c = Cover(kBase + kGrant + "test \"t\" {" + kWorld + R"(
  when person "E2" does read on shop.Order "O1" expect permit
  when person "E2" does read on shop.Order "O2" expect deny person.no_grant
  when person "E2" does read on shop.Order "O3" expect deny person.no_grant
})");
  EXPECT_EQ(c.Points("where resource.region == person.region and not resource.locked"),
            "true=1 false=2");
  // O3 fails both: that shows nothing of either alone.
  EXPECT_EQ(c.Points("resource.region == person.region"), "true=1 false_alone=1");
  EXPECT_EQ(c.Points("not resource.locked"), "true=2 false_alone=0");
  EXPECT_EQ(c.Points("may read"), "used=1");
  EXPECT_EQ(c.Points("may update"), "used=0");
  EXPECT_EQ(c.Points("grant acme.shop.orders"), "permitted=1");
}

TEST(CoverageTest, UnknownIsNeitherWay) {
  Covered c = Cover(kBase + kGrant + "test \"t\" {" + kWorld + R"(
  when person "E2" does read on shop.Order "O9" expect deny person.no_grant
})");
  EXPECT_EQ(c.Points("where resource.region == person.region and not resource.locked"),
            "true=0 false=0 unknown=1");
}

TEST(CoverageTest, LimitsUnderAtAndOver) {
  std::string test = "test \"t\" {" + kWorld;
  auto ask = [](const std::string& amount, const std::string& outcome) {
    return "when person \"E2\" does approve(amount = " + amount + ") on shop.Order \"O1\" expect " +
           outcome + "\n";
  };
  std::string label = "limit amount to 100 USD each";
  EXPECT_EQ(Cover(kBase + kGrant + test + ask("99.99 USD", "permit") + "}").Points(label),
            "under=1 at=0 over=0");
  EXPECT_EQ(Cover(kBase + kGrant + test + ask("100 USD", "permit") + "}").Points(label),
            "under=0 at=1 over=0");
  EXPECT_EQ(
      Cover(kBase + kGrant + test + ask("100.01 USD", "deny limit.exceeded") + "}").Points(label),
      "under=0 at=0 over=1");
  EXPECT_EQ(Cover(kBase + kGrant + test + ask("5 EUR", "deny limit.unknown") + "}").Points(label),
            "under=0 at=0 over=0 unknown=1");
}

TEST(CoverageTest, WhatIsOnlyLookedAtForTheReportDoesNotCount) {
  // The forbid settles it; the grant's condition and limit are evaluated for the report alone.
  Covered c = Cover(kBase + kGrant + R"(
forbid freeze { covers any action on shop.Order unless person.region == amer  because "Freeze" }
test "t" {)" + kWorld +
                    R"(
  when person "E2" does read on shop.Order "O1" expect deny forbidden
  when person "E2" does approve(amount = 5 USD) on shop.Order "O1" expect deny forbidden
})");
  EXPECT_EQ(c.Points("forbid acme.shop.freeze"), "refused=2");
  EXPECT_EQ(c.Points("unless person.region == amer"), "true=0 false=2");
  EXPECT_EQ(c.Points("where resource.region == person.region and not resource.locked"),
            "true=0 false=0");
  EXPECT_EQ(c.Points("limit amount to 100 USD each"), "under=0 at=0 over=0");
  EXPECT_EQ(c.Points("grant acme.shop.orders"), "permitted=0");
}

TEST(CoverageTest, AgentsDelegationsTasksApprovalsAndSeparations) {
  Covered c = Cover(kBase + R"(
grant orders {
  to role buyer
  may read, update on shop.Order
  may approve on shop.Order
  limit amount to 100 USD each, beyond that ask big up to 500 USD
  because "Routine"
}
approval big { by 1 of team finance  within 4h  good for 1 request within 24h  because "Big" }
separate four_eyes {
  between update on shop.Order by resource.id and approve on shop.Order by resource.id
  same person within 90d
  because "Four eyes"
}
agent helper {
  purpose "Help"  accountable person "E1"
  runs as spiffe "spiffe://acme/helper"
  may read on shop.Order
  lives at most 8h
}
task look() { for agent helper  may read on shop.Order  lasts at most 2h  nothing else }
delegation help { from role buyer  to agent helper  consent by policy  because "Help" }
test "t" {)" + kWorld +
                    R"(
  when agent helper for person "E2" does read on shop.Order "O1" expect permit
  when agent helper for person "E2" does update on shop.Order "O1" expect deny agent.not_allowed
  when person "E2" does approve(amount = 200 USD) on shop.Order "O1" expect ask big
  approve last by person "E1"
  when person "E2" does approve(amount = 200 USD) on shop.Order "O1" with approval last expect permit
  when person "E2" does approve(amount = 501 USD) on shop.Order "O1" expect deny limit.exceeded
  when person "E2" does update on shop.Order "O1" expect deny separation
})");
  EXPECT_EQ(c.Points("agent acme.shop.helper"), "permitted=1 refused=1");
  EXPECT_EQ(c.Points("delegation acme.shop.help"), "permitted=1");
  EXPECT_EQ(c.Points("task acme.shop.look"), "permitted=0 refused=0");
  EXPECT_EQ(c.Points("approval acme.shop.big"), "asked=1 used=1");
  EXPECT_EQ(c.Points("separate acme.shop.four_eyes"), "refused=1");
  EXPECT_EQ(c.Points("beyond that ask big up to 500 USD"), "asked=2");
  EXPECT_EQ(c.Points("beyond the last tier"), "refused=1");
}

TEST(CoverageTest, ObligationsAndEmergencyDoors) {
  std::string policy = kBase + R"(
role clinician { owner team finance }
grant orders { to role buyer  may read on shop.Order  because "Routine" }
forbid locked { covers any action on shop.Order where resource.locked  because "Locked" }
obligation careful { covers read on shop.Order  must log  because "Careful" }
break_glass emergency {
  who role clinician
  may read on shop.Order
  lifts forbid locked
  needs reason
  lasts at most 1h
  notify team finance
  review within 24h by team finance
  because "Emergencies"
}
test "t" {)" + kWorld;
  Covered shut = Cover(policy + R"(
  when person "E2" does read on shop.Order "O3" expect deny forbidden
})");
  EXPECT_EQ(shut.Points("obligation acme.shop.careful"), "owed=0");
  EXPECT_EQ(shut.Points("break_glass acme.shop.emergency"), "permitted=0");
  Covered open = Cover(policy + R"(
  given { role clinician has person "E2" }
  when person "E2" does read on shop.Order "O1" expect permit
  when person "E2" does read on shop.Order "O3" using break_glass emergency(reason = "fire") expect permit
})");
  EXPECT_EQ(open.Points("obligation acme.shop.careful"), "owed=2");
  EXPECT_EQ(open.Points("break_glass acme.shop.emergency"), "permitted=1");
  EXPECT_EQ(open.Points("forbid acme.shop.locked"), "refused=0");
}

TEST(CoverageTest, ARequestLimitOfOneHasNothingBelowIt) {
  Covered c = Cover(kBase + R"(
grant once { to role buyer  may read on shop.Order  limit requests to 1 per day for each person  because "Once" }
test "t" {)" + kWorld +
                    R"(
  when person "E2" does read on shop.Order "O1" expect permit
  when person "E2" does read on shop.Order "O1" expect deny limit.exceeded
})");
  EXPECT_EQ(c.Points("limit requests to 1 per day for each person"), "at=1 over=1");
  EXPECT_EQ(c.coverage->Permille(), 1000u);
}

TEST(CoverageTest, WatchingChangesNoAnswer) {
  std::string text = kBase + kGrant + "test \"t\" {" + kWorld + R"(
  when person "E2" does read on shop.Order "O1" expect permit
  when person "E2" does read on shop.Order "O3" expect deny person.no_grant
})";
  std::unique_ptr<Compilation> plain = CompileText(text);
  EXPECT_EQ(RunAll(*plain).failed, Cover(text).run.failed);
}

TEST(CoverageReportTest, HtmlEscapesTheSourceAndAsksForNothingOutside) {
  Covered c = Cover(kBase + kGrant + "test \"<script>alert(1)</script> & 'x'\" {" + kWorld + R"(
  when person "E2" does read on shop.Order "O1" expect permit
})");
  std::string html = CoverageHtml(*c.coverage, c.c->sources);
  EXPECT_EQ(html.find("<script"), std::string::npos);
  EXPECT_NE(html.find("&lt;script&gt;alert(1)&lt;/script&gt; &amp; &#39;x&#39;"),
            std::string::npos);
  for (const char* outside : {"http://", "https://", "src=", "@import", "url("})
    EXPECT_EQ(html.find(outside), std::string::npos) << outside;
  EXPECT_NE(html.find("may update: never used in a permit"), std::string::npos);
}

TEST(CoverageReportTest, LcovAddsUp) {
  Covered c = Cover(kBase + kGrant + "test \"t\" {" + kWorld + R"(
  when person "E2" does read on shop.Order "O1" expect permit
})");
  std::string lcov = CoverageLcov(*c.coverage, c.c->sources);
  auto count = [&](const std::string& prefix, bool hit) {
    size_t n = 0;
    for (size_t at = lcov.find("\n" + prefix); at != std::string::npos;
         at = lcov.find("\n" + prefix, at + 1)) {
      size_t end = lcov.find('\n', at + 1);
      std::string last = lcov.substr(lcov.rfind(',', end) + 1, end - lcov.rfind(',', end) - 1);
      n += !hit || (last != "0" && last != "-") ? 1 : 0;
    }
    return n;
  };
  auto says = [&](const std::string& line) {
    EXPECT_NE(lcov.find("\n" + line + "\n"), std::string::npos) << line << "\n" << lcov;
  };
  says("BRF:" + std::to_string(count("BRDA:", false)));
  says("BRH:" + std::to_string(count("BRDA:", true)));
  says("LF:" + std::to_string(count("DA:", false)));
  says("LH:" + std::to_string(count("DA:", true)));
  EXPECT_TRUE(lcov.starts_with("TN:dplc\nSF:policy.dpl\n"));
  EXPECT_TRUE(lcov.ends_with("end_of_record\n"));
}

}  // namespace
}  // namespace dpl::testing
