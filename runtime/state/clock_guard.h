// Tells whether the wall clock can be trusted for metered permits (closing rule 31).
//
//   ClockGuard guard;
//   request.clock_suspect = !guard.Trust(clock.Now(), clock.MonotonicUs());
//
// A wall clock that runs back is harmless: windows use the highest time stored. One that jumps
// forward by more than five minutes against the monotonic clock could open windows early, so
// metered permits stop until Confirm(). Thread-safe.
#pragma once

#include <cstdint>
#include <mutex>

#include "runtime/base/instant.h"

namespace dpl {

class ClockGuard {
 public:
  static constexpr int64_t kTolerance = 5 * kMicrosPerMinute;
  static constexpr int64_t kSlew = 2000;  // a clock being set right may gain one part in so many

  bool Trust(Instant wall, int64_t monotonic_us);
  void Confirm(Instant wall, int64_t monotonic_us);  // an operator says the clock is right

 private:
  std::mutex mutex_;
  bool started_ = false;
  bool suspect_ = false;
  int64_t base_us_ = 0;       // wall - monotonic, as trusted so far
  int64_t monotonic_us_ = 0;  // of the last call
};

}  // namespace dpl
