// The report of a denial: which statement came nearest, and what would have to change and who owns
// that change.
//
// A change is called verified only when the fold, run once more under that one supposition and
// without any effect, ends in permit (closing rule 40); else the answer says that it cannot tell.
#include <algorithm>

#include "runtime/decide/fold.h"
#include "runtime/decide/narrow.h"

namespace dpl {
namespace {

struct Near {
  NearestMiss miss;
  int passed = -1;  // factors of the match that say T
  int live = 0;     // how far it got towards being live
  bool Better(int p, int l, uint32_t statement, uint32_t clause) const {
    if (p != passed) return p > passed;
    if (l != live) return l > live;
    return statement != miss.statement ? statement < miss.statement : clause < miss.clause;
  }
};

int Said(Truth t) { return t == Truth::kTrue ? 1 : 0; }

// Tries one more; false: the report is over its means.
bool Try(Fold& f, ClauseRole role, uint32_t clause, Near* near) {
  Hit hit = TryClause(f, clause, true);
  if (f.env.abort != Abort::kNo) return false;
  uint32_t statement = f.notes.clauses[clause].statement;
  int passed = Said(hit.subject) + Said(hit.scope) + Said(hit.where);
  Factor factor = hit.subject != Truth::kTrue ? Factor::kSubject
                  : hit.scope != Truth::kTrue ? Factor::kScope
                  : hit.where != Truth::kTrue ? Factor::kWhere
                                              : Factor::kNone;
  Factor dead = role == ClauseRole::kGrantMay ? NotLive(f, statement) : Factor::kNone;
  int live = static_cast<int>(dead);
  if (!near->Better(passed, live, statement, clause)) return true;
  near->passed = passed;
  near->live = live;
  near->miss = {statement, clause, factor == Factor::kNone ? dead : factor, Truth::kFalse,
                hit.error};
  Truth truth = factor == Factor::kSubject ? hit.subject
                : factor == Factor::kScope ? hit.scope
                                           : hit.where;
  if (factor != Factor::kNone) near->miss.truth = truth;
  return true;
}

// The same as trying all of `near`, where there are many of them. First those that no value rules
// out; of the others, which have some factor that is F, first those that the requester is found by,
// then those whose subject is F as well: of each lot only as long as one could still be nearer.
bool FindAmong(Fold& f, const IndexEntry::Near& near, Near* out) {
  if (near.narrowing == kNone || !Narrows(f) || f.try_all || !f.keys_ready) return false;
  NarrowedRanges narrowed;
  if (!ReadNarrowing(f, f.entry->narrowings[near.narrowing], &narrowed)) return false;
  const uint32_t round = NextRound(f);
  for (int i = 0; i < narrowed.count; ++i) {
    for (uint32_t clause : narrowed.ranges[i]) {
      if (f.matching.rounds[clause] == round) continue;
      f.matching.rounds[clause] = round;
      if (!Try(f, ClauseRole::kGrantMay, clause, out)) return true;
    }
  }
  // `most`: how many factors of these can say T. False: over its means.
  auto try_of = [&](std::span<const uint32_t> clauses, int most) {
    for (uint32_t clause : clauses) {
      if (out->passed > most) return true;
      if (f.matching.rounds[clause] == round) continue;
      const bool best_of_its_kind =
          out->passed == most && out->live == static_cast<int>(Factor::kNone);
      if (best_of_its_kind &&
          !out->Better(most, out->live, f.notes.clauses[clause].statement, clause))
        return true;
      if (!Try(f, ClauseRole::kGrantMay, clause, out)) return false;
    }
    return true;
  };
  const std::vector<IndexEntry::Run>& runs =
      f.entry->runs[static_cast<size_t>(ClauseRole::kGrantMay)];
  for (const SubjectKey& key : f.keys) {
    const IndexEntry::Run* run = f.entry->FindRun(ClauseRole::kGrantMay, key);
    if (run == nullptr) continue;
    const Narrowing::Range range = near.runs[static_cast<size_t>(run - runs.data())];
    if (!try_of(std::span(near.by_run).subspan(range.first, range.count), 2)) return true;
  }
  try_of(near.clauses, 1);
  return true;
}

// Of all clauses of this role, not only those the index found for the requester.
Near FindNearest(Fold& f, ClauseRole role, uint32_t only_statement) {
  Near near;
  if (role == ClauseRole::kGrantMay && only_statement == kNone) {
    if (!FindAmong(f, f.entry->near, &near)) {
      for (uint32_t clause : f.entry->near.clauses) {
        if (!Try(f, role, clause, &near)) break;
      }
    }
    return near;
  }
  const auto& items = f.entry->items[static_cast<int>(role)];
  size_t tried = 0;
  const uint32_t round = NextRound(f);
  for (const IndexEntry::Item& item : items) {
    if (f.matching.rounds[item.clause] == round) continue;
    f.matching.rounds[item.clause] = round;
    uint32_t statement = f.notes.clauses[item.clause].statement;
    if (only_statement != kNone && statement != only_statement) continue;
    if (role == ClauseRole::kDelegationMay &&
        !DelegationConcerns(f, f.program.statements[statement].detail))
      continue;
    if (++tried > kMaxNear) break;
    if (!Try(f, role, item.clause, &near)) break;
  }
  return near;
}

OwnerDef ResourceOwner(const Fold& f) {
  if (f.resource_def != nullptr && !f.resource_def->owners.empty())
    return f.resource_def->owners[0];
  if (f.resource_def != nullptr && f.resource_def->system != kNone)
    return f.schema.systems[f.resource_def->system].owner;
  return {};
}

class Reporter {
 public:
  Reporter(Fold& f, DecisionState* store, Scratch::Impl* scratch)
      : f_(f), store_(store), scratch_(scratch) {}

  // Whether the fold would permit if this one thing were so.
  bool Helps(const Supposition& s) {
    scratch_->what_if_arena.Reset();
    Request request = f_.request;
    request.explain = false;
    Fold f(f_.snapshot, store_, request, f_.now, &f_.matching, &scratch_->what_if_arena,
           &scratch_->text, &scratch_->consent, &scratch_->what_if_decision);
    f.suppose = &s;
    RunFold(f);
    Reason r = scratch_->what_if_decision.reason;
    return r == Reason::kPermit || r == Reason::kWouldPermit;
  }

  Change* Add(Change::Kind kind, uint32_t statement, OwnerDef owner) {
    Change c;
    c.kind = kind;
    c.statement = statement;
    c.owner = owner;
    if (!f_.d.changes.Add(c)) return nullptr;
    return &f_.d.changes.items[f_.d.changes.size - 1];
  }
  OwnerDef OwnerOf(uint32_t statement) const {
    return statement == kNone ? OwnerDef() : f_.program.statements[statement].owner;
  }

  void Nearest(ClauseRole role, uint32_t only_statement) {
    Near near = FindNearest(f_, role, only_statement);
    if (near.passed >= 0) f_.d.nearest = near.miss;
  }

  void GrantMissing() {
    Nearest(ClauseRole::kGrantMay, kNone);
    const NearestMiss& miss = f_.d.nearest;
    if (miss.statement == kNone) {
      Add(Change::Kind::kWriteGrant, kNone, ResourceOwner(f_));
      return;
    }
    Change::Kind kind = Change::Kind::kMeetCondition;
    switch (miss.factor) {
      case Factor::kSubject:
        kind = Change::Kind::kJoinSubject;
        break;
      case Factor::kScope:
      case Factor::kWhere:
        kind = Change::Kind::kMeetCondition;
        break;
      case Factor::kUnreviewed:
      case Factor::kOverdue:
        kind = Change::Kind::kReviewGrant;
        break;
      case Factor::kUnapproved:
        kind = Change::Kind::kApproveGrant;
        break;
      default:
        kind = Change::Kind::kRenewGrant;
        break;
    }
    Change* c = Add(kind, miss.statement, OwnerOf(miss.statement));
    if (c == nullptr) return;
    c->clause = miss.clause;
    if (miss.factor >= Factor::kNotStarted) {
      Supposition s;
      s.live_grant = miss.statement;
      c->verified = Helps(s);
    }
  }

  void LimitExceeded() {
    // The most of each measure that every checked limit on it still takes.
    const BoundLimit* over = nullptr;
    int64_t room = INT64_MAX;
    for (const BoundLimit& b : f_.limits) {
      if (b.checked && b.line.state == LimitState::kExceeded && (over == nullptr || b.line.binding))
        over = &b;
    }
    if (over == nullptr) return;
    for (const BoundLimit& b : f_.limits) {
      if (!b.checked || b.measure != over->measure) continue;
      int64_t left = 0;
      if (__builtin_sub_overflow(b.cap, b.used, &left)) left = 0;
      room = std::min(room, left);
    }
    uint32_t statement = f_.program.limits[over->line.limit].statement;
    if (over->measure != kNone && room > 0) {
      if (Change* c = Add(Change::Kind::kLowerAmount, statement, OwnerDef())) {
        c->limit = over->line.limit;
        c->value = Value::Int(over->line.requested.kind, room, over->line.requested.n);
        Supposition s;
        s.measure = over->measure;
        s.quantity = room;
        c->verified = Helps(s);
      }
    }
    if (Change* c = Add(Change::Kind::kRaiseLimit, statement, OwnerOf(statement)))
      c->limit = over->line.limit;
  }

  void AskedFor() {
    Supposition s;
    s.approved = true;
    bool helps = Helps(s);
    for (uint32_t approval : f_.d.approvals) {
      uint32_t statement = f_.program.approval_statements[approval];
      if (Change* c = Add(Change::Kind::kGetApproval, statement, OwnerOf(statement))) {
        c->approval = approval;
        c->verified = helps;
      }
    }
  }

  uint32_t Blamed() const { return f_.blame.size == 0 ? kNone : f_.blame.items[0].statement; }

  void Report(Reason reason) {
    switch (reason) {
      case Reason::kIdentityUnlinked:
      case Reason::kIdentityLinkStale: {
        uint32_t system = f_.resource_def->system;
        bool stale = reason == Reason::kIdentityLinkStale;
        if (Change* c = Add(stale ? Change::Kind::kRecheckLink : Change::Kind::kLinkAccount, kNone,
                            f_.schema.systems[system].owner)) {
          c->system = system;
          Supposition s;
          s.linked = true;
          c->verified = Helps(s);
        }
        return;
      }
      case Reason::kForbidden:
        if (Change* c = Add(Change::Kind::kLiftForbid, Blamed(), OwnerOf(Blamed())))
          c->clause = f_.blame.items[0].clause;
        return;
      case Reason::kPersonNoGrant:
      case Reason::kGrantNotStarted:
      case Reason::kGrantExpired:
      case Reason::kGrantUnreviewed:
      case Reason::kGrantReviewOverdue:
      case Reason::kGrantUnapproved:
        return GrantMissing();
      case Reason::kAgentNotAllowed:
        Nearest(ClauseRole::kAgentMay, Blamed());
        Add(Change::Kind::kWidenCeiling, Blamed(), OwnerOf(Blamed()));
        return;
      case Reason::kDelegationNone: {
        Nearest(ClauseRole::kDelegationMay, kNone);
        uint32_t statement = f_.d.nearest.statement;
        bool condition =
            f_.d.nearest.factor == Factor::kScope || f_.d.nearest.factor == Factor::kWhere;
        Add(condition ? Change::Kind::kMeetCondition : Change::Kind::kDelegate, statement,
            OwnerOf(statement));
        return;
      }
      case Reason::kPartnerNotAllowed:
        Nearest(ClauseRole::kPartnerMay, f_.partner_statement);
        Add(Change::Kind::kWidenCeiling, f_.partner_statement, OwnerOf(f_.partner_statement));
        return;
      case Reason::kDelegationConsent: {
        if (Change* c = Add(Change::Kind::kConsent, Blamed(), OwnerDef())) {
          Supposition s;
          s.consent = Blamed();
          c->verified = Helps(s);
        }
        return;
      }
      case Reason::kTaskRequired:
        Add(Change::Kind::kOpenTask, Blamed(), OwnerDef());
        return;
      case Reason::kTaskOutOfScope:
        Nearest(ClauseRole::kTaskMay, f_.task_statement);
        return;
      case Reason::kLimitExceeded:
        return LimitExceeded();
      case Reason::kLimitUnbounded:
        Add(Change::Kind::kOther, kNone, ResourceOwner(f_));
        return;
      case Reason::kBreakGlassNotAllowed:
        if (Blamed() == kNone) return;
        Nearest(ClauseRole::kBreakGlassMay, Blamed());
        if (f_.d.nearest.factor == Factor::kNone) f_.d.nearest = {};  // shut for another reason
        return;
      case Reason::kObligationUnsupported:
        if (Change* c = Add(Change::Kind::kSupportDuty, Blamed(), ResourceOwner(f_))) {
          Supposition s;
          s.duties = true;
          c->verified = Helps(s);
        }
        return;
      case Reason::kApprovalRequired:
        return AskedFor();
      default:
        return;
    }
  }

 private:
  Fold& f_;
  DecisionState* store_;
  Scratch::Impl* scratch_;
};

}  // namespace

void ExplainDenial(Fold& f, Reason reason, DecisionState* store, Scratch::Impl* scratch) {
  if (f.suppose != nullptr || f.action_def == nullptr) return;
  int by = f.d.by.size;
  f.env.abort = Abort::kNo;
  f.env.steps_left = Env().steps_left;
  Reporter(f, store, scratch).Report(reason);
  f.d.by.size = std::min(f.d.by.size, by);
}

}  // namespace dpl
