// A record of an audit log as one readable line.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/base/instant.h"

namespace dpl {

// "17  2026-11-22T15:30:00.123456Z  <sentence>", without a newline. Whatever the texts of the
// record hold, it stays one line and moves nothing on a terminal.
std::string AuditSentence(uint64_t seq, Instant time, std::string_view record);

}  // namespace dpl
