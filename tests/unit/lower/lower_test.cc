// What lowering promises beyond the listings: order, spans, defaults, keys.
#include "compiler/lower/lower.h"

#include <algorithm>
#include <span>

#include <gtest/gtest.h>

#include "runtime/bytecode/disasm.h"
#include "runtime/bytecode/encode.h"
#include "tests/unit/lower/compile.h"

namespace dpl {
namespace {

constexpr char kBase[] = R"(package acme.base owned by team staff
granted 2026-10-01
review every 90d
team staff { owner person "E1" }
team crew { owner person "E1" }
role clerk { owner team staff }
system app { owner team staff }
resource Doc in app {
  has author: Person
  has viewers: set<Person>
  can read, write
}
)";

std::string WithBase(const std::string& text) { return kBase + text; }

const Statement& Find(const Program& program, std::string_view name) {
  static const Statement kNone{};
  for (const Statement& statement : program.statements) {
    if (program.Text(statement.name).ends_with(name)) return statement;
  }
  ADD_FAILURE() << "no statement " << name;
  return kNone;
}

std::string WhereOf(const Program& program, const Statement& statement) {
  return MeaningOfCode(program, program.clauses[statement.clauses[0]].where_code);
}

TEST(Lower, SourcesStandInTheOrderOfTheirPathsAndSpansFollow) {
  PolicyFile base{"z/base.dpl", kBase};
  PolicyFile grants{
      "a/grants.dpl",
      "package acme.grants owned by team acme.base.staff\nimport acme.base\n"
      "grant reads {\n  to team crew\n  may read on app.Doc\n  because \"Tests need one\"\n"
      "  granted 2026-10-01  review every 90d  approved by person \"E1\"\n}\n"};
  Program one = Compile({base, grants});
  Program other = Compile({grants, base});
  ASSERT_EQ(one.sources.size(), 2u);
  EXPECT_EQ(one.sources[0].path, "a/grants.dpl");
  EXPECT_EQ(one.sources[1].path, "z/base.dpl");
  const Statement& reads = Find(one, "reads");
  EXPECT_EQ(reads.span.file, 0u);
  EXPECT_EQ(reads.span.line, 3u);
  EXPECT_EQ(one.schema.teams[0].span.file, 1u);
  std::string_view text = one.sources[0].text;
  EXPECT_EQ(text.substr(reads.head.begin, reads.head.end - reads.head.begin), "grant reads");
  EXPECT_EQ(one.schema.packages[1].file, 0u);
  // The order in which files are given changes nothing in the bundle.
  EXPECT_EQ(EncodeBundle(one), EncodeBundle(other));
}

TEST(Lower, StatementsStandByKindThenName) {
  Program program = Compile(WithBase(R"(
grant b { to team crew  may read on app.Doc  because "Tests need one" }
forbid aa { covers write on app.Doc where resource.author != person  because "Tests need one" }
grant a { to role clerk  may write on app.Doc  because "Tests need one" }
)"));
  std::vector<std::string_view> names;
  for (const Statement& statement : program.statements)
    names.push_back(program.Text(statement.name));
  EXPECT_EQ(names, (std::vector<std::string_view>{"acme.base.a", "acme.base.b", "acme.base.aa"}));
  EXPECT_EQ(program.statements[2].kind, StatementKind::kForbid);
  EXPECT_EQ(program.statements[1].detail, 1u);
}

TEST(Lower, AConstantIsItsValue) {
  Program program = Compile(WithBase(R"(
const boss = person "E9"
grant a { to team crew  may read on app.Doc where resource.author in { person "E8", boss }  because "Tests need one" }
)"));
  EXPECT_EQ(WhereOf(program, Find(program, "a")),
            "LoadResource\nResourceAttr app.Doc author\nPushConst {person \"E8\", person "
            "\"E9\"}\nIn\nReturn\n");
}

TEST(Lower, DelegationTakesModesAndLifeFromItsAgents) {
  Program program = Compile(WithBase(R"(
grant g { to team crew  may read, write on app.Doc  because "Tests need one" }
agent long  { purpose "Does the work of the test"  accountable person "E1"  runs as spiffe "spiffe://x/l"  may read on app.Doc  lives at most 8h }
agent short { purpose "Does the work of the test"  accountable person "E1"  runs as spiffe "spiffe://x/s"  modes impersonate  may write on app.Doc  lives at most 2h }
delegation d { from team crew  to agent long, agent short  consent every 30d  because "Tests need one" }
)"));
  const Statement& statement = Find(program, ".d");
  const Delegation& delegation = program.delegations[statement.detail];
  EXPECT_EQ(delegation.modes, kModeOnBehalfOf | kModeImpersonate);
  EXPECT_EQ(delegation.lasts_us, int64_t{2} * 3600 * 1'000'000);
  // Without a `may` of its own it lends what its agents may.
  ASSERT_EQ(statement.clauses.size(), 2u);
  const Clause& first = program.clauses[statement.clauses[0]];
  EXPECT_EQ(first.role, ClauseRole::kDelegationMay);
  EXPECT_EQ(first.keys, (std::vector<SubjectKey>{{KeyKind::kAgent, 0}, {KeyKind::kAgent, 1}}));
  EXPECT_EQ(delegation.from_keys, (std::vector<SubjectKey>{{KeyKind::kTeam, 0}}));
}

// ---- reach: what a consent covers
std::vector<uint64_t> ReachOf(const std::string& terms, const std::string& rest = "") {
  Program program = Compile(WithBase(R"(
grant g { to team crew  may read, write on app.Doc  because "Tests need one" }
agent one { purpose "Does the work of the test"  accountable person "E1"  runs as spiffe "spiffe://x/1"  may read, write on app.Doc  lives at most 8h }
agent two { purpose "Does the work of the test"  accountable person "E1"  runs as spiffe "spiffe://x/2"  may read, write on app.Doc  lives at most 8h }
task job(doc: app.Doc) { for agent one  may read on app.Doc  lasts at most 1h  nothing else }
)" + rest + "delegation d { from team crew  to agent one  " +
                                     terms + "  because \"Tests need one\" }\n"));
  return program.delegations[Find(program, ".d").detail].reach;
}

bool Covers(const std::vector<uint64_t>& consented, const std::vector<uint64_t>& now) {
  return std::includes(consented.begin(), consented.end(), now.begin(), now.end());
}

TEST(Reach, NarrowingKeepsAConsentAndWideningVoidsIt) {
  struct Pair {
    const char* wide;
    const char* narrow;
  };
  const Pair kPairs[] = {
      {"may read, write on app.Doc consent every 30d", "may read on app.Doc consent every 30d"},
      {"may read on app.Doc consent every 90d", "may read on app.Doc consent every 30d"},
      {"may read on app.Doc consent by policy", "may read on app.Doc consent every 30d"},
      {"may read on app.Doc consent every 30d", "may read on app.Doc consent each task"},
      {"may read on app.Doc consent every 30d lasts at most 8h",
       "may read on app.Doc consent every 30d lasts at most 4h"},
      {"may read on app.Doc consent every 30d onward to agent two, at most 2 hops",
       "may read on app.Doc consent every 30d onward to agent two, at most 1 hop"},
      {"may read on app.Doc consent every 30d onward to agent two, at most 1 hop",
       "may read on app.Doc consent every 30d"},
      {"may read on app.Doc consent every 30d limit requests to 500 per day",
       "may read on app.Doc consent every 30d limit requests to 20 per day"},
  };
  for (const Pair& pair : kPairs) {
    std::vector<uint64_t> wide = ReachOf(pair.wide), narrow = ReachOf(pair.narrow);
    EXPECT_TRUE(Covers(wide, narrow)) << pair.narrow;
    EXPECT_FALSE(Covers(narrow, wide)) << pair.wide;
    EXPECT_TRUE(Covers(wide, wide));
  }
}

TEST(Reach, WideningOffTheLadderVoidsToo) {
  EXPECT_FALSE(Covers(ReachOf("may read on app.Doc consent every 31d"),
                      ReachOf("may read on app.Doc consent every 32d")));
  EXPECT_FALSE(Covers(ReachOf("may read on app.Doc consent every 30d lasts at most 61m"),
                      ReachOf("may read on app.Doc consent every 30d lasts at most 62m")));
  EXPECT_FALSE(
      Covers(ReachOf("may read on app.Doc consent every 30d limit requests to 123 per day"),
             ReachOf("may read on app.Doc consent every 30d limit requests to 124 per day")));
  // A restriction that goes is a widening, though there is less of it.
  EXPECT_FALSE(Covers(ReachOf("may read on app.Doc consent every 30d limit requests to 20 per day"),
                      ReachOf("may read on app.Doc consent every 30d")));
  EXPECT_FALSE(Covers(ReachOf("may read on app.Doc consent every 30d only in task job"),
                      ReachOf("may read on app.Doc consent every 30d")));
  EXPECT_FALSE(
      Covers(ReachOf("may read on app.Doc where resource.author == person consent every 30d"),
             ReachOf("may read on app.Doc consent every 30d")));
}

TEST(Reach, StatementsElsewhereChangeNothing) {
  std::string terms = "may read on app.Doc where resource.author == person consent every 30d";
  EXPECT_EQ(
      ReachOf(terms),
      ReachOf(
          terms,
          "const c = person \"E0\"\nteam another { owner person \"E7\" }\nresource Abc in app { "
          "can read }\n"
          "grant aaa { to team another  may read on app.Abc where person == c  because \"Tests "
          "need one\" }\n"));
}

// The meaning of a constant is part of the condition, wherever it is written.
TEST(Reach, AChangedConstantIsAChangedCondition) {
  std::string terms = "may read on app.Doc where resource.author == c consent every 30d";
  EXPECT_NE(ReachOf(terms, "const c = person \"E5\"\n"),
            ReachOf(terms, "const c = person \"E6\"\n"));
}

}  // namespace
}  // namespace dpl
