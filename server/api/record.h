// From a decision to its record in the audit log, on the thread that decided. Only server/api sees
// this header.
//
//   Recorder recorder(trail, seal);                      // one per thread
//   recorder.Use(snapshot, members);                     // what is in force, on every change of it
//   DecisionState* state = recorder.Begin(store);        // decide on this one
//   bool kept = recorder.Decided(…, &hold);              // false: it must be denied after all
//
// A record is handed to the log before its answer leaves, as numbers and texts that the log's
// thread makes a record of: nothing here takes a lock or asks the system for anything. The answer
// waits for the sync of what changed state, and of what the policy says to log; nothing else waits.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/audit/decision_entry.h"
#include "runtime/audit/search_record.h"
#include "runtime/audit/trail.h"
#include "runtime/audit/witness.h"
#include "server/http/message.h"

namespace dpl {

class Recorder {
 public:
  // Null trail: nothing is recorded. `seal`: what a replay needs is kept.
  Recorder(AuditTrail* trail, bool seal);

  // What is in force from the next decision on. The calling thread has this recorder for itself.
  void Use(std::shared_ptr<const Snapshot> snapshot, std::string_view members);

  // False: what is decided now could not be recorded, so it is to be denied (error.audit).
  bool Ready() const { return AuditReady(trail_); }
  // Such a decision was denied: it leaves no record, but is counted.
  void Missed() { trail_->Missed(); }
  DecisionState* Begin(DecisionState* store);

  // What follows are items of one batch, whose members live until the next call of this.
  void BeginBatch() { shared_ = 0; }

  struct Answered {
    RecordContext context;    // all but what is in force, the parameters, the sealed part
    SealedQuestion question;  // all but the witness
    std::string_view answer;  // its bytes
    // An item of a batch has no bytes of its own: its members, each may be null.
    const WireValue* members[4] = {};
  };
  bool Decided(const Snapshot& snapshot, const Request& request, const Decision& decision,
               Answered answered, ReplyHold* hold);
  // One record for a page of results. `waits`: the answer leaves once it is synced. False: it could
  // not be recorded.
  bool Searched(const Request& request, const SearchTold& told, bool waits, ReplyHold* hold);
  void Refused(const RefusedQuestion& refused);

 private:
  AuditTrail* trail_;
  const bool seal_;
  std::shared_ptr<AuditLane> lane_;
  std::optional<WitnessRecorder> recorder_;
  EntryWriter entry_;
  std::string witness_, text_, body_, parameters_;
  // Of the last item: its subject and action, and how much of body_ they are; 0: none.
  const WireValue* before_[2] = {};
  size_t shared_ = 0;

  std::string_view BodyOf(const WireValue* const (&members)[4]);
};

}  // namespace dpl
