// What the benchmarks measure with: clocks, a median, and what one sync of the disk takes.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include <fcntl.h>
#include <time.h>
#include <unistd.h>

namespace dpl {

// Seconds.
inline double Now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}
inline double Cpu(clockid_t clock = CLOCK_PROCESS_CPUTIME_ID) {
  timespec t{};
  clock_gettime(clock, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

inline double Median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2),
                   values.end());
  return values[values.size() / 2];
}

// Microseconds of a write of 512 bytes and its fdatasync, in a file that is there already: p50.
inline double SyncMicros(const std::filesystem::path& folder) {
  const std::string path = (folder / "sync").string();
  int fd = open(path.c_str(), O_RDWR | O_CREAT, 0600);
  const std::string bytes(1 << 20, '\0');
  std::vector<double> took;
  if (fd < 0 || pwrite(fd, bytes.data(), bytes.size(), 0) < 0 || fdatasync(fd) != 0) std::abort();
  for (int i = 0; i < 300; ++i) {
    double start = Now();
    if (pwrite(fd, bytes.data(), 512, i * 512) != 512 || fdatasync(fd) != 0) std::abort();
    took.push_back((Now() - start) * 1e6);
  }
  close(fd);
  return Median(took);
}

}  // namespace dpl
