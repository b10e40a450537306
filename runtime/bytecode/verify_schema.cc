// The vocabulary of a program: constants, types and everything declared.
#include <algorithm>

#include "runtime/base/decimal.h"
#include "runtime/base/instant.h"
#include "runtime/base/ip.h"
#include "runtime/base/money.h"
#include "runtime/base/path.h"
#include "runtime/bytecode/constant.h"
#include "runtime/bytecode/opcode.h"
#include "runtime/bytecode/verify_parts.h"

namespace dpl::verify {
namespace {

constexpr const char* kIndex = "bundle.index";
constexpr const char* kValue = "bundle.value";

bool InRange(int64_t value, int64_t low, int64_t high) { return low <= value && value <= high; }

// ---------------------------------------------------------------- constants

Status OneConstant(const Program& program, uint32_t i) {
  const Constant& c = program.constants[i];
  const Schema& schema = program.schema;
  bool has_text = false, has_extra = false;
  switch (c.kind) {
    case Constant::Kind::kBool:
      DPL_NEED(InRange(c.number, 0, 1), kValue, "constant {}: a bool is 0 or 1", i);
      break;
    case Constant::Kind::kInt:
    case Constant::Kind::kDuration:
      break;
    case Constant::Kind::kDecimal:
      DPL_NEED(InRange(c.number, -kDecimalMax, kDecimalMax), kValue,
               "constant {}: the decimal is out of range", i);
      break;
    case Constant::Kind::kMoney:
      has_extra = true;
      DPL_NEED(c.extra <= UINT16_MAX && CurrencyDigits(static_cast<uint16_t>(c.extra)) >= 0, kValue,
               "constant {}: unknown currency", i);
      break;
    case Constant::Kind::kDate:
      DPL_NEED(InRange(c.number, kMinDate.days, kMaxDate.days), kValue,
               "constant {}: the date is out of range", i);
      break;
    case Constant::Kind::kDateTime:
      DPL_NEED(InRange(c.number, kMinInstant.us, kMaxInstant.us), kValue,
               "constant {}: the time is out of range", i);
      break;
    case Constant::Kind::kTime:
      DPL_NEED(InRange(c.number, 0, kMicrosPerDay - 1), kValue,
               "constant {}: the time of day is out of range", i);
      break;
    case Constant::Kind::kEnum:
      has_extra = true;
      DPL_NEED(c.extra < schema.enums.size(), kIndex, "constant {}: no such enum", i);
      DPL_NEED(
          c.number >= 0 && static_cast<uint64_t>(c.number) < schema.enums[c.extra].members.size(),
          kIndex, "constant {}: no such member", i);
      break;
    case Constant::Kind::kTeam:
      DPL_NEED(c.number >= 0 && static_cast<uint64_t>(c.number) < schema.teams.size(), kIndex,
               "constant {}: no such team", i);
      break;
    case Constant::Kind::kRole:
      DPL_NEED(c.number >= 0 && static_cast<uint64_t>(c.number) < schema.roles.size(), kIndex,
               "constant {}: no such role", i);
      break;
    case Constant::Kind::kAgent:
      DPL_NEED(c.number >= 0 && static_cast<uint64_t>(c.number) < program.agents.size(), kIndex,
               "constant {}: no such agent", i);
      break;
    case Constant::Kind::kString:
      has_text = true;
      break;
    case Constant::Kind::kPattern:
      has_text = has_extra = true;
      DPL_NEED(c.extra <= 1, kValue, "constant {}: a pattern is for like or matches", i);
      break;
    case Constant::Kind::kPath: {
      has_text = true;
      Result<std::string_view> path = CheckPath(c.text);
      DPL_NEED(path.ok() && *path == c.text, kValue,
               "constant {}: the path is not in its canonical form", i);
      break;
    }
    case Constant::Kind::kIp: {
      has_text = true;
      Result<IpPrefix> ip = ParseIpPrefix(c.text);
      DPL_NEED(ip.ok() && FormatIp(*ip) == c.text, kValue,
               "constant {}: the address is not in its canonical form", i);
      break;
    }
    case Constant::Kind::kPerson:
      has_text = true;
      DPL_NEED(!c.text.empty(), kValue, "constant {}: a person without an id", i);
      break;
    case Constant::Kind::kResource:
      has_text = has_extra = true;
      DPL_NEED(c.extra < schema.resources.size(), kIndex, "constant {}: no such resource type", i);
      DPL_NEED(!c.text.empty(), kValue, "constant {}: a resource without an id", i);
      break;
    case Constant::Kind::kSet: {
      DPL_NEED(c.elements.size() <= kMaxSetElements, kValue, "constant {}: more than {} elements",
               i, kMaxSetElements);
      for (uint32_t element : c.elements) {
        DPL_NEED(element < program.constants.size(), kIndex,
                 "constant {}: an element is no constant", i);
        const Constant& e = program.constants[element];
        const Constant& first = program.constants[c.elements[0]];
        DPL_NEED(e.kind != Constant::Kind::kSet && e.kind != Constant::Kind::kPattern, kValue,
                 "constant {}: a set holds plain values", i);
        DPL_NEED(e.kind == first.kind && e.extra == first.extra, kValue,
                 "constant {}: elements of two types", i);
      }
      DPL_NEED(c.number == 0, kValue, "constant {}: a number where none belongs", i);
      break;
    }
  }
  DPL_NEED(has_text || c.text.empty(), kValue, "constant {}: a text where none belongs", i);
  DPL_NEED(has_extra || c.extra == 0, kValue, "constant {}: an index where none belongs", i);
  DPL_NEED(!has_text || c.number == 0, kValue, "constant {}: a number where none belongs", i);
  DPL_NEED(c.kind == Constant::Kind::kSet || c.elements.empty(), kValue,
           "constant {}: elements where none belong", i);
  return Status::Ok();
}

// ---------------------------------------------------------------- schema

class SchemaCheck {
 public:
  explicit SchemaCheck(const Program& program) : p_(program), s_(program.schema) {}

  Status Run() {
    DPL_RETURN_IF_ERROR(Types());
    DPL_RETURN_IF_ERROR(Zones());
    DPL_RETURN_IF_ERROR(Packages());
    DPL_RETURN_IF_ERROR(Calendars());
    DPL_RETURN_IF_ERROR(Person());
    DPL_RETURN_IF_ERROR(Attributes(s_.context, "context"));
    DPL_RETURN_IF_ERROR(TeamsAndRoles());
    DPL_RETURN_IF_ERROR(Systems());
    DPL_RETURN_IF_ERROR(Activities());
    return Resources();
  }

 private:
  bool Text(Str x) const { return x < s_.strings.size(); }
  bool Named(Str x) const { return x != 0 && Text(x); }
  bool Type(TypeId x) const { return x < s_.types.size(); }
  bool OptionalConstant(uint32_t x, TypeId type) const {
    return x == kNone || ConstantFits(p_, x, type);
  }
  bool Package(uint32_t x) const { return x < s_.packages.size(); }
  bool Owner(const OwnerDef& o) const {
    bool team = o.team == kNone || o.team < s_.teams.size();
    bool person = o.person == kNone || (o.person < p_.constants.size() &&
                                        p_.constants[o.person].kind == Constant::Kind::kPerson);
    return team && person;
  }
  template <class Def>
  bool Ascending(const std::vector<Def>& defs) const {
    for (size_t i = 1; i < defs.size(); ++i) {
      if (!(s_.Text(defs[i - 1].name) < s_.Text(defs[i].name))) return false;
    }
    return true;
  }

  Status Types() {
    for (size_t i = 0; i < s_.types.size(); ++i) {
      const TypeDef& t = s_.types[i];
      size_t limit = 0;
      switch (t.kind) {
        case TypeKind::kEnum:
          limit = s_.enums.size();
          break;
        case TypeKind::kRecord:
          limit = s_.records.size();
          break;
        case TypeKind::kResource:
          limit = s_.resources.size();
          break;
        case TypeKind::kSet:
          limit = s_.types.size();
          break;
        default:
          DPL_NEED(t.index == kNone, kIndex, "type {}: an index where none belongs", i);
          continue;
      }
      DPL_NEED(t.index < limit, kIndex, "type {} refers to something that is not there", i);
    }
    for (size_t i = 0; i < s_.enums.size(); ++i) {
      const EnumDef& e = s_.enums[i];
      DPL_NEED(Named(e.name) &&
                   std::all_of(e.members.begin(), e.members.end(), [&](Str m) { return Named(m); }),
               kIndex, "enum {}: a name is missing", i);
    }
    for (size_t i = 0; i < s_.records.size(); ++i) {
      const RecordDef& r = s_.records[i];
      bool ok = r.names.size() == r.types.size() && r.names.size() <= kMaxStack;
      for (size_t k = 0; ok && k < r.names.size(); ++k) ok = Named(r.names[k]) && Type(r.types[k]);
      DPL_NEED(ok, kIndex, "record {}: its fields are not well-formed", i);
    }
    // Sets and records nest at most kMaxTypeDepth deep: level by level from those that hold nothing
    // else.
    std::vector<bool> known(s_.types.size(), false);
    size_t left = s_.types.size();
    for (uint32_t depth = 0; depth <= kMaxTypeDepth && left != 0; ++depth) {
      std::vector<bool> before = known;
      for (size_t i = 0; i < s_.types.size(); ++i) {
        if (known[i]) continue;
        const TypeDef& t = s_.types[i];
        bool ready = true;
        if (t.kind == TypeKind::kSet) ready = before[t.index];
        if (t.kind == TypeKind::kRecord) {
          for (TypeId field : s_.records[t.index].types) ready = ready && before[field];
        }
        if (!ready) continue;
        known[i] = true;
        --left;
      }
    }
    DPL_NEED(left == 0, "bundle.cycle", "types are nested in a circle or more than {} deep",
             kMaxTypeDepth);
    return Status::Ok();
  }

  Status Zones() {
    DPL_NEED(!s_.zones.empty() && s_.zones[0].name == "UTC" && s_.zones[0].transitions.empty() &&
                 s_.zones[0].initial_offset == 0,
             kValue, "zone 0 is not UTC");
    for (size_t i = 0; i < s_.zones.size(); ++i) {
      const ZoneTable& zone = s_.zones[i];
      DPL_NEED(zone.Valid() && !zone.name.empty(), kValue,
               "zone {} is no valid table of a time zone", i);
      DPL_NEED(i == 0 || !zone.version.empty(), kValue,
               "zone {} does not name its time-zone database", i);
      DPL_NEED(i < 2 || s_.zones[i - 1].name < zone.name, "bundle.order",
               "zones are not in the order of their names");
    }
    return Status::Ok();
  }

  Status Packages() {
    for (size_t i = 0; i < s_.packages.size(); ++i) {
      const PackageDef& package = s_.packages[i];
      DPL_NEED(Named(package.name), kIndex, "package {} has no name", i);
      DPL_NEED(package.owner_team == kNone || package.owner_team < s_.teams.size(), kIndex,
               "package {}: no such team", i);
      DPL_NEED(package.zone < s_.zones.size(), kIndex, "package {}: no such zone", i);
      DPL_NEED(package.file < std::max<size_t>(p_.sources.size(), 1), kIndex,
               "package {}: no such source", i);
    }
    return Status::Ok();
  }

  Status Calendars() {
    for (size_t i = 0; i < s_.calendars.size(); ++i) {
      const CalendarDef& c = s_.calendars[i];
      DPL_NEED(Named(c.name) && c.zone < s_.zones.size(), kIndex,
               "calendar {}: its name or zone is missing", i);
      for (const CalendarDef::Open& open : c.open) {
        DPL_NEED(open.days != 0 && open.days <= 0x7f && InRange(open.from_us, 0, kMicrosPerDay) &&
                     InRange(open.to_us, 0, kMicrosPerDay),
                 kValue, "calendar {}: opening hours out of range", i);
      }
      for (size_t k = 0; k < c.closed.size(); ++k) {
        DPL_NEED(InRange(c.closed[k], kMinDate.days, kMaxDate.days), kValue,
                 "calendar {}: a closed day out of range", i);
        DPL_NEED(k == 0 || c.closed[k - 1] < c.closed[k], "bundle.order",
                 "calendar {}: closed days are not in order", i);
      }
    }
    return Status::Ok();
  }

  Status Attributes(const std::vector<AttributeDef>& list, std::string_view where) {
    for (size_t i = 0; i < list.size(); ++i) {
      const AttributeDef& a = list[i];
      DPL_NEED(Named(a.name) && Named(a.wire) && Type(a.type), kIndex,
               "{}: attribute {} is not well-formed", where, i);
      DPL_NEED(OptionalConstant(a.default_constant, a.type), kValue,
               "{}: the default of attribute {} has another type", where, i);
    }
    return Status::Ok();
  }

  Status Person() {
    const PersonDef& person = s_.person;
    DPL_NEED(Text(person.key_name) && Text(person.source) &&
                 std::all_of(person.known_as.begin(), person.known_as.end(),
                             [&](Str x) { return Named(x); }),
             kIndex, "person: a name is missing");
    DPL_NEED(IsSpanOfTime(person.source_within_us), kValue,
             "person: its freshness is out of range");
    DPL_RETURN_IF_ERROR(Attributes(person.attributes, "person"));
    for (uint32_t a : person.within) {
      DPL_NEED(a < person.attributes.size() &&
                   s_.types[person.attributes[a].type].kind == TypeKind::kPerson,
               kIndex, "person: what it lies within is no attribute of type Person");
    }
    return Status::Ok();
  }

  Status TeamsAndRoles() {
    for (size_t i = 0; i < s_.teams.size(); ++i) {
      const TeamDef& team = s_.teams[i];
      DPL_NEED(Named(team.name) && Package(team.package) && Owner(team.owner), kIndex,
               "team {} is not well-formed", i);
      for (uint32_t w : team.within)
        DPL_NEED(w < s_.teams.size(), kIndex, "team {} lies within a team that is not there", i);
    }
    DPL_NEED(Ascending(s_.teams), "bundle.order", "teams are not in the order of their names");
    DPL_NEED(
        IsAcyclic(s_.teams.size(),
                  [&](uint32_t t) -> const std::vector<uint32_t>& { return s_.teams[t].within; }),
        "bundle.cycle", "teams lie within each other in a circle");
    for (size_t i = 0; i < s_.roles.size(); ++i) {
      const RoleDef& role = s_.roles[i];
      DPL_NEED(Named(role.name) && Package(role.package) && Owner(role.owner), kIndex,
               "role {} is not well-formed", i);
      for (uint32_t r : role.includes)
        DPL_NEED(r < s_.roles.size(), kIndex, "role {} includes a role that is not there", i);
      for (uint32_t r : role.scopes)
        DPL_NEED(r < s_.resources.size(), kIndex, "role {} is held at a type that is not there", i);
      DPL_NEED(role.where_code == kNone || role.where_code < p_.codes.size(), kIndex,
               "role {}: no such code", i);
    }
    DPL_NEED(Ascending(s_.roles), "bundle.order", "roles are not in the order of their names");
    DPL_NEED(
        IsAcyclic(s_.roles.size(),
                  [&](uint32_t r) -> const std::vector<uint32_t>& { return s_.roles[r].includes; }),
        "bundle.cycle", "roles include each other in a circle");
    return Status::Ok();
  }

  Status Systems() {
    for (size_t i = 0; i < s_.systems.size(); ++i) {
      const SystemDef& system = s_.systems[i];
      DPL_NEED(Named(system.name) && Package(system.package) && Owner(system.owner) &&
                   Text(system.boundary) && Text(system.account_key) && Text(system.link_by),
               kIndex, "system {} is not well-formed", i);
      DPL_NEED(IsSpanOfTime(system.checked_within_us), kValue,
               "system {}: its freshness is out of range", i);
    }
    DPL_NEED(Ascending(s_.systems), "bundle.order", "systems are not in the order of their names");
    return Status::Ok();
  }

  Status Activities() {
    for (size_t i = 0; i < s_.activities.size(); ++i) {
      const ActivityDef& a = s_.activities[i];
      DPL_NEED(Named(a.name) && Package(a.package) && Owner(a.owner) && Text(a.agree_within),
               kIndex, "activity {} is not well-formed", i);
      for (const MeasureDef& m : a.measures) {
        DPL_NEED(Named(m.name) && Type(m.type), kIndex, "activity {}: a measure is not well-formed",
                 i);
      }
    }
    DPL_NEED(Ascending(s_.activities), "bundle.order",
             "activities are not in the order of their names");
    return Status::Ok();
  }

  Status Resources() {
    for (size_t i = 0; i < s_.resources.size(); ++i) {
      DPL_RETURN_IF_ERROR(
          Resource(s_.resources[i],
                   std::string(Text(s_.resources[i].name) ? s_.Text(s_.resources[i].name) : "?")));
    }
    DPL_NEED(Ascending(s_.resources), "bundle.order",
             "resource types are not in the order of their names");
    return Status::Ok();
  }

  Status Resource(const ResourceDef& r, const std::string& name) {
    DPL_NEED(Named(r.name) && Named(r.key_name) && Text(r.key_pattern) &&
                 r.system < s_.systems.size() && Package(r.package) &&
                 std::all_of(r.known_as.begin(), r.known_as.end(), [&](Str x) { return Named(x); }),
             kIndex, "resource {} is not well-formed", name);
    DPL_RETURN_IF_ERROR(Attributes(r.attributes, name));
    if (r.has_parent) {
      DPL_NEED(r.parent_type < s_.resources.size(), kIndex, "resource {}: no such parent type",
               name);
      if (r.parent_attribute != kNone) {
        DPL_NEED(r.parent_attribute < r.attributes.size(), kIndex,
                 "resource {}: no such parent attribute", name);
        const TypeDef& type = s_.types[r.attributes[r.parent_attribute].type];
        DPL_NEED(type.kind == TypeKind::kResource && type.index == r.parent_type, kIndex,
                 "resource {}: the parent attribute has another type", name);
      }
    }
    for (size_t i = 0; i < r.actions.size(); ++i) {
      const ActionDef& action = r.actions[i];
      DPL_NEED(Named(action.name) && Named(action.wire), kIndex,
               "resource {}: action {} has no name", name, i);
      DPL_NEED(action.params.size() <= kMaxParams, "bundle.size",
               "resource {}: action {} has more than {} parameters", name, i, kMaxParams);
      for (size_t k = 0; k < action.params.size(); ++k) {
        const ParamDef& param = action.params[k];
        DPL_NEED(Named(param.name) && Named(param.wire) && Type(param.type), kIndex,
                 "resource {}: a parameter of action {} is not well-formed", name, i);
        DPL_NEED(OptionalConstant(param.default_constant, param.type), kValue,
                 "resource {}: the default of a parameter of action {} has another type", name, i);
        for (size_t j = 0; j < k; ++j) {
          DPL_NEED(action.params[j].name != param.name, "bundle.value",
                   "resource {}: action {} has a parameter twice", name, i);
        }
      }
      for (uint32_t a : action.activities)
        DPL_NEED(a < s_.activities.size(), kIndex, "resource {}: no such activity", name);
    }
    bool owners =
        std::all_of(r.owners.begin(), r.owners.end(), [&](const OwnerDef& o) { return Owner(o); });
    for (const SubtreeOwner& subtree : r.subtrees) {
      bool entity = subtree.container < p_.constants.size() &&
                    p_.constants[subtree.container].kind == Constant::Kind::kResource;
      owners = owners && entity &&
               std::all_of(subtree.owners.begin(), subtree.owners.end(),
                           [&](const OwnerDef& o) { return Owner(o); });
    }
    DPL_NEED(owners, kIndex, "resource {}: an owner is not there", name);
    return Status::Ok();
  }

  const Program& p_;
  const Schema& s_;
};

}  // namespace

Status Constants(const Program& program) {
  for (uint32_t i = 0; i < program.constants.size(); ++i)
    DPL_RETURN_IF_ERROR(OneConstant(program, i));
  // The same thing twice would have two keys in the index, and a decision looks for one.
  std::vector<uint32_t> order(program.constants.size());
  for (uint32_t i = 0; i < order.size(); ++i) order[i] = i;
  auto key = [&](uint32_t i) {
    const Constant& c = program.constants[i];
    return std::tie(c.kind, c.extra, c.number, c.text, c.elements);
  };
  std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) { return key(a) < key(b); });
  for (size_t i = 1; i < order.size(); ++i) {
    DPL_NEED(key(order[i - 1]) != key(order[i]), kValue, "constants {} and {} are the same",
             order[i - 1], order[i]);
  }
  return Status::Ok();
}

bool ConstantFits(const Program& program, uint32_t constant, TypeId type) {
  if (constant >= program.constants.size() || type >= program.schema.types.size()) return false;
  const Constant& c = program.constants[constant];
  const TypeDef& t = program.schema.types[type];
  switch (c.kind) {
    case Constant::Kind::kBool:
      return t.kind == TypeKind::kBool;
    case Constant::Kind::kInt:
      return t.kind == TypeKind::kInt;
    case Constant::Kind::kDecimal:
      return t.kind == TypeKind::kDecimal;
    case Constant::Kind::kMoney:
      return t.kind == TypeKind::kMoney;
    case Constant::Kind::kString:
      return t.kind == TypeKind::kString;
    case Constant::Kind::kDate:
      return t.kind == TypeKind::kDate;
    case Constant::Kind::kDateTime:
      return t.kind == TypeKind::kDateTime;
    case Constant::Kind::kTime:
      return t.kind == TypeKind::kTime;
    case Constant::Kind::kDuration:
      return t.kind == TypeKind::kDuration;
    case Constant::Kind::kEnum:
      return t.kind == TypeKind::kEnum && t.index == c.extra;
    case Constant::Kind::kPath:
      return t.kind == TypeKind::kPath;
    case Constant::Kind::kIp:
      return t.kind == TypeKind::kIp;
    case Constant::Kind::kPerson:
      return t.kind == TypeKind::kPerson;
    case Constant::Kind::kResource:
      return t.kind == TypeKind::kResource && t.index == c.extra;
    case Constant::Kind::kTeam:
      return t.kind == TypeKind::kTeam;
    case Constant::Kind::kRole:
      return t.kind == TypeKind::kRole;
    case Constant::Kind::kAgent:
      return t.kind == TypeKind::kAgent;
    case Constant::Kind::kPattern:
      return false;
    case Constant::Kind::kSet:
      // All elements are of one type, and never sets themselves.
      return t.kind == TypeKind::kSet &&
             (c.elements.empty() || ConstantFits(program, c.elements[0], t.index));
  }
  return false;
}

Status SchemaParts(const Program& program) { return SchemaCheck(program).Run(); }

}  // namespace dpl::verify
