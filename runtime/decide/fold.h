// The working memory of one decision, and the steps that fold over it. Inside the room only;
// engine.h is the door.
//
// A step reads the Fold, adds to it what later steps need, and returns kPass or the reason it fails
// with. Nothing is written to the store before step 15. After the first failure the later steps may
// still run for the report
// (`reporting`): whatever they then find never changes the outcome.
#pragma once

#include <array>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/decide/ahead.h"
#include "runtime/decide/ask.h"
#include "runtime/decide/decision.h"
#include "runtime/decide/engine.h"
#include "runtime/decide/kept_tasks.h"
#include "runtime/vm/machine.h"

namespace dpl {

constexpr Reason kPass = Reason::kPermit;

// What one thread keeps from decision to decision of the same program.
struct MatchState {
  const Program* program = nullptr;  // and the serial of its notes: another may take its address
  uint64_t serial = 0;
  std::unique_ptr<Machine> machine;
  std::vector<uint32_t> found;   // clauses being collected; keeps its capacity
  std::vector<uint32_t> rounds;  // by clause: in which it was last looked at (nearest.cc)
  uint32_t round = 0;
  bool narrow = true;        // the second level of the index is read; tests compare with false
  bool fetch_small = false;  // what is small is fetched ahead as well; tests compare with true
};

// A clause that was tried.
struct Hit {
  uint32_t clause = kNone;
  Truth subject = Truth::kTrue, scope = Truth::kTrue, where = Truth::kTrue;
  Truth match = Truth::kTrue;             // Kleene `and` of the three
  ErrorKind error = ErrorKind::kMissing;  // of the first ⊥
};

struct Hop {
  uint32_t agent = kNone, statement = kNone;
  std::string_view name, instance;  // qualified template; empty instance: a fresh run
  Instant born{};
  bool known = false;  // the store has seen this instance
  bool bound = false;  // … in a task
};

// A growing array in the arena; past the arena's limit Add fails.
template <class T>
struct ArenaList {
  T* items = nullptr;
  uint32_t size = 0, capacity = 0;
  bool Add(Arena* arena, const T& value) {
    if (size == capacity) {
      uint32_t next = capacity == 0 ? 8 : capacity * 2;
      T* grown = arena->NewArray<T>(next);
      if (grown == nullptr) return false;
      for (uint32_t i = 0; i < size; ++i) grown[i] = items[i];
      items = grown;
      capacity = next;
    }
    items[size++] = value;
    return true;
  }
  T* begin() { return items; }
  T* end() { return items + size; }
  const T* begin() const { return items; }
  const T* end() const { return items + size; }
};

// One limit with one set of key values, checked.
struct BoundLimit {
  LimitLine line;
  bool checked = true;       // false: superseded
  bool countable = true;     // has a counter, and its key and unit are known
  std::string_view counter;  // name of the counter; empty: `each`
  CounterKey key;
  int64_t quantity = 0, used = 0, cap = 0;
  uint32_t measure = 0;    // parameter index, kNone: requests
  uint32_t tier = kNone;   // the tier that would take it
  bool tier_open = false;  // without an upper bound
  int64_t tier_cap = 0;
};

// An approval that must be there, and who says so.
struct Need {
  uint32_t approval = kNone;
  uint32_t statement = kNone;
  bool met = false;
};

// An act to be recorded for `separate`.
struct ActOut {
  uint32_t separate = kNone;
  int side = 0;
  std::string_view name, key, person;
  Instant not_before{};
};

// A supposition under which the fold is run once more, never with any effect: "would it help if …".
struct Supposition {
  uint32_t live_grant = kNone;  // this grant were in force, reviewed and approved
  uint32_t consent = kNone;     // consent for this delegation were on record
  uint32_t measure = kNone;     // this parameter were `quantity`
  int64_t quantity = 0;
  bool approved = false;  // every approval asked for were there
  bool duties = false;    // the enforcement point carried out every duty
  bool linked = false;    // the person had one fresh account there
};

struct Fold {
  Fold(const Snapshot& s, DecisionState* st, const Request& r, Instant at, MatchState* m, Arena* a,
       std::string* t, ConsentRecord* c, Decision* out)
      : snapshot(s),
        program(s.program()),
        schema(s.program().schema),
        store(*st),
        request(r),
        caller(*r.caller),
        now(at),
        notes(s.program().notes),
        matching(*m),
        arena(a),
        text(*t),
        consent(*c),
        d(*out) {}

  const Snapshot& snapshot;
  const Program& program;
  const Schema& schema;
  DecisionState& store;
  const Request& request;
  const Caller& caller;
  const Instant now;
  const ProgramNotes& notes;
  MatchState& matching;
  Arena* arena;
  std::string& text;  // to compose names in; keeps its capacity
  ConsentRecord& consent;
  Decision& d;
  DecisionObserver* observer = nullptr;
  KeptTasks* kept_tasks = nullptr;  // null: none are kept
  const Supposition* suppose = nullptr;
  Ahead ahead;
  bool reporting = false;  // the outcome is settled
  bool again = false;      // a guard of the commit failed: run once more

  // ---- the request, typed
  Env env;
  const ResourceDef* resource_def = nullptr;
  const ActionDef* action_def = nullptr;
  const IndexEntry* entry = nullptr;
  Value* params = nullptr;  // parallel to action_def->params
  // What the caller said, in schema order, whether or not a fact overrules it; null: nothing.
  const Value *said_person = nullptr, *said_resource = nullptr, *said_context = nullptr;

  // ---- who
  uint64_t epoch = 0;
  ActingMode mode = ActingMode::kDirect;
  const Entity* person = nullptr;
  uint32_t account_system = kNone;  // the subject named this account itself
  std::string_view account_key;
  std::array<Hop, kMaxHops> hops;
  std::array<uint32_t, kMaxHops> chain;
  int hop_count = 0;
  const Entity* deputy = nullptr;  // the person who acts for `person`; no agent, not in `hops`
  uint32_t partner = kNone;        // Program::partners: whose subject asks; no person then
  uint32_t partner_statement = kNone;
  std::string_view partner_subject;  // "globex/ana": the partner's qualified name and its subject
  int partner_hops = 0;              // its own agents, in no list of ours
  std::shared_ptr<const TaskRecord> task;
  uint32_t task_statement = kNone;
  bool task_fits = false;  // step 10 passed

  // ---- matches, once per clause role
  std::array<std::span<const Hit>, kClauseRoles> hits;
  std::array<bool, kClauseRoles> tried{};
  std::span<const SubjectKey> keys;  // what the requester can be found by
  bool memberships_watched = false, keys_ready = false, try_all = false;

  // ---- what the steps found
  ArenaList<uint32_t> authority;  // A: statements, ascending
  ArenaList<Need> needs;
  ArenaList<BoundLimit> limits;
  ArenaList<ActOut> acts;
  SmallList<By, 16> blame;                                   // what the first failing step rests on
  SmallList<std::string_view, kMaxEvidence> used_approvals;  // evidence that counts: ids
  uint32_t break_glass_named = kNone;   // the emergency door the request names: its statement
  uint32_t break_glass = kNone;         // … which is valid
  uint32_t break_glass_clause = kNone;  // … by this `may`
  bool unbounded = false;
  uint32_t unbounded_param = kNone;
  Instant flips{INT64_MAX};  // the first instant at which the answer could change by time alone

  // ---- small helps
  uint32_t type() const { return d.type; }
  std::string_view Text(Str s) const { return program.schema.strings[s]; }
  const Statement& StatementOf(uint32_t clause) const {
    return program.statements[notes.clauses[clause].statement];
  }
  bool has_agent() const { return hop_count > 0 || partner_hops > 0; }
  // Agents of our own in Decision::chain stand behind the person who acts for another.
  HopOut& HopReport(int hop) { return d.chain.items[hop + (deputy != nullptr ? 1 : 0)]; }
  bool delegated() const {
    return mode == ActingMode::kOnBehalfOf || mode == ActingMode::kImpersonate;
  }
  // Whether a revocation of `name` reaches what began at `since`; none: nobody can prove when.
  bool Revoked(RevokedKind kind, std::string_view name, std::optional<Instant> since) const {
    return store.AnyRevoked(kind) && store.IsRevoked(kind, name, since);
  }
  // Not by a cut-off, but for good.
  bool RevokedForGood(RevokedKind kind, std::string_view name) const {
    return Revoked(kind, name, Instant{INT64_MAX});
  }
  void Flips(Instant at) {
    if (at > now && at < flips) flips = at;
  }
  void FlipsAfter(Instant at) {  // true up to and with `at`
    if (at.us >= now.us && at.us < INT64_MAX - 1) Flips(Instant{at.us + 1});
  }
  void OutOfArena() {
    if (env.abort == Abort::kNo) env.abort = Abort::kArena;
  }
  std::string_view Keep(std::string_view s) {  // a copy in the arena
    std::string_view copy = arena->Copy(s);
    if (copy.data() == nullptr) OutOfArena();
    return copy.data() == nullptr ? std::string_view("") : copy;
  }
  void Blame(Part part, uint32_t statement, uint32_t clause, Truth match = Truth::kTrue) {
    if (!reporting) blame.Add({part, statement, clause, match});
  }
};

// ---------------------------------------------------------------- the steps (docs/semantics.md)
Reason StepRequest(Fold& f);     // 1   step_request.cc
Reason OverlayPerson(Fold& f);   //     (its part on the person, once step 2 found one)
Reason StepIdentity(Fold& f);    // 2   step_identity.cc
Reason StepMode(Fold& f);        // 3   step_mode.cc
Reason StepRevoked(Fold& f);     // 4
Reason StepLink(Fold& f);        // 5
Reason StepForbid(Fold& f);      // 6   step_authority.cc
Reason StepAuthority(Fold& f);   // 7
Reason StepCeilings(Fold& f);    // 8
Reason StepDelegation(Fold& f);  // 9   step_delegation.cc
Reason StepTask(Fold& f);        // 10
Reason StepSeparation(Fold& f);  // 11  step_separation.cc
Reason StepLimits(Fold& f);      // 12  step_limits.cc
Reason StepDuties(Fold& f);      // 13  step_approvals.cc
Reason StepApprovals(Fold& f);   // 14
Reason StepCommit(Fold& f);      // 15  step_commit.cc

// Runs all steps; leaves outcome, reason and everything found in f.d. engine.cc
void RunFold(Fold& f);

// ---------------------------------------------------------------- matching (match.cc)
// Whether clauses that the request's values rule out are left out: not while somebody watches what
// is tried.
inline bool Narrows(const Fold& f) { return f.matching.narrow && f.observer == nullptr; }
// Clauses of this role that could apply, tried, in clause order; of those with M = F some.
std::span<const Hit> TryRole(Fold& f, ClauseRole role);
inline std::span<const Hit> HitsOf(Fold& f, ClauseRole role) {
  const size_t slot = static_cast<size_t>(role);
  if (f.tried[slot]) return f.hits[slot];
  f.tried[slot] = true;
  return f.entry->items[slot].empty() ? std::span<const Hit>() : TryRole(f, role);
}
// A round in which no clause was looked at yet.
inline uint32_t NextRound(Fold& f) {
  MatchState& m = f.matching;
  if (m.rounds.empty() || ++m.round == 0) {
    m.rounds.assign(f.program.clauses.size(), 0);
    m.round = 1;
  }
  return m.round;
}
// Tries one clause. `all_factors`: also those after an F (for the nearest miss).
Hit TryClause(Fold& f, uint32_t clause, bool all_factors);

// While it lives, code of the statement sees the open task only if it was written for that shape: a
// delegation that names its tasks reads nothing (⊥missing) of another one, whose parameters are
// others.
class TaskView {
 public:
  TaskView(Fold& f, uint32_t statement);
  ~TaskView();
  TaskView(const TaskView&) = delete;
  TaskView& operator=(const TaskView&) = delete;

 private:
  Fold& fold_;
  const Value* params_;
};
// Whether what restricts concerns the person who acts for another as well: the clause tried once
// more as if that person had asked. F where nobody does.
Truth MatchForDeputy(Fold& f, uint32_t clause);
// While it lives, the one who asks is the deputy: what is read of `person`, and whom counters are
// kept for.
class DeputyView {
 public:
  explicit DeputyView(Fold& f);
  ~DeputyView();
  DeputyView(const DeputyView&) = delete;
  DeputyView& operator=(const DeputyView&) = delete;

 private:
  Fold& fold_;
  const Entity* person_;
};
// Whether the caller's charge key counts: it is registered as running each request once.
inline bool HasKey(const Fold& f) { return !f.request.charge_key.empty() && f.caller.charge_keys; }
// Runs a code; notes when its value may change with time.
Value RunCode(Fold& f, uint32_t code);
inline Truth RunTruthCode(Fold& f, uint32_t code, ErrorKind* error) {
  if (code == kNone) return Truth::kTrue;
  if (f.notes.reads_now[code] != 0) f.flips = f.now;
  return f.matching.machine->RunTruth(code, &f.env, error);
}
Truth And(Truth a, Truth b);
// Tells the observer of a condition and runs what it wants to know besides. Observer not null.
void ReportCondition(Fold& f, uint32_t code, Truth truth);

// A parameter that an activity or some limit measures (step_request.cc).
bool IsMeasure(const Fold& f, const ParamDef& param);

// ---------------------------------------------------------------- grants (step_authority.cc)
// Factor::kNone when in force for this request; else the first of live's conditions that fails.
Factor NotLive(Fold& f, uint32_t statement);
bool Started(const Fold& f, uint32_t statement);
bool InAuthority(const Fold& f, uint32_t statement);
// Some member of A names `supersedes` grant `statement`; with a measure: and itself says something
// about that measure.
bool Superseded(const Fold& f, uint32_t statement, const Limit* limit);
// The part of `delegation`'s match that no code decides: to whom, in which mode.
bool DelegationConcerns(const Fold& f, uint32_t delegation);

// ---------------------------------------------------------------- emergency (step_break_glass.cc)
// Whether the door that the request names is valid; sets Fold::break_glass.
bool OpenBreakGlass(Fold& f);
bool LiftedByBreakGlass(const Fold& f, uint32_t forbid);

// ---------------------------------------------------------------- needs (step_limits.cc)
void AddNeed(Fold& f, uint32_t approval, uint32_t statement);

// ---------------------------------------------------------------- signers (step_approvals.cc)
// Judged as step 14 judges a finished record; for ask.cc, after a fold that asked.
MayNotSign JudgeSigner(Fold& f, uint32_t approval, const Signer& signer);
bool EnoughSigned(Fold& f, uint32_t approval, std::span<const Signer> signers);

// ---------------------------------------------------------------- the canonical request
// (digest.cc) What an approval is bound to: root, h₁ template, action, resource, every parameter
// but the measures' amounts, and the attributes of person and resource. Hex, 64 characters and a
// zero.
void BindingDigest(Fold& f, char out[65]);
// The whole request without key and trace fields: what a replay of a charge key must equal.
void ReplayDigest(Fold& f, char out[65]);
// κ: enforcement point, root, h₁ template and the key it gave, as one text. step_limits.cc
void ChargeKeyName(const Fold& f, std::string* out);

// ---------------------------------------------------------------- the report (nearest.cc)
void ExplainDenial(Fold& f, Reason reason, DecisionState* store, Scratch::Impl* scratch);

struct Scratch::Impl {
  MatchState matching;
  Arena arena{size_t{4} << 20, size_t{64} << 10};
  std::string text;
  ConsentRecord consent;
  Decision decision;
  KeptTasks kept_tasks;
  // For suppositions: a second set, so that the first answer stays whole.
  Arena what_if_arena{size_t{4} << 20, size_t{16} << 10};
  Decision what_if_decision;

  void Prepare(const Program& program);
};

}  // namespace dpl
