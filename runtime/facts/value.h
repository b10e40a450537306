// One value as the virtual machine sees it: 16 bytes, tagged, never owning.
//
// Everything a Value points to lives in the Snapshot (facts, linked constants) or in the arena of
// the decision, both of which outlive the evaluation. An error (⊥) is a value: kind kError with the
// ErrorKind in `aux` (semantics: docs/semantics.md).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/base/ip.h"
#include "runtime/bytecode/schema.h"

namespace dpl {

struct Entity;

enum class ValueKind : uint8_t {
  kUnset,  // an attribute slot nobody gave a value; never on the VM's stack
  kError,
  kAbsent,
  kBool,
  kInt,
  kDecimal,
  kMoney,
  kString,
  kDate,
  kDateTime,
  kTime,
  kDuration,
  kEnum,
  kSet,
  kRecord,
  kPath,
  kIp,
  kLabels,
  kPerson,
  kResource,
  kTeam,
  kRole,
  kAgent,
  kTask,
};
enum class ErrorKind : uint8_t {
  kMissing,
  kStale,
  kRange,
  kCurrency,
  kEmpty,
  kContainment,
  kMembership
};
const char* ErrorKindName(ErrorKind kind);  // "missing", "stale", …

enum ValueFlag : uint8_t {  // in `flags`
  kFromRequest = 0x80,      // the caller supplied it
  kEarlierStep = 0x01,  // kError: met before the last step of a path (`is known` then keeps the ⊥)
};

struct Value {
  ValueKind kind = ValueKind::kUnset;
  uint8_t aux = 0;    // kError: ErrorKind
  uint8_t flags = 0;  // ValueFlag
  uint8_t pad = 0;
  uint32_t n =
      0;  // string/path length; set/record/labels count; money currency; enum index of its EnumDef
  union {
    int64_t i;  // bool 0/1, int, decimal ×1e6, money minor units, date days, other times µs, enum
                // member, team/role/agent index
    const char* s;       // string, path
    const Value* items;  // set (canonical order, no duplicates), record fields; labels: 2n values,
                         // key then value, sorted by key
    const IpPrefix* ip;
    const Entity* entity;  // person, resource
  };
  Value() : i(0) {}

  static Value Error(ErrorKind k) {
    Value v;
    v.kind = ValueKind::kError;
    v.aux = static_cast<uint8_t>(k);
    return v;
  }
  static Value Bool(bool b) {
    Value v;
    v.kind = ValueKind::kBool;
    v.i = b ? 1 : 0;
    return v;
  }
  static Value Int(ValueKind kind, int64_t i, uint32_t n = 0) {
    Value v;
    v.kind = kind;
    v.i = i;
    v.n = n;
    return v;
  }
  static Value Text(ValueKind kind, std::string_view t) {
    Value v;
    v.kind = kind;
    v.s = t.data();
    v.n = static_cast<uint32_t>(t.size());
    return v;
  }
  static Value Of(ValueKind kind, const Entity* e) {
    Value v;
    v.kind = kind;
    v.entity = e;
    return v;
  }
  static Value Items(ValueKind kind, const Value* items, uint32_t n) {
    Value v;
    v.kind = kind;
    v.items = items;
    v.n = n;
    return v;
  }
  static Value Absent() {
    Value v;
    v.kind = ValueKind::kAbsent;
    return v;
  }

  std::string_view text() const { return {s, n}; }
  bool is_error() const { return kind == ValueKind::kError; }
  ErrorKind error() const { return static_cast<ErrorKind>(aux); }
  bool IsTrue() const { return kind == ValueKind::kBool && i != 0; }
  bool IsFalse() const { return kind == ValueKind::kBool && i == 0; }
};
static_assert(sizeof(Value) == 16);

// T, F or ⊥ (with its kind): the result of a match factor.
enum class Truth : uint8_t { kFalse, kTrue, kError };

// Total order and equality over values of one kind, used for sets and `==`. Returns false in
// `*comparable` when the two cannot be compared (two currencies, different kinds): the caller turns
// that into ⊥currency or an abort.
int CompareValues(const Value& a, const Value& b, bool* comparable);
// Sorts and drops duplicates in place, without the heap; returns how many are left.
uint32_t MakeCanonicalSet(Value* items, uint32_t count);

// Text of a value as it stands in rationale and tests: `5000.00 USD`, `"V1"`, `emea`, `docs.Folder
// "A"`.
void AppendValue(std::string* out, const Value& v, const Schema& schema);

}  // namespace dpl
