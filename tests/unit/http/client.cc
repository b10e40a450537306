// Raw sockets for the tests of server/http.
#include "tests/unit/http/client.h"

#include <cstdlib>
#include <stdexcept>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace dpl {
namespace {

constexpr int kPatienceMs = 10'000;

void Echo(const HttpRequest& request, HttpResponse* response) {
  if (request.path == "/throw") throw std::runtime_error("planted");
  response->content_type = "text/plain";
  if (request.path == "/large") {
    response->body.assign(1 << 20, 'x');
    return;
  }
  response->close = request.path == "/close";
  response->body.append(request.method)
      .append(" ")
      .append(request.path)
      .append("?")
      .append(request.query);
  response->body.append(" ").append(request.body);
  if (request.path == "/peer") response->body.append(request.peer);
  response->AddHeader("X-Test", request.Find("x-test").value);
}

}  // namespace

Client::Client(const std::string& text, const std::string& from) {
  ListenAddress address = ListenAddress::Parse(text).value();
  sockaddr_storage storage{};
  socklen_t size = 0;
  if (address.kind == ListenAddress::Kind::kIpv4) {
    auto* v4 = reinterpret_cast<sockaddr_in*>(&storage);
    v4->sin_family = AF_INET;
    v4->sin_port = htons(address.port);
    inet_pton(AF_INET, address.host.c_str(), &v4->sin_addr);
    size = sizeof *v4;
  } else if (address.kind == ListenAddress::Kind::kIpv6) {
    auto* v6 = reinterpret_cast<sockaddr_in6*>(&storage);
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(address.port);
    inet_pton(AF_INET6, address.host.c_str(), &v6->sin6_addr);
    size = sizeof *v6;
  } else {
    auto* local = reinterpret_cast<sockaddr_un*>(&storage);
    local->sun_family = AF_UNIX;
    address.host.copy(local->sun_path, sizeof local->sun_path - 1);
    size = sizeof *local;
  }
  fd_ = socket(storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (!from.empty()) {
    sockaddr_in own{};
    own.sin_family = AF_INET;
    inet_pton(AF_INET, from.c_str(), &own.sin_addr);
    EXPECT_EQ(bind(fd_, reinterpret_cast<sockaddr*>(&own), sizeof own), 0);
  }
  if (connect(fd_, reinterpret_cast<sockaddr*>(&storage), size) != 0) {
    close(fd_);
    fd_ = -1;
  }
}

Client::~Client() {
  if (fd_ >= 0) close(fd_);
}

bool Client::Send(std::string_view bytes) {
  while (!bytes.empty()) {
    ssize_t count = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(count));
  }
  return true;
}

void Client::EndSending() { shutdown(fd_, SHUT_WR); }

void Client::Reset() {
  linger abort{1, 0};
  setsockopt(fd_, SOL_SOCKET, SO_LINGER, &abort, sizeof abort);
  close(fd_);
  fd_ = -1;
}

bool Client::HasInput(std::chrono::milliseconds within) {
  pollfd poll_fd{fd_, POLLIN, 0};
  return poll(&poll_fd, 1, static_cast<int>(within.count())) > 0;
}

bool Client::Fill() {
  pollfd poll_fd{fd_, POLLIN, 0};
  if (poll(&poll_fd, 1, kPatienceMs) <= 0) {
    ADD_FAILURE() << "nothing came for " << kPatienceMs << " ms; so far: " << buffer_;
    return false;
  }
  char bytes[16384];
  ssize_t count = recv(fd_, bytes, sizeof bytes, 0);
  if (count <= 0) return false;
  buffer_.append(bytes, static_cast<size_t>(count));
  return true;
}

Reply Client::Receive(bool head_only) {
  Reply reply;
  size_t end;
  while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
    if (!Fill()) return {};
  }
  std::string head = buffer_.substr(0, end + 2);
  buffer_.erase(0, end + 4);
  for (size_t line = head.find("\r\n") + 2; line < head.size();) {
    size_t line_end = head.find("\r\n", line);
    size_t colon = head.find(':', line);
    std::string name = head.substr(line, colon - line);
    for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    reply.headers[name] = head.substr(colon + 2, line_end - colon - 2);
    line = line_end + 2;
  }
  reply.status = std::atoi(head.substr(9, 3).c_str());
  if (reply.status < 200 || reply.status == 204 || head_only) return reply;
  size_t length = static_cast<size_t>(std::atoll(reply.headers["content-length"].c_str()));
  while (buffer_.size() < length) {
    if (!Fill()) return {};
  }
  reply.body = buffer_.substr(0, length);
  buffer_.erase(0, length);
  return reply;
}

std::string Client::ReceiveUntilClosed() {
  while (Fill()) {
  }
  return std::exchange(buffer_, {});
}

TestServer::TestServer(HttpLimits limits, int threads, const std::string& address)
    : server_(limits, Echo) {
  Status status = server_.Listen(ListenAddress::Parse(address).value());
  EXPECT_TRUE(status.ok()) << status.error().message;
  address_ = server_.BoundAddresses().back();
  thread_ = std::thread([this, threads] { EXPECT_TRUE(server_.Run(threads).ok()); });
}

TestServer::~TestServer() { StopAndJoin(); }

void TestServer::StopAndJoin() {
  server_.Stop();
  if (thread_.joinable()) thread_.join();
}

}  // namespace dpl
