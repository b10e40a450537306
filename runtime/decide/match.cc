// Which clauses could apply (by the index), and whether they do (by the machine).
#include <algorithm>
#include <new>

#include "runtime/decide/fold.h"
#include "runtime/decide/narrow.h"

namespace dpl {
namespace {

// Without a fresh feed of memberships nobody can say that a clause does not concern this person.
// And what is found by memberships may flip where one of them ends.
void WatchMemberships(Fold& f) {
  if (f.memberships_watched) return;
  f.memberships_watched = true;
  if (f.person == nullptr) return;
  f.try_all = !f.snapshot.MembershipsFresh(f.now);
  const PersonFacts* facts = f.person->person;
  if (facts == nullptr) return;
  for (const Membership& m : facts->teams) f.Flips(m.until);
  for (const Holding& h : facts->roles) f.Flips(h.until);
}

// What the index finds this requester by. A team or role held at some time or place is a key; the
// code says whether it counts.
void CollectKeys(Fold& f) {
  if (f.keys_ready) return;
  f.keys_ready = true;
  const PersonFacts* facts = f.person != nullptr ? f.person->person : nullptr;
  const size_t most = 6 + static_cast<size_t>(f.hop_count) +
                      (facts == nullptr ? 0 : facts->teams.size() + facts->roles.size());
  auto* keys =
      static_cast<SubjectKey*>(f.arena->Allocate(most * sizeof(SubjectKey), alignof(SubjectKey)));
  if (keys == nullptr) return f.OutOfArena();
  size_t count = 0;
  auto add = [&](KeyKind kind, uint32_t id) { new (&keys[count++]) SubjectKey{kind, id}; };
  add(KeyKind::kAny, 0);
  add(KeyKind::kEveryone, 0);
  add(KeyKind::kPublic, 0);
  if (facts != nullptr) {
    if (facts->literal != kNone) add(KeyKind::kPerson, facts->literal);
    for (const Membership& m : facts->teams) add(KeyKind::kTeam, m.team);
    for (size_t i = 0; i < facts->roles.size(); ++i) {
      const Holding& h = facts->roles[i];
      if (i == 0 || h.role != facts->roles[i - 1].role) add(KeyKind::kRole, h.role);
    }
  }
  for (int i = 0; i < f.hop_count; ++i) add(KeyKind::kAgent, f.hops[i].agent);
  if (f.partner != kNone) add(KeyKind::kPartner, f.partner);
  if (f.task_statement != kNone) add(KeyKind::kTask, f.program.statements[f.task_statement].detail);
  f.keys = {keys, count};
}

// What the request itself rules out, without running code: another agent's ceiling, another task,
// another receiver.
bool Concerns(const Fold& f, ClauseRole role, const ClauseNote& note) {
  const uint32_t statement = note.statement;
  switch (role) {
    case ClauseRole::kAgentMay:
      for (int i = 0; i < f.hop_count; ++i) {
        if (f.hops[i].statement == statement) return true;
      }
      return false;
    case ClauseRole::kDelegationMay:
      return DelegationConcerns(f, note.delegation);
    case ClauseRole::kTaskMay:
      return statement == f.task_statement;
    case ClauseRole::kBreakGlassMay:
      return statement == f.break_glass_named;
    case ClauseRole::kPartnerMay:
      return statement == f.partner_statement;
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
  return f.matching.machine->Run(code, &f.env);
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
  for (uint32_t part : parts) f.observer->OnPart(part, f.matching.machine->RunTruth(part, &f.env));
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

namespace {

// One factor after the other, as `and` takes them: what comes after an F is not asked.
class Matching {
 public:
  Matching(Fold& f, Hit* hit, bool all_factors) : f_(f), hit_(*hit), all_(all_factors) {}
  void Ask(uint32_t code, Truth* out) {
    if (code == kNone || (hit_.match == Truth::kFalse && !all_)) return;  // *out is T
    ErrorKind error = ErrorKind::kMissing;
    *out = RunTruthCode(f_, code, &error);
    Add(*out, error);
  }
  // The first factor.
  void AskSubject(const ClauseNote& note, Truth* out) {
    if (note.test.steps == 0) return Ask(note.subject, out);
    ErrorKind error = ErrorKind::kMissing;
    *out = f_.matching.machine->RunTruth(note.subject, note.test, &f_.env, &error);
    Add(*out, error);
  }

 private:
  void Add(Truth truth, ErrorKind error) {
    if (truth == Truth::kError && hit_.match == Truth::kTrue) hit_.error = error;
    hit_.match = And(hit_.match, truth);
  }

  Fold& f_;
  Hit& hit_;
  const bool all_;
};

void TryDelegation(Fold& f, uint32_t lent_by, Matching* matching, Hit* hit) {
  const Delegation& delegation = f.program.delegations[lent_by];
  Truth held = Truth::kTrue;
  matching->Ask(delegation.from_code, &held);
  hit->subject = And(hit->subject, held);
  if (delegation.to_code != kNone && f.deputy != nullptr) {
    DeputyView view(f);
    Truth receives = Truth::kTrue;
    matching->Ask(delegation.to_code, &receives);
    hit->subject = And(hit->subject, receives);
  }
}

// *hit: as it begins.
void Try(Fold& f, uint32_t clause, bool all_factors, Hit* hit) {
  const ClauseNote& note = f.notes.clauses[clause];
  hit->clause = clause;
  Matching matching(f, hit, all_factors);
  if (note.delegation != kNone) {
    TaskView view(f, note.statement);
    matching.AskSubject(note, &hit->subject);
    TryDelegation(f, note.delegation, &matching, hit);
    matching.Ask(note.scope, &hit->scope);
    matching.Ask(note.where, &hit->where);
    return;
  }
  matching.AskSubject(note, &hit->subject);
  matching.Ask(note.scope, &hit->scope);
  matching.Ask(note.where, &hit->where);
}

// The clauses of this role that the index finds, in notes.found, in clause order.
void CollectMany(Fold& f, ClauseRole role) {
  const size_t slot = static_cast<size_t>(role);
  const std::vector<IndexEntry::Item>& items = f.entry->items[slot];
  std::vector<uint32_t>& found = f.matching.found;
  found.clear();
  CollectKeys(f);
  auto take = [&](uint32_t clause) {
    if (Concerns(f, role, f.notes.clauses[clause])) found.push_back(clause);
  };
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
  const std::vector<IndexEntry::Run>& runs = f.entry->runs[slot];
  if (f.try_all) {
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
  if (found.size() < 2) return;
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
}

// So few that looking for their keys would cost more than trying them.
constexpr size_t kFew = 4;

// The same of so few, into `found`; how many.
size_t CollectFew(Fold& f, ClauseRole role, std::span<const IndexEntry::Item> items,
                  uint32_t* found) {
  size_t count = 0;
  for (const IndexEntry::Item& item : items) {
    size_t at = count;
    while (at > 0 && found[at - 1] > item.clause) --at;
    if (at > 0 && found[at - 1] == item.clause) continue;
    if (!Concerns(f, role, f.notes.clauses[item.clause])) continue;
    for (size_t i = count++; i > at; --i) found[i] = found[i - 1];
    found[at] = item.clause;
  }
  return count;
}

}  // namespace

Hit TryClause(Fold& f, uint32_t clause, bool all_factors) {
  Hit hit;
  Try(f, clause, all_factors, &hit);
  return hit;
}

std::span<const Hit> TryRole(Fold& f, ClauseRole role) {
  const size_t slot = static_cast<size_t>(role);
  const std::vector<IndexEntry::Item>& items = f.entry->items[slot];
  WatchMemberships(f);
  uint32_t few[kFew];
  std::span<const uint32_t> found;
  if (items.size() <= kFew && f.entry->narrowings.empty()) {
    found = {few, CollectFew(f, role, items, few)};
  } else {
    CollectMany(f, role);
    found = f.matching.found;
  }
  if (found.empty()) return {};
  auto* hits = static_cast<Hit*>(f.arena->Allocate(found.size() * sizeof(Hit), alignof(Hit)));
  if (hits == nullptr) {
    f.OutOfArena();
    return {};
  }
  for (size_t i = 0; i < found.size(); ++i) {
    new (&hits[i]) Hit();
    Try(f, found[i], false, &hits[i]);
    if (f.observer != nullptr) ReportHit(f, hits[i]);
  }
  f.hits[slot] = {hits, found.size()};
  return f.hits[slot];
}

}  // namespace dpl
