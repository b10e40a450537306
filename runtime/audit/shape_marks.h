// Marks in place of what differs between decisions alike (shape.h): texts, times and numbers that
// nothing else has. Only runtime/audit sees this header.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "runtime/audit/entry_transfer.h"

namespace dpl {

// What the values of an entry are, in their order; and how a record says each.
struct ShapeValue {
  enum class Kind : uint8_t { kText, kKeyed, kTime, kNumber, kAmount, kAfter } kind;
  bool used = false;  // the record says it
  Value amount;       // kAmount: all but its number
  std::string mark;   // as a record says the mark
};

class AuditMarks {
 public:
  AuditMarks(const Schema& schema, std::string_view digest_key, uint64_t nonce, bool charged)
      : schema_(schema), digest_key_(digest_key), nonce_(nonce), charged_(charged) {}

  std::vector<ShapeValue> values;
  bool possible = true;  // false: something here has no mark

  template <class T>
  void Fixed(const T&) {}
  void Name(std::string_view) {}
  void Sum(const AnswerSum&) {}
  void Text(std::string_view& text) { Keyed(text, false); }
  void Keyed(std::string_view& text, bool keyed) {
    if (text.empty()) return;
    text = texts_.emplace_back(NextText());
    ShapeValue& value = Add(keyed ? ShapeValue::Kind::kKeyed : ShapeValue::Kind::kText);
    if (keyed) {
      AppendKeyedDigest(&value.mark, digest_key_, text);
    } else {
      value.mark = text;
    }
  }
  void Time(Instant& time);
  template <class T>
  void Number(T& number, T none) {
    if (number == none) return;
    number = sizeof(T) == 4 ? static_cast<T>(2'000'000'000 + NextNumber() % 1'000'000)
                            : static_cast<T>(NextNumber());
    Add(ShapeValue::Kind::kNumber).mark = std::to_string(number);
  }
  void Amount(Value& value);
  template <class D, class Line>
  void After(const D&, const Line& line) {
    AddAfter(line.used, line.requested);
  }
  void Person(const Entity*& entity, Entity* own) {
    if (entity != nullptr) Text(own->id);
  }

 private:
  ShapeValue& Add(ShapeValue::Kind kind) {
    values.push_back({kind, false, {}, {}});
    return values.back();
  }
  void AddAfter(const Value& used, const Value& requested);
  std::string NextText();
  int64_t NextNumber();

  const Schema& schema_;
  const std::string_view digest_key_;
  const uint64_t nonce_;
  const bool charged_;
  uint64_t count_ = 0;
  std::deque<std::string> texts_;
};

}  // namespace dpl
