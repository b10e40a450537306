// A client that speaks raw bytes, and a server to speak them to: what the tests of this room share.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <string_view>
#include <thread>

#include <gtest/gtest.h>

#include "server/http/server.h"

namespace dpl {

struct Reply {
  int status = 0;  // 0: the connection ended before a whole response came
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
};

// Every wait has an end (10 s), which fails the test; no test sleeps.
class Client {
 public:
  // `from`: one's own IPv4 address; empty: whichever the system takes.
  explicit Client(const std::string& address, const std::string& from = "");
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  bool connected() const { return fd_ >= 0; }
  bool Send(std::string_view bytes);                // all of them; false when the peer has gone
  void EndSending();                                // half-closes
  void Reset();                                     // ends the connection with RST
  Reply Receive(bool head_only = false);            // one response; 1xx included
  std::string ReceiveUntilClosed();                 // the rest, up to the peer's end
  bool HasInput(std::chrono::milliseconds within);  // something to receive, or the end
  bool IsClosedByPeer() {
    return ReceiveUntilClosed().empty();
  }  // nothing more came, and the peer ended

 private:
  bool Fill();  // receives some more; false at the end
  int fd_ = -1;
  std::string buffer_;
};

// Runs a server until the end of the test. The handler answers `METHOD path?query body` as text,
// and on `/throw` throws, on `/close` asks for the end of the connection, on `/large` answers a
// megabyte.
class TestServer {
 public:
  explicit TestServer(HttpLimits limits = {}, int threads = 1,
                      const std::string& address = "127.0.0.1:0");
  ~TestServer();
  const std::string& address() const { return address_; }
  HttpServer& server() { return server_; }
  void StopAndJoin();

 private:
  HttpServer server_;
  std::string address_;
  std::thread thread_;
};

}  // namespace dpl
