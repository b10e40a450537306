// /v1/approvals: the evidence that came of signed requests for access, and taking it back.
#include <algorithm>

#include "server/operate/body_reader.h"
#include "server/operate/names.h"
#include "server/operate/page.h"
#include "server/operate/routes.h"

namespace dpl {
namespace {

bool Revoked(const Call& call, const ApprovalRecord& a) {
  return call.store().IsRevoked(RevokedKind::kApproval, a.id, a.given) ||
         call.store().IsRevoked(RevokedKind::kApproval, a.approval, a.given);
}

std::string_view StateOf(const Call& call, const ApprovalRecord& a) {
  if (Revoked(call, a)) return "revoked";
  if (a.uses_left == 0) return "used";
  return a.expires <= call.now() ? "expired" : "good";
}

void WriteApproval(const Call& call, const ApprovalRecord& a, JsonWriter* out) {
  out->BeginObject().Member("id", a.id).Member("template", a.approval);
  out->Member("state", StateOf(call, a));
  if (!a.request.empty()) out->Member("access_request", a.request);
  out->Member("binding_token", a.binding).Member("approved_at", FormatInstant(a.given));
  out->Member("approved_until", FormatInstant(a.expires)).Key("uses_left").Uint(a.uses_left);
  out->Key("approvers").BeginArray();
  for (const std::string& person : a.approvers) out->String(person);
  out->EndArray().Key("signatures").BeginArray();
  for (const Signature& s : a.signatures) {
    out->BeginObject().Member("person", s.person).Member("at", FormatInstant(s.at));
    if (!s.meaning.empty()) out->Member("meaning", s.meaning);
    if (!s.note.empty()) out->Member("note", s.note);
    out->EndObject();
  }
  out->EndArray().EndObject();
}

// Signed by this person, or asked for; with a token that sees its own only.
bool MaySee(const Call& call, const ApprovalRecord& a) {
  if (!call.caller().OwnOnly(Role::kApprove | Role::kOperate | Role::kAudit)) return true;
  const std::string& person = call.caller().person;
  if (std::find(a.approvers.begin(), a.approvers.end(), person) != a.approvers.end()) return true;
  std::shared_ptr<const AccessRequest> asked = call.store().FindAccessRequest(a.request);
  return asked != nullptr && asked->person == person;
}

std::shared_ptr<const ApprovalRecord> Find(Call& call) {
  std::shared_ptr<const ApprovalRecord> found = call.store().FindApproval(call.Path(0));
  if (found != nullptr && MaySee(call, *found)) return found;
  call.Problem(ProblemKind::kNotFound, "there is no such approval, or it ended long ago");
  return nullptr;
}

}  // namespace

void ListApprovals(Call& call) {
  PageQuery query;
  if (!query.Read(call)) return;
  std::optional<std::string_view> approver = call.Query("approver"), state = call.Query("state"),
                                  rule = call.Query("template");
  if (state && *state != "good" && *state != "used" && *state != "expired" && *state != "revoked") {
    return call.Problem(ProblemKind::kInvalidParameter,
                        "`state` must be good, used, expired or revoked");
  }
  std::string full;
  if (rule) full = FindStatementName(call.snapshot(), StatementKind::kApproval, *rule).full;
  Page<ApprovalRecord> page = call.store().ListApprovals(query.ask(), [&](const ApprovalRecord& a) {
    return (!approver ||
            std::find(a.approvers.begin(), a.approvers.end(), *approver) != a.approvers.end()) &&
           (!rule || a.approval == full);
  });
  AnswerPage(call, page, [&](const ApprovalRecord& a, JsonWriter* out) {
    if ((!state || StateOf(call, a) == *state) && MaySee(call, a)) WriteApproval(call, a, out);
  });
}

void GetApproval(Call& call) {
  std::shared_ptr<const ApprovalRecord> found = Find(call);
  if (found == nullptr) return;
  call.WaitForState();
  WriteApproval(call, *found, &call.Answer());
}

void RevokeApproval(Call& call) {
  BodyReader body(call, *call.body());
  std::string_view because = body.Text("because", Need::kRequired, 1024);
  if (!body.Finish()) return;
  std::shared_ptr<const ApprovalRecord> found = Find(call);
  if (found == nullptr) return;
  // Who holds a personal token takes back what that person signed.
  const std::string& person = call.caller().person;
  if (!person.empty() &&
      std::find(found->approvers.begin(), found->approvers.end(), person) == found->approvers.end())
    return call.Problem(ProblemKind::kForbidden, "this person has not signed it");
  if (!Revoked(call, *found)) {
    if (!call.MayChange()) return;
    Revocation revocation;
    revocation.kind = RevokedKind::kApproval;
    revocation.name = found->id;
    revocation.at = call.now();
    revocation.by = call.WhoActs();
    revocation.because = because;
    (void)call.store().Revoke(revocation);
    if (!call.Changed({.event = "approval.revoke",
                       .because = because,
                       .fields = {{"record", found->id}, {"approval", found->approval}}}))
      return;
  }
  call.WaitForState();
  WriteApproval(call, *found, &call.Answer());
}

}  // namespace dpl
