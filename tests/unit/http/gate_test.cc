// Answers that wait for a gate: in order, on their own connection only, and never given when the
// promise behind them is broken.
#include <atomic>
#include <cstdlib>

#include <gtest/gtest.h>

#include "tests/unit/http/client.h"

namespace dpl {
namespace {

using std::chrono::milliseconds;

// A gate that the test opens, shuts and breaks.
class TestGate final : public ReplyGate {
 public:
  State Look(const ReplyHold& hold) override {
    if (hold.state <= open_upto_ && hold.audit <= audit_upto_) return State::kOpen;
    return broken_ ? State::kBroken : State::kShut;
  }
  void OnChange(std::function<void()> wake) override { wake_ = std::move(wake); }
  void Open(uint64_t upto) {
    open_upto_ = upto;
    wake_();
  }
  void OpenAudit(uint64_t upto) {
    audit_upto_ = upto;
    wake_();
  }
  void Break() {
    broken_ = true;
    wake_();
  }

 private:
  std::atomic<uint64_t> open_upto_{0}, audit_upto_{0};
  std::atomic<bool> broken_{false};
  std::function<void()> wake_;
};

// A server whose answer to `/5` waits for 5 of the state, and that to `/5,2` for 2 of the log as
// well.
struct GatedServer {
  explicit GatedServer(HttpLimits limits = {})
      : server(
            limits,
            [this](const HttpRequest& request, HttpResponse* response) {
              std::string number(request.path.substr(1));
              char* end = nullptr;
              response->hold.state = std::strtoull(number.c_str(), &end, 10);
              if (*end == ',') response->hold.audit = std::strtoull(end + 1, nullptr, 10);
              response->body.append(request.path);
              if (HttpRequest::Found id = request.Find("X-Request-ID"); id.count != 0)
                response->AddHeader("X-Request-ID", id.value);
              ++handled;
            },
            &gate) {
    EXPECT_TRUE(server.Listen(*ListenAddress::Parse("127.0.0.1:0")).ok());
    address = server.BoundAddresses()[0];
    thread = std::thread([this] { (void)server.Run(1); });
  }
  ~GatedServer() {
    server.Stop();
    thread.join();
  }
  static std::string Get(int hold) { return Get(std::to_string(hold)); }
  static std::string Get(const std::string& hold) {
    return "GET /" + hold + " HTTP/1.1\r\nHost: h\r\nX-Request-ID: r" + hold + "\r\n\r\n";
  }
  TestGate gate;
  std::atomic<int> handled{0};
  HttpServer server;
  std::string address;
  std::thread thread;
};

TEST(ReplyGate, AnAnswerWaitsAndOthersDoNot) {
  GatedServer server;
  Client waits(server.address), other(server.address);
  ASSERT_TRUE(waits.Send(GatedServer::Get(5)));
  while (server.handled < 1) std::this_thread::yield();
  ASSERT_TRUE(other.Send(GatedServer::Get(0)));
  EXPECT_EQ(other.Receive().body, "/0");  // on the same loop, behind the one that waits
  server.gate.Open(4);
  ASSERT_TRUE(other.Send(GatedServer::Get(0)));
  EXPECT_EQ(other.Receive().body, "/0");
  EXPECT_FALSE(waits.HasInput(milliseconds(0)));
  server.gate.Open(5);
  EXPECT_EQ(waits.Receive().body, "/5");
  ASSERT_TRUE(waits.Send(GatedServer::Get(5)));  // and the connection lives on
  EXPECT_EQ(waits.Receive().body, "/5");
}

TEST(ReplyGate, AnAnswerWaitsForStateAndLog) {
  GatedServer server;
  Client client(server.address), other(server.address);
  ASSERT_TRUE(client.Send(GatedServer::Get("5,2") + GatedServer::Get("0,4")));
  while (server.handled < 2) std::this_thread::yield();
  server.gate.Open(9);
  server.gate.OpenAudit(3);  // enough for the first, but the second goes with it
  ASSERT_TRUE(other.Send(GatedServer::Get("0,3")));
  EXPECT_EQ(other.Receive().body, "/0,3");
  EXPECT_FALSE(client.HasInput(milliseconds(0)));
  server.gate.OpenAudit(4);
  EXPECT_EQ(client.Receive().body, "/5,2");
  EXPECT_EQ(client.Receive().body, "/0,4");
}

TEST(ReplyGate, PipelinedAnswersKeepTheirOrder) {
  GatedServer server;
  Client client(server.address);
  ASSERT_TRUE(client.Send(GatedServer::Get(0) + GatedServer::Get(7) + GatedServer::Get(3) +
                          GatedServer::Get(0)));
  while (server.handled < 4) std::this_thread::yield();
  server.gate.Open(3);
  server.gate.Open(7);
  for (const char* body : {"/0", "/7", "/3", "/0"}) EXPECT_EQ(client.Receive().body, body);
}

TEST(ReplyGate, ABrokenPromiseIsNeverGiven) {
  GatedServer server;
  Client client(server.address), later(server.address);
  ASSERT_TRUE(client.Send(GatedServer::Get(0) + GatedServer::Get(7) + GatedServer::Get(0)));
  while (server.handled < 3) std::this_thread::yield();
  server.gate.Break();
  EXPECT_EQ(client.Receive().body, "/0");
  Reply reply = client.Receive();
  EXPECT_EQ(reply.status, 503);
  EXPECT_EQ(reply.headers["connection"], "close");
  EXPECT_EQ(reply.headers["x-request-id"], "r7");
  EXPECT_TRUE(client.IsClosedByPeer());
  ASSERT_TRUE(later.Send(GatedServer::Get(8)));
  reply = later.Receive();
  EXPECT_EQ(reply.status, 503);
  EXPECT_EQ(reply.headers["x-request-id"], "r8");
  Client unheld(server.address);
  ASSERT_TRUE(unheld.Send(GatedServer::Get(0)));
  EXPECT_EQ(unheld.Receive().status, 200);
}

TEST(ReplyGate, WaitingHasAnEnd) {
  HttpLimits limits;
  limits.write_deadline = milliseconds(300);
  GatedServer server(limits);
  Client client(server.address);
  ASSERT_TRUE(client.Send(GatedServer::Get(5)));
  EXPECT_EQ(client.Receive().status, 503);
}

TEST(ReplyGate, ManyAnswersWaitAtOnce) {
  GatedServer server;
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 1; i <= 50; ++i) {
    clients.push_back(std::make_unique<Client>(server.address));
    ASSERT_TRUE(clients.back()->Send(GatedServer::Get(i)));
  }
  while (server.handled < 50) std::this_thread::yield();
  for (int i = 1; i <= 50; ++i) {
    server.gate.Open(static_cast<uint64_t>(i));
    EXPECT_EQ(clients[static_cast<size_t>(i) - 1]->Receive().body, "/" + std::to_string(i));
  }
}

TEST(ReplyGate, WhoeverHasGoneIsNotWaitedFor) {
  GatedServer server;
  Client stays(server.address);
  ASSERT_TRUE(stays.Send(GatedServer::Get(5)));
  {
    Client resets(server.address), closes(server.address);
    ASSERT_TRUE(resets.Send(GatedServer::Get(5) + GatedServer::Get(6)));
    ASSERT_TRUE(closes.Send(GatedServer::Get(5)));
    while (server.handled < 4) std::this_thread::yield();
    resets.Reset();
  }
  // The reset ends its connection at once, the gate being shut; the other may only have ended its
  // sending.
  while (server.server.counters().connections_open > 2) std::this_thread::yield();
  server.gate.Open(9);
  EXPECT_EQ(stays.Receive().body, "/5");
  while (server.server.counters().connections_open > 1) std::this_thread::yield();
}

TEST(ReplyGate, AHalfClosedClientGetsWhatItWaitsFor) {
  GatedServer server;
  Client client(server.address);
  ASSERT_TRUE(client.Send(GatedServer::Get(5) + GatedServer::Get(0) + "GET /half"));
  client.EndSending();
  while (server.handled < 2) std::this_thread::yield();
  server.gate.Open(5);
  EXPECT_EQ(client.Receive().body, "/5");
  EXPECT_EQ(client.Receive().body, "/0");
  EXPECT_EQ(client.Receive().status, 400) << "the third was cut off";
  EXPECT_TRUE(client.IsClosedByPeer());
}

TEST(ReplyGate, AStopWaitsForThem) {
  GatedServer server;
  Client client(server.address);
  ASSERT_TRUE(client.Send(GatedServer::Get(5)));
  while (server.handled < 1) std::this_thread::yield();
  server.server.Stop();
  server.gate.Open(5);
  EXPECT_EQ(client.Receive().body, "/5");
}

}  // namespace
}  // namespace dpl
