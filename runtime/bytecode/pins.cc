// Follows the code of a condition once, forward, with pins in place of truth values. Whatever is
// odd about the code ends it without any pin: then it is always tried.
#include "runtime/bytecode/pins.h"

#include <algorithm>
#include <map>
#include <optional>

#include "runtime/bytecode/opcode.h"
#include "runtime/bytecode/program.h"

namespace dpl {
namespace {

constexpr uint32_t kMaxWords = 512;    // longer code is not looked into
constexpr size_t kMaxValues = 64;      // a longer list pins nothing
constexpr size_t kMaxPinsOfCode = 16;  // further paths are dropped

using Kind = PinPath::Kind;

// What stands on the machine's stack, as far as it matters.
struct Slot {
  enum class Is : uint8_t { kUnknown, kPerson, kResource, kPath, kConstant, kTruth };
  Is is = Is::kUnknown;
  PinPath path;               // kPath
  uint32_t constant = kNone;  // kConstant
  bool is_false = false;      // kTruth: F on every way here
  Pins pins;                  // kTruth
};

struct State {
  std::vector<Slot> stack;
  std::array<Slot, kMaxLocals> locals;
};

bool Same(const Slot& a, const Slot& b) {
  return a.is == b.is && a.is != Slot::Is::kTruth && a.path == b.path && a.constant == b.constant;
}

// Kinds whose equality is the same as sharing a pin value; money of two currencies is ⊥.
bool Pinned(Constant::Kind kind) {
  switch (kind) {
    case Constant::Kind::kBool:
    case Constant::Kind::kInt:
    case Constant::Kind::kDecimal:
    case Constant::Kind::kString:
    case Constant::Kind::kPath:
    case Constant::Kind::kDate:
    case Constant::Kind::kDateTime:
    case Constant::Kind::kTime:
    case Constant::Kind::kDuration:
    case Constant::Kind::kEnum:
    case Constant::Kind::kPerson:
    case Constant::Kind::kResource:
    case Constant::Kind::kTeam:
    case Constant::Kind::kRole:
    case Constant::Kind::kAgent:
      return true;
    default:
      return false;
  }
}

// … and of these, the kinds that `in` compares by equality; the others contain one another.
bool PinnedInSet(Constant::Kind kind) {
  return Pinned(kind) && kind != Constant::Kind::kPath && kind != Constant::Kind::kResource &&
         kind != Constant::Kind::kTeam;
}

uint64_t ValueOf(const Constant& c) {
  switch (c.kind) {
    case Constant::Kind::kString:
    case Constant::Kind::kPath:
      return PinValue(std::string_view(c.text));
    case Constant::Kind::kPerson:
      return PinValueOfPerson(c.text);
    case Constant::Kind::kResource:
      return PinValueOfResource(c.extra, c.text);
    default:
      return PinValue(c.number);
  }
}

// F when either is F: both lists hold. Of two on one path the shorter rules out more.
Pins Both(const Pins& a, const Pins& b) {
  Pins out = a;
  for (const Pin& pin : b) {
    auto at = std::lower_bound(out.begin(), out.end(), pin.path,
                               [](const Pin& p, const PinPath& path) { return p.path < path; });
    if (at != out.end() && at->path == pin.path) {
      if (pin.values.size() < at->values.size()) *at = pin;
    } else if (out.size() < kMaxPinsOfCode) {
      out.insert(at, pin);
    }
  }
  return out;
}

// F only when both are: what both pin, with the values of both.
Pins Either(const Pins& a, const Pins& b) {
  Pins out;
  for (const Pin& x : a) {
    for (const Pin& y : b) {
      if (x.path != y.path) continue;
      Pin pin{x.path, {}};
      std::set_union(x.values.begin(), x.values.end(), y.values.begin(), y.values.end(),
                     std::back_inserter(pin.values));
      if (pin.values.size() <= kMaxValues) out.push_back(std::move(pin));
    }
  }
  return out;
}

class Follower {
 public:
  Follower(const Program& program, uint32_t type) : p_(program), type_(type) {}

  Pins Follow(const Code& code) {
    if (code.size > kMaxWords || code.size > p_.code.size() ||
        code.offset > p_.code.size() - code.size)
      return {};
    words_ = p_.code.data() + code.offset;
    size_ = code.size;
    Slot result;
    return Walk(&result) ? std::move(result.pins) : Pins();
  }

 private:
  static Slot Path(Kind kind, uint32_t id) {
    Slot slot;
    slot.is = Slot::Is::kPath;
    slot.path = {kind, id};
    return slot;
  }
  static Slot Of(Slot::Is is) {
    Slot slot;
    slot.is = is;
    return slot;
  }
  static Slot Pinning(std::initializer_list<PinPath> paths, std::vector<uint64_t> values) {
    Slot slot = Of(Slot::Is::kTruth);
    std::sort(values.begin(), values.end());
    values.erase(std::unique(values.begin(), values.end()), values.end());
    for (const PinPath& path : paths) slot.pins.push_back({path, values});
    return slot;
  }

  // A slot as the truth it may be.
  Slot Truth(const Slot& slot) const {
    if (slot.is == Slot::Is::kTruth) return slot;
    Slot truth = Of(Slot::Is::kTruth);
    if (slot.is == Slot::Is::kConstant) {
      const Constant& c = p_.constants[slot.constant];
      truth.is_false = c.kind == Constant::Kind::kBool && c.number == 0;
    }
    return truth;
  }
  static Slot And(const Slot& a, const Slot& b) {
    Slot out = Of(Slot::Is::kTruth);
    out.is_false = a.is_false || b.is_false;
    out.pins = Both(a.pins, b.pins);
    return out;
  }
  // Where two ways meet, and for `or`: what holds for both. F on one way leaves what the other
  // says.
  static Slot Or(const Slot& a, const Slot& b) {
    if (a.is_false) return b;
    if (b.is_false) return a;
    Slot out = Of(Slot::Is::kTruth);
    out.pins = Either(a.pins, b.pins);
    return out;
  }
  void Meet(Slot* into, const Slot& from) const {
    if (Same(*into, from)) return;
    *into = Or(Truth(*into), Truth(from));
  }
  bool Meet(State* into, const State& from) const {
    if (into->stack.size() != from.stack.size()) return false;
    for (size_t i = 0; i < into->stack.size(); ++i) Meet(&into->stack[i], from.stack[i]);
    for (size_t i = 0; i < kMaxLocals; ++i) {
      if (!Same(into->locals[i], from.locals[i])) into->locals[i] = Slot();
    }
    return true;
  }
  bool JumpTo(uint32_t target, State state) {
    if (target <= at_ || target >= size_) return false;
    auto [at, fresh] = pending_.try_emplace(target);
    if (!fresh) return Meet(&at->second, state);
    at->second = std::move(state);
    return true;
  }

  bool Pop(Slot* out) {
    if (now_.stack.empty()) return false;
    *out = std::move(now_.stack.back());
    now_.stack.pop_back();
    return true;
  }
  void Push(Slot slot) { now_.stack.push_back(std::move(slot)); }
  bool IsConstant(uint32_t index) const { return index < p_.constants.size(); }

  // a == b, where one of them is a constant.
  Slot Equal(const Slot& a, const Slot& b) const {
    if (a.is == Slot::Is::kConstant && b.is != Slot::Is::kConstant) return Equal(b, a);
    if (b.is != Slot::Is::kConstant) return Slot();
    const Constant& c = p_.constants[b.constant];
    if (!Pinned(c.kind)) return Slot();
    switch (a.is) {
      case Slot::Is::kPath:
        // The key of a resource is compared with the resource's own.
        if (a.path.kind == Kind::kResource || a.path.kind == Kind::kPerson) return Key(a.path, c);
        return Pinning({a.path}, {ValueOf(c)});
      case Slot::Is::kPerson:
        if (c.kind != Constant::Kind::kPerson) return Slot();
        return Pinning({{Kind::kPerson, 0}}, {ValueOf(c)});
      case Slot::Is::kResource:
        if (c.kind != Constant::Kind::kResource) return Slot();
        return Pinning({{Kind::kResource, 0}}, {ValueOf(c)});
      default:
        return Slot();
    }
  }
  Slot Key(const PinPath& path, const Constant& c) const {
    if (c.kind != Constant::Kind::kString && c.kind != Constant::Kind::kPath) return Slot();
    return Pinning({path}, {path.kind == Kind::kPerson ? PinValueOfPerson(c.text)
                                                       : PinValueOfResource(type_, c.text)});
  }
  // x in y, where one of them is a constant.
  Slot In(const Slot& x, const Slot& y) const {
    if (y.is == Slot::Is::kConstant) {
      const Constant& set = p_.constants[y.constant];
      if (set.kind == Constant::Kind::kTeam && x.is == Slot::Is::kPerson)
        return Pinning({{Kind::kTeam, 0}}, {PinValue(set.number)});
      if (set.kind == Constant::Kind::kRole && x.is == Slot::Is::kPerson)
        return Pinning({{Kind::kRole, 0}}, {PinValue(set.number)});
      if (set.kind == Constant::Kind::kResource && x.is == Slot::Is::kResource)
        return Pinning({{Kind::kAbove, 0}}, {ValueOf(set)});
      if (set.kind != Constant::Kind::kSet || set.elements.size() > kMaxValues) return Slot();
      std::vector<uint64_t> values;
      PinPath path = x.path;
      for (uint32_t element : set.elements) {
        if (!IsConstant(element) || !PinnedInSet(p_.constants[element].kind)) return Slot();
        const Constant& c = p_.constants[element];
        if (x.is == Slot::Is::kPerson && c.kind == Constant::Kind::kPerson) {
          path = {Kind::kPerson, 0};
          values.push_back(ValueOf(c));
        } else if (x.is == Slot::Is::kPath &&
                   (path.kind == Kind::kResource || path.kind == Kind::kPerson)) {
          Slot key = Key(path, c);
          if (key.is != Slot::Is::kTruth) return Slot();
          values.push_back(key.pins[0].values[0]);
        } else if (x.is == Slot::Is::kPath) {
          values.push_back(ValueOf(c));
        } else {
          return Slot();
        }
      }
      if (x.is != Slot::Is::kPath && values.empty()) return Slot();
      return Pinning({path}, std::move(values));
    }
    if (x.is != Slot::Is::kConstant || y.is != Slot::Is::kPath) return Slot();
    const Constant& c = p_.constants[x.constant];
    if (!PinnedInSet(c.kind)) return Slot();
    switch (y.path.kind) {
      case Kind::kResourceAttr:
        return Pinning({{Kind::kResourceSet, y.path.id}}, {ValueOf(c)});
      case Kind::kPersonAttr:
        return Pinning({{Kind::kPersonSet, y.path.id}}, {ValueOf(c)});
      case Kind::kParam:
        return Pinning({{Kind::kParamSet, y.path.id}}, {ValueOf(c)});
      case Kind::kContext:
        return Pinning({{Kind::kContextSet, y.path.id}}, {ValueOf(c)});
      default:
        return Slot();
    }
  }

  // False: something is odd. *result: what the code leaves.
  bool Walk(Slot* result) {
    bool live = true;
    for (at_ = 0; at_ < size_;) {
      if (auto here = pending_.find(at_); here != pending_.end()) {
        if (live && !Meet(&here->second, now_)) return false;
        now_ = std::move(here->second);
        pending_.erase(here);
        live = true;
      }
      if (!pending_.empty() && pending_.begin()->first < at_) return false;
      std::optional<Opcode> op = OpcodeOfWord(words_[at_]);
      if (!op || !live || size_ - at_ < InfoOf(*op).words()) return false;
      const uint32_t* operand = words_ + at_ + 1;
      uint32_t next = at_ + InfoOf(*op).words();
      Slot a, b;
      switch (*op) {
        case Opcode::kReturn:
          if (!Pop(&a) || next != size_ || !pending_.empty()) return false;
          *result = Truth(a);
          return true;
        case Opcode::kPushConst:
          if (!IsConstant(operand[0])) return false;
          a = Of(Slot::Is::kConstant);
          a.constant = operand[0];
          Push(std::move(a));
          break;
        case Opcode::kLoadPerson:
          Push(Of(Slot::Is::kPerson));
          break;
        case Opcode::kLoadResource:
          Push(Of(Slot::Is::kResource));
          break;
        case Opcode::kLoadParam:
          Push(Path(Kind::kParam, operand[0]));
          break;
        case Opcode::kLoadContext:
          Push(Path(Kind::kContext, operand[0]));
          break;
        case Opcode::kLoadLocal:
          if (operand[0] >= kMaxLocals) return false;
          Push(now_.locals[operand[0]]);
          break;
        case Opcode::kPersonAttr:
          if (!Pop(&a)) return false;
          Push(a.is == Slot::Is::kPerson ? Path(Kind::kPersonAttr, operand[0]) : Slot());
          break;
        case Opcode::kResourceAttr:
          if (!Pop(&a)) return false;
          Push(a.is == Slot::Is::kResource && operand[0] == type_
                   ? Path(Kind::kResourceAttr, operand[1])
                   : Slot());
          break;
        case Opcode::kEntityKey:
          if (!Pop(&a)) return false;
          Push(a.is == Slot::Is::kPerson     ? Path(Kind::kPerson, 0)
               : a.is == Slot::Is::kResource ? Path(Kind::kResource, 0)
                                             : Slot());
          break;
        case Opcode::kEq:
          if (!Pop(&b) || !Pop(&a)) return false;
          Push(Equal(a, b));
          break;
        case Opcode::kIn:
          if (!Pop(&b) || !Pop(&a)) return false;
          Push(In(a, b));
          break;
        case Opcode::kInTeam:
        case Opcode::kInRole:
          if (!Pop(&a)) return false;
          Push(a.is == Slot::Is::kPerson
                   ? Pinning({{*op == Opcode::kInTeam ? Kind::kTeam : Kind::kRole, 0}},
                             {PinValue(int64_t{operand[0]})})
                   : Slot());
          break;
        case Opcode::kSubjTeam:
        case Opcode::kSubjRole:
          Push(Pinning({{*op == Opcode::kSubjTeam ? Kind::kSubjectTeam : Kind::kSubjectRole, 0}},
                       {PinValue(int64_t{operand[0]})}));
          break;
        case Opcode::kSubjPerson:
          if (!IsConstant(operand[0]) || p_.constants[operand[0]].kind != Constant::Kind::kPerson)
            return false;
          Push(Pinning({{Kind::kSubject, 0}}, {ValueOf(p_.constants[operand[0]])}));
          break;
        case Opcode::kResourceIs: {
          if (!IsConstant(operand[0])) return false;
          const Constant& c = p_.constants[operand[0]];
          uint64_t value =
              c.kind == Constant::Kind::kResource ? ValueOf(c) : PinValueOfResource(type_, c.text);
          Push(Pinning({{Kind::kResource, 0}, {Kind::kAbove, 0}}, {value}));
          break;
        }
        case Opcode::kResourceIn:
          if (!IsConstant(operand[0]) || p_.constants[operand[0]].kind != Constant::Kind::kResource)
            return false;
          Push(Pinning({{Kind::kAbove, 0}}, {ValueOf(p_.constants[operand[0]])}));
          break;
        case Opcode::kAnd:
        case Opcode::kOr:
          if (!Pop(&b) || !Pop(&a)) return false;
          Push(*op == Opcode::kAnd ? And(Truth(a), Truth(b)) : Or(Truth(a), Truth(b)));
          break;
        case Opcode::kSkipIfFalse: {
          if (now_.stack.empty()) return false;
          State skipped = now_;
          Slot no = Of(Slot::Is::kTruth);
          no.is_false = true;
          skipped.stack.back() = std::move(no);
          if (!JumpTo(operand[0], std::move(skipped))) return false;
          break;
        }
        case Opcode::kSkipIfTrue:
          if (now_.stack.empty() || !JumpTo(operand[0], now_)) return false;
          break;
        case Opcode::kBranch:
          if (!Pop(&a) || !JumpTo(operand[0], now_) || !JumpTo(operand[1], now_)) return false;
          break;
        case Opcode::kJump:
          if (!JumpTo(operand[0], std::move(now_))) return false;
          now_ = State();
          live = false;
          break;
        case Opcode::kQuantBegin:
          // No jump leaves or enters its body: it leaves one value, and nothing is known of that.
          if (!Pop(&a) || operand[2] <= at_ || operand[2] >= size_) return false;
          Push(Slot());
          now_.locals = {};
          next = operand[2];
          break;
        case Opcode::kLet:
          if (!Pop(&a) || operand[0] >= kMaxLocals) return false;
          {
            State ended = now_;
            ended.stack.push_back(Slot());
            if (!JumpTo(operand[1], std::move(ended))) return false;
          }
          now_.locals[operand[0]] = std::move(a);
          break;
        case Opcode::kQuantNext:
          return false;
        default: {
          // Whatever else there is: of what it leaves nothing is known.
          const OpcodeInfo& info = InfoOf(*op);
          size_t pops =
              info.pops >= 0 ? static_cast<size_t>(info.pops) : operand[info.operand_count - 1];
          if (pops > now_.stack.size()) return false;
          now_.stack.resize(now_.stack.size() - pops);
          for (int i = 0; i < info.pushes; ++i) Push(Slot());
          break;
        }
      }
      if (now_.stack.size() > kMaxStack) return false;
      at_ = next;
    }
    return false;
  }

  const Program& p_;
  const uint32_t type_;
  const uint32_t* words_ = nullptr;
  uint32_t size_ = 0, at_ = 0;
  State now_;
  std::map<uint32_t, State> pending_;
};

}  // namespace

Pins PinsOf(const Program& program, const Clause& clause) {
  Pins pins;
  auto add = [&](uint32_t code) {
    if (code != kNone)
      pins = Both(pins, Follower(program, clause.type).Follow(program.codes[code]));
  };
  add(clause.subject_code);
  const Statement& statement = program.statements[clause.statement];
  if (clause.role == ClauseRole::kDelegationMay && statement.kind == StatementKind::kDelegation)
    add(program.delegations[statement.detail].from_code);
  add(clause.scope_code);
  add(clause.where_code);
  return pins;
}

}  // namespace dpl
