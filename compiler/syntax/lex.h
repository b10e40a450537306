// From text to tokens: encoding and look-alike checks, the generated lexer, and the slips that a
// token alone can show.
//
// Everything wrong with a text below the grammar (DPL0001 to DPL0006, `;`, `&&`, `$`) is reported
// here, and the token is replaced by what was meant, so that one slip gives one message. Internal
// to this room.
#pragma once

#include <vector>

#include "compiler/diag/sink.h"
#include "compiler/source/source_file.h"
#include "compiler/syntax/lex_table.h"
#include "compiler/syntax/parse.h"
#include "compiler/syntax/tokens.h"

namespace dpl::syntax {

inline constexpr size_t kMaxFileBytes = 8u << 20;
inline constexpr size_t kMaxNesting = 64;

// False when the text cannot be cut into tokens at all, or is nested too deep to be read: nothing
// is parsed then. `comments` come in order of position.
bool Lex(const SourceFile& source, DiagnosticSink* sink, LexTable* table, TokenList* tokens,
         std::vector<Comment>* comments);

// Decodes a string literal's text, quotes included. Unknown escapes are kept as written and, with a
// sink, reported (DPL0005).
std::string DecodeString(const SourceFile& source, const SourceToken& token, DiagnosticSink* sink);

}  // namespace dpl::syntax
