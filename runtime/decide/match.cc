// Which clauses could apply (by the index), and whether they do (by the machine).
#include <algorithm>

#include "runtime/decide/fold.h"
#include "runtime/decide/narrow.h"

namespace dpl {
namespace {

// What the index finds this requester by. A team or role held at some time or place is a key; the
// code says whether it counts.
void CollectKeys(Fold& f) {
  if (f.keys_ready) return;
  f.keys_ready = true;
  ArenaList<SubjectKey> keys;
  bool ok = true;
  auto add = [&](KeyKind kind, uint32_t id) { ok = keys.Add(f.arena, {kind, id}) && ok; };
  add(KeyKind::kAny, 0);
  add(KeyKind::kEveryone, 0);
  add(KeyKind::kPublic, 0);
  if (f.person != nullptr) {
    // Without a fresh feed nobody can say that a clause does not concern this person: try them all.
    f.try_all = !f.snapshot.MembershipsFresh(f.now);
    if (const PersonFacts* facts = f.person->person) {
      if (facts->literal != kNone) add(KeyKind::kPerson, facts->literal);
      for (const Membership& m : facts->teams) {
        add(KeyKind::kTeam, m.team);
        f.Flips(m.until);
      }
      for (size_t i = 0; i < facts->roles.size(); ++i) {
        const Holding& h = facts->roles[i];
        if (i == 0 || h.role != facts->roles[i - 1].role) add(KeyKind::kRole, h.role);
        f.Flips(h.until);
      }
    }
  }
  for (int i = 0; i < f.hop_count; ++i) add(KeyKind::kAgent, f.hops[i].agent);
  if (f.partner != kNone) add(KeyKind::kPartner, f.partner);
  if (f.task_statement != kNone) add(KeyKind::kTask, f.program.statements[f.task_statement].detail);
  if (!ok) f.OutOfArena();
  f.keys = {keys.items, keys.size};
}

// What the request itself rules out, without running code: another agent's ceiling, another task,
// another receiver.
bool Concerns(const Fold& f, ClauseRole role, const Clause& clause) {
  switch (role) {
    case ClauseRole::kAgentMay:
      for (int i = 0; i < f.hop_count; ++i) {
        if (f.hops[i].statement == clause.statement) return true;
      }
      return false;
    case ClauseRole::kDelegationMay:
      return DelegationConcerns(f, f.program.statements[clause.statement].detail);
    case ClauseRole::kTaskMay:
      return clause.statement == f.task_statement;
    case ClauseRole::kBreakGlassMay:
      return clause.statement == f.break_glass_named;
    case ClauseRole::kPartnerMay:
      return clause.statement == f.partner_statement;
    default:
      return true;
  }
}

}  // namespace

Truth And(Truth a, Truth b) {
  if (a == Truth::kFalse || b == Truth::kFalse) return Truth::kFalse;
  return a == Truth::kTrue ? b : a;
}

Value RunCode(Fold& f, uint32_t code) {
  if (f.notes.reads_now[code]) f.flips = f.now;
  return f.notes.machine->Run(code, &f.env);
}

Truth RunTruthCode(Fold& f, uint32_t code, ErrorKind* error) {
  if (code == kNone) return Truth::kTrue;
  if (f.notes.reads_now[code]) f.flips = f.now;
  return f.notes.machine->RunTruth(code, &f.env, error);
}

TaskView::TaskView(Fold& f, uint32_t statement) : fold_(f), params_(f.env.task_params) {
  const Statement& s = f.program.statements[statement];
  if (s.kind != StatementKind::kDelegation || f.task_statement == kNone) return;
  const std::vector<uint32_t>& shapes = f.program.delegations[s.detail].only_in_tasks;
  uint32_t open = f.program.statements[f.task_statement].detail;
  if (!shapes.empty() && std::find(shapes.begin(), shapes.end(), open) == shapes.end())
    f.env.task_params = nullptr;
}
TaskView::~TaskView() { fold_.env.task_params = params_; }

void ReportCondition(Fold& f, uint32_t code, Truth truth) {
  std::span<const uint32_t> parts = f.observer->OnCondition(code, truth);
  if (parts.empty()) return;
  int64_t steps = f.env.steps_left;
  Abort abort = f.env.abort;
  for (uint32_t part : parts) f.observer->OnPart(part, f.notes.machine->RunTruth(part, &f.env));
  f.env.steps_left = steps;
  f.env.abort = abort;
}

namespace {

void ReportHit(Fold& f, const Hit& hit) {
  f.observer->OnClause(hit.clause, hit.subject, hit.scope, hit.where);
  const Clause& clause = f.program.clauses[hit.clause];
  bool asked = hit.subject != Truth::kFalse && hit.scope != Truth::kFalse;
  if (clause.where_code == kNone || !asked) return;
  TaskView view(f, clause.statement);
  ReportCondition(f, clause.where_code, hit.where);
}

}  // namespace

DeputyView::DeputyView(Fold& f) : fold_(f), person_(f.person) {
  f.person = f.env.person = f.deputy;
}
DeputyView::~DeputyView() { fold_.person = fold_.env.person = person_; }

Truth MatchForDeputy(Fold& f, uint32_t clause) {
  if (f.deputy == nullptr) return Truth::kFalse;
  DeputyView view(f);
  return TryClause(f, clause, false).match;
}

Hit TryClause(Fold& f, uint32_t clause_index, bool all_factors) {
  const Clause& clause = f.program.clauses[clause_index];
  TaskView view(f, clause.statement);
  Hit hit;
  hit.clause = clause_index;
  bool failed = false;
  auto factor = [&](uint32_t code, Truth* out) {
    ErrorKind error = ErrorKind::kMissing;
    *out = failed && !all_factors ? Truth::kTrue : RunTruthCode(f, code, &error);
    if (*out == Truth::kError && hit.match == Truth::kTrue) hit.error = error;
    hit.match = And(hit.match, *out);
    failed = hit.match == Truth::kFalse;
  };
  factor(clause.subject_code, &hit.subject);
  if (clause.role == ClauseRole::kDelegationMay) {
    const Delegation& delegation =
        f.program.delegations[f.program.statements[clause.statement].detail];
    Truth held = Truth::kTrue;
    factor(delegation.from_code, &held);
    hit.subject = And(hit.subject, held);
    if (delegation.to_code != kNone && f.deputy != nullptr) {
      DeputyView view_of_deputy(f);
      Truth receives = Truth::kTrue;
      factor(delegation.to_code, &receives);
      hit.subject = And(hit.subject, receives);
    }
  }
  factor(clause.scope_code, &hit.scope);
  factor(clause.where_code, &hit.where);
  return hit;
}

std::span<const Hit> HitsOf(Fold& f, ClauseRole role) {
  size_t slot = static_cast<size_t>(role);
  if (f.tried[slot]) return f.hits[slot];
  f.tried[slot] = true;
  f.hits[slot] = {};
  const std::vector<IndexEntry::Item>& items = f.entry->items[slot];
  if (items.empty()) return {};
  CollectKeys(f);

  ArenaList<uint32_t> found;
  bool ok = true;
  if (++f.notes.round == 0) {
    std::fill(f.notes.clause_round.begin(), f.notes.clause_round.end(), 0);
    f.notes.round = 1;
  }
  auto take = [&](uint32_t clause) {
    if (f.notes.clause_round[clause] == f.notes.round) return;
    f.notes.clause_round[clause] = f.notes.round;
    if (Concerns(f, role, f.program.clauses[clause])) ok = found.Add(f.arena, clause) && ok;
  };
  const std::vector<IndexEntry::Run>& runs = f.entry->runs[slot];
  auto take_run = [&](const IndexEntry::Run& run) {
    if (run.narrowing != kNone && Narrows(f)) {
      NarrowedRanges narrowed;
      if (ReadNarrowing(f, f.entry->narrowings[run.narrowing], &narrowed)) {
        for (int i = 0; i < narrowed.count; ++i) {
          for (uint32_t clause : narrowed.ranges[i]) take(clause);
        }
        return;
      }
    }
    for (uint32_t i = run.first; i < run.first + run.count; ++i) take(items[i].clause);
  };
  if (f.try_all || items.size() <= 4) {
    for (const IndexEntry::Run& run : runs) take_run(run);
  } else {
    // Most entries hold keys of one or two kinds: the rest of the requester's lies outside.
    const uint64_t least = runs.front().key.Rank(), most = runs.back().key.Rank();
    for (const SubjectKey& key : f.keys) {
      const uint64_t rank = key.Rank();
      if (rank < least || rank > most) continue;
      if (const IndexEntry::Run* run = f.entry->FindRun(role, key)) take_run(*run);
    }
  }
  std::sort(found.begin(), found.end());
  Hit* hits = f.arena->NewArray<Hit>(found.size);
  if (!ok || (hits == nullptr && found.size != 0)) {
    f.OutOfArena();
    return {};
  }
  for (uint32_t i = 0; i < found.size; ++i) {
    hits[i] = TryClause(f, found.items[i], false);
    if (f.observer != nullptr) ReportHit(f, hits[i]);
  }
  f.hits[slot] = {hits, found.size};
  return f.hits[slot];
}

}  // namespace dpl
