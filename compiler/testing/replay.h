// Replay: recorded requests against today's policy, and what it decides otherwise.
//
// One JSON object a line: an AuthZEN evaluation request, or {"request": …}; beside it, all
// optional, `now`, `id`, and what was answered then: `decision` (true, false, "permit", "deny",
// "ask") and `reason`, or the whole answer as `response`. docs/dplc.md, "Replay". Lines run in
// order on one state, so budgets and separations build up as they did.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/clock.h"
#include "runtime/base/result.h"
#include "runtime/base/span.h"
#include "runtime/bytecode/program.h"
#include "runtime/facts/snapshot.h"

namespace dpl::testing {

struct ReplayedLine {
  uint32_t line = 0;                  // in the file, from 1
  std::string id;                     // as recorded; empty: none
  std::string asked;                  // "person E2 asked to approve coupa.Order "O1""
  std::string before, before_reason;  // "permit", "deny", "ask"; "" when not recorded
  std::string after, after_reason;
  std::string explanation;  // of the answer now
  std::string statement;    // that the answer now rests on; empty: none
  Span span;                // of that statement, file ids of Program::sources
  bool changed = false;
};
struct ReplayRun {
  std::vector<ReplayedLine> lines;
  size_t recorded = 0, changed = 0;
  std::string as_recorded;  // every line again with the answers of today
};

// `facts`: who there is; its consents, tasks and used amounts are the state at the start. A line
// that is no request is an error with its line number. `clock`: the time of lines before any `now`.
Result<ReplayRun> Replay(std::shared_ptr<const Program> program, const FactsInput& facts,
                         std::string_view text, const std::string& name, Clock* clock);

std::string ReplayText(const ReplayRun& run, const Program& program, const std::string& name,
                       bool color, bool quiet);
std::string ReplayJson(const ReplayRun& run, const Program& program);

}  // namespace dpl::testing
