// See calm.h. Policies and nice values belong to one thread each on Linux.
#include "server/calm.h"

#include <chrono>

#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

namespace dpl {
namespace {

constexpr std::chrono::seconds kOnlyWhatIsLeft{2}, kASmallShare{8};
constexpr int kLeastNice = 19;

bool Become(pid_t thread, int policy) {
  sched_param none{};
  return sched_setscheduler(thread, policy, &none) == 0;
}

int NiceOf(pid_t thread) { return getpriority(PRIO_PROCESS, static_cast<id_t>(thread)); }
bool SetNice(pid_t thread, int nice) {
  return setpriority(PRIO_PROCESS, static_cast<id_t>(thread), nice) == 0;
}

}  // namespace

bool Calm::Allowed() {
  static const bool allowed = [] {
    bool came_back = false;
    std::thread probe([&came_back] {
      const int nice = NiceOf(gettid());
      came_back = Become(gettid(), SCHED_IDLE) && Become(gettid(), SCHED_OTHER) &&
                  SetNice(gettid(), kLeastNice) && SetNice(gettid(), nice);
    });
    probe.join();
    return came_back;
  }();
  return allowed;
}

Calm::Calm() : thread_(gettid()) {
  if (!Allowed()) return;
  // Before the thread changes, as the new one begins like it.
  watcher_ = std::thread([this] { Watch(); });
  (void)Become(thread_, SCHED_IDLE);
}

Calm::~Calm() {
  if (!watcher_.joinable()) return;
  {
    std::lock_guard lock(mutex_);
    done_ = true;
  }
  over_.notify_all();
  watcher_.join();
  (void)Become(thread_, SCHED_OTHER);
}

void Calm::Watch() {
  const int nice = NiceOf(thread_);
  auto over = [this] { return done_; };
  std::unique_lock lock(mutex_);
  if (over_.wait_for(lock, kOnlyWhatIsLeft, over)) return;
  (void)SetNice(thread_, kLeastNice);
  (void)Become(thread_, SCHED_OTHER);
  (void)over_.wait_for(lock, kASmallShare, over);
  (void)SetNice(thread_, nice);
}

}  // namespace dpl
