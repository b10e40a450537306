// The values of a request that pins (runtime/bytecode/pins.h) are about, read exactly as code reads
// them.
#pragma once

#include "runtime/bytecode/pins.h"
#include "runtime/vm/machine.h"

namespace dpl {

// Of a path that names an attribute, a parameter or a field of the context (of one that means an
// element of a set: the set). Any other path, and what is not there, is ⊥.
Value ReadPath(const Program& program, PinPath path, Env* env);

}  // namespace dpl
