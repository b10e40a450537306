// One thread's own way into the audit log, without a lock: what it hands over is taken by the log's
// thread in batches, and made into records there.
//
//   std::shared_ptr<AuditLane> lane = log->OpenLane();         // one per thread that decides
//   lane->Use(context);                                        // what the entries behind it need
//   uint64_t ticket = lane->Append(bytes, now, AuditSync::kSoon);   // 0: not recorded
//
// An entry is bytes that the log's AuditRenderer understands (log.h). It is copied, and lies in
// memory until its record is on disk; the order of one lane is kept. Append asks neither a lock nor
// the system for anything while the log's thread is awake, does not wait for its caches, and asks
// for no memory after warm-up; it wakes that thread when it dozes (nothing came for a second), when
// somebody waits, or when much has gathered.
//
// When the lane is full (AuditOptions::buffer_bytes wait to be kept), Append waits for room, at
// most AuditOptions::patience_ms: slower answers instead of denied ones. Once it has waited in vain
// it refuses at once until there is room again, so that a disk that hangs does not hold its thread.
// In mode `available` it drops and counts at once. A log that cannot be written refuses at once in
// mode `required`.
//
// Append and Use: one thread at a time. The log outlives every Append; the lane may outlive the
// log.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

#include "runtime/base/instant.h"

namespace dpl {

enum class AuditSync : uint8_t;

// What the entries of a lane refer to; held by the log until the lane uses another and every entry
// in front of that is written.
using LaneContext = std::shared_ptr<const void>;

class AuditLane {
 public:
  // How a lane tells its log.
  struct Log {
    virtual ~Log() = default;
    virtual bool Takes(AuditLane* lane, size_t size) = 0;  // false: refused, and counted
    virtual void Pushed(AuditLane* lane, AuditSync sync) = 0;
  };

  AuditLane(Log* log, uint16_t number);
  ~AuditLane();
  AuditLane(const AuditLane&) = delete;
  AuditLane& operator=(const AuditLane&) = delete;

  void Use(LaneContext context);
  // The entry is both texts joined. The ticket is for AuditLog::Check. `time` stands in the
  // record's line.
  uint64_t Append(std::string_view first, std::string_view second, Instant time, AuditSync sync);
  uint64_t Append(std::string_view bytes, Instant time, AuditSync sync) {
    return Append(bytes, {}, time, sync);
  }

  // ---- for the log
  // The thread that appends has waited for room in vain: it does not wait again before there is
  // some.
  bool gave_up() const { return gave_up_; }
  void GiveUp(bool in_vain) { gave_up_ = in_vain; }
  static constexpr int kTicketBits = 48;  // a ticket: the lane's number, and how many before it
  uint64_t pushed() const { return pushed_.load(); }
  // For the thread that appends: how many bytes wait to be kept. The log's thread is asked, whose
  // memory is far, only when it looks like at least `much`.
  uint64_t WaitingBytes(uint64_t much) {
    const uint64_t pushed = pushed_bytes();
    if (pushed - done_seen_ >= much) done_seen_ = done_bytes();
    return pushed - done_seen_;
  }
  uint64_t pushed_bytes() const { return pushed_bytes_.load(std::memory_order_relaxed); }
  uint64_t done_bytes() const { return done_bytes_.load(std::memory_order_relaxed); }
  uint64_t kept() const { return kept_.load(); }

  // The log's thread alone: what comes next, left where it is; false: nothing.
  struct Entry {
    Instant time{};
    std::string_view bytes;
    const void* context = nullptr;
  };
  bool Peek(Entry* entry);
  void Take() { ++taken_, read_ += step_, taken_bytes_ += step_; }
  uint64_t taken() const { return taken_; }
  uint64_t taken_bytes() const { return taken_bytes_; }
  // What was taken is on disk.
  void Keep() {
    done_bytes_.store(taken_bytes_, std::memory_order_relaxed);
    kept_.store(taken_);
  }

 private:
  struct Chunk;
  struct Header;
  char* Room(size_t size);
  void Publish(size_t size);
  Chunk* NewChunk(size_t size);
  void Recycle(Chunk* chunk);

  // Each thread's own lie apart: a line of the cache that two write to costs either of them as much
  // as all the rest.

  // Chunks that may be used again: put by the log's thread, taken by the other.
  static constexpr size_t kSpare = 16;
  alignas(64) std::atomic<Chunk*> spare_[kSpare] = {};

  // The thread that appends.
  alignas(64) Log* const log_;
  const uint64_t number_;
  Chunk* in_;
  size_t written_ = 0;
  uint64_t done_seen_ = 0;
  bool gave_up_ = false;
  alignas(64) std::atomic<uint64_t> pushed_{0};  // entries
  std::atomic<uint64_t> pushed_bytes_{0};

  // The log's thread.
  alignas(64) Chunk* out_;
  size_t read_ = 0, step_ = 0;
  size_t ready_ = 0;  // of out_, as far as it was looked at
  uint64_t taken_ = 0, taken_bytes_ = 0;
  LaneContext context_, next_context_;
  alignas(64) std::atomic<uint64_t> done_bytes_{0};
  std::atomic<uint64_t> kept_{0};
};

}  // namespace dpl
