// A fast hash of a text, for tables whose keys come from policy and facts, never from a request: it
// is the same in every run, so whoever chose the keys could choose them badly for themselves only.
// For keys that callers choose see runtime/base/keyed_hash.h.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace dpl {

// Both halves of the whole product.
inline uint64_t MixHash(uint64_t a, uint64_t b) {
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(a) * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

// Eight bytes at a time; the last eight may overlap what came before.
inline uint64_t HashText(uint64_t seed, std::string_view text) {
  constexpr uint64_t kFirst = 0x9e3779b97f4a7c15u, kSecond = 0xd6e8feb86659fd93u;
  auto eight = [](const char* at) {
    uint64_t word = 0;
    std::memcpy(&word, at, 8);
    return word;
  };
  auto four = [](const char* at) {
    uint32_t word = 0;
    std::memcpy(&word, at, 4);
    return uint64_t{word};
  };
  const char* at = text.data();
  size_t left = text.size();
  uint64_t h = MixHash(seed + kFirst, text.size() ^ kSecond);
  for (; left > 8; left -= 8, at += 8) h = MixHash(h ^ eight(at), kFirst);
  uint64_t last = 0;
  if (text.size() >= 8) {
    last = eight(text.data() + text.size() - 8);
  } else if (left >= 4) {
    last = four(at) << 32 | four(at + left - 4);
  } else if (left > 0) {
    auto byte = [](char c) { return uint64_t{static_cast<unsigned char>(c)}; };
    last = byte(at[0]) << 16 | byte(at[left / 2]) << 8 | byte(at[left - 1]);
  }
  return MixHash(h ^ last, kSecond);
}

}  // namespace dpl
