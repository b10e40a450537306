// Listeners, loops, the sweep and the drain.
#include "server/http/server.h"

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <mutex>
#include <thread>

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server/http/admission.h"
#include "server/http/connection.h"
#include "server/http/event_loop.h"
#include "server/http/listening.h"

namespace dpl {
namespace {

using http::Fd;
using std::chrono::milliseconds;

constexpr milliseconds kDrainTick{10};  // a stop should not wait for a whole tick
constexpr int kMostAccepted = 16;       // in one turn; whoever has a connection waits meanwhile
constexpr int kMostLooked = 64;         // connections looked at for one to give up

// The whole answer to a connection too many.
std::string TooMany(ErrorForm form, std::string_view message) {
  HttpResponse response;
  response.SetErrorForm(form);
  response.Error(503, message);
  return "HTTP/1.1 503 Service Unavailable\r\nContent-Type: " + std::string(response.content_type) +
         "\r\nContent-Length: " + std::to_string(response.body.size()) +
         "\r\nRetry-After: 1\r\nConnection: close\r\n\r\n" + response.body;
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

struct Loop;

// A listening socket that has connections to be accepted.
class Acceptor final : public http::Watcher {
 public:
  Acceptor(Loop* loop, Fd fd) : loop_(loop), fd_(std::move(fd)) {}
  Acceptor(const Acceptor&) = delete;
  Acceptor& operator=(const Acceptor&) = delete;

  bool Start();
  void Resume();  // after a pause, at the next tick
  void TakeWaiting();
  void Close() { fd_.Close(); }

 private:
  void OnReady(uint32_t events) override;
  bool Take();
  bool ShedOne();

  Loop* loop_;
  Fd fd_;
  bool paused_ = false;
};

// One thread's event loop with its listeners and connections.
struct Loop {
  explicit Loop(const HttpLimits& limits)
      : tick(std::clamp(std::min({limits.head_deadline, limits.body_deadline, limits.write_deadline,
                                  limits.idle_deadline, limits.drain_deadline}) /
                            4,
                        milliseconds(5), milliseconds(500))) {
    worker.loop = &events;
    worker.limits = &limits;
  }
  ~Loop() {
    while (worker.first != nullptr) {
      worker.first->Close();
      delete worker.first;
    }
  }

  void Run() {
    next_sweep = http::CoarseMillis() + tick.count();
    while (!worker.draining || worker.first != nullptr) {
      // `woken` is lowered first: whoever raises it from now on wakes the loop again.
      if (events.Wait(next_sweep - http::CoarseMillis())) {
        woken.store(false);
        if (stopping.load()) Drain();
        ReleaseHeld();
      }
      if (worker.gate != nullptr && worker.held_count.load(std::memory_order_relaxed) != 0)
        worker.gate->Turned();
      if (int64_t now = http::CoarseMillis(); now >= next_sweep) Sweep(now);
      Bury();
    }
  }

  // Takes a connection just accepted, or tells its client that there is no room for it.
  void Begin(int fd, const sockaddr_storage& peer) {
    int64_t uid = -1;
    if (peer.ss_family == AF_UNIX) {
      ucred credentials{};
      socklen_t length = sizeof credentials;
      if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &length) == 0)
        uid = static_cast<int64_t>(credentials.uid);
    }
    const http::ClientKey client = http::ClientKey::Of(peer, uid);
    auto verdict = worker.admission->Enter(client);
    if (verdict == http::Admission::Verdict::kFull && GiveUpOne())
      verdict = worker.admission->Enter(client);
    if (verdict != http::Admission::Verdict::kWelcome)
      return Shed(fd, verdict == http::Admission::Verdict::kFull ? too_many : too_many_of_client);
    auto connection = std::make_unique<http::Connection>(&worker, fd, peer, client, uid);
    if (connection->Start())
      (void)connection.release();  // it stands in the worker's list
    else
      Shed(-1, "");
  }

  void Shed(int fd, std::string_view answer) {
    worker.shed.Add();
    if (fd < 0) return;
    send(fd, answer.data(), answer.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    shutdown(fd, SHUT_WR);
    // What has been received and not read would turn the close into a reset, which could overtake
    // the answer.
    (void)recv(fd, worker.received.get(), http::Worker::kReceiveBytes, MSG_DONTWAIT);
    close(fd);
  }

  // Makes room: of some connections looked at in turn, the one that has waited longest in vain.
  bool GiveUpOne() {
    const int64_t now = http::CoarseMillis();
    http::Connection* found = nullptr;
    int64_t most = 0;
    for (int i = 0; i < kMostLooked; ++i) {
      if (worker.hand == nullptr) worker.hand = worker.first;
      if (worker.hand == nullptr) break;
      if (int64_t value = worker.hand->Dispensable(now); value > most) {
        found = worker.hand;
        most = value;
      }
      worker.hand = worker.hand->next();
    }
    if (found == nullptr) return false;
    worker.evicted.Add();
    found->Close();
    return true;
  }

  void Sweep(int64_t now) {
    worker.SetDate(DateHeader());
    ReleaseHeld();
    for (std::unique_ptr<Acceptor>& acceptor : acceptors) acceptor->Resume();
    for (http::Connection* at = worker.first; at != nullptr; at = at->next()) {
      if (worker.draining && now >= drain_until) {
        at->Close();
      } else {
        at->Sweep(now);
      }
    }
    next_sweep = now + (worker.draining ? std::min(tick, kDrainTick) : tick).count();
  }

  void Bury() {
    while (worker.closed != nullptr)
      delete std::exchange(worker.closed, worker.closed->next_closed());
  }

  // Called from any thread.
  void Wake() {
    if (worker.held_count.load(std::memory_order_seq_cst) == 0 || woken.exchange(true)) return;
    events.Wake();
  }

  void Stop() {
    stopping.store(true);
    events.Wake();
  }

  // While this looks, held_count stays above zero as long as one of them waits: a change from now
  // on wakes the loop again. A connection that is released takes itself out, and another takes its
  // place.
  void ReleaseHeld() {
    for (size_t i = 0; i < worker.held.size();) {
      if (!worker.held[i]->Release()) ++i;
    }
  }

  void Drain() {
    if (worker.draining) return;
    worker.draining = true;
    const int64_t now = http::CoarseMillis();
    drain_until = now + worker.limits->drain_deadline.count();
    for (std::unique_ptr<Acceptor>& acceptor : acceptors) {
      acceptor->TakeWaiting();  // who is connected already has perhaps asked
      acceptor->Close();
    }
    for (http::Connection* at = worker.first; at != nullptr; at = at->next()) at->Drain(now);
    next_sweep = now;
  }

  std::string too_many, too_many_of_client;
  http::EventLoop events;
  http::Worker worker;
  milliseconds tick;
  // Kept free, so that a connection can be accepted, told and closed when there are no descriptors
  // left.
  Fd spare{open("/dev/null", O_RDONLY | O_CLOEXEC)};
  std::vector<std::unique_ptr<Acceptor>> acceptors;
  std::atomic<bool> woken{false};
  std::atomic<bool> stopping{false};
  int64_t next_sweep = 0;
  int64_t drain_until = 0;
};

// Of a socket that several loops share, one at a time is told.
constexpr uint32_t kAcceptEvents = EPOLLIN | EPOLLEXCLUSIVE;

bool Acceptor::Start() { return loop_->events.Watch(fd_.get(), kAcceptEvents, this); }

void Acceptor::Resume() {
  if (fd_.get() < 0 || !std::exchange(paused_, false)) return;
  paused_ = !Start();
}

void Acceptor::TakeWaiting() {
  while (!paused_ && Take()) {
  }
}

void Acceptor::OnReady(uint32_t) { (void)Take(); }

// True when there may be more.
bool Acceptor::Take() {
  for (int i = 0; i < kMostAccepted && fd_.get() >= 0; ++i) {
    sockaddr_storage peer{};
    socklen_t size = sizeof peer;
    int fd =
        accept4(fd_.get(), reinterpret_cast<sockaddr*>(&peer), &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
      loop_->Begin(fd, peer);
      continue;
    }
    if (errno == EAGAIN) return false;
    if (errno == EINTR || errno == ECONNABORTED) continue;
    if (errno == EMFILE || errno == ENFILE) {
      // That is said also when nobody waits. Somebody did when this was called, so one is helped;
      // if there are more, it is called again.
      if (i > 0) return true;
      if (loop_->GiveUpOne()) continue;
      if (ShedOne()) return false;
    }
    // Out of descriptors or memory, or a passing trouble of the network: not now. The next tick
    // tries again.
    loop_->events.Unwatch(fd_.get());
    paused_ = true;
    return false;
  }
  return fd_.get() >= 0;
}

// No descriptor is left: the spare one is given up for a moment, to tell one client that there is
// no room.
bool Acceptor::ShedOne() {
  if (loop_->spare.get() < 0) loop_->spare = Fd(open("/dev/null", O_RDONLY | O_CLOEXEC));
  if (loop_->spare.get() < 0) return false;
  loop_->spare.Close();
  int fd = accept4(fd_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  const bool nobody = fd < 0 && errno == EAGAIN;
  if (fd >= 0) loop_->Shed(fd, loop_->too_many);
  loop_->spare = Fd(open("/dev/null", O_RDONLY | O_CLOEXEC));
  return (fd >= 0 || nobody) && loop_->spare.get() >= 0;
}

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
    bool has_file;  // a unix socket whose file is still ours to remove
  };

  explicit Impl(const HttpLimits& given) : limits(given), admission(limits) {}

  Status AddAcceptors(Loop* loop, bool first);
  void RemoveSocketFiles();

  HttpLimits limits;
  http::Admission admission;
  Handler handler;
  std::vector<Listener> listeners;
  mutable std::mutex mutex;  // guards the two below; never held while serving
  std::vector<std::unique_ptr<Loop>> loops;
  bool stopped = false;
  ReplyGate* gate = nullptr;
  ErrorForm form = ErrorForm::kMessage;
  std::shared_ptr<Waker> waker = std::make_shared<Waker>();
};

HttpServer::HttpServer(const HttpLimits& limits, Handler handler, ReplyGate* gate, ErrorForm form)
    : impl_(std::make_unique<Impl>(limits)) {
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
  Result<Fd> fd = http::Listen(&address, unix_mode);
  if (!fd.ok()) return fd.error();
  const bool has_file = address.kind == ListenAddress::Kind::kUnix;
  impl_->listeners.push_back({std::move(address), fd.take(), has_file});
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
  bool watched = loop->events.ok();
  for (Listener& listener : listeners) {
    const bool local = listener.address.kind == ListenAddress::Kind::kUnix;
    Fd own = first || local ? Fd(fcntl(listener.fd.get(), F_DUPFD_CLOEXEC, 0))
                            : http::ListenBeside(listener.address);
    loop->acceptors.push_back(std::make_unique<Acceptor>(loop, std::move(own)));
    watched = watched && loop->acceptors.back()->Start();
  }
  if (watched) return {};
  return Error{"listen.failed", "no descriptors are left to listen with", 0, 0};
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
      loop->worker.handler = &impl_->handler;
      loop->worker.admission = &impl_->admission;
      loop->worker.SetDate(DateHeader());
      loop->worker.gate = impl_->gate;
      loop->worker.response.SetErrorForm(impl_->form);
      loop->too_many = TooMany(impl_->form, "too many connections");
      loop->too_many_of_client = TooMany(impl_->form, "too many connections of this client");
      // A further loop that finds no sockets is left out: fewer threads serve all the same.
      Status added = impl_->AddAcceptors(loop.get(), i == 0);
      if (!added.ok() && i == 0) return added;
      if (!added.ok()) break;
      {
        std::lock_guard waking(impl_->waker->mutex);
        impl_->waker->loops.push_back(loop.get());
      }
      impl_->loops.push_back(std::move(loop));
    }
    // The loops hold duplicates; with these closed, a drained loop's port refuses.
    for (Impl::Listener& listener : impl_->listeners) listener.fd.Close();
    for (size_t i = 1; i < impl_->loops.size(); ++i) {
      others.emplace_back([loop = impl_->loops[i].get()] { loop->Run(); });
    }
  }
  impl_->loops[0]->Run();
  for (std::thread& other : others) other.join();
  impl_->RemoveSocketFiles();
  return {};
}

void HttpServer::Stop() {
  std::lock_guard lock(impl_->mutex);
  impl_->stopped = true;
  for (std::unique_ptr<Loop>& loop : impl_->loops) loop->Stop();
}

HttpCounters HttpServer::counters() const {
  HttpCounters sum;
  sum.connections_open = impl_->admission.open();
  sum.buffered_bytes = impl_->admission.bytes();
  std::lock_guard lock(impl_->mutex);
  for (const std::unique_ptr<Loop>& loop : impl_->loops) {
    const http::Worker& worker = loop->worker;
    sum.connections_accepted += worker.accepted.Get();
    sum.connections_shed += worker.shed.Get();
    sum.connections_evicted += worker.evicted.Get();
    sum.overloaded += worker.overloaded.Get();
    sum.requests += worker.requests.Get();
    for (size_t i = 0; i < kRefusedForCount; ++i) {
      sum.refused_for[i] += worker.refused[i].Get();
      sum.refused += worker.refused[i].Get();
    }
    sum.timed_out += worker.timed_out.Get();
    sum.handler_failures += worker.handler_failures.Get();
    sum.bytes_received += worker.bytes_received.Get();
    sum.bytes_sent += worker.bytes_sent.Get();
  }
  return sum;
}

}  // namespace dpl
