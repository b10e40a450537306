// Order and text of a program's constants.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "runtime/bytecode/program.h"

namespace dpl {

// The canonical order of the elements of a set, the same as CompareValues() gives their values:
// below zero, zero or above. nullopt where two values have no order (two kinds, two currencies).
// Indices must be in range and sets acyclic.
std::optional<int> CompareConstants(const std::vector<Constant>& constants, uint32_t a, uint32_t b);

// As it would be written in a policy: `5000.00 USD`, `"V1"`, `Class.internal`, `docs.Folder "A"`,
// `team acme.base.sales`.
void AppendConstant(std::string* out, const Program& program, uint32_t constant);

}  // namespace dpl
