// SipHash with one compression and three finalisation rounds; see keyed_hash.h.
#include "runtime/base/keyed_hash.h"

#include <array>
#include <bit>
#include <cstring>
#include <random>

namespace dpl {
namespace {

struct Sip {
  uint64_t v0, v1, v2, v3;
  void Round() {
    v0 += v1, v1 = std::rotl(v1, 13), v1 ^= v0, v0 = std::rotl(v0, 32);
    v2 += v3, v3 = std::rotl(v3, 16), v3 ^= v2;
    v0 += v3, v3 = std::rotl(v3, 21), v3 ^= v0;
    v2 += v1, v1 = std::rotl(v1, 17), v1 ^= v2, v2 = std::rotl(v2, 32);
  }
};

std::array<uint64_t, 5> Draw() {
  std::random_device source;
  std::array<uint64_t, 5> drawn{};
  for (uint64_t& word : drawn) word = (static_cast<uint64_t>(source()) << 32) ^ source();
  return drawn;
}

}  // namespace

uint64_t SipHash13(uint64_t k0, uint64_t k1, std::string_view bytes) {
  Sip s{k0 ^ 0x736f6d6570736575ull, k1 ^ 0x646f72616e646f6dull, k0 ^ 0x6c7967656e657261ull,
        k1 ^ 0x7465646279746573ull};
  const char* at = bytes.data();
  size_t left = bytes.size();
  for (; left >= 8; left -= 8, at += 8) {
    uint64_t m = 0;
    std::memcpy(&m, at, 8);
    s.v3 ^= m;
    s.Round();
    s.v0 ^= m;
  }
  uint64_t last = static_cast<uint64_t>(bytes.size()) << 56;
  if (left != 0 && bytes.size() >= 8 && std::endian::native == std::endian::little) {
    uint64_t tail = 0;  // the last eight bytes, without those that are in already
    std::memcpy(&tail, at + left - 8, 8);
    last |= tail >> (8 * (8 - left));
  } else {
    for (size_t i = 0; i < left; ++i)
      last |= uint64_t{static_cast<unsigned char>(at[i])} << (8 * i);
  }
  s.v3 ^= last;
  s.Round();
  s.v0 ^= last;
  s.v2 ^= 0xff;
  for (int i = 0; i < 3; ++i) s.Round();
  return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

const std::array<uint64_t, 5>& ProcessSecrets() {
  static const std::array<uint64_t, 5> secrets = Draw();
  return secrets;
}

uint64_t KeyedHash(std::string_view bytes) {
  const std::array<uint64_t, 5>& secrets = ProcessSecrets();
  return SipHash13(secrets[0], secrets[1], bytes);
}

}  // namespace dpl
