// One thread's event loop: sockets that have become ready, and a wake-up from other threads. Thin
// over epoll, so that a request costs one receive, one send and its share of one wait.
//
//   EventLoop loop;
//   loop.Watch(fd, EPOLLIN, &watcher);
//   for (;;) loop.Wait(milliseconds_to_the_next_tick);   // calls watcher.OnReady(events)
//
// Level-triggered: a watcher that leaves something unread is called again, after everybody else who
// is ready has had a turn. A watcher must outlive the Wait in which it stopped being watched:
// others of the same batch may still be told. All on one thread, but Wake.
#pragma once

#include <cstdint>

namespace dpl::http {

class Watcher {
 public:
  virtual void OnReady(uint32_t events) = 0;

 protected:
  ~Watcher() = default;
};

class EventLoop {
 public:
  EventLoop();
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  bool ok() const {
    return epoll_ >= 0 && wake_ >= 0;
  }  // false: the system has no descriptors left

  // EPOLL… flags. Errors and hang-ups are always told. Closing a descriptor ends its watch.
  bool Watch(int fd, uint32_t events, Watcher* watcher);
  void Rewatch(int fd, uint32_t events, Watcher* watcher);
  void Unwatch(int fd);

  // Waits at most so long for something to happen, and tells the watchers of it. True when Wake was
  // called.
  bool Wait(int64_t milliseconds);

  void Wake();  // any thread

 private:
  int epoll_ = -1;
  int wake_ = -1;
};

}  // namespace dpl::http
