// Facts the other way round: from a team, a role, an attribute's value or a container to the
// entities that have it.
//
//   SearchIndex index(snapshot);
//   std::span<const uint32_t> staff = index.InTeam(team);   // ranks in snapshot->Persons()
//   std::span<const uint32_t> mine = index.ResourcesWith(type, owner, person_value);
//
// Every list is ascending and holds at least those that match; what it holds besides (another value
// of the same hash, a membership that has ended) is for the decision to sort out. Lists of several
// kinds are made when they are first asked for and then stay. Thread-safe; lives beside its
// snapshot.
#pragma once

#include <memory>
#include <span>

#include "runtime/facts/snapshot.h"

namespace dpl {

// Whether equal values of this kind are found by one hash. Sets, records, paths, addresses, labels
// and what is no value are not.
bool HashOfValue(const Value& value, uint64_t* hash);

class SearchIndex {
 public:
  using Ranks = std::span<const uint32_t>;

  explicit SearchIndex(std::shared_ptr<const Snapshot> snapshot);
  ~SearchIndex();
  SearchIndex(const SearchIndex&) = delete;
  SearchIndex& operator=(const SearchIndex&) = delete;

  const Snapshot& snapshot() const { return *snapshot_; }

  // Makes at once whatever `before`, of the same program, had been asked for: so that nobody waits
  // for it after a change of the facts.
  void WarmLike(const SearchIndex& before);

  // kNoRank: not among the persons, or the resources of its type.
  uint32_t RankOfPerson(std::string_view id) const;
  uint32_t RankOfResource(uint32_t type, std::string_view id) const;
  // The ranks of resources whose id begins so: [first, second).
  std::pair<uint32_t, uint32_t> RanksOfPrefix(uint32_t type, std::string_view prefix) const;

  Ranks InTeam(uint32_t team) const;
  Ranks InRole(uint32_t role) const;                         // somewhere
  Ranks InRoleAt(uint32_t role, const Entity* scope) const;  // there; null: everywhere

  // Those whose attribute has the value by fact; of an attribute that is a set, whose set has it.
  Ranks PersonsWith(uint32_t attribute, uint64_t hash) const;
  Ranks ResourcesWith(uint32_t type, uint32_t attribute, uint64_t hash) const;
  // Those of whose attribute no fact says anything.
  Ranks PersonsWithout(uint32_t attribute) const;
  Ranks ResourcesWithout(uint32_t type, uint32_t attribute) const;

  // Resources of `type` that are `container` or lie within it.
  Ranks Within(uint32_t type, const Entity& container) const;

 private:
  struct Parts;
  const std::shared_ptr<const Snapshot> snapshot_;
  std::unique_ptr<Parts> parts_;
};

}  // namespace dpl
