// What one server has given out of what it may give: connections, connections of each client, bytes
// of memory.
//
//   Admission admission(limits);
//   if (admission.Enter(client) == Admission::Verdict::kWelcome) … admission.Leave(client) …
//   if (!admission.Take(4096)) …   // 503; nothing was taken
//
// All threads of a server share one. Connections are counted when they come and go, bytes only when
// a request does not fit into one receive, so a request in the ordinary way touches none of it.
#pragma once

#include <atomic>
#include <compare>
#include <cstdint>
#include <map>
#include <mutex>

#include <sys/socket.h>

#include "server/http/limits.h"

namespace dpl::http {

// Whose connection it is, as far as the kernel knows: an IPv4 address, a /64 of IPv6 (one
// subscriber has as many addresses of it as he likes), or the user at the other end of a unix
// socket.
struct ClientKey {
  int family = 0;
  uint64_t number = 0;
  auto operator<=>(const ClientKey&) const = default;

  static ClientKey Of(const sockaddr_storage& peer, int64_t uid);
};

class Admission {
 public:
  explicit Admission(const HttpLimits& limits) : limits_(&limits) {}

  enum class Verdict : uint8_t { kWelcome, kFull, kClientFull };
  Verdict Enter(const ClientKey& client);
  void Leave(const ClientKey& client);

  bool Take(uint64_t bytes);
  void Give(uint64_t bytes) { bytes_.fetch_sub(bytes, std::memory_order_relaxed); }

  uint64_t open() const { return open_.load(std::memory_order_relaxed); }
  uint64_t bytes() const { return bytes_.load(std::memory_order_relaxed); }

 private:
  const HttpLimits* limits_;
  std::atomic<uint64_t> open_{0};
  std::atomic<uint64_t> bytes_{0};
  std::mutex mutex_;
  std::map<ClientKey, uint64_t> clients_;  // ordered: no choice of addresses makes it slow
};

}  // namespace dpl::http
