// A counter with one writing thread and any number of readers: no locked instruction where it
// counts.
#pragma once

#include <atomic>
#include <cstdint>

namespace dpl {

class Tally {
 public:
  void Add(uint64_t count = 1) {
    value_.store(value_.load(std::memory_order_relaxed) + count, std::memory_order_relaxed);
  }
  uint64_t Get() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

}  // namespace dpl
