// One client connection on its thread's loop: receive, frame, handle, send, until either side has
// had enough.
//
// Only server/http sees this header; Asio's types stay here. All of it runs on the worker's one
// thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>

#include "server/http/request_reader.h"
#include "server/http/server.h"
#include "server/http/tally.h"

namespace dpl::http {

using Socket = boost::asio::generic::stream_protocol::socket;

class Connection;

// What the connections of one thread share.
struct Worker {
  const HttpLimits* limits = nullptr;
  const HttpServer::Handler* handler = nullptr;
  std::atomic<uint64_t>* open_connections = nullptr;  // of all workers
  bool draining = false;
  ReplyGate* gate = nullptr;
  ErrorForm form = ErrorForm::kMessage;
  Connection* first = nullptr;                    // all live connections, a doubly linked list
  std::vector<std::shared_ptr<Connection>> held;  // those that wait for the gate
  std::atomic<size_t> held_count{0};              // as many, for other threads to see
  std::string date_header;  // `Date: …\r\n`, set anew by the sweep when the second changes

  Tally accepted, shed, requests, refused, timed_out, handler_failures, bytes_received, bytes_sent;
};

// Milliseconds of a coarse monotonic clock (about 8 ns a reading, 4 ms a step).
int64_t CoarseMillis();

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(Worker* worker, Socket socket);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void Start();
  // Sends what waits for the gate, if that is open now. False: go on waiting.
  bool Release();
  // Called at every tick: ends the connection when its deadline has passed.
  void Sweep(int64_t now);
  // The server stops: end now when nothing is under way, else after the present request.
  void Drain();
  void Close();

  Connection* next() const { return next_; }

 private:
  enum class Phase : uint8_t { kReading, kHeld, kWriting, kLingering, kClosed };

  void DescribePeer();
  void Read();
  void OnRead(size_t count, bool ended);
  void Process();
  void Answer();
  void Refuse(int status, std::string_view message);
  void AppendResponse(bool close);
  void Hold();
  void Break();
  void Write();
  void OnWritten();
  void Linger();
  void SetDeadline(std::chrono::milliseconds after);

  Worker* worker_;
  Socket socket_;
  RequestReader reader_;
  HttpResponse response_;
  std::string out_;
  std::string peer_;
  int64_t deadline_ = 0;
  size_t lingered_ = 0;
  ReplyHold hold_;        // what the answers in out_ wait for
  size_t held_from_ = 0;  // where the first of them begins that waits
  RequestReader::State timed_ =
      RequestReader::State::kRefused;  // what the reading deadline was set for
  Phase phase_ = Phase::kReading;
  bool close_after_write_ = false;
  bool peer_ended_ = false;
  bool had_request_ = false;
  Connection* next_ = nullptr;
  Connection* previous_ = nullptr;
};

}  // namespace dpl::http
