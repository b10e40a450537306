// The abstract syntax tree of a `.dpl` file: what the author wrote, with spans, before any meaning
// is given to it.
//
// Built by compiler/syntax, printed by dump.cc and compiler/format, given meaning by
// compiler/check, walked by compiler/lower and by the oracle. Plain data: no behaviour, no ANTLR
// type, no pointer into the token stream. The fields under "set by the checker" are the only ones
// written after parsing (names resolved, types found).
//
// Ownership: a File owns everything below it. Not thread-safe; a finished tree may be read by many
// threads.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/base/span.h"

namespace dpl::ast {

constexpr uint32_t kNone = 0xffffffffu;

// A possibly qualified name as written: `acme.base.marketing`, `coupa.Order`, `marketing`.
struct QName {
  std::string text;  // parts joined by '.', empty when absent
  Span span;
  bool empty() const { return text.empty(); }
};

struct Name {
  std::string text;
  Span span;
  bool empty() const { return text.empty(); }
};

// A string literal: `value` is decoded, the span covers the quotes.
struct StringLit {
  std::string value;
  Span span;
  bool present = false;
};

// A duration, date, date-time or number literal kept as its text; the checker gives it its value.
struct Literal {
  std::string text;
  Span span;
  bool present = false;
};

// ---------------------------------------------------------------- types
struct Param;
struct TypeExpr {
  enum class Kind : uint8_t { kNamed, kSet, kRecord };
  Kind kind = Kind::kNamed;
  QName name;                     // kNamed: bool, int, money, Person, Class, docs.Folder …
  std::vector<TypeExpr> element;  // kSet: exactly one
  std::vector<Param> fields;      // kRecord
  bool optional = false;          // trailing '?'
  Span span;
};
struct Param {
  Name name;
  TypeExpr type;
  Span span;
};

// ---------------------------------------------------------------- expressions
enum class ExprKind : uint8_t {
  kNumber,  // text: digits as written ("5_000", "0.25")
  kMoney,   // text: digits, text2: currency code
  kString,  // text: decoded
  kDuration,
  kDate,
  kDateTime,
  kTime,    // text as written
  kBool,    // bool_value
  kName,    // text: one identifier (variable, const, enum, enum member, quantifier variable, system
            // …)
  kField,   // args[0] . text
  kIndex,   // args[0] ["text"]
  kCall,    // text: function name; args: arguments
  kEntity,  // text: type name as written ("docs.Folder", "person"), text2: id   docs.Folder "A",
            // person "E1"
  kHead,    // text: "team" | "role" | "forbid" | "break_glass" | "agent", text2: qualified name
  kNot,
  kNeg,  // args[0]
  kOr,
  kAnd,  // args[0], args[1]  (left-nested)
  kEq,
  kNe,
  kLt,
  kLe,
  kGt,
  kGe,
  kAdd,
  kSub,
  kMul,  // args[0], args[1]
  kIn,
  kNotIn,  // args[0] in args[1]
  kLike,
  kMatches,  // args[0], text: pattern
  kIsKnown,
  kIsNotKnown,  // args[0]
  kDuring,      // args[0] during text2 (calendar qname)
  kIf,          // args[0] then args[1] else args[2]
  kSome,
  kAll,    // text: variable; args[0]: set, args[1]: condition
  kCount,  // text: variable (may be empty); args[0]: set, args[1]: condition when text is not empty
  kSet,    // { a, b }  args: elements
  kRecord,  // { x = 1 } fields: names parallel to args
};

// What a kName/kField/kEntity/kHead/kCall denotes. Set by the checker.
enum class RefKind : uint8_t {
  kUnresolved,
  kValue /*ordinary field access or literal*/,
  kVarPerson,
  kVarAgent,
  kVarResource,
  kVarRequest,
  kVarTask,
  kVarNow,
  kVarContext,
  kVarLocal,
  kConst,
  kEnumType,
  kEnumMember,
  kCalendar,
  kPersonEntity,
  kResourceEntity,
  kTeam,
  kRole,
  kAgent,
  kPersonAttr,
  kResourceAttr,
  kResourceKey,
  kPersonKey,
  kResourceParent,
  kRequestParam,
  kTaskParam,
  kContextAttr,
  kRecordField,
  kLabelKey,
  kNowTime,
  kNowDate,
  kNowWeekday,
  kBuiltin,
  kFunction,
  kForbid,
  kBreakGlass,
  kActionParamSet,
};

struct Expr;
using ExprPtr = std::unique_ptr<Expr>;
struct Expr {
  ExprKind kind = ExprKind::kBool;
  Span span;
  std::string text;
  std::string text2;
  bool bool_value = false;
  bool parenthesized =
      false;  // kept so that the formatter can keep the author's brackets where they matter
  std::vector<ExprPtr> args;
  std::vector<Name> fields;  // kRecord
  Span name_span;            // span of `text` for kField, kCall, kEntity, quantifiers
  // set by the checker:
  uint32_t type = kNone;  // index into Schema::types
  RefKind ref = RefKind::kUnresolved;
  uint32_t ref_a = 0;  // meaning by ref: attribute index, enum index, team index, local slot …
  uint32_t ref_b = 0;  // resource type of an attribute, enum member index …
  const Expr* target = nullptr;  // kConst: the constant's own expression
};

// ---------------------------------------------------------------- clauses shared by declarations
// owner team t | owner person "E1"
struct OwnerRef {
  bool is_team = false;
  QName team;
  StringLit person;
  Span span;
  bool present = false;
};

// The clauses any statement may carry. `because` and owner are what rule 5 is about.
struct Meta {
  OwnerRef owner;
  StringLit because;
  StringLit ticket;
  Literal review_every;                                                   // duration
  Literal expires;                                                        // date or date-time
  Span because_span, owner_span, ticket_span, review_span, expires_span;  // the whole clauses
};

struct Subject {
  enum class Kind : uint8_t {
    kTeam,
    kRole,
    kPerson,
    kAgent,
    kAnyAgent,
    kEveryone,
    kPublic,
    kPartner
  };
  Kind kind = Kind::kEveryone;
  QName name;    // team, role, agent, partner
  StringLit id;  // person
  Span span;
  uint32_t ref = kNone;  // set by the checker: index of the team/role/agent/partner
};

// A container in `on T in …`: docs.Folder "A" | "/srv/out" | source (a task parameter)
struct Container {
  enum class Kind : uint8_t { kEntity, kString, kName };
  Kind kind = Kind::kEntity;
  QName type;    // kEntity
  StringLit id;  // kEntity, kString
  Name name;     // kName
  Span span;
};

// What a may/covers clause reaches.
struct Selector {
  bool everything_in = false;  // everything in SYSTEM
  QName system;                // everything_in
  std::vector<QName> types;    // on app.Doc, app.Folder
  StringLit id;                // on aws.Bucket "arn…" (one type only)
  std::vector<Container> containers;
  ExprPtr where;    // may be null
  Span where_span;  // `where …`
  Span span;
};

struct MayClause {
  bool any_action = false;
  std::vector<Name> actions;
  Selector on;
  std::vector<QName> activities;  // may activity a, b  (then `on` is empty)
  QName ask;                      // `, ask A`
  Span span;
};

struct Quantity {
  enum class Kind : uint8_t { kNumber, kMoney, kExpr };
  Kind kind = Kind::kNumber;
  std::string number;    // digits as written
  std::string currency;  // kMoney
  ExprPtr expr;          // kExpr: a constant's name or a path such as person.spend_limit
  Span span;
};

enum class PeriodKind : uint8_t {
  kEach,
  kHour,
  kDay,
  kWeek,
  kMonth,
  kQuarter,
  kYear,
  kSliding,
  kTotal
};

struct AskTier {
  QName approval;
  std::optional<Quantity> up_to;
  Span span;
};

// `limit M to Q period [for each k and k], beyond that ask A up to Q2` | `no limit on M because
// "…"`; also a limit block's `cap`.
struct LimitClause {
  bool no_limit = false;
  StringLit no_limit_because;
  Name measure;  // a measure, or `requests`
  std::optional<Quantity> quantity;
  PeriodKind period = PeriodKind::kEach;
  Literal window;  // kSliding
  struct Key {
    QName path;
    Span span;
    ExprPtr expr; /*set by the checker for paths*/
  };
  std::vector<Key> keys;
  std::vector<AskTier> tiers;
  Name was;  // `was NAME`: the identity this limit's counter carries on
  Span span;
};

// ---------------------------------------------------------------- declarations
enum class DeclKind : uint8_t {
  kConst,
  kEnum,
  kFunction,
  kCalendar,
  kPerson,
  kTeam,
  kRole,
  kContext,
  kSystem,
  kResource,
  kActivity,
  kOwner,
  kGrant,
  kLimit,
  kForbid,
  kAgent,
  kDelegation,
  kTask,
  kApproval,
  kObligation,
  kSeparate,
  kBreakGlass,
  kPartner,
  kData,
  kTest,
};

struct Decl {
  explicit Decl(DeclKind k) : kind(k) {}
  virtual ~Decl() = default;
  DeclKind kind;
  Span span;        // the whole declaration
  Span head_span;   // the keyword and name: where a diagnostic about the whole declaration points
  Name name;        // empty where the declaration has none
  std::string doc;  // text of the `///` lines before it, joined by '\n', markers stripped
  bool incomplete =
      false;  // a clause could not be read and was reported: what is absent here is no news
};

struct ConstDecl : Decl {
  ConstDecl() : Decl(DeclKind::kConst) {}
  std::optional<TypeExpr> type;
  ExprPtr value;
};
struct EnumDecl : Decl {
  EnumDecl() : Decl(DeclKind::kEnum) {}
  std::vector<Name> members;
  bool ordered = false;  // written with '<'
};
struct FunctionDecl : Decl {
  FunctionDecl() : Decl(DeclKind::kFunction) {}
  std::vector<Param> params;
  TypeExpr result;
  ExprPtr body;
};
struct CalendarDecl : Decl {
  CalendarDecl() : Decl(DeclKind::kCalendar) {}
  StringLit zone;
  struct Open {
    uint8_t from_day = 0, to_day = 0; /*Mon=0*/
    Literal from, to;
    Span span;
  };
  std::vector<Open> open;
  std::vector<Literal> closed;  // dates
};

struct HasClause {
  Name name;
  TypeExpr type;
  ExprPtr default_value;  // may be null
  bool from_request = false;
  StringLit wire;  // as "…"
  Span span;
};
struct KeyClause {
  Name name;
  TypeExpr type;
  StringLit matches;  // optional pattern
  bool fold_ascii = false;
  Span span;
  bool present = false;
};
struct ParentClause {  // within docs.Folder | within project: app.Project? from request as "…"
  Name name;           // empty when unnamed
  TypeExpr type;
  bool from_request = false;
  StringLit wire;
  Span span;
};

struct PersonDecl : Decl {
  PersonDecl() : Decl(DeclKind::kPerson) {}
  KeyClause key;
  std::vector<HasClause> has;
  std::vector<StringLit> known_as;
  std::vector<ParentClause> within;  // within manager: Person
  StringLit source;
  Literal source_within;
};
struct TeamDecl : Decl {
  TeamDecl() : Decl(DeclKind::kTeam) {}
  Meta meta;
  std::vector<QName> within;  // within team staff
};
struct RoleDecl : Decl {
  RoleDecl() : Decl(DeclKind::kRole) {}
  Meta meta;
  std::vector<QName> scopes;  // role editor in app.Project, app.Tenant
  std::vector<QName> includes;
  ExprPtr where;  // computed role
};
struct ContextDecl : Decl {
  ContextDecl() : Decl(DeclKind::kContext) {}
  std::vector<HasClause> has;
};
struct SystemDecl : Decl {
  SystemDecl() : Decl(DeclKind::kSystem) {}
  Meta meta;
  Name boundary;
  bool has_account = false;
  Name account_key;
  TypeExpr account_type;
  Name link_by;
  Literal checked_within;
};
struct CanParam {
  Name name;
  TypeExpr type;
  ExprPtr default_value;
  StringLit wire;
  bool must_be_limited = false;
  Span span;
};
struct CanClause {
  struct Action {
    Name name;
    StringLit wire;
  };
  std::vector<Action> actions;
  std::vector<CanParam> params;   // belong to every action of the clause
  std::vector<QName> activities;  // is approve_spend
  bool makes = false;             // `makes`: the action creates the resource
  Span span;
};
struct ResourceDecl : Decl {
  ResourceDecl() : Decl(DeclKind::kResource) {}
  QName system;
  Meta meta;
  KeyClause key;
  std::vector<HasClause> has;
  std::vector<StringLit> known_as;
  std::vector<ParentClause> within;  // more than one is DPL0103
  std::vector<CanClause> can;
};
struct ActivityDecl : Decl {
  ActivityDecl() : Decl(DeclKind::kActivity) {}
  Meta meta;
  struct Measure {
    Name name;
    TypeExpr type;
    bool must_be_limited = false;
    Span span;
  };
  std::vector<Measure> measures;
  bool limits_must_agree = false;
  Name agree_within;  // limits must agree within region
  Span agree_span;
};
struct OwnerDecl : Decl {  // owner of T in C "x" { is team t jointly … }
  OwnerDecl() : Decl(DeclKind::kOwner) {}
  QName type;
  QName subtree_type;  // empty: the whole type
  StringLit subtree_id;
  std::vector<OwnerRef> owners;  // the first, then each `jointly`
  Meta meta;
};

struct GrantRow {
  std::vector<Subject> to;
  std::vector<MayClause> may;
  Span span;  // the `to …` clause
};
struct GrantDecl : Decl {
  GrantDecl() : Decl(DeclKind::kGrant) {}
  Meta meta;
  std::vector<GrantRow> rows;
  std::vector<LimitClause> limits;
  std::vector<QName> supersedes;
  StringLit approved_by;  // person id
  Literal granted;
  Literal reviewed;  // date
  StringLit reviewed_by;
  StringLit imported_from;
  bool trusting_request = false;
};
struct CoversClause {
  MayClause what;  // `ask` is never set here
  Span span;
};
struct LimitDecl : Decl {
  LimitDecl() : Decl(DeclKind::kLimit) {}
  Meta meta;
  std::vector<Subject> applies_to;
  bool has_applies_to = false;
  std::vector<CoversClause> covers;
  std::vector<LimitClause> caps;
};
struct ForbidDecl : Decl {
  ForbidDecl() : Decl(DeclKind::kForbid) {}
  Meta meta;
  std::vector<Subject> applies_to;
  bool has_applies_to = false;
  std::vector<CoversClause> covers;
  ExprPtr unless;
  Span unless_span;
};

enum class Mode : uint8_t { kOnBehalfOf, kImpersonate, kStanding };
struct ModeRef {
  Mode mode;
  Span span;
};

struct AgentDecl : Decl {
  AgentDecl() : Decl(DeclKind::kAgent) {}
  Meta meta;
  StringLit accountable;   // person id
  QName accountable_else;  // team
  StringLit purpose;
  Name runs_as_kind;  // spiffe
  std::vector<StringLit> runs_as;
  Literal attested_within;
  std::vector<ModeRef> modes;
  std::vector<MayClause> may;
  std::vector<LimitClause> limits;
  Literal lives;
  Literal instances;         // number
  Literal instances_window;  // duration, absent = at once
  bool trusting_request = false;
};
struct DelegationDecl : Decl {
  DelegationDecl() : Decl(DeclKind::kDelegation) {}
  Meta meta;
  std::vector<Subject> from;
  std::vector<Subject> to;
  std::optional<ModeRef> mode;
  std::vector<MayClause> may;  // empty: what the agent's own may covers
  std::vector<LimitClause> limits;
  std::vector<QName> only_in_tasks;
  std::vector<QName> onward_to;  // agents
  Literal onward_hops;
  Span onward_span;
  enum class Consent : uint8_t { kMissing, kEachTask, kEvery, kByPolicy };
  Consent consent = Consent::kMissing;
  Literal consent_every;
  Span consent_span;
  Literal lasts;
  bool trusting_request = false;
};
struct TaskDecl : Decl {
  TaskDecl() : Decl(DeclKind::kTask) {}
  Meta meta;
  std::vector<Param> params;
  std::vector<QName> for_agents;
  std::vector<MayClause> may;
  std::vector<LimitClause> limits;
  Literal lasts;
  bool nothing_else = false;
};
enum class Party : uint8_t { kPerson, kAgent, kAccountable, kManager };
struct ApprovalDecl : Decl {
  ApprovalDecl() : Decl(DeclKind::kApproval) {}
  Meta meta;
  struct By {
    Literal count;
    std::vector<Subject> subjects;
    std::vector<Party> parties;
    Span span;
  };
  std::vector<By> by;
  std::vector<Party> never_by;
  Literal within;
  Literal good_for;     // number
  Literal good_within;  // duration
  StringLit signs;
};
struct Duty {
  enum class Kind : uint8_t { kStepUp, kSign, kLog, kMask, kNotify, kAsk };
  Kind kind = Kind::kLog;
  StringLit text;           // step_up "…", sign meaning "…"
  std::vector<Name> names;  // mask
  OwnerRef who;             // notify
  QName ask;
  Span span;
};
struct ObligationDecl : Decl {
  ObligationDecl() : Decl(DeclKind::kObligation) {}
  Meta meta;
  std::vector<Subject> applies_to;
  bool has_applies_to = false;
  std::vector<CoversClause> covers;
  std::vector<Duty> duties;
};
struct SeparateDecl : Decl {
  SeparateDecl() : Decl(DeclKind::kSeparate) {}
  Meta meta;
  struct Side {
    MayClause what;
    ExprPtr by;
    Span span;
  };
  std::vector<Side> sides;  // exactly two when by act
  Literal within;
  std::vector<QName> roles;  // by role
};
struct BreakGlassDecl : Decl {
  BreakGlassDecl() : Decl(DeclKind::kBreakGlass) {}
  Meta meta;
  std::vector<Subject> who;
  std::vector<MayClause> may;
  std::vector<QName> lifts;
  std::vector<Name> needs;
  Literal lasts;
  std::vector<OwnerRef> notify;
  Literal review_within;
  OwnerRef review_by;
};
struct PartnerDecl : Decl {
  PartnerDecl() : Decl(DeclKind::kPartner) {}
  Meta meta;
  StringLit issuer;
  bool accepts_agents = false, accepts_persons = false;
  std::vector<MayClause> may;
  std::vector<LimitClause> limits;
  Literal hops;
};

// ---------------------------------------------------------------- facts and tests
struct FieldInit {
  Name name;
  ExprPtr value;
  Span span;
};

struct Datum {
  enum class Kind : uint8_t { kPerson, kMembers, kAccount, kEntity, kTask, kConsent, kUsed };
  Kind kind = Kind::kPerson;
  Span span;
  StringLit id;                   // person id, account key, entity id
  std::vector<FieldInit> fields;  // person, entity
  bool has_fields = false;
  // members: team/role NAME [in TYPE "id"] has …
  bool is_role = false;
  QName name;  // team, role, entity type, task shape, delegation, limit; account: the system
  QName scope_type;
  StringLit scope_id;
  struct Member {
    bool is_team = false;
    QName team;
    StringLit person;
    Span span;
  };
  std::vector<Member> members;
  Literal until;
  // account … in SYSTEM is person "…" checked DATE ; consent … by person "…" on DATE ; used … for
  // person "…"
  StringLit person, by_person;  // task … by person "…" in place of an agent
  Literal date;
  // entity: in TYPE "id"
  QName parent_type;
  StringLit parent_id;
  // task NAME = shape(args) by agent A for person "…" [expires …]
  Name task_name;
  std::vector<FieldInit> args;
  QName agent;
  Literal expires;
  std::optional<Quantity> quantity;  // used
};
struct DataDecl : Decl {
  DataDecl() : Decl(DeclKind::kData) {}
  std::vector<Datum> data;
};

struct AgentHop {
  QName name;
  StringLit instance;
  Span span;
};
struct Attempt {
  bool is_public = false;
  std::vector<AgentHop> hops;  // as written: outermost actor first (`agent reader via agent
                               // planner` → reader, planner)
  StringLit person;            // the person, direct or `for`; with `account` the account's key
  QName account, partner;      // the system of the account; partner globex "ana"
  StringLit deputy, partner_subject;  // person "S" for person "M": S is the deputy
  std::vector<StringLit> foreign;     // agents of the partner's own, as written
  Name task, action;
  std::vector<FieldInit> args;
  QName type, break_glass;
  StringLit id;
  std::vector<FieldInit> break_glass_args;
  bool with_approval_last = false;
  bool says_duties = false;  // with duties …, with no duties
  std::vector<Duty::Kind> duties;
  StringLit key;                      // with key "k"
  std::vector<FieldInit> context;     // with context { … }
  std::vector<FieldInit> properties;  // with properties { … }: resource properties the caller sends
  Span span;
};
struct Outcome {
  enum class Kind : uint8_t { kPermit, kDeny, kAsk, kVariable };
  Kind kind = Kind::kPermit;
  QName code;      // deny CODE
  QName approval;  // ask A
  Name variable;   // kVariable: a column of `with`
  std::vector<QName> by;
  QName bound_by;
  std::vector<Duty> must;  // without its text or names: any duty of the kind
  Span span;
};
struct Cell {
  std::optional<Outcome> outcome;
  ExprPtr expr;
  Span span;
};
struct Row {
  std::vector<Cell> cells;
  Span span;
};
struct Revocable {
  enum class Kind : uint8_t {
    kPerson,
    kAgent,
    kInstance,
    kTask,
    kGrant,
    kDelegation,
    kAccount,
    kApproval,
    kBreakGlass,
    kPartner
  };
  Kind kind = Kind::kPerson;
  QName name;    // agent, task, grant, delegation, break_glass, partner; account: the system
  StringLit id;  // person, instance, account, subject of a partner
  Span span;
};
struct Step {
  enum class Kind : uint8_t {
    kAt,
    kAdvance,
    kGiven,
    kRevoke,
    kRepeat,
    kWhen,
    kExpect,
    kConfirm,
    kCancel,
    kApprove,
    kHand
  };
  Kind kind = Kind::kAt;
  Span span;
  Literal literal;               // at, advance, repeat count
  bool literal_is_date = false;  // at DATE
  std::vector<Datum> given;
  Revocable revoke;
  std::vector<Step> body;  // repeat
  Attempt when;
  Outcome expect;
  StringLit person, hand_person;   // approve last by person "…"; hand person "…" to agent b
  std::optional<Quantity> actual;  // confirm last with Q
  AgentHop hand_from, hand_to;  // hand agent planner "p1" to agent reader "r1": a recorded hand-off
};
struct TestDecl : Decl {
  TestDecl() : Decl(DeclKind::kTest) {}
  StringLit title;
  std::vector<Name> columns;  // with (a, b)
  Span with_span;
  std::vector<Row> rows;
  std::vector<Step> steps;
  std::vector<const DataDecl*> standing;  // `data` of the package, given before all else
};

// ---------------------------------------------------------------- file
struct Import {
  QName package;
  Name alias;
  Span span;
};

struct File {
  uint32_t file_id = 0;
  QName package;
  OwnerRef owner;  // owned by team … (a team)
  Span package_span;
  std::vector<Import> imports;
  StringLit timezone;
  Literal granted, review_every;             // file defaults
  std::vector<Name> requires_clauses;        // requires ticket, approval
  std::vector<std::unique_ptr<Decl>> decls;  // in source order
  std::vector<std::string> unread;  // words that text which could not be read seems to declare
};

}  // namespace dpl::ast
