// See lane.h. Chunks are a linked list; a chunk's entries stand behind each other, each a header
// and its bytes, at multiples of 8. The writer publishes how much of a chunk is ready, and links
// the next one when the next entry does not fit.
#include "runtime/audit/lane.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

#include "runtime/base/result.h"

namespace dpl {
namespace {

constexpr size_t kChunk = size_t{256} << 10;

constexpr size_t kLine = 64;
constexpr size_t kAhead = 12 * kLine;  // more than most entries have

// The next entry's memory was read by the log's thread last: it is asked for now, so that it is
// here when it is written. No more than a hint.
void ExpectWrites(char* at, size_t size) {
#if defined(__x86_64__)
  for (size_t i = 0; i < size; i += kLine) asm volatile("prefetchw %0" ::"m"(at[i]));
#else
  for (size_t i = 0; i < size; i += kLine) __builtin_prefetch(at + i, 1);
#endif
}

constexpr size_t Rounded(size_t size) { return (size + 7) & ~size_t{7}; }

}  // namespace

struct AuditLane::Chunk {
  size_t capacity = 0;
  std::atomic<size_t> ready{0};
  std::atomic<Chunk*> next{nullptr};
  char* bytes() { return reinterpret_cast<char*>(this + 1); }
};

struct AuditLane::Header {
  uint32_t size = 0;  // of the bytes
  uint32_t uses = 0;  // 1: they are a LaneContext*, owned
  Instant time{};
};

AuditLane::AuditLane(Log* log, uint16_t number)
    : log_(log), number_(number), in_(NewChunk(0)), out_(in_) {}

AuditLane::~AuditLane() {
  Entry entry;
  while (Peek(&entry)) Take();  // lets go of what the entries use
  for (Chunk* chunk = out_; chunk != nullptr;) std::free(std::exchange(chunk, chunk->next.load()));
  for (std::atomic<Chunk*>& spare : spare_) std::free(spare.load());
}

AuditLane::Chunk* AuditLane::NewChunk(size_t size) {
  if (size <= kChunk) {
    for (std::atomic<Chunk*>& spare : spare_) {
      Chunk* chunk = spare.load(std::memory_order_relaxed);
      if (chunk == nullptr) continue;
      chunk = spare.exchange(nullptr, std::memory_order_acquire);
      chunk->ready.store(0, std::memory_order_relaxed);
      chunk->next.store(nullptr, std::memory_order_relaxed);
      return chunk;
    }
  }
  const size_t capacity = size <= kChunk ? kChunk : size;
  void* memory = std::malloc(sizeof(Chunk) + capacity);
  DPL_CHECK(memory != nullptr);
  Chunk* chunk = new (memory) Chunk;
  chunk->capacity = capacity;
  return chunk;
}

void AuditLane::Recycle(Chunk* chunk) {
  if (chunk->capacity == kChunk) {
    for (std::atomic<Chunk*>& spare : spare_) {
      if (spare.load(std::memory_order_relaxed) != nullptr) continue;
      spare.store(chunk, std::memory_order_release);
      return;
    }
  }
  std::free(chunk);
}

char* AuditLane::Room(size_t size) {
  if (written_ + size > in_->capacity) {
    Chunk* next = NewChunk(size);
    in_->next.store(next, std::memory_order_release);
    in_ = next;
    written_ = 0;
  }
  return in_->bytes() + written_;
}

void AuditLane::Publish(size_t size) {
  written_ += size;
  in_->ready.store(written_, std::memory_order_release);
  pushed_bytes_.store(pushed_bytes_.load(std::memory_order_relaxed) + size,
                      std::memory_order_relaxed);
}

void AuditLane::Use(LaneContext context) {
  const Header header{sizeof(LaneContext*), 1, {}};
  auto* own = new LaneContext(std::move(context));
  char* at = Room(sizeof header + sizeof own);
  std::memcpy(at, &header, sizeof header);
  std::memcpy(at + sizeof header, &own, sizeof own);
  Publish(sizeof header + sizeof own);
  pushed_.store(pushed_.load(std::memory_order_relaxed) + 1, std::memory_order_release);
  log_->Pushed(this, AuditSync{});
}

uint64_t AuditLane::Append(std::string_view first, std::string_view second, Instant time,
                           AuditSync sync) {
  const size_t bytes = first.size() + second.size();
  const size_t size = sizeof(Header) + Rounded(bytes);
  if (!log_->Takes(this, size)) return 0;
  const Header header{static_cast<uint32_t>(bytes), 0, time};
  char* at = Room(size);
  std::memcpy(at, &header, sizeof header);
  at += sizeof header;
  if (!first.empty()) std::memcpy(at, first.data(), first.size());
  if (!second.empty()) std::memcpy(at + first.size(), second.data(), second.size());
  Publish(size);
  const uint64_t count = pushed_.load(std::memory_order_relaxed) + 1;
  pushed_.store(count, std::memory_order_release);
  ExpectWrites(in_->bytes() + written_, std::min(kAhead, in_->capacity - written_));
  log_->Pushed(this, sync);
  return number_ << kTicketBits | count;
}

bool AuditLane::Peek(Entry* entry) {
  for (;;) {
    if (read_ == ready_ && read_ == (ready_ = out_->ready.load(std::memory_order_acquire))) {
      Chunk* next = out_->next.load(std::memory_order_acquire);
      if (next == nullptr) return false;
      // The last entry may have come between the two looks.
      if (read_ != (ready_ = out_->ready.load(std::memory_order_acquire))) continue;
      Recycle(std::exchange(out_, next));
      read_ = ready_ = 0;
      continue;
    }
    Header header;
    std::memcpy(&header, out_->bytes() + read_, sizeof header);
    const char* bytes = out_->bytes() + read_ + sizeof header;
    step_ = sizeof header + Rounded(header.size);
    if (header.uses == 0) {
      *entry = {header.time, {bytes, header.size}, context_.get()};
      return true;
    }
    LaneContext* own = nullptr;
    std::memcpy(&own, bytes, sizeof own);
    context_ = std::move(*own);
    delete own;
    Take();
  }
}

}  // namespace dpl
