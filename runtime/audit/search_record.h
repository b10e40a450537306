// The audit record of one search: who wanted to know what, and how much they learned. One for each
// page; shape in docs/audit.md ("Searches").
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/decide/request.h"

namespace dpl {

struct SearchTold {
  std::string_view evaluation_id, request_id;
  std::string_view what;      // subject, resource, action
  std::string_view in_force;  // as RecordContext::in_force
  Instant time{};
  uint64_t epoch = 0;
  uint32_t limit = 0, results = 0, decisions = 0;
  bool continued = false, more = false;
};

// The searched part of `request` is not read.
void AppendSearchRecord(std::string* out, const Request& request, const SearchTold& told);

}  // namespace dpl
