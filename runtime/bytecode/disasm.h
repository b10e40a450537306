// A program as text: statements with their clauses and limits, and the code of each, with names and
// source lines beside it.
//
//   code 4: stack 1, locals 0, cost 17        ; policies/spend.dpl:14:6  role purchaser
//        0  SubjRole 2                        ; role acme.spend.purchaser
//        2  Return
//
// What stands after `;` is for people; the rest is what assemble.h reads back. Programs must be
// verified.
#pragma once

#include <string>

#include "runtime/bytecode/program.h"

namespace dpl {

std::string Disassemble(const Program& program);
std::string DisassembleCode(const Program& program, uint32_t code);

// The instructions of a code with every operand by name and none by index, one per line: the same
// text for the same meaning in every program, which is what a consent's reach is made of.
std::string MeaningOfCode(const Program& program, uint32_t code);

}  // namespace dpl
