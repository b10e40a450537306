// Arena, bytes, hashes, results and spans.
#include <cstring>

#include <gtest/gtest.h>

#include "runtime/base/arena.h"
#include "runtime/base/bytes.h"
#include "runtime/base/result.h"
#include "runtime/base/sha256.h"
#include "runtime/base/span.h"

namespace dpl {
namespace {

TEST(ResultTest, HoldsValueOrError) {
  Result<int> good = 7;
  EXPECT_TRUE(good.ok());
  EXPECT_EQ(*good, 7);
  Result<int> bad = Error{"a.code", "words", 2, 3};
  EXPECT_FALSE(bad.ok());
  EXPECT_EQ(bad.error().code, "a.code");
  EXPECT_EQ(bad.error().column, 3u);
  Result<std::string> text = std::string("moved out");
  EXPECT_EQ(text->size(), 9u);
  EXPECT_EQ(text.take(), "moved out");

  EXPECT_TRUE(Status::Ok().ok());
  auto passes_on = []() -> Status {
    DPL_RETURN_IF_ERROR(Status::Ok());
    DPL_RETURN_IF_ERROR(Status(Error{"first", ""}));
    return Error{"second", ""};
  };
  EXPECT_EQ(passes_on().error().code, "first");
}

TEST(ResultDeathTest, MisuseEndsTheProcess) {
  Result<int> bad = Error{"a.code", "words"};
  EXPECT_DEATH(static_cast<void>(bad.value()), "check failed");
  DPL_CHECK(1 + 1 == 2);
}

TEST(SpanTest, Compares) {
  Span a{1, 2, 3, 4, 5, 6, 7};
  Span b = a;
  EXPECT_EQ(a, b);
  b.end_column = 8;
  EXPECT_NE(a, b);
  EXPECT_TRUE(a.known());
  EXPECT_FALSE(Span{}.known());
}

TEST(ArenaTest, AlignsAndKeepsData) {
  Arena arena(Arena::kNoLimit, 64);
  std::vector<std::pair<unsigned char*, size_t>> pieces;
  for (size_t i = 0; i < 2000; ++i) {
    size_t size = i * 7 % 113;
    size_t align = size_t{1} << (i % 7);
    void* at = arena.Allocate(size, align);
    ASSERT_NE(at, nullptr);
    ASSERT_EQ(reinterpret_cast<uintptr_t>(at) % align, 0u);
    std::memset(at, static_cast<int>(i & 0xff), size);
    pieces.emplace_back(static_cast<unsigned char*>(at), size);
  }
  for (size_t i = 0; i < pieces.size(); ++i) {
    for (size_t j = 0; j < pieces[i].second; ++j) ASSERT_EQ(pieces[i].first[j], i & 0xff);
  }
}

TEST(ArenaTest, WarmRoundsTakeNoNewBlocks) {
  Arena arena(Arena::kNoLimit, 128);
  auto round = [&] {
    for (size_t i = 1; i < 300; ++i) ASSERT_NE(arena.Allocate(i * 3 % 500, 8), nullptr);
    ASSERT_NE(arena.Allocate(100'000, 16), nullptr);
  };
  round();
  size_t warm = arena.capacity();
  for (int i = 0; i < 20; ++i) {
    arena.Reset();
    EXPECT_EQ(arena.used(), 0u);
    round();
    EXPECT_EQ(arena.capacity(), warm);
  }
}

TEST(ArenaTest, StopsAtItsLimit) {
  Arena arena(1000);
  EXPECT_NE(arena.Allocate(600, 1), nullptr);
  EXPECT_EQ(arena.Allocate(401, 1), nullptr);
  EXPECT_NE(arena.Allocate(400, 1), nullptr);
  EXPECT_EQ(arena.Allocate(1, 1), nullptr);
  EXPECT_LE(arena.used(), arena.limit());
  EXPECT_EQ(arena.Copy("x").data(), nullptr);
  arena.Reset();
  EXPECT_NE(arena.Allocate(1000, 1), nullptr);

  Arena free_arena;
  EXPECT_EQ(free_arena.Allocate(SIZE_MAX, 1), nullptr);
  EXPECT_EQ(free_arena.Allocate(SIZE_MAX - 8, 16), nullptr);
  EXPECT_EQ(free_arena.NewArray<uint64_t>(SIZE_MAX / 8 + 1), nullptr);
  EXPECT_NE(free_arena.NewArray<uint64_t>(10), nullptr);
}

TEST(ArenaTest, MakesObjectsAndCopies) {
  struct Point {
    int x, y;
  };
  Arena arena;
  Point* point = arena.New<Point>(3, 4);
  EXPECT_EQ(point->y, 4);
  int* zeros = arena.NewArray<int>(100);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(zeros[i], 0);
  std::string source = "text";
  std::string_view copy = arena.Copy(source);
  source[0] = 'X';
  EXPECT_EQ(copy, "text");
  EXPECT_NE(arena.Copy("").data(), nullptr);
  EXPECT_NE(arena.NewArray<int>(0), nullptr);
}

TEST(Bytes, RoundTrip) {
  std::string out;
  ByteWriter w(&out);
  w.U8(0xab);
  w.U16(0x1234);
  w.U32(0xdeadbeef);
  w.U64(0x0123456789abcdef);
  w.I32(-5);
  w.I64(INT64_MIN);
  const uint64_t varints[] = {0, 1, 127, 128, 300, UINT32_MAX, UINT64_MAX};
  for (uint64_t v : varints) w.Varint(v);
  const int64_t signed_varints[] = {0, -1, 1, -64, 64, INT64_MIN, INT64_MAX};
  for (int64_t v : signed_varints) w.SignedVarint(v);
  w.String("hello");
  w.String("");
  w.Bytes("raw");
  EXPECT_EQ(out.substr(0, 7), "\xab\x34\x12\xef\xbe\xad\xde");  // little-endian
  w.PatchU32(3, 7);

  ByteReader r(out);
  uint8_t u8;
  uint16_t u16;
  uint32_t u32;
  uint64_t u64;
  int32_t i32;
  int64_t i64;
  std::string_view s;
  EXPECT_TRUE(r.U8(&u8) && u8 == 0xab);
  EXPECT_TRUE(r.U16(&u16) && u16 == 0x1234);
  EXPECT_TRUE(r.U32(&u32) && u32 == 7);
  EXPECT_TRUE(r.U64(&u64) && u64 == 0x0123456789abcdef);
  EXPECT_TRUE(r.I32(&i32) && i32 == -5);
  EXPECT_TRUE(r.I64(&i64) && i64 == INT64_MIN);
  for (uint64_t v : varints) EXPECT_TRUE(r.Varint(&u64) && u64 == v) << v;
  for (int64_t v : signed_varints) EXPECT_TRUE(r.SignedVarint(&i64) && i64 == v) << v;
  EXPECT_TRUE(r.String(&s) && s == "hello");
  EXPECT_TRUE(r.String(&s) && s.empty());
  EXPECT_TRUE(r.Bytes(3, &s) && s == "raw");
  EXPECT_TRUE(r.at_end());
  EXPECT_FALSE(r.failed());
  EXPECT_FALSE(r.U8(&u8));
  EXPECT_TRUE(r.failed());
}

TEST(Bytes, RefusesEveryCut) {
  std::string out;
  ByteWriter w(&out);
  w.U16(1);
  w.U32(2);
  w.U64(3);
  w.Varint(1u << 20);
  w.String("some text");
  auto read = [](std::string_view bytes) {
    ByteReader r(bytes);
    uint16_t a;
    uint32_t b;
    uint64_t c, d;
    std::string_view e;
    r.U16(&a);
    r.U32(&b);
    r.U64(&c);
    r.Varint(&d);
    r.String(&e);
    return !r.failed();
  };
  EXPECT_TRUE(read(out));
  for (size_t n = 0; n < out.size(); ++n) EXPECT_FALSE(read(out.substr(0, n))) << n;
}

TEST(Bytes, RefusesHostileCounts) {
  using namespace std::string_view_literals;
  auto varint_fails = [](std::string_view bytes) {
    ByteReader r(bytes);
    uint64_t v;
    return !r.Varint(&v) && r.failed();
  };
  EXPECT_TRUE(varint_fails("\x80\x00"sv));  // longer spelling of 0
  EXPECT_TRUE(varint_fails("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"sv));
  EXPECT_TRUE(varint_fails("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"sv));
  EXPECT_TRUE(varint_fails("\x80"sv));
  EXPECT_FALSE(varint_fails("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"sv));

  uint32_t n;
  ByteReader wide("\xff\xff\xff\xff\x1f"sv);  // above 2^32
  EXPECT_FALSE(wide.Varint32(&n));
  std::string_view s;
  ByteReader huge("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01 rest"sv);
  EXPECT_FALSE(huge.String(&s));
  EXPECT_TRUE(s.empty());
  ByteReader capped(
      "\x03"
      "abc"sv);
  EXPECT_FALSE(capped.String(&s, 2));
  ByteReader fits(
      "\x03"
      "abc"sv);
  EXPECT_TRUE(fits.String(&s, 3));

  ByteReader count(
      "\x03"
      "abcdef"sv);
  EXPECT_TRUE(count.Count(&n, 2));
  ByteReader over(
      "\x04"
      "abcdef"sv);
  EXPECT_FALSE(over.Count(&n, 2));
  EXPECT_EQ(n, 0u);
}

TEST(Hashes, Sha256Vectors) {
  // FIPS 180-4 examples.
  EXPECT_EQ(Hex(Sha256("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(Hex(Sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(Hex(Sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(Hex(Sha256(std::string(1'000'000, 'a'))),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Hashes, Sha256InPiecesIsTheSame) {
  std::string text;
  for (int i = 0; i < 300; ++i) text += static_cast<char>(i * 31);
  for (size_t size = 0; size <= 200; ++size) {
    for (size_t piece : {1, 7, 55, 64, 65}) {
      Sha256Stream stream;
      std::string_view left = std::string_view(text).substr(0, size);
      while (!left.empty()) {
        stream.Update(left.substr(0, piece));
        left.remove_prefix(std::min(piece, left.size()));
      }
      ASSERT_EQ(stream.Finish(), Sha256(std::string_view(text).substr(0, size))) << size;
    }
  }
}

TEST(Hashes, HexAndHash64AreFixed) {
  std::string bytes;
  EXPECT_TRUE(ParseHex("00ffAb", &bytes));
  EXPECT_EQ(Hex(bytes), "00ffab");
  EXPECT_FALSE(ParseHex("0", &bytes));
  EXPECT_FALSE(ParseHex("0g", &bytes));
  // Written into bundles: these values may never change.
  EXPECT_EQ(Hash64(""), 0xefd01f60ba992926u);
  EXPECT_EQ(Hash64("a"), 0x82a2a958a9bece5bu);
  EXPECT_NE(Hash64("a"), Hash64("b"));
}

}  // namespace
}  // namespace dpl
