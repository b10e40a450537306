// What grammar/ promises: the first-token invariant, an example above every rule, every keyword
// listed, short looks ahead.
#include <fstream>
#include <regex>
#include <set>
#include <sstream>
#include <string>

#include <gtest/gtest.h>

#include "compiler/syntax/invariants.h"

namespace dpl {
namespace {

std::string Read(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  EXPECT_FALSE(text.str().empty()) << path;
  return text.str();
}

TEST(Grammar, NoClauseBeginsWithWhatContinuesAnExpression) {
  EXPECT_EQ(syntax::AmbiguousClauseHeadsForTest(), std::vector<std::string>());
}

TEST(Grammar, EveryParserRuleHasAnExampleAboveIt) {
  std::istringstream lines(Read(DPL_SOURCE_DIR "/grammar/DplParser.g4"));
  std::string before;
  size_t rules = 0;
  for (std::string line; std::getline(lines, line); before = line) {
    bool rule = !line.empty() && line[0] >= 'a' && line[0] <= 'z' &&
                !line.starts_with("parser grammar") && !line.starts_with("options");
    if (!rule) continue;
    ++rules;
    EXPECT_TRUE(before.starts_with("//")) << line;
  }
  EXPECT_GT(rules, 80u);
}

// A keyword is a name, or reserved, and never both: otherwise it could not stand after a `.`.
TEST(Grammar, EveryKeywordIsANameOrReserved) {
  std::string lexer = Read(DPL_SOURCE_DIR "/grammar/DplLexer.g4");
  std::string parser = Read(DPL_SOURCE_DIR "/grammar/DplParser.g4");
  auto tokens_of = [&](const std::string& rule) {
    size_t begin = parser.find("\n" + rule + "\n");
    std::string body = parser.substr(begin, parser.find(';', begin) - begin);
    std::set<std::string> tokens;
    std::regex word("[A-Z_]+");
    for (std::sregex_iterator it(body.begin(), body.end(), word), end; it != end; ++it)
      tokens.insert(it->str());
    return tokens;
  };
  std::set<std::string> names = tokens_of("name");
  std::set<std::string> reserved = tokens_of("reserved");
  std::regex keyword("(^|\n)([A-Z_]+) *: '([a-z_]+)' ;");
  size_t keywords = 0;
  for (std::sregex_iterator it(lexer.begin(), lexer.end(), keyword), end; it != end; ++it) {
    ++keywords;
    EXPECT_EQ(names.count((*it)[2]) + reserved.count((*it)[2]), 1u) << (*it)[3];
  }
  EXPECT_GT(keywords, 150u);
}

// The longest look is over a dotted name; none runs over expressions, whose length the author
// chooses.
TEST(Grammar, LooksAheadAreShort) {
  std::string text = Read(DPL_SOURCE_DIR "/tests/golden/syntax/pass_whole_language.dpl");
  EXPECT_LE(syntax::LongestLookaheadForTest(text), 8u);
  std::string wide = "package a owned by team t\nconst c = count(";
  for (int i = 0; i < 300; ++i) wide += "x and ";
  EXPECT_LE(syntax::LongestLookaheadForTest(wide + "x where y)\n"), 8u);
}

}  // namespace
}  // namespace dpl
