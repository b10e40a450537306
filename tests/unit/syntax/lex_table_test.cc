// The table of the lexer makes the tokens that the generated lexer makes.
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "compiler/syntax/invariants.h"
#include "runtime/base/text.h"

namespace dpl::syntax {
namespace {

namespace fs = std::filesystem;

// Every policy of the repository: stories, goldens, kept fuzz inputs.
std::vector<std::string> Texts() {
  std::vector<std::string> texts;
  for (const char* folder : {"/policies", "/tests/golden", "/tests/fuzz/corpus/parse"}) {
    fs::path root = std::string(DPL_SOURCE_DIR) + folder;
    if (!fs::exists(root)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(root)) {
      if (!entry.is_regular_file()) continue;
      std::ifstream in(entry.path(), std::ios::binary);
      std::stringstream text;
      text << in.rdbuf();
      if (IsValidUtf8(text.str())) texts.push_back(text.str());
    }
  }
  return texts;
}

void ExpectSame(const std::string& text) {
  std::vector<TokenForTest> ours = TokensByTableForTest(text), antlrs = TokensByAntlrForTest(text);
  if (ours == antlrs) return;
  for (size_t i = 0; i < std::max(ours.size(), antlrs.size()); ++i) {
    ASSERT_LT(i, ours.size()) << text;
    ASSERT_LT(i, antlrs.size()) << text;
    ASSERT_EQ(ours[i].begin, antlrs[i].begin) << text;
    ASSERT_EQ(ours[i].end, antlrs[i].end) << text.substr(ours[i].begin, 60);
    ASSERT_EQ(ours[i].type, antlrs[i].type) << text.substr(ours[i].begin, 60);
  }
}

TEST(LexTable, SameTokensForEveryPolicyOfTheRepository) {
  std::vector<std::string> texts = Texts();
  ASSERT_GT(texts.size(), 100u);
  for (const std::string& text : texts) ExpectSame(text);
}

TEST(LexTable, SameTokensForTextsPutTogetherAtRandom) {
  const std::vector<std::string> pieces = {
      "grant",      "gran",  "grants", "USD", "USDX", "U",    "5",  "5_000",    "0.25", ".",
      "2026-11-20", "T",     "15:00",  "Z",   "1h",   "30m",  "x",  "_",        "\"",   "\\",
      "\\n",        "'",     "“",      "”",   "é",    "漢",   "😀",  "/",        "*",    "//",
      "/*",         "*/",    "///",    " ",   "\n",   "\r\n", "\t", "&",        "|",    "!",
      "=",          "<",     ">",      "==",  "<=",   ";",    "$",  "\xC2\xA0", "-",    "+",
      "break_",     "glass", "mon",    "(",   ")",
  };
  std::mt19937 random(7);
  for (int i = 0; i < 3000; ++i) {
    std::string text;
    for (size_t n = random() % 12; n > 0; --n) text += pieces[random() % pieces.size()];
    ExpectSame(text);
  }
}

}  // namespace
}  // namespace dpl::syntax
