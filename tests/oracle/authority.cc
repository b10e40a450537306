// The fold, steps 6 to 11: forbids, grants, ceilings, delegations, tasks, separation.
#include <algorithm>

#include "tests/oracle/fold.h"

namespace dpl::oracle {

Truth Fold::M(const StatementModel& s, ClauseRole role) {
  Truth m = Truth::kFalse;
  for (const ClauseModel& c : s.clauses) {
    if (c.role == role) m = Or(m, eval_.Match(c, s));
  }
  return m;
}

// ---------------------------------------------------------------- 6: forbid

// Named, it must be valid: `who` and `may` T, what it needs said, opened by the person alone less
// than `lasts` ago (the first use opens it), not revoked.
bool Fold::DoorOpens() {
  if (r_.break_glass.empty()) return true;
  ForEach(StatementKind::kBreakGlass, [&](const StatementModel& s) {
    if (s.name == r_.break_glass) door_ = &s;
  });
  auto valid = [&] {
    if (door_ == nullptr || !w_.person || w_.deputy) return false;  // in person, or by software
    const BreakGlass& door = door_->break_glass;
    if (!w_.chain.empty() && !door.agents) return false;
    if ((door.needs & kNeedReason) != 0 && r_.break_glass_reason.empty()) return false;
    if ((door.needs & kNeedTicket) != 0 && r_.break_glass_ticket.empty()) return false;
    if (M(*door_, ClauseRole::kBreakGlassMay) != Truth::kTrue) return false;
    auto opening = state_.openings.find(OpeningKey());
    if (opening == state_.openings.end()) {
      if (!w_.chain.empty()) return false;
    } else if (!faults_.doors_never_shut && w_.now.us - opening->second.us >= door.lasts_us) {
      return false;
    }
    Instant opened = opening == state_.openings.end() ? w_.now : opening->second;
    return !state_.Revoked(RevokedKind::kBreakGlass, door_->name, opened) &&
           !state_.Revoked(RevokedKind::kPerson, *w_.person, opened);
  };
  bool ok = valid();
  ++WhatWasSeen().things[ok ? "door open" : "door shut"];
  return ok || Deny(Reason::kBreakGlassNotAllowed);
}

// By door and person and what was said.
std::vector<std::string> Fold::OpeningKey() const {
  return {door_->name, *w_.person, std::string(r_.break_glass_reason),
          std::string(r_.break_glass_ticket)};
}

bool Fold::NotForbidden() {
  bool forbidden = false;
  ForEach(StatementKind::kForbid, [&](const StatementModel& s) {
    forbidden = forbidden || Forbids(s) ||
                (w_.deputy && !faults_.deputy_is_nobody && AsDeputy([&] { return Forbids(s); }));
  });
  return !forbidden || Deny(Reason::kForbidden);
}

bool Fold::Forbids(const StatementModel& s) {
  Truth m = M(s, ClauseRole::kForbidCovers);
  if (m == Truth::kFalse || (faults_.forbid_needs_true && m != Truth::kTrue)) return false;
  if (s.unless != nullptr) {
    Truth lifted = eval_.Condition(*s.unless, eval_.ZoneOf(s));
    if (lifted == Truth::kTrue || (faults_.unless_lifts_on_unknown && lifted == Truth::kUnknown))
      return false;
  }
  if (door_ != nullptr) {
    for (uint32_t lifted : door_->break_glass.lifts) {
      if (&model_.statements[lifted] != &s) continue;
      ++WhatWasSeen().things["forbid lifted"];
      return false;
    }
  }
  return true;
}

// ---------------------------------------------------------------- 7: authority

bool Fold::Live(const StatementModel& g, Reason* why) const {
  auto no = [&](Reason reason) {
    *why = reason;
    return false;
  };
  if (w_.now.us < g.granted_us) return no(Reason::kGrantNotStarted);
  if (w_.now.us >= g.expires_us) return no(Reason::kGrantExpired);
  if (state_.Revoked(RevokedKind::kGrant, g.name, Instant{g.granted_us}))
    return no(Reason::kRevokedGrant);
  if (w_.chain.empty() && w_.partner_hops == 0 && !faults_.review_binds_persons) return true;
  if (g.imported && g.reviewed_us == INT64_MIN) return no(Reason::kGrantUnreviewed);
  if (g.review_every_us != 0 && g.reviewed_us != INT64_MIN &&
      w_.now.us >= g.reviewed_us + g.review_every_us) {
    return no(Reason::kGrantReviewOverdue);
  }
  if (!world_.ApproverOk(g, w_.now)) return no(Reason::kGrantUnapproved);
  return true;
}

bool Fold::Authority() {
  std::vector<Reason> nearest;
  ForEach(StatementKind::kGrant, [&](const StatementModel& g) {
    if (M(g, ClauseRole::kGrantMay) != Truth::kTrue) return;
    Reason why = Reason::kPersonNoGrant;
    if (Live(g, &why)) {
      adding_.push_back(&g);
      answer_.grants.insert(g.name);
    } else {
      nearest.push_back(why);
    }
  });
  if (!adding_.empty() || door_ != nullptr) return true;
  if (nearest.empty()) return Deny(Reason::kPersonNoGrant);
  // The one that got furthest names it: the order in which Live() asks.
  static const std::vector<Reason> kOrder = {Reason::kGrantNotStarted,    Reason::kGrantExpired,
                                             Reason::kRevokedGrant,       Reason::kGrantUnreviewed,
                                             Reason::kGrantReviewOverdue, Reason::kGrantUnapproved};
  auto far = [&](Reason r) { return std::find(kOrder.begin(), kOrder.end(), r) - kOrder.begin(); };
  std::stable_sort(nearest.begin(), nearest.end(),
                   [&](Reason a, Reason b) { return far(a) > far(b); });
  return Deny(nearest[0]);
}

// ---------------------------------------------------------------- 8: ceilings

bool Fold::Ceilings() {
  for (size_t h = 0; h < w_.chain.size(); ++h) {
    if (faults_.ceiling_of_actor_only && h + 1 != w_.chain.size()) continue;
    if (M(*AgentOf(w_.chain[h].agent), ClauseRole::kAgentMay) != Truth::kTrue)
      return Deny(Reason::kAgentNotAllowed);
  }
  return true;
}

// ---------------------------------------------------------------- 9: delegation

const Omega::Hop* Fold::Receiver() const {
  size_t first = w_.mode == Mode::kStanding ? 1 : 0;
  return first < w_.chain.size() ? &w_.chain[first] : nullptr;
}

// Without `may` of its own it lends what the agent's own `may` covers.
std::vector<const ClauseModel*> Fold::DelegationClauses(const StatementModel& d) const {
  std::vector<const ClauseModel*> out;
  for (const ClauseModel& c : d.clauses) out.push_back(&c);
  if (!out.empty()) return out;
  for (uint32_t agent : d.delegation.to_agents) {
    for (const ClauseModel& c : AgentOf(agent)->clauses) out.push_back(&c);
  }
  return out;
}

// from ∧ to ∧ mode, and one of the clauses.
Truth Fold::DelegationM(const StatementModel& d) {
  if (w_.deputy || d.to_people != nullptr) {  // to people: the person who acts must be one of them
    if (!w_.deputy || d.to_people == nullptr) return Truth::kFalse;
    if (d.delegation.modes != 0 && (d.delegation.modes & kModeOnBehalfOf) == 0)
      return Truth::kFalse;
    Truth may = Truth::kFalse;
    for (const ClauseModel& c : d.clauses) may = Or(may, eval_.Match(c, d));
    Truth receives = AsDeputy([&] { return eval_.Subjects(*d.to_people, false); });
    return And(And(eval_.Subjects(*d.from, false), receives), may);
  }
  const Omega::Hop* receiver = Receiver();
  if (receiver == nullptr) return Truth::kFalse;
  const std::vector<uint32_t>& to = d.delegation.to_agents;
  if (std::find(to.begin(), to.end(), receiver->agent) == to.end()) return Truth::kFalse;
  uint8_t modes = d.delegation.modes;
  if (modes == 0) {
    for (uint32_t agent : to) modes |= AgentOf(agent)->agent.modes;
  }
  uint8_t mode = w_.mode == Mode::kStanding     ? kModeStanding
                 : w_.mode == Mode::kOnBehalfOf ? kModeOnBehalfOf
                                                : kModeImpersonate;
  if ((modes & mode) == 0) return Truth::kFalse;
  Truth may = Truth::kFalse;
  for (const ClauseModel* c : DelegationClauses(d)) may = Or(may, eval_.Match(*c, d));
  return And(eval_.Subjects(*d.from, false), may);
}

// The partner's own block, in the place of a delegation.
bool Fold::PartnerBounds() {
  const StatementModel& s = *ByOrdinal(StatementKind::kPartner, w_.partner);
  if (faults_.partner_bounds_nothing) return true;
  if (w_.now.us < s.granted_us || w_.now.us >= s.expires_us)
    return Deny(Reason::kPartnerNotAllowed);
  std::vector<Reason> wrong;
  if (w_.partner_hops > 0 && !s.partner.accepts_agents) wrong.push_back(Reason::kPartnerNotAllowed);
  if (w_.partner_hops > static_cast<int>(s.partner.max_hops))
    wrong.push_back(Reason::kDelegationDepth);
  if (M(s, ClauseRole::kPartnerMay) != Truth::kTrue) wrong.push_back(Reason::kPartnerNotAllowed);
  return DenyAny(wrong);
}

bool Fold::Delegated() {
  if (w_.partner != kNone) return PartnerBounds();
  const Omega::Hop* receiver = Receiver();
  if (receiver == nullptr && !w_.deputy) return true;  // alone, or a standing agent on its own
  // How far the best one got: none < revoked < depth < task.required < consent < expired.
  int best = 0;
  bool passed = false;
  // Who comes after the one that receives from the root.
  size_t others =
      w_.deputy ? w_.chain.size() : w_.chain.size() - (w_.mode == Mode::kStanding ? 2 : 1);
  ForEach(StatementKind::kDelegation, [&](const StatementModel& s) {
    const Delegation& d = s.delegation;
    if (w_.now.us < s.granted_us || DelegationM(s) != Truth::kTrue) return;
    bool by_consent = d.consent != ConsentKind::kByPolicy && w_.person;
    if (state_.Revoked(RevokedKind::kDelegation, s.name,
                       by_consent ? kMaxInstant : Instant{s.granted_us})) {
      best = std::max(best, 1);
      return;
    }
    bool onward = others <= d.onward_hops;
    for (size_t h = w_.chain.size() - others; h < w_.chain.size(); ++h) {
      onward = onward && std::find(d.onward_agents.begin(), d.onward_agents.end(),
                                   w_.chain[h].agent) != d.onward_agents.end();
    }
    if (others != 0 && !onward) {
      best = std::max(best, 2);
      return;
    }
    if (!d.only_in_tasks.empty()) {
      bool in = w_.task != nullptr && std::find(d.only_in_tasks.begin(), d.only_in_tasks.end(),
                                                w_.task->shape) != d.only_in_tasks.end();
      if (!in) {
        best = std::max(best, 3);
        return;
      }
    }
    int64_t lasts = d.lasts_us;
    for (uint32_t agent : d.to_agents) {
      int64_t lives = AgentOf(agent)->agent.lives_us;
      if (d.lasts_us == 0 && lives != 0 && (lasts == 0 || lives < lasts)) lasts = lives;
    }
    auto consent = w_.person ? state_.consents.find({s.name, *w_.person}) : state_.consents.end();
    auto cut = [&](Instant at) {
      return state_.Revoked(RevokedKind::kDelegation, s.name, at) ||
             state_.Revoked(RevokedKind::kPerson, *w_.person, at);
    };
    auto consented_within = [&](int64_t within) {
      if (consent == state_.consents.end() || cut(consent->second.at)) return false;
      int64_t at = consent->second.at.us + (consent->second.whole_day ? kMicrosPerDay : 0);
      return within == 0 || std::max<int64_t>(w_.now.us - at, 0) <= within;
    };
    bool agreed = true;
    switch (d.consent) {
      case ConsentKind::kByPolicy:
        break;
      case ConsentKind::kEvery:
        agreed = consented_within(d.consent_every_us);
        break;
      case ConsentKind::kEachTask:
        // In a task of one's own, opening it was the consent, and no later one stands for it.
        agreed = w_.task != nullptr && w_.person && w_.task->person == *w_.person
                     ? !cut(w_.task->opened)
                     : consented_within(lasts);
        // Somebody else's task, opened before a cut-off: step 10 refuses it in any case, and this
        // step may already.
        if (w_.task != nullptr && w_.person && w_.task->person != *w_.person &&
            cut(w_.task->opened))
          answer_.also.push_back(Reason::kDelegationConsent);
        break;
    }
    if (!agreed) {
      best = std::max(best, 4);
      return;
    }
    // Within a task the delegation ages as long as the task lives: a task that ended is step 10's
    // to refuse.
    // Between people no run is born: without a task it counts from the consent.
    if (w_.deputy && w_.task == nullptr) {
      bool aged = false;
      if (lasts != 0 && w_.task_id.empty()) {
        aged = d.consent == ConsentKind::kByPolicy || !consented_within(lasts);
      }
      if (aged) {
        best = std::max(best, 5);
        return;
      }
      passed = true;
      return;
    }
    int64_t age = w_.task != nullptr ? std::min(w_.now.us, w_.task->expires.us) - w_.task->opened.us
                                     : w_.now.us - w_.chain[0].born.us;
    if (lasts != 0 && age > lasts) {
      best = std::max(best, 5);
      return;
    }
    passed = true;
  });
  // An instance seen in a task acts in no other way.
  bool bound_elsewhere = false;
  for (const Omega::Hop& hop : w_.chain) {
    auto known = state_.instances.find({hop.name, hop.instance});
    if (known == state_.instances.end() || known->second.tasks.empty()) continue;
    bound_elsewhere = bound_elsewhere || !known->second.tasks.contains(w_.task_id);
  }
  if (passed && !bound_elsewhere) return true;
  static const Reason kReasons[] = {Reason::kDelegationNone,    Reason::kRevokedDelegation,
                                    Reason::kDelegationDepth,   Reason::kTaskRequired,
                                    Reason::kDelegationConsent, Reason::kDelegationExpired};
  std::vector<Reason> wrong;
  if (!passed) wrong.push_back(kReasons[best]);
  if (bound_elsewhere) wrong.push_back(Reason::kTaskRequired);
  // A task that is itself no good fails whatever rests on it, here or in the next step: how far
  // each delegation gets with it is then a matter of taste.
  if (!passed && best >= 3 && !w_.task_id.empty() && !InTask() &&
      answer_.reason != Reason::kTaskOutOfScope) {
    wrong.insert(wrong.end(), {answer_.reason, Reason::kTaskRequired, Reason::kDelegationConsent,
                               Reason::kDelegationExpired});
  }
  return DenyAny(wrong);
}

// ---------------------------------------------------------------- 10: task

bool Fold::InTask() {
  if (w_.task_id.empty() || w_.partner != kNone || (w_.chain.empty() && !w_.deputy)) return true;
  if (w_.task == nullptr) return Deny(Reason::kTaskUnknown);
  const StatementModel& shape = *ByOrdinal(StatementKind::kTask, w_.task->shape);
  if (w_.now >= w_.task->expires) return Deny(Reason::kTaskExpired);
  bool same_root = w_.task->person == w_.person.value_or("");
  const std::vector<uint32_t>& agents = shape.task.agents;
  if (w_.deputy) {  // a shape that names agents is not for people
    if (!same_root || w_.task->agent != "person:" + *w_.deputy || !agents.empty())
      return Deny(Reason::kTaskWrongActor);
    return M(shape, ClauseRole::kTaskMay) == Truth::kTrue || Deny(Reason::kTaskOutOfScope);
  }
  bool for_agent =
      agents.empty() || std::find(agents.begin(), agents.end(), w_.chain[0].agent) != agents.end();
  if (!same_root || w_.task->agent != w_.chain[0].name || !for_agent)
    return Deny(Reason::kTaskWrongActor);
  if (M(shape, ClauseRole::kTaskMay) != Truth::kTrue) return Deny(Reason::kTaskOutOfScope);
  return true;
}

// ---------------------------------------------------------------- 11: separation

bool Fold::Separated() {
  std::vector<std::string> who;
  if (w_.person) who.push_back(*w_.person);
  if (w_.deputy) who.push_back(*w_.deputy);
  if (w_.partner != kNone) who.push_back("partner " + w_.partner_subject);
  if (w_.mode == Mode::kStanding) {
    who.push_back("agent " + w_.chain[0].name);
    who.push_back(model_.constants[AgentOf(w_.chain[0].agent)->agent.accountable].text);
  }
  bool ok = true;
  // Nobody acts on the authority of one role while holding both.
  auto both_roles = [&](const StatementModel& s) {
    bool reached = std::any_of(s.clauses.begin(), s.clauses.end(),
                               [&](const ClauseModel& c) { return eval_.ReachesAction(c); });
    if (!reached || !w_.person) return false;
    return And(eval_.HoldsRole(*w_.person, s.separate.role_a, &w_.resource),
               eval_.HoldsRole(*w_.person, s.separate.role_b, &w_.resource)) != Truth::kFalse;
  };
  ForEach(StatementKind::kSeparate, [&](const StatementModel& s) {
    if (s.separate.role_a != kNone) {
      bool bites = both_roles(s) || (w_.deputy && AsDeputy([&] { return both_roles(s); }));
      if (bites) ++WhatWasSeen().things["both roles"];
      ok = ok && !bites;
      return;
    }
    for (int side = 0; side < 2 && !who.empty(); ++side) {
      ClauseRole role = side == 0 ? ClauseRole::kSeparateA : ClauseRole::kSeparateB;
      bool bites = M(s, role) != Truth::kFalse ||
                   (w_.deputy && AsDeputy([&] { return M(s, role) != Truth::kFalse; }));
      if (!bites) continue;
      const ast::Expr* by = side == 0 ? s.by_a : s.by_b;
      std::string key;
      if (by != nullptr) {
        Val v = eval_.Eval(*by, eval_.ZoneOf(s));
        if (!v.ok()) {
          ok = false;
          continue;
        }
        key = KeyText(v);
      }
      for (const State::Act& act : state_.acts) {
        bool same = act.separate == s.name && act.side != side && act.key == key &&
                    std::find(who.begin(), who.end(), act.who) != who.end();
        if (same && (s.separate.within_us == 0 || act.at.us >= w_.now.us - s.separate.within_us))
          ok = false;
      }
      // An act of an agent on its own is its accountable person's, too: two agents of one person
      // are no two people.
      for (const std::string& one : who) acts_.push_back({s.name, key, one, side, w_.now});
      if (w_.deputy) acts_.push_back({s.name, key, *w_.deputy, side, w_.now});
    }
  });
  return ok || Deny(Reason::kSeparation);
}

}  // namespace dpl::oracle
