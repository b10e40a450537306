// The event loop over epoll and an eventfd.
#include "server/http/event_loop.h"

#include <algorithm>
#include <climits>

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace dpl::http {
namespace {

// Told in one go. Few, so that the last of them does not wait long for the first.
constexpr int kBatch = 64;

}  // namespace

EventLoop::EventLoop()
    : epoll_(epoll_create1(EPOLL_CLOEXEC)), wake_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  if (ok()) Watch(wake_, EPOLLIN, nullptr);
}

EventLoop::~EventLoop() {
  if (wake_ >= 0) close(wake_);
  if (epoll_ >= 0) close(epoll_);
}

bool EventLoop::Watch(int fd, uint32_t events, Watcher* watcher) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = watcher;
  return epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) == 0;
}

void EventLoop::Rewatch(int fd, uint32_t events, Watcher* watcher) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = watcher;
  epoll_ctl(epoll_, EPOLL_CTL_MOD, fd, &event);
}

void EventLoop::Unwatch(int fd) { epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr); }

bool EventLoop::Wait(int64_t milliseconds) {
  epoll_event events[kBatch];
  const int count = epoll_wait(epoll_, events, kBatch,
                               static_cast<int>(std::clamp<int64_t>(milliseconds, 0, INT_MAX)));
  bool woken = false;
  for (int i = 0; i < count; ++i) {
    if (auto* watcher = static_cast<Watcher*>(events[i].data.ptr)) {
      watcher->OnReady(events[i].events);
      continue;
    }
    uint64_t wakes = 0;
    woken = read(wake_, &wakes, sizeof wakes) == sizeof wakes;
  }
  return woken;
}

void EventLoop::Wake() {
  const uint64_t one = 1;
  // It fails only when the count is full: the loop is being woken already.
  [[maybe_unused]] ssize_t ignored = write(wake_, &one, sizeof one);
}

}  // namespace dpl::http
