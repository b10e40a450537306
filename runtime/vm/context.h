// What one run of one Code has at hand, and the small answers every group of operations needs.
// Inside the room only.
#pragma once

#include <cstdint>
#include <string_view>

#include "runtime/bytecode/opcode.h"
#include "runtime/vm/machine.h"

namespace dpl::vm {

struct Context {
  const Program& program;
  const Schema& schema;
  Env* env;

  // An impossible state: the decision ends, whatever the expression would have said.
  Value Confused() {
    env->abort = Abort::kInternal;
    return Value::Error(ErrorKind::kMissing);
  }
  Value NoMemory() {
    env->abort = Abort::kArena;
    return Value::Error(ErrorKind::kMissing);
  }
  // Work that grows with the operands is paid for beyond the opcode's own cost.
  void Pay(uint64_t steps) {
    env->steps_left -= static_cast<int64_t>(steps);
    if (env->steps_left < 0 && env->abort == Abort::kNo) env->abort = Abort::kBudget;
  }
};

inline Value Missing() { return Value::Error(ErrorKind::kMissing); }

// What a strict operator makes of an operand it cannot use: the ⊥ itself, and ⊥missing of `absent`.
inline bool Unusable(const Value& v) {
  return v.kind == ValueKind::kError || v.kind == ValueKind::kAbsent;
}
inline Value ErrorOf(const Value& v) { return v.kind == ValueKind::kAbsent ? Missing() : v; }

// The same for a step of a path that more steps follow: `is known` at the end must not take it for
// its own.
inline Value EarlierStep(const Value& v) {
  Value error = ErrorOf(v);
  error.flags |= kEarlierStep;
  return error;
}

inline Value OfTruth(Truth truth, ErrorKind kind) {
  return truth == Truth::kError ? Value::Error(kind) : Value::Bool(truth == Truth::kTrue);
}

}  // namespace dpl::vm
