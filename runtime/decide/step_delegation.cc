// Steps 9 and 10: the root has lent this to the first agent, and a task that is named or required
// covers it.
#include <algorithm>

#include "runtime/decide/fold.h"

namespace dpl {
namespace {

// The agent that receives from the root: h₁, or h₂ when h₁ is itself the root of a standing
// request.
int FirstReceiver(const Fold& f) { return f.mode == ActingMode::kStanding ? 1 : 0; }

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

// How long ago a consent was given; one given for a day counts as given until that day's end.
int64_t ConsentAge(const Fold& f, const ConsentRecord& consent) {
  Instant at = consent.at;
  if (consent.whole_day) at = Add(at, Duration{kMicrosPerDay}).value_or(kMaxInstant);
  return AgeUs(f.now, at);
}

bool ConsentLive(Fold& f, uint32_t statement, const Delegation& d) {
  if (d.consent == ConsentKind::kByPolicy) return true;
  if (f.suppose != nullptr && f.suppose->consent == statement) return true;
  if (f.person == nullptr) return false;  // a standing root cannot consent
  int64_t within = d.consent_every_us;
  if (d.consent == ConsentKind::kEachTask) {
    if (!f.request.task.empty())
      return true;  // opening the task was the consent; step 10 sees that this person did
    within = d.lasts_us != 0 ? d.lasts_us : f.program.agents[f.chain[FirstReceiver(f)]].lives_us;
    if (within == 0) return false;
  }
  if (!f.store.FindConsent(f.Text(f.program.statements[statement].name), f.person->id, &f.consent))
    return false;
  if (ConsentAge(f, f.consent) > within) return false;
  Instant at = f.consent.at;
  if (f.consent.whole_day) at = Add(at, Duration{kMicrosPerDay}).value_or(kMaxInstant);
  if (std::optional<Instant> end = Add(at, Duration{within})) f.FlipsAfter(*end);
  // A delegation that lends more than was consented to is not consented to; less is fine (closing
  // rule 35).
  return !f.consent.reach.empty() && std::includes(f.consent.reach.begin(), f.consent.reach.end(),
                                                   d.reach.begin(), d.reach.end());
}

Reason CheckDelegation(Fold& f, uint32_t statement) {
  const Statement& s = f.program.statements[statement];
  const Delegation& d = f.program.delegations[s.detail];
  if (f.store.AnyRevoked(RevokedKind::kDelegation) &&
      f.store.IsRevoked(RevokedKind::kDelegation, f.Text(s.name), std::nullopt)) {
    return Reason::kRevokedDelegation;
  }
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
  int first = FirstReceiver(f);
  return f.hop_count > first && Contains(d.to_agents, f.chain[first]) &&
         (d.modes & ModeBitOf(f.mode)) != 0;
}

Reason StepDelegation(Fold& f) {
  Reason best = Reason::kDelegationNone;
  uint32_t best_statement = kNone, best_clause = kNone;
  for (const Hit& hit : HitsOf(f, ClauseRole::kDelegationMay)) {
    if (hit.match != Truth::kTrue) continue;
    uint32_t statement = f.program.clauses[hit.clause].statement;
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
    f.d.chain.items[f.hop_count - 1].ok = false;
    f.d.chain.items[f.hop_count - 1].reason = best;
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
  bool right_agent = f.task->agent == f.hops[0].name &&
                     (shape.agents.empty() || Contains(shape.agents, f.chain[0]));
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
