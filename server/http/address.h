// Where a server listens: `127.0.0.1:8181`, `[::1]:0`, `localhost:8181`, `unix:/run/dpld.sock`.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/base/result.h"

namespace dpl {

struct ListenAddress {
  enum class Kind : uint8_t { kIpv4, kIpv6, kUnix };

  Kind kind = Kind::kIpv4;
  std::string host;   // numeric, without brackets; of a unix socket its path
  uint16_t port = 0;  // 0: the kernel picks one

  // Numeric addresses only, so that starting never waits for a name server; `localhost` is
  // 127.0.0.1.
  static Result<ListenAddress> Parse(std::string_view text);

  // Reachable from this machine only. A unix socket is.
  bool IsLocal() const;
  std::string ToString() const;  // as Parse takes it
};

}  // namespace dpl
