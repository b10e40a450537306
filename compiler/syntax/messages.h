// From "this token does not fit" to a sentence in the author's words. Internal to this room.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "compiler/diag/diagnostic.h"
#include "compiler/source/source_file.h"
#include "compiler/syntax/reader.h"
#include "compiler/syntax/tokens.h"

namespace dpl::syntax {

// What to report: a code, the message, and help lines.
struct Finding {
  DiagCode code = DPL0101;
  std::string message;
  std::vector<std::string> help;
  std::string replacement;  // not empty: writing this for the token would do
  size_t token = 0;         // where to report it
  // The tokens that were meant, in the place of [mend_begin, mend_end), and the same as text.
  // `sure`: an edit a tool may make.
  bool mends = false;
  bool sure = true;
  size_t mend_begin = 0, mend_end = 0;
  std::vector<Piece> pieces;
  std::string mend_text;
};

// `text` in backticks, shortened when it is long.
std::string Ticked(std::string_view text);

// "a grant", "a test" … for the rule of a declaration or block line.
std::string_view BlockName(size_t rule);

// A token inside a clause or a declaration's head that does not fit.
Finding ExplainMisfit(const TokenList& tokens, const Stop& stop, RuleReader* reader);

// A token where a clause of `block_rule` or a `}` should stand.
Finding ExplainBlockMisfit(const TokenList& tokens, size_t token, size_t block_rule,
                           size_t clause_rule, RuleReader* reader);

// A token where a declaration should stand.
Finding ExplainTopLevelMisfit(const TokenList& tokens, size_t token, RuleReader* reader);

}  // namespace dpl::syntax
