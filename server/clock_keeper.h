// What is known of the wall clock over a restart (runtime/state/clock_mark.h): read at the start,
// kept when it changes.
//
//   ClockKeeper keeper(folder, &service.clock_guard(), &clock, &log);
//   keeper.Resume();                       // before the first question
//   Status kept = keeper.Confirm();        // somebody has looked at the clock
//   keeper.Keep();                         // before the end
//
// Any thread.
#pragma once

#include <mutex>
#include <string>

#include "runtime/base/clock.h"
#include "runtime/base/result.h"
#include "runtime/state/clock_guard.h"
#include "server/log.h"

namespace dpl {

class ClockKeeper {
 public:
  // `folder` of the state; empty: it is in memory, and nothing is kept.
  ClockKeeper(std::string folder, ClockGuard* guard, Clock* clock, Log* log)
      : folder_(std::move(folder)), guard_(guard), clock_(clock), log_(log) {}

  void Resume();
  // The clock is right from now on, and after a restart too; or else an error, and nothing changed.
  Status Confirm();
  void Keep();

 private:
  const std::string folder_;
  ClockGuard* const guard_;
  Clock* const clock_;
  Log* const log_;
  std::mutex mutex_;  // held while the file is written
};

}  // namespace dpl
