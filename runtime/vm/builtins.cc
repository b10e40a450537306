// From the number in the code to the function; how many operands each takes.
#include "runtime/vm/builtins.h"

#include "runtime/bytecode/builtin.h"

namespace dpl::vm {

Value CallBuiltin(Context& c, uint32_t builtin, const Value* args, uint32_t count) {
  if (builtin >= static_cast<uint32_t>(kBuiltinCount)) return c.Confused();
  const BuiltinInfo& info = InfoOf(static_cast<Builtin>(builtin));
  c.Pay(info.cost);
  if (count != info.params.size()) return c.Confused();
  switch (info.id) {
    case Builtin::k_starts_with:
      return StartsWith(c, args[0], args[1]);
    case Builtin::k_ends_with:
      return EndsWith(c, args[0], args[1]);
    case Builtin::k_lower:
      return Lower(c, args[0]);
    case Builtin::k_length:
      return Length(c, args[0]);
    case Builtin::k_size:
      if (args[0].kind != ValueKind::kSet) return c.Confused();
      return Value::Int(ValueKind::kInt, args[0].n);
    case Builtin::k_ip:
      return Ip(c, args[0]);
    case Builtin::k_date_of:
      return DateOf(c, args[0], 0);
    case Builtin::k_days_between:
      return DaysBetween(c, args[0], args[1]);
    case Builtin::k_years_between:
      return YearsBetween(c, args[0], args[1]);
  }
  return c.Confused();
}

}  // namespace dpl::vm
