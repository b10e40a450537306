// What an approver signs: a record bound to one asked request, in the form that step 14 accepts as
// evidence.
#pragma once

#include <string>
#include <vector>

#include "runtime/decide/decision.h"
#include "runtime/state/store.h"

namespace dpl {

// The evidence that `approvers` said yes to the request this `ask` decision was about: same root,
// first agent, action, resource and parameters, measures up to what was asked; good for as long and
// as often as the approval says. Who may approve is not judged here: step 14 does, at use.
// Precondition: decision.outcome is kAsk. `which` of the approvals that it asks for the record
// serves.
ApprovalRecord MakeApproval(const Program& program, const Decision& decision, std::string id,
                            std::vector<std::string> approvers, Instant now, int which = 0);

}  // namespace dpl
