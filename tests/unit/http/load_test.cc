// Calm under load: bounds on connections, on connections of one client and on memory; whoever waits
// in vain makes room; and whatever is thrown at it in whatever pieces, the good are served.
#include <memory>
#include <vector>

#include <gtest/gtest.h>
#include <unistd.h>

#include "tests/support/rng.h"
#include "tests/unit/http/client.h"

namespace dpl {
namespace {

using gen::Rng;

const std::string kGet = "GET /a HTTP/1.1\r\nHost: h\r\n\r\n";
const std::string kPartBody(5000, 'p');  // needs 8 KiB, of which 4 are free
const std::string kPart = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5016\r\n\r\n" + kPartBody;

TEST(HttpLoad, ConnectionsOfOneClientAreBounded) {
  HttpLimits limits;
  limits.max_connections_per_client = 2;
  TestServer server(limits, 2);
  auto first = std::make_unique<Client>(server.address());
  ASSERT_TRUE(first->Send(kGet));
  EXPECT_EQ(first->Receive().status, 200);
  Client second(server.address());
  ASSERT_TRUE(second.Send(kGet));
  EXPECT_EQ(second.Receive().status, 200);
  Client third(server.address());
  Reply shed = third.Receive();
  EXPECT_EQ(shed.status, 503);
  EXPECT_EQ(shed.headers["retry-after"], "1");
  EXPECT_EQ(shed.body, "{\"error\":\"too many connections of this client\"}");
  EXPECT_TRUE(third.IsClosedByPeer());
  // Another address of this machine is another client.
  Client other(server.address(), "127.0.0.2");
  ASSERT_TRUE(other.Send(kGet));
  EXPECT_EQ(other.Receive().status, 200);
  first.reset();
  while (server.server().counters().connections_open > 2) std::this_thread::yield();
  Client fourth(server.address());
  ASSERT_TRUE(fourth.Send(kGet));
  EXPECT_EQ(fourth.Receive().status, 200);
}

TEST(HttpLoad, ConnectionsOfOneUserAreBounded) {
  HttpLimits limits;
  limits.max_connections_per_client = 1;
  const std::string path = "/tmp/dpl-load-" + std::to_string(getpid()) + ".sock";
  TestServer server(limits, 2, "unix:" + path);
  Client first(server.address());
  ASSERT_TRUE(first.Send(kGet));
  EXPECT_EQ(first.Receive().status, 200);
  Client second(server.address());
  EXPECT_EQ(second.Receive().status, 503);
  ASSERT_TRUE(first.Send(kGet));
  EXPECT_EQ(first.Receive().status, 200);
}

TEST(HttpLoad, WhoeverWaitsInVainMakesRoom) {
  HttpLimits limits;
  limits.max_connections = 3;
  TestServer server(limits);
  Client good(server.address());
  ASSERT_TRUE(good.Send(kGet));
  EXPECT_EQ(good.Receive().status, 200);
  Client silent(server.address()), slow(server.address());
  ASSERT_TRUE(slow.Send(kPart));
  // A newcomer is told to come again until one of the two has had its moment.
  for (int served = 0; served < 2;) {
    Client newcomer(server.address());
    newcomer.Send(kGet);
    const int status = newcomer.Receive().status;
    EXPECT_TRUE(status == 200 || status == 503) << status;
    if (status == 200) ++served;
    // The working connection stays.
    ASSERT_TRUE(good.Send(kGet));
    ASSERT_EQ(good.Receive().status, 200);
  }
  EXPECT_GE(server.server().counters().connections_evicted, 1u);
}

TEST(HttpLoad, MemoryForWhatComesInPiecesIsBounded) {
  HttpLimits limits;
  limits.max_buffered_bytes = 64 * 1024;
  TestServer server(limits);
  {
    std::vector<std::unique_ptr<Client>> slow;
    for (int i = 0; i < 16; ++i) {
      slow.push_back(std::make_unique<Client>(server.address()));
      ASSERT_TRUE(slow.back()->Send(kPart));
    }
    while (server.server().counters().buffered_bytes < 64 * 1024) std::this_thread::yield();
    Client over(server.address());
    ASSERT_TRUE(over.Send(kPart));
    Reply reply = over.Receive();
    EXPECT_EQ(reply.status, 503);
    EXPECT_EQ(reply.headers["retry-after"], "1");
    EXPECT_EQ(reply.headers["connection"], "close");
    EXPECT_TRUE(over.IsClosedByPeer());
    // One of those that have memory wants more than there is.
    ASSERT_TRUE(slow[0]->Send(std::string(16, 'x') +
                              "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 60000\r\n\r\n" +
                              std::string(9000, 'y')));
    EXPECT_EQ(slow[0]->Receive().body, "POST /? " + kPartBody + std::string(16, 'x'));
    EXPECT_EQ(slow[0]->Receive().status, 503);
    // What comes whole needs none of it, nor does a small request in two pieces.
    Client good(server.address());
    ASSERT_TRUE(good.Send("POST /split HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\n"));
    ASSERT_TRUE(good.Send("body"));
    EXPECT_EQ(good.Receive().body, "POST /split? body");
    for (int i = 0; i < 10; ++i) {
      ASSERT_TRUE(good.Send(kGet + kGet));
      EXPECT_EQ(good.Receive().status, 200);
      EXPECT_EQ(good.Receive().status, 200);
    }
    EXPECT_EQ(server.server().counters().overloaded, 2u);
    EXPECT_LE(server.server().counters().buffered_bytes, 64u * 1024);
    // And those that were there first are served when they go on.
    ASSERT_TRUE(slow[1]->Send(std::string(16, 'z')));
    EXPECT_EQ(slow[1]->Receive().body, "POST /? " + kPartBody + std::string(16, 'z'));
  }
  while (server.server().counters().connections_open != 0) std::this_thread::yield();
  EXPECT_EQ(server.server().counters().buffered_bytes, 0u) << "all of it is given back";
}

TEST(HttpLoad, AnswersNotTakenCountAndEndWithTheirConnection) {
  HttpLimits limits;
  limits.max_buffered_bytes = 4 << 20;
  TestServer server(limits);
  const std::string large = "GET /large HTTP/1.1\r\nHost: h\r\n\r\n";
  std::vector<std::unique_ptr<Client>> deaf;
  for (int i = 0; i < 12; ++i) {
    deaf.push_back(std::make_unique<Client>(server.address()));
    std::string many;
    for (int k = 0; k < 16; ++k) many += large;
    deaf.back()->Send(many);
  }
  while (server.server().counters().overloaded == 0) std::this_thread::yield();
  EXPECT_LE(server.server().counters().buffered_bytes, uint64_t{4} << 20);
  Client good(server.address());
  ASSERT_TRUE(good.Send(kGet));
  EXPECT_EQ(good.Receive().status, 200);
  deaf.clear();
  while (server.server().counters().connections_open > 1) std::this_thread::yield();
  EXPECT_EQ(server.server().counters().buffered_bytes, 0u);
}

// Requests of every kind, cut anywhere, on many connections at once, between clients that leave in
// the middle: each answer belongs to its request.
TEST(HttpLoad, RandomPiecesAndLeavers) {
  HttpLimits limits;
  TestServer server(limits, 2);
  auto client = [&](uint64_t seed) {
    Rng rng(seed);
    for (int connection = 0; connection < 25; ++connection) {
      Client own(server.address());
      ASSERT_TRUE(own.connected());
      std::string bytes;
      std::vector<std::string> wanted;
      for (int i = rng.Between(1, 30); i > 0; --i) {
        const std::string id = "/" + std::to_string(seed) + "-" + std::to_string(rng.Next());
        std::string body(
            static_cast<size_t>(rng.Chance(10) ? rng.Between(0, 60'000) : rng.Between(0, 300)),
            'b');
        if (rng.Chance(30)) {
          bytes += "GET " + id + " HTTP/1.1\r\nHost: h\r\n\r\n";
          body.clear();
          wanted.push_back("GET " + id + "? ");
        } else if (rng.Chance(50)) {
          bytes += "POST " + id +
                   " HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(body.size()) +
                   "\r\n\r\n" + body;
          wanted.push_back("POST " + id + "? " + body);
        } else {
          bytes += "POST " + id + " HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
          for (size_t at = 0; at < body.size();) {
            size_t size =
                std::min<size_t>(body.size() - at, static_cast<size_t>(rng.Between(1, 5000)));
            char hex[16];
            snprintf(hex, sizeof hex, "%zx\r\n", size);
            bytes += hex + body.substr(at, size) + "\r\n";
            at += size;
          }
          bytes += "0\r\n\r\n";
          wanted.push_back("POST " + id + "? " + body);
        }
      }
      const int leaves = rng.Below(5);  // 0: resets in the middle; 1: half-closes at the end
      size_t end = leaves == 0 ? static_cast<size_t>(rng.Next() % bytes.size()) : bytes.size();
      const int most = rng.Chance(50) ? 20 : 20'000;
      for (size_t at = 0; at < end;) {
        // Single bytes are dear, so only the first few thousand go that way.
        size_t piece = std::min<size_t>(
            end - at,
            static_cast<size_t>(at < 3000 ? rng.Between(1, most) : rng.Between(1, 20'000)));
        if (!own.Send(std::string_view(bytes).substr(at, piece))) break;
        at += piece;
      }
      if (leaves == 0) {
        own.Reset();
        continue;
      }
      if (leaves == 1) own.EndSending();
      for (const std::string& body : wanted) ASSERT_EQ(own.Receive().body, body);
      if (leaves == 1) {
        EXPECT_TRUE(own.IsClosedByPeer());
      }
    }
  };
  std::vector<std::thread> threads;
  for (uint64_t seed = 1; seed <= 4; ++seed) threads.emplace_back(client, seed);
  for (std::thread& thread : threads) thread.join();
  while (server.server().counters().connections_open != 0) std::this_thread::yield();
  EXPECT_EQ(server.server().counters().buffered_bytes, 0u);
  EXPECT_EQ(server.server().counters().handler_failures, 0u);
}

}  // namespace
}  // namespace dpl
