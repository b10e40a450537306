// Callers as JSON, as they are kept in the audit folder: what each may say and see, never how it
// proves itself.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/decide/request.h"

namespace dpl {

// {"callers":[{"name":"gw","serves_persons":true,…}]}; equal callers give equal bytes.
std::string CallersText(const std::vector<Caller>& callers);
// Error "audit.input".
Result<std::vector<Caller>> ReadCallersText(std::string_view text);

}  // namespace dpl
