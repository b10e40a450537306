// Sockets that listen: bound, listening, non-blocking. Plain system calls; the server decides who
// accepts from them.
#pragma once

#include <cstdint>
#include <utility>

#include "runtime/base/result.h"
#include "server/http/address.h"

namespace dpl::http {

// A descriptor that closes itself.
class Fd {
 public:
  explicit Fd(int fd = -1) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(other.Release()) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Fd() { Close(); }
  int get() const { return fd_; }
  int Release() { return std::exchange(fd_, -1); }
  void Close();

 private:
  int fd_;
};

// Port 0 is replaced by the one that the kernel picked. A stale unix socket is replaced, a live one
// is an error; `unix_mode`: who may connect to it, from the first moment.
Result<Fd> Listen(ListenAddress* address, unsigned unix_mode);

// One more socket on the port of a TCP address that Listen has: the kernel spreads connections over
// them. -1 when it cannot be had.
Fd ListenBeside(const ListenAddress& address);

}  // namespace dpl::http
