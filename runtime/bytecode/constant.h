// The text of a program's constants.
#pragma once

#include <string>

#include "runtime/bytecode/program.h"

namespace dpl {

// As it would be written in a policy: `5000.00 USD`, `"V1"`, `Class.internal`, `docs.Folder "A"`,
// `team acme.base.sales`.
void AppendConstant(std::string* out, const Program& program, uint32_t constant);

}  // namespace dpl
