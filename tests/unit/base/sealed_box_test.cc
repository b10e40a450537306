// Sealed boxes: what goes in comes out, and nothing else does.
#include "runtime/base/sealed_box.h"

#include <gtest/gtest.h>

#include "runtime/base/sha256.h"

namespace dpl {
namespace {

BoxKey Key(uint8_t first) {
  BoxKey key{};
  key[0] = first;
  return key;
}

TEST(SealedBox, MatchesTheStandardsVector) {
  // NIST GCM test case 14: key and nonce of zeros, one block of zeros.
  SealedBox box(Key(0));
  std::string sealed;
  box.Seal({}, "", std::string(16, '\0'), &sealed);
  EXPECT_EQ(Hex(std::string_view(sealed).substr(12)),
            "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919");
}

TEST(SealedBox, OpensWhatItSealedAndNothingElse) {
  SealedBox box(Key(1)), other(Key(2));
  for (size_t size : {size_t{0}, size_t{1}, size_t{17}, size_t{5000}}) {
    const std::string plain(size, 'p');
    std::string sealed = "before";
    box.Seal({7}, "about", plain, &sealed);
    ASSERT_EQ(sealed.size(), 6 + size + SealedBox::kOverhead);
    sealed.erase(0, 6);
    EXPECT_EQ(box.Open("about", sealed), plain);
    EXPECT_EQ(box.Open("else", sealed), std::nullopt);
    EXPECT_EQ(other.Open("about", sealed), std::nullopt);
    for (size_t i = 0; i < sealed.size(); i += 1 + size / 20) {
      std::string bent = sealed;
      bent[i] = static_cast<char>(bent[i] ^ 1);
      EXPECT_EQ(box.Open("about", bent), std::nullopt) << i;
    }
    EXPECT_EQ(box.Open("about", std::string_view(sealed).substr(1)), std::nullopt);
    EXPECT_EQ(box.Open("about", ""), std::nullopt);
  }
}

TEST(SealedBox, WhatIsBoundMustBeTheSameToOpenIt) {
  SealedBox box(Key(1));
  std::string sealed;
  box.Seal({7}, "about", "plain", &sealed, "more");
  EXPECT_EQ(box.Open("about", sealed, "more"), "plain");
  EXPECT_EQ(box.Open("about", sealed, "mor"), std::nullopt);
  EXPECT_EQ(box.Open("about", sealed), std::nullopt);
  EXPECT_EQ(box.PeekUnchecked(sealed), "plain");
  EXPECT_EQ(box.PeekUnchecked("short"), std::nullopt);
}

TEST(SealedBox, RandomIsNotTheSameTwice) {
  BoxKey a{}, b{};
  ASSERT_TRUE(FillRandom(a.data(), a.size()));
  ASSERT_TRUE(FillRandom(b.data(), b.size()));
  EXPECT_NE(a, b);
}

}  // namespace
}  // namespace dpl
