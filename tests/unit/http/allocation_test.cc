// A served request takes nothing from the heap once its connection is warm.
#include <atomic>

#include <gtest/gtest.h>

#include "tests/heap/heap_count.h"
#include "tests/unit/http/client.h"

namespace dpl {
namespace {

TEST(HttpServer, AWarmConnectionAllocatesNothing) {
  const std::string answer(600, 'x');
  size_t before = 0;  // the serving thread's
  std::atomic<size_t> allocations{0};
  HttpServer server({}, [&](const HttpRequest& request, HttpResponse* response) {
    if (request.path == "/on") before = HeapAllocationsForTest();
    if (request.path == "/off") allocations = HeapAllocationsForTest() - before;
    response->AddHeader("X-Request-ID", request.Find("x-request-id").value);
    response->body.append(answer);
  });
  ASSERT_TRUE(server.Listen(ListenAddress::Parse("127.0.0.1:0").value()).ok());
  std::thread thread([&] { EXPECT_TRUE(server.Run(1).ok()); });
  {
    Client client(server.BoundAddresses().front());
    const std::string rest =
        " HTTP/1.1\r\nHost: h\r\nX-Request-ID: abcdefghijklmnopqrstuvwxyz\r\nContent-Length: "
        "400\r\n\r\n" +
        std::string(400, 'b');
    auto ask = [&](const char* path, int times) {
      for (int i = 0; i < times; ++i) {
        ASSERT_TRUE(client.Send(std::string("POST ") + path + rest));
        ASSERT_EQ(client.Receive().status, 200);
      }
    };
    ask("/warm", 20);
    ask("/on", 1);
    ask("/counted", 500);
    ask("/off", 1);
  }
  server.Stop();
  thread.join();
  // The sweep of the loop formats a date now and then; it is not a part of any request.
  EXPECT_LE(allocations.load(), 10u) << "in 500 requests";
}

}  // namespace
}  // namespace dpl
