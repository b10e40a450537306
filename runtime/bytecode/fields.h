// What a bundle holds of each struct, field by field: one list, used for writing and for reading.
// Lowering walks every span with it; nobody else reads it.
//
// An archive is called with the fields in their order on disk: `a(x.name, x.wire)`. FieldWriter
// puts them, FieldReader gets them; how each C++ type is spelled is said once, in the two archives.
// What can be rebuilt (the index, the statement of each detail, the digest) is not in the lists.
// Layout: docs/bytecode.md; a change here changes kBundleVersion.
#pragma once

#include <limits>
#include <string>
#include <type_traits>
#include <vector>

#include "runtime/base/bytes.h"
#include "runtime/bytecode/program.h"

namespace dpl::fields {

// The last member of each enum on disk; a larger number is refused by the reader.
template <class E>
constexpr E kLast = E{};
template <>
inline constexpr TypeKind kLast<TypeKind> = TypeKind::kResource;
template <>
inline constexpr Constant::Kind kLast<Constant::Kind> = Constant::Kind::kPattern;
template <>
inline constexpr StatementKind kLast<StatementKind> = StatementKind::kPartner;
template <>
inline constexpr KeyKind kLast<KeyKind> = KeyKind::kPartner;
template <>
inline constexpr ClauseRole kLast<ClauseRole> = ClauseRole::kPartnerMay;
template <>
inline constexpr LimitPeriod kLast<LimitPeriod> = LimitPeriod::kTotal;
template <>
inline constexpr KeyPartKind kLast<KeyPartKind> = KeyPartKind::kCode;
template <>
inline constexpr ConsentKind kLast<ConsentKind> = ConsentKind::kByPolicy;
template <>
inline constexpr DutyKind kLast<DutyKind> = DutyKind::kNotify;

// ---- schema
template <class A>
void Fields(A& a, Span& x) {
  a(x.file, x.begin, x.end, x.line, x.column, x.end_line, x.end_column);
}
template <class A>
void Fields(A& a, TypeDef& x) {
  a(x.kind, x.index, x.optional);
}
template <class A>
void Fields(A& a, EnumDef& x) {
  a(x.name, x.ordered, x.members);
}
template <class A>
void Fields(A& a, RecordDef& x) {
  a(x.names, x.types);
}
template <class A>
void Fields(A& a, AttributeDef& x) {
  a(x.name, x.wire, x.type, x.from_request, x.default_constant, x.span);
}
template <class A>
void Fields(A& a, PersonDef& x) {
  a(x.key_name, x.declared, x.known_as, x.attributes, x.within, x.source, x.source_within_us);
}
template <class A>
void Fields(A& a, OwnerDef& x) {
  a(x.team, x.person);
}
template <class A>
void Fields(A& a, SystemDef& x) {
  a(x.name, x.package, x.owner, x.boundary, x.has_account, x.account_key, x.link_by,
    x.checked_within_us, x.span);
}
template <class A>
void Fields(A& a, ParamDef& x) {
  a(x.name, x.wire, x.type, x.default_constant, x.must_be_limited);
}
template <class A>
void Fields(A& a, ActionDef& x) {
  a(x.name, x.wire, x.params, x.activities, x.makes);
}
template <class A>
void Fields(A& a, SubtreeOwner& x) {
  a(x.container, x.owners, x.span);
}
template <class A>
void Fields(A& a, ResourceDef& x) {
  a(x.name, x.system, x.package, x.known_as, x.key_name, x.key_is_path, x.key_fold_ascii,
    x.key_pattern, x.attributes, x.has_parent, x.parent_type, x.parent_attribute, x.parent_optional,
    x.parent_from_request, x.actions, x.owners, x.owner_written, x.subtrees, x.span);
}
template <class A>
void Fields(A& a, MeasureDef& x) {
  a(x.name, x.type, x.must_be_limited);
}
template <class A>
void Fields(A& a, ActivityDef& x) {
  a(x.name, x.package, x.owner, x.measures, x.limits_must_agree, x.agree_within, x.span);
}
template <class A>
void Fields(A& a, TeamDef& x) {
  a(x.name, x.package, x.owner, x.within, x.span);
}
template <class A>
void Fields(A& a, RoleDef& x) {
  a(x.name, x.package, x.owner, x.scopes, x.includes, x.where_code, x.span);
}
template <class A>
void Fields(A& a, CalendarDef::Open& x) {
  a(x.days, x.from_us, x.to_us);
}
template <class A>
void Fields(A& a, CalendarDef& x) {
  a(x.name, x.zone, x.open, x.closed);
}
template <class A>
void Fields(A& a, ZoneTable::Transition& x) {
  a(x.utc_seconds, x.offset_seconds);
}
template <class A>
void Fields(A& a, ZoneTable& x) {
  a(x.name, x.version, x.initial_offset, x.transitions);
}
template <class A>
void Fields(A& a, PackageDef& x) {
  a(x.name, x.owner_team, x.zone, x.file);
}
template <class A>
void Fields(A& a, Schema& x) {
  a(x.strings, x.types, x.enums, x.records, x.person, x.context, x.systems, x.resources,
    x.activities, x.teams, x.roles, x.calendars, x.zones, x.packages);
}

// ---- constants and code
template <class A>
void Fields(A& a, Constant& x) {
  a(x.kind, x.number, x.extra, x.text, x.elements);
}
template <class A>
void Fields(A& a, Code& x) {
  a(x.offset, x.size, x.max_stack, x.locals, x.cost, x.span);
}

// ---- statements
template <class A>
void Fields(A& a, Statement& x) {
  a(x.kind, x.name, x.package, x.detail, x.owner, x.because, x.ticket, x.doc, x.span, x.head,
    x.zone, x.granted_us, x.expires_us, x.review_every_us, x.reviewed_us, x.imported,
    x.trusting_request, x.imported_from, x.clauses, x.limits);
}
template <class A>
void Fields(A& a, SubjectKey& x) {
  a(x.kind, x.id);
}
template <class A>
void Fields(A& a, Clause& x) {
  a(x.statement, x.role, x.row, x.type, x.actions, x.subject_code, x.scope_code, x.where_code,
    x.ask_approval, x.subject_text, x.where_text, x.span, x.subject_span, x.where_span, x.reach,
    x.keys);
}
template <class A>
void Fields(A& a, LimitKeyPart& x) {
  a(x.kind, x.code, x.name);
}
template <class A>
void Fields(A& a, LimitTier& x) {
  a(x.approval, x.up_to_code);
}
template <class A>
void Fields(A& a, Limit& x) {
  a(x.statement, x.name, x.identity, x.measure, x.requests, x.no_limit, x.no_limit_because,
    x.cap_code, x.period, x.window_us, x.zone, x.keys, x.tiers, x.span);
}
template <class A>
void Fields(A& a, Grant& x) {
  a(x.approved_by, x.supersedes);
}
template <class A>
void Fields(A& a, Forbid& x) {
  a(x.unless_code, x.unless_text, x.unless_span);
}
template <class A>
void Fields(A& a, LimitBlock& x) {
  a(x.reserved);
}
template <class A>
void Fields(A& a, Agent& x) {
  a(x.accountable, x.accountable_else, x.purpose, x.runs_as, x.attested_within_us, x.modes,
    x.lives_us, x.instances_max, x.instances_window_us);
}
template <class A>
void Fields(A& a, Delegation& x) {
  a(x.from_code, x.from_text, x.from_keys, x.to_agents, x.to_code, x.to_text, x.modes,
    x.only_in_tasks, x.onward_agents, x.onward_hops, x.consent, x.consent_every_us, x.lasts_us,
    x.reach, x.consent_span, x.onward_span);
}
template <class A>
void Fields(A& a, TaskParam& x) {
  a(x.name, x.type);
}
template <class A>
void Fields(A& a, Task& x) {
  a(x.params, x.agents, x.lasts_us);
}
template <class A>
void Fields(A& a, Approval::By& x) {
  a(x.count, x.subject_code, x.parties, x.text);
}
template <class A>
void Fields(A& a, Approval& x) {
  a(x.by, x.never_by, x.within_us, x.good_for, x.good_within_us, x.signs);
}
template <class A>
void Fields(A& a, Separate& x) {
  a(x.within_us, x.by_code_a, x.by_code_b, x.role_a, x.role_b);
}
template <class A>
void Fields(A& a, Partner& x) {
  a(x.issuer, x.accepts_agents, x.max_hops);
}
template <class A>
void Fields(A& a, Duty& x) {
  a(x.kind, x.text, x.fields, x.who, x.span);
}
template <class A>
void Fields(A& a, Obligation& x) {
  a(x.duties, x.asks);
}
template <class A>
void Fields(A& a, BreakGlass& x) {
  a(x.lifts, x.agents, x.needs, x.lasts_us, x.notify, x.review_within_us, x.review_by);
}
template <class A>
void Fields(A& a, SourceText& x) {
  a(x.path, x.text);
}

// ---- sections of the file, in this order
enum class Section : uint32_t { kSchema = 1, kConstants, kCode, kStatements, kSources };
constexpr uint32_t kSectionCount = 5;
const char* SectionName(Section section);  // "schema", …

template <class A>
void SectionFields(A& a, Section section, Program& x) {
  switch (section) {
    case Section::kSchema:
      a(x.schema);
      break;
    case Section::kConstants:
      a(x.constants);
      break;
    case Section::kCode:
      a(x.code, x.codes);
      break;
    case Section::kStatements:
      a(x.statements, x.clauses, x.limits, x.grants, x.forbids, x.limit_blocks, x.agents,
        x.delegations, x.tasks, x.approvals, x.obligations, x.separates, x.break_glasses,
        x.partners);
      break;
    case Section::kSources:
      a(x.sources);
      break;
  }
}

// Place of the parts of the header. The digest covers every byte of the file but its own 32.
constexpr std::string_view kMagic = "DPLB";
constexpr size_t kDigestAt = 16;             // after magic, version, flags, section count
constexpr size_t kTableAt = kDigestAt + 32;  // then per section: id, size
constexpr size_t kBodyAt = kTableAt + 8 * size_t{kSectionCount};  // then the sections, without gaps
constexpr size_t kMaxBundleBytes = size_t{256} << 20;

// The digest as the header must hold it. `bytes` is at least kBodyAt long.
std::array<uint8_t, 32> DigestOfFile(std::string_view bytes);

}  // namespace dpl::fields
