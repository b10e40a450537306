// A WireValue as JSON again: the same members in the same order, the same digits.
#pragma once

#include <string>

#include "runtime/base/wire.h"

namespace dpl {

// At most 64 levels deep, as every tree that was read from a request is; deeper ones end in null.
void AppendWireText(std::string* out, const WireValue& value);

}  // namespace dpl
