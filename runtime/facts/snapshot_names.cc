// The program's side of a snapshot: wire names, agents, key patterns, and its constants linked to
// entities.
#include <algorithm>
#include <string>

#include "runtime/base/ip.h"
#include "runtime/base/keyed_hash.h"
#include "runtime/facts/builder.h"

namespace dpl {

Status SnapshotBuilder::Run() {
  DPL_RETURN_IF_ERROR(BuildNames());
  DPL_RETURN_IF_ERROR(MakeRecords());
  DPL_RETURN_IF_ERROR(LinkConstants());
  DPL_RETURN_IF_ERROR(FillPersons());
  DPL_RETURN_IF_ERROR(FillResources());
  DPL_RETURN_IF_ERROR(FillAccounts());
  DPL_RETURN_IF_ERROR(BuildTeams());
  DPL_RETURN_IF_ERROR(BuildMemberships());
  DPL_RETURN_IF_ERROR(BuildHoldings());
  DPL_RETURN_IF_ERROR(CheckPersonTree());
  DPL_RETURN_IF_ERROR(CheckParents());
  t_.approvers =
      FindApprovers(program_, constants_,
                    [](const Entity& person) -> const PersonFacts& { return *person.person; });
  SortEntities();
  return Status::Ok();
}

// Every name in full, and every ending of it after a dot where only one name has that ending.
void SnapshotBuilder::AddNames(uint32_t space, const std::vector<std::string_view>& names) {
  for (uint32_t i = 0; i < names.size(); ++i) t_.names.Add(space, names[i], i);
  std::vector<std::pair<std::string_view, uint32_t>> endings;
  for (uint32_t i = 0; i < names.size(); ++i) {
    for (size_t dot = names[i].find('.'); dot != std::string_view::npos;
         dot = names[i].find('.', dot + 1)) {
      endings.emplace_back(names[i].substr(dot + 1), i);
    }
  }
  std::sort(endings.begin(), endings.end());
  for (size_t i = 0; i < endings.size(); ++i) {
    bool shared = (i > 0 && endings[i - 1].first == endings[i].first) ||
                  (i + 1 < endings.size() && endings[i + 1].first == endings[i].first);
    t_.names.Add(space, endings[i].first, shared ? kNone : endings[i].second);
  }
}

// As many as there can be, so that the index is made once.
void SnapshotBuilder::ReserveNames() {
  size_t count = program_.statements.size() + 2 * schema_.systems.size();
  auto with_endings = [&](Str name) {
    std::string_view text = schema_.Text(name);
    count += 1 + static_cast<size_t>(std::count(text.begin(), text.end(), '.'));
  };
  for (const TeamDef& team : schema_.teams) with_endings(team.name);
  for (const RoleDef& role : schema_.roles) with_endings(role.name);
  for (uint32_t statement : program_.agent_statements)
    with_endings(program_.statements[statement].name);
  for (const Agent& agent : program_.agents) count += agent.runs_as.size();
  for (const ResourceDef& def : schema_.resources) count += 2 + def.actions.size();
  t_.names.Reserve(count);
}

void SnapshotBuilder::AddRunsAs() {
  for (uint32_t i = 0; i < program_.agents.size(); ++i) {
    for (Str text : program_.agents[i].runs_as) {
      std::string_view id = schema_.Text(text);
      if (id.empty()) continue;
      const uint32_t* taken = t_.names.Get(kRunsAsSpace, id);
      t_.names.Set(kRunsAsSpace, id, taken == nullptr || *taken == i ? i : kNone);
      t_.runs_as_segments |= SegmentsBit(std::count(id.begin(), id.end(), '/') + 1);
    }
  }
}

Status SnapshotBuilder::BuildNames() {
  ReserveNames();
  std::vector<std::string_view> names;
  for (const TeamDef& team : schema_.teams) names.push_back(schema_.Text(team.name));
  AddNames(kTeamSpace, names);
  names.clear();
  for (const RoleDef& role : schema_.roles) names.push_back(schema_.Text(role.name));
  AddNames(kRoleSpace, names);
  names.clear();
  for (uint32_t statement : program_.agent_statements) {
    names.push_back(schema_.Text(program_.statements[statement].name));
  }
  AddNames(kAgentSpace, names);
  t_.agents.reserve(names.size());
  for (std::string_view name : names) t_.agents.push_back({name, KeyedHash(name)});
  AddRunsAs();

  for (uint32_t i = 0; i < program_.statements.size(); ++i) {
    t_.names.Add(kStatementSpace, schema_.Text(program_.statements[i].name), i);
  }
  for (uint32_t i = 0; i < schema_.systems.size(); ++i) {
    t_.names.Add(kSystemSpace, schema_.Text(schema_.systems[i].name), i);
  }
  if (schema_.person.known_as.empty()) {
    t_.names.Add(kPersonWireSpace, "person", 0);
    t_.names.Add(kPersonWireSpace, "user", 0);
  }
  for (Str wire : schema_.person.known_as) t_.names.Add(kPersonWireSpace, schema_.Text(wire), 0);

  t_.key_patterns.resize(schema_.resources.size());
  for (uint32_t type = 0; type < schema_.resources.size(); ++type) {
    const ResourceDef& def = schema_.resources[type];
    t_.names.Add(kResourceSpace, schema_.Text(def.name), type);
    if (def.known_as.empty()) t_.names.Add(kResourceWireSpace, schema_.Text(def.name), type);
    for (Str wire : def.known_as) t_.names.Add(kResourceWireSpace, schema_.Text(wire), type);
    for (uint32_t action = 0; action < def.actions.size(); ++action) {
      t_.names.Add(kActionSpace + type, schema_.Text(def.actions[action].wire), action);
    }
    std::string_view source = schema_.Text(def.key_pattern);
    if (source.empty()) continue;
    Result<Pattern> pattern = Pattern::Compile(source);
    if (!pattern.ok()) {
      return Error{"program.pattern",
                   "the key of " + std::string(schema_.Text(def.name)) +
                       " has a pattern that does not compile: " + pattern.error().message};
    }
    t_.key_patterns[type].emplace(pattern.take());
  }
  return Status::Ok();
}

Status SnapshotBuilder::LinkConstants() {
  constants_.resize(program_.constants.size());
  // A set may stand before its elements, so sets come second; a set of sets is not a literal the
  // language has.
  for (bool sets : {false, true}) {
    for (size_t i = 0; i < program_.constants.size(); ++i) {
      const Constant& constant = program_.constants[i];
      if ((constant.kind == Constant::Kind::kSet) != sets) continue;
      Result<Value> value = LinkConstant(constant);
      if (!value.ok()) return value.error();
      constants_[i] = *value;
      if (constant.kind == Constant::Kind::kPerson) {
        FactsOf(*value->entity)->literal = static_cast<uint32_t>(i);
      }
    }
  }
  return Status::Ok();
}

Result<Value> SnapshotBuilder::LinkConstant(const Constant& constant) {
  using Kind = Constant::Kind;
  switch (constant.kind) {
    case Kind::kBool:
      return Value::Bool(constant.number != 0);
    case Kind::kInt:
      return Value::Int(ValueKind::kInt, constant.number);
    case Kind::kDecimal:
      return Value::Int(ValueKind::kDecimal, constant.number);
    case Kind::kMoney:
      return Value::Int(ValueKind::kMoney, constant.number, constant.extra);
    case Kind::kDate:
      return Value::Int(ValueKind::kDate, constant.number);
    case Kind::kDateTime:
      return Value::Int(ValueKind::kDateTime, constant.number);
    case Kind::kTime:
      return Value::Int(ValueKind::kTime, constant.number);
    case Kind::kDuration:
      return Value::Int(ValueKind::kDuration, constant.number);
    case Kind::kEnum:
      return Value::Int(ValueKind::kEnum, constant.number, constant.extra);
    case Kind::kTeam:
      return Value::Int(ValueKind::kTeam, constant.number);
    case Kind::kRole:
      return Value::Int(ValueKind::kRole, constant.number);
    case Kind::kAgent:
      return Value::Int(ValueKind::kAgent, constant.number);
    case Kind::kString:
    case Kind::kPattern:
      return Value::Text(ValueKind::kString, constant.text);
    case Kind::kPath:
      return Value::Text(ValueKind::kPath, constant.text);
    case Kind::kIp: {
      Result<IpPrefix> ip = ParseIpPrefix(constant.text);
      if (!ip.ok())
        return Error{"program.constant", "a constant is no IP address: " + ip.error().message};
      Value value;
      value.kind = ValueKind::kIp;
      value.ip = t_.arena.New<IpPrefix>(*ip);
      return value;
    }
    case Kind::kPerson:
      return Value::Of(ValueKind::kPerson, PersonEntity(constant.text));
    case Kind::kResource:
      return Value::Of(ValueKind::kResource, ResourceEntity(constant.extra, constant.text));
    case Kind::kSet: {
      uint32_t count = static_cast<uint32_t>(constant.elements.size());
      Value* items = t_.arena.NewArray<Value>(count);
      if (items == nullptr) return NoMemory();
      for (uint32_t i = 0; i < count; ++i) items[i] = constants_[constant.elements[i]];
      return Value::Items(ValueKind::kSet, items, MakeCanonicalSet(items, count));
    }
  }
  return Error{"program.constant", "a constant has no kind"};
}

void SnapshotBuilder::SortEntities() {
  auto by_id = [](const Entity* a, const Entity* b) { return a->id < b->id; };
  t_.persons_sorted.assign(t_.persons.begin(), t_.persons.end());
  std::sort(t_.persons_sorted.begin(), t_.persons_sorted.end(), by_id);
  t_.resources_sorted.resize(schema_.resources.size());
  for (const Entity* resource : t_.resources)
    t_.resources_sorted[resource->type].push_back(resource);
  for (auto& list : t_.resources_sorted) {
    list.shrink_to_fit();
    std::sort(list.begin(), list.end(), by_id);
  }
}

}  // namespace dpl
