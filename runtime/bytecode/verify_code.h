// The proof of code, as a class: its parts are in verify_flow.cc (ways through the code, stack,
// loops) and verify_ops.cc (what each instruction needs and leaves). Internal to this room.
#pragma once

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <map>
#include <vector>

#include "runtime/bytecode/opcode.h"
#include "runtime/bytecode/verify_parts.h"
#include "runtime/bytecode/verify_types.h"

namespace dpl::verify {

constexpr const char* kCode = "bundle.code";

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
  size_t base = 0;   // depth of the stack its body must not reach below
  bool let = false;  // no loop: a parameter, known until `end`, where its function's body has left
                     // one value
  AbsType element = kBottom, result = kBottom;
};

// Proves one use after another; `types` and `work` are shared by all of them.
class CodeProof {
 public:
  CodeProof(const Program& program, TypeTable* types, Work* work)
      : p_(program), s_(program.schema), types_(*types), work_(*work) {}
  Status Prove(const CodeUse& use);

 private:
  Status Pass();
  Status Bounds(const Code& code) const;
  Status Outcome();

  // ---- ways in and out
  Status Enter();
  Status Merge(State* into, const State& from);
  Status JumpTo(uint32_t target, State state, bool error = false);
  uint32_t InnerLoop() const { return loops_.empty() ? 0 : loops_.back().serial; }

  // ---- the stack
  Status Pop(Slot* out);
  void Push(AbsType type, Cover cover = {}) { now_.stack.push_back({type, std::move(cover)}); }
  void PushKind(TypeKind kind) { Push(types_.Of(kind)); }
  void PushTruth(Cover cover = {}) { Push(types_.Of(TypeKind::kBool), std::move(cover)); }
  Status PopOf(TypeKind kind);

  // ---- operands: each within what it indexes
  Status Operands();
  Status NeedConstant(Constant::Kind kind);
  Result<AbsType> Attribute(const std::vector<AttributeDef>& list, uint32_t index);

  // ---- one instruction
  Status Step(Opcode op);
  Status PushAttribute(const std::vector<AttributeDef>& list, uint32_t index);
  Status PopResource(uint32_t type);
  Status TaskParam(bool is_scope);
  Status EntityKey();
  Status Binary(Opcode op);
  Status Text();
  Status Call();
  Status MakeSet();
  Status MakeRecord();
  Status BeginLoop();
  Status EndLoop();
  Status FreeSlot(uint32_t slot) const;
  Status BeginLet();
  Status EndLets();

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

}  // namespace dpl::verify
