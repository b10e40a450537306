// Hash tables whose keys others may choose, by a request or by the facts they are in: SipHash-1-3
// under a key of this process.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

namespace dpl {

uint64_t SipHash13(uint64_t k0, uint64_t k1, std::string_view bytes);
// Numbers of this process that nobody outside can know: the first two are the key of KeyedHash, the
// others are for quicker hashes that are made with them.
const std::array<uint64_t, 5>& ProcessSecrets();
// Under a key drawn once per process. The order of a table made with it is never shown to anybody.
uint64_t KeyedHash(std::string_view bytes);

struct KeyedHasher {
  using is_transparent = void;
  size_t operator()(std::string_view s) const { return static_cast<size_t>(KeyedHash(s)); }
};
template <class T>
using KeyedMap = std::unordered_map<std::string, T, KeyedHasher, std::equal_to<>>;
using KeyedSet = std::unordered_set<std::string, KeyedHasher, std::equal_to<>>;

}  // namespace dpl
