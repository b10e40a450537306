// Proof before trust: whether a Program can be run by the machine and folded by the engine without
// any further check.
//
//   Status status = VerifyProgram(program);   // "bundle.code": "code 12 (clause 4 where) at word
//   7: …"
//
// Every index is in range and of the right kind, every text is UTF-8, every cycle that must not be
// is absent, every Code is proven by abstract interpretation (types, stack, locals, jumps, cost),
// and the subject keys of every clause cover what its subject code can say yes or "cannot tell" to,
// so that the index hides nothing. `Program::index` and the
// `*_statements` vectors are not read: BuildIndex makes them. Never crashes on any Program that the
// field reader can make; work is bounded in proportion to its size. Codes: bundle.text,
// bundle.index, bundle.order, bundle.cycle, bundle.value, bundle.code, bundle.statement,
// bundle.keys, bundle.size.
#pragma once

#include "runtime/base/result.h"
#include "runtime/bytecode/program.h"

namespace dpl {

Status VerifyProgram(const Program& program);

}  // namespace dpl
