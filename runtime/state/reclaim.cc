// See reclaim.h.
#include "runtime/state/reclaim.h"

#include <algorithm>

namespace dpl {
namespace {

std::atomic<ReaderSlot*> g_readers{nullptr};

}  // namespace

constinit std::atomic<uint64_t> ReadGuard::now_{1};
constinit thread_local ReaderSlot* ReadGuard::mine_ = nullptr;

// The slot of a thread that ends is free for another.
struct ReaderLeaves {
  ReaderSlot* slot = nullptr;
  ~ReaderLeaves() {
    if (slot == nullptr) return;
    ReadGuard::mine_ = nullptr;
    slot->taken.store(false, std::memory_order_release);
  }
};

ReaderSlot* ReadGuard::Join() {
  static thread_local ReaderLeaves leaves;
  ReaderSlot* slot = g_readers.load();
  for (; slot != nullptr; slot = slot->next) {
    bool taken = false;
    if (slot->taken.compare_exchange_strong(taken, true)) break;
  }
  if (slot == nullptr) {
    slot = new ReaderSlot();
    slot->taken = true;
    slot->next = g_readers.load();
    while (!g_readers.compare_exchange_weak(slot->next, slot)) {
    }
  }
  leaves.slot = slot;
  mine_ = slot;
  return slot;
}

uint64_t ReadGuard::Oldest() {
  uint64_t oldest = UINT64_MAX;
  for (const ReaderSlot* slot = g_readers.load(); slot != nullptr; slot = slot->next) {
    const uint64_t since = slot->since.load(std::memory_order_seq_cst);
    if (since != 0) oldest = std::min(oldest, since);
  }
  return oldest;
}

void Retired::Add(void* item, Free free, void* owner) {
  // Whoever begins to look from here on begins later than `at`, and finds it no more.
  items_.push_back({ReadGuard::now_.fetch_add(1), item, free, owner});
  if (--look_in_ == 0) FreeWhatCan();
}

void Retired::FreeWhatCan() {
  look_in_ = kBatch;
  const uint64_t oldest = ReadGuard::Oldest();
  for (; !items_.empty() && items_.front().at < oldest; items_.pop_front())
    items_.front().free(items_.front().owner, items_.front().item);
}

Retired::~Retired() {
  for (const Item& item : items_) item.free(item.owner, item.item);
}

}  // namespace dpl
