// Steps 9 and 10: the root has lent this to the first agent, and a task that is named or required
// covers it.
#include <algorithm>

#include "runtime/decide/fold.h"

namespace dpl {
namespace {

// The agent that receives from the root: h₁, or h₂ when h₁ is itself the root of a standing
// request; -1 when a person receives, and every agent comes after.
int FirstReceiver(const Fold& f) {
  return f.deputy != nullptr ? -1 : f.mode == ActingMode::kStanding ? 1 : 0;
}

uint8_t ModeBitOf(ActingMode mode) {
  switch (mode) {
    case ActingMode::kOnBehalfOf:
      return kModeOnBehalfOf;
    case ActingMode::kImpersonate:
      return kModeImpersonate;
    case ActingMode::kStanding:
      return kModeStanding;
    default:
      return 0;
  }
}

bool Contains(const std::vector<uint32_t>& list, uint32_t value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

int64_t AgeUs(Instant now, Instant since) { return std::max<int64_t>(0, Subtract(now, since).us); }

// When a consent was given; one given for a day counts as given at that day's end.
Instant GivenAt(const ConsentRecord& consent) {
  if (!consent.whole_day) return consent.at;
  return Add(consent.at, Duration{kMicrosPerDay}).value_or(kMaxInstant);
}

bool ConsentLive(Fold& f, uint32_t statement, const Delegation& d) {
  if (d.consent == ConsentKind::kByPolicy) return true;
  if (f.suppose != nullptr && f.suppose->consent == statement) return true;
  // A cut-off of the delegation or of the person who consented takes the consents before it.
  auto cut = [&](Instant at) {
    return f.Revoked(RevokedKind::kDelegation, f.Text(f.program.statements[statement].name), at) ||
           f.Revoked(RevokedKind::kPerson, f.person->id, at);
  };
  if (f.person == nullptr) return false;  // a standing root cannot consent
  int64_t within = d.consent_every_us;
  if (d.consent == ConsentKind::kEachTask) {
    if (!f.request.task.empty())
      return f.task == nullptr || !cut(f.task->opened);  // opening the task was the consent; step
                                                         // 10 sees that this person did
    within = d.lasts_us;
    if (within == 0 && f.deputy == nullptr)
      within = f.program.agents[f.chain[FirstReceiver(f)]].lives_us;
    if (within == 0) return false;
  }
  if (!f.store.FindConsent(f.Text(f.program.statements[statement].name), f.person->id, &f.consent))
    return false;
  if (cut(f.consent.at)) return false;
  Instant at = GivenAt(f.consent);
  if (AgeUs(f.now, at) > within) return false;
  if (std::optional<Instant> end = Add(at, Duration{within})) f.FlipsAfter(*end);
  // A delegation that lends more than was consented to is not consented to; less is fine (closing
  // rule 35).
  return !f.consent.reach.empty() && std::includes(f.consent.reach.begin(), f.consent.reach.end(),
                                                   d.reach.begin(), d.reach.end());
}

Reason CheckDelegation(Fold& f, uint32_t statement) {
  const Statement& s = f.program.statements[statement];
  const Delegation& d = f.program.delegations[s.detail];
  // Where nobody consents, what the delegation lends began when it was granted.
  Instant begun{INT64_MAX};
  if (d.consent == ConsentKind::kByPolicy || f.person == nullptr) begun = Instant{s.granted_us};
  if (f.Revoked(RevokedKind::kDelegation, f.Text(s.name), begun)) return Reason::kRevokedDelegation;
  int first = FirstReceiver(f);
  int onward = f.hop_count - 1 - first;
  if (onward > static_cast<int>(std::min<uint32_t>(d.onward_hops, kMaxHops)))
    return Reason::kDelegationDepth;
  for (int i = first + 1; i < f.hop_count; ++i) {
    if (!Contains(d.onward_agents, f.chain[i])) return Reason::kDelegationDepth;
  }
  if (!d.only_in_tasks.empty()) {
    uint32_t shape =
        f.task_statement == kNone ? kNone : f.program.statements[f.task_statement].detail;
    // A task that nobody opened is step 10's to refuse; none at all, or one of another shape, is
    // refused here.
    bool unknown = !f.request.task.empty() && f.task_statement == kNone;
    if (!unknown && (shape == kNone || !Contains(d.only_in_tasks, shape)))
      return Reason::kTaskRequired;
  }
  if (!ConsentLive(f, statement, d)) return Reason::kDelegationConsent;
  if (s.expires_us <= f.now.us) return Reason::kDelegationExpired;
  f.Flips(Instant{s.expires_us});
  // Of a task that is over, step 10 says so.
  bool over = f.task != nullptr && f.task->expires <= f.now;
  if (f.deputy != nullptr && f.task == nullptr) {
    // Between people no run is born that `lasts` could count from: it counts from the consent. One
    // that a task was named for, or that is only supposed, was not looked up.
    bool supposed = f.suppose != nullptr && f.suppose->consent == statement;
    if (d.lasts_us == 0 || supposed || !f.request.task.empty()) return kPass;
    if (d.consent == ConsentKind::kByPolicy) return Reason::kDelegationExpired;
    Instant since = GivenAt(f.consent);
    if (AgeUs(f.now, since) > d.lasts_us) return Reason::kDelegationExpired;
    if (std::optional<Instant> end = Add(since, Duration{d.lasts_us})) f.FlipsAfter(*end);
    return kPass;
  }
  if (d.lasts_us != 0 && !over) {
    Instant since = f.task != nullptr ? f.task->opened : f.hops[0].born;
    // A task that ended before the delegation did is step 10's to name.
    Instant at = f.task != nullptr ? std::min(f.now, f.task->expires) : f.now;
    if (AgeUs(at, since) > d.lasts_us) return Reason::kDelegationExpired;
    if (std::optional<Instant> end = Add(since, Duration{d.lasts_us})) f.FlipsAfter(*end);
  }
  return kPass;
}

// When several delegations fail, the one that got furthest names the reason.
int Progress(Reason reason) {
  switch (reason) {
    case Reason::kDelegationNone:
      return 0;
    case Reason::kRevokedDelegation:
      return 1;
    case Reason::kDelegationDepth:
      return 2;
    case Reason::kTaskRequired:
      return 3;
    case Reason::kDelegationConsent:
      return 4;
    default:
      return 5;
  }
}

}  // namespace

bool DelegationConcerns(const Fold& f, uint32_t delegation) {
  const Delegation& d = f.program.delegations[delegation];
  if (f.deputy != nullptr || d.to_code != kNone)
    return f.deputy != nullptr && d.to_code != kNone && (d.modes & kModeOnBehalfOf) != 0;
  int first = FirstReceiver(f);
  return f.hop_count > first && Contains(d.to_agents, f.chain[first]) &&
         (d.modes & ModeBitOf(f.mode)) != 0;
}

namespace {

// A partner's own block takes the place of a delegation: what its subjects may do here at most, by
// how many agents of its own, and until when.
Reason StepPartner(Fold& f) {
  const Statement& s = f.program.statements[f.partner_statement];
  const Partner& partner = f.program.partners[f.partner];
  auto refuse = [&](Reason reason, std::string_view why) {
    f.Blame(Part::kPartner, f.partner_statement, kNone, Truth::kFalse);
    if (!f.reporting && !why.empty()) f.d.detail = why;
    return reason;
  };
  if (s.granted_us > f.now.us) {
    f.Flips(Instant{s.granted_us});
    return refuse(Reason::kPartnerNotAllowed, "the terms with this partner are not yet in force");
  }
  if (s.expires_us <= f.now.us)
    return refuse(Reason::kPartnerNotAllowed, "the terms with this partner are over");
  f.Flips(Instant{s.expires_us});
  if (f.partner_hops > 0 && !partner.accepts_agents)
    return refuse(Reason::kPartnerNotAllowed, "agents of this partner are not accepted");
  if (f.partner_hops > static_cast<int>(std::min<uint32_t>(partner.max_hops, kMaxHops))) {
    HopOut& last = f.d.chain.items[f.d.chain.size - 1];
    if (!f.reporting) last.ok = false, last.reason = Reason::kDelegationDepth;
    return refuse(Reason::kDelegationDepth, "the partner's agents passed the work on too often");
  }
  for (const Hit& hit : HitsOf(f, ClauseRole::kPartnerMay)) {
    if (hit.match != Truth::kTrue) continue;
    f.d.by.Add({Part::kPartner, f.partner_statement, hit.clause, Truth::kTrue});
    return kPass;
  }
  return refuse(Reason::kPartnerNotAllowed, {});
}

}  // namespace

Reason StepDelegation(Fold& f) {
  if (f.mode == ActingMode::kPartner) return StepPartner(f);
  Reason best = Reason::kDelegationNone;
  uint32_t best_statement = kNone, best_clause = kNone;
  for (const Hit& hit : HitsOf(f, ClauseRole::kDelegationMay)) {
    if (hit.match != Truth::kTrue) continue;
    uint32_t statement = f.notes.clauses[hit.clause].statement;
    if (!Started(f, statement)) {
      f.Flips(Instant{f.program.statements[statement].granted_us});
      continue;
    }
    Reason reason = CheckDelegation(f, statement);
    if (reason == kPass) {
      f.d.by.Add({Part::kDelegation, statement, hit.clause, Truth::kTrue});
      return kPass;
    }
    if (best_statement == kNone || Progress(reason) > Progress(best)) {
      best = reason;
      best_statement = statement;
      best_clause = hit.clause;
    }
  }
  if (best_statement != kNone) f.Blame(Part::kDelegation, best_statement, best_clause);
  if (best == Reason::kDelegationDepth && !f.reporting && f.hop_count > 0) {
    f.HopReport(f.hop_count - 1).ok = false;
    f.HopReport(f.hop_count - 1).reason = best;
  }
  return best;
}

Reason StepTask(Fold& f) {
  // A run that was seen in a task cannot act outside it (closing rule 34).
  for (int i = 0; i < f.hop_count; ++i) {
    const Hop& hop = f.hops[i];
    if (hop.bound && !f.store.InstanceBoundTo(hop.name, hop.instance, f.request.task))
      return Reason::kTaskRequired;
  }
  if (f.request.task.empty()) return kPass;
  if (f.task == nullptr || f.task_statement == kNone) return Reason::kTaskUnknown;
  if (f.task->expires <= f.now) return Reason::kTaskExpired;
  f.Flips(f.task->expires);
  std::string_view person = f.person == nullptr ? std::string_view() : f.person->id;
  const Task& shape = f.program.tasks[f.program.statements[f.task_statement].detail];
  bool right_agent = false;
  if (f.deputy != nullptr) {  // h₁ is a person: a shape that names agents is not for people
    f.text.assign("person:").append(f.deputy->id);
    right_agent = f.task->agent == f.text && shape.agents.empty();
  } else {
    right_agent = f.task->agent == f.hops[0].name &&
                  (shape.agents.empty() || Contains(shape.agents, f.chain[0]));
  }
  if (f.task->person != person || !right_agent) {
    f.Blame(Part::kTask, f.task_statement, kNone);
    return Reason::kTaskWrongActor;
  }
  for (const Hit& hit : HitsOf(f, ClauseRole::kTaskMay)) {
    if (hit.match != Truth::kTrue) continue;
    f.d.by.Add({Part::kTask, f.task_statement, hit.clause, Truth::kTrue});
    f.task_fits = true;
    return kPass;
  }
  f.Blame(Part::kTask, f.task_statement, kNone);
  return Reason::kTaskOutOfScope;
}

}  // namespace dpl
