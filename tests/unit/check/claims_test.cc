// Every diagnostic of the checker stands beside the line that causes it: tests/golden/check.
//
// A case is a file, or a folder whose files are checked together. A line `//~ CODE message | help @
// label` claims a diagnostic for the nearest line above it that is no claim. `fail_` cases hold an
// error, `warn_` cases warnings only, `ok_` cases nothing. DPL_UPDATE_GOLDEN=1 rewrites the claims
// (not in CI): read them as if they were code.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "compiler/check/check.h"
#include "compiler/diag/render.h"
#include "compiler/diag/sink.h"
#include "compiler/syntax/parse.h"
#include "runtime/base/instant.h"
#include "runtime/facts/json_facts.h"

namespace dpl {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> Cases() {
  std::vector<fs::path> cases;
  for (const auto& entry : fs::directory_iterator(DPL_SOURCE_DIR "/tests/golden/check")) {
    if (entry.is_directory() || entry.path().extension() == ".dpl") cases.push_back(entry.path());
  }
  std::sort(cases.begin(), cases.end());
  return cases;
}

std::string Read(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

bool Updating() {
  return std::getenv("DPL_UPDATE_GOLDEN") != nullptr && std::getenv("CI") == nullptr;
}

std::string ClaimOf(const Diagnostic& d) {
  std::string claim = CodeText(d.code) + " " + d.message;
  if (d.severity != InfoOf(d.code).severity)
    claim = (d.severity == Severity::Error ? "error " : "warning ") + claim;
  for (const std::string& help : d.help) claim += " | " + help;
  for (const Label& label : d.labels) claim += " @ " + label.text;
  return claim;
}

using Claims = std::map<uint32_t, std::vector<std::string>>;  // by line

// The claims of a file; `rewritten` is the file with `found` in their place.
Claims ReadClaims(const SourceFile& source, const Claims& found, std::string* rewritten) {
  Claims claimed;
  uint32_t subject = 0;
  auto flush = [&] {
    auto at = found.find(subject);
    if (at == found.end()) return;
    for (const std::string& claim : at->second) *rewritten += "//~ " + claim + "\n";
  };
  uint32_t lines = source.line_count() - (source.text().ends_with('\n') ? 1 : 0);
  for (uint32_t line = 1; line <= lines; ++line) {
    std::string text(source.Line(line));
    if (text.starts_with("//~ ")) {
      claimed[subject].push_back(text.substr(4));
      continue;
    }
    flush();
    *rewritten += text + "\n";
    subject = line;
  }
  flush();
  return claimed;
}

class CheckGolden : public ::testing::TestWithParam<fs::path> {};

TEST_P(CheckGolden, DiagnosticsAreAsClaimed) {
  std::vector<fs::path> paths{GetParam()};
  if (fs::is_directory(GetParam())) {
    paths.clear();
    for (const auto& entry : fs::directory_iterator(GetParam())) {
      if (entry.path().extension() == ".dpl") paths.push_back(entry.path());
    }
    std::sort(paths.begin(), paths.end());
  }
  SourceSet sources;
  DiagnosticSink sink;
  std::vector<std::unique_ptr<ast::File>> files;
  for (const fs::path& path : paths) {
    const SourceFile& source = sources.Add(path.filename().string(), Read(path));
    ParseResult parsed = Parse(source, &sink);
    ASSERT_NE(parsed.file, nullptr);
    files.push_back(std::move(parsed.file));
  }
  // A folder may hold facts, and the day that reviews are judged at.
  check::CheckOptions options;
  FactsInput facts;
  if (fs::exists(GetParam() / "facts.json")) {
    Result<FactsInput> read = ReadFactsJson(Read(GetParam() / "facts.json"), "facts.json");
    ASSERT_TRUE(read.ok()) << read.error().message;
    facts = read.take();
    options.facts = &facts;
  }
  if (fs::exists(GetParam() / "as_of")) {
    Result<Date> date = ParseDate(Read(GetParam() / "as_of").substr(0, 10));
    ASSERT_TRUE(date.ok()) << date.error().message;
    options.as_of = InstantAt(*date);
  }
  check::Model model;
  bool ok = check::Check(files, sources, options, &sink, &model);
  EXPECT_EQ(ok, !sink.HasErrors());

  std::vector<Claims> found(paths.size());
  for (const Diagnostic& d : sink.Sorted()) {
    EXPECT_TRUE(d.span.known()) << d.message;
    found[d.span.file][d.span.line].push_back(ClaimOf(d));
  }
  for (uint32_t i = 0; i < paths.size(); ++i) {
    std::string rewritten;
    Claims claimed = ReadClaims(sources[i], found[i], &rewritten);
    if (Updating()) {
      std::ofstream(paths[i], std::ios::binary) << rewritten;
    } else {
      EXPECT_EQ(found[i], claimed) << RenderText(sources, sink.Sorted(), {});
    }
  }
  std::string name = GetParam().filename().string();
  EXPECT_EQ(sink.errors() > 0, name.starts_with("fail_")) << RenderText(sources, sink.Sorted(), {});
  EXPECT_EQ(sink.errors() == 0 && sink.warnings() > 0, name.starts_with("warn_"))
      << RenderText(sources, sink.Sorted(), {});
}

std::string NameOf(const ::testing::TestParamInfo<fs::path>& param) {
  return param.param.stem().string();
}

INSTANTIATE_TEST_SUITE_P(Cases, CheckGolden, ::testing::ValuesIn(Cases()), NameOf);

// Each code the checker gives has a page, with an example that is run with the pages.
TEST(Pages, EveryCodeOfTheCheckerHasOne) {
  for (const auto& entry : fs::directory_iterator(DPL_SOURCE_DIR "/compiler/check")) {
    if (entry.path().extension() != ".cc") continue;
    std::string text = Read(entry.path());
    for (size_t at = text.find("DPL0"); at != std::string::npos; at = text.find("DPL0", at + 1)) {
      std::string code = text.substr(at, 7);
      EXPECT_TRUE(fs::exists(DPL_SOURCE_DIR "/docs/diagnostics/" + code + ".md"))
          << code << " in " << entry.path();
    }
  }
}

}  // namespace
}  // namespace dpl
