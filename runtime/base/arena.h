// Bump memory for one request, one bundle or one parse: allocate many, give back all at once.
//
//   Arena arena;
//   Node* node = arena.New<Node>(1, 2);     // nullptr past the limit
//   arena.Reset();                          // keeps its blocks: a warm arena asks the heap nothing
//
// Objects are never destroyed, so only trivially destructible types may live here. One thread at
// a time. Failure (byte limit passed, or no memory) is a null pointer, never an exception.
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>
#include <string_view>
#include <type_traits>
#include <utility>

namespace dpl {

class Arena {
 public:
  static constexpr size_t kNoLimit = SIZE_MAX;
  static constexpr size_t kFirstBlock = 16 * 1024;

  explicit Arena(size_t limit = kNoLimit, size_t first_block = kFirstBlock)
      : limit_(limit), next_block_(first_block < 64 ? 64 : first_block) {}
  ~Arena();
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  // `align` is a power of two. Memory is not cleared. nullptr when `used()` would pass `limit()`.
  void* Allocate(size_t size, size_t align = alignof(std::max_align_t)) {
    uintptr_t at = (cursor_ + (align - 1)) & ~static_cast<uintptr_t>(align - 1);
    if (at >= cursor_ && at <= end_ && size <= end_ - at && size != 0) {
      size_t taken = (at - cursor_) + size;
      if (taken > limit_ - used_) return nullptr;
      used_ += taken;
      cursor_ = at + size;
      return reinterpret_cast<void*>(at);
    }
    return AllocateSlow(size, align);
  }

  template <class T, class... Args>
  T* New(Args&&... args) {
    static_assert(std::is_trivially_destructible_v<T>, "an arena never runs destructors");
    void* at = Allocate(sizeof(T), alignof(T));
    return at == nullptr ? nullptr : ::new (at) T{std::forward<Args>(args)...};
  }

  // `n` value-initialised elements (n may be 0: a valid pointer to nothing).
  template <class T>
  T* NewArray(size_t n) {
    static_assert(std::is_trivially_destructible_v<T>, "an arena never runs destructors");
    constexpr size_t kSize = sizeof(T);  // NOLINT: T may well be a pointer
    if (n > SIZE_MAX / kSize) return nullptr;
    void* at = Allocate(n * kSize, alignof(T));
    if (at == nullptr) return nullptr;
    T* first = static_cast<T*>(at);
    for (size_t i = 0; i < n; ++i) ::new (static_cast<void*>(first + i)) T();
    return first;
  }

  // A copy of the bytes; `.data() == nullptr` on failure only (a copy of "" has non-null data).
  std::string_view Copy(std::string_view text);

  // Forgets every object; the blocks stay for the next round.
  void Reset();

  size_t used() const { return used_; }          // bytes handed out since Reset, padding included
  size_t capacity() const { return capacity_; }  // bytes held from the heap
  size_t limit() const { return limit_; }
  void set_limit(size_t limit) { limit_ = limit < used_ ? used_ : limit; }

 private:
  struct Block;
  void* AllocateSlow(size_t size, size_t align);
  void Enter(Block* block);

  uintptr_t cursor_ = 0;
  uintptr_t end_ = 0;
  size_t used_ = 0;
  size_t limit_;
  size_t next_block_;
  size_t capacity_ = 0;
  Block* first_ = nullptr;
  Block* current_ = nullptr;
};

}  // namespace dpl
