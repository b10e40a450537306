// Checked arithmetic over the exact types.
#include "runtime/vm/ops_arith.h"

#include <optional>

#include "runtime/base/decimal.h"
#include "runtime/base/instant.h"

namespace dpl::vm {
namespace {

Value Range() { return Value::Error(ErrorKind::kRange); }

Value Checked(ValueKind kind, bool overflow, int64_t result, uint32_t n = 0) {
  return overflow ? Range() : Value::Int(kind, result, n);
}

Value OfDecimal(std::optional<Decimal> d) {
  return d ? Value::Int(ValueKind::kDecimal, d->micro) : Range();
}
Value OfInstant(std::optional<Instant> i) {
  return i ? Value::Int(ValueKind::kDateTime, i->us) : Range();
}

// A date moves by whole days only.
Value ShiftDate(const Value& date, int64_t us) {
  if (us % kMicrosPerDay != 0) return Range();
  std::optional<Date> moved = AddDays(Date{static_cast<int32_t>(date.i)}, us / kMicrosPerDay);
  return moved ? Value::Int(ValueKind::kDate, moved->days) : Range();
}

Value ShiftTime(const Value& time, int64_t us) {
  int64_t moved = 0;
  if (__builtin_add_overflow(time.i, us, &moved) || moved < 0 || moved >= kMicrosPerDay)
    return Range();
  return Value::Int(ValueKind::kTime, moved);
}

// Days, times and instants plus a duration (or minus one).
Value Shift(Context& c, const Value& point, const Value& by, bool back) {
  int64_t us = by.i;
  if (back) {
    if (us == INT64_MIN) return Range();
    us = -us;
  }
  if (point.kind == ValueKind::kDateTime) return OfInstant(Add(Instant{point.i}, Duration{us}));
  if (point.kind == ValueKind::kDate) return ShiftDate(point, us);
  if (point.kind == ValueKind::kTime) return ShiftTime(point, us);
  return c.Confused();
}

bool Swap(const Value& a, const Value& b) {
  return b.kind != ValueKind::kInt && b.kind != ValueKind::kDecimal &&
         (a.kind == ValueKind::kInt || a.kind == ValueKind::kDecimal);
}

}  // namespace

Value Sum(Context& c, const Value& a, const Value& b) {
  if (Unusable(a)) return ErrorOf(a);
  if (Unusable(b)) return ErrorOf(b);
  if (a.kind != b.kind) {
    if (b.kind == ValueKind::kDuration) return Shift(c, a, b, false);
    if (a.kind == ValueKind::kDuration) return Shift(c, b, a, false);
    return c.Confused();
  }
  int64_t sum = 0;
  switch (a.kind) {
    case ValueKind::kInt:
    case ValueKind::kDuration: {
      bool overflow = __builtin_add_overflow(a.i, b.i, &sum);
      return Checked(a.kind, overflow, sum);
    }
    case ValueKind::kMoney: {
      if (a.n != b.n) return Value::Error(ErrorKind::kCurrency);
      bool overflow = __builtin_add_overflow(a.i, b.i, &sum);
      return Checked(a.kind, overflow, sum, a.n);
    }
    case ValueKind::kDecimal:
      return OfDecimal(Add(Decimal{a.i}, Decimal{b.i}));
    default:
      return c.Confused();
  }
}

Value Difference(Context& c, const Value& a, const Value& b) {
  if (Unusable(a)) return ErrorOf(a);
  if (Unusable(b)) return ErrorOf(b);
  if (a.kind != b.kind) {
    return b.kind == ValueKind::kDuration ? Shift(c, a, b, true) : c.Confused();
  }
  int64_t difference = 0;
  switch (a.kind) {
    case ValueKind::kInt:
    case ValueKind::kDuration: {
      bool overflow = __builtin_sub_overflow(a.i, b.i, &difference);
      return Checked(a.kind, overflow, difference);
    }
    case ValueKind::kMoney: {
      if (a.n != b.n) return Value::Error(ErrorKind::kCurrency);
      bool overflow = __builtin_sub_overflow(a.i, b.i, &difference);
      return Checked(a.kind, overflow, difference, a.n);
    }
    case ValueKind::kDecimal:
      return OfDecimal(Subtract(Decimal{a.i}, Decimal{b.i}));
    case ValueKind::kDateTime:
    case ValueKind::kTime: {
      bool overflow = __builtin_sub_overflow(a.i, b.i, &difference);
      return Checked(ValueKind::kDuration, overflow, difference);
    }
    case ValueKind::kDate: {
      bool overflow = __builtin_sub_overflow(a.i, b.i, &difference) ||
                      __builtin_mul_overflow(difference, kMicrosPerDay, &difference);
      return Checked(ValueKind::kDuration, overflow, difference);
    }
    default:
      return c.Confused();
  }
}

Value Product(Context& c, const Value& a, const Value& b) {
  if (Unusable(a)) return ErrorOf(a);
  if (Unusable(b)) return ErrorOf(b);
  if (Swap(a, b)) return Product(c, b, a);
  int64_t product = 0;
  if (a.kind == ValueKind::kDecimal && b.kind == ValueKind::kDecimal) {
    return OfDecimal(Multiply(Decimal{a.i}, Decimal{b.i}));
  }
  if (b.kind == ValueKind::kInt) {
    if (a.kind != ValueKind::kInt && a.kind != ValueKind::kMoney && a.kind != ValueKind::kDuration)
      return c.Confused();
    bool overflow = __builtin_mul_overflow(a.i, b.i, &product);
    return Checked(a.kind, overflow, product, a.kind == ValueKind::kMoney ? a.n : 0);
  }
  if (a.kind == ValueKind::kMoney && b.kind == ValueKind::kDecimal) {
    __int128 wide = static_cast<__int128>(a.i) * b.i;
    if (wide % kDecimalOne != 0) return Range();
    wide /= kDecimalOne;
    if (wide > INT64_MAX || wide < INT64_MIN) return Range();
    return Value::Int(ValueKind::kMoney, static_cast<int64_t>(wide), a.n);
  }
  return c.Confused();
}

Value Negation(Context& c, const Value& a) {
  if (Unusable(a)) return ErrorOf(a);
  if (a.kind != ValueKind::kInt && a.kind != ValueKind::kDecimal && a.kind != ValueKind::kMoney &&
      a.kind != ValueKind::kDuration) {
    return c.Confused();
  }
  if (a.i == INT64_MIN) return Range();
  return Value::Int(a.kind, -a.i, a.kind == ValueKind::kMoney ? a.n : 0);
}

}  // namespace dpl::vm
