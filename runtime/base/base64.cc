#include "runtime/base/base64.h"

#include <cstdint>

namespace dpl {
namespace {

constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

// Two digits for each 12 bits.
struct Pairs {
  char text[4096][2];
  constexpr Pairs() : text() {
    for (size_t i = 0; i < 4096; ++i) {
      text[i][0] = kDigits[i >> 6];
      text[i][1] = kDigits[i & 63];
    }
  }
};
constexpr Pairs kPairs;

int DigitValue(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  return c == '+' ? 62 : c == '/' ? 63 : -1;
}

}  // namespace

void AppendBase64(std::string* out, std::string_view bytes) {
  size_t at = out->size();
  out->resize(at + (bytes.size() + 2) / 3 * 4);
  char* to = out->data() + at;
  size_t i = 0;
  for (; i + 3 <= bytes.size(); i += 3) {
    auto byte = [&](size_t k) { return static_cast<uint32_t>(static_cast<uint8_t>(bytes[i + k])); };
    const uint32_t bits = byte(0) << 16 | byte(1) << 8 | byte(2);
    const auto& high = kPairs.text[bits >> 12];
    const auto& low = kPairs.text[bits & 0xfff];
    to[0] = high[0], to[1] = high[1], to[2] = low[0], to[3] = low[1];
    to += 4;
  }
  for (; i < bytes.size(); i += 3) {
    size_t left = bytes.size() - i;
    auto byte = [&](size_t k) {
      return k < left ? static_cast<uint32_t>(static_cast<uint8_t>(bytes[i + k])) : 0u;
    };
    uint32_t bits = byte(0) << 16 | byte(1) << 8 | byte(2);
    to[0] = kDigits[bits >> 18];
    to[1] = kDigits[bits >> 12 & 63];
    to[2] = left > 1 ? kDigits[bits >> 6 & 63] : '=';
    to[3] = left > 2 ? kDigits[bits & 63] : '=';
    to += 4;
  }
}

std::string Base64(std::string_view bytes) {
  std::string out;
  AppendBase64(&out, bytes);
  return out;
}

bool ParseBase64(std::string_view text, std::string* bytes) {
  bytes->clear();
  if (text.size() % 4 != 0) return false;
  size_t padding = text.ends_with("==") ? 2 : text.ends_with("=") ? 1 : 0;
  uint32_t bits = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    int value = i + padding < text.size() ? DigitValue(text[i]) : 0;
    if (value < 0) return false;
    bits = bits << 6 | static_cast<uint32_t>(value);
    if (i % 4 != 3) continue;
    bytes->push_back(static_cast<char>(bits >> 16));
    bytes->push_back(static_cast<char>(bits >> 8));
    bytes->push_back(static_cast<char>(bits));
    if (i + 1 < text.size()) bits = 0;
  }
  // The bits that padding cuts off must be zero.
  if ((padding == 1 && (bits & 0xff) != 0) || (padding == 2 && (bits & 0xffff) != 0)) return false;
  bytes->resize(bytes->size() - padding);
  return true;
}

}  // namespace dpl
