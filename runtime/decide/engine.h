// Decide: one function from (snapshot, state, request, now) to a decision with its reasons. No
// globals, no clock.
//
//   Scratch scratch;                                   // one per thread, reused
//   const Decision& d = Decide(snapshot, &store, request, clock.Now(), &scratch);
//
// It folds the fifteen steps of docs/semantics.md; the first failing step names the reason. Never
// throws, never recurses, allocates nothing on the heap after warm-up (an unmetered decision), runs
// within a step budget. Thread-safe: one Scratch per thread, any number of threads on one Snapshot
// and one StateStore.
#pragma once

#include <memory>

#include "runtime/decide/decision.h"
#include "runtime/state/store.h"

namespace dpl {

class Scratch {
 public:
  Scratch();
  ~Scratch();
  struct Impl;
  Impl* impl() { return impl_.get(); }

 private:
  std::unique_ptr<Impl> impl_;
};

// Reports what matters for tests of coverage and for `explain`: which clause matched how. Null:
// nothing is reported.
class DecisionObserver {
 public:
  virtual ~DecisionObserver() = default;
  virtual void OnClause(uint32_t clause, Truth subject, Truth scope, Truth where) = 0;
  virtual void OnLimit(const LimitLine& line) = 0;
};

const Decision& Decide(const Snapshot& snapshot, StateStore* store, const Request& request,
                       Instant now, Scratch* scratch, DecisionObserver* observer = nullptr);

}  // namespace dpl
