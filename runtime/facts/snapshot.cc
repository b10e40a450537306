// Look-ups on a finished snapshot: names, freshness, membership, containment, approvers.
#include "runtime/facts/snapshot.h"

#include <algorithm>

#include "runtime/base/path.h"
#include "runtime/base/text.h"
#include "runtime/facts/builder.h"
#include "runtime/facts/ids.h"
#include "runtime/facts/overlay.h"
#include "runtime/facts/tables.h"
#include "runtime/facts/typing.h"

namespace dpl {
namespace {

constexpr int kMaxLevels = 16;

// Entities of references that neither facts nor policy name live in the caller's arena.
class ArenaEntities final : public EntitySource {
 public:
  ArenaEntities(const Snapshot& snapshot, Arena* arena)
      : schema_(snapshot.program().schema), snapshot_(snapshot), arena_(arena) {}
  const Entity* Person(std::string_view id) override {
    const Entity* known = snapshot_.FindPerson(id);
    return known != nullptr ? known : Make(true, kNone, id);
  }
  const Entity* Resource(uint32_t type, std::string_view id) override {
    const Entity* known = snapshot_.FindResource(type, id);
    return known != nullptr ? known : Make(false, type, id);
  }

 private:
  const Entity* Make(bool is_person, uint32_t type, std::string_view id) {
    std::string_view copy = arena_->Copy(id);
    Entity* entity = copy.data() == nullptr ? nullptr : arena_->New<Entity>();
    if (entity == nullptr) return nullptr;
    entity->is_person = is_person;
    entity->type = type;
    entity->id = copy;
    if (!is_person && !schema_.resources[type].has_parent)
      entity->parent_state = Entity::Parent::kRoot;
    return entity;
  }

  const Schema& schema_;
  const Snapshot& snapshot_;
  Arena* arena_;
};

int CompareScope(const Entity& a, const Entity& b) {
  if (a.type != b.type) return a.type < b.type ? -1 : 1;
  return a.id.compare(b.id);
}

// Above a type that lies within nothing there is never anything, whoever made the entity.
Entity::Parent ParentState(const Schema& schema, const Entity& entity) {
  if (entity.parent_state == Entity::Parent::kNoFact && entity.type < schema.resources.size() &&
      !schema.resources[entity.type].has_parent) {
    return Entity::Parent::kRoot;
  }
  return entity.parent_state;
}

// Whether `holdings` (one role, sorted by scope) has `scope` in force.
bool HasScope(std::span<const Holding> holdings, const Entity& scope, Instant now) {
  auto at = std::lower_bound(holdings.begin(), holdings.end(), scope,
                             [](const Holding& h, const Entity& e) {
                               return h.scope == nullptr || CompareScope(*h.scope, e) < 0;
                             });
  return at != holdings.end() && SameEntity(*at->scope, scope) && now < at->until;
}

}  // namespace

Snapshot::Snapshot() : tables_(std::make_shared<Tables>()) {}
Snapshot::~Snapshot() = default;

Result<std::unique_ptr<Snapshot>> Snapshot::Build(std::shared_ptr<const Program> program,
                                                  const FactsInput& input, Instant built_at) {
  DPL_CHECK(program != nullptr);
  std::unique_ptr<Snapshot> snapshot(new Snapshot());
  snapshot->program_ = std::move(program);
  snapshot->facts_name_ = input.name;
  snapshot->facts_version_ = input.version.empty() ? "unversioned" : input.version;
  snapshot->as_of_ = input.as_of.value_or(built_at);
  snapshot->has_persons_ = input.has_persons;
  snapshot->has_memberships_ = input.has_memberships;
  snapshot->has_accounts_ = input.has_accounts;
  snapshot->has_resources_ = input.has_resources;
  auto constants = std::make_shared<std::vector<Value>>();
  SnapshotBuilder builder(*snapshot->program_, input, snapshot->tables_.get(), constants.get());
  DPL_RETURN_IF_ERROR(builder.Run());
  snapshot->constants_ = std::move(constants);
  return snapshot;
}

std::unique_ptr<Snapshot> Snapshot::Renewed(const Snapshot& from, std::string version,
                                            Instant as_of) {
  std::unique_ptr<Snapshot> snapshot(new Snapshot());
  snapshot->program_ = from.program_;
  snapshot->facts_name_ = from.facts_name_;
  snapshot->facts_version_ = std::move(version);
  snapshot->as_of_ = as_of;
  snapshot->has_persons_ = from.has_persons_;
  snapshot->has_memberships_ = from.has_memberships_;
  snapshot->has_accounts_ = from.has_accounts_;
  snapshot->has_resources_ = from.has_resources_;
  snapshot->constants_ = from.constants_;
  snapshot->tables_ = from.tables_;
  snapshot->overlay_ = from.overlay_;
  return snapshot;
}

// ---------------------------------------------------------------- names and ids

const Entity* Snapshot::LatestOf(const Entity* entity) const { return overlay_->Latest(entity); }

const Entity* Snapshot::FindPerson(std::string_view id) const {
  return overlay_ == nullptr ? tables_->FindPerson(id) : overlay_->FindPerson(*tables_, id);
}

const Entity* Snapshot::FindResource(uint32_t type, std::string_view id) const {
  return overlay_ == nullptr ? tables_->FindResource(type, id)
                             : overlay_->FindResource(*tables_, type, id);
}

std::span<const AccountFact> Snapshot::FindAccounts(uint32_t system, std::string_view key) const {
  if (overlay_ != nullptr) {
    if (const AccountClaims* claims = overlay_->FindClaims(system, key)) return claims->claims;
  }
  uint32_t first = tables_->account_keys.Find(system, key);
  if (first == kNone) return {};
  const std::vector<AccountFact>& all = tables_->accounts;
  size_t end = first;
  while (end < all.size() && all[end].system == system && all[end].key == key) ++end;
  return {all.data() + first, end - first};
}

uint32_t Snapshot::ResourceTypeOfWire(std::string_view wire) const {
  return tables_->names.Find(kResourceWireSpace, wire);
}
bool Snapshot::IsPersonWire(std::string_view wire) const {
  return tables_->names.Has(kPersonWireSpace, wire);
}
uint32_t Snapshot::ActionOfWire(uint32_t type, std::string_view wire) const {
  return tables_->names.Find(kActionSpace + type, wire);
}
uint32_t Snapshot::FindStatement(std::string_view qualified) const {
  return tables_->names.Find(kStatementSpace, qualified);
}

uint32_t Snapshot::FindAgent(std::string_view name) const {
  uint32_t found = tables_->names.Find(kAgentSpace, name);
  if (found != kNone || tables_->runs_as_segments == 0) return found;
  // The id itself or any id above it by path segment; the longest registered one wins, and one that
  // two agents claim names neither. Looked for where ids of so many segments are registered.
  if (const uint32_t* exact = tables_->names.Get(kRunsAsSpace, name)) return *exact;
  int64_t segments = 0;
  for (size_t at = 0; at < name.size(); ++at) {
    if (name[at] != '/' || (tables_->runs_as_segments & SegmentsBit(++segments)) == 0) continue;
    if (const uint32_t* above = tables_->names.Get(kRunsAsSpace, name.substr(0, at)))
      found = *above;
  }
  return found;
}

Result<std::string_view> CanonicalResourceId(const Schema& schema, const FactTables& tables,
                                             uint32_t type, std::string_view id) {
  const ResourceDef& def = schema.resources[type];
  const bool any_form = !def.key_is_path && !def.key_fold_ascii && !tables.key_patterns[type];
  if (any_form && !id.empty() && id.size() <= kMaxIdBytes && IsPlainJson(id)) return id;  // most
  Status status = CheckId(id);
  if (!status.ok()) return status.error();
  if (def.key_is_path) {
    Result<std::string_view> path = CheckPath(id);
    if (!path.ok()) return Error{"id.form", path.error().message};
    id = *path;
  }
  if (def.key_fold_ascii &&
      std::any_of(id.begin(), id.end(), [](char c) { return c >= 'A' && c <= 'Z'; })) {
    return Error{"id.form", "an id of this type is written in lower case"};
  }
  const std::optional<Pattern>& pattern = tables.key_patterns[type];
  if (pattern && !pattern->Matches(id)) {
    return Error{"id.form", "the id does not have the form its type declares"};
  }
  return id;
}

Result<std::string_view> Snapshot::CheckPersonId(std::string_view id) const {
  Status status = CheckId(id);
  if (!status.ok()) return status.error();
  return id;
}

Result<std::string_view> Snapshot::CheckResourceId(uint32_t type, std::string_view id) const {
  return CanonicalResourceId(program_->schema, *tables_, type, id);
}

Result<Value> Snapshot::TypeValue(const WireValue& wire, TypeId type, Arena* arena) const {
  ArenaEntities entities(*this, arena);
  return TypeWireValue(wire, type, Typing{*program_, *tables_, &entities, arena, false});
}

// ---------------------------------------------------------------- fetching ahead

bool Snapshot::Large() const {
  constexpr size_t kLarge = 16'384;
  return tables_->persons.size() > kLarge || tables_->agents.size() > kLarge / 4 ||
         program_->clauses.size() > kLarge;
}

void Snapshot::FetchNames(Fetch* fetch, std::string_view person, std::string_view agent) const {
  fetch->person = tables_->person_ids.FetchSlot(0, person);
  if (agent.empty()) return;
  fetch->agent = tables_->names.FetchSlot(kAgentSpace, agent);
  fetch->runs_as = tables_->names.FetchSlot(kRunsAsSpace, agent);
}

void Snapshot::FetchEntries(Fetch* fetch) const {
  tables_->person_ids.FetchEntry(&fetch->person);
  if (fetch->agent.hash == 0) return;
  tables_->names.FetchEntry(&fetch->agent);
  if (fetch->agent.entry == kNone) tables_->names.FetchEntry(&fetch->runs_as);
}

void Snapshot::FetchTexts(Fetch* fetch) const {
  fetch->person_slot = tables_->person_ids.FetchText(fetch->person);
  if (fetch->person_slot != kNone) __builtin_prefetch(&tables_->persons[fetch->person_slot]);
  if (fetch->agent.hash == 0) return;
  const bool named = fetch->agent.entry != kNone;
  fetch->agent_index = tables_->names.FetchText(named ? fetch->agent : fetch->runs_as);
  if (fetch->agent_index != kNone) __builtin_prefetch(&tables_->agents[fetch->agent_index]);
}

void Snapshot::FetchRecords(Fetch* fetch) const {
  if (fetch->person_slot != kNone) {
    fetch->entity = tables_->persons[fetch->person_slot];
    const char* at = reinterpret_cast<const char*>(fetch->entity);
    for (size_t line = 0; line < sizeof(Entity) + sizeof(PersonFacts); line += 64)
      __builtin_prefetch(at + line);
  }
  if (fetch->agent_index != kNone) {
    const AgentCard& card = tables_->agents[fetch->agent_index];
    fetch->agent_hash = card.name_hash;
    __builtin_prefetch(card.name.data());
  }
}

// ---------------------------------------------------------------- freshness

bool Snapshot::PersonsFresh(Instant now) const {
  int64_t bound = program_->schema.person.source_within_us;
  return has_persons_ && (bound == 0 || Subtract(now, as_of_).us <= bound);
}

// Memberships come with the persons: one source, one bound.
bool Snapshot::MembershipsFresh(Instant now) const {
  int64_t bound = program_->schema.person.source_within_us;
  return has_memberships_ && (bound == 0 || Subtract(now, as_of_).us <= bound);
}

// ---------------------------------------------------------------- membership

Truth Snapshot::InTeam(const Entity& person, uint32_t team, Instant now) const {
  if (!MembershipsFresh(now)) return Truth::kError;
  const PersonFacts* facts = Latest(&person)->person;
  if (facts == nullptr) return Truth::kFalse;
  std::span<const Membership> teams = facts->teams;
  auto at = std::lower_bound(teams.begin(), teams.end(), team,
                             [](const Membership& m, uint32_t t) { return m.team < t; });
  return at != teams.end() && at->team == team && now < at->until ? Truth::kTrue : Truth::kFalse;
}

Truth Snapshot::HoldsRole(const Entity& person, uint32_t role, const Entity* at, Instant now,
                          ErrorKind* error) const {
  if (!MembershipsFresh(now)) {
    if (error != nullptr) *error = ErrorKind::kMembership;
    return Truth::kError;
  }
  const PersonFacts* facts = Latest(&person)->person;
  if (facts == nullptr) return Truth::kFalse;
  std::span<const Holding> all = facts->roles;
  auto first = std::lower_bound(all.begin(), all.end(), role,
                                [](const Holding& h, uint32_t r) { return h.role < r; });
  auto last = first;
  while (last != all.end() && last->role == role) ++last;
  std::span<const Holding> held(first, last);
  bool scoped = false;
  for (const Holding& holding : held) {
    if (now >= holding.until) continue;
    if (holding.scope == nullptr) return Truth::kTrue;
    scoped = true;
  }
  if (!scoped || at == nullptr) return Truth::kFalse;
  at = Latest(at);
  for (int level = 0; level <= kMaxLevels; ++level) {
    if (HasScope(held, *at, now)) return Truth::kTrue;
    Entity::Parent state = ParentState(program_->schema, *at);
    if (state == Entity::Parent::kRoot) return Truth::kFalse;
    if (state == Entity::Parent::kNoFact) break;
    at = Latest(at->parent);
  }
  if (error != nullptr) *error = ErrorKind::kContainment;
  return Truth::kError;
}

Truth Snapshot::TeamInTeam(uint32_t inner, uint32_t outer, Instant now) const {
  if (inner == outer) return Truth::kTrue;
  const std::vector<TeamAbove>& above = tables_->teams_above[inner];
  auto at = std::lower_bound(above.begin(), above.end(), outer,
                             [](const TeamAbove& a, uint32_t t) { return a.team < t; });
  bool found = at != above.end() && at->team == outer;
  if (found && at->by_policy) return Truth::kTrue;
  if (!MembershipsFresh(now)) return Truth::kError;
  return found && now < at->until ? Truth::kTrue : Truth::kFalse;
}

// ---------------------------------------------------------------- containment

Truth Snapshot::ResourceIn(const Entity& inner, const Entity& outer) const {
  const Entity* at = Latest(&inner);
  for (int level = 0; level <= kMaxLevels; ++level) {
    if (SameEntity(*at, outer)) return Truth::kTrue;
    Entity::Parent state = ParentState(program_->schema, *at);
    if (state == Entity::Parent::kRoot) return Truth::kFalse;
    if (state == Entity::Parent::kNoFact) return Truth::kError;
    at = Latest(at->parent);
  }
  return Truth::kError;
}

size_t Snapshot::Above(const Entity& inner, std::array<const Entity*, kMostAbove>* out,
                       bool* known) const {
  static_assert(kMostAbove == kMaxLevels + 1);
  const Entity* at = Latest(&inner);
  *known = false;
  for (size_t count = 0; count < kMostAbove;) {
    (*out)[count++] = at;
    Entity::Parent state = ParentState(program_->schema, *at);
    *known = state == Entity::Parent::kRoot;
    if (state != Entity::Parent::kKnown) return count;
    at = Latest(at->parent);
  }
  return kMostAbove;
}

// Breadth first over every `within` attribute; a person whose superior is not on record leaves the
// answer open.
Truth Snapshot::PersonIn(const Entity& inner, const Entity& outer) const {
  const PersonDef& def = program_->schema.person;
  constexpr size_t kMaxSeen = 256;
  const Entity* seen[kMaxSeen];
  size_t count = 1, level_end = 1;
  seen[0] = Latest(&inner);
  bool open = false;
  int level = 0;
  for (size_t i = 0; i < count; ++i) {
    if (i == level_end) {
      level_end = count;
      if (++level > kMaxLevels) return Truth::kError;
    }
    const Entity& person = *seen[i];
    if (SameEntity(person, outer)) return Truth::kTrue;
    for (uint32_t attribute : def.within) {
      Value value = person.attributes == nullptr ? Value() : person.attributes[attribute];
      if (value.kind != ValueKind::kPerson) {
        bool top =
            value.kind == ValueKind::kAbsent ||
            (person.loaded && program_->schema.types[def.attributes[attribute].type].optional);
        if (!top) open = true;
        continue;
      }
      bool known = std::any_of(seen, seen + count,
                               [&](const Entity* e) { return SameEntity(*e, *value.entity); });
      if (known) continue;
      if (count == kMaxSeen) return Truth::kError;
      seen[count++] = Latest(value.entity);
    }
  }
  return open ? Truth::kError : Truth::kFalse;
}

// ---------------------------------------------------------------- approvers and lists

bool Snapshot::ApproverOk(uint32_t grant, Instant now) const {
  const FactTables::Approver& approver = overlay_ != nullptr && overlay_->approvers != nullptr
                                             ? (*overlay_->approvers)[grant]
                                             : tables_->approvers[grant];
  return now < approver.until && (!approver.by_membership || MembershipsFresh(now));
}

std::span<const Entity* const> Snapshot::Persons() const {
  return overlay_ == nullptr ? tables_->persons_sorted : overlay_->Persons(*tables_);
}
std::span<const Entity* const> Snapshot::Resources(uint32_t type) const {
  return overlay_ == nullptr ? tables_->resources_sorted[type]
                             : overlay_->Resources(*tables_, type);
}
std::span<const AccountFact> Snapshot::Accounts(uint32_t system) const {
  std::span<const AccountFact> all = tables_->accounts;
  if (overlay_ != nullptr) all = overlay_->Accounts(*tables_);
  auto from = std::partition_point(all.begin(), all.end(),
                                   [&](const AccountFact& a) { return a.system < system; });
  auto end = std::partition_point(from, all.end(),
                                  [&](const AccountFact& a) { return a.system == system; });
  return {from, end};
}

}  // namespace dpl
