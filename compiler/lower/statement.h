// Statements, their clauses and limits, and what each kind adds.
#pragma once

#include "compiler/lower/expr.h"

namespace dpl::lower {

// Fills everything of the program that hangs on statements, in the model's order (by kind, then
// name).
void LowerStatements(Lowering* lower);

}  // namespace dpl::lower
