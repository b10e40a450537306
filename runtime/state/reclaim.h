// Reading without a lock what one writer at a time changes: a reader stands in a ReadGuard for as
// long as it looks, and what a writer has taken out of sight is freed once nobody can look at it
// any more.
//
//   { ReadGuard guard;  const Entry* e = table.Find(name);  … copy what is wanted … }
//   retired_.Add(entry, &DeleteEntry, this);   // the writer, after it has unlinked the entry
//
// A guard costs one atomic exchange and waits for nobody. What is linked and unlinked, and every
// pointer on the way to it, must be read and written in the one order of all (seq_cst): then a
// reader that a writer does not see in its guard does not see the unlinked thing either.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>

namespace dpl {

// One reading thread. Never freed, used again by a later thread.
struct alignas(64) ReaderSlot {
  std::atomic<uint64_t> since{0};  // the time at which the outermost guard began; 0: outside
  int depth = 0;
  std::atomic<bool> taken{false};
  ReaderSlot* next = nullptr;
};

class ReadGuard {
 public:
  ReadGuard() : slot_(mine_ != nullptr ? mine_ : Join()) {
    if (slot_->depth++ == 0) slot_->since.store(now_.load(), std::memory_order_seq_cst);
  }
  ~ReadGuard() {
    if (--slot_->depth == 0) slot_->since.store(0, std::memory_order_release);
  }
  ReadGuard(const ReadGuard&) = delete;
  ReadGuard& operator=(const ReadGuard&) = delete;

 private:
  friend class Retired;
  friend struct ReaderLeaves;
  static ReaderSlot* Join();  // the first guard of a thread
  static uint64_t Oldest();   // no reader within a guard began before this

  static constinit std::atomic<uint64_t> now_;
  static constinit thread_local ReaderSlot* mine_;
  ReaderSlot* const slot_;
};

// What waits to be freed. One thread at a time; it ends when nobody reads any more.
class Retired {
 public:
  using Free = void (*)(void* owner, void* item);
  Retired() = default;
  Retired(const Retired&) = delete;
  Retired& operator=(const Retired&) = delete;
  ~Retired();
  // To be called after `item` was unlinked.
  void Add(void* item, Free free, void* owner);
  size_t size() const { return items_.size(); }

 private:
  static constexpr size_t kBatch = 32;
  struct Item {
    uint64_t at;
    void* item;
    Free free;
    void* owner;
  };
  void FreeWhatCan();

  std::deque<Item> items_;  // in the order of their times
  size_t look_in_ = kBatch;
};

}  // namespace dpl
