// The inside of AuditLog: what its callers and its thread share. log.cc has the callers' side,
// log_open.cc the start, log_writer.cc the thread.
#pragma once

#include <array>
#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "runtime/audit/keys.h"
#include "runtime/audit/log.h"
#include "runtime/audit/recovery.h"

namespace dpl {

class AuditLog::Impl final : private AuditLane::Log {
 public:
  explicit Impl(const AuditOptions& options);
  ~Impl() override;
  Status Start();

  uint64_t Append(std::string_view json, AuditSync sync);
  void Missed();
  void Flush();
  void SetRenderer(std::unique_ptr<AuditRenderer> renderer);
  std::shared_ptr<AuditLane> OpenLane();
  Promise Check(uint64_t ticket) const;
  Status Sync();
  void OnKept(std::function<void()> wake);
  bool Writable() const { return !failed_.load(); }
  AuditMode mode() const { return options_.mode; }
  AuditHealth Health() const;
  Result<uint64_t> Prune(Instant before, std::string_view because);
  void Close();

 private:
  using Lock = std::unique_lock<std::mutex>;

  // ---- the callers' side; under mutex_
  bool HasRoom(size_t size) const;
  uint64_t Push(std::string_view json, AuditSync sync);  // there is room
  void PushGap();
  void Lose();

  // ---- lanes: called by the threads that append, without mutex_
  bool Takes(AuditLane* lane, size_t size) override;
  void Pushed(AuditLane* lane, AuditSync sync) override;
  void Nudge();

  // The segment that is written.
  struct Growing {
    uint64_t first = 0;
    std::unique_ptr<AppendFile> lines, hashes;
    std::string backlog;  // hashes that are not written yet
    std::optional<Instant> earliest, latest;
  };

  // ---- the thread
  void Run();
  void Wait(Lock* lock);
  bool LanesHaveWork();
  int64_t LaneTurn();
  void FormatGroup();
  void FormatLine(Instant time, std::string_view record);
  void AddEntry(AuditLane* lane, AuditLane::Entry entry);
  void FormatAdded();
  bool WriteGroup(Lock* lock);
  void Wake();
  void SignIfDue(bool now);
  bool WantsNextSegment() const;
  void NextSegment();
  Status PutHashes();
  Status Seal();
  void Retain();
  void StartPruning(Instant before, const std::string& because, bool asked);
  void FinishPruning(Lock* lock);
  Status ForgetInputs(bool all);
  void EndPruning(Result<uint64_t> result);
  void Tell(std::string* where, const Status& status);

  // ---- the start
  Result<Checkpoint> BeginLog();
  Status OpenLast(const std::vector<SegmentFiles>& segments, const Checkpoint& signed_end);
  Status ContinueSegment(OpenSegment scanned);
  Result<Growing> MakeSegment(uint64_t first);

  std::string Path(uint64_t first, AuditFile file) const {
    return options_.folder + "/" + SegmentName(first, file);
  }

  const AuditOptions options_;
  SystemClock system_clock_;
  Clock* const clock_;
  Disk* const disk_;
  FolderLock lock_;
  std::optional<AuditSigner> signer_;

  mutable std::mutex mutex_;
  std::condition_variable work_, done_;
  std::string pending_;    // handed over: for each record its size, its time, its bytes
  uint64_t appended_ = 0;  // records ever, those in pending_ included
  int64_t oldest_us_ = 0;  // when the first of pending_ came, monotonic
  bool urgent_ = false;    // somebody waits for one of them
  bool sleeping_ = false;  // the thread, until it is woken
  bool stop_ = false, closing_ = false;
  bool broken_ = false;          // nothing will be written any more
  uint64_t gap_ = 0, lost_ = 0;  // not taken: since the last gap record; since the start
  Instant gap_since_{}, gap_until_{};
  uint64_t groups_ = 0;
  std::string error_, sign_error_, segment_error_;
  std::vector<std::function<void()>> wakes_;

  struct Pruning {
    uint64_t requests = 0, done = 0;  // calls of Prune, one at a time
    Instant before{};
    std::string because;
    uint64_t ticket = 0;             // of the record about it; 0: none under way
    bool asked = false;              // by Prune, not by retain_days
    std::vector<uint64_t> segments;  // to be removed when that is kept
    Instant kept_from{};             // of the first record that stays
    Result<uint64_t> result = uint64_t{0};
  };
  Pruning prune_;

  std::atomic<uint64_t> kept_{0}, signed_{0}, segments_{0};
  std::atomic<uint64_t> records_{0};  // lines on disk
  // Lanes are added and never removed; a reader takes the count first.
  std::array<std::shared_ptr<AuditLane>, kMaxLanes> lanes_;
  std::atomic<size_t> lane_count_{0};

  // What every entry of a lane looks at; written seldom, and apart from what is written often.
  alignas(64) std::atomic<bool> failed_{false};
  std::atomic<bool> ended_{false};
  std::atomic<bool> lanes_urgent_{false};  // somebody waits for an entry, or a lane has much
  // The thread waits, with mutex_; it dozes when no lane brought anything for a while. Who appends
  // writes its mark first and then looks here, the thread the other way round: one of them notices.
  std::atomic<bool> waiting_{false}, dozing_{false};
  std::atomic<uint64_t> lane_waits_{0};

  // The thread's own.
  alignas(64) std::string taken_, lines_, hashes_;
  std::unique_ptr<AuditRenderer> renderer_;
  bool added_ = false;  // entries to the renderer, whose lines are still to come
  Instant added_time_{INT64_MIN};
  uint64_t next_seq_ = 0, group_first_ = 0;
  Instant last_time_{INT64_MIN};
  bool more_ = false;           // a group was full: lanes have more
  int64_t looked_us_ = 0;       // monotonic: at the lanes, the last time,
  int64_t lane_pause_us_ = 0;   // until the next look,
  int64_t lane_active_us_ = 0;  // and when they last had something
  int64_t sync_us_ = 0;         // the last write took
  int64_t group_due_us_ = 0;    // when what lines_ has is to be written
  AuditLineWriter line_writer_;
  TreeEnd end_;           // behind the group that is being written
  MerkleEdge kept_edge_;  // behind the last one that was
  Growing segment_;
  std::optional<Instant> group_earliest_, group_latest_;
  int64_t signed_us_ = 0;  // monotonic
  std::thread thread_;
};

}  // namespace dpl
