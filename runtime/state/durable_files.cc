// Opening, the writer and the tidier of the durable store.
#include <algorithm>
#include <cerrno>
#include <chrono>

#include <sys/stat.h>
#include <unistd.h>

#include "runtime/state/durable_store.h"

namespace dpl {
namespace {

constexpr size_t kPieceBytes = 256 * 1024;

}  // namespace

DurableStore::DurableStore(const Options& options)
    : options_(options),
      disk_(options.disk == nullptr ? Disk::Real() : options.disk),
      image_(options.memory) {
  pending_.assign(kFrameHeader, '\0');
}

Result<std::unique_ptr<DurableStore>> DurableStore::Open(const Options& options) {
  std::unique_ptr<DurableStore> store(new DurableStore(options));
  DPL_RETURN_IF_ERROR(store->Start());
  return store;
}

Status DurableStore::Start() {
  if (options_.read_only) {
    struct stat info {};
    if (stat(options_.folder.c_str(), &info) != 0 && errno == ENOENT) {
      report_.fresh = true;
      return Status::Ok();
    }
    // What another process is writing to is its own to judge.
    if (!lock_.Share(options_.folder)) return Status::Ok();
    return RecoverState(options_.folder, {.salvage = options_.salvage}, &image_, &report_);
  }
  DPL_RETURN_IF_ERROR(MakeFolder(options_.folder));
  DPL_RETURN_IF_ERROR(lock_.Take(options_.folder, "state.locked"));
  DPL_RETURN_IF_ERROR(
      RecoverState(options_.folder, {.salvage = options_.salvage}, &image_, &report_));
  uint64_t next = report_.last + 1;
  if (!report_.damaged.empty()) {
    // From here on the salvaged state stands by itself.
    DPL_RETURN_IF_ERROR(WriteImage(image_, report_.last));
    DPL_RETURN_IF_ERROR(SetAside(report_.damaged));
    report_.tail.clear();
  }
  Result<std::unique_ptr<LogFile>> log =
      report_.tail.empty() ? LogFile::Create(options_.folder, next, disk_)
                           : LogFile::Reopen(report_.tail, report_.tail_end, report_.last, disk_);
  if (!log.ok()) return log.error();
  log_ = log.take();
  if (!report_.tail.empty() && report_.tail_old) {
    // It was cut behind its last group; what is written now has other bytes.
    log = LogFile::Create(options_.folder, next, disk_);
    if (!log.ok()) return log.error();
    log_ = log.take();
  }
  log_size_ = log_->size();
  old_log_bytes_ = report_.log_bytes - std::min(report_.log_bytes, log_->size());
  if (!report_.damaged.empty()) DPL_RETURN_IF_ERROR(RemoveOldState(options_.folder, report_.last));
  tidied_ = tidy_to_ = report_.image;
  writer_ = std::thread([this] { Write(); });
  tidier_ = std::thread([this] { Tidy(); });
  return Status::Ok();
}

Status DurableStore::SetAside(const std::vector<std::string>& files) {
  for (const std::string& path : files) {
    size_t slash = path.rfind('/');
    std::string aside = path.substr(0, slash + 1) + "damaged-" + path.substr(slash + 1);
    struct stat info {};
    if (stat(path.c_str(), &info) != 0 || S_ISDIR(info.st_mode)) continue;
    if (rename(path.c_str(), aside.c_str()) != 0) return FileError("set aside", path, errno);
  }
  return SyncFolder(options_.folder);
}

DurableStore::~DurableStore() {
  {
    Lock lock(order_);
    stop_ = true;
  }
  work_.notify_all();
  tidy_.notify_all();
  if (writer_.joinable()) writer_.join();
  if (tidier_.joinable()) tidier_.join();
}

// ---------------------------------------------------------------- the writer

void DurableStore::Wake() {
  done_.notify_all();
  for (const auto& wake : wakes_) wake();
}

void DurableStore::Write() {
  Lock lock(order_);
  WriteGroups(&lock);
  // Nobody will write what is still pending: no promise may hang on it.
  if (written_ != kept_) failed_ = true;
  Wake();
}

void DurableStore::WriteGroups(Lock* lock) {
  std::string group(kFrameHeader, '\0');
  std::vector<Gift> gifts;
  for (;;) {
    waiting_ = true;
    work_.wait(*lock, [this] { return stop_ || pending_.size() > kFrameHeader; });
    waiting_ = false;
    if (pending_.size() == kFrameHeader) return;
    std::swap(group, pending_);
    std::swap(gifts, gifts_);
    const uint64_t upto = written_;
    if (!WriteGroup(&group, lock)) return;
    for (Gift& gift : gifts) gift(&image_);
    ++groups_;
    kept_.store(upto, std::memory_order_seq_cst);
    Wake();
    gifts.clear();
    group.resize(kFrameHeader);
    if (group.capacity() > (size_t{4} << 20)) group.shrink_to_fit();
  }
}

// Until the group is on disk, however often that takes; false when that will not happen any more.
bool DurableStore::WriteGroup(std::string* group, Lock* lock) {
  for (;;) {
    lock->unlock();
    Status written = log_->Append(group);
    log_size_ = log_->size();
    const uint64_t most = std::max(options_.log_bytes, image_bytes_.load());
    if (written.ok() && log_->size() >= most) NextLog();
    lock->lock();
    if (written.ok()) {
      failed_.store(false, std::memory_order_seq_cst);
      error_.clear();
      return true;
    }
    error_ = written.error().message;
    failed_.store(true, std::memory_order_seq_cst);
    Wake();
    if (stop_) return false;
    if (log_->broken()) {
      work_.wait(*lock, [this] { return stop_; });
      return false;
    }
    work_.wait_for(*lock, std::chrono::milliseconds(options_.retry_ms), [this] { return stop_; });
    if (stop_) return false;
  }
}

// A new file for what comes, so that the present one can be tidied away. When there can be none,
// the present one goes on.
void DurableStore::NextLog() {
  {
    Lock lock(order_);
    if (tidying_ || tidy_to_ != tidied_) return;  // one after the other
  }
  Result<std::unique_ptr<LogFile>> next = LogFile::Create(options_.folder, log_->last() + 1, disk_);
  Lock lock(order_);
  if (!next.ok()) {
    tidy_error_ = next.error().message;
    return;
  }
  old_log_bytes_ += log_->size();
  tidy_to_ = log_->last();
  log_ = next.take();
  log_size_ = log_->size();
  tidy_.notify_all();
}

// ---------------------------------------------------------------- the tidier

Status DurableStore::WriteImage(const MemoryStore& image, uint64_t group) {
  ImageFile file(options_.folder, group, disk_);
  uint64_t bytes = 0;
  image.Save(kPieceBytes, [&](std::string_view piece) {
    bytes += piece.size();
    file.Piece(piece);
  });
  DPL_RETURN_IF_ERROR(file.Finish());
  image_bytes_ = bytes;
  return Status::Ok();
}

Status DurableStore::TidyUpTo(uint64_t group) {
  // From the files, not from the image in use: nobody has to hold still, and what the files hold is
  // read back while there is still time.
  MemoryStore image(options_.memory);
  RecoveryReport report;
  DPL_RETURN_IF_ERROR(RecoverState(options_.folder, {.upto = group}, &image, &report));
  if (report.last != group) return Error{"state.corrupt", "the log ends too early"};
  DPL_RETURN_IF_ERROR(WriteImage(image, group));
  return RemoveOldState(options_.folder, group);
}

void DurableStore::Tidy() {
  Lock lock(order_);
  for (;;) {
    tidy_.wait(lock, [this] { return stop_ || tidy_to_ != tidied_; });
    if (stop_) return;
    const uint64_t group = tidy_to_, bytes = old_log_bytes_;
    tidying_ = true;
    lock.unlock();
    Status done = TidyUpTo(group);
    lock.lock();
    tidying_ = false;
    tidied_ = group;  // a failure waits for the next file, and is told until then
    tidy_error_ = done.ok() ? "" : done.error().message;
    if (done.ok()) old_log_bytes_ -= bytes;
    tidy_.notify_all();
  }
}

void DurableStore::TidyForTest() {
  Lock lock(order_);
  tidy_.wait(lock, [this] { return tidy_to_ == tidied_ && !tidying_; });
}

}  // namespace dpl
