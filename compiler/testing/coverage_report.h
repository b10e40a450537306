// Coverage for people and for tools.
#pragma once

#include <string>

#include "compiler/testing/coverage.h"

namespace dpl::testing {

// "coverage: 87.5 % (42 of 48)", a line per kind, then every point that no test reached, at its
// line. `color`: for a terminal.
std::string CoverageText(const Coverage& coverage, const SourceSet& sources, bool color);
// One object: covered, points, percent, items with their points and hits.
std::string CoverageJson(const Coverage& coverage, const SourceSet& sources);
// The tracefile format of lcov: statements as functions, points as branches of their line.
std::string CoverageLcov(const Coverage& coverage, const SourceSet& sources);
// One page without outside resources or scripts: the sources, each line with what was exercised.
std::string CoverageHtml(const Coverage& coverage, const SourceSet& sources);

// `<`, `>`, `&`, quotes and control characters made harmless in XML and HTML.
std::string EscapeMarkup(std::string_view text);

}  // namespace dpl::testing
