// Order, equality and text of values.
#include "runtime/facts/value.h"

#include <algorithm>
#include <cstring>

#include "runtime/base/decimal.h"
#include "runtime/base/instant.h"
#include "runtime/base/money.h"
#include "runtime/base/text.h"
#include "runtime/facts/snapshot.h"

namespace dpl {
namespace {

int Sign(int64_t a, int64_t b) { return a < b ? -1 : a > b ? 1 : 0; }

int CompareText(std::string_view a, std::string_view b) {
  int c = a.compare(b);
  return c < 0 ? -1 : c > 0 ? 1 : 0;
}

int CompareEntities(const Entity& a, const Entity& b) {
  if (&a == &b) return 0;
  if (a.is_person != b.is_person) return a.is_person ? -1 : 1;
  if (a.type != b.type) return a.type < b.type ? -1 : 1;
  return CompareText(a.id, b.id);
}

// Sets and records nest at most as deep as a type declaration does, so this recursion is bounded by
// the schema.
int CompareItems(const Value* a, uint32_t a_count, const Value* b, uint32_t b_count,
                 bool* comparable) {
  uint32_t common = a_count < b_count ? a_count : b_count;
  int result = 0;
  for (uint32_t i = 0; i < common; ++i) {
    int c = CompareValues(a[i], b[i], comparable);
    if (result == 0) result = c;
  }
  return result != 0 ? result : Sign(a_count, b_count);
}

void AppendItems(std::string* out, const Value* items, uint32_t n, const Schema& schema) {
  for (uint32_t i = 0; i < n; ++i) {
    if (i != 0) *out += ", ";
    AppendValue(out, items[i], schema);
  }
}

std::string_view NameAt(const Schema& schema, Str name) {
  return name < schema.strings.size() ? schema.Text(name) : std::string_view();
}

}  // namespace

const char* ErrorKindName(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kMissing:
      return "missing";
    case ErrorKind::kStale:
      return "stale";
    case ErrorKind::kRange:
      return "range";
    case ErrorKind::kCurrency:
      return "currency";
    case ErrorKind::kEmpty:
      return "empty";
    case ErrorKind::kContainment:
      return "containment";
    case ErrorKind::kMembership:
      return "membership";
  }
  return "unknown";
}

int CompareValues(const Value& a, const Value& b, bool* comparable) {
  if (a.kind != b.kind) {
    // An absent field of a record differs from any value; anything else of two kinds is no
    // comparison.
    if (a.kind != ValueKind::kAbsent && b.kind != ValueKind::kAbsent) *comparable = false;
    return Sign(static_cast<int>(a.kind), static_cast<int>(b.kind));
  }
  switch (a.kind) {
    case ValueKind::kUnset:
    case ValueKind::kError:
      *comparable = false;
      return 0;
    case ValueKind::kAbsent:
      return 0;
    case ValueKind::kBool:
    case ValueKind::kInt:
    case ValueKind::kDecimal:
    case ValueKind::kDate:
    case ValueKind::kDateTime:
    case ValueKind::kTime:
    case ValueKind::kDuration:
    case ValueKind::kTeam:
    case ValueKind::kRole:
    case ValueKind::kAgent:
      return Sign(a.i, b.i);
    case ValueKind::kMoney:
      if (a.n != b.n) {
        *comparable = false;
        return a.n < b.n ? -1 : 1;
      }
      return Sign(a.i, b.i);
    case ValueKind::kEnum:
      if (a.n != b.n) {
        *comparable = false;
        return a.n < b.n ? -1 : 1;
      }
      return Sign(a.i, b.i);
    case ValueKind::kString:
    case ValueKind::kPath:
    case ValueKind::kTask:
      return CompareText(a.text(), b.text());
    case ValueKind::kSet:
      if (a.n != b.n) {
        CompareItems(a.items, a.n, b.items, b.n, comparable);
        return a.n < b.n ? -1 : 1;
      }
      return CompareItems(a.items, a.n, b.items, b.n, comparable);
    case ValueKind::kRecord:
      return CompareItems(a.items, a.n, b.items, b.n, comparable);
    case ValueKind::kLabels:
      return CompareItems(a.items, a.n * 2, b.items, b.n * 2, comparable);
    case ValueKind::kIp: {
      int c = std::memcmp(a.ip->addr.data(), b.ip->addr.data(), a.ip->addr.size());
      if (c != 0) return c < 0 ? -1 : 1;
      return Sign(a.ip->bits, b.ip->bits);
    }
    case ValueKind::kPerson:
    case ValueKind::kResource:
      return CompareEntities(*a.entity, *b.entity);
  }
  *comparable = false;
  return 0;
}

uint32_t MakeCanonicalSet(Value* items, uint32_t count) {
  bool comparable = true;
  std::sort(items, items + count,
            [&](const Value& a, const Value& b) { return CompareValues(a, b, &comparable) < 0; });
  Value* end = std::unique(items, items + count, [&](const Value& a, const Value& b) {
    return CompareValues(a, b, &comparable) == 0;
  });
  return static_cast<uint32_t>(end - items);
}

void AppendValue(std::string* out, const Value& v, const Schema& schema) {
  switch (v.kind) {
    case ValueKind::kUnset:
      *out += "unset";
      return;
    case ValueKind::kError:
      *out += "unknown (";
      *out += ErrorKindName(v.error());
      *out += ')';
      return;
    case ValueKind::kAbsent:
      *out += "absent";
      return;
    case ValueKind::kBool:
      *out += v.i != 0 ? "true" : "false";
      return;
    case ValueKind::kInt:
      *out += std::to_string(v.i);
      return;
    case ValueKind::kDecimal:
      AppendDecimal(out, Decimal{v.i});
      return;
    case ValueKind::kMoney:
      AppendMoney(out, Money{v.i, static_cast<uint16_t>(v.n)});
      return;
    case ValueKind::kString:
    case ValueKind::kPath:
    case ValueKind::kTask:
      AppendQuoted(out, v.text());
      return;
    case ValueKind::kDate:
      AppendDate(out, Date{static_cast<int32_t>(v.i)});
      return;
    case ValueKind::kDateTime:
      AppendInstant(out, Instant{v.i});
      return;
    case ValueKind::kTime:
      AppendTime(out, TimeOfDay{v.i});
      return;
    case ValueKind::kDuration:
      AppendDuration(out, Duration{v.i});
      return;
    case ValueKind::kEnum:
      if (v.n < schema.enums.size() &&
          static_cast<uint64_t>(v.i) < schema.enums[v.n].members.size()) {
        *out += schema.Text(schema.enums[v.n].members[static_cast<size_t>(v.i)]);
      } else {
        *out += std::to_string(v.i);
      }
      return;
    case ValueKind::kSet:
      *out += '{';
      AppendItems(out, v.items, v.n, schema);
      *out += '}';
      return;
    case ValueKind::kRecord: {
      // The value does not name its record type; the fields stand in their declared order.
      *out += "record(";
      AppendItems(out, v.items, v.n, schema);
      *out += ')';
      return;
    }
    case ValueKind::kLabels:
      *out += '{';
      for (uint32_t i = 0; i < v.n; ++i) {
        if (i != 0) *out += ", ";
        AppendValue(out, v.items[2 * i], schema);
        *out += ": ";
        AppendValue(out, v.items[2 * i + 1], schema);
      }
      *out += '}';
      return;
    case ValueKind::kIp:
      AppendIp(out, *v.ip);
      return;
    case ValueKind::kPerson:
      *out += "person ";
      AppendQuoted(out, v.entity->id);
      return;
    case ValueKind::kResource:
      if (v.entity->type < schema.resources.size()) {
        *out += schema.Text(schema.resources[v.entity->type].name);
        *out += ' ';
      }
      AppendQuoted(out, v.entity->id);
      return;
    case ValueKind::kTeam:
      *out += "team ";
      if (static_cast<uint64_t>(v.i) < schema.teams.size()) {
        *out += NameAt(schema, schema.teams[static_cast<size_t>(v.i)].name);
      }
      return;
    case ValueKind::kRole:
      *out += "role ";
      if (static_cast<uint64_t>(v.i) < schema.roles.size()) {
        *out += NameAt(schema, schema.roles[static_cast<size_t>(v.i)].name);
      }
      return;
    case ValueKind::kAgent:
      *out += "agent ";  // agents' names are the program's, not the schema's
      *out += std::to_string(v.i);
      return;
  }
}

}  // namespace dpl
