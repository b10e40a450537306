// The built-in functions as values: names, parsed signatures and costs, all read from builtins.def.
//
//   const BuiltinInfo* info = FindBuiltin("starts_with");   // null: no such function
//   info->params                                            // {kString, kString}; info->result
//   kBool
//
// A signature names plain types only; `set` is a set of anything.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "runtime/bytecode/schema.h"

namespace dpl {

enum class Builtin : uint8_t {
#define DPL_BUILTIN(name, signature, cost, meaning) k_##name,
#include "runtime/bytecode/builtins.def"
#undef DPL_BUILTIN
};

struct BuiltinInfo {
  Builtin id{};
  std::string_view name;
  std::string_view signature;  // as in the list: "(string, string) -> bool"
  std::vector<TypeKind> params;
  TypeKind result = TypeKind::kBool;
  uint32_t cost = 0;  // steps, on top of CallBuiltin's own
  std::string_view meaning;
};

extern const int kBuiltinCount;
const BuiltinInfo& InfoOf(Builtin builtin);
const BuiltinInfo* FindBuiltin(std::string_view name);

}  // namespace dpl
