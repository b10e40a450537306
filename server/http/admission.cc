// Counting what was given out.
#include "server/http/admission.h"

#include <cstring>

#include <netinet/in.h>

namespace dpl::http {

ClientKey ClientKey::Of(const sockaddr_storage& peer, int64_t uid) {
  ClientKey key{peer.ss_family, 0};
  if (peer.ss_family == AF_INET) {
    key.number = reinterpret_cast<const sockaddr_in&>(peer).sin_addr.s_addr;
  } else if (peer.ss_family == AF_INET6) {
    const in6_addr& address = reinterpret_cast<const sockaddr_in6&>(peer).sin6_addr;
    std::memcpy(&key.number, address.s6_addr, sizeof key.number);
  } else {
    key.number = static_cast<uint64_t>(uid);
  }
  return key;
}

Admission::Verdict Admission::Enter(const ClientKey& client) {
  if (open_.fetch_add(1, std::memory_order_relaxed) >= limits_->max_connections) {
    open_.fetch_sub(1, std::memory_order_relaxed);
    return Verdict::kFull;
  }
  if (limits_->max_connections_per_client == 0) return Verdict::kWelcome;
  std::lock_guard lock(mutex_);
  uint64_t& count = clients_[client];
  if (count >= limits_->max_connections_per_client) {
    open_.fetch_sub(1, std::memory_order_relaxed);
    return Verdict::kClientFull;
  }
  ++count;
  return Verdict::kWelcome;
}

void Admission::Leave(const ClientKey& client) {
  open_.fetch_sub(1, std::memory_order_relaxed);
  if (limits_->max_connections_per_client == 0) return;
  std::lock_guard lock(mutex_);
  auto found = clients_.find(client);
  if (found != clients_.end() && --found->second == 0) clients_.erase(found);
}

bool Admission::Take(uint64_t bytes) {
  if (bytes_.fetch_add(bytes, std::memory_order_relaxed) + bytes <= limits_->max_buffered_bytes)
    return true;
  Give(bytes);
  return false;
}

}  // namespace dpl::http
