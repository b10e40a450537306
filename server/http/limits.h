// The bounds of one HTTP server: what a client may send, how slowly, and how many may do it at
// once.
//
// Every figure is a promise to the operator: whatever a client sends, it holds at most
// `max_head_bytes + max_body_bytes` (rounded up to the next doubling) of memory for at most the sum
// of the deadlines, and all clients together at most `max_buffered_bytes`. A request that arrives
// in one receive (16 KiB) holds nothing and is answered also when all of that is taken.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace dpl {

struct HttpLimits {
  size_t max_head_bytes = 32 * 1024;   // request line and headers together; beyond: 431
  size_t max_target_bytes = 8 * 1024;  // beyond: 414
  size_t max_headers = 100;            // header lines, trailers included; beyond: 431
  size_t max_body_bytes = 64 * 1024;   // decoded body; beyond: 413. Capped at kMaxBodyBytes
  // One path whose bodies may be larger, and how large; empty: none. It points to a literal.
  std::string_view large_path;
  size_t large_body_bytes = 0;
  size_t max_connections =
      16'000;  // beyond: 503 and close, unless one that waits in vain makes room
  // Of one client: an IPv4 address, an IPv6 /64, a user of a unix socket. Beyond: 503 and close. 0:
  // as many as there are.
  size_t max_connections_per_client = 0;
  // Of all connections together, beyond kFreeBytes of each: requests that have not arrived whole,
  // answers not yet taken. Beyond: 503 and close.
  uint64_t max_buffered_bytes = uint64_t{256} << 20;

  // One deadline covers a whole head, a whole body, a whole write, however often a byte trickles
  // in. Beyond: 408.
  std::chrono::milliseconds head_deadline{10'000};
  std::chrono::milliseconds body_deadline{10'000};
  std::chrono::milliseconds write_deadline{10'000};
  // A kept-alive connection between two requests. (A fresh one has `head_deadline` to say
  // something.)
  std::chrono::milliseconds idle_deadline{60'000};
  // How long a stopping server waits for requests under way.
  std::chrono::milliseconds drain_deadline{10'000};

  // What a connection may keep whatever the others do, so that an ordinary request in two pieces is
  // never starved.
  static constexpr size_t kFreeBytes = 4096;
  static constexpr size_t kMaxBodyBytes = 256 * 1024;

  size_t BodyBytes(std::string_view path) const {
    return !large_path.empty() && path == large_path ? large_body_bytes : max_body_bytes;
  }
};

}  // namespace dpl
