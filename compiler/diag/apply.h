// Applying the mends that diagnostics offer.
//
//   std::vector<size_t> taken = ChooseFixes(diagnostics);          // no two touch the same text
//   std::string mended = ApplyFixes(file, diagnostics, taken);
//
// A mend is taken whole or not at all. Pure functions; whether the result is any better is for the
// caller to check.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "compiler/diag/diagnostic.h"
#include "compiler/source/source_file.h"

namespace dpl {

// Diagnostics whose mends can be applied together: in the order given, leaving out what overlaps
// one taken before it. Positions in `diagnostics`.
std::vector<size_t> ChooseFixes(const std::vector<Diagnostic>& diagnostics);

// The text of `file` after the edits of the chosen mends that are about it.
std::string ApplyFixes(const SourceFile& file, const std::vector<Diagnostic>& diagnostics,
                       const std::vector<size_t>& chosen);

}  // namespace dpl
