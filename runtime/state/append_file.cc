#include "runtime/state/append_file.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace dpl {
namespace {

constexpr size_t kFillBytes = 1 << 20;

std::string FolderOf(const std::string& path) {
  size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

ssize_t Disk::Write(int fd, const char* bytes, size_t size, uint64_t at) {
  return pwrite(fd, bytes, size, static_cast<off_t>(at));
}
int Disk::Sync(int fd) { return fdatasync(fd); }
Disk* Disk::Real() {
  static Disk disk;
  return &disk;
}

Result<std::string> ReadFile(const std::string& path, uint64_t most) {
  int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return FileError("open", path, errno);
  std::string bytes;
  struct stat info {};
  if (fstat(fd, &info) == 0 && static_cast<uint64_t>(info.st_size) <= most)
    bytes.reserve(static_cast<size_t>(info.st_size) + 1);
  int error = 0;
  char piece[65536];
  for (;;) {
    ssize_t count = read(fd, piece, sizeof piece);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) error = errno;
    if (count <= 0) break;
    bytes.append(piece, static_cast<size_t>(count));
    if (bytes.size() > most) error = EFBIG;
    if (error != 0) break;
  }
  close(fd);
  if (error != 0) return FileError("read", path, error);
  return bytes;
}

Error FileError(std::string_view doing, const std::string& path, int error) {
  return {"state.file", "cannot " + std::string(doing) + " " + path + ": " + std::strerror(error)};
}

Status SyncFolder(const std::string& folder) {
  int fd = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return FileError("open", folder, errno);
  int failed = fsync(fd) != 0 ? errno : 0;
  close(fd);
  if (failed != 0) return FileError("sync", folder, failed);
  return Status::Ok();
}

Status MakeFolder(const std::string& folder) {
  for (size_t at = 1; at <= folder.size(); ++at) {
    if (at != folder.size() && folder[at] != '/') continue;
    std::string made = folder.substr(0, at);
    if (mkdir(made.c_str(), 0700) != 0) {
      if (errno != EEXIST) return FileError("make the folder", folder, errno);
      continue;
    }
    (void)SyncFolder(FolderOf(made));  // its name must survive; a parent unread is not ours to sync
  }
  struct stat info {};
  if (stat(folder.c_str(), &info) != 0) return FileError("open", folder, errno);
  if (!S_ISDIR(info.st_mode)) return FileError("open", folder, ENOTDIR);
  return Status::Ok();
}

// ---------------------------------------------------------------- the lock

void FolderLock::Release() {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
}

Status FolderLock::Take(const std::string& folder, const std::string& code) {
  std::string path = folder + "/lock";
  fd_ = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd_ < 0) return FileError("open", path, errno);
  if (flock(fd_, LOCK_EX | LOCK_NB) != 0) {
    char holder[32] = {};
    ssize_t count = pread(fd_, holder, sizeof holder - 1, 0);
    std::string who = count > 0 ? " (process " + std::string(holder) + ")" : "";
    return Error{code, folder + " is in use by another dpld" + who};
  }
  std::string self = std::to_string(getpid());
  if (ftruncate(fd_, 0) != 0 ||
      pwrite(fd_, self.data(), self.size(), 0) != static_cast<ssize_t>(self.size()))
    return FileError("write", path, errno);
  return Status::Ok();
}

bool FolderLock::Share(const std::string& folder) {
  fd_ = open((folder + "/lock").c_str(), O_RDONLY | O_CLOEXEC);
  return fd_ < 0 || flock(fd_, LOCK_SH | LOCK_NB) == 0;
}

// ---------------------------------------------------------------- the growing file

AppendFile::~AppendFile() { close(fd_); }

Result<std::unique_ptr<AppendFile>> AppendFile::Create(const std::string& path,
                                                       std::string_view bytes, Disk* disk) {
  Result<std::unique_ptr<AppendFile>> file = Under(path + ".tmp", path, bytes, disk);
  if (!file.ok()) return file;
  DPL_RETURN_IF_ERROR(SyncFolder(FolderOf(path)));
  return file;
}

Result<std::unique_ptr<AppendFile>> AppendFile::Under(const std::string& temporary,
                                                      const std::string& path,
                                                      std::string_view bytes, Disk* disk) {
  int fd = open(temporary.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return FileError("create", path, errno);
  std::unique_ptr<AppendFile> file(new AppendFile(fd, path, 0, disk));
  Status written = file->Put(bytes);
  if (written.ok()) written = file->Sync();
  if (written.ok() && rename(temporary.c_str(), path.c_str()) != 0)
    written = FileError("create", path, errno);
  if (written.ok()) return file;
  unlink(temporary.c_str());
  return written.error();
}

Result<std::unique_ptr<AppendFile>> AppendFile::Reopen(const std::string& path, uint64_t end,
                                                       Disk* disk) {
  int fd = open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (fd < 0) return FileError("open", path, errno);
  std::unique_ptr<AppendFile> file(new AppendFile(fd, path, end, disk));
  // What a cut write left must not stand behind later bytes.
  DPL_RETURN_IF_ERROR(file->Trim());
  return file;
}

Status AppendFile::WriteAll(std::string_view bytes, uint64_t at, uint64_t* done) {
  *done = 0;
  while (*done < bytes.size()) {
    ssize_t count = disk_->Write(fd_, bytes.data() + *done, bytes.size() - *done, at + *done);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return FileError("write", path_, count == 0 ? ENOSPC : errno);
    *done += static_cast<uint64_t>(count);
  }
  return Status::Ok();
}

Status AppendFile::Sync() {
  if (disk_->Sync(fd_) == 0) return Status::Ok();
  broken_ = true;
  return FileError("sync", path_, errno);
}

Status AppendFile::Append(std::string_view bytes) {
  if (broken_) return Error{"state.file", "an earlier sync of " + path_ + " failed"};
  while (at_ + bytes.size() > filled_) {
    static const std::string zeros(kFillBytes, '\0');
    uint64_t done = 0;
    Status filled = WriteAll(zeros, filled_, &done);
    filled_ += done;
    if (!filled.ok()) return filled;
  }
  uint64_t done = 0;
  DPL_RETURN_IF_ERROR(WriteAll(bytes, at_, &done));
  DPL_RETURN_IF_ERROR(Sync());
  at_ += bytes.size();
  return Status::Ok();
}

Status AppendFile::Put(std::string_view bytes) {
  uint64_t done = 0;
  DPL_RETURN_IF_ERROR(WriteAll(bytes, at_, &done));
  at_ += bytes.size();
  filled_ = std::max(filled_, at_);
  return Status::Ok();
}

Status AppendFile::Trim() {
  if (broken_) return Error{"state.file", "an earlier sync of " + path_ + " failed"};
  if (ftruncate(fd_, static_cast<off_t>(at_)) != 0) return FileError("cut", path_, errno);
  filled_ = at_;
  return Sync();
}

Status AppendFile::Again(std::string_view bytes, uint64_t at) {
  uint64_t done = 0;
  DPL_RETURN_IF_ERROR(WriteAll(bytes, at, &done));
  return Sync();
}

Status ReplaceFile(const std::string& path, std::string_view bytes, Disk* disk) {
  Result<std::unique_ptr<AppendFile>> file = AppendFile::Under(path + ".tmp", path, bytes, disk);
  if (!file.ok()) return file.error();
  return Status::Ok();
}

}  // namespace dpl
