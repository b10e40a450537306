// Which tests a change of some files can concern: what `dplc test --watch` runs again.
//
// Sound, not minimal: a test is left out only when nothing it can meet has changed. The changed
// packages and all that import them count as changed; a test is concerned when it lies in one of
// them, asks about a resource type that one of them declares or speaks about (before or after), or
// names an agent of one. A change of `person`, `context` or of who is named concerns every test.
#pragma once

#include <string>
#include <vector>

#include "compiler/testing/compile.h"

namespace dpl::testing {

struct Affected {
  std::vector<std::string> files;     // changed, added or gone, sorted
  std::vector<std::string> packages;  // of those files, sorted
  std::vector<bool> tests;            // by Compilation::tests of `after`
  size_t count = 0;
};

// Both must have a program. Files are the same when path and text are.
Affected AffectedTests(const Compilation& before, const Compilation& after);
// The files that differ; needs no program.
std::vector<std::string> ChangedFiles(const SourceSet& before, const SourceSet& after);

}  // namespace dpl::testing
