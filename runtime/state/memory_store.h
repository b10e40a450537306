// The StateStore that lives in memory and is lost with the process.
//
//   MemoryStore store;
//   store.GiveConsent("acme.marketing.campaign_help", "E1007", consent);
//
// One lock for writers, shared by whoever reads what only metered decisions write (counters, keys,
// reservations, acts, openings). What every decision reads (revocations, consents, tasks, runs,
// hand-offs, approvals) is read without any lock, within a guard (reclaim.h): a reader sees each
// record whole, and whatever was changed before it began. Memory is bounded by Options: what cannot
// be remembered makes the commit fail (kFull), it is never dropped to let a permit through.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <shared_mutex>

#include "runtime/base/bytes.h"
#include "runtime/state/counter.h"
#include "runtime/state/keyed_hash.h"
#include "runtime/state/name_table.h"
#include "runtime/state/store.h"

namespace dpl {

class MemoryStore final : public StateStore {
 public:
  struct Options {
    size_t max_counters = 4'000'000;
    size_t max_instances = 1'000'000;
    size_t max_keys = 1'000'000;
    size_t max_acts = 4'000'000;
    size_t max_openings = 1'000'000;
    size_t max_reservations = 1'000'000;  // open ones
    size_t max_tasks = 1'000'000;
    size_t max_approvals = 1'000'000;
    size_t max_handoffs = 4'000'000;
    size_t max_consents = 4'000'000;
    size_t max_requests = 1'000'000;
    int64_t history_us = 400 * kMicrosPerDay;  // a window may be so long, and no longer
  };
  MemoryStore();
  explicit MemoryStore(const Options& options);
  ~MemoryStore() override;

  uint64_t Epoch() const override { return epoch_.load(std::memory_order_acquire); }
  bool IsRevoked(RevokedKind kind, std::string_view name,
                 std::optional<Instant> since) const override;
  bool AnyRevoked(RevokedKind kind) const override {
    return any_revoked_[static_cast<int>(kind)].load(std::memory_order_acquire);
  }
  bool FindConsent(std::string_view delegation, std::string_view person,
                   ConsentRecord* out) const override;
  void ForEachConsent(const EachConsent& each) const override;
  std::shared_ptr<const TaskRecord> FindTask(std::string_view id) const override;
  bool FindInstance(std::string_view agent, std::string_view instance, Instant* born,
                    bool* bound_to_task) const override;
  bool InstanceBoundTo(std::string_view agent, std::string_view instance,
                       std::string_view task) const override;
  void FetchRun(uint64_t agent_hash, std::string_view instance, int part) const override;
  uint64_t InstancesBorn(std::string_view agent, int64_t window_us, Instant now) const override;
  bool HandoffRecorded(std::string_view parent_agent, std::string_view parent_instance,
                       std::string_view child_agent, std::string_view child_instance,
                       std::string_view task = {}) const override;
  bool HasParent(std::string_view child_agent, std::string_view child_instance) const override;
  std::shared_ptr<const ApprovalRecord> FindApproval(std::string_view id) const override;
  bool ActRecorded(std::string_view separate, int side, std::string_view key,
                   std::string_view person, Instant not_before) const override;
  bool FindOpening(std::string_view break_glass, std::string_view person, std::string_view reason,
                   std::string_view ticket, Instant* opened, uint64_t* uses) const override;
  std::vector<OpeningRecord> Openings() const override;
  std::optional<Revocation> FindRevocation(RevokedKind kind, std::string_view name) const override;
  std::optional<HandoffRecord> FindHandoff(std::string_view child_agent,
                                           std::string_view child_instance) const override;
  std::shared_ptr<const AccessRequest> FindAccessRequest(std::string_view id) const override;
  std::optional<ReservationRecord> ReadReservation(uint64_t id) const override;
  int64_t Used(const CounterKey& counter, Instant now) const override;
  bool FindCharge(std::string_view key, Instant now, uint64_t* reservation, ReservationState* state,
                  std::string* digest) const override;
  int64_t Held(uint64_t reservation, const CounterKey& counter) const override;
  int64_t HistoryUs() const override { return options_.history_us; }
  Instant HighTime() const override { return Instant{high_us_.load(std::memory_order_acquire)}; }

  Page<Revocation> ListRevocations(PageAsk ask, const Keep<Revocation>& keep = {}) const override;
  Page<ConsentEntry> ListConsents(PageAsk ask, const Keep<ConsentEntry>& keep = {}) const override;
  Page<TaskRecord> ListTasks(PageAsk ask, const Keep<TaskRecord>& keep = {}) const override;
  Page<HandoffRecord> ListHandoffs(PageAsk ask,
                                   const Keep<HandoffRecord>& keep = {}) const override;
  Page<InstanceRecord> ListInstances(std::string_view agent, PageAsk ask,
                                     const Keep<InstanceRecord>& keep = {}) const override;
  Page<ApprovalRecord> ListApprovals(PageAsk ask,
                                     const Keep<ApprovalRecord>& keep = {}) const override;
  Page<AccessRequest> ListAccessRequests(PageAsk ask,
                                         const Keep<AccessRequest>& keep = {}) const override;
  Page<OpeningRecord> ListOpenings(PageAsk ask,
                                   const Keep<OpeningRecord>& keep = {}) const override;
  Page<ReservationRecord> ListReservations(PageAsk ask,
                                           const Keep<ReservationRecord>& keep = {}) const override;
  Page<CounterRecord> ListCounters(PageAsk ask, Instant now,
                                   const Keep<CounterRecord>& keep = {}) const override;

  CommitResult Commit(const CommitRequest& request) override;

  using StateStore::Revoke;
  uint64_t Revoke(const Revocation& revocation) override;
  Status RoomForConsent(std::string_view delegation, std::string_view person) const override;
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

  StoreHealth Health() const override;
  // Of each kind that has a bound.
  std::vector<StoreHealth::Held> HeldNow() const;

  // How much is held, for metrics and tests.
  struct Sizes {
    size_t counters = 0, instances = 0, reservations = 0, keys = 0, acts = 0, openings = 0;
  };
  Sizes SizesNow() const;
  uint64_t LastReservation() const;  // the number of the latest one that was ever given; 0: none

  // ---- for a store that keeps this one as its image (durable_store.h)
  // What an ended reservation gives back, when that has to wait for the disk.
  struct Return {
    NameTable<Counter>::Entry* counter = nullptr;
    Instant window_start{}, charged_at{};
    int64_t quantity = 0;
    Instant now{};
  };
  using Returns = std::vector<Return>;
  // Confirm or Cancel; with `later`, what comes back is put there instead, for GiveBack.
  Status End(uint64_t reservation, std::string_view caller, bool cancel,
             std::optional<int64_t> actual, Instant now, Returns* later);
  void GiveBack(const Returns& returns);
  // A commit that was done before, done again without its tests. False: it got another reservation,
  // so this image is not the one it was done to.
  bool ReplayCommit(const CommitRequest& request, uint64_t reservation);
  // After a gap in the records: the next reservation gets this number, those before it are spent.
  void SkipReservationsTo(uint64_t next);
  void RaiseHighTime(Instant to);
  void RaiseEpoch(uint64_t to);  // after a gap in the records; never lowers it
  // Error "state.full" when nothing more of the kind can be remembered.
  Status RoomForTask();
  Status RoomForApproval();
  Status RoomForHandoff();
  // Without asking for room; a task or an approval whatever is there already.
  void PutTask(const TaskRecord& task);
  void PutApproval(const ApprovalRecord& approval);
  Status PutHandoff(const HandoffRecord& handoff);
  // The step of SignAccessRequest without the approval, which is the caller's to record.
  Status PutSignature(std::string_view id, const Signature& signature, size_t seen,
                      AccessState becomes, std::string_view approval);
  // The whole state as records, in pieces of about `piece` bytes, and back, into an empty store.
  // False from Load: these are not records.
  void Save(size_t piece, const std::function<void(std::string_view)>& out) const;
  bool Load(std::string_view piece);
  void LoadDone();  // after the last piece

 private:
  struct RevokedEntry {
    bool always = false;
    Instant before{INT64_MIN};
    Instant at{};
    Instant kept{};  // as above
    uint64_t epoch = 0;
    std::string by, because;
  };
  struct Bound {
    size_t runs = 0;  // that are bound to the task
  };
  using BoundEntry = NameTable<Bound>::Entry;
  // There may be a million of these.
  struct Instance {
    Instance(Instant b, Instant k) : born(b), keep_until(k) {}
    const Instant born, keep_until;
    std::atomic<BoundEntry*> task{nullptr};  // set once
  };
  using Runs = NameTable<Instance>;
  struct Act {
    Instant at{}, keep_until{};
  };
  struct Births {
    SlidingWindow window;
    int64_t window_us = 0;
  };
  struct Handoff {
    std::string parent;  // JoinedKey of agent and instance; empty for a fresh run
    std::string task;
    std::string by;
    Instant at{};
    Instant kept{};  // since when it is on record: `at`, where that was said
  };
  using CounterEntry = NameTable<Counter>::Entry;
  struct ChargeKey {
    uint64_t reservation = 0;
    ReservationState state = ReservationState::kOpen;
    std::string digest;
    Instant deadline{};
    Instant keep_until{};
  };
  struct Share {  // what a reservation holds of one counter
    CounterEntry* counter = nullptr;
    int64_t quantity = 0;
    Instant window_start{};
    uint32_t measure = 0;
    bool returns = true;
  };
  struct Reservation {
    std::span<const Share> held() const { return {shares, count}; }
    Instant opened{}, deadline{};
    Share* shares = nullptr;  // of the pool
    ChargeKey* key = nullptr;
    uint32_t caller = 0;  // a word of callers_
    uint16_t count = 0;
  };
  using OpenEntry = NameTable<Reservation>::Entry;
  struct Ended {
    uint64_t id = 0;
    ReservationState state = ReservationState::kSpent;
    uint32_t caller = 0;
    Instant opened{}, deadline{};
  };
  static constexpr size_t kKeepEnded = 1024;

  static std::string_view MarkOf(CounterKey::Window window);
  static std::string_view SlidingBytes(const CounterKey& key);
  bool LoadRecord(ByteReader* in);
  bool LoadRevoked(ByteReader* in, bool told);
  bool LoadHandoff(ByteReader* in, bool fresh, bool told);
  bool LoadOpening(ByteReader* in, bool reviewed);
  void NoteRevoked(RevokedKind kind, std::string_view name, const RevokedEntry& entry);
  static Revocation Shown(RevokedKind kind, std::string_view name, const RevokedEntry& entry);
  static HandoffRecord ShownHandoff(std::string_view name, const Handoff& handoff, bool fresh);
  ReservationRecord Shown(const OpenEntry& reservation) const;
  ReservationRecord Shown(const Ended& reservation) const;
  // Kind and length of the window, and the identity (in `name`, the counter's).
  CounterKey KeyOf(const CounterEntry& counter, std::string* name) const;

  // All below: the writer's lock is held.
  Instant Raise(Instant now);  // the high time, moved up to `now`
  const Instance* FindRun(std::string_view agent, std::string_view instance) const;
  const CounterEntry* FindCounter(const CounterKey& key) const;
  CounterEntry* CounterOf(const CounterKey& key,
                          Instant now);  // made when missing; null when there is no room
  // Each looks at a few entries and forgets those that can matter no more; `more` of them when
  // there is no room left.
  void SweepCounters(Instant now, bool more);
  void SweepInstances(Runs* runs, Instant now, bool more);
  void SweepKeys(Instant now, bool more);
  void SweepActs(Instant now);
  void SweepOpenings(Instant now);
  void SweepConsents();
  void SweepHandoffs();
  void SweepRevoked(RevokedKind kind);
  void SweepReservations(Instant now, bool more);
  bool DeadCounter(const CounterEntry& counter, Instant now) const;
  void SweepAll();
  // Where nobody said when and no time was seen yet: it does not age.
  Instant KeptSince(Instant at) const {
    if (at.us != 0) return at;
    return HighTime().us != INT64_MIN ? HighTime() : kMaxInstant;
  }
  bool BoundTo(const Instance& run, std::string_view task) const;  // empty: to none
  std::string TaskOf(const Instance& run) const;
  void Bind(Instance* run, std::string_view task);
  void Forget(const Instance& run);
  Status TaskRoom();
  Status ApprovalRoom();
  Status RequestRoom(std::string_view id);
  void SweepTasks();
  void SweepApprovals();
  void SweepRequests();
  CommitOutcome Test(const CommitRequest& request, Instant now, CommitResult* result);
  uint64_t Apply(const CommitRequest& request, Instant now);
  CommitOutcome TestOpening(const CommitRequest::Opening& opening, Instant now) const;
  void RecordOpening(const CommitRequest::Opening& opening, Instant now);
  uint64_t Reserve(const CommitRequest& request, Instant now);
  OpenEntry* MakeReservation(uint64_t id, std::string_view caller, std::span<const Share> shares);
  OpenEntry* FindReservation(uint64_t id);
  uint64_t IdOf(const OpenEntry& reservation) const;
  // The one transition: from open to `state`. The entry itself is the caller's to erase.
  void Close(OpenEntry* reservation, ReservationState state);
  void End(OpenEntry* reservation, ReservationState state);  // and erases it
  void NoteEnded(const Ended& ended);
  Result<OpenEntry*> OpenReservation(uint64_t id, std::string_view caller, Instant now);
  bool ActAfter(std::string_view separate, int side, std::string_view key, std::string_view person,
                Instant not_before) const;

  const Options options_;
  // A writer holds it alone. Whoever reads without it does so within a ReadGuard, and only what is
  // in a table whose entries are put anew to be changed.
  mutable std::shared_mutex mutex_;
  std::atomic<uint64_t> epoch_{1};
  std::atomic<int64_t> high_us_{INT64_MIN};
  std::atomic<bool> any_revoked_[kRevokedKinds] = {};
  // Of all of a kind: what is not after this; INT64_MIN: none, INT64_MAX: for good.
  std::atomic<int64_t> all_before_us_[kRevokedKinds];

  TableHome home_;  // of all tables below

  // ---- read within a guard
  std::unique_ptr<NameTable<RevokedEntry>> revoked_[kRevokedKinds];
  NameTable<ConsentRecord> consents_{&home_};  // delegation, person
  NameTable<std::shared_ptr<const TaskRecord>> tasks_{&home_};
  NameTable<Bound> bound_tasks_{&home_};
  NameTable<Runs> instances_{&home_};   // agent → instance
  NameTable<Handoff> parents_{&home_};  // child agent, instance
  // Parent agent, instance, child agent (without a name).
  NameTable<Handoff> fresh_handoffs_{&home_};
  NameTable<std::shared_ptr<const ApprovalRecord>> approvals_{&home_};

  // ---- read under the lock
  size_t instance_count_ = 0;  // of all agents
  KeyedMap<Births> births_;    // agent
  NameTable<std::shared_ptr<const AccessRequest>> requests_{
      &home_, NameTable<std::shared_ptr<const AccessRequest>>::Readers::kLocked};
  NameTable<Act> acts_{
      &home_, NameTable<Act>::Readers::kLocked};  // separate, side, key, person → the latest
  NameTable<OpeningRecord> openings_{
      &home_, NameTable<OpeningRecord>::Readers::kLocked};  // door, person, reason, ticket
  NameTable<Counter> counters_{&home_, NameTable<Counter>::Readers::kLocked, &home_.words};
  NameTable<ChargeKey> keys_{&home_, NameTable<ChargeKey>::Readers::kLocked};
  size_t sweep_revoked_at_[kRevokedKinds] = {};

  NameTable<Reservation> reservations_{
      &home_, NameTable<Reservation>::Readers::kLocked};  // the open ones, by number
  std::vector<Ended> ended_;                              // the latest kKeepEnded, in no order
  size_t ended_at_ = 0;                                   // the oldest, when there are so many
  Words callers_;
  uint64_t next_id_ = 1;
  std::vector<CounterEntry*> scratch_;  // counters of the commit at hand
  std::vector<Share> shares_;
};

}  // namespace dpl
