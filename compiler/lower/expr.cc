#include "compiler/lower/expr.h"

#include <algorithm>
#include <optional>
#include <tuple>

#include "runtime/base/result.h"
#include "runtime/bytecode/builtin.h"

namespace dpl::lower {

using ast::Expr;
using ast::ExprKind;
using ast::RefKind;

uint32_t Lowering::Expression(const Expr& expr, uint32_t type, uint32_t zone) {
  Emitter emit(program_);
  Value(expr, Frame{.type = type, .zone = zone}, &emit);
  return emit.Finish(expr.span);
}

std::string Lowering::SourceOf(const Span& span) const {
  const SourceFile* file = span.known() ? sources_.Find(span.file) : nullptr;
  return file == nullptr ? std::string() : std::string(file->Slice(span));
}

TypeKind Lowering::KindOf(const Expr& expr) const {
  DPL_CHECK(expr.type < model_->schema.types.size());
  return model_->schema.types[expr.type].kind;
}

// ---------------------------------------------------------------- constants

uint32_t Lowering::ConstantOf(const Expr& expr) {
  auto indexed = [&](Constant::Kind kind, int64_t number, uint32_t extra) {
    Constant constant;
    constant.kind = kind;
    constant.number = number;
    constant.extra = extra;
    return model_->AddConstant(std::move(constant));
  };
  switch (expr.ref) {
    case RefKind::kConst:
    case RefKind::kPersonEntity:
    case RefKind::kResourceEntity:
      return expr.ref_a;
    case RefKind::kEnumMember:
      return indexed(Constant::Kind::kEnum, expr.ref_b, expr.ref_a);
    case RefKind::kTeam:
      return indexed(Constant::Kind::kTeam, expr.ref_a, 0);
    case RefKind::kRole:
      return indexed(Constant::Kind::kRole, expr.ref_a, 0);
    case RefKind::kAgent:
      return indexed(Constant::Kind::kAgent, expr.ref_a, 0);
    default:
      break;
  }
  switch (expr.kind) {
    case ExprKind::kNumber:
    case ExprKind::kMoney:
    case ExprKind::kString:
    case ExprKind::kDuration:
    case ExprKind::kDate:
    case ExprKind::kDateTime:
    case ExprKind::kTime:
    case ExprKind::kBool:
      return expr.ref_a;
    case ExprKind::kName:  // `mon` … `sun`
      return expr.ref == RefKind::kValue ? expr.ref_a : kNone;
    case ExprKind::kSet:
      break;
    default:
      return kNone;
  }
  // A set of constants of one kind is a constant itself; the snapshot puts its values in order. Two
  // currencies have no order: the machine says what comes of them.
  Constant set;
  set.kind = Constant::Kind::kSet;
  for (const ast::ExprPtr& element : expr.args) {
    uint32_t constant = ConstantOf(*element);
    if (constant == kNone) return kNone;
    set.elements.push_back(constant);
    const Constant& first = model_->constants[set.elements.front()];
    const Constant& here = model_->constants[constant];
    bool nested = here.kind == Constant::Kind::kSet;
    if (nested || here.kind != first.kind || here.extra != first.extra) return kNone;
  }
  // By value, not by index: the same set is the same in every program, as a consent's reach needs
  // it.
  auto by_value = [&](uint32_t a, uint32_t b) {
    const Constant& x = model_->constants[a];
    const Constant& y = model_->constants[b];
    return std::tie(x.number, x.text) < std::tie(y.number, y.text);
  };
  std::sort(set.elements.begin(), set.elements.end(), by_value);
  set.elements.erase(std::unique(set.elements.begin(), set.elements.end()), set.elements.end());
  return model_->AddConstant(std::move(set));
}

// ---------------------------------------------------------------- expressions

void Lowering::Value(const Expr& expr, const Frame& frame, Emitter* emit) {
  if (uint32_t constant = ConstantOf(expr); constant != kNone) {
    emit->Op(Opcode::kPushConst, {constant});
    return;
  }
  auto operands = [&](Opcode op) {
    Value(*expr.args[0], frame, emit);
    Value(*expr.args[1], frame, emit);
    emit->Op(op);
  };
  switch (expr.kind) {
    case ExprKind::kName:
    case ExprKind::kField:
    case ExprKind::kIndex:
      Field(expr, frame, emit);
      return;
    case ExprKind::kCall:
      if (expr.ref == RefKind::kFunction) {
        CallFunction(expr, frame, emit);
        return;
      }
      DPL_CHECK(expr.ref == RefKind::kBuiltin);
      for (const ast::ExprPtr& argument : expr.args) Value(*argument, frame, emit);
      if (static_cast<Builtin>(expr.ref_a) ==
          Builtin::k_date_of) {  // which day it is depends on where
        emit->Op(Opcode::kLocalDate, {frame.zone});
        return;
      }
      emit->Op(Opcode::kCallBuiltin, {expr.ref_a, static_cast<uint32_t>(expr.args.size())});
      return;
    case ExprKind::kNot:
      Value(*expr.args[0], frame, emit);
      emit->Op(Opcode::kNot);
      return;
    case ExprKind::kNeg:
      Value(*expr.args[0], frame, emit);
      emit->Op(Opcode::kNeg);
      return;
    case ExprKind::kOr:
    case ExprKind::kAnd:
      Logic(expr, frame, emit);
      return;
    case ExprKind::kEq:
      operands(Opcode::kEq);
      return;
    case ExprKind::kNe:
      operands(Opcode::kNe);
      return;
    case ExprKind::kLt:
      operands(Opcode::kLt);
      return;
    case ExprKind::kLe:
      operands(Opcode::kLe);
      return;
    case ExprKind::kGt:
      operands(Opcode::kGt);
      return;
    case ExprKind::kGe:
      operands(Opcode::kGe);
      return;
    case ExprKind::kAdd:
      operands(Opcode::kAdd);
      return;
    case ExprKind::kSub:
      operands(Opcode::kSub);
      return;
    case ExprKind::kMul:
      operands(Opcode::kMul);
      return;
    case ExprKind::kIn:
      Containment(expr, frame, emit);
      return;
    case ExprKind::kNotIn:
      Containment(expr, frame, emit);
      emit->Op(Opcode::kNot);
      return;
    case ExprKind::kLike:
      Value(*expr.args[0], frame, emit);
      emit->Op(Opcode::kLike, {expr.ref_a});
      return;
    case ExprKind::kMatches:
      Value(*expr.args[0], frame, emit);
      emit->Op(Opcode::kMatches, {expr.ref_a});
      return;
    case ExprKind::kIsKnown:
    case ExprKind::kIsNotKnown:
      Value(*expr.args[0], frame, emit);
      emit->Op(Opcode::kIsKnown);
      if (expr.kind == ExprKind::kIsNotKnown) emit->Op(Opcode::kNot);
      return;
    case ExprKind::kDuring:
      Value(*expr.args[0], frame, emit);
      emit->Op(Opcode::kDuring, {expr.ref_a});
      return;
    case ExprKind::kIf:
      If(expr, frame, emit);
      return;
    case ExprKind::kSome:
    case ExprKind::kAll:
    case ExprKind::kCount:
      Quantify(expr, frame, emit);
      return;
    case ExprKind::kSet:
      Set(expr, frame, emit);
      return;
    case ExprKind::kRecord:
      Record(expr, frame, emit);
      return;
    default:
      break;
  }
  DPL_CHECK(!"the checker left an expression without a meaning");
}

// Variables, and everything behind a dot or in brackets.
void Lowering::Field(const Expr& expr, const Frame& frame, Emitter* emit) {
  auto of_base = [&](Opcode op, std::initializer_list<uint32_t> operands) {
    Value(*expr.args[0], frame, emit);
    emit->Op(op, operands);
  };
  switch (expr.ref) {
    case RefKind::kVarPerson:
      if (frame.person_slot != kNone)
        emit->Op(Opcode::kLoadLocal, {frame.person_slot});
      else
        emit->Op(Opcode::kLoadPerson);
      return;
    case RefKind::kVarAgent:
      emit->Op(Opcode::kLoadAgent);
      return;
    case RefKind::kVarResource:
      emit->Op(Opcode::kLoadResource);
      return;
    case RefKind::kVarNow:
      emit->Op(Opcode::kLoadNow);
      return;
    case RefKind::kVarLocal:
      for (const Local* local = frame.locals;; local = local->outer) {
        DPL_CHECK(local != nullptr);
        if (local->ref != expr.ref_a) continue;
        emit->Op(Opcode::kLoadLocal, {local->slot});
        return;
      }
    case RefKind::kPersonAttr:
      of_base(Opcode::kPersonAttr, {expr.ref_a});
      return;
    case RefKind::kResourceAttr:
      of_base(Opcode::kResourceAttr, {expr.ref_b, expr.ref_a});
      return;
    case RefKind::kResourceParent:
      of_base(Opcode::kResourceParent, {expr.ref_b});
      return;
    case RefKind::kPersonKey:
    case RefKind::kResourceKey:
      of_base(Opcode::kEntityKey, {});
      return;
    case RefKind::kRecordField:
      of_base(Opcode::kRecordField, {expr.ref_a});
      return;
    case RefKind::kLabelKey:
      of_base(Opcode::kLabelValue, {expr.ref_a});
      return;
    case RefKind::kRequestParam:
      emit->Op(Opcode::kLoadParam, {expr.ref_a});
      return;
    case RefKind::kTaskParam:
      emit->Op(Opcode::kLoadTaskParam, {expr.ref_a});
      return;
    case RefKind::kContextAttr:
      emit->Op(Opcode::kLoadContext, {expr.ref_a});
      return;
    case RefKind::kNowTime:
      emit->Op(Opcode::kNowTime, {frame.zone});
      return;
    case RefKind::kNowDate:
      emit->Op(Opcode::kNowDate, {frame.zone});
      return;
    case RefKind::kNowWeekday:
      emit->Op(Opcode::kNowWeekday, {frame.zone});
      return;
    default:
      break;
  }
  DPL_CHECK(!"the checker left a name without a meaning");
}

// a and b:  a · SkipIfFalse end · b · And · end:
void Lowering::Logic(const Expr& expr, const Frame& frame, Emitter* emit) {
  bool is_and = expr.kind == ExprKind::kAnd;
  Value(*expr.args[0], frame, emit);
  Emitter::Mark end = emit->Jump(is_and ? Opcode::kSkipIfFalse : Opcode::kSkipIfTrue);
  Value(*expr.args[1], frame, emit);
  emit->Op(is_and ? Opcode::kAnd : Opcode::kOr);
  emit->Bind(end);
}

// c · Branch no,error · a · Jump end · no: b · Jump end · error: PushCond · end:
void Lowering::If(const Expr& expr, const Frame& frame, Emitter* emit) {
  Value(*expr.args[0], frame, emit);
  Emitter::Fork fork = emit->Branch();
  uint32_t depth = emit->depth();
  Value(*expr.args[1], frame, emit);
  Emitter::Mark after_yes = emit->Jump(Opcode::kJump);
  emit->Bind(fork.no);
  emit->SetDepth(depth);
  Value(*expr.args[2], frame, emit);
  Emitter::Mark after_no = emit->Jump(Opcode::kJump);
  emit->Bind(fork.error);
  emit->SetDepth(depth);
  emit->Op(Opcode::kPushCond);
  emit->Bind(after_yes);
  emit->Bind(after_no);
}

// set · QuantBegin kind,slot,end · condition · QuantNext body · end:
void Lowering::Quantify(const Expr& expr, const Frame& frame, Emitter* emit) {
  Value(*expr.args[0], frame, emit);
  if (expr.kind == ExprKind::kCount && expr.args.size() == 1) {
    emit->Op(Opcode::kCallBuiltin, {static_cast<uint32_t>(Builtin::k_size), 1});
    return;
  }
  Quantifier kind = expr.kind == ExprKind::kSome  ? Quantifier::kSome
                    : expr.kind == ExprKind::kAll ? Quantifier::kAll
                                                  : Quantifier::kCount;
  Emitter::Loop loop = emit->BeginQuantifier(kind);
  Local variable{expr.ref_a, loop.slot, frame.locals};
  Frame inner = frame;
  inner.locals = &variable;
  Value(*expr.args[1], inner, emit);
  emit->EndQuantifier(loop);
}

// Strict, and each argument once:  a · Let 0,end · b · Let 1,end · body · end:
void Lowering::CallFunction(const Expr& expr, const Frame& frame, Emitter* emit) {
  DPL_CHECK(expr.target != nullptr);
  std::vector<Local> params(expr.args.size());
  std::vector<Emitter::Parameter> lets;
  Frame body = frame;
  body.locals = nullptr;
  for (uint32_t i = 0; i < params.size(); ++i) {
    Value(*expr.args[i], frame, emit);
    lets.push_back(emit->BeginLet());
    params[i] = {i, lets.back().slot, body.locals};
    body.locals = &params[i];
  }
  Value(*expr.target, body, emit);
  while (!lets.empty()) {
    emit->EndLet(lets.back());
    lets.pop_back();
  }
}

void Lowering::Containment(const Expr& expr, const Frame& frame, Emitter* emit) {
  const Expr& inner = *expr.args[0];
  const Expr& outer = *expr.args[1];
  Value(inner, frame, emit);
  TypeKind kind = KindOf(outer);
  uint32_t constant = ConstantOf(outer);
  bool named = constant != kNone && (kind == TypeKind::kTeam || kind == TypeKind::kRole);
  uint32_t index = named ? static_cast<uint32_t>(model_->constants[constant].number) : kNone;
  bool conditions = kind == TypeKind::kRole && (!named || !ComputedRolesGiving(index).empty());
  // Strict in who is meant: nobody is ⊥, even where the condition of a role asks nothing of them.
  std::optional<Emitter::Parameter> who;
  Frame holder{.type = frame.type};
  if (conditions) {
    who = emit->BeginLet();
    holder.person_slot = who->slot;
    emit->Op(Opcode::kLoadLocal, {who->slot});
  }
  if (named) {
    emit->Op(kind == TypeKind::kTeam ? Opcode::kInTeam : Opcode::kInRole, {index});
    if (conditions) ComputedHoldings(index, holder, emit);
  } else {
    Value(outer, frame, emit);
    emit->Op(kind == TypeKind::kTeam ? Opcode::kInTeamValue : Opcode::kIn);
    if (conditions) AnyComputedHoldings(outer, frame, holder, emit);
  }
  if (who) emit->EndLet(*who);
}

// Which role it is shows only at run time: for each that somebody can hold by a condition, ` or
// (role == r and …)`.
void Lowering::AnyComputedHoldings(const Expr& role, const Frame& frame, const Frame& holder,
                                   Emitter* emit) {
  for (uint32_t r = 0; r < model_->schema.roles.size(); ++r) {
    if (ComputedRolesGiving(r).empty()) continue;
    Emitter::Mark held = emit->Jump(Opcode::kSkipIfTrue);
    Value(role, frame, emit);
    Constant constant;
    constant.kind = Constant::Kind::kRole;
    constant.number = r;
    emit->Op(Opcode::kPushConst, {model_->AddConstant(std::move(constant))});
    emit->Op(Opcode::kEq);
    Emitter::Mark other = emit->Jump(Opcode::kSkipIfFalse);
    emit->Op(Opcode::kPushConst, {model_->AddConstant(Constant{})});  // false
    ComputedHoldings(r, holder, emit);
    emit->Op(Opcode::kAnd);
    emit->Bind(other);
    emit->Op(Opcode::kOr);
    emit->Bind(held);
  }
}

void Lowering::Set(const Expr& expr, const Frame& frame, Emitter* emit) {
  for (const ast::ExprPtr& element : expr.args) Value(*element, frame, emit);
  emit->Op(Opcode::kMakeSet, {static_cast<uint32_t>(expr.args.size())});
}

// The fields of a record value stand in the order of its type, whatever order they were written in.
// Where a literal leaves an optional field out, its value cannot be told; the same holds for a
// literal of labels, which only tests can use.
void Lowering::Record(const Expr& expr, const Frame& frame, Emitter* emit) {
  constexpr uint32_t kMissing = 0;
  const TypeDef& type = model_->schema.types[expr.type];
  if (type.kind != TypeKind::kRecord) {
    emit->Op(Opcode::kPushError, {kMissing});
    return;
  }
  const RecordDef& record = model_->schema.records[type.index];
  for (Str name : record.names) {
    auto found = std::find_if(expr.fields.begin(), expr.fields.end(), [&](const ast::Name& field) {
      return field.text == model_->schema.Text(name);
    });
    if (found == expr.fields.end()) {
      emit->Op(Opcode::kPushError, {kMissing});
    } else {
      Value(*expr.args[static_cast<size_t>(found - expr.fields.begin())], frame, emit);
    }
  }
  emit->Op(Opcode::kMakeRecord, {static_cast<uint32_t>(record.names.size())});
}

}  // namespace dpl::lower
