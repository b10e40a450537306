// While it lives, the thread it was made on runs only where no other has anything to do: a large
// policy is read without the threads that answer waiting for the processor.
//
//   { Calm calm;  … read, prove, join … }   // and as before again: what takes locks comes after
//
// On a machine that is busy all the time that would be never, so a few seconds later it gets a
// small share, and then a larger one. Where the system would not let the thread come back
// (RLIMIT_NICE, docs/dpld.md), it stays as it is.
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include <sys/types.h>

namespace dpl {

class Calm {
 public:
  Calm();
  ~Calm();
  Calm(const Calm&) = delete;
  Calm& operator=(const Calm&) = delete;

  // Whether threads of this process may go so far back and come again: tried out, once.
  static bool Allowed();

 private:
  void Watch();

  const pid_t thread_;
  std::mutex mutex_;
  std::condition_variable over_;
  bool done_ = false;
  std::thread watcher_;
};

}  // namespace dpl
