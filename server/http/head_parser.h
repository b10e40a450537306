// Reads the head of one HTTP/1.1 request, line by line as bytes arrive, and refuses whatever could
// be read in two ways.
//
//   HeadParser parser(limits);
//   while (parser.Advance(bytes_so_far) == HeadParser::Progress::kMore) … receive more …
//
// Stricter than RFC 9112 asks where leniency has fed request smuggling: lines end in CR LF, folded
// lines, blanks before the colon, repeated or listed Content-Length, Content-Length beside
// Transfer-Encoding, any transfer coding but the lone word `chunked`, chunked in HTTP/1.0, a
// missing, repeated or malformed Host are all refused. A refusal ends the connection. The one
// leniency: a single empty line before the request line.
//
// It keeps offsets, not pointers, so the buffer may move between calls. No allocation after the
// header table has grown.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "server/http/limits.h"
#include "server/http/refusal.h"

namespace dpl::http {

struct Slice {
  uint32_t offset = 0;
  uint32_t size = 0;
  std::string_view In(std::string_view buffer) const { return buffer.substr(offset, size); }
};

struct HeaderSlices {
  Slice name;
  Slice value;
};

struct RequestHead {
  Slice method;
  Slice path;
  Slice query;
  std::vector<HeaderSlices> headers;
  uint64_t content_length = 0;
  size_t body_bytes = 0;  // the most that its body may have, decoded
  bool chunked = false;
  bool http10 = false;
  bool keep_alive = true;
  bool expects_continue = false;
  bool is_head = false;  // the method is HEAD
};

class HeadParser {
 public:
  explicit HeadParser(const HttpLimits& limits) : limits_(&limits) { head_.headers.reserve(16); }

  enum class Progress { kMore, kDone, kRefused };

  void Reset();
  // `buffer` is all that has been received since the request began; each call gets at least the
  // bytes of the last.
  Progress Advance(std::string_view buffer);

  // After kDone: the head, and its size in bytes, the empty line included.
  const RequestHead& head() const { return head_; }
  size_t size() const { return line_start_; }
  // After kRefused.
  const Refusal& refusal() const { return refusal_; }

 private:
  Refusal RequestLine(std::string_view buffer, std::string_view line);
  Refusal Target(std::string_view buffer, std::string_view target);
  Refusal HeaderLine(std::string_view buffer, std::string_view line);
  Refusal Finish(std::string_view buffer);

  const HttpLimits* limits_;
  RequestHead head_;
  Refusal refusal_;
  size_t line_start_ = 0;  // where the line being read begins
  size_t scanned_ = 0;     // no line end before this
  bool have_request_line_ = false;
  bool skipped_empty_line_ = false;
  Slice authority_;  // of a target in absolute form
};

// One header or trailer line without its CR LF, taken apart; a refusal when it is malformed.
Refusal SplitHeaderLine(std::string_view line, std::string_view* name, std::string_view* value);

// True for `host`, `host:port`, `[v6]`, `[v6]:port`; the host must not be empty.
bool IsValidHost(std::string_view text);

}  // namespace dpl::http
