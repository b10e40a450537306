// What a server knew of the wall clock, kept beside its state, so that the next start on the same
// boot sees a clock that jumped while no server ran (closing rule 31).
//
//   Result<std::optional<ClockMark>> mark = ReadClockMark(folder);
//   if (mark.ok() && *mark && (*mark)->boot == BootId()) guard.Resume((*mark)->trusted);
//   Status kept = WriteClockMark(folder, {BootId(), *guard.trusted()});
//
// The time since the machine was started goes on while no server runs, and across its sleep; with
// it the guard judges as if the server had never stopped. After another start of the machine
// nothing is known but the highest time stored: how long it was off, only the wall clock tells.
#pragma once

#include <optional>
#include <string>

#include "runtime/base/result.h"
#include "runtime/state/append_file.h"
#include "runtime/state/clock_guard.h"

namespace dpl {

struct ClockMark {
  std::string boot;  // which run of the machine
  ClockGuard::Trusted trusted;
};

// The kernel's name for this run of the machine; empty where it does not tell.
std::string BootId();

// None: nothing was written yet. Error "state.corrupt" when it is not what was written.
Result<std::optional<ClockMark>> ReadClockMark(const std::string& folder);
// Kept when it returns Ok.
Status WriteClockMark(const std::string& folder, const ClockMark& mark, Disk* disk = Disk::Real());

}  // namespace dpl
