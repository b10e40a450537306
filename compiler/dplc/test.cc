// dplc test: runs the `test` blocks of a policy set and reports as text, JSON or JUnit XML.
#include <algorithm>
#include <cstdio>
#include <string>

#include "compiler/dplc/commands.h"
#include "compiler/dplc/report.h"
#include "compiler/testing/compile.h"
#include "compiler/testing/run.h"
#include "runtime/base/text.h"

namespace dpl::dplc {
namespace {

using testing::TestFailure;
using testing::TestResult;
using testing::TestRun;

std::string Millis(int64_t us) {
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%.1f ms", static_cast<double>(us) / 1000.0);
  return buffer;
}

std::string Place(const testing::Compilation& c, const Span& span) {
  const SourceFile* file = c.sources.Find(span.file);
  return (file == nullptr ? "?" : file->path()) + ":" + std::to_string(span.line) + ":" +
         std::to_string(span.column);
}

std::string Indent(std::string_view text, std::string_view by) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    size_t end = text.find('\n', at);
    if (end == std::string_view::npos) end = text.size();
    out.append(by).append(text.substr(at, end - at)).push_back('\n');
    at = end + 1;
  }
  return out;
}

void PrintResult(const testing::Compilation& c, const TestResult& r, bool color, bool quiet) {
  if (r.passed) {
    if (!quiet)
      Out((color ? "\033[32mok\033[0m    " : "ok    ") + r.package + ": " + r.name + " (" +
          Millis(r.duration_us) + ")\n");
    return;
  }
  Out((color ? "\033[31mFAILED\033[0m " : "FAILED ") + r.package + ": " + r.name + "\n");
  for (const TestFailure& f : r.failures) {
    Out("  " + Place(c, f.span) + ": " + f.message + "\n");
    const SourceFile* file = c.sources.Find(f.span.file);
    if (file != nullptr && f.span.line != 0) {
      std::string number = std::to_string(f.span.line);
      Out("    " + number + " | " + std::string(file->Line(f.span.line)) + "\n");
    }
    Out(Indent(f.explanation, "    "));
  }
}

std::string Xml(std::string_view text) {
  std::string out;
  for (char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\n':
        out += "&#10;";
        break;
      default:
        out.push_back(static_cast<unsigned char>(c) < 0x20 && c != '\t' ? '?' : c);
    }
  }
  return out;
}

std::string Seconds(int64_t us) {
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%.6f", static_cast<double>(us) / 1e6);
  return buffer;
}

void PrintJUnit(const testing::Compilation& c, const TestRun& run) {
  int64_t total = 0;
  for (const TestResult& r : run.results) total += r.duration_us;
  std::string out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites tests=\"" +
                    std::to_string(run.results.size()) + "\" failures=\"" +
                    std::to_string(run.failed) + "\" time=\"" + Seconds(total) +
                    "\">\n<testsuite name=\"dplc\" tests=\"" + std::to_string(run.results.size()) +
                    "\" failures=\"" + std::to_string(run.failed) + "\" time=\"" + Seconds(total) +
                    "\">\n";
  for (const TestResult& r : run.results) {
    out += "<testcase classname=\"" + Xml(r.package) + "\" name=\"" + Xml(r.name) + "\" file=\"" +
           Xml(r.path) + "\" line=\"" + std::to_string(r.span.line) + "\" time=\"" +
           Seconds(r.duration_us) + "\"";
    if (r.passed) {
      out += "/>\n";
      continue;
    }
    out += ">\n";
    for (const TestFailure& f : r.failures) {
      out += "<failure message=\"" + Xml(f.message) + "\">" +
             Xml(Place(c, f.span) + ": " + f.message + "\n" + f.explanation) + "</failure>\n";
    }
    out += "</testcase>\n";
  }
  Out(out + "</testsuite>\n</testsuites>\n");
}

void PrintJson(const testing::Compilation& c, const TestRun& run) {
  std::string out = "{\"passed\":" + std::to_string(run.passed) +
                    ",\"failed\":" + std::to_string(run.failed) + ",\"tests\":[";
  bool first = true;
  for (const TestResult& r : run.results) {
    if (!first) out += ",";
    first = false;
    out += "\n{\"name\":";
    AppendJsonString(&out, r.name);
    out += ",\"package\":";
    AppendJsonString(&out, r.package);
    out += ",\"path\":";
    AppendJsonString(&out, r.path);
    out += ",\"line\":" + std::to_string(r.span.line) +
           ",\"passed\":" + (r.passed ? "true" : "false") +
           ",\"expectations\":" + std::to_string(r.expectations) +
           ",\"duration_us\":" + std::to_string(r.duration_us) + ",\"failures\":[";
    for (size_t i = 0; i < r.failures.size(); ++i) {
      const TestFailure& f = r.failures[i];
      out += std::string(i == 0 ? "" : ",") + "{\"at\":";
      AppendJsonString(&out, Place(c, f.span));
      out += ",\"message\":";
      AppendJsonString(&out, f.message);
      out += ",\"explanation\":";
      AppendJsonString(&out, f.explanation);
      out += "}";
    }
    out += "]}";
  }
  Out(out + "\n]}\n");
}

}  // namespace

int RunTest(const TestArgs& args) {
  testing::Compilation c;
  if (Status s = testing::LoadSources(args.common.paths, &c.sources); !s.ok())
    return UsageError(s.error());
  testing::Compile({}, &c);
  CommonArgs diagnostics = args.common;
  diagnostics.format = "text";  // the chosen format is that of the test report
  int code = Report(diagnostics, c);
  if (c.program == nullptr) return kFindings;
  bool color = UseColor(args.common.color, 1);
  testing::TestOptions options;
  options.filter = args.filter;
  if (args.common.format == "text") {
    options.on_result = [&](const TestResult& r) {
      PrintResult(c, r, color, args.common.quiet);
      std::fflush(stdout);
    };
  }
  SystemClock clock;
  TestRun run = testing::RunTests(c.program, c.tests, c.test_packages, c.sources, options, &clock);
  if (args.common.format == "junit") PrintJUnit(c, run);
  if (args.common.format == "json") PrintJson(c, run);
  if (run.results.empty()) {
    Err(args.filter.empty() ? "dplc: no test ran: these files have no `test` block\n"
                            : "dplc: no test ran: none of " + std::to_string(c.tests.size()) +
                                  " tests matches `" + args.filter + "`\n");
    return kFindings;
  }
  if (args.common.format == "text") {
    int64_t total = 0;
    for (const TestResult& r : run.results) total += r.duration_us;
    Out(std::to_string(run.passed) + " passed, " + std::to_string(run.failed) + " failed (" +
        Millis(total) + ")\n");
  }
  return run.failed > 0 ? kFindings : code;
}

}  // namespace dpl::dplc
