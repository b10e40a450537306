// Operations that reckon: sum, difference, product, negation. Exact, or ⊥range; two currencies are
// ⊥currency.
#pragma once

#include "runtime/vm/context.h"

namespace dpl::vm {

Value Sum(Context& c, const Value& a, const Value& b);
Value Difference(Context& c, const Value& a, const Value& b);
Value Product(Context& c, const Value& a, const Value& b);
Value Negation(Context& c, const Value& a);

}  // namespace dpl::vm
