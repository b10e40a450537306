// Canonical text: goldens, and the laws that formatting keeps.
#include "compiler/format/format.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "compiler/ast/dump.h"
#include "compiler/diag/render.h"

namespace dpl {
namespace {

namespace fs = std::filesystem;

std::string Read(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

std::vector<fs::path> PoliciesIn(const std::string& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(DPL_SOURCE_DIR "/" + folder)) {
    if (entry.path().extension() == ".dpl") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

struct Text {
  explicit Text(std::string content)
      : source(0, "test.dpl", std::move(content)), parsed(Parse(source, &sink, &layout)) {}
  std::string Formatted() const { return Format(source, layout); }
  std::string Tree() const { return ast::Dump(*parsed.file); }
  SourceFile source;
  DiagnosticSink sink;
  Layout layout;
  ParseResult parsed;
};

std::vector<std::string> Comments(const Text& text) {
  std::vector<std::string> comments;
  for (const Comment& c : text.layout.comments) {
    bool doc =
        c.kind ==
        Comment::Kind::kDoc;  // one inside a clause moves above it, and is no doc there: `// x`
    comments.push_back(
        text.source.text().substr(c.begin + (doc ? 1 : 0), c.end - c.begin - (doc ? 1 : 0)));
  }
  std::sort(comments.begin(), comments.end());
  return comments;
}

// What every clean text keeps through formatting.
void CheckLaws(const std::string& content) {
  Text before(content);
  ASSERT_TRUE(before.parsed.ok);
  std::string once = before.Formatted();
  Text after(once);
  ASSERT_TRUE(after.parsed.ok) << content << "\n----\n" << once;
  ASSERT_EQ(after.Formatted(), once) << "formatting twice changes:\n" << content;
  ASSERT_EQ(before.Tree(), after.Tree()) << content;
  ASSERT_EQ(Comments(before), Comments(after)) << content;
  ASSERT_EQ(before.layout.tokens.size(), after.layout.tokens.size());
  ASSERT_EQ(once.find(" \n"), std::string::npos) << "blanks at the end of a line:\n" << once;
  ASSERT_EQ(once.find("\n\n\n"), std::string::npos) << "two empty lines:\n" << once;
}

std::vector<std::string> CleanCorpus() {
  std::vector<std::string> texts;
  for (const char* folder : {"tests/golden", "policies"}) {
    for (const fs::path& path : PoliciesIn(folder)) {
      std::string text = Read(path);
      if (Text(text).parsed.ok) texts.push_back(text);
    }
  }
  return texts;
}

TEST(Format, KeepsTreeAndCommentsAndSettlesAtOnce) {
  std::vector<std::string> corpus = CleanCorpus();
  EXPECT_GT(corpus.size(), 8u);
  for (const std::string& text : corpus) CheckLaws(text);
}

// The words of a text with these gaps between them, and no comments.
std::string Respaced(const Text& text, const std::string& gap) {
  std::string out;
  for (const Layout::Token& token : text.layout.tokens) {
    out += text.source.text().substr(token.begin, token.end - token.begin) + gap;
  }
  return out;
}

TEST(Format, DoesNotCareHowTheWordsWereSpaced) {
  for (const std::string& content : CleanCorpus()) {
    Text text(content);
    Text flat(Respaced(text, " "));
    Text tall(Respaced(text, "\n"));
    Text wild(Respaced(text, "\t\r\n  "));
    ASSERT_TRUE(flat.parsed.ok) << RenderText({}, flat.sink.Sorted(), {}) << content;
    ASSERT_TRUE(tall.parsed.ok);
    EXPECT_EQ(flat.Formatted(), tall.Formatted());
    EXPECT_EQ(flat.Formatted(), wild.Formatted());
  }
}

TEST(Format, KeepsCommentsWhereverTheyStand) {
  std::mt19937 random(7);
  auto below = [&](size_t n) { return std::uniform_int_distribution<size_t>(0, n - 1)(random); };
  const std::vector<std::string> kComments = {
      " // c\n",       "\n// own\n",      " /* b */ ", "\n/* two\n   lines */\n",
      "\n\n/// d\n\n", " /* x */ // y\n", "\n\n\n"};
  std::vector<std::string> corpus = CleanCorpus();
  for (int round = 0; round < 100; ++round) {
    Text text(corpus[below(corpus.size())]);
    std::vector<size_t> places;
    for (const Layout::Token& token : text.layout.tokens)
      places.push_back(below(2) == 0 ? token.begin : token.end);
    std::string content = text.source.text();
    for (size_t edits = 1 + below(4); edits > 0; --edits) {
      size_t place = places[below(places.size())];
      if (place > text.source.text().size()) continue;
      content = text.source.text();
      content.insert(place, kComments[below(kComments.size())]);
      // Not inside a comment that is there already, and not where it would join two words into a
      // comment.
      if (!Text(content).parsed.ok ||
          Text(content).layout.tokens.size() != text.layout.tokens.size())
        content = text.source.text();
    }
    CheckLaws(content);
  }
}

TEST(Format, LeavesWhatDoesNotParse) {
  SourceFile source(0, "x.dpl", "package a\ngrant {");
  EXPECT_EQ(Format(source, ast::File()), source.text());
}

TEST(Format, EmptyPackage) {
  EXPECT_EQ(Text("  package   a").Formatted(), "package a\n");
  EXPECT_EQ(Text("package a // c").Formatted(), "package a  // c\n");
}

// tests/golden/fmt/NAME.fmt is how fmt/NAME.dpl comes out. DPL_UPDATE_GOLDEN=1 rewrites them (not
// in CI).
TEST(Format, Goldens) {
  std::vector<fs::path> inputs = PoliciesIn("tests/golden/fmt");
  inputs.emplace_back(DPL_SOURCE_DIR "/tests/golden/syntax/pass_whole_language.dpl");
  for (const fs::path& path : inputs) {
    Text text(Read(path));
    ASSERT_TRUE(text.parsed.ok) << path;
    fs::path golden =
        fs::path(DPL_SOURCE_DIR "/tests/golden/fmt") / (path.stem().string() + ".fmt");
    if (std::getenv("DPL_UPDATE_GOLDEN") != nullptr && std::getenv("CI") == nullptr) {
      std::ofstream(golden, std::ios::binary) << text.Formatted();
    }
    EXPECT_EQ(Read(golden), text.Formatted()) << path;
  }
}

}  // namespace
}  // namespace dpl
