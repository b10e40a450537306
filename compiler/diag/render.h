// Diagnostics as text for people, as JSON for programs and as SARIF for code review tools.
//
//   std::cerr << RenderText(sources, sink.Sorted(), {.color = isatty(2) != 0});
//
// All three take diagnostics in the order they should appear and write nothing else. Spans of files
// that `sources` does not hold are shown without a place. Pure functions; safe from many threads.
#pragma once

#include <string>
#include <vector>

#include "compiler/diag/diagnostic.h"
#include "compiler/source/source_file.h"

namespace dpl {

struct TextOptions {
  bool color = false;
  bool excerpts = true;  // source lines under each message
};

// policies/legacy.dpl:4:3: error DPL0501: amount is limited to …
//   4 |   limit amount to 50_000 USD each
//     |   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
//   help: set one number, or add `supersedes grant band_one`
std::string RenderText(const SourceSet& sources, const std::vector<Diagnostic>& diagnostics,
                       const TextOptions& options);

// "2 errors, 1 warning"; empty when there are none.
std::string RenderCounts(const std::vector<Diagnostic>& diagnostics);

// {"diagnostics":[{"code":"DPL0501","severity":"error","path":…,"line":4,"column":3,…}],"errors":1,"warnings":0}
std::string RenderJson(const SourceSet& sources, const std::vector<Diagnostic>& diagnostics);

// SARIF 2.1.0, one run, one rule per code that occurs. `version` is the program's.
std::string RenderSarif(const SourceSet& sources, const std::vector<Diagnostic>& diagnostics,
                        const std::string& version);

}  // namespace dpl
