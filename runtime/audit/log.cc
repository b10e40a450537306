#include "runtime/audit/log.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <thread>

#include "runtime/audit/log_parts.h"
#include "runtime/json/json_writer.h"

namespace dpl {
namespace {

constexpr size_t kEntryHeader = 12;
constexpr size_t kEager = size_t{1} << 20;  // so much is written without waiting for more
constexpr size_t kMuch = size_t{4} << 20;   // of one lane, which is looked at anyway now and then

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
  if (sync != AuditSync::kSoon) urgent_ = true;
  if (sleeping_ || (waiting_.load() && (urgent_ || pending_.size() >= kEager))) work_.notify_one();
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
  if (waiting_.load()) work_.notify_one();
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

// ---------------------------------------------------------------- lanes

void AuditLog::Impl::SetRenderer(std::unique_ptr<AuditRenderer> renderer) {
  Lock lock(mutex_);
  DPL_CHECK(lane_count_ == 0);
  renderer_ = std::move(renderer);
}

std::shared_ptr<AuditLane> AuditLog::Impl::OpenLane() {
  Lock lock(mutex_);
  DPL_CHECK(renderer_ != nullptr);
  const size_t count = lane_count_;
  if (count == kMaxLanes) return nullptr;
  lanes_[count] = std::make_shared<AuditLane>(static_cast<AuditLane::Log*>(this),
                                              static_cast<uint16_t>(count + 1));
  lane_count_ = count + 1;
  return lanes_[count];
}

// Whether a lane may take an entry. A full one waits: a slow disk makes answers slow, not denied.
bool AuditLog::Impl::Takes(AuditLane* lane, size_t size) {
  auto room = [&] {
    const uint64_t most = options_.buffer_bytes - std::min(size, options_.buffer_bytes);
    const uint64_t waiting = lane->WaitingBytes(most);
    return waiting <= most || waiting == 0;
  };
  auto good = [&] {
    return options_.mode == AuditMode::kAvailable || !failed_.load(std::memory_order_relaxed);
  };
  if (room() && good() && !ended_.load(std::memory_order_relaxed)) {
    lane->GiveUp(false);
    return true;
  }
  if (options_.mode == AuditMode::kRequired && good() && !ended_ && !lane->gave_up()) {
    lane_waits_.fetch_add(1, std::memory_order_relaxed);
    lanes_urgent_ = true;
    Nudge();
    const int64_t until = clock_->MonotonicUs() + options_.patience_ms * 1000;
    while (good() && !ended_ && clock_->MonotonicUs() < until) {
      std::this_thread::sleep_for(std::chrono::microseconds(100));
      if (room() && good() && !ended_) return true;
    }
    lane->GiveUp(!room());
  }
  Lock lock(mutex_);
  if (!closing_) Lose();
  return false;
}

void AuditLog::Impl::Nudge() {
  Lock lock(mutex_);
  work_.notify_one();
}

// What need not be there soon stays without a fence, which would wait for the caches of the log's
// thread: that looks once more after it began to doze (Wait).
void AuditLog::Impl::Pushed(AuditLane* lane, AuditSync sync) {
  if (sync != AuditSync::kSoon || lane->WaitingBytes(kMuch) >= kMuch) {
    std::atomic_thread_fence(std::memory_order_seq_cst);
    if (!lanes_urgent_.load()) lanes_urgent_ = true;
    if (dozing_.load() || (sync != AuditSync::kTurn && waiting_.load())) Nudge();
  } else {
    std::atomic_signal_fence(std::memory_order_seq_cst);
    if (dozing_.load(std::memory_order_relaxed)) Nudge();
  }
}

void AuditLog::Impl::Flush() {
  if (lanes_urgent_.load() && waiting_.load()) Nudge();
}

// ---------------------------------------------------------------- promises

void AuditLog::Impl::Missed() {
  Lock lock(mutex_);
  if (!closing_) Lose();
}

Promise AuditLog::Impl::Check(uint64_t ticket) const {
  const uint64_t lane = ticket >> AuditLane::kTicketBits;
  const uint64_t count = ticket & ((uint64_t{1} << AuditLane::kTicketBits) - 1);
  auto kept = [&] { return (lane == 0 ? kept_.load() : lanes_[lane - 1]->kept()) >= count; };
  if (kept()) return Promise::kKept;
  if (!failed_.load()) return Promise::kPending;
  // It may have been kept between the two looks; then the failure is a later one.
  return kept() ? Promise::kKept : Promise::kBroken;
}

Status AuditLog::Impl::Sync() {
  Lock lock(mutex_);
  const uint64_t upto = appended_;
  std::vector<uint64_t> lanes;
  for (size_t i = 0; i < lane_count_; ++i) lanes.push_back(lanes_[i]->pushed());
  auto kept = [&] {
    if (kept_ < upto) return false;
    for (size_t i = 0; i < lanes.size(); ++i) {
      if (lanes_[i]->kept() < lanes[i]) return false;
    }
    return true;
  };
  if (!kept()) {
    urgent_ = urgent_ || !pending_.empty();
    lanes_urgent_ = true;
    work_.notify_one();
  }
  done_.wait(lock, [&] { return kept() || failed_; });
  if (kept()) return Status::Ok();
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
  health.records = records_;
  health.kept = records_;
  health.records += appended_ - kept_;
  for (size_t i = 0; i < lane_count_; ++i)
    health.records += lanes_[i]->pushed() - lanes_[i]->kept();
  health.signed_size = signed_;
  (options_.mode == AuditMode::kAvailable ? health.dropped : health.refused) = lost_;
  health.groups = groups_;
  health.waits = lane_waits_;
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
  (void)Sync();  // what the lanes hold stands before the last record
  {
    Lock lock(mutex_);
    if (closing_) return;
    if (!failed_) Push(R"({"kind":"log","event":"closed"})", AuditSync::kNow);
    closing_ = stop_ = true;
    ended_ = true;
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
void AuditLog::SetRenderer(std::unique_ptr<AuditRenderer> renderer) {
  impl_->SetRenderer(std::move(renderer));
}
std::shared_ptr<AuditLane> AuditLog::OpenLane() { return impl_->OpenLane(); }
void AuditLog::Missed() { impl_->Missed(); }
void AuditLog::Flush() { impl_->Flush(); }
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
