// Commas, colons and escapes.
#include "runtime/json/json_writer.h"

#include <charconv>

#include "runtime/base/result.h"
#include "runtime/base/text.h"
#include "runtime/json/wire_text.h"

namespace dpl {
namespace {

constexpr uint32_t kMaxDepth = 64;

}  // namespace

void JsonWriter::NewLine() {
  if (indent_ <= 0) return;
  out_->push_back('\n');
  out_->append(depth_ * static_cast<size_t>(indent_), ' ');
}

void JsonWriter::BeforeValue() {
  if (depth_ == 0) {
    DPL_CHECK(!wrote_root_);
    wrote_root_ = true;
    return;
  }
  uint64_t bit = uint64_t{1} << (depth_ - 1);
  if ((object_bits_ & bit) != 0) {
    DPL_CHECK(after_key_);
    after_key_ = false;
    return;
  }
  if ((nonempty_bits_ & bit) != 0) out_->push_back(',');
  nonempty_bits_ |= bit;
  NewLine();
}

void JsonWriter::Open(char bracket, bool object) {
  BeforeValue();
  DPL_CHECK(depth_ < kMaxDepth);
  out_->push_back(bracket);
  uint64_t bit = uint64_t{1} << depth_;
  object_bits_ = object ? object_bits_ | bit : object_bits_ & ~bit;
  nonempty_bits_ &= ~bit;
  ++depth_;
}

void JsonWriter::Close(char bracket, bool object) {
  DPL_CHECK(depth_ > 0 && !after_key_);
  --depth_;
  uint64_t bit = uint64_t{1} << depth_;
  DPL_CHECK(((object_bits_ & bit) != 0) == object);
  if ((nonempty_bits_ & bit) != 0) NewLine();
  out_->push_back(bracket);
}

JsonWriter& JsonWriter::BeginObject() {
  Open('{', true);
  return *this;
}

JsonWriter& JsonWriter::EndObject() {
  Close('}', true);
  return *this;
}

JsonWriter& JsonWriter::BeginArray() {
  Open('[', false);
  return *this;
}

JsonWriter& JsonWriter::EndArray() {
  Close(']', false);
  return *this;
}

JsonWriter& JsonWriter::Key(std::string_view name) {
  DPL_CHECK(depth_ > 0 && !after_key_);
  uint64_t bit = uint64_t{1} << (depth_ - 1);
  DPL_CHECK((object_bits_ & bit) != 0);
  if ((nonempty_bits_ & bit) != 0) out_->push_back(',');
  nonempty_bits_ |= bit;
  NewLine();
  AppendJsonString(out_, name);
  out_->append(indent_ > 0 ? ": " : ":");
  after_key_ = true;
  return *this;
}

JsonWriter& JsonWriter::String(std::string_view value) {
  BeforeValue();
  AppendJsonString(out_, value);
  return *this;
}

JsonWriter& JsonWriter::Int(int64_t value) {
  BeforeValue();
  char text[24];
  auto end = std::to_chars(text, text + sizeof text, value).ptr;
  out_->append(text, static_cast<size_t>(end - text));
  return *this;
}

JsonWriter& JsonWriter::Uint(uint64_t value) {
  BeforeValue();
  char text[24];
  auto end = std::to_chars(text, text + sizeof text, value).ptr;
  out_->append(text, static_cast<size_t>(end - text));
  return *this;
}

JsonWriter& JsonWriter::Bool(bool value) {
  BeforeValue();
  out_->append(value ? "true" : "false");
  return *this;
}

JsonWriter& JsonWriter::Null() {
  BeforeValue();
  out_->append("null");
  return *this;
}

JsonWriter& JsonWriter::Raw(std::string_view json) {
  BeforeValue();
  out_->append(json);
  return *this;
}

JsonWriter& JsonWriter::Wire(const WireValue& value) {
  BeforeValue();
  AppendWireText(out_, value);
  return *this;
}

}  // namespace dpl
