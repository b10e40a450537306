// The vocabulary of a policy set: types, attributes, systems, resources, actions, teams, roles,
// agents' names, calendars.
//
// Built by compiler/check from declarations, carried inside a Program, read by the facts loader,
// the request typer, the virtual machine, the oracle and the writers of answers. Plain data; every
// cross-reference is an index into one of the vectors here, `kNone` where absent. Names are indices
// into `Schema::strings`.
//
// Order of every vector is the order of qualified names where a name exists, so that equal sources
// give equal bytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/span.h"
#include "runtime/base/zone.h"

namespace dpl {

using Str = uint32_t;     // index into Schema::strings; 0 is the empty string
using TypeId = uint32_t;  // index into Schema::types
constexpr uint32_t kNone = 0xffffffffu;

enum class TypeKind : uint8_t {
  kBool,
  kInt,
  kDecimal,
  kMoney,
  kString,
  kDate,
  kDateTime,
  kTime,
  kDuration,
  kEnum,
  kSet,
  kRecord,
  kPath,
  kIp,
  kLabels,
  kPerson,
  kAgent,
  kTeam,
  kRole,
  kTask,
  kResource,
};
struct TypeDef {
  TypeKind kind = TypeKind::kBool;
  uint32_t index =
      kNone;  // kEnum: enums; kRecord: records; kResource: resources; kSet: TypeId of the element
  bool optional = false;  // T?
  bool operator==(const TypeDef&) const = default;
};
struct EnumDef {
  Str name = 0;
  bool ordered = false;
  std::vector<Str> members;
};
struct RecordDef {
  std::vector<Str> names;
  std::vector<TypeId> types;
};

// An attribute of a person, a resource or the context.
struct AttributeDef {
  Str name = 0;
  Str wire = 0;  // name on the wire; equals `name` unless `as "…"`
  TypeId type = 0;
  bool from_request = false;
  uint32_t default_constant = kNone;  // Program::constants
  Span span;
};
struct PersonDef {
  Str key_name = 0;
  bool declared = false;
  std::vector<Str> known_as;  // wire types; default "person", "user"
  std::vector<AttributeDef> attributes;
  std::vector<uint32_t> within;  // attributes of type Person that place a person under another
  Str source = 0;
  int64_t source_within_us = 0;  // 0: no staleness bound
};
struct OwnerDef {           // a team, or a person
  uint32_t team = kNone;    // teams
  uint32_t person = kNone;  // Program::constants (an entity constant)
  bool operator==(const OwnerDef&) const = default;
};
struct SystemDef {
  Str name = 0;
  uint32_t package = kNone;
  OwnerDef owner;
  Str boundary = 0;
  bool has_account = false;
  Str account_key = 0;
  Str link_by = 0;
  int64_t checked_within_us = 0;
  Span span;
};
struct ParamDef {
  Str name = 0;
  Str wire = 0;
  TypeId type = 0;
  uint32_t default_constant = kNone;
  bool must_be_limited = false;
};
struct ActionDef {
  Str name = 0;
  Str wire = 0;
  std::vector<ParamDef> params;  // own parameters, then measures inherited from its activities
  std::vector<uint32_t> activities;
  bool makes = false;  // creates the resource it names
};
struct SubtreeOwner {
  uint32_t container = kNone; /*constants: entity*/
  std::vector<OwnerDef> owners;
  Span span;
};
struct ResourceDef {
  Str name = 0;  // "docs.Document"
  uint32_t system = kNone;
  uint32_t package = kNone;
  std::vector<Str> known_as;  // wire types; default the qualified name
  Str key_name = 0;
  bool key_is_path = false;
  bool key_fold_ascii = false;
  Str key_pattern = 0;
  std::vector<AttributeDef> attributes;  // the named parent is one of them
  bool has_parent = false;
  uint32_t parent_type = kNone;      // resources
  uint32_t parent_attribute = kNone; /*kNone: unnamed*/
  bool parent_optional = false;
  bool parent_from_request = false;
  std::vector<ActionDef> actions;
  std::vector<OwnerDef> owners;  // one, or several when `jointly`
  bool owner_written = false;    // false: inherited from system or package
  std::vector<SubtreeOwner> subtrees;
  Span span;
};
struct MeasureDef {
  Str name = 0;
  TypeId type = 0;
  bool must_be_limited = false;
};
struct ActivityDef {
  Str name = 0;
  uint32_t package = kNone;
  OwnerDef owner;
  std::vector<MeasureDef> measures;
  bool limits_must_agree = false;
  Str agree_within = 0;
  Span span;
};
struct TeamDef {
  Str name = 0; /*qualified*/
  uint32_t package = kNone;
  OwnerDef owner;
  std::vector<uint32_t> within;
  Span span;
};
struct RoleDef {
  Str name = 0;
  uint32_t package = kNone;
  OwnerDef owner;
  std::vector<uint32_t> scopes;    // resources
  std::vector<uint32_t> includes;  // roles
  uint32_t where_code = kNone;     // Program::codes: computed role
  Span span;
};
struct CalendarDef {
  Str name = 0;
  uint32_t zone = kNone;
  struct Open {
    uint8_t days = 0; /*bit 0 = Monday*/
    int64_t from_us = 0, to_us = 0;
  };
  std::vector<Open> open;
  std::vector<int32_t> closed;  // days since 1970-01-01
};
struct PackageDef {
  Str name = 0;
  uint32_t owner_team = kNone;
  uint32_t zone = kNone;
  uint32_t file = 0;
};

struct Schema {
  std::vector<std::string> strings{std::string()};
  std::vector<TypeDef> types;
  std::vector<EnumDef> enums;
  std::vector<RecordDef> records;
  PersonDef person;
  std::vector<AttributeDef> context;
  std::vector<SystemDef> systems;
  std::vector<ResourceDef> resources;
  std::vector<ActivityDef> activities;
  std::vector<TeamDef> teams;
  std::vector<RoleDef> roles;
  std::vector<CalendarDef> calendars;
  std::vector<ZoneTable> zones;  // zones[0] is UTC
  std::vector<PackageDef> packages;

  std::string_view Text(Str s) const { return strings[s]; }
};

// Linear or binary look-ups by name; index or kNone. Not for the hot path (the snapshot keeps its
// own maps).
uint32_t FindTeam(const Schema&, std::string_view name);  // qualified, or short when unique
uint32_t FindRole(const Schema&, std::string_view name);  // qualified, or short when unique
uint32_t FindSystem(const Schema&, std::string_view name);
uint32_t FindResource(const Schema&, std::string_view name);  // "system.Type"
uint32_t FindAction(const ResourceDef&, const Schema&, std::string_view name);

}  // namespace dpl
