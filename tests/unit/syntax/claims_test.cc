// Every syntax diagnostic stands beside the line that causes it: tests/golden/syntax/*.dpl.
//
// A line `//~ DPL0101 message` claims a diagnostic for the nearest line above it that is no claim.
// A file whose name begins with `fail_` has at least one. DPL_UPDATE_GOLDEN=1 rewrites the claims
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

#include "compiler/ast/dump.h"
#include "compiler/diag/render.h"
#include "compiler/syntax/parse.h"

namespace dpl {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> Cases() {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(DPL_SOURCE_DIR "/tests/golden/syntax")) {
    if (entry.path().extension() == ".dpl") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::string Read(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

class SyntaxGolden : public ::testing::TestWithParam<fs::path> {};

// What is read without a word has its tree beside it, as NAME.ast.
void CheckTree(const fs::path& path, const ast::File& file) {
  fs::path tree = path;
  tree.replace_extension(".ast");
  std::string dump = ast::Dump(file);
  if (std::getenv("DPL_UPDATE_GOLDEN") != nullptr && std::getenv("CI") == nullptr) {
    std::ofstream(tree, std::ios::binary) << dump;
  }
  EXPECT_EQ(Read(tree), dump);
}

TEST_P(SyntaxGolden, DiagnosticsAreAsClaimed) {
  SourceSet sources;
  const SourceFile& source = sources.Add(GetParam().filename().string(), Read(GetParam()));
  DiagnosticSink sink;
  ParseResult parsed = Parse(source, &sink);
  ASSERT_NE(parsed.file, nullptr);

  std::map<uint32_t, std::vector<std::string>> found;
  for (const Diagnostic& d : sink.Sorted()) {
    std::string claim = CodeText(d.code) + " " + d.message;
    for (const std::string& help : d.help) claim += " | " + help;
    found[d.span.line].push_back(claim);
  }
  std::map<uint32_t, std::vector<std::string>> claimed;
  std::string rewritten;
  uint32_t subject = 0;
  bool any = false;
  auto flush = [&] {
    for (const std::string& claim : found[subject]) rewritten += "//~ " + claim + "\n";
  };
  uint32_t lines = source.line_count() - (source.text().ends_with('\n') ? 1 : 0);
  for (uint32_t line = 1; line <= lines; ++line) {
    std::string text(source.Line(line));
    if (text.starts_with("//~ ")) {
      claimed[subject].push_back(text.substr(4));
      any = true;
      continue;
    }
    flush();
    rewritten += text + "\n";
    subject = line;
  }
  flush();
  if (std::getenv("DPL_UPDATE_GOLDEN") != nullptr && std::getenv("CI") == nullptr) {
    std::ofstream(GetParam(), std::ios::binary) << rewritten;
    if (sink.Sorted().empty()) CheckTree(GetParam(), *parsed.file);
    return;
  }
  std::erase_if(found, [](const auto& entry) { return entry.second.empty(); });
  EXPECT_EQ(found, claimed) << RenderText(sources, sink.Sorted(), {});
  EXPECT_EQ(any, GetParam().filename().string().starts_with("fail_"));
  EXPECT_EQ(parsed.ok, !sink.HasErrors());
  if (sink.Sorted().empty()) CheckTree(GetParam(), *parsed.file);
}

std::string NameOf(const ::testing::TestParamInfo<fs::path>& param) {
  return param.param.stem().string();
}

INSTANTIATE_TEST_SUITE_P(Files, SyntaxGolden, ::testing::ValuesIn(Cases()), NameOf);

}  // namespace
}  // namespace dpl
