// The names of entries of which there may be a million, in few bytes: a UUID as its 16 bytes, and
// what very many names begin with as a word of a list.
//
//   PackName(name, &words, &packed);      PackedEquals(packed, &words, name)
//
// Packing keeps names apart: two are packed alike only when they are alike.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "runtime/state/keyed_hash.h"

namespace dpl {

// Texts that are shared, each kept as long as somebody holds it. Not thread-safe.
class Words {
 public:
  uint32_t Hold(std::string_view text);
  void Drop(uint32_t word);
  std::string_view At(uint32_t word) const { return *entries_[word].text; }
  size_t size() const { return numbers_.size(); }

 private:
  struct Entry {
    const std::string* text = nullptr;  // a key of numbers_
    uint64_t holders = 0;
  };
  KeyedMap<uint32_t> numbers_;
  std::vector<Entry> entries_;
  std::vector<uint32_t> free_;
};

// How much of a counter's name others of its limit begin with too: everything in front of the first
// part of the key, and that part where it is the agent (counter_name.h). A store puts the kind and
// length of the window in front, in so many bytes.
inline constexpr size_t kCounterHeader = 21;
size_t SharedPrefix(std::string_view name);

// Appends. With `words` the shared prefix becomes a word, which the packed name holds until
// DropPacked.
void PackName(std::string_view name, Words* words, std::string* out);
void DropPacked(std::string_view packed, Words* words);
bool PackedEquals(std::string_view packed, const Words* words, std::string_view name);
void UnpackName(std::string_view packed, const Words* words, std::string* out);  // appends

}  // namespace dpl
