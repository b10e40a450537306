// The catalogue, the sink, near names, and the three ways of showing diagnostics.
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "compiler/diag/apply.h"
#include "compiler/diag/render.h"
#include "compiler/diag/sink.h"
#include "compiler/source/source_file.h"
#include "runtime/base/arena.h"
#include "runtime/base/near_name.h"
#include "runtime/json/json.h"

namespace dpl {
namespace {

TEST(Catalogue, CodesRiseAndNamesAreUnique) {
  std::set<std::string> names;
  int last = 0;
  for (const DiagInfo& info : DiagCatalogue()) {
    EXPECT_GT(static_cast<int>(info.code), last) << info.name;
    last = info.code;
    EXPECT_TRUE(names.insert(info.name).second) << info.name;
    EXPECT_FALSE(std::string(info.meaning).empty()) << info.name;
    EXPECT_FALSE(std::string(info.message).ends_with('.')) << info.name;
  }
}

TEST(Catalogue, FindsCodesHoweverTheyAreWritten) {
  EXPECT_EQ(FindDiag("DPL0501")->code, DPL0501);
  EXPECT_EQ(FindDiag("0501")->code, DPL0501);
  EXPECT_EQ(FindDiag("501")->code, DPL0501);
  EXPECT_EQ(FindDiag("dpl0006")->code, DPL0006);
  EXPECT_EQ(FindDiag("DPL9999"), nullptr);
  EXPECT_EQ(FindDiag(""), nullptr);
  EXPECT_EQ(FindDiag("x"), nullptr);
  EXPECT_EQ(CodeText(DPL0006), "DPL0006");
}

TEST(Template, FillsSlots) {
  EXPECT_EQ(FillTemplate("{0} and {1} and {0}", {"a", "b"}), "a and b and a");
  EXPECT_EQ(FillTemplate("{x} {", {}), "{x} {");
}

class SinkTest : public ::testing::Test {
 protected:
  SourceSet sources_;
  const SourceFile& a_ = sources_.Add("a.dpl", "package a\ngrant g {\n}\n");
  const SourceFile& b_ = sources_.Add("b.dpl", "x\n");
  DiagnosticSink sink_;
};

TEST_F(SinkTest, SortsByFilePlaceAndCodeAndDropsRepeats) {
  sink_.Report(DPL0202, b_.MakeSpan(0, 1), {"`x`"});
  sink_.Report(DPL0403, a_.MakeSpan(10, 15), {"grant `g`"});
  sink_.Report(DPL0202, a_.MakeSpan(10, 15), {"`g`"});
  sink_.Report(DPL0403, a_.MakeSpan(10, 15), {"grant `g`"});
  auto sorted = sink_.Sorted();
  ASSERT_EQ(sorted.size(), 3u);
  EXPECT_EQ(sorted[0].code, DPL0202);
  EXPECT_EQ(sorted[1].code, DPL0403);
  EXPECT_EQ(sorted[2].span.file, 1u);
}

TEST_F(SinkTest, CountsWhatItDrops) {
  DiagnosticSink small(2);
  for (int i = 0; i < 5; ++i)
    small.Report(DPL0202, a_.MakeSpan(0, 1), {std::to_string(i)})
        .Help("h")
        .Label(a_.MakeSpan(0, 1), "l");
  EXPECT_EQ(small.Sorted().size(), 2u);
  EXPECT_EQ(small.dropped(), 3u);
  EXPECT_EQ(small.errors(), 5u);
}

TEST_F(SinkTest, TextShowsPlaceExcerptLabelsAndHelp) {
  sink_.Report(DPL0403, a_.MakeSpan(10, 17), {"grant `g`"})
      .Label(b_.MakeSpan(0, 1), "see here")
      .Help("add `because \"…\"`");
  EXPECT_EQ(RenderText(sources_, sink_.Sorted(), {}),
            "a.dpl:2:1: error DPL0403: grant `g` needs a because that says why\n"
            "  2 | grant g {\n"
            "    | ^^^^^^^\n"
            "  b.dpl:1:1: note: see here\n"
            "  1 | x\n"
            "    | -\n"
            "  help: add `because \"…\"`\n");
  EXPECT_EQ(RenderCounts(sink_.Sorted()), "1 error");
}

TEST_F(SinkTest, ColourOnlyWhenAsked) {
  sink_.Report(DPL0206, a_.MakeSpan(0, 7), {"`x`"});
  EXPECT_EQ(RenderText(sources_, sink_.Sorted(), {}).find('\x1b'), std::string::npos);
  EXPECT_NE(
      RenderText(sources_, sink_.Sorted(), {.color = true}).find("\x1b[1;33mwarning DPL0206:"),
      std::string::npos);
}

TEST_F(SinkTest, TerminalsNeverSeeControlCharacters) {
  const SourceFile& evil = sources_.Add("c.dpl", "a\x1b[2Jb \xe2\x80\xae c");
  sink_.Report(DPL0002, evil.MakeSpan(1, 2), {"U+001B"});
  std::string text = RenderText(sources_, sink_.Sorted(), {});
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_EQ(text.find("\xe2\x80\xae"), std::string::npos);
}

TEST_F(SinkTest, LongLinesShowThePartThatMatters) {
  const SourceFile& wide =
      sources_.Add("w.dpl", std::string(5000, 'a') + "HERE" + std::string(5000, 'b'));
  sink_.Report(DPL0202, wide.MakeSpan(5000, 5004), {"`HERE`"});
  std::string text = RenderText(sources_, sink_.Sorted(), {});
  EXPECT_LT(text.size(), 1000u);
  EXPECT_NE(text.find("HERE"), std::string::npos);
}

TEST_F(SinkTest, APlacelessDiagnosticHasNoExcerpt) {
  sink_.Report(DPL0204, Span(), {"a, b, a"});
  EXPECT_EQ(RenderText(sources_, sink_.Sorted(), {}),
            "error DPL0204: packages import each other: a, b, a\n");
}

TEST_F(SinkTest, JsonIsJsonAndComplete) {
  sink_.Report(DPL0501, a_.MakeSpan(10, 17), {"a \"q\"", "1", "2", "x", "y"})
      .Fix(a_.MakeSpan(10, 15), "GRANT")
      .Label(b_.MakeSpan(0, 1), "l");
  std::string json = RenderJson(sources_, sink_.Sorted());
  Arena arena;
  auto root = ParseJson(json, &arena);
  ASSERT_TRUE(root.ok()) << json;
  EXPECT_NE(json.find("\"code\": \"DPL0501\""), std::string::npos) << json;
  EXPECT_NE(json.find("\"line\": 2"), std::string::npos);
  EXPECT_NE(json.find("\"replacement\": \"GRANT\""), std::string::npos);
  EXPECT_NE(json.find("\"description\": \"write `GRANT`\""), std::string::npos);
  EXPECT_NE(json.find("\"errors\": 1"), std::string::npos);
}

TEST_F(SinkTest, SarifIsJsonWithRulesAndRegions) {
  const SourceFile& odd = sources_.Add("dir/with blank.dpl", "x");
  sink_.Report(DPL0202, odd.MakeSpan(0, 1), {"`x`"}).Fix(odd.MakeSpan(0, 1), "y");
  sink_.Report(DPL0206, a_.MakeSpan(0, 7), {"`x`"}).Label(b_.MakeSpan(0, 1), "l").Help("h");
  std::string json = RenderSarif(sources_, sink_.Sorted(), "1.2.3");
  Arena arena;
  ASSERT_TRUE(ParseJson(json, &arena).ok()) << json;
  for (const char* part :
       {"\"version\": \"2.1.0\"", "\"ruleId\": \"DPL0202\"", "dir/with%20blank.dpl",
        "\"startColumn\": 1", "\"level\": \"warning\"", "\"relatedLocations\"", "\"fixes\"",
        "write `y`", "\"deletedRegion\"", "unicodeCodePoints"}) {
    EXPECT_NE(json.find(part), std::string::npos) << part;
  }
}

TEST_F(SinkTest, WarningsDoNotCrowdOutErrors) {
  DiagnosticSink small(2);
  for (uint32_t i = 0; i < 5; ++i) small.Report(DPL0206, a_.MakeSpan(i, i + 1), {"`x`"});
  small.Report(DPL0202, a_.MakeSpan(9, 10), {"`g`"});
  EXPECT_EQ(small.warnings(), 5u);
  EXPECT_EQ(small.dropped(), 3u);
  ASSERT_EQ(small.Sorted().size(), 3u);
  EXPECT_EQ(small.Sorted().back().code, DPL0202);
}

// ---- mends

TEST_F(SinkTest, AMendSaysWhatItDoes) {
  sink_.Report(DPL0202, a_.MakeSpan(0, 1), {"`x`"}).Fix(a_.MakeSpan(0, 1), "");
  sink_.Report(DPL0202, a_.MakeSpan(1, 2), {"`x`"}).Fix(a_.MakeSpan(1, 2), " and ");
  sink_.Report(DPL0202, a_.MakeSpan(2, 3), {"`x`"}).Fix(a_.MakeSpan(2, 2), " ");
  sink_.Report(DPL0202, a_.MakeSpan(3, 4), {"`x`"}).Fix(a_.MakeSpan(3, 4), "q", "say it");
  auto sorted = sink_.Sorted();
  EXPECT_EQ(sorted[0].fix->description, "remove it");
  EXPECT_EQ(sorted[1].fix->description, "write `and`");
  EXPECT_EQ(sorted[2].fix->description, "put a blank here");
  EXPECT_EQ(sorted[3].fix->description, "say it");
}

TEST_F(SinkTest, MendsThatTouchTheSameTextAreTakenOneAtATime) {
  // "package a\ngrant g {\n}\n"
  sink_.Report(DPL0202, a_.MakeSpan(0, 1), {"`0`"}).Fix(a_.MakeSpan(0, 7), "PACKAGE");
  sink_.Report(DPL0202, a_.MakeSpan(1, 2), {"`1`"}).Fix(a_.MakeSpan(6, 8), "no");  // overlaps 0
  sink_.Report(DPL0202, a_.MakeSpan(2, 3), {"`2`"})
      .Fix(a_.MakeSpan(10, 15), "give")
      .Fix(a_.MakeSpan(3, 4), "no");  // half of it overlaps 0
  sink_.Report(DPL0202, a_.MakeSpan(3, 4), {"`3`"}).Fix(a_.MakeSpan(16, 17), "h");
  sink_.Report(DPL0202, a_.MakeSpan(4, 5), {"`4`"}).Fix(a_.MakeSpan(16, 16), "no");  // same place
  sink_.Report(DPL0202, a_.MakeSpan(5, 6), {"`5`"})
      .Fix(a_.MakeSpan(7, 7), "!")  // right behind 0
      .Fix(a_.MakeSpan(17, 18), "_");
  sink_.Report(DPL0202, b_.MakeSpan(0, 1), {"`6`"}).Fix(b_.MakeSpan(0, 1), "y");
  auto sorted = sink_.Sorted();
  std::vector<size_t> chosen = ChooseFixes(sorted);
  EXPECT_EQ(chosen, (std::vector<size_t>{0, 3, 5, 6}));
  EXPECT_EQ(ApplyFixes(a_, sorted, chosen), "PACKAGE! a\ngrant h_{\n}\n");
  EXPECT_EQ(ApplyFixes(b_, sorted, chosen), "y\n");
}

TEST(NearNames, SuggestsWhatIsOneSlipAway) {
  std::vector<std::string> known = {"finance",           "marketing", "sales",
                                    "acme.base.finance", "Finance",   "xyz"};
  EXPECT_EQ(NearNames("finanse", known),
            (std::vector<std::string>{"finance", "Finance", "acme.base.finance"}));
  EXPECT_EQ(NearNames("slaes", known), (std::vector<std::string>{"sales"}));
  EXPECT_TRUE(NearNames("completely_else", known).empty());
  EXPECT_TRUE(NearNames("sales", {"sales"}).empty());
}

TEST(NearNames, AtMostThreeNearestFirst) {
  auto near = NearNames("abcd", {"abce", "abcf", "abcg", "abch", "abCd"});
  ASSERT_EQ(near.size(), 3u);
  EXPECT_EQ(near[0], "abCd");
}

TEST(NearNames, SaysItAsAQuestion) {
  EXPECT_EQ(DidYouMean({}), "");
  EXPECT_EQ(DidYouMean({"a"}), "did you mean `a`?");
  EXPECT_EQ(DidYouMean({"a", "b", "c"}), "did you mean `a`, `b` or `c`?");
}

}  // namespace
}  // namespace dpl
