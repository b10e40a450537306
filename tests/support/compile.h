// Generated text to a model for the oracle and a program for the engine, through the real parser,
// checker and lowering.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "compiler/check/check.h"
#include "compiler/diag/sink.h"
#include "compiler/source/source_file.h"
#include "runtime/bytecode/program.h"
#include "tests/support/gen.h"

namespace dpl::gen {

struct Compiled {
  SourceSet sources;
  std::vector<std::unique_ptr<ast::File>> files;
  std::vector<std::unique_ptr<ast::Expr>>
      owned;           // the model's own expressions: both sides read them
  check::Model model;  // the oracle's copy
  std::shared_ptr<const Program> program;

  Texts Names(StatementKind kind) const;  // qualified
};

// The program's index has a second level wherever two clauses allow one, so that whatever is tried
// on generated policies tries it. Null when the text has errors; they are then in `errors` as
// "line: code message".
struct CompileError {
  uint32_t line = 0;
  std::string text;
};
// `edit` may change the tree between the parser and the checker.
std::unique_ptr<Compiled> CompileText(const std::string& text, std::vector<CompileError>* errors,
                                      const std::function<void(ast::File*)>& edit = {});

// Drops the statements the checker refuses until the rest is right; null when the schema itself is
// wrong. `refused` counts the codes met.
std::unique_ptr<Compiled> CompilePolicy(PolicyText* policy, std::map<std::string, int>* refused);

}  // namespace dpl::gen
