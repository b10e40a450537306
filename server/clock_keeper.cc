// See clock_keeper.h.
#include "server/clock_keeper.h"

#include <optional>

#include "runtime/state/clock_mark.h"

namespace dpl {

void ClockKeeper::Resume() {
  if (!folder_.empty()) {
    Result<std::optional<ClockMark>> mark = ReadClockMark(folder_);
    if (!mark.ok()) {
      log_->Warn("clock_unknown", {{"error", mark.error().message}});
      guard_->Doubt();
    } else if (mark->has_value() && !(*mark)->boot.empty() && (*mark)->boot == BootId()) {
      const ClockGuard::Trusted& trusted = (*mark)->trusted;
      // On one boot the time since it only grows: this one has been set back as a whole.
      if (trusted.monotonic_us > clock_->MonotonicUs()) {
        log_->Warn("clock_unknown",
                   {{"error", "the time since the machine was started has run back"}});
        guard_->Doubt();
      } else {
        guard_->Resume(trusted);
      }
    }
  }
  const Instant now = clock_->Now();
  if (!guard_->Trust(now, clock_->MonotonicUs()))
    log_->Warn("clock_suspect", {{"now", FormatInstant(now)}});
  Keep();
}

Status ClockKeeper::Confirm() {
  std::lock_guard<std::mutex> lock(mutex_);
  const Instant now = clock_->Now();
  const int64_t monotonic_us = clock_->MonotonicUs();
  if (!folder_.empty()) {
    DPL_RETURN_IF_ERROR(WriteClockMark(folder_, {BootId(), {monotonic_us, now.us - monotonic_us}}));
  }
  guard_->Confirm(now, monotonic_us);
  return Status::Ok();
}

void ClockKeeper::Keep() {
  std::lock_guard<std::mutex> lock(mutex_);
  const std::optional<ClockGuard::Trusted> trusted = guard_->trusted();
  if (folder_.empty() || !trusted) return;
  if (Status kept = WriteClockMark(folder_, {BootId(), *trusted}); !kept.ok())
    log_->Warn("clock_not_kept", {{"error", kept.error().message}});
}

}  // namespace dpl
