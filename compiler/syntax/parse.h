// From a `.dpl` text to its syntax tree. The one door to the grammar: nothing else knows that ANTLR
// is behind it.
//
//   DiagnosticSink sink;
//   ParseResult parsed = Parse(source, &sink);
//   if (!parsed.ok) …   // the sink says why; `parsed.file` still holds all that could be read
//
// Never throws and never fails on any bytes: what is wrong is a diagnostic, one per clause, in our
// words. Bounded: files to 8 MiB, brackets 64 deep, expressions 256 deep, 200 syntax errors. A
// declaration with a clause that could not be read has `incomplete` set, so that nobody complains
// about what it lacks. One thread per call; calls may run side by side.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "compiler/ast/nodes.h"
#include "compiler/diag/sink.h"
#include "compiler/source/source_file.h"

namespace dpl {

struct Comment {
  enum class Kind : uint8_t { kLine, kDoc, kBlock };
  Kind kind = Kind::kLine;
  uint32_t begin = 0, end = 0;  // bytes; without the line break
  bool own_line = false;        // nothing but blanks before it on its line
};

// What the formatter needs beyond the tree: every token and comment, and where the things that get
// a line of their own begin.
struct Layout {
  struct Token {
    uint32_t begin = 0, end = 0;
    bool tight_before = false;  // no blank before it, as for the bracket of a call
    bool tight_after = false;   // no blank after it, as for the minus of a negative number
  };
  // A unit is what a formatted file gives a line (or a block of lines): tokens [first, last].
  struct Unit {
    enum class Kind : uint8_t { kHeadLine, kDecl, kClause, kStep, kDatum, kRow };
    Kind kind = Kind::kDecl;
    uint32_t first = 0, last = 0;
  };
  std::vector<Token> tokens;
  std::vector<Comment> comments;
  std::vector<Unit> units;  // by first token, outer before inner
};

struct ParseResult {
  std::unique_ptr<ast::File> file;  // never null
  bool ok = false;                  // no error was reported
};

// CPU seconds of the calling thread; Parse adds to them.
struct ParseTimes {
  double lex = 0, read = 0, build = 0;  // tokens, the grammar's trees, our trees
};

// `layout`, when asked for, is complete only if the result is ok.
ParseResult Parse(const SourceFile& source, DiagnosticSink* sink, Layout* layout = nullptr,
                  ParseTimes* times = nullptr);

}  // namespace dpl
