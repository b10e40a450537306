// Files of the repository that the program carries with it: pages for `explain`, the starting
// policy for `init`.
#pragma once

#include <string_view>

namespace dpl::dplc {

// The content of a repository path ("docs/diagnostics/DPL0501.md"); empty when it is not embedded.
// Made by the build.
std::string_view EmbeddedFile(std::string_view path);

}  // namespace dpl::dplc
