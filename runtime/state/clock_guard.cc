// See clock_guard.h.
#include "runtime/state/clock_guard.h"

#include <algorithm>

namespace dpl {

bool ClockGuard::Trust(Instant wall, int64_t monotonic_us) {
  const int64_t offset = wall.us - monotonic_us;
  if (started_.load(std::memory_order_acquire) && !suspect()) {
    const int64_t off = offset - base_us_.load(std::memory_order_relaxed);
    if (off >= -kNear && off <= kNear) return true;
  }
  std::lock_guard<std::mutex> lock(mutex_);
  if (!started_) {
    base_us_ = offset;
    monotonic_us_ = monotonic_us;
    started_ = true;
  }
  int64_t elapsed = std::max<int64_t>(0, monotonic_us - monotonic_us_);
  monotonic_us_ = std::max(monotonic_us_, monotonic_us);
  if (offset - base_us_ > kTolerance) suspect_ = true;
  // A clock set back lowers the base at once; a gain is followed no faster than a clock is slewed.
  if (!suspect_) base_us_ += std::min(offset - base_us_.load(), elapsed / kSlew);
  return !suspect_;
}

void ClockGuard::Confirm(Instant wall, int64_t monotonic_us) {
  std::lock_guard<std::mutex> lock(mutex_);
  base_us_ = wall.us - monotonic_us;
  monotonic_us_ = monotonic_us;
  started_ = true;
  suspect_ = doubted_ = false;
}

void ClockGuard::Resume(const Trusted& trusted) {
  std::lock_guard<std::mutex> lock(mutex_);
  base_us_ = trusted.ahead_us;
  monotonic_us_ = trusted.monotonic_us;
  started_ = true;
}

void ClockGuard::Doubt() {
  std::lock_guard<std::mutex> lock(mutex_);
  suspect_ = doubted_ = true;
}

std::optional<ClockGuard::Trusted> ClockGuard::trusted() const {
  std::lock_guard<std::mutex> lock(mutex_);
  if (!started_ || doubted_) return std::nullopt;
  return Trusted{monotonic_us_, base_us_};
}

}  // namespace dpl
