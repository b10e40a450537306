// A compiled policy set: schema, constants, code, statements, index, spans and the source text for
// display.
//
// `dplc build` makes one (compiler/lower), encode.h writes it as a `.dplb` bundle, decode.h +
// verify.h read it back, and a Snapshot joins it with facts. Plain data: every cross-reference is a
// checked index. A Program that passed VerifyProgram() can be run by the VM without any further
// bounds check. Layout on disk: docs/bytecode.md.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "runtime/base/span.h"
#include "runtime/bytecode/narrow.h"
#include "runtime/bytecode/notes.h"
#include "runtime/bytecode/schema.h"

namespace dpl {

constexpr uint32_t kBundleVersion = 2;

// ---------------------------------------------------------------- constants
// A typed literal. Entities name a person or a resource by id; the snapshot links them to what the
// facts hold.
struct Constant {
  enum class Kind : uint8_t {
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
    kPath,
    kIp,
    kPerson,
    kResource,
    kTeam,
    kRole,
    kAgent,
    kPattern /*like: string with '*' wildcards; matches: re2 source*/,
  };
  Kind kind = Kind::kBool;
  int64_t number = 0;  // bool, int, decimal ×1e6, money minor units, date days, others µs; enum
                       // member; team/role/agent index
  uint32_t extra = 0;  // money: currency index; enum: enum index; resource: resource type; pattern:
                       // 0 like, 1 matches
  std::string text;    // string, path (normalised), ip (canonical), entity id, pattern
  std::vector<uint32_t> elements;  // set: constants in canonical order
  bool operator==(const Constant&) const = default;
};

// ---------------------------------------------------------------- code
// One expression: `size` 32-bit words of Program::code from `offset`. Its value is what is on the
// stack at kReturn.
struct Code {
  uint32_t offset = 0, size = 0;
  uint16_t max_stack = 0, locals = 0;
  uint32_t cost = 0;  // static worst case, in steps
  Span span;          // the expression in the source
};

// ---------------------------------------------------------------- statements
enum class StatementKind : uint8_t {
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
};
constexpr int kStatementKinds = 11;

// What every decision reads comes first, so that it lies in one or two cache lines.
struct Statement {
  StatementKind kind = StatementKind::kGrant;
  bool imported = false;  // imported from …: unreviewed until `reviewed`
  bool trusting_request = false;
  Str name = 0;  // qualified: acme.spend.band_one
  uint32_t package = kNone;
  uint32_t detail = kNone;          // index into the vector of its kind
  int64_t granted_us = INT64_MIN;   // in force from here (INT64_MIN: always)
  int64_t expires_us = INT64_MAX;   // until just before here
  int64_t review_every_us = 0;      // 0: none
  int64_t reviewed_us = INT64_MIN;  // last review (or granted)
  std::vector<uint32_t> limits;     // Program::limits
  std::vector<uint32_t> clauses;    // Program::clauses
  OwnerDef owner;
  Str because = 0, ticket = 0, doc = 0;
  uint32_t zone = 0;  // zone of the declaring package
  Str imported_from = 0;
  Span span;  // the whole declaration
  Span head;  // keyword and name
};

// Whom a clause's subject factor can hold for; what the index is keyed by. See
// docs/architecture.md, "Index".
enum class KeyKind : uint8_t {
  kAny /*must always be tried*/,
  kPerson,
  kTeam,
  kRole,
  kEveryone,
  kPublic,
  kAgent,
  kTask,
  kPartner
};
struct SubjectKey {
  KeyKind kind = KeyKind::kAny;
  uint32_t id = 0;
  auto operator<=>(const SubjectKey&) const = default;
  uint64_t Rank() const { return static_cast<uint64_t>(kind) << 32 | id; }  // in the same order
};

// What a clause is there for; the index keeps one list per role.
enum class ClauseRole : uint8_t {
  kGrantMay,
  kLimitCovers,
  kForbidCovers,
  kAgentMay,
  kDelegationMay,
  kTaskMay,
  kObligationCovers,
  kSeparateA,
  kSeparateB,
  kBreakGlassMay,
  kPartnerMay,
};
constexpr int kClauseRoles = 11;

// One `may … on …` or `covers …` for ONE resource type: the unit of matching. M = subject ∧ scope ∧
// where (Kleene, in this order).
struct Clause {
  uint32_t statement = kNone;
  ClauseRole role = ClauseRole::kGrantMay;
  uint16_t row = 0;               // grant: which `to` row, from 0
  uint32_t type = kNone;          // resource type
  std::vector<uint32_t> actions;  // action indices of that type, ascending
  uint32_t subject_code = kNone;  // kNone: always T
  uint32_t scope_code = kNone;    // id literal and containment; kNone: always T
  uint32_t where_code = kNone;    // kNone: always T
  uint32_t ask_approval = kNone;  // `, ask A`: Program::approvals
  Str subject_text = 0;           // "team marketing, role lead": for explanations
  Str where_text = 0;             // source text of the condition
  Span span;                      // the may/covers clause
  Span subject_span;              // the `to`/`applies to`/`from` clause
  Span where_span;
  uint64_t reach = 0;  // stable hash of what this clause lends (delegations: consent digest)
  std::vector<SubjectKey>
      keys;  // by which subjects the index finds it; {kAny} when it must always be tried
};

// ---------------------------------------------------------------- limits
enum class LimitPeriod : uint8_t {
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
enum class KeyPartKind : uint8_t { kPerson, kAgent, kInstance, kTask, kPartner, kResource, kCode };
struct LimitKeyPart {
  KeyPartKind kind = KeyPartKind::kPerson;
  uint32_t code = kNone;
  Str name = 0;
};
struct LimitTier {
  uint32_t approval = kNone;
  uint32_t up_to_code = kNone; /*kNone: no upper bound*/
};
struct Limit {
  uint32_t statement = kNone;
  Str name = 0;  // "acme.spend.band_one.amount": statement and measure
  Str identity =
      0;  // counter identity without key values: name (or its `was`), measure, period, key names
  Str measure = 0;  // parameter name, or "requests"
  bool requests = false;
  bool no_limit = false;  // `no limit on M because …`
  Str no_limit_because = 0;
  uint32_t cap_code =
      kNone;  // yields int, decimal, money … of the measure's type; kNone with no_limit
  LimitPeriod period = LimitPeriod::kEach;
  int64_t window_us = 0;  // kSliding
  uint32_t zone = 0;
  std::vector<LimitKeyPart> keys;
  std::vector<LimitTier> tiers;  // rising
  Span span;
};

// ---------------------------------------------------------------- per kind
struct Grant {
  uint32_t approved_by = kNone;      // constants (person)
  std::vector<uint32_t> supersedes;  // statements
};
struct Forbid {
  uint32_t unless_code = kNone;
  Str unless_text = 0;
  Span unless_span;
};
struct LimitBlock {
  uint8_t reserved = 0;
};
enum ModeBit : uint8_t { kModeOnBehalfOf = 1, kModeImpersonate = 2, kModeStanding = 4 };
struct Agent {
  uint32_t accountable = kNone;       // constants (person)
  uint32_t accountable_else = kNone;  // teams
  Str purpose = 0;
  uint8_t modes = 0;  // ModeBit
  int64_t attested_within_us = 0;
  int64_t lives_us = 0;             // 0: no bound
  uint64_t instances_max = 0;       // 0: no bound
  int64_t instances_window_us = 0;  // 0: living at once
  std::vector<Str> runs_as;         // spiffe ids; each covers the ids beneath it by path segment
};
enum class ConsentKind : uint8_t { kEachTask, kEvery, kByPolicy };
struct Delegation {
  uint32_t from_code = kNone;
  uint32_t to_code = kNone;  // whether a person receives; kNone: it is to agents
  uint8_t modes = 0;         // ModeBit: the mode written, else the modes of its agents
  ConsentKind consent = ConsentKind::kByPolicy;
  uint32_t onward_hops = 0;
  int64_t lasts_us = 0;                 // 0: bounded by the agent's life only
  std::vector<uint32_t> to_agents;      // Program::agents; empty: to people, see to_code
  std::vector<uint32_t> only_in_tasks;  // Program::tasks
  int64_t consent_every_us = 0;
  std::vector<uint32_t> onward_agents;  // Program::agents
  std::vector<uint64_t> reach;  // sorted hashes of everything it lends: what a consent covers
  std::vector<SubjectKey> from_keys;
  Str from_text = 0, to_text = 0;
  Span consent_span, onward_span;
};
struct TaskParam {
  Str name = 0;
  TypeId type = 0;
};
struct Task {
  std::vector<TaskParam> params;
  std::vector<uint32_t> agents;  // Program::agents; empty: any
  int64_t lasts_us = 0;
};
enum PartyBit : uint8_t {
  kPartyPerson = 1,
  kPartyAgent = 2,
  kPartyAccountable = 4,
  kPartyManager = 8
};
struct Approval {
  struct By {
    uint32_t count = 1;
    uint32_t subject_code = kNone;
    uint8_t parties = 0;
    Str text = 0;
  };
  std::vector<By> by;
  uint8_t never_by = 0;   // PartyBit; the person and every accountable never count, said or not
  int64_t within_us = 0;  // an ask that waits longer is dead
  uint32_t good_for = 1;
  int64_t good_within_us = 0;
  Str signs = 0;
};
// By act: clauses of both sides and the keys that join them. By role: nobody acts on the authority
// of one while holding both; its clauses are of side A, their subject code says whether both are
// held.
struct Separate {
  int64_t within_us = 0;  // 0: for ever
  uint32_t by_code_a = kNone, by_code_b = kNone;
  uint32_t role_a = kNone, role_b = kNone;  // Schema::roles; kNone: by act
};
// Another organisation: whose subjects its issuer vouches for, and the most they may do here.
struct Partner {
  Str issuer = 0;  // of the tokens of its subjects
  bool accepts_agents = false;
  uint32_t max_hops = 0;  // of its own agents; 0 without accepts_agents
};

// What whoever enforces a permit must do besides letting it happen. `log` is the decision point's
// own.
enum class DutyKind : uint8_t { kStepUp, kSign, kLog, kMask, kNotify };
constexpr int kDutyKinds = 5;
struct Duty {
  DutyKind kind = DutyKind::kStepUp;
  Str text = 0;             // kStepUp: the level; kSign: what the signature means
  std::vector<Str> fields;  // kMask: names of attributes
  OwnerDef who;             // kNotify
  Span span;
};
struct Obligation {
  std::vector<Duty> duties;
  std::vector<uint32_t> asks;  // `must ask A`: Program::approvals
};
// What must be said when an emergency door is opened.
enum NeedBit : uint8_t { kNeedReason = 1, kNeedTicket = 2 };
struct BreakGlass {
  std::vector<uint32_t> lifts;  // statements (forbids), ascending
  bool agents = false;       // `who … , any agent`: software of the person may use an opening too
  uint8_t needs = 0;         // NeedBit
  int64_t lasts_us = 0;      // an opening holds this long
  std::vector<Duty> notify;  // each kNotify
  int64_t review_within_us = 0;
  OwnerDef review_by;
};

// ---------------------------------------------------------------- index
// For one (type, action): per clause role, the clauses that could apply, sorted by (key, clause).
struct IndexEntry {
  struct Item {
    SubjectKey key;
    uint32_t clause = kNone;
    auto operator<=>(const Item&) const = default;
  };
  // The items of one key, and their second level where there are enough of them.
  struct Run {
    SubjectKey key;
    uint32_t first = 0, count = 0;  // of the role's items
    uint32_t narrowing = kNone;     // `narrowings`
  };
  // What a denial's nearest miss is looked for in: the first grants of `items`. All of them and, in
  // `by_run`, those of each run, by statement.
  struct Near {
    std::vector<uint32_t> clauses, by_run;
    std::vector<Narrowing::Range> runs;  // of `by_run`; parallel to the grants' `runs`
    uint32_t narrowing = kNone;
  };
  std::array<std::vector<Item>, kClauseRoles> items;
  std::array<std::vector<Run>, kClauseRoles> runs;  // by key
  std::vector<Narrowing> narrowings;
  Near near;
  uint32_t cost = 0;  // sum of the worst-case cost of everything that could be tried

  const Run* FindRun(ClauseRole role, SubjectKey key) const;  // null: no clause has this key
  // Where it most likely stands, without a look at it; null: where that costs nothing to find out,
  // or cannot be said.
  const Run* FetchRun(ClauseRole role, SubjectKey key) const;
};
// How many clauses a denial is explained by.
constexpr size_t kMaxNear = 512;

struct SourceText {
  std::string path;
  std::string text;
};

struct Program {
  Schema schema;
  std::vector<Constant> constants;
  std::vector<uint32_t> code;
  std::vector<Code> codes;
  std::vector<Statement> statements;  // by kind, then qualified name
  std::vector<Clause> clauses;
  std::vector<Limit> limits;
  std::vector<Grant> grants;
  std::vector<Forbid> forbids;
  std::vector<LimitBlock> limit_blocks;
  std::vector<Agent> agents;
  std::vector<Delegation> delegations;
  std::vector<Task> tasks;
  std::vector<Approval> approvals;
  std::vector<Obligation> obligations;
  std::vector<Separate> separates;
  std::vector<BreakGlass> break_glasses;
  std::vector<Partner> partners;
  // index[index_base[type] + action]
  std::vector<uint32_t> index_base;  // per resource type
  std::vector<IndexEntry> index;
  ProgramNotes notes;
  // statement of each detail, by kind: agents_statement[i] is the Statement of agents[i]
  std::vector<uint32_t> agent_statements, delegation_statements, task_statements,
      approval_statements, separate_statements, break_glass_statements, partner_statements;
  std::vector<SourceText> sources;   // file ids of spans
  std::array<uint8_t, 32> digest{};  // SHA-256 of the canonical encoding; set by encode/decode

  std::string_view Text(Str s) const { return schema.strings[s]; }
  const IndexEntry& EntryOf(uint32_t type, uint32_t action) const {
    return index[index_base[type] + action];
  }
};

// Sorts clauses into `index`/`index_base` from `clauses` and the schema, and fills `notes` and the
// `*_statements` vectors. Called by lower and by decode (neither is trusted from disk, both are
// rebuilt). Every index must be in range. `narrow_from`: from how many clauses with one key a
// second level is made (tests make them smaller).
void BuildIndex(Program* program, uint32_t narrow_from = kNarrowFrom);

}  // namespace dpl
