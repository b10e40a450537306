// What deciding asks of a program beside its index, worked out once when the program is made or
// read, so that the first decision after a reload finds it ready. Never on disk.
#pragma once

#include <cstdint>
#include <vector>

#include "runtime/bytecode/schema.h"

namespace dpl {

struct Program;

// A code of one subject test and nothing else, as most subjects are: asked without running it.
struct SubjectTest {
  uint32_t operand = 0;
  uint16_t steps = 0;  // what it costs; 0: the code is another
  uint8_t op = 0;      // Opcode
};
// What matching reads of a clause, in one half of a cache line.
struct alignas(32) ClauseNote {
  uint32_t statement = kNone;
  uint32_t delegation = kNone;  // Program::delegations; kNone: the statement is another
  uint32_t subject = kNone, scope = kNone, where = kNone;  // its codes
  SubjectTest test;                                        // of `subject`
};
struct ProgramNotes {
  uint64_t serial = 0;              // no other program of this process has it
  std::vector<ClauseNote> clauses;  // parallel to Program::clauses
  std::vector<SubjectTest> tests;   // parallel to Program::codes
  std::vector<uint8_t> reads_now;   // by code: its value may change with time alone
  std::vector<uint8_t> metes;  // by index entry: a clause of it asks, or limits by its statement
  std::vector<uint8_t> is_limited;  // by Str: some limit names a parameter so
  std::vector<uint32_t> patterns;   // constants, ascending: the expressions of `matches`
};

// Of a program whose index is built.
ProgramNotes NotesOf(const Program& program);

}  // namespace dpl
