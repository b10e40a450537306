// Waiting for a reason to reload, and for old snapshots that nobody uses any more.
#include "server/reloader.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

#include "server/calm.h"

namespace dpl {
namespace {

constexpr int kNice = 10;
constexpr std::chrono::milliseconds kLetGoAgain{100};
constexpr std::chrono::seconds kAskAgain{2};
constexpr std::chrono::hours kNever{1};  // woken up for nothing this often

}  // namespace

Reloader::Reloader(int watch_seconds, std::function<void(std::string_view)> reload)
    : watch_seconds_(watch_seconds), reload_(std::move(reload)) {}

void Reloader::Start() {
  thread_ = std::thread([this] { Run(); });
}

void Reloader::Ask() {
  std::lock_guard lock(mutex_);
  asked_ = true;
  wake_.notify_all();
}

void Reloader::AskAgain() {
  std::lock_guard lock(mutex_);
  again_ = std::chrono::steady_clock::now() + kAskAgain;
  wake_.notify_all();
}

void Reloader::LetGo(std::shared_ptr<const Snapshot> snapshot) {
  std::lock_guard lock(mutex_);
  if (snapshot != nullptr) before_.push_back(std::move(snapshot));
  wake_.notify_all();
}

void Reloader::End() {
  {
    std::lock_guard lock(mutex_);
    ended_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Reloader::Run() {
  using Steady = std::chrono::steady_clock;
  (void)setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), kNice);
  const bool watching = watch_seconds_ > 0;
  const Steady::duration interval =
      watching ? Steady::duration(std::chrono::seconds(watch_seconds_)) : kNever;
  auto look = Steady::now() + interval;
  std::unique_lock lock(mutex_);
  while (!ended_) {
    auto until = before_.empty() ? look : std::min(look, Steady::now() + kLetGoAgain);
    if (again_.has_value()) until = std::min(until, *again_);
    wake_.wait_until(lock, until, [this] { return ended_ || asked_; });
    if (ended_) break;
    const bool asked = std::exchange(asked_, false);
    const bool again = again_.has_value() && Steady::now() >= *again_;
    std::vector<std::shared_ptr<const Snapshot>> done;  // nobody else has them any more
    std::erase_if(before_, [&done](std::shared_ptr<const Snapshot>& snapshot) {
      if (snapshot.use_count() != 1) return false;
      done.push_back(std::move(snapshot));
      return true;
    });
    lock.unlock();
    if (!done.empty()) {
      {
        Calm calm;
        done.clear();
      }
      malloc_trim(0);
    }
    bool changed = false;
    if (const auto now = Steady::now(); now >= look) {
      look = now + interval;
      changed = watching && watch_.Changed();
    }
    if (asked || changed || again) {
      lock.lock();
      again_.reset();  // this one counts
      lock.unlock();
      reload_(asked ? "signal" : changed ? "change" : "retry");
    }
    lock.lock();
  }
}

}  // namespace dpl
