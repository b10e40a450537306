// Files that grow at their end and must not lose what was promised: the machinery of the state log
// and of the audit log.
//
// A file is written ahead with zeros, because growing a file costs a sync twice, and its bytes are
// put in place over them. After a failed write nothing counts as written, and the same bytes may be
// tried again. After a failed sync nobody knows what the disk holds: the file is `broken()`.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <sys/types.h>

#include "runtime/base/result.h"

namespace dpl {

// What can fail in a disk; tests put another in its place.
class Disk {
 public:
  virtual ~Disk() = default;
  virtual ssize_t Write(int fd, const char* bytes, size_t size, uint64_t at);  // as pwrite
  virtual int Sync(int fd);                                                    // as fdatasync
  static Disk* Real();
};

class AppendFile {
 public:
  ~AppendFile();
  AppendFile(const AppendFile&) = delete;
  AppendFile& operator=(const AppendFile&) = delete;

  // A new file of these bytes, synced, that is there whole or not at all.
  static Result<std::unique_ptr<AppendFile>> Create(const std::string& path, std::string_view bytes,
                                                    Disk* disk);
  // An existing one, cut at `end`.
  static Result<std::unique_ptr<AppendFile>> Reopen(const std::string& path, uint64_t end,
                                                    Disk* disk);

  Status Append(std::string_view bytes);  // and syncs
  Status Put(std::string_view bytes);     // neither written ahead nor synced
  Status Trim();                          // cuts what was written ahead, and syncs
  // Bytes that are there already, once more, and syncs: after a crash it may be only the cache that
  // has them.
  Status Again(std::string_view bytes, uint64_t at);

  bool broken() const { return broken_; }
  uint64_t size() const { return at_; }
  const std::string& path() const { return path_; }

 private:
  AppendFile(int fd, std::string path, uint64_t at, Disk* disk)
      : fd_(fd), path_(std::move(path)), at_(at), filled_(at), disk_(disk) {}
  friend Status ReplaceFile(const std::string& path, std::string_view bytes, Disk* disk);
  static Result<std::unique_ptr<AppendFile>> Under(const std::string& temporary,
                                                   const std::string& path, std::string_view bytes,
                                                   Disk* disk);
  Status WriteAll(std::string_view bytes, uint64_t at, uint64_t* done);
  Status Sync();

  int fd_;
  std::string path_;
  uint64_t at_;      // where the next bytes go
  uint64_t filled_;  // the file has bytes up to here
  Disk* disk_;
  bool broken_ = false;
};

// Writes a file under another name, syncs it and renames it: the old one or the new one is there,
// whole. Which of them, after a power cut, is certain once the folder is synced.
Status ReplaceFile(const std::string& path, std::string_view bytes, Disk* disk);

// A whole file's bytes; one of more than `most` bytes is an error.
Result<std::string> ReadFile(const std::string& path, uint64_t most = UINT64_MAX);

Error FileError(std::string_view doing, const std::string& path, int error);
Status SyncFolder(const std::string& folder);
Status MakeFolder(const std::string& folder);  // and the ones above it that are missing

// Held by one process, and gone with it however it ends.
class FolderLock {
 public:
  ~FolderLock() { Release(); }
  void Release();
  // Takes `lock` of the folder; an error names the process that has it.
  Status Take(const std::string& folder, const std::string& code);
  // Keeps others from taking it, as long as this lives; false when one has it already.
  bool Share(const std::string& folder);

 private:
  int fd_ = -1;
};

}  // namespace dpl
