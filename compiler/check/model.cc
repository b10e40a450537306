// Interning of the strings, constants and types of a model.
#include "compiler/check/model.h"

#include <utility>

namespace dpl::check {

Str Model::AddString(std::string_view text) {
  if (text.empty()) return 0;
  auto found = string_ids_.find(text);
  if (found != string_ids_.end()) return found->second;
  Str id = static_cast<Str>(schema.strings.size());
  schema.strings.emplace_back(text);
  string_ids_.emplace(std::string(text), id);
  return id;
}

uint32_t Model::AddConstant(Constant constant) {
  std::string key = std::to_string(static_cast<int>(constant.kind)) + ":" +
                    std::to_string(constant.number) + ":" + std::to_string(constant.extra) + ":";
  for (uint32_t element : constant.elements) key += std::to_string(element) + ",";
  key += ":" + constant.text;
  auto [at, fresh] = constant_ids_.emplace(std::move(key), constants.size());
  if (fresh) constants.push_back(std::move(constant));
  return at->second;
}

TypeId Model::AddType(TypeDef type) {
  for (TypeId i = 0; i < schema.types.size(); ++i) {
    if (schema.types[i] == type) return i;
  }
  schema.types.push_back(type);
  return static_cast<TypeId>(schema.types.size() - 1);
}

}  // namespace dpl::check
