// Texts made to crash or to slow down a JSON reader, and the memory that a parse takes.
#include <functional>
#include <memory>
#include <random>

#include <gtest/gtest.h>

#include "runtime/json/json.h"
#include "runtime/json/json_writer.h"
#include "tests/heap/heap_count.h"

namespace dpl {
namespace {

std::string CodeOf(std::string_view text, const JsonLimits& limits = {}) {
  Arena arena;
  auto root = ParseJson(text, &arena, limits);
  return root.ok() ? "taken" : root.error().code;
}

JsonLimits Wide() {
  JsonLimits limits = FileJsonLimits();
  limits.max_depth = 1'000'000;
  return limits;
}

TEST(Hostile, DeepNesting) {
  for (size_t depth : {size_t{100'000}, size_t{1'000'000}}) {
    std::string arrays(depth, '[');
    EXPECT_EQ(CodeOf(arrays, FileJsonLimits()), "json.depth");
    EXPECT_EQ(CodeOf(arrays), depth > 64 * 1024 ? "json.size" : "json.depth");
    std::string objects;
    for (size_t i = 0; i < depth; ++i) objects += "[{\"\":";
    EXPECT_EQ(CodeOf(objects, FileJsonLimits()), "json.depth");
    // No machine stack is used even when the limit lets it all in.
    EXPECT_EQ(CodeOf(arrays, Wide()), "json.syntax");
    EXPECT_EQ(CodeOf(arrays + std::string(depth, ']'), Wide()), "taken");
  }
}

TEST(Hostile, NumbersThatCrashTheDoubleConversion) {
  // With full precision the first ends the process of a reader that is in wide use (RapidJSON of
  // 2016); the second overflows its exponent.
  const std::string numbers[] = {
      "128.74836467836484838364836483643636483648e-336",
      "0." + std::string(40, '1') + "e-2147483639",
      "1e-99999999999999999999999999",
      "0.000000000000000000000000000000000000000000000001e-2147483648",
      "-0." + std::string(5000, '9'),
      "1." + std::string(30'000, '0') + "e-2147483639",
      std::string(308, '9'),
  };
  for (const std::string& number : numbers) {
    Arena arena;
    auto root = ParseJson("[" + number + "]", &arena);
    ASSERT_TRUE(root.ok()) << number;
    EXPECT_EQ((*root)->items[0].text, number);
  }
  // Beyond every number we have, and refused as such.
  for (const std::string& number :
       {std::string(400, '9'), std::string("1e309"), std::string("1e2147483648"),
        std::string("1e99999999999999999999")}) {
    EXPECT_EQ(CodeOf(number), "json.number") << number;
  }
  EXPECT_EQ(CodeOf("1e308"), "taken");
}

std::string Members(size_t count, const std::function<std::string(size_t)>& name) {
  std::string text = "{";
  for (size_t i = 0; i < count; ++i) text += (i ? ",\"" : "\"") + name(i) + "\":0";
  return text + "}";
}

// 100,000 names made alike in every way that slows tables down: shared beginnings, shared endings,
// anagrams, sorted, backwards. A quadratic check would compare 5,000,000,000 pairs for each.
TEST(Hostile, ManyMembersOfOneObject) {
  constexpr size_t kCount = 100'000;
  const std::function<std::string(size_t)> names[] = {
      [](size_t i) { return std::string(40, 'a') + std::to_string(i); },
      [](size_t i) { return std::to_string(i) + std::string(40, 'a'); },
      [](size_t i) { return std::to_string(kCount - i); },
      [](size_t i) {  // equal sums of bytes: "Aa" and "BB" collide in multiply-by-31 hashes
        std::string name;
        for (int bit = 0; bit < 17; ++bit) name += (i >> bit & 1) ? "Aa" : "BB";
        return name;
      },
      [](size_t i) {
        return std::string(i % 2 ? 1 : 2, static_cast<char>('a' + i % 26)) + std::to_string(i);
      },
  };
  for (const auto& name : names) {
    EXPECT_EQ(CodeOf(Members(kCount, name), FileJsonLimits()), "taken");
    auto twice = [&](size_t i) { return name(i == kCount - 1 ? 0 : i); };
    EXPECT_EQ(CodeOf(Members(kCount, twice), FileJsonLimits()), "json.duplicate");
    EXPECT_EQ(CodeOf(Members(1001, name)), "json.members");
  }
  EXPECT_EQ(CodeOf(Members(kCount, [](size_t) { return std::string("same"); }), FileJsonLimits()),
            "json.duplicate");
}

std::string Sample() {
  return R"({"subject":{"type":"user","id":"E1007","properties":{"act":{"sub":"agent-7","tags":["a","b"]}}},)"
         R"("action":{"name":"approve","properties":{"amount":"5000.00 USD","note":"caf\u00e9 \ud83d\ude00"}},)"
         "\"resource\":{\"type\":\"Order\",\"id\":\"PO-\xe4\xb8\xad-1\"},\"context\":{\"n\":-12."
         "5e3,\"t\":[true,false,null]}}";
}

// Every cut and every changed byte of a good text: an answer, and never a read outside.
TEST(Hostile, EveryCutAndEveryByte) {
  const std::string good = Sample();
  ASSERT_EQ(CodeOf(good), "taken");
  for (size_t n = 0; n < good.size(); ++n) {
    std::unique_ptr<char[]> cut(new char[n]);
    std::copy(good.begin(), good.begin() + static_cast<ptrdiff_t>(n), cut.get());
    EXPECT_NE(CodeOf({cut.get(), n}), "taken") << n;
  }
  size_t taken = 0;
  for (size_t at = 0; at < good.size(); ++at) {
    for (int byte = 0; byte < 256; ++byte) {
      std::string text = good;
      text[at] = static_cast<char>(byte);
      taken += CodeOf(text) == "taken";
    }
  }
  EXPECT_GT(taken, good.size());  // letters inside strings may change
}

TEST(Hostile, RandomPieces) {
  const std::string_view pieces[] = {
      "{",          "}",    "[",    "]",    ",",  ":",    "\"",   "\"a\"",
      "\"b\":",     "\\",   "\\u",  "d800", "1",  "-",    ".",    "e",
      "0",          "true", "null", " ",    "\n", "\xc3", "\xa9", "\xf0\x9f\x98\x80",
      "\"\\udc00\""};
  std::mt19937 random(20240607);
  size_t taken = 0;
  for (int round = 0; round < 200'000; ++round) {
    std::string text;
    for (size_t n = random() % 12; n > 0; --n) text += pieces[random() % std::size(pieces)];
    taken += CodeOf(text) == "taken";
  }
  EXPECT_GT(taken, 1000u);
}

// Warm means: the arena has seen a text like this once.
TEST(Memory, AWarmParseAsksTheHeapForNothing) {
  Arena arena;
  const std::string texts[] = {
      Sample(),
      Members(1000, [](size_t i) { return "member" + std::to_string(i); }),
      "[" + std::string(30'000, ' ') + "\"" + std::string(30'000, 'x') + "\"]",
      std::string(32, '[') + std::string(32, ']'),
      "[\"\xe1\x84\x80\xe1\x85\xa1\"]",
  };
  for (const std::string& text : texts) {
    ASSERT_TRUE(ParseJson(text, &arena).ok());
    arena.Reset();
  }
  size_t held = arena.capacity();
  for (int round = 0; round < 100; ++round) {
    for (const std::string& text : texts) {
      size_t before = HeapAllocationsForTest();
      bool ok = ParseJson(text, &arena).ok();
      size_t after = HeapAllocationsForTest();
      ASSERT_TRUE(ok);
      ASSERT_EQ(after - before, 0u);
      arena.Reset();
    }
  }
  EXPECT_EQ(arena.capacity(), held);
}

TEST(Memory, ASmallTextTakesLittle) {
  Arena arena;
  std::string text = Sample();
  ASSERT_TRUE(ParseJson(text, &arena).ok());
  EXPECT_LT(arena.used(), 32 * text.size() + 8192) << text.size();
}

TEST(Memory, AWarmWriterAsksTheHeapForNothing) {
  std::string out;
  auto write = [&] {
    out.clear();
    JsonWriter w(&out);
    w.BeginObject().Member("a", "text \" \\ \n").Key("b").BeginArray();
    for (int i = 0; i < 100; ++i) w.Int(i);
    w.EndArray().EndObject();
  };
  write();
  size_t before = HeapAllocationsForTest();
  write();
  EXPECT_EQ(HeapAllocationsForTest() - before, 0u);
}

}  // namespace
}  // namespace dpl
