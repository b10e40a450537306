// Values and truths of the oracle: plain, owning, and unknown to the virtual machine.
//
// An error (⊥) is a value of kind kError. A person or a resource is its id; what is known of it is
// asked of the World.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "compiler/check/model.h"
#include "runtime/base/ip.h"
#include "runtime/base/wire.h"

namespace dpl::oracle {

enum class Truth : uint8_t { kFalse, kTrue, kUnknown };

inline Truth And(Truth a, Truth b) {
  if (a == Truth::kFalse || b == Truth::kFalse) return Truth::kFalse;
  return a == Truth::kTrue && b == Truth::kTrue ? Truth::kTrue : Truth::kUnknown;
}
inline Truth Or(Truth a, Truth b) {
  if (a == Truth::kTrue || b == Truth::kTrue) return Truth::kTrue;
  return a == Truth::kFalse && b == Truth::kFalse ? Truth::kFalse : Truth::kUnknown;
}
inline Truth Not(Truth a) {
  return a == Truth::kUnknown ? a : a == Truth::kTrue ? Truth::kFalse : Truth::kTrue;
}
inline Truth TruthOf(bool b) { return b ? Truth::kTrue : Truth::kFalse; }

struct Val {
  enum class Kind : uint8_t {
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
  enum class Err : uint8_t {
    kMissing,
    kStale,
    kRange,
    kCurrency,
    kEmpty,
    kContainment,
    kMembership
  };

  Kind kind = Kind::kError;
  Err err = Err::kMissing;
  bool early = false;  // kError: met before the last step of a path, so `is known` keeps it
  bool of_request =
      false;      // the person or resource the request is about: what the caller said counts for it
  int64_t i = 0;  // bool, numbers, minor units, days, microseconds, member, index
  uint32_t x = 0;          // currency, enum, resource type
  std::string s;           // string, path, id
  std::vector<Val> items;  // set; record fields; labels: key, value, key, value …
  IpPrefix ip{};

  bool ok() const { return kind != Kind::kError; }
};

Val Fail(Val::Err err);
Val MakeBool(bool b);
Val MakeTruth(Truth t);
Val MakeNumber(Val::Kind kind, int64_t i, uint32_t x = 0);
Val MakeText(Val::Kind kind, std::string s, uint32_t x = 0);
Truth AsTruth(const Val& v);  // of a bool or an error

// Equality of two values of one type; kUnknown: two currencies.
Truth Same(const Val& a, const Val& b);
// Less, for the ordered types; both of one type, money of one currency.
bool Less(const Val& a, const Val& b);
// Drops duplicates.
Val MakeSet(std::vector<Val> items);

Val FromConstant(const check::Model& model, uint32_t constant);

// What a fact or a parameter says, by its declared type; nullopt: of another type.
std::optional<Val> TypeWire(const check::Model& model, const WireValue& wire, TypeId type);

// The value as a text that differs for different values of one type: parts of counter names and
// recorded acts.
std::string KeyText(const Val& v);

}  // namespace dpl::oracle
