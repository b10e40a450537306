// The proof of code: one forward pass per use that follows types, stack, loops and subject keys
// instead of values.
//
// All jumps but a quantifier's own back edge go forward, so one pass in the order of the words sees
// every way into an instruction before the instruction itself. The back edge needs no second round:
// a loop's body may not reach below the stack it began with, and ends with that stack, so what
// holds on entry holds in every round.
#include <algorithm>
#include <array>
#include <map>
#include <optional>

#include "runtime/bytecode/builtin.h"
#include "runtime/bytecode/opcode.h"
#include "runtime/bytecode/verify_parts.h"
#include "runtime/bytecode/verify_types.h"

namespace dpl::verify {
namespace {

constexpr const char* kCode = "bundle.code";
constexpr uint32_t kErrorKinds = 7;  // ErrorKind of runtime/facts/value.h

// Keys of which a request must have one for a truth value to be anything but F. `any`: no such keys
// are known.
struct Cover {
  bool any = true;
  std::vector<SubjectKey> keys;  // sorted; only when !any

  static Cover Never() { return {false, {}}; }
  static Cover Only(SubjectKey key) { return {false, {key}}; }
  size_t size() const { return keys.size() + 1; }

  // Either value may be the one that counts.
  void Widen(const Cover& other) {
    if (any || other.any) {
      *this = Cover{};
      return;
    }
    std::vector<SubjectKey> both;
    std::set_union(keys.begin(), keys.end(), other.keys.begin(), other.keys.end(),
                   std::back_inserter(both));
    keys = std::move(both);
  }
  // Both must be more than F, so either one's keys are enough.
  static const Cover& Narrower(const Cover& a, const Cover& b) {
    if (a.any) return b;
    if (b.any) return a;
    return a.keys.size() <= b.keys.size() ? a : b;
  }
};

struct Slot {
  AbsType type = kBottom;
  Cover cover;
};

struct State {
  std::vector<Slot> stack;
  uint32_t loop = 0;        // serial of the innermost open loop, 0: none
  bool only_errors = true;  // every way here is a Branch that met ⊥
};

struct Loop {
  uint32_t serial = 0, body = 0, end = 0, slot = 0;
  size_t base = 0;  // depth of the stack its body must not reach below
  AbsType element = kBottom, result = kBottom;
};

class CodeProof {
 public:
  CodeProof(const Program& program, TypeTable* types, Work* work)
      : p_(program), s_(program.schema), types_(*types), work_(*work) {}

  Status Prove(const CodeUse& use) {
    use_ = &use;
    const Code& code = p_.codes[use.code];
    words_ = p_.code.data() + code.offset;
    size_ = code.size;
    pending_.clear();
    loops_.clear();
    next_serial_ = 1;
    deepest_ = most_locals_ = 0;
    live_ = true;
    now_ = State{};
    now_.only_errors = false;
    Status status = Pass();
    if (status.ok()) status = Bounds(code);
    if (status.ok()) status = Outcome();
    if (status.ok()) return status;
    const Error& error = status.error();
    return Error{error.code, fmt::format("code {} ({}) at word {}: {}", use.code, use.what, at_,
                                         error.message)};
  }

 private:
  Status Pass() {
    for (at_ = 0; at_ < size_;) {
      std::optional<Opcode> op = OpcodeOfWord(words_[at_]);
      DPL_NEED(op.has_value(), kCode, "{} is no opcode", words_[at_]);
      info_ = &InfoOf(*op);
      DPL_NEED(size_ - at_ >= info_->words(), kCode, "{} ends outside the code", info_->name);
      operands_ = words_ + at_ + 1;
      next_ = at_ + info_->words();
      DPL_RETURN_IF_ERROR(Enter());
      DPL_NEED(work_.Take(now_.stack.size() + 1), "bundle.size",
               "the proof of all code takes too long");
      DPL_NEED((*op == Opcode::kReturn) == (next_ == size_), kCode,
               "Return is the last instruction and no other");
      DPL_RETURN_IF_ERROR(Operands());
      DPL_RETURN_IF_ERROR(Step(*op));
      deepest_ = std::max(deepest_, now_.stack.size());
      DPL_NEED(deepest_ <= kMaxStack, kCode, "the stack grows beyond {}", kMaxStack);
      at_ = next_;
    }
    DPL_NEED(size_ > 0 && words_[size_ - 1] == static_cast<uint32_t>(Opcode::kReturn) && !live_,
             kCode, "the code does not end in Return");
    return Status::Ok();
  }

  Status Bounds(const Code& code) const {
    DPL_NEED(deepest_ <= code.max_stack && code.max_stack <= kMaxStack, kCode,
             "the stack grows to {}, recorded are {}", deepest_, code.max_stack);
    DPL_NEED(most_locals_ <= code.locals && code.locals <= kMaxLocals, kCode,
             "{} locals are used, recorded are {}", most_locals_, code.locals);
    uint32_t cost = StaticCost(words_, size_);
    DPL_NEED(cost <= code.cost, kCode, "the cost is {}, recorded are {}", cost, code.cost);
    return Status::Ok();
  }

  // What came out is what the place needs.
  Status Outcome() {
    switch (use_->result) {
      case CodeUse::Result::kTruth:
        DPL_NEED(types_.MayBe(result_.type, TypeKind::kBool), kCode,
                 "the result is no truth value");
        break;
      case CodeUse::Result::kMeasure: {
        TypeKind kind = types_.kind(result_.type);
        bool countable = kind == TypeKind::kInt || kind == TypeKind::kDecimal ||
                         kind == TypeKind::kMoney || kind == TypeKind::kDuration;
        bool fits =
            use_->measure == kNone ? countable : s_.types[use_->measure].kind == kind && countable;
        DPL_NEED(result_.type == kBottom || fits, kCode,
                 "the result has another type than what it bounds");
        break;
      }
      case CodeUse::Result::kKey:
        break;
    }
    if (use_->keys == nullptr || (*use_->keys)[0].kind == KeyKind::kAny) return Status::Ok();
    bool covered =
        !result_.cover.any && std::includes(use_->keys->begin(), use_->keys->end(),
                                            result_.cover.keys.begin(), result_.cover.keys.end());
    DPL_NEED(covered, "bundle.keys",
             "the subject can hold for a request that the keys would not find it for");
    return Status::Ok();
  }

  // ---- ways in and out
  Status Enter() {
    if (!pending_.empty() && pending_.begin()->first <= at_) {
      DPL_NEED(pending_.begin()->first == at_, kCode,
               "a jump goes to the middle of an instruction");
      State arriving = std::move(pending_.begin()->second);
      pending_.erase(pending_.begin());
      if (live_) DPL_RETURN_IF_ERROR(Merge(&arriving, now_));
      now_ = std::move(arriving);
      live_ = true;
    }
    DPL_NEED(live_, kCode, "nothing leads to this instruction");
    DPL_NEED(now_.loop == InnerLoop(), kCode, "a jump leaves or enters a quantifier");
    return Status::Ok();
  }

  Status Merge(State* into, const State& from) {
    DPL_NEED(into->loop == from.loop && into->stack.size() == from.stack.size(), kCode,
             "two ways meet with different stacks");
    uint64_t steps = 0;
    for (size_t i = 0; i < into->stack.size(); ++i) {
      Slot& a = into->stack[i];
      const Slot& b = from.stack[i];
      steps += a.cover.size() + b.cover.size();
      std::optional<AbsType> type = types_.Join(a.type, b.type);
      DPL_NEED(type.has_value(), kCode, "two ways meet with different types");
      a.type = *type;
      a.cover.Widen(b.cover);
    }
    DPL_NEED(work_.Take(steps), "bundle.size", "the proof of all code takes too long");
    into->only_errors = into->only_errors && from.only_errors;
    return Status::Ok();
  }

  Status JumpTo(uint32_t target, State state, bool error = false) {
    DPL_NEED(target >= next_ && target < size_, kCode, "a jump goes backward or outside the code");
    state.only_errors = error;
    uint64_t steps = 0;
    for (const Slot& slot : state.stack) steps += slot.cover.size();
    DPL_NEED(work_.Take(steps), "bundle.size", "the proof of all code takes too long");
    auto [at, fresh] = pending_.try_emplace(target);
    if (!fresh) return Merge(&at->second, state);
    at->second = std::move(state);
    return Status::Ok();
  }

  uint32_t InnerLoop() const { return loops_.empty() ? 0 : loops_.back().serial; }

  // ---- the stack
  Status Pop(Slot* out) {
    size_t floor = loops_.empty() ? 0 : loops_.back().base;
    DPL_NEED(now_.stack.size() > floor, kCode, "{} takes more from the stack than there is",
             info_->name);
    *out = std::move(now_.stack.back());
    now_.stack.pop_back();
    return Status::Ok();
  }
  void Push(AbsType type, Cover cover = {}) { now_.stack.push_back({type, std::move(cover)}); }
  void PushKind(TypeKind kind) { Push(types_.Of(kind)); }
  void PushTruth(Cover cover = {}) { Push(types_.Of(TypeKind::kBool), std::move(cover)); }

  Status PopOf(TypeKind kind) {
    Slot slot;
    DPL_RETURN_IF_ERROR(Pop(&slot));
    DPL_NEED(types_.MayBe(slot.type, kind), kCode, "{} finds a value of another type", info_->name);
    return Status::Ok();
  }

  // ---- operands: each within what it indexes
  Status Operands() {
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

  Status NeedConstant(Constant::Kind kind) {
    DPL_NEED(p_.constants[operands_[0]].kind == kind, kCode, "{} has a constant of another kind",
             info_->name);
    return Status::Ok();
  }

  Result<AbsType> Attribute(const std::vector<AttributeDef>& list, uint32_t index) {
    DPL_NEED(index < list.size(), kCode, "{}: there is no attribute {}", info_->name, index);
    return types_.OfSchema(list[index].type);
  }

  // ---- one instruction
  Status Step(Opcode op) {
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
        DPL_NEED(operands_[0] < types_.parts(record.type).size(), kCode,
                 "the record has no field {}", operands_[0]);
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
        jumping.stack.push_back(
            {top.type, op == Opcode::kSkipIfFalse ? Cover::Never() : top.cover});
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

  Status PushAttribute(const std::vector<AttributeDef>& list, uint32_t index) {
    Result<AbsType> type = Attribute(list, index);
    if (!type.ok()) return type.error();
    Push(*type);
    return Status::Ok();
  }

  Status PopResource(uint32_t type) {
    Slot slot;
    DPL_RETURN_IF_ERROR(Pop(&slot));
    DPL_NEED(types_.MayBe(slot.type, TypeKind::kResource), kCode,
             "{} finds a value of another type", info_->name);
    bool same =
        slot.type == kBottom || types_.index(slot.type) == kNone || types_.index(slot.type) == type;
    DPL_NEED(same, kCode, "{} finds a resource of another type", info_->name);
    return Status::Ok();
  }

  // Where one of several tasks is open, they must agree on the parameter.
  Status TaskParam(bool is_scope) {
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

  Status EntityKey() {
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

  Status Binary(Opcode op) {
    Slot a, b;
    DPL_RETURN_IF_ERROR(Pop(&b));
    DPL_RETURN_IF_ERROR(Pop(&a));
    std::optional<AbsType> type = types_.Binary(op, a.type, b.type);
    DPL_NEED(type.has_value(), kCode, "{} of values of these types has no meaning", info_->name);
    Cover cover;
    if (op == Opcode::kAnd) cover = Cover::Narrower(a.cover, b.cover);
    if (op == Opcode::kOr) {
      DPL_NEED(work_.Take(a.cover.size() + b.cover.size()), "bundle.size",
               "the proof of all code takes too long");
      cover = std::move(a.cover);
      cover.Widen(b.cover);
    }
    Push(*type, std::move(cover));
    return Status::Ok();
  }

  Status Text() {
    DPL_RETURN_IF_ERROR(PopOf(TypeKind::kString));
    PushTruth();
    return Status::Ok();
  }

  Status Call() {
    const BuiltinInfo& builtin = InfoOf(static_cast<Builtin>(operands_[0]));
    DPL_NEED(operands_[1] == builtin.params.size(), kCode, "{} takes {} arguments", builtin.name,
             builtin.params.size());
    for (size_t i = builtin.params.size(); i-- > 0;) DPL_RETURN_IF_ERROR(PopOf(builtin.params[i]));
    PushKind(builtin.result);
    return Status::Ok();
  }

  Status MakeSet() {
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

  Status MakeRecord() {
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

  Status BeginLoop() {
    Slot set;
    DPL_RETURN_IF_ERROR(Pop(&set));
    DPL_NEED(types_.MayBe(set.type, TypeKind::kSet), kCode,
             "a quantifier over something that is no set");
    DPL_NEED(operands_[0] <= static_cast<uint32_t>(Quantifier::kCount), kCode,
             "there is no quantifier {}", operands_[0]);
    Loop loop;
    loop.serial = next_serial_++;
    loop.body = next_;
    loop.slot = operands_[1];
    loop.end = operands_[2];
    loop.base = now_.stack.size();
    loop.element = types_.element(set.type);
    loop.result =
        types_.Of(operands_[0] == static_cast<uint32_t>(Quantifier::kCount) ? TypeKind::kInt
                                                                            : TypeKind::kBool);
    for (const Loop& outer : loops_)
      DPL_NEED(outer.slot != loop.slot, kCode, "local {} is in use", loop.slot);
    // A set that is ⊥ or empty has its result at once; the end is reached from QuantNext as well.
    State ending = now_;
    ending.stack.push_back({loop.result, Cover{}});
    DPL_RETURN_IF_ERROR(JumpTo(loop.end, std::move(ending)));
    most_locals_ = std::max<size_t>(most_locals_, loop.slot + 1);
    now_.loop = loop.serial;
    loops_.push_back(loop);
    return Status::Ok();
  }

  Status EndLoop() {
    DPL_NEED(!loops_.empty(), kCode, "QuantNext without QuantBegin");
    Loop loop = loops_.back();
    DPL_RETURN_IF_ERROR(PopOf(TypeKind::kBool));
    DPL_NEED(operands_[0] == loop.body && next_ == loop.end && now_.stack.size() == loop.base,
             kCode, "QuantNext does not fit its QuantBegin");
    loops_.pop_back();
    now_.loop = InnerLoop();
    Push(loop.result);
    return Status::Ok();
  }

  const Program& p_;
  const Schema& s_;
  TypeTable& types_;
  Work& work_;
  const CodeUse* use_ = nullptr;
  const uint32_t* words_ = nullptr;
  uint32_t size_ = 0, at_ = 0, next_ = 0;
  const OpcodeInfo* info_ = nullptr;
  const uint32_t* operands_ = nullptr;
  std::map<uint32_t, State> pending_;  // by word: what arrives there by jumps
  std::vector<Loop> loops_;
  uint32_t next_serial_ = 1;
  size_t deepest_ = 0, most_locals_ = 0;
  bool live_ = false;  // whether the instruction before leads here
  State now_;
  Slot result_;
};

}  // namespace

Result<TypeId> ParamType(const Program& program, const CodeUse& use, Str name, Work* work) {
  const Schema& schema = program.schema;
  TypeId found = kNone;
  auto look = [&](const ActionDef& action) -> Status {
    DPL_NEED(work->Take(action.params.size() + 1), "bundle.size",
             "the proof of all code takes too long");
    for (const ParamDef& param : action.params) {
      if (param.name != name) continue;
      auto plain = [&](TypeId type) {
        TypeDef def = schema.types[type];
        def.optional = false;
        return def;
      };
      DPL_NEED(found == kNone || plain(found) == plain(param.type), kCode,
               "the parameter {} has two types", schema.Text(name));
      found = param.type;
    }
    return Status::Ok();
  };
  auto look_in = [&](const Clause& clause) -> Status {
    for (uint32_t action : clause.actions)
      DPL_RETURN_IF_ERROR(look(schema.resources[clause.type].actions[action]));
    return Status::Ok();
  };
  if (use.clause != kNone) {
    DPL_RETURN_IF_ERROR(look_in(program.clauses[use.clause]));
  } else if (use.statement != kNone) {
    for (uint32_t c : program.statements[use.statement].clauses)
      DPL_RETURN_IF_ERROR(look_in(program.clauses[c]));
  } else {
    for (const ResourceDef& resource : schema.resources) {
      for (const ActionDef& action : resource.actions) DPL_RETURN_IF_ERROR(look(action));
    }
  }
  return found;
}

Status Codes(const Program& program, const std::vector<CodeUse>& uses) {
  // The codes lie one behind the other and fill the words.
  uint64_t offset = 0;
  for (size_t i = 0; i < program.codes.size(); ++i) {
    const Code& code = program.codes[i];
    DPL_NEED(code.offset == offset && code.size > 0 && code.size <= kMaxCodeWords &&
                 offset + code.size <= program.code.size(),
             kCode, "code {} does not lie where the one before it ends", i);
    offset += code.size;
  }
  DPL_NEED(offset == program.code.size(), kCode, "there are words that belong to no code");
  std::vector<bool> used(program.codes.size(), false);
  TypeTable types(program);
  Work work(program);
  CodeProof proof(program, &types, &work);
  for (const CodeUse& use : uses) {
    used[use.code] = true;
    DPL_RETURN_IF_ERROR(proof.Prove(use));
  }
  for (size_t i = 0; i < used.size(); ++i)
    DPL_NEED(used[i], kCode, "code {} is used by nothing", i);
  return Status::Ok();
}

}  // namespace dpl::verify
