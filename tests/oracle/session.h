// A generated case: one policy, one world of facts, a list of events on one state, run through
// engine and oracle side by side.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/oracle/decide.h"
#include "tests/support/compile.h"
#include "tests/support/events.h"

namespace dpl::oracle {

using namespace gen;  // NOLINT: the oracle judges what the generator makes

struct Tally {
  uint64_t asks = 0, permits = 0, askings = 0;
  std::map<std::string, uint64_t> reasons;
  uint64_t limit_lines = 0, bindings = 0, with_several_grants = 0, replays = 0,
           consumed_approvals = 0;
};

// Empty: engine and oracle agreed on everything. Else what differed, with both answers; `at` is the
// event.
std::string RunWorld(const Compiled& compiled, const World0& world, const Faults& faults,
                     Tally* tally, size_t* at);

// Smaller policy and fewer events that still differ.
void Shrink(PolicyText* policy, World0* world, const Faults& faults);

// One policy with a few worlds, made from `seed`; stops at the first difference. `refused` counts
// what the checker refused.
struct Found {
  bool differs = false;
  std::string report;  // the difference; with `shrink`, everything a person needs to look into it
};
Found RunPolicy(uint64_t seed, const Faults& faults, Tally* tally,
                std::map<std::string, int>* refused, bool shrink);

// Everything a person needs to look into it.
std::string Report(uint64_t seed, const PolicyText& policy, const World0& world,
                   const std::string& difference);

}  // namespace dpl::oracle
