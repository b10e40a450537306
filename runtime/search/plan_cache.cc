// See plan_cache.h.
#include "runtime/search/plan_cache.h"

#include <algorithm>
#include <utility>

namespace dpl {

std::unique_ptr<SearchPlan> PlanCache::Take(const Digest& question, Instant now) {
  std::unique_ptr<SearchPlan> plan;
  std::lock_guard lock(mutex_);
  auto at = std::find_if(kept_.begin(), kept_.end(),
                         [&](const Kept& one) { return one.question == question; });
  if (at == kept_.end()) return plan;
  plan = std::move(at->plan);
  bytes_ -= at->bytes;
  kept_.erase(at);
  if (now.us < plan->made.us || now.us >= plan->until.us) plan = nullptr;
  return plan;
}

void PlanCache::Put(const Digest& question, std::unique_ptr<SearchPlan> plan) {
  const size_t bytes = plan->space.Bytes();
  if (bytes > kMostBytes) return;
  std::list<Kept> dropped;  // let go of behind the lock
  std::lock_guard lock(mutex_);
  kept_.push_front({question, std::move(plan), bytes});
  bytes_ += bytes;
  while (kept_.size() > kMostPlans || bytes_ > kMostBytes) {
    bytes_ -= kept_.back().bytes;
    dropped.splice(dropped.begin(), kept_, std::prev(kept_.end()));
  }
}

}  // namespace dpl
