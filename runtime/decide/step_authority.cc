// Steps 6 to 8: nothing forbids it, some grant allows it, and every agent of the chain may do it.
#include <algorithm>

#include "runtime/decide/fold.h"

namespace dpl {

Reason StepForbid(Fold& f) {
  if (!f.request.break_glass.empty() && !OpenBreakGlass(f)) return Reason::kBreakGlassNotAllowed;
  uint32_t last = kNone;
  bool forbidden = false;
  for (const Hit& hit : HitsOf(f, ClauseRole::kForbidCovers)) {
    uint32_t statement = f.notes.clauses[hit.clause].statement;
    if (statement == last) continue;
    const Forbid& forbid = f.program.forbids[f.program.statements[statement].detail];
    auto lifted = [&] {  // on T only (closing rule 9)
      if (forbid.unless_code == kNone) return false;
      Truth lifts = RunTruthCode(f, forbid.unless_code, nullptr);
      if (f.observer != nullptr) ReportCondition(f, forbid.unless_code, lifts);
      return lifts == Truth::kTrue;
    };
    Truth match = hit.match;
    if (match == Truth::kFalse || lifted()) {
      // What forbids it to the person who acts for another forbids it here too.
      match = MatchForDeputy(f, hit.clause);
      if (match == Truth::kFalse) continue;
      DeputyView view(f);
      if (lifted()) continue;
    }
    last = statement;
    if (LiftedByBreakGlass(f, statement)) {
      f.d.by.Add({Part::kLifted, statement, hit.clause, hit.match});
      continue;
    }
    forbidden = true;
    f.Blame(Part::kForbid, statement, hit.clause, match);
  }
  return forbidden ? Reason::kForbidden : kPass;
}

bool Started(const Fold& f, uint32_t statement) {
  return f.program.statements[statement].granted_us <= f.now.us;
}

Factor NotLive(Fold& f, uint32_t statement) {
  const Statement& s = f.program.statements[statement];
  if (f.suppose != nullptr && f.suppose->live_grant == statement) return Factor::kNone;
  if (s.granted_us > f.now.us) {
    f.Flips(Instant{s.granted_us});
    return Factor::kNotStarted;
  }
  if (s.expires_us <= f.now.us) return Factor::kExpired;
  f.Flips(Instant{s.expires_us});
  // Granted anew after a cut-off is granted.
  if (f.Revoked(RevokedKind::kGrant, f.Text(s.name), Instant{s.granted_us}))
    return Factor::kRevoked;
  if (!f.has_agent())
    return Factor::kNone;  // a person keeps what is only overdue; software does not
  int64_t reviewed = s.reviewed_us != INT64_MIN ? s.reviewed_us
                     : s.imported               ? INT64_MIN
                                                : s.granted_us;
  if (s.imported && reviewed == INT64_MIN) return Factor::kUnreviewed;
  if (s.review_every_us != 0) {
    int64_t due = 0;
    if (reviewed == INT64_MIN || __builtin_add_overflow(reviewed, s.review_every_us, &due))
      return Factor::kOverdue;
    if (due <= f.now.us) return Factor::kOverdue;
    f.Flips(Instant{due});
  }
  return f.snapshot.ApproverOk(s.detail, f.now) ? Factor::kNone : Factor::kUnapproved;
}

bool InAuthority(const Fold& f, uint32_t statement) {
  return std::binary_search(f.authority.begin(), f.authority.end(), statement);
}

bool Superseded(const Fold& f, uint32_t statement, const Limit* limit) {
  for (uint32_t by : f.authority) {
    const Statement& s = f.program.statements[by];
    if (s.kind != StatementKind::kGrant) continue;
    const std::vector<uint32_t>& over = f.program.grants[s.detail].supersedes;
    if (std::find(over.begin(), over.end(), statement) == over.end()) continue;
    if (limit == nullptr) return true;
    for (uint32_t i : s.limits) {
      const Limit& own = f.program.limits[i];
      if (own.requests == limit->requests && (own.requests || own.measure == limit->measure))
        return true;
    }
  }
  return false;
}

namespace {

Reason ReasonOf(Factor factor) {
  switch (factor) {
    case Factor::kNotStarted:
      return Reason::kGrantNotStarted;
    case Factor::kExpired:
      return Reason::kGrantExpired;
    case Factor::kRevoked:
      return Reason::kRevokedGrant;
    case Factor::kUnreviewed:
      return Reason::kGrantUnreviewed;
    case Factor::kOverdue:
      return Reason::kGrantReviewOverdue;
    case Factor::kUnapproved:
      return Reason::kGrantUnapproved;
    default:
      return Reason::kPersonNoGrant;
  }
}

}  // namespace

Reason StepAuthority(Fold& f) {
  f.authority = {};
  // Of the grants that match in full, the one that passed most of what makes it live names the
  // reason.
  Factor nearest = Factor::kSubject;
  uint32_t nearest_statement = kNone, nearest_clause = kNone;
  uint32_t last_by = kNone;
  for (const Hit& hit : HitsOf(f, ClauseRole::kGrantMay)) {
    if (hit.match != Truth::kTrue) continue;
    uint32_t statement = f.notes.clauses[hit.clause].statement;
    Factor miss = NotLive(f, statement);
    if (miss != Factor::kNone) {
      if (nearest_statement == kNone || miss > nearest ||
          (miss == nearest && statement < nearest_statement)) {
        nearest = miss;
        nearest_statement = statement;
        nearest_clause = hit.clause;
      }
      continue;
    }
    if (statement != last_by) f.d.by.Add({Part::kGrant, statement, hit.clause, Truth::kTrue});
    last_by = statement;
    if (std::find(f.authority.begin(), f.authority.end(), statement) == f.authority.end()) {
      if (!f.authority.Add(f.arena, statement)) f.OutOfArena();
    }
  }
  if (f.break_glass != kNone) {
    f.d.by.Add({Part::kBreakGlass, f.break_glass, f.break_glass_clause, Truth::kTrue});
    if (!f.authority.Add(f.arena, f.break_glass)) f.OutOfArena();
  }
  if (f.authority.size > 1) std::sort(f.authority.begin(), f.authority.end());
  if (f.authority.size != 0) return kPass;
  if (nearest_statement == kNone) return Reason::kPersonNoGrant;
  f.Blame(Part::kGrant, nearest_statement, nearest_clause);
  return ReasonOf(nearest);
}

Reason StepCeilings(Fold& f) {
  std::span<const Hit> hits = HitsOf(f, ClauseRole::kAgentMay);
  Reason result = kPass;
  for (int i = 0; i < f.hop_count; ++i) {
    uint32_t statement = f.hops[i].statement;
    const Hit* covers = nullptr;
    for (const Hit& hit : hits) {
      if (hit.match == Truth::kTrue && f.notes.clauses[hit.clause].statement == statement) {
        covers = &hit;
        break;
      }
    }
    bool again = std::find(f.chain.begin(), f.chain.begin() + i, f.chain[i]) != f.chain.begin() + i;
    if (covers != nullptr) {
      if (!again) f.d.by.Add({Part::kCeiling, statement, covers->clause, Truth::kTrue});
      continue;
    }
    if (!f.reporting || f.HopReport(i).ok) {
      f.HopReport(i).ok = false;
      f.HopReport(i).reason = Reason::kAgentNotAllowed;
    }
    if (!again) f.Blame(Part::kCeiling, statement, kNone, Truth::kFalse);
    result = Reason::kAgentNotAllowed;
  }
  return result;
}

}  // namespace dpl
