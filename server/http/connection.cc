// The life of one connection.
#include "server/http/connection.h"

#include <algorithm>
#include <charconv>

#include <arpa/inet.h>
#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <time.h>

namespace dpl::http {
namespace {

using boost::system::error_code;

constexpr size_t kGatherBytes =
    256 * 1024;  // answers of pipelined requests are sent together up to this
constexpr size_t kKeptOutBytes = 64 * 1024;      // a larger send buffer is given back
constexpr size_t kMostLingerBytes = 512 * 1024;  // read and dropped after a refusal
constexpr std::chrono::milliseconds kLingerFor{1'000};

void AppendNumber(uint64_t number, std::string* out) {
  char digits[24];
  auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
  out->append(digits, end);
}

}  // namespace

int64_t CoarseMillis() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000;
}

Connection::Connection(Worker* worker, Socket socket)
    : worker_(worker), socket_(std::move(socket)), reader_(*worker->limits) {
  next_ = worker_->first;
  if (next_) next_->previous_ = this;
  worker_->first = this;
  worker_->accepted.Add();
  response_.SetErrorForm(worker->form);
}

Connection::~Connection() {
  if (previous_) {
    previous_->next_ = next_;
  } else {
    worker_->first = next_;
  }
  if (next_) next_->previous_ = previous_;
  worker_->open_connections->fetch_sub(1, std::memory_order_relaxed);
}

void Connection::Start() {
  DescribePeer();
  Read();
}

void Connection::DescribePeer() {
  HttpRequest& request = reader_.request();
  int fd = socket_.native_handle();
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  if (getpeername(fd, reinterpret_cast<sockaddr*>(&storage), &size) != 0) return;
  char text[INET6_ADDRSTRLEN] = {};
  if (storage.ss_family == AF_INET) {
    auto* v4 = reinterpret_cast<sockaddr_in*>(&storage);
    inet_ntop(AF_INET, &v4->sin_addr, text, sizeof text);
    peer_.assign(text).append(":");
    AppendNumber(ntohs(v4->sin_port), &peer_);
  } else if (storage.ss_family == AF_INET6) {
    auto* v6 = reinterpret_cast<sockaddr_in6*>(&storage);
    inet_ntop(AF_INET6, &v6->sin6_addr, text, sizeof text);
    peer_.assign("[").append(text).append("]:");
    AppendNumber(ntohs(v6->sin6_port), &peer_);
  } else if (storage.ss_family == AF_UNIX) {
    request.unix_socket = true;
    ucred credentials{};
    socklen_t length = sizeof credentials;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &length) == 0) {
      request.peer_uid = static_cast<int64_t>(credentials.uid);
      peer_.assign("unix:uid=");
      AppendNumber(credentials.uid, &peer_);
    }
  }
  if (storage.ss_family != AF_UNIX) {
    int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  }
  request.peer = peer_;
}

void Connection::SetDeadline(std::chrono::milliseconds after) {
  deadline_ = CoarseMillis() + after.count();
}

// One deadline per stage of a request, set when the stage begins and left alone by further bytes.
void Connection::Read() {
  RequestReader::State state = reader_.Next();
  if (state != timed_) {
    timed_ = state;
    SetDeadline(state == RequestReader::State::kBody   ? worker_->limits->body_deadline
                : state == RequestReader::State::kHead ? worker_->limits->head_deadline
                : had_request_                         ? worker_->limits->idle_deadline
                                                       : worker_->limits->head_deadline);
  }
  phase_ = Phase::kReading;
  std::span<char> space = reader_.Space();
  socket_.async_receive(boost::asio::buffer(space.data(), space.size()),
                        [self = shared_from_this()](error_code error, size_t count) {
                          // Given up by Sweep or Close, which have said all there is to say.
                          if (self->phase_ != Phase::kReading) return;
                          if (error && error != boost::asio::error::eof) return self->Close();
                          self->OnRead(count, static_cast<bool>(error));
                        });
}

void Connection::OnRead(size_t count, bool ended) {
  worker_->bytes_received.Add(count);
  reader_.Received(count);
  peer_ended_ = ended;
  Process();
}

// Answers every whole request in the buffer, then sends the answers together, then reads on.
void Connection::Process() {
  out_.clear();
  while (!close_after_write_ && out_.size() < kGatherBytes) {
    RequestReader::State state = reader_.Next();
    if (state == RequestReader::State::kReady) {
      Answer();
      continue;
    }
    if (state == RequestReader::State::kRefused) {
      worker_->refused.Add();
      Refuse(reader_.refusal().status, reader_.refusal().message);
    } else if (peer_ended_ && state != RequestReader::State::kEmpty) {
      worker_->refused.Add();
      Refuse(400, "the connection ended inside a request");
    } else if (state == RequestReader::State::kBody && reader_.TakeContinue()) {
      out_.append("HTTP/1.1 100 Continue\r\n\r\n");
    } else if (worker_->draining && state == RequestReader::State::kEmpty) {
      close_after_write_ = true;
    }
    break;
  }
  if (hold_.any()) return Hold();
  if (!out_.empty()) return Write();
  if (peer_ended_ || close_after_write_) return Close();
  Read();
}

void Connection::Answer() {
  worker_->requests.Add();
  had_request_ = true;
  timed_ = RequestReader::State::kRefused;  // the next read sets its deadline anew
  response_.Reset();
  try {
    (*worker_->handler)(reader_.request(), &response_);
  } catch (...) {  // a handler should not throw; if it does, it costs this client its connection
    worker_->handler_failures.Add();
    response_.Reset();
    response_.Error(500, "internal error");
    response_.close = true;
  }
  bool close = response_.close || !reader_.keep_alive() || worker_->draining;
  if (response_.hold.any() && !hold_.any()) held_from_ = out_.size();
  hold_.Join(response_.hold);
  AppendResponse(close);
  close_after_write_ = close;
  reader_.Consume();
}

// An answer of the server's own, before or instead of the handler's. Always the last of the
// connection.
void Connection::Refuse(int status, std::string_view message) {
  response_.Reset();
  response_.Error(status, message);
  AppendResponse(true);
  close_after_write_ = true;
}

void Connection::AppendResponse(bool close) {
  out_.append("HTTP/1.1 ");
  AppendNumber(static_cast<uint64_t>(response_.status), &out_);
  out_.append(" ").append(StatusPhrase(response_.status)).append("\r\n");
  if (response_.status != 204) {
    out_.append("Content-Type: ").append(response_.content_type).append("\r\nContent-Length: ");
    AppendNumber(response_.body.size(), &out_);
    out_.append("\r\n");
  }
  out_.append(worker_->date_header).append(response_.extra_headers());
  if (close) {
    out_.append("Connection: close\r\n");
  } else if (reader_.http10()) {
    out_.append("Connection: keep-alive\r\n");
  }
  out_.append("\r\n");
  if (response_.status != 204 && !reader_.is_head()) out_.append(response_.body);
}

// Nothing more is read meanwhile: what a client pipelines behind a promise waits with it.
void Connection::Hold() {
  phase_ = Phase::kHeld;
  SetDeadline(worker_->limits->write_deadline);
  worker_->held.push_back(shared_from_this());
  // First seen, then looked: whoever opens the gate does it the other way round, so one of us
  // notices.
  worker_->held_count.store(worker_->held.size(), std::memory_order_seq_cst);
  if (!Release()) return;
  worker_->held.pop_back();
  worker_->held_count.store(worker_->held.size(), std::memory_order_seq_cst);
}

bool Connection::Release() {
  if (phase_ != Phase::kHeld) return true;
  switch (worker_->gate == nullptr ? ReplyGate::State::kOpen : worker_->gate->Look(hold_)) {
    case ReplyGate::State::kShut:
      return false;
    case ReplyGate::State::kBroken:
      Break();
      return true;
    case ReplyGate::State::kOpen:
      break;
  }
  hold_ = {};
  Write();
  return true;
}

// The promise will not be kept, so its answer must not be given, nor any behind it.
void Connection::Break() {
  hold_ = {};
  out_.resize(held_from_);
  Refuse(503, worker_->form == ErrorForm::kMessage ? "the decision could not be recorded"
                                                   : "the change could not be recorded");
  Write();
}

void Connection::Write() {
  phase_ = Phase::kWriting;
  SetDeadline(worker_->limits->write_deadline);
  boost::asio::async_write(socket_, boost::asio::buffer(out_),
                           [self = shared_from_this()](error_code error, size_t count) {
                             self->worker_->bytes_sent.Add(count);
                             if (self->phase_ == Phase::kClosed) return;
                             if (error) return self->Close();
                             self->OnWritten();
                           });
}

void Connection::OnWritten() {
  if (out_.capacity() > kKeptOutBytes) std::string().swap(out_);
  if (close_after_write_) {
    // Closing with unread bytes would reset the connection and could destroy the answer on its way:
    // say that no more will be sent, and drop what still comes, for a moment.
    error_code ignored;
    socket_.shutdown(Socket::shutdown_send, ignored);
    if (peer_ended_) return Close();
    SetDeadline(kLingerFor);
    return Linger();
  }
  Process();
}

void Connection::Linger() {
  phase_ = Phase::kLingering;
  out_.resize(4096);
  socket_.async_receive(boost::asio::buffer(out_),
                        [self = shared_from_this()](error_code error, size_t count) {
                          if (self->phase_ == Phase::kClosed) return;
                          self->lingered_ += count;
                          if (error || self->lingered_ > kMostLingerBytes) return self->Close();
                          self->Linger();
                        });
}

void Connection::Sweep(int64_t now) {
  if (now < deadline_ || phase_ == Phase::kClosed) return;
  if (phase_ == Phase::kLingering) return Close();
  if (phase_ == Phase::kHeld) {
    worker_->timed_out.Add();
    return Break();
  }
  if (phase_ == Phase::kWriting) {
    worker_->timed_out.Add();
    return Close();
  }
  RequestReader::State state = reader_.Next();
  if (state == RequestReader::State::kEmpty) return Close();  // idle: nothing to answer
  worker_->timed_out.Add();
  error_code ignored;
  socket_.cancel(ignored);
  out_.clear();
  Refuse(408, state == RequestReader::State::kBody ? "the body did not arrive in time"
                                                   : "the request head did not arrive in time");
  Write();
}

void Connection::Drain() {
  if (phase_ == Phase::kReading && reader_.Next() == RequestReader::State::kEmpty) Close();
}

void Connection::Close() {
  if (phase_ == Phase::kClosed) return;
  phase_ = Phase::kClosed;
  error_code ignored;
  socket_.close(ignored);
}

}  // namespace dpl::http
