// An HTTP/1.1 server: listeners, one event loop per thread, graceful stop.
//
//   HttpServer server(HttpLimits{}, [](const HttpRequest& q, HttpResponse* a) { … });
//   if (Status status = server.Listen(*ListenAddress::Parse("127.0.0.1:0")); !status.ok()) …
//   (void)server.Run(2);  // blocks until Stop(), which any thread may call
//
// The handler runs on the loop's own thread, synchronously, several at once on different threads;
// it must not block. A handler that throws costs its client a 500, nobody else anything. HTTP only:
// TLS belongs to the proxy in front.
//
// Connections never share anything but a handful of counters. A connection's deadline is a number;
// one coarse timer per thread looks at all of them, so a request re-arms no timer.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "runtime/base/result.h"
#include "server/http/address.h"
#include "server/http/limits.h"
#include "server/http/message.h"
#include "server/http/refusal.h"

namespace dpl {

// What the server has seen since it was made; sums over all threads, each figure exact, all of them
// nearly at once.
struct HttpCounters {
  uint64_t connections_accepted = 0;
  uint64_t connections_open = 0;
  uint64_t connections_shed = 0;     // one too many, of all or of its client: 503
  uint64_t connections_evicted = 0;  // closed while they waited, to make room for a newcomer
  uint64_t requests = 0;             // that reached the handler
  uint64_t refused = 0;              // malformed, too large: never reached it
  std::array<uint64_t, kRefusedForCount> refused_for{};  // the same by kind
  uint64_t overloaded = 0;                               // over max_buffered_bytes: 503
  uint64_t buffered_bytes = 0;                           // kept for connections now
  uint64_t timed_out = 0;         // dropped at a deadline of head, body or write
  uint64_t handler_failures = 0;  // the handler threw
  uint64_t bytes_received = 0;
  uint64_t bytes_sent = 0;
};

// Decides when an answer with a `hold` may leave. A broken one never does: its client gets a 503.
class ReplyGate {
 public:
  enum class State : uint8_t { kOpen, kShut, kBroken };
  virtual ~ReplyGate() = default;
  virtual State Look(const ReplyHold& hold) = 0;  // any thread, at once
  // `wake` is to be called, on any thread, whenever an answer of Look may have changed.
  virtual void OnChange(std::function<void()> wake) = 0;
  // A loop has answered all that it had, and holds some of it: what they wait for may begin. Any
  // thread, at once.
  virtual void Turned() {}
};

class HttpServer {
 public:
  using Handler = std::function<void(const HttpRequest&, HttpResponse*)>;

  // `gate` outlives Run; without one no answer waits. `form`: of every error, also of those that
  // never reach the handler.
  HttpServer(const HttpLimits& limits, Handler handler, ReplyGate* gate = nullptr,
             ErrorForm form = ErrorForm::kMessage);
  ~HttpServer();  // after Run has returned
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // Binds and listens; before Run, as often as wanted. A stale unix socket is replaced, a live one
  // is an error. `unix_mode`: who may connect to a unix socket, from the first moment.
  Status Listen(const ListenAddress& address, unsigned unix_mode = 0660);
  // With the ports the kernel picked.
  std::vector<std::string> BoundAddresses() const;

  // Serves on this thread and `threads - 1` others until a stop has been drained. Once. An error
  // only when it could not begin.
  Status Run(int threads);

  // Closes the listeners and idle connections, lets requests under way finish within the drain
  // deadline, ends Run. Any thread, any time, more than once; before Run it makes Run return at
  // once.
  void Stop();

  HttpCounters counters() const;  // any thread

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace dpl
