// From `--from` and `--to` (or `--since` and `--until`) to a range of records.
#pragma once

#include <string>

#include "runtime/audit/reader.h"

namespace dpl::dplc {

// Each bound is a record's number, or an instant, or empty. Error "audit.range".
Result<AuditRange> AuditRangeOf(const std::string& from, const std::string& to);

}  // namespace dpl::dplc
