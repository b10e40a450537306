// What each delegation lends, as hashes: what a person's consent is recorded for.
//
// A consent is good while everything lent today was lent when it was given: today's hashes are a
// subset of those recorded. So whatever widens a delegation must bring a hash that was not there
// before, and a narrowing should bring none:
//   - each lent action on a resource type, with its scope, condition and approval, is one hash;
//   - amounts and spans of time are the steps of a fixed ladder up to them, and their exact value
//   when it is no step;
//   - a restriction that could be dropped (tasks, limits) is part of a hash itself, or its absence
//   is.
// A changed condition is a different hash, whichever way it changed: that voids the consent, which
// is the safe side. Nothing here depends on indices or on other statements, so a recorded consent
// outlives every unrelated change.
#pragma once

#include "runtime/bytecode/program.h"

namespace dpl::lower {

// Fills Clause::reach of the delegations' clauses and Delegation::reach. The index must be built.
void FillReach(Program* program);

}  // namespace dpl::lower
