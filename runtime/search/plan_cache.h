// The plans of searches that have another page to come, so that it need not be made anew.
//
//   std::unique_ptr<SearchPlan> plan = cache.Take(question, now);   // null: make one
//   … walk it …
//   if (more) cache.Put(question, std::move(plan));
//
// A plan may be one that is not finished: the next page goes on with it. A plan has one walker at a
// time: whoever takes it has it. Of so many and so large plans at most the latest are kept.
// Thread-safe; lives with the index that its plans point into.
#pragma once

#include <deque>
#include <list>
#include <memory>
#include <mutex>
#include <vector>

#include "runtime/base/instant.h"
#include "runtime/base/sha256.h"
#include "runtime/search/candidates.h"

namespace dpl {

struct SearchPlan {
  explicit SearchPlan(uint32_t size) : space(size) {}
  CandidateSpace space;
  const Candidates* candidates = nullptr;  // null: there is more to plan
  // A union over clauses, as far as it is made.
  struct Union {
    std::vector<const Candidates*> any;
    size_t next = 0;                   // clause
    const Candidates* made = nullptr;  // all of them
  };
  std::deque<Union> unions;  // in the order in which they are needed
  uint32_t clauses = 0;      // that were read backwards for it
  // It holds while the same grants are in force: [made, until).
  Instant made, until;
};

class PlanCache {
 public:
  static constexpr size_t kMostPlans = 64;
  static constexpr size_t kMostBytes = 16 * 1024 * 1024;  // of all plans

  std::unique_ptr<SearchPlan> Take(const Digest& question, Instant now);
  void Put(const Digest& question, std::unique_ptr<SearchPlan> plan);

 private:
  struct Kept {
    Digest question;
    std::unique_ptr<SearchPlan> plan;
    size_t bytes = 0;
  };
  std::mutex mutex_;
  std::list<Kept> kept_;  // the latest first
  size_t bytes_ = 0;
};

}  // namespace dpl
