// One instruction: its operands, the types it takes from the stack, the type and the keys of what
// it leaves.
#include <optional>

#include "runtime/bytecode/builtin.h"
#include "runtime/bytecode/verify_code.h"

namespace dpl::verify {
namespace {

constexpr uint32_t kErrorKinds = 7;  // ErrorKind of runtime/facts/value.h

}  // namespace

Status CodeProof::Operands() {
  for (int i = 0; i < info_->operand_count; ++i) {
    uint32_t value = operands_[i];
    uint64_t limit = UINT32_MAX;
    OperandKind kind = info_->operands[static_cast<size_t>(i)];
    switch (kind) {
      case OperandKind::kConst:
        limit = p_.constants.size();
        break;
      case OperandKind::kStr:
        limit = s_.strings.size();
        break;
      case OperandKind::kType:
        limit = s_.resources.size();
        break;
      case OperandKind::kTeam:
        limit = s_.teams.size();
        break;
      case OperandKind::kRole:
        limit = s_.roles.size();
        break;
      case OperandKind::kAgentIdx:
        limit = p_.agents.size();
        break;
      case OperandKind::kSlot:
        limit = kMaxLocals;
        break;
      case OperandKind::kZone:
        limit = s_.zones.size();
        break;
      case OperandKind::kCalendar:
        limit = s_.calendars.size();
        break;
      case OperandKind::kBuiltin:
        limit = static_cast<uint64_t>(kBuiltinCount);
        break;
      case OperandKind::kEnumIdx:
        limit = s_.enums.size();
        break;
      case OperandKind::kPartnerIdx:
        limit = p_.partners.size();
        break;
      case OperandKind::kAttr:    // depends on the opcode: Step
      case OperandKind::kTarget:  // JumpTo
      case OperandKind::kCount:
        break;
    }
    DPL_NEED(value < limit, kCode, "{}: there is no {} {}", info_->name, OperandKindName(kind),
             value);
  }
  return Status::Ok();
}

Status CodeProof::NeedConstant(Constant::Kind kind) {
  DPL_NEED(p_.constants[operands_[0]].kind == kind, kCode, "{} has a constant of another kind",
           info_->name);
  return Status::Ok();
}

Result<AbsType> CodeProof::Attribute(const std::vector<AttributeDef>& list, uint32_t index) {
  DPL_NEED(index < list.size(), kCode, "{}: there is no attribute {}", info_->name, index);
  return types_.OfSchema(list[index].type);
}

Status CodeProof::Step(Opcode op) {
  bool was_only_errors = now_.only_errors;
  now_.only_errors = false;
  switch (op) {
    // values
    case Opcode::kPushConst: {
      const Constant& constant = p_.constants[operands_[0]];
      DPL_NEED(constant.kind != Constant::Kind::kPattern, kCode, "a pattern is no value");
      bool never = constant.kind == Constant::Kind::kBool && constant.number == 0;
      Push(types_.OfConstant(operands_[0]), never ? Cover::Never() : Cover{});
      return Status::Ok();
    }
    case Opcode::kPushError:
      DPL_NEED(operands_[0] < kErrorKinds, kCode, "there is no error kind {}", operands_[0]);
      Push(kBottom);
      return Status::Ok();
    case Opcode::kLoadPerson:
      PushKind(TypeKind::kPerson);
      return Status::Ok();
    case Opcode::kLoadResource:
      Push(types_.Of(TypeKind::kResource, use_->type));
      return Status::Ok();
    case Opcode::kLoadAgent:
      PushKind(TypeKind::kAgent);
      return Status::Ok();
    case Opcode::kLoadNow:
      PushKind(TypeKind::kDateTime);
      return Status::Ok();
    case Opcode::kLoadParam: {
      Result<TypeId> type = ParamType(p_, *use_, operands_[0], &work_);
      if (!type.ok()) return type.error();
      Push(*type == kNone ? kBottom : types_.OfSchema(*type));
      return Status::Ok();
    }
    case Opcode::kLoadContext:
      return PushAttribute(s_.context, operands_[0]);
    case Opcode::kLoadTaskParam:
      return TaskParam(false);
    case Opcode::kLoadLocal: {
      auto loop = std::find_if(loops_.begin(), loops_.end(),
                               [&](const Loop& l) { return l.slot == operands_[0]; });
      DPL_NEED(loop != loops_.end(), kCode, "local {} has no value here", operands_[0]);
      Push(loop->element);
      return Status::Ok();
    }
    case Opcode::kPersonAttr:
      DPL_RETURN_IF_ERROR(PopOf(TypeKind::kPerson));
      return PushAttribute(s_.person.attributes, operands_[0]);
    case Opcode::kResourceAttr:
      DPL_RETURN_IF_ERROR(PopResource(operands_[0]));
      return PushAttribute(s_.resources[operands_[0]].attributes, operands_[1]);
    case Opcode::kResourceParent: {
      DPL_RETURN_IF_ERROR(PopResource(operands_[0]));
      const ResourceDef& type = s_.resources[operands_[0]];
      DPL_NEED(type.has_parent, kCode, "the type has no parent");
      Push(types_.Of(TypeKind::kResource, type.parent_type));
      return Status::Ok();
    }
    case Opcode::kEntityKey:
      return EntityKey();
    case Opcode::kRecordField: {
      Slot record;
      DPL_RETURN_IF_ERROR(Pop(&record));
      DPL_NEED(types_.MayBe(record.type, TypeKind::kRecord), kCode,
               "a field is read of something that is no record");
      if (record.type == kBottom) {
        Push(kBottom);
        return Status::Ok();
      }
      DPL_NEED(operands_[0] < types_.parts(record.type).size(), kCode, "the record has no field {}",
               operands_[0]);
      Push(types_.parts(record.type)[operands_[0]]);
      return Status::Ok();
    }
    case Opcode::kLabelValue:
      DPL_RETURN_IF_ERROR(NeedConstant(Constant::Kind::kString));
      DPL_RETURN_IF_ERROR(PopOf(TypeKind::kLabels));
      PushKind(TypeKind::kString);
      return Status::Ok();
    case Opcode::kNowDate:
      PushKind(TypeKind::kDate);
      return Status::Ok();
    case Opcode::kNowTime:
      PushKind(TypeKind::kTime);
      return Status::Ok();
    case Opcode::kNowWeekday:
      PushKind(TypeKind::kInt);
      return Status::Ok();
    case Opcode::kLocalDate:
      DPL_RETURN_IF_ERROR(PopOf(TypeKind::kDateTime));
      PushKind(TypeKind::kDate);
      return Status::Ok();
    // presence
    case Opcode::kIsKnown: {
      Slot any;
      DPL_RETURN_IF_ERROR(Pop(&any));
      PushTruth();
      return Status::Ok();
    }
    // strict operators
    case Opcode::kEq:
    case Opcode::kNe:
    case Opcode::kLt:
    case Opcode::kLe:
    case Opcode::kGt:
    case Opcode::kGe:
    case Opcode::kAdd:
    case Opcode::kSub:
    case Opcode::kMul:
    case Opcode::kIn:
    case Opcode::kInTeamValue:
    case Opcode::kAnd:
    case Opcode::kOr:
      return Binary(op);
    case Opcode::kNeg: {
      Slot value;
      DPL_RETURN_IF_ERROR(Pop(&value));
      DPL_NEED(types_.CanNegate(value.type), kCode, "Neg of something that is no number");
      Push(value.type);
      return Status::Ok();
    }
    case Opcode::kInTeam: {
      Slot member;
      DPL_RETURN_IF_ERROR(Pop(&member));
      DPL_NEED(
          types_.MayBe(member.type, TypeKind::kPerson) || types_.Is(member.type, TypeKind::kTeam),
          kCode, "only persons and teams are in teams");
      PushTruth();
      return Status::Ok();
    }
    case Opcode::kInRole:
      DPL_RETURN_IF_ERROR(PopOf(TypeKind::kPerson));
      PushTruth();
      return Status::Ok();
    case Opcode::kLike:
    case Opcode::kMatches:
      DPL_RETURN_IF_ERROR(NeedConstant(Constant::Kind::kPattern));
      DPL_NEED(p_.constants[operands_[0]].extra == (op == Opcode::kMatches ? 1u : 0u), kCode,
               "{} has a pattern of the other form", info_->name);
      return Text();
    case Opcode::kDuring:
      DPL_RETURN_IF_ERROR(PopOf(TypeKind::kDateTime));
      PushTruth();
      return Status::Ok();
    case Opcode::kCallBuiltin:
      return Call();
    case Opcode::kMakeSet:
      return MakeSet();
    case Opcode::kMakeRecord:
      return MakeRecord();
    // truth
    case Opcode::kNot:
      DPL_RETURN_IF_ERROR(PopOf(TypeKind::kBool));
      PushTruth();
      return Status::Ok();
    case Opcode::kSkipIfFalse:
    case Opcode::kSkipIfTrue: {
      Slot top;
      DPL_RETURN_IF_ERROR(Pop(&top));
      DPL_NEED(types_.MayBe(top.type, TypeKind::kBool), kCode, "{} finds a value of another type",
               info_->name);
      State jumping = now_;
      // Whoever jumps over an `and` carries an F, which needs no key at all.
      jumping.stack.push_back({top.type, op == Opcode::kSkipIfFalse ? Cover::Never() : top.cover});
      now_.stack.push_back(std::move(top));
      return JumpTo(operands_[0], std::move(jumping));
    }
    case Opcode::kBranch: {
      DPL_RETURN_IF_ERROR(PopOf(TypeKind::kBool));
      DPL_RETURN_IF_ERROR(JumpTo(operands_[0], now_));
      return JumpTo(operands_[1], now_, true);
    }
    case Opcode::kPushCond:
      DPL_NEED(was_only_errors, kCode,
               "PushCond is reached otherwise than from a Branch that met an error");
      Push(kBottom);
      return Status::Ok();
    case Opcode::kJump:
      live_ = false;
      return JumpTo(operands_[0], std::move(now_));
    // quantifiers
    case Opcode::kQuantBegin:
      return BeginLoop();
    case Opcode::kQuantNext:
      return EndLoop();
    case Opcode::kLet:
      return BeginLet();
    // subject and scope
    case Opcode::kSubjPerson:
      DPL_RETURN_IF_ERROR(NeedConstant(Constant::Kind::kPerson));
      PushTruth(Cover::Only({KeyKind::kPerson, operands_[0]}));
      return Status::Ok();
    case Opcode::kSubjTeam:
      PushTruth(Cover::Only({KeyKind::kTeam, operands_[0]}));
      return Status::Ok();
    case Opcode::kSubjRole:
      PushTruth(Cover::Only({KeyKind::kRole, operands_[0]}));
      return Status::Ok();
    case Opcode::kSubjEveryone:
      PushTruth(Cover::Only({KeyKind::kEveryone, 0}));
      return Status::Ok();
    case Opcode::kSubjPublic:
      PushTruth(Cover::Only({KeyKind::kPublic, 0}));
      return Status::Ok();
    case Opcode::kSubjAgentRoot:
    case Opcode::kSubjAgentHop:
      PushTruth(Cover::Only({KeyKind::kAgent, operands_[0]}));
      return Status::Ok();
    case Opcode::kSubjPartner:
      PushTruth(Cover::Only({KeyKind::kPartner, operands_[0]}));
      return Status::Ok();
    case Opcode::kSubjAnyAgent:
      PushTruth();
      return Status::Ok();
    case Opcode::kResourceIs: {
      DPL_RETURN_IF_ERROR(NeedConstant(Constant::Kind::kResource));
      DPL_NEED(use_->type == kNone || p_.constants[operands_[0]].extra == use_->type, kCode,
               "the resource is of another type");
      PushTruth();
      return Status::Ok();
    }
    case Opcode::kResourceIn:
      DPL_RETURN_IF_ERROR(NeedConstant(Constant::Kind::kResource));
      PushTruth();
      return Status::Ok();
    case Opcode::kResourceInPath:
      DPL_RETURN_IF_ERROR(NeedConstant(Constant::Kind::kPath));
      DPL_NEED(use_->type != kNone && s_.resources[use_->type].key_is_path, kCode,
               "the key of the type is no path");
      PushTruth();
      return Status::Ok();
    case Opcode::kResourceInTask:
      return TaskParam(true);
    case Opcode::kReturn:
      DPL_NEED(loops_.empty() && now_.stack.size() == 1, kCode,
               "Return needs exactly one value on the stack");
      result_ = now_.stack.back();
      live_ = false;
      return Status::Ok();
  }
  return Error{kCode, fmt::format("{} is not known to the proof", info_->name)};
}

Status CodeProof::PushAttribute(const std::vector<AttributeDef>& list, uint32_t index) {
  Result<AbsType> type = Attribute(list, index);
  if (!type.ok()) return type.error();
  Push(*type);
  return Status::Ok();
}

Status CodeProof::PopResource(uint32_t type) {
  Slot slot;
  DPL_RETURN_IF_ERROR(Pop(&slot));
  DPL_NEED(types_.MayBe(slot.type, TypeKind::kResource), kCode, "{} finds a value of another type",
           info_->name);
  bool same =
      slot.type == kBottom || types_.index(slot.type) == kNone || types_.index(slot.type) == type;
  DPL_NEED(same, kCode, "{} finds a resource of another type", info_->name);
  return Status::Ok();
}

// Where one of several tasks is open, they must agree on the parameter.
Status CodeProof::TaskParam(bool is_scope) {
  std::span<const uint32_t> open = use_->OpenTasks();
  DPL_NEED(!open.empty(), kCode, "there is no task here");
  DPL_NEED(work_.Take(open.size()), "bundle.size", "the proof of all code takes too long");
  std::optional<AbsType> type;
  for (uint32_t t : open) {
    const Task& task = p_.tasks[t];
    DPL_NEED(operands_[0] < task.params.size(), kCode, "the task has no parameter {}",
             operands_[0]);
    AbsType here = types_.OfSchema(task.params[operands_[0]].type);
    DPL_NEED(!type || *type == here, kCode, "the parameter {} has two types", operands_[0]);
    type = here;
  }
  if (!is_scope) {
    Push(*type);
    return Status::Ok();
  }
  DPL_NEED(types_.Is(*type, TypeKind::kResource), kCode, "the task's parameter is no resource");
  PushTruth();
  return Status::Ok();
}

Status CodeProof::EntityKey() {
  Slot entity;
  DPL_RETURN_IF_ERROR(Pop(&entity));
  if (entity.type == kBottom) {
    Push(kBottom);
    return Status::Ok();
  }
  bool person = types_.Is(entity.type, TypeKind::kPerson);
  DPL_NEED(person || types_.Is(entity.type, TypeKind::kResource), kCode,
           "only persons and resources have a key");
  uint32_t type = types_.index(entity.type);
  if (person || type != kNone) {
    PushKind(!person && s_.resources[type].key_is_path ? TypeKind::kPath : TypeKind::kString);
    return Status::Ok();
  }
  // Of a type that is not known the key may be text of either form: enough to count by, not to
  // compare.
  DPL_NEED(use_->result == CodeUse::Result::kKey, kCode,
           "the key of a resource of unknown type is read");
  PushKind(TypeKind::kString);
  return Status::Ok();
}

Status CodeProof::Binary(Opcode op) {
  Slot a, b;
  DPL_RETURN_IF_ERROR(Pop(&b));
  DPL_RETURN_IF_ERROR(Pop(&a));
  std::optional<AbsType> type = types_.Binary(op, a.type, b.type);
  DPL_NEED(type.has_value(), kCode, "{} of values of these types has no meaning", info_->name);
  DPL_NEED(work_.Take(a.cover.size() + b.cover.size()), "bundle.size",
           "the proof of all code takes too long");
  Cover cover;
  if (op == Opcode::kAnd) cover = Cover::Narrower(a.cover, b.cover);
  if (op == Opcode::kOr) {
    cover = std::move(a.cover);
    cover.Widen(b.cover);
  }
  Push(*type, std::move(cover));
  return Status::Ok();
}

Status CodeProof::Text() {
  DPL_RETURN_IF_ERROR(PopOf(TypeKind::kString));
  PushTruth();
  return Status::Ok();
}

Status CodeProof::Call() {
  const BuiltinInfo& builtin = InfoOf(static_cast<Builtin>(operands_[0]));
  DPL_NEED(operands_[1] == builtin.params.size(), kCode, "{} takes {} arguments", builtin.name,
           builtin.params.size());
  for (size_t i = builtin.params.size(); i-- > 0;) DPL_RETURN_IF_ERROR(PopOf(builtin.params[i]));
  PushKind(builtin.result);
  return Status::Ok();
}

Status CodeProof::MakeSet() {
  AbsType element = kBottom;
  for (uint32_t i = 0; i < operands_[0]; ++i) {
    Slot slot;
    DPL_RETURN_IF_ERROR(Pop(&slot));
    std::optional<AbsType> joined = types_.Join(element, slot.type);
    DPL_NEED(joined.has_value(), kCode, "a set of values of two types");
    element = *joined;
  }
  AbsType set = types_.Of(TypeKind::kSet, kNone, {element});
  DPL_NEED(types_.depth(set) <= kMaxTypeDepth, kCode, "sets are nested too deep");
  Push(set);
  return Status::Ok();
}

Status CodeProof::MakeRecord() {
  std::vector<AbsType> fields;
  for (uint32_t i = 0; i < operands_[0]; ++i) {
    Slot slot;
    DPL_RETURN_IF_ERROR(Pop(&slot));
    fields.push_back(slot.type);
  }
  std::reverse(fields.begin(), fields.end());
  AbsType record = types_.Of(TypeKind::kRecord, kNone, std::move(fields));
  DPL_NEED(types_.depth(record) <= kMaxTypeDepth, kCode, "records are nested too deep");
  Push(record);
  return Status::Ok();
}

}  // namespace dpl::verify
