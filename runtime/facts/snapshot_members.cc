// Who belongs where: teams within teams, memberships and role holdings closed over them, and
// approvers.
#include <algorithm>
#include <string>

#include "runtime/base/text.h"
#include "runtime/facts/builder.h"
#include "runtime/facts/ids.h"

namespace dpl {
namespace {

constexpr uint32_t kMaxLevels = kMostLevels;
constexpr size_t kMaxClosed = kMostClosed;
constexpr Instant kForever{INT64_MAX};

std::string Unknown(std::string_view kind, std::string_view name,
                    const std::vector<std::string_view>& names) {
  return "the policy declares no " + std::string(kind) + " " + Quote(name) +
         NearNameHint(name, names);
}

// Keeps one way up per team: the one that lasts longest.
void MergeAbove(std::vector<TeamAbove>* above) {
  std::sort(above->begin(), above->end(), [](const TeamAbove& a, const TeamAbove& b) {
    return a.team != b.team ? a.team < b.team : a.until > b.until;
  });
  size_t kept = 0;
  for (size_t i = 0; i < above->size(); ++i) {
    const TeamAbove& next = (*above)[i];
    if (kept > 0 && (*above)[kept - 1].team == next.team) {
      (*above)[kept - 1].by_policy |= next.by_policy;
    } else {
      (*above)[kept++] = next;
    }
  }
  above->resize(kept);
}

}  // namespace

// ---------------------------------------------------------------- teams

// From the outermost teams inwards: a team's list is its direct outer teams and theirs.
Status SnapshotBuilder::BuildTeams() {
  size_t count = schema_.teams.size();
  struct Edge {
    uint32_t outer;
    Instant until;
    bool by_policy;
    Where where;
  };
  std::vector<std::vector<Edge>> outer(count);
  std::vector<std::vector<uint32_t>> inner(count);
  for (uint32_t team = 0; team < count; ++team) {
    for (uint32_t up : schema_.teams[team].within) outer[team].push_back({up, kForever, true, {}});
  }
  std::vector<std::string_view> names;
  for (const TeamDef& team : schema_.teams) names.push_back(schema_.Text(team.name));
  for (const FactsInput::Members& members : input_.members) {
    if (members.is_role) continue;
    uint32_t team = t_.names.Find(kTeamSpace, members.name);
    if (team == kNone) return At(members.where, "facts.name", Unknown("team", members.name, names));
    if (!members.scope_id.empty() || !members.scope_type.empty()) {
      return At(members.where, "facts.type",
                "team " + members.name + " cannot be held in a resource; only a role can");
    }
    for (const FactsInput::Member& member : members.members) {
      if (!member.is_team) continue;
      uint32_t inside = t_.names.Find(kTeamSpace, member.id);
      if (inside == kNone) return At(member.where, "facts.name", Unknown("team", member.id, names));
      outer[inside].push_back({team, member.until.value_or(kForever), false, member.where});
    }
  }
  std::vector<size_t> open(count);
  std::vector<uint32_t> ready, level(count, 0);
  for (uint32_t team = 0; team < count; ++team) {
    open[team] = outer[team].size();
    if (open[team] == 0) ready.push_back(team);
    for (const Edge& edge : outer[team]) inner[edge.outer].push_back(team);
  }
  t_.teams_above.resize(count);
  for (size_t i = 0; i < ready.size(); ++i) {
    uint32_t team = ready[i];
    std::vector<TeamAbove>& above = t_.teams_above[team];
    for (const Edge& edge : outer[team]) {
      level[team] = std::max(level[team], level[edge.outer] + 1);
      if (level[team] > kMaxLevels) {
        return At(edge.where, "facts.depth",
                  "team " + std::string(names[team]) + " lies more than 16 teams deep");
      }
      above.push_back({edge.outer, edge.until, edge.by_policy});
      for (const TeamAbove& next : t_.teams_above[edge.outer]) {
        above.push_back(
            {next.team, std::min(edge.until, next.until), edge.by_policy && next.by_policy});
      }
    }
    MergeAbove(&above);
    for (uint32_t down : inner[team]) {
      if (--open[down] == 0) ready.push_back(down);
    }
  }
  if (ready.size() == count) return Status::Ok();
  // Somewhere above any team left over there is a circle; name a team and a fact in it.
  uint32_t team = 0;
  while (open[team] == 0) ++team;
  Where where;
  for (size_t step = 0; step < 2 * count; ++step) {
    for (const Edge& edge : outer[team]) {
      if (open[edge.outer] == 0) continue;
      if (edge.where.line != 0 && step >= count) where = edge.where;
      team = edge.outer;
      break;
    }
  }
  return At(where, "facts.cycle", "team " + std::string(names[team]) + " lies within itself");
}

Status SnapshotBuilder::BuildMemberships() {
  for (const FactsInput::Members& members : input_.members) {
    if (members.is_role) continue;
    uint32_t team = t_.names.Find(kTeamSpace, members.name);
    for (const FactsInput::Member& member : members.members) {
      if (member.is_team) continue;
      Result<Entity*> person = NamedPerson(member.id, member.where);
      if (!person.ok()) return person.error();
      uint32_t index = t_.person_ids.Find(0, member.id);
      Instant until = member.until.value_or(kForever);
      members_.push_back({index, team, until});
      for (const TeamAbove& above : t_.teams_above[team]) {
        members_.push_back({index, above.team, std::min(until, above.until)});
      }
      if (members_.size() > kMaxClosed) {
        return At(members.where, "facts.size",
                  "the teams have more than 50,000,000 members in all");
      }
    }
  }
  std::sort(members_.begin(), members_.end(), [](const TeamMember& a, const TeamMember& b) {
    if (a.person != b.person) return a.person < b.person;
    return a.team != b.team ? a.team < b.team : a.until > b.until;
  });
  members_.erase(std::unique(members_.begin(), members_.end(),
                             [](const TeamMember& a, const TeamMember& b) {
                               return a.person == b.person && a.team == b.team;
                             }),
                 members_.end());
  for (size_t i = 0; i < members_.size();) {
    size_t end = i;
    while (end < members_.size() && members_[end].person == members_[i].person) ++end;
    Membership* list = t_.arena.NewArray<Membership>(end - i);
    if (list == nullptr) return NoMemory();
    for (size_t k = i; k < end; ++k) list[k - i] = {members_[k].team, members_[k].until};
    person_facts_[members_[i].person]->teams = {list, end - i};
    i = end;
  }
  return Status::Ok();
}

// ---------------------------------------------------------------- roles

std::vector<std::vector<uint32_t>> RolesHeld(const Schema& schema) {
  std::vector<std::vector<uint32_t>> held(schema.roles.size());
  for (uint32_t role = 0; role < held.size(); ++role) {
    held[role].push_back(role);
    for (size_t i = 0; i < held[role].size(); ++i) {
      for (uint32_t next : schema.roles[held[role][i]].includes) {
        if (std::find(held[role].begin(), held[role].end(), next) == held[role].end())
          held[role].push_back(next);
      }
    }
  }
  return held;
}

Status SnapshotBuilder::BuildHoldings() {
  struct Row {
    uint32_t person, role;
    const Entity* scope;
    Instant until;
  };
  std::vector<Row> rows;
  std::vector<std::string_view> role_names, team_names;
  for (const RoleDef& role : schema_.roles) role_names.push_back(schema_.Text(role.name));
  for (const TeamDef& team : schema_.teams) team_names.push_back(schema_.Text(team.name));
  const std::vector<std::vector<uint32_t>> held = RolesHeld(schema_);
  bool by_team =
      std::any_of(input_.members.begin(), input_.members.end(), [](const FactsInput::Members& m) {
        return m.is_role && std::any_of(m.members.begin(), m.members.end(),
                                        [](const auto& one) { return one.is_team; });
      });
  if (by_team) {
    members_by_team_ = members_;
    std::sort(members_by_team_.begin(), members_by_team_.end(),
              [](const TeamMember& a, const TeamMember& b) {
                return a.team != b.team ? a.team < b.team : a.person < b.person;
              });
  }
  for (const FactsInput::Members& members : input_.members) {
    if (!members.is_role) continue;
    uint32_t role = t_.names.Find(kRoleSpace, members.name);
    if (role == kNone)
      return At(members.where, "facts.name", Unknown("role", members.name, role_names));
    const RoleDef& def = schema_.roles[role];
    if (def.where_code != kNone) {
      return At(members.where, "facts.type",
                "role " + members.name + " is computed; it takes no members");
    }
    const Entity* scope = nullptr;
    if (members.scope_id.empty() != def.scopes.empty()) {
      return At(members.where, "facts.type",
                "role " + members.name +
                    (def.scopes.empty() ? " is not held in a resource"
                                        : " is held in a resource; say in which"));
    }
    if (!def.scopes.empty()) {
      uint32_t type = def.scopes[0];
      if (!members.scope_type.empty() || def.scopes.size() > 1) {
        Result<uint32_t> named = NamedType(members.scope_type, members.where);
        if (!named.ok()) return named.error();
        type = *named;
      }
      if (std::find(def.scopes.begin(), def.scopes.end(), type) == def.scopes.end()) {
        return At(members.where, "facts.type",
                  "role " + members.name + " is not held in a " +
                      std::string(schema_.Text(schema_.resources[type].name)));
      }
      Result<std::string_view> id = CanonicalResourceId(schema_, t_, type, members.scope_id);
      if (!id.ok())
        return At(members.where, "facts.id", "role " + members.name + ": " + id.error().message);
      scope = ResourceEntity(type, *id);
    }
    auto add = [&](uint32_t person, Instant until) {
      for (uint32_t each : held[role]) rows.push_back({person, each, scope, until});
    };
    for (const FactsInput::Member& member : members.members) {
      Instant until = member.until.value_or(kForever);
      if (!member.is_team) {
        Result<Entity*> person = NamedPerson(member.id, member.where);
        if (!person.ok()) return person.error();
        add(t_.person_ids.Find(0, member.id), until);
        continue;
      }
      uint32_t team = t_.names.Find(kTeamSpace, member.id);
      if (team == kNone)
        return At(member.where, "facts.name", Unknown("team", member.id, team_names));
      auto at = std::lower_bound(members_by_team_.begin(), members_by_team_.end(), team,
                                 [](const TeamMember& m, uint32_t t) { return m.team < t; });
      for (; at != members_by_team_.end() && at->team == team; ++at) {
        add(at->person, std::min(until, at->until));
        if (rows.size() > kMaxClosed) break;
      }
    }
    if (rows.size() > kMaxClosed) {
      return At(members.where, "facts.size", "the roles have more than 50,000,000 holders in all");
    }
  }
  members_by_team_ = {};
  auto same_scope = [](const Entity* a, const Entity* b) { return a == b; };
  std::sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) {
    if (a.person != b.person) return a.person < b.person;
    if (a.role != b.role) return a.role < b.role;
    if (a.scope != b.scope) {
      if (a.scope == nullptr || b.scope == nullptr) return a.scope == nullptr;
      if (a.scope->type != b.scope->type) return a.scope->type < b.scope->type;
      return a.scope->id < b.scope->id;
    }
    return a.until > b.until;
  });
  rows.erase(std::unique(rows.begin(), rows.end(),
                         [&](const Row& a, const Row& b) {
                           return a.person == b.person && a.role == b.role &&
                                  same_scope(a.scope, b.scope);
                         }),
             rows.end());
  for (size_t i = 0; i < rows.size();) {
    size_t end = i;
    while (end < rows.size() && rows[end].person == rows[i].person) ++end;
    Holding* list = t_.arena.NewArray<Holding>(end - i);
    if (list == nullptr) return NoMemory();
    for (size_t k = i; k < end; ++k) list[k - i] = {rows[k].role, rows[k].scope, rows[k].until};
    person_facts_[rows[i].person]->roles = {list, end - i};
    i = end;
  }
  return Status::Ok();
}

// ---------------------------------------------------------------- approvers

namespace {

struct ApproverFinder {
  const Program& program;
  const std::vector<Value>& constants;
  const FactsOfPerson& facts_of;

  // Until when `person` is entitled to speak for `owner`: by being it, by owning the team, or as a
  // member.
  Instant Until(const Entity& person, const OwnerDef& owner, int depth, bool* by_membership) const {
    *by_membership = false;
    if (owner.person != kNone && SameEntity(*constants[owner.person].entity, person))
      return kForever;
    if (owner.team == kNone || depth > static_cast<int>(kMaxLevels)) return Instant{INT64_MIN};
    bool nested = false;
    Instant best = Until(person, program.schema.teams[owner.team].owner, depth + 1, &nested);
    *by_membership = nested;
    if (best == kForever && !nested) return best;
    for (const Membership& membership : facts_of(person).teams) {
      if (membership.team == owner.team && membership.until > best) {
        best = membership.until;
        *by_membership = true;
      }
    }
    return best;
  }
};

}  // namespace

std::vector<FactTables::Approver> FindApprovers(const Program& program,
                                                const std::vector<Value>& constants,
                                                const FactsOfPerson& facts_of) {
  const Schema& schema = program.schema;
  const ApproverFinder finder{program, constants, facts_of};
  std::vector<FactTables::Approver> approvers(program.grants.size());
  for (const Statement& statement : program.statements) {
    if (statement.kind != StatementKind::kGrant) continue;
    FactTables::Approver& approver = approvers[statement.detail];
    approver = {kForever, false};
    uint32_t constant = program.grants[statement.detail].approved_by;
    if (constant == kNone) continue;
    const Entity& person = *constants[constant].entity;
    for (uint32_t clause : statement.clauses) {
      const ResourceDef& def = schema.resources[program.clauses[clause].type];
      std::vector<OwnerDef> owners = def.owners;
      if (owners.empty() && def.system != kNone) owners.push_back(schema.systems[def.system].owner);
      if ((owners.empty() || owners[0] == OwnerDef()) && def.package != kNone) {
        owners.assign(1, OwnerDef{schema.packages[def.package].owner_team, kNone});
      }
      Instant best{INT64_MIN};
      bool best_by_membership = false;
      for (const OwnerDef& owner : owners) {
        bool by_membership = false;
        Instant until = finder.Until(person, owner, 0, &by_membership);
        if (until < best || (until == best && best_by_membership <= by_membership)) continue;
        best = until;
        best_by_membership = by_membership;
      }
      approver.until = std::min(approver.until, best);
      approver.by_membership |= best_by_membership;
    }
  }
  return approvers;
}

}  // namespace dpl
