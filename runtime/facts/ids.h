// What an id may look like, and the near name for a mistyped one.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/result.h"

namespace dpl {

constexpr size_t kMaxIdBytes = 4096;

// UTF-8 in Unicode normal form C, 1 to 4,096 bytes, without control, bidi or invisible characters.
// Codes: id.empty, id.size, id.text.
Status CheckId(std::string_view id);

// " (did you mean `marketing`?)", or "" when no candidate is near. Compares also with the last part
// of dotted names.
std::string NearNameHint(std::string_view name, const std::vector<std::string_view>& candidates);

}  // namespace dpl
