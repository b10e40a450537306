// What token types are called in messages, and the words that used to mean something. Internal to
// this room.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "compiler/syntax/reader.h"

namespace dpl::syntax {

// "`to`" for a keyword or sign, "a duration such as `30d`" for a class of tokens.
std::string WordsFor(size_t token_type);
// "to" for a keyword; empty for anything else.
std::string KeywordText(size_t token_type);
// The token type of a keyword; 0 when the word is none.
size_t KeywordType(std::string_view word);
// A name or a keyword.
bool IsWordType(size_t token_type);
// A keyword that is never a name on its own.
bool IsReservedType(size_t token_type, RuleReader* reader);
// Does some block have a clause that begins with it?
bool IsClauseHead(size_t token_type, RuleReader* reader);
// Why a word of earlier drafts or of other languages is not here, and what to write; empty for
// every other word.
std::string RetiredWordHelp(std::string_view word);

}  // namespace dpl::syntax
