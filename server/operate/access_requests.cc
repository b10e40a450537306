// /v1/access-requests: what was answered `ask`, put before the people who may approve it
// (docs/operate.md, "Asking people").
//
// A request is made by the enforcement point that got the `ask`, with the same evaluation. It is
// decided again, dry, when it is made, listed and signed: nobody signs what is no longer asked.
// Nothing in it is a permit: when it is approved, its approval is evidence that step 14 judges once
// more.
#include <algorithm>

#include "runtime/decide/answer.h"
#include "runtime/decide/approval.h"
#include "runtime/decide/wire_request.h"
#include "server/operate/asked.h"
#include "server/operate/body_reader.h"
#include "server/operate/names.h"
#include "server/operate/page.h"
#include "server/operate/person.h"
#include "server/operate/routes.h"

namespace dpl {
namespace {

constexpr int kMostTries = 8;         // signing at the same time as others
constexpr size_t kMostPending = 200;  // looked at for one page of what waits for a person

std::string_view StateOf(const AccessRequest& request, Instant now) {
  switch (request.state) {
    case AccessState::kPending:
      return request.expires <= now ? "expired" : "pending";
    case AccessState::kApproved:
      return "approved";
    case AccessState::kDenied:
      return "denied";
    case AccessState::kWithdrawn:
      break;
  }
  return "cancelled";
}
constexpr std::string_view kStates[] = {"pending", "approved", "denied", "expired", "cancelled"};

// A clock that was set back opens nothing again (closing rule 31).
Instant Latest(const Call& call) { return std::max(call.now(), call.store().HighTime()); }

const Approval* FindApprovalRule(const Program& program, std::string_view name) {
  for (size_t i = 0; i < program.approvals.size(); ++i) {
    const Statement& s = program.statements[program.approval_statements[i]];
    if (program.Text(s.name) == name) return &program.approvals[i];
  }
  return nullptr;
}

void WriteSignatures(const std::vector<Signature>& signatures, JsonWriter* out) {
  out->Key("signatures").BeginArray();
  for (const Signature& s : signatures) {
    out->BeginObject().Member("person", s.person).Member("at", FormatInstant(s.at));
    out->Member("verdict", s.approve ? "approve" : "deny");
    if (!s.meaning.empty()) out->Member("meaning", s.meaning);
    if (!s.note.empty()) out->Member("note", s.note);
    out->EndObject();
  }
  out->EndArray();
}

void WriteRequest(const Call& call, const AccessRequest& r, JsonWriter* out) {
  out->BeginObject().Member("id", r.id).Member("state", StateOf(r, Latest(call)));
  out->Member("template", r.approval);
  if (const Approval* rule = FindApprovalRule(call.program(), r.approval)) {
    out->Key("approvers").BeginArray();
    for (const Approval::By& by : rule->by) {
      out->String(std::to_string(by.count) + " of " + std::string(call.program().Text(by.text)));
    }
    out->EndArray();
    if (rule->signs != 0) out->Member("meaning", call.program().Text(rule->signs));
  }
  out->Member("action", r.action).Key("resource").BeginObject();
  out->Member("type", r.type).Member("id", r.resource).EndObject();
  if (!r.person.empty()) out->Member("person", r.person);
  if (!r.agent.empty()) out->Member("agent", r.agent);
  if (!r.instance.empty()) out->Member("instance", r.instance);
  if (!r.task.empty()) out->Member("task", r.task);
  out->Key("asked").Raw(r.shown);
  out->Member("binding_token", r.binding).Member("requested_by", r.requested_by);
  out->Member("created_at", FormatInstant(r.created));
  out->Member("expires_at", FormatInstant(r.expires));
  WriteSignatures(r.signatures, out);
  if (!r.approval_id.empty()) {
    out->Key("approval").BeginObject().Member("id", r.approval_id);
    if (std::shared_ptr<const ApprovalRecord> a = call.store().FindApproval(r.approval_id)) {
      out->Member("approved_at", FormatInstant(a->given));
      out->Member("approved_until", FormatInstant(a->expires)).Key("uses_left").Uint(a->uses_left);
    }
    out->EndObject();
  }
  out->EndObject();
}

bool WaitsFor(const Call& call, const AccessRequest& request, std::string_view person);

// An enforcement point sees what it asked; a person, with a token for no more, what they asked,
// have signed or could sign now; whoever else may call sees all.
bool MaySee(const Call& call, const AccessRequest& request) {
  const RegisteredCaller& caller = call.caller();
  if (caller.HasAny(Role::kApprove | Role::kOperate | Role::kAudit)) return true;
  if (!caller.Has(Role::kPerson)) return request.requested_by == caller.caller.name;
  return request.person == caller.person ||
         std::any_of(request.signatures.begin(), request.signatures.end(),
                     [&](const Signature& s) { return s.person == caller.person; }) ||
         (StateOf(request, Latest(call)) == "pending" && WaitsFor(call, request, caller.person));
}

std::shared_ptr<const AccessRequest> Find(Call& call) {
  std::shared_ptr<const AccessRequest> found = call.store().FindAccessRequest(call.Path(0));
  if (found != nullptr && MaySee(call, *found)) return found;
  call.Problem(ProblemKind::kNotFound, "there is no such request for access");
  return nullptr;
}

// Answers with the request as it is now.
void AnswerRequest(Call& call, std::string_view id, int status) {
  std::shared_ptr<const AccessRequest> now = call.store().FindAccessRequest(id);
  if (now == nullptr)
    return call.Problem(ProblemKind::kNotFound, "there is no such request for access");
  call.WaitForState();
  WriteRequest(call, *now, &call.Answer(status));
}

AccessRequest MakeRequest(const Call& call, const Request& request, const Decision& d, int which,
                          std::string shown) {
  const Program& program = call.program();
  AccessRequest record;
  record.id = NewId("ar_");
  record.approval =
      program.Text(program.statements[program.approval_statements[d.approvals.items[which]]].name);
  record.binding = d.request_digest;
  if (d.person != nullptr) record.person = d.person->id;
  if (d.chain.size > 0) {
    const HopOut& actor = d.chain.items[d.chain.size - 1];
    if (actor.agent != kNone)
      record.agent = program.Text(program.statements[program.agent_statements[actor.agent]].name);
    record.instance = actor.instance;
  }
  record.task = d.task;
  const ResourceDef& type = program.schema.resources[d.type];
  record.action = program.Text(type.actions[d.action].name);
  record.type = program.Text(type.name);
  record.resource = request.resource_id;
  record.shown = std::move(shown);
  record.approved_measures.assign(d.measures.begin(), d.measures.end());
  record.requested_by = call.caller().caller.name;
  record.created = call.now();
  record.expires = AskExpires(program, d);
  return record;
}

// Whether `person` could sign this now: pending, not yet signed by them, theirs to give.
bool WaitsFor(const Call& call, const AccessRequest& request, std::string_view person) {
  if (StateOf(request, Latest(call)) != "pending") return false;
  std::vector<Signature> with = request.signatures;
  if (std::any_of(with.begin(), with.end(), [&](const auto& s) { return s.person == person; }))
    return false;
  with.push_back({std::string(person), call.now(), true, {}, {}});
  std::string why;
  std::unique_ptr<AskedAgain> again = AskedAgain::Decide(call, request, with, &why);
  return again != nullptr && again->MaySign(with.size() - 1) == MayNotSign::kNothing;
}

}  // namespace

void MakeAccessRequest(Call& call) {
  BodyReader body(call, *call.body());
  for (std::string_view name : {"subject", "action", "resource"})
    (void)body.Object(name, Need::kRequired);
  (void)body.Object("context");
  std::string_view token = body.Text("binding_token", Need::kOptional, 64);
  std::string_view because = body.Text("because", Need::kOptional, 1024);
  if (!body.Finish()) return;
  const WireValue& root = *call.body();
  Result<Request> request = ReadWireRequest(
      {root.Find("subject"), root.Find("action"), root.Find("resource"), root.Find("context")},
      call.caller().caller, call.arena());
  if (!request.ok()) {
    const Error& error = request.error();
    return call.Problem(ProblemKind::kInvalidMember, error.message,
                        {{}, error.line, error.column, {}});
  }
  thread_local std::unique_ptr<Scratch> scratch = std::make_unique<Scratch>();
  AskReport report;
  const Decision& d =
      DecideAsk(call.snapshot(), &call.store(), *request, call.now(), scratch.get(), {}, &report);
  if (d.outcome != OutcomeKind::kAsk) {
    return call.Problem(
        ProblemKind::kNotAsked,
        "decided now, the answer is not `ask` but `" +
            std::string(ReasonCode(call.caller().caller.details ? d.reason : d.shown)) + "`");
  }
  if (!token.empty() && token != d.request_digest) {
    return call.Problem(ProblemKind::kConflict,
                        "`binding_token` is of another request, or what it is about has changed",
                        {"/binding_token", 0, 0, {}});
  }
  if (!call.MayGive()) return;
  std::string sentence;
  AppendSentence(&sentence, call.snapshot(), *request, d);
  const std::string shown = MakeShown(root, sentence, because);
  std::vector<AccessRequest> made;
  for (int which = 0; which < d.approvals.size; ++which) {
    AccessRequest record = MakeRequest(call, *request, d, which, shown);
    // The same question, still open: the same request.
    Page<AccessRequest> known =
        call.store().ListAccessRequests({{}, 1}, [&](const AccessRequest& other) {
          return other.state == AccessState::kPending && other.expires > call.now() &&
                 other.binding == record.binding && other.approval == record.approval &&
                 other.requested_by == record.requested_by &&
                 other.approved_measures == record.approved_measures;
        });
    if (!known.items.empty()) {
      made.push_back(known.items.front());
      continue;
    }
    if (Status opened = call.store().OpenAccessRequest(record); !opened.ok())
      return call.StoreProblem(opened.error());
    if (!call.Changed({.event = "access.request",
                       .because = because,
                       .fields = {{"request", record.id},
                                  {"approval", record.approval},
                                  {"person", record.person},
                                  {"agent", record.agent},
                                  {"action", record.action},
                                  {"resource", record.type + " " + record.resource}}}))
      return;
    made.push_back(std::move(record));
  }
  call.WaitForState();
  JsonWriter& out = call.Answer(201);
  out.BeginObject().Key("access_requests").BeginArray();
  for (const AccessRequest& record : made) WriteRequest(call, record, &out);
  out.EndArray().EndObject();
}

void ListAccessRequests(Call& call) {
  PageQuery query;
  if (!query.Read(call)) return;
  std::optional<std::string_view> state = call.Query("state"), person = call.Query("person"),
                                  waits = call.Query("waits_for");
  if (state && std::find(std::begin(kStates), std::end(kStates), *state) == std::end(kStates)) {
    return call.Problem(ProblemKind::kInvalidParameter,
                        "`state` must be pending, approved, denied, expired or cancelled");
  }
  if (waits && !call.caller().person.empty() && *waits != call.caller().person)
    return call.Problem(ProblemKind::kForbidden,
                        "a personal token sees what waits for that person");
  const Instant at = Latest(call);
  PageAsk ask = query.ask();
  const bool own = call.caller().OwnOnly(Role::kApprove | Role::kOperate | Role::kAudit);
  if (waits || own) ask.limit = std::min(ask.limit, kMostPending);
  Page<AccessRequest> page = call.store().ListAccessRequests(ask, [&](const AccessRequest& r) {
    return (!state || StateOf(r, at) == *state) && (!person || r.person == *person) &&
           (!waits || StateOf(r, at) == "pending");
  });
  AnswerPage(call, page, [&](const AccessRequest& r, JsonWriter* out) {
    if ((!own || MaySee(call, r)) && (!waits || WaitsFor(call, r, *waits)))
      WriteRequest(call, r, out);
  });
}

void GetAccessRequest(Call& call) {
  std::shared_ptr<const AccessRequest> found = Find(call);
  if (found != nullptr) AnswerRequest(call, found->id, 200);
}

void SignAccessRequest(Call& call) {
  BodyReader body(call, *call.body());
  std::string_view verdict = body.Word("verdict", "approve deny");
  std::string_view meaning = body.Text("meaning", Need::kOptional, 1024);
  std::string_view note = body.Text("note", Need::kOptional, 1024);
  const std::string person = ActingPerson(call, &body, "person");
  if (!body.Finish()) return;
  const bool yes = verdict == "approve";
  for (int tries = 0; tries < kMostTries; ++tries) {
    std::shared_ptr<const AccessRequest> found = Find(call);
    if (found == nullptr) return;
    if (std::string_view state = StateOf(*found, Latest(call)); state != "pending") {
      return call.Problem(ProblemKind::kConflict,
                          "the request is " + std::string(state) + " already");
    }
    std::vector<Signature> with = found->signatures;
    if (std::any_of(with.begin(), with.end(), [&](const auto& s) { return s.person == person; }))
      return call.Problem(ProblemKind::kConflict, "this person has signed it already");
    if (with.size() >= static_cast<size_t>(kMaxSigners))
      return call.Problem(ProblemKind::kConflict, "no more signatures are taken");
    Signature mine{person, call.now(), yes, std::string(meaning), std::string(note)};
    with.push_back(mine);
    std::string why;
    std::unique_ptr<AskedAgain> again = AskedAgain::Decide(call, *found, with, &why);
    if (again == nullptr) return call.Problem(ProblemKind::kNotAsked, why);
    if (MayNotSign bar = again->MaySign(with.size() - 1); bar != MayNotSign::kNothing) {
      return call.Problem(
          ProblemKind::kNotApprover,
          std::string(MayNotSignCode(bar)) + ": " + std::string(MayNotSignText(bar)),
          {"/person", 0, 0, {}});
    }
    std::string_view demanded = call.program().Text(again->approval(call.program()).signs);
    if (yes && !demanded.empty() && meaning != demanded) {
      return body.Fail(
          "meaning",
          "must be what the policy has approvers sign: \"" + std::string(demanded) + "\"",
          ProblemKind::kNotAllowed);
    }
    if (!(yes ? call.MayGive() : call.MayChange())) return;
    AccessState becomes = yes ? AccessState::kPending : AccessState::kDenied;
    ApprovalRecord approval;
    if (yes && again->Enough()) {
      becomes = AccessState::kApproved;
      std::vector<std::string> signers;
      std::vector<Signature> counted;
      Instant first = call.now();
      for (size_t i = 0; i < with.size(); ++i) {
        if (again->MaySign(i) != MayNotSign::kNothing) continue;
        signers.push_back(with[i].person);
        counted.push_back(with[i]);
        first = std::min(first, with[i].at);
      }
      approval = MakeApproval(call.program(), again->decision(), NewId("ap_"), std::move(signers),
                              call.now(), again->which());
      approval.given = first;  // a cut-off after any signature ends the whole
      approval.approved_measures = found->approved_measures;
      approval.signatures = std::move(counted);
      approval.request = found->id;
    }
    Status signed_ =
        call.store().SignAccessRequest(found->id, mine, found->signatures.size(), becomes,
                                       becomes == AccessState::kApproved ? &approval : nullptr);
    if (!signed_.ok() && signed_.error().code == "access.moved") continue;
    if (!signed_.ok()) return call.StoreProblem(signed_.error());
    if (!call.Changed({.event = yes ? "approval.sign" : "approval.deny",
                       .person = person,
                       .because = note,
                       .fields = {{"request", found->id},
                                  {"approval", found->approval},
                                  {"meaning", meaning},
                                  {"state", becomes == AccessState::kApproved ? "approved"
                                            : becomes == AccessState::kDenied ? "denied"
                                                                              : "pending"},
                                  {"record", approval.id}}}))
      return;
    return AnswerRequest(call, found->id, 200);
  }
  call.Problem(ProblemKind::kConflict, "others sign at the same time; try again");
}

void WithdrawAccessRequest(Call& call) {
  std::string_view because;
  if (call.body() != nullptr) {
    BodyReader body(call, *call.body());
    because = body.Text("because", Need::kOptional, 1024);
    if (!body.Finish()) return;
  }
  for (int tries = 0; tries < kMostTries; ++tries) {
    std::shared_ptr<const AccessRequest> found = Find(call);
    if (found == nullptr) return;
    if (!call.caller().Has(Role::kOperate) && found->requested_by != call.caller().caller.name) {
      return call.Problem(
          ProblemKind::kForbidden,
          "only the caller that made the request, or one that operates, withdraws it");
    }
    if (std::string_view state = StateOf(*found, Latest(call)); state != "pending") {
      return call.Problem(ProblemKind::kConflict,
                          "the request is " + std::string(state) + " already");
    }
    if (!call.MayChange()) return;
    Signature nobody;
    nobody.at = call.now();
    Status done = call.store().SignAccessRequest(found->id, nobody, found->signatures.size(),
                                                 AccessState::kWithdrawn, nullptr);
    if (!done.ok() && done.error().code == "access.moved") continue;
    if (!done.ok()) return call.StoreProblem(done.error());
    if (!call.Changed({.event = "access.withdraw",
                       .because = because,
                       .fields = {{"request", found->id}, {"approval", found->approval}}}))
      return;
    return AnswerRequest(call, found->id, 200);
  }
  call.Problem(ProblemKind::kConflict, "others sign at the same time; try again");
}

}  // namespace dpl
