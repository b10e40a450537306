// Ways through the code: one forward pass per use that follows types, stack, loops and subject keys
// instead of values.
//
// All jumps but a quantifier's own back edge go forward, so one pass in the order of the words sees
// every way into an instruction before the instruction itself. The back edge needs no second round:
// a loop's body may not reach below the stack it began with, and ends with that stack, so what
// holds on entry holds in every round.
#include <optional>

#include "runtime/bytecode/verify_code.h"

namespace dpl::verify {

Status CodeProof::Prove(const CodeUse& use) {
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
  return Error{error.code,
               fmt::format("code {} ({}) at word {}: {}", use.code, use.what, at_, error.message)};
}

Status CodeProof::Pass() {
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

Status CodeProof::Bounds(const Code& code) const {
  DPL_NEED(deepest_ <= code.max_stack && code.max_stack <= kMaxStack, kCode,
           "the stack grows to {}, recorded are {}", deepest_, code.max_stack);
  DPL_NEED(most_locals_ <= code.locals && code.locals <= kMaxLocals, kCode,
           "{} locals are used, recorded are {}", most_locals_, code.locals);
  uint32_t cost = StaticCost(words_, size_);
  DPL_NEED(cost <= code.cost, kCode, "the cost is {}, recorded are {}", cost, code.cost);
  return Status::Ok();
}

// What came out is what the place needs.
Status CodeProof::Outcome() {
  switch (use_->result) {
    case CodeUse::Result::kTruth:
      DPL_NEED(types_.MayBe(result_.type, TypeKind::kBool), kCode, "the result is no truth value");
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

Status CodeProof::Enter() {
  DPL_RETURN_IF_ERROR(EndLets());
  if (!pending_.empty() && pending_.begin()->first <= at_) {
    DPL_NEED(pending_.begin()->first == at_, kCode, "a jump goes to the middle of an instruction");
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

Status CodeProof::Merge(State* into, const State& from) {
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

Status CodeProof::JumpTo(uint32_t target, State state, bool error) {
  DPL_NEED(target >= next_ && target < size_, kCode, "a jump goes backward or outside the code");
  state.only_errors = error;
  // A jump to the end of a function's body leaves the body.
  for (size_t i = loops_.size(); i-- > 0 && loops_[i].let && loops_[i].end == target;) {
    if (state.loop != loops_[i].serial) break;
    DPL_NEED(state.stack.size() == loops_[i].base + 1, kCode,
             "a function's body does not leave one value");
    state.loop = i == 0 ? 0 : loops_[i - 1].serial;
  }
  uint64_t steps = 0;
  for (const Slot& slot : state.stack) steps += slot.cover.size();
  DPL_NEED(work_.Take(steps), "bundle.size", "the proof of all code takes too long");
  auto [at, fresh] = pending_.try_emplace(target);
  if (!fresh) return Merge(&at->second, state);
  at->second = std::move(state);
  return Status::Ok();
}

Status CodeProof::Pop(Slot* out) {
  size_t floor = loops_.empty() ? 0 : loops_.back().base;
  DPL_NEED(now_.stack.size() > floor, kCode, "{} takes more from the stack than there is",
           info_->name);
  *out = std::move(now_.stack.back());
  now_.stack.pop_back();
  return Status::Ok();
}

Status CodeProof::PopOf(TypeKind kind) {
  Slot slot;
  DPL_RETURN_IF_ERROR(Pop(&slot));
  DPL_NEED(types_.MayBe(slot.type, kind), kCode, "{} finds a value of another type", info_->name);
  return Status::Ok();
}

Status CodeProof::FreeSlot(uint32_t slot) const {
  for (const Loop& outer : loops_) DPL_NEED(outer.slot != slot, kCode, "local {} is in use", slot);
  return Status::Ok();
}

Status CodeProof::BeginLoop() {
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
  loop.result = types_.Of(
      operands_[0] == static_cast<uint32_t>(Quantifier::kCount) ? TypeKind::kInt : TypeKind::kBool);
  DPL_RETURN_IF_ERROR(FreeSlot(loop.slot));
  // A set that is ⊥ or empty has its result at once; the end is reached from QuantNext as well.
  State ending = now_;
  ending.stack.push_back({loop.result, Cover{}});
  DPL_RETURN_IF_ERROR(JumpTo(loop.end, std::move(ending)));
  most_locals_ = std::max<size_t>(most_locals_, loop.slot + 1);
  now_.loop = loop.serial;
  loops_.push_back(loop);
  return Status::Ok();
}

Status CodeProof::EndLoop() {
  DPL_NEED(!loops_.empty() && !loops_.back().let, kCode, "QuantNext without QuantBegin");
  Loop loop = loops_.back();
  DPL_RETURN_IF_ERROR(PopOf(TypeKind::kBool));
  DPL_NEED(operands_[0] == loop.body && next_ == loop.end && now_.stack.size() == loop.base, kCode,
           "QuantNext does not fit its QuantBegin");
  loops_.pop_back();
  now_.loop = InnerLoop();
  Push(loop.result);
  return Status::Ok();
}

// The argument's type is the parameter's as long as the body lasts; what is ⊥ is the result at
// once.
Status CodeProof::BeginLet() {
  Slot argument;
  DPL_RETURN_IF_ERROR(Pop(&argument));
  Loop let;
  let.serial = next_serial_++;
  let.slot = operands_[0];
  let.end = operands_[1];
  let.base = now_.stack.size();
  let.element = argument.type;
  let.let = true;
  DPL_RETURN_IF_ERROR(FreeSlot(let.slot));
  State ending = now_;
  ending.stack.push_back({kBottom, Cover{}});
  DPL_RETURN_IF_ERROR(JumpTo(let.end, std::move(ending)));
  most_locals_ = std::max<size_t>(most_locals_, let.slot + 1);
  now_.loop = let.serial;
  loops_.push_back(let);
  return Status::Ok();
}

// Where bodies of functions end, their parameters end.
Status CodeProof::EndLets() {
  while (!loops_.empty() && loops_.back().let && loops_.back().end == at_) {
    Loop let = loops_.back();
    loops_.pop_back();
    if (!live_) continue;
    DPL_NEED(now_.loop == let.serial && now_.stack.size() == let.base + 1, kCode,
             "a function's body does not leave one value");
    now_.loop = InnerLoop();
  }
  return Status::Ok();
}

}  // namespace dpl::verify
