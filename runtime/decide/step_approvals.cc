// Steps 13 and 14: duties the caller must carry out, and approvals that must be there.
#include <algorithm>
#include <array>

#include "runtime/decide/ask.h"
#include "runtime/decide/duty.h"
#include "runtime/decide/fold.h"

namespace dpl {
namespace {

// Why a record is no evidence for this need; empty: it is.
std::string_view WhyNot(Fold& f, const ApprovalRecord& record, uint32_t approval);

// `the manager`: the attribute of that name, else the first that places a person under another
// (`within boss: Person`).
const Entity* ManagerOf(const Fold& f, const Entity* person) {
  if (person == nullptr || person->attributes == nullptr) return nullptr;
  const std::vector<AttributeDef>& defs = f.schema.person.attributes;
  for (size_t i = 0; i < defs.size(); ++i) {
    if (f.Text(defs[i].name) != "manager") continue;
    const Value& v = person->attributes[i];
    return v.kind == ValueKind::kPerson && (v.flags & kFromRequest) == 0 ? v.entity : nullptr;
  }
  for (uint32_t attribute : f.schema.person.within) {
    const Value& v = person->attributes[attribute];
    if (v.kind == ValueKind::kPerson && (v.flags & kFromRequest) == 0) return v.entity;
  }
  return nullptr;
}

// The person asking and everyone accountable for an agent of the chain never approve, said or not
// (closing rule 33).
MayNotSign Barred(const Fold& f, const Approval& approval, const Entity& approver) {
  if (f.person != nullptr && SameEntity(approver, *f.person)) return MayNotSign::kRequester;
  if (f.deputy != nullptr && SameEntity(approver, *f.deputy)) return MayNotSign::kRequester;
  for (int i = 0; i < f.hop_count; ++i) {
    uint32_t accountable = f.program.agents[f.chain[i]].accountable;
    if (accountable != kNone && f.program.constants[accountable].text == approver.id)
      return MayNotSign::kAccountable;
  }
  if ((approval.never_by & kPartyManager) != 0) {
    const Entity* manager = ManagerOf(f, f.person);
    if (manager != nullptr && SameEntity(*manager, approver)) return MayNotSign::kManager;
  }
  return MayNotSign::kNothing;
}

// What keeps this person from signing for any `by`, whatever roles it holds.
MayNotSign Excluded(Fold& f, const Approval& approval, const Signer& signer,
                    const Entity* approver) {
  if (approver == nullptr || approver->person == nullptr) return MayNotSign::kUnknown;
  if (approver->person->status != PersonStatus::kActive) return MayNotSign::kNotActive;
  if (f.store.AnyRevoked(RevokedKind::kPerson) &&
      f.store.IsRevoked(RevokedKind::kPerson, approver->id, signer.at))
    return MayNotSign::kRevoked;
  return Barred(f, approval, *approver);
}

// Whether this person is one of those a `by` asks for: roles are read now, at the request's
// resource.
bool Fits(Fold& f, const Approval::By& by, const Entity& approver) {
  const Entity* manager = ManagerOf(f, f.person);
  if ((by.parties & kPartyManager) != 0 && manager != nullptr && SameEntity(*manager, approver))
    return true;
  if (by.subject_code == kNone) return false;
  Env own = f.env;
  f.env.person = &approver;
  f.env.person_active = true;
  f.env.standing = false;
  f.env.chain = {};
  bool fits = RunTruthCode(f, by.subject_code, nullptr) == Truth::kTrue;
  own.steps_left = f.env.steps_left;
  own.abort = f.env.abort;
  f.env = own;
  return fits;
}

// Who of the signers may sign for this `by`, as bits.
uint32_t MaySign(Fold& f, const Approval& approval, const Approval::By& by,
                 std::span<const Signer> signers) {
  uint32_t may = 0;
  for (size_t i = 0; i < signers.size(); ++i) {
    const Entity* approver = f.snapshot.FindPerson(signers[i].person);
    if (Excluded(f, approval, signers[i], approver) != MayNotSign::kNothing) continue;
    if (Fits(f, by, *approver)) may |= uint32_t{1} << i;
  }
  return may;
}

// Enough eligible people signed, each counted once and for whichever `by` makes it enough: a seat
// that only a signer already seated could fill is freed along a path of re-seatings, so that the
// order of the signatures does not matter.
bool Eligible(Fold& f, const Approval& approval, std::span<const Signer> signers) {
  constexpr size_t kMaxBy = 16;
  size_t count = std::min<size_t>(signers.size(), kMaxSigners);
  signers = signers.first(count);
  size_t bys = approval.by.size();
  if (bys > kMaxBy) return false;
  uint32_t once = 0;
  for (size_t i = 0; i < count; ++i) {
    bool again = std::any_of(signers.begin(), signers.begin() + static_cast<ptrdiff_t>(i),
                             [&](const Signer& s) { return s.person == signers[i].person; });
    if (!again) once |= uint32_t{1} << i;
  }
  uint32_t may[kMaxBy];
  for (size_t b = 0; b < bys; ++b) may[b] = MaySign(f, approval, approval.by[b], signers) & once;
  size_t seat[kMaxSigners];  // the `by` an approver is counted for; kMaxBy: none
  std::fill(std::begin(seat), std::end(seat), kMaxBy);
  for (size_t b = 0; b < bys; ++b) {
    for (uint32_t n = 0; n < approval.by[b].count; ++n) {
      // Breadth first over the `by`s that would have to give somebody up: `through` is whom,
      // `wanted_by` for whom.
      size_t queue[kMaxBy], wanted_by[kMaxBy], through[kMaxBy] = {};
      std::fill(std::begin(wanted_by), std::end(wanted_by), kMaxBy);
      size_t queued = 1, taker = 0, free = count;
      queue[0] = wanted_by[b] = b;
      for (size_t q = 0; q < queued && free == count; ++q) {
        taker = queue[q];
        for (size_t i = 0; i < count && free == count; ++i) {
          if ((may[taker] >> i & 1) == 0) continue;
          if (seat[i] == kMaxBy) {
            free = i;
          } else if (wanted_by[seat[i]] == kMaxBy) {
            wanted_by[seat[i]] = taker;
            through[seat[i]] = i;
            queue[queued++] = seat[i];
          }
        }
      }
      if (free == count) return false;
      for (; taker != b; taker = wanted_by[taker]) {
        seat[free] = taker;
        free = through[taker];
      }
      seat[free] = b;
    }
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
    bool within = static_cast<size_t>(i) < record.approved_measures.size() &&
                  asked <= record.approved_measures[static_cast<size_t>(i)];
    if (!within) return "the approval presented is for a smaller amount";
  }
  std::array<Signer, kMaxSigners> signers;
  size_t count = std::min<size_t>(record.approvers.size(), kMaxSigners);
  for (size_t i = 0; i < count; ++i) signers[i] = {record.approvers[i], record.given};
  if (!Eligible(f, f.program.approvals[approval], std::span(signers).first(count)))
    return "whoever signed the approval presented may not give it";
  f.Flips(record.expires);
  return {};
}

}  // namespace

MayNotSign JudgeSigner(Fold& f, uint32_t approval, const Signer& signer) {
  const Approval& a = f.program.approvals[approval];
  const Entity* approver = f.snapshot.FindPerson(signer.person);
  MayNotSign why = Excluded(f, a, signer, approver);
  if (why != MayNotSign::kNothing) return why;
  for (const Approval::By& by : a.by) {
    if (Fits(f, by, *approver)) return MayNotSign::kNothing;
  }
  return MayNotSign::kNotEntitled;
}

bool EnoughSigned(Fold& f, uint32_t approval, std::span<const Signer> signers) {
  return Eligible(f, f.program.approvals[approval], signers);
}

// Everything that bites obliges, ⊥ included (closing rule 8). What the enforcement point did not
// commit to, it does not do (closing rule 38): then there is no permit to attach a duty to.
Reason StepDuties(Fold& f) {
  f.d.duties.Clear();
  // Only when something obliges: names are compared for it.
  auto supports = [&](DutyKind kind) {
    if (kind == DutyKind::kLog || (f.suppose != nullptr && f.suppose->duties)) return true;
    return (DutyBits(f.caller.duties) & f.request.duties & DutyBit(kind)) != 0;
  };
  Reason result = kPass;
  auto oblige = [&](Part part, const Hit& hit, uint32_t statement, uint32_t i, DutyKind kind) {
    if (!f.d.duties.Add({statement, i, kind})) f.OutOfArena();
    if (supports(kind)) return;
    if (result == kPass && !f.reporting) {
      f.text.assign("the caller does not carry out `").append(DutyName(kind)).append("`");
      f.d.detail = f.Keep(f.text);
    }
    result = Reason::kObligationUnsupported;
    bool said = f.blame.size != 0 && f.blame.items[f.blame.size - 1].statement == statement;
    if (!said) f.Blame(part, statement, hit.clause, hit.match);
  };
  uint32_t last = kNone;
  for (const Hit& hit : HitsOf(f, ClauseRole::kObligationCovers)) {
    uint32_t statement = f.notes.clauses[hit.clause].statement;
    if (statement == last) continue;
    // What obliges the person who acts for another obliges here too.
    if (hit.match == Truth::kFalse && MatchForDeputy(f, hit.clause) == Truth::kFalse) continue;
    last = statement;
    int unsupported = f.blame.size;
    const Obligation& obligation = f.program.obligations[f.program.statements[statement].detail];
    for (uint32_t i = 0; i < obligation.duties.size(); ++i)
      oblige(Part::kObligation, hit, statement, i, obligation.duties[i].kind);
    for (uint32_t approval : obligation.asks) AddNeed(f, approval, statement);
    if (f.blame.size == unsupported)
      f.d.by.Add({Part::kObligation, statement, hit.clause, hit.match});
  }
  if (f.mode == ActingMode::kImpersonate && !f.d.duties.Add(DutyOut{})) f.OutOfArena();
  if (f.break_glass != kNone) {
    Hit door;
    door.clause = f.break_glass_clause;
    const Statement& s = f.program.statements[f.break_glass];
    const std::vector<Duty>& notify = f.program.break_glasses[s.detail].notify;
    for (uint32_t i = 0; i < notify.size(); ++i)
      oblige(Part::kBreakGlass, door, f.break_glass, i, DutyKind::kNotify);
  }
  return result;
}

Reason StepApprovals(Fold& f) {
  f.used_approvals.Clear();
  if (f.needs.size == 0) return kPass;
  if (f.suppose != nullptr && f.suppose->approved) return kPass;
  std::array<std::shared_ptr<const ApprovalRecord>, kMaxEvidence> records;
  std::string_view why_not;  // of the first approval presented that is no evidence
  for (int i = 0; i < f.request.approval_count; ++i) {
    std::shared_ptr<const ApprovalRecord>& record = records[static_cast<size_t>(i)];
    record = f.store.FindApproval(f.request.approvals[static_cast<size_t>(i)]);
    if (record == nullptr) {
      why_not = "the approval presented is not known";
    } else if (f.Revoked(RevokedKind::kApproval, record->id, record->given) ||
               f.Revoked(RevokedKind::kApproval, record->approval, record->given)) {
      return Reason::kRevokedApproval;
    }
  }
  bool missing = false;
  for (Need& need : f.needs) {
    for (int i = 0; i < f.request.approval_count && !need.met; ++i) {
      const auto& record = records[static_cast<size_t>(i)];
      if (record == nullptr) continue;
      std::string_view why = WhyNot(f, *record, need.approval);
      need.met = why.empty();
      if (need.met) {
        f.used_approvals.Add(f.request.approvals[static_cast<size_t>(i)]);
        f.d.by.Add(
            {Part::kApproval, f.program.approval_statements[need.approval], kNone, Truth::kTrue});
      } else if (why_not.empty()) {
        why_not = why;
      }
    }
    if (need.met) continue;
    missing = true;
    if (!f.reporting) f.d.approvals.Add(need.approval);
    f.Blame(Part::kApproval, f.program.approval_statements[need.approval], kNone);
  }
  if (!missing) return kPass;
  if (!f.reporting) {
    f.d.detail = why_not;
    // What was presented and is no evidence for anything that is asked.
    if (f.used_approvals.size < f.request.approval_count) f.d.also.Add(Reason::kApprovalInvalid);
    BindingDigest(f, f.d.request_digest);
  }
  return Reason::kApprovalRequired;
}

}  // namespace dpl
