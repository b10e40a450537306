// Changes to facts, record by record: what a feed pushes instead of a whole file. The form is
// documented in docs/facts.md.
//
//   Result<FactsChanges> changes = ReadFactsChanges(*root);   // shape only, like ReadFactsJson
//   FactsDocument document(facts);                            // a file as it was read
//   Status applied = document.Apply(*changes);
//   Result<…> snapshot = Snapshot::Build(program, document.facts(), now);
//   if (applied.ok() && snapshot.ok()) document.Accept();     // else: throw the document away
//
// Removals come first, so that one call can replace what it removes. Removing what is not there is
// an error: a feed that is wrong about what it takes away is told so. A person who is removed
// takes its memberships and accounts along.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/keyed_hash.h"
#include "runtime/facts/snapshot.h"

namespace dpl {

struct FactsChanges {
  using Where = FactsInput::Where;
  struct Key {
    std::string first, second;  // person's id; system and key; type and id
    Where where;
  };
  struct Membership {
    FactsInput::Members group;  // team or role, with its scope; `members` is empty
    FactsInput::Member member;
  };
  std::string version;           // of the facts after these changes; empty: not given
  std::optional<Instant> as_of;  // as of then every feed is complete; absent: as before
  // Put in the place of what has the same key: persons, accounts (by system and key), resources,
  // whole teams and roles.
  FactsInput upsert;
  std::vector<Membership> join, leave;
  std::vector<Key> persons, accounts, resources;  // removed
  size_t count() const;
};

// What tells one list of members from another: its kind, name and scope as they are written.
std::string KeyOfGroup(const FactsInput::Members& group);

// What a removal of what is not there is told, and changes to a feed that is not loaded.
Error NoSuchMember(const FactsChanges::Membership& change);
Error NoSuchAccount(const FactsChanges::Key& key);
Error NoSuchResource(const FactsChanges::Key& key);
Error NoSuchPerson(const FactsChanges::Key& key);
struct FeedsLoaded {
  bool persons, memberships, accounts, resources;
};
Status CheckFeeds(const FactsChanges& changes, const FeedsLoaded& loaded);

// The values point to what `root` was parsed into. Codes as those of ReadFactsJson.
Result<FactsChanges> ReadFactsChanges(const WireValue& root);

// Facts that can be changed. Owns copies of everything. One thread.
class FactsDocument {
 public:
  explicit FactsDocument(FactsInput facts);
  FactsDocument(const FactsDocument&) = delete;
  FactsDocument& operator=(const FactsDocument&) = delete;

  const FactsInput& facts() const { return facts_; }
  void set_version(std::string version) { facts_.version = std::move(version); }

  // Codes: facts.unknown (what is to be removed is not there), facts.feed (the facts have no such
  // section, and a change does not make one). After an error only
  // some of the changes are made, and the document is good for nothing any more.
  Status Apply(const FactsChanges& changes);
  // What was applied is part of the facts now and has no place in a text.
  void Accept();

  // Until Accept, lines of what was applied are counted from here, so that a complaint of
  // Snapshot::Build tells a mistake in the changes from one in the facts that were there before.
  static constexpr uint32_t kPushed = uint32_t{1} << 30;

 private:
  using Index = KeyedMap<uint32_t>;
  struct GroupIndex {
    uint32_t group = 0;  // in facts_.members
    Index of;            // member to its place in the group
  };

  GroupIndex* Group(const FactsInput::Members& named, bool make);
  Status Leave(const FactsChanges::Membership& change);
  void Join(const FactsChanges::Membership& change);
  Status RemoveAccounts(const FactsChanges::Key& key);
  void ForgetPersons(const KeyedSet& ids);
  std::vector<FactsInput::Field> Keep(const std::vector<FactsInput::Field>& fields);

  FactsInput facts_;
  Index persons_, resources_;
  KeyedMap<std::vector<uint32_t>> accounts_;
  KeyedMap<GroupIndex> groups_;  // those that were asked for
  struct Touched {
    std::vector<std::string> persons, resources, accounts, groups;
  } touched_;
};

}  // namespace dpl
