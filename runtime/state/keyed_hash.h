// Keys of the state's tables, joined from parts without touching the heap; their hash is
// runtime/base/keyed_hash.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <string>
#include <string_view>

#include "runtime/base/keyed_hash.h"

namespace dpl {

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
