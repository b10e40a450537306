// Interning of the strings, constants and types of a model.
#include "compiler/check/model.h"

#include <functional>
#include <utility>

namespace dpl::check {

namespace {

uint64_t Mix(uint64_t hash, uint64_t value) {
  return (hash ^ value) * uint64_t{0x9e3779b97f4a7c15} + (hash >> 29);
}

uint64_t HashOf(const Constant& constant) {
  uint64_t hash = Mix(static_cast<uint64_t>(constant.kind), constant.extra);
  hash = Mix(hash, static_cast<uint64_t>(constant.number));
  for (uint32_t element : constant.elements) hash = Mix(hash, element);
  return Mix(hash, std::hash<std::string_view>()(constant.text)) >> 16;
}

}  // namespace

Str Model::AddString(std::string_view text) {
  if (text.empty()) return 0;
  uint64_t hash = std::hash<std::string_view>()(text);
  uint32_t found = string_ids_.Find(hash, [&](uint32_t id) { return schema.strings[id] == text; });
  if (found != kNone) return found;
  Str id = static_cast<Str>(schema.strings.size());
  schema.strings.emplace_back(text);
  string_ids_.Add(hash, id);
  return id;
}

uint32_t Model::AddConstant(Constant constant) {
  uint64_t hash = HashOf(constant);
  uint32_t found = constant_ids_.Find(hash, [&](uint32_t id) { return constants[id] == constant; });
  if (found != kNone) return found;
  uint32_t id = static_cast<uint32_t>(constants.size());
  constants.push_back(std::move(constant));
  constant_ids_.Add(hash, id);
  return id;
}

void Model::KeepConstants(size_t count) {
  if (constants.size() <= count) return;
  constants.resize(count);
  constant_ids_ = {};
  for (uint32_t id = 0; id < count; ++id) constant_ids_.Add(HashOf(constants[id]), id);
}

TypeId Model::AddType(TypeDef type) {
  uint64_t key = uint64_t{type.index} << 16 | uint64_t{static_cast<uint8_t>(type.kind)} << 8 |
                 uint64_t{type.optional};
  auto [at, fresh] = type_ids_.emplace(key, static_cast<TypeId>(schema.types.size()));
  if (fresh) schema.types.push_back(type);
  return at->second;
}

}  // namespace dpl::check
