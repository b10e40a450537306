// One patch while it is made. Only patch.cc and patch_apply.cc include it.
#pragma once

#include <optional>

#include "runtime/facts/builder.h"
#include "runtime/facts/overlay.h"
#include "runtime/facts/patch.h"

namespace dpl {

class FactsPatch final : public EntitySource {
 public:
  FactsPatch(const FactsPatcher& patcher, const Snapshot& now);

  // False: refused, or else to be built anew instead.
  bool Make(const FactsChanges& changes);
  std::unique_ptr<Snapshot> Finish(std::string version, Instant as_of);

  const Entity* Person(std::string_view id) override;
  const Entity* Resource(uint32_t type, std::string_view id) override;

 private:
  friend class FactsPatcher;
  using Row = FactsPatcher::Row;
  using Group = FactsPatcher::Group;
  using Deltas = std::unordered_map<uint32_t, int64_t>;

  // patch_apply.cc: what the changes ask for
  bool Refuse(Error error) {
    refused_ = std::move(error);
    return false;
  }
  bool Refuse(const Status& status) { return Refuse(status.error()); }
  bool Leave(const FactsChanges::Membership& change);
  bool Join(const FactsInput::Members& named, const FactsInput::Member& member, bool keep_later);
  bool Replace(const FactsInput::Members& members);
  bool RemoveClaims(uint32_t system, std::string_view key);
  bool RemovePerson(std::string_view id);
  bool RemoveResource(const FactsChanges::Key& key);
  bool PutPerson(const FactsInput::Person& input);
  bool PutResource(const FactsInput::Resource& input);
  bool PutAccount(const FactsInput::Account& input);
  uint32_t FindGroup(const std::string& key) const;
  uint32_t GroupOf(const FactsInput::Members& named);
  uint32_t NamedInFull(std::string_view type) const;

  // patch.cc: what follows from them
  bool Close();
  void CloseMembers(uint32_t slot);
  bool Levels();
  void Settle();
  int LevelOf(const Entity* person, bool before, int depth) const;
  int DepthOf(const Entity* resource, bool before) const;
  const Group& GroupAt(uint32_t group) const {
    return group < patcher_.groups_.size() ? patcher_.groups_[group]
                                           : groups_[group - patcher_.groups_.size()];
  }

  uint32_t EnsurePerson(std::string_view id);
  uint32_t EnsureResource(uint32_t type, std::string_view id);
  const Entity* PersonAt(uint32_t slot) const;
  const Entity* ResourceAt(uint32_t slot) const;
  Entity* MutablePerson(uint32_t slot);
  PersonFacts* FactsOf(uint32_t slot) {
    return const_cast<PersonFacts*>(MutablePerson(slot)->person);
  }
  Entity* MutableResource(uint32_t slot);
  std::vector<Row>& RowsOf(uint32_t slot);
  static std::string ClaimKey(uint32_t system, std::string_view key);
  std::vector<AccountFact>& ClaimsOf(uint32_t system, std::string_view key);

  const FactsPatcher& patcher_;
  const Snapshot& now_;
  const Program& program_;
  const Schema& schema_;
  const FactTables& tables_;
  std::shared_ptr<FactOverlay> next_;
  Arena& arena_;
  const Typing typing_;

  std::unordered_map<uint32_t, Entity*> persons_, resources_;  // records that are new, by slot
  std::unordered_map<uint32_t, std::vector<Row>> rows_;        // of persons who joined or left
  std::unordered_set<uint32_t> accounts_of_;                   // persons whose accounts changed
  struct Claims {
    uint32_t system;
    std::string_view key;  // in the arena
    std::vector<AccountFact> facts;
  };
  KeyedMap<Claims> claims_;
  KeyedMap<uint32_t> group_of_;
  std::vector<Group> groups_;
  Deltas person_refs_, resource_refs_;
  int person_levels_ = 0, resource_levels_ = 0;
  std::optional<Error> refused_;
  mutable int64_t level_steps_ = 1'000'000;
  int64_t closed_ = 0;
};

// Every entity that a value names: itself, or what a set or record holds.
template <class Each>
void EachReference(const Value& value, const Each& each) {
  if (value.kind == ValueKind::kPerson || value.kind == ValueKind::kResource) {
    each(*value.entity);
  } else if (value.kind == ValueKind::kSet || value.kind == ValueKind::kRecord) {
    for (uint32_t i = 0; i < value.n; ++i) EachReference(value.items[i], each);
  }
}
template <class Each>
void EachReference(const Entity& entity, size_t attributes, const Each& each) {
  for (size_t i = 0; entity.attributes != nullptr && i < attributes; ++i)
    EachReference(entity.attributes[i], each);
  if (entity.parent_state == Entity::Parent::kKnown) each(*entity.parent);
}

}  // namespace dpl
