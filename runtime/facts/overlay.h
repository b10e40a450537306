// What pushed changes lay over the tables of a snapshot: the records that are new, found by the
// slot of the one they stand for, and the ids and accounts that came or changed. Immutable once its
// snapshot is made; the next patch begins with a copy. Only this room includes it.
#pragma once

#include <memory>
#include <mutex>
#include <span>
#include <string_view>
#include <vector>

#include "runtime/base/arena.h"
#include "runtime/facts/tables.h"

namespace dpl {

// A hash table of two parts, so that a copy costs little: what came lately is copied, the rest is
// shared. Of what has the same key the later one counts. `SameKey(const T&, const T&)` says which.
template <class T>
class TwoTiers {
 public:
  template <class Same>
  const T* Find(uint64_t hash, const Same& same) const {
    const T* found = recent_.Find(hash, same);
    return found != nullptr || older_ == nullptr ? found : older_->Find(hash, same);
  }
  void Put(uint64_t hash, const T* value) {
    recent_.Put(hash, value);
    if (recent_.count < kMostRecent) return;
    auto all = older_ == nullptr ? std::make_shared<Table>() : std::make_shared<Table>(*older_);
    for (const Slot& slot : recent_.slots) {
      if (slot.value != nullptr) all->Put(slot.hash, slot.value);
    }
    older_ = std::move(all);
    recent_ = Table();
  }
  size_t size() const { return recent_.count + (older_ == nullptr ? 0 : older_->count); }
  // What a later one hides comes first.
  template <class Each>
  void ForEach(const Each& each) const {
    for (const Table* table : {older_.get(), &recent_}) {
      for (size_t i = 0; table != nullptr && i < table->slots.size(); ++i) {
        if (table->slots[i].value != nullptr) each(*table->slots[i].value);
      }
    }
  }

 private:
  static constexpr size_t kMostRecent = 512;
  struct Slot {
    uint64_t hash = 0;
    const T* value = nullptr;
  };
  struct Table {
    std::vector<Slot> slots;  // a power of two, at most half full
    size_t count = 0;
    template <class Same>
    const T* Find(uint64_t hash, const Same& same) const {
      if (slots.empty()) return nullptr;
      const size_t mask = slots.size() - 1;
      for (size_t at = hash & mask; slots[at].value != nullptr; at = (at + 1) & mask) {
        if (slots[at].hash == hash && same(*slots[at].value)) return slots[at].value;
      }
      return nullptr;
    }
    void Put(uint64_t hash, const T* value) {
      if (slots.size() < 2 * (count + 1)) Grow();
      const size_t mask = slots.size() - 1;
      size_t at = hash & mask;
      while (slots[at].value != nullptr &&
             (slots[at].hash != hash || !SameKey(*slots[at].value, *value)))
        at = (at + 1) & mask;
      count += slots[at].value == nullptr ? 1 : 0;
      slots[at] = {hash, value};
    }
    void Grow() {
      std::vector<Slot> old(slots.empty() ? 16 : slots.size() * 2);
      old.swap(slots);
      count = 0;
      for (const Slot& slot : old) {
        if (slot.value != nullptr) Put(slot.hash, slot.value);
      }
    }
  };
  Table recent_;
  std::shared_ptr<const Table> older_;
};

inline bool SameKey(const Entity& a, const Entity& b) { return a.slot == b.slot; }
// An id that the tables do not have.
struct AddedId {
  uint32_t space;  // kNone: a person's; else the resource type
  std::string_view id;
  uint32_t slot;
};
inline bool SameKey(const AddedId& a, const AddedId& b) {
  return a.space == b.space && a.id == b.id;
}
// All claims of an account, by person; in place of what the tables have.
struct AccountClaims {
  uint32_t system;
  std::string_view key;
  std::span<const AccountFact> claims;
};
inline bool SameKey(const AccountClaims& a, const AccountClaims& b) {
  return a.system == b.system && a.key == b.key;
}

struct FactOverlay {
  std::shared_ptr<Arena> arena;  // of all that came since the tables were made; one writer
  TwoTiers<Entity> persons, resources;
  TwoTiers<AddedId> ids;
  TwoTiers<AccountClaims> claims;
  uint32_t person_slots = 0, resource_slots = 0;  // those of the tables, and those that came
  std::shared_ptr<const std::vector<FactTables::Approver>> approvers;  // null: as in the tables

  static uint64_t HashOfSlot(uint32_t slot) {
    return (slot + uint64_t{1}) * 0x9e3779b97f4a7c15u >> 20;
  }
  static uint64_t HashOfText(uint32_t space, std::string_view text);

  const Entity* Latest(const Entity* entity) const {
    const Entity* later = (entity->is_person ? persons : resources)
                              .Find(HashOfSlot(entity->slot),
                                    [entity](const Entity& e) { return e.slot == entity->slot; });
    return later == nullptr ? entity : later;
  }
  // What stands at a slot, gone or not; null: nothing came for it and the tables do not have it.
  const Entity* PersonAt(const FactTables& tables, uint32_t slot) const;
  const Entity* ResourceAt(const FactTables& tables, uint32_t slot) const;
  uint32_t PersonSlot(const FactTables& tables, std::string_view id) const;
  uint32_t ResourceSlot(const FactTables& tables, uint32_t type, std::string_view id) const;
  const Entity* FindPerson(const FactTables& tables, std::string_view id) const;
  const Entity* FindResource(const FactTables& tables, uint32_t type, std::string_view id) const;
  const AccountClaims* FindClaims(uint32_t system, std::string_view key) const;

  // Everything in order, for searches: put together when it is first asked for.
  std::span<const Entity* const> Persons(const FactTables& tables) const;
  std::span<const Entity* const> Resources(const FactTables& tables, uint32_t type) const;
  std::span<const AccountFact> Accounts(const FactTables& tables) const;

  struct Lists {
    std::once_flag persons_made, resources_made, accounts_made;
    std::vector<const Entity*> persons;
    std::vector<std::vector<const Entity*>> resources;
    std::vector<AccountFact> accounts;
  };
  std::shared_ptr<Lists> lists = std::make_shared<Lists>();
};

}  // namespace dpl
