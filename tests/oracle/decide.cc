// The fold, steps 1 to 5, and what is asked of the oracle besides; see decide.h and fold.h.
#include "tests/oracle/decide.h"

#include <algorithm>
#include <regex>

#include "runtime/base/path.h"
#include "runtime/base/text.h"
#include "tests/oracle/fold.h"

namespace dpl::oracle {

Answer Oracle::Decide(const Request& request, Instant now) {
  return Fold(this, request, now).Run();
}

bool Oracle::Cancel(uint64_t reservation) { return Confirm(reservation, -1); }

// actual -1: nothing happened, all comes back.
bool Oracle::Confirm(uint64_t reservation, int64_t actual) {
  auto at = state_.reservations.find(reservation);
  if (at == state_.reservations.end() || at->second.state != ReservationState::kOpen) return false;
  ++WhatWasSeen().things[actual < 0 ? "cancelled" : "confirmed"];
  at->second.state = actual < 0 ? ReservationState::kCancelled : ReservationState::kConfirmed;
  if (actual < 0 && faults_.cancel_keeps) return true;
  for (const std::string& counter : at->second.counters) {
    for (State::Charged& charged : state_.counters[counter]) {
      if (charged.reservation == reservation && charged.returns)
        charged.quantity = std::max<int64_t>(actual, 0);
    }
  }
  return true;
}

bool Oracle::OpenTask(const FactsInput::Task& task) {
  if (state_.tasks.contains(task.id)) return false;
  TaskState t;
  for (const StatementModel& s : model_.statements) {
    if (s.kind != StatementKind::kTask || s.name != task.shape) continue;
    bool for_it = s.task.agents.empty();
    for (const StatementModel& agent : model_.statements) {
      bool listed = std::find(s.task.agents.begin(), s.task.agents.end(), agent.ordinal) !=
                    s.task.agents.end();
      for_it =
          for_it || (agent.kind == StatementKind::kAgent && agent.name == task.agent && listed);
    }
    if (!for_it) return false;
    t.shape = s.ordinal;
    t.person = task.person;
    t.agent = task.agent;
    t.opened = *task.opened;
    t.expires = Instant{t.opened.us + s.task.lasts_us};
    if (task.expires) t.expires = std::min(t.expires, *task.expires);
    for (const TaskParam& p : s.task.params) {
      std::optional<Val> value;
      for (const FactsInput::Field& arg : task.args) {
        if (schema_.Text(p.name) == arg.name) value = TypeWire(model_, arg.value, p.type);
      }
      t.args.push_back(std::move(value));
    }
  }
  if (t.shape == kNone) return false;
  state_.tasks[task.id] = std::move(t);
  return true;
}

// One parent per run, recorded once: what comes later neither changes it nor its task.
bool Oracle::RecordHandoff(const std::string& parent_agent, const std::string& parent,
                           const std::string& child_agent, const std::string& child,
                           const std::string& task) {
  std::pair who(parent_agent, parent);
  if (who == std::pair(child_agent, child)) return false;
  auto at = state_.parents.try_emplace({child_agent, child}, State::Parent{who, task}).first;
  return at->second.who == who;
}

Fold::Fold(Oracle* oracle, const Request& request, Instant now)
    : oracle_(*oracle),
      model_(oracle->model_),
      schema_(oracle->schema_),
      world_(*oracle->world_),
      state_(oracle->state_),
      faults_(oracle->faults_),
      r_(request),
      eval_(model_, world_, w_, faults_) {
  w_.now = now;
}

Answer Fold::Run() {
  bool passed = Typed() && Identity() && FixMode() && NotRevoked() && (!w_.person || Linked()) &&
                DoorOpens() && NotForbidden() && Authority() && Ceilings() && Delegated() &&
                InTask() && Separated() && Limits() && Duties() && Approved() && Commit();
  auto& seen = WhatWasSeen().things;
  static const char* const kModes[] = {"direct",   "on_behalf_of", "impersonate",
                                       "standing", "public",       "partner"};
  if (!adding_.empty()) {
    ++seen[std::string("mode ") + kModes[static_cast<int>(w_.mode)]];
    if (w_.chain.size() > 1) ++seen["chain of " + std::to_string(w_.chain.size())];
    if (w_.task != nullptr) ++seen["in a task"];
    if (w_.deputy) ++seen["a person for a person"];
  }
  if (!passed && unresolved_ && answer_.outcome == OutcomeKind::kDeny)
    answer_.also.push_back(Reason::kIdentityUnknown);
  return std::move(answer_);
}

bool Fold::Deny(Reason reason) {
  answer_.outcome = OutcomeKind::kDeny;
  answer_.reason = reason;
  return false;
}
bool Fold::DenyAny(const std::vector<Reason>& reasons) {
  if (reasons.empty()) return true;
  answer_.also.assign(reasons.begin() + 1, reasons.end());
  return Deny(reasons[0]);
}

const StatementModel* Fold::ByOrdinal(StatementKind kind, uint32_t ordinal) const {
  for (const StatementModel& s : model_.statements) {
    if (s.kind == kind && s.ordinal == ordinal) return &s;
  }
  return nullptr;
}
void Fold::ForEach(StatementKind kind,
                   const std::function<void(const StatementModel&)>& visit) const {
  for (const StatementModel& s : model_.statements) {
    if (s.kind == kind) visit(s);
  }
}

// ---------------------------------------------------------------- 1: request

bool Fold::Typed() {
  auto known_as = [&](const ResourceDef& def) {
    return std::any_of(def.known_as.begin(), def.known_as.end(),
                       [&](Str name) { return schema_.Text(name) == r_.resource_type; });
  };
  for (uint32_t t = 0; t < schema_.resources.size(); ++t) {
    if (known_as(schema_.resources[t])) w_.type = t;
  }
  if (w_.type == kNone) return Deny(Reason::kRequestUnknownAction);
  const ResourceDef& type = schema_.resources[w_.type];
  for (uint32_t a = 0; a < type.actions.size(); ++a) {
    if (schema_.Text(type.actions[a].wire) == r_.action) w_.action = a;
  }
  if (w_.action == kNone) return Deny(Reason::kRequestUnknownAction);
  bool ok = true;
  auto canonical = [](std::string_view id) {
    return !id.empty() && IsValidUtf8(id) && IsNfc(id) && !HasControl(id) &&
           !HasBidiOrInvisible(id);
  };
  std::string id(r_.resource_id);
  ok = canonical(id);
  if (type.key_is_path) {
    Result<std::string> path = NormalizePath(id);
    ok = ok && path.ok();
    if (path.ok()) id = *path;
  }
  if (type.key_fold_ascii)
    ok = ok && std::none_of(id.begin(), id.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
  if (type.key_pattern != 0)
    ok = ok && std::regex_match(id, std::regex(std::string(schema_.Text(type.key_pattern))));
  w_.resource = MakeText(Val::Kind::kResource, id, w_.type);
  w_.resource.of_request = true;
  for (const ParamDef& p : type.actions[w_.action].params) {
    const WireValue* wire = r_.action_properties == nullptr
                                ? nullptr
                                : r_.action_properties->Find(schema_.Text(p.wire));
    std::string name(schema_.Text(p.name));
    if (wire == nullptr) {
      if (p.default_constant != kNone)
        w_.params[name] = FromConstant(model_, p.default_constant);
      else if (schema_.types[p.type].optional)
        w_.params[name] = MakeNumber(Val::Kind::kAbsent, 0);
      continue;
    }
    std::optional<Val> value = TypeWire(model_, *wire, p.type);
    if (!value) {
      ok = false;
      continue;
    }
    if (IsMeasure(name) && value->i < 0) ok = false;
    w_.params[name] = std::move(*value);
  }
  auto may_say = [&](const std::string& what) {
    const std::vector<std::string>& named = r_.caller->asserts;
    return r_.caller->asserts_all_attributes ||
           std::find(named.begin(), named.end(), what) != named.end();
  };
  auto said = [&](const std::vector<AttributeDef>& defs, const WireValue* object,
                  const std::string& prefix, bool all) {
    std::vector<std::optional<Val>> out(defs.size());
    for (size_t a = 0; a < defs.size(); ++a) {
      const WireValue* wire =
          object == nullptr ? nullptr : object->Find(schema_.Text(defs[a].wire));
      if (wire == nullptr || !(all || defs[a].from_request)) continue;
      if (!may_say(prefix + std::string(schema_.Text(defs[a].name)))) continue;
      out[a] = TypeWire(model_, *wire, defs[a].type);
      ok = ok && out[a].has_value();
    }
    return out;
  };
  w_.said.person = said(schema_.person.attributes, r_.subject_properties, "person.", false);
  w_.said.resource = said(type.attributes, r_.resource_properties,
                          std::string(schema_.Text(type.name)) + ".", false);
  w_.context = said(schema_.context, r_.context, "context.", true);
  if (type.parent_attribute != kNone && type.parent_from_request)
    w_.said.parent = w_.said.resource[type.parent_attribute];
  w_.said.makes = type.actions[w_.action].makes;
  if (w_.said.makes) ok = TakeParent() && ok;
  return ok || Deny(Reason::kRequestInvalid);
}

// Closing rule 16: what is made lies in its parent, a parameter that must be on record; what exists
// already has its own, and nothing has two.
bool Fold::TakeParent() {
  const ResourceDef& type = schema_.resources[w_.type];
  for (const ParamDef& p : type.actions[w_.action].params) {
    const TypeDef& def = schema_.types[p.type];
    if (def.kind != TypeKind::kResource || def.index != type.parent_type) continue;
    auto given = w_.params.find(std::string(schema_.Text(p.name)));
    if (given == w_.params.end() || !given->second.ok()) return true;
    if (!world_.Known(given->second)) return false;
    Val have = world_.ParentOf(w_.resource, w_.said);
    if (have.kind == Val::Kind::kResource && Same(have, given->second) != Truth::kTrue)
      return false;
    w_.said.makes_in = given->second;
    return true;
  }
  return true;
}

// ---------------------------------------------------------------- 2: identity

bool Fold::PersonActive(const std::string& id) const {
  const World::Person* p = world_.FindPerson(id);
  return p != nullptr && p->status == "active";
}

bool Fold::Named(const std::vector<std::string>& list, std::string_view name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

// Closing rule 7: a foreign issuer yields only its partner; nobody's issuer yields nobody. True
// when the subject is no person of ours, whoever else it is.
bool Fold::OtherRealm() {
  std::string type(r_.subject_type);
  bool typed = type.starts_with("partner:"), ours = r_.subject_issuer.empty();
  const StatementModel* by_issuer = nullptr;
  const StatementModel* by_type = nullptr;
  ForEach(StatementKind::kPartner, [&](const StatementModel& s) {
    if (schema_.Text(s.partner.issuer) == r_.subject_issuer && !ours) by_issuer = &s;
    if (typed && (s.name == type.substr(8) || s.name.ends_with("." + type.substr(8)))) by_type = &s;
  });
  ours = ours || r_.caller->trusts_all_issuers || Named(r_.caller->issuers, r_.subject_issuer);
  if (!typed && by_issuer == nullptr) return !ours;
  if (typed && by_issuer == nullptr && !ours) return true;
  const StatementModel* partner = typed ? by_type : by_issuer;
  if (partner == nullptr || (typed && !r_.subject_issuer.empty() && by_issuer != by_type))
    return true;
  bool person_type = std::any_of(schema_.person.known_as.begin(), schema_.person.known_as.end(),
                                 [&](Str name) { return schema_.Text(name) == type; });
  if (!typed && !person_type) return true;
  if (!r_.caller->asserts_all_partners && !Named(r_.caller->partners, partner->name)) return true;
  w_.partner = partner->ordinal;
  w_.partner_subject = partner->name + "/" + std::string(r_.subject_id);
  return true;
}

// A partner's agents are counted; nobody else's act for its people.
bool Fold::PartnerIdentity() {
  w_.mode = Mode::kPartner;
  w_.partner_hops = r_.hop_count;
  const StatementModel& partner = *ByOrdinal(StatementKind::kPartner, w_.partner);
  for (int h = 0; h < r_.hop_count; ++h) {
    const Request::Hop& hop = r_.hops[static_cast<size_t>(h)];
    if (hop.is_person ||
        (!hop.issuer.empty() && hop.issuer != schema_.Text(partner.partner.issuer)))
      return Deny(Reason::kIdentityChainMismatch);
  }
  return true;
}

bool Fold::Identity() {
  std::vector<Reason> wrong;
  bool foreign = OtherRealm();
  if (w_.partner != kNone) return PartnerIdentity();
  bool agent_only = r_.subject_type == "agent";
  bool anonymous = r_.subject_type == "anonymous";
  if (foreign) {
    if (r_.hop_count > 0) wrong.push_back(Reason::kIdentityUnknown);
  } else if (!agent_only && !anonymous) {
    bool person_type = std::any_of(schema_.person.known_as.begin(), schema_.person.known_as.end(),
                                   [&](Str name) { return schema_.Text(name) == r_.subject_type; });
    std::string id(r_.subject_id);
    const World::Person* p = person_type ? world_.FindPerson(id) : nullptr;
    if (p == nullptr && r_.hop_count > 0) wrong.push_back(Reason::kIdentityUnknown);
    if (p != nullptr) {
      w_.person = id;
      w_.active = p->status == "active";
      if (!w_.active) wrong.push_back(Reason::kPersonNotActive);
    }
  }
  unresolved_ = (foreign || !agent_only) && !w_.person && r_.hop_count == 0;
  for (int h = 0; h < r_.hop_count; ++h) {
    const Request::Hop& hop = r_.hops[static_cast<size_t>(h)];
    if (!hop.issuer.empty() && !r_.caller->trusts_all_issuers &&
        !Named(r_.caller->issuers, hop.issuer)) {
      wrong.push_back(Reason::kIdentityUnknown);
      continue;
    }
    if (hop.is_person) {  // who acts for the subject, before every agent
      const World::Person* p = world_.FindPerson(std::string(hop.agent));
      if (!w_.person || h != 0) {
        wrong.push_back(Reason::kIdentityChainMismatch);
      } else if (p == nullptr) {
        wrong.push_back(Reason::kIdentityUnknown);
      } else if (hop.agent != *w_.person) {
        w_.deputy = std::string(hop.agent);
        if (p->status != "active") wrong.push_back(Reason::kPersonNotActive);
      }
      continue;
    }
    Omega::Hop out;
    ForEach(StatementKind::kAgent, [&](const StatementModel& s) {
      if (s.name == hop.agent) out.agent = s.ordinal;
    });
    if (out.agent == kNone) {
      wrong.push_back(Reason::kIdentityUnknown);
      continue;
    }
    out.name = hop.agent;
    out.instance = hop.instance;
    auto known = state_.instances.find({out.name, out.instance});
    out.born = known != state_.instances.end() ? known->second.born : hop.born.value_or(w_.now);
    w_.chain.push_back(out);
    // The accountable person, or for 14 days after they left their team.
    const StatementModel& agent = *AgentOf(out.agent);
    const std::string& accountable = model_.constants[agent.agent.accountable].text;
    std::optional<Instant> gone = state_.GoneSince(accountable);
    if (!PersonActive(accountable) || gone) {
      const World::Person* p = world_.FindPerson(accountable);
      if (p != nullptr && p->status == "left" && p->left && (!gone || *p->left < *gone))
        gone = *p->left;
      bool stands_in = agent.agent.accountable_else != kNone && p != nullptr && gone &&
                       w_.now.us - gone->us <= 14 * kMicrosPerDay;
      if (!stands_in) wrong.push_back(Reason::kAccountableMissing);
    }
  }
  // The chain equals the recorded hand-offs: the root has no parent, each hop the one before it.
  bool chain_ok = true;
  for (size_t h = 0; h < w_.chain.size(); ++h) {
    auto parent = state_.parents.find({w_.chain[h].name, w_.chain[h].instance});
    if (h == 0 && w_.deputy) {
      chain_ok = chain_ok && parent != state_.parents.end() &&
                 parent->second.who == std::pair("person:" + *w_.deputy, std::string()) &&
                 (parent->second.task.empty() || parent->second.task == r_.task);
    } else if (h == 0) {
      chain_ok = chain_ok && parent == state_.parents.end();
    } else {
      chain_ok = chain_ok && parent != state_.parents.end() &&
                 parent->second.who == std::pair(w_.chain[h - 1].name, w_.chain[h - 1].instance) &&
                 (parent->second.task.empty() || parent->second.task == r_.task);
    }
  }
  if (!chain_ok) wrong.push_back(Reason::kIdentityChainMismatch);
  return DenyAny(wrong);
}

// ---------------------------------------------------------------- 3: mode

bool Fold::FixMode() {
  if (w_.partner != kNone) {
    return w_.partner_hops > 0 || r_.caller->serves_persons || Deny(Reason::kAgentActorMissing);
  }
  if (w_.chain.empty() && w_.deputy) {
    w_.mode = Mode::kOnBehalfOf;
    return r_.caller->serves_persons || Deny(Reason::kAgentActorMissing);
  }
  if (w_.chain.empty()) {
    w_.mode = w_.person ? Mode::kDirect : Mode::kPublic;
    if (w_.person && !r_.caller->serves_persons) return Deny(Reason::kAgentActorMissing);
    return true;
  }
  auto all_declare = [&](uint8_t bit) {
    return std::all_of(w_.chain.begin(), w_.chain.end(), [&](const Omega::Hop& h) {
      return (AgentOf(h.agent)->agent.modes & bit) != 0;
    });
  };
  std::vector<Reason> wrong;
  if (w_.person) {
    w_.mode = all_declare(kModeOnBehalfOf) ? Mode::kOnBehalfOf : Mode::kImpersonate;
    // Whoever acts for another passes nobody's credentials on.
    if (!all_declare(kModeOnBehalfOf) && (w_.deputy || !all_declare(kModeImpersonate)))
      wrong.push_back(Reason::kAgentModeNotAllowed);
  } else {
    w_.mode = Mode::kStanding;
    if (AgentOf(w_.chain[0].agent)->agent.modes != kModeStanding)
      wrong.push_back(Reason::kAgentModeNotAllowed);
  }
  for (const Omega::Hop& hop : w_.chain) {
    const Agent& agent = AgentOf(hop.agent)->agent;
    if (agent.lives_us != 0 && w_.now.us - hop.born.us > agent.lives_us)
      wrong.push_back(Reason::kAgentExpired);
    if (agent.instances_max == 0 || state_.instances.contains({hop.name, hop.instance})) continue;
    std::set<std::string> born;
    for (const auto& [name, instance] : state_.instances) {
      int64_t window = agent.instances_window_us != 0 ? agent.instances_window_us : agent.lives_us;
      if (name.first == hop.name && instance.born.us > w_.now.us - window) born.insert(name.second);
    }
    for (const Omega::Hop& other : w_.chain) {
      if (other.agent == hop.agent) born.insert(other.instance);
    }
    if (born.size() > agent.instances_max) wrong.push_back(Reason::kAgentTooMany);
  }
  return DenyAny(wrong);
}

// ---------------------------------------------------------------- 4: revoked, stale

bool Fold::NotRevoked() {
  std::vector<Reason> wrong;
  if (w_.person && state_.Revoked(RevokedKind::kPerson, *w_.person, r_.signed_in))
    wrong.push_back(Reason::kRevokedPerson);
  if (w_.mode == Mode::kPublic &&
      state_.Revoked(RevokedKind::kPerson, std::string(r_.subject_id), std::nullopt))
    wrong.push_back(Reason::kRevokedPerson);
  if (w_.deputy && state_.Revoked(RevokedKind::kPerson, *w_.deputy, r_.hops[0].born))
    wrong.push_back(Reason::kRevokedPerson);
  if (w_.partner != kNone) {
    const std::string& partner = ByOrdinal(StatementKind::kPartner, w_.partner)->name;
    if (state_.Revoked(RevokedKind::kPartner, partner, r_.signed_in) ||
        state_.Revoked(RevokedKind::kPartner, w_.partner_subject, r_.signed_in))
      wrong.push_back(Reason::kRevokedPartner);
  }
  for (const Omega::Hop& hop : w_.chain) {
    if (state_.Revoked(RevokedKind::kAgent, hop.name, hop.born))
      wrong.push_back(Reason::kRevokedAgent);
    if (state_.Revoked(RevokedKind::kInstance, hop.name + "/" + hop.instance, hop.born))
      wrong.push_back(Reason::kRevokedInstance);
    for (const std::optional<std::string>& who : {w_.person, w_.deputy}) {
      if (who && state_.Revoked(RevokedKind::kPerson, *who, hop.born))
        wrong.push_back(Reason::kRevokedPerson);
    }
  }
  if (!r_.task.empty()) {
    w_.task_id = r_.task;
    auto task = state_.tasks.find(w_.task_id);
    if (task != state_.tasks.end() && w_.partner == kNone) w_.task = &task->second;
    std::optional<Instant> since;
    if (w_.task != nullptr) since = w_.task->opened;
    if (state_.Revoked(RevokedKind::kTask, w_.task_id, since))
      wrong.push_back(Reason::kRevokedTask);
    if (w_.task != nullptr && !w_.task->person.empty() &&
        state_.Revoked(RevokedKind::kPerson, w_.task->person, since))
      wrong.push_back(Reason::kRevokedTask);
  }
  if (w_.person && !world_.PersonsFresh(w_.now)) wrong.push_back(Reason::kStaleData);
  return DenyAny(wrong);
}

// ---------------------------------------------------------------- 5: link

bool Fold::Linked() {
  uint32_t index = schema_.resources[w_.type].system;
  const SystemDef& system = schema_.systems[index];
  if (!system.has_account) return true;
  int live = 0, fresh = 0, revoked = 0;
  bool shared = false;
  std::vector<World::Account> accounts = world_.Accounts(index);
  for (const World::Account& a : accounts) {
    if (a.person != *w_.person) continue;
    if (state_.Revoked(RevokedKind::kAccount, std::string(schema_.Text(system.name)) + ":" + a.key,
                       r_.signed_in)) {
      ++revoked;
      continue;
    }
    for (const World::Account& other : accounts)
      shared = shared || (other.key == a.key && other.person != a.person);
    ++live;
    if (system.checked_within_us == 0 || w_.now.us - a.checked.us <= system.checked_within_us)
      ++fresh;
  }
  std::vector<Reason> wrong;
  if (shared || fresh > 1) {
    wrong.push_back(Reason::kIdentityAmbiguous);
    if (fresh == 0) wrong.push_back(Reason::kIdentityLinkStale);
  } else if (fresh == 0) {
    wrong.push_back(live > 0      ? Reason::kIdentityLinkStale
                    : revoked > 0 ? Reason::kRevokedAccount
                                  : Reason::kIdentityUnlinked);
    if (live > 1) wrong.push_back(Reason::kIdentityAmbiguous);
    if (live == 0 && revoked > 0) wrong.push_back(Reason::kIdentityUnlinked);
    if (live > 0 && revoked > 0) wrong.push_back(Reason::kRevokedAccount);
  }
  return DenyAny(wrong);
}

}  // namespace dpl::oracle
