// The way of records into the audit log: what dpld's rooms call to have something recorded.
//
//   AuditTrail trail(&sink);   // null where nothing is recorded (`--audit none`)
//   if (!AuditReady(trail)) …  // refuse what widens or charges before doing it: error.audit
//   Recorded recorded = RecordChange(trail, {.event = "revoke", …});
//   if (!recorded.ok) …        // it happened, and could not be recorded: say so, with 503
//   response->hold.audit = recorded.ticket;  // the answer leaves once the record is synced
//
// In mode `required` nothing goes unrecorded: what cannot be recorded is refused. In mode
// `available` it goes on; the log counts each record lost and records the gap. Any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "runtime/audit/change.h"
#include "runtime/audit/log.h"

namespace dpl {

// Where records go: the audit log; a vector in tests.
class AuditSink {
 public:
  virtual ~AuditSink() = default;
  // One record. Its ticket, or 0 when it is not recorded.
  virtual uint64_t Append(std::string_view json_object, AuditSync sync) = 0;
  virtual bool Writable() const = 0;
  virtual AuditMode mode() const = 0;
  // Something was denied because nothing can be recorded (AuditLog::Missed).
  virtual void Missed() {}
  // A lane of its own for the calling thread, whose entries are decisions (decision_entry.h); null:
  // this sink has none.
  virtual std::shared_ptr<AuditLane> OpenLane() { return nullptr; }
};

// The log itself.
class LogSink final : public AuditSink {
 public:
  explicit LogSink(AuditLog* log) : log_(log) {}  // outlives the sink
  uint64_t Append(std::string_view json_object, AuditSync sync) override {
    return log_->Append(json_object, sync);
  }
  bool Writable() const override { return log_->Writable(); }
  AuditMode mode() const override { return log_->mode(); }
  void Missed() override { log_->Missed(); }
  std::shared_ptr<AuditLane> OpenLane() override { return log_->OpenLane(); }

 private:
  AuditLog* log_;
};

std::string_view AuditModeName(AuditMode mode);  // required, available

struct Recorded {
  bool ok = true;       // false: mode `required`, and the log did not take it
  uint64_t ticket = 0;  // for ReplyHold::audit; 0: nothing to wait for
};

class AuditTrail {
 public:
  explicit AuditTrail(AuditSink* sink) : sink_(sink) {}  // outlives the trail

  AuditMode mode() const { return sink_->mode(); }
  // False: what must be recorded cannot be, so it must not happen.
  bool Ready() const { return sink_->mode() == AuditMode::kAvailable || sink_->Writable(); }
  // One complete record. `sync`: kNow where the answer waits for it.
  Recorded Put(std::string_view json_object, AuditSync sync);
  std::shared_ptr<AuditLane> OpenLane() { return sink_->OpenLane(); }
  void Missed() { sink_->Missed(); }

 private:
  AuditSink* sink_;
};

bool AuditReady(const AuditTrail* trail);
Recorded RecordChange(AuditTrail* trail, const StateChange& change);

}  // namespace dpl
