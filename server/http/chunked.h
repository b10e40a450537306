// Decodes a chunked body in place, as its bytes arrive.
//
// The decoded bytes are written over the encoded ones, from the start of the body on, so a chunked
// body needs no second buffer. Strict: hex size of at most 8 digits, no blanks, CR LF after every
// line and chunk; extensions are checked for shape, bounded and dropped; trailers are checked as
// headers are, counted with them, and dropped; a trailer that would change framing or Host is
// refused.
#pragma once

#include <cstddef>
#include <cstdint>

#include "server/http/head_parser.h"

namespace dpl::http {

class ChunkDecoder {
 public:
  explicit ChunkDecoder(const HttpLimits& limits) : limits_(&limits) {}

  enum class Progress { kMore, kDone, kRefused };

  // `headers` and `head_bytes` are what the head has used of the limits it shares with trailers;
  // `body_bytes` is the most that the body may have.
  void Reset(size_t headers, size_t head_bytes, size_t body_bytes);

  // Decodes data[*read, end), writing to data[*write…], *write <= *read. Both positions move on.
  Progress Advance(char* data, size_t* read, size_t* write, size_t end);

  const Refusal& refusal() const { return refusal_; }

 private:
  enum class At { kSize, kData, kDataEnd, kTrailer };

  Refusal SizeLine(std::string_view line);
  Refusal TrailerLine(std::string_view line);

  const HttpLimits* limits_;
  At at_ = At::kSize;
  uint64_t left_ = 0;         // bytes of the present chunk still to come
  size_t body_bytes_ = 0;     // the most
  size_t decoded_ = 0;        // bytes of body so far
  size_t extensions_ = 0;     // bytes of chunk extensions so far
  size_t trailer_lines_ = 0;  // with the head's headers
  size_t trailer_bytes_ = 0;  // with the head's bytes
  Refusal refusal_;
};

}  // namespace dpl::http
