// Messages and addresses, without a socket.
#include "server/http/message.h"

#include <gtest/gtest.h>

#include "server/http/address.h"

namespace dpl {
namespace {

TEST(HttpResponse, ErrorEscapesItsMessage) {
  HttpResponse response;
  response.Error(400, "a \"b\"\n\x01");
  EXPECT_EQ(response.status, 400);
  EXPECT_EQ(response.body.front(), '{');
  EXPECT_EQ(response.body.find('\n'), std::string::npos);
  EXPECT_NE(response.body.find("\\\"b\\\""), std::string::npos) << response.body;
}

TEST(HttpResponse, HeadersCannotBreakTheHead) {
  HttpResponse response;
  EXPECT_FALSE(response.AddHeader("X", "a\r\nY: b"));
  EXPECT_FALSE(response.AddHeader("X", "a\nb"));
  EXPECT_FALSE(response.AddHeader("X Y", "a"));
  EXPECT_FALSE(response.AddHeader("", "a"));
  EXPECT_EQ(response.extra_headers(), "");
  EXPECT_TRUE(response.AddHeader("X", "a"));
  EXPECT_EQ(response.extra_headers(), "X: a\r\n");
  response.Reset();
  EXPECT_EQ(response.extra_headers(), "");
}

TEST(ListenAddress, ParsesAndPrints) {
  for (const char* text : {"127.0.0.1:8181", "0.0.0.0:0", "[::1]:443", "unix:/run/dpld.sock"}) {
    Result<ListenAddress> address = ListenAddress::Parse(text);
    ASSERT_TRUE(address.ok()) << text;
    EXPECT_EQ(address->ToString(), text);
  }
  EXPECT_EQ(ListenAddress::Parse("localhost:1")->ToString(), "127.0.0.1:1");
}

TEST(ListenAddress, RefusesTheRest) {
  for (const char* text :
       {"", "8181", ":8181", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:65536", "::1:80",
        "[::1]", "[::g]:80", "example.com:80", "unix:", "1.2.3:4", "127.0.0.1:-1"}) {
    EXPECT_FALSE(ListenAddress::Parse(text).ok()) << text;
  }
  EXPECT_FALSE(ListenAddress::Parse("unix:/" + std::string(120, 'a')).ok());
}

TEST(ListenAddress, KnowsWhatIsLocal) {
  for (const char* text : {"127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "unix:/x", "localhost:1"}) {
    EXPECT_TRUE(ListenAddress::Parse(text)->IsLocal()) << text;
  }
  for (const char* text :
       {"0.0.0.0:1", "10.0.0.1:1", "[::]:1", "[2001:db8::1]:1", "[::ffff:10.0.0.1]:1"}) {
    EXPECT_FALSE(ListenAddress::Parse(text)->IsLocal()) << text;
  }
}

}  // namespace
}  // namespace dpl
