// What the tests of the audit log share: a log in a folder of its own, its files as text, and a
// disk that fails when told.
#pragma once

#include <atomic>
#include <cerrno>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <unistd.h>

#include "runtime/audit/log.h"
#include "runtime/audit/reader.h"
#include "tests/support/temporary_folder.h"

namespace dpl {

// Fails as it is told; counts.
class FailingDisk final : public Disk {
 public:
  ssize_t Write(int fd, const char* bytes, size_t size, uint64_t at) override {
    if (full) {
      errno = ENOSPC;
      return -1;
    }
    size_t most = write_at_most.load();
    return Disk::Write(fd, bytes, std::min(size, most), at);
  }
  int Sync(int fd) override {
    ++syncs;
    if (sync_fails) {
      errno = EIO;
      return -1;
    }
    return Disk::Sync(fd);
  }
  std::atomic<bool> full{false}, sync_fails{false};
  std::atomic<size_t> write_at_most{SIZE_MAX};
  std::atomic<uint64_t> syncs{0};
};

inline std::unique_ptr<AuditLog> OpenLog(const AuditOptions& options) {
  Result<std::unique_ptr<AuditLog>> log = AuditLog::Open(options);
  EXPECT_TRUE(log.ok()) << log.error().message;
  return log.ok() ? log.take() : nullptr;
}

inline Error Refused(const AuditOptions& options) {
  Result<std::unique_ptr<AuditLog>> log = AuditLog::Open(options);
  EXPECT_FALSE(log.ok());
  return log.ok() ? Error{} : log.error();
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

// The records of a log, those of kind "log" among them.
inline std::vector<std::string> Records(const std::string& folder, const AuditRange& range = {}) {
  std::vector<std::string> out;
  Result<std::unique_ptr<AuditReader>> reader = AuditReader::Open(folder, range);
  EXPECT_TRUE(reader.ok()) << reader.error().message;
  if (!reader.ok()) return out;
  AuditRecord record;
  for (;;) {
    Result<bool> more = (*reader)->Next(&record);
    EXPECT_TRUE(more.ok()) << more.error().message;
    if (!more.ok() || !*more) return out;
    out.emplace_back(record.record);
  }
}

inline std::string Numbered(int n) {
  return R"({"kind":"test","n":)" + std::to_string(n) + R"(,"text":"agent for E1007"})";
}

}  // namespace dpl
