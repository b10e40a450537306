// Mutation: every mutant is undone, survivors are those no test notices, and what cannot be noticed
// is said to be so.
#include "compiler/testing/mutate.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include "compiler/lower/lower.h"
#include "runtime/bytecode/encode.h"
#include "tests/unit/testing/policy_for_test.h"

namespace dpl::testing {
namespace {

struct Mutated {
  std::unique_ptr<Compilation> c;
  std::vector<Mutation> all;
  MutationRun run;

  // Fate of the only mutant of this kind; "none" or "many" otherwise.
  std::string Fate(const std::string& kind, const std::string& what = "") const {
    std::string out = "none";
    for (const Mutant& m : run.mutants) {
      if (m.mutation->kind != kind || m.mutation->what.find(what) == std::string::npos) continue;
      out = out == "none" ? std::string(FateName(m.fate)) : "many";
    }
    return out;
  }
};

Mutated MutateText(const std::string& text, size_t most = 1000) {
  Mutated out;
  out.c = CompileText(text);
  EXPECT_EQ(RunAll(*out.c).failed, 0u);
  out.all = FindMutations(out.c.get());
  SystemClock clock;
  out.run = RunMutations(out.c.get(), out.all, {.most = most}, &clock);
  return out;
}

const std::string kWorld = R"(
  at 2026-11-20T15:00Z
  given {
    role buyer has person "E2"
    person "E2" { region = emea }
    shop.Order "O1" { region = emea, locked = false }
    shop.Order "O2" { region = amer, locked = false }
    shop.Order "O3" { region = emea, locked = true }
  }
)";
const std::string kPolicy = kBase + R"(
grant orders {
  to role buyer
  may read on shop.Order where resource.region == person.region and not resource.locked
  may approve on shop.Order
  limit amount to 100 USD each
  because "Routine"
}
)";

TEST(MutateTest, ATestThatLooksOnlyOnceLetsMutantsLive) {
  Mutated m = MutateText(kPolicy + "test \"t\" {" + kWorld + R"(
  when person "E2" does read on shop.Order "O1" expect permit
})");
  EXPECT_EQ(m.Fate("drop-grant"), "noticed");
  EXPECT_EQ(m.Fate("drop-where"), "survived");
  EXPECT_EQ(m.Fate("drop-conjunct", "region"), "survived");
  EXPECT_EQ(m.Fate("drop-conjunct", "locked"), "survived");
  EXPECT_EQ(m.Fate("raise-limit"), "survived");
  EXPECT_EQ(m.Fate("drop-limit"), "refused");  // DPL0502: it must be limited
  EXPECT_EQ(m.Fate("widen-to"), "survived");
  EXPECT_EQ(m.Fate("add-action", "`update`"), "survived");
}

TEST(MutateTest, TestsAtTheEdgesNotice) {
  Mutated m = MutateText(kPolicy + "test \"t\" {" + kWorld + R"(
  when person "E2" does read on shop.Order "O1" expect permit
  when person "E2" does read on shop.Order "O2" expect deny person.no_grant
  when person "E2" does read on shop.Order "O3" expect deny person.no_grant
  when person "E2" does update on shop.Order "O1" expect deny person.no_grant
  when person "E3" does read on shop.Order "O1" expect deny
  when person "E2" does approve(amount = 100 USD) on shop.Order "O1" expect permit
  when person "E2" does approve(amount = 100.01 USD) on shop.Order "O1" expect deny limit.exceeded
}
test "everyone" {)" + kWorld +
                         R"(
  given { person "E3" { region = emea } }
  when person "E3" does read on shop.Order "O1" expect deny person.no_grant
  when person "E3" does approve(amount = 1 USD) on shop.Order "O1" expect deny person.no_grant
})");
  EXPECT_EQ(m.run.Count(Fate::kSurvived), 0u) << MutationText(m.run, m.c->sources, false, true);
  EXPECT_EQ(m.Fate("drop-conjunct", "locked"), "noticed");
  EXPECT_EQ(m.Fate("raise-limit", "raised to 100.01 USD"), "noticed");
}

TEST(MutateTest, EveryMutantIsUndone) {
  Mutated m = MutateText(kPolicy + R"(
forbid freeze { covers any action on shop.Order unless person.region == emea and true == true  because "Freeze" }
agent helper {
  purpose "Help"  accountable person "E1"  runs as spiffe "spiffe://acme/helper"
  may read on shop.Order where resource.region == emea
  limit requests to 10 per day for each person
  lives at most 8h
}
delegation help {
  from role buyer, team finance  to agent helper  consent every 30d  lasts at most 4h
  may read on shop.Order where not resource.locked
  because "Help"
}
test "t" {)" + kWorld + R"(
  when person "E2" does read on shop.Order "O1" expect permit
})");
  EXPECT_GT(m.all.size(), 15u);
  DiagnosticSink sink;
  check::Model model;
  ASSERT_TRUE(check::Check(m.c->files, m.c->sources, {}, &sink, &model));
  EXPECT_EQ(lower::Lower(std::move(model), m.c->sources).digest, m.c->program->digest);
}

// What mutation rests on: trees that were checked before give the same program when checked again.
TEST(MutateTest, CheckedTreesCanBeCheckedAgain) {
  size_t seen = 0;
  for (const auto& entry : std::filesystem::directory_iterator("policies")) {
    if (!entry.is_directory()) continue;
    Compilation c;
    if (!LoadSources({entry.path().string()}, &c.sources).ok()) continue;
    if (!Compile({}, &c)) continue;
    ++seen;
    for (int again = 0; again < 2; ++again) {
      DiagnosticSink sink;
      check::Model model;
      ASSERT_TRUE(check::Check(c.files, c.sources, {}, &sink, &model)) << entry.path();
      EXPECT_EQ(lower::Lower(std::move(model), c.sources).digest, c.program->digest)
          << entry.path();
    }
  }
  EXPECT_GT(seen, 10u);
}

TEST(MutateTest, WhatCannotBeNoticedIsSaidToBeSo) {
  Mutated m = MutateText(kBase + R"(
grant orders {
  to role buyer
  may approve on shop.Order
  limit amount to 100 USD each, beyond that ask big up to 500 USD
  because "Routine"
}
approval big {
  by 1 of team finance
  never by the person, the accountable
  within 4h
  good for 1 request within 24h
  because "Big"
}
test "t" {)" + kWorld + R"(
  when person "E2" does approve(amount = 5 USD) on shop.Order "O1" expect permit
})");
  EXPECT_EQ(m.Fate("drop-never-by", "the person"), "equivalent");
  EXPECT_EQ(m.Fate("drop-never-by", "the accountable"), "equivalent");
  EXPECT_EQ(m.Fate("drop-good-within"), "survived");
}

// A forbid that a break_glass names cannot simply go: what it does is dropped, its name stays.
TEST(MutateTest, WhatOthersNameIsDroppedAllTheSame) {
  std::string policy = kPolicy + R"(
role clinician { owner team finance }
forbid locked { covers any action on shop.Order where resource.locked  because "Locked" }
break_glass emergency {
  who role clinician
  may read on shop.Order
  lifts forbid locked
  needs reason, ticket
  lasts at most 1h
  notify team finance
  review within 24h by team finance
  because "Emergencies"
}
test "t" {)" + kWorld + R"(
  given { role clinician has person "E2" }
  when person "E2" does read on shop.Order "O1" expect permit by orders
  when person "E2" does read on shop.Order "O3" using break_glass emergency(reason = "fire", ticket = "T1") expect permit
)";
  EXPECT_EQ(MutateText(policy + "}").Fate("drop-forbid"), "survived");
  Mutated m = MutateText(policy + R"(
  when person "E2" does read on shop.Order "O3" expect deny forbidden
  when person "E2" does read on shop.Order "O3" using break_glass emergency(reason = "fire") expect deny break_glass.not_allowed
  when person "E2" does read on shop.Order "O3" using break_glass emergency(ticket = "T1") expect deny break_glass.not_allowed
})");
  EXPECT_EQ(m.Fate("drop-forbid"), "noticed");
  EXPECT_EQ(m.Fate("drop-grant"), "noticed");
  EXPECT_EQ(m.Fate("drop-break_glass"), "noticed");
  EXPECT_EQ(m.Fate("drop-needs", "reason"), "noticed");
  EXPECT_EQ(m.Fate("drop-needs", "ticket"), "noticed");
  EXPECT_EQ(m.Fate("drop-lifts"), "noticed");
  EXPECT_EQ(m.Fate("drop-lasts"), "survived");
}

TEST(MutateTest, DutiesAreDroppedOneByOne) {
  std::string policy = kPolicy + R"(
obligation careful { covers read on shop.Order  must step_up "urn:loa:3"  must log  because "Careful" }
test "t" {)" + kWorld;
  EXPECT_EQ(MutateText(policy + R"(
  when person "E2" does read on shop.Order "O1" expect permit
})")
                .Fate("drop-obligation"),
            "survived");
  Mutated m = MutateText(policy + R"(
  when person "E2" does read on shop.Order "O1" expect permit must step_up "urn:loa:3"
})");
  EXPECT_EQ(m.Fate("drop-obligation"), "noticed");
  EXPECT_EQ(m.Fate("drop-duty", "step_up"), "noticed");
  EXPECT_EQ(m.Fate("drop-duty", "log"), "survived");
}

TEST(MutateTest, BoundedAndSpread) {
  std::string text = kBase;
  for (int i = 0; i < 20; ++i) {
    text += "grant g" + std::to_string(i) +
            " { to role buyer  may read, update on shop.Order where resource.region == emea  "
            "because \"Routine\" }\n";
  }
  text +=
      "test \"t\" {" + kWorld + "when person \"E2\" does read on shop.Order \"O1\" expect permit }";
  Mutated all = MutateText(text), some = MutateText(text, 20), again = MutateText(text, 20);
  ASSERT_EQ(some.run.mutants.size(), 20u);
  EXPECT_EQ(some.run.found, all.run.mutants.size());
  std::set<std::string> kinds, statements;
  for (size_t i = 0; i < some.run.mutants.size(); ++i) {
    kinds.insert(some.run.mutants[i].mutation->kind);
    statements.insert(some.run.mutants[i].mutation->statement);
    EXPECT_EQ(some.run.mutants[i].mutation->what, again.run.mutants[i].mutation->what);
  }
  // Alike statements: every n-th mutant would be the same clause of each.
  EXPECT_GT(kinds.size(), 2u);
  EXPECT_GT(statements.size(), 8u);
}

}  // namespace
}  // namespace dpl::testing
