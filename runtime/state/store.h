// What decisions remember: counters and reservations, tasks, consents, instances, hand-offs,
// approvals, recorded acts, emergency openings, revocations and the epoch. The interface;
// memory_store.h implements it in memory, durable_store.h on disk.
//
// Everything is named by stable texts (qualified names, ids), never by an index of one program, so
// that a reload does not lose or confuse what was recorded. All calls are thread-safe. Reads are
// short and allocate nothing (but for the strings and vectors a caller hands in, which keep their
// capacity). Commit is one atomic step over everything a decision writes. Instants come from the
// caller: a store never reads a clock.
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

namespace dpl {

enum class RevokedKind : uint8_t {
  kPerson,
  kAccount,
  kAgent,
  kInstance,
  kTask,
  kGrant,
  kDelegation,
  kApproval,
  kPartner,
  kBreakGlass
};
constexpr int kRevokedKinds = 10;

// One counter: identity text (statement, measure, period, key names and values, unit; see
// counter_name.h) and its window.
struct CounterKey {
  enum class Window : uint8_t { kCalendar, kSliding, kTotal };
  std::string_view identity;
  Window window = Window::kTotal;
  Instant start{};         // kCalendar: first instant of the window
  Instant end{};           // kCalendar: first instant after it
  int64_t sliding_us = 0;  // kSliding: (now - sliding, now]
};

struct ConsentRecord {
  Instant at{};
  bool whole_day = false;       // given for a day: counts as given until `at` + 24h
  std::vector<uint64_t> reach;  // what it covered, sorted; empty: whatever the delegation lent when
                                // recorded is unknown → covers nothing
  bool from_facts = false;      // read from a facts file: ends when the file holds it no more
};
struct TaskRecord {
  std::string id, shape, person,
      agent;  // qualified shape and agent; person empty for a standing root
  std::vector<std::pair<std::string, std::string>>
      args;  // parameter name, wire text (a resource's id)
  Instant opened{}, expires{};
};
struct ApprovalRecord {
  std::string id, approval;            // qualified approval statement
  std::vector<std::string> approvers;  // persons who signed
  std::string binding;                 // digest of the request it is bound to
  std::vector<int64_t>
      approved_measures;  // in the action's parameter order; a use may ask for less, never more
  Instant given{}, expires{};
  uint32_t uses_left = 1;
};

// An emergency door that a person opened: one record per door, person and what was said. Whoever
// reviews it finds here who, why, when and how often.
struct OpeningRecord {
  std::string break_glass, person, reason, ticket;  // qualified break_glass
  Instant opened{}, last_used{}, review_due{};
  uint64_t uses = 0;
};

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
enum class ReservationState : uint8_t { kOpen, kConfirmed, kCancelled, kSpent };

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
};

class StateStore {
 public:
  virtual ~StateStore() = default;

  // ---- reads
  virtual uint64_t Epoch() const = 0;
  // `since`: when the thing began (session, instance birth, task opening); a cut-off instant
  // revokes what it cannot be proved to be after.
  virtual bool IsRevoked(RevokedKind kind, std::string_view name,
                         std::optional<Instant> since) const = 0;
  virtual bool AnyRevoked(RevokedKind kind) const = 0;  // false: no name of this kind need be asked
  virtual bool FindConsent(std::string_view delegation, std::string_view person,
                           ConsentRecord* out) const = 0;
  // Calls `each` for every consent; it must not call the store.
  using EachConsent = std::function<void(std::string_view delegation, std::string_view person,
                                         const ConsentRecord& consent)>;
  virtual void ForEachConsent(const EachConsent& each) const = 0;
  virtual std::shared_ptr<const TaskRecord> FindTask(std::string_view id) const = 0;
  virtual bool FindInstance(std::string_view agent, std::string_view instance, Instant* born,
                            bool* bound_to_task) const = 0;
  virtual bool InstanceBoundTo(std::string_view agent, std::string_view instance,
                               std::string_view task) const = 0;
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
  // Every opening on record, by door and time: what is to be reviewed. A copy.
  virtual std::vector<OpeningRecord> Openings() const = 0;
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

  // ---- writes
  virtual uint64_t Revoke(RevokedKind kind, std::string_view name,
                          std::optional<Instant> before) = 0;  // returns the epoch
  virtual void GiveConsent(std::string_view delegation, std::string_view person,
                           const ConsentRecord& consent) = 0;
  virtual Status OpenTask(const TaskRecord& task) = 0;  // error when the id exists
  // One parent per child instance (an empty child instance names no instance and may have several).
  virtual Status RecordHandoff(std::string_view parent_agent, std::string_view parent_instance,
                               std::string_view child_agent, std::string_view child_instance,
                               std::string_view task) = 0;
  virtual Status RecordApproval(const ApprovalRecord& approval) = 0;  // error when the id exists
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
