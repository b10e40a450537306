// The life of one connection.
#include "server/http/connection.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdint>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

namespace dpl::http {
namespace {

constexpr size_t kGatherBytes =
    64 * 1024;  // answers of pipelined requests are sent together up to this
constexpr size_t kMostLingerBytes = 512 * 1024;  // read and dropped after a refusal
constexpr std::chrono::milliseconds kLingerFor{1'000};
constexpr size_t kKeptOutBytes = 256 * 1024;  // a larger send buffer of the thread is given back
constexpr std::string_view kJsonType = "application/json";

// Before these a connection is not given up for a newcomer: a client gets a moment to say what it
// came for, and one that has asked before keeps its connection for a while.
constexpr int64_t kStrangersWait = 1'000;
constexpr int64_t kIdleWait = 5'000;
constexpr int64_t kStrangersFirst = int64_t{1} << 40;

// At a stop: whose last request is so recent is waited for so long.
constexpr int64_t kBusyWithin = 1'000;
constexpr int64_t kLastCall = 500;

void AppendNumber(uint64_t number, std::string* out) {
  char digits[24];
  auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
  out->append(digits, end);
}

void EchoId(const HttpRequest& request, HttpResponse* response) {
  std::string_view id;
  (void)ReadRequestId(request, &id);
  if (!id.empty()) (void)response->AddHeader(kRequestIdHeader, id);
}

// The id that the first of these answers gives back; empty: none.
std::string_view IdIn(std::string_view answers) {
  std::string_view head = answers.substr(0, answers.find("\r\n\r\n"));
  while (!head.empty()) {
    const size_t end = head.find("\r\n");
    std::string_view line = head.substr(0, end);
    head.remove_prefix(end == std::string_view::npos ? head.size() : end + 2);
    const size_t colon = line.find(": ");
    if (line.substr(0, colon) == kRequestIdHeader) return line.substr(colon + 2);
  }
  return {};
}

}  // namespace

int64_t CoarseMillis() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000;
}

void Worker::SetDate(std::string_view date) {
  date_header.assign(date);
  common_head.assign("HTTP/1.1 200 OK\r\n").append(date);
  common_head.append("Content-Type: ").append(kJsonType).append("\r\nContent-Length: ");
}

Connection::Connection(Worker* worker, int fd, const sockaddr_storage& peer,
                       const ClientKey& client, int64_t uid)
    : worker_(worker), fd_(fd), reader_(*worker->limits), client_(client) {
  next_ = worker_->first;
  if (next_) next_->previous_ = this;
  worker_->first = this;
  worker_->accepted.Add();
  DescribePeer(peer, uid);
  SetDeadline(worker_->limits->head_deadline);
}

Connection::~Connection() {
  if (worker_->hand == this) worker_->hand = next_;
  if (previous_) {
    previous_->next_ = next_;
  } else {
    worker_->first = next_;
  }
  if (next_) next_->previous_ = previous_;
}

bool Connection::Start() {
  watched_ = EPOLLIN;
  if (worker_->loop->Watch(fd_, watched_, this)) {
    Await();
    return true;
  }
  Close();
  return false;
}

void Connection::DescribePeer(const sockaddr_storage& peer, int64_t uid) {
  char text[INET6_ADDRSTRLEN] = {};
  if (peer.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(peer);
    inet_ntop(AF_INET, &v4.sin_addr, text, sizeof text);
    peer_.assign(text).append(":");
    AppendNumber(ntohs(v4.sin_port), &peer_);
  } else if (peer.ss_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(peer);
    inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof text);
    peer_.assign("[").append(text).append("]:");
    AppendNumber(ntohs(v6.sin6_port), &peer_);
  } else {
    reader_.request().unix_socket = true;
    reader_.request().peer_uid = uid;
    peer_.assign("unix:uid=");
    if (uid >= 0) AppendNumber(static_cast<uint64_t>(uid), &peer_);
  }
  reader_.request().peer = peer_;
}

void Connection::SetDeadline(std::chrono::milliseconds after) {
  since_ = CoarseMillis();
  deadline_ = since_ + after.count();
}

void Connection::Watch(uint32_t events) {
  if (watched_ == events) return;
  watched_ = events;
  worker_->loop->Rewatch(fd_, events, this);
}

// Takes of the server's budget what the connection keeps, and will need for its next receive.
// False, and nothing more taken, when the budget does not have it.
bool Connection::Charge() {
  uint64_t kept = reader_.NeededCapacity() + (pending_.empty() ? 0 : pending_.capacity());
  kept -= std::min<uint64_t>(kept, HttpLimits::kFreeBytes);
  if (kept == charged_) return true;
  if (kept > charged_ && !worker_->admission->Take(kept - charged_)) return false;
  if (kept < charged_) worker_->admission->Give(charged_ - kept);
  charged_ = kept;
  return true;
}

void Connection::OnReady(uint32_t events) {
  try {
    switch (phase_) {
      case Phase::kReading:
        return Receive();
      case Phase::kHeld:
        // Gone altogether: nobody is left to take the answer.
        if ((events & (EPOLLERR | EPOLLHUP)) != 0) return Close();
        return Watch(0);
      case Phase::kWriting:
        return Flush();
      case Phase::kLingering:
        return Linger();
      case Phase::kClosed:
        return;
    }
  } catch (...) {  // out of memory: it costs this client its connection
    Close();
  }
}

void Connection::Receive() {
  std::span<char> space = reader_.Space({worker_->received.get(), Worker::kReceiveBytes});
  const ssize_t count = recv(fd_, space.data(), space.size(), 0);
  if (count < 0) {
    if (errno != EAGAIN && errno != EINTR) return Close();
    return reader_.Keep();
  }
  worker_->bytes_received.Add(static_cast<uint64_t>(count));
  reader_.Received(static_cast<size_t>(count));
  peer_ended_ = count == 0;
  Process();
}

// Answers every whole request in the buffer, sends the answers together, and waits for more.
void Connection::Process() {
  std::string& out = worker_->out;
  bool more = true;
  while (more) {
    out.clear();
    more = false;
    while (!close_after_write_) {
      RequestReader::State state = reader_.Next();
      if (state == RequestReader::State::kReady) {
        if (Answer() && out.size() < kGatherBytes) continue;
        more = true;
      } else if (state == RequestReader::State::kRefused) {
        CountRefused(reader_.refusal().kind);
        RefuseUnread(reader_.refusal().status, reader_.refusal().message);
      } else if (peer_ended_ && state != RequestReader::State::kEmpty) {
        CountRefused(RefusedFor::kUnfinished);
        RefuseUnread(400, "the connection ended inside a request");
      } else if (state == RequestReader::State::kBody && reader_.TakeContinue()) {
        out.append("HTTP/1.1 100 Continue\r\n\r\n");
      }
      break;
    }
    if (hold_.any() && !Hold()) return;
    if (!out.empty() && !Send(out)) return;
    if (out.capacity() > kKeptOutBytes) std::string().swap(out);
    if (close_after_write_) return out.empty() ? Close() : Finish();
  }
  if (peer_ended_) return Close();
  Await();
}

void Connection::CountRefused(RefusedFor kind) {
  worker_->refused[static_cast<size_t>(kind)].Add();
}

// False when nothing more may be answered in this go.
bool Connection::Answer() {
  HttpResponse& response = worker_->response;
  worker_->requests.Add();
  had_request_ = true;
  timed_ = RequestReader::State::kRefused;  // the next wait sets its deadline anew
  response.Reset();
  try {
    (*worker_->handler)(reader_.request(), &response);
  } catch (...) {  // a handler should not throw; if it does, it costs this client its connection
    worker_->handler_failures.Add();
    response.Reset();
    EchoId(reader_.request(), &response);
    response.Error(500, "internal error");
    response.close = true;
  }
  bool close = response.close || !reader_.keep_alive() || worker_->draining;
  if (response.hold.any() && !hold_.any()) held_from_ = worker_->out.size();
  hold_.Join(response.hold);
  AppendResponse(close);
  close_after_write_ = close;
  reader_.Consume();
  return !close;
}

// An answer of the server's own, before or instead of the handler's, with the header lines that the
// response has. Always the last of the connection.
void Connection::Refuse(int status, std::string_view message) {
  worker_->response.Error(status, message);
  AppendResponse(true);
  close_after_write_ = true;
}

// The same for a request that has not been read whole: named by its id, if that came.
void Connection::RefuseUnread(int status, std::string_view message) {
  worker_->response.Reset();
  reader_.ShowHeaders();
  EchoId(reader_.request(), &worker_->response);
  Refuse(status, message);
}

void Connection::AppendResponse(bool close) {
  const HttpResponse& response = worker_->response;
  std::string& out = worker_->out;
  if (response.status == 200 && response.content_type == kJsonType) {
    out.append(worker_->common_head);
    AppendNumber(response.body.size(), &out);
    out.append("\r\n");
  } else {
    out.append("HTTP/1.1 ");
    AppendNumber(static_cast<uint64_t>(response.status), &out);
    out.append(" ").append(StatusPhrase(response.status)).append("\r\n");
    out.append(worker_->date_header);
    if (response.status != 204) {
      out.append("Content-Type: ").append(response.content_type).append("\r\nContent-Length: ");
      AppendNumber(response.body.size(), &out);
      out.append("\r\n");
    }
    // Whoever asks on behalf of somebody takes it for a deny, and may ask again in a moment.
    if (response.status == 503) out.append("Retry-After: 1\r\n");
  }
  out.append(response.extra_headers());
  if (close) {
    out.append("Connection: close\r\n");
  } else if (reader_.http10()) {
    out.append("Connection: keep-alive\r\n");
  }
  out.append("\r\n");
  if (response.status != 204 && !reader_.is_head()) out.append(response.body);
}

// Waits for input. One deadline per stage of a request, set when the stage begins and left alone by
// further bytes.
void Connection::Await() {
  phase_ = Phase::kReading;
  RequestReader::State state = reader_.Next();
  if (state != timed_) {
    timed_ = state;
    SetDeadline(state == RequestReader::State::kBody   ? worker_->limits->body_deadline
                : state == RequestReader::State::kHead ? worker_->limits->head_deadline
                : had_request_                         ? worker_->limits->idle_deadline
                                                       : worker_->limits->head_deadline);
    if (worker_->draining && state == RequestReader::State::kEmpty)
      deadline_ = std::min(deadline_, since_ + kLastCall);
  }
  if (!Charge()) return Overload();
  reader_.Keep();
  Watch(EPOLLIN);
}

// The server has no memory left for what this client sends so slowly.
void Connection::Overload() {
  worker_->overloaded.Add();
  worker_->out.clear();
  RefuseUnread(503, "the server is overloaded");
  if (Send(worker_->out)) Finish();
}

// True when what is to leave may leave now. Otherwise nothing more is read meanwhile: what a client
// pipelines behind a promise waits with it.
bool Connection::Hold() {
  phase_ = Phase::kHeld;
  held_at_ = worker_->held.size();
  worker_->held.push_back(this);
  // First seen, then looked: whoever opens the gate does it the other way round, so one of us
  // notices.
  worker_->held_count.store(worker_->held.size(), std::memory_order_seq_cst);
  const ReplyGate::State gate = Look();
  if (gate == ReplyGate::State::kShut) {
    pending_.assign(worker_->out);
    sent_ = 0;
    (void)Charge();  // decided already: kept whatever the budget says
    reader_.Keep();
    SetDeadline(worker_->limits->write_deadline);
    return false;
  }
  Unhold();
  if (gate == ReplyGate::State::kBroken) {
    const std::string promised = worker_->out.substr(held_from_);
    worker_->out.resize(held_from_);
    Break(promised);
  }
  return true;
}

ReplyGate::State Connection::Look() const {
  return worker_->gate == nullptr ? ReplyGate::State::kOpen : worker_->gate->Look(hold_);
}

void Connection::Unhold() {
  std::vector<Connection*>& held = worker_->held;
  held.back()->held_at_ = held_at_;
  held[held_at_] = held.back();
  held.pop_back();
  worker_->held_count.store(held.size(), std::memory_order_seq_cst);
  hold_ = {};
  phase_ = Phase::kWriting;
}

bool Connection::Release() {
  const ReplyGate::State gate = Look();
  if (gate == ReplyGate::State::kShut) return false;
  Unhold();
  if (gate == ReplyGate::State::kBroken) BreakPending();
  SetDeadline(worker_->limits->write_deadline);
  Flush();
  return true;
}

// The promise will not be kept, so its answer must not be given, nor any behind it. `promised`:
// what would have been sent; the first of it says which request that was.
void Connection::Break(std::string_view promised) {
  HttpResponse& response = worker_->response;
  response.Reset();
  if (const std::string_view id = IdIn(promised); !id.empty())
    (void)response.AddHeader(kRequestIdHeader, id);
  Refuse(503, response.error_form() == ErrorForm::kMessage ? "the decision could not be recorded"
                                                           : "the change could not be recorded");
}

void Connection::BreakPending() {
  worker_->out.clear();
  Break(std::string_view(pending_).substr(held_from_));
  pending_.resize(held_from_);
  pending_.append(worker_->out);
}

// True when all of it has left. Otherwise the rest waits for the client to take it, or the
// connection is closed.
bool Connection::Send(std::string_view bytes) {
  ssize_t count = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  if (count < 0) {
    if (errno != EAGAIN && errno != EINTR) {
      Close();
      return false;
    }
    count = 0;
  }
  const auto sent = static_cast<size_t>(count);
  worker_->bytes_sent.Add(sent);
  if (sent == bytes.size()) return true;
  pending_.assign(bytes.substr(sent));
  sent_ = 0;
  phase_ = Phase::kWriting;
  if (!Charge()) {
    worker_->overloaded.Add();
    Close();
    return false;
  }
  reader_.Keep();
  SetDeadline(worker_->limits->write_deadline);
  Watch(EPOLLOUT);
  return false;
}

// Sends on what is pending; when all of it has left, goes on where Process stopped.
void Connection::Flush() {
  const ssize_t count = send(fd_, pending_.data() + sent_, pending_.size() - sent_, MSG_NOSIGNAL);
  if (count < 0 && errno != EAGAIN && errno != EINTR) return Close();
  if (count > 0) {
    sent_ += static_cast<size_t>(count);
    worker_->bytes_sent.Add(static_cast<uint64_t>(count));
  }
  if (sent_ < pending_.size()) return Watch(EPOLLOUT);
  std::string().swap(pending_);
  phase_ = Phase::kReading;
  if (close_after_write_) return Finish();
  Process();
}

// Closing with unread bytes would reset the connection and could destroy the answer on its way: say
// that no more will be sent, and drop what still comes, for a moment.
void Connection::Finish() {
  shutdown(fd_, SHUT_WR);
  if (peer_ended_) return Close();
  phase_ = Phase::kLingering;
  SetDeadline(kLingerFor);
  Watch(EPOLLIN);
}

void Connection::Linger() {
  const ssize_t count = recv(fd_, worker_->received.get(), Worker::kReceiveBytes, 0);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
  lingered_ += count > 0 ? static_cast<size_t>(count) : 0;
  if (count <= 0 || lingered_ > kMostLingerBytes) Close();
}

void Connection::Sweep(int64_t now) {
  if (now < deadline_) return;
  switch (phase_) {
    case Phase::kClosed:
      return;
    case Phase::kLingering:
      return Close();
    case Phase::kWriting:
      worker_->timed_out.Add();
      return Close();
    case Phase::kHeld:
      worker_->timed_out.Add();
      Unhold();
      BreakPending();
      SetDeadline(worker_->limits->write_deadline);
      return Flush();
    case Phase::kReading:
      break;
  }
  RequestReader::State state = reader_.Next();
  if (state == RequestReader::State::kEmpty) return Close();  // idle: nothing to answer
  worker_->timed_out.Add();
  worker_->out.clear();
  RefuseUnread(408, state == RequestReader::State::kBody
                        ? "the body did not arrive in time"
                        : "the request head did not arrive in time");
  if (Send(worker_->out)) Finish();
}

// Nobody should lose a request that is on its way: who has just asked asks again in a moment, and
// is told to go elsewhere with the answer. Of whoever has been idle for longer, only what has
// already arrived is read.
void Connection::Drain(int64_t now) {
  if (phase_ != Phase::kReading || reader_.Next() != RequestReader::State::kEmpty) return;
  char first;
  const bool busy = now - since_ < kBusyWithin;
  if (!busy && recv(fd_, &first, 1, MSG_PEEK | MSG_DONTWAIT) <= 0) return Close();
  deadline_ = std::min(deadline_, now + kLastCall);
}

int64_t Connection::Dispensable(int64_t now) const {
  const int64_t waited = now - since_;
  if (phase_ == Phase::kLingering) return INT64_MAX;
  if (phase_ != Phase::kReading) return 0;
  if (!had_request_) return waited >= kStrangersWait ? kStrangersFirst + waited : 0;
  return timed_ == RequestReader::State::kEmpty && waited >= kIdleWait ? waited : 0;
}

void Connection::Close() {
  if (phase_ == Phase::kClosed) return;
  if (phase_ == Phase::kHeld) Unhold();
  phase_ = Phase::kClosed;
  close(fd_);
  worker_->admission->Give(charged_);
  worker_->admission->Leave(client_);
  next_closed_ = worker_->closed;
  worker_->closed = this;
}

}  // namespace dpl::http
