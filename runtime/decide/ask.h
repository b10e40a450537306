// An `ask` while its signatures come in: the request decided again, dry, and each signer judged by
// the same rules by which step 14 will judge the finished record.
//
//   AskReport report;
//   const Decision& d = DecideAsk(snapshot, &store, request, now, &scratch, signers, &report);
//   if (d.outcome == OutcomeKind::kAsk && report.approvals[0].enough) …  // MakeApproval,
//   approval.h
//
// Nothing is charged or recorded, whatever comes out; the caller need not be registered for dry
// runs, since no answer of this leaves as a decision. Threads as for Decide.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "runtime/decide/engine.h"

namespace dpl {

constexpr int kMaxSigners = 32;  // of one approval; whoever signs after them does not count

struct Signer {
  std::string_view person;
  Instant at{};  // when it signed: a cut-off revocation ends what was signed before
};

// Why a person may not sign an approval, whatever it would say.
enum class MayNotSign : uint8_t {
  kNothing,  // it may
  kUnknown,
  kNotActive,
  kRevoked,
  kRequester,    // it asks, or acts for who asks
  kAccountable,  // it answers for an agent of the chain (closing rule 33)
  kManager,      // `never by the manager`
  kNotEntitled,  // no `by` of the approval means it
};
std::string_view MayNotSignCode(MayNotSign why);  // "approver.requester", …
std::string_view MayNotSignText(MayNotSign why);  // for people

struct AskReport {
  struct Asked {
    uint32_t approval = kNone;        // Program::approvals
    std::vector<MayNotSign> signers;  // parallel to the signers given
    bool enough = false;              // those who may, together, are who the approval wants
  };
  std::vector<Asked> approvals;  // as in Decision::approvals; empty unless it asks
};

const Decision& DecideAsk(const Snapshot& snapshot, StateStore* store, const Request& request,
                          Instant now, Scratch* scratch, std::span<const Signer> signers,
                          AskReport* report);

// Until when the question may be answered: the shortest `within` of what is asked; a day where none
// says. Precondition: decision.outcome is kAsk.
Instant AskExpires(const Program& program, const Decision& decision);

}  // namespace dpl
