// Blocks of the arena: taken from the heap when none of the kept ones fits, freed at the end.
#include "runtime/base/arena.h"

#include <cstring>

#include "runtime/base/result.h"

namespace dpl {

// max_align_t keeps the first byte after the header as aligned as malloc's own.
struct alignas(std::max_align_t) Arena::Block {
  Block* next;
  size_t size;  // usable bytes after this header
  uintptr_t begin() const { return reinterpret_cast<uintptr_t>(this + 1); }
};

namespace {

constexpr size_t kMaxBlockGrowth = 16 * 1024 * 1024;

}  // namespace

Arena::~Arena() {
  for (Block* block = first_; block != nullptr;) {
    Block* next = block->next;
    ::operator delete(block);
    block = next;
  }
}

void Arena::Enter(Block* block) {
  current_ = block;
  cursor_ = block->begin();
  end_ = cursor_ + block->size;
}

// Out of room in the current block: the next kept block that is big enough, else a new one. Blocks
// double in size, so a round of n bytes touches few of them.
void* Arena::AllocateSlow(size_t size, size_t align) {
  if (size == 0) size = 1;
  if (size > limit_ - used_) return nullptr;
  if (align > SIZE_MAX / 2 || size > SIZE_MAX - align - sizeof(Block)) return nullptr;
  size_t need = size + align;

  auto fits = [&](uintptr_t* at) {
    *at = (cursor_ + (align - 1)) & ~static_cast<uintptr_t>(align - 1);
    return current_ != nullptr && *at <= end_ && size <= end_ - *at;
  };
  uintptr_t at = 0;
  if (!fits(&at)) {
    Block* last = current_;
    Block* found = current_ == nullptr ? first_ : current_->next;
    while (found != nullptr && found->size < need) {
      last = found;
      found = found->next;
    }
    if (found == nullptr) {
      size_t bytes = need > next_block_ ? need : next_block_;
      // operator new, so that whoever counts the program's allocations counts these too.
      found = static_cast<Block*>(::operator new(sizeof(Block) + bytes, std::nothrow));
      if (found == nullptr) return nullptr;
      found->next = nullptr;
      found->size = bytes;
      capacity_ += bytes;
      next_block_ = bytes >= kMaxBlockGrowth / 2 ? kMaxBlockGrowth : bytes * 2;
      (last == nullptr ? first_ : last->next) = found;
    }
    Enter(found);
    DPL_CHECK(fits(&at));
  }
  size_t taken = (at - cursor_) + size;
  if (taken > limit_ - used_) return nullptr;
  used_ += taken;
  cursor_ = at + size;
  return reinterpret_cast<void*>(at);
}

std::string_view Arena::Copy(std::string_view text) {
  void* at = Allocate(text.size(), 1);
  if (at == nullptr) return {};
  if (!text.empty()) std::memcpy(at, text.data(), text.size());
  return {static_cast<const char*>(at), text.size()};
}

void Arena::Reset() {
  used_ = 0;
  if (first_ != nullptr) Enter(first_);
}

}  // namespace dpl
