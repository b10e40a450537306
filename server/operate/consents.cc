// /v1/consents: a person's yes to a delegation, for what it lends at that moment, and taking it
// back (closing rules 2 and 35).
#include <algorithm>

#include "server/operate/body_reader.h"
#include "server/operate/names.h"
#include "server/operate/page.h"
#include "server/operate/person.h"
#include "server/operate/routes.h"

namespace dpl {
namespace {

const Delegation* DelegationOf(const Call& call, std::string_view name) {
  uint32_t statement = call.snapshot().FindStatement(name);
  if (statement == kNone) return nullptr;
  const Statement& s = call.program().statements[statement];
  return s.kind == StatementKind::kDelegation ? &call.program().delegations[s.detail] : nullptr;
}

Instant GivenAt(const ConsentRecord& consent) {
  if (!consent.whole_day) return consent.at;
  return Add(consent.at, Duration{kMicrosPerDay}).value_or(kMaxInstant);
}

// Until when it counts; nullopt where the policy alone, or each task, says so.
std::optional<Instant> Until(const Delegation* d, const ConsentRecord& consent) {
  if (d == nullptr || d->consent != ConsentKind::kEvery) return std::nullopt;
  return Add(GivenAt(consent), Duration{d->consent_every_us}).value_or(kMaxInstant);
}

std::string_view StateOf(const Call& call, const Delegation* d, const ConsentRecord& consent) {
  if (consent.reach.empty()) return "withdrawn";
  if (d == nullptr) return "unknown";
  bool covers =
      std::includes(consent.reach.begin(), consent.reach.end(), d->reach.begin(), d->reach.end());
  if (!covers) return "outgrown";
  std::optional<Instant> until = Until(d, consent);
  return until && *until < call.now() ? "lapsed" : "live";
}

void WriteConsent(const Call& call, const ConsentEntry& entry, JsonWriter* out) {
  const Delegation* d = DelegationOf(call, entry.delegation);
  out->BeginObject().Member("delegation", entry.delegation).Member("person", entry.person);
  out->Member("state", StateOf(call, d, entry.consent));
  out->Member("at", FormatInstant(entry.consent.at));
  if (std::optional<Instant> until = Until(d, entry.consent); until && !entry.consent.reach.empty())
    out->Member("until", FormatInstant(*until));
  out->Member("source", entry.consent.from_facts ? "facts" : "api").EndObject();
}

// The delegation and the person of a body that gives or withdraws; false after a problem.
bool ReadConsentBody(Call& call, std::string* delegation, std::string* person,
                     std::string_view* because) {
  BodyReader body(call, *call.body());
  std::string_view name = body.Text("delegation");
  *because = body.Text("because", Need::kOptional, 1024);
  *person = ActingPerson(call, &body, "person");
  if (!body.Finish()) return false;
  Name found = FindStatementName(call.snapshot(), StatementKind::kDelegation, name);
  if (!found.known) {
    body.Fail("delegation", found.problem, ProblemKind::kUnknownName, found.near);
    return false;
  }
  *delegation = found.full;
  return true;
}

}  // namespace

void GiveConsent(Call& call) {
  std::string delegation, person;
  std::string_view because;
  if (!ReadConsentBody(call, &delegation, &person, &because)) return;
  const Delegation& d = *DelegationOf(call, delegation);
  if (d.consent == ConsentKind::kByPolicy)
    return call.Problem(ProblemKind::kNotAllowed, "this delegation asks for no consent");
  if (!call.MayGive()) return;
  ConsentRecord known, consent;
  consent.at = call.now();
  // What was said later stands, also where the clock went back in between.
  if (call.store().FindConsent(delegation, person, &known))
    consent.at = std::max(consent.at, known.at);
  consent.reach = d.reach;
  if (Status room = call.store().RoomForConsent(delegation, person); !room.ok())
    return call.StoreProblem(room.error());
  call.store().GiveConsent(delegation, person, consent);  // the answer waits until it is kept
  if (!call.Changed({.event = "consent.give",
                     .person = person,
                     .because = because,
                     .fields = {{"delegation", delegation}, {"person", person}}}))
    return;
  WriteConsent(call, {delegation, person, consent}, &call.Answer(201));
}

void WithdrawConsent(Call& call) {
  std::string delegation, person;
  std::string_view because;
  if (!ReadConsentBody(call, &delegation, &person, &because)) return;
  ConsentRecord known;
  if (!call.store().FindConsent(delegation, person, &known))
    return call.Problem(ProblemKind::kNotFound, "this person has not consented to it");
  if (!call.MayChange()) return;
  ConsentRecord nothing;
  nothing.at = std::max(call.now(), known.at);
  call.store().GiveConsent(delegation, person, nothing);
  if (!call.Changed({.event = "consent.withdraw",
                     .person = person,
                     .because = because,
                     .fields = {{"delegation", delegation}, {"person", person}}}))
    return;
  WriteConsent(call, {delegation, person, nothing}, &call.Answer());
}

void ListConsents(Call& call) {
  PageQuery query;
  if (!query.Read(call)) return;
  std::optional<std::string_view> person = call.Query("person"),
                                  delegation = call.Query("delegation");
  if (!call.caller().person.empty() && !call.caller().HasAny(Role::kOperate | Role::kAudit)) {
    if (person && *person != call.caller().person)
      return call.Problem(ProblemKind::kForbidden, "a personal token sees that person's consents");
    person = call.caller().person;
  }
  std::string full;
  if (delegation)
    full = FindStatementName(call.snapshot(), StatementKind::kDelegation, *delegation).full;
  Page<ConsentEntry> page = call.store().ListConsents(query.ask(), [&](const ConsentEntry& entry) {
    return (!person || entry.person == *person) && (!delegation || entry.delegation == full);
  });
  AnswerPage(call, page,
             [&](const ConsentEntry& entry, JsonWriter* out) { WriteConsent(call, entry, out); });
}

}  // namespace dpl
