// The strict chunked decoder.
#include "server/http/chunked.h"

#include <algorithm>
#include <cstring>

#include "server/http/characters.h"
#include "server/http/message.h"

namespace dpl::http {
namespace {

constexpr size_t kMaxSizeLine = 256;         // a chunk-size line with its extensions
constexpr size_t kMaxExtensionBytes = 4096;  // of all chunks of one body

// *( ";" token [ "=" ( token / quoted-string ) ] ), without blanks.
bool IsValidExtensions(std::string_view text) {
  size_t i = 0;
  auto token = [&] {
    size_t start = i;
    while (i < text.size() && Is(text[i], kToken)) ++i;
    return i > start;
  };
  while (i < text.size()) {
    if (text[i++] != ';' || !token()) return false;
    if (i >= text.size() || text[i] != '=') continue;
    ++i;
    if (i >= text.size() || text[i] != '"') {
      if (!token()) return false;
      continue;
    }
    for (++i; i < text.size() && text[i] != '"'; ++i) {
      if (text[i] == '\\') ++i;
      if (i >= text.size() || !Is(text[i], kField)) return false;
    }
    if (i++ >= text.size()) return false;
  }
  return true;
}

int HexValue(char c) { return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10; }

}  // namespace

void ChunkDecoder::Reset(size_t headers, size_t head_bytes, size_t body_bytes) {
  body_bytes_ = body_bytes;
  at_ = At::kSize;
  left_ = 0;
  decoded_ = extensions_ = 0;
  trailer_lines_ = headers;
  trailer_bytes_ = head_bytes;
  refusal_ = {};
}

Refusal ChunkDecoder::SizeLine(std::string_view line) {
  size_t digits = 0;
  uint64_t size = 0;
  while (digits < line.size() && Is(line[digits], kHex)) {
    if (digits == 8) return {413, "the body is too large", RefusedFor::kBodySize};
    size = size * 16 + static_cast<uint64_t>(HexValue(line[digits++]));
  }
  if (digits == 0) return {400, "a malformed chunk size", RefusedFor::kChunk};
  if (!IsValidExtensions(line.substr(digits)))
    return {400, "a malformed chunk size", RefusedFor::kChunk};
  extensions_ += line.size() - digits;
  if (extensions_ > kMaxExtensionBytes)
    return {400, "too many chunk extensions", RefusedFor::kChunk};
  if (size > body_bytes_ - decoded_) return {413, "the body is too large", RefusedFor::kBodySize};
  left_ = size;
  decoded_ += size;
  at_ = size == 0 ? At::kTrailer : At::kData;
  return {};
}

Refusal ChunkDecoder::TrailerLine(std::string_view line) {
  trailer_bytes_ += line.size() + 2;
  if (++trailer_lines_ > limits_->max_headers || trailer_bytes_ > limits_->max_head_bytes) {
    return {431, "too many trailers", RefusedFor::kHeadSize};
  }
  std::string_view name;
  std::string_view value;
  if (Refusal why = SplitHeaderLine(line, &name, &value)) return why;
  if (EqualIgnoringCase(name, "Content-Length") || EqualIgnoringCase(name, "Transfer-Encoding") ||
      EqualIgnoringCase(name, "Host")) {
    return {400, "a trailer that may only be a header", RefusedFor::kChunk};
  }
  return {};
}

ChunkDecoder::Progress ChunkDecoder::Advance(char* data, size_t* read, size_t* write, size_t end) {
  auto refuse = [this](Refusal why) {
    refusal_ = why;
    return Progress::kRefused;
  };
  for (;;) {
    if (at_ == At::kData) {
      size_t count = std::min<uint64_t>(left_, end - *read);
      std::memmove(data + *write, data + *read, count);
      *write += count;
      *read += count;
      left_ -= count;
      if (left_ != 0) return Progress::kMore;
      at_ = At::kDataEnd;
    }
    if (at_ == At::kDataEnd) {
      if (end - *read < 2) return Progress::kMore;
      if (data[*read] != '\r' || data[*read + 1] != '\n')
        return refuse({400, "a chunk longer than its size", RefusedFor::kChunk});
      *read += 2;
      at_ = At::kSize;
    }
    const size_t most = at_ == At::kSize ? kMaxSizeLine : limits_->max_head_bytes;
    const char* start = data + *read;
    const void* found = std::memchr(start, '\n', end - *read);
    size_t length =
        found ? static_cast<size_t>(static_cast<const char*>(found) - start) : end - *read;
    if (length > most) {
      return refuse(at_ == At::kSize ? Refusal{400, "a malformed chunk size", RefusedFor::kChunk}
                                     : Refusal{431, "too many trailers", RefusedFor::kHeadSize});
    }
    if (found == nullptr) return Progress::kMore;
    if (length == 0 || start[length - 1] != '\r')
      return refuse({400, "a line that does not end in CR LF", RefusedFor::kLineEnd});
    std::string_view line(start, length - 1);
    *read += length + 1;
    if (at_ == At::kTrailer && line.empty()) return Progress::kDone;
    if (Refusal why = at_ == At::kSize ? SizeLine(line) : TrailerLine(line)) return refuse(why);
  }
}

}  // namespace dpl::http
