// The yardstick of HTTP I/O: the least that a server can do on this kernel. One thread, raw epoll,
// one receive and one send for whatever whole requests a receive brought, a constant answer,
// framing by Content-Length alone, no limits, no deadlines. Not a server for anything but
// measuring.
//
//   epoll_server --listen 127.0.0.1:0 --answer FILE     or unix:/path; says where it listens, as
//   const_server does
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "server/http/address.h"

namespace {

constexpr size_t kBufferBytes = 64 * 1024;

struct Client {
  int fd = -1;
  size_t end = 0;
  std::vector<char> data = std::vector<char>(kBufferBytes);
};

// Bytes of the first request of these, 0 while it is not whole.
size_t Frame(std::string_view bytes) {
  const void* found = memmem(bytes.data(), bytes.size(), "\r\n\r\n", 4);
  if (found == nullptr) return 0;
  size_t head = static_cast<size_t>(static_cast<const char*>(found) - bytes.data()) + 4;
  size_t length = 0;
  for (size_t at = bytes.find('\n'); at != std::string_view::npos && at + 1 < head;
       at = bytes.find('\n', at + 1)) {
    static constexpr std::string_view kName = "content-length:";
    if (at + 1 + kName.size() < head &&
        strncasecmp(bytes.data() + at + 1, kName.data(), kName.size()) == 0)
      length = std::strtoul(bytes.data() + at + 1 + kName.size(), nullptr, 10);
  }
  return head + length <= bytes.size() ? head + length : 0;
}

int Listen(dpl::ListenAddress* address) {
  const bool local = address->kind == dpl::ListenAddress::Kind::kUnix;
  int fd = socket(local ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  if (local) {
    sockaddr_un where{};
    where.sun_family = AF_UNIX;
    address->host.copy(where.sun_path, sizeof where.sun_path - 1);
    unlink(where.sun_path);
    if (bind(fd, reinterpret_cast<sockaddr*>(&where), sizeof where) != 0) return -1;
  } else {
    sockaddr_in where{};
    where.sin_family = AF_INET;
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    where.sin_port = htons(address->port);
    socklen_t size = sizeof where;
    if (bind(fd, reinterpret_cast<sockaddr*>(&where), size) != 0 ||
        getsockname(fd, reinterpret_cast<sockaddr*>(&where), &size) != 0)
      return -1;
    address->port = ntohs(where.sin_port);
  }
  return listen(fd, SOMAXCONN) == 0 ? fd : -1;
}

// False when the client has gone.
bool Serve(Client* client, const std::string& answer, std::string* out) {
  ssize_t count =
      recv(client->fd, client->data.data() + client->end, client->data.size() - client->end, 0);
  if (count <= 0) return false;
  client->end += static_cast<size_t>(count);
  out->clear();
  size_t base = 0;
  while (size_t size = Frame({client->data.data() + base, client->end - base})) {
    base += size;
    out->append(answer);
  }
  client->end -= base;
  if (client->end != 0) std::memmove(client->data.data(), client->data.data() + base, client->end);
  return out->empty() || send(client->fd, out->data(), out->size(), MSG_NOSIGNAL) ==
                             static_cast<ssize_t>(out->size());
}

}  // namespace

int main(int argc, char** argv) {
  std::string body = "{}", listen = "127.0.0.1:0";
  for (int i = 1; i + 1 < argc; i += 2) {
    if (std::string_view(argv[i]) == "--listen") listen = argv[i + 1];
    if (std::string_view(argv[i]) != "--answer") continue;
    std::ifstream file(argv[i + 1], std::ios::binary);
    body.assign(std::istreambuf_iterator<char>(file), {});
  }
  dpl::Result<dpl::ListenAddress> address = dpl::ListenAddress::Parse(listen);
  int listener = address.ok() ? Listen(&*address) : -1;
  if (listener < 0)
    return std::fprintf(stderr, "epoll_server: cannot listen on %s\n", listen.c_str()), 2;
  std::fprintf(stderr, "{\"event\":\"start\",\"listen\":\"%s\"}\n", address->ToString().c_str());
  const std::string answer =
      "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " +
      std::to_string(body.size()) + "\r\n\r\n" + body;
  std::string out;
  int loop = epoll_create1(0);
  epoll_event add{};
  add.events = EPOLLIN;
  epoll_ctl(loop, EPOLL_CTL_ADD, listener, &add);
  std::vector<epoll_event> events(256);
  for (;;) {
    int ready = epoll_wait(loop, events.data(), static_cast<int>(events.size()), -1);
    for (int i = 0; i < ready; ++i) {
      auto* client = static_cast<Client*>(events[static_cast<size_t>(i)].data.ptr);
      if (client != nullptr) {
        if (Serve(client, answer, &out)) continue;
        close(client->fd);
        delete client;
        continue;
      }
      int fd = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK);
      if (fd < 0) continue;
      int one = 1;
      setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
      auto* accepted = new Client;
      accepted->fd = fd;
      add.data.ptr = accepted;
      epoll_ctl(loop, EPOLL_CTL_ADD, fd, &add);
    }
  }
}
