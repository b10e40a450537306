// The types the proof of code works with: those of the schema by structure, plus "only ⊥". Internal
// to this room.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "runtime/bytecode/opcode.h"
#include "runtime/bytecode/program.h"

namespace dpl::verify {

using AbsType = uint32_t;       // index into TypeTable
constexpr AbsType kBottom = 0;  // no value at all: ⊥, or the element of an empty set

// Structural types, interned: equal types have equal indices. A resource whose type is not known
// has index kNone; the machine compares its type when an attribute of a given type is asked of it.
class TypeTable {
 public:
  explicit TypeTable(const Program& program);

  AbsType Of(TypeKind kind, uint32_t index = kNone, std::vector<AbsType> parts = {});
  AbsType OfSchema(TypeId type);  // types of the schema must be checked before
  AbsType OfConstant(uint32_t constant);

  TypeKind kind(AbsType t) const { return defs_[t].kind; }
  bool Is(AbsType t, TypeKind kind) const { return t != kBottom && defs_[t].kind == kind; }
  bool MayBe(AbsType t, TypeKind kind) const { return t == kBottom || defs_[t].kind == kind; }
  uint32_t index(AbsType t) const { return defs_[t].index; }
  AbsType element(AbsType set) const { return set == kBottom ? kBottom : defs_[set].parts[0]; }
  const std::vector<AbsType>& parts(AbsType t) const { return defs_[t].parts; }
  uint32_t depth(AbsType t) const { return depths_[t]; }  // of sets and records within each other

  // One type for two values that meet; nullopt when there is none.
  std::optional<AbsType> Join(AbsType a, AbsType b);
  // The result of `op` on two values; nullopt when it has none. Any of them may be kBottom.
  std::optional<AbsType> Binary(Opcode op, AbsType a, AbsType b);
  bool CanNegate(AbsType t) const;

 private:
  struct Def {
    TypeKind kind = TypeKind::kBool;
    uint32_t index = kNone;
    std::vector<AbsType> parts;
    auto operator<=>(const Def&) const = default;
  };
  bool IsOrdered(AbsType t) const;
  bool IsIn(AbsType inner, AbsType outer);

  const Program& program_;
  std::vector<Def> defs_;
  std::vector<uint32_t> depths_;
  std::map<Def, AbsType> ids_;
  std::vector<AbsType> of_schema_;  // memo; kNone: not yet
};

}  // namespace dpl::verify
