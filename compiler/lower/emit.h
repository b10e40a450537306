// Writes one Code: instructions with their operands, forward jumps patched when their target is
// reached, stack and locals counted on the way.
//
//   Emitter emit(&program);
//   emit.Op(Opcode::kLoadPerson);
//   Emitter::Mark end = emit.Jump(Opcode::kSkipIfFalse);
//   …
//   emit.Bind(end);
//   uint32_t code = emit.Finish(span);    // appends Return; Program::codes
//
// Operand counts are checked against opcodes.def; everything else is the verifier's to prove.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <vector>

#include "runtime/bytecode/opcode.h"
#include "runtime/bytecode/program.h"

namespace dpl::lower {

class Emitter {
 public:
  explicit Emitter(Program* program) : program_(program) {}

  void Op(Opcode op, std::initializer_list<uint32_t> operands = {});

  // A target word still to be filled in.
  using Mark = size_t;
  Mark Jump(Opcode op);  // SkipIfFalse, SkipIfTrue, Jump
  struct Fork {
    Mark no, error;
  };
  Fork Branch();         // pops the condition; falls through when it is true
  void Bind(Mark mark);  // the jump goes to the next instruction
  void SetDepth(uint32_t depth) {
    depth_ = depth;
  }  // where paths part: the depth of the one that follows
  uint32_t depth() const { return depth_; }

  struct Loop {
    uint32_t slot = 0;
    uint32_t body = 0;
    Mark end = 0;
  };
  Loop BeginQuantifier(Quantifier kind);  // pops the set; LoadLocal of `slot` gives the element
  void EndQuantifier(const Loop& loop);   // pops the body's truth, leaves the result

  // A parameter of a function: pops the argument; LoadLocal of `slot` gives it until the body's one
  // value is on the stack. An argument that is ⊥ is that value at once.
  struct Parameter {
    uint32_t slot = 0;
    Mark end = 0;
  };
  Parameter BeginLet();
  void EndLet(const Parameter& parameter);  // in the reverse order

  uint32_t Finish(Span span);

 private:
  void Word(uint32_t word) { words_.push_back(word); }
  void Adjust(uint32_t pops, uint32_t pushes);

  Program* program_;
  std::vector<uint32_t> words_;
  uint32_t depth_ = 0, max_depth_ = 0;
  uint32_t open_slots_ = 0, max_slots_ = 0;  // of quantifiers and parameters
};

}  // namespace dpl::lower
