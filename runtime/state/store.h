// What decisions remember: counters and reservations, tasks, consents, instances, hand-offs,
// approvals, recorded acts, emergency openings, revocations and the epoch. The interface;
// memory_store.h implements it in memory, durable_store.h on disk.
//
// Everything is named by stable texts (qualified names, ids), never by an index of one program, so
// that a reload does not lose or confuse what was recorded. All calls are thread-safe. Reads are
// short, those of a decision that charges nothing wait for nobody, and they allocate nothing (but
// for the strings and vectors a caller hands in, which keep their capacity). Commit is one atomic
// step over everything a decision writes. Instants come from the caller: a store never reads a
// clock.
//
// Happened and promised are two moments. No call waits for a disk: when a mutation returns, what it
// takes away (a charge, a revocation, a consumed approval, an act, a withdrawn consent) counts for
// every later call. It survives the process once the store has `Kept` its ticket; whoever tells the
// outside world of it waits for that first. What a mutation gives (a consent, a task, a hand-off,
// an approval, what a reservation gives back) counts only once it is kept.
//
//   CommitResult done = store->Commit(request);  …  store->Check(done.ticket) == Promise::kKept
//   uint64_t epoch = store->Revoke(…);           …  Status kept = store->Sync();
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/base/instant.h"
#include "runtime/base/result.h"
#include "runtime/state/records.h"

namespace dpl {

// A charge: `quantity` is added to `counter` when every check of the whole commit holds.
struct Charge {
  CounterKey counter;
  int64_t quantity = 0;     // in the measure's unit, >= 0
  int64_t cap = INT64_MAX;  // re-tested: used + quantity <= cap; INT64_MAX: counted, not checked
  uint32_t measure = 0;     // which measure of the action: what `actual` of a confirmation is about
  bool returns = true;      // false: never given back (`requests`)
};
struct CommitRequest {
  Instant now{};
  uint64_t epoch = 0;               // the epoch the decision read; a newer one fails the guard
  std::span<const Charge> charges;  // distinct counters
  std::span<const std::string_view> approvals;  // ids consumed, one use each
  // An act recorded for `separate`; fails when this person did the other side for the same key
  // after `not_before`.
  struct Act {
    std::string_view separate;
    int side = 0;
    std::string_view key;
    std::string_view person;
    Instant not_before{};
  };
  std::span<const Act> acts;
  // A run of an agent, seen now: its birth when it was never seen (an empty instance is always a
  // new run), the task it is bound to.
  struct Seen {
    std::string_view agent, instance, task;
    Instant born{};
    int64_t keep_us = 0;  // may be forgotten this long after birth
    uint64_t max = 0;     // births in the window, this one included, must not pass it; 0: no bound
    int64_t window_us = 0;
  };
  std::span<const Seen> instances;
  // The use of an emergency door; fails when its opening is over, or when nobody opened it and this
  // may not.
  struct Opening {
    std::string_view break_glass, person, reason, ticket;
    int64_t lasts_us = 0, review_within_us = 0;
    bool opens = false;  // the person acts alone: this may be the opening itself
  };
  const Opening* opening = nullptr;  // null: none
  std::string_view charge_key;       // empty: none
  std::string_view request_digest;   // what a replay of the key must equal
  std::string_view caller;           // the enforcement point: only it may confirm or cancel
  Instant reservation_deadline{};
  int64_t keep_key_us = 0;  // the longest window charged
};
enum class CommitOutcome : uint8_t {
  kDone,
  kReplayed,
  kEpochMoved,
  kLimit,
  kApprovalUsed,
  kKeyConflict,
  kKeyClosed,
  kSeparation,
  kOpening,
  kInstances,
  kWindowMoved,  // a later window of a counter is in force: read again
  kFull,         // no room to remember it
  kFailed,       // the store cannot write: nothing was changed
};
struct CommitResult {
  CommitOutcome outcome = CommitOutcome::kDone;
  uint64_t ticket = 0;       // what a promise of this outcome waits for; 0: nothing
  uint64_t reservation = 0;  // 0: nothing was charged
  Instant deadline{};        // kReplayed: until when that reservation is open
  uint32_t failed = 0;       // kLimit: index of the charge
  Instant opened{};          // with an opening: when it was made, and how often it was used by now
  uint64_t uses = 0;
};
enum class Promise : uint8_t { kKept, kPending, kBroken };

// How a store is, for health and metrics.
struct StoreHealth {
  std::string kind;         // "memory" or "durable"
  std::string place;        // folder; empty in memory
  bool writable = true;     // false: every commit fails (kFailed) until it can write again
  std::string error;        // why not, or what else is wrong (old files that cannot be tidied away)
  uint64_t groups = 0;      // written and synced since the start
  uint64_t operations = 0;  // in them
  uint64_t log_bytes = 0;   // since the last image
  // How much is held of each kind that has a bound; none where nothing has.
  struct Held {
    std::string_view kind;  // "reservations"
    uint64_t count = 0, most = 0;
    bool full() const { return count >= most; }
  };
  std::vector<Held> held;
};

// What one decision needs of the store: its reads, and the one step in which it writes. Decide
// knows no more than this; a witness (runtime/audit/witness.h) stands in for it where decisions are
// recorded and run again.
class DecisionState {
 public:
  virtual ~DecisionState() = default;

  virtual uint64_t Epoch() const = 0;
  // `since`: when the thing began (session, instance birth, task opening); a cut-off instant
  // revokes what it cannot be proved to be after.
  virtual bool IsRevoked(RevokedKind kind, std::string_view name,
                         std::optional<Instant> since) const = 0;
  virtual bool AnyRevoked(RevokedKind kind) const = 0;  // false: no name of this kind need be asked
  virtual std::optional<Revocation> FindRevocation(RevokedKind kind,
                                                   std::string_view name) const = 0;
  virtual bool FindConsent(std::string_view delegation, std::string_view person,
                           ConsentRecord* out) const = 0;
  virtual std::shared_ptr<const TaskRecord> FindTask(std::string_view id) const = 0;
  virtual bool FindInstance(std::string_view agent, std::string_view instance, Instant* born,
                            bool* bound_to_task) const = 0;
  virtual bool InstanceBoundTo(std::string_view agent, std::string_view instance,
                               std::string_view task) const = 0;
  // What FindInstance will read, brought into the cache part by part (0 to 3, in this order) with
  // other work between them. `agent_hash`: KeyedHash of the agent's name. Changes nothing.
  virtual void FetchRun(uint64_t /*agent_hash*/, std::string_view /*instance*/,
                        int /*part*/) const {}
  // Births of distinct instances of the template in (now - window, now]; window 0: not yet
  // forgotten.
  virtual uint64_t InstancesBorn(std::string_view agent, int64_t window_us, Instant now) const = 0;
  // A hand-off recorded for a task holds in that task only; one recorded without holds everywhere.
  virtual bool HandoffRecorded(std::string_view parent_agent, std::string_view parent_instance,
                               std::string_view child_agent, std::string_view child_instance,
                               std::string_view task = {}) const = 0;
  // Whether a parent is recorded for this instance; never for the empty instance, which stands for
  // any fresh run.
  virtual bool HasParent(std::string_view child_agent, std::string_view child_instance) const = 0;
  virtual std::shared_ptr<const ApprovalRecord> FindApproval(std::string_view id) const = 0;
  virtual bool ActRecorded(std::string_view separate, int side, std::string_view key,
                           std::string_view person, Instant not_before) const = 0;
  // When this person opened this door with these words; false: never.
  virtual bool FindOpening(std::string_view break_glass, std::string_view person,
                           std::string_view reason, std::string_view ticket, Instant* opened,
                           uint64_t* uses) const = 0;
  virtual int64_t Used(const CounterKey& counter, Instant now) const = 0;
  // A charge key already used: its reservation, state at `now` and digest. A reservation that only
  // time has closed is spent, whether or not anything was written since.
  virtual bool FindCharge(std::string_view key, Instant now, uint64_t* reservation,
                          ReservationState* state, std::string* digest) const = 0;
  // What an open reservation holds of a counter (a replay is checked without its own share).
  virtual int64_t Held(uint64_t reservation, const CounterKey& counter) const = 0;
  virtual Instant HighTime()
      const = 0;  // the highest instant stored: windows use max(now, HighTime())

  // ---- the commit: everything or nothing
  virtual CommitResult Commit(const CommitRequest& request) = 0;
};

class StateStore : public DecisionState {
 public:
  // ---- further reads
  // Calls `each` for every consent; it must not call the store.
  using EachConsent = std::function<void(std::string_view delegation, std::string_view person,
                                         const ConsentRecord& consent)>;
  virtual void ForEachConsent(const EachConsent& each) const = 0;
  // Every opening on record, by door and time: what is to be reviewed. A copy.
  virtual std::vector<OpeningRecord> Openings() const = 0;
  // What made this run a child; none: nothing did. Its instance must be named.
  virtual std::optional<HandoffRecord> FindHandoff(std::string_view child_agent,
                                                   std::string_view child_instance) const = 0;
  virtual std::shared_ptr<const AccessRequest> FindAccessRequest(std::string_view id) const = 0;
  virtual std::optional<ReservationRecord> ReadReservation(uint64_t id) const = 0;

  // How far back charges, acts and births are kept, at least: no window may be longer (fits.h).
  virtual int64_t HistoryUs() const { return 3660 * kMicrosPerDay; }

  // ---- lists, for whoever operates; a page costs a look at every record of the kind, in slices
  virtual Page<Revocation> ListRevocations(PageAsk ask,
                                           const Keep<Revocation>& keep = {}) const = 0;
  virtual Page<ConsentEntry> ListConsents(PageAsk ask,
                                          const Keep<ConsentEntry>& keep = {}) const = 0;
  virtual Page<TaskRecord> ListTasks(PageAsk ask, const Keep<TaskRecord>& keep = {}) const = 0;
  virtual Page<HandoffRecord> ListHandoffs(PageAsk ask,
                                           const Keep<HandoffRecord>& keep = {}) const = 0;
  // Of one agent; of all when `agent` is empty.
  virtual Page<InstanceRecord> ListInstances(std::string_view agent, PageAsk ask,
                                             const Keep<InstanceRecord>& keep = {}) const = 0;
  virtual Page<ApprovalRecord> ListApprovals(PageAsk ask,
                                             const Keep<ApprovalRecord>& keep = {}) const = 0;
  virtual Page<AccessRequest> ListAccessRequests(PageAsk ask,
                                                 const Keep<AccessRequest>& keep = {}) const = 0;
  virtual Page<OpeningRecord> ListOpenings(PageAsk ask,
                                           const Keep<OpeningRecord>& keep = {}) const = 0;
  // Open ones, and those that ended so lately that their numbers are still kept; by number.
  virtual Page<ReservationRecord> ListReservations(
      PageAsk ask, const Keep<ReservationRecord>& keep = {}) const = 0;
  virtual Page<CounterRecord> ListCounters(PageAsk ask, Instant now,
                                           const Keep<CounterRecord>& keep = {}) const = 0;

  // ---- writes
  virtual uint64_t Revoke(const Revocation& revocation) = 0;  // returns the epoch
  uint64_t Revoke(RevokedKind kind, std::string_view name, std::optional<Instant> before) {
    Revocation revocation;
    revocation.kind = kind;
    revocation.name = name;
    revocation.before = before;
    return Revoke(revocation);
  }
  // Error "state.full" when a consent of this person to this delegation cannot be remembered.
  virtual Status RoomForConsent(std::string_view delegation, std::string_view person) const = 0;
  virtual void GiveConsent(std::string_view delegation, std::string_view person,
                           const ConsentRecord& consent) = 0;
  virtual Status OpenTask(const TaskRecord& task) = 0;  // error when the id exists
  // One parent per child instance (an empty child instance names no instance and may have several).
  virtual Status RecordHandoff(const HandoffRecord& handoff) = 0;
  Status RecordHandoff(std::string_view parent_agent, std::string_view parent_instance,
                       std::string_view child_agent, std::string_view child_instance,
                       std::string_view task) {
    HandoffRecord handoff;
    handoff.parent_agent = parent_agent;
    handoff.parent_instance = parent_instance;
    handoff.child_agent = child_agent;
    handoff.child_instance = child_instance;
    handoff.task = task;
    return RecordHandoff(handoff);
  }
  virtual Status RecordApproval(const ApprovalRecord& approval) = 0;  // error when the id exists
  // "access.exists", "state.full".
  virtual Status OpenAccessRequest(const AccessRequest& request) = 0;
  // One signature, and what it makes of the request: still kPending, or settled. `seen`: how many
  // signatures the caller has read; another number now is "access.moved": read again. A request
  // that becomes kApproved records `approval`, whose id it then names. An empty person adds no
  // signature (withdrawn by the caller that asked). Others: "access.unknown", "access.closed",
  // "access.expired", "access.signed" (the same person twice), "approval.exists", "state.full".
  virtual Status SignAccessRequest(std::string_view id, const Signature& signature, size_t seen,
                                   AccessState becomes, const ApprovalRecord* approval) = 0;
  // Who looked into an opening, when, and what they found. "opening.unknown"; "opening.reviewed":
  // it was, and has not been used since.
  virtual Status ReviewOpening(std::string_view break_glass, std::string_view person,
                               std::string_view reason, std::string_view ticket,
                               const Signature& review) = 0;
  virtual void SetUsed(const CounterKey& counter, int64_t used, Instant now) = 0;
  // Only the caller that got the permit, once, before the deadline. `actual` in the unit of the
  // reservation's one measure; absent: all of it. More than was reserved is refused, the
  // reservation is spent and the overrun counted. Codes: reservation.unknown, reservation.caller,
  // reservation.closed, reservation.actual, reservation.overrun.
  virtual Status Confirm(uint64_t reservation, std::string_view caller,
                         std::optional<int64_t> actual, Instant now) = 0;
  virtual Status Cancel(uint64_t reservation, std::string_view caller, Instant now) = 0;

  // ---- durability; a store in memory keeps every promise at once
  virtual uint64_t Written() const { return 0; }  // the ticket of the latest mutation
  // kBroken: the store could not write it; it may still be kept later, but must not be promised.
  virtual Promise Check([[maybe_unused]] uint64_t ticket) const { return Promise::kKept; }
  // Waits for everything mutated so far; error "state.failed" when it cannot be kept.
  virtual Status Sync() { return Status::Ok(); }
  // `wake` is called from a thread of the store's own whenever an answer of Check may have changed;
  // it must be quick. Before the first mutation only.
  virtual void OnKept([[maybe_unused]] std::function<void()> wake) {}
  virtual StoreHealth Health() const { return {.kind = "memory"}; }
};

// Names for IsRevoked/Revoke of things with two parts: account = "system:key", instance =
// "agent/instance".
std::string RevokedName(std::string_view first, std::string_view second, char separator);

}  // namespace dpl
