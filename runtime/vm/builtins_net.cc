// Functions over addresses.
#include <optional>

#include "runtime/base/ip.h"
#include "runtime/vm/builtins.h"

namespace dpl::vm {

// A text that spells no address is ⊥range: there is no such value.
Value Ip(Context& c, const Value& text) {
  if (text.kind != ValueKind::kString) return c.Confused();
  if (text.n > 64) return Value::Error(ErrorKind::kRange);  // no spelling is that long
  std::optional<IpPrefix> parsed = TryParseIpPrefix(text.text());
  if (!parsed) return Value::Error(ErrorKind::kRange);
  const IpPrefix* kept = c.env->arena->New<IpPrefix>(*parsed);
  if (kept == nullptr) return c.NoMemory();
  Value value;
  value.kind = ValueKind::kIp;
  value.ip = kept;
  return value;
}

}  // namespace dpl::vm
