// The second evaluator: the fold of docs/semantics.md, section 4, over the checked tree and the raw
// facts.
//
//   Oracle oracle(model, faults);
//   oracle.SetFacts(facts, now);
//   Answer a = oracle.Decide(request, now);
//
// Plain and slow on purpose. Shares the syntax tree, the checker's annotations and the value
// helpers of runtime/base with the engine, and nothing else.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "runtime/decide/decision.h"
#include "runtime/decide/request.h"
#include "tests/oracle/eval.h"
#include "tests/oracle/state.h"

namespace dpl::oracle {

struct Line {
  std::string limit;    // Limit::name
  std::string counter;  // the whole identity, key values included
  LimitState state = LimitState::kOk;
  std::optional<int64_t> used, requested, cap;
  std::string approval;  // kNeedsApproval: its qualified name
};

struct Answer {
  OutcomeKind outcome = OutcomeKind::kDeny;
  Reason reason = Reason::kErrorInternal;
  std::vector<Reason>
      also;  // reasons of the same step that hold as well, where the order within a step is free
  std::set<std::string> grants;  // A, by qualified name
  std::vector<Line> lines;       // once step 12 was reached
  bool reached_limits = false;
  std::string binding;              // limit name; empty: none, or several would do
  std::set<std::string> approvals;  // kAsk: needed
  uint64_t reservation = 0;
  std::string approval_binding;  // what an approval of this ask would be bound to
  std::map<std::string, Val> measures;
  std::vector<std::string> duties;  // "o0 step_up"; of an impersonation " log"
};

class Oracle {
 public:
  Oracle(const check::Model& model, const Faults& faults)
      : model_(model), schema_(model.schema), faults_(faults) {}

  void SetFacts(const FactsInput& facts, Instant built_at) {
    world_ = std::make_unique<World>(model_, facts, built_at, faults_.members_forever);
  }
  State& state() { return state_; }

  Answer Decide(const Request& request, Instant now);
  // False: refused.
  bool Cancel(uint64_t reservation);
  bool Confirm(uint64_t reservation, int64_t actual);
  bool OpenTask(const FactsInput::Task& task);
  bool RecordHandoff(const std::string& parent_agent, const std::string& parent,
                     const std::string& child_agent, const std::string& child,
                     const std::string& task);

 private:
  friend class Fold;
  const check::Model& model_;
  const Schema& schema_;
  Faults faults_;
  std::unique_ptr<World> world_;
  State state_;
};

}  // namespace dpl::oracle
