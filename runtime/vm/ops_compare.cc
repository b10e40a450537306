// Equality per type, order of ordered types, the one containment operator, and calendars.
#include "runtime/vm/ops_compare.h"

#include "runtime/base/ip.h"
#include "runtime/base/path.h"

namespace dpl::vm {
namespace {

bool Ordered(ValueKind kind) {
  switch (kind) {
    case ValueKind::kInt:
    case ValueKind::kDecimal:
    case ValueKind::kMoney:
    case ValueKind::kDate:
    case ValueKind::kDateTime:
    case ValueKind::kTime:
    case ValueKind::kDuration:
    case ValueKind::kEnum:
      return true;
    default:
      return false;
  }
}

// Kinds whose set membership is plain equality in the set's own order, so that halving finds it.
bool FoundByHalving(ValueKind kind) {
  switch (kind) {
    case ValueKind::kBool:
    case ValueKind::kInt:
    case ValueKind::kDecimal:
    case ValueKind::kString:
    case ValueKind::kDate:
    case ValueKind::kDateTime:
    case ValueKind::kTime:
    case ValueKind::kDuration:
    case ValueKind::kEnum:
    case ValueKind::kPerson:
    case ValueKind::kRole:
    case ValueKind::kAgent:
    case ValueKind::kTask:
      return true;
    default:
      return false;
  }
}

Value PersonUnder(Context& c, const Entity& inner, const Entity& outer) {
  if (SameEntity(inner, outer)) return Value::Bool(true);
  const Snapshot& snapshot = *c.env->snapshot;
  if (snapshot.PersonsLoaded() && !snapshot.PersonsFresh(c.env->now))
    return Value::Error(ErrorKind::kStale);
  return OfTruth(snapshot.PersonIn(inner, outer), ErrorKind::kContainment);
}

Value Member(Context& c, const Entity& person, uint32_t team) {
  return OfTruth(c.env->snapshot->InTeam(person, team, c.env->now), ErrorKind::kMembership);
}

// x in y for one y that is no set: x is y or lies beneath it.
Value Within(Context& c, const Value& x, const Value& y) {
  const Snapshot& snapshot = *c.env->snapshot;
  switch (y.kind) {
    case ValueKind::kResource:
      if (x.kind != ValueKind::kResource) break;
      return OfTruth(snapshot.ResourceIn(*x.entity, *y.entity), ErrorKind::kContainment);
    case ValueKind::kPerson:
      if (x.kind != ValueKind::kPerson) break;
      return PersonUnder(c, *x.entity, *y.entity);
    case ValueKind::kTeam:
      return InTeam(c, x, static_cast<uint32_t>(y.i));
    case ValueKind::kRole:
      return InRole(c, x, static_cast<uint32_t>(y.i));
    case ValueKind::kPath:
      if (x.kind == ValueKind::kPath) return Value::Bool(PathWithin(x.text(), y.text()));
      if (x.kind == ValueKind::kResource && x.entity->type < c.schema.resources.size() &&
          c.schema.resources[x.entity->type].key_is_path) {
        return Value::Bool(PathWithin(x.entity->id, y.text()));
      }
      break;
    case ValueKind::kIp:
      if (x.kind == ValueKind::kIp) return Value::Bool(Contains(*y.ip, *x.ip));
      break;
    default:
      break;
  }
  return c.Confused();
}

// Element of a set. Things that contain others (resources, teams, paths, addresses) are looked
// into; a person is only ever itself here: a list of viewers does not name those who report to a
// viewer.
Value InSet(Context& c, const Value& x, const Value& set) {
  c.Pay(set.n / 8);
  if (FoundByHalving(x.kind) && set.n != 0 && set.items[0].kind == x.kind) {
    bool comparable = true;
    for (uint32_t low = 0, high = set.n; low < high;) {
      uint32_t middle = low + (high - low) / 2;
      int order = CompareValues(set.items[middle], x, &comparable);
      if (!comparable) return c.Confused();
      if (order == 0) return Value::Bool(true);
      if (order < 0) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return Value::Bool(false);
  }
  Value result = Value::Bool(false);
  for (uint32_t i = 0; i < set.n; ++i) {
    const Value& item = set.items[i];
    bool contains = item.kind == ValueKind::kResource || item.kind == ValueKind::kTeam ||
                    item.kind == ValueKind::kPath || item.kind == ValueKind::kIp;
    Value one = contains ? Within(c, x, item) : Compare(c, x, item, Relation::kEq);
    if (c.env->abort != Abort::kNo) return one;
    if (one.IsTrue()) return one;
    if (one.is_error() && !result.is_error()) result = one;
  }
  return result;
}

}  // namespace

Value Compare(Context& c, const Value& a, const Value& b, Relation relation) {
  if (Unusable(a)) return ErrorOf(a);
  if (Unusable(b)) return ErrorOf(b);
  if (a.kind != b.kind || a.kind == ValueKind::kUnset) return c.Confused();
  bool equality = relation == Relation::kEq || relation == Relation::kNe;
  if (!equality && !Ordered(a.kind)) return c.Confused();
  if (a.kind == ValueKind::kSet || a.kind == ValueKind::kRecord) c.Pay((a.n + b.n) / 8);
  bool comparable = true;
  int order = CompareValues(a, b, &comparable);
  if (!comparable) {
    bool money =
        a.kind == ValueKind::kMoney || a.kind == ValueKind::kSet || a.kind == ValueKind::kRecord;
    return money ? Value::Error(ErrorKind::kCurrency) : c.Confused();
  }
  switch (relation) {
    case Relation::kEq:
      return Value::Bool(order == 0);
    case Relation::kNe:
      return Value::Bool(order != 0);
    case Relation::kLt:
      return Value::Bool(order < 0);
    case Relation::kLe:
      return Value::Bool(order <= 0);
    case Relation::kGt:
      return Value::Bool(order > 0);
    case Relation::kGe:
      return Value::Bool(order >= 0);
  }
  return c.Confused();
}

Value In(Context& c, const Value& x, const Value& y) {
  if (Unusable(x)) return ErrorOf(x);
  if (Unusable(y)) return ErrorOf(y);
  return y.kind == ValueKind::kSet ? InSet(c, x, y) : Within(c, x, y);
}

Value InTeam(Context& c, const Value& x, uint32_t team) {
  if (Unusable(x)) return ErrorOf(x);
  if (team >= c.schema.teams.size()) return c.Confused();
  if (x.kind == ValueKind::kPerson) return Member(c, *x.entity, team);
  if (x.kind != ValueKind::kTeam || static_cast<uint64_t>(x.i) >= c.schema.teams.size())
    return c.Confused();
  Truth truth = c.env->snapshot->TeamInTeam(static_cast<uint32_t>(x.i), team, c.env->now);
  return OfTruth(truth, ErrorKind::kMembership);
}

Value InTeamValue(Context& c, const Value& x, const Value& team) {
  if (Unusable(x)) return ErrorOf(x);
  if (Unusable(team)) return ErrorOf(team);
  if (team.kind != ValueKind::kTeam) return c.Confused();
  return InTeam(c, x, static_cast<uint32_t>(team.i));
}

Value InRole(Context& c, const Value& person, uint32_t role) {
  if (Unusable(person)) return ErrorOf(person);
  if (person.kind != ValueKind::kPerson || role >= c.schema.roles.size()) return c.Confused();
  ErrorKind kind = ErrorKind::kMembership;
  Truth truth =
      c.env->snapshot->HoldsRole(*person.entity, role, c.env->resource, c.env->now, &kind);
  return OfTruth(truth, kind);
}

// A period [from, to) belongs to the day it starts on; one that ends at or before its start runs
// over midnight.
Value During(Context& c, const Value& instant, uint32_t calendar) {
  if (Unusable(instant)) return ErrorOf(instant);
  if (instant.kind != ValueKind::kDateTime || calendar >= c.schema.calendars.size())
    return c.Confused();
  const CalendarDef& def = c.schema.calendars[calendar];
  const ZoneTable& zone = def.zone < c.schema.zones.size() ? c.schema.zones[def.zone] : UtcZone();
  Date date = zone.LocalDate(Instant{instant.i});
  int64_t time = zone.LocalTime(Instant{instant.i}).us;
  auto open_on = [&](Date day, const CalendarDef::Open& open) {
    if ((open.days & (1u << Weekday(day))) == 0) return false;
    for (int32_t closed : def.closed) {
      if (closed == day.days) return false;
    }
    return true;
  };
  c.Pay((def.open.size() * (def.closed.size() + 1)) / 8);
  Date yesterday{date.days - 1};
  for (const CalendarDef::Open& open : def.open) {
    if (open.from_us < open.to_us) {
      if (open.from_us <= time && time < open.to_us && open_on(date, open))
        return Value::Bool(true);
      continue;
    }
    if (time >= open.from_us && open_on(date, open)) return Value::Bool(true);
    if (time < open.to_us && open_on(yesterday, open)) return Value::Bool(true);
  }
  return Value::Bool(false);
}

}  // namespace dpl::vm
