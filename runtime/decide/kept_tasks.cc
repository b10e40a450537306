// See kept_tasks.h.
#include "runtime/decide/kept_tasks.h"

#include "runtime/decide/fold.h"

namespace dpl {

void KeptTasks::Of(const std::shared_ptr<const Snapshot>& snapshot) {
  Forget();
  at_ = snapshot.get();
  alive_ = snapshot;
}

void KeptTasks::Forget() {
  if (!any_) return;
  any_ = false;
  for (Kept& kept : kept_) kept = {};
  arena_.Reset();
}

Arena* KeptTasks::Room(const TaskRecord& task) {
  size_t text = 0;
  for (const auto& [name, value] : task.args) text += value.size();
  if (text > kMostText) return nullptr;
  if (arena_.used() > kMostBytes / 2) Forget();
  return &arena_;
}

void KeepTasksOf(Scratch* scratch, const std::shared_ptr<const Snapshot>& snapshot) {
  scratch->impl()->kept_tasks.Of(snapshot);
}

}  // namespace dpl
