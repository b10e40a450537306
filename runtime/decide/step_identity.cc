// Step 2: who is asking. Exactly one person, a standing agent, or nobody known; every hop a
// registered template.
#include <algorithm>

#include "runtime/decide/fold.h"
#include "runtime/json/json.h"

namespace dpl {
namespace {

constexpr int64_t kFallbackTeamUs =
    14 * kMicrosPerDay;  // how long a team stands in for an accountable person who left

bool IsActive(const Entity* person) {
  return person != nullptr && person->person != nullptr &&
         person->person->status == PersonStatus::kActive;
}

enum class Found { kPerson, kAgent, kPartner, kNobody, kAmbiguous };

bool Named(const std::vector<std::string>& list, std::string_view name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

std::string_view PartnerName(const Fold& f, uint32_t partner) {
  return f.Text(f.program.statements[f.program.partner_statements[partner]].name);
}

uint32_t PartnerOfIssuer(const Fold& f, std::string_view issuer) {
  for (uint32_t i = 0; i < f.program.partners.size(); ++i) {
    if (f.Text(f.program.partners[i].issuer) == issuer) return i;
  }
  return kNone;
}

// By its qualified name, or the short one when only one partner has it.
uint32_t PartnerNamed(const Fold& f, std::string_view name) {
  uint32_t found = kNone;
  for (uint32_t i = 0; i < f.program.partners.size(); ++i) {
    std::string_view full = PartnerName(f, i);
    if (full == name) return i;
    if (full.substr(full.rfind('.') + 1) != name) continue;
    if (found != kNone) return kNone;
    found = i;
  }
  return found;
}

// Who issued a name fixes the realm it is of (closing rule 7): a partner's issuer yields that
// partner, any other must be one this caller is registered to pass on as ours. False: neither.
bool RealmOf(const Fold& f, std::string_view issuer, uint32_t* partner) {
  *partner = kNone;
  if (issuer.empty()) return true;
  *partner = PartnerOfIssuer(f, issuer);
  return *partner != kNone || f.caller.trusts_all_issuers || Named(f.caller.issuers, issuer);
}

// The subject of a partner: by its type `partner:NAME`, or by the issuer of its token. What the two
// say must agree, and the caller must be registered to name subjects of that partner.
bool FindPartner(Fold& f, Found* found) {
  constexpr std::string_view kPartner = "partner:";
  std::string_view type = f.request.subject_type;
  bool typed = type.starts_with(kPartner);
  uint32_t partner = kNone;
  bool known = RealmOf(f, f.request.subject_issuer, &partner);
  if (!typed && known && partner == kNone) return false;
  *found = Found::kNobody;
  if (!known) {
    f.d.detail = "the subject's issuer is neither a partner's nor one of ours for this caller";
    return true;
  }
  if (typed) {
    uint32_t named = PartnerNamed(f, type.substr(kPartner.size()));
    if (named == kNone) return f.d.detail = "there is no such partner", true;
    if (!f.request.subject_issuer.empty() && partner != named)
      return f.d.detail = "the subject's issuer is not this partner's", true;
    partner = named;
  } else if (!f.snapshot.IsPersonWire(type)) {
    return f.d.detail = "a partner's issuer names subjects of that partner only", true;
  }
  if (!f.caller.asserts_all_partners && !Named(f.caller.partners, PartnerName(f, partner)))
    return f.d.detail = "the caller is not registered to name subjects of this partner", true;
  if (f.request.subject_id.empty()) return true;
  f.partner = partner;
  f.partner_statement = f.program.partner_statements[partner];
  f.text.assign(PartnerName(f, partner)).append("/").append(f.request.subject_id);
  f.partner_subject = f.Keep(f.text);
  *found = Found::kPartner;
  return true;
}

// The wire type fixes the name space; there is no fall-back from one to another (closing rule 6).
Found FindSubject(Fold& f, uint32_t* agent) {
  std::string_view type = f.request.subject_type, id = f.request.subject_id;
  constexpr std::string_view kAccount = "account:";
  Found partner = Found::kNobody;
  if (FindPartner(f, &partner)) return partner;
  if (f.snapshot.IsPersonWire(type)) {
    Result<std::string_view> plain = f.snapshot.CheckPersonId(id);
    if (!plain.ok()) return Found::kNobody;
    const Entity* person = f.snapshot.FindPerson(*plain);
    if (person == nullptr || person->person == nullptr) return Found::kNobody;
    f.person = person;
    return Found::kPerson;
  }
  if (type.starts_with(kAccount)) {
    uint32_t system = FindSystem(f.schema, type.substr(kAccount.size()));
    if (system == kNone) return Found::kNobody;
    std::span<const AccountFact> claims = f.snapshot.FindAccounts(system, id);
    if (claims.empty()) return Found::kNobody;
    for (const AccountFact& claim : claims) {
      if (!SameEntity(*claim.person, *claims[0].person)) return Found::kAmbiguous;
    }
    const Entity* person = f.snapshot.Latest(claims[0].person);
    if (person->person == nullptr) return Found::kNobody;
    f.person = person;
    f.account_system = system;
    f.account_key = claims[0].key;
    return Found::kPerson;
  }
  if (type == "agent") {
    *agent = f.snapshot.FindAgent(id);
    return *agent == kNone ? Found::kNobody : Found::kAgent;
  }
  return Found::kNobody;
}

bool HasPublicGrant(const Fold& f) {
  const auto& items = f.entry->items[static_cast<int>(ClauseRole::kGrantMay)];
  IndexEntry::Item from{{KeyKind::kPublic, 0}, 0};
  auto at = std::lower_bound(items.begin(), items.end(), from);
  return at != items.end() && at->key.kind == KeyKind::kPublic;
}

// Instance and birth count only when verified, or named by a caller registered to (closing rule 3).
Reason AddHop(Fold& f, uint32_t agent, std::string_view instance, std::optional<Instant> born) {
  if (f.hop_count == kMaxHops) return Reason::kIdentityChainMismatch;
  if (!f.caller.asserts_actors || !f.caller.asserts_instances) {
    f.d.detail = "the caller is not registered to name agents and their runs";
    return Reason::kIdentityAttestation;
  }
  Hop& hop = f.hops[f.hop_count];
  hop = Hop();
  hop.agent = agent;
  hop.statement = f.program.agent_statements[agent];
  hop.name = f.Text(f.program.statements[hop.statement].name);
  hop.instance = instance;
  hop.born = std::min(f.now, born.value_or(f.now));
  if (!instance.empty()) {
    Instant recorded;
    bool bound = false;
    if (f.store.FindInstance(hop.name, instance, &recorded, &bound)) {
      hop.known = true;
      hop.bound = bound;
      hop.born = recorded;  // what was seen first stands against every later claim
    }
  }
  f.chain[f.hop_count++] = agent;
  HopOut out;
  out.agent = agent;
  out.instance = instance;
  f.d.chain.Add(out);
  return kPass;
}

// A person who acts for another comes first of a chain and only there, in the own directory.
Reason AddDeputy(Fold& f, const Request::Hop& hop, bool first) {
  if (f.person == nullptr || !first) {
    f.d.detail = "a person acts for another person only, and before every agent";
    return Reason::kIdentityChainMismatch;
  }
  if (!f.caller.asserts_actors) {
    f.d.detail = "the caller is not registered to say who acts for whom";
    return Reason::kIdentityAttestation;
  }
  Result<std::string_view> plain = f.snapshot.CheckPersonId(hop.agent);
  const Entity* deputy = plain.ok() ? f.snapshot.FindPerson(*plain) : nullptr;
  if (deputy == nullptr || deputy->person == nullptr) {
    f.d.detail = "the person who acts for another is not known";
    return Reason::kIdentityUnknown;
  }
  if (SameEntity(*deputy, *f.person)) return kPass;  // whoever acts for themselves acts directly
  f.deputy = f.d.deputy = deputy;
  HopOut out;
  out.person = deputy;
  f.d.chain.Add(out);
  return IsActive(deputy) ? kPass : Reason::kPersonNotActive;
}

// A partner's agents are its own affair: known by the names it gives them, and counted.
Reason ReadPartnerChain(Fold& f) {
  const Request& r = f.request;
  std::string_view issuer = f.Text(f.program.partners[f.partner].issuer);
  for (int i = 0; i < r.hop_count; ++i) {
    const Request::Hop& hop = r.hops[i];
    if (!f.caller.asserts_actors || !f.caller.asserts_instances) {
      f.d.detail = "the caller is not registered to name agents and their runs";
      return Reason::kIdentityAttestation;
    }
    if (hop.is_person || (!hop.issuer.empty() && hop.issuer != issuer)) {
      f.d.detail = "for a partner's subject only agents of that partner act";
      return Reason::kIdentityChainMismatch;
    }
    ++f.partner_hops;
    HopOut out;
    out.foreign = hop.agent;
    out.instance = hop.instance;
    f.d.chain.Add(out);
  }
  return kPass;
}

Reason ReadChain(Fold& f, bool standing, uint32_t root) {
  const Request& r = f.request;
  if (standing) {
    bool named = r.hop_count > 0 && f.snapshot.FindAgent(r.hops[0].agent) == root;
    if (!named) {
      Reason reason = AddHop(f, root, {}, std::nullopt);
      if (reason != kPass) return reason;
    }
  }
  for (int i = 0; i < r.hop_count; ++i) {
    uint32_t foreign = kNone;
    if (!RealmOf(f, r.hops[i].issuer, &foreign) || foreign != kNone) {
      f.d.detail = "an agent of the chain is named by an issuer that is not ours";
      return Reason::kIdentityUnknown;
    }
    if (r.hops[i].is_person) {
      Reason reason = AddDeputy(f, r.hops[i], i == 0);
      if (reason != kPass) return reason;
      continue;
    }
    uint32_t agent = f.snapshot.FindAgent(r.hops[i].agent);
    if (agent == kNone) {
      f.d.detail = "an agent of the chain is not known";
      return Reason::kIdentityUnknown;
    }
    Reason reason = AddHop(f, agent, r.hops[i].instance, r.hops[i].born);
    if (reason != kPass) return reason;
  }
  return kPass;
}

// The chain equals the recorded hand-offs, neither longer nor shorter (closing rule 4).
Reason CheckHandoffs(Fold& f) {
  if (f.hop_count == 0) return kPass;
  if (f.deputy != nullptr) {
    // Who acts for another and has an agent do it is on record as having started that run.
    f.text.assign("person:").append(f.deputy->id);
    if (!f.store.HandoffRecorded(f.text, {}, f.hops[0].name, f.hops[0].instance, f.request.task)) {
      f.HopReport(0).ok = false;
      f.HopReport(0).reason = Reason::kIdentityChainMismatch;
      f.d.detail = "no hand-off is recorded from the person who acts to the first agent";
      return Reason::kIdentityChainMismatch;
    }
  } else if (f.store.HasParent(f.hops[0].name, f.hops[0].instance)) {
    f.d.detail = "the first agent was handed its work by another that is not named";
    return Reason::kIdentityChainMismatch;
  }
  for (int i = 1; i < f.hop_count; ++i) {
    const Hop &parent = f.hops[i - 1], &child = f.hops[i];
    if (f.store.HandoffRecorded(parent.name, parent.instance, child.name, child.instance,
                                f.request.task))
      continue;
    f.HopReport(i).ok = false;
    f.HopReport(i).reason = Reason::kIdentityChainMismatch;
    f.d.detail = "no hand-off is recorded between two agents of the chain";
    return Reason::kIdentityChainMismatch;
  }
  return kPass;
}

// When the revocation for good was recorded, which may be one of all persons.
Instant RevokedAt(const Fold& f, std::string_view person) {
  Instant at = kMaxInstant;
  auto read = [&](RevokedKind kind, std::string_view name) {
    std::optional<Revocation> r = f.store.FindRevocation(kind, name);
    if (r.has_value() && !r->before.has_value()) at = std::min(at, r->at);
  };
  read(RevokedKind::kPerson, person);
  read(RevokedKind::kPerson, {});
  read(RevokedKind::kEverything, {});
  return at;
}

// Somebody must answer for every template: its accountable person, or for 14 days after that one
// left the fallback team.
Reason CheckAccountable(Fold& f) {
  for (int i = 0; i < f.hop_count; ++i) {
    const Agent& agent = f.program.agents[f.hops[i].agent];
    const Entity* person = agent.accountable == kNone
                               ? nullptr
                               : f.snapshot.Latest(f.snapshot.constant(agent.accountable).entity);
    // Whoever is revoked for good answers for nothing any more, as if they had left then.
    bool revoked = person != nullptr && f.RevokedForGood(RevokedKind::kPerson, person->id);
    if (IsActive(person) && !revoked) continue;
    if (agent.accountable_else != kNone && person != nullptr && person->person != nullptr &&
        (person->person->left || revoked)) {
      Instant left = person->person->left.value_or(kMaxInstant);
      if (revoked) left = std::min(left, RevokedAt(f, person->id));
      std::optional<Instant> until = Add(left, Duration{kFallbackTeamUs});
      if (until && f.now <= *until) {
        f.FlipsAfter(*until);
        continue;
      }
    }
    f.HopReport(i).ok = false;
    f.HopReport(i).reason = Reason::kAccountableMissing;
    return Reason::kAccountableMissing;
  }
  return kPass;
}

// The arguments of the open task as values in `arena`, parallel to the parameters of its shape;
// null: no room.
const Value* TypeTask(const Fold& f, const Task& shape, Arena* arena) {
  Value* values = arena->NewArray<Value>(shape.params.size());
  if (values == nullptr) return nullptr;
  for (size_t i = 0; i < shape.params.size(); ++i) {
    for (const auto& [name, text] : f.task->args) {
      if (name != f.Text(shape.params[i].name)) continue;
      WireValue wire;
      TypeKind kind = f.schema.types[shape.params[i].type].kind;
      wire.kind = kind == TypeKind::kInt || kind == TypeKind::kDecimal ? WireValue::Kind::kNumber
                  : kind == TypeKind::kBool                            ? WireValue::Kind::kBool
                                                                       : WireValue::Kind::kString;
      wire.text = text;
      wire.boolean = text == "true";
      if (kind == TypeKind::kSet) {  // kept as the JSON array of its members
        Result<const WireValue*> array = ParseJson(text, arena);
        if (!array.ok()) continue;
        wire = **array;
      }
      Result<Value> value = f.snapshot.TypeValue(wire, shape.params[i].type, arena);
      if (value.ok()) values[i] = *value;  // else unset: what asks for it gets ⊥missing
    }
  }
  return values;
}

// The task's parameters as values; step 10 judges whether the task may be used.
Reason ReadTask(Fold& f) {
  if (f.request.task.empty()) return kPass;
  f.d.task = f.request.task;
  f.task = f.store.FindTask(f.request.task);
  if (f.task == nullptr || (f.hop_count == 0 && f.deputy == nullptr))
    return kPass;  // a person directly is in no task
  const bool keeps = f.kept_tasks != nullptr && f.kept_tasks->Keeps(f.snapshot);
  const KeptTasks::Typed* kept = keeps ? f.kept_tasks->Find(f.task.get()) : nullptr;
  const uint32_t s = kept != nullptr ? kept->statement : f.snapshot.FindStatement(f.task->shape);
  if (s == kNone || f.program.statements[s].kind != StatementKind::kTask) return kPass;
  const Task& shape = f.program.tasks[f.program.statements[s].detail];
  const Value* values = kept != nullptr ? kept->values : nullptr;
  if (values == nullptr) {
    Arena* room = keeps ? f.kept_tasks->Room(*f.task) : nullptr;
    values = TypeTask(f, shape, room != nullptr ? room : f.arena);
    if (values == nullptr) return f.OutOfArena(), Reason::kErrorArena;
    if (room != nullptr) f.kept_tasks->Put(f.task, {s, values});
  }
  f.task_statement = s;
  f.env.task_params = values;
  f.env.task_param_count = static_cast<uint32_t>(shape.params.size());
  return kPass;
}

}  // namespace

Reason StepIdentity(Fold& f) {
  if (f.request.actor_conflict) {
    f.d.detail = "the places that name the agent disagree";
    return Reason::kIdentityChainMismatch;
  }
  f.ahead.Step(f);
  uint32_t root = kNone;
  Found found = FindSubject(f, &root);
  f.ahead.Step(f);
  if (found == Found::kAmbiguous) return Reason::kIdentityAmbiguous;
  if (found == Found::kNobody) {
    if (f.request.hop_count > 0 || !HasPublicGrant(f)) return Reason::kIdentityUnknown;
    f.mode = ActingMode::kPublic;
    f.env.public_caller = true;
    return kPass;
  }
  f.d.person = f.person;
  if (found == Found::kPartner) {
    f.mode = ActingMode::kPartner;
    f.d.partner = f.partner;
    Reason reason = ReadPartnerChain(f);
    f.env.partner = f.partner;
    f.env.partner_agents = f.partner_hops > 0;
    return reason;
  }
  Reason reason = ReadChain(f, found == Found::kAgent, root);
  if (reason != kPass) return reason;
  f.mode = found == Found::kAgent                    ? ActingMode::kStanding
           : f.hop_count == 0 && f.deputy == nullptr ? ActingMode::kDirect
                                                     : ActingMode::kOnBehalfOf;
  if (f.hop_count > 0) f.d.accountable = f.program.agents[f.chain[f.hop_count - 1]].accountable;
  reason = CheckHandoffs(f);
  if (reason != kPass) return reason;
  if (f.person != nullptr) {
    reason = OverlayPerson(f);
    if (reason != kPass) return reason;
    f.d.person = f.person;
    if (!IsActive(f.person)) return Reason::kPersonNotActive;
  }
  reason = CheckAccountable(f);
  if (reason != kPass) return reason;
  reason = ReadTask(f);
  if (reason != kPass) return reason;
  f.env.person = f.person;
  f.env.person_active = f.person != nullptr;
  f.env.chain = {f.chain.data(), static_cast<size_t>(f.hop_count)};
  f.env.standing = f.mode == ActingMode::kStanding;
  return kPass;
}

}  // namespace dpl
