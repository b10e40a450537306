// A client that loads one server: so many connections, each with so many requests under way, for so
// long. For what wrk cannot do: unix sockets, and one tool for both kinds.
//
//   load_client ADDRESS REQUEST_FILE CONNECTIONS DEPTH SECONDS
//
// The file holds one request as it goes over the wire. Prints
// `{"requests":…,"seconds":…,"p50":…,"p99":…,"bad":…}`, times in microseconds from sending a
// request (or DEPTH of them at once) to its last answer. Answers are told apart by Content-Length;
// whatever is not a 200 is bad.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "server/http/address.h"

namespace {

using Clock = std::chrono::steady_clock;

struct Client {
  int fd = -1;
  int waiting = 0;  // answers still to come
  Clock::time_point sent;
  std::string in;
};

int Connect(const dpl::ListenAddress& address) {
  if (address.kind == dpl::ListenAddress::Kind::kUnix) {
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un where{};
    where.sun_family = AF_UNIX;
    address.host.copy(where.sun_path, sizeof where.sun_path - 1);
    return connect(fd, reinterpret_cast<sockaddr*>(&where), sizeof where) == 0 ? fd : -1;
  }
  int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_port = htons(address.port);
  inet_pton(AF_INET, address.host.c_str(), &where.sin_addr);
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  return connect(fd, reinterpret_cast<sockaddr*>(&where), sizeof where) == 0 ? fd : -1;
}

// Bytes of the first answer of these, 0 while it is not whole.
size_t Frame(std::string_view bytes, bool* good) {
  size_t head = bytes.find("\r\n\r\n");
  if (head == std::string_view::npos) return 0;
  head += 4;
  static constexpr std::string_view kLength = "\r\nContent-Length: ";
  size_t at = bytes.substr(0, head).find(kLength);
  size_t length = at == std::string_view::npos
                      ? 0
                      : std::strtoul(bytes.data() + at + kLength.size(), nullptr, 10);
  *good = bytes.substr(0, 12) == "HTTP/1.1 200";
  return head + length <= bytes.size() ? head + length : 0;
}

double Percentile(std::vector<float>* all, double part) {
  if (all->empty()) return 0;
  auto at = all->begin() + static_cast<ptrdiff_t>(static_cast<double>(all->size() - 1) * part);
  std::nth_element(all->begin(), at, all->end());
  return *at;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 6)
    return std::fprintf(stderr, "usage: load_client ADDRESS FILE CONNECTIONS DEPTH SECONDS\n"), 2;
  dpl::Result<dpl::ListenAddress> address = dpl::ListenAddress::Parse(argv[1]);
  std::ifstream file(argv[2], std::ios::binary);
  const std::string one(std::istreambuf_iterator<char>(file), {});
  const int count = std::atoi(argv[3]), depth = std::max(1, std::atoi(argv[4]));
  std::string many;
  for (int i = 0; i < depth; ++i) many += one;
  int loop = epoll_create1(0);
  std::vector<Client> clients(static_cast<size_t>(count));
  const Clock::time_point begin = Clock::now();
  const Clock::time_point end = begin + std::chrono::duration_cast<Clock::duration>(
                                            std::chrono::duration<double>(std::atof(argv[5])));
  auto ask = [&](Client* client) {
    client->waiting = depth;
    client->sent = Clock::now();
    return send(client->fd, many.data(), many.size(), MSG_NOSIGNAL) ==
           static_cast<ssize_t>(many.size());
  };
  for (Client& client : clients) {
    client.fd = address.ok() ? Connect(*address) : -1;
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.ptr = &client;
    if (client.fd < 0 || epoll_ctl(loop, EPOLL_CTL_ADD, client.fd, &event) != 0 || !ask(&client))
      return std::fprintf(stderr, "load_client: cannot connect to %s\n", argv[1]), 2;
  }
  std::vector<float> times;
  times.reserve(1 << 20);
  uint64_t requests = 0, bad = 0;
  std::vector<epoll_event> events(256);
  std::vector<char> bytes(256 * 1024);
  while (Clock::now() < end) {
    int ready = epoll_wait(loop, events.data(), static_cast<int>(events.size()), 100);
    for (int i = 0; i < ready; ++i) {
      auto* client = static_cast<Client*>(events[static_cast<size_t>(i)].data.ptr);
      ssize_t got = recv(client->fd, bytes.data(), bytes.size(), 0);
      if (got <= 0) return std::fprintf(stderr, "load_client: the server ended a connection\n"), 1;
      client->in.append(bytes.data(), static_cast<size_t>(got));
      size_t base = 0;
      bool good = false;
      while (size_t size = Frame(std::string_view(client->in).substr(base), &good)) {
        base += size;
        ++requests;
        bad += good ? 0 : 1;
        --client->waiting;
      }
      client->in.erase(0, base);
      if (client->waiting > 0) continue;
      times.push_back(
          std::chrono::duration<float, std::micro>(Clock::now() - client->sent).count());
      if (!ask(client)) return std::fprintf(stderr, "load_client: cannot send\n"), 1;
    }
  }
  const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  const double p50 = Percentile(&times, 0.5), p99 = Percentile(&times, 0.99);
  std::printf("{\"requests\":%llu,\"seconds\":%.4f,\"p50\":%.1f,\"p99\":%.1f,\"bad\":%llu}\n",
              static_cast<unsigned long long>(requests), seconds, p50, p99,
              static_cast<unsigned long long>(bad));
  return bad == 0 ? 0 : 1;
}
