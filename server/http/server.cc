// Listeners, loops, the sweep and the drain.
#include "server/http/server.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <mutex>
#include <system_error>
#include <thread>

#include <arpa/inet.h>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "server/http/connection.h"

namespace dpl {
namespace {

using boost::asio::generic::stream_protocol;
using boost::system::error_code;
using Acceptor = boost::asio::basic_socket_acceptor<stream_protocol>;
using std::chrono::milliseconds;

constexpr milliseconds kDrainTick{10};  // a stop should not wait for a whole tick

// The whole answer to a connection too many.
std::string Overloaded(ErrorForm form) {
  HttpResponse response;
  response.SetErrorForm(form);
  response.Error(503, "too many connections");
  return "HTTP/1.1 503 Service Unavailable\r\nContent-Type: " + std::string(response.content_type) +
         "\r\nContent-Length: " + std::to_string(response.body.size()) +
         "\r\nConnection: close\r\n\r\n" + response.body;
}

// A descriptor that closes itself.
class Fd {
 public:
  explicit Fd(int fd = -1) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(other.Release()) {}
  Fd& operator=(Fd&&) = delete;
  ~Fd() {
    if (fd_ >= 0) close(fd_);
  }
  int get() const { return fd_; }
  int Release() {
    int fd = fd_;
    fd_ = -1;
    return fd;
  }

 private:
  int fd_;
};

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

Error SystemError(const ListenAddress& address, const char* what) {
  return {"listen.failed",
          "cannot " + std::string(what) + " `" + address.ToString() + "`: " + std::strerror(errno),
          0, 0};
}

// A bound TCP socket. Sockets that share a port must all say so before they bind.
Fd BindTcp(const ListenAddress& address, bool share_port) {
  SocketAddress where = ToSocketAddress(address);
  Fd fd(socket(where.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (fd.get() < 0) return fd;
  int one = 1;
  setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (share_port) setsockopt(fd.get(), SOL_SOCKET, SO_REUSEPORT, &one, sizeof one);
  if (address.kind == ListenAddress::Kind::kIpv6)
    setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
  if (bind(fd.get(), where.get(), where.size) != 0) {
    int why = errno;
    close(fd.Release());
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
    return SystemError(address, "listen on");
  }
  SocketAddress where = ToSocketAddress(address);
  Fd probe(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (probe.get() >= 0 && connect(probe.get(), where.get(), where.size) == 0) {
    errno = EADDRINUSE;
    return SystemError(address, "listen on");
  }
  if (errno == ECONNREFUSED) unlink(address.host.c_str());
  return {};
}

std::string DateHeader() {
  static constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  std::time_t now = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&now, &utc);
  char text[48];
  std::snprintf(text, sizeof text, "Date: %s, %02d %s %04d %02d:%02d:%02d GMT\r\n",
                kDays[utc.tm_wday], utc.tm_mday, kMonths[utc.tm_mon], utc.tm_year + 1900,
                utc.tm_hour, utc.tm_min, utc.tm_sec);
  return text;
}

// One thread's event loop with its listeners and connections.
struct Loop {
  explicit Loop(const HttpLimits& limits)
      : tick(std::clamp(std::min({limits.head_deadline, limits.body_deadline, limits.write_deadline,
                                  limits.idle_deadline, limits.drain_deadline}) /
                            4,
                        milliseconds(5), milliseconds(500))),
        io(1),
        sweep(io) {}

  void Accept(Acceptor* acceptor) {
    acceptor->async_accept([this, acceptor](error_code error, http::Socket socket) {
      if (error == boost::asio::error::operation_aborted || worker.draining) return;
      if (error && error != boost::asio::error::connection_aborted) {
        paused.push_back(acceptor);  // out of descriptors or memory: the next sweep tries again
        return;
      }
      if (!error) Begin(std::move(socket));
      Accept(acceptor);
    });
  }

  void Begin(http::Socket socket) {
    if (worker.open_connections->fetch_add(1, std::memory_order_relaxed) >=
        worker.limits->max_connections) {
      worker.open_connections->fetch_sub(1, std::memory_order_relaxed);
      worker.shed.Add();
      send(socket.native_handle(), overloaded.data(), overloaded.size(),
           MSG_NOSIGNAL | MSG_DONTWAIT);
      return;
    }
    std::make_shared<http::Connection>(&worker, std::move(socket))->Start();
  }

  void ArmSweep() {
    sweep.expires_after(worker.draining ? std::min(tick, kDrainTick) : tick);
    sweep.async_wait([this](error_code error) {
      if (!error) Sweep();
    });
  }

  void Sweep() {
    int64_t now = http::CoarseMillis();
    worker.date_header = DateHeader();
    ReleaseHeld();
    for (Acceptor* acceptor : std::exchange(paused, {})) Accept(acceptor);
    for (http::Connection* at = worker.first; at != nullptr; at = at->next()) {
      if (worker.draining && now >= drain_until) {
        at->Close();
      } else {
        at->Sweep(now);
      }
    }
    if (!worker.draining || worker.first != nullptr) ArmSweep();
  }

  // Called from any thread.
  void Wake() {
    if (worker.held_count.load(std::memory_order_seq_cst) == 0 || woken.exchange(true)) return;
    boost::asio::post(io, [this] {
      woken.store(false);
      ReleaseHeld();
    });
  }

  void ReleaseHeld() {
    if (worker.held.empty()) return;
    // While this looks, held_count stays above zero: a change from now on wakes the loop again.
    std::vector<std::shared_ptr<http::Connection>> looked = std::move(looking);
    looked.swap(worker.held);
    for (std::shared_ptr<http::Connection>& at : looked) {
      if (!at->Release()) worker.held.push_back(std::move(at));
    }
    looked.clear();
    looking = std::move(looked);
    worker.held_count.store(worker.held.size(), std::memory_order_seq_cst);
  }

  void Drain() {
    if (worker.draining) return;
    worker.draining = true;
    drain_until = http::CoarseMillis() + worker.limits->drain_deadline.count();
    error_code ignored;
    for (Acceptor& acceptor : acceptors) acceptor.close(ignored);
    paused.clear();
    for (http::Connection* at = worker.first; at != nullptr; at = at->next()) at->Drain();
    sweep.cancel();
    ArmSweep();
  }

  std::string overloaded;
  http::Worker worker;  // outlives the connections that io still holds
  milliseconds tick;
  boost::asio::io_context io;
  boost::asio::steady_timer sweep;
  std::vector<Acceptor> acceptors;
  std::vector<Acceptor*> paused;
  std::vector<std::shared_ptr<http::Connection>> looking;  // memory for ReleaseHeld
  std::atomic<bool> woken{false};
  int64_t drain_until = 0;
};

// What a gate's callback keeps: it may come after the loops are gone.
struct Waker {
  std::mutex mutex;
  std::vector<Loop*> loops;
  void Wake() {
    std::lock_guard lock(mutex);
    for (Loop* loop : loops) loop->Wake();
  }
};

}  // namespace

struct HttpServer::Impl {
  struct Listener {
    ListenAddress address;
    Fd fd;
    int family;
    bool has_file;  // a unix socket whose file is still ours to remove
  };

  Status AddAcceptors(Loop* loop, bool first);
  void RemoveSocketFiles();

  HttpLimits limits;
  Handler handler;
  std::vector<Listener> listeners;
  std::atomic<uint64_t> open_connections{0};
  mutable std::mutex mutex;  // guards the two below; never held while serving
  std::vector<std::unique_ptr<Loop>> loops;
  bool stopped = false;
  ReplyGate* gate = nullptr;
  ErrorForm form = ErrorForm::kMessage;
  std::shared_ptr<Waker> waker = std::make_shared<Waker>();
};

HttpServer::HttpServer(const HttpLimits& limits, Handler handler, ReplyGate* gate, ErrorForm form)
    : impl_(std::make_unique<Impl>()) {
  impl_->limits = limits;
  impl_->limits.max_body_bytes = std::min(limits.max_body_bytes, HttpLimits::kMaxBodyBytes);
  impl_->handler = std::move(handler);
  impl_->gate = gate;
  impl_->form = form;
  if (gate != nullptr) gate->OnChange([waker = impl_->waker] { waker->Wake(); });
}

HttpServer::~HttpServer() {
  impl_->RemoveSocketFiles();
  std::lock_guard lock(impl_->waker->mutex);
  impl_->waker->loops.clear();
}

Status HttpServer::Listen(const ListenAddress& wanted, unsigned unix_mode) {
  ListenAddress address = wanted;
  if (address.kind == ListenAddress::Kind::kUnix) {
    DPL_RETURN_IF_ERROR(RemoveStale(address));
    SocketAddress where = ToSocketAddress(address);
    Fd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    // Of a socket not yet bound, the mode its file will be made with: never open to more, not even
    // for a moment. chmod then adds what the umask took.
    if (fd.get() >= 0) fchmod(fd.get(), unix_mode);
    if (fd.get() < 0 || bind(fd.get(), where.get(), where.size) != 0)
      return SystemError(address, "listen on");
    chmod(address.host.c_str(), unix_mode);
    if (listen(fd.get(), SOMAXCONN) != 0) return SystemError(address, "listen on");
    impl_->listeners.push_back({address, std::move(fd), AF_UNIX, true});
    return {};
  }
  if (address.port != 0) {
    // A second server on the port would silently share it: ask once without sharing.
    Fd probe = BindTcp(address, false);
    if (probe.get() < 0) return SystemError(address, "listen on");
  }
  Fd fd = BindTcp(address, true);
  if (fd.get() < 0 || listen(fd.get(), SOMAXCONN) != 0) return SystemError(address, "listen on");
  SocketAddress bound;
  bound.size = sizeof bound.storage;
  if (getsockname(fd.get(), bound.get(), &bound.size) != 0)
    return SystemError(address, "listen on");
  address.port = ntohs(bound.storage.ss_family == AF_INET
                           ? reinterpret_cast<sockaddr_in*>(&bound.storage)->sin_port
                           : reinterpret_cast<sockaddr_in6*>(&bound.storage)->sin6_port);
  impl_->listeners.push_back({address, std::move(fd), bound.storage.ss_family, false});
  return {};
}

std::vector<std::string> HttpServer::BoundAddresses() const {
  std::vector<std::string> out;
  for (const Impl::Listener& listener : impl_->listeners)
    out.push_back(listener.address.ToString());
  return out;
}

// The first loop takes the listening sockets themselves; the others get their own on the same port
// (the kernel then spreads connections over them), or share the one of a unix socket.
Status HttpServer::Impl::AddAcceptors(Loop* loop, bool first) {
  loop->acceptors.reserve(listeners.size());
  for (Listener& listener : listeners) {
    int raw = -1;
    if (first || listener.family == AF_UNIX) {
      raw = dup(listener.fd.get());
    } else {
      Fd own = BindTcp(listener.address, true);
      if (own.get() >= 0 && listen(own.get(), SOMAXCONN) == 0) raw = own.Release();
    }
    if (raw < 0) return SystemError(listener.address, "listen on");
    error_code error;
    Acceptor acceptor(loop->io);
    acceptor.assign(stream_protocol(listener.family, listener.family == AF_UNIX ? 0 : IPPROTO_TCP),
                    raw, error);
    if (error) {
      close(raw);
      return SystemError(listener.address, "listen on");
    }
    loop->acceptors.push_back(std::move(acceptor));
  }
  return {};
}

void HttpServer::Impl::RemoveSocketFiles() {
  for (Listener& listener : listeners) {
    if (std::exchange(listener.has_file, false)) unlink(listener.address.host.c_str());
  }
}

Status HttpServer::Run(int threads) {
  std::vector<std::thread> others;
  {
    std::lock_guard lock(impl_->mutex);
    if (impl_->stopped) return {};
    for (int i = 0; i < std::max(threads, 1); ++i) {
      auto loop = std::make_unique<Loop>(impl_->limits);
      loop->worker.limits = &impl_->limits;
      loop->worker.handler = &impl_->handler;
      loop->worker.open_connections = &impl_->open_connections;
      loop->worker.date_header = DateHeader();
      loop->worker.gate = impl_->gate;
      loop->worker.form = impl_->form;
      loop->overloaded = Overloaded(impl_->form);
      // A further loop that finds no sockets is left out: fewer threads serve all the same.
      Status added = impl_->AddAcceptors(loop.get(), i == 0);
      if (!added.ok() && i == 0) return added;
      if (!added.ok()) break;
      for (Acceptor& acceptor : loop->acceptors) loop->Accept(&acceptor);
      loop->ArmSweep();
      {
        std::lock_guard waking(impl_->waker->mutex);
        impl_->waker->loops.push_back(loop.get());
      }
      impl_->loops.push_back(std::move(loop));
    }
    // The loops hold duplicates; with these closed, a drained loop's port refuses.
    for (Impl::Listener& listener : impl_->listeners) Fd(listener.fd.Release());
    for (size_t i = 1; i < impl_->loops.size(); ++i) {
      others.emplace_back([loop = impl_->loops[i].get()] { loop->io.run(); });
    }
  }
  impl_->loops[0]->io.run();
  for (std::thread& other : others) other.join();
  impl_->RemoveSocketFiles();
  return {};
}

void HttpServer::Stop() {
  std::lock_guard lock(impl_->mutex);
  impl_->stopped = true;
  for (std::unique_ptr<Loop>& loop : impl_->loops) {
    boost::asio::post(loop->io, [loop = loop.get()] { loop->Drain(); });
  }
}

HttpCounters HttpServer::counters() const {
  HttpCounters sum;
  sum.connections_open = impl_->open_connections.load(std::memory_order_relaxed);
  std::lock_guard lock(impl_->mutex);
  for (const std::unique_ptr<Loop>& loop : impl_->loops) {
    const http::Worker& worker = loop->worker;
    sum.connections_accepted += worker.accepted.Get();
    sum.connections_shed += worker.shed.Get();
    sum.requests += worker.requests.Get();
    sum.refused += worker.refused.Get();
    sum.timed_out += worker.timed_out.Get();
    sum.handler_failures += worker.handler_failures.Get();
    sum.bytes_received += worker.bytes_received.Get();
    sum.bytes_sent += worker.bytes_sent.Get();
  }
  return sum;
}

}  // namespace dpl
