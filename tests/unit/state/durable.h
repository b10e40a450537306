// What the tests of the durable store share: its folder, its files as bytes, a kill, counters, and
// a disk that does what it is told.
#pragma once

#include <atomic>
#include <fstream>
#include <sstream>
#include <thread>

#include "tests/unit/state/stores.h"

namespace dpl {

namespace fs = std::filesystem;

inline std::unique_ptr<DurableStore> Open(const std::string& folder, Disk* disk = nullptr) {
  Result<std::unique_ptr<DurableStore>> store =
      DurableStore::Open({.folder = folder, .retry_ms = 1, .disk = disk});
  EXPECT_TRUE(store.ok()) << store.error().message;
  return store.ok() ? store.take() : nullptr;
}

inline Error Refused(const std::string& folder) {
  Result<std::unique_ptr<DurableStore>> store = DurableStore::Open({.folder = folder});
  EXPECT_FALSE(store.ok());
  return store.ok() ? Error{} : store.error();
}

inline std::string FileOf(const std::string& folder, std::string_view prefix) {
  std::string found;
  for (const auto& entry : fs::directory_iterator(folder)) {
    std::string name = entry.path().filename().string();
    if (name.starts_with(prefix)) found = std::max(found, entry.path().string());
  }
  return found;
}

inline std::string ReadBytes(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream bytes;
  bytes << in.rdbuf();
  return bytes.str();
}

inline void WriteBytes(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

// The files as a kill at this moment would leave them.
inline std::unique_ptr<TemporaryFolder> Killed(const std::string& folder) {
  auto copy = std::make_unique<TemporaryFolder>();
  fs::copy(folder, copy->path(),
           fs::copy_options::recursive | fs::copy_options::overwrite_existing);
  return copy;
}

inline CounterKey Calendar(std::string_view name) {
  CounterKey key;
  key.identity = name;
  key.window = CounterKey::Window::kCalendar;
  key.start = At(0);
  key.end = At(86'400);
  return key;
}

inline CounterKey Sliding(std::string_view name) {
  CounterKey key;
  key.identity = name;
  key.window = CounterKey::Window::kSliding;
  key.sliding_us = kMicrosPerHour;
  return key;
}

// A disk that does what it is told.
class TestDisk : public Disk {
 public:
  enum class Mode { kGood, kFull, kShort, kSyncFails, kHeld };
  std::atomic<int> fail_at{-1};  // the number of the one write or sync that fails
  std::atomic<int> calls{0};
  std::atomic<Mode> mode{Mode::kGood};
  std::atomic<int> writes{0};
  std::atomic<int> syncs{0};

  ssize_t Write(int fd, const char* bytes, size_t size, uint64_t at) override {
    ++writes;
    while (mode == Mode::kHeld) std::this_thread::yield();
    if (calls++ == fail_at && size > 1) {  // some of it, and then no more
      fail_at = -2;
      return Disk::Write(fd, bytes, size / 2, at);
    }
    if (mode == Mode::kFull || fail_at == -2) {
      fail_at = -1;
      errno = ENOSPC;
      return -1;
    }
    if (mode == Mode::kShort) size = size > 7 ? 7 : size;  // a little at a time
    return Disk::Write(fd, bytes, size, at);
  }
  int Sync(int fd) override {
    ++syncs;
    if (calls++ == fail_at || mode == Mode::kSyncFails) {
      errno = EIO;
      return -1;
    }
    return Disk::Sync(fd);
  }
};

}  // namespace dpl
