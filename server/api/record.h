// From a decision to its record in the audit log, on the thread that decided. Only server/api sees
// this header.
//
//   Recorder recorder(options, thread_number);           // one per thread
//   DecisionState* state = recorder.Begin(store);        // decide on this one
//   bool kept = recorder.Decided(…, &hold);              // false: it must be denied after all
//
// A record is handed to the log before its answer leaves. The answer waits for the sync of what
// changed state, and of what the policy says to log; nothing else waits.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "runtime/audit/question.h"
#include "runtime/audit/record.h"
#include "runtime/audit/trail.h"
#include "runtime/audit/witness.h"
#include "server/http/message.h"

namespace dpl {

class Recorder {
 public:
  // Null trail: nothing is recorded. Null vault: nothing is sealed, and no digest is keyed.
  Recorder(AuditTrail* trail, AuditVault* vault, bool seal, uint32_t thread);

  // False: what is decided now could not be recorded, so it is to be denied (error.audit).
  bool Ready() const { return AuditReady(trail_); }
  DecisionState* Begin(DecisionState* store);

  struct Answered {
    RecordContext context;    // all but the sealed part
    SealedQuestion question;  // all but the witness
    // An item of a batch has no bytes of its own: its members, each may be null.
    const WireValue* members[4] = {};
  };
  bool Decided(const Snapshot& snapshot, const Request& request, const Decision& decision,
               Answered answered, ReplyHold* hold);
  void Refused(const RefusedQuestion& refused);

 private:
  AuditTrail* trail_;
  AuditVault* vault_;
  RecordWriter writer_;
  std::optional<Sealer> sealer_;
  std::optional<WitnessRecorder> recorder_;
  std::string witness_, line_, body_;
};

}  // namespace dpl
