// The facts as the oracle reads them; see world.h.
#include "tests/oracle/world.h"

#include <algorithm>

#include "runtime/base/path.h"
#include "runtime/base/result.h"

namespace dpl::oracle {

using Kind = Val::Kind;

namespace {

std::vector<std::optional<Val>> TypeFields(const check::Model& model,
                                           const std::vector<AttributeDef>& defs,
                                           const std::vector<FactsInput::Field>& fields) {
  std::vector<std::optional<Val>> out(defs.size());
  for (const FactsInput::Field& field : fields) {
    for (size_t a = 0; a < defs.size(); ++a) {
      if (model.schema.Text(defs[a].name) != field.name) continue;
      out[a] = TypeWire(model, field.value, defs[a].type);
      DPL_CHECK(out[a].has_value());
    }
  }
  return out;
}

}  // namespace

World::World(const check::Model& model, const FactsInput& facts, Instant built_at,
             bool members_forever)
    : model_(model),
      schema_(model.schema),
      facts_(facts),
      as_of_(facts.as_of.value_or(built_at)),
      members_forever_(members_forever) {
  for (const FactsInput::Person& p : facts.persons) {
    persons_[p.id] = {p.status, p.left, TypeFields(model, schema_.person.attributes, p.fields)};
  }
  for (const FactsInput::Resource& r : facts.resources) {
    uint32_t type = FindResource(schema_, r.type);
    const ResourceDef& def = schema_.resources[type];
    Resource& out = resources_[{type, def.key_is_path ? NormalizePath(r.id).value() : r.id}];
    out.loaded = r.loaded;
    out.fields = TypeFields(model, def.attributes, r.fields);
    if (!r.parent_id.empty()) out.parent = MakeText(Kind::kResource, r.parent_id, def.parent_type);
    if (def.parent_attribute != kNone && out.fields[def.parent_attribute])
      out.parent = out.fields[def.parent_attribute];
  }
  for (const FactsInput::Members& m : facts.members) {
    Group group{m.is_role, m.is_role ? FindRole(schema_, m.name) : FindTeam(schema_, m.name),
                std::nullopt, &m};
    if (!m.scope_id.empty())
      group.scope = MakeText(Kind::kResource, m.scope_id, FindResource(schema_, m.scope_type));
    groups_.push_back(std::move(group));
  }
}

const World::Person* World::FindPerson(const std::string& id) const {
  auto at = persons_.find(id);
  return at == persons_.end() ? nullptr : &at->second;
}

bool World::PersonsFresh(Instant now) const {
  int64_t within = schema_.person.source_within_us;
  return facts_.has_persons && (within == 0 || now.us - as_of_.us <= within);
}
bool World::MembershipsFresh(Instant now) const {
  int64_t within = schema_.person.source_within_us;
  return facts_.has_memberships && (within == 0 || now.us - as_of_.us <= within);
}

// ---------------------------------------------------------------- attributes

// No fact: the default (without a record only of what a request may say, and of what is being
// made), absent for `T?`, the empty set of a loaded record, else ⊥missing.
Val World::Default(const AttributeDef& def, bool loaded, bool made) const {
  const TypeDef& type = schema_.types[def.type];
  bool stands = loaded || made || def.from_request;
  if (stands && def.default_constant != kNone) return FromConstant(model_, def.default_constant);
  if (type.optional) return MakeNumber(Kind::kAbsent, 0);
  if (type.kind == TypeKind::kSet && loaded) return MakeSet({});
  return Fail(Val::Err::kMissing);
}

Val World::PersonAttribute(const Val& person, uint32_t attribute, const Said& said,
                           Instant now) const {
  const AttributeDef& def = schema_.person.attributes[attribute];
  if (!PersonsFresh(now)) return Fail(Val::Err::kStale);
  const Person* record = FindPerson(person.s);
  if (record != nullptr && record->fields[attribute]) return *record->fields[attribute];
  if (person.of_request && attribute < said.person.size() && said.person[attribute])
    return *said.person[attribute];
  return Default(def, record != nullptr, false);
}

Val World::ResourceAttribute(const Val& resource, uint32_t attribute, const Said& said) const {
  const AttributeDef& def = schema_.resources[resource.x].attributes[attribute];
  auto at = resources_.find({resource.x, resource.s});
  bool loaded = at != resources_.end() && at->second.loaded;
  if (at != resources_.end() && at->second.fields[attribute]) return *at->second.fields[attribute];
  if (resource.of_request && attribute < said.resource.size() && said.resource[attribute])
    return *said.resource[attribute];
  if (!facts_.has_resources) return Fail(Val::Err::kStale);
  return Default(def, loaded, resource.of_request && said.makes);
}

bool World::Known(const Val& resource) const {
  auto at = resources_.find({resource.x, resource.s});
  return at != resources_.end() && at->second.loaded;
}

Val World::ParentOf(const Val& resource, const Said& said) const {
  const ResourceDef& def = schema_.resources[resource.x];
  Val root = MakeNumber(Kind::kAbsent, 0);
  if (!def.has_parent) return root;
  auto at = resources_.find({resource.x, resource.s});
  if (at != resources_.end() && at->second.parent) return *at->second.parent;
  if (resource.of_request && said.makes_in) return *said.makes_in;
  if (resource.of_request && said.parent) return *said.parent;
  if (!facts_.has_resources) return Fail(Val::Err::kStale);
  if (at != resources_.end() && at->second.loaded && def.parent_optional) return root;
  return Fail(Val::Err::kMissing);
}

// ---------------------------------------------------------------- containment

Truth World::ResourceIn(const Val& inner, const Val& outer, const Said& said) const {
  Val at = inner;
  for (int level = 0; level <= 16; ++level) {
    if (Same(at, outer) == Truth::kTrue) return Truth::kTrue;
    at = ParentOf(at, said);
    if (at.kind == Kind::kAbsent) return Truth::kFalse;
    if (!at.ok()) return Truth::kUnknown;
  }
  return Truth::kUnknown;
}

Truth World::PersonIn(const Val& inner, const Val& outer, const Said& said, Instant now,
                      int levels) const {
  if (inner.s == outer.s) return Truth::kTrue;
  if (levels == 0) return Truth::kUnknown;
  Truth found = Truth::kFalse;
  for (uint32_t attribute : schema_.person.within) {
    Val above = PersonAttribute(inner, attribute, said, now);
    if (above.kind == Kind::kAbsent) {
      if (FindPerson(inner.s) == nullptr) found = Or(found, Truth::kUnknown);
      continue;
    }
    found = Or(found, above.ok() ? PersonIn(above, outer, said, now, levels - 1) : Truth::kUnknown);
  }
  return found;
}

// ---------------------------------------------------------------- teams and roles

bool World::TeamHasTeam(uint32_t outer, uint32_t inner, Instant now, bool facts, int levels) const {
  if (outer == inner) return true;
  if (levels == 0) return false;
  for (uint32_t up : schema_.teams[inner].within) {
    if (TeamHasTeam(outer, up, now, facts, levels - 1)) return true;
  }
  for (const Group& group : groups_) {
    if (group.role || !facts) continue;
    for (const FactsInput::Member& m : group.members->members) {
      if (m.is_team && Live(m, now) && FindTeam(schema_, m.id) == inner &&
          TeamHasTeam(outer, group.index, now, facts, levels - 1)) {
        return true;
      }
    }
  }
  return false;
}

Truth World::InTeam(const std::string& person, uint32_t team, Instant now) const {
  if (!MembershipsFresh(now)) return Truth::kUnknown;
  for (const Group& group : groups_) {
    if (group.role) continue;
    for (const FactsInput::Member& m : group.members->members) {
      if (!m.is_team && m.id == person && Live(m, now) &&
          TeamHasTeam(team, group.index, now, true, 16))
        return Truth::kTrue;
    }
  }
  return Truth::kFalse;
}

Truth World::TeamInTeam(uint32_t inner, uint32_t outer, Instant now) const {
  if (TeamHasTeam(outer, inner, now, false, 16)) return Truth::kTrue;
  if (!MembershipsFresh(now)) return Truth::kUnknown;
  return TruthOf(TeamHasTeam(outer, inner, now, true, 16));
}

bool World::Includes(uint32_t role, uint32_t included) const {
  if (role == included) return true;
  const std::vector<uint32_t>& next = schema_.roles[role].includes;
  return std::any_of(next.begin(), next.end(), [&](uint32_t r) { return Includes(r, included); });
}

Truth World::HoldsByFacts(const std::string& person, uint32_t role, const Val* at, const Said& said,
                          Instant now) const {
  if (!MembershipsFresh(now)) return Truth::kUnknown;
  Truth holds = Truth::kFalse;
  for (const Group& group : groups_) {
    if (!group.role || !Includes(group.index, role)) continue;
    for (const FactsInput::Member& m : group.members->members) {
      if (!Live(m, now)) continue;
      bool is =
          m.is_team ? InTeam(person, FindTeam(schema_, m.id), now) == Truth::kTrue : m.id == person;
      if (!is) continue;
      if (!group.scope) return Truth::kTrue;
      if (at != nullptr) holds = Or(holds, ResourceIn(*at, *group.scope, said));
    }
  }
  return holds;
}

// ---------------------------------------------------------------- accounts and owners

std::vector<World::Account> World::Accounts(uint32_t system) const {
  std::vector<Account> out;
  for (const FactsInput::Account& a : facts_.accounts) {
    if (FindSystem(schema_, a.system) == system) out.push_back({a.key, a.person, a.checked});
  }
  return out;
}

bool World::Owns(const std::string& person, const OwnerDef& owner, Instant now, int levels) const {
  if (owner.person != kNone) return model_.constants[owner.person].text == person;
  if (owner.team == kNone || levels == 0) return false;
  return InTeam(person, owner.team, now) == Truth::kTrue ||
         Owns(person, schema_.teams[owner.team].owner, now, levels - 1);
}

bool World::ApproverOk(const check::StatementModel& grant, Instant now) const {
  if (grant.grant.approved_by == kNone) return true;
  const std::string& person = model_.constants[grant.grant.approved_by].text;
  for (const check::ClauseModel& clause : grant.clauses) {
    const std::vector<OwnerDef>& owners = schema_.resources[clause.type].owners;
    bool ok = std::any_of(owners.begin(), owners.end(),
                          [&](const OwnerDef& o) { return Owns(person, o, now, 16); });
    if (!ok) return false;
  }
  return true;
}

}  // namespace dpl::oracle
