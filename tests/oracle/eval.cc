// The evaluator; see eval.h. Section numbers are those of docs/semantics.md.
#include "tests/oracle/eval.h"

#include <algorithm>
#include <limits>
#include <regex>

#include "runtime/base/decimal.h"
#include "runtime/base/ip.h"
#include "runtime/base/money.h"
#include "runtime/base/path.h"
#include "runtime/base/text.h"
#include "runtime/base/zone.h"

namespace dpl::oracle {

using ast::Expr;
using ast::ExprKind;
using ast::RefKind;
using Kind = Val::Kind;
using Err = Val::Err;

namespace {

std::string Digits(const std::string& text) {
  std::string out;
  std::copy_if(text.begin(), text.end(), std::back_inserter(out), [](char c) { return c != '_'; });
  return out;
}

// '*' is any run of bytes; anchored.
bool LikeAt(const std::string& pattern, size_t p, const std::string& text, size_t t) {
  if (p == pattern.size()) return t == text.size();
  if (pattern[p] != '*')
    return t < text.size() && pattern[p] == text[t] && LikeAt(pattern, p + 1, text, t + 1);
  for (size_t skip = t; skip <= text.size(); ++skip) {
    if (LikeAt(pattern, p + 1, text, skip)) return true;
  }
  return false;
}

Val Checked(Kind kind, bool overflow, int64_t n, uint32_t x = 0) {
  return overflow ? Fail(Err::kRange) : MakeNumber(kind, n, x);
}

}  // namespace

Val Evaluator::Eval(const Expr& e, uint32_t zone) {
  uint32_t outer = std::exchange(zone_, zone);
  Val v = Strict(e);
  zone_ = outer;
  return v;
}

Val Evaluator::Strict(const Expr& e) {
  Val v = Walk(e);
  return v.kind == Kind::kAbsent ? Fail(Err::kMissing) : v;
}

// ---------------------------------------------------------------- section 2

Seen& WhatWasSeen() {
  static Seen seen;
  return seen;
}

Val Evaluator::Walk(const Expr& e) {
  Val v = Dispatch(e);
  ++(v.ok() ? WhatWasSeen().values : WhatWasSeen().errors)[static_cast<size_t>(e.kind)];
  return v;
}

Val Evaluator::Dispatch(const Expr& e) {
  switch (e.kind) {
    case ExprKind::kNumber:
    case ExprKind::kMoney:
    case ExprKind::kString:
    case ExprKind::kDuration:
    case ExprKind::kDate:
    case ExprKind::kDateTime:
    case ExprKind::kTime:
    case ExprKind::kBool:
      return Literal(e);
    case ExprKind::kName:
    case ExprKind::kField:
    case ExprKind::kIndex:
    case ExprKind::kEntity:
    case ExprKind::kHead:
      return Path(e);
    case ExprKind::kAnd: {
      Val a = Strict(*e.args[0]);
      if (AsTruth(a) == Truth::kFalse) return a;
      Val b = Strict(*e.args[1]);
      if (AsTruth(b) == Truth::kFalse) return b;
      return a.ok() ? b : a;
    }
    case ExprKind::kOr: {
      Val a = Strict(*e.args[0]);
      if (AsTruth(a) == Truth::kTrue && !faults_.or_is_strict) return a;
      Val b = Strict(*e.args[1]);
      if (faults_.or_is_strict && !(a.ok() && b.ok())) return a.ok() ? b : a;
      if (AsTruth(b) == Truth::kTrue || AsTruth(a) == Truth::kTrue) return MakeBool(true);
      return a.ok() ? b : a;
    }
    case ExprKind::kNot: {
      Val a = Strict(*e.args[0]);
      return a.ok() ? MakeBool(a.i == 0) : a;
    }
    case ExprKind::kIsKnown:
    case ExprKind::kIsNotKnown: {
      Val v = Walk(*e.args[0]);
      bool missing = !v.ok() && v.err == Err::kMissing && (!v.early || faults_.known_hides_earlier);
      if (!v.ok() && !missing) return v;
      bool known = v.ok() && v.kind != Kind::kAbsent;
      return MakeBool(known == (e.kind == ExprKind::kIsKnown));
    }
    case ExprKind::kIf: {
      Val c = Strict(*e.args[0]);
      if (!c.ok()) return c;
      return Strict(*e.args[c.i != 0 ? 1 : 2]);
    }
    case ExprKind::kEq:
    case ExprKind::kNe:
    case ExprKind::kLt:
    case ExprKind::kLe:
    case ExprKind::kGt:
    case ExprKind::kGe:
      return Compare(e);
    case ExprKind::kAdd:
    case ExprKind::kSub:
    case ExprKind::kMul:
    case ExprKind::kNeg:
      return Arithmetic(e);
    case ExprKind::kIn:
      return In(e);
    case ExprKind::kNotIn: {
      Val v = In(e);
      return v.ok() ? MakeBool(v.i == 0) : v;
    }
    case ExprKind::kLike: {
      Val v = Strict(*e.args[0]);
      return v.ok() ? MakeBool(LikeAt(e.text, 0, v.s, 0)) : v;
    }
    case ExprKind::kMatches: {
      Val v = Strict(*e.args[0]);
      if (!v.ok()) return v;
      static std::map<std::string, std::regex> compiled;
      auto at = compiled.find(e.text);
      if (at == compiled.end())
        at = compiled.emplace(e.text, std::regex(e.text, std::regex::ECMAScript)).first;
      return MakeBool(std::regex_match(v.s, at->second));
    }
    case ExprKind::kDuring:
      return During(e);
    case ExprKind::kSome:
    case ExprKind::kAll:
    case ExprKind::kCount:
      return Quantifier(e);
    case ExprKind::kCall:
      return Call(e);
    case ExprKind::kSet: {
      std::vector<Val> items;
      for (const auto& arg : e.args) {
        Val v = Strict(*arg);
        if (!v.ok()) return v;
        items.push_back(std::move(v));
      }
      return MakeSet(std::move(items));
    }
    case ExprKind::kRecord:
      break;
  }
  Val record = MakeNumber(Kind::kRecord, 0);
  const RecordDef& def = schema_.records[schema_.types[e.type].index];
  for (Str name : def.names) {
    Val field = MakeNumber(Kind::kAbsent, 0);
    for (size_t i = 0; i < e.args.size(); ++i) {
      if (e.fields[i].text == schema_.Text(name)) field = Strict(*e.args[i]);
    }
    if (!field.ok()) return field;
    record.items.push_back(std::move(field));
  }
  return record;
}

Val Evaluator::Literal(const Expr& e) {
  TypeKind type = schema_.types[e.type].kind;
  switch (e.kind) {
    case ExprKind::kBool:
      return MakeBool(e.bool_value);
    case ExprKind::kNumber:
      if (type == TypeKind::kDecimal)
        return MakeNumber(Kind::kDecimal, ParseDecimal(Digits(e.text)).value().micro);
      return MakeNumber(Kind::kInt, ParseInt(Digits(e.text)).value());
    case ExprKind::kMoney: {
      Money money = ParseMoney(Digits(e.text), e.text2).value();
      return MakeNumber(Kind::kMoney, money.minor, money.currency);
    }
    case ExprKind::kString:
      if (type == TypeKind::kPath) return MakeText(Kind::kPath, NormalizePath(e.text).value());
      if (type == TypeKind::kIp) {
        Val v = MakeText(Kind::kIp, "");
        v.ip = ParseIpPrefix(e.text).value();
        return v;
      }
      return MakeText(Kind::kString, e.text);
    case ExprKind::kDuration:
      return MakeNumber(Kind::kDuration, ParseDuration(e.text).value().us);
    case ExprKind::kDate:
      return MakeNumber(Kind::kDate, ParseDate(e.text).value().days);
    case ExprKind::kDateTime:
      return MakeNumber(Kind::kDateTime, ParseInstant(e.text).value().us);
    default:
      return MakeNumber(Kind::kTime, ParseTime(e.text).value().us);
  }
}

Val Evaluator::Path(const Expr& e) {
  auto entity = [&](Kind kind, const std::string& id, uint32_t x) {
    Val v = MakeText(kind, id, x);
    v.of_request = true;
    return v;
  };
  // The step before the last: an error or an absence there is met earlier than `is known` looks.
  auto base = [&]() {
    Val v = Strict(*e.args[0]);
    if (!v.ok()) v.early = true;
    return v;
  };
  switch (e.ref) {
    case RefKind::kVarPerson:
      return w_.person ? entity(Kind::kPerson, *w_.person, 0) : Fail(Err::kMissing);
    case RefKind::kVarResource:
      return entity(Kind::kResource, w_.resource.s, w_.resource.x);
    case RefKind::kVarAgent:
      if (w_.chain.empty()) return Fail(Err::kMissing);
      return MakeNumber(Kind::kAgent, w_.chain.back().agent);
    case RefKind::kVarNow:
      return MakeNumber(Kind::kDateTime, w_.now.us);
    case RefKind::kVarLocal:
      return locals_[e.ref_a];
    case RefKind::kConst: {
      Val v = e.target != nullptr ? Strict(*e.target) : FromConstant(model_, e.ref_a);
      return v;
    }
    case RefKind::kValue:
      return FromConstant(model_, e.ref_a);  // mon … sun
    case RefKind::kEnumMember:
      return MakeNumber(Kind::kEnum, e.ref_b, e.ref_a);
    case RefKind::kPersonEntity:
    case RefKind::kResourceEntity:
      return FromConstant(model_, e.ref_a);
    case RefKind::kTeam:
      return MakeNumber(Kind::kTeam, e.ref_a);
    case RefKind::kRole:
      return MakeNumber(Kind::kRole, e.ref_a);
    case RefKind::kPersonAttr: {
      Val b = base();
      return b.ok() ? world_.PersonAttribute(b, e.ref_a, w_.said, w_.now) : b;
    }
    case RefKind::kResourceAttr: {
      Val b = base();
      return b.ok() ? world_.ResourceAttribute(b, e.ref_a, w_.said) : b;
    }
    case RefKind::kResourceParent: {
      Val b = base();
      return b.ok() ? world_.ParentOf(b, w_.said) : b;
    }
    case RefKind::kPersonKey: {
      Val b = base();
      return b.ok() ? MakeText(Kind::kString, b.s) : b;
    }
    case RefKind::kResourceKey: {
      Val b = base();
      if (!b.ok()) return b;
      return MakeText(schema_.resources[b.x].key_is_path ? Kind::kPath : Kind::kString, b.s);
    }
    case RefKind::kRecordField: {
      Val b = base();
      return b.ok() ? b.items[e.ref_a] : b;
    }
    case RefKind::kLabelKey: {
      Val b = base();
      if (!b.ok()) return b;
      for (size_t i = 0; i + 1 < b.items.size(); i += 2) {
        if (b.items[i].s == e.text) return b.items[i + 1];
      }
      return Fail(Err::kMissing);
    }
    case RefKind::kRequestParam: {
      auto at = w_.params.find(std::string(schema_.Text(e.ref_a)));
      return at == w_.params.end() ? Fail(Err::kMissing) : at->second;
    }
    case RefKind::kTaskParam: {
      Val missing = Fail(Err::kMissing);
      if (w_.task == nullptr) {
        missing.early = true;
        return missing;
      }
      if (e.ref_a >= w_.task->args.size() || !w_.task->args[e.ref_a]) return missing;
      return *w_.task->args[e.ref_a];
    }
    case RefKind::kContextAttr: {
      if (w_.context[e.ref_a]) return *w_.context[e.ref_a];
      const AttributeDef& def = schema_.context[e.ref_a];
      if (def.default_constant != kNone) return FromConstant(model_, def.default_constant);
      return schema_.types[def.type].optional ? MakeNumber(Kind::kAbsent, 0) : Fail(Err::kMissing);
    }
    case RefKind::kNowTime:
      return MakeNumber(Kind::kTime, Zone(zone_).LocalTime(w_.now).us);
    case RefKind::kNowDate:
      return MakeNumber(Kind::kDate, Zone(zone_).LocalDate(w_.now).days);
    case RefKind::kNowWeekday:
      return MakeNumber(Kind::kInt, Weekday(Zone(zone_).LocalDate(w_.now)));
    default:
      DPL_CHECK(!"a reference the oracle does not know");
      return Fail(Err::kMissing);
  }
}

Val Evaluator::Compare(const Expr& e) {
  Val a = Strict(*e.args[0]);
  if (!a.ok()) return a;
  Val b = Strict(*e.args[1]);
  if (!b.ok()) return b;
  if (a.kind == Kind::kMoney && a.x != b.x) return Fail(Err::kCurrency);
  switch (e.kind) {
    case ExprKind::kEq:
      return MakeBool(Same(a, b) == Truth::kTrue);
    case ExprKind::kNe:
      return MakeBool(Same(a, b) != Truth::kTrue);
    case ExprKind::kLt:
      return MakeBool(Less(a, b));
    case ExprKind::kLe:
      return MakeBool(!Less(b, a));
    case ExprKind::kGt:
      return MakeBool(Less(b, a));
    default:
      return MakeBool(!Less(a, b));
  }
}

Val Evaluator::Arithmetic(const Expr& e) {
  Val a = Strict(*e.args[0]);
  if (!a.ok()) return a;
  int64_t n = 0;
  if (e.kind == ExprKind::kNeg) {
    bool over = __builtin_sub_overflow(int64_t{0}, a.i, &n);
    return Checked(a.kind, over, n, a.x);
  }
  Val b = Strict(*e.args[1]);
  if (!b.ok()) return b;
  if (e.kind == ExprKind::kMul) {
    if (a.kind == Kind::kDecimal) {
      __int128 product = static_cast<__int128>(a.i) * b.i;
      __int128 micro = product / 1'000'000;
      bool over = product % 1'000'000 != 0 || micro > kDecimalMax ||
                  micro < -static_cast<__int128>(kDecimalMax);
      return Checked(Kind::kDecimal, over, static_cast<int64_t>(micro));
    }
    if (a.kind == Kind::kInt) std::swap(a, b);  // a scale on either side
    bool over = __builtin_mul_overflow(a.i, b.i, &n);
    return Checked(a.kind, over, n, a.x);
  }
  bool minus = e.kind == ExprKind::kSub;
  if (a.kind == Kind::kMoney && a.x != b.x) return Fail(Err::kCurrency);
  Kind kind = a.kind;
  if (a.kind == Kind::kDateTime && b.kind == Kind::kDateTime) kind = Kind::kDuration;
  if (a.kind == Kind::kDuration && b.kind == Kind::kDateTime) kind = Kind::kDateTime;
  bool over = minus ? __builtin_sub_overflow(a.i, b.i, &n) : __builtin_add_overflow(a.i, b.i, &n);
  if (kind == Kind::kDecimal) over = over || n > kDecimalMax || n < -kDecimalMax;
  if (kind == Kind::kDateTime) over = over || n < kMinInstant.us || n > kMaxInstant.us;
  return Checked(kind, over, n, a.x);
}

Val Evaluator::In(const Expr& e) {
  Val x = Strict(*e.args[0]);
  if (!x.ok()) return x;
  Val y = Strict(*e.args[1]);
  if (!y.ok()) return y;
  auto with = [](Truth t, Err err) { return t == Truth::kUnknown ? Fail(err) : MakeTruth(t); };
  switch (y.kind) {
    case Kind::kSet: {
      Truth in = Truth::kFalse;
      for (const Val& item : y.items) in = Or(in, Same(x, item));
      return with(in, Err::kCurrency);
    }
    case Kind::kResource:
      return with(world_.ResourceIn(x, y, w_.said), Err::kContainment);
    case Kind::kPerson:
      return with(world_.PersonIn(x, y, w_.said, w_.now), Err::kContainment);
    case Kind::kPath:
      return MakeBool(PathWithin(x.s, y.s));
    case Kind::kIp:
      return MakeBool(Contains(y.ip, x.ip));
    case Kind::kTeam: {
      uint32_t team = static_cast<uint32_t>(y.i);
      if (x.kind == Kind::kTeam)
        return with(world_.TeamInTeam(static_cast<uint32_t>(x.i), team, w_.now), Err::kMembership);
      return with(world_.InTeam(x.s, team, w_.now), Err::kMembership);
    }
    case Kind::kRole:
      return with(HoldsRole(x.s, static_cast<uint32_t>(y.i), &w_.resource), Err::kMembership);
    default:
      DPL_CHECK(!"nothing lies in this");
      return Fail(Err::kMissing);
  }
}

Val Evaluator::Quantifier(const Expr& e) {
  Val set = Strict(*e.args[0]);
  if (!set.ok()) return set;
  bool count = e.kind == ExprKind::kCount;
  if (e.args.size() < 2) return MakeNumber(Kind::kInt, static_cast<int64_t>(set.items.size()));
  int64_t n = 0;
  Val error = MakeBool(true);
  bool some = false, all = true;
  for (const Val& item : set.items) {
    locals_.push_back(item);
    Val c = Strict(*e.args[1]);
    locals_.pop_back();
    if (!c.ok() && error.ok()) error = c;
    if (AsTruth(c) == Truth::kTrue) ++n;
    some = some || AsTruth(c) == Truth::kTrue;
    all = all && AsTruth(c) != Truth::kFalse;
  }
  if (count) return error.ok() ? MakeNumber(Kind::kInt, n) : error;
  if (e.kind == ExprKind::kSome)
    return some ? MakeBool(true) : error.ok() ? MakeBool(false) : error;
  if (set.items.empty() && !faults_.all_of_nothing_is_true) return Fail(Err::kEmpty);
  return !all ? MakeBool(false) : error;
}

Val Evaluator::Call(const Expr& e) {
  std::vector<Val> args;
  for (const auto& arg : e.args) {
    args.push_back(Strict(*arg));
    if (!args.back().ok()) return args.back();
  }
  if (e.ref == ast::RefKind::kFunction) {  // its body, with nothing but its parameters
    ++WhatWasSeen().things["call of a function"];
    std::swap(args, locals_);
    Val result = Strict(*e.target);
    std::swap(args, locals_);
    return result;
  }
  const std::string& s = args[0].s;
  if (e.text == "starts_with") return MakeBool(s.starts_with(args[1].s));
  if (e.text == "ends_with") return MakeBool(s.ends_with(args[1].s));
  if (e.text == "length") return MakeNumber(Kind::kInt, static_cast<int64_t>(CodePointCount(s)));
  if (e.text == "size") return MakeNumber(Kind::kInt, static_cast<int64_t>(args[0].items.size()));
  if (e.text == "date_of")
    return MakeNumber(Kind::kDate, Zone(zone_).LocalDate(Instant{args[0].i}).days);
  if (e.text == "days_between")
    return MakeNumber(Kind::kInt, static_cast<int64_t>(args[1].i - args[0].i));
  if (e.text == "years_between") {  // counts birthdays one by one
    int64_t early = std::min(args[0].i, args[1].i), late = std::max(args[0].i, args[1].i), n = 0;
    Civil birth = CivilFromDate(Date{static_cast<int32_t>(early)});
    for (int64_t day = early + 1; day <= late; ++day) {
      Civil on = CivilFromDate(Date{static_cast<int32_t>(day)});
      bool march_first = birth.month == 2 && birth.day == 29 && DaysInMonth(on.year, 2) == 28 &&
                         on.month == 3 && on.day == 1;
      if ((on.month == birth.month && on.day == birth.day) || march_first) ++n;
    }
    return MakeNumber(Kind::kInt, args[1].i < args[0].i ? -n : n);
  }
  if (e.text == "lower") {
    std::string out = s;
    for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    return MakeText(Kind::kString, out);
  }
  DPL_CHECK(e.text == "ip");
  Result<IpPrefix> ip = ParseIpPrefix(s);
  if (!ip.ok()) return Fail(Err::kRange);
  Val v = MakeText(Kind::kIp, "");
  v.ip = *ip;
  return v;
}

// [a, b); b <= a runs over midnight and belongs to the day it starts.
Val Evaluator::During(const Expr& e) {
  Val at = Strict(*e.args[0]);
  if (!at.ok()) return at;
  const CalendarDef& calendar = schema_.calendars[e.ref_a];
  const ZoneTable& zone = Zone(calendar.zone);
  Date today = zone.LocalDate(Instant{at.i});
  int64_t time = zone.LocalTime(Instant{at.i}).us;
  auto opens_on = [&](const CalendarDef::Open& open, Date day) {
    bool closed = std::find(calendar.closed.begin(), calendar.closed.end(), day.days) !=
                  calendar.closed.end();
    return !closed && (open.days >> Weekday(day) & 1) != 0;
  };
  for (const CalendarDef::Open& open : calendar.open) {
    if (open.from_us < open.to_us) {
      if (opens_on(open, today) && open.from_us <= time && time < open.to_us) return MakeBool(true);
      continue;
    }
    if (opens_on(open, today) && open.from_us <= time) return MakeBool(true);
    if (opens_on(open, Date{today.days - 1}) && time < open.to_us) return MakeBool(true);
  }
  return MakeBool(false);
}

// ---------------------------------------------------------------- section 3

Truth Evaluator::HoldsRole(const std::string& person, uint32_t role, const Val* at) {
  Truth holds = world_.HoldsByFacts(person, role, at, w_.said, w_.now);
  for (uint32_t r = 0; r < model_.roles.size(); ++r) {
    const check::RoleModel& computed = model_.roles[r];
    if (!world_.Includes(r, role)) continue;
    const Expr* where = computed.where;
    if (at != nullptr && computed.where_by_type.contains(at->x))
      where = computed.where_by_type.at(at->x);
    if (where == nullptr) continue;
    if (w_.person && *w_.person == person) {
      holds = Or(holds, Condition(*where, schema_.packages[schema_.roles[r].package].zone));
      continue;
    }
    Omega other = w_;  // somebody else: the condition's `person` is that person
    other.person = person;
    other.said.person.clear();
    Evaluator inner(model_, world_, other, faults_);
    holds = Or(holds, inner.Condition(*where, schema_.packages[schema_.roles[r].package].zone));
  }
  return holds;
}

Truth Evaluator::Subjects(const std::vector<ast::Subject>& subjects, bool restricting) {
  using S = ast::Subject::Kind;
  if (restricting && subjects.empty()) return Truth::kTrue;
  Truth any = Truth::kFalse;
  for (const ast::Subject& s : subjects) {
    Truth one = Truth::kFalse;
    switch (s.kind) {
      case S::kPerson:
        one = TruthOf(w_.person && *w_.person == s.id.value);
        break;
      case S::kTeam:
        if (w_.person) one = world_.InTeam(*w_.person, s.ref, w_.now);
        break;
      case S::kRole:
        if (w_.person) one = HoldsRole(*w_.person, s.ref, &w_.resource);
        break;
      case S::kEveryone:
        one = TruthOf(restricting || (w_.person && w_.active));
        break;
      case S::kPublic:
        one = Truth::kTrue;
        break;
      case S::kAgent:
        if (restricting && !faults_.restricting_agent_is_root) {
          for (const Omega::Hop& hop : w_.chain) one = Or(one, TruthOf(hop.agent == s.ref));
        } else if (restricting) {
          one = TruthOf(!w_.chain.empty() && w_.chain[0].agent == s.ref);
        } else {
          one = TruthOf(w_.mode == Mode::kStanding && w_.chain[0].agent == s.ref);
        }
        break;
      case S::kAnyAgent:
        one = TruthOf(!w_.chain.empty() || w_.partner_hops > 0);
        break;
      case S::kPartner:
        one = TruthOf(w_.partner == s.ref);
        break;
    }
    any = Or(any, one);
  }
  return any;
}

bool IsRestricting(ClauseRole role) {
  return role == ClauseRole::kLimitCovers || role == ClauseRole::kForbidCovers ||
         role == ClauseRole::kObligationCovers || role == ClauseRole::kSeparateA ||
         role == ClauseRole::kSeparateB;
}

bool Evaluator::ReachesAction(const check::ClauseModel& clause) const {
  return clause.type == w_.type &&
         std::find(clause.actions.begin(), clause.actions.end(), w_.action) != clause.actions.end();
}

Truth Evaluator::Match(const check::ClauseModel& clause, const check::StatementModel& statement) {
  if (!ReachesAction(clause)) return Truth::kFalse;
  if (clause.has_id && clause.id != w_.resource.s) return Truth::kFalse;
  Truth m = Truth::kTrue;
  bool restricting = IsRestricting(clause.role);
  if (restricting || clause.role == ClauseRole::kGrantMay ||
      clause.role == ClauseRole::kBreakGlassMay) {
    static const std::vector<ast::Subject> kNobody;
    m = And(m, Subjects(clause.subjects == nullptr ? kNobody : *clause.subjects, restricting));
  }
  if (!clause.containers.empty()) {
    Truth in = Truth::kFalse;
    for (const check::ClauseModel::Container& c : clause.containers) {
      using C = check::ClauseModel::Container::Kind;
      Truth one = Truth::kUnknown;
      if (c.kind == C::kEntity) {
        one = world_.ResourceIn(w_.resource, FromConstant(model_, c.constant), w_.said);
      } else if (c.kind == C::kPath) {
        one = TruthOf(PathWithin(w_.resource.s, model_.constants[c.constant].text));
      } else if (w_.task != nullptr && c.param < w_.task->args.size() && w_.task->args[c.param]) {
        const Val& place = *w_.task->args[c.param];
        one = place.kind == Kind::kPath ? TruthOf(PathWithin(w_.resource.s, place.s))
                                        : world_.ResourceIn(w_.resource, place, w_.said);
      }
      in = Or(in, one);
    }
    m = And(m, in);
  }
  if (m != Truth::kFalse && clause.where != nullptr)
    m = And(m, Condition(*clause.where, ZoneOf(statement)));
  return m;
}

}  // namespace dpl::oracle
