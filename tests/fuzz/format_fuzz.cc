// Fuzzes the formatter: what parses has the same tree and the same comments afterwards, formatting
// it again changes nothing, and the checker says the same of both texts.
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "compiler/ast/dump.h"
#include "compiler/check/check.h"
#include "compiler/format/format.h"
#include "compiler/syntax/parse.h"
#include "runtime/base/result.h"

namespace dpl {
namespace {

// The codes that the checker reports, in order.
std::string Codes(std::unique_ptr<ast::File> file, const SourceSet& sources) {
  DiagnosticSink sink;
  std::vector<std::unique_ptr<ast::File>> files;
  files.push_back(std::move(file));
  check::Model model;
  check::Check(files, sources, {}, &sink, &model);
  std::string out;
  for (const Diagnostic& d : sink.Sorted()) out += CodeText(d.code) + " ";
  return out;
}

void Run(std::string text) {
  SourceSet plain_sources;
  const SourceFile& source = plain_sources.Add("fuzz.dpl", std::move(text));
  DiagnosticSink sink;
  Layout layout;
  ParseResult parsed = Parse(source, &sink, &layout);
  if (!parsed.ok) return;
  std::string formatted = Format(source, layout);

  SourceSet sources;
  const SourceFile& second = sources.Add("fuzz.dpl", formatted);
  DiagnosticSink nothing;
  Layout again;
  ParseResult reparsed = Parse(second, &nothing, &again);
  DPL_CHECK(reparsed.ok);
  DPL_CHECK(ast::Dump(*reparsed.file) == ast::Dump(*parsed.file));
  DPL_CHECK(again.comments.size() == layout.comments.size());
  DPL_CHECK(Format(second, again) == formatted);
  DPL_CHECK(Codes(std::move(parsed.file), plain_sources) ==
            Codes(std::move(reparsed.file), sources));
}

}  // namespace
}  // namespace dpl

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  dpl::Run(std::string(reinterpret_cast<const char*>(data), size));
  return 0;
}
