// The reader: refusals, and the same answer however the bytes are split.
#include "server/http/request_reader.h"

#include <algorithm>
#include <cstring>

#include <gtest/gtest.h>

#include "tests/unit/http/framing_cases.h"

namespace dpl {
namespace {

using http::RequestReader;

// Feeds `bytes` in pieces of `piece` and gives the state it settles in: the first kReady or
// kRefused, else the last.
RequestReader::State Feed(RequestReader* reader, std::string_view bytes, size_t piece) {
  RequestReader::State state = reader->Next();
  while (!bytes.empty() && state != RequestReader::State::kReady &&
         state != RequestReader::State::kRefused) {
    std::span<char> space = reader->Space();
    size_t count = std::min({piece, bytes.size(), space.size()});
    std::memcpy(space.data(), bytes.data(), count);
    reader->Received(count);
    bytes.remove_prefix(count);
    state = reader->Next();
  }
  return state;
}

TEST(RequestReader, RefusesWhatIsAmbiguousInEverySplit) {
  HttpLimits limits;
  for (const FramingCase& c : FramingCases()) {
    for (size_t piece : {size_t{1}, size_t{2}, size_t{7}, size_t{1} << 20}) {
      SCOPED_TRACE(std::string(c.name) + " in pieces of " + std::to_string(piece));
      RequestReader refused(limits);
      EXPECT_EQ(Feed(&refused, c.refused, piece), RequestReader::State::kRefused);
      EXPECT_EQ(refused.refusal().status, c.status) << refused.refusal().message;
      RequestReader control(limits);
      EXPECT_EQ(Feed(&control, c.control, piece), RequestReader::State::kReady)
          << control.refusal().message;
    }
  }
}

TEST(RequestReader, TakesTheRequestApart) {
  HttpLimits limits;
  RequestReader reader(limits);
  ASSERT_EQ(Feed(&reader,
                 "POST http://H:1/a/b?c=d?e HTTP/1.1\r\nhost: h:1\r\nX-One: \t 1 2 \r\nx-one: 3\r\n"
                 "Content-Length: 5\r\n\r\nhello",
                 3),
            RequestReader::State::kReady);
  const HttpRequest& request = reader.request();
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.path, "/a/b");
  EXPECT_EQ(request.query, "c=d?e");
  EXPECT_EQ(request.body, "hello");
  EXPECT_EQ(request.Find("X-ONE").value, "1 2");
  EXPECT_EQ(request.Find("X-ONE").count, 2);
  EXPECT_EQ(request.Find("absent").count, 0);
  EXPECT_TRUE(reader.keep_alive());
}

TEST(RequestReader, DecodesChunksInPlace) {
  HttpLimits limits;
  const std::string bytes =
      Post("Transfer-Encoding: chunked\r\n",
           "1\r\na\r\n3;x=y\r\nbcd\r\nA\r\n0123456789\r\n0\r\nX-Trailer: t\r\n\r\n");
  const std::string next = Get("Host: h\r\n", "GET /next HTTP/1.1");
  for (size_t piece = 1; piece < 20; ++piece) {
    RequestReader reader(limits);
    std::string both = bytes + next;
    // The last piece may run into the next request, so hand over all of it by hand.
    std::string_view rest = both;
    RequestReader::State state = reader.Next();
    std::vector<std::string> seen;
    while (true) {
      if (state == RequestReader::State::kReady) {
        seen.push_back(std::string(reader.request().path) + " " +
                       std::string(reader.request().body));
        reader.Consume();
        state = reader.Next();
        continue;
      }
      ASSERT_NE(state, RequestReader::State::kRefused) << reader.refusal().message;
      if (rest.empty()) break;
      std::span<char> space = reader.Space();
      size_t count = std::min({piece, rest.size(), space.size()});
      std::memcpy(space.data(), rest.data(), count);
      reader.Received(count);
      rest.remove_prefix(count);
      state = reader.Next();
    }
    EXPECT_EQ(seen, (std::vector<std::string>{"/ abcd0123456789", "/next "})) << piece;
    EXPECT_EQ(state, RequestReader::State::kEmpty);
  }
}

TEST(RequestReader, MemoryFollowsWhatArrivesNotWhatIsAnnounced) {
  HttpLimits limits;
  RequestReader reader(limits);
  EXPECT_EQ(Feed(&reader, Post("Content-Length: 65536\r\n", "a"), 1 << 20),
            RequestReader::State::kBody);
  EXPECT_LE(reader.capacity(), 4096u);
  // One-byte chunks: six bytes on the wire for each byte kept.
  RequestReader drip(limits);
  EXPECT_EQ(Feed(&drip, Post("Transfer-Encoding: chunked\r\n", ""), 1 << 20),
            RequestReader::State::kBody);
  for (int i = 0; i < 20'000; ++i)
    ASSERT_EQ(Feed(&drip, "1\r\nx\r\n", 6), RequestReader::State::kBody);
  EXPECT_LE(drip.capacity(), 32u * 1024);
  EXPECT_EQ(Feed(&drip, "0\r\n\r\n", 5), RequestReader::State::kReady);
  EXPECT_EQ(drip.request().body.size(), 20'000u);
  drip.Consume();
  EXPECT_EQ(drip.capacity(), 0u) << "a large buffer is given back";
}

TEST(RequestReader, KeepAliveAsTheVersionsSay) {
  HttpLimits limits;
  struct Row {
    std::string bytes;
    bool keep;
  };
  const Row rows[] = {
      {Get("Host: h\r\n"), true},
      {Get("Host: h\r\nConnection: close\r\n"), false},
      {Get("Host: h\r\nConnection: x, CLOSE\r\n"), false},
      {Get("Host: h\r\nConnection: keep-alive, close\r\n"), false},
      {Get("Host: h\r\nConnection: x\r\nConnection: close\r\n"), false},
      {Get("", "GET / HTTP/1.0"), false},
      {Get("Connection: Keep-Alive\r\n", "GET / HTTP/1.0"), true},
  };
  for (const Row& row : rows) {
    RequestReader reader(limits);
    ASSERT_EQ(Feed(&reader, row.bytes, 1 << 20), RequestReader::State::kReady);
    EXPECT_EQ(reader.keep_alive(), row.keep) << row.bytes;
  }
}

TEST(RequestReader, ContinueIsDueOnlyWhileNothingOfTheBodyCame) {
  HttpLimits limits;
  RequestReader waiting(limits);
  EXPECT_EQ(Feed(&waiting, Post("Expect: 100-Continue\r\nContent-Length: 2\r\n", ""), 1),
            RequestReader::State::kBody);
  EXPECT_TRUE(waiting.TakeContinue());
  EXPECT_FALSE(waiting.TakeContinue());
  RequestReader begun(limits);
  EXPECT_EQ(Feed(&begun, Post("Expect: 100-continue\r\nContent-Length: 2\r\n", "a"), 1 << 20),
            RequestReader::State::kBody);
  EXPECT_FALSE(begun.TakeContinue());
  RequestReader old(limits);
  EXPECT_EQ(Feed(&old, Post("Expect: 100-continue\r\nContent-Length: 2\r\n", "", "1.0"), 1),
            RequestReader::State::kBody);
  EXPECT_FALSE(old.TakeContinue()) << "HTTP/1.0 knows no interim response";
}

}  // namespace
}  // namespace dpl
