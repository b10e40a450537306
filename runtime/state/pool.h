// Memory for very many small things of any size: no header, no more than 7 bytes lost for each.
// What is freed is used again for things of that size; nothing goes back before the pool ends. Not
// thread-safe.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <new>
#include <vector>

namespace dpl {

class Pool {
 public:
  // Aligned to 8.
  void* Take(size_t size) {
    size = Rounded(size);
    if (size > kLargest) return ::operator new(size);
    Free*& free = free_[size / 8];
    if (free != nullptr) {
      void* at = free;
      free = free->next;
      return at;
    }
    if (left_ < size) Refill();
    at_ += size;
    left_ -= size;
    return at_ - size;
  }
  void Give(void* at, size_t size) {
    size = Rounded(size);
    if (size > kLargest) return ::operator delete(at);
    Free* gone = new (at) Free;
    gone->next = free_[size / 8];
    free_[size / 8] = gone;
  }

 private:
  static constexpr size_t kLargest = 512, kFirstBlock = 4096, kBlock = 256 * 1024;
  struct Free {
    Free* next;
  };
  static size_t Rounded(size_t size) { return size < 8 ? 8 : (size + 7) & ~size_t{7}; }
  void Refill() {
    const size_t size = blocks_.empty() ? kFirstBlock : kBlock;
    blocks_.emplace_back(std::make_unique_for_overwrite<std::byte[]>(size));
    at_ = blocks_.back().get();
    left_ = size;
  }

  std::array<Free*, kLargest / 8 + 1> free_{};
  std::vector<std::unique_ptr<std::byte[]>> blocks_;
  std::byte* at_ = nullptr;
  size_t left_ = 0;
};

}  // namespace dpl
