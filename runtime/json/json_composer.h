// Writes JSON straight into memory, for answers that are written a hundred thousand times a second.
//
//   JsonComposer w(&out);
//   w.BeginObject().Key("decision").Bool(true).Member("reason", code).Raw(ready);
//   w.EndObject();
//   w.Finish();                      // only now is `out` as long as what was written
//
// Everything is inline and nothing is checked: keys are our own literals that need no escape, and
// whoever writes takes care that brackets match (JsonWriter checks that, and is for everything
// else). `out` grows as needed; warm, it asks the heap nothing.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "runtime/base/instant.h"
#include "runtime/base/text.h"

namespace dpl {

class JsonComposer {
 public:
  explicit JsonComposer(std::string* out) : out_(out), at_(out->data() + out->size()), end_(at_) {
    Reserve(kFirst);
  }
  JsonComposer(const JsonComposer&) = delete;
  JsonComposer& operator=(const JsonComposer&) = delete;

  ~JsonComposer() {
    if (!finished_) Finish();
  }
  // At the end, or at the latest when the composer goes; nothing may be written afterwards, and the
  // text is its owner's again.
  void Finish() {
    out_->resize(static_cast<size_t>(at_ - out_->data()));
    finished_ = true;
  }

  JsonComposer& BeginObject() { return Open('{'); }
  JsonComposer& BeginArray() { return Open('['); }
  JsonComposer& EndObject() { return Close('}'); }
  JsonComposer& EndArray() { return Close(']'); }

  template <size_t N>
  JsonComposer& Key(const char (&name)[N]) {
    Room(N + 3);
    *at_ = ',';
    char* at = at_ + (comma_ ? 1 : 0);
    *at++ = '"';
    std::memcpy(at, name, N - 1);
    at += N - 1;
    *at++ = '"';
    *at++ = ':';
    at_ = at;
    comma_ = false;
    return *this;
  }
  // The beginning of something, as it is: `"context":{`, `{"person":`.
  template <size_t N>
  JsonComposer& Begin(const char (&json)[N]) {
    Room(N);
    *at_ = ',';
    char* at = at_ + (comma_ ? 1 : 0);
    std::memcpy(at, json, N - 1);
    at_ = at + (N - 1);
    comma_ = false;
    return *this;
  }
  JsonComposer& String(std::string_view value) {
    if (!IsPlainJson(value)) {
      Comma();
      Awkward(value);
      return *this;
    }
    return Plain(value);
  }
  // Of a text of ours that needs no escape.
  JsonComposer& Plain(std::string_view value) {
    Room(value.size() + 3);
    *at_ = ',';
    char* at = at_ + (comma_ ? 1 : 0);
    *at++ = '"';
    std::memcpy(at, value.data(), value.size());
    at += value.size();
    *at++ = '"';
    at_ = at;
    comma_ = true;
    return *this;
  }
  JsonComposer& Int(int64_t value) {
    Comma();
    if (value < 0) Put('-');
    Digits(value < 0 ? 0 - static_cast<uint64_t>(value) : static_cast<uint64_t>(value));
    return *this;
  }
  JsonComposer& Uint(uint64_t value) {
    Comma();
    Digits(value);
    return *this;
  }
  JsonComposer& Bool(bool value) {
    Comma();
    if (value) {
      Bytes("true");
    } else {
      Bytes("false");
    }
    return *this;
  }
  // As FormatInstant writes it.
  JsonComposer& Time(Instant value) {
    Comma();
    Room(kMostInstantBytes + 2);
    *at_ = '"';
    char* at = WriteInstant(at_ + 1, value);
    *at++ = '"';
    at_ = at;
    return *this;
  }
  // A whole value, or whole members of the open object, that are JSON already. Empty: nothing.
  JsonComposer& Raw(std::string_view json) {
    if (json.empty()) return *this;
    Room(json.size() + 1);
    *at_ = ',';
    char* at = at_ + (comma_ ? 1 : 0);
    std::memcpy(at, json.data(), json.size());
    at_ = at + json.size();
    comma_ = true;
    return *this;
  }
  template <size_t N>
  JsonComposer& Member(const char (&name)[N], std::string_view value) {
    return Key(name).String(value);
  }

  // A string in pieces that need no escape: Begin, any of Bytes and Digits, End.
  JsonComposer& BeginString() {
    Comma();
    Put('"');
    return *this;
  }
  JsonComposer& EndString() {
    Put('"');
    return *this;
  }
  void Bytes(std::string_view plain) {
    Room(plain.size());
    std::memcpy(at_, plain.data(), plain.size());
    at_ += plain.size();
  }
  void Digits(uint64_t n) {
    if (n < 10) return Put(static_cast<char>('0' + n));
    char digits[20];
    int at = 20;
    do {
      digits[--at] = static_cast<char>('0' + n % 10);
      n /= 10;
    } while (n != 0);
    Bytes({digits + at, static_cast<size_t>(20 - at)});
  }

 private:
  static constexpr size_t kFirst = 2048;

  void Room(size_t more) {
    if (static_cast<size_t>(end_ - at_) < more) Reserve(more);
  }
  void Reserve(size_t more);
  void Comma() {
    if (comma_) Put(',');
    comma_ = true;
  }
  void Put(char c) {
    Room(1);
    *at_++ = c;
  }
  JsonComposer& Open(char bracket) {
    Comma();
    Put(bracket);
    comma_ = false;
    return *this;
  }
  JsonComposer& Close(char bracket) {
    Put(bracket);
    comma_ = true;
    return *this;
  }
  void Awkward(std::string_view value);

  std::string* out_;
  char *at_, *end_;  // what is written so far ends, and how far out_ reaches meanwhile
  bool comma_ = false, finished_ = false;
};

}  // namespace dpl
