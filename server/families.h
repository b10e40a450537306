// The families of /metrics that belong to the process as a whole: its HTTP servers, the audit log,
// reloads, and what the kernel says of it.
#pragma once

#include "runtime/audit/log.h"
#include "server/api/metrics.h"
#include "server/http/server.h"

namespace dpl {

void AppendHttpMetrics(const HttpCounters& counters, MetricsWriter* writer);
void AppendAuditMetrics(const AuditHealth& health, MetricsWriter* writer);
// The usual process_* families: memory, processor time, descriptors, start.
void AppendProcessMetrics(MetricsWriter* writer);

}  // namespace dpl
