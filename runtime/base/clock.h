// The only source of "now". Engine code gets a Clock or an Instant as a parameter.
#pragma once

#include <atomic>
#include <cstdint>

#include "runtime/base/instant.h"

namespace dpl {

class Clock {
 public:
  virtual ~Clock() = default;
  virtual Instant Now() = 0;  // wall time, UTC; may step
  virtual int64_t
  MonotonicUs() = 0;  // for deadlines and measuring; never steps back, counts sleep of the machine
};

// The machine's clocks. Any thread.
class SystemClock final : public Clock {
 public:
  Instant Now() override;
  int64_t MonotonicUs() override;
};

// A clock that stands still until it is told. Any thread.
class FakeClock final : public Clock {
 public:
  explicit FakeClock(Instant start = {}) : now_us_(start.us) {}
  Instant Now() override { return Instant{now_us_.load()}; }
  int64_t MonotonicUs() override { return monotonic_us_.load(); }
  void Set(Instant now) { now_us_.store(now.us); }  // wall time only
  void Advance(Duration by) {                       // both
    now_us_.fetch_add(by.us);
    monotonic_us_.fetch_add(by.us);
  }

 private:
  std::atomic<int64_t> now_us_;
  std::atomic<int64_t> monotonic_us_{0};
};

}  // namespace dpl
