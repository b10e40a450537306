// What the grammar promises and a test holds it to. For tests only.
#pragma once

#include <string>
#include <vector>

namespace dpl::syntax {

// Clause heads, as "grantClause: `in`", that could also continue the expression a clause before
// them ends with: a clause would then not end where the next keyword begins. Must be empty.
std::vector<std::string> AmbiguousClauseHeadsForTest();

// How far the parser had to look ahead, at most, to read a text. Long looks mean slow parsing of
// hostile input.
size_t LongestLookaheadForTest(const std::string& text);

}  // namespace dpl::syntax
