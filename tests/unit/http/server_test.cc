// The server over real sockets: framing, connections, deadlines, drain.
#include "server/http/server.h"

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/http/client.h"
#include "tests/unit/http/framing_cases.h"

namespace dpl {
namespace {

using std::chrono::milliseconds;

const std::string kGet = "GET /a?b HTTP/1.1\r\nHost: h\r\n\r\n";

// Deadlines short enough for a test to see them pass; the others stay long, so that the one under
// test is the one met.
HttpLimits Short(milliseconds HttpLimits::*which) {
  HttpLimits limits;
  limits.*which = milliseconds(300);
  return limits;
}

TEST(HttpServer, Answers) {
  TestServer server;
  Client client(server.address());
  ASSERT_TRUE(
      client.Send("POST /p?q HTTP/1.1\r\nHost: h\r\nX-Test: t\r\nContent-Length: 4\r\n\r\nbody"));
  Reply reply = client.Receive();
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body, "POST /p?q body");
  EXPECT_EQ(reply.headers["content-type"], "text/plain");
  EXPECT_EQ(reply.headers["x-test"], "t");
  EXPECT_EQ(reply.headers["date"].size(), 29u);
  EXPECT_EQ(reply.headers.count("connection"), 0u);
  // The connection lives on.
  ASSERT_TRUE(client.Send(kGet));
  EXPECT_EQ(client.Receive().body, "GET /a?b ");
}

TEST(HttpServer, RefusesWhatIsAmbiguousAndCloses) {
  TestServer server;
  for (const FramingCase& c : FramingCases()) {
    SCOPED_TRACE(c.name);
    Client refused(server.address());
    refused.Send(c.refused);
    Reply reply = refused.Receive();
    EXPECT_EQ(reply.status, c.status);
    EXPECT_EQ(reply.headers["connection"], "close");
    EXPECT_EQ(reply.headers["content-type"], "application/json");
    EXPECT_EQ(reply.body.substr(0, 10), "{\"error\":\"");
    EXPECT_TRUE(refused.IsClosedByPeer());
    Client control(server.address());
    ASSERT_TRUE(control.Send(c.control));
    EXPECT_EQ(control.Receive().status, 200);
  }
  EXPECT_EQ(server.server().counters().refused, FramingCases().size());
}

TEST(HttpServer, NothingAfterARefusalIsRead) {
  TestServer server;
  Client client(server.address());
  client.Send("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: xchunked\r\n\r\n" + kGet);
  EXPECT_EQ(client.Receive().status, 501);
  EXPECT_TRUE(client.IsClosedByPeer()) << "the smuggled request got an answer";
  EXPECT_EQ(server.server().counters().requests, 0u);
}

TEST(HttpServer, PipelinedRequestsAreAnsweredInOrder) {
  TestServer server;
  Client client(server.address());
  std::string all;
  for (int i = 0; i < 300; ++i) {
    std::string body(static_cast<size_t>(i), 'x');
    all += i % 2 == 0 ? "GET /" + std::to_string(i) + " HTTP/1.1\r\nHost: h\r\n\r\n"
                      : "POST /" + std::to_string(i) +
                            " HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(i) +
                            "\r\n\r\n" + body;
  }
  ASSERT_TRUE(client.Send(all));
  for (int i = 0; i < 300; ++i) {
    Reply reply = client.Receive();
    ASSERT_EQ(reply.status, 200) << i;
    EXPECT_EQ(reply.body.substr(0, reply.body.find('?')),
              (i % 2 == 0 ? "GET /" : "POST /") + std::to_string(i));
  }
}

TEST(HttpServer, RequestsMayArriveByteByByte) {
  TestServer server;
  Client client(server.address());
  for (char c : std::string("POST /s HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nok")) {
    ASSERT_TRUE(client.Send({&c, 1}));
  }
  EXPECT_EQ(client.Receive().body, "POST /s? ok");
}

TEST(HttpServer, HeadIsGetWithoutABody) {
  TestServer server;
  Client client(server.address());
  ASSERT_TRUE(client.Send(kGet));
  Reply get = client.Receive();
  ASSERT_TRUE(client.Send("HEAD /a?b HTTP/1.1\r\nHost: h\r\n\r\n"));
  Reply head = client.Receive(/*head_only=*/true);
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.headers["content-length"], get.headers["content-length"]);
  EXPECT_EQ(head.headers["content-type"], get.headers["content-type"]);
  ASSERT_TRUE(client.Send(kGet));
  EXPECT_EQ(client.Receive().body, get.body) << "a body followed the HEAD";
}

TEST(HttpServer, OldClientsAreClosedUnlessTheyAsk) {
  TestServer server;
  Client closing(server.address());
  ASSERT_TRUE(closing.Send("GET / HTTP/1.0\r\n\r\n"));
  EXPECT_EQ(closing.Receive().headers["connection"], "close");
  EXPECT_TRUE(closing.IsClosedByPeer());
  Client keeping(server.address());
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(keeping.Send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
    EXPECT_EQ(keeping.Receive().headers["connection"], "keep-alive");
  }
}

TEST(HttpServer, CloseIsHonoured) {
  TestServer server;
  Client asks(server.address());
  ASSERT_TRUE(asks.Send("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n" + kGet));
  EXPECT_EQ(asks.Receive().headers["connection"], "close");
  EXPECT_TRUE(asks.IsClosedByPeer());
  Client told(server.address());
  ASSERT_TRUE(told.Send("GET /close HTTP/1.1\r\nHost: h\r\n\r\n"));
  EXPECT_EQ(told.Receive().headers["connection"], "close");
  EXPECT_TRUE(told.IsClosedByPeer());
}

TEST(HttpServer, ExpectContinue) {
  TestServer server;
  Client client(server.address());
  ASSERT_TRUE(client.Send(
      "POST /e HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"));
  EXPECT_EQ(client.Receive().status, 100);
  ASSERT_TRUE(client.Send("ok"));
  EXPECT_EQ(client.Receive().body, "POST /e? ok");
  // A body refused by its length is refused instead of asked for.
  ASSERT_TRUE(client.Send(
      "POST /e HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 999999\r\n\r\n"));
  EXPECT_EQ(client.Receive().status, 413);
  EXPECT_TRUE(client.IsClosedByPeer());
}

TEST(HttpServer, AThrowingHandlerCostsOneConnection) {
  TestServer server;
  Client client(server.address());
  ASSERT_TRUE(client.Send("GET /throw HTTP/1.1\r\nHost: h\r\n\r\n"));
  Reply reply = client.Receive();
  EXPECT_EQ(reply.status, 500);
  EXPECT_EQ(reply.body.find("planted"), std::string::npos);
  EXPECT_TRUE(client.IsClosedByPeer());
  Client control(server.address());
  ASSERT_TRUE(control.Send(kGet));
  EXPECT_EQ(control.Receive().status, 200);
  EXPECT_EQ(server.server().counters().handler_failures, 1u);
}

TEST(HttpServer, HalfClosedClientsGetTheirAnswers) {
  TestServer server;
  Client client(server.address());
  ASSERT_TRUE(client.Send(kGet + kGet));
  client.EndSending();
  EXPECT_EQ(client.Receive().status, 200);
  EXPECT_EQ(client.Receive().status, 200);
  EXPECT_TRUE(client.IsClosedByPeer());
  for (const char* half :
       {"GET / HT", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nhalf",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel"}) {
    Client broken(server.address());
    ASSERT_TRUE(broken.Send(half));
    broken.EndSending();
    EXPECT_EQ(broken.Receive().status, 400) << half;
    EXPECT_TRUE(broken.IsClosedByPeer());
  }
  Client silent(server.address());
  silent.EndSending();
  EXPECT_TRUE(silent.IsClosedByPeer());
}

TEST(HttpServer, AResetHurtsNobodyElse) {
  TestServer server;
  for (int i = 0; i < 20; ++i) {
    Client client(server.address());
    client.Send(i % 2 == 0 ? "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nhalf"
                           : kGet + kGet + "GET");
    client.Reset();
  }
  Client control(server.address());
  ASSERT_TRUE(control.Send(kGet));
  EXPECT_EQ(control.Receive().status, 200);
}

TEST(HttpServer, SlowHeadIsDropped) {
  TestServer server(Short(&HttpLimits::head_deadline));
  Client slow(server.address());
  ASSERT_TRUE(slow.Send("GET / HTTP/1.1\r\nHost:"));
  EXPECT_EQ(slow.Receive().status, 408);
  EXPECT_TRUE(slow.IsClosedByPeer());
  Client silent(server.address());
  EXPECT_TRUE(silent.IsClosedByPeer()) << "says nothing, hears nothing";
  Client control(server.address());
  ASSERT_TRUE(control.Send(kGet));
  EXPECT_EQ(control.Receive().status, 200);
  EXPECT_EQ(server.server().counters().timed_out, 1u);
}

TEST(HttpServer, DrippingDoesNotExtendTheDeadline) {
  TestServer server(Short(&HttpLimits::head_deadline));
  Client slow(server.address());
  ASSERT_TRUE(slow.Send("GET / HTTP/1.1\r\nHost: h\r\nX: "));
  // Each byte is a sign of life; the connection must end all the same. Sending fails once it has.
  int sent = 0;
  while (!slow.HasInput(milliseconds(10)) && slow.Send("a")) ++sent;
  EXPECT_GT(sent, 1);
  EXPECT_EQ(slow.Receive().status, 408);
  EXPECT_TRUE(slow.IsClosedByPeer());
}

// What the server itself says to a request names it, as soon as its id has come in a whole line.
TEST(HttpServer, RefusalsCarryTheRequestsId) {
  HttpLimits limits;
  limits.max_body_bytes = 1024;
  limits.max_head_bytes = 4096;
  limits.max_target_bytes = 256;
  TestServer server(limits);
  const std::string id = "X-Request-ID: r-1\r\n";
  struct {
    std::string bytes;
    int status;
    std::string id;  // expected back
  } const cases[] = {
      {"POST / HTTP/1.1\r\nHost: h\r\nx-request-id: r-1\r\nContent-Length: 4000\r\n\r\n", 413,
       "r-1"},
      {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4000\r\n" + id + "\r\n", 413, "r-1"},
      {"POST / HTTP/1.1\r\nHost: h\r\n" + id + "Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400,
       "r-1"},
      {"GET / HTTP/1.1\r\nHost: h\r\n" + id + "X: " + std::string(5000, 'x'), 431, "r-1"},
      {"GET / HTTP/1.1\r\n" + id + "Host: h\r\nHost: h\r\n\r\n", 400, "r-1"},
      {"GET / HTTP/1.1\r\n" + id + " folded\r\n\r\n", 400, "r-1"},
      {"GET / HTTP/1.1\r\nHost: h\r\n" + id + "Expect: more\r\n\r\n", 417, "r-1"},
      {"GET /throw HTTP/1.1\r\nHost: h\r\n" + id + "\r\n", 500, "r-1"},
      {"GET / HTTP/1.1\r\nHost: h\r\n" + id + id + "Expect: more\r\n\r\n", 417, ""},
      {"GET / HTTP/1.1\r\nHost: h\r\nX-Request-ID: a\tb\r\nExpect: more\r\n\r\n", 417, ""},
      {"GET / HTTP/1.1\r\nHost: h\r\nX-Request-ID: " + std::string(1025, 'x') +
           "\r\nExpect: more\r\n\r\n",
       417, ""},
      {"GET / HTTP/1.1\r\nX : y\r\n" + id + "Host: h\r\n\r\n", 400, ""},  // not read so far
      {"GET /" + std::string(300, 'x') + " HTTP/1.1\r\n" + id + "Host: h\r\n\r\n", 414, ""},
  };
  for (const auto& c : cases) {
    Client client(server.address());
    ASSERT_TRUE(client.Send(kGet + c.bytes));
    EXPECT_EQ(client.Receive().headers.count("x-request-id"), 0u) << "of the request before";
    Reply reply = client.Receive();
    EXPECT_EQ(reply.status, c.status) << c.bytes;
    EXPECT_EQ(reply.headers["x-request-id"], c.id) << c.bytes;
  }
  for (const std::string& rest : {std::string(), std::string("Content-Length: 5\r\n\r\nhe")}) {
    Client client(server.address());
    ASSERT_TRUE(client.Send("POST / HTTP/1.1\r\nHost: h\r\n" + id + rest));
    client.EndSending();
    Reply reply = client.Receive();
    EXPECT_EQ(reply.status, 400) << rest;
    EXPECT_EQ(reply.headers["x-request-id"], "r-1") << rest;
  }
}

TEST(HttpServer, SlowBodyIsDropped) {
  TestServer server(Short(&HttpLimits::body_deadline));
  for (const char* slow_body :
       {"Content-Length: 5\r\n\r\nhe", "Transfer-Encoding: chunked\r\n\r\n5\r\nhe"}) {
    Client slow(server.address());
    ASSERT_TRUE(
        slow.Send(std::string("POST / HTTP/1.1\r\nHost: h\r\nX-Request-ID: slow\r\n") + slow_body));
    Reply reply = slow.Receive();
    EXPECT_EQ(reply.status, 408) << slow_body;
    EXPECT_EQ(reply.headers["x-request-id"], "slow") << slow_body;
    EXPECT_TRUE(slow.IsClosedByPeer());
  }
  Client control(server.address());
  ASSERT_TRUE(control.Send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello"));
  EXPECT_EQ(control.Receive().status, 200);
}

TEST(HttpServer, LargeAnswersArriveWhole) {
  TestServer server;
  Client client(server.address());
  const std::string large = "GET /large HTTP/1.1\r\nHost: h\r\n\r\n";
  ASSERT_TRUE(client.Send(large + large));
  EXPECT_EQ(client.Receive().body, std::string(1 << 20, 'x'));
  EXPECT_EQ(client.Receive().body, std::string(1 << 20, 'x'));
}

TEST(HttpServer, IdleConnectionsAreClosedWithoutAWord) {
  TestServer server(Short(&HttpLimits::idle_deadline));
  Client client(server.address());
  ASSERT_TRUE(client.Send(kGet));
  EXPECT_EQ(client.Receive().status, 200);
  EXPECT_TRUE(client.IsClosedByPeer());
  EXPECT_EQ(server.server().counters().timed_out, 0u);
}

TEST(HttpServer, AClientThatDoesNotReadIsDropped) {
  TestServer server(Short(&HttpLimits::write_deadline));
  Client deaf(server.address());
  // More answers than any socket buffer holds; the server must give up on sending them.
  const std::string large = "GET /large HTTP/1.1\r\nHost: h\r\n\r\n";
  std::string many;
  for (int i = 0; i < 200; ++i) many += large;
  deaf.Send(many);
  while (server.server().counters().timed_out == 0) std::this_thread::yield();
  Client control(server.address());
  ASSERT_TRUE(control.Send(kGet));
  EXPECT_EQ(control.Receive().status, 200);
}

TEST(HttpServer, ConnectionsBeyondTheLimitAreShed) {
  HttpLimits limits;
  limits.max_connections = 2;
  TestServer server(limits);
  Client first(server.address());
  Client second(server.address());
  ASSERT_TRUE(first.Send(kGet));
  ASSERT_TRUE(second.Send(kGet));
  EXPECT_EQ(first.Receive().status, 200);
  EXPECT_EQ(second.Receive().status, 200);
  Client third(server.address());
  Reply shed = third.Receive();
  EXPECT_EQ(shed.status, 503);
  EXPECT_EQ(shed.body, "{\"error\":\"too many connections\"}");
  EXPECT_EQ(shed.headers["retry-after"], "1");
  EXPECT_TRUE(third.IsClosedByPeer());
  ASSERT_TRUE(first.Send(kGet));
  EXPECT_EQ(first.Receive().status, 200);
  EXPECT_EQ(server.server().counters().connections_shed, 1u);
  // A place that becomes free is given again.
  second.Reset();
  while (server.server().counters().connections_open > 1) std::this_thread::yield();
  Client fourth(server.address());
  ASSERT_TRUE(fourth.Send(kGet));
  EXPECT_EQ(fourth.Receive().status, 200);
}

TEST(HttpServer, SeveralThreadsShareAPort) {
  TestServer server({}, 3);
  for (int i = 0; i < 50; ++i) {
    Client client(server.address());
    ASSERT_TRUE(client.Send(kGet));
    ASSERT_EQ(client.Receive().status, 200) << i;
  }
  EXPECT_EQ(server.server().counters().requests, 50u);
}

TEST(HttpServer, Ipv6) {
  TestServer server({}, 1, "[::1]:0");
  Client client(server.address());
  if (!client.connected()) GTEST_FAIL() << "no IPv6 loopback";
  ASSERT_TRUE(client.Send("GET /peer HTTP/1.1\r\nHost: [::1]\r\n\r\n"));
  EXPECT_NE(client.Receive().body.find("[::1]:"), std::string::npos);
}

TEST(HttpServer, UnixSocket) {
  const std::string path =
      std::filesystem::temp_directory_path() / ("dpl-http-" + std::to_string(getpid()));
  {
    TestServer server({}, 2, "unix:" + path);
    struct stat info;
    ASSERT_EQ(stat(path.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0660u);
    for (int i = 0; i < 10; ++i) {
      Client client(server.address());
      ASSERT_TRUE(client.Send("GET /peer HTTP/1.1\r\nHost: localhost\r\n\r\n"));
      EXPECT_NE(client.Receive().body.find("unix:uid=" + std::to_string(getuid())),
                std::string::npos);
    }
    // A live socket is not taken over.
    HttpServer second({}, [](const HttpRequest&, HttpResponse*) {});
    EXPECT_FALSE(second.Listen(ListenAddress::Parse("unix:" + path).value()).ok());
  }
  EXPECT_FALSE(std::filesystem::exists(path)) << "the socket file stayed behind";
}

TEST(HttpServer, StaleSocketFilesAreReplacedOthersAreNot) {
  const std::string path =
      std::filesystem::temp_directory_path() / ("dpl-http-stale-" + std::to_string(getpid()));
  std::ofstream(path) << "precious";
  HttpServer refused({}, [](const HttpRequest&, HttpResponse*) {});
  EXPECT_FALSE(refused.Listen(ListenAddress::Parse("unix:" + path).value()).ok());
  EXPECT_TRUE(std::filesystem::is_regular_file(path));
  std::filesystem::remove(path);
}

TEST(HttpServer, ATakenPortIsAnError) {
  TestServer server;
  HttpServer second({}, [](const HttpRequest&, HttpResponse*) {});
  Status status = second.Listen(ListenAddress::Parse(server.address()).value());
  ASSERT_FALSE(status.ok());
  EXPECT_NE(status.error().message.find(server.address()), std::string::npos);
}

TEST(HttpServer, DrainFinishesWhatIsUnderWay) {
  TestServer server;
  Client idle(server.address());
  Client busy(server.address());
  ASSERT_TRUE(idle.Send(kGet));
  EXPECT_EQ(idle.Receive().status, 200);
  ASSERT_TRUE(busy.Send(
      "POST /b HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n"));
  EXPECT_EQ(busy.Receive().status, 100);  // the server is now inside this request
  server.server().Stop();
  EXPECT_TRUE(idle.IsClosedByPeer());
  Client late(server.address());
  EXPECT_FALSE(late.connected() && late.Send(kGet) && late.Receive().status == 200);
  ASSERT_TRUE(busy.Send("done"));
  Reply reply = busy.Receive();
  EXPECT_EQ(reply.body, "POST /b? done");
  EXPECT_EQ(reply.headers["connection"], "close");
  EXPECT_TRUE(busy.IsClosedByPeer());
  server.StopAndJoin();
  EXPECT_EQ(server.server().counters().connections_open, 0u);
}

TEST(HttpServer, DrainHasADeadline) {
  TestServer server(Short(&HttpLimits::drain_deadline));
  Client stuck(server.address());
  ASSERT_TRUE(stuck.Send(
      "POST /b HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n"));
  EXPECT_EQ(stuck.Receive().status, 100);
  server.StopAndJoin();
  EXPECT_TRUE(stuck.IsClosedByPeer());
}

// ---------------------------------------------------------------- answers that wait

TEST(HttpServer, StopBeforeRun) {
  HttpServer server({}, [](const HttpRequest&, HttpResponse*) {});
  ASSERT_TRUE(server.Listen(ListenAddress::Parse("127.0.0.1:0").value()).ok());
  server.Stop();
  EXPECT_TRUE(server.Run(2).ok());
}

}  // namespace
}  // namespace dpl
