// Functions over instants.
#include "runtime/vm/builtins.h"

namespace dpl::vm {

Value DateOf(Context& c, const Value& instant, uint32_t zone) {
  if (instant.kind != ValueKind::kDateTime || zone >= c.schema.zones.size()) return c.Confused();
  return Value::Int(ValueKind::kDate, c.schema.zones[zone].LocalDate(Instant{instant.i}).days);
}

}  // namespace dpl::vm
