// Decide: one function from (snapshot, state, request, now) to a decision with its reasons. No
// globals, no clock.
//
//   Scratch scratch;                                   // one per thread, reused
//   const Decision& d = Decide(snapshot, &store, request, clock.Now(), &scratch);
//
// It folds the fifteen steps of docs/semantics.md; the first failing step names the reason. Never
// throws, never recurses, allocates nothing on the heap after warm-up (an unmetered decision), runs
// within a step budget. Thread-safe: one Scratch per thread, any number of threads on one Snapshot
// and one store.
#pragma once

#include <memory>
#include <span>

#include "runtime/decide/decision.h"
#include "runtime/state/store.h"

namespace dpl {

class Scratch {
 public:
  Scratch();
  ~Scratch();
  struct Impl;
  Impl* impl() { return impl_.get(); }
  // Every clause of a subject's is tried, as if the index had one level only: nothing but the cost,
  // and how long an answer may be relied on, may differ.
  void TryEveryClauseForTest();
  // Small policies are fetched ahead (ahead.h) like large ones: nothing but the cost may differ.
  void FetchAheadForTest();

 private:
  std::unique_ptr<Impl> impl_;
};

// Watches one decision: what `dplc test` counts coverage with. Null costs a branch per clause. Only
// what settles the outcome matters to a test, so everything after OnSettled is for the report.
class DecisionObserver {
 public:
  virtual ~DecisionObserver() = default;
  // A clause was tried; a factor after an F was not asked and reads T.
  virtual void OnClause(uint32_t clause, Truth subject, Truth scope, Truth where) = 0;
  // Every limit that bound, at the end.
  virtual void OnLimit(const LimitLine& line) = 0;
  // A condition (`where`, `unless`) was asked. Whatever codes come back are run too, in the same
  // environment and at no cost to the decision's budget, and told to OnPart.
  virtual std::span<const uint32_t> OnCondition(uint32_t /*code*/, Truth /*truth*/) { return {}; }
  virtual void OnPart(uint32_t /*code*/, Truth /*truth*/) {}
  // The outcome stands.
  virtual void OnSettled(Reason /*reason*/) {}
};

const Decision& Decide(const Snapshot& snapshot, DecisionState* store, const Request& request,
                       Instant now, Scratch* scratch, DecisionObserver* observer = nullptr);

}  // namespace dpl
