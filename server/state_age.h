// Whether the audit log tells of more than the state knows: then the state is older than the log (a
// copy was put back, files were cut or taken away), and what was revoked or spent since would be
// free again.
//
//   Result<std::optional<StateBehind>> behind = FindStateBehind(folder, {epoch, reservation});
//   if (behind.ok() && *behind && (*behind)->certain) …   // nothing may be decided on such a state
//
// A crash alone can leave the log ahead by what nobody was ever answered: state and log are synced
// side by side. What was told of more than a minute before the log's end was answered.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "runtime/base/instant.h"
#include "runtime/base/result.h"

namespace dpl {

struct StateAge {
  uint64_t epoch = 1;
  uint64_t reservation = 0;  // the latest that was given; 0: none
};

struct StateBehind {
  StateAge told;         // what the log tells of
  Instant since{};       // the first record that tells of more than the state knows
  bool certain = false;  // more than a crash can explain
};

// Of the log's last run, as far as its last three segments tell; nothing where the state knows all
// of it. The last one alone where that is enough: the state knows of a reservation that was given
// long after that segment began, and so of all that is told before. `read`: how many segments were.
// Errors "audit.file", "audit.missing".
Result<std::optional<StateBehind>> FindStateBehind(const std::string& folder, StateAge state,
                                                   size_t* read = nullptr);

}  // namespace dpl
