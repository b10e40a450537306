// What a decision may cost at most, from the program alone.
//
//   CostReport report = CostsOf(program);
//   bool ok = CheckCosts(program, sources, &sink);   // DPL0901
//
// The machine stops a decision after kStepBudget steps and denies. A policy whose own statements
// could use that up is refused here, where its author can still mend it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "compiler/diag/sink.h"
#include "compiler/source/source_file.h"
#include "runtime/bytecode/program.h"

namespace dpl::testing {

inline constexpr uint64_t kStepBudget = 100'000;  // Env::steps_left of the machine

struct CostReport {
  struct Statement {
    std::string name;
    uint64_t steps = 0;  // all its clauses and limits
    Span span;
  };
  struct Entry {
    std::string type, action;
    uint64_t steps = 0;             // everything that could be tried: memberships unknown
    uint64_t always = 0;            // what is tried for whoever asks
    uint64_t key = 0;               // the costliest single team, role, person, agent or task
    std::vector<uint32_t> clauses;  // the costliest of what `always` and `key` try, costliest first
  };
  std::vector<Statement> statements;  // costliest first, then by name
  std::vector<Entry> entries;         // costliest first, then by name
};
CostReport CostsOf(const Program& program);

// Reports what exceeds the budget: a statement by itself, or what a single key makes a decision
// try.
bool CheckCosts(const Program& program, const SourceSet& sources, DiagnosticSink* sink);

// Two tables, costliest first.
std::string CostsText(const CostReport& report);
std::string CostsJson(const CostReport& report);

}  // namespace dpl::testing
