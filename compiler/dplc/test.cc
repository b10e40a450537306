// dplc test: runs the `test` blocks of a policy set, and what is built on them: coverage, mutation.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <unistd.h>

#include "compiler/diag/render.h"
#include "compiler/dplc/commands.h"
#include "compiler/dplc/report.h"
#include "compiler/dplc/test_report.h"
#include "compiler/testing/boundaries.h"
#include "compiler/testing/compile.h"
#include "compiler/testing/coverage.h"
#include "compiler/testing/coverage_report.h"
#include "compiler/testing/decl_clauses.h"
#include "compiler/testing/mutate.h"
#include "compiler/testing/run.h"
#include "runtime/json/json_writer.h"

namespace dpl::dplc {
namespace {

using testing::Coverage;
using testing::TestResult;
using testing::TestRun;

int List(const testing::Compilation& c, const TestArgs& args) {
  size_t listed = 0;
  for (size_t t = 0; t < c.tests.size(); ++t) {
    const ast::TestDecl& test = *c.tests[t];
    if (!testing::Selected(*c.program, test, c.test_packages[t], args.filter)) continue;
    ++listed;
    std::string rows =
        test.columns.empty() ? "" : " (" + std::to_string(test.rows.size()) + " rows)";
    Out(testing::PlaceOf(c.sources, test.head_span) + ": " +
        std::string(c.program->Text(c.program->schema.packages[c.test_packages[t]].name)) + ": " +
        test.title.value + rows + "\n");
  }
  return listed == 0 ? kFindings : kOk;
}

int Boundaries(const testing::Compilation& c, const TestArgs& args) {
  SystemClock clock;
  std::vector<testing::Proposal> proposals = testing::ProposeBoundaries(c, &clock);
  if (args.common.format == "json") {
    std::string out;
    JsonWriter w(&out);
    w.BeginObject().Key("proposals").BeginArray();
    for (const testing::Proposal& p : proposals) {
      w.BeginObject().Member("limit", p.limit).Member("clause", p.clause).Member("file", p.file);
      w.Member("at", testing::PlaceOf(c.sources, p.span));
      w.Key("built").Bool(p.built);
      w.Member("text", p.text).EndObject();
    }
    w.EndArray().EndObject();
    Out(out + "\n");
    return kOk;
  }
  std::string file;
  for (const testing::Proposal& p : proposals) {
    if (p.file != file) Out("\n// for " + p.file + "\n");
    file = p.file;
    Out(p.text);
  }
  if (proposals.empty()) Err("dplc: these files have no limit\n");
  return kOk;
}

// DPL0805, at the first thing that no test reached.
void ReportBelow(const testing::Compilation& c, const Coverage& coverage, const TestArgs& args,
                 uint32_t wanted) {
  DiagnosticSink sink;
  Span span;
  size_t missing = coverage.points() - coverage.covered();
  for (const testing::CoverageItem& item : coverage.items()) {
    if (item.Covered()) continue;
    span = item.span;
    break;
  }
  std::string asked = std::to_string(wanted / 10) + "." + std::to_string(wanted % 10) + " %";
  sink.Report(DPL0805, span, {coverage.Percent(), asked})
      .Help(std::to_string(missing) + (missing == 1 ? " thing was" : " things were") +
            " not exercised, this is the first: `dplc test --coverage` lists them");
  Err(RenderText(c.sources, sink.Sorted(), {.color = UseColor(args.common.color, 2)}));
}

Status WriteReports(const testing::Compilation& c, const Coverage& coverage, const TestArgs& args) {
  if (!args.coverage_json.empty()) {
    DPL_RETURN_IF_ERROR(
        WriteWhole(args.coverage_json, testing::CoverageJson(coverage, c.sources) + "\n"));
  }
  if (!args.lcov.empty())
    DPL_RETURN_IF_ERROR(WriteWhole(args.lcov, testing::CoverageLcov(coverage, c.sources)));
  if (!args.html.empty())
    DPL_RETURN_IF_ERROR(WriteWhole(args.html, testing::CoverageHtml(coverage, c.sources)));
  return Status::Ok();
}

// Tries every mutant; a line that counts them on a terminal.
testing::MutationRun Mutate(testing::Compilation* c,
                            const std::vector<testing::Mutation>& mutations, const TestArgs& args,
                            Clock* clock) {
  testing::MutationOptions options;
  options.filter = args.filter;
  options.most = args.mutate_max;
  bool terminal = isatty(2) != 0 && !args.common.quiet;
  if (terminal) {
    options.on_progress = [](size_t done, size_t all, const testing::Mutant&) {
      Err("\rmutants " + std::to_string(done) + "/" + std::to_string(all) +
          (done == all ? "\r\033[K" : ""));
    };
  }
  testing::MutationRun run = testing::RunMutations(c, mutations, options, clock);
  if (args.common.format == "text")
    Out(testing::MutationText(run, c->sources, UseColor(args.common.color, 1), false));
  return run;
}

// What cannot be had at once; empty: all well.
std::string Conflict(const TestArgs& args) {
  const std::pair<const char*, bool> others[] = {{"--list", args.list},
                                                 {"--boundaries", args.boundaries},
                                                 {"--watch", args.watch},
                                                 {"--replay", !args.replay.empty()}};
  const char* instead = nullptr;
  for (const auto& [name, asked] : others) {
    if (!asked) continue;
    if (instead != nullptr) return std::string(instead) + " and " + name + " cannot be had at once";
    instead = name;
  }
  if (instead == nullptr) return {};
  if (args.WantsCoverage() || args.WantsMutants() || !args.junit.empty())
    return std::string(instead) +
           " leaves nothing to measure: ask for coverage, mutation and "
           "JUnit without it";
  if (args.watch && args.common.format != "text") return "--watch writes text only";
  bool input =
      std::find(args.common.paths.begin(), args.common.paths.end(), "-") != args.common.paths.end();
  if (args.watch && input) return "standard input cannot be watched";
  return {};
}

}  // namespace

int RunTest(const TestArgs& args) {
  if (std::string conflict = Conflict(args); !conflict.empty())
    return UsageError({"usage", conflict});
  if (args.watch) return RunWatch(args);
  if (!args.replay.empty()) return RunReplay(args);
  testing::Compilation c;
  Timings timings(args.common, &c);
  if (Status s = testing::LoadSources(args.common.paths, &c.sources); !s.ok())
    return UsageError(s.error());
  testing::Compile({}, &c);
  CommonArgs diagnostics = args.common;
  diagnostics.format = "text";  // the chosen format is that of the test report
  int code = Report(diagnostics, c);
  if (c.program == nullptr) return kFindings;
  if (args.list) return List(c, args);
  if (args.boundaries) return Boundaries(c, args);

  bool text = args.common.format == "text";
  bool color = UseColor(args.common.color, 1);
  std::optional<Coverage> coverage;
  if (args.WantsCoverage()) coverage.emplace(&c);
  testing::TestOptions options;
  options.filter = args.filter;
  options.fail_fast = args.fail_fast;
  if (coverage) {
    options.observer = &*coverage;
    options.on_decision = [&](const testing::Decided& d) { coverage->OnDecision(*d.decision); };
  }
  if (text) {
    options.on_result = [&](const TestResult& r) {
      PrintResult(c, r, color, args.common.quiet);
      std::fflush(stdout);
    };
  }
  SystemClock clock;
  TestRun run = testing::RunTests(coverage ? coverage->program() : c.program, c.tests,
                                  c.test_packages, c.sources, options, &clock);
  if (!args.junit.empty()) {
    if (Status s = WriteWhole(args.junit, JUnitOf(c, run)); !s.ok()) return UsageError(s.error());
  }
  if (args.common.format == "junit") Out(JUnitOf(c, run));
  if (text && !run.results.empty()) {
    int64_t total = 0;
    for (const TestResult& r : run.results) total += r.duration_us;
    Out(std::to_string(run.passed) + " passed, " + std::to_string(run.failed) + " failed (" +
        Millis(total) + ")\n");
  }
  std::string more;
  if (coverage) {
    if (Status s = WriteReports(c, *coverage, args); !s.ok()) return UsageError(s.error());
    if (text) Out(testing::CoverageText(*coverage, c.sources, color));
    more += ",\"coverage\":" + testing::CoverageJson(*coverage, c.sources);
  }
  size_t survivors = 0;
  if (args.WantsMutants() && run.failed == 0 && !run.results.empty()) {
    // Only tests that all pass can notice anything.
    std::vector<testing::Mutation> mutations = testing::FindMutations(&c);
    testing::MutationRun mutants = Mutate(&c, mutations, args, &clock);
    survivors = mutants.Count(testing::Fate::kSurvived);
    std::string json = testing::MutationJson(mutants, c.sources);
    if (!args.mutate_json.empty()) {
      if (Status s = WriteWhole(args.mutate_json, json + "\n"); !s.ok())
        return UsageError(s.error());
    }
    more += ",\"mutation\":" + json;
  }
  if (args.common.format == "json") Out(JsonOf(c, run, more));
  if (run.results.empty()) {
    Err(args.filter.empty() ? "dplc: no test ran: these files have no `test` block\n"
                            : "dplc: no test ran: none of " + std::to_string(c.tests.size()) +
                                  " tests matches `" + args.filter + "`\n");
    return kFindings;
  }
  if (run.failed > 0) return kFindings;
  if (coverage && args.min >= 0) {
    uint32_t wanted = static_cast<uint32_t>(std::lround(args.min * 10));
    if (coverage->Permille() < wanted) {
      ReportBelow(c, *coverage, args, wanted);
      return kCoverageBelow;
    }
  }
  return survivors > 0 ? kSurvivors : code;
}

}  // namespace dpl::dplc
