// dplc test --replay: recorded requests against the policy as it is now.
#include "compiler/testing/replay.h"

#include "compiler/dplc/commands.h"
#include "compiler/dplc/report.h"
#include "compiler/testing/compile.h"
#include "runtime/facts/json_facts.h"

namespace dpl::dplc {

int RunReplay(const TestArgs& args) {
  testing::Compilation c;
  if (Status s = testing::LoadSources(args.common.paths, &c.sources); !s.ok())
    return UsageError(s.error());
  testing::Compile({}, &c);
  CommonArgs diagnostics = args.common;
  diagnostics.format = "text";
  if (int code = Report(diagnostics, c); c.program == nullptr) return code;
  FactsInput facts;
  facts.name = "no facts";
  facts.arena = std::make_shared<Arena>();
  auto located = [](const Error& e, const std::string& name) {
    std::string at = name;
    if (e.line != 0) at += ":" + std::to_string(e.line) + ":" + std::to_string(e.column);
    Err(at + ": error: " + e.message + "\n");
    return kUsage;
  };
  if (!args.facts.empty()) {
    Result<std::string> text = testing::ReadFile(args.facts);
    if (!text.ok()) return UsageError(text.error());
    Result<FactsInput> read = ReadFactsJson(*text, args.facts);
    if (!read.ok()) return located(read.error(), args.facts);
    facts = read.take();
  }
  Result<std::string> lines = testing::ReadFile(args.replay);
  if (!lines.ok()) return UsageError(lines.error());
  SystemClock clock;
  Result<testing::ReplayRun> run = testing::Replay(c.program, facts, *lines, args.replay, &clock);
  if (!run.ok()) {
    if (run.error().code.starts_with("facts")) return located(run.error(), args.facts);
    return UsageError(run.error());
  }
  if (!args.record.empty()) {
    if (Status s = WriteWhole(args.record, run->as_recorded); !s.ok()) return UsageError(s.error());
  }
  if (args.common.format == "json") {
    Out(testing::ReplayJson(*run, *c.program) + "\n");
  } else {
    Out(testing::ReplayText(*run, *c.program, args.replay, UseColor(args.common.color, 1),
                            args.common.quiet));
  }
  return run->changed > 0 ? kFindings : kOk;
}

}  // namespace dpl::dplc
