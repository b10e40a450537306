// Writes JSON by appending to a string: commas, colons and escapes are taken care of.
//
//   std::string out;  JsonWriter w(&out);
//   w.BeginObject();  w.Key("decision").Bool(true);  w.Key("ids").BeginArray();
//   w.String("a");  w.EndArray();  w.EndObject();
//
// Allocates nothing but what the string's growth does. Misuse (a value without a key, an unclosed
// object) is our own mistake: checked. At most 64 levels.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace dpl {

struct WireValue;

class JsonWriter {
 public:
  // `indent` > 0 puts every member on its own line with that many spaces per level.
  explicit JsonWriter(std::string* out, int indent = 0) : out_(out), indent_(indent) {}

  JsonWriter& BeginObject();
  JsonWriter& EndObject();
  JsonWriter& BeginArray();
  JsonWriter& EndArray();
  JsonWriter& Key(std::string_view name);

  JsonWriter& String(std::string_view value);
  JsonWriter& Int(int64_t value);
  JsonWriter& Uint(uint64_t value);
  JsonWriter& Bool(bool value);
  JsonWriter& Null();
  JsonWriter& Raw(std::string_view json);    // one complete value, already JSON; not looked at
  JsonWriter& Wire(const WireValue& value);  // as AppendWireText (wire_text.h), on one line

  // Member in one call.
  JsonWriter& Member(std::string_view name, std::string_view value) {
    return Key(name).String(value);
  }
  JsonWriter& Member(std::string_view name, const char* value) { return Key(name).String(value); }

  bool complete() const { return depth_ == 0 && wrote_root_; }
  std::string* out() { return out_; }

 private:
  void BeforeValue();
  void NewLine();
  void Open(char bracket, bool object);
  void Close(char bracket, bool object);

  std::string* out_;
  int indent_;
  uint32_t depth_ = 0;
  uint64_t object_bits_ = 0;    // bit d: level d is an object
  uint64_t nonempty_bits_ = 0;  // bit d: level d has an element
  bool after_key_ = false;
  bool wrote_root_ = false;
};

}  // namespace dpl
