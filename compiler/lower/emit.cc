#include "compiler/lower/emit.h"

#include <algorithm>

#include "runtime/base/result.h"

namespace dpl::lower {

void Emitter::Adjust(uint32_t pops, uint32_t pushes) {
  DPL_CHECK(depth_ >= pops);
  depth_ = depth_ - pops + pushes;
  max_depth_ = std::max(max_depth_, depth_);
}

void Emitter::Op(Opcode op, std::initializer_list<uint32_t> operands) {
  const OpcodeInfo& info = InfoOf(op);
  DPL_CHECK(operands.size() == info.operand_count);
  Word(static_cast<uint32_t>(op));
  uint32_t count = 0;
  size_t i = 0;
  for (uint32_t operand : operands) {
    if (info.operands[i++] == OperandKind::kCount) count = operand;
    Word(operand);
  }
  Adjust(info.pops < 0 ? count : static_cast<uint32_t>(info.pops),
         static_cast<uint32_t>(info.pushes));
}

Emitter::Mark Emitter::Jump(Opcode op) {
  Op(op, {0});
  return words_.size() - 1;
}

Emitter::Fork Emitter::Branch() {
  Op(Opcode::kBranch, {0, 0});
  return {words_.size() - 2, words_.size() - 1};
}

void Emitter::Bind(Mark mark) { words_[mark] = static_cast<uint32_t>(words_.size()); }

Emitter::Loop Emitter::BeginQuantifier(Quantifier kind) {
  Loop loop;
  loop.slot = open_slots_++;
  max_slots_ = std::max(max_slots_, open_slots_);
  Op(Opcode::kQuantBegin, {static_cast<uint32_t>(kind), loop.slot, 0});
  loop.end = words_.size() - 1;
  loop.body = static_cast<uint32_t>(words_.size());
  return loop;
}

void Emitter::EndQuantifier(const Loop& loop) {
  Op(Opcode::kQuantNext, {loop.body});
  Bind(loop.end);
  --open_slots_;
}

Emitter::Parameter Emitter::BeginLet() {
  Parameter parameter;
  parameter.slot = open_slots_++;
  max_slots_ = std::max(max_slots_, open_slots_);
  Op(Opcode::kLet, {parameter.slot, 0});
  parameter.end = words_.size() - 1;
  return parameter;
}

void Emitter::EndLet(const Parameter& parameter) {
  Bind(parameter.end);
  --open_slots_;
}

uint32_t Emitter::Finish(Span span) {
  DPL_CHECK(depth_ == 1 && open_slots_ == 0);
  Op(Opcode::kReturn);
  Code code;
  code.offset = static_cast<uint32_t>(program_->code.size());
  code.size = static_cast<uint32_t>(words_.size());
  code.max_stack = static_cast<uint16_t>(std::min<uint32_t>(max_depth_, UINT16_MAX));
  code.locals = static_cast<uint16_t>(std::min<uint32_t>(max_slots_, UINT16_MAX));
  code.cost = StaticCost(words_.data(), code.size);
  code.span = span;
  program_->code.insert(program_->code.end(), words_.begin(), words_.end());
  program_->codes.push_back(code);
  return static_cast<uint32_t>(program_->codes.size() - 1);
}

}  // namespace dpl::lower
