// Tells whether the wall clock can be trusted for metered permits (closing rule 31).
//
//   ClockGuard guard;
//   request.clock_suspect = !guard.Trust(clock.Now(), clock.MonotonicUs());
//   … guard.Confirm(clock.Now(), clock.MonotonicUs());   // somebody has looked at the clock
//
// A wall clock that runs back is harmless: windows use the highest time stored. One that jumps
// forward by more than five minutes against the monotonic clock could open windows early, so
// metered permits stop until Confirm(). Resume() goes on from what an earlier server of the same
// boot trusted (clock_mark.h), as if that one had never stopped. Thread-safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>

#include "runtime/base/instant.h"

namespace dpl {

class ClockGuard {
 public:
  static constexpr int64_t kTolerance = 5 * kMicrosPerMinute;
  static constexpr int64_t kSlew = 2000;  // a clock being set right may gain one part in so many

  // Within this of what is trusted nothing has to be looked at closely, and no lock is taken.
  static constexpr int64_t kNear = kMicrosPerSecond;

  // What was trusted, and when: the wall clock stands so far ahead of the monotonic one.
  struct Trusted {
    int64_t monotonic_us = 0;
    int64_t ahead_us = 0;
  };

  bool Trust(Instant wall, int64_t monotonic_us);
  void Confirm(Instant wall, int64_t monotonic_us);  // an operator says the clock is right
  void Resume(const Trusted& trusted);               // before the first Trust
  void Doubt();                            // nobody knows what was trusted: suspect until Confirm
  std::optional<Trusted> trusted() const;  // none before the first Trust, or after Doubt

  bool suspect() const { return suspect_.load(std::memory_order_acquire); }

 private:
  mutable std::mutex mutex_;  // guards what follows; the atomics are written under it alone
  std::atomic<bool> started_{false};
  std::atomic<bool> suspect_{false};
  std::atomic<int64_t> base_us_{0};  // wall - monotonic, as trusted so far
  int64_t monotonic_us_ = 0;         // of the last call that was not near
  bool doubted_ = false;
};

}  // namespace dpl
