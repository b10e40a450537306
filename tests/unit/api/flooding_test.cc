// Texts chosen so that they would fall on each other in a table whose hash is known: in ours they
// do not. Each case first shows that they do where the hash is fixed. Places are counted, not time.
#include <algorithm>
#include <cstring>
#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

#include <gtest/gtest.h>

#include "runtime/base/keyed_hash.h"
#include "runtime/facts/text_index.h"
#include "runtime/search/index.h"

namespace dpl {
namespace {

constexpr size_t kKeys = 500;

// So many texts for which `falls_there` is true.
template <class FallsThere>
std::vector<std::string> Chosen(const FallsThere& falls_there) {
  std::vector<std::string> out;
  for (uint64_t i = 0; out.size() < kKeys; ++i) {
    std::string key = "order-" + std::to_string(10'000'000 + i);
    if (falls_there(key)) out.push_back(std::move(key));
  }
  return out;
}

// The hash of a TextIndex with secrets that everybody knows.
uint64_t FixedHash(uint32_t space, std::string_view text) {
  constexpr uint64_t kFirst = 0x9e3779b97f4a7c15u, kSecond = 0xd6e8feb86659fd93u;
  auto fold = [](uint64_t a, uint64_t b) {
    __extension__ using Wide = unsigned __int128;
    const Wide product = static_cast<Wide>(a) * b;
    return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
  };
  auto word = [](const char* at) {
    uint64_t w = 0;
    std::memcpy(&w, at, 8);
    return w;
  };
  uint64_t h = fold(uint64_t{space} + kFirst, text.size() ^ kSecond);
  const char* at = text.data();
  for (size_t left = text.size(); left > 8; left -= 8, at += 8) h = fold(h ^ word(at), kFirst);
  return fold(h ^ word(text.data() + text.size() - 8), kSecond);
}

TEST(Flooding, IdsOfFactsDoNotPileUp) {
  constexpr uint64_t kPlaces = 1024;  // of a table of so many
  const std::vector<std::string> keys =
      Chosen([](const std::string& key) { return FixedHash(3, key) % kPlaces == 0; });
  TextIndex index;
  for (size_t i = 0; i < keys.size(); ++i) index.Add(3, keys[i], static_cast<uint32_t>(i));
  size_t probes = 0, most = 0;
  for (size_t i = 0; i < keys.size(); ++i) {
    EXPECT_EQ(index.Find(3, keys[i]), i);
    const size_t own = index.ProbesForTest(3, keys[i]);
    probes += own, most = std::max(most, own);
    probes += index.ProbesForTest(3, "no-" + keys[i]);
  }
  // 250 for each if all of them stood behind each other.
  EXPECT_LT(probes, 10 * kKeys);
  EXPECT_LT(most, kKeys / 4);
}

// The places of a map that are looked at when each of its keys is asked for once.
template <class Map>
size_t Looked(const Map& map) {
  size_t sum = 0;
  for (size_t b = 0; b < map.bucket_count(); ++b) sum += map.bucket_size(b) * map.bucket_size(b);
  return sum;
}

TEST(Flooding, KeysOfRequestsDoNotPileUp) {
  std::unordered_map<std::string, int> known;
  known.reserve(kKeys);
  const size_t buckets = known.bucket_count();
  const std::vector<std::string> keys = Chosen(
      [buckets](const std::string& key) { return std::hash<std::string>()(key) % buckets == 0; });
  KeyedMap<int> keyed;
  keyed.reserve(kKeys);
  ASSERT_EQ(keyed.bucket_count(), buckets);
  for (const std::string& key : keys) {
    known.emplace(key, 0);
    keyed.emplace(key, 0);
  }
  EXPECT_EQ(Looked(known), kKeys * kKeys);
  EXPECT_LT(Looked(keyed), 4 * kKeys);
}

TEST(Flooding, ValuesOfFactsDoNotPileUp) {
  std::unordered_map<uint64_t, size_t> numbers, texts;
  const std::vector<std::string> keys = Chosen([](const std::string&) { return true; });
  for (uint64_t i = 0; i < kKeys; ++i) {
    // Alike in all bits that a plain product mixes down.
    const Value number = Value::Int(ValueKind::kInt, static_cast<int64_t>(i << 44));
    uint64_t hash = 0;
    ASSERT_TRUE(HashOfValue(number, &hash));
    ++numbers[hash % 512];
    const Value text = Value::Text(ValueKind::kString, keys[i]);
    ASSERT_TRUE(HashOfValue(text, &hash));
    ++texts[hash % 512];
  }
  for (const auto& table : {numbers, texts}) {
    for (const auto& [place, count] : table) EXPECT_LT(count, 20u) << place;
  }
}

}  // namespace
}  // namespace dpl
