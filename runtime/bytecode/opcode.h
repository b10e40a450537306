// The instruction set as values: names, operands, stack effect and cost of each opcode, all read
// from opcodes.def.
//
//   const OpcodeInfo& info = InfoOf(Opcode::kPersonAttr);   // "PersonAttr", 1 operand of kind
//   kAttr, pops 1, pushes 1 uint32_t words = info.words();                          // the opcode
//   word and its operands
//
// The meaning of each is in docs/bytecode.md, which is printed from the same list.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace dpl {

enum class Opcode : uint8_t {
#define DPL_OPCODE(name, operands, pops, pushes, cost, meaning) k##name,
#include "runtime/bytecode/opcodes.def"
#undef DPL_OPCODE
};

enum class OperandKind : uint8_t {
  kConst,
  kStr,
  kAttr,
  kType,
  kTeam,
  kRole,
  kAgentIdx,
  kSlot,
  kTarget,
  kZone,
  kCalendar,
  kCount,
  kBuiltin,
  kEnumIdx,
  kPartnerIdx,
};
std::string_view OperandKindName(OperandKind kind);  // "const", "attr", …

constexpr int kMaxOperands = 3;
struct OpcodeInfo {
  std::string_view name;
  std::array<OperandKind, kMaxOperands> operands;
  uint8_t operand_count;
  int8_t pops, pushes;  // pops -1: as many as the kCount operand says
  uint16_t cost;        // steps
  std::string_view meaning;
  constexpr uint32_t words() const { return 1u + operand_count; }
};

extern const int kOpcodeCount;
const OpcodeInfo& InfoOf(Opcode op);
std::optional<Opcode> OpcodeOfWord(uint32_t word);        // nullopt: no such opcode
std::optional<Opcode> FindOpcode(std::string_view name);  // by its name in listings

// How a quantifier folds (the kCount operand of QuantBegin).
enum class Quantifier : uint32_t { kSome, kAll, kCount };

// What the machine offers one Code, and what a body of a quantifier may be multiplied by.
constexpr uint32_t kMaxStack = 64;
constexpr uint32_t kMaxLocals = 16;
constexpr uint32_t kMaxSetElements = 1024;
constexpr uint32_t kMaxCodeWords = 1u << 16;

// The worst-case steps of `size` words of well-formed code: each instruction once, a quantifier's
// body 1,024 times. Saturates at UINT32_MAX. Words that are no instructions end the sum (the
// verifier refuses them elsewhere).
uint32_t StaticCost(const uint32_t* words, uint32_t size);

}  // namespace dpl
