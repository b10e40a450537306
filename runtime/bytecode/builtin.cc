#include "runtime/bytecode/builtin.h"

#include <iterator>

#include "runtime/base/result.h"

namespace dpl {
namespace {

struct Row {
  std::string_view name, signature;
  uint32_t cost;
  std::string_view meaning;
};
constexpr Row kRows[] = {
#define DPL_BUILTIN(name, signature, cost, meaning) {#name, signature, cost, meaning},
#include "runtime/bytecode/builtins.def"
#undef DPL_BUILTIN
};

TypeKind KindOf(std::string_view word) {
  if (word == "bool") return TypeKind::kBool;
  if (word == "int") return TypeKind::kInt;
  if (word == "decimal") return TypeKind::kDecimal;
  if (word == "money") return TypeKind::kMoney;
  if (word == "string") return TypeKind::kString;
  if (word == "date") return TypeKind::kDate;
  if (word == "datetime") return TypeKind::kDateTime;
  if (word == "time") return TypeKind::kTime;
  if (word == "duration") return TypeKind::kDuration;
  if (word == "set") return TypeKind::kSet;
  if (word == "path") return TypeKind::kPath;
  if (word == "ip") return TypeKind::kIp;
  if (word == "labels") return TypeKind::kLabels;
  DPL_CHECK(!"builtins.def: a signature names an unknown type");
  return TypeKind::kBool;
}

// "(a, b) -> c": words between brackets, then the word after the arrow.
BuiltinInfo Parse(Builtin id, const Row& row) {
  BuiltinInfo info{id, row.name, row.signature, {}, TypeKind::kBool, row.cost, row.meaning};
  auto is_word = [](char c) { return c >= 'a' && c <= 'z'; };
  bool closed = false;
  for (size_t at = 0; at < row.signature.size();) {
    if (row.signature[at] == ')') closed = true;
    if (!is_word(row.signature[at])) {
      ++at;
      continue;
    }
    size_t end = at;
    while (end < row.signature.size() && is_word(row.signature[end])) ++end;
    TypeKind kind = KindOf(row.signature.substr(at, end - at));
    if (closed)
      info.result = kind;
    else
      info.params.push_back(kind);
    at = end;
  }
  return info;
}

const std::vector<BuiltinInfo>& Table() {
  static const std::vector<BuiltinInfo> table = [] {
    std::vector<BuiltinInfo> rows;
    for (size_t i = 0; i < std::size(kRows); ++i)
      rows.push_back(Parse(static_cast<Builtin>(i), kRows[i]));
    return rows;
  }();
  return table;
}

}  // namespace

const int kBuiltinCount = static_cast<int>(std::size(kRows));

const BuiltinInfo& InfoOf(Builtin builtin) {
  DPL_CHECK(static_cast<size_t>(builtin) < Table().size());
  return Table()[static_cast<size_t>(builtin)];
}

const BuiltinInfo* FindBuiltin(std::string_view name) {
  for (const BuiltinInfo& info : Table()) {
    if (info.name == name) return &info;
  }
  return nullptr;
}

}  // namespace dpl
