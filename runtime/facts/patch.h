// Pushed changes made to a snapshot at a cost that goes by what they change, not by all there is.
//
//   FactsPatcher patcher(snapshot, document.facts());    // snapshot: built of these facts
//   Result<std::unique_ptr<Snapshot>> next = patcher.Patch(*snapshot, changes, version, as_of);
//   if (!next.ok()) …            // refused, as the document or Build() would
//   if (*next == nullptr) …      // not this way: apply the changes to the document and Build()
//   anew patcher.Accept();            // `next` is in force: later patches begin with it
//
// What comes out is what Build() would make of the document with the changes. What touches the
// structure (teams within teams, parents that would lie too deep, types named by another name, so
// much that the tables are better made anew) gives null, as does some of what is wrong; Build()
// then says what. The new snapshot shares the tables of the one it was made of; readers of that one
// are not disturbed. One thread at a time.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "runtime/facts/changes.h"
#include "runtime/facts/snapshot.h"

namespace dpl {

class FactsPatch;

class FactsPatcher {
 public:
  // Looks at everything once.
  FactsPatcher(const Snapshot& snapshot, const FactsInput& facts);
  ~FactsPatcher();

  Result<std::unique_ptr<Snapshot>> Patch(const Snapshot& now, const FactsChanges& changes,
                                          std::string version, Instant as_of);
  void Accept();

 private:
  friend class FactsPatch;
  // A list of members as it is written: the same team by two names is two groups.
  struct Group {
    bool is_role = false, has_teams = false;
    uint32_t index = kNone;  // team or role
    uint32_t scope = kNone;  // slot of the resource it is held in
  };
  struct Row {  // one member of a group
    uint32_t group = kNone;
    Instant until{};
  };
  struct TeamHolds {
    uint32_t group = kNone;
    Instant until{};
  };

  void ReadGroups(const Snapshot& snapshot, const FactsInput& facts);
  void CountReferences(const Snapshot& snapshot);
  void MeasureLevels(const Snapshot& snapshot);

  bool usable_ = true;
  bool plain_resources_ = true;  // each is written by the name and in the form that it has here
  KeyedMap<uint32_t> group_of_;
  std::vector<Group> groups_;
  std::vector<std::vector<TeamHolds>> roles_of_team_;
  std::vector<std::vector<uint32_t>> held_;
  // Direct memberships by person: those of the facts it was made of, in one run for each slot, and
  // in place of them those of persons who changed since.
  std::vector<uint32_t> first_row_;
  std::vector<Row> rows_;
  std::unordered_map<uint32_t, std::vector<Row>> changed_rows_;
  std::vector<uint32_t> person_refs_, resource_refs_;  // by slot: who else names it
  std::unordered_set<uint32_t> approvers_;             // slots of those who approve grants
  int person_levels_ = 0, resource_levels_ = 0;        // at most so many above anyone
  size_t closed_ = 0;                                  // memberships and holdings, about
  std::unique_ptr<FactsPatch> last_;
};

}  // namespace dpl
