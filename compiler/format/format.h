// The one way a policy is laid out: one clause to a line, clause heads aligned, every comment kept.
//
//   ParseResult parsed = Parse(source, &sink);
//   if (parsed.ok) text = Format(source, *parsed.file);
//
// Only blanks and line breaks change: the words stay in the author's order, so the result parses to
// the same tree, and formatting it again changes nothing. A declaration with at most one clause
// stands on one line if it fits; blank lines between clauses are kept, at most one. Pure; safe from
// many threads.
#pragma once

#include <string>

#include "compiler/ast/nodes.h"
#include "compiler/source/source_file.h"
#include "compiler/syntax/parse.h"

namespace dpl {

// `file` is the clean parse of `source`; its words are read from `source` again. A source that does
// not parse comes back unchanged.
std::string Format(const SourceFile& source, const ast::File& file);

// The same from a layout that Parse has filled.
std::string Format(const SourceFile& source, const Layout& layout);

}  // namespace dpl
