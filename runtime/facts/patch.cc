// What a patcher knows of the facts, and what follows from a patch: memberships closed over teams
// and included roles, depths, approvers, and who is still named by anybody.
#include "runtime/facts/patch.h"

#include <algorithm>

#include "runtime/facts/patch_work.h"

namespace dpl {
namespace {

constexpr Instant kForever{INT64_MAX};
// Beyond this the tables are better made anew: an overlay of a quarter of them, or as much memory.
constexpr size_t kFewChanges = 65'536;
constexpr size_t kMostArena = size_t{64} << 20;
constexpr size_t kMuchClosed = kMostClosed / 2;

bool BeforeInScope(const Entity* a, const Entity* b) {
  if (a == nullptr || b == nullptr) return a == nullptr && b != nullptr;
  return a->type != b->type ? a->type < b->type : a->id < b->id;
}

}  // namespace

// ---------------------------------------------------------------- what there is

FactsPatcher::FactsPatcher(const Snapshot& snapshot, const FactsInput& facts) {
  usable_ = snapshot.overlay_ == nullptr;
  if (!usable_) return;
  const Schema& schema = snapshot.program().schema;
  const FactTables& tables = *snapshot.tables_;
  for (const FactsInput::Resource& resource : facts.resources) {
    const uint32_t type = tables.names.Find(kResourceSpace, resource.type);
    plain_resources_ = plain_resources_ && resource.loaded && type != kNone &&
                       schema.Text(schema.resources[type].name) == resource.type &&
                       tables.resource_ids.Find(type, resource.id) != kNone;
  }
  held_ = RolesHeld(schema);
  ReadGroups(snapshot, facts);
  CountReferences(snapshot);
  MeasureLevels(snapshot);
}

FactsPatcher::~FactsPatcher() = default;

void FactsPatcher::ReadGroups(const Snapshot& snapshot, const FactsInput& facts) {
  const Schema& schema = snapshot.program().schema;
  const FactTables& tables = *snapshot.tables_;
  roles_of_team_.resize(schema.teams.size());
  resource_refs_.assign(tables.resources.size(), 0);
  person_refs_.assign(tables.persons.size(), 0);
  struct Direct {
    uint32_t person;
    Row row;
  };
  std::vector<Direct> all;
  for (const FactsInput::Members& members : facts.members) {
    auto [at, fresh] =
        group_of_.try_emplace(KeyOfGroup(members), static_cast<uint32_t>(groups_.size()));
    if (fresh) {
      Group& group = groups_.emplace_back();
      group.is_role = members.is_role;
      group.index = tables.names.Find(members.is_role ? kRoleSpace : kTeamSpace, members.name);
      const RoleDef* role = members.is_role ? &schema.roles[group.index] : nullptr;
      if (role != nullptr && !role->scopes.empty()) {
        uint32_t type = role->scopes[0];
        if (!members.scope_type.empty() || role->scopes.size() > 1) {
          Result<uint32_t> named =
              NamedResourceType(schema, tables, members.scope_type, members.where);
          if (named.ok()) type = *named;
        }
        Result<std::string_view> id = CanonicalResourceId(schema, tables, type, members.scope_id);
        if (id.ok()) group.scope = tables.resource_ids.Find(type, *id);
        usable_ = usable_ && group.scope != kNone;
        if (group.scope != kNone) ++resource_refs_[group.scope];
      }
    }
    Group& group = groups_[at->second];
    for (const FactsInput::Member& member : members.members) {
      const Instant until = member.until.value_or(kForever);
      if (member.is_team) {
        group.has_teams = true;
        uint32_t team = tables.names.Find(kTeamSpace, member.id);
        if (members.is_role && team != kNone) roles_of_team_[team].push_back({at->second, until});
        continue;
      }
      uint32_t person = tables.person_ids.Find(0, member.id);
      usable_ = usable_ && person != kNone;
      if (person != kNone) all.push_back({person, {at->second, until}});
    }
  }
  // Twice the same member is one: it stays as long as the later of the two.
  std::sort(all.begin(), all.end(), [](const Direct& a, const Direct& b) {
    if (a.person != b.person) return a.person < b.person;
    return a.row.group != b.row.group ? a.row.group < b.row.group : a.row.until > b.row.until;
  });
  all.erase(std::unique(all.begin(), all.end(),
                        [](const Direct& a, const Direct& b) {
                          return a.person == b.person && a.row.group == b.row.group;
                        }),
            all.end());
  first_row_.assign(tables.persons.size() + 1, 0);
  rows_.reserve(all.size());
  for (const Direct& direct : all) {
    ++first_row_[direct.person + 1];
    ++person_refs_[direct.person];
    rows_.push_back(direct.row);
  }
  for (size_t i = 1; i < first_row_.size(); ++i) first_row_[i] += first_row_[i - 1];
}

void FactsPatcher::CountReferences(const Snapshot& snapshot) {
  const Schema& schema = snapshot.program().schema;
  const FactTables& tables = *snapshot.tables_;
  auto count = [this](const Entity& named) {
    ++(named.is_person ? person_refs_ : resource_refs_)[named.slot];
  };
  for (const Value& constant : *snapshot.constants_) EachReference(constant, count);
  for (const AccountFact& account : tables.accounts) count(*account.person);
  for (const Entity* person : tables.persons) {
    EachReference(*person, schema.person.attributes.size(), count);
    closed_ += person->person->teams.size() + person->person->roles.size();
  }
  for (const Entity* resource : tables.resources)
    EachReference(*resource, schema.resources[resource->type].attributes.size(), count);
  for (const Grant& grant : snapshot.program().grants) {
    if (grant.approved_by != kNone)
      approvers_.insert((*snapshot.constants_)[grant.approved_by].entity->slot);
  }
}

void FactsPatcher::MeasureLevels(const Snapshot& snapshot) {
  const FactTables& tables = *snapshot.tables_;
  const std::vector<uint32_t>& within = snapshot.program().schema.person.within;
  // From the top: nobody lies deeper than 16, so as many rounds settle everybody.
  std::vector<uint8_t> level(within.empty() ? 0 : tables.persons.size(), 0);
  for (bool moved = !level.empty(); moved;) {
    moved = false;
    for (uint32_t slot = 0; slot < level.size(); ++slot) {
      for (uint32_t attribute : within) {
        const Entity& person = *tables.persons[slot];
        if (person.attributes == nullptr || person.attributes[attribute].kind != ValueKind::kPerson)
          continue;
        const int above = level[person.attributes[attribute].entity->slot] + 1;
        if (above <= level[slot]) continue;
        level[slot] = static_cast<uint8_t>(above);
        person_levels_ = std::max(person_levels_, above);
        moved = true;
      }
    }
  }
  for (const Entity* resource : tables.resources) {
    int depth = 0;
    for (const Entity* at = resource->parent; at != nullptr; at = at->parent) ++depth;
    resource_levels_ = std::max(resource_levels_, depth);
  }
}

Result<std::unique_ptr<Snapshot>> FactsPatcher::Patch(const Snapshot& now,
                                                      const FactsChanges& changes,
                                                      std::string version, Instant as_of) {
  std::unique_ptr<Snapshot> nothing;
  last_.reset();
  if (!usable_ || closed_ > kMuchClosed) return nothing;
  if (now.overlay_ != nullptr) {
    const FactOverlay& laid = *now.overlay_;
    const FactTables& tables = *now.tables_;
    const size_t most =
        std::max(kFewChanges, (tables.persons.size() + tables.resources.size()) / 4);
    if (laid.persons.size() + laid.resources.size() + laid.claims.size() > most ||
        laid.arena->used() > kMostArena + tables.arena.used() / 2)
      return nothing;
  }
  auto patch = std::make_unique<FactsPatch>(*this, now);
  if (!patch->Make(changes)) {
    if (patch->refused_) return *patch->refused_;
    return nothing;
  }
  std::unique_ptr<Snapshot> next = patch->Finish(std::move(version), as_of);
  last_ = std::move(patch);
  return next;
}

void FactsPatcher::Accept() {
  DPL_CHECK(last_ != nullptr);
  FactsPatch& patch = *last_;
  for (auto& [key, group] : patch.group_of_) group_of_.emplace(key, group);
  groups_.insert(groups_.end(), patch.groups_.begin(), patch.groups_.end());
  for (auto& [slot, rows] : patch.rows_) changed_rows_[slot] = std::move(rows);
  auto add = [](std::vector<uint32_t>* refs, const FactsPatch::Deltas& deltas) {
    for (const auto& [slot, delta] : deltas) {
      if (slot >= refs->size()) refs->resize(slot + 1, 0);
      (*refs)[slot] = static_cast<uint32_t>((*refs)[slot] + delta);
    }
  };
  add(&person_refs_, patch.person_refs_);
  add(&resource_refs_, patch.resource_refs_);
  person_levels_ = patch.person_levels_;
  resource_levels_ = patch.resource_levels_;
  closed_ = static_cast<size_t>(static_cast<int64_t>(closed_) + patch.closed_);
  last_.reset();
}

// ---------------------------------------------------------------- one patch

FactsPatch::FactsPatch(const FactsPatcher& patcher, const Snapshot& now)
    : patcher_(patcher),
      now_(now),
      program_(now.program()),
      schema_(now.program().schema),
      tables_(*now.tables_),
      next_(now.overlay_ == nullptr ? std::make_shared<FactOverlay>()
                                    : std::make_shared<FactOverlay>(*now.overlay_)),
      arena_([this]() -> Arena& {
        if (next_->arena == nullptr) {
          next_->arena = std::make_shared<Arena>();
          next_->person_slots = static_cast<uint32_t>(tables_.persons.size());
          next_->resource_slots = static_cast<uint32_t>(tables_.resources.size());
        }
        return *next_->arena;
      }()),
      typing_{program_, tables_, this, &arena_, true},
      person_levels_(patcher.person_levels_),
      resource_levels_(patcher.resource_levels_) {
  next_->lists = std::make_shared<FactOverlay::Lists>();
}

const Entity* FactsPatch::PersonAt(uint32_t slot) const {
  auto made = persons_.find(slot);
  return made != persons_.end() ? made->second : next_->PersonAt(tables_, slot);
}
const Entity* FactsPatch::ResourceAt(uint32_t slot) const {
  auto made = resources_.find(slot);
  return made != resources_.end() ? made->second : next_->ResourceAt(tables_, slot);
}

Entity* FactsPatch::MutablePerson(uint32_t slot) {
  auto [at, fresh] = persons_.try_emplace(slot, nullptr);
  if (!fresh) return at->second;
  const Entity* before = next_->PersonAt(tables_, slot);
  Entity* entity = before == nullptr ? arena_.New<Entity>() : arena_.New<Entity>(*before);
  PersonFacts* facts =
      before == nullptr ? arena_.New<PersonFacts>() : arena_.New<PersonFacts>(*before->person);
  DPL_CHECK(entity != nullptr && facts != nullptr);
  entity->is_person = true;
  entity->slot = slot;
  entity->person = facts;
  entity->gone = false;
  return at->second = entity;
}

Entity* FactsPatch::MutableResource(uint32_t slot) {
  auto [at, fresh] = resources_.try_emplace(slot, nullptr);
  if (!fresh) return at->second;
  const Entity* before = next_->ResourceAt(tables_, slot);
  Entity* entity = before == nullptr ? arena_.New<Entity>() : arena_.New<Entity>(*before);
  DPL_CHECK(entity != nullptr);
  entity->slot = slot;
  entity->gone = false;
  return at->second = entity;
}

// Whoever comes back after being gone is as new: what went with the last record is all gone.
uint32_t FactsPatch::EnsurePerson(std::string_view id) {
  uint32_t slot = next_->PersonSlot(tables_, id);
  if (slot != kNone) {
    if (PersonAt(slot)->gone) (void)MutablePerson(slot);
    return slot;
  }
  slot = next_->person_slots++;
  Entity* person = MutablePerson(slot);
  person->id = arena_.Copy(id);
  AddedId* added = arena_.New<AddedId>(kNone, person->id, slot);
  DPL_CHECK(person->id.data() != nullptr && added != nullptr);
  next_->ids.Put(FactOverlay::HashOfText(kNone, person->id), added);
  return slot;
}

uint32_t FactsPatch::EnsureResource(uint32_t type, std::string_view id) {
  uint32_t slot = next_->ResourceSlot(tables_, type, id);
  if (slot != kNone) {
    if (ResourceAt(slot)->gone) (void)MutableResource(slot);
    return slot;
  }
  slot = next_->resource_slots++;
  Entity* resource = MutableResource(slot);
  resource->type = type;
  resource->id = arena_.Copy(id);
  if (!schema_.resources[type].has_parent) resource->parent_state = Entity::Parent::kRoot;
  AddedId* added = arena_.New<AddedId>(type, resource->id, slot);
  DPL_CHECK(resource->id.data() != nullptr && added != nullptr);
  next_->ids.Put(FactOverlay::HashOfText(type, resource->id), added);
  return slot;
}

const Entity* FactsPatch::Person(std::string_view id) { return PersonAt(EnsurePerson(id)); }
const Entity* FactsPatch::Resource(uint32_t type, std::string_view id) {
  return ResourceAt(EnsureResource(type, id));
}

std::vector<FactsPatch::Row>& FactsPatch::RowsOf(uint32_t slot) {
  auto [at, fresh] = rows_.try_emplace(slot);
  if (!fresh) return at->second;
  auto changed = patcher_.changed_rows_.find(slot);
  if (changed != patcher_.changed_rows_.end()) {
    at->second = changed->second;
  } else if (slot + 1 < patcher_.first_row_.size()) {
    at->second.assign(patcher_.rows_.begin() + patcher_.first_row_[slot],
                      patcher_.rows_.begin() + patcher_.first_row_[slot + 1]);
  }
  return at->second;
}

std::string FactsPatch::ClaimKey(uint32_t system, std::string_view key) {
  return std::to_string(system).append(" ").append(key);
}

std::vector<AccountFact>& FactsPatch::ClaimsOf(uint32_t system, std::string_view key) {
  auto [at, fresh] = claims_.try_emplace(ClaimKey(system, key));
  if (!fresh) return at->second.facts;
  std::span<const AccountFact> before = now_.FindAccounts(system, key);
  at->second.system = system;
  at->second.key = before.empty() ? arena_.Copy(key) : before[0].key;
  DPL_CHECK(at->second.key.data() != nullptr);
  at->second.facts.assign(before.begin(), before.end());
  return at->second.facts;
}

// ---------------------------------------------------------------- what follows

bool FactsPatch::Close() {
  for (const auto& [slot, rows] : rows_) CloseMembers(slot);
  for (auto& [key, claims] : claims_) {
    std::sort(
        claims.facts.begin(), claims.facts.end(),
        [](const AccountFact& a, const AccountFact& b) { return a.person->id < b.person->id; });
  }
  for (uint32_t slot : accounts_of_) {
    std::vector<AccountFact> own;
    for (const AccountFact& account : PersonAt(slot)->person->accounts) {
      if (!claims_.contains(ClaimKey(account.system, account.key))) own.push_back(account);
    }
    for (const auto& [key, claims] : claims_) {
      for (const AccountFact& claim : claims.facts) {
        if (claim.person->slot == slot) own.push_back(claim);
      }
    }
    std::sort(own.begin(), own.end(), [](const AccountFact& a, const AccountFact& b) {
      return a.system != b.system ? a.system < b.system : a.key < b.key;
    });
    AccountFact* list = arena_.NewArray<AccountFact>(own.size());
    DPL_CHECK(list != nullptr);
    std::copy(own.begin(), own.end(), list);
    FactsOf(slot)->accounts = {list, own.size()};
  }
  if (!Levels()) return false;
  Settle();
  return true;
}

// As SnapshotBuilder::BuildMemberships and BuildHoldings do it for everybody.
void FactsPatch::CloseMembers(uint32_t slot) {
  std::vector<Membership> teams;
  std::vector<Holding> roles;
  auto hold = [&](const Group& group, Instant until) {
    const Entity* scope = group.scope == kNone ? nullptr : ResourceAt(group.scope);
    for (uint32_t role : patcher_.held_[group.index]) roles.push_back({role, scope, until});
  };
  for (const Row& row : rows_[slot]) {
    const Group& group = GroupAt(row.group);
    if (group.is_role) {
      hold(group, row.until);
      continue;
    }
    teams.push_back({group.index, row.until});
    for (const TeamAbove& above : tables_.teams_above[group.index])
      teams.push_back({above.team, std::min(row.until, above.until)});
  }
  std::sort(teams.begin(), teams.end(), [](const Membership& a, const Membership& b) {
    return a.team != b.team ? a.team < b.team : a.until > b.until;
  });
  teams.erase(
      std::unique(teams.begin(), teams.end(),
                  [](const Membership& a, const Membership& b) { return a.team == b.team; }),
      teams.end());
  for (const Membership& membership : teams) {
    for (const FactsPatcher::TeamHolds& holds : patcher_.roles_of_team_[membership.team])
      hold(GroupAt(holds.group), std::min(holds.until, membership.until));
  }
  std::sort(roles.begin(), roles.end(), [](const Holding& a, const Holding& b) {
    if (a.role != b.role) return a.role < b.role;
    if (a.scope != b.scope) return BeforeInScope(a.scope, b.scope);
    return a.until > b.until;
  });
  roles.erase(std::unique(roles.begin(), roles.end(),
                          [](const Holding& a, const Holding& b) {
                            return a.role == b.role && a.scope == b.scope;
                          }),
              roles.end());
  PersonFacts* facts = FactsOf(slot);
  closed_ += static_cast<int64_t>(teams.size() + roles.size()) -
             static_cast<int64_t>(facts->teams.size() + facts->roles.size());
  Membership* team_list = arena_.NewArray<Membership>(teams.size());
  Holding* role_list = arena_.NewArray<Holding>(roles.size());
  DPL_CHECK(team_list != nullptr && role_list != nullptr);
  std::copy(teams.begin(), teams.end(), team_list);
  std::copy(roles.begin(), roles.end(), role_list);
  facts->teams = {team_list, teams.size()};
  facts->roles = {role_list, roles.size()};
}

// How many lie above, at most; more than 16 where it goes round. `before`: before this patch.
int FactsPatch::LevelOf(const Entity* person, bool before, int depth) const {
  int level = 0;
  if (depth > static_cast<int>(kMostLevels)) return level;
  if (--level_steps_ < 0) return static_cast<int>(kMostLevels) + 1;  // too many ways up
  for (uint32_t attribute : schema_.person.within) {
    if (person->attributes == nullptr) continue;
    const Value& value = person->attributes[attribute];
    if (value.kind != ValueKind::kPerson) continue;
    const Entity* above = before ? now_.Latest(value.entity) : PersonAt(value.entity->slot);
    level = std::max(level, 1 + LevelOf(above, before, depth + 1));
  }
  return level;
}

int FactsPatch::DepthOf(const Entity* resource, bool before) const {
  int depth = 0;
  while (resource->parent_state == Entity::Parent::kKnown &&
         depth <= static_cast<int>(kMostLevels)) {
    resource = before ? now_.Latest(resource->parent) : ResourceAt(resource->parent->slot);
    ++depth;
  }
  return depth;
}

// Whoever comes to lie deeper takes along what lies beneath: that is at most as deep as anything
// was, and so much more. False when that could be too deep; only the whole tells then.
bool FactsPatch::Levels() {
  for (const auto& [slot, person] : persons_) {
    if (schema_.person.within.empty()) break;
    const Entity* was = next_->PersonAt(tables_, slot);
    const int level = LevelOf(person, false, 0);
    const int more = level - (was == nullptr ? 0 : LevelOf(was, true, 0));
    person_levels_ = std::max(person_levels_, level);
    if (more > 0 && was != nullptr) person_levels_ += more;
  }
  for (const auto& [slot, resource] : resources_) {
    const Entity* was = next_->ResourceAt(tables_, slot);
    const int depth = DepthOf(resource, false);
    const int more = depth - (was == nullptr ? 0 : DepthOf(was, true));
    resource_levels_ = std::max(resource_levels_, depth);
    if (more > 0 && was != nullptr) resource_levels_ += more;
  }
  return person_levels_ <= static_cast<int>(kMostLevels) &&
         resource_levels_ <= static_cast<int>(kMostLevels);
}

// Who is named by nobody any more is not there at all; then everything is laid over.
void FactsPatch::Settle() {
  auto count = [this](const Entity* entity, size_t attributes, int64_t by) {
    if (entity == nullptr) return;
    EachReference(*entity, attributes, [&](const Entity& named) {
      (named.is_person ? person_refs_ : resource_refs_)[named.slot] += by;
    });
  };
  for (const auto& [slot, person] : persons_) {
    const size_t attributes = schema_.person.attributes.size();
    count(next_->PersonAt(tables_, slot), attributes, -1);
    count(person, attributes, 1);
    person_refs_.try_emplace(slot, 0);
  }
  for (const auto& [slot, resource] : resources_) {
    const size_t attributes = schema_.resources[resource->type].attributes.size();
    count(next_->ResourceAt(tables_, slot), attributes, -1);
    count(resource, attributes, 1);
    resource_refs_.try_emplace(slot, 0);
  }
  auto named = [](const std::vector<uint32_t>& before, uint32_t slot, int64_t delta) {
    return (slot < before.size() ? before[slot] : 0) + delta > 0;
  };
  for (const auto& [slot, delta] : person_refs_) {
    if (!PersonAt(slot)->loaded && !named(patcher_.person_refs_, slot, delta))
      MutablePerson(slot)->gone = true;
  }
  for (const auto& [slot, delta] : resource_refs_) {
    if (!ResourceAt(slot)->loaded && !named(patcher_.resource_refs_, slot, delta))
      MutableResource(slot)->gone = true;
  }
  bool approver = false;
  for (const auto& [slot, person] : persons_) {
    next_->persons.Put(FactOverlay::HashOfSlot(slot), person);
    approver = approver || patcher_.approvers_.contains(slot);
  }
  for (const auto& [slot, resource] : resources_)
    next_->resources.Put(FactOverlay::HashOfSlot(slot), resource);
  for (const auto& [name, claims] : claims_) {
    AccountFact* list = arena_.NewArray<AccountFact>(claims.facts.size());
    AccountClaims* all = arena_.New<AccountClaims>();
    DPL_CHECK(list != nullptr && all != nullptr);
    std::copy(claims.facts.begin(), claims.facts.end(), list);
    *all = {claims.system, claims.key, {list, claims.facts.size()}};
    next_->claims.Put(FactOverlay::HashOfText(all->system, all->key), all);
  }
  if (!approver) return;
  next_->approvers = std::make_shared<const std::vector<FactTables::Approver>>(
      FindApprovers(program_, *now_.constants_, [this](const Entity& person) -> const PersonFacts& {
        return *PersonAt(person.slot)->person;
      }));
}

std::unique_ptr<Snapshot> FactsPatch::Finish(std::string version, Instant as_of) {
  std::unique_ptr<Snapshot> snapshot = Snapshot::Renewed(now_, std::move(version), as_of);
  snapshot->overlay_ = std::move(next_);
  return snapshot;
}

}  // namespace dpl
