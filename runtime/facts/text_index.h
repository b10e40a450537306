// Texts to numbers: a hash table for names and ids that is filled once and then only read.
//
//   TextIndex index;  index.Add(space, "marketing", 3);  index.Find(space, "marketing");   // 3, or
//   kNone
//
// A space keeps names of different kinds apart (teams from roles, one resource type from another).
// Texts are kept by reference: their bytes must outlive the index. Finding asks the heap nothing.
// The hash has secrets of the process (keyed_hash.h): whoever may choose ids that end up in facts
// cannot choose such as fall on each other.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "runtime/bytecode/schema.h"

namespace dpl {

class TextIndex {
 public:
  void Reserve(size_t count);
  // Returns the value kept for this text: `value` when it is new, else what stood there before.
  uint32_t Add(uint32_t space, std::string_view text, uint32_t value);
  void Set(uint32_t space, std::string_view text, uint32_t value);   // adds or replaces
  uint32_t Find(uint32_t space, std::string_view text) const;        // kNone when it is not there
  const uint32_t* Get(uint32_t space, std::string_view text) const;  // null when it is not there
  bool Has(uint32_t space, std::string_view text) const { return Locate(space, text) != nullptr; }
  size_t size() const { return entries_.size(); }
  // A look-up whose memory is brought into the cache part by part, with other work between the
  // parts: its slot, its entry, its text. It finds what Find would, or now and then another's.
  struct Begun {
    uint64_t hash = 0;
    uint32_t space = 0, entry = kNone;
  };
  Begun FetchSlot(uint32_t space, std::string_view text) const;
  void FetchEntry(Begun* begun) const;
  uint32_t FetchText(const Begun& begun) const;  // the value, of this space; kNone
  // How many places are looked at to find it.
  size_t ProbesForTest(uint32_t space, std::string_view text) const;

 private:
  struct Entry {
    std::string_view text;
    uint32_t space;
    uint32_t value;
  };
  struct Slot {
    uint32_t tag = 0;
    uint32_t entry = kNone;
  };
  struct Secrets {
    uint64_t first, second, start;
  };
  static const Secrets secrets_;
  static uint64_t HashOf(uint32_t space, std::string_view text);
  const Entry* Locate(uint32_t space, std::string_view text) const;
  void Insert(uint64_t hash, uint32_t entry);
  void Rehash(size_t slots);

  std::vector<Entry> entries_;
  std::vector<Slot> slots_;  // power of two, at most half full
};

}  // namespace dpl
