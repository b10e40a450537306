// Fuzzes the checker behind the parser: any text is judged without a crash, every diagnostic has a
// place and words, and what passes is lowered to a program that verifies and survives its bundle.
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "compiler/check/check.h"
#include "compiler/diag/render.h"
#include "compiler/diag/sink.h"
#include "compiler/lower/lower.h"
#include "compiler/syntax/parse.h"
#include "runtime/base/result.h"
#include "runtime/bytecode/decode.h"
#include "runtime/bytecode/encode.h"
#include "runtime/bytecode/verify.h"

namespace dpl {
namespace {

void Run(std::string text) {
  SourceSet sources;
  const SourceFile& source = sources.Add("fuzz.dpl", std::move(text));
  DiagnosticSink sink;
  std::vector<std::unique_ptr<ast::File>> files;
  files.push_back(Parse(source, &sink).file);
  check::Model model;
  bool ok = check::Check(files, sources, {}, &sink, &model);
  DPL_CHECK(ok == !sink.HasErrors());
  for (const Diagnostic& d : sink.Sorted()) {
    DPL_CHECK(d.span.known() && d.span.begin <= d.span.end && d.span.end <= source.text().size());
    DPL_CHECK(!d.message.empty());
  }
  RenderText(sources, sink.Sorted(), {.color = true});
  if (!ok) return;
  Program program = lower::Lower(std::move(model), sources);
  DPL_CHECK(VerifyProgram(program).ok());
  std::string bytes = EncodeBundle(program);
  Result<Program> again = DecodeBundle(bytes);
  DPL_CHECK(again.ok());
  DPL_CHECK(EncodeBundle(*again) == bytes);
}

}  // namespace
}  // namespace dpl

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  dpl::Run(std::string(reinterpret_cast<const char*>(data), size));
  return 0;
}
