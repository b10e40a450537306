// SipHash with one compression and three finalisation rounds; see keyed_hash.h.
#include "runtime/state/keyed_hash.h"

#include <bit>
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

struct ProcessKey {
  uint64_t k0, k1;
  ProcessKey() {
    std::random_device source;
    auto word = [&] { return (static_cast<uint64_t>(source()) << 32) ^ source(); };
    k0 = word();
    k1 = word();
  }
};

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
  uint64_t tail = 0;
  if (left != 0) std::memcpy(&tail, at, left);
  last |= tail;
  s.v3 ^= last;
  s.Round();
  s.v0 ^= last;
  s.v2 ^= 0xff;
  for (int i = 0; i < 3; ++i) s.Round();
  return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

uint64_t KeyedHash(std::string_view bytes) {
  static const ProcessKey key;
  return SipHash13(key.k0, key.k1, bytes);
}

}  // namespace dpl
