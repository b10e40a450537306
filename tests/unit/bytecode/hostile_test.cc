// Damage and malice: every bit of a small bundle turned, every length cut. A digest catches all of
// it; with the digest made right again, what is not refused is a program that passed the whole
// proof, and may then be read by everything that relies on it.
#include <gtest/gtest.h>

#include "runtime/bytecode/decode.h"
#include "runtime/bytecode/disasm.h"
#include "runtime/bytecode/encode.h"
#include "tests/unit/bytecode/sample.h"

namespace dpl {
namespace {

TEST(Hostile, EveryBitFlipIsRefused) {
  const std::string good = EncodeBundle(SampleProgram());
  for (size_t bit = 0; bit < good.size() * 8; ++bit) {
    std::string bad = good;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
    Result<Program> program = DecodeBundle(bad);
    ASSERT_FALSE(program.ok()) << "bit " << bit;
    ASSERT_FALSE(program.error().code.empty());
  }
}

TEST(Hostile, EveryTruncationIsRefused) {
  const std::string good = EncodeBundle(SampleProgram());
  for (size_t size = 0; size < good.size(); ++size) {
    std::string bad = good.substr(0, size);
    ASSERT_FALSE(DecodeBundle(bad).ok()) << size;
    RepairDigestForTest(&bad);
    ASSERT_FALSE(DecodeBundle(bad).ok()) << size;
  }
}

TEST(Hostile, EveryBitFlipWithARightDigestIsRefusedOrSound) {
  const std::string good = EncodeBundle(SampleProgram());
  int refused = 0, taken = 0;
  for (size_t bit = 0; bit < good.size() * 8; ++bit) {
    std::string bad = good;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
    RepairDigestForTest(&bad);
    Result<Program> program = DecodeBundle(bad);
    if (!program.ok()) {
      ++refused;
      continue;
    }
    ++taken;
    // What was taken is exactly what the bytes say, and its listing reads every name and index.
    ASSERT_EQ(EncodeBundle(*program), bad) << "bit " << bit;
    ASSERT_FALSE(Disassemble(*program).empty());
  }
  // Texts, spans and amounts may differ; structure may not.
  EXPECT_GT(refused, taken / 4);
  EXPECT_GT(taken, 0);
}

// Two bytes at once, reproducibly: what one bit cannot reach.
TEST(Hostile, RandomDamageWithARightDigestIsRefusedOrSound) {
  const std::string good = EncodeBundle(SampleProgram());
  uint64_t seed = 0x9e3779b97f4a7c15;
  auto next = [&] {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
  };
  for (int round = 0; round < 20'000; ++round) {
    std::string bad = good;
    for (uint64_t n = 1 + next() % 4; n > 0; --n)
      bad[64 + next() % (bad.size() - 64)] = static_cast<char>(next());
    RepairDigestForTest(&bad);
    Result<Program> program = DecodeBundle(bad);
    if (program.ok()) {
      ASSERT_FALSE(Disassemble(*program).empty());
    }
  }
}

}  // namespace
}  // namespace dpl
