// The machine's clocks.
#include "runtime/base/clock.h"

#include <ctime>

namespace dpl {
namespace {

int64_t ReadMicros(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<int64_t>(now.tv_sec) * kMicrosPerSecond + now.tv_nsec / 1000;
}

}  // namespace

Instant SystemClock::Now() { return Instant{ReadMicros(CLOCK_REALTIME)}; }
int64_t SystemClock::MonotonicUs() { return ReadMicros(CLOCK_BOOTTIME); }

}  // namespace dpl
