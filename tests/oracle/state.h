// What the oracle remembers between decisions: lists and maps, searched from the start each time.
#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "runtime/base/instant.h"
#include "runtime/state/store.h"
#include "tests/oracle/eval.h"

namespace dpl::oracle {

struct State {
  struct Cut {
    bool always = false;
    std::optional<Instant> before;  // revokes what is not provably after
    Instant at{};                   // when it was said
  };
  std::map<std::pair<RevokedKind, std::string>, Cut> revoked;
  // By its name, with all of its kind, or with everything; what the policy states is not begun.
  bool Revoked(RevokedKind kind, const std::string& name, std::optional<Instant> since) const {
    std::vector<std::pair<RevokedKind, std::string>> by = {{kind, name}, {kind, ""}};
    if (kind != RevokedKind::kGrant && kind != RevokedKind::kDelegation)
      by.emplace_back(RevokedKind::kEverything, "");
    for (const auto& what : by) {
      auto at = revoked.find(what);
      if (at == revoked.end()) continue;
      if (at->second.always || !since || *since <= *at->second.before) return true;
    }
    return false;
  }
  // Since when a person answers for nothing: revoked for good, not up to an instant.
  std::optional<Instant> GoneSince(const std::string& person) const {
    std::optional<Instant> since;
    for (const auto& [what, cut] : revoked) {
      bool concerns =
          what.first == RevokedKind::kEverything ||
          (what.first == RevokedKind::kPerson && (what.second.empty() || what.second == person));
      if (concerns && cut.always && (!since || cut.at < *since)) since = cut.at;
    }
    return since;
  }
  void Revoke(RevokedKind kind, const std::string& name, std::optional<Instant> before,
              Instant now) {
    Cut& cut = revoked[{kind, name}];
    cut.at = now;
    if (!before) cut.always = true;
    if (before && (!cut.before || *cut.before < *before)) cut.before = before;
  }

  struct Consent {
    Instant at{};
    bool whole_day = false;
  };
  std::map<std::pair<std::string, std::string>, Consent> consents;  // delegation, person
  std::map<std::string, TaskState> tasks;

  struct Instance {
    Instant born{};
    std::set<std::string> tasks;
  };
  std::map<std::pair<std::string, std::string>, Instance> instances;  // agent, instance
  struct Parent {
    std::pair<std::string, std::string> who;  // agent, instance
    std::string task;                         // handed off in this task only; empty: in any
  };
  std::map<std::pair<std::string, std::string>, Parent> parents;  // by child

  struct Approval {
    uint32_t approval = kNone;  // by ordinal
    std::vector<std::string> approvers;
    std::string binding;  // root, first agent, action, resource, parameters that are no measures
    std::map<std::string, Val> measures;
    Instant given{};
    std::optional<Instant> expires;
    uint32_t uses_left = 1;
  };
  std::map<std::string, Approval> approvals;
  std::map<std::vector<std::string>, Instant> openings;  // door, person, reason, ticket

  struct Act {
    std::string separate, key, who;
    int side = 0;
    Instant at{};
  };
  std::vector<Act> acts;

  // A counter is the list of what was charged to it.
  struct Charged {
    Instant at{}, window{};
    int64_t quantity = 0;
    uint64_t reservation = 0;
    bool returns = true;
  };
  std::map<std::string, std::vector<Charged>> counters;
  struct Reservation {
    ReservationState state = ReservationState::kOpen;
    std::optional<Instant> deadline;  // the engine's choice; silence until then is spent
    std::vector<std::string> counters;
  };
  std::map<uint64_t, Reservation> reservations;
  bool Open(uint64_t id, Instant now) const {
    auto at = reservations.find(id);
    if (at == reservations.end() || at->second.state != ReservationState::kOpen) return false;
    return !at->second.deadline || now < *at->second.deadline;
  }
  struct Key {
    uint64_t reservation = 0;
    std::string digest;
    int64_t keep_us = 0;  // behind the reservation's deadline
  };
  // Null: not in use, or so long ago that it is forgotten.
  const Key* KeyAt(const std::string& name, Instant now) const {
    auto at = keys.find(name);
    if (at == keys.end()) return nullptr;
    auto charged = reservations.find(at->second.reservation);
    if (charged != reservations.end() && charged->second.deadline &&
        charged->second.deadline->us + at->second.keep_us < now.us)
      return nullptr;
    return &at->second;
  }
  std::map<std::string, Key> keys;
  std::optional<Instant> high;  // the highest time written with any of this
  void Saw(Instant now) { high = std::max(high.value_or(now), now); }
  uint64_t next_reservation = 1;
};

}  // namespace dpl::oracle
