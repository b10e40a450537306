// Steps 13 and 14: duties the caller must carry out, and approvals that must be there.
#include <algorithm>

#include "runtime/decide/fold.h"

namespace dpl {
namespace {

// Why a record is no evidence for this need; empty: it is.
std::string_view WhyNot(Fold& f, const ApprovalRecord& record, uint32_t approval);

const Entity* ManagerOf(const Fold& f, const Entity* person) {
  if (person == nullptr || person->attributes == nullptr) return nullptr;
  for (uint32_t attribute : f.schema.person.within) {
    const Value& v = person->attributes[attribute];
    if (v.kind == ValueKind::kPerson) return v.entity;
  }
  return nullptr;
}

// The person asking and everyone accountable for an agent of the chain never approve, said or not (closing rule 33).
bool Barred(const Fold& f, const Approval& approval, const Entity& approver) {
  if (f.person != nullptr && SameEntity(approver, *f.person)) return true;
  for (int i = 0; i < f.hop_count; ++i) {
    uint32_t accountable = f.program.agents[f.chain[i]].accountable;
    if (accountable != kNone && f.program.constants[accountable].text == approver.id) return true;
  }
  if ((approval.never_by & kPartyManager) != 0) {
    const Entity* manager = ManagerOf(f, f.person);
    if (manager != nullptr && SameEntity(*manager, approver)) return true;
  }
  return false;
}

// Enough eligible people signed: roles are read now, at the request's resource, and each person counts once.
bool Eligible(Fold& f, const Approval& approval, const ApprovalRecord& record) {
  constexpr size_t kMaxApprovers = 32;
  bool used[kMaxApprovers] = {};
  size_t count = std::min(record.approvers.size(), kMaxApprovers);
  for (size_t i = 0; i < count; ++i) {
    for (size_t j = 0; j < i; ++j) used[i] |= record.approvers[i] == record.approvers[j];
  }
  const Entity* manager = ManagerOf(f, f.person);
  for (const Approval::By& by : approval.by) {
    uint32_t have = 0;
    for (size_t i = 0; i < count && have < by.count; ++i) {
      if (used[i]) continue;
      const Entity* approver = f.snapshot.FindPerson(record.approvers[i]);
      if (approver == nullptr || approver->person == nullptr || approver->person->status != PersonStatus::kActive) continue;
      if (f.store.AnyRevoked(RevokedKind::kPerson) && f.store.IsRevoked(RevokedKind::kPerson, approver->id, record.given)) continue;
      if (Barred(f, approval, *approver)) continue;
      bool fits = (by.parties & kPartyManager) != 0 && manager != nullptr && SameEntity(*manager, *approver);
      if (!fits && by.subject_code != kNone) {
        Env own = f.env;
        f.env.person = approver;
        f.env.person_active = true;
        f.env.standing = false;
        f.env.chain = {};
        fits = RunTruthCode(f, by.subject_code, nullptr) == Truth::kTrue;
        own.steps_left = f.env.steps_left;
        own.abort = f.env.abort;
        f.env = own;
      }
      if (!fits) continue;
      used[i] = true;
      ++have;
    }
    if (have < by.count) return false;
  }
  return true;
}

std::string_view WhyNot(Fold& f, const ApprovalRecord& record, uint32_t approval) {
  const Statement& s = f.program.statements[f.program.approval_statements[approval]];
  if (record.approval != f.Text(s.name)) return "the approval presented is another one";
  if (record.uses_left == 0) return "the approval presented is used up";
  if (record.expires <= f.now || record.given > f.now) return "the approval presented has expired";
  char binding[65];
  BindingDigest(f, binding);
  if (record.binding != binding) return "the approval presented is for another request";
  for (int i = 0; i < f.d.measures.size; ++i) {
    int64_t asked = f.d.measures.items[i];
    bool within = static_cast<size_t>(i) < record.approved_measures.size() && asked <= record.approved_measures[static_cast<size_t>(i)];
    if (!within) return "the approval presented is for a smaller amount";
  }
  if (!Eligible(f, f.program.approvals[approval], record)) return "whoever signed the approval presented may not give it";
  f.Flips(record.expires);
  return {};
}

}  // namespace

// No obligation is in a program yet; what impersonation adds (`log`) is ours to do.
Reason StepDuties(Fold&) { return kPass; }

Reason StepApprovals(Fold& f) {
  f.approved = kNone;
  if (f.needs.size == 0) return kPass;
  if (f.suppose != nullptr && f.suppose->approved) return kPass;
  std::shared_ptr<const ApprovalRecord> record;
  if (!f.request.approval.empty()) {
    record = f.store.FindApproval(f.request.approval);
    if (record == nullptr && !f.reporting) f.d.detail = "the approval presented is not known";
  }
  if (record != nullptr && f.store.AnyRevoked(RevokedKind::kApproval) &&
      (f.store.IsRevoked(RevokedKind::kApproval, record->id, record->given) ||
       f.store.IsRevoked(RevokedKind::kApproval, record->approval, record->given))) {
    return Reason::kRevokedApproval;
  }
  bool missing = false, presented_in_vain = !f.request.approval.empty();
  for (Need& need : f.needs) {
    if (record != nullptr) {
      std::string_view why = WhyNot(f, *record, need.approval);
      if (why.empty()) {
        need.met = true;
        presented_in_vain = false;
        f.approved = need.approval;
        f.used_approval = f.request.approval;
        f.d.by.Add({Part::kApproval, f.program.approval_statements[need.approval], kNone, Truth::kTrue});
        continue;
      }
      if (!f.reporting && f.d.detail.empty()) f.d.detail = why;
    }
    missing = true;
    if (!f.reporting) f.d.approvals.Add(need.approval);
    f.Blame(Part::kApproval, f.program.approval_statements[need.approval], kNone);
  }
  if (!missing) return kPass;
  if (!f.reporting) {
    if (presented_in_vain) f.d.also.Add(Reason::kApprovalInvalid);
    BindingDigest(f, f.d.request_digest);
  }
  return Reason::kApprovalRequired;
}

}  // namespace dpl
