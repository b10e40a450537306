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
  explicit JsonComposer(std::string* out) : out_(out), size_(out->size()) { Reserve(kFirst); }
  JsonComposer(const JsonComposer&) = delete;
  JsonComposer& operator=(const JsonComposer&) = delete;

  ~JsonComposer() {
    if (!finished_) Finish();
  }
  // At the end, or at the latest when the composer goes; nothing may be written afterwards, and the
  // text is its owner's again.
  void Finish() {
    out_->resize(size_);
    finished_ = true;
  }

  JsonComposer& BeginObject() { return Open('{'); }
  JsonComposer& BeginArray() { return Open('['); }
  JsonComposer& EndObject() { return Close('}'); }
  JsonComposer& EndArray() { return Close(']'); }

  template <size_t N>
  JsonComposer& Key(const char (&name)[N]) {
    char* at = Room(N + 4);
    char* const begin = at;
    *at = ',';
    at += comma_ ? 1 : 0;
    *at++ = '"';
    std::memcpy(at, name, N - 1);
    at += N - 1;
    *at++ = '"';
    *at++ = ':';
    size_ += static_cast<size_t>(at - begin);
    comma_ = false;
    return *this;
  }
  JsonComposer& String(std::string_view value) {
    Comma();
    Quoted(value);
    return *this;
  }
  // Of a text of ours that needs no escape.
  JsonComposer& Plain(std::string_view value) {
    char* at = Room(value.size() + 3);
    char* const begin = at;
    *at = ',';
    at += comma_ ? 1 : 0;
    *at++ = '"';
    std::memcpy(at, value.data(), value.size());
    at += value.size();
    *at++ = '"';
    size_ += static_cast<size_t>(at - begin);
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
    Bytes(value ? "true" : "false");
    return *this;
  }
  // As FormatInstant writes it.
  JsonComposer& Time(Instant value) {
    Comma();
    char* at = Room(kMostInstantBytes + 2);
    char* const begin = at;
    *at++ = '"';
    at = WriteInstant(at, value);
    *at++ = '"';
    size_ += static_cast<size_t>(at - begin);
    return *this;
  }
  // A whole value, or whole members of the open object, that are JSON already. Empty: nothing.
  JsonComposer& Raw(std::string_view json) {
    if (json.empty()) return *this;
    char* at = Room(json.size() + 1);
    *at = ',';
    at += comma_ ? 1 : 0;
    std::memcpy(at, json.data(), json.size());
    size_ += json.size() + (comma_ ? 1 : 0);
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
    std::memcpy(Room(plain.size()), plain.data(), plain.size());
    size_ += plain.size();
  }
  void Digits(uint64_t n) {
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

  char* Room(size_t more) {
    if (out_->size() - size_ < more) Reserve(more);
    return out_->data() + size_;
  }
  void Reserve(size_t more);
  void Comma() {
    if (comma_) Put(',');
    comma_ = true;
  }
  void Put(char c) {
    *Room(1) = c;
    ++size_;
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
  void Quoted(std::string_view value) {
    if (!IsPlainJson(value)) return Awkward(value);
    char* at = Room(value.size() + 2);
    *at = '"';
    std::memcpy(at + 1, value.data(), value.size());
    at[value.size() + 1] = '"';
    size_ += value.size() + 2;
  }
  void Awkward(std::string_view value);

  std::string* out_;
  size_t size_;  // written so far; out_ is longer meanwhile
  bool comma_ = false, finished_ = false;
};

}  // namespace dpl
