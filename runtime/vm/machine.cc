// The loop: one label per opcode, in the order of opcodes.def, and the quantifiers' frames.
//
// What the verifier has proved is relied on: operands are valid indices, jumps meet instructions,
// the stack keeps within Code::max_stack. Kinds of values and the nesting of quantifiers are
// checked here, so that a program which is odd beyond that proof ends the decision with
// Abort::kInternal and does nothing worse.
#include "runtime/vm/machine.h"

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "runtime/base/pattern.h"
#include "runtime/vm/builtins.h"
#include "runtime/vm/context.h"
#include "runtime/vm/ops_arith.h"
#include "runtime/vm/ops_compare.h"
#include "runtime/vm/ops_data.h"
#include "runtime/vm/ops_subject.h"

namespace dpl {
namespace {

using vm::Context;
using vm::ErrorOf;
using vm::Unusable;

constexpr int16_t kSteps[] = {
#define DPL_OPCODE(name, operands, pops, pushes, cost, meaning) cost,
#include "runtime/bytecode/opcodes.def"
#undef DPL_OPCODE
};

Value Ask(Context& c, const SubjectTest& test) {
  switch (static_cast<Opcode>(test.op)) {
    case Opcode::kSubjPerson:
      return vm::SubjPerson(c, test.operand);
    case Opcode::kSubjTeam:
      return vm::SubjTeam(c, test.operand);
    case Opcode::kSubjRole:
      return vm::SubjRole(c, test.operand);
    case Opcode::kSubjEveryone:
      return vm::SubjEveryone(c);
    case Opcode::kSubjAgentRoot:
      return vm::SubjAgentRoot(c, test.operand);
    case Opcode::kSubjAgentHop:
      return vm::SubjAgentHop(c, test.operand);
    default:
      return c.Confused();
  }
}

// Equality of two values of one plain kind, the commonest of all comparisons; false: ask
// vm::Compare.
inline bool PlainlyEqual(const Value& a, const Value& b, bool* equal) {
  if (a.kind != b.kind) return false;
  switch (a.kind) {
    case ValueKind::kString:
      *equal = a.text() == b.text();
      return true;
    case ValueKind::kBool:
    case ValueKind::kInt:
      *equal = a.i == b.i;
      return true;
    case ValueKind::kEnum:
      *equal = a.i == b.i;
      return a.n == b.n;
    default:
      return false;
  }
}

// One side of a comparison: what its first instruction, or its first two, push.
enum class Side : uint8_t { kNone, kConstant, kPersonAttr, kResourceAttr, kParam, kContext };

// A code that compares two such and does nothing else, as most conditions do: asked without the
// loop. What its instructions name is read where they stand, so that this stays small.
struct Comparison {
  Side left = Side::kNone, right = Side::kNone;
  uint8_t left_names = 0, right_names = 0;  // from which word of the code on
  vm::Relation relation = vm::Relation::kEq;
  uint16_t steps = 0;  // of all its instructions; 0: the code is another
};

Comparison ComparisonOf(const Program& program, const Code& code) {
  constexpr uint32_t kMostWords = 10;
  if (code.size > kMostWords) return {};
  const uint32_t* const words = program.code.data() + code.offset;
  uint32_t at = 0, names = 0, steps = 0;
  // The next instruction; kMakeSet, which is none of these, where there is none. `names`: of it.
  auto next = [&] {
    const std::optional<Opcode> op = at < code.size ? OpcodeOfWord(words[at]) : std::nullopt;
    if (!op || InfoOf(*op).words() > code.size - at) return Opcode::kMakeSet;
    names = at + 1;
    steps += static_cast<uint32_t>(kSteps[words[at]]);
    at += InfoOf(*op).words();
    return *op;
  };
  auto side = [&] {
    switch (next()) {
      case Opcode::kPushConst:
        return Side::kConstant;
      case Opcode::kLoadParam:
        return Side::kParam;
      case Opcode::kLoadContext:
        return Side::kContext;
      case Opcode::kLoadPerson:
        return next() == Opcode::kPersonAttr ? Side::kPersonAttr : Side::kNone;
      case Opcode::kLoadResource:
        return next() == Opcode::kResourceAttr ? Side::kResourceAttr : Side::kNone;
      default:
        return Side::kNone;
    }
  };
  Comparison out;
  out.left = side();
  out.left_names = static_cast<uint8_t>(names);
  if (out.left == Side::kNone) return {};
  out.right = side();
  out.right_names = static_cast<uint8_t>(names);
  if (out.right == Side::kNone) return {};
  switch (next()) {
    case Opcode::kEq:
      out.relation = vm::Relation::kEq;
      break;
    case Opcode::kNe:
      out.relation = vm::Relation::kNe;
      break;
    case Opcode::kLt:
      out.relation = vm::Relation::kLt;
      break;
    case Opcode::kLe:
      out.relation = vm::Relation::kLe;
      break;
    case Opcode::kGt:
      out.relation = vm::Relation::kGt;
      break;
    case Opcode::kGe:
      out.relation = vm::Relation::kGe;
      break;
    default:
      return {};
  }
  if (next() != Opcode::kReturn || at != code.size) return {};
  out.steps = static_cast<uint16_t>(steps);
  return out;
}

Value Read(Context& c, Side side, const uint32_t* names) {
  Env& env = *c.env;
  switch (side) {
    case Side::kConstant:
      return env.snapshot->constant(names[0]);
    case Side::kParam:
      return vm::LoadParam(c, names[0]);
    case Side::kContext:
      return vm::LoadContext(c, names[0]);
    case Side::kPersonAttr:
      return vm::PersonAttr(
          c, env.person == nullptr ? vm::Missing() : Value::Of(ValueKind::kPerson, env.person),
          names[0]);
    case Side::kResourceAttr:
      return vm::ResourceAttr(
          c,
          env.resource == nullptr ? vm::Missing() : Value::Of(ValueKind::kResource, env.resource),
          names[0], names[1]);
    case Side::kNone:
      break;
  }
  return c.Confused();
}

struct Loop {
  const Value* items = nullptr;
  uint32_t count = 0, next = 0;
  Quantifier quantifier = Quantifier::kSome;
  uint32_t slot = 0;
  int64_t counted = 0;
  Value error;  // the first ⊥ met, else kUnset
};

bool IsTruth(const Value& v) { return v.kind == ValueKind::kBool || Unusable(v); }

}  // namespace

struct Machine::Impl {
  explicit Impl(const Program& p) : program(p) {
    comparisons.reserve(p.codes.size());
    for (const Code& code : p.codes) comparisons.push_back(ComparisonOf(p, code));
    for (uint32_t i : p.notes.patterns) {
      Result<Pattern> pattern = Pattern::Compile(p.constants[i].text);
      if (pattern.ok()) {
        patterns.push_back(pattern.take());
        continue;
      }
      error = "a pattern of the policy does not compile: " + pattern.error().message;
      break;
    }
  }

  // Null: this constant is no expression.
  const Pattern* PatternOf(uint32_t constant) const {
    const std::vector<uint32_t>& all = program.notes.patterns;
    auto at = std::lower_bound(all.begin(), all.end(), constant);
    if (at == all.end() || *at != constant) return nullptr;
    return &patterns[static_cast<size_t>(at - all.begin())];
  }
  Value Run(const Code& code, Env* env);
  Value Compare(uint32_t code, Env* env);
  // Folds one truth of a quantifier's body; true when the loop is over and *result stands.
  static bool Fold(Loop* loop, const Value& truth, Value* result);

  const Program& program;
  std::vector<Comparison> comparisons;  // parallel to Program::codes
  std::vector<Pattern> patterns;        // parallel to ProgramNotes::patterns
  std::string error;
  std::array<Value, kMaxStack> stack;
  std::array<Value, kMaxLocals> locals;
  std::array<Loop, kMaxLocals> loops;
};

bool Machine::Impl::Fold(Loop* loop, const Value& truth, Value* result) {
  if (Unusable(truth)) {
    if (loop->error.kind == ValueKind::kUnset) loop->error = ErrorOf(truth);
    if (loop->quantifier == Quantifier::kCount) {
      *result = loop->error;
      return true;
    }
  } else if (loop->quantifier == Quantifier::kSome
                 ? truth.IsTrue()
                 : loop->quantifier == Quantifier::kAll && truth.IsFalse()) {
    *result = truth;
    return true;
  } else if (truth.IsTrue()) {
    ++loop->counted;
  }
  if (loop->next < loop->count) return false;
  if (loop->error.kind != ValueKind::kUnset) {
    *result = loop->error;
  } else if (loop->quantifier == Quantifier::kCount) {
    *result = Value::Int(ValueKind::kInt, loop->counted);
  } else {
    *result = Value::Bool(loop->quantifier == Quantifier::kAll);
  }
  return true;
}

Value Machine::Impl::Run(const Code& code, Env* env) {
  Context c{program, program.schema, env};
  if (env->abort != Abort::kNo) return vm::Missing();
  if (code.max_stack > kMaxStack || code.locals > kMaxLocals) return c.Confused();
  for (uint32_t i = 0; i < code.locals; ++i) locals[i] = Value();

  const uint32_t* const words = program.code.data() + code.offset;
  const uint32_t* at = words;
  Value* top = stack.data() - 1;  // the top of the stack; below the first when it is empty
  Value condition;                // the ⊥ that the last Branch popped
  uint32_t open_loops = 0;

  static const void* const kLabels[] = {
#define DPL_OPCODE(name, operands, pops, pushes, cost, meaning) &&op_##name,
#include "runtime/bytecode/opcodes.def"
#undef DPL_OPCODE
  };

  // NEXT goes on behind an instruction of n operands. Every step is paid before it is taken.
#define DPL_DISPATCH()                                               \
  do {                                                               \
    env->steps_left -= kSteps[*at];                                  \
    if (__builtin_expect(env->steps_left < 0, 0)) goto out_of_steps; \
    goto* kLabels[*at];                                              \
  } while (0)
#define DPL_NEXT(n) \
  do {              \
    at += 1 + (n);  \
    DPL_DISPATCH(); \
  } while (0)
#define DPL_PUSH(n, value)        \
  do {                            \
    const Value pushed = (value); \
    *++top = pushed;              \
    DPL_NEXT(n);                  \
  } while (0)
  // For operations that may abort.
#define DPL_CHECKED(n)                                            \
  do {                                                            \
    if (__builtin_expect(env->abort != Abort::kNo, 0)) goto stop; \
    DPL_NEXT(n);                                                  \
  } while (0)
#define DPL_PUSH_CHECKED(n, value) \
  do {                             \
    const Value pushed = (value);  \
    *++top = pushed;               \
    DPL_CHECKED(n);                \
  } while (0)
#define DPL_UNARY(n, value) \
  do {                      \
    *top = (value);         \
    DPL_CHECKED(n);         \
  } while (0)
#define DPL_BINARY(n, value) \
  do {                       \
    top[-1] = (value);       \
    --top;                   \
    DPL_CHECKED(n);          \
  } while (0)

  DPL_DISPATCH();

  // ---- values
op_PushConst:
  DPL_PUSH(1, env->snapshot->constant(at[1]));
op_PushError:
  DPL_PUSH(1, Value::Error(static_cast<ErrorKind>(at[1])));
op_LoadPerson:
  DPL_PUSH(0, env->person == nullptr ? vm::Missing() : Value::Of(ValueKind::kPerson, env->person));
op_LoadResource:
  DPL_PUSH(
      0, env->resource == nullptr ? vm::Missing() : Value::Of(ValueKind::kResource, env->resource));
op_LoadAgent:
  DPL_PUSH(0,
           env->chain.empty() ? vm::Missing() : Value::Int(ValueKind::kAgent, env->chain.back()));
op_LoadNow:
  DPL_PUSH(0, Value::Int(ValueKind::kDateTime, env->now.us));
op_LoadParam:
  DPL_PUSH(1, vm::LoadParam(c, at[1]));
op_LoadContext:
  DPL_PUSH_CHECKED(1, vm::LoadContext(c, at[1]));
op_LoadTaskParam:
  DPL_PUSH(1, vm::LoadTaskParam(c, at[1]));
op_LoadLocal:
  if (at[1] >= code.locals || locals[at[1]].kind == ValueKind::kUnset) goto confused;
  DPL_PUSH(1, locals[at[1]]);
op_PersonAttr:
  DPL_UNARY(1, vm::PersonAttr(c, *top, at[1]));
op_ResourceAttr:
  if (top->kind == ValueKind::kResource) {
    const Entity& entity = *env->snapshot->Latest(top->entity);
    if (entity.type == at[1] && entity.attributes != nullptr &&
        at[2] < program.schema.resources[at[1]].attributes.size() &&
        entity.attributes[at[2]].kind != ValueKind::kUnset) {
      *top = entity.attributes[at[2]];
      DPL_NEXT(2);
    }
  }
  DPL_UNARY(2, vm::ResourceAttr(c, *top, at[1], at[2]));
op_ResourceParent:
  DPL_UNARY(1, vm::ResourceParent(c, *top, at[1]));
op_EntityKey:
  DPL_UNARY(0, vm::EntityKey(c, *top));
op_RecordField:
  DPL_UNARY(1, vm::RecordField(c, *top, at[1]));
op_LabelValue:
  DPL_UNARY(1, vm::LabelValue(c, *top, at[1]));
op_NowDate:
  DPL_PUSH_CHECKED(1, vm::NowDate(c, at[1]));
op_NowTime:
  DPL_PUSH_CHECKED(1, vm::NowTime(c, at[1]));
op_NowWeekday:
  DPL_PUSH_CHECKED(1, vm::NowWeekday(c, at[1]));
op_LocalDate:
  if (Unusable(*top)) DPL_UNARY(1, ErrorOf(*top));
  DPL_UNARY(1, vm::DateOf(c, *top, at[1]));
op_IsKnown:
  DPL_UNARY(0, vm::IsKnown(*top));

  // ---- strict operators
op_Eq : {
  bool equal = false;
  if (PlainlyEqual(top[-1], *top, &equal)) {
    *--top = Value::Bool(equal);
    DPL_NEXT(0);
  }
}
  DPL_BINARY(0, vm::Compare(c, top[-1], *top, vm::Relation::kEq));
op_Ne:
  DPL_BINARY(0, vm::Compare(c, top[-1], *top, vm::Relation::kNe));
op_Lt:
  DPL_BINARY(0, vm::Compare(c, top[-1], *top, vm::Relation::kLt));
op_Le:
  DPL_BINARY(0, vm::Compare(c, top[-1], *top, vm::Relation::kLe));
op_Gt:
  DPL_BINARY(0, vm::Compare(c, top[-1], *top, vm::Relation::kGt));
op_Ge:
  DPL_BINARY(0, vm::Compare(c, top[-1], *top, vm::Relation::kGe));
op_Add:
  DPL_BINARY(0, vm::Sum(c, top[-1], *top));
op_Sub:
  DPL_BINARY(0, vm::Difference(c, top[-1], *top));
op_Mul:
  DPL_BINARY(0, vm::Product(c, top[-1], *top));
op_Neg:
  DPL_UNARY(0, vm::Negation(c, *top));
op_In:
  DPL_BINARY(0, vm::In(c, top[-1], *top));
op_InTeam:
  DPL_UNARY(1, vm::InTeam(c, *top, at[1]));
op_InRole:
  DPL_UNARY(1, vm::InRole(c, *top, at[1]));
op_InTeamValue:
  DPL_BINARY(0, vm::InTeamValue(c, top[-1], *top));
op_Like:
  if (Unusable(*top)) DPL_UNARY(1, ErrorOf(*top));
  if (env->snapshot->constant(at[1]).kind != ValueKind::kString) goto confused;
  DPL_UNARY(1, vm::Like(c, *top, env->snapshot->constant(at[1]).text()));
op_Matches:
  if (Unusable(*top)) DPL_UNARY(1, ErrorOf(*top));
  if (PatternOf(at[1]) == nullptr) goto confused;
  DPL_UNARY(1, vm::Matches(c, *top, *PatternOf(at[1])));
op_During:
  DPL_UNARY(1, vm::During(c, *top, at[1]));
op_CallBuiltin : {
  uint32_t count = at[2];
  top -= count;
  Value result;
  for (uint32_t i = 1; i <= count && result.kind == ValueKind::kUnset; ++i) {
    if (Unusable(top[i])) result = ErrorOf(top[i]);
  }
  if (result.kind == ValueKind::kUnset) result = vm::CallBuiltin(c, at[1], top + 1, count);
  DPL_PUSH_CHECKED(2, result);
}
op_MakeSet:
  top -= at[1];
  DPL_PUSH_CHECKED(1, vm::MakeSet(c, top + 1, at[1]));
op_MakeRecord:
  top -= at[1];
  DPL_PUSH_CHECKED(1, vm::MakeRecord(c, top + 1, at[1]));

  // ---- truth
op_Not:
  if (!IsTruth(*top)) goto confused;
  DPL_UNARY(0, Unusable(*top) ? ErrorOf(*top) : Value::Bool(top->i == 0));
op_And:
  if (!IsTruth(top[-1]) || !IsTruth(*top)) goto confused;
  --top;
  if (top->IsFalse()) DPL_NEXT(0);
  if (Unusable(*top)) {
    *top = top[1].IsFalse() ? top[1] : ErrorOf(*top);
  } else {
    *top = Unusable(top[1]) ? ErrorOf(top[1]) : top[1];
  }
  DPL_NEXT(0);
op_Or:
  if (!IsTruth(top[-1]) || !IsTruth(*top)) goto confused;
  --top;
  if (top->IsTrue()) DPL_NEXT(0);
  if (Unusable(*top)) {
    *top = top[1].IsTrue() ? top[1] : ErrorOf(*top);
  } else {
    *top = Unusable(top[1]) ? ErrorOf(top[1]) : top[1];
  }
  DPL_NEXT(0);
op_SkipIfFalse:
  if (!IsTruth(*top)) goto confused;
  if (!top->IsFalse()) DPL_NEXT(1);
  at = words + at[1];
  DPL_DISPATCH();
op_SkipIfTrue:
  if (!IsTruth(*top)) goto confused;
  if (!top->IsTrue()) DPL_NEXT(1);
  at = words + at[1];
  DPL_DISPATCH();
op_Branch : {
  if (!IsTruth(*top)) goto confused;
  Value popped = *top--;
  if (popped.IsTrue()) DPL_NEXT(2);
  if (Unusable(popped)) {
    condition = ErrorOf(popped);
    at = words + at[2];
  } else {
    at = words + at[1];
  }
  DPL_DISPATCH();
}
op_PushCond:
  if (!condition.is_error()) goto confused;
  DPL_PUSH(0, condition);
op_Jump:
  at = words + at[1];
  DPL_DISPATCH();

  // ---- quantifiers
op_QuantBegin : {
  if (at[1] > static_cast<uint32_t>(Quantifier::kCount) || at[2] >= code.locals) goto confused;
  Quantifier quantifier = static_cast<Quantifier>(at[1]);
  Value result;
  if (Unusable(*top)) {
    result = ErrorOf(*top);
  } else if (top->kind != ValueKind::kSet) {
    goto confused;
  } else if (top->n == 0) {
    result = quantifier == Quantifier::kSome  ? Value::Bool(false)
             : quantifier == Quantifier::kAll ? Value::Error(ErrorKind::kEmpty)
                                              : Value::Int(ValueKind::kInt, 0);
  }
  if (result.kind != ValueKind::kUnset) {
    *top = result;
    at = words + at[3];
    DPL_DISPATCH();
  }
  if (open_loops == kMaxLocals) goto confused;
  Loop& loop = loops[open_loops++];
  loop = Loop{top->items, top->n, 1, quantifier, at[2], 0, Value()};
  locals[at[2]] = loop.items[0];
  --top;
  DPL_NEXT(3);
}
op_QuantNext : {
  if (open_loops == 0 || !IsTruth(*top)) goto confused;
  Loop& loop = loops[open_loops - 1];
  Value result;
  if (Fold(&loop, *top, &result)) {
    --open_loops;
    locals[loop.slot] = Value();
    *top = result;
    DPL_NEXT(1);
  }
  locals[loop.slot] = loop.items[loop.next++];
  --top;
  at = words + at[1];
  DPL_DISPATCH();
}

  // ---- parameters of functions
op_Let:
  if (at[1] >= code.locals) goto confused;
  if (Unusable(*top)) {
    *top = ErrorOf(*top);
    at = words + at[2];
    DPL_DISPATCH();
  }
  locals[at[1]] = *top--;
  DPL_NEXT(2);

  // ---- subject and scope tests
op_SubjPerson:
  DPL_PUSH_CHECKED(1, vm::SubjPerson(c, at[1]));
op_SubjTeam:
  DPL_PUSH_CHECKED(1, vm::SubjTeam(c, at[1]));
op_SubjRole:
  DPL_PUSH_CHECKED(1, vm::SubjRole(c, at[1]));
op_SubjEveryone:
  DPL_PUSH(0, vm::SubjEveryone(c));
op_SubjPublic:
  DPL_PUSH(0, Value::Bool(true));
op_SubjAgentRoot:
  DPL_PUSH(1, vm::SubjAgentRoot(c, at[1]));
op_SubjAgentHop:
  DPL_PUSH(1, vm::SubjAgentHop(c, at[1]));
op_SubjAnyAgent:
  DPL_PUSH(0, Value::Bool(!env->chain.empty() || env->partner_agents));
op_SubjPartner:
  DPL_PUSH(1, Value::Bool(env->partner == at[1]));
op_ResourceIs:
  DPL_PUSH_CHECKED(1, vm::ResourceIs(c, at[1]));
op_ResourceIn:
  DPL_PUSH_CHECKED(1, vm::ResourceIn(c, at[1]));
op_ResourceInPath:
  DPL_PUSH_CHECKED(1, vm::ResourceInPath(c, at[1]));
op_ResourceInTask:
  DPL_PUSH_CHECKED(1, vm::ResourceInTask(c, at[1]));

op_Return : {
  // Whatever reads the result uses it, and every use of `absent` is ⊥missing.
  Value result = Unusable(*top) ? ErrorOf(*top) : *top;
  if (result.is_error()) result.flags = 0;
  return result;
}

out_of_steps:
  env->abort = Abort::kBudget;
  goto stop;
confused:
  env->abort = Abort::kInternal;
stop:
  return vm::Missing();

#undef DPL_DISPATCH
#undef DPL_NEXT
#undef DPL_PUSH
#undef DPL_CHECKED
#undef DPL_PUSH_CHECKED
#undef DPL_UNARY
#undef DPL_BINARY
}

// As Run does it. Where it may not take all its steps it takes none: the decision ends in either
// case.
Value Machine::Impl::Compare(uint32_t code, Env* env) {
  const Comparison& comparison = comparisons[code];
  const uint32_t* const words = program.code.data() + program.codes[code].offset;
  Context c{program, program.schema, env};
  if (env->abort != Abort::kNo) return vm::Missing();
  env->steps_left -= comparison.steps;
  if (env->steps_left < 0) {
    env->abort = Abort::kBudget;
    return vm::Missing();
  }
  const Value left = Read(c, comparison.left, words + comparison.left_names);
  const Value right = Read(c, comparison.right, words + comparison.right_names);
  if (env->abort != Abort::kNo) return vm::Missing();
  bool equal = false;
  if (comparison.relation == vm::Relation::kEq && PlainlyEqual(left, right, &equal))
    return Value::Bool(equal);
  const Value result = vm::Compare(c, left, right, comparison.relation);
  return env->abort != Abort::kNo ? vm::Missing() : result;
}

Machine::Machine(const Program& program) : impl_(std::make_unique<Impl>(program)) {}
Machine::~Machine() = default;
bool Machine::ok() const { return impl_->error.empty(); }
const std::string& Machine::error() const { return impl_->error; }

Value Machine::Run(uint32_t code, Env* env) { return impl_->Run(impl_->program.codes[code], env); }

Truth Machine::RunTruth(uint32_t code, Env* env, ErrorKind* error) {
  if (code == kNone) return Truth::kTrue;
  return RunTruth(code, impl_->program.notes.tests[code], env, error);
}

Truth Machine::RunTruth(uint32_t code, const SubjectTest& test, Env* env, ErrorKind* error) {
  Value value = vm::Missing();
  if (test.steps == 0) {
    value = impl_->comparisons[code].steps == 0 ? Run(code, env) : impl_->Compare(code, env);
  } else if (env->abort == Abort::kNo) {
    Context c{impl_->program, impl_->program.schema, env};
    env->steps_left -= test.steps;
    if (env->steps_left < 0) {
      env->abort = Abort::kBudget;
    } else {
      value = Ask(c, test);
    }
  }
  if (value.kind == ValueKind::kBool) return value.i != 0 ? Truth::kTrue : Truth::kFalse;
  if (!value.is_error() && env->abort == Abort::kNo) env->abort = Abort::kInternal;
  if (error != nullptr) *error = value.is_error() ? value.error() : ErrorKind::kMissing;
  return Truth::kError;
}

}  // namespace dpl
