// Binding and listening.
#include "server/http/listening.h"

#include <cerrno>
#include <cstring>
#include <string>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace dpl::http {
namespace {

constexpr int kSocketKind = SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK;

// What the kernel keeps for a connection on the way in and on the way out (it doubles the figure).
// Left to itself it lets both grow to megabytes for a client that does not read, or is not read
// from.
constexpr int kKernelBytes = 128 * 1024;

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
};

SocketAddress ToSocketAddress(const ListenAddress& address) {
  SocketAddress out;
  switch (address.kind) {
    case ListenAddress::Kind::kIpv4: {
      auto* v4 = reinterpret_cast<sockaddr_in*>(&out.storage);
      v4->sin_family = AF_INET;
      v4->sin_port = htons(address.port);
      inet_pton(AF_INET, address.host.c_str(), &v4->sin_addr);
      out.size = sizeof *v4;
      break;
    }
    case ListenAddress::Kind::kIpv6: {
      auto* v6 = reinterpret_cast<sockaddr_in6*>(&out.storage);
      v6->sin6_family = AF_INET6;
      v6->sin6_port = htons(address.port);
      inet_pton(AF_INET6, address.host.c_str(), &v6->sin6_addr);
      out.size = sizeof *v6;
      break;
    }
    case ListenAddress::Kind::kUnix: {
      auto* local = reinterpret_cast<sockaddr_un*>(&out.storage);
      local->sun_family = AF_UNIX;
      address.host.copy(local->sun_path, sizeof local->sun_path - 1);
      out.size = sizeof *local;
      break;
    }
  }
  return out;
}

Error SystemError(const ListenAddress& address) {
  return {"listen.failed", "cannot listen on `" + address.ToString() + "`: " + std::strerror(errno),
          0, 0};
}

// A bound TCP socket. Sockets that share a port must all say so before they bind.
Fd BindTcp(const ListenAddress& address, bool share_port) {
  SocketAddress where = ToSocketAddress(address);
  Fd fd(socket(where.storage.ss_family, kSocketKind, 0));
  if (fd.get() < 0) return fd;
  int one = 1;
  setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (share_port) setsockopt(fd.get(), SOL_SOCKET, SO_REUSEPORT, &one, sizeof one);
  if (address.kind == ListenAddress::Kind::kIpv6)
    setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
  // Accepted connections inherit these. An answer is sent whole and must not wait for a fuller
  // packet.
  setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  for (int which : {SO_SNDBUF, SO_RCVBUF})
    setsockopt(fd.get(), SOL_SOCKET, which, &kKernelBytes, sizeof kKernelBytes);
  if (bind(fd.get(), where.get(), where.size) != 0) {
    int why = errno;
    fd.Close();
    errno = why;
  }
  return fd;
}

// A socket file that nobody listens on is left over from an earlier run and may be replaced.
Status RemoveStale(const ListenAddress& address) {
  struct stat info;
  if (lstat(address.host.c_str(), &info) != 0) return {};
  if (!S_ISSOCK(info.st_mode)) {
    errno = EEXIST;
    return SystemError(address);
  }
  SocketAddress where = ToSocketAddress(address);
  Fd probe(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (probe.get() >= 0 && connect(probe.get(), where.get(), where.size) == 0) {
    errno = EADDRINUSE;
    return SystemError(address);
  }
  if (errno == ECONNREFUSED) unlink(address.host.c_str());
  return {};
}

Result<Fd> ListenUnix(const ListenAddress& address, unsigned mode) {
  DPL_RETURN_IF_ERROR(RemoveStale(address));
  SocketAddress where = ToSocketAddress(address);
  Fd fd(socket(AF_UNIX, kSocketKind, 0));
  // Of a socket not yet bound, the mode its file will be made with: never open to more, not even
  // for a moment. chmod then adds what the umask took.
  if (fd.get() >= 0) fchmod(fd.get(), mode);
  if (fd.get() < 0 || bind(fd.get(), where.get(), where.size) != 0) return SystemError(address);
  chmod(address.host.c_str(), mode);
  if (listen(fd.get(), SOMAXCONN) != 0) return SystemError(address);
  return fd;
}

}  // namespace

void Fd::Close() {
  if (fd_ >= 0) close(Release());
}

Result<Fd> Listen(ListenAddress* address, unsigned unix_mode) {
  if (address->kind == ListenAddress::Kind::kUnix) return ListenUnix(*address, unix_mode);
  if (address->port != 0) {
    // A second server on the port would silently share it: ask once without sharing.
    Fd probe = BindTcp(*address, false);
    if (probe.get() < 0) return SystemError(*address);
  }
  Fd fd = ListenBeside(*address);
  SocketAddress bound;
  bound.size = sizeof bound.storage;
  if (fd.get() < 0 || getsockname(fd.get(), bound.get(), &bound.size) != 0)
    return SystemError(*address);
  address->port = ntohs(bound.storage.ss_family == AF_INET
                            ? reinterpret_cast<sockaddr_in*>(&bound.storage)->sin_port
                            : reinterpret_cast<sockaddr_in6*>(&bound.storage)->sin6_port);
  return fd;
}

Fd ListenBeside(const ListenAddress& address) {
  Fd fd = BindTcp(address, true);
  if (fd.get() >= 0 && listen(fd.get(), SOMAXCONN) != 0) fd.Close();
  return fd;
}

}  // namespace dpl::http
