// From received bytes to whole requests: the buffer of one connection and the framing of what is in
// it.
//
//   RequestReader reader(limits);
//   … receive into reader.Space(), then reader.Received(count) …
//   while (reader.Next() == RequestReader::State::kReady) { Answer(reader.request());
//   reader.Consume(); }
//
// Pipelined requests wait in the buffer. A connection receives into memory that its thread lends to
// whoever has a turn (`Space(lent)`); only what is left of a request that has not come whole is
// moved to memory of its own (`Keep`). That starts small, doubles with what really arrives (a
// Content-Length alone reserves nothing) and is given back when the request is done. No sockets
// here, so tests and fuzzers feed it bytes in whatever pieces they like. After kRefused the reader
// stays refused.
#pragma once

#include <memory>
#include <span>

#include "server/http/chunked.h"
#include "server/http/head_parser.h"
#include "server/http/message.h"

namespace dpl::http {

class RequestReader {
 public:
  explicit RequestReader(const HttpLimits& limits);

  enum class State { kEmpty, kHead, kBody, kReady, kRefused };

  // Where to receive the next bytes; never empty. Views of the present request end here. While
  // nothing is kept that is `lent`, if it is given, and Keep must follow before it is lent to
  // another.
  std::span<char> Space(std::span<char> lent = {});
  void Received(size_t count) { end_ += count; }
  // Of its own memory, what the next Space will need: larger than capacity() when it must grow.
  size_t NeededCapacity() const;
  // Returns what was lent. Not between kReady and Consume.
  void Keep();

  // Reads on as far as the bytes go. kEmpty: not a byte of a request so far.
  State Next();

  // After kReady: the request. Peer fields are the connection's to fill; they survive.
  HttpRequest& request() { return request_; }
  bool keep_alive() const { return parser_.head().keep_alive; }
  bool http10() const { return parser_.head().http10; }
  bool is_head() const { return parser_.head().is_head; }
  // Forgets the request; the next one begins at the byte after it.
  void Consume();

  // After kRefused.
  const Refusal& refusal() const { return refusal_; }
  // After kHead, kBody or kRefused, for an answer to what has not come whole: the header lines that
  // were read stand in request(), and nothing else does. Views until the next Space or Keep.
  void ShowHeaders();

  // After kBody: true once, when the client waits for `100 Continue` before it sends the body.
  bool TakeContinue();

  // Bytes of its own.
  size_t capacity() const { return own_capacity_; }

 private:
  State BeginBody();
  State ReadBody();
  State Refuse(Refusal why);
  void Publish();

  const HttpLimits* limits_;
  HeadParser parser_;
  ChunkDecoder chunks_;
  HttpRequest request_;
  Refusal refusal_;
  State state_ = State::kEmpty;
  void Grow(size_t capacity);

  char* data_ = nullptr;  // its own, or lent
  size_t capacity_ = 0;   // of data_
  std::unique_ptr<char[]> own_;
  size_t own_capacity_ = 0;
  size_t base_ = 0;  // where the present request begins
  size_t end_ = 0;   // end of what was received
  // Relative to base_, so that moving the buffer costs nothing:
  size_t body_begin_ = 0;
  size_t body_end_ = 0;  // end of the decoded body so far
  size_t read_ = 0;  // where what follows the body begins; while decoding, the next encoded byte
  bool continue_due_ = false;
};

}  // namespace dpl::http
