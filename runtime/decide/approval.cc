// See approval.h.
#include "runtime/decide/approval.h"

#include "runtime/base/result.h"

namespace dpl {

ApprovalRecord MakeApproval(const Program& program, const Decision& decision, std::string id,
                            std::vector<std::string> approvers, Instant now, int which) {
  DPL_CHECK(decision.outcome == OutcomeKind::kAsk && which >= 0 && which < decision.approvals.size);
  uint32_t index = decision.approvals.items[which];
  const Approval& approval = program.approvals[index];
  ApprovalRecord record;
  record.id = std::move(id);
  record.approval =
      std::string(program.Text(program.statements[program.approval_statements[index]].name));
  record.approvers = std::move(approvers);
  record.binding = decision.request_digest;
  record.approved_measures.assign(decision.measures.begin(), decision.measures.end());
  record.given = now;
  int64_t good = approval.good_within_us != 0 ? approval.good_within_us : kMicrosPerDay;
  record.expires = Add(now, Duration{good}).value_or(kMaxInstant);
  // An ask that waited longer than `within` is dead, and so is what is signed for it.
  if (approval.within_us != 0 && Subtract(now, decision.now).us > approval.within_us)
    record.expires = now;
  record.uses_left = approval.good_for;
  return record;
}

}  // namespace dpl
