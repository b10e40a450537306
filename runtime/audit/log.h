// The audit log: records that can be added and never changed unseen.
//
//   Result<std::unique_ptr<AuditLog>> log = AuditLog::Open({.folder = "/var/log/dpl"});
//   if (!log.ok()) …   // "audit.locked", "audit.damaged", "audit.version", "audit.key",
//   "audit.file" uint64_t ticket = (*log)->Append(R"({"kind":"decision",…})", AuditSync::kNow); if
//   (ticket == 0) …                       // not recorded
//   (*log)->Check(ticket) == Promise::kKept  // on disk
//
// A record is a JSON object, written as one line with its number, its time and the hash of the line
// before it:
//
//   {"seq":17,"time":"2026-11-22T15:30:00.123456Z","prev":"<base64>","record":{…}}
//
// The lines are also the leaves of one Merkle tree (RFC 9162), whose root is signed (Ed25519, C2SP
// checkpoints) when something was written: every second, every 1,000 records, when a segment is
// sealed, and at the end. docs/audit.md has the format, docs/decisions/0012-the-audit-log.md the
// reasons. reader.h reads a log, verify.h checks it, proof.h proves a record.
//
// Append costs its caller a copy: numbering, hashing, writing, syncing and signing are the work of
// the log's own thread, in groups: one sync serves all who came while the one before it ran.
// Threads that decide have a lane each (lane.h), without a lock; what they hand over is not text
// yet, and an AuditRenderer makes the records of it on the log's thread.
//
// When a write fails (a full disk), promises break and nothing new is taken (mode `required`) until
// the same write succeeds, which is tried once a second. When a sync fails, nobody knows what the
// disk holds: the log stays failed until it is opened again. In mode `available` records are still
// taken while there is room in the buffer; those that find none are dropped and counted, and when
// the log is back it records the gap.
//
// The log writes records of its own, of kind "log": `event` is "opened" (with what a crash has cut
// off), "closed", "gap" (with how many records were dropped) or "pruned" (with what was removed).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "runtime/audit/lane.h"
#include "runtime/base/clock.h"
#include "runtime/base/result.h"
#include "runtime/state/append_file.h"  // Disk
#include "runtime/state/store.h"        // Promise

namespace dpl {

enum class AuditMode : uint8_t { kRequired, kAvailable };

enum class AuditSync : uint8_t {
  kSoon,  // synced within `sync_ms`
  kNow,   // somebody waits: written and synced with the next group
  kTurn,  // the same, and AuditLog::Flush comes soon: for who has more to hand over first
};

struct AuditOptions {
  std::string folder;    // made when missing
  std::string key_path;  // the private key; empty: `log.key` in the folder. Made at the first start
  std::string origin;    // name of the log, given at the first start; empty: one is made up
  AuditMode mode = AuditMode::kRequired;
  int64_t sync_ms = 100;
  int64_t retry_ms = 1000;
  size_t buffer_bytes = size_t{32} << 20;       // handed over and not yet written, of each lane too
  int64_t patience_ms = 1000;                   // a lane that is full waits so long for room
  uint64_t segment_bytes = uint64_t{64} << 20;  // a segment is sealed when it is this large,
  int64_t segment_seconds = 86'400;             // or this old
  int64_t retain_days = 0;  // sealed segments whose last record is older are removed; 0: none
  Clock* clock = nullptr;   // null: the machine's. Must outlive the log
  Disk* disk = nullptr;     // null: the real one
};

// How a log is, for health and metrics.
struct AuditHealth {
  std::string folder, origin;
  AuditMode mode = AuditMode::kRequired;
  bool writable = true;
  std::string error;         // why not, or what else is wrong (old segments that cannot be removed)
  uint64_t records = 0;      // in the log, those on the way included
  uint64_t kept = 0;         // of them on disk
  uint64_t signed_size = 0;  // of them under the last checkpoint
  uint64_t dropped = 0;      // mode `available`: lost since the start
  uint64_t refused = 0;      // mode `required`: answered with 0 since the start
  uint64_t groups = 0;       // syncs since the start
  uint64_t waits = 0;        // how often a lane was full and had to wait for room
  uint64_t segments = 0;     // on disk
};

// Makes records of what came through lanes, some at a time; the log's thread alone calls it.
class AuditRenderer {
 public:
  virtual ~AuditRenderer() = default;
  // Behind this, records stand in another segment, which is to be read without those before it.
  virtual void BeginSegment() = 0;
  // Whether the entry may be added to those since the last Finish; the first one may.
  virtual bool Fits(const AuditLane::Entry& entry) const = 0;
  // Takes in what it needs of an entry, whose time is that of its record's line. `seq`: the number
  // of the first record that the next Finish gives.
  virtual void Add(const AuditLane::Entry& entry, uint64_t seq) = 0;
  // Calls `line` for the records of what was added, in order, and for others that belong in front
  // of them.
  using Line = std::function<void(Instant time, std::string_view record)>;
  virtual void Finish(const Line& line) = 0;
  // Segments were removed: `named` says whether what is left speaks of something by this digest
  // ("sha256:…").
  virtual Status Removed(const std::function<bool(std::string_view digest)>& named) {
    (void)named;
    return Status::Ok();
  }
};

class AuditLog {
 public:
  static constexpr size_t kMaxRecord = size_t{4} << 20;

  // Continues the log of the folder, or begins one. "audit.damaged" names file, line and byte; such
  // a folder is evidence: keep it, and begin another.
  static Result<std::unique_ptr<AuditLog>> Open(const AuditOptions& options);
  ~AuditLog();  // Close
  AuditLog(const AuditLog&) = delete;
  AuditLog& operator=(const AuditLog&) = delete;

  // Hands over one record; any thread, never waits for the disk. The ticket is for Check; where no
  // lanes are used it is the record's number in the log (`seq`) plus one. 0: not recorded, because
  // the log cannot be written, the buffer is full, or `json_object` is not one line in braces of at
  // most kMaxRecord bytes. In mode `available` the loss is counted, and its caller may go on.
  uint64_t Append(std::string_view json_object, AuditSync sync = AuditSync::kSoon);

  // A new lane, whose entries the renderer understands. Set the renderer before the first one.
  void SetRenderer(std::unique_ptr<AuditRenderer> renderer);
  static constexpr size_t kMaxLanes = 1024;
  std::shared_ptr<AuditLane> OpenLane();  // null: there are kMaxLanes already

  // Has the thread take what lanes were given with kTurn. Any thread, takes no lock where there is
  // nothing.
  void Flush();

  // Something was denied because nothing can be recorded now: counted with what was not taken, and
  // part of the gap that is recorded when the log is back.
  void Missed();

  // kBroken: it could not be written; it may still be later, but must not be promised.
  Promise Check(uint64_t ticket) const;
  // Waits for everything appended so far; error "audit.failed" when it cannot be kept.
  Status Sync();
  // `wake` is called from the log's thread whenever an answer of Check may have changed; it must be
  // quick, and calls nothing of the log but Check.
  void OnKept(std::function<void()> wake);

  bool Writable() const;  // false: Append in mode `required` answers 0
  AuditMode mode() const;
  AuditHealth Health() const;

  // Removes the sealed segments whose last record is older than `before`; their seals stay, and a
  // record says what was removed and why. The number of segments removed.
  Result<uint64_t> Prune(Instant before, std::string_view because);

  // Writes what is left, signs, and ends; later Appends answer 0. What cannot be written is lost.
  void Close();

 private:
  class Impl;
  explicit AuditLog(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace dpl
