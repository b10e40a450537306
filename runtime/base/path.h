// The `path` type: text compared segment by segment, with nothing left to resolve.
//
// A leading "/" is the root; "scheme://host" or "file://" is one first segment; one trailing "/" is
// dropped ("/" stays). Case-sensitive. Symbolic links are the caller's to resolve.
#pragma once

#include <string>
#include <string_view>

#include "runtime/base/result.h"

namespace dpl {

// The canonical text, or path.empty, path.segment (empty inner, "." or ".."), path.backslash,
// path.control, path.encoded (%2e %2f %5c in any case), path.scheme (no host), path.text (not UTF-8
// in normal form C).
Result<std::string> NormalizePath(std::string_view text);

// The same check without the copy: a view of `text` without the trailing "/".
Result<std::string_view> CheckPath(std::string_view text);

// True when `inner` is `outer` or lies beneath it. Both must be canonical.
bool PathWithin(std::string_view inner, std::string_view outer);

}  // namespace dpl
