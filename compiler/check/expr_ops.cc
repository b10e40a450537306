// Operators, literals, sets and calls in expressions.
#include <algorithm>

#include "compiler/check/expr_checker.h"
#include "compiler/check/foreign.h"
#include "compiler/check/names.h"
#include "compiler/check/values.h"
#include "runtime/base/pattern.h"
#include "runtime/base/text.h"
#include "runtime/bytecode/builtin.h"

namespace dpl::check {

using ast::Expr;
using ast::ExprKind;
using ast::RefKind;

namespace {

constexpr size_t kMaxSetLiteral = 1024;

bool IsComparison(const Expr& e) {
  switch (e.kind) {
    case ExprKind::kEq:
    case ExprKind::kNe:
    case ExprKind::kLt:
    case ExprKind::kLe:
    case ExprKind::kGt:
    case ExprKind::kGe:
    case ExprKind::kIn:
    case ExprKind::kNotIn:
    case ExprKind::kLike:
    case ExprKind::kMatches:
    case ExprKind::kDuring:
    case ExprKind::kIsKnown:
    case ExprKind::kIsNotKnown:
      return true;
    default:
      return false;
  }
}

bool IsEquality(const Expr& e) { return e.kind == ExprKind::kEq || e.kind == ExprKind::kNe; }

const char* Sign(ExprKind kind) {
  switch (kind) {
    case ExprKind::kAdd:
      return "+";
    case ExprKind::kSub:
      return "-";
    case ExprKind::kMul:
      return "*";
    case ExprKind::kLt:
      return "<";
    case ExprKind::kLe:
      return "<=";
    case ExprKind::kGt:
      return ">";
    case ExprKind::kGe:
      return ">=";
    case ExprKind::kEq:
      return "==";
    default:
      return "!=";
  }
}

}  // namespace

// ---------------------------------------------------------------- literals

TypeId ExprChecker::Literal(Expr& e, TypeId want) {
  TypeId plain = WithoutOptional(c_, want);
  TypeId type = kNone;
  switch (e.kind) {
    case ExprKind::kBool:
      type = c_.t_bool;
      break;
    case ExprKind::kNumber:
      type =
          plain == c_.t_decimal || e.text.find('.') != std::string::npos ? c_.t_decimal : c_.t_int;
      break;
    case ExprKind::kMoney:
      type = c_.t_money;
      break;
    case ExprKind::kString:
      type = plain == c_.t_path || plain == c_.t_ip ? plain : c_.t_string;
      break;
    case ExprKind::kDuration:
      type = c_.t_duration;
      break;
    case ExprKind::kDate:
      type = c_.t_date;
      break;
    case ExprKind::kDateTime:
      type = c_.t_datetime;
      break;
    default:
      type = c_.t_time;
      break;
  }
  e.ref = RefKind::kValue;
  e.ref_a = LiteralConstant(c_, e, type, cidr_allowed_);
  return e.ref_a == kNone ? kNone : type;
}

// A literal that the other side may give a type, or a bare name that only the other side can
// explain.
bool ExprChecker::TakesItsTypeFromTheOtherSide(const Expr& e) const {
  switch (e.kind) {
    case ExprKind::kNumber:
    case ExprKind::kString:
    case ExprKind::kSet:
    case ExprKind::kRecord:
      return true;
    case ExprKind::kNeg:
      return TakesItsTypeFromTheOtherSide(*e.args[0]);
    case ExprKind::kName:
      if (IsVariable(e.text)) return false;
      for (const Local& local : locals_) {
        if (local.name == e.text) return false;
      }
      return LookupQuietly(c_, SymbolKind::kConst, e.text, *scope_.file) == nullptr;
    default:
      return false;
  }
}

bool ExprChecker::Both(Expr& a, Expr& b, TypeId want, TypeId* left, TypeId* right) {
  if (TakesItsTypeFromTheOtherSide(a) && !TakesItsTypeFromTheOtherSide(b)) {
    *right = Value(b, want);
    if (*right == kNone) return false;
    bool weekdays = std::exchange(weekday_names_, b.ref == RefKind::kNowWeekday);
    *left = Value(a, *right);
    weekday_names_ = weekdays;
  } else {
    *left = Value(a, want);
    if (*left == kNone) {
      // The right side may hold a mistake of its own, but only one that does not follow from the
      // left.
      if (!TakesItsTypeFromTheOtherSide(b)) Value(b, kNone);
      return false;
    }
    bool weekdays = std::exchange(weekday_names_, a.ref == RefKind::kNowWeekday);
    *right = Value(b, *left);
    weekday_names_ = weekdays;
  }
  return *left != kNone && *right != kNone;
}

// Says that `e` has the wrong type, and how to write what was meant.
TypeId ExprChecker::Mismatch(const Expr& e, TypeId have, TypeId want) {
  std::string text(c_.SourceText(e.span));
  DiagnosticRef report =
      c_.ReportText(scope_.mismatch, e.span,
                    FillTemplate(InfoOf(DPL0301).message,
                                 {Quoted(text), DescribeType(c_, have), DescribeType(c_, want)}));
  TypeDef wanted = c_.Type(WithoutOptional(c_, want));
  if (e.kind == ExprKind::kString) {
    switch (wanted.kind) {
      case TypeKind::kEnum: {
        const EnumDef& def = c_.model.schema.enums[wanted.index];
        if (MemberOf(c_, wanted.index, e.text) != kNone) {
          report.Help("write " + Quoted(e.text) + " without quotes").Fix(e.span, e.text);
          break;
        }
        std::vector<std::string> members;
        for (size_t i = 0; i < def.members.size() && i < 8; ++i)
          members.push_back(Quoted(c_.Text(def.members[i])));
        report.Help("it is one of " + Listed(members));
        break;
      }
      case TypeKind::kPerson:
        report.Help("write `person " + Quote(e.text) + "`").Fix(e.span, "person " + Quote(e.text));
        break;
      case TypeKind::kResource:
        report.Help("write `" + TypeText(c_, WithoutOptional(c_, want)) + " " + Quote(e.text) +
                    "`");
        break;
      case TypeKind::kTeam:
        report.Help("write `team " + e.text + "`").Fix(e.span, "team " + e.text);
        break;
      case TypeKind::kDate:
      case TypeKind::kDateTime:
      case TypeKind::kTime:
      case TypeKind::kDuration:
      case TypeKind::kInt:
      case TypeKind::kDecimal:
        if (!e.text.empty() && e.text[0] >= '0' && e.text[0] <= '9') {
          report.Help("write it without quotes").Fix(e.span, e.text);
        } else if (weekday_names_) {
          std::string day = WeekdayFor(e.text);
          report.Help("days are written `mon`, `tue`, `wed`, `thu`, `fri`, `sat` and `sun`");
          if (!day.empty()) report.Fix(e.span, day);
        }
        break;
      case TypeKind::kMoney:
        report.Help("write money as `5_000 USD`, without quotes");
        break;
      default:
        break;
    }
  } else if (e.kind == ExprKind::kNumber && wanted.kind == TypeKind::kMoney) {
    report.Help("add the currency: `" + text + " USD`");
  } else if (e.kind == ExprKind::kDate && wanted.kind == TypeKind::kDateTime) {
    report.Help("write a point in time such as `" + e.text + "T00:00Z`, or compare `now.date`");
  } else if (e.kind == ExprKind::kNumber && wanted.kind == TypeKind::kDuration) {
    report.Help("a duration has its unit: `" + text + "h`, `" + text + "d`");
  } else if (e.kind == ExprKind::kTime && wanted.kind == TypeKind::kDateTime) {
    report.Help("compare `now.time`");
  } else if (Is(c_, have, TypeKind::kDateTime) && wanted.kind == TypeKind::kDate &&
             PathText(e) == "now") {
    report.Help("write `now.date`");
  } else if (Is(c_, have, TypeKind::kDateTime) && wanted.kind == TypeKind::kTime &&
             PathText(e) == "now") {
    report.Help("write `now.time`");
  } else if (Is(c_, have, TypeKind::kString) && wanted.kind == TypeKind::kPerson) {
    std::string id = "person." + std::string(c_.Text(c_.model.schema.person.key_name));
    if (PathText(e) == id) {
      report.Help("write `person`: who is asking, not their id");
    } else {
      report.Help("compare ids, `" + id + " == …`, or declare this attribute a `Person`");
    }
  }
  return kNone;
}

// ---------------------------------------------------------------- comparing

TypeId ExprChecker::Comparison(Expr& e) {
  for (const auto& arg : e.args) {
    if (IsComparison(*arg) && !arg->parenthesized) {
      c_.Report(DPL0307, e.span).Help("write two comparisons joined by `and`");
      return kNone;
    }
  }
  Expr& a = *e.args[0];
  Expr& b = *e.args[1];
  TypeId left = kNone, right = kNone;
  if (!Both(a, b, kNone, &left, &right)) return kNone;
  if (left != right) {
    // The side that could adapt is the one to blame.
    bool blame_left = TakesItsTypeFromTheOtherSide(a) && !TakesItsTypeFromTheOtherSide(b);
    if (left == c_.t_role || right == c_.t_role) {
      c_.ReportText(DPL0301, e.span, "a role is not compared").Help("write `person in role …`");
      return kNone;
    }
    if ((left == c_.t_team || right == c_.t_team) &&
        (left == c_.t_person || right == c_.t_person)) {
      c_.ReportText(DPL0301, e.span, "a person is never a team").Help("write `person in team …`");
      return kNone;
    }
    return blame_left ? Mismatch(a, left, right) : Mismatch(b, right, left);
  }
  if (IsEquality(e)) {
    if (left == c_.t_labels || left == c_.t_role) {
      c_.ReportText(DPL0301, e.span, DescribeType(c_, left) + " cannot be compared")
          .Help(left == c_.t_labels ? "compare one label: `…[\"key\"] == …`"
                                    : "write `person in role …`");
      return kNone;
    }
  } else if (!IsOrdered(c_, left)) {
    if (Is(c_, left, TypeKind::kEnum)) {
      c_.Report(DPL0306, e.span, {"enum " + Quoted(TypeText(c_, left)), Quoted(Sign(e.kind))})
          .Help("declare its members with `<` between them if they have an order");
    } else {
      c_.ReportText(
          DPL0301, e.span,
          DescribeType(c_, left) + " has no order, so `" + Sign(e.kind) + "` does not apply");
    }
    return kNone;
  }
  if (left == c_.t_money) {
    uint32_t x = FoldConstant(c_, a), y = FoldConstant(c_, b);
    if (x != kNone && y != kNone && c_.model.constants[x].extra != c_.model.constants[y].extra) {
      c_.Report(DPL0304, e.span, {Quoted(ConstantText(c_, x)), Quoted(ConstantText(c_, y))});
      return kNone;
    }
  }
  return c_.t_bool;
}

// ---------------------------------------------------------------- arithmetic

TypeId ExprChecker::Negation(Expr& e, TypeId want) {
  TypeId type = Value(*e.args[0], want);
  if (type == kNone || IsMeasurable(c_, type)) return type;
  c_.ReportText(DPL0301, e.span,
                "`-` needs a number, money or a duration, and this is " + DescribeType(c_, type));
  return kNone;
}

TypeId ExprChecker::Arithmetic(Expr& e, TypeId want) {
  Expr& a = *e.args[0];
  Expr& b = *e.args[1];
  TypeId left = kNone, right = kNone;
  TypeId plain = WithoutOptional(c_, want);
  TypeId hint = plain == c_.t_decimal ? plain : kNone;
  if (e.kind == ExprKind::kMul && plain != c_.t_decimal) {
    left = Value(a, kNone);
    right = Value(b, left == c_.t_decimal ? left : kNone);
    if (left == c_.t_int && right == c_.t_decimal && a.kind == ExprKind::kNumber)
      left = Value(a, right);
    if (left == kNone || right == kNone) return kNone;
  } else if (!Both(a, b, hint, &left, &right)) {
    return kNone;
  }
  auto scalable = [&](TypeId t) { return t == c_.t_money || t == c_.t_duration; };
  if (e.kind == ExprKind::kMul) {
    if (left == right && (left == c_.t_int || left == c_.t_decimal)) return left;
    if (scalable(left) && right == c_.t_int) return left;
    if (left == c_.t_int && scalable(right)) return right;
  } else {
    if (left == right && IsMeasurable(c_, left)) {
      uint32_t x = left == c_.t_money ? FoldConstant(c_, a) : kNone;
      uint32_t y = x == kNone ? kNone : FoldConstant(c_, b);
      if (y != kNone && c_.model.constants[x].extra != c_.model.constants[y].extra) {
        c_.Report(DPL0304, e.span, {Quoted(ConstantText(c_, x)), Quoted(ConstantText(c_, y))});
        return kNone;
      }
      return left;
    }
    if (left == c_.t_datetime && right == c_.t_duration) return c_.t_datetime;
    if (e.kind == ExprKind::kAdd && left == c_.t_duration && right == c_.t_datetime)
      return c_.t_datetime;
    if (e.kind == ExprKind::kSub && left == c_.t_datetime && right == c_.t_datetime)
      return c_.t_duration;
  }
  DiagnosticRef report =
      c_.ReportText(DPL0301, e.span,
                    std::string("`") + Sign(e.kind) + "` does not take " + DescribeType(c_, left) +
                        " and " + DescribeType(c_, right));
  if (Is(c_, left, TypeKind::kDate) || Is(c_, right, TypeKind::kDate))
    report.Help("count with `days_between(from, to)` or `years_between(from, to)`");
  return kNone;
}

// ---------------------------------------------------------------- containment

TypeId ExprChecker::In(Expr& e) {
  Expr& a = *e.args[0];
  Expr& b = *e.args[1];
  if (IsComparison(a) && !a.parenthesized) {
    c_.Report(DPL0307, e.span).Help("write two comparisons joined by `and`");
    return kNone;
  }
  TypeId left = kNone, right = kNone;
  if (b.kind == ExprKind::kSet) {
    left = Value(a, kNone);
    if (left == kNone) return kNone;
    bool weekdays = std::exchange(weekday_names_, a.ref == RefKind::kNowWeekday);
    right = Value(b, c_.model.AddType({TypeKind::kSet, left, false}));
    weekday_names_ = weekdays;
    if (right == kNone) return kNone;
  } else if (TakesItsTypeFromTheOtherSide(a) && !TakesItsTypeFromTheOtherSide(b)) {
    right = Value(b, kNone);
    if (right == kNone) return kNone;
    left = Value(a, Is(c_, right, TypeKind::kSet) ? c_.Type(right).index : right);
  } else {
    left = Value(a, kNone);
    if (left == kNone) return kNone;
    bool cidr = std::exchange(cidr_allowed_, left == c_.t_ip);
    right = Value(b, left == c_.t_path || left == c_.t_ip ? left : kNone);
    cidr_allowed_ = cidr;
  }
  if (left == kNone || right == kNone) return kNone;
  return Contained(e, left, right);
}

TypeId ExprChecker::Contained(Expr& e, TypeId left, TypeId right) {
  TypeDef inner = c_.Type(left), outer = c_.Type(right);
  std::string left_text(c_.SourceText(e.args[0]->span)), right_text(c_.SourceText(e.args[1]->span));
  switch (outer.kind) {
    case TypeKind::kSet:
      if (outer.index == left) return c_.t_bool;
      c_.Report(DPL0301, e.args[0]->span,
                {Quoted(left_text), DescribeType(c_, left), DescribeType(c_, outer.index)});
      return kNone;
    case TypeKind::kTeam:
      if (inner.kind == TypeKind::kPerson) return c_.t_bool;
      if (inner.kind == TypeKind::kTeam && e.args[1]->ref == RefKind::kTeam) return c_.t_bool;
      break;
    case TypeKind::kRole:
      if (inner.kind == TypeKind::kPerson && e.args[1]->ref == RefKind::kRole) return c_.t_bool;
      if (inner.kind == TypeKind::kPerson) {
        c_.ReportText(DPL0301, e.args[1]->span, "which role is asked for must be written out")
            .Help("write `person in role …`");
        return kNone;
      }
      break;
    case TypeKind::kPerson:
      if (inner.kind != TypeKind::kPerson) break;
      if (!c_.model.schema.person.within.empty()) return c_.t_bool;
      c_.ReportText(DPL0301, e.span, "nothing places one person under another")
          .Help("declare it in `person`: `within manager: Person`");
      return kNone;
    case TypeKind::kResource:
      if (inner.kind != TypeKind::kResource) break;
      if (CanLieWithin(c_, inner.index, outer.index)) return c_.t_bool;
      c_.ReportText(DPL0301, e.span,
                    WithArticle(TypeText(c_, left)) + " never lies within " +
                        WithArticle(TypeText(c_, right)))
          .Help("declare its parent: `within " + TypeText(c_, right) + "`");
      return kNone;
    case TypeKind::kPath:
    case TypeKind::kIp:
      if (inner.kind == outer.kind) return c_.t_bool;
      break;
    default:
      c_.ReportText(
            DPL0301, e.args[1]->span,
            "nothing can be in " + Quoted(right_text) + ", which is " + DescribeType(c_, right))
          .Help(left == right && left == c_.t_string
                    ? "to look for a part of a text, write `" + std::string(right_text) +
                          " like \"*…*\"`; to compare, `==`"
                : left == right ? "write `==`"
                                : std::string());
      return kNone;
  }
  c_.ReportText(DPL0301, e.span,
                DescribeType(c_, left) + " cannot be in " + DescribeType(c_, right));
  return kNone;
}

// ---------------------------------------------------------------- texts and times

TypeId ExprChecker::Text(Expr& e) {
  TypeId type = Value(*e.args[0], kNone);
  Constant pattern;
  pattern.kind = Constant::Kind::kPattern;
  pattern.extra = e.kind == ExprKind::kMatches ? 1 : 0;
  pattern.text = e.text;
  if (e.kind == ExprKind::kMatches) {
    Result<Pattern> compiled = Pattern::Compile(e.text);
    if (!compiled.ok()) {
      c_.Report(DPL0311, e.name_span.known() ? e.name_span : e.span,
                {Quote(e.text), compiled.error().message})
          .Help("patterns are re2 expressions of at most " + std::to_string(Pattern::kMaxSource) +
                " bytes, anchored at both ends");
      return kNone;
    }
  } else if (e.text.size() > Pattern::kMaxSource) {
    c_.Report(DPL0311, e.span,
              {"this text", "longer than " + std::to_string(Pattern::kMaxSource) + " bytes"});
    return kNone;
  }
  if (type == kNone) return kNone;
  if (type != c_.t_string) {
    DiagnosticRef report =
        c_.Report(DPL0301, e.args[0]->span,
                  {Quoted(c_.SourceText(e.args[0]->span)), DescribeType(c_, type), "a string"});
    if (type == c_.t_path) report.Help("paths are compared by segment: write `in \"/a/b\"`");
    return kNone;
  }
  e.ref = RefKind::kValue;
  e.ref_a = c_.model.AddConstant(std::move(pattern));
  return c_.t_bool;
}

TypeId ExprChecker::During(Expr& e) {
  TypeId type = Value(*e.args[0], kNone);
  ast::QName name{e.text2, e.name_span.known() ? e.name_span : e.span};
  const Symbol* calendar = Lookup(c_, SymbolKind::kCalendar, name, *scope_.file);
  if (type == kNone || calendar == nullptr) return kNone;
  if (type != c_.t_datetime) return Mismatch(*e.args[0], type, c_.t_datetime);
  e.ref = RefKind::kCalendar;
  e.ref_a = calendar->index;
  return c_.t_bool;
}

// ---------------------------------------------------------------- sets

TypeId ExprChecker::Quantifier(Expr& e) {
  TypeId set = Value(*e.args[0], kNone);
  bool named = !e.text.empty();
  if (set != kNone && !Is(c_, set, TypeKind::kSet)) {
    c_.ReportText(
        DPL0301, e.args[0]->span,
        Quoted(c_.SourceText(e.args[0]->span)) + " is " + DescribeType(c_, set) + ", not a set");
    set = kNone;
  }
  if (e.kind == ExprKind::kCount && (!named || e.args.size() < 2))
    return set == kNone ? kNone : c_.t_int;
  if (set == kNone) return kNone;
  if (IsVariable(e.text)) {
    c_.Report(DPL0207, e.name_span.known() ? e.name_span : e.span, {Quoted(e.text)})
        .Help("choose another name");
    return kNone;
  }
  uint32_t slot = static_cast<uint32_t>(locals_.size());
  e.ref_a = slot;
  locals_.push_back({e.text, c_.Type(set).index, slot});
  bool ok = Bool(*e.args[1]);
  locals_.pop_back();
  if (!ok) return kNone;
  return e.kind == ExprKind::kCount ? c_.t_int : c_.t_bool;
}

TypeId ExprChecker::Set(Expr& e, TypeId want) {
  TypeId plain = WithoutOptional(c_, want);
  TypeId element = Is(c_, plain, TypeKind::kSet) ? c_.Type(plain).index : kNone;
  if (e.args.size() > kMaxSetLiteral) {
    c_.Report(DPL0903, e.span, {std::to_string(e.args.size())});
    return kNone;
  }
  if (Is(c_, plain, TypeKind::kRecord) && e.args.empty()) return Record(e, want);
  if (element == kNone) {
    if (e.args.empty()) {
      c_.ReportText(DPL0301, e.span, "nothing says what this empty set is a set of");
      return kNone;
    }
    const auto telling = std::find_if(e.args.begin(), e.args.end(), [&](const auto& arg) {
      return !TakesItsTypeFromTheOtherSide(*arg);
    });
    element = Value(telling == e.args.end() ? *e.args[0] : **telling, kNone);
    if (element == kNone) return kNone;
  }
  bool ok = true;
  for (const auto& arg : e.args) {
    TypeId type = Value(*arg, element);
    if (type != kNone && type != element) Mismatch(*arg, type, element);
    ok = ok && type == element;
  }
  if (!ok) return kNone;
  if (element == c_.t_money) {
    uint32_t first = kNone;
    for (const auto& arg : e.args) {
      uint32_t value = FoldConstant(c_, *arg);
      if (value == kNone) continue;
      if (first == kNone) first = value;
      if (c_.model.constants[first].extra != c_.model.constants[value].extra) {
        c_.Report(DPL0304, arg->span,
                  {Quoted(ConstantText(c_, first)), Quoted(ConstantText(c_, value))});
        return kNone;
      }
    }
  }
  return c_.model.AddType({TypeKind::kSet, element, false});
}

TypeId ExprChecker::Record(Expr& e, TypeId want) {
  TypeId plain = WithoutOptional(c_, want);
  if (plain == c_.t_labels) {
    bool ok = true;
    for (const auto& arg : e.args) ok = Demand(*arg, c_.t_string) && ok;
    return ok ? plain : kNone;
  }
  if (!Is(c_, plain, TypeKind::kRecord)) {
    c_.ReportText(DPL0301, e.span,
                  want == kNone ? std::string("nothing says which record this is")
                                : "a record is here, but " + DescribeType(c_, want) + " is needed");
    return kNone;
  }
  RecordDef record = c_.model.schema.records[c_.Type(plain).index];
  bool ok = true;
  std::vector<std::string> known;
  for (Str name : record.names) known.emplace_back(c_.Text(name));
  std::set<std::string> given;
  for (size_t i = 0; i < e.args.size() && i < e.fields.size(); ++i) {
    auto at = std::find(known.begin(), known.end(), e.fields[i].text);
    given.insert(e.fields[i].text);
    if (at == known.end()) {
      c_.Report(DPL0302, e.fields[i].span, {"this record", Quoted(e.fields[i].text)})
          .Help(DidYouMean(NearNames(e.fields[i].text, known)));
      ok = false;
      continue;
    }
    ok = Demand(*e.args[i], record.types[static_cast<size_t>(at - known.begin())]) && ok;
  }
  for (size_t i = 0; i < known.size(); ++i) {
    if (given.contains(known[i]) || (scope_.in_test && IsOptional(c_, record.types[i]))) continue;
    c_.ReportText(DPL0301, e.span, "this record lacks " + Quoted(known[i]));
    ok = false;
  }
  return ok ? plain : kNone;
}

// ---------------------------------------------------------------- calls

TypeId ExprChecker::Call(Expr& e) {
  const Span& at = e.name_span.known() ? e.name_span : e.span;
  const BuiltinInfo* builtin = FindBuiltin(e.text);
  if (builtin == nullptr) {
    if (const Symbol* function = LookupQuietly(c_, SymbolKind::kFunction, e.text, *scope_.file))
      return FunctionCall(e, *function);
    std::vector<std::string> known;
    for (int i = 0; i < kBuiltinCount; ++i)
      known.emplace_back(InfoOf(static_cast<Builtin>(i)).name);
    for (const Symbol& symbol : c_.symbols) {
      if (symbol.kind != SymbolKind::kFunction) continue;
      if (symbol.name == e.text) {  // of a package that is not imported, or of several that are
        Lookup(c_, SymbolKind::kFunction, ast::QName{e.text, at}, *scope_.file);
        return kNone;
      }
      if (symbol.package == scope_.file->package || Imports(*scope_.file, symbol.package))
        known.push_back(symbol.name);
    }
    DiagnosticRef report = c_.Report(DPL0201, at, {"function", Quoted(e.text)});
    size_t dot = e.text.rfind('.');
    std::string method = e.text.substr(dot == std::string::npos ? 0 : dot + 1);
    std::vector<std::string> near = NearNames(method, known);
    if (dot != std::string::npos && (FindBuiltin(method) != nullptr || !near.empty())) {
      report.Help("functions stand in front: `" + (near.empty() ? method : near[0]) + "(" +
                  e.text.substr(0, dot) + (e.args.empty() ? ")`" : ", …)`"));
      return kNone;
    }
    report.Suggest(at, near);
    if (near.empty()) report.Help(HelpForCall(method));
    return kNone;
  }
  auto words = [&] {
    return std::string(builtin->signature.substr(0, builtin->signature.find(" ->")));
  };
  if (builtin->params.size() != e.args.size()) {
    c_.Report(DPL0312, e.span,
              {Quoted(e.text), Quoted(words()) + ", not " + std::to_string(e.args.size()) +
                                   (e.args.size() == 1 ? " argument" : " arguments")});
    return kNone;
  }
  bool ok = true;
  for (size_t i = 0; i < e.args.size(); ++i) {
    TypeKind kind = builtin->params[i];
    TypeId hint = kind == TypeKind::kSet ? kNone : c_.model.AddType({kind, kNone, false});
    TypeId type = Value(*e.args[i], hint);
    if (type != kNone && c_.Type(type).kind != kind) {
      c_.Report(DPL0312, e.args[i]->span,
                {Quoted(e.text), Quoted(words()) + "; this is " + DescribeType(c_, type)});
      type = kNone;
    }
    ok = ok && type != kNone;
  }
  if (!ok) return kNone;
  e.ref = RefKind::kBuiltin;
  e.ref_a = static_cast<uint32_t>(builtin->id);
  return c_.model.AddType({builtin->result, kNone, false});
}

}  // namespace dpl::check
