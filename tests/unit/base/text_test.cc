// UTF-8, normal form C, invisible characters and quoting.
#include "runtime/base/text.h"

#include <gtest/gtest.h>

namespace dpl {
namespace {

using namespace std::string_view_literals;

TEST(Utf8, TakesWellFormedText) {
  const std::string_view good[] = {"",
                                   "a",
                                   "\x7f",
                                   "\xc2\x80",
                                   "\xdf\xbf",
                                   "\xe0\xa0\x80",
                                   "\xed\x9f\xbf",
                                   "\xee\x80\x80",
                                   "\xef\xbf\xbf",
                                   "\xf0\x90\x80\x80",
                                   "\xf4\x8f\xbf\xbf",
                                   "plain ASCII that is longer than one word",
                                   "a\0b"sv,
                                   "12345678\xc3\xa9"};
  for (auto text : good) EXPECT_TRUE(IsValidUtf8(text)) << text;
}

TEST(Utf8, NamesTheFirstBadByte) {
  const struct {
    std::string_view text;
    size_t at;
  } bad[] = {
      {"\x80", 0},              // tail alone
      {"ab\xc0\x80", 2},        // overlong NUL
      {"\xc1\xbf", 0},          // overlong
      {"\xe0\x9f\xbf", 0},      // overlong
      {"\xed\xa0\x80", 0},      // surrogate
      {"\xf0\x8f\xbf\xbf", 0},  // overlong
      {"\xf4\x90\x80\x80", 0},  // above U+10FFFF
      {"\xf5\x80\x80\x80", 0},  // never a lead
      {"\xff", 0},              //
      {"12345678901\xc3", 11},  // cut after 1 of 2
      {"\xe2\x82", 0},          // cut after 2 of 3
      {"x\xf0\x9f\x98", 1},     // cut after 3 of 4
      {"\xe2\x28\xa1", 0},      // wrong tail
  };
  for (const auto& c : bad) {
    size_t at = 99;
    EXPECT_FALSE(IsValidUtf8(c.text, &at)) << c.text;
    EXPECT_EQ(at, c.at) << c.text;
  }
}

TEST(Utf8, RoundTripsEveryCodePoint) {
  for (char32_t c = 0; c <= 0x10ffff; ++c) {
    std::string text;
    AppendUtf8(&text, c);
    size_t at = 0;
    char32_t back = NextCodePoint(text, &at);
    bool surrogate = c >= 0xd800 && c <= 0xdfff;
    ASSERT_EQ(back, surrogate ? 0xfffd : c);
    ASSERT_EQ(at, text.size());
    ASSERT_TRUE(IsValidUtf8(text));
    ASSERT_EQ(CodePointCount(text), 1u);
  }
}

TEST(Nfc, TellsComposedFromDecomposed) {
  EXPECT_TRUE(IsNfc("plain"));
  EXPECT_TRUE(IsNfc("caf\xc3\xa9"));                // é as one
  EXPECT_FALSE(IsNfc("cafe\xcc\x81"));              // e + combining acute
  EXPECT_TRUE(IsNfc("x\xcc\x81"));                  // x + acute has no composed form
  EXPECT_FALSE(IsNfc("\xe1\x84\x80\xe1\x85\xa1"));  // Hangul jamo that compose
  EXPECT_TRUE(IsNfc("\xea\xb0\x80"));               // the composed syllable
  EXPECT_FALSE(IsNfc("\xe2\x84\xab"));              // Angstrom sign, a singleton
  EXPECT_FALSE(IsNfc("a\xcc\x81\xcc\xa3"));         // marks out of canonical order
  EXPECT_TRUE(IsNfc("\xf0\x9f\x98\x80 \xe4\xb8\xad\xe6\x96\x87"));
  EXPECT_FALSE(IsNfc("\xff"));  // not UTF-8 at all
}

TEST(Control, FindsControls) {
  const struct {
    std::string_view text;
    size_t at;
  } bad[] = {{"a\nb", 1}, {"\0"sv, 0},      {"ab\x7f", 2},
             {"\x1f", 0}, {"x\xc2\x85", 1}, {"\xe2\x80\xa8", 0}};
  for (const auto& c : bad) {
    size_t at = 99;
    EXPECT_TRUE(HasControl(c.text, &at));
    EXPECT_EQ(at, c.at);
  }
  for (std::string_view good : {"", "plain", "caf\xc3\xa9", "\xc2\xa0", "\xe2\x80\x94"}) {
    EXPECT_FALSE(HasControl(good)) << good;
  }
}

TEST(Invisible, FindsBidiAndInvisible) {
  const char32_t bad[] = {0x00ad, 0x034f,  0x061c,  0x115f,  0x180e,  0x200b, 0x200c,
                          0x200d, 0x200e,  0x200f,  0x202a,  0x202e,  0x2060, 0x2064,
                          0x2066, 0x2069,  0x206f,  0x3164,  0xfe0f,  0xfeff, 0xffa0,
                          0xfff9, 0xe0001, 0xe0041, 0xe007f, 0xe0100, 0xe01ef};
  for (char32_t c : bad) {
    std::string text = "abcdefghij";
    AppendUtf8(&text, c);
    size_t at = 0;
    EXPECT_TRUE(HasBidiOrInvisible(text, &at)) << std::hex << static_cast<uint32_t>(c);
    EXPECT_EQ(at, 10u);
    EXPECT_TRUE(IsBidiOrInvisible(c));
  }
  for (std::string_view good : {"", "plain", "caf\xc3\xa9", "\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d",
                                "\xf0\x9f\x98\x80", "\xc2\xa0", "\xe2\x80\x94"}) {
    EXPECT_FALSE(HasBidiOrInvisible(good)) << good;
  }
}

TEST(JsonString, Escapes) {
  const struct {
    std::string_view text, json;
  } cases[] = {
      {"", R"("")"},
      {"plain", R"("plain")"},
      {"a\"b\\c", R"("a\"b\\c")"},
      {"\n\r\t\b\f", R"("\n\r\t\b\f")"},
      {"\0\x1f\x7f"sv, R"("\u0000\u001f\u007f")"},
      {"caf\xc3\xa9", "\"caf\xc3\xa9\""},
      {"\xe2\x80\xa8\xe2\x80\xa9", R"("\u2028\u2029")"},
      {"\xc2\x85", R"("\u0085")"},
      {"a\xff"
       "b",
       "\"a\xef\xbf\xbd"
       "b\""},
      {"cut \xf0\x9f\x98", "\"cut \xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
      {"\xf0\x9f\x98\x80", "\"\xf0\x9f\x98\x80\""},
  };
  for (const auto& c : cases) {
    std::string out = ">";
    AppendJsonString(&out, c.text);
    EXPECT_EQ(out, ">" + std::string(c.json));
    EXPECT_TRUE(IsValidUtf8(out));
  }
}

// Looked at in blocks of several sizes: every byte at every place of every length is seen.
TEST(JsonString, PlainIsTold) {
  EXPECT_TRUE(IsPlainJson(""));
  for (size_t size = 1; size <= 50; ++size) {
    std::string text(size, '~');
    EXPECT_TRUE(IsPlainJson(text)) << size;
    for (size_t at = 0; at < size; ++at) {
      for (int byte = 0; byte < 256; ++byte) {
        text[at] = static_cast<char>(byte);
        const bool plain = byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\';
        ASSERT_EQ(IsPlainJson(text), plain) << size << " " << at << " " << byte;
      }
      text[at] = '~';
    }
  }
}

TEST(QuoteTest, EscapesAsDpl) {
  const struct {
    std::string_view text, dpl;
  } cases[] = {
      {"plain", R"("plain")"},
      {"a\"b\\", R"("a\"b\\")"},
      {"\n\t", R"("\n\t")"},
      {"\r\x01", R"("\u{d}\u{1}")"},
      {"\xe2\x80\xae", R"("\u{202e}")"},
      {"\xf3\xa0\x81\x81", R"("\u{e0041}")"},
      {"caf\xc3\xa9", "\"caf\xc3\xa9\""},
      {"\xff", "\"\xef\xbf\xbd\""},
  };
  for (const auto& c : cases) EXPECT_EQ(Quote(c.text), c.dpl);
}

// Wherever in a text it stands, eight bytes at a time or one by one.
TEST(JsonString, EveryByteIsEscapedAtEveryPlace) {
  for (int c = 0; c < 0x80; ++c) {
    std::string alone;
    AppendJsonString(&alone, std::string(1, static_cast<char>(c)));
    alone = alone.substr(1, alone.size() - 2);
    for (size_t at = 0; at < 20; ++at) {
      std::string text(20, 'x'), out;
      text[at] = static_cast<char>(c);
      AppendJsonString(&out, text);
      EXPECT_EQ(out, "\"" + std::string(at, 'x') + alone + std::string(19 - at, 'x') + "\"") << c;
    }
  }
}

}  // namespace
}  // namespace dpl
