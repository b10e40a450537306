// Request targets: one spelling for each path, and everything else refused.
#include "server/gate/target.h"

#include <cctype>
#include <random>

#include <gtest/gtest.h>

#include "runtime/base/text.h"

namespace dpl {
namespace {

std::string Why(std::string_view text) {
  Target target;
  return ReadTarget(text, &target);
}

std::vector<std::string> Segments(std::string_view text) {
  Target target;
  EXPECT_EQ(ReadTarget(text, &target), "") << text;
  return target.segments;
}

TEST(Target, IsReadInItsOneSpelling) {
  using Texts = std::vector<std::string>;
  EXPECT_EQ(Segments("/"), Texts{});
  EXPECT_EQ(Segments("/orders/O1"), (Texts{"orders", "O1"}));
  EXPECT_EQ(Segments("/a%20b/c@d:e!$&'()*,="), (Texts{"a b", "c@d:e!$&'()*,="}));
  EXPECT_EQ(Segments("/caf%C3%A9"), Texts{"caf\u00e9"});
  EXPECT_EQ(Segments("/caf%c3%a9?x=%2F"), Texts{"caf\u00e9"});
  Target target;
  EXPECT_EQ(ReadTarget("/a/?b=c?d", &target), "");
  EXPECT_TRUE(target.slash);
  EXPECT_EQ(target.query, "b=c?d");
  EXPECT_EQ(ReadTarget("/?", &target), "");
  EXPECT_TRUE(target.slash);
  EXPECT_EQ(ReadTarget("/a", &target), "");
  EXPECT_FALSE(target.slash);
}

TEST(Target, WhatTwoReadersCouldReadDifferentlyIsRefused) {
  const std::string nul("/a%00b");
  for (std::string_view text : {
           "",
           "a",
           "*",
           "http://h/a",
           "//",
           "//a",
           "/a//b",
           "/a//",
           "/.",
           "/..",
           "/a/../b",
           "/a/./b",
           "/a/..",
           "/%2e%2e/a",
           "/%2E./a",
           "/a/.%2e/b",
           "/a%2fb",
           "/a%2Fb",
           "/a%5cb",
           "/a\\b",
           "/a;v=1/b",
           "/a%3bv",
           "/a%25b",
           "/a%252fb",
           "/a%3f",
           "/a%23",
           "/a#b",
           "/%61dmin",
           "/a%7Eb",
           "/a%",
           "/a%2",
           "/a%zz",
           "/a%0ab",
           "/a%0d",
           "/a%7f",
           "/a b",
           "/a\tb",
           "/a\nb",
           "/a\"b",
           "/a<b",
           "/a|b",
           "/a{b",
           "/a^b",
           "/a`b",
           "/a+b",
           "/a.",
           "/a%20",
           "/%20a",
           "/a../b",
           "/...",
           "/caf\xc3\xa9",
           "/%ff",
           "/%c0%af",
           "/%e2%80%ae",
           "/%c2%80",
           "/%ed%a0%80",
           "/e%cc%81",
           "/a%e2%80%8bb",
       }) {
    EXPECT_NE(Why(text), "") << text;
  }
  EXPECT_NE(Why(nul), "");
  EXPECT_NE(Why(std::string_view("/a\0b", 4)), "");
  EXPECT_NE(Why("/" + std::string(Target::kMostBytes, 'a')), "");
  std::string deep;
  for (size_t i = 0; i < Target::kMostSegments; ++i) deep += "/a";
  EXPECT_EQ(Why(deep), "");
  EXPECT_NE(Why(deep + "/a"), "");
}

// What proxies and services do to a path before they route it, each in its own way.
std::string Decoded(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() &&
        std::isxdigit(static_cast<uint8_t>(text[i + 1])) != 0 &&
        std::isxdigit(static_cast<uint8_t>(text[i + 2])) != 0) {
      out.push_back(static_cast<char>(std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16)));
      i += 2;
    } else {
      out.push_back(text[i]);
    }
  }
  return out;
}
std::string Merged(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c == '\\') c = '/';
    if (c != '/' || out.empty() || out.back() != '/') out.push_back(c);
  }
  return out;
}
std::string WithoutParameters(std::string_view text) {
  std::string out;
  bool in = false;
  for (char c : text) {
    if (c == ';') in = true;
    if (c == '/') in = false;
    if (!in) out.push_back(c);
  }
  return out;
}
std::string WithoutDots(std::string_view text) {
  std::vector<std::string> kept;
  bool slash = false;
  for (size_t at = 1; at <= text.size();) {
    size_t end = text.find('/', at);
    if (end == std::string_view::npos) end = text.size();
    std::string segment(text.substr(at, end - at));
    slash = segment.empty() || segment == "." || segment == "..";
    if (segment == "..") {
      if (!kept.empty()) kept.pop_back();
    } else if (segment != ".") {
      kept.push_back(segment);
    }
    at = end + 1;
  }
  if (slash && !kept.empty() && kept.back().empty()) kept.pop_back();
  std::string out;
  for (const std::string& segment : kept) out += "/" + segment;
  if (slash || out.empty()) out += "/";
  return out;
}
std::string CutAtNul(std::string_view text) { return std::string(text.substr(0, text.find('\0'))); }

// Whatever is taken means the same to a reader who decodes once or twice, merges slashes, resolves
// dots, cuts parameters, or does any of these after the other.
TEST(Target, WhatIsTakenMeansTheSameToEveryReader) {
  static constexpr std::string_view kPieces[] = {
      "/",    "/",    "a",   "b",      "orders", "%2f", "%2F",   "%5c",  "\\", ".",  "..",
      "%2e",  ";v=1", "%3b", "%00",    "%",      "%25", "%252e", "%20",  "+",  "//", "/./",
      "/../", "A",    "%41", "%c3%a9", "%C3%A9", "#",   "?q",    "\x01", "~",  "*",  "@"};
  std::mt19937 random(7);
  int taken = 0;
  for (int i = 0; i < 200'000; ++i) {
    std::string text = "/";
    for (uint32_t k = random() % 6; k-- > 0;) text += kPieces[random() % std::size(kPieces)];
    Target target;
    if (!ReadTarget(text, &target).empty()) continue;
    ++taken;
    std::string meant;
    for (const std::string& segment : target.segments) {
      ASSERT_EQ(segment.find('/'), std::string::npos);
      meant += "/" + segment;
    }
    if (target.slash) meant += "/";
    const std::string path = text.substr(0, text.find('?'));
    using Step = std::string (*)(std::string_view);
    static constexpr Step kSteps[] = {Merged, WithoutParameters, WithoutDots, CutAtNul};
    std::string other = Decoded(path);
    ASSERT_EQ(other, meant) << text;
    ASSERT_EQ(Decoded(other), meant) << text;
    for (Step before : kSteps) {
      ASSERT_EQ(before(path), path) << text;
      for (Step after : kSteps) ASSERT_EQ(after(before(other)), meant) << text;
    }
  }
  EXPECT_GT(taken, 1000);
}

TEST(Target, ManyBytesNeverTakeItApart) {
  std::mt19937 random(11);
  for (int i = 0; i < 50'000; ++i) {
    std::string text = "/";
    for (uint32_t k = random() % 24; k-- > 0;) text.push_back(static_cast<char>(random() % 256));
    Target target;
    if (!ReadTarget(text, &target).empty()) continue;
    for (const std::string& segment : target.segments) {
      EXPECT_FALSE(segment.empty());
      EXPECT_TRUE(IsValidUtf8(segment));
      EXPECT_FALSE(HasControl(segment));
    }
  }
}

std::string Value(std::string_view query, std::string_view name) {
  std::string value;
  std::string why = QueryValue(query, name, &value);
  return why.empty() ? value : "!";
}

TEST(Target, AQueryParameterIsTheOnlyOneOfItsName) {
  EXPECT_EQ(Value("amount=5", "amount"), "5");
  EXPECT_EQ(Value("x=1&amount=5+0%2C%20USD&y", "amount"), "5 0, USD");
  EXPECT_EQ(Value("amount=5&amounts=6&xamount=7", "amount"), "5");
  for (std::string_view query :
       {"", "x=1", "amount=1&amount=2", "amount=1&amount=1", "amount=1&AMOUNT=2",
        "amount=1&amount[]=2", "amount[]=1", "Amount=1", "amount=1&+amount=2", "amount=1&amount.=2",
        "amount=1;amount=2", "amount=1&a%6dount=2", "amount=%zz", "%ff=1&amount=1", "amount=%00",
        "amount=1%0a", "amount=1&amount"}) {
    EXPECT_EQ(Value(query, "amount"), "!") << query;
  }
  EXPECT_EQ(Value("due.date=1&due_date=2", "due_date"), "!");
  EXPECT_TRUE(QueryHasOnly("a=1&b&a=2", {"a", "b"}));
  EXPECT_TRUE(QueryHasOnly("", {}));
  EXPECT_FALSE(QueryHasOnly("a=1&_method=DELETE", {"a"}));
  EXPECT_FALSE(QueryHasOnly("A=1", {"a"}));
  EXPECT_FALSE(QueryHasOnly("a=1;b=2", {"a"}));
}

}  // namespace
}  // namespace dpl
