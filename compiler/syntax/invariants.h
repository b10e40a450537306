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

// The tokens of a text, comments and blanks too, as (type, begin, end) in bytes: by our table, and
// by the generated lexer. The text is UTF-8.
struct TokenForTest {
  size_t type = 0, begin = 0, end = 0;
  bool operator==(const TokenForTest&) const = default;
};
std::vector<TokenForTest> TokensByTableForTest(const std::string& text);
std::vector<TokenForTest> TokensByAntlrForTest(const std::string& text);

}  // namespace dpl::syntax
