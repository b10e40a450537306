// IP addresses and CIDR blocks. An IPv4 address is kept as its IPv4-mapped IPv6 form, so
// "192.0.2.1" and "::ffff:192.0.2.1" are the same value.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/base/result.h"

namespace dpl {

struct IpPrefix {
  std::array<uint8_t, 16> addr{};
  uint8_t bits = 128;  // 128: one address. IPv4 "/n" is 96 + n
  friend bool operator==(const IpPrefix&, const IpPrefix&) = default;
  friend auto operator<=>(const IpPrefix&, const IpPrefix&) = default;  // NOLINT
};

// Strict: no leading zeros in IPv4 parts, no IPv6 zone ids, no brackets, no port.
// Codes: ip.syntax, ip.prefix (length out of range), ip.host_bits ("10.0.0.1/8").
Result<IpPrefix> ParseIp(std::string_view text);        // one address
Result<IpPrefix> ParseIpPrefix(std::string_view text);  // an address or a CIDR block
// The same where a text that is none is no error: no reason, and nothing asked of the heap.
std::optional<IpPrefix> TryParseIpPrefix(std::string_view text);

// True when `inner` (an address or a block) lies within `prefix`. An IPv4 block holds IPv4 only; an
// IPv6 block shorter than the mapped range's own 96 bits holds no IPv4 address.
bool Contains(const IpPrefix& prefix, const IpPrefix& inner);

bool IsIpv4(const IpPrefix& ip);
// Canonical: IPv4 dotted, IPv6 as RFC 5952, "/n" unless it is one address.
void AppendIp(std::string* out, const IpPrefix& ip);
std::string FormatIp(const IpPrefix& ip);

}  // namespace dpl
