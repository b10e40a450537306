// dplc fmt: canonical text, in place; --check only says which files differ.
#include <filesystem>
#include <fstream>

#include "compiler/dplc/commands.h"
#include "compiler/dplc/report.h"
#include "compiler/format/format.h"
#include "compiler/syntax/parse.h"
#include "compiler/testing/compile.h"

namespace dpl::dplc {

int RunFmt(const FmtArgs& args) {
  testing::Compilation c;
  if (Status s = testing::LoadSources(args.common.paths, &c.sources); !s.ok())
    return UsageError(s.error());
  int changed = 0;
  for (uint32_t id = 0; id < c.sources.size(); ++id) {
    const SourceFile& source = c.sources[id];
    DiagnosticSink own;
    ParseResult parsed = Parse(source, &own);
    if (parsed.file == nullptr || own.HasErrors()) {
      // A file with syntax errors is left as it is; say why.
      Parse(source, &c.sink);
      continue;
    }
    std::string text = Format(source, *parsed.file);
    bool from_stdin = source.path() == "-";
    if (from_stdin || args.to_stdout) {
      if (!args.check) Out(text);
    }
    if (text == source.text()) continue;
    ++changed;
    if (args.check) {
      Err(source.path() + ": not in canonical form\n");
    } else if (!from_stdin && !args.to_stdout) {
      std::ofstream out(source.path(), std::ios::binary | std::ios::trunc);
      out << text;
      out.flush();
      if (!out) return UsageError({"path", source.path() + ": cannot be written"});
      if (!args.common.quiet) Err("formatted " + source.path() + "\n");
    }
  }
  int code = Report(args.common, c);
  if (code == kOk && args.check && changed > 0) {
    Err(std::to_string(changed) + (changed == 1 ? " file needs" : " files need") + " `dplc fmt`\n");
    return kFindings;
  }
  return code;
}

}  // namespace dpl::dplc
