// Trees over sorted lists against plain sets, walked in order and by leaps to and fro.
#include "runtime/search/candidates.h"

#include <algorithm>
#include <deque>
#include <set>

#include <gtest/gtest.h>

#include "tests/support/rng.h"

namespace dpl {
namespace {

constexpr uint32_t kSize = 200;

// A random tree, and the set it stands for.
const Candidates* Grow(gen::Rng* rng, CandidateSpace* space, int depth,
                       std::deque<std::vector<uint32_t>>* lists, std::set<uint32_t>* out) {
  out->clear();
  int kind = rng->Below(depth == 0 ? 5 : 9);
  auto range = [&](uint32_t from, uint32_t end) {
    for (uint32_t i = from; i < std::min(end, kSize); ++i) out->insert(i);
  };
  if (kind == 0 && rng->Chance(20)) return range(0, kSize), space->All();
  if (kind == 0) return space->Empty();
  if (kind == 1) {
    uint32_t one = static_cast<uint32_t>(rng->Below(kSize));
    return out->insert(one), space->One(one);
  }
  if (kind == 2) {
    uint32_t from = static_cast<uint32_t>(rng->Below(kSize));
    uint32_t end = from + static_cast<uint32_t>(rng->Below(60));
    return range(from, end), space->Range(from, end);
  }
  if (kind <= 4) {
    for (int i = rng->Below(120); i > 0; --i) out->insert(static_cast<uint32_t>(rng->Below(kSize)));
    lists->emplace_back(out->begin(), out->end());
    return kind == 3 ? space->List(lists->back()) : space->Kept(lists->back());
  }
  bool all = kind >= 7;
  std::vector<const Candidates*> parts;
  if (all) range(0, kSize);
  for (int i = rng->Below(all ? 4 : 14); i > 0; --i) {
    std::set<uint32_t> part;
    parts.push_back(Grow(rng, space, depth - 1, lists, &part));
    std::set<uint32_t> joined;
    if (all) {
      std::set_intersection(out->begin(), out->end(), part.begin(), part.end(),
                            std::inserter(joined, joined.end()));
    } else {
      std::set_union(out->begin(), out->end(), part.begin(), part.end(),
                     std::inserter(joined, joined.end()));
    }
    *out = std::move(joined);
  }
  return all ? space->And(parts) : space->Or(parts);
}

TEST(Candidates, TreesAreTheSetsTheyStandFor) {
  uint64_t members = 0;
  for (uint64_t seed = 1; seed <= 1500; ++seed) {
    gen::Rng rng(seed);
    CandidateSpace space(kSize);
    std::deque<std::vector<uint32_t>> lists;
    std::set<uint32_t> want;
    const Candidates* tree = Grow(&rng, &space, 3, &lists, &want);
    std::set<uint32_t> have;
    uint32_t last = 0;
    for (uint32_t at = tree->Seek(0); at != kNoRank; at = tree->Seek(at + 1)) {
      ASSERT_TRUE(have.empty() || at > last) << seed;
      have.insert(last = at);
    }
    ASSERT_EQ(have, want) << seed;
    ASSERT_GE(tree->Size(), want.size()) << seed;
    for (int i = 0; i < 40; ++i) {
      uint32_t from = static_cast<uint32_t>(rng.Below(kSize + 5));
      auto next = want.lower_bound(from);
      ASSERT_EQ(tree->Seek(from), next == want.end() ? kNoRank : *next) << seed << " from " << from;
      ASSERT_EQ(tree->Has(from), want.count(from) == 1) << seed << " at " << from;
    }
    members += want.size();
  }
  EXPECT_GT(members, 20'000u);
}

}  // namespace
}  // namespace dpl
