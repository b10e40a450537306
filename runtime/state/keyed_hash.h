// Hash tables whose keys a request may choose: SipHash-1-3 under a key of this process, and keys
// joined from parts without touching the heap.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <unordered_map>

namespace dpl {

uint64_t SipHash13(uint64_t k0, uint64_t k1, std::string_view bytes);
// Under a key drawn once per process. The order of a table made with it is never shown to anybody.
uint64_t KeyedHash(std::string_view bytes);

struct KeyedHasher {
  using is_transparent = void;
  size_t operator()(std::string_view s) const { return static_cast<size_t>(KeyedHash(s)); }
};
template <class T>
using KeyedMap = std::unordered_map<std::string, T, KeyedHasher, std::equal_to<>>;

// Several texts as one, unambiguously (each with its length). Short ones live on the stack.
class JoinedKey {
 public:
  JoinedKey(std::initializer_list<std::string_view> parts) {
    size_t size = 0;
    for (std::string_view p : parts) size += p.size() + sizeof(uint32_t);
    char* at = small_;
    if (size > sizeof(small_)) {
      large_.resize(size);
      at = large_.data();
    }
    const char* begin = at;
    for (std::string_view p : parts) {
      uint32_t length = static_cast<uint32_t>(p.size());
      std::memcpy(at, &length, sizeof(length));
      at += sizeof(length);
      if (!p.empty()) std::memcpy(at, p.data(), p.size());
      at += p.size();
    }
    view_ = {begin, size};
  }
  JoinedKey(const JoinedKey&) = delete;
  JoinedKey& operator=(const JoinedKey&) = delete;
  operator std::string_view() const { return view_; }  // NOLINT: implicit
  std::string ToString() const { return std::string(view_); }
  // The first part of a joined text, which is cut off from it.
  static std::string_view TakePart(std::string_view* joined) {
    uint32_t length = 0;
    std::memcpy(&length, joined->data(), sizeof(length));
    std::string_view part = joined->substr(sizeof(length), length);
    joined->remove_prefix(sizeof(length) + length);
    return part;
  }

 private:
  char small_[256];
  std::string large_;
  std::string_view view_;
};

}  // namespace dpl
