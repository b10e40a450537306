// dplc check: everything that is wrong with a policy set, in one run.
#include <memory>
#include <optional>

#include "compiler/dplc/check_watch.h"
#include "compiler/dplc/commands.h"
#include "compiler/dplc/fix.h"
#include "compiler/dplc/report.h"
#include "compiler/testing/compile.h"
#include "runtime/base/instant.h"
#include "runtime/facts/json_facts.h"

namespace dpl::dplc {

namespace {

void FactsError(const CheckArgs& args, const Error& e) {
  Err(args.facts + ":" + std::to_string(e.line) + ":" + std::to_string(e.column) +
      ": error: " + e.message + "\n");
}

// What the options ask for; an exit code when they cannot be had.
std::optional<int> ReadOptions(const CheckArgs& args, FactsInput* facts,
                               check::CheckOptions* options) {
  if (!args.as_of.empty()) {
    Result<Date> date = ParseDate(args.as_of);
    if (!date.ok()) return UsageError({"usage", "--as-of: " + date.error().message});
    options->as_of = InstantAt(*date);
  }
  if (args.facts.empty()) return std::nullopt;
  Result<std::string> text = testing::ReadFile(args.facts);
  if (!text.ok()) return UsageError(text.error());
  Result<FactsInput> read = ReadFactsJson(*text, args.facts);
  if (!read.ok()) {
    FactsError(args, read.error());
    return kFindings;
  }
  *facts = read.take();
  options->facts = facts;
  return std::nullopt;
}

int CheckLoaded(const CheckArgs& args, const check::CheckOptions& options,
                testing::Compilation* c) {
  c->digest = false;
  testing::Compile(options, c);
  if (options.facts != nullptr && c->program != nullptr) {
    Result<std::unique_ptr<Snapshot>> joined =
        Snapshot::Build(c->program, *options.facts, options.facts->as_of.value_or(Instant{}));
    if (!joined.ok()) {
      Report(args.common, *c);
      FactsError(args, joined.error());
      return kFindings;
    }
  }
  int code = Report(args.common, *c);
  if (code == kOk && !args.common.quiet && args.common.format == "text") {
    Err("ok: " + std::to_string(c->sources.size()) +
        (c->sources.size() == 1 ? " file, " : " files, ") +
        std::to_string(c->program->statements.size()) + " statements, " +
        std::to_string(c->tests.size()) + " tests\n");
  }
  return code;
}

}  // namespace

int RunCheck(const CheckArgs& args) {
  if (args.watch) return WatchCheck(args);
  FactsInput facts;
  check::CheckOptions options;
  if (std::optional<int> code = ReadOptions(args, &facts, &options)) return *code;
  if (args.fix) {
    if (Status s = FixFiles(args, options); !s.ok()) return UsageError(s.error());
  }
  testing::Compilation c;
  Timings timings(args.common, &c);
  if (Status s = testing::LoadSources(args.common.paths, &c.sources); !s.ok())
    return UsageError(s.error());
  return CheckLoaded(args, options, &c);
}

int CheckParsed(const CheckArgs& args, testing::Compilation* c) {
  FactsInput facts;
  check::CheckOptions options;
  if (std::optional<int> code = ReadOptions(args, &facts, &options)) return *code;
  return CheckLoaded(args, options, c);
}

}  // namespace dpl::dplc
