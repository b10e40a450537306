// What a store remembers, as records: what decisions read, and what lists show. The interface is in
// store.h.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/base/instant.h"

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
  kBreakGlass,
  kEverything  // whatever begins at run time: all kinds but grants and delegations; has no names
};
constexpr int kRevokedKinds = 11;

// Taken away: one name of a kind, or with an empty name all of the kind.
struct Revocation {
  RevokedKind kind = RevokedKind::kPerson;
  std::string name;
  std::optional<Instant>
      before;    // only what is not proved to have begun after this; none: for good
  Instant at{};  // when, by which caller or person, and why
  std::string by, because;
  uint64_t epoch = 0;  // set by the store
};

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
struct CounterRecord {
  std::string identity;
  CounterKey::Window window = CounterKey::Window::kTotal;
  Instant start{}, end{};  // kCalendar: of the latest window
  int64_t sliding_us = 0;
  int64_t used = 0;      // in the latest window
  int64_t reserved = 0;  // of that, what open reservations hold and may give back
};

struct ConsentRecord {
  Instant at{};
  bool whole_day = false;       // given for a day: counts as given until `at` + 24h
  std::vector<uint64_t> reach;  // what it covered, sorted; empty: whatever the delegation lent when
                                // recorded is unknown → covers nothing
  bool from_facts = false;      // read from a facts file: ends when the file holds it no more
};
struct ConsentEntry {
  std::string delegation, person;  // qualified delegation
  ConsentRecord consent;           // an empty reach: withdrawn
};

struct TaskRecord {
  std::string id, shape, person,
      agent;  // qualified shape and agent; person empty for a standing root
  std::vector<std::pair<std::string, std::string>>
      args;  // parameter name, wire text (a resource's id)
  Instant opened{}, expires{};
  std::string opened_by;  // the caller or person that opened it; empty: nobody recorded it
};

struct HandoffRecord {
  std::string parent_agent, parent_instance;  // or "person:ID" and nothing
  std::string child_agent, child_instance;    // an empty instance: any fresh run
  std::string task;                           // holds in it only; empty: everywhere
  Instant at{};
  std::string by;  // the caller that recorded it
};

struct InstanceRecord {
  std::string agent, instance, task;  // task: empty while it was seen in none
  Instant born{}, keep_until{};       // forgotten after that
};

// What a person said to a request for access, and when. `meaning` is the policy's word for it.
struct Signature {
  std::string person;
  Instant at{};
  bool approve = true;  // false: no
  std::string meaning, note;
};
struct ApprovalRecord {
  std::string id, approval;            // qualified approval statement
  std::vector<std::string> approvers;  // persons who signed
  std::string binding;                 // digest of the request it is bound to
  std::vector<int64_t>
      approved_measures;  // in the action's parameter order; a use may ask for less, never more
  Instant given{}, expires{};
  uint32_t uses_left = 1;
  std::vector<Signature> signatures;  // of the approvers; none where nobody recorded them
  std::string request;                // the request for access it came from; empty: none
};

// A request that was answered `ask`, waiting for people to sign.
enum class AccessState : uint8_t { kPending, kApproved, kDenied, kWithdrawn };
struct AccessRequest {
  std::string id, approval;  // qualified approval statement
  std::string binding;       // digest of the request, as its `ask` named it
  std::string person, agent, instance, task;
  std::string action, type, resource;
  std::string shown;                       // what approvers are shown, as JSON
  std::vector<int64_t> approved_measures;  // what a yes will be good for
  std::string requested_by;                // the caller
  Instant created{}, expires{};            // past `expires` it cannot be signed any more
  AccessState state = AccessState::kPending;
  std::vector<Signature> signatures;
  std::string approval_id;  // when granted
};

// An emergency door that a person opened: one record per door, person and what was said. Whoever
// reviews it finds here who, why, when and how often.
struct OpeningRecord {
  std::string break_glass, person, reason, ticket;  // qualified break_glass
  Instant opened{}, last_used{}, review_due{};
  uint64_t uses = 0;
  std::string reviewed_by, review_note;  // empty: not yet
  Instant reviewed_at{};
};

enum class ReservationState : uint8_t { kOpen, kConfirmed, kCancelled, kSpent };
struct ReservationRecord {
  struct Charge {
    std::string counter;  // its identity
    int64_t quantity = 0;
    uint32_t measure = 0;
    bool returns = true;
  };
  uint64_t id = 0;
  ReservationState state = ReservationState::kOpen;
  std::string caller;
  Instant opened{}, deadline{};
  std::vector<Charge> charges;  // while it is open
};

// A list is read page by page. `after` is empty, then `next` of the page before; it stays good
// whatever comes and goes meanwhile: what is there all the time is shown exactly once.
struct PageAsk {
  std::string_view after;
  size_t limit = 100;
};
template <class T>
struct Page {
  std::vector<T> items;  // in the order of their names
  std::string next;      // empty: that was all. Any bytes
};
// Which records are wanted; empty: all. It must not call the store.
template <class T>
using Keep = std::function<bool(const T&)>;

}  // namespace dpl
