// Facts the other way round: from a team, a role, an attribute's value or a container to the
// entities that have it.
//
//   SearchIndex index(snapshot);
//   index.InTeam(team);                          // ranks in snapshot->Persons()
//   index.ResourcesWith(type, owner, hash_of_person);
//
// Every list is ascending and holds at least those that match; what it holds besides (another value
// of the same hash, a membership that has ended) is for the decision to sort out. Lists of several
// kinds are made when they are first asked for and then stay: at once where there are few entities,
// else by a thread of the index's own, and until that has them the answer is nothing. Thread-safe;
// lives beside its snapshot, and keeps the plans of searches that have another page to come.
#pragma once

#include <memory>
#include <optional>
#include <span>

#include "runtime/facts/snapshot.h"

namespace dpl {

class PlanCache;

// Whether equal values of this kind are found by one hash. Sets, records, paths, addresses, labels
// and what is no value are not.
bool HashOfValue(const Value& value, uint64_t* hash);

class SearchIndex {
 public:
  using Ranks = std::span<const uint32_t>;
  using Found = std::optional<Ranks>;  // nothing: not made yet
  static constexpr uint32_t kAnyNumber = UINT32_MAX;

  // `at_once`: a list of more entities than that is made in the background.
  explicit SearchIndex(std::shared_ptr<const Snapshot> snapshot, uint32_t at_once = kAnyNumber);
  ~SearchIndex();
  SearchIndex(const SearchIndex&) = delete;
  SearchIndex& operator=(const SearchIndex&) = delete;

  const Snapshot& snapshot() const { return *snapshot_; }

  // Has whatever `before`, of the same program, had been asked for made again: so that nobody waits
  // for it after a change of the facts. What takes long is made in the background.
  void WarmLike(const SearchIndex& before);
  // Waits until everything that was asked for is made.
  void Settle() const;
  PlanCache& plans() const { return *plans_; }

  // kNoRank: not among the persons, or the resources of its type.
  uint32_t RankOfPerson(std::string_view id) const;
  uint32_t RankOfResource(uint32_t type, std::string_view id) const;
  // The ranks of resources whose id begins so: [first, second).
  std::pair<uint32_t, uint32_t> RanksOfPrefix(uint32_t type, std::string_view prefix) const;

  Found InTeam(uint32_t team) const;
  Found InRole(uint32_t role) const;                         // somewhere
  Found InRoleAt(uint32_t role, const Entity* scope) const;  // there; null: everywhere

  // Those whose attribute has the value by fact; of an attribute that is a set, whose set has it.
  Found PersonsWith(uint32_t attribute, uint64_t hash) const;
  Found ResourcesWith(uint32_t type, uint32_t attribute, uint64_t hash) const;
  // Those of whose attribute no fact says anything.
  Found PersonsWithout(uint32_t attribute) const;
  Found ResourcesWithout(uint32_t type, uint32_t attribute) const;

  // Resources of `type` that are `container` or lie within it.
  Found Within(uint32_t type, const Entity& container) const;

 private:
  struct Parts;
  template <class Part, class Walk>
  Found Look(Part* part, size_t entities, const Walk& walk, uint64_t key) const;

  const std::shared_ptr<const Snapshot> snapshot_;
  const uint32_t at_once_;
  std::unique_ptr<PlanCache> plans_;
  std::unique_ptr<Parts> parts_;  // last: its thread ends first
};

}  // namespace dpl
