// The inside of a Snapshot: where entities live and how names find them. Only the files of this
// room include it.
#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "runtime/base/arena.h"
#include "runtime/base/pattern.h"
#include "runtime/facts/snapshot.h"
#include "runtime/facts/text_index.h"

namespace dpl {

// Spaces of FactTables::names. An action's space is kActionSpace plus its resource type.
enum NameSpace : uint32_t {
  kResourceWireSpace,
  kPersonWireSpace,
  kAgentSpace,
  kRunsAsSpace,
  kStatementSpace,
  kTeamSpace,
  kRoleSpace,
  kSystemSpace,
  kResourceSpace,
  kActionSpace = 16,
};

// A team that holds another: `until` is when the last of the ways ends; `by_policy`: one way needs
// no fact.
struct TeamAbove {
  uint32_t team = kNone;
  Instant until = kMaxInstant;
  bool by_policy = false;
};

inline uint64_t SegmentsBit(int64_t segments) {
  return uint64_t{1} << (segments < 63 ? segments : 63);
}

// What a request reads of an agent before anything else of it.
struct AgentCard {
  std::string_view name;   // qualified
  uint64_t name_hash = 0;  // KeyedHash: what state finds its runs by
};

struct FactTables {
  Arena arena;
  TextIndex names;
  std::vector<AgentCard> agents;  // parallel to Program::agents
  uint64_t runs_as_segments =
      0;  // bit n: an agent runs as an id of n segments; the last bit: or more

  TextIndex person_ids;                     // -> persons
  TextIndex resource_ids;                   // space: resource type; -> resources
  std::vector<Entity*> persons, resources;  // in order of making
  std::vector<const Entity*> persons_sorted;
  std::vector<std::vector<const Entity*>> resources_sorted;  // per type

  std::vector<AccountFact> accounts;  // by system, key, person
  TextIndex account_keys;             // space: system; -> first of its run in `accounts`

  std::vector<std::vector<TeamAbove>> teams_above;   // per team, sorted by team
  std::vector<std::optional<Pattern>> key_patterns;  // per resource type
  struct Approver {
    Instant until = kMaxInstant;
    bool by_membership = false;
  };
  std::vector<Approver> approvers;  // per grant

  const Entity* FindPerson(std::string_view id) const {
    uint32_t i = person_ids.Find(0, id);
    return i == kNone ? nullptr : persons[i];
  }
  const Entity* FindResource(uint32_t type, std::string_view id) const {
    uint32_t i = resource_ids.Find(type, id);
    return i == kNone ? nullptr : resources[i];
  }
};

struct Snapshot::Tables : FactTables {};

// The canonical form of an id of this type, or why it is none. See Snapshot::CheckResourceId.
Result<std::string_view> CanonicalResourceId(const Schema& schema, const FactTables& tables,
                                             uint32_t type, std::string_view id);

}  // namespace dpl
