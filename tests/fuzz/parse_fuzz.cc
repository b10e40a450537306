// Fuzzes the parser: any bytes are answered, with a tree and, where something is wrong, with what
// and where.
#include <cstdint>
#include <string>

#include "compiler/ast/dump.h"
#include "compiler/diag/render.h"
#include "compiler/syntax/parse.h"
#include "runtime/base/result.h"
#include "runtime/base/text.h"

namespace dpl {
namespace {

void Run(std::string text) {
  SourceSet sources;
  const SourceFile& source = sources.Add("fuzz.dpl", std::move(text));
  DiagnosticSink sink;
  Layout layout;
  ParseResult parsed = Parse(source, &sink, &layout);
  DPL_CHECK(parsed.file != nullptr);
  DPL_CHECK(parsed.ok == !sink.HasErrors());
  for (const Diagnostic& d : sink.Sorted()) {
    DPL_CHECK(d.span.known() && d.span.begin <= d.span.end && d.span.end <= source.text().size());
    DPL_CHECK(!d.message.empty());
  }
  RenderText(sources, sink.Sorted(), {.color = true});
  ast::Dump(*parsed.file);
  if (parsed.ok) DPL_CHECK(IsValidUtf8(source.text()));
}

}  // namespace
}  // namespace dpl

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  dpl::Run(std::string(reinterpret_cast<const char*>(data), size));
  return 0;
}
