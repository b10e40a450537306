// One function per type; the messages say what was found and what was expected.
#include "runtime/facts/typing.h"

#include <algorithm>

#include "runtime/base/decimal.h"
#include "runtime/base/instant.h"
#include "runtime/base/ip.h"
#include "runtime/base/money.h"
#include "runtime/base/path.h"
#include "runtime/base/text.h"
#include "runtime/facts/ids.h"

namespace dpl {
namespace {

Error TypeError(const WireValue& wire, std::string message) {
  return Error{"type", std::move(message), wire.line, wire.column};
}
Error NoMemory(const WireValue& wire) {
  return Error{"memory", "the value does not fit into memory", wire.line, wire.column};
}
// What a message says was found: short texts as they are.
std::string Found(const WireValue& wire) {
  if (wire.is_string() && wire.text.size() <= 40) return Quote(wire.text);
  if (wire.is_number() && wire.text.size() <= 40) return "the number " + std::string(wire.text);
  switch (wire.kind) {
    case WireValue::Kind::kNull:
      return "null";
    case WireValue::Kind::kBool:
      return wire.boolean ? "true" : "false";
    case WireValue::Kind::kArray:
      return "an array";
    case WireValue::Kind::kObject:
      return "an object";
    case WireValue::Kind::kNumber:
      return "a number";
    case WireValue::Kind::kString:
      return "a text";
  }
  return "something else";
}
Error Expected(const WireValue& wire, std::string_view what) {
  return TypeError(wire, "found " + Found(wire) + ", expected " + std::string(what));
}

Result<Value> TypeMoney(const WireValue& wire) {
  constexpr std::string_view kForm = "an amount with its currency, as in \"5000.00 USD\"";
  Result<Money> money = Error{};
  if (wire.is_string()) {
    money = ParseMoneyText(wire.text);
  } else if (wire.is_object()) {
    const WireValue* amount = wire.Find("amount");
    const WireValue* minor = wire.Find("minor");
    const WireValue* currency = wire.Find("currency");
    if (wire.count != 2 || currency == nullptr || !currency->is_string() ||
        (amount == nullptr) == (minor == nullptr)) {
      return Expected(wire, "money as {\"amount\", \"currency\"} or {\"minor\", \"currency\"}");
    }
    if (amount != nullptr) {
      if (!amount->is_string()) return Expected(*amount, "an amount as text");
      money = ParseMoney(amount->text, currency->text);
    } else {
      if (!minor->is_number()) return Expected(*minor, "a whole number of minor units");
      Result<int64_t> units = ParseInt(minor->text);
      if (!units.ok()) return Expected(*minor, "a whole number of minor units");
      std::optional<uint16_t> index = CurrencyIndex(currency->text);
      if (!index) return Expected(*currency, "a currency code of ISO 4217");
      return Value::Int(ValueKind::kMoney, *units, *index);
    }
  } else {
    return Expected(wire, kForm);
  }
  if (!money.ok()) return Expected(wire, std::string(kForm) + " (" + money.error().message + ")");
  return Value::Int(ValueKind::kMoney, money->minor, money->currency);
}

Result<Value> CopyText(const WireValue& wire, ValueKind kind, std::string_view text,
                       const Typing& typing) {
  std::string_view copy = typing.arena->Copy(text);
  if (copy.data() == nullptr) return NoMemory(wire);
  return Value::Text(kind, copy);
}

template <class T>
Result<Value> FromParsed(const WireValue& wire, const Result<T>& parsed, ValueKind kind,
                         int64_t number, std::string_view what) {
  if (!parsed.ok()) return Expected(wire, std::string(what) + " (" + parsed.error().message + ")");
  return Value::Int(kind, number);
}

Result<Value> TypeTemporal(const WireValue& wire, TypeKind kind) {
  if (kind == TypeKind::kDate) {
    constexpr std::string_view kWhat = "a date, as in \"2026-11-20\"";
    if (!wire.is_string()) return Expected(wire, kWhat);
    Result<Date> r = ParseDate(wire.text);
    return FromParsed(wire, r, ValueKind::kDate, r.ok() ? r->days : 0, kWhat);
  }
  if (kind == TypeKind::kDateTime) {
    constexpr std::string_view kWhat =
        "a date and time with its offset, as in \"2026-11-20T15:00Z\"";
    if (!wire.is_string()) return Expected(wire, kWhat);
    Result<Instant> r = ParseInstant(wire.text);
    return FromParsed(wire, r, ValueKind::kDateTime, r.ok() ? r->us : 0, kWhat);
  }
  if (kind == TypeKind::kTime) {
    constexpr std::string_view kWhat = "a time of day, as in \"09:00\"";
    if (!wire.is_string()) return Expected(wire, kWhat);
    Result<TimeOfDay> r = ParseTime(wire.text);
    return FromParsed(wire, r, ValueKind::kTime, r.ok() ? r->us : 0, kWhat);
  }
  constexpr std::string_view kWhat = "a duration, as in \"90d\" or \"2h30m\"";
  if (!wire.is_string()) return Expected(wire, kWhat);
  Result<Duration> r = ParseDuration(wire.text);
  return FromParsed(wire, r, ValueKind::kDuration, r.ok() ? r->us : 0, kWhat);
}

Result<Value> TypeEnum(const WireValue& wire, uint32_t index, const Schema& schema) {
  const EnumDef& def = schema.enums[index];
  std::string what = "a member of " + std::string(schema.Text(def.name));
  if (!wire.is_string()) return Expected(wire, what);
  std::vector<std::string_view> names;
  for (uint32_t i = 0; i < def.members.size(); ++i) {
    std::string_view name = schema.Text(def.members[i]);
    if (name == wire.text) return Value::Int(ValueKind::kEnum, i, index);
  }
  for (Str member : def.members) names.push_back(schema.Text(member));
  return TypeError(wire,
                   "found " + Found(wire) + ", expected " + what + NearNameHint(wire.text, names));
}

// The id of a reference: a text, or an object with "id" and perhaps "type" ("properties" is the
// caller's affair).
Result<const WireValue*> ReferenceId(const WireValue& wire, std::string_view what,
                                     const WireValue** type) {
  *type = nullptr;
  if (wire.is_string()) return &wire;
  const WireValue* id = wire.Find("id");
  if (id == nullptr || !id->is_string()) {
    return Expected(wire, "the id of " + std::string(what) + ", as text or as {\"type\", \"id\"}");
  }
  for (uint32_t i = 0; i < wire.count; ++i) {
    std::string_view name = wire.members[i].name;
    if (name != "id" && name != "type" && name != "properties") {
      return TypeError(wire.members[i].value, "a reference has no member " + Quote(name));
    }
  }
  *type = wire.Find("type");
  if (*type != nullptr && !(*type)->is_string()) return Expected(**type, "a type name");
  return id;
}

Result<Value> TypeEntity(const WireValue& wire, const TypeDef& type, const Typing& typing) {
  const Schema& schema = typing.program.schema;
  bool person = type.kind == TypeKind::kPerson;
  std::string_view what =
      person ? std::string_view("a person") : schema.Text(schema.resources[type.index].name);
  const WireValue* named_type = nullptr;
  Result<const WireValue*> id = ReferenceId(wire, what, &named_type);
  if (!id.ok()) return id.error();
  if (named_type != nullptr) {
    std::string_view name = named_type->text;
    bool fits =
        person ? name == "Person" || typing.tables.names.Has(kPersonWireSpace, name)
               : name == what || typing.tables.names.Find(kResourceWireSpace, name) == type.index;
    if (!fits) return Expected(*named_type, "the type of " + std::string(what));
  }
  const WireValue& at = **id;
  const Entity* entity = nullptr;
  if (person) {
    Status status = CheckId(at.text);
    if (!status.ok()) return TypeError(at, status.error().message);
    entity = typing.entities->Person(at.text);
  } else {
    Result<std::string_view> canonical =
        CanonicalResourceId(schema, typing.tables, type.index, at.text);
    if (!canonical.ok()) return TypeError(at, canonical.error().message);
    entity = typing.entities->Resource(type.index, *canonical);
  }
  if (entity == nullptr) return NoMemory(wire);
  return Value::Of(person ? ValueKind::kPerson : ValueKind::kResource, entity);
}

Result<Value> TypeNamed(const WireValue& wire, TypeKind kind, const Typing& typing) {
  uint32_t space = kind == TypeKind::kTeam   ? kTeamSpace
                   : kind == TypeKind::kRole ? kRoleSpace
                                             : kAgentSpace;
  std::string_view what = kind == TypeKind::kTeam   ? "the name of a team"
                          : kind == TypeKind::kRole ? "the name of a role"
                                                    : "the name of an agent";
  if (!wire.is_string()) return Expected(wire, what);
  uint32_t index = typing.tables.names.Find(space, wire.text);
  if (index == kNone) return Expected(wire, what);
  ValueKind value_kind = kind == TypeKind::kTeam   ? ValueKind::kTeam
                         : kind == TypeKind::kRole ? ValueKind::kRole
                                                   : ValueKind::kAgent;
  return Value::Int(value_kind, index);
}

Result<Value> TypeLabels(const WireValue& wire, const Typing& typing) {
  if (!wire.is_object()) return Expected(wire, "an object of texts");
  if (wire.count > kMaxLabels) return TypeError(wire, "more than 64 labels");
  Value* items = typing.arena->NewArray<Value>(size_t{2} * wire.count);
  if (items == nullptr) return NoMemory(wire);
  for (uint32_t i = 0; i < wire.count; ++i) {
    const WireMember& member = wire.members[i];
    if (!member.value.is_string()) return Expected(member.value, "a text");
    if (!IsNfc(member.name) || !IsNfc(member.value.text)) {
      return TypeError(member.value, "a label is in Unicode normal form C");
    }
    Result<Value> key = CopyText(wire, ValueKind::kString, member.name, typing);
    Result<Value> value = CopyText(wire, ValueKind::kString, member.value.text, typing);
    if (!key.ok() || !value.ok()) return NoMemory(wire);
    // Insertion keeps the keys sorted; there are at most 64.
    uint32_t at = i;
    for (; at > 0 && key->text() < items[2 * at - 2].text(); --at) {
      items[2 * at] = items[2 * at - 2];
      items[2 * at + 1] = items[2 * at - 1];
    }
    items[2 * at] = *key;
    items[2 * at + 1] = *value;
  }
  return Value::Items(ValueKind::kLabels, items, wire.count);
}

Result<Value> TypeRecord(const WireValue& wire, uint32_t index, const Typing& typing) {
  const Schema& schema = typing.program.schema;
  const RecordDef& def = schema.records[index];
  if (!wire.is_object()) return Expected(wire, "an object (a record)");
  uint32_t count = static_cast<uint32_t>(def.names.size());
  Value* items = typing.arena->NewArray<Value>(count);
  if (items == nullptr) return NoMemory(wire);
  uint32_t used = 0;
  for (uint32_t i = 0; i < count; ++i) {
    std::string_view name = schema.Text(def.names[i]);
    const WireValue* field = wire.Find(name);
    if (field == nullptr) {
      if (!schema.types[def.types[i]].optional) {
        return TypeError(wire, "the record has no field " + Quote(name));
      }
      items[i] = Value::Absent();
      continue;
    }
    ++used;
    Result<Value> value = TypeWireValue(*field, def.types[i], typing);
    if (!value.ok()) return value.error();
    items[i] = *value;
  }
  if (typing.strict && used != wire.count) {
    std::vector<std::string_view> names;
    for (Str name : def.names) names.push_back(schema.Text(name));
    for (uint32_t i = 0; i < wire.count; ++i) {
      std::string_view name = wire.members[i].name;
      if (std::find(names.begin(), names.end(), name) == names.end()) {
        return TypeError(wire.members[i].value,
                         "the record has no field " + Quote(name) + NearNameHint(name, names));
      }
    }
  }
  return Value::Items(ValueKind::kRecord, items, count);
}

Result<Value> TypeSet(const WireValue& wire, TypeId element, const Typing& typing) {
  if (!wire.is_array()) return Expected(wire, "an array (a set)");
  if (wire.count > kMaxSetSize) return TypeError(wire, "a set has at most 1,024 elements");
  Value* items = typing.arena->NewArray<Value>(wire.count);
  if (items == nullptr) return NoMemory(wire);
  for (uint32_t i = 0; i < wire.count; ++i) {
    if (wire.items[i].is_null()) return Expected(wire.items[i], "an element of the set");
    Result<Value> value = TypeWireValue(wire.items[i], element, typing);
    if (!value.ok()) return value.error();
    items[i] = *value;
  }
  return Value::Items(ValueKind::kSet, items, MakeCanonicalSet(items, wire.count));
}

}  // namespace

Result<Value> TypeWireValue(const WireValue& wire, TypeId type_id, const Typing& typing) {
  const Schema& schema = typing.program.schema;
  const TypeDef& type = schema.types[type_id];
  if (wire.is_null()) {
    if (type.optional) return Value::Absent();
    return TypeError(wire, "found null, but a value is expected");
  }
  switch (type.kind) {
    case TypeKind::kBool:
      if (!wire.is_bool()) return Expected(wire, "true or false");
      return Value::Bool(wire.boolean);
    case TypeKind::kInt: {
      if (!wire.is_number()) return Expected(wire, "a whole number");
      Result<int64_t> r = ParseInt(wire.text, true);
      return FromParsed(wire, r, ValueKind::kInt, r.ok() ? *r : 0, "a whole number");
    }
    case TypeKind::kDecimal: {
      if (!wire.is_number()) return Expected(wire, "a number");
      Result<Decimal> r = ParseDecimal(wire.text, true);
      return FromParsed(wire, r, ValueKind::kDecimal, r.ok() ? r->micro : 0, "a number");
    }
    case TypeKind::kMoney:
      return TypeMoney(wire);
    case TypeKind::kString:
      if (!wire.is_string()) return Expected(wire, "a text");
      if (!IsNfc(wire.text)) return TypeError(wire, "the text is not in Unicode normal form C");
      return CopyText(wire, ValueKind::kString, wire.text, typing);
    case TypeKind::kDate:
    case TypeKind::kDateTime:
    case TypeKind::kTime:
    case TypeKind::kDuration:
      return TypeTemporal(wire, type.kind);
    case TypeKind::kEnum:
      return TypeEnum(wire, type.index, schema);
    case TypeKind::kSet:
      return TypeSet(wire, type.index, typing);
    case TypeKind::kRecord:
      return TypeRecord(wire, type.index, typing);
    case TypeKind::kPath: {
      if (!wire.is_string()) return Expected(wire, "a path as text");
      Result<std::string_view> path = CheckPath(wire.text);
      if (!path.ok()) return TypeError(wire, path.error().message);
      return CopyText(wire, ValueKind::kPath, *path, typing);
    }
    case TypeKind::kIp: {
      if (!wire.is_string()) return Expected(wire, "an IP address or block as text");
      Result<IpPrefix> ip = ParseIpPrefix(wire.text);
      if (!ip.ok()) return Expected(wire, "an IP address or block (" + ip.error().message + ")");
      const IpPrefix* kept = typing.arena->New<IpPrefix>(*ip);
      if (kept == nullptr) return NoMemory(wire);
      Value value;
      value.kind = ValueKind::kIp;
      value.ip = kept;
      return value;
    }
    case TypeKind::kLabels:
      return TypeLabels(wire, typing);
    case TypeKind::kPerson:
    case TypeKind::kResource:
      return TypeEntity(wire, type, typing);
    case TypeKind::kTeam:
    case TypeKind::kRole:
    case TypeKind::kAgent:
      return TypeNamed(wire, type.kind, typing);
    case TypeKind::kTask: {
      if (!wire.is_string()) return Expected(wire, "the id of a task");
      Status status = CheckId(wire.text);
      if (!status.ok()) return TypeError(wire, status.error().message);
      return CopyText(wire, ValueKind::kTask, wire.text, typing);
    }
  }
  return TypeError(wire, "the type of this value is unknown");
}

}  // namespace dpl
