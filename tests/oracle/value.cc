// Values of the oracle; see value.h.
#include "tests/oracle/value.h"

#include <algorithm>

#include "runtime/base/decimal.h"
#include "runtime/base/instant.h"
#include "runtime/base/money.h"
#include "runtime/base/path.h"

namespace dpl::oracle {

using Kind = Val::Kind;

Val Fail(Val::Err err) {
  Val v;
  v.err = err;
  return v;
}
Val MakeBool(bool b) { return MakeNumber(Kind::kBool, b ? 1 : 0); }
Val MakeTruth(Truth t) {
  return t == Truth::kUnknown ? Fail(Val::Err::kMissing) : MakeBool(t == Truth::kTrue);
}
Val MakeNumber(Kind kind, int64_t i, uint32_t x) {
  Val v;
  v.kind = kind;
  v.i = i;
  v.x = x;
  return v;
}
Val MakeText(Kind kind, std::string s, uint32_t x) {
  Val v;
  v.kind = kind;
  v.s = std::move(s);
  v.x = x;
  return v;
}
Truth AsTruth(const Val& v) { return v.kind == Kind::kBool ? TruthOf(v.i != 0) : Truth::kUnknown; }

Truth Same(const Val& a, const Val& b) {
  if (a.kind != b.kind) return Truth::kFalse;
  switch (a.kind) {
    case Kind::kMoney:
      return a.x != b.x ? Truth::kUnknown : TruthOf(a.i == b.i);
    case Kind::kString:
    case Kind::kPath:
    case Kind::kPerson:
    case Kind::kTask:
      return TruthOf(a.s == b.s);
    case Kind::kResource:
      return TruthOf(a.x == b.x && a.s == b.s);
    case Kind::kIp:
      return TruthOf(a.ip == b.ip);
    case Kind::kRecord: {
      Truth all = Truth::kTrue;
      for (size_t n = 0; n < a.items.size(); ++n) all = And(all, Same(a.items[n], b.items[n]));
      return all;
    }
    case Kind::kSet: {
      if (a.items.size() != b.items.size()) return Truth::kFalse;
      for (const Val& x : a.items) {
        bool found = std::any_of(b.items.begin(), b.items.end(),
                                 [&](const Val& y) { return Same(x, y) == Truth::kTrue; });
        if (!found) return Truth::kFalse;
      }
      return Truth::kTrue;
    }
    default:
      return TruthOf(a.i == b.i);
  }
}

bool Less(const Val& a, const Val& b) { return a.i < b.i; }

Val MakeSet(std::vector<Val> items) {
  Val set;
  set.kind = Kind::kSet;
  for (Val& item : items) {
    bool seen = std::any_of(set.items.begin(), set.items.end(),
                            [&](const Val& have) { return Same(have, item) == Truth::kTrue; });
    if (!seen) set.items.push_back(std::move(item));
  }
  return set;
}

Val FromConstant(const check::Model& model, uint32_t constant) {
  const Constant& c = model.constants[constant];
  using C = Constant::Kind;
  switch (c.kind) {
    case C::kBool:
      return MakeBool(c.number != 0);
    case C::kInt:
      return MakeNumber(Kind::kInt, c.number);
    case C::kDecimal:
      return MakeNumber(Kind::kDecimal, c.number);
    case C::kMoney:
      return MakeNumber(Kind::kMoney, c.number, c.extra);
    case C::kString:
      return MakeText(Kind::kString, c.text);
    case C::kDate:
      return MakeNumber(Kind::kDate, c.number);
    case C::kDateTime:
      return MakeNumber(Kind::kDateTime, c.number);
    case C::kTime:
      return MakeNumber(Kind::kTime, c.number);
    case C::kDuration:
      return MakeNumber(Kind::kDuration, c.number);
    case C::kEnum:
      return MakeNumber(Kind::kEnum, c.number, c.extra);
    case C::kPath:
      return MakeText(Kind::kPath, c.text);
    case C::kIp: {
      Val v = MakeText(Kind::kIp, "");
      v.ip = ParseIpPrefix(c.text).value();
      return v;
    }
    case C::kPerson:
      return MakeText(Kind::kPerson, c.text);
    case C::kResource:
      return MakeText(Kind::kResource, c.text, c.extra);
    case C::kTeam:
      return MakeNumber(Kind::kTeam, c.number);
    case C::kRole:
      return MakeNumber(Kind::kRole, c.number);
    case C::kAgent:
      return MakeNumber(Kind::kAgent, c.number);
    case C::kPattern:
      return MakeText(Kind::kString, c.text);
    case C::kSet: {
      std::vector<Val> items;
      for (uint32_t element : c.elements) items.push_back(FromConstant(model, element));
      return MakeSet(std::move(items));
    }
  }
  return Fail(Val::Err::kMissing);
}

namespace {

std::optional<Val> TypeMoney(const WireValue& wire) {
  if (wire.is_string()) {
    Result<Money> money = ParseMoneyText(wire.text);
    if (!money.ok()) return std::nullopt;
    return MakeNumber(Kind::kMoney, money->minor, money->currency);
  }
  const WireValue* amount = wire.Find("amount");
  const WireValue* minor = wire.Find("minor");
  const WireValue* currency = wire.Find("currency");
  if (!wire.is_object() || wire.count != 2 || currency == nullptr || !currency->is_string())
    return std::nullopt;
  if (amount != nullptr && amount->is_string()) {
    Result<Money> money = ParseMoney(amount->text, currency->text);
    if (!money.ok()) return std::nullopt;
    return MakeNumber(Kind::kMoney, money->minor, money->currency);
  }
  if (minor == nullptr || !minor->is_number()) return std::nullopt;
  Result<int64_t> units = ParseInt(minor->text);
  std::optional<uint16_t> code = CurrencyIndex(currency->text);
  if (!units.ok() || !code) return std::nullopt;
  return MakeNumber(Kind::kMoney, *units, *code);
}

std::optional<std::string> ReferenceId(const WireValue& wire) {
  if (wire.is_string()) return std::string(wire.text);
  const WireValue* id = wire.Find("id");
  if (id == nullptr || !id->is_string()) return std::nullopt;
  return std::string(id->text);
}

}  // namespace

std::optional<Val> TypeWire(const check::Model& model, const WireValue& wire, TypeId type_id) {
  const Schema& schema = model.schema;
  const TypeDef& type = schema.types[type_id];
  if (wire.is_null()) {
    if (!type.optional) return std::nullopt;
    return MakeNumber(Kind::kAbsent, 0);
  }
  auto number = [](Kind kind, auto result, auto field) -> std::optional<Val> {
    if (!result.ok()) return std::nullopt;
    return MakeNumber(kind, field(*result));
  };
  switch (type.kind) {
    case TypeKind::kBool:
      if (!wire.is_bool()) return std::nullopt;
      return MakeBool(wire.boolean);
    case TypeKind::kInt:
      if (!wire.is_number()) return std::nullopt;
      return number(Kind::kInt, ParseInt(wire.text, true), [](int64_t n) { return n; });
    case TypeKind::kDecimal:
      if (!wire.is_number()) return std::nullopt;
      return number(Kind::kDecimal, ParseDecimal(wire.text, true),
                    [](Decimal d) { return d.micro; });
    case TypeKind::kMoney:
      return TypeMoney(wire);
    case TypeKind::kString:
      if (!wire.is_string()) return std::nullopt;
      return MakeText(Kind::kString, std::string(wire.text));
    case TypeKind::kDate:
      if (!wire.is_string()) return std::nullopt;
      return number(Kind::kDate, ParseDate(wire.text), [](Date d) { return d.days; });
    case TypeKind::kDateTime:
      if (!wire.is_string()) return std::nullopt;
      return number(Kind::kDateTime, ParseInstant(wire.text), [](Instant t) { return t.us; });
    case TypeKind::kTime:
      if (!wire.is_string()) return std::nullopt;
      return number(Kind::kTime, ParseTime(wire.text), [](TimeOfDay t) { return t.us; });
    case TypeKind::kDuration:
      if (!wire.is_string()) return std::nullopt;
      return number(Kind::kDuration, ParseDuration(wire.text), [](Duration d) { return d.us; });
    case TypeKind::kEnum: {
      if (!wire.is_string()) return std::nullopt;
      const EnumDef& def = schema.enums[type.index];
      for (uint32_t m = 0; m < def.members.size(); ++m) {
        if (schema.Text(def.members[m]) == wire.text) return MakeNumber(Kind::kEnum, m, type.index);
      }
      return std::nullopt;
    }
    case TypeKind::kSet: {
      if (!wire.is_array()) return std::nullopt;
      std::vector<Val> items;
      for (uint32_t n = 0; n < wire.count; ++n) {
        std::optional<Val> item = TypeWire(model, wire.items[n], type.index);
        if (!item || item->kind == Kind::kAbsent) return std::nullopt;
        items.push_back(std::move(*item));
      }
      return MakeSet(std::move(items));
    }
    case TypeKind::kRecord: {
      if (!wire.is_object()) return std::nullopt;
      const RecordDef& def = schema.records[type.index];
      Val record = MakeNumber(Kind::kRecord, 0);
      for (size_t n = 0; n < def.names.size(); ++n) {
        const WireValue* field = wire.Find(schema.Text(def.names[n]));
        WireValue null;
        std::optional<Val> value = TypeWire(model, field == nullptr ? null : *field, def.types[n]);
        if (!value) return std::nullopt;
        record.items.push_back(std::move(*value));
      }
      return record;
    }
    case TypeKind::kPath: {
      if (!wire.is_string()) return std::nullopt;
      Result<std::string> path = NormalizePath(wire.text);
      if (!path.ok()) return std::nullopt;
      return MakeText(Kind::kPath, *path);
    }
    case TypeKind::kIp: {
      if (!wire.is_string()) return std::nullopt;
      Result<IpPrefix> ip = ParseIpPrefix(wire.text);
      if (!ip.ok()) return std::nullopt;
      Val v = MakeText(Kind::kIp, "");
      v.ip = *ip;
      return v;
    }
    case TypeKind::kLabels: {
      if (!wire.is_object()) return std::nullopt;
      Val labels = MakeNumber(Kind::kLabels, 0);
      for (uint32_t n = 0; n < wire.count; ++n) {
        if (!wire.members[n].value.is_string()) return std::nullopt;
        labels.items.push_back(MakeText(Kind::kString, std::string(wire.members[n].name)));
        labels.items.push_back(MakeText(Kind::kString, std::string(wire.members[n].value.text)));
      }
      return labels;
    }
    case TypeKind::kPerson:
    case TypeKind::kResource: {
      std::optional<std::string> id = ReferenceId(wire);
      if (!id) return std::nullopt;
      if (type.kind == TypeKind::kPerson) return MakeText(Kind::kPerson, *id);
      return MakeText(Kind::kResource, *id, type.index);
    }
    case TypeKind::kTeam: {
      if (!wire.is_string()) return std::nullopt;
      uint32_t team = FindTeam(schema, wire.text);
      if (team == kNone) return std::nullopt;
      return MakeNumber(Kind::kTeam, team);
    }
    default:
      return std::nullopt;
  }
}

std::string KeyText(const Val& v) {
  switch (v.kind) {
    case Kind::kString:
    case Kind::kPath:
    case Kind::kPerson:
    case Kind::kTask:
      return v.s;
    case Kind::kResource:
      return std::to_string(v.x) + ":" + v.s;
    case Kind::kIp:
      return FormatIp(v.ip);
    case Kind::kMoney:
    case Kind::kEnum:
      return std::to_string(v.x) + ":" + std::to_string(v.i);
    default:
      return std::to_string(v.i);
  }
}

}  // namespace dpl::oracle
