// The neutral tree that every untyped input becomes (JSON requests, fact files) before anything
// knows its types. Plain data in an Arena, immutable once built, valid as long as the arena.
#pragma once

#include <cstdint>
#include <string_view>

namespace dpl {

struct WireMember;

struct WireValue {
  enum class Kind : uint8_t { kNull, kBool, kNumber, kString, kArray, kObject };

  Kind kind = Kind::kNull;
  bool boolean = false;
  uint32_t count = 0;     // of items or members
  std::string_view text;  // string: its bytes, valid UTF-8; number: the exact digits sent
  const WireValue* items = nullptr;     // kArray
  const WireMember* members = nullptr;  // kObject, in the order sent, names all different
  uint32_t line = 0;                    // of the value's first byte, 1-based; 0 when unknown
  uint32_t column = 0;                  // in code points

  bool is_null() const { return kind == Kind::kNull; }
  bool is_bool() const { return kind == Kind::kBool; }
  bool is_number() const { return kind == Kind::kNumber; }
  bool is_string() const { return kind == Kind::kString; }
  bool is_array() const { return kind == Kind::kArray; }
  bool is_object() const { return kind == Kind::kObject; }

  // The member of this name, or nullptr (also when this is no object). Looks through all members.
  const WireValue* Find(std::string_view name) const;
};

struct WireMember {
  std::string_view name;
  WireValue value;
};

inline const WireValue* WireValue::Find(std::string_view name) const {
  for (uint32_t i = 0; kind == Kind::kObject && i < count; ++i) {
    if (members[i].name == name) return &members[i].value;
  }
  return nullptr;
}

// "null", "bool", "number", "string", "array", "object": for messages.
std::string_view WireKindName(WireValue::Kind kind);

}  // namespace dpl
