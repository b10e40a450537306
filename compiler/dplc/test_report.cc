// How a test run is written: lines for people, JUnit XML, JSON; see test_report.h.
#include "compiler/dplc/test_report.h"

#include <cstdio>

#include "compiler/diag/diagnostic.h"
#include "compiler/dplc/report.h"
#include "compiler/testing/coverage_report.h"
#include "compiler/testing/decl_clauses.h"
#include "runtime/base/text.h"

namespace dpl::dplc {

using testing::TestFailure;
using testing::TestResult;
using testing::TestRun;

std::string Millis(int64_t us) {
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%.1f ms", static_cast<double>(us) / 1000.0);
  return buffer;
}

namespace {

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

}  // namespace

void PrintResult(const testing::Compilation& c, const TestResult& r, bool color, bool quiet) {
  if (r.passed) {
    if (!quiet)
      Out((color ? "\033[32mok\033[0m    " : "ok    ") + r.package + ": " + r.name + " (" +
          Millis(r.duration_us) + ")\n");
    return;
  }
  Out((color ? "\033[31mFAILED\033[0m " : "FAILED ") + r.package + ": " + r.name + "\n");
  for (const TestFailure& f : r.failures) {
    Out("  " + testing::PlaceOf(c.sources, f.span) + ": " + f.message + "\n");
    const SourceFile* file = c.sources.Find(f.span.file);
    if (file != nullptr && f.span.line != 0) {
      std::string number = std::to_string(f.span.line);
      Out("    " + number + " | " + std::string(file->Line(f.span.line)) + "\n");
    }
    Out(Indent(f.explanation, "    "));
  }
}

namespace {

std::string Seconds(int64_t us) {
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%.6f", static_cast<double>(us) / 1e6);
  return buffer;
}

}  // namespace

std::string JUnitOf(const testing::Compilation& c, const TestRun& run) {
  int64_t total = 0;
  for (const TestResult& r : run.results) total += r.duration_us;
  std::string out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites tests=\"" +
                    std::to_string(run.results.size()) + "\" failures=\"" +
                    std::to_string(run.failed) + "\" time=\"" + Seconds(total) +
                    "\">\n<testsuite name=\"dplc\" tests=\"" + std::to_string(run.results.size()) +
                    "\" failures=\"" + std::to_string(run.failed) + "\" time=\"" + Seconds(total) +
                    "\">\n";
  for (const TestResult& r : run.results) {
    out += "<testcase classname=\"" + testing::EscapeMarkup(r.package) + "\" name=\"" +
           testing::EscapeMarkup(r.name) + "\" file=\"" + testing::EscapeMarkup(r.path) +
           "\" line=\"" + std::to_string(r.span.line) + "\" time=\"" + Seconds(r.duration_us) +
           "\"";
    if (r.passed) {
      out += "/>\n";
      continue;
    }
    out += ">\n";
    for (const TestFailure& f : r.failures) {
      out += "<failure message=\"" + testing::EscapeMarkup(f.message) + "\">" +
             testing::EscapeMarkup(testing::PlaceOf(c.sources, f.span) + ": " + f.message + "\n" +
                                   f.explanation) +
             "</failure>\n";
    }
    out += "</testcase>\n";
  }
  return out + "</testsuite>\n</testsuites>\n";
}

std::string JsonOf(const testing::Compilation& c, const TestRun& run, std::string_view more) {
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
      out += std::string(i == 0 ? "" : ",") + "{\"code\":\"" + CodeText(DPL0801) + "\",\"at\":";
      AppendJsonString(&out, testing::PlaceOf(c.sources, f.span));
      out += ",\"message\":";
      AppendJsonString(&out, f.message);
      out += ",\"explanation\":";
      AppendJsonString(&out, f.explanation);
      out += "}";
    }
    out += "]}";
  }
  return out + "\n]" + std::string(more) + "}\n";
}

}  // namespace dpl::dplc
