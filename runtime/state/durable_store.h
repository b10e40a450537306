// The StateStore that survives its process: a folder with a log of operations and images.
//
//   Result<std::unique_ptr<DurableStore>> store = DurableStore::Open({.folder = "/var/lib/dpl"});
//   if (!store.ok()) …   // "state.locked", "state.corrupt", "state.version", "state.file"
//   CommitResult done = (*store)->Commit(request);   // happened; kept when Check(done.ticket)
//
// A MemoryStore is the image that every call reads and changes. Each change is also appended to the
// group that the store's writer thread writes and syncs next, so that one sync serves all who came
// while the one before it ran. Nobody waits but in Sync. What a change gives is laid into the image
// by the writer, after the sync and in the order of the log; what it takes is in there at once.
//
// When a write fails, commits fail (kFailed) and promises break until the same write succeeds,
// which is tried once a second. When a sync fails, nobody knows what the disk holds: the store
// stays failed until it is opened again. A revocation counts in either case.
//
// When the log has grown past `log_bytes`, a second thread reads image and log into a new image and
// removes what it replaces; it costs the memory of a second image for that time, and disturbs no
// caller. docs/state.md has the files, docs/decisions/0003-the-state-log.md the reasons.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "runtime/state/memory_store.h"
#include "runtime/state/recovery.h"
#include "runtime/state/state_file.h"

namespace dpl {

class DurableStore final : public StateStore {
 public:
  struct Options {
    std::string folder;    // made when missing
    bool salvage = false;  // go on with what a damaged folder still tells, see docs/state.md
    // Only check that it can be read (unless another process has it): nothing is written, no
    // thread is started, promises are not kept.
    bool read_only = false;
    uint64_t log_bytes = uint64_t{64} << 20;
    int64_t retry_ms = 1000;
    MemoryStore::Options memory;
    Disk* disk = nullptr;  // null: the real one
  };
  static Result<std::unique_ptr<DurableStore>> Open(const Options& options);
  // Waits for what is under way. What was never promised and cannot be written is lost.
  ~DurableStore() override;

  const RecoveryReport& recovered() const { return report_; }
  // How much is held, for metrics and tests.
  MemoryStore::Sizes SizesNow() const { return image_.SizesNow(); }
  uint64_t LastReservation() const { return image_.LastReservation(); }
  // Waits until a tidying that is due has been done.
  void TidyForTest();

  uint64_t Epoch() const override { return image_.Epoch(); }
  bool IsRevoked(RevokedKind kind, std::string_view name,
                 std::optional<Instant> since) const override {
    return image_.IsRevoked(kind, name, since);
  }
  bool AnyRevoked(RevokedKind kind) const override { return image_.AnyRevoked(kind); }
  bool FindConsent(std::string_view delegation, std::string_view person,
                   ConsentRecord* out) const override {
    return image_.FindConsent(delegation, person, out);
  }
  void ForEachConsent(const EachConsent& each) const override { image_.ForEachConsent(each); }
  std::shared_ptr<const TaskRecord> FindTask(std::string_view id) const override {
    return image_.FindTask(id);
  }
  bool FindInstance(std::string_view agent, std::string_view instance, Instant* born,
                    bool* bound_to_task) const override {
    return image_.FindInstance(agent, instance, born, bound_to_task);
  }
  bool InstanceBoundTo(std::string_view agent, std::string_view instance,
                       std::string_view task) const override {
    return image_.InstanceBoundTo(agent, instance, task);
  }
  void FetchRun(uint64_t agent_hash, std::string_view instance, int part) const override {
    image_.FetchRun(agent_hash, instance, part);
  }
  uint64_t InstancesBorn(std::string_view agent, int64_t window_us, Instant now) const override {
    return image_.InstancesBorn(agent, window_us, now);
  }
  bool HandoffRecorded(std::string_view parent_agent, std::string_view parent_instance,
                       std::string_view child_agent, std::string_view child_instance,
                       std::string_view task = {}) const override {
    return image_.HandoffRecorded(parent_agent, parent_instance, child_agent, child_instance, task);
  }
  bool HasParent(std::string_view child_agent, std::string_view child_instance) const override {
    return image_.HasParent(child_agent, child_instance);
  }
  std::shared_ptr<const ApprovalRecord> FindApproval(std::string_view id) const override {
    return image_.FindApproval(id);
  }
  bool ActRecorded(std::string_view separate, int side, std::string_view key,
                   std::string_view person, Instant not_before) const override {
    return image_.ActRecorded(separate, side, key, person, not_before);
  }
  bool FindOpening(std::string_view break_glass, std::string_view person, std::string_view reason,
                   std::string_view ticket, Instant* opened, uint64_t* uses) const override {
    return image_.FindOpening(break_glass, person, reason, ticket, opened, uses);
  }
  std::vector<OpeningRecord> Openings() const override { return image_.Openings(); }
  std::optional<Revocation> FindRevocation(RevokedKind kind, std::string_view name) const override {
    return image_.FindRevocation(kind, name);
  }
  std::optional<HandoffRecord> FindHandoff(std::string_view child_agent,
                                           std::string_view child_instance) const override {
    return image_.FindHandoff(child_agent, child_instance);
  }
  std::shared_ptr<const AccessRequest> FindAccessRequest(std::string_view id) const override {
    return image_.FindAccessRequest(id);
  }
  std::optional<ReservationRecord> ReadReservation(uint64_t id) const override {
    return image_.ReadReservation(id);
  }
  int64_t Used(const CounterKey& counter, Instant now) const override {
    return image_.Used(counter, now);
  }
  bool FindCharge(std::string_view key, Instant now, uint64_t* reservation, ReservationState* state,
                  std::string* digest) const override {
    return image_.FindCharge(key, now, reservation, state, digest);
  }
  int64_t Held(uint64_t reservation, const CounterKey& counter) const override {
    return image_.Held(reservation, counter);
  }
  int64_t HistoryUs() const override { return image_.HistoryUs(); }
  Instant HighTime() const override { return image_.HighTime(); }

  Page<Revocation> ListRevocations(PageAsk ask, const Keep<Revocation>& keep = {}) const override {
    return image_.ListRevocations(ask, keep);
  }
  Page<ConsentEntry> ListConsents(PageAsk ask, const Keep<ConsentEntry>& keep = {}) const override {
    return image_.ListConsents(ask, keep);
  }
  Page<TaskRecord> ListTasks(PageAsk ask, const Keep<TaskRecord>& keep = {}) const override {
    return image_.ListTasks(ask, keep);
  }
  Page<HandoffRecord> ListHandoffs(PageAsk ask,
                                   const Keep<HandoffRecord>& keep = {}) const override {
    return image_.ListHandoffs(ask, keep);
  }
  Page<InstanceRecord> ListInstances(std::string_view agent, PageAsk ask,
                                     const Keep<InstanceRecord>& keep = {}) const override {
    return image_.ListInstances(agent, ask, keep);
  }
  Page<ApprovalRecord> ListApprovals(PageAsk ask,
                                     const Keep<ApprovalRecord>& keep = {}) const override {
    return image_.ListApprovals(ask, keep);
  }
  Page<AccessRequest> ListAccessRequests(PageAsk ask,
                                         const Keep<AccessRequest>& keep = {}) const override {
    return image_.ListAccessRequests(ask, keep);
  }
  Page<OpeningRecord> ListOpenings(PageAsk ask,
                                   const Keep<OpeningRecord>& keep = {}) const override {
    return image_.ListOpenings(ask, keep);
  }
  Page<ReservationRecord> ListReservations(
      PageAsk ask, const Keep<ReservationRecord>& keep = {}) const override {
    return image_.ListReservations(ask, keep);
  }
  Page<CounterRecord> ListCounters(PageAsk ask, Instant now,
                                   const Keep<CounterRecord>& keep = {}) const override {
    return image_.ListCounters(ask, now, keep);
  }

  CommitResult Commit(const CommitRequest& request) override;

  using StateStore::Revoke;
  uint64_t Revoke(const Revocation& revocation) override;
  Status RoomForConsent(std::string_view delegation, std::string_view person) const override {
    return image_.RoomForConsent(delegation, person);
  }
  void GiveConsent(std::string_view delegation, std::string_view person,
                   const ConsentRecord& consent) override;
  Status OpenTask(const TaskRecord& task) override;
  using StateStore::RecordHandoff;
  Status RecordHandoff(const HandoffRecord& handoff) override;
  Status RecordApproval(const ApprovalRecord& approval) override;
  Status OpenAccessRequest(const AccessRequest& request) override;
  Status SignAccessRequest(std::string_view id, const Signature& signature, size_t seen,
                           AccessState becomes, const ApprovalRecord* approval) override;
  Status ReviewOpening(std::string_view break_glass, std::string_view person,
                       std::string_view reason, std::string_view ticket,
                       const Signature& review) override;
  void SetUsed(const CounterKey& counter, int64_t used, Instant now) override;
  Status Confirm(uint64_t reservation, std::string_view caller, std::optional<int64_t> actual,
                 Instant now) override;
  Status Cancel(uint64_t reservation, std::string_view caller, Instant now) override;

  uint64_t Written() const override;
  Promise Check(uint64_t ticket) const override;
  Status Sync() override;
  void OnKept(std::function<void()> wake) override;
  StoreHealth Health() const override;

 private:
  using Lock = std::unique_lock<std::mutex>;
  using Gift = std::function<void(MemoryStore*)>;

  explicit DurableStore(const Options& options);
  Status Start();
  Status WriteImage(const MemoryStore& image, uint64_t group);
  Status SetAside(const std::vector<std::string>& files);
  Error Failed() const { return {"state.failed", "the state cannot be written"}; }

  // The ticket of what has just been appended to pending_; wakes the writer.
  uint64_t Appended();
  void Give(Gift gift) { gifts_.push_back(std::move(gift)); }
  Status End(uint64_t reservation, std::string_view caller, bool cancel,
             std::optional<int64_t> actual, Instant now);
  void Write();
  void WriteGroups(Lock* lock);
  bool WriteGroup(std::string* group, Lock* lock);
  void Wake();
  void NextLog();
  void Tidy();
  Status TidyUpTo(uint64_t group);

  const Options options_;
  Disk* const disk_;
  FolderLock lock_;
  MemoryStore image_;
  RecoveryReport report_;

  // Held while a change goes into the image and the group, so that both have one order.
  mutable std::mutex order_;
  std::condition_variable work_, done_;
  std::string pending_;                     // the group to come, behind room for its frame's header
  std::vector<Gift> gifts_;                 // of that group
  KeyedSet promised_;                       // tasks and approvals whose gift is under way
  KeyedMap<std::string> promised_parents_;  // child instance → parent
  uint64_t operations_ = 0, groups_ = 0;
  bool waiting_ = false, stop_ = false;
  std::string error_, tidy_error_;
  std::vector<std::function<void()>> wakes_;

  std::atomic<uint64_t> written_{0};  // tickets: one for each change
  std::atomic<uint64_t> kept_{0};
  std::atomic<bool> failed_{false};

  std::unique_ptr<LogFile> log_;  // the writer's
  std::atomic<uint64_t> log_size_{0}, old_log_bytes_{0};
  std::atomic<uint64_t> image_bytes_{0};  // of the last image
  std::thread writer_, tidier_;

  std::condition_variable tidy_;
  uint64_t tidy_to_ = 0, tidied_ = 0;  // groups; guarded by order_
  bool tidying_ = false;
};

}  // namespace dpl
