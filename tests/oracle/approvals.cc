// The fold, steps 13 to 15: duties, what has to be approved first, and the commit.
#include <algorithm>

#include "runtime/decide/duty.h"
#include "tests/oracle/fold.h"

namespace dpl::oracle {

// A measure of the business act: an approval of more covers less of it.
bool Fold::IsMeasure(const std::string& param) const {
  const ActionDef& action = schema_.resources[w_.type].actions[w_.action];
  for (const ParamDef& p : action.params) {
    if (schema_.Text(p.name) == param && p.must_be_limited) return true;
  }
  for (uint32_t activity : action.activities) {
    for (const MeasureDef& m : schema_.activities[activity].measures) {
      if (schema_.Text(m.name) == param) return true;
    }
  }
  for (const StatementModel& s : model_.statements) {
    for (const LimitModel& l : s.limits) {
      if (l.clause->measure.text == param) return true;
    }
  }
  return false;
}

std::map<std::string, Val> Fold::Measures() const {
  std::map<std::string, Val> out;
  for (const auto& [name, value] : w_.params) {
    if (IsMeasure(name)) out[name] = value;
  }
  return out;
}

namespace {

std::string Spelled(const Val& v) {
  std::string out = std::to_string(static_cast<int>(v.kind)) + ":" + KeyText(v);
  for (const Val& item : v.items) out += "," + Spelled(item);
  return out;
}

}  // namespace

// Closing rule 33; all attribute values are bound, not only those that were read. The first line is
// the root and the first agent.
std::string Fold::Binding() const {
  std::string out = w_.person.value_or(w_.partner_subject) + " " + w_.deputy.value_or("-") + " " +
                    (w_.partner_hops > 0 ? std::string(r_.hops[0].agent)
                     : w_.chain.empty()  ? std::string()
                                         : w_.chain[0].name) +
                    "\n";
  out += std::to_string(w_.type) + "." + std::to_string(w_.action) + " " + w_.resource.s + "\n";
  for (const auto& [name, value] : w_.params) {
    if (!IsMeasure(name)) out += name + "=" + KeyText(value) + "\n";
  }
  auto bind = [&](const Val& v) { out += v.ok() ? Spelled(v) + "\n" : "-\n"; };
  Val person = MakeText(Val::Kind::kPerson, w_.person.value_or(""));
  person.of_request = true;
  if (w_.person) {
    for (uint32_t a = 0; a < schema_.person.attributes.size(); ++a)
      bind(world_.PersonAttribute(person, a, w_.said, w_.now));
  }
  for (uint32_t a = 0; a < schema_.resources[w_.type].attributes.size(); ++a)
    bind(world_.ResourceAttribute(w_.resource, a, w_.said));
  bind(world_.ParentOf(w_.resource, w_.said));
  return out;
}

// Whose key it is: of this caller, for this root and first agent.
std::string Fold::ChargeKey() const {
  std::string binding = Binding();
  return r_.caller->name + "|" + binding.substr(0, binding.find('\n')) + "|" +
         std::string(r_.charge_key);
}

// What a charge key is bound to: the request as it was understood; what nobody declared was
// ignored.
std::string Fold::Digest() const {
  std::string out = Binding().substr(0, Binding().find('\n') + 1);
  for (const Omega::Hop& hop : w_.chain) out += hop.name + "/" + hop.instance + "\n";
  for (int h = 0; w_.partner != kNone && h < r_.hop_count; ++h)
    out += std::string(r_.hops[static_cast<size_t>(h)].agent) + "\n";
  out += std::to_string(w_.type) + "." + std::to_string(w_.action) + " " + w_.resource.s + " " +
         std::string(r_.task) + "\n";
  for (const auto& [name, value] : w_.params) out += name + "=" + KeyText(value) + "\n";
  auto said = [&](const std::vector<std::optional<Val>>& values) {
    for (const auto& v : values)
      out += v ? KeyText(*v) + std::to_string(v->items.size()) + "\n" : "-\n";
  };
  if (w_.person) said(w_.said.person);
  said(w_.said.resource);
  said(w_.context);
  for (std::string_view text : {r_.break_glass, r_.break_glass_reason, r_.break_glass_ticket})
    out += std::string(text) + "\n";
  return out;
}

// ---------------------------------------------------------------- who may approve

// The person that the first `within` attribute names; empty: nobody on record.
std::string Fold::ManagerOf(const std::optional<std::string>& person) const {
  for (uint32_t attribute : schema_.person.within) {
    if (!person) break;
    Val manager =
        world_.PersonAttribute(MakeText(Val::Kind::kPerson, *person), attribute, Said(), w_.now);
    if (manager.kind == Val::Kind::kPerson) return manager.s;
  }
  return {};
}

// Every `by` has enough signatures, no one person counted twice; who asks and who answers for an
// agent never count.
bool Fold::Signed(const StatementModel& approval, const std::vector<std::string>& approvers,
                  Instant given) {
  std::vector<std::set<std::string>> seats;  // one per signature needed: who may fill it
  for (const StatementModel::ApprovalBy& by : approval.approval_by) {
    std::set<std::string> may;
    for (const std::string& who : approvers) {
      bool barred = (w_.person && *w_.person == who) || (w_.deputy && *w_.deputy == who);
      for (const Omega::Hop& hop : w_.chain)
        barred = barred || model_.constants[AgentOf(hop.agent)->agent.accountable].text == who;
      std::string manager = ManagerOf(w_.person);
      bool is_manager = !manager.empty() && manager == who;
      if (is_manager && (approval.approval.never_by & kPartyManager) != 0) barred = true;
      if (barred || !PersonActive(who) || state_.Revoked(RevokedKind::kPerson, who, given))
        continue;
      Omega other = w_;
      other.person = who;
      other.active = true;
      other.mode = Mode::kDirect;
      other.chain.clear();
      other.said.person.clear();
      Evaluator eval(model_, world_, other, faults_);
      if (is_manager && (by.parties & kPartyManager) != 0) may.insert(who);
      if (!by.subjects.empty() && eval.Subjects(by.subjects, false) == Truth::kTrue)
        may.insert(who);
    }
    seats.insert(seats.end(), by.count, may);
  }
  std::function<bool(size_t, std::set<std::string>)> fill = [&](size_t seat,
                                                                std::set<std::string> taken) {
    if (seat == seats.size()) return true;
    return std::any_of(seats[seat].begin(), seats[seat].end(), [&](const std::string& who) {
      std::set<std::string> more = taken;
      return more.insert(who).second && fill(seat + 1, more);
    });
  };
  return fill(0, {});
}

bool Fold::EvidenceFor(uint32_t approval, Reason* why) {
  auto at = state_.approvals.find(std::string(r_.approvals[0]));
  *why = Reason::kApprovalInvalid;
  if (at == state_.approvals.end() || at->second.approval != approval) return false;
  const State::Approval& a = at->second;
  if (state_.Revoked(RevokedKind::kApproval, at->first, a.given)) {
    *why = Reason::kRevokedApproval;
    return false;
  }
  if (a.uses_left == 0 || a.binding != Binding() || (a.expires && w_.now >= *a.expires))
    return false;
  std::map<std::string, Val> asked = Measures();
  if (asked.size() != a.measures.size()) return false;
  for (const auto& [name, value] : asked) {
    auto limit = a.measures.find(name);
    if (limit == a.measures.end() || limit->second.kind != value.kind ||
        limit->second.x != value.x || value.i > limit->second.i)
      return false;
  }
  return Signed(*ByOrdinal(StatementKind::kApproval, approval), a.approvers, a.given);
}

// ---------------------------------------------------------------- 13: duties

// What every obligation that bites asks for, and the notice of the door; the caller does what it is
// registered for and says it does, `log` is ours.
bool Fold::Duties() {
  auto does = [&](DutyKind kind) {
    if (kind == DutyKind::kLog || faults_.undeclared_duties_are_done) return true;
    bool registered = false;
    for (const std::string& name : r_.caller->duties) {
      DutyKind known;
      registered = registered || (FindDuty(name, &known) && known == kind);
    }
    return registered && (r_.duties & DutyBit(kind)) != 0;
  };
  bool all = true;
  auto oblige = [&](const StatementModel& s, DutyKind kind) {
    answer_.duties.push_back(s.name + " " + std::string(DutyName(kind)));
    all = all && does(kind);
  };
  ForEach(StatementKind::kObligation, [&](const StatementModel& s) {
    Truth m = M(s, ClauseRole::kObligationCovers);
    // What obliges the person who acts for another obliges here too.
    bool deputy = m == Truth::kFalse && w_.deputy &&
                  AsDeputy([&] { return M(s, ClauseRole::kObligationCovers) != Truth::kFalse; });
    if (m == Truth::kFalse && !deputy) return;
    if (faults_.obligation_needs_true && m == Truth::kUnknown) return;
    ++WhatWasSeen().things["obligation"];
    for (const Duty& duty : s.obligation.duties) oblige(s, duty.kind);
    for (uint32_t approval : s.obligation.asks) needed_.insert(approval);
  });
  if (door_ != nullptr) {
    for (const Duty& duty : door_->break_glass.notify) oblige(*door_, duty.kind);
  }
  if (w_.mode == Mode::kImpersonate) answer_.duties.push_back(" log");
  return all || Deny(Reason::kObligationUnsupported);
}

// ---------------------------------------------------------------- 14: approvals

bool Fold::Approved() {
  // `, ask A` after a `may`: with approval only, every time that clause reaches the request, unless
  // a grant in force supersedes the whole grant.
  auto ask = [&](const StatementModel& s, ClauseRole role) {
    for (const ClauseModel& c : s.clauses) {
      if (c.role == role && c.ask_approval != kNone && eval_.Match(c, s) != Truth::kFalse)
        needed_.insert(c.ask_approval);
    }
  };
  ForEach(StatementKind::kGrant, [&](const StatementModel& g) {
    bool superseded = std::any_of(adding_.begin(), adding_.end(),
                                  [&](const StatementModel* b) { return Supersedes(*b, g); });
    if (w_.now.us >= g.granted_us && !superseded) ask(g, ClauseRole::kGrantMay);
  });
  for (const Omega::Hop& hop : w_.chain) ask(*AgentOf(hop.agent), ClauseRole::kAgentMay);
  if (w_.partner != kNone)
    ask(*ByOrdinal(StatementKind::kPartner, w_.partner), ClauseRole::kPartnerMay);
  if (w_.task != nullptr && (w_.deputy || !w_.chain.empty()))
    ask(*ByOrdinal(StatementKind::kTask, w_.task->shape), ClauseRole::kTaskMay);
  std::set<uint32_t> open;
  Reason why = Reason::kApprovalInvalid;
  for (uint32_t approval : needed_) {
    if (r_.approval_count != 0 && EvidenceFor(approval, &why)) {
      ++WhatWasSeen().things["approval used"];
      used_approvals_.emplace_back(r_.approvals[0]);
    } else {
      open.insert(approval);
    }
  }
  if (open.empty()) return true;
  for (uint32_t approval : open)
    answer_.approvals.insert(ByOrdinal(StatementKind::kApproval, approval)->name);
  answer_.approval_binding = Binding();
  answer_.measures = Measures();
  // Evidence that does not count may be said to be invalid instead of asking again.
  if (r_.approval_count != 0) {
    ++WhatWasSeen().things["approval refused"];
    answer_.also = {Reason::kApprovalInvalid, why};
    if (state_.Revoked(RevokedKind::kApproval, std::string(r_.approvals[0]), std::nullopt))
      answer_.also.push_back(Reason::kRevokedApproval);
  }
  answer_.outcome = OutcomeKind::kAsk;
  answer_.reason = Reason::kApprovalRequired;
  return false;
}

// ---------------------------------------------------------------- 15: commit

bool Fold::Commit() {
  const bool counted = std::any_of(w_.chain.begin(), w_.chain.end(), [&](const Omega::Hop& hop) {
    return AgentOf(hop.agent)->agent.instances_max != 0 &&
           !state_.instances.contains({hop.name, hop.instance});
  });
  if (r_.clock_suspect && (!charges_.empty() || !acts_.empty() || door_ != nullptr || counted))
    return Deny(Reason::kErrorClock);
  // What else is remembered gets the highest time that was ever written; there may be none.
  bool writes = !charges_.empty() || !acts_.empty() || !used_approvals_.empty() || door_ != nullptr;
  for (const Omega::Hop& hop : w_.chain) {
    const auto known = state_.instances.find({hop.name, hop.instance});
    writes = writes || known == state_.instances.end() ||
             (!w_.task_id.empty() && known->second.tasks.empty());
  }
  if (r_.clock_suspect && writes && !state_.high) return Deny(Reason::kErrorClock);
  if (r_.dry_run) {
    answer_.outcome = OutcomeKind::kDeny;  // a dry run never says true
    answer_.reason = Reason::kWouldPermit;
    return true;
  }
  std::string key;
  if (!r_.charge_key.empty() && r_.caller->charge_keys && !charges_.empty()) {
    key = ChargeKey();
    if (const State::Key* known = state_.KeyAt(key, w_.now)) {
      if (known->digest != Digest()) return Deny(Reason::kRequestKeyConflict);
      if (!state_.Open(known->reservation, w_.now)) return Deny(Reason::kRequestAlreadyUsed);
      replay_ = true;
      ++WhatWasSeen().things["replayed"];
      answer_.reservation = known->reservation;
    }
  }
  answer_.outcome = OutcomeKind::kPermit;
  answer_.reason = Reason::kPermit;
  if (writes && !replay_ && !r_.clock_suspect) state_.Saw(w_.now);
  for (const Omega::Hop& hop : w_.chain) {
    const Instant born = r_.clock_suspect && writes ? std::min(hop.born, *state_.high) : hop.born;
    State::Instance& seen =
        state_.instances.try_emplace({hop.name, hop.instance}, State::Instance{born, {}})
            .first->second;
    if (!w_.task_id.empty()) seen.tasks.insert(w_.task_id);
  }
  // A request that comes again with its key is the act of before, not another.
  if (!replay_) {
    for (State::Act& act : acts_) state_.acts.push_back(std::move(act));
  }
  for (const std::string& id : used_approvals_) --state_.approvals[id].uses_left;
  if (door_ != nullptr) state_.openings.try_emplace(OpeningKey(), w_.now);
  if (replay_ || charges_.empty()) return true;
  uint64_t id = state_.next_reservation++;
  answer_.reservation = id;
  State::Reservation& reservation = state_.reservations[id];
  for (const Charge& c : charges_) {
    state_.counters[c.counter].push_back({w_.now, c.window, c.quantity, id, c.returns});
    reservation.counters.push_back(c.counter);
  }
  int64_t keep_us = 0;
  for (const Charge& c : charges_) keep_us = std::max(keep_us, c.lasts_us);
  if (!key.empty()) state_.keys[key] = {id, Digest(), keep_us};
  return true;
}

}  // namespace dpl::oracle
