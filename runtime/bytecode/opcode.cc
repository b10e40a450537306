#include "runtime/bytecode/opcode.h"

#include <algorithm>
#include <limits>

#include "runtime/base/result.h"
#include "runtime/bytecode/builtin.h"

namespace dpl {
namespace {

struct Operands {
  std::array<OperandKind, kMaxOperands> kinds{};
  uint8_t count = 0;
};

template <class... Kinds>
constexpr Operands List(Kinds... kinds) {
  static_assert(sizeof...(kinds) <= kMaxOperands);
  Operands list;
  ((list.kinds[list.count++] = kinds), ...);
  return list;
}

constexpr OpcodeInfo Row(std::string_view name, Operands operands, int pops, int pushes, int cost,
                         std::string_view meaning) {
  return {name,
          operands.kinds,
          operands.count,
          static_cast<int8_t>(pops),
          static_cast<int8_t>(pushes),
          static_cast<uint16_t>(cost),
          meaning};
}

using enum OperandKind;
constexpr OpcodeInfo kRows[] = {
#define DPL_OPCODE(name, operands, pops, pushes, cost, meaning) \
  Row(#name, List operands, pops, pushes, cost, meaning),
#include "runtime/bytecode/opcodes.def"
#undef DPL_OPCODE
};
constexpr int kRowCount = static_cast<int>(std::size(kRows));
static_assert(kRowCount <= 256);

}  // namespace

const int kOpcodeCount = kRowCount;

std::string_view OperandKindName(OperandKind kind) {
  switch (kind) {
    case OperandKind::kConst:
      return "const";
    case OperandKind::kStr:
      return "str";
    case OperandKind::kAttr:
      return "attr";
    case OperandKind::kType:
      return "type";
    case OperandKind::kTeam:
      return "team";
    case OperandKind::kRole:
      return "role";
    case OperandKind::kAgentIdx:
      return "agent";
    case OperandKind::kSlot:
      return "slot";
    case OperandKind::kTarget:
      return "target";
    case OperandKind::kZone:
      return "zone";
    case OperandKind::kCalendar:
      return "calendar";
    case OperandKind::kCount:
      return "count";
    case OperandKind::kBuiltin:
      return "builtin";
    case OperandKind::kEnumIdx:
      return "enum";
    case OperandKind::kPartnerIdx:
      return "partner";
  }
  return "";
}

const OpcodeInfo& InfoOf(Opcode op) {
  DPL_CHECK(static_cast<int>(op) < kRowCount);
  return kRows[static_cast<int>(op)];
}

std::optional<Opcode> OpcodeOfWord(uint32_t word) {
  if (word >= static_cast<uint32_t>(kRowCount)) return std::nullopt;
  return static_cast<Opcode>(word);
}

std::optional<Opcode> FindOpcode(std::string_view name) {
  for (int i = 0; i < kRowCount; ++i) {
    if (kRows[i].name == name) return static_cast<Opcode>(i);
  }
  return std::nullopt;
}

uint32_t StaticCost(const uint32_t* words, uint32_t size) {
  constexpr uint64_t kTop = std::numeric_limits<uint32_t>::max();
  uint64_t total = 0;
  uint64_t factor = 1;
  for (uint32_t at = 0; at < size;) {
    std::optional<Opcode> op = OpcodeOfWord(words[at]);
    if (!op || size - at < InfoOf(*op).words()) break;
    const OpcodeInfo& info = InfoOf(*op);
    if (*op == Opcode::kQuantBegin) {
      total += info.cost * factor;
      factor = std::min(factor * kMaxSetElements, kTop);
    } else {
      uint64_t cost = info.cost;
      if (*op == Opcode::kCallBuiltin && words[at + 1] < static_cast<uint32_t>(kBuiltinCount)) {
        cost += InfoOf(static_cast<Builtin>(words[at + 1])).cost;
      }
      total += cost * factor;
      // A factor that met the ceiling is not exact any more; the total is at its ceiling too then.
      if (*op == Opcode::kQuantNext) factor = std::max<uint64_t>(factor / kMaxSetElements, 1);
    }
    if (total >= kTop) return static_cast<uint32_t>(kTop);
    at += info.words();
  }
  return static_cast<uint32_t>(total);
}

}  // namespace dpl
