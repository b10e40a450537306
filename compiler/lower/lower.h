// From a checked Model to a Program: constants, code, clauses, limits, index. Deterministic: equal
// models, equal bytes.
#pragma once

#include <string>

#include "compiler/check/model.h"
#include "compiler/source/phase_times.h"
#include "compiler/source/source_file.h"
#include "runtime/bytecode/program.h"

namespace dpl::lower {

// Fills spans' file ids with the order of Program::sources (paths sorted). Sets the digest. The
// model must come from a successful Check(); consumes its schema. `bundle`, when asked for, is
// EncodeBundle of the result, which the digest needs anyway; without `digest` it stays zero.
Program Lower(check::Model&& model, const SourceSet& sources, PhaseTimes* times = nullptr,
              std::string* bundle = nullptr, bool digest = true);

}  // namespace dpl::lower
