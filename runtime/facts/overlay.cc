// Look-ups through an overlay, and the lists in order.
#include "runtime/facts/overlay.h"

#include <algorithm>
#include <map>

#include "runtime/base/keyed_hash.h"

namespace dpl {
namespace {

bool ById(const Entity* a, const Entity* b) { return a->id < b->id; }

// The list of the tables with what came in the place of what was, and what is new merged in.
template <class Latest, class At>
std::vector<const Entity*> Merge(const std::vector<const Entity*>& before, const Latest& latest,
                                 uint32_t from, uint32_t to, const At& at) {
  std::vector<const Entity*> out, added;
  for (uint32_t slot = from; slot < to; ++slot) {
    const Entity* entity = at(slot);
    if (entity != nullptr && !entity->gone) added.push_back(entity);
  }
  std::sort(added.begin(), added.end(), ById);
  out.reserve(before.size() + added.size());
  size_t next = 0;
  for (const Entity* entity : before) {
    entity = latest(entity);
    while (next < added.size() && ById(added[next], entity)) out.push_back(added[next++]);
    if (!entity->gone) out.push_back(entity);
  }
  out.insert(out.end(), added.begin() + static_cast<std::ptrdiff_t>(next), added.end());
  return out;
}

bool InOrder(const AccountFact& a, const AccountFact& b) {
  if (a.system != b.system) return a.system < b.system;
  int c = a.key.compare(b.key);
  return c != 0 ? c < 0 : a.person->id < b.person->id;
}

}  // namespace

uint64_t FactOverlay::HashOfText(uint32_t space, std::string_view text) {
  return KeyedHash(text) ^ (space + uint64_t{1}) * 0x9e3779b97f4a7c15u;
}

const Entity* FactOverlay::PersonAt(const FactTables& tables, uint32_t slot) const {
  const Entity* later =
      persons.Find(HashOfSlot(slot), [slot](const Entity& e) { return e.slot == slot; });
  if (later != nullptr) return later;
  return slot < tables.persons.size() ? tables.persons[slot] : nullptr;
}

const Entity* FactOverlay::ResourceAt(const FactTables& tables, uint32_t slot) const {
  const Entity* later =
      resources.Find(HashOfSlot(slot), [slot](const Entity& e) { return e.slot == slot; });
  if (later != nullptr) return later;
  return slot < tables.resources.size() ? tables.resources[slot] : nullptr;
}

uint32_t FactOverlay::PersonSlot(const FactTables& tables, std::string_view id) const {
  uint32_t slot = tables.person_ids.Find(0, id);
  if (slot != kNone) return slot;
  const AddedId* added = ids.Find(
      HashOfText(kNone, id), [id](const AddedId& a) { return a.space == kNone && a.id == id; });
  return added == nullptr ? kNone : added->slot;
}

uint32_t FactOverlay::ResourceSlot(const FactTables& tables, uint32_t type,
                                   std::string_view id) const {
  uint32_t slot = tables.resource_ids.Find(type, id);
  if (slot != kNone) return slot;
  const AddedId* added = ids.Find(HashOfText(type, id),
                                  [&](const AddedId& a) { return a.space == type && a.id == id; });
  return added == nullptr ? kNone : added->slot;
}

const Entity* FactOverlay::FindPerson(const FactTables& tables, std::string_view id) const {
  uint32_t slot = PersonSlot(tables, id);
  const Entity* person = slot == kNone ? nullptr : PersonAt(tables, slot);
  return person == nullptr || person->gone ? nullptr : person;
}

const Entity* FactOverlay::FindResource(const FactTables& tables, uint32_t type,
                                        std::string_view id) const {
  uint32_t slot = ResourceSlot(tables, type, id);
  const Entity* resource = slot == kNone ? nullptr : ResourceAt(tables, slot);
  return resource == nullptr || resource->gone ? nullptr : resource;
}

const AccountClaims* FactOverlay::FindClaims(uint32_t system, std::string_view key) const {
  return claims.Find(HashOfText(system, key),
                     [&](const AccountClaims& c) { return c.system == system && c.key == key; });
}

std::span<const Entity* const> FactOverlay::Persons(const FactTables& tables) const {
  std::call_once(lists->persons_made, [&] {
    lists->persons = Merge(
        tables.persons_sorted, [this](const Entity* e) { return Latest(e); },
        static_cast<uint32_t>(tables.persons.size()), person_slots,
        [&](uint32_t slot) { return PersonAt(tables, slot); });
  });
  return lists->persons;
}

std::span<const Entity* const> FactOverlay::Resources(const FactTables& tables,
                                                      uint32_t type) const {
  std::call_once(lists->resources_made, [&] {
    lists->resources.resize(tables.resources_sorted.size());
    for (uint32_t t = 0; t < lists->resources.size(); ++t) {
      lists->resources[t] = Merge(
          tables.resources_sorted[t], [this](const Entity* e) { return Latest(e); },
          static_cast<uint32_t>(tables.resources.size()), resource_slots,
          [&](uint32_t slot) -> const Entity* {
            const Entity* resource = ResourceAt(tables, slot);
            return resource != nullptr && resource->type == t ? resource : nullptr;
          });
    }
  });
  return lists->resources[type];
}

std::span<const AccountFact> FactOverlay::Accounts(const FactTables& tables) const {
  std::call_once(lists->accounts_made, [&] {
    std::map<std::pair<uint32_t, std::string_view>, std::span<const AccountFact>> later;
    claims.ForEach([&](const AccountClaims& c) { later[{c.system, c.key}] = c.claims; });
    for (const AccountFact& fact : tables.accounts) {
      if (FindClaims(fact.system, fact.key) == nullptr) lists->accounts.push_back(fact);
    }
    for (const auto& [key, facts] : later)
      lists->accounts.insert(lists->accounts.end(), facts.begin(), facts.end());
    std::sort(lists->accounts.begin(), lists->accounts.end(), InOrder);
  });
  return lists->accounts;
}

}  // namespace dpl
