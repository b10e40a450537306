// A hash table of ids: finds the number of a thing that lives in a vector elsewhere, so that
// interned things are kept once.
//
//   IdTable table;
//   uint32_t id = table.Find(hash, [&](uint32_t i) { return things[i] == wanted; });
//   if (id == kNone) table.Add(hash, things.size()), things.push_back(wanted);
//
// Nothing is ever removed. The hash must be the same for equal things; a bad one costs time only.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "runtime/bytecode/schema.h"

namespace dpl::check {

class IdTable {
 public:
  template <class Is>
  uint32_t Find(uint64_t hash, Is is) const {
    if (slots_.empty()) return kNone;
    for (size_t at = First(hash);; at = (at + 1) & (slots_.size() - 1)) {
      const Slot& slot = slots_[at];
      if (slot.id == kNone) return kNone;
      if (slot.hash == static_cast<uint32_t>(hash) && is(slot.id)) return slot.id;
    }
  }

  // `id` must not be there yet.
  void Add(uint64_t hash, uint32_t id) {
    if (2 * (count_ + 1) > slots_.size()) Grow();
    Put({static_cast<uint32_t>(hash), id});
    ++count_;
  }

 private:
  struct Slot {
    uint32_t hash = 0, id = kNone;
  };
  size_t First(uint64_t hash) const {
    return (static_cast<uint32_t>(hash) * uint64_t{0x9e3779b97f4a7c15} >> 32) & (slots_.size() - 1);
  }
  void Put(Slot slot) {
    size_t at = First(slot.hash);
    while (slots_[at].id != kNone) at = (at + 1) & (slots_.size() - 1);
    slots_[at] = slot;
  }
  void Grow() {
    std::vector<Slot> old(slots_.empty() ? 64 : 2 * slots_.size());
    old.swap(slots_);
    for (const Slot& slot : old) {
      if (slot.id != kNone) Put(slot);
    }
  }

  std::vector<Slot> slots_;  // a power of two of them, at most half full
  size_t count_ = 0;
};

}  // namespace dpl::check
