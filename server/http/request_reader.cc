// The buffer and the framing of one connection's requests.
#include "server/http/request_reader.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace dpl::http {
namespace {

constexpr size_t kInitialBytes = 4096;
constexpr size_t kKeptBytes = 4096;   // a larger buffer is given back once it is empty
constexpr size_t kLeastSpace = 1024;  // worth a receive

}  // namespace

RequestReader::RequestReader(const HttpLimits& limits)
    : limits_(&limits), parser_(limits), chunks_(limits) {
  request_.headers.reserve(16);
}

size_t RequestReader::NeededCapacity() const {
  if (end_ == base_) return own_capacity_;
  const size_t needed = end_ - base_ + kLeastSpace;
  return needed <= own_capacity_ ? own_capacity_ : std::max(kInitialBytes, std::bit_ceil(needed));
}

// Moves what is unread to the front of memory of its own.
void RequestReader::Grow(size_t capacity) {
  if (capacity > own_capacity_) {
    auto larger = std::make_unique_for_overwrite<char[]>(capacity);
    if (end_ != base_) std::memcpy(larger.get(), data_ + base_, end_ - base_);
    own_ = std::move(larger);
    own_capacity_ = capacity;
  } else if (end_ != base_) {
    std::memmove(own_.get(), data_ + base_, end_ - base_);
  }
  data_ = own_.get();
  capacity_ = own_capacity_;
  end_ -= base_;
  base_ = 0;
}

std::span<char> RequestReader::Space(std::span<char> lent) {
  if (base_ == end_ && !lent.empty()) {
    data_ = lent.data();
    capacity_ = lent.size();
    base_ = end_ = 0;
  } else if (data_ == nullptr || capacity_ - end_ < kLeastSpace) {
    Grow(std::max(kInitialBytes, NeededCapacity()));
  }
  return {data_ + end_, capacity_ - end_};
}

void RequestReader::Keep() {
  if (base_ == end_) {
    base_ = end_ = 0;
    data_ = own_.get();
    capacity_ = own_capacity_;
  } else if (data_ != own_.get()) {
    Grow(NeededCapacity());
  }
}

RequestReader::State RequestReader::Next() {
  if (state_ == State::kReady || state_ == State::kRefused) return state_;
  if (state_ == State::kBody) return ReadBody();
  if (base_ == end_) return state_ = State::kEmpty;
  switch (parser_.Advance({data_ + base_, end_ - base_})) {
    case HeadParser::Progress::kMore:
      return state_ = State::kHead;
    case HeadParser::Progress::kRefused:
      return Refuse(parser_.refusal());
    case HeadParser::Progress::kDone:
      break;
  }
  return BeginBody();
}

RequestReader::State RequestReader::BeginBody() {
  const RequestHead& head = parser_.head();
  body_begin_ = body_end_ = read_ = parser_.size();
  if (head.chunked) chunks_.Reset(head.headers.size(), parser_.size(), head.body_bytes);
  state_ = State::kBody;
  State after = ReadBody();
  // A client that has sent a part of the body already does not wait for leave to send it (RFC
  // 9110, 10.1.1).
  continue_due_ = after == State::kBody && head.expects_continue && end_ - base_ == parser_.size();
  return after;
}

RequestReader::State RequestReader::ReadBody() {
  const RequestHead& head = parser_.head();
  if (!head.chunked) {
    if (end_ - base_ - body_begin_ < head.content_length) return State::kBody;
    body_end_ = read_ = body_begin_ + head.content_length;
    Publish();
    return state_ = State::kReady;
  }
  char* data = data_ + base_;
  switch (chunks_.Advance(data, &read_, &body_end_, end_ - base_)) {
    case ChunkDecoder::Progress::kMore: {
      // Close the gap between the decoded bytes and the encoded rest, so that memory is bounded by
      // the decoded size.
      size_t rest = end_ - base_ - read_;
      std::memmove(data + body_end_, data + read_, rest);
      end_ -= read_ - body_end_;
      read_ = body_end_;
      return State::kBody;
    }
    case ChunkDecoder::Progress::kRefused:
      return Refuse(chunks_.refusal());
    case ChunkDecoder::Progress::kDone:
      break;
  }
  Publish();
  return state_ = State::kReady;
}

void RequestReader::Publish() {
  const RequestHead& head = parser_.head();
  std::string_view buffer(data_ + base_, end_ - base_);
  request_.method = head.is_head ? std::string_view("GET") : head.method.In(buffer);
  request_.head = head.is_head;
  request_.path = head.path.In(buffer);
  request_.query = head.query.In(buffer);
  request_.body = buffer.substr(body_begin_, body_end_ - body_begin_);
  ShowHeaders();
}

void RequestReader::ShowHeaders() {
  std::string_view buffer(data_ + base_, end_ - base_);
  request_.headers.clear();
  for (const HeaderSlices& header : parser_.head().headers) {
    request_.headers.push_back({header.name.In(buffer), header.value.In(buffer)});
  }
}

void RequestReader::Consume() {
  base_ += read_;
  if (base_ == end_) {
    base_ = end_ = 0;
    if (own_capacity_ > kKeptBytes) {
      if (data_ == own_.get()) {
        data_ = nullptr;
        capacity_ = 0;
      }
      own_.reset();
      own_capacity_ = 0;
    }
  }
  parser_.Reset();
  continue_due_ = false;
  state_ = State::kEmpty;
}

bool RequestReader::TakeContinue() {
  bool due = continue_due_;
  continue_due_ = false;
  return due;
}

RequestReader::State RequestReader::Refuse(Refusal why) {
  refusal_ = why;
  return state_ = State::kRefused;
}

}  // namespace dpl::http
