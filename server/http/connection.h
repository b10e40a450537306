// One client connection on its thread's loop: receive, frame, handle, send, until either side has
// had enough.
//
// A turn is one receive: every whole request in it is answered, the answers leave in one send, and
// the connection waits for more. Whoever has more to say gets another turn after everybody else.
// Buffers belong to the thread and are lent for a turn; a connection keeps memory of its own only
// for what did not come whole or was not taken. Only server/http sees this header. All of it runs
// on the worker's one thread.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <sys/socket.h>

#include "server/http/admission.h"
#include "server/http/event_loop.h"
#include "server/http/request_reader.h"
#include "server/http/server.h"
#include "server/http/tally.h"

namespace dpl::http {

class Connection;

// What the connections of one thread share.
struct Worker {
  static constexpr size_t kReceiveBytes = 16 * 1024;

  EventLoop* loop = nullptr;
  Admission* admission = nullptr;
  const HttpLimits* limits = nullptr;
  const HttpServer::Handler* handler = nullptr;
  bool draining = false;
  ReplyGate* gate = nullptr;
  Connection* first = nullptr;        // all live connections, a doubly linked list
  Connection* hand = nullptr;         // where the search for one to give up goes on
  Connection* closed = nullptr;       // to be deleted after the present batch of events
  std::vector<Connection*> held;      // those that wait for the gate
  std::atomic<size_t> held_count{0};  // as many, for other threads to see

  // The buffers of whoever has its turn.
  std::unique_ptr<char[]> received = std::make_unique<char[]>(kReceiveBytes);
  HttpResponse response;
  std::string out;
  // An answer's head up to its length, as nearly all of them begin, and the `Date: …\r\n` of the
  // others; set anew by the sweep when the second changes.
  std::string common_head;
  std::string date_header;
  void SetDate(std::string_view date);

  std::array<Tally, kRefusedForCount> refused;
  Tally accepted, shed, evicted, requests, overloaded, timed_out, handler_failures, bytes_received,
      bytes_sent;
};

// Milliseconds of a coarse monotonic clock (about 8 ns a reading, 4 ms a step).
int64_t CoarseMillis();

class Connection final : private Watcher {
 public:
  // Takes the descriptor, and the place that the worker's admission gave to `client`.
  Connection(Worker* worker, int fd, const sockaddr_storage& peer, const ClientKey& client,
             int64_t uid);
  ~Connection();  // after Close
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Watches its descriptor. False when that cannot be had; it is closed then.
  bool Start();
  // Sends what waits for the gate, if that is open now. False: go on waiting.
  bool Release();
  // Called at every tick: ends the connection when its deadline has passed.
  void Sweep(int64_t now);
  // The server stops: end now when nothing is under way, else after the present request, or a
  // moment later.
  void Drain(int64_t now);
  // Deleted after the present batch of events; until then it may still be called, and does nothing.
  void Close();

  // How readily it is given up for a newcomer: 0 not at all, higher sooner. Those that have waited
  // long without ever a whole request come first.
  int64_t Dispensable(int64_t now) const;

  Connection* next() const { return next_; }
  Connection* next_closed() const { return next_closed_; }

 private:
  enum class Phase : uint8_t { kReading, kHeld, kWriting, kLingering, kClosed };

  void OnReady(uint32_t events) override;
  void DescribePeer(const sockaddr_storage& peer, int64_t uid);
  void Receive();
  void Process();
  bool Answer();
  void Refuse(int status, std::string_view message);
  void RefuseUnread(int status, std::string_view message);
  void CountRefused(RefusedFor kind);
  void AppendResponse(bool close);
  void Await();
  bool Hold();
  void Unhold();
  ReplyGate::State Look() const;
  void Break(std::string_view promised);
  void BreakPending();
  bool Send(std::string_view bytes);
  void Flush();
  void Finish();
  void Linger();
  void Overload();
  bool Charge();
  void Watch(uint32_t events);
  void SetDeadline(std::chrono::milliseconds after);

  Worker* worker_;
  int fd_;
  uint32_t watched_ = 0;
  RequestReader reader_;
  std::string pending_;  // answers that wait for the gate or for the client to take them
  size_t sent_ = 0;      // of pending_
  std::string peer_;
  ClientKey client_;
  int64_t deadline_ = 0;
  int64_t since_ = 0;     // when it was set
  uint64_t charged_ = 0;  // bytes of the server's budget
  size_t lingered_ = 0;
  ReplyHold hold_;        // what the answers in pending_ wait for
  size_t held_from_ = 0;  // where the first of them begins that waits
  size_t held_at_ = 0;    // its place among the worker's held
  RequestReader::State timed_ =
      RequestReader::State::kRefused;  // what the reading deadline was set for
  Phase phase_ = Phase::kReading;
  bool close_after_write_ = false;
  bool peer_ended_ = false;
  bool had_request_ = false;
  Connection* next_ = nullptr;
  Connection* previous_ = nullptr;
  Connection* next_closed_ = nullptr;
};

}  // namespace dpl::http
