// The tree, its spans, its bounds, and what survives an error.
#include "compiler/syntax/parse.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "compiler/ast/dump.h"

namespace dpl {
namespace {

struct Parsed {
  SourceSet sources;
  DiagnosticSink sink;
  ParseResult result;
  const SourceFile& source() const { return sources[0]; }
  const ast::File& file() const { return *result.file; }
  std::vector<DiagCode> codes() const {
    std::vector<DiagCode> codes;
    for (const Diagnostic& d : sink.Sorted()) codes.push_back(d.code);
    return codes;
  }
  std::string Slice(const Span& span) const { return std::string(source().Slice(span)); }
};

std::unique_ptr<Parsed> ParseText(std::string text) {
  auto parsed = std::make_unique<Parsed>();
  parsed->result = Parse(parsed->sources.Add("test.dpl", std::move(text)), &parsed->sink);
  return parsed;
}

using Codes = std::vector<DiagCode>;
const std::string kHead = "package a owned by team t\n";

template <class D>
const D& DeclAt(const Parsed& parsed, size_t index) {
  return static_cast<const D&>(*parsed.file().decls.at(index));
}

TEST(Parse, SpansCoverExactlyWhatWasWritten) {
  auto p = ParseText(kHead +
                     "grant g {\n"
                     "  to team sales, person \"E1\"\n"
                     "  may read, list on docs.Doc \"d\" in docs.Folder \"A\" where resource.x == "
                     "(1 + 2), ask lead\n"
                     "  limit amount to 5_000 USD in any 15m for each person and resource.vendor, "
                     "beyond that ask cfo up to 6 USD was old\n"
                     "  because \"why\"\n"
                     "}\n");
  ASSERT_TRUE(p->result.ok);
  const auto& grant = DeclAt<ast::GrantDecl>(*p, 0);
  EXPECT_EQ(p->Slice(grant.head_span), "grant g");
  EXPECT_EQ(grant.span.line, 2u);
  EXPECT_EQ(grant.span.end_line, 7u);
  EXPECT_EQ(p->Slice(grant.name.span), "g");
  EXPECT_EQ(p->Slice(grant.rows[0].span), "to team sales, person \"E1\"");
  EXPECT_EQ(p->Slice(grant.rows[0].to[1].span), "person \"E1\"");
  const ast::MayClause& may = grant.rows[0].may[0];
  EXPECT_TRUE(p->Slice(may.span).starts_with("may read")) << p->Slice(may.span);
  EXPECT_TRUE(p->Slice(may.span).ends_with("ask lead"));
  EXPECT_EQ(p->Slice(may.actions[1].span), "list");
  EXPECT_EQ(p->Slice(may.on.span),
            "docs.Doc \"d\" in docs.Folder \"A\" where resource.x == (1 + 2)");
  EXPECT_EQ(p->Slice(may.on.containers[0].span), "docs.Folder \"A\"");
  EXPECT_EQ(p->Slice(may.on.where_span), "where resource.x == (1 + 2)");
  EXPECT_EQ(p->Slice(may.on.where->span), "resource.x == (1 + 2)");
  EXPECT_EQ(p->Slice(may.on.where->args[0]->name_span), "x");
  EXPECT_EQ(p->Slice(may.on.where->args[1]->span), "(1 + 2)");
  EXPECT_TRUE(may.on.where->args[1]->parenthesized);
  const ast::LimitClause& limit = grant.limits[0];
  EXPECT_EQ(p->Slice(limit.quantity->span), "5_000 USD");
  EXPECT_EQ(p->Slice(limit.window.span), "15m");
  EXPECT_EQ(p->Slice(limit.keys[1].span), "resource.vendor");
  EXPECT_EQ(p->Slice(limit.tiers[0].span), "beyond that ask cfo up to 6 USD");
  EXPECT_EQ(limit.was.text, "old");
  EXPECT_EQ(p->Slice(grant.meta.because_span), "because \"why\"");
  EXPECT_EQ(p->Slice(grant.meta.because.span), "\"why\"");
  EXPECT_EQ(p->Slice(p->file().package_span), "package a owned by team t");
}

TEST(Parse, GrantRowsBelongToTheirTo) {
  auto p = ParseText(
      kHead + "grant g { to role a may read on x.D to role b may write on x.D may list on x.D }");
  ASSERT_TRUE(p->result.ok);
  const auto& grant = DeclAt<ast::GrantDecl>(*p, 0);
  ASSERT_EQ(grant.rows.size(), 2u);
  EXPECT_EQ(grant.rows[0].may.size(), 1u);
  EXPECT_EQ(grant.rows[1].may.size(), 2u);
}

TEST(Parse, DocCommentsReachTheNextDeclaration) {
  auto p = ParseText("/// not the package's\n" + kHead +
                     "/// First line\n///   second line\nteam a { /// inside\n owner person \"E1\" "
                     "} /// trailing\n"
                     "//// no doc\n// plain\n/// B\n\nteam b { owner person \"E1\" }\nteam c { "
                     "owner person \"E1\" }");
  ASSERT_TRUE(p->result.ok);
  EXPECT_EQ(p->file().decls[0]->doc, "First line\n  second line");
  EXPECT_EQ(p->file().decls[1]->doc, "B");
  EXPECT_EQ(p->file().decls[2]->doc, "");
}

TEST(Parse, DecodesStrings) {
  auto p = ParseText(kHead + R"(const c = "a\"b\\c\n\t\u{1F600}\u{e9}")");
  ASSERT_TRUE(p->result.ok);
  EXPECT_EQ(DeclAt<ast::ConstDecl>(*p, 0).value->text, "a\"b\\c\n\t😀é");
}

TEST(Parse, WhatIsWrongLeavesTheRest) {
  auto p = ParseText(kHead +
                     "grant a { to team x may read on 5 because \"kept\" }\n"
                     "grnat b { to team x }\n"
                     "grant c { to team x may read on docs.D because \"whole\" }\n");
  EXPECT_EQ(p->codes(), (Codes{DPL0101, DPL0101}));
  ASSERT_EQ(p->file().decls.size(), 3u);
  EXPECT_TRUE(p->file().decls[0]->incomplete);
  EXPECT_EQ(DeclAt<ast::GrantDecl>(*p, 0).meta.because.value, "kept");
  EXPECT_FALSE(p->file().decls[1]->incomplete);  // `grnat` was read as `grant`
  EXPECT_FALSE(p->file().decls[2]->incomplete);
}

TEST(Parse, AMendedSlipLeavesTheDeclarationWhole) {
  auto p =
      ParseText(kHead + "grant a { for team x can read docs.D where a = 1 becuase \"kept\" }\n");
  EXPECT_EQ(p->codes(), (Codes{DPL0102, DPL0102, DPL0101, DPL0101, DPL0102}));
  ASSERT_EQ(p->file().decls.size(), 1u);
  EXPECT_FALSE(p->file().decls[0]->incomplete);
  const auto& grant = DeclAt<ast::GrantDecl>(*p, 0);
  ASSERT_EQ(grant.rows.size(), 1u);
  EXPECT_EQ(grant.rows[0].may.at(0).on.types.at(0).text, "docs.D");
  EXPECT_EQ(grant.rows[0].may.at(0).on.where->kind, ast::ExprKind::kEq);
  EXPECT_EQ(grant.meta.because.value, "kept");
}

TEST(Parse, ManyErrorsAreReportedOnceEachAndCapped) {
  std::string text = kHead;
  for (int i = 0; i < 50; ++i)
    text += "grant g" + std::to_string(i) + " {\n  to team x\n  may read docs.D\n  because\n}\n";
  EXPECT_EQ(ParseText(text)->codes().size(), 100u);
  std::string more = kHead;
  for (int i = 0; i < 500; ++i)
    more += "grant g" + std::to_string(i) + " {\n  to team x\n  may read docs.D\n}\n";
  auto p = ParseText(more);
  EXPECT_EQ(p->codes().size(), 201u);
  EXPECT_EQ(p->sink.Sorted().back().code, DPL0106);
}

std::string Repeat(const std::string& part, size_t times) {
  std::string text;
  for (size_t i = 0; i < times; ++i) text += part;
  return text;
}

TEST(Parse, BoundsNesting) {
  for (const std::string& deep :
       {"const c = " + Repeat("(", 100000), "const c = " + Repeat("not ", 100000) + "a",
        "const c = " + Repeat("- ", 100000) + "a", "const c = " + Repeat("a == not ", 50000) + "a",
        "const c = " + Repeat("if a then b else ", 50000) + "c",
        "const c = " + Repeat("a + ", 100000) + "a", "const c = a" + Repeat(".b", 100000),
        "const c: " + Repeat("set<", 100000),
        "const c = count(" + Repeat("not a == ", 50000) + "b where c)",
        Repeat("grant g { ", 100000), "const c = " + Repeat("{ a = ", 1000),
        "test \"t\" { " + Repeat("repeat 2 times { ", 1000),
        "grant g { limit amount to a" + Repeat(".b", 100000) + " each }"}) {
    auto p = ParseText(kHead + deep);
    EXPECT_FALSE(p->result.ok);
    auto codes = p->codes();
    EXPECT_TRUE(std::find(codes.begin(), codes.end(), DPL0106) != codes.end())
        << deep.substr(0, 40);
  }
}

TEST(Parse, DeepButReasonableIsRead) {
  EXPECT_TRUE(ParseText(kHead + "const c = " + Repeat("(", 60) + "a" + Repeat(")", 60))->result.ok);
  EXPECT_TRUE(ParseText(kHead + "const c = " + Repeat("a or ", 200) + "a")->result.ok);
  EXPECT_TRUE(ParseText(kHead + "const c = " + Repeat("if a then b else ", 100) + "c")->result.ok);
}

TEST(Parse, BoundsSize) {
  auto p = ParseText(kHead + std::string((8 << 20) + 1, ' '));
  EXPECT_EQ(p->codes(), Codes{DPL0106});
  EXPECT_TRUE(p->file().decls.empty());
}

TEST(Parse, RefusesWhatIsNotUtf8) {
  EXPECT_EQ(ParseText(kHead + "team t\xff { }")->codes(), Codes{DPL0001});
  EXPECT_EQ(ParseText(kHead + "team t\xc3")->codes(), Codes{DPL0001});
  auto bom = ParseText("\xef\xbb\xbf" + kHead + "team t { owner person \"E\" }");
  EXPECT_EQ(bom->codes(), Codes{DPL0001});
  EXPECT_EQ(bom->file().decls.size(), 1u);
}

TEST(Parse, RefusesInvisibleAndControlCharacters) {
  for (const char* bad : {"\xe2\x80\xae", "\xe2\x80\x8b", "\xef\xbb\xbf", "\x01", "\x7f",
                          "\xe2\x80\xa8", "\xc2\xad"}) {
    EXPECT_EQ(ParseText(kHead + "const c = \"a" + bad + "b\"")->codes(), Codes{DPL0002}) << bad;
    EXPECT_EQ(ParseText(kHead + "// a" + bad + "b\n")->codes(), Codes{DPL0002}) << bad;
    EXPECT_EQ(ParseText(kHead + bad + "const c = 1")->codes(), Codes{DPL0002}) << bad;
  }
  EXPECT_EQ(ParseText(kHead + std::string("const c = \"a\0b\"", 15))->codes(), Codes{DPL0002});
}

TEST(Parse, ReportsUnclosedComments) {
  auto p = ParseText(kHead + "team t { owner person \"E1\" }\n/* never");
  EXPECT_EQ(p->codes(), Codes{DPL0004});
  EXPECT_EQ(p->sink.Sorted()[0].span.line, 3u);
  EXPECT_TRUE(ParseText(kHead + "/* a **/ /***/ /**/ /* / * // */ team t { owner person \"E1\" }")
                  ->result.ok);
}

TEST(Parse, EmptyFilesWantAPackage) {
  EXPECT_EQ(ParseText("")->codes(), Codes{DPL0105});
  EXPECT_EQ(ParseText("  \n// c\n")->codes(), Codes{DPL0105});
  EXPECT_EQ(ParseText("team t { owner person \"E\" }")->codes(), Codes{DPL0105});
  EXPECT_TRUE(ParseText("package a")->result.ok);
}

TEST(Parse, MissingBracesAreOneMessageEach) {
  auto p = ParseText(kHead +
                     "test \"t\" {\n  repeat 2 times {\n    given {\n      person \"E1\"\n\nteam a "
                     "{ owner person \"E1\" }\n");
  EXPECT_EQ(p->codes(), Codes{DPL0101});
  EXPECT_EQ(p->file().decls.size(), 2u);
}

TEST(Parse, LineEndingsDoNotMatter) {
  auto unix_lines = ParseText("package a owned by team t\nteam b {\n owner person \"E\"\n}\n");
  auto dos_lines =
      ParseText("package a owned by team t\r\nteam b {\r\n owner person \"E\"\r\n}\r\n");
  ASSERT_TRUE(dos_lines->result.ok);
  EXPECT_EQ(ast::Dump(unix_lines->file()), ast::Dump(dos_lines->file()));
}

std::vector<std::string> Corpus() {
  std::vector<std::string> texts;
  for (const char* folder :
       {"/tests/golden/syntax", "/tests/golden/samples", "/tests/golden/fmt"}) {
    for (const auto& entry :
         std::filesystem::directory_iterator(std::string(DPL_SOURCE_DIR) + folder)) {
      if (entry.path().extension() != ".dpl") continue;
      std::ifstream in(entry.path(), std::ios::binary);
      std::stringstream text;
      text << in.rdbuf();
      texts.push_back(text.str());
    }
  }
  std::sort(texts.begin(), texts.end());
  return texts;
}

// Cuts, doubles, swaps and flips: whatever comes out, parsing returns, reports or succeeds, and
// says so consistently.
TEST(Parse, AnyBytesAreAnswered) {
  std::mt19937 random(20261120);
  std::vector<std::string> corpus = Corpus();
  ASSERT_GT(corpus.size(), 10u);
  auto below = [&](size_t n) {
    return std::uniform_int_distribution<size_t>(0, n == 0 ? 0 : n - 1)(random);
  };
  const std::string kOdd = "{}()[]<>=\"'\\.,:;-+*/!&|$%#@\n\t0aZ_\xc3\xa4\xff";
  for (int round = 0; round < 250; ++round) {
    std::string text = corpus[below(corpus.size())];
    for (size_t edits = 1 + below(6); edits > 0 && !text.empty(); --edits) {
      size_t at = below(text.size());
      size_t length = below(std::min<size_t>(text.size() - at, 40) + 1);
      switch (below(5)) {
        case 0:
          text.erase(at, length);
          break;
        case 1:
          text.insert(below(text.size()), text.substr(at, length));
          break;
        case 2:
          text[at] = kOdd[below(kOdd.size())];
          break;
        case 3:
          text.insert(at, 1, kOdd[below(kOdd.size())]);
          break;
        default:
          text.resize(at);
          break;
      }
    }
    auto p = ParseText(text);
    ASSERT_NE(p->result.file, nullptr);
    ASSERT_EQ(p->result.ok, !p->sink.HasErrors());
    for (const Diagnostic& d : p->sink.Sorted()) {
      ASSERT_TRUE(d.span.known());
      ASSERT_FALSE(d.message.empty());
      ASSERT_LE(d.span.end, p->source().text().size());
    }
    ASSERT_FALSE(ast::Dump(p->file()).empty());
  }
}

}  // namespace
}  // namespace dpl
