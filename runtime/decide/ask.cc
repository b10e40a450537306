// See ask.h.
#include "runtime/decide/ask.h"

#include <algorithm>

#include "runtime/decide/fold.h"

namespace dpl {
namespace {

constexpr int kMaxRuns = 4;

struct SignWords {
  std::string_view code, text;
};

SignWords WordsOf(MayNotSign why) {
  switch (why) {
    case MayNotSign::kNothing:
      break;
    case MayNotSign::kUnknown:
      return {"approver.unknown", "nobody of this name is known"};
    case MayNotSign::kNotActive:
      return {"approver.not_active", "this person is not active"};
    case MayNotSign::kRevoked:
      return {"approver.revoked", "what this person signs is revoked"};
    case MayNotSign::kRequester:
      return {"approver.requester", "whoever asks never approves"};
    case MayNotSign::kAccountable:
      return {"approver.accountable", "whoever answers for an agent of the chain never approves"};
    case MayNotSign::kManager:
      return {"approver.manager", "the approval says `never by the manager`"};
    case MayNotSign::kNotEntitled:
      return {"approver.not_entitled", "the approval is not this person's to give"};
  }
  return {"approver.ok", "this person may sign"};
}

}  // namespace

std::string_view MayNotSignCode(MayNotSign why) { return WordsOf(why).code; }
std::string_view MayNotSignText(MayNotSign why) { return WordsOf(why).text; }

const Decision& DecideAsk(const Snapshot& snapshot, StateStore* store, const Request& request,
                          Instant now, Scratch* scratch, std::span<const Signer> signers,
                          AskReport* report) {
  DPL_CHECK(request.caller != nullptr);
  Caller caller = *request.caller;
  caller.dry_run = true;
  Request dry = request;
  dry.caller = &caller;
  dry.dry_run = true;
  dry.explain = false;
  report->approvals.clear();
  Scratch::Impl& impl = *scratch->impl();
  impl.Prepare(snapshot.program());
  Decision& d = impl.decision;
  for (int run = 0; run < kMaxRuns && impl.matching.machine->ok(); ++run) {
    impl.arena.Reset();
    Fold f(snapshot, store, dry, now, &impl.matching, &impl.arena, &impl.text, &impl.consent, &d);
    RunFold(f);
    if (f.again) continue;
    if (d.outcome != OutcomeKind::kAsk) return d;
    for (uint32_t approval : d.approvals) {
      AskReport::Asked& asked = report->approvals.emplace_back();
      asked.approval = approval;
      for (const Signer& signer : signers)
        asked.signers.push_back(JudgeSigner(f, approval, signer));
      asked.enough = EnoughSigned(f, approval, signers);
    }
    if (f.env.abort != Abort::kNo) {  // out of steps in the middle of it: nobody may
      for (AskReport::Asked& asked : report->approvals) {
        std::fill(asked.signers.begin(), asked.signers.end(), MayNotSign::kNotEntitled);
        asked.enough = false;
      }
    }
    return d;
  }
  // A program that does not run, or a state that never stood still: no ask.
  d.outcome = OutcomeKind::kDeny;
  d.reason = d.shown = Reason::kErrorContention;
  return d;
}

Instant AskExpires(const Program& program, const Decision& decision) {
  int64_t shortest = 0;
  for (uint32_t approval : decision.approvals) {
    int64_t within = program.approvals[approval].within_us;
    if (within != 0 && (shortest == 0 || within < shortest)) shortest = within;
  }
  if (shortest == 0) shortest = kMicrosPerDay;
  return Add(decision.now, Duration{shortest}).value_or(kMaxInstant);
}

}  // namespace dpl
