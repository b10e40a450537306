// dplc check: everything that is wrong with a policy set, in one run.
#include <memory>
#include <optional>

#include "compiler/dplc/check_watch.h"
#include "compiler/dplc/commands.h"
#include "compiler/dplc/fix.h"
#include "compiler/dplc/report.h"
#include "compiler/testing/compile.h"
#include "compiler/testing/costs.h"
#include "runtime/base/instant.h"
#include "runtime/facts/json_facts.h"

namespace dpl::dplc {

namespace {

// What only data can tell.
constexpr std::string_view kNeedFacts = "DPL0410, DPL0411, DPL0415, DPL0704, DPL0711";

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

void SayOk(const CheckArgs& args, const testing::Compilation& c) {
  if (args.common.quiet || args.common.format != "text") return;
  Err("ok: " + std::to_string(c.sources.size()) + (c.sources.size() == 1 ? " file, " : " files, ") +
      std::to_string(c.model.statements.size()) + " statements, " + std::to_string(c.tests.size()) +
      " tests\n");
  if (args.facts.empty()) Err("not checked without --facts: " + std::string(kNeedFacts) + "\n");
}

// Whether the facts fit the program; says so if not.
bool FactsFit(const CheckArgs& args, const check::CheckOptions& options,
              const testing::Compilation& c) {
  if (options.facts == nullptr || c.program == nullptr) return true;
  Result<std::unique_ptr<Snapshot>> joined =
      Snapshot::Build(c.program, *options.facts, options.facts->as_of.value_or(Instant{}));
  if (!joined.ok()) FactsError(args, joined.error());
  return joined.ok();
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
  c.digest = false;
  testing::Compile(options, &c);
  if (args.costs && c.program != nullptr) {
    testing::CostReport costs = testing::CostsOf(*c.program);
    if (args.common.format == "json") {
      Out(testing::CostsJson(costs));
      return args.common.strict && c.sink.warnings() > 0 ? kFindings : kOk;
    }
    Out(testing::CostsText(costs));
  }
  int code = Report(args.common, c);
  if (!FactsFit(args, options, c)) return kFindings;
  if (code == kOk) SayOk(args, c);
  return code;
}

int CheckParsed(const CheckArgs& args, testing::Compilation* c, const std::string& done) {
  FactsInput facts;
  check::CheckOptions options;
  c->digest = false;
  if (std::optional<int> code = ReadOptions(args, &facts, &options)) {
    Err(done);
    return *code;
  }
  bool ok = testing::CheckOnly(options, c);
  int code = Report(args.common, *c);
  if (code == kOk) SayOk(args, *c);
  Err(done);
  if (!ok) return code;
  if (!testing::LowerChecked(c)) return Report(args.common, *c);
  return FactsFit(args, options, *c) ? code : static_cast<int>(kFindings);
}

}  // namespace dpl::dplc
