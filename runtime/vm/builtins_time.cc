// Functions over instants and dates.
#include <utility>

#include "runtime/vm/builtins.h"

namespace dpl::vm {

Value DateOf(Context& c, const Value& instant, uint32_t zone) {
  if (instant.kind != ValueKind::kDateTime || zone >= c.schema.zones.size()) return c.Confused();
  return Value::Int(ValueKind::kDate, c.schema.zones[zone].LocalDate(Instant{instant.i}).days);
}

Value DaysBetween(Context& c, const Value& from, const Value& to) {
  if (from.kind != ValueKind::kDate || to.kind != ValueKind::kDate) return c.Confused();
  return Value::Int(ValueKind::kInt, to.i - from.i);
}

// A year is full on the same day of the same month; of 29 February, in other years on 1 March.
Value YearsBetween(Context& c, const Value& from, const Value& to) {
  if (from.kind != ValueKind::kDate || to.kind != ValueKind::kDate) return c.Confused();
  Civil a = CivilFromDate(Date{static_cast<int32_t>(from.i)});
  Civil b = CivilFromDate(Date{static_cast<int32_t>(to.i)});
  bool back = to.i < from.i;
  if (back) std::swap(a, b);
  int64_t years = b.year - a.year;
  if (b.month < a.month || (b.month == a.month && b.day < a.day)) --years;
  return Value::Int(ValueKind::kInt, back ? -years : years);
}

}  // namespace dpl::vm
