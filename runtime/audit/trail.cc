// Records on their way into the log.
#include "runtime/audit/trail.h"

namespace dpl {

std::string_view AuditModeName(AuditMode mode) {
  return mode == AuditMode::kRequired ? "required" : "available";
}

Recorded AuditTrail::Put(std::string_view json_object, AuditSync sync) {
  const uint64_t ticket = sink_->Append(json_object, sync);
  return {ticket != 0 || sink_->mode() == AuditMode::kAvailable, ticket};
}

bool AuditReady(const AuditTrail* trail) { return trail == nullptr || trail->Ready(); }

Recorded RecordChange(AuditTrail* trail, const StateChange& change) {
  if (trail == nullptr) return {};
  std::string line;
  AppendChangeRecord(&line, change);
  return trail->Put(line, AuditSync::kNow);
}

}  // namespace dpl
