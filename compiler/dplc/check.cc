// dplc check: everything that is wrong with a policy set, in one run.
#include <memory>

#include "compiler/dplc/commands.h"
#include "compiler/dplc/fix.h"
#include "compiler/dplc/report.h"
#include "compiler/testing/compile.h"
#include "runtime/base/instant.h"
#include "runtime/facts/json_facts.h"

namespace dpl::dplc {

int RunCheck(const CheckArgs& args) {
  check::CheckOptions options;
  if (!args.as_of.empty()) {
    Result<Date> date = ParseDate(args.as_of);
    if (!date.ok()) return UsageError({"usage", "--as-of: " + date.error().message});
    options.as_of = InstantAt(*date);
  }
  FactsInput facts;
  if (!args.facts.empty()) {
    Result<std::string> text = testing::ReadFile(args.facts);
    if (!text.ok()) return UsageError(text.error());
    Result<FactsInput> read = ReadFactsJson(*text, args.facts);
    if (!read.ok()) {
      const Error& e = read.error();
      Err(args.facts + ":" + std::to_string(e.line) + ":" + std::to_string(e.column) +
          ": error: " + e.message + "\n");
      return kFindings;
    }
    facts = read.take();
    options.facts = &facts;
  }
  if (args.fix) {
    if (Status s = FixFiles(args, options); !s.ok()) return UsageError(s.error());
  }
  testing::Compilation c;
  Timings timings(args.common, &c);
  if (Status s = testing::LoadSources(args.common.paths, &c.sources); !s.ok())
    return UsageError(s.error());
  testing::Compile(options, &c);
  if (!args.facts.empty() && c.program != nullptr) {
    Result<std::unique_ptr<Snapshot>> joined =
        Snapshot::Build(c.program, facts, facts.as_of.value_or(Instant{}));
    if (!joined.ok()) {
      const Error& e = joined.error();
      Report(args.common, c);
      Err(args.facts + ":" + std::to_string(e.line) + ":" + std::to_string(e.column) +
          ": error: " + e.message + "\n");
      return kFindings;
    }
  }
  int code = Report(args.common, c);
  if (code == kOk && !args.common.quiet && args.common.format == "text") {
    Err("ok: " + std::to_string(c.sources.size()) +
        (c.sources.size() == 1 ? " file, " : " files, ") +
        std::to_string(c.program->statements.size()) + " statements, " +
        std::to_string(c.tests.size()) + " tests\n");
  }
  return code;
}

}  // namespace dpl::dplc
