// A hash table by text for very many entries of one writer at a time. Readers need no lock: they
// look within a ReadGuard (reclaim.h) and find each entry whole, as it is or as it was a moment
// ago. An entry stays where it is until it is erased or put anew.
//
//   TableHome home;                                  // outlives its tables
//   NameTable<Consent> consents(&home);
//   auto [entry, made] = consents.Emplace(name, …);  // entry->value, consents.Name(*entry)
//   consents.Put(name, …);                           // a new entry in place of the old one
//   consents.SweepSome(16, [&](const Consent& c) { return c.Over(now); });
//
// What readers may look at must not be changed in place, but for atomics: put a new one. An entry
// takes its value, its packed name (packed_name.h) and on average 13 bytes of a slot. The table
// grows by one part of at most 512 slots at a time, so that nobody waits for long however large it
// is; every part is that of a range of hashes, which a walk with pauses goes by.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/state/keyed_hash.h"
#include "runtime/state/packed_name.h"
#include "runtime/state/pool.h"
#include "runtime/state/reclaim.h"

namespace dpl {

struct TableHome {
  // What the one writer of all its tables works with.
  std::string packed, unpacked;
  std::vector<uint64_t> slots;
  Pool pool;
  Words words;      // of those tables that share what their names begin with
  Retired retired;  // gone first: it gives back to the pool
};

template <class T>
class NameTable {
 public:
  class Entry {
   public:
    T value;
    // Of any memory that holds a value of an entry.
    static Entry* Of(T* value) { return reinterpret_cast<Entry*>(value); }

   private:
    friend class NameTable;
    template <class... Args>
    explicit Entry(Args&&... args) : value(std::forward<Args>(args)...) {}
    const char* after() const { return reinterpret_cast<const char*>(this + 1); }
    std::string_view packed() const {
      const char* at = after();
      size_t size = 0;
      for (int shift = 0;; shift += 7) {
        const auto byte = static_cast<unsigned char>(*at++);
        size |= static_cast<size_t>(byte & 127) << shift;
        if (byte < 128) break;
      }
      return {at, size};
    }
    size_t Bytes() const {
      std::string_view name = packed();
      return static_cast<size_t>(name.data() + name.size() - reinterpret_cast<const char*>(this));
    }
  };

  enum class Readers { kGuarded, kLocked };  // kLocked: nobody looks while the writer writes
  // `words`: names are those of counters (packed_name.h), and readers are locked.
  explicit NameTable(TableHome* home, Readers readers = Readers::kGuarded, Words* words = nullptr)
      : home_(home), words_(words), locked_(readers == Readers::kLocked) {
    DPL_CHECK(locked_ || words == nullptr);
    parts_.store(Alone(MakePart(kFewest, 0)));
  }
  NameTable(const NameTable&) = delete;
  NameTable& operator=(const NameTable&) = delete;
  ~NameTable() {
    ForEach([&](Entry& entry) { Destroy(&entry); });
    EachPart([](Part* part) { FreePart(nullptr, part); });
    if (Directory* directory = DirectoryOf(parts_.load())) FreeDirectory(nullptr, directory);
  }

  // Null: there is none.
  Entry* Find(std::string_view name) {
    const uint64_t hash = KeyedHash(name);
    Part* part = PartOf(hash);
    const size_t at = SlotOf(part, hash, name);
    return at == kNoSlot ? nullptr : EntryOf(part->slots[at].load());
  }
  const Entry* Find(std::string_view name) const {
    return const_cast<NameTable*>(this)->Find(name);
  }
  bool Contains(std::string_view name) const { return Find(name) != nullptr; }
  // What the look-up of a name with this hash will read, brought into the cache before it is
  // wanted: first its slot; then the entry, which is given back if one could be it. Within a guard.
  void FetchSlot(uint64_t hash) const {
    const Part* part = PartOf(hash);
    __builtin_prefetch(&part->slots[hash & part->mask]);
  }
  const Entry* FetchEntry(uint64_t hash) const {
    const Part* part = PartOf(hash);
    const uint64_t tag = hash >> 16 & 0xffff;
    for (size_t i = hash & part->mask, n = 0; n < 8; i = (i + 1) & part->mask, ++n) {
      const uint64_t slot = part->slots[i].load();
      if (slot == 0) break;
      if (slot == kGone || slot >> 48 != tag) continue;
      __builtin_prefetch(EntryOf(slot));
      __builtin_prefetch(reinterpret_cast<const char*>(EntryOf(slot)) + 64);
      return EntryOf(slot);
    }
    return nullptr;
  }
  // The entry of this name, made from `args` when there was none.
  template <class... Args>
  std::pair<Entry*, bool> Emplace(std::string_view name, Args&&... args) {
    if (Entry* known = Find(name)) return {known, false};
    Entry* entry = Make(name, std::forward<Args>(args)...);
    Insert(entry, KeyedHash(name));
    return {entry, true};
  }
  // The same, but made in any case; who looks finds the old one or the new one.
  template <class... Args>
  Entry* Put(std::string_view name, Args&&... args) {
    const uint64_t hash = KeyedHash(name);
    Entry* entry = Make(name, std::forward<Args>(args)...);
    Part* part = PartOf(hash);
    const size_t at = SlotOf(part, hash, name);
    if (at == kNoSlot) {
      Insert(entry, hash);
      return entry;
    }
    Entry* old = EntryOf(part->slots[at].load());
    part->slots[at].store(SlotWith(entry, hash));
    Retire(old);
    return entry;
  }
  bool Erase(std::string_view name) {
    const uint64_t hash = KeyedHash(name);
    Part* part = PartOf(hash);
    const size_t at = SlotOf(part, hash, name);
    if (at == kNoSlot) return false;
    EraseSlot(part, at);
    return true;
  }

  size_t size() const { return size_.load(std::memory_order_relaxed); }
  bool empty() const { return size() == 0; }
  std::string Name(const Entry& entry) const {
    std::string name;
    UnpackName(entry.packed(), words_, &name);
    return name;
  }
  bool Is(const Entry& entry, std::string_view name) const {
    return PackedEquals(entry.packed(), words_, name);
  }

  template <class Each>
  void ForEach(const Each& each) {
    uint64_t from = 0;
    do {
      from = Walk(from, each);
    } while (from != 0);
  }
  template <class Each>
  void ForEach(const Each& each) const {
    const_cast<NameTable*>(this)->ForEach([&](Entry& e) { each(static_cast<const Entry&>(e)); });
  }
  // The entries of the part that begins at `from`, at first 0; returns where the next one begins,
  // 0 behind the last. What is there all the time is met exactly once, whatever happens between
  // two calls.
  template <class Each>
  uint64_t Walk(uint64_t from, const Each& each) {
    Part* part = PartOf(from);
    for (size_t i = 0; i <= part->mask; ++i) {
      const uint64_t slot = part->slots[i].load();
      if (slot > kGone) each(*EntryOf(slot));
    }
    return Behind(from, part);
  }
  template <class Each>
  uint64_t Walk(uint64_t from, const Each& each) const {
    return const_cast<NameTable*>(this)->Walk(
        from, [&](Entry& e) { each(static_cast<const Entry&>(e)); });
  }

  // Looks at this many slots, from where the last call ended, and erases what `dead` says, of a
  // value or of an entry.
  template <class Dead>
  void SweepSome(size_t slots, const Dead& dead) {
    for (size_t n = 0; n < slots && !empty(); ++n) {
      Part* part = PartOf(sweep_from_);
      if (sweep_slot_ > part->mask) {
        sweep_from_ = Behind(sweep_from_, part);
        sweep_slot_ = 0;
        continue;
      }
      SweepSlot(part, sweep_slot_++, dead);
    }
  }
  template <class Dead>
  void SweepAll(const Dead& dead) {
    EachPart([&](Part* part) {
      for (size_t i = 0; i <= part->mask; ++i) SweepSlot(part, i, dead);
    });
  }

 private:
  static constexpr uint64_t kGone = 1;  // of an entry that was; 0: none ever
  static constexpr size_t kNoSlot = SIZE_MAX, kFewest = 4, kMost = 512;
  static constexpr uint32_t kDeepest = 32;

  // The entries whose hashes begin with the same `depth` bits. A slot has the entry's address, and
  // 16 bits of its hash in front.
  struct Part {
    uint32_t mask;  // slots, less one
    uint32_t depth;
    uint32_t taken;  // slots that are not 0
    uint32_t live;
    std::atomic<uint64_t> slots[1];
  };
  struct Directory {
    uint32_t depth;
    std::atomic<Part*> parts[1];  // by the first `depth` bits of a hash
  };

  static Part* MakePart(size_t slots, uint32_t depth) {
    void* at = ::operator new(sizeof(Part) + (slots - 1) * sizeof(std::atomic<uint64_t>));
    Part* part = static_cast<Part*>(at);
    part->mask = static_cast<uint32_t>(slots - 1);
    part->depth = depth;
    part->taken = part->live = 0;
    for (size_t i = 0; i < slots; ++i) new (&part->slots[i]) std::atomic<uint64_t>(0);
    return part;
  }
  static Directory* MakeDirectory(uint32_t depth) {
    const size_t parts = size_t{1} << depth;
    void* at = ::operator new(sizeof(Directory) + (parts - 1) * sizeof(std::atomic<Part*>));
    Directory* directory = static_cast<Directory*>(at);
    directory->depth = depth;
    for (size_t i = 0; i < parts; ++i) new (&directory->parts[i]) std::atomic<Part*>(nullptr);
    return directory;
  }
  static void FreePart(void*, void* part) { ::operator delete(part); }
  static void FreeDirectory(void*, void* directory) { ::operator delete(directory); }
  static void FreeEntry(void* table, void* entry) {
    static_cast<TableHome*>(table)->pool.Give(entry, DestroyValue(static_cast<Entry*>(entry)));
  }
  static size_t DestroyValue(Entry* entry) {
    const size_t bytes = entry->Bytes();
    entry->~Entry();
    return bytes;
  }

  static size_t Index(uint64_t hash, uint32_t depth) {
    return depth == 0 ? 0 : static_cast<size_t>(hash >> (64 - depth));
  }
  static uint64_t SlotWith(const Entry* entry, uint64_t hash) {
    return (hash >> 16 & 0xffff) << 48 | reinterpret_cast<uint64_t>(entry);
  }
  static Entry* EntryOf(uint64_t slot) {
    return reinterpret_cast<Entry*>(slot & ((uint64_t{1} << 48) - 1));
  }
  // `parts_` of a table of one part is that part, and odd.
  static uint64_t Alone(Part* part) { return reinterpret_cast<uint64_t>(part) | 1; }
  static Directory* DirectoryOf(uint64_t parts) {
    return (parts & 1) != 0 ? nullptr : reinterpret_cast<Directory*>(parts);
  }
  Part* PartOf(uint64_t hash) const {
    const uint64_t parts = parts_.load();
    const Directory* directory = DirectoryOf(parts);
    if (directory == nullptr) return reinterpret_cast<Part*>(parts ^ 1);
    return directory->parts[Index(hash, directory->depth)].load();
  }
  // Where the range of hashes behind that of this part begins; 0: it was the last.
  static uint64_t Behind(uint64_t hash, const Part* part) {
    if (part->depth == 0) return 0;
    const uint64_t width = uint64_t{1} << (64 - part->depth);
    return (hash & ~(width - 1)) + width;
  }
  template <class Each>
  void EachPart(const Each& each) {
    uint64_t from = 0;
    do {
      Part* part = PartOf(from);
      from = Behind(from, part);
      each(part);
    } while (from != 0);
  }

  size_t SlotOf(const Part* part, uint64_t hash, std::string_view name) const {
    const uint64_t tag = hash >> 16 & 0xffff;
    for (size_t i = hash & part->mask, n = 0; n <= part->mask; i = (i + 1) & part->mask, ++n) {
      const uint64_t slot = part->slots[i].load();
      if (slot == 0) return kNoSlot;
      if (slot != kGone && slot >> 48 == tag && Is(*EntryOf(slot), name)) return i;
    }
    return kNoSlot;
  }

  template <class... Args>
  Entry* Make(std::string_view name, Args&&... args) {
    std::string& packed = home_->packed;
    packed.clear();
    PackName(name, words_, &packed);
    char size[10];
    size_t digits = 0;
    for (size_t n = packed.size(); n > 127; n >>= 7) size[digits++] = static_cast<char>(n | 128);
    size[digits] = static_cast<char>(packed.size() >> (7 * digits));
    ++digits;
    void* at = home_->pool.Take(sizeof(Entry) + digits + packed.size());
    DPL_CHECK(reinterpret_cast<uint64_t>(at) >> 48 == 0);
    Entry* entry = new (at) Entry(std::forward<Args>(args)...);
    char* after = reinterpret_cast<char*>(entry + 1);
    std::memcpy(after, size, digits);
    std::memcpy(after + digits, packed.data(), packed.size());
    return entry;
  }
  void Destroy(Entry* entry) {
    DropPacked(entry->packed(), words_);
    FreeEntry(home_, entry);
  }
  void Retire(Entry* entry) {
    if (locked_) return Destroy(entry);
    home_->retired.Add(entry, &FreeEntry, home_);
  }

  void Insert(Entry* entry, uint64_t hash) {
    Part* part = PartOf(hash);
    while ((part->taken + 1) * 8 > (part->mask + 1) * 7) {
      Grow(part, hash);
      part = PartOf(hash);
    }
    Place(part, SlotWith(entry, hash), hash);
    size_.fetch_add(1, std::memory_order_relaxed);
  }
  static void Place(Part* part, uint64_t with, uint64_t hash) {
    size_t i = hash & part->mask;
    for (;; i = (i + 1) & part->mask) {
      const uint64_t slot = part->slots[i].load();
      if (slot > kGone) continue;
      if (slot == 0) ++part->taken;
      break;
    }
    ++part->live;
    part->slots[i].store(with);
  }
  void EraseSlot(Part* part, size_t at) {
    Entry* entry = EntryOf(part->slots[at].load());
    // Nothing was placed further on because of this one, where the next slot is empty.
    const bool last = part->slots[(at + 1) & part->mask].load() == 0;
    part->slots[at].store(last ? 0 : kGone);
    part->taken -= last ? 1 : 0;
    --part->live;
    size_.fetch_sub(1, std::memory_order_relaxed);
    Retire(entry);
  }
  template <class Dead>
  void SweepSlot(Part* part, size_t at, const Dead& dead) {
    const uint64_t slot = part->slots[at].load();
    if (slot <= kGone) return;
    Entry& entry = *EntryOf(slot);
    if constexpr (std::is_invocable_v<Dead, Entry&>) {
      if (dead(entry)) EraseSlot(part, at);
    } else {
      if (dead(static_cast<const T&>(entry.value))) EraseSlot(part, at);
    }
  }

  uint64_t HashOf(const Entry& entry) {
    home_->unpacked.clear();
    UnpackName(entry.packed(), words_, &home_->unpacked);
    return KeyedHash(home_->unpacked);
  }
  // Room for one more in the part of `hash`: without the traces of what is gone, in more slots, or
  // as two parts.
  void Grow(Part* part, uint64_t hash) {
    const size_t slots = size_t{part->mask} + 1;
    Part* made[2] = {nullptr, nullptr};
    if (locked_ && part->live < part->taken && part->live * 4 <= slots * 3) return Tidy(part);
    if (part->live * 2 <= slots) {
      made[0] = MakePart(slots, part->depth);
    } else if (slots < kMost || part->depth == kDeepest) {
      made[0] = MakePart(slots * 2, part->depth);
    } else {
      for (Part*& half : made) half = MakePart(slots, part->depth + 1);
    }
    const uint32_t bit = 63 - part->depth;
    for (size_t i = 0; i < slots; ++i) {
      const uint64_t slot = part->slots[i].load();
      if (slot <= kGone) continue;
      const uint64_t of = HashOf(*EntryOf(slot));
      Place(made[1] != nullptr && (of >> bit & 1) != 0 ? made[1] : made[0], slot, of);
    }
    Directory* directory = DirectoryOf(parts_.load());
    if (directory == nullptr && made[1] == nullptr) {
      parts_.store(Alone(made[0]));
      home_->retired.Add(part, &FreePart, nullptr);
      return;
    }
    const uint32_t depth = directory == nullptr ? 0 : directory->depth;
    if (made[1] != nullptr && part->depth == depth) {
      Directory* wider = MakeDirectory(depth + 1);
      for (size_t i = 0; i < size_t{1} << wider->depth; ++i)
        wider->parts[i].store(directory == nullptr ? part : directory->parts[i / 2].load(),
                              std::memory_order_relaxed);
      parts_.store(reinterpret_cast<uint64_t>(wider));
      if (directory != nullptr) home_->retired.Add(directory, &FreeDirectory, nullptr);
      directory = wider;
    }
    const size_t width = size_t{1} << (directory->depth - part->depth);
    const size_t first = Index(hash, part->depth) * width;
    for (size_t i = 0; i < width; ++i)
      directory->parts[first + i].store(made[1] != nullptr && i >= width / 2 ? made[1] : made[0]);
    home_->retired.Add(part, &FreePart, nullptr);
  }
  // Takes away the traces of what is gone, in place.
  void Tidy(Part* part) {
    std::vector<uint64_t>& all = home_->slots;
    all.clear();
    for (size_t i = 0; i <= part->mask; ++i) {
      all.push_back(part->slots[i].load(std::memory_order_relaxed));
      part->slots[i].store(0, std::memory_order_relaxed);
    }
    part->taken = part->live = 0;
    for (uint64_t slot : all) {
      if (slot > kGone) Place(part, slot, HashOf(*EntryOf(slot)));
    }
  }

  TableHome* const home_;
  Words* const words_;
  const bool locked_;
  std::atomic<uint64_t> parts_{0};
  std::atomic<size_t> size_{0};
  uint64_t sweep_from_ = 0;
  size_t sweep_slot_ = 0;
};

}  // namespace dpl
