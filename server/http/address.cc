// Listen addresses from and to text.
#include "server/http/address.h"

#include <arpa/inet.h>
#include <sys/un.h>

#include "server/http/characters.h"

namespace dpl {
namespace {

constexpr std::string_view kUnixPrefix = "unix:";

Error Bad(std::string_view text, const char* why) {
  return {"listen.address", "`" + std::string(text) + "` is no listen address: " + why, 0, 0};
}

}  // namespace

Result<ListenAddress> ListenAddress::Parse(std::string_view text) {
  ListenAddress address;
  if (text.substr(0, kUnixPrefix.size()) == kUnixPrefix) {
    address.kind = Kind::kUnix;
    address.host = text.substr(kUnixPrefix.size());
    if (address.host.empty()) return Bad(text, "a path must follow `unix:`");
    if (address.host.size() >= sizeof(sockaddr_un::sun_path))
      return Bad(text, "the path is longer than 107 bytes");
    if (address.host.find('\0') != std::string::npos) return Bad(text, "the path holds a NUL");
    return address;
  }
  size_t colon = text.rfind(':');
  if (colon == std::string_view::npos)
    return Bad(text, "write `127.0.0.1:8181`, `[::1]:8181` or `unix:/path`");
  std::string_view host = text.substr(0, colon);
  std::string_view port = text.substr(colon + 1);
  if (port.empty() || port.size() > 5 || !http::All(port, http::kDigit))
    return Bad(text, "the port is no number");
  int number = 0;
  for (char c : port) number = number * 10 + (c - '0');
  if (number > 65535) return Bad(text, "the port is above 65535");
  address.port = static_cast<uint16_t>(number);
  if (host == "localhost") host = "127.0.0.1";
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    address.kind = Kind::kIpv6;
    address.host = host.substr(1, host.size() - 2);
    in6_addr parsed;
    if (inet_pton(AF_INET6, address.host.c_str(), &parsed) != 1)
      return Bad(text, "no IPv6 address between the brackets");
    return address;
  }
  address.host = host;
  in_addr parsed;
  if (inet_pton(AF_INET, address.host.c_str(), &parsed) != 1) {
    return Bad(text, "the host must be a numeric address or `localhost`");
  }
  return address;
}

bool ListenAddress::IsLocal() const {
  switch (kind) {
    case Kind::kUnix:
      return true;
    case Kind::kIpv4:
      return host.substr(0, 4) == "127.";
    case Kind::kIpv6: {
      in6_addr parsed;
      return inet_pton(AF_INET6, host.c_str(), &parsed) == 1 && IN6_IS_ADDR_LOOPBACK(&parsed);
    }
  }
  return false;
}

std::string ListenAddress::ToString() const {
  switch (kind) {
    case Kind::kUnix:
      return std::string(kUnixPrefix) + host;
    case Kind::kIpv4:
      return host + ":" + std::to_string(port);
    case Kind::kIpv6:
      return "[" + host + "]:" + std::to_string(port);
  }
  return {};
}

}  // namespace dpl
