#include "tests/unit/lower/compile.h"

#include <gtest/gtest.h>

#include "compiler/check/check.h"
#include "compiler/diag/sink.h"
#include "compiler/lower/lower.h"
#include "compiler/syntax/parse.h"
#include "runtime/bytecode/verify.h"

namespace dpl {

Program Compile(const std::vector<PolicyFile>& files) {
  SourceSet sources;
  DiagnosticSink sink;
  std::vector<std::unique_ptr<ast::File>> trees;
  for (const PolicyFile& file : files) {
    ParseResult parsed = Parse(sources.Add(file.path, file.text), &sink);
    if (parsed.file != nullptr) trees.push_back(std::move(parsed.file));
  }
  check::Model model;
  bool ok = check::Check(trees, sources, {}, &sink, &model) && !sink.HasErrors();
  if (!ok) {
    for (const Diagnostic& diagnostic : sink.Sorted())
      ADD_FAILURE() << diagnostic.span.line << ": " << diagnostic.message;
    return {};
  }
  Program program = lower::Lower(std::move(model), sources);
  Status status = VerifyProgram(program);
  EXPECT_TRUE(status.ok()) << status.error().code << ": " << status.error().message;
  return program;
}

Program Compile(const std::string& text) { return Compile({{"policy.dpl", text}}); }

}  // namespace dpl
