#include "runtime/bytecode/verify_types.h"

#include <algorithm>

namespace dpl::verify {

TypeTable::TypeTable(const Program& program)
    : program_(program), of_schema_(program.schema.types.size(), kNone) {
  defs_.push_back({TypeKind::kBool, kNone, {kNone}});  // kBottom: equal to no type that can be made
  depths_.push_back(0);
}

AbsType TypeTable::Of(TypeKind kind, uint32_t index, std::vector<AbsType> parts) {
  Def def{kind, index, std::move(parts)};
  auto [at, fresh] = ids_.emplace(def, static_cast<AbsType>(defs_.size()));
  if (!fresh) return at->second;
  uint32_t depth = 0;
  for (AbsType part : def.parts) depth = std::max(depth, depths_[part] + 1);
  depths_.push_back(depth);
  defs_.push_back(std::move(def));
  return at->second;
}

// The schema's types nest at most kMaxTypeDepth deep, which bounds the recursion.
AbsType TypeTable::OfSchema(TypeId type) {
  if (of_schema_[type] != kNone) return of_schema_[type];
  const TypeDef& def = program_.schema.types[type];
  AbsType result = kBottom;
  switch (def.kind) {
    case TypeKind::kSet:
      result = Of(TypeKind::kSet, kNone, {OfSchema(def.index)});
      break;
    case TypeKind::kRecord: {
      std::vector<AbsType> fields;
      for (TypeId field : program_.schema.records[def.index].types)
        fields.push_back(OfSchema(field));
      result = Of(TypeKind::kRecord, kNone, std::move(fields));
      break;
    }
    case TypeKind::kEnum:
    case TypeKind::kResource:
      result = Of(def.kind, def.index);
      break;
    default:
      result = Of(def.kind);
      break;
  }
  of_schema_[type] = result;
  return result;
}

AbsType TypeTable::OfConstant(uint32_t constant) {
  const Constant& c = program_.constants[constant];
  switch (c.kind) {
    case Constant::Kind::kBool:
      return Of(TypeKind::kBool);
    case Constant::Kind::kInt:
      return Of(TypeKind::kInt);
    case Constant::Kind::kDecimal:
      return Of(TypeKind::kDecimal);
    case Constant::Kind::kMoney:
      return Of(TypeKind::kMoney);
    case Constant::Kind::kString:
    case Constant::Kind::kPattern:
      return Of(TypeKind::kString);
    case Constant::Kind::kDate:
      return Of(TypeKind::kDate);
    case Constant::Kind::kDateTime:
      return Of(TypeKind::kDateTime);
    case Constant::Kind::kTime:
      return Of(TypeKind::kTime);
    case Constant::Kind::kDuration:
      return Of(TypeKind::kDuration);
    case Constant::Kind::kEnum:
      return Of(TypeKind::kEnum, c.extra);
    case Constant::Kind::kPath:
      return Of(TypeKind::kPath);
    case Constant::Kind::kIp:
      return Of(TypeKind::kIp);
    case Constant::Kind::kPerson:
      return Of(TypeKind::kPerson);
    case Constant::Kind::kResource:
      return Of(TypeKind::kResource, c.extra);
    case Constant::Kind::kTeam:
      return Of(TypeKind::kTeam);
    case Constant::Kind::kRole:
      return Of(TypeKind::kRole);
    case Constant::Kind::kAgent:
      return Of(TypeKind::kAgent);
    case Constant::Kind::kSet:
      return Of(TypeKind::kSet, kNone, {c.elements.empty() ? kBottom : OfConstant(c.elements[0])});
  }
  return kBottom;
}

std::optional<AbsType> TypeTable::Join(AbsType a, AbsType b) {
  if (a == b || b == kBottom) return a;
  if (a == kBottom) return b;
  if (kind(a) == TypeKind::kSet && kind(b) == TypeKind::kSet) {
    std::optional<AbsType> joined = Join(element(a), element(b));
    if (!joined) return std::nullopt;
    return Of(TypeKind::kSet, kNone, {*joined});
  }
  if (kind(a) == TypeKind::kResource && kind(b) == TypeKind::kResource)
    return Of(TypeKind::kResource);
  return std::nullopt;
}

bool TypeTable::IsOrdered(AbsType t) const {
  switch (kind(t)) {
    case TypeKind::kInt:
    case TypeKind::kDecimal:
    case TypeKind::kMoney:
    case TypeKind::kDate:
    case TypeKind::kDateTime:
    case TypeKind::kTime:
    case TypeKind::kDuration:
      return true;
    case TypeKind::kEnum:
      return program_.schema.enums[index(t)].ordered;
    default:
      return false;
  }
}

bool TypeTable::CanNegate(AbsType t) const {
  return t == kBottom || kind(t) == TypeKind::kInt || kind(t) == TypeKind::kDecimal ||
         kind(t) == TypeKind::kMoney || kind(t) == TypeKind::kDuration;
}

// x in y: an element of a set, or a thing within another of its kind.
bool TypeTable::IsIn(AbsType inner, AbsType outer) {
  if (outer == kBottom) return true;
  if (kind(outer) == TypeKind::kSet) return Join(inner, element(outer)).has_value();
  if (inner == kBottom) return true;
  switch (kind(outer)) {
    case TypeKind::kRole:
      return kind(inner) == TypeKind::kPerson;
    case TypeKind::kResource:
    case TypeKind::kPerson:
    case TypeKind::kTeam:
    case TypeKind::kPath:
    case TypeKind::kIp:
      return kind(inner) == kind(outer);
    default:
      return false;
  }
}

std::optional<AbsType> TypeTable::Binary(Opcode op, AbsType a, AbsType b) {
  AbsType truth = Of(TypeKind::kBool);
  switch (op) {
    case Opcode::kEq:
    case Opcode::kNe:
      if (!Join(a, b)) return std::nullopt;
      return truth;
    case Opcode::kLt:
    case Opcode::kLe:
    case Opcode::kGt:
    case Opcode::kGe: {
      std::optional<AbsType> joined = Join(a, b);
      if (!joined || (*joined != kBottom && !IsOrdered(*joined))) return std::nullopt;
      return truth;
    }
    case Opcode::kIn:
      if (!IsIn(a, b)) return std::nullopt;
      return truth;
    case Opcode::kAnd:
    case Opcode::kOr:
      if (!MayBe(a, TypeKind::kBool) || !MayBe(b, TypeKind::kBool)) return std::nullopt;
      return truth;
    case Opcode::kInTeamValue:
      if (!(MayBe(a, TypeKind::kPerson) || Is(a, TypeKind::kTeam)) || !MayBe(b, TypeKind::kTeam))
        return std::nullopt;
      return truth;
    default:
      break;
  }
  if (op != Opcode::kAdd && op != Opcode::kSub && op != Opcode::kMul) return std::nullopt;
  if (a == kBottom || b == kBottom) return kBottom;
  struct Row {
    Opcode op;
    TypeKind a, b, result;
  };
  using enum TypeKind;
  static constexpr Row kRows[] = {
      {Opcode::kAdd, kInt, kInt, kInt},
      {Opcode::kAdd, kDecimal, kDecimal, kDecimal},
      {Opcode::kAdd, kMoney, kMoney, kMoney},
      {Opcode::kAdd, kDuration, kDuration, kDuration},
      {Opcode::kAdd, kDateTime, kDuration, kDateTime},
      {Opcode::kAdd, kDuration, kDateTime, kDateTime},
      {Opcode::kSub, kInt, kInt, kInt},
      {Opcode::kSub, kDecimal, kDecimal, kDecimal},
      {Opcode::kSub, kMoney, kMoney, kMoney},
      {Opcode::kSub, kDuration, kDuration, kDuration},
      {Opcode::kSub, kDateTime, kDateTime, kDuration},
      {Opcode::kSub, kDateTime, kDuration, kDateTime},
      {Opcode::kMul, kInt, kInt, kInt},
      {Opcode::kMul, kDecimal, kDecimal, kDecimal},
      {Opcode::kMul, kMoney, kInt, kMoney},
      {Opcode::kMul, kInt, kMoney, kMoney},
      {Opcode::kMul, kDuration, kInt, kDuration},
      {Opcode::kMul, kInt, kDuration, kDuration},
  };
  for (const Row& row : kRows) {
    if (row.op == op && row.a == kind(a) && row.b == kind(b)) return Of(row.result);
  }
  return std::nullopt;
}

}  // namespace dpl::verify
