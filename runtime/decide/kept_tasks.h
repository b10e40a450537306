// The arguments of open tasks as values: typed once for a snapshot, not once for every request.
//
//   KeepTasksOf(&scratch, snapshot);    // whoever is about to decide on this snapshot for a while
//
// A task on record never changes, and neither does a snapshot: what was typed is found by both, and
// used only while that very snapshot lives. Of a snapshot that nobody has named nothing is kept. It
// belongs to one Scratch, so no lock is needed; a task that is kept costs the request no heap and
// no count of references. Bounded: so many tasks, of which each has a short text, and so many
// bytes; when the bytes are full all of it is forgotten.
#pragma once

#include <array>
#include <memory>

#include "runtime/base/arena.h"
#include "runtime/decide/engine.h"
#include "runtime/facts/snapshot.h"
#include "runtime/state/store.h"

namespace dpl {

class KeptTasks {
 public:
  struct Typed {
    uint32_t statement = kNone;  // of its shape
    const Value* values = nullptr;
  };

  void Of(const std::shared_ptr<const Snapshot>& snapshot);
  bool Keeps(const Snapshot& snapshot) const { return &snapshot == at_ && !alive_.expired(); }

  // Null: not kept. Only while Keeps().
  const Typed* Find(const TaskRecord* task) const {
    const Kept& kept = kept_[SlotOf(task)];
    return kept.task.get() == task ? &kept.typed : nullptr;
  }
  // Where the values of this task are to be laid; null: it is not to be kept. There is room for it.
  Arena* Room(const TaskRecord& task);
  void Put(const std::shared_ptr<const TaskRecord>& task, const Typed& typed) {
    any_ = true;
    kept_[SlotOf(task.get())] = {task, typed};
  }
  void Forget();

 private:
  static constexpr size_t kMostTasks = 256;
  static constexpr size_t kMostText = 2048;  // of one task's arguments
  // A value takes far less than so many times its text: in half of kMostBytes there is room for any
  // task that may be kept.
  static constexpr size_t kMostTimes = 512;
  static constexpr size_t kMostBytes = 2 * kMostText * kMostTimes;

  struct Kept {
    std::shared_ptr<const TaskRecord> task;  // held, so that no other task takes its address
    Typed typed;
  };
  static size_t SlotOf(const TaskRecord* task) {
    return static_cast<size_t>(reinterpret_cast<uintptr_t>(task) * 0x9e3779b97f4a7c15u >> 56);
  }
  static_assert(kMostTasks == 256);

  const Snapshot* at_ = nullptr;
  std::weak_ptr<const Snapshot> alive_;  // so that none that lies where it lay is taken for it
  bool any_ = false;
  std::array<Kept, kMostTasks> kept_;
  Arena arena_{kMostBytes};
};

// What is typed from now on is kept for this one, and what was is forgotten. Null: for none.
void KeepTasksOf(Scratch* scratch, const std::shared_ptr<const Snapshot>& snapshot);

}  // namespace dpl
