#include "runtime/audit/log.h"

#include <algorithm>
#include <cstring>

#include "runtime/audit/log_parts.h"
#include "runtime/json/json_writer.h"

namespace dpl {
namespace {

constexpr size_t kEntryHeader = 12;
constexpr size_t kEager = size_t{1} << 20;  // so much is written without waiting for more

// In braces, one line, no controls: anything else could be read as another line.
bool IsOneLine(std::string_view json) {
  return json.size() >= 2 && json.front() == '{' && json.back() == '}' && !HasLowControl(json);
}

}  // namespace

// ---------------------------------------------------------------- the callers' side

bool AuditLog::Impl::HasRoom(size_t size) const {
  return pending_.size() + kEntryHeader + size <= options_.buffer_bytes;
}

uint64_t AuditLog::Impl::Push(std::string_view json, AuditSync sync) {
  if (pending_.empty()) oldest_us_ = clock_->MonotonicUs();
  const auto size = static_cast<uint32_t>(json.size());
  const int64_t now = clock_->Now().us;
  char header[kEntryHeader];
  std::memcpy(header, &size, 4);
  std::memcpy(header + 4, &now, 8);
  pending_.append(header, sizeof header).append(json);
  if (sync == AuditSync::kNow) urgent_ = true;
  if (sleeping_ || (waiting_ && (urgent_ || pending_.size() >= kEager))) work_.notify_one();
  return ++appended_;
}

void AuditLog::Impl::PushGap() {
  std::string json;
  JsonWriter w(&json);
  w.BeginObject().Member("kind", "log").Member("event", "gap");
  w.Key(options_.mode == AuditMode::kAvailable ? "dropped" : "refused").Uint(gap_);
  w.Member("since", AuditTimeText(gap_since_)).Member("until", AuditTimeText(gap_until_));
  w.EndObject();
  if (!pending_.empty() && !HasRoom(json.size())) return;
  gap_ = 0;
  Push(json, AuditSync::kNow);
}

void AuditLog::Impl::Lose() {
  ++lost_;
  gap_until_ = clock_->Now();
  if (gap_++ == 0) gap_since_ = gap_until_;
  if (waiting_) work_.notify_one();
}

uint64_t AuditLog::Impl::Append(std::string_view json, AuditSync sync) {
  const bool good = json.size() <= kMaxRecord && IsOneLine(json);
  Lock lock(mutex_);
  if (closing_) return 0;
  if (!good || !HasRoom(json.size()) || broken_ ||
      (options_.mode == AuditMode::kRequired && failed_.load(std::memory_order_relaxed))) {
    Lose();
    return 0;
  }
  return Push(json, sync);
}

Promise AuditLog::Impl::Check(uint64_t ticket) const {
  if (kept_.load() >= ticket) return Promise::kKept;
  if (!failed_.load()) return Promise::kPending;
  // It may have been kept between the two looks; then the failure is a later one.
  return kept_.load() >= ticket ? Promise::kKept : Promise::kBroken;
}

Status AuditLog::Impl::Sync() {
  Lock lock(mutex_);
  const uint64_t upto = appended_;
  if (kept_ < upto) {
    urgent_ = urgent_ || !pending_.empty();
    work_.notify_one();
  }
  done_.wait(lock, [&] { return kept_ >= upto || failed_; });
  if (kept_ >= upto) return Status::Ok();
  return Error{"audit.failed", error_.empty() ? "the audit log is closed" : error_};
}

void AuditLog::Impl::OnKept(std::function<void()> wake) {
  Lock lock(mutex_);
  wakes_.push_back(std::move(wake));
}

AuditHealth AuditLog::Impl::Health() const {
  Lock lock(mutex_);
  AuditHealth health;
  health.folder = options_.folder;
  health.origin = signer_.has_value() ? signer_->pub.name : "";
  health.mode = options_.mode;
  health.writable = Writable();
  for (const std::string* error : {&error_, &sign_error_, &segment_error_}) {
    if (health.error.empty()) health.error = *error;
  }
  health.records = appended_;
  health.kept = kept_;
  health.signed_size = signed_;
  (options_.mode == AuditMode::kAvailable ? health.dropped : health.refused) = lost_;
  health.groups = groups_;
  health.segments = segments_;
  return health;
}

Result<uint64_t> AuditLog::Impl::Prune(Instant before, std::string_view because) {
  Lock lock(mutex_);
  done_.wait(lock, [&] { return prune_.requests == prune_.done || closing_; });
  if (closing_) return Error{"audit.failed", "the audit log is closed"};
  prune_.before = before;
  prune_.because = because;
  const uint64_t own = ++prune_.requests;
  work_.notify_one();
  done_.wait(lock, [&] { return prune_.done >= own || failed_ || closing_; });
  if (prune_.done < own) return Error{"audit.failed", "the audit log cannot be written"};
  return prune_.result;
}

void AuditLog::Impl::Close() {
  {
    Lock lock(mutex_);
    if (closing_) return;
    if (!failed_) Push(R"({"kind":"log","event":"closed"})", AuditSync::kNow);
    closing_ = stop_ = true;
    work_.notify_all();
    done_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
  lock_.Release();
}

// ---------------------------------------------------------------- the public face

AuditLog::AuditLog(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
AuditLog::~AuditLog() { Close(); }

Result<std::unique_ptr<AuditLog>> AuditLog::Open(const AuditOptions& options) {
  auto impl = std::make_unique<Impl>(options);
  Status started = impl->Start();
  if (!started.ok()) {
    Error error = started.error();
    if (error.code == "state.file" || error.code == "audit.missing") error.code = "audit.file";
    return error;
  }
  return std::unique_ptr<AuditLog>(new AuditLog(std::move(impl)));
}

uint64_t AuditLog::Append(std::string_view json_object, AuditSync sync) {
  return impl_->Append(json_object, sync);
}
Promise AuditLog::Check(uint64_t ticket) const { return impl_->Check(ticket); }
Status AuditLog::Sync() { return impl_->Sync(); }
void AuditLog::OnKept(std::function<void()> wake) { impl_->OnKept(std::move(wake)); }
bool AuditLog::Writable() const { return impl_->Writable(); }
AuditMode AuditLog::mode() const { return impl_->mode(); }
AuditHealth AuditLog::Health() const { return impl_->Health(); }
Result<uint64_t> AuditLog::Prune(Instant before, std::string_view because) {
  return impl_->Prune(before, because);
}
void AuditLog::Close() { impl_->Close(); }

}  // namespace dpl
