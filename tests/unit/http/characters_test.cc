// The looks at sixteen bytes beside those at one.
#include "server/http/characters.h"

#include <string>

#include <gtest/gtest.h>

namespace dpl::http {
namespace {

bool IsWord(std::string_view text, char besides) {
  for (char c : text) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (!letter && !(c >= '0' && c <= '9') && c != '-' && c != besides) return false;
  }
  return true;
}

// Every byte at every place of texts of every length that goes another way.
TEST(Characters, LooksAtManyBytesSeeWhatLooksAtOneSee) {
  for (size_t size = 0; size <= 49; ++size) {
    std::string text;
    for (size_t i = 0; i < size; ++i) text.push_back("aZ09-mQz"[i % 8]);
    if (size >= 8) {
      EXPECT_TRUE(PlainWord(text, '/'));
      EXPECT_TRUE(PlainField(text));
    }
    for (size_t at = 0; at < size; ++at) {
      const char kept = text[at];
      for (int byte = 0; byte < 256; ++byte) {
        text[at] = static_cast<char>(byte);
        ASSERT_EQ(PlainWord(text, '/'), size >= 8 && IsWord(text, '/')) << size << " " << byte;
        ASSERT_EQ(PlainWord(text, '_'), size >= 8 && IsWord(text, '_')) << size << " " << byte;
        ASSERT_TRUE(!PlainWord(text, '_') || All(text, kToken)) << size << " " << byte;
        ASSERT_TRUE(!PlainWord(text, '/') || All(text, kTarget)) << size << " " << byte;
        ASSERT_EQ(PlainField(text), size >= 8 && byte != '\t' && All(text, kField))
            << size << " " << byte;
      }
      text[at] = kept;
    }
  }
}

}  // namespace
}  // namespace dpl::http
