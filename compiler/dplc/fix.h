// dplc check --fix: applies the mends that diagnostics offer.
#pragma once

#include "compiler/check/check.h"
#include "compiler/dplc/commands.h"
#include "runtime/base/result.h"

namespace dpl::dplc {

// Applies every mend that fits, checks again, and goes on until none is left; says on standard
// error what it changed. A file is never left worse: what would add a syntax error is not done, and
// files are replaced whole. Only files that were named (or lie in a named folder) are touched.
Status FixFiles(const CheckArgs& args, const check::CheckOptions& options);

}  // namespace dpl::dplc
