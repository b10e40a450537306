// Steps 3 to 5: in which way the request is made, what is withdrawn or stale, and by which account
// the person is known there.
#include "runtime/decide/fold.h"

namespace dpl {
namespace {

bool AllDeclare(const Fold& f, uint8_t mode) {
  for (int i = 0; i < f.hop_count; ++i) {
    if ((f.program.agents[f.chain[i]].modes & mode) == 0) return false;
  }
  return true;
}

Reason FailHop(Fold& f, int hop, Reason reason) {
  if (!f.reporting) {
    f.HopReport(hop).ok = false;
    f.HopReport(hop).reason = reason;
    f.Blame(Part::kCeiling, f.hops[hop].statement, kNone);
  }
  return reason;
}

// `instances at most N in any D`; without `in any`, those that can still be alive.
int64_t BirthWindow(const Agent& agent) {
  return agent.instances_window_us != 0 ? agent.instances_window_us : agent.lives_us;
}

}  // namespace

Reason StepMode(Fold& f) {
  switch (f.mode) {
    case ActingMode::kPublic:
      return kPass;
    case ActingMode::kDirect:
      // Direct use is proven, never assumed: else an agent would only have to leave itself out
      // (closing rule 1).
      return f.caller.serves_persons ? kPass : Reason::kAgentActorMissing;
    case ActingMode::kPartner:
      // A partner's agent must not be able to leave itself out either.
      return f.partner_hops > 0 || f.caller.serves_persons ? kPass : Reason::kAgentActorMissing;
    case ActingMode::kStanding:
      // `standing` stands alone (closing rule 5): dropping the person never turns another agent
      // into a standing one.
      if (f.program.agents[f.chain[0]].modes != kModeStanding)
        return FailHop(f, 0, Reason::kAgentModeNotAllowed);
      break;
    default:
      // Who acts for another person is seen to do so, as in direct use.
      if (f.deputy != nullptr && f.hop_count == 0 && !f.caller.serves_persons)
        return Reason::kAgentActorMissing;
      if (AllDeclare(f, kModeOnBehalfOf)) {
        f.mode = ActingMode::kOnBehalfOf;
      } else if (f.deputy == nullptr && AllDeclare(f, kModeImpersonate)) {
        f.mode = ActingMode::kImpersonate;
      } else {
        int hop = 0;
        while (hop + 1 < f.hop_count &&
               (f.program.agents[f.chain[hop]].modes & (kModeOnBehalfOf | kModeImpersonate)) != 0)
          ++hop;
        return FailHop(f, hop, Reason::kAgentModeNotAllowed);
      }
  }
  for (int i = 0; i < f.hop_count; ++i) {
    const Agent& agent = f.program.agents[f.chain[i]];
    if (agent.lives_us == 0) continue;
    if (Subtract(f.now, f.hops[i].born).us > agent.lives_us)
      return FailHop(f, i, Reason::kAgentExpired);
    if (std::optional<Instant> end = Add(f.hops[i].born, Duration{agent.lives_us}))
      f.FlipsAfter(*end);
  }
  for (int i = 0; i < f.hop_count; ++i) {
    const Agent& agent = f.program.agents[f.chain[i]];
    if (agent.instances_max == 0 || f.hops[i].known) continue;
    uint64_t births = f.store.InstancesBorn(f.hops[i].name, BirthWindow(agent), f.now) + 1;
    for (int j = 0; j < i; ++j) births += !f.hops[j].known && f.chain[j] == f.chain[i] ? 1 : 0;
    if (births > agent.instances_max) return FailHop(f, i, Reason::kAgentTooMany);
  }
  return kPass;
}

Reason StepRevoked(Fold& f) {
  auto revoked = [&](RevokedKind kind, std::string_view name, std::optional<Instant> since) {
    return f.Revoked(kind, name, since);
  };
  if (f.person != nullptr) {
    // A run that began after the cut-off proves nothing about the person's own session.
    if (revoked(RevokedKind::kPerson, f.person->id, f.request.signed_in))
      return Reason::kRevokedPerson;
  } else if (f.mode == ActingMode::kPublic &&
             revoked(RevokedKind::kPerson, f.request.subject_id, std::nullopt)) {
    return Reason::kRevokedPerson;
  }
  if (f.deputy != nullptr) {
    std::optional<Instant> signed_in = f.request.hops[0].born;
    if (!f.caller.asserts_instances) signed_in = std::nullopt;
    if (revoked(RevokedKind::kPerson, f.deputy->id, signed_in)) {
      if (!f.reporting) {
        f.d.chain.items[0].ok = false;
        f.d.chain.items[0].reason = Reason::kRevokedPerson;
      }
      return Reason::kRevokedPerson;
    }
  }
  if (f.partner != kNone &&
      (revoked(RevokedKind::kPartner, f.Text(f.program.statements[f.partner_statement].name),
               f.request.signed_in) ||
       revoked(RevokedKind::kPartner, f.partner_subject, f.request.signed_in)))
    return Reason::kRevokedPartner;
  if (f.account_system != kNone && f.store.AnyRevoked(RevokedKind::kAccount)) {
    f.text.assign(f.Text(f.schema.systems[f.account_system].name))
        .append(":")
        .append(f.account_key);
    if (f.store.IsRevoked(RevokedKind::kAccount, f.text, f.request.signed_in))
      return Reason::kRevokedAccount;
  }
  for (int i = 0; i < f.hop_count; ++i) {
    const Hop& hop = f.hops[i];
    if (revoked(RevokedKind::kAgent, hop.name, hop.born))
      return FailHop(f, i, Reason::kRevokedAgent);
    // A run descends from whoever it works for: a newer session does not bring back what an older
    // one had started.
    if ((f.person != nullptr && revoked(RevokedKind::kPerson, f.person->id, hop.born)) ||
        (f.deputy != nullptr && revoked(RevokedKind::kPerson, f.deputy->id, hop.born)))
      return FailHop(f, i, Reason::kRevokedPerson);
    if (!f.store.AnyRevoked(RevokedKind::kInstance) || hop.instance.empty()) continue;
    f.text.assign(hop.name).append("/").append(hop.instance);
    if (f.store.IsRevoked(RevokedKind::kInstance, f.text, hop.born))
      return FailHop(f, i, Reason::kRevokedInstance);
  }
  if (!f.request.task.empty()) {
    std::optional<Instant> opened;
    if (f.task != nullptr) opened = f.task->opened;
    if (revoked(RevokedKind::kTask, f.request.task, opened)) return Reason::kRevokedTask;
    // And so does a task from the person who opened it.
    if (f.task != nullptr && !f.task->person.empty() &&
        revoked(RevokedKind::kPerson, f.task->person, opened))
      return Reason::kRevokedTask;
  }
  if (f.person != nullptr && !f.snapshot.PersonsFresh(f.now)) return Reason::kStaleData;
  if (f.person != nullptr && f.schema.person.source_within_us != 0) {
    if (std::optional<Instant> stale =
            Add(f.snapshot.as_of(), Duration{f.schema.person.source_within_us}))
      f.FlipsAfter(*stale);
  }
  return kPass;
}

Reason StepLink(Fold& f) {
  if (f.person == nullptr) return kPass;
  uint32_t system = f.resource_def->system;
  if (system == kNone || !f.schema.systems[system].has_account) return kPass;
  const SystemDef& def = f.schema.systems[system];
  if (f.suppose != nullptr && f.suppose->linked) return kPass;

  // Of the person's accounts there (of the one the subject named): those not revoked live, those
  // checked in time are fresh.
  const AccountFact* account = nullptr;
  int live = 0, fresh = 0;
  bool any_revoked = false;
  for (const AccountFact& a : f.person->person->accounts) {
    if (a.system != system || (f.account_system == system && a.key != f.account_key)) continue;
    if (f.store.AnyRevoked(RevokedKind::kAccount)) {
      f.text.assign(f.Text(def.name)).append(":").append(a.key);
      if (f.store.IsRevoked(RevokedKind::kAccount, f.text, f.request.signed_in)) {
        any_revoked = true;
        continue;
      }
    }
    for (const AccountFact& claim : f.snapshot.FindAccounts(system, a.key)) {
      if (!SameEntity(*claim.person, *f.person))
        return Reason::kIdentityAmbiguous;  // a fragment that two people claim
    }
    ++live;
    if (def.checked_within_us != 0 && Subtract(f.now, a.checked).us > def.checked_within_us)
      continue;
    ++fresh;
    account = &a;
  }
  if (live == 0) return any_revoked ? Reason::kRevokedAccount : Reason::kIdentityUnlinked;
  if (fresh == 0) return Reason::kIdentityLinkStale;
  if (fresh > 1) return Reason::kIdentityAmbiguous;  // which of them acts is not said
  if (!f.reporting) {
    f.d.account_system = system;
    f.d.account_key = account->key;
  }
  if (def.checked_within_us != 0) {
    if (std::optional<Instant> due = Add(account->checked, Duration{def.checked_within_us}))
      f.FlipsAfter(*due);
  }
  return kPass;
}

}  // namespace dpl
