// IPv4 and IPv6 text, strictly.
#include "runtime/base/ip.h"

#include <cstring>

namespace dpl {
namespace {

constexpr uint8_t kMapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// A decimal number below 256 without leading zeros at text[*at], which moves past it.
bool ParseByte(std::string_view text, size_t* at, uint8_t* value) {
  size_t begin = *at;
  int number = 0;
  while (*at < text.size() && text[*at] >= '0' && text[*at] <= '9' && *at - begin < 3) {
    number = number * 10 + (text[*at] - '0');
    ++*at;
  }
  size_t digits = *at - begin;
  if (digits == 0 || number > 255 || (digits > 1 && text[begin] == '0')) return false;
  *value = static_cast<uint8_t>(number);
  return true;
}

bool ParseV4(std::string_view text, uint8_t* bytes) {
  size_t at = 0;
  for (int i = 0; i < 4; ++i) {
    if (i > 0 && (at >= text.size() || text[at++] != '.')) return false;
    if (!ParseByte(text, &at, &bytes[i])) return false;
  }
  return at == text.size();
}

// RFC 4291 2.2: eight groups, one run of zeros as "::", the last four bytes perhaps dotted.
bool ParseV6(std::string_view text, std::array<uint8_t, 16>* addr) {
  uint8_t bytes[16] = {};
  size_t filled = 0;
  size_t gap = 17;  // where "::" stood
  size_t at = 0;
  if (text.size() >= 2 && text[0] == ':' && text[1] == ':') {
    gap = 0;
    at = 2;
  }
  while (at < text.size()) {
    std::string_view rest = text.substr(at);
    size_t colon = rest.find(':');
    std::string_view group = rest.substr(0, colon);
    if (group.find('.') != std::string_view::npos) {
      if (colon != std::string_view::npos || filled > 12 || !ParseV4(group, bytes + filled))
        return false;
      filled += 4;
      break;
    }
    if (group.empty() || group.size() > 4 || filled > 14) return false;
    unsigned value = 0;
    for (char c : group) {
      int digit = HexDigit(c);
      if (digit < 0) return false;
      value = value << 4 | static_cast<unsigned>(digit);
    }
    bytes[filled++] = static_cast<uint8_t>(value >> 8);
    bytes[filled++] = static_cast<uint8_t>(value);
    at += group.size();
    if (at == text.size()) break;
    ++at;  // the colon
    if (at == text.size()) return false;
    if (text[at] == ':') {
      if (gap != 17) return false;
      gap = filled;
      ++at;
    }
  }
  if (gap == 17) {
    if (filled != 16) return false;
    std::memcpy(addr->data(), bytes, 16);
    return true;
  }
  if (filled > 14) return false;  // "::" stands for at least one group
  addr->fill(0);
  std::memcpy(addr->data(), bytes, gap);
  std::memcpy(addr->data() + 16 - (filled - gap), bytes + gap, filled - gap);
  return true;
}

// Nothing but zeros after the first `bits`.
bool HostBitsClear(const IpPrefix& ip) {
  for (unsigned bit = ip.bits; bit < 128; ++bit) {
    if (ip.addr[bit / 8] & (0x80 >> (bit % 8))) return false;
  }
  return true;
}

void AppendNumber(std::string* out, unsigned value) {
  char text[10];
  size_t at = sizeof text;
  do {
    text[--at] = static_cast<char>('0' + value % 10);
    value /= 10;
  } while (value != 0);
  out->append(text + at, sizeof text - at);
}

// What is wrong with a text, while nobody has asked for the words.
enum class Fault { kNone, kSyntax, kPrefix, kHostBits };

Fault ReadIp(std::string_view text, IpPrefix* ip) {
  if (text.find(':') != std::string_view::npos) {
    return ParseV6(text, &ip->addr) ? Fault::kNone : Fault::kSyntax;
  }
  std::memcpy(ip->addr.data(), kMapped, sizeof kMapped);
  return ParseV4(text, ip->addr.data() + 12) ? Fault::kNone : Fault::kSyntax;
}

Fault ReadPrefix(std::string_view text, IpPrefix* ip) {
  size_t slash = text.find('/');
  Fault fault = ReadIp(text.substr(0, slash), ip);
  if (fault != Fault::kNone || slash == std::string_view::npos) return fault;
  bool v4 = text.substr(0, slash).find(':') == std::string_view::npos;
  size_t at = slash + 1;
  uint8_t bits = 0;
  if (!ParseByte(text, &at, &bits) || at != text.size() || bits > (v4 ? 32 : 128)) {
    return Fault::kPrefix;
  }
  ip->bits = static_cast<uint8_t>(v4 ? bits + 96 : bits);
  return HostBitsClear(*ip) ? Fault::kNone : Fault::kHostBits;
}

Error ErrorOf(Fault fault) {
  switch (fault) {
    case Fault::kPrefix:
      return Error{"ip.prefix", "a block's length is at most 32 for IPv4 and 128 for IPv6"};
    case Fault::kHostBits:
      return Error{"ip.host_bits",
                   "a block's address is zero after its prefix, as in `10.0.0.0/8`"};
    default:
      return Error{"ip.syntax", "an address is written as `192.0.2.1` or `2001:db8::1`"};
  }
}

}  // namespace

Result<IpPrefix> ParseIp(std::string_view text) {
  IpPrefix ip;
  if (Fault fault = ReadIp(text, &ip); fault != Fault::kNone) return ErrorOf(fault);
  return ip;
}

Result<IpPrefix> ParseIpPrefix(std::string_view text) {
  IpPrefix ip;
  if (Fault fault = ReadPrefix(text, &ip); fault != Fault::kNone) return ErrorOf(fault);
  return ip;
}

std::optional<IpPrefix> TryParseIpPrefix(std::string_view text) {
  IpPrefix ip;
  if (ReadPrefix(text, &ip) != Fault::kNone) return std::nullopt;
  return ip;
}

bool Contains(const IpPrefix& prefix, const IpPrefix& inner) {
  if (prefix.bits > 128 || inner.bits > 128 || inner.bits < prefix.bits) return false;
  // An IPv6 block wider than the mapped range does not speak about IPv4.
  if (IsIpv4(inner) && !IsIpv4(prefix)) return false;
  size_t whole = prefix.bits / 8;
  if (std::memcmp(prefix.addr.data(), inner.addr.data(), whole) != 0) return false;
  unsigned rest = prefix.bits % 8;
  if (rest == 0) return true;
  auto mask = static_cast<uint8_t>(0xff << (8 - rest));
  return ((prefix.addr[whole] ^ inner.addr[whole]) & mask) == 0;
}

bool IsIpv4(const IpPrefix& ip) {
  return ip.bits >= 96 && std::memcmp(ip.addr.data(), kMapped, sizeof kMapped) == 0;
}

void AppendIp(std::string* out, const IpPrefix& ip) {
  if (IsIpv4(ip)) {
    for (size_t i = 12; i < 16; ++i) {
      if (i > 12) out->push_back('.');
      AppendNumber(out, ip.addr[i]);
    }
    if (ip.bits != 128) {
      out->push_back('/');
      AppendNumber(out, ip.bits - 96u);
    }
    return;
  }
  auto group = [&](size_t i) {
    return static_cast<unsigned>(ip.addr[2 * i] << 8 | ip.addr[2 * i + 1]);
  };
  size_t best = 8, best_length = 1;  // the first longest run of at least two zero groups
  for (size_t i = 0; i < 8; ++i) {
    size_t j = i;
    while (j < 8 && group(j) == 0) ++j;
    if (j - i > best_length) {
      best = i;
      best_length = j - i;
    }
    if (j > i) i = j - 1;
  }
  for (size_t i = 0; i < 8; ++i) {
    if (i == best) {
      out->append("::");
      i += best_length - 1;
      continue;
    }
    if (i > 0 && i != best + best_length) out->push_back(':');
    static constexpr char kDigits[] = "0123456789abcdef";
    unsigned value = group(i);
    int shift = 12;
    while (shift > 0 && (value >> shift) == 0) shift -= 4;
    for (; shift >= 0; shift -= 4) out->push_back(kDigits[value >> shift & 15]);
  }
  if (ip.bits != 128) {
    out->push_back('/');
    AppendNumber(out, ip.bits);
  }
}

std::string FormatIp(const IpPrefix& ip) {
  std::string out;
  AppendIp(&out, ip);
  return out;
}

}  // namespace dpl
