// Lines, columns and slices of source texts.
#include "compiler/source/source_file.h"

#include <string>

#include <gtest/gtest.h>

namespace dpl {
namespace {

TEST(SourceFile, CountsLinesAndColumnsFromOne) {
  SourceFile file(3, "a.dpl", "one\ntwo\n");
  Span span = file.MakeSpan(4, 7);
  EXPECT_EQ(span.file, 3u);
  EXPECT_EQ(span.line, 2u);
  EXPECT_EQ(span.column, 1u);
  EXPECT_EQ(span.end_line, 2u);
  EXPECT_EQ(span.end_column, 4u);
  EXPECT_EQ(file.Slice(span), "two");
}

TEST(SourceFile, ColumnsAreCodePoints) {
  SourceFile file(0, "a.dpl", "\"äöü😀\" x");
  size_t x = file.text().find('x');
  EXPECT_EQ(file.MakeSpan(x, x + 1).column, 8u);
}

TEST(SourceFile, KnowsEveryLineBreak) {
  SourceFile file(0, "a.dpl", "a\r\nb\rc\nd");
  EXPECT_EQ(file.line_count(), 4u);
  EXPECT_EQ(file.Line(1), "a");
  EXPECT_EQ(file.Line(2), "b");
  EXPECT_EQ(file.Line(3), "c");
  EXPECT_EQ(file.Line(4), "d");
  EXPECT_EQ(file.Line(5), "");
  EXPECT_EQ(file.Line(0), "");
  EXPECT_EQ(file.LineStart(3), 5u);
}

TEST(SourceFile, SpansOverLinesEndWhereTheyEnd) {
  SourceFile file(0, "a.dpl", "ab\ncd\n");
  Span span = file.MakeSpan(1, 4);
  EXPECT_EQ(span.line, 1u);
  EXPECT_EQ(span.column, 2u);
  EXPECT_EQ(span.end_line, 2u);
  EXPECT_EQ(span.end_column, 2u);
}

TEST(SourceFile, ClampsPlacesBeyondTheEnd) {
  SourceFile file(0, "a.dpl", "ab");
  Span span = file.MakeSpan(10, 20);
  EXPECT_EQ(span.begin, 2u);
  EXPECT_EQ(span.end, 2u);
  EXPECT_EQ(span.column, 3u);
  EXPECT_EQ(file.MakeSpan(1, 0).end, 1u);
}

TEST(SourceFile, LongLinesCountLikeShortOnes) {
  std::string text;
  for (int i = 0; i < 5000; ++i) text += "ä";
  SourceFile file(0, "a.dpl", text + "x");
  EXPECT_EQ(file.MakeSpan(text.size(), text.size() + 1).column, 5001u);
}

TEST(SourceFile, EmptyTextHasOneLine) {
  SourceFile file(0, "a.dpl", "");
  EXPECT_EQ(file.line_count(), 1u);
  EXPECT_EQ(file.MakeSpan(0, 0).line, 1u);
}

TEST(SourceSet, NumbersFilesInOrder) {
  SourceSet set;
  const SourceFile& a = set.Add("a.dpl", "a");
  const SourceFile& b = set.Add("b.dpl", "b");
  EXPECT_EQ(a.id(), 0u);
  EXPECT_EQ(b.id(), 1u);
  EXPECT_EQ(set.Find(1)->path(), "b.dpl");
  EXPECT_EQ(set.Find(2), nullptr);
}

}  // namespace
}  // namespace dpl
