// The second level of the index leaves out nothing that matters: an answer is the same, byte for
// byte and with its whole explanation, as when every clause that the first level finds is tried.
// Only how long it may be relied on can grow, since a clause that was left out reads no clock.
#include <gtest/gtest.h>

#include "tests/laws/asked.h"

namespace dpl::laws {
namespace {

using gen::Ask;

struct Tally {
  uint64_t asks = 0, narrowed = 0, paths = 0, longer = 0;
  std::set<PinPath::Kind> kinds;
  std::map<std::string, uint64_t> reasons;
};

// The same program with a second level wherever a single clause allows one.
std::shared_ptr<const Program> Narrowest(const Program& program, Tally* tally) {
  Program copy = program;
  BuildIndex(&copy, 1);
  for (const IndexEntry& entry : copy.index) {
    tally->narrowed += entry.narrowings.size();
    for (const Narrowing& n : entry.narrowings) {
      tally->paths += n.paths.size();
      for (const Narrowing::Path& path : n.paths) tally->kinds.insert(path.path.kind);
    }
  }
  return std::make_shared<const Program>(std::move(copy));
}

void Compare(Case& c, const std::shared_ptr<const Program>& program, Tally* tally) {
  Engine narrow(c, program), whole(c, program);
  if (!narrow.ok() || !whole.ok()) return;
  whole.TryEveryClause();
  for (const Ask& ask : c.asks) {
    for (const bool explain : {true, false}) {
      Instant until{}, whole_until{};
      const std::string answer = narrow.Json(ask, c.Now(), &until, explain);
      const std::string expected = whole.Json(ask, c.Now(), &whole_until, explain);
      ++tally->asks;
      ASSERT_EQ(answer, expected) << gen::Describe(ask);
      ASSERT_GE(until, whole_until) << gen::Describe(ask);
      tally->longer += until > whole_until ? 1 : 0;
    }
    ++tally->reasons[std::string(ReasonCode(narrow.Put(ask, c.Now()).reason))];
  }
}

TEST(Narrowing, ChangesNoAnswerOverGeneratedPolicies) {
  Tally tally;
  ForCases(150, [&](Case& c) { Compare(c, Narrowest(*c.compiled->program, &tally), &tally); });
  EXPECT_GT(tally.asks, 3'000u);
  EXPECT_GT(tally.narrowed, 1'000u);
  EXPECT_GE(tally.kinds.size(), 12u);
  for (const char* reason : {"permit", "forbidden", "person.no_grant", "agent.not_allowed"})
    EXPECT_GT(tally.reasons[reason], 20u) << reason;
}

// The statements of several policies over one schema, so that many share a subject and a place.
TEST(Narrowing, ChangesNoAnswerWhereManyStatementsMeet) {
  Tally tally;
  std::map<std::string, int> refused;
  ForCases(40, [&](Case& c) {
    gen::PolicyText dense = c.policy;
    for (uint64_t i = 1; i <= 6; ++i) {
      gen::Rng rng(c.seed * 100 + i);
      for (std::string block : gen::MakePolicy(&rng, *c.v).blocks) {
        if (!IsKind(block, "grant") && !IsKind(block, "forbid") && !IsKind(block, "obligation"))
          continue;
        block.insert(block.find(' ') + 1, "more" + std::to_string(i) + "_");
        dense.blocks.push_back(std::move(block));
      }
    }
    std::unique_ptr<gen::Compiled> compiled = gen::CompilePolicy(&dense, &refused);
    if (compiled == nullptr) return;
    Program usual = *compiled->program;
    BuildIndex(&usual);  // as a server's
    for (const IndexEntry& entry : usual.index) tally.narrowed += entry.narrowings.size();
    Compare(c, std::make_shared<const Program>(std::move(usual)), &tally);
    if (::testing::Test::HasFailure()) return;
    Tally narrowest;
    Compare(c, Narrowest(*compiled->program, &narrowest), &tally);
  });
  EXPECT_GT(tally.narrowed, 40u);
  EXPECT_GT(tally.longer, 0u);
  EXPECT_GT(tally.reasons["permit"], 50u);
  EXPECT_GT(tally.reasons["forbidden"], 50u);
  EXPECT_GT(tally.reasons["person.no_grant"], 50u);
}

}  // namespace
}  // namespace dpl::laws
