// The buffer and the framing of one connection's requests.
#include "server/http/request_reader.h"

#include <algorithm>
#include <cstring>

namespace dpl::http {
namespace {

constexpr size_t kInitialBytes = 4096;
constexpr size_t kKeptBytes = 16 * 1024;  // a larger buffer is given back once it is empty
constexpr size_t kLeastSpace = 1024;      // worth a receive

}  // namespace

RequestReader::RequestReader(const HttpLimits& limits)
    : limits_(&limits), parser_(limits), chunks_(limits) {
  request_.headers.reserve(16);
}

std::span<char> RequestReader::Space() {
  if (!data_) {
    capacity_ = kInitialBytes;
    data_ = std::make_unique_for_overwrite<char[]>(capacity_);
  }
  if (capacity_ - end_ < kLeastSpace && base_ > 0) {
    std::memmove(data_.get(), data_.get() + base_, end_ - base_);
    end_ -= base_;
    base_ = 0;
  }
  if (capacity_ - end_ < kLeastSpace) {
    auto larger = std::make_unique_for_overwrite<char[]>(capacity_ * 2);
    std::memcpy(larger.get(), data_.get(), end_);
    data_ = std::move(larger);
    capacity_ *= 2;
  }
  return {data_.get() + end_, capacity_ - end_};
}

RequestReader::State RequestReader::Next() {
  if (state_ == State::kReady || state_ == State::kRefused) return state_;
  if (state_ == State::kBody) return ReadBody();
  if (base_ == end_) return state_ = State::kEmpty;
  switch (parser_.Advance({data_.get() + base_, end_ - base_})) {
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
  char* data = data_.get() + base_;
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
  std::string_view buffer(data_.get() + base_, end_ - base_);
  request_.method = head.is_head ? std::string_view("GET") : head.method.In(buffer);
  request_.path = head.path.In(buffer);
  request_.query = head.query.In(buffer);
  request_.body = buffer.substr(body_begin_, body_end_ - body_begin_);
  request_.headers.clear();
  for (const HeaderSlices& header : head.headers) {
    request_.headers.push_back({header.name.In(buffer), header.value.In(buffer)});
  }
}

void RequestReader::Consume() {
  base_ += read_;
  if (base_ == end_) {
    base_ = end_ = 0;
    if (capacity_ > kKeptBytes) {
      data_.reset();
      capacity_ = 0;
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
