// Values known at compile time: what a literal says, and what a constant expression comes to.
#include "compiler/check/values.h"

#include <algorithm>

#include "compiler/check/types.h"
#include "runtime/base/decimal.h"
#include "runtime/base/instant.h"
#include "runtime/base/ip.h"
#include "runtime/base/money.h"
#include "runtime/base/path.h"
#include "runtime/base/pattern.h"
#include "runtime/base/text.h"

namespace dpl::check {
namespace {

using ast::Expr;
using ast::ExprKind;

uint32_t Number(Checker& c, Constant::Kind kind, int64_t number, uint32_t extra = 0) {
  Constant constant;
  constant.kind = kind;
  constant.number = number;
  constant.extra = extra;
  return c.model.AddConstant(std::move(constant));
}

uint32_t TextConstant(Checker& c, Constant::Kind kind, std::string text) {
  Constant constant;
  constant.kind = kind;
  constant.text = std::move(text);
  return c.model.AddConstant(std::move(constant));
}

uint32_t Malformed(Checker& c, const Span& span, std::string_view text, const Error& error) {
  if (!c.sink->Said(DPL0006, span))  // the reader may have met it already
    c.ReportText(DPL0006, span, Quoted(text) + " cannot be read: " + error.message);
  return kNone;
}

uint32_t NumberConstant(Checker& c, const Expr& e, TypeId type) {
  std::string digits = Digits(e.text);
  if (Is(c, type, TypeKind::kDecimal)) {
    Result<Decimal> value = ParseDecimal(digits);
    if (value.ok()) return Number(c, Constant::Kind::kDecimal, value->micro);
    if (value.error().code == "decimal.range" || value.error().code == "decimal.digits") {
      c.Report(DPL0308, e.span, {Quoted(e.text), "decimal (18 digits, 6 of them after the point)"});
      return kNone;
    }
    return Malformed(c, e.span, e.text, value.error());
  }
  Result<int64_t> value = ParseInt(digits);
  if (value.ok()) return Number(c, Constant::Kind::kInt, *value);
  if (value.error().code == "int.range") {
    c.Report(DPL0308, e.span, {Quoted(e.text), "int (64 bits)"});
    return kNone;
  }
  return Malformed(c, e.span, e.text, value.error());
}

uint32_t MoneyConstant(Checker& c, const Expr& e) {
  Result<Money> value = ParseMoney(Digits(e.text), e.text2);
  if (value.ok()) return Number(c, Constant::Kind::kMoney, value->minor, value->currency);
  const std::string& code = value.error().code;
  if (code == "money.currency") {
    c.ReportText(DPL0305, e.span, Quoted(e.text2) + " is not a currency")
        .Help("use an ISO 4217 code such as USD or EUR");
  } else if (code == "money.digits") {
    auto currency = CurrencyIndex(e.text2);
    int digits = currency ? CurrencyDigits(*currency) : 0;
    c.ReportText(DPL0305, e.span,
                 Quoted(e.text + " " + e.text2) + " has more decimals than " + e.text2 + " has (" +
                     std::to_string(digits) + ")");
  } else if (code == "money.range") {
    c.Report(DPL0308, e.span, {Quoted(e.text + " " + e.text2), "money"});
  } else {
    return Malformed(c, e.span, e.text, value.error());
  }
  return kNone;
}

uint32_t StringConstant(Checker& c, const Expr& e, TypeId type, bool cidr_allowed) {
  if (Is(c, type, TypeKind::kPath)) {
    Result<std::string> path = NormalizePath(e.text);
    if (path.ok()) return TextConstant(c, Constant::Kind::kPath, path.take());
    c.ReportText(DPL0301, e.span, Quote(e.text) + " is not a path: " + path.error().message);
    return kNone;
  }
  if (Is(c, type, TypeKind::kIp)) {
    Result<IpPrefix> ip = cidr_allowed ? ParseIpPrefix(e.text) : ParseIp(e.text);
    if (ip.ok()) return TextConstant(c, Constant::Kind::kIp, FormatIp(*ip));
    DiagnosticRef report = c.ReportText(
        DPL0301, e.span, Quote(e.text) + " is not an ip address: " + ip.error().message);
    if (!cidr_allowed && ParseIpPrefix(e.text).ok())
      report.Help("write `in " + Quote(e.text) + "` to test for a block");
    return kNone;
  }
  if (!IsNfc(e.text)) {
    c.ReportText(DPL0301, e.span,
                 "this string is not in Unicode normal form C, so no value could equal it");
    return kNone;
  }
  return TextConstant(c, Constant::Kind::kString, e.text);
}

// ---------------------------------------------------------------- folding

uint32_t OutOfRange(Checker& c, const Expr& e) {
  c.Report(DPL0308, e.span, {"the value of this expression", TypeText(c, e.type)});
  return kNone;
}

uint32_t FoldArithmetic(Checker& c, const Expr& e, const Constant& a, const Constant& b) {
  using Kind = Constant::Kind;
  auto decimal = [&](std::optional<Decimal> v) {
    return v ? Number(c, Kind::kDecimal, v->micro) : OutOfRange(c, e);
  };
  auto checked = [&](Kind kind, uint32_t extra) -> uint32_t {
    int64_t out = 0;
    bool bad = e.kind == ExprKind::kAdd   ? __builtin_add_overflow(a.number, b.number, &out)
               : e.kind == ExprKind::kSub ? __builtin_sub_overflow(a.number, b.number, &out)
                                          : __builtin_mul_overflow(a.number, b.number, &out);
    return bad ? OutOfRange(c, e) : Number(c, kind, out, extra);
  };
  if (e.kind == ExprKind::kMul) {
    if (a.kind == Kind::kDecimal && b.kind == Kind::kDecimal) {
      return decimal(Multiply(Decimal{a.number}, Decimal{b.number}));
    }
    Kind kind = a.kind == Kind::kInt ? b.kind : a.kind;
    return checked(kind, a.kind == Kind::kMoney ? a.extra : b.extra);
  }
  if (a.kind == Kind::kMoney && b.kind == Kind::kMoney && a.extra != b.extra) {
    c.Report(DPL0304, e.span,
             {std::string(CurrencyCode(static_cast<uint16_t>(a.extra))),
              std::string(CurrencyCode(static_cast<uint16_t>(b.extra)))});
    return kNone;
  }
  if (a.kind == Kind::kDecimal && b.kind == Kind::kDecimal) {
    return decimal(e.kind == ExprKind::kAdd ? Add(Decimal{a.number}, Decimal{b.number})
                                            : Subtract(Decimal{a.number}, Decimal{b.number}));
  }
  if (a.kind == Kind::kDateTime && b.kind == Kind::kDateTime) return checked(Kind::kDuration, 0);
  Kind kind = a.kind == Kind::kDateTime || b.kind == Kind::kDateTime ? Kind::kDateTime : a.kind;
  return checked(kind, a.extra);
}

uint32_t FoldSet(Checker& c, const Expr& e) {
  Constant set;
  set.kind = Constant::Kind::kSet;
  for (const auto& arg : e.args) {
    uint32_t element = FoldConstant(c, *arg);
    if (element == kNone) return kNone;
    set.elements.push_back(element);
  }
  std::sort(set.elements.begin(), set.elements.end(),
            [&](uint32_t a, uint32_t b) { return CompareConstants(c.model, a, b) < 0; });
  set.elements.erase(std::unique(set.elements.begin(), set.elements.end()), set.elements.end());
  return c.model.AddConstant(std::move(set));
}

}  // namespace

std::string Digits(std::string_view text) {
  std::string out;
  for (char ch : text) {
    if (ch != '_') out.push_back(ch);
  }
  return out;
}

std::optional<int64_t> DurationUs(Checker& c, const ast::Literal& literal) {
  if (!literal.present) return std::nullopt;
  Result<Duration> value = ParseDuration(literal.text);
  if (value.ok()) return value->us;
  Malformed(c, literal.span, literal.text, value.error());
  return std::nullopt;
}

std::optional<Date> DateOfLiteral(Checker& c, const ast::Literal& literal) {
  if (!literal.present) return std::nullopt;
  Result<Date> value = ParseDate(literal.text);
  if (value.ok()) return *value;
  Malformed(c, literal.span, literal.text, value.error());
  return std::nullopt;
}

std::optional<int64_t> WholeNumber(Checker& c, const ast::Literal& literal) {
  if (!literal.present) return std::nullopt;
  Result<int64_t> value = ParseInt(Digits(literal.text));
  if (value.ok()) return *value;
  if (value.error().code == "int.range") {
    c.Report(DPL0308, literal.span, {Quoted(literal.text), "int (64 bits)"});
  } else {
    c.ReportText(DPL0006, literal.span, Quoted(literal.text) + " is not a whole number");
  }
  return std::nullopt;
}

std::optional<int64_t> InstantUs(Checker& c, const ast::Literal& literal, const ZoneTable& zone,
                                 bool end_of_day) {
  if (!literal.present) return std::nullopt;
  if (literal.text.find('T') != std::string::npos) {
    Result<Instant> value = ParseInstant(literal.text);
    if (value.ok()) return value->us;
    Malformed(c, literal.span, literal.text, value.error());
    return std::nullopt;
  }
  std::optional<Date> date = DateOfLiteral(c, literal);
  if (!date) return std::nullopt;
  return end_of_day ? zone.EndOfDay(*date).us : zone.LocalMidnight(*date).us;
}

uint32_t LiteralConstant(Checker& c, const Expr& e, TypeId type, bool cidr_allowed) {
  switch (e.kind) {
    case ExprKind::kBool:
      return Number(c, Constant::Kind::kBool, e.bool_value ? 1 : 0);
    case ExprKind::kNumber:
      return NumberConstant(c, e, type);
    case ExprKind::kMoney:
      return MoneyConstant(c, e);
    case ExprKind::kString:
      return StringConstant(c, e, type, cidr_allowed);
    case ExprKind::kDuration: {
      Result<Duration> value = ParseDuration(e.text);
      return value.ok() ? Number(c, Constant::Kind::kDuration, value->us)
                        : Malformed(c, e.span, e.text, value.error());
    }
    case ExprKind::kDate: {
      Result<Date> value = ParseDate(e.text);
      return value.ok() ? Number(c, Constant::Kind::kDate, value->days)
                        : Malformed(c, e.span, e.text, value.error());
    }
    case ExprKind::kDateTime: {
      Result<Instant> value = ParseInstant(e.text);
      return value.ok() ? Number(c, Constant::Kind::kDateTime, value->us)
                        : Malformed(c, e.span, e.text, value.error());
    }
    case ExprKind::kTime: {
      Result<TimeOfDay> value = ParseTime(e.text);
      return value.ok() ? Number(c, Constant::Kind::kTime, value->us)
                        : Malformed(c, e.span, e.text, value.error());
    }
    default:
      return kNone;
  }
}

uint32_t FoldConstant(Checker& c, const Expr& e) {
  switch (e.ref) {
    case ast::RefKind::kConst:
    case ast::RefKind::kPersonEntity:
    case ast::RefKind::kResourceEntity:
      return e.ref_a;
    case ast::RefKind::kEnumMember:
      return Number(c, Constant::Kind::kEnum, e.ref_b, e.ref_a);
    case ast::RefKind::kTeam:
      return Number(c, Constant::Kind::kTeam, e.ref_a);
    case ast::RefKind::kRole:
      return Number(c, Constant::Kind::kRole, e.ref_a);
    case ast::RefKind::kValue:
      break;
    default:
      return kNone;
  }
  switch (e.kind) {
    case ExprKind::kNumber:
    case ExprKind::kMoney:
    case ExprKind::kString:
    case ExprKind::kDuration:
    case ExprKind::kDate:
    case ExprKind::kDateTime:
    case ExprKind::kTime:
    case ExprKind::kBool:
    case ExprKind::kName:
      return e.ref_a;
    case ExprKind::kSet:
      return FoldSet(c, e);
    case ExprKind::kNeg: {
      uint32_t inner = FoldConstant(c, *e.args[0]);
      if (inner == kNone) return kNone;
      Constant value = c.model.constants[inner];
      if (__builtin_sub_overflow(int64_t{0}, value.number, &value.number)) return OutOfRange(c, e);
      return c.model.AddConstant(std::move(value));
    }
    case ExprKind::kAdd:
    case ExprKind::kSub:
    case ExprKind::kMul: {
      uint32_t a = FoldConstant(c, *e.args[0]);
      uint32_t b = a == kNone ? kNone : FoldConstant(c, *e.args[1]);
      if (b == kNone) return kNone;
      Constant left = c.model.constants[a], right = c.model.constants[b];
      return FoldArithmetic(c, e, left, right);
    }
    default:
      return kNone;
  }
}

std::optional<std::string> CanonicalId(Checker& c, uint32_t type, const std::string& id,
                                       const Span& span) {
  const ResourceDef& resource = c.model.schema.resources[type];
  std::string name(c.Text(resource.name));
  auto refuse = [&](const std::string& why) {
    c.ReportText(DPL0301, span,
                 Quote(id) + " cannot be the id of " + WithArticle(name) + ": " + why);
    return std::nullopt;
  };
  if (resource.key_is_path) {
    Result<std::string> path = NormalizePath(id);
    if (!path.ok()) return refuse(path.error().message);
    return path.take();
  }
  if (id.empty()) return refuse("an id is not empty");
  if (!IsNfc(id)) return refuse("an id is in Unicode normal form C");
  if (HasControl(id)) return refuse("an id has no control characters");
  if (resource.key_fold_ascii &&
      std::any_of(id.begin(), id.end(), [](char ch) { return ch >= 'A' && ch <= 'Z'; })) {
    return refuse("its key says `fold ascii`, so ids are in lower case");
  }
  if (resource.key_pattern != 0) {
    Result<Pattern> pattern = Pattern::Compile(c.Text(resource.key_pattern));
    if (pattern.ok() && !pattern->Matches(id))
      return refuse("it does not match " + Quote(c.Text(resource.key_pattern)));
  }
  return id;
}

int CompareConstants(const Model& model, uint32_t a, uint32_t b) {
  const Constant& x = model.constants[a];
  const Constant& y = model.constants[b];
  auto order = [](const auto& l, const auto& r) { return l < r ? -1 : (r < l ? 1 : 0); };
  if (int o = order(x.extra, y.extra)) return o;
  if (int o = order(x.number, y.number)) return o;
  if (int o = order(x.text, y.text)) return o;
  return order(x.elements, y.elements);
}

std::string ConstantText(const Checker& c, uint32_t index) {
  if (index == kNone) return "?";
  const Constant& v = c.model.constants[index];
  switch (v.kind) {
    case Constant::Kind::kBool:
      return v.number != 0 ? "true" : "false";
    case Constant::Kind::kDecimal:
      return FormatDecimal(Decimal{v.number});
    case Constant::Kind::kMoney:
      return FormatMoney(Money{v.number, static_cast<uint16_t>(v.extra)});
    case Constant::Kind::kString:
    case Constant::Kind::kPath:
    case Constant::Kind::kIp:
    case Constant::Kind::kPattern:
      return Quote(v.text);
    case Constant::Kind::kDate:
      return FormatDate(Date{static_cast<int32_t>(v.number)});
    case Constant::Kind::kDateTime:
      return FormatInstant(Instant{v.number});
    case Constant::Kind::kTime:
      return FormatTime(TimeOfDay{v.number});
    case Constant::Kind::kDuration:
      return FormatDuration(Duration{v.number});
    case Constant::Kind::kEnum:
      return std::string(
          c.Text(c.model.schema.enums[v.extra].members[static_cast<size_t>(v.number)]));
    case Constant::Kind::kPerson:
      return "person " + Quote(v.text);
    case Constant::Kind::kResource:
      return std::string(c.Text(c.model.schema.resources[v.extra].name)) + " " + Quote(v.text);
    case Constant::Kind::kTeam:
      return "team " +
             std::string(c.Text(c.model.schema.teams[static_cast<size_t>(v.number)].name));
    case Constant::Kind::kRole:
      return "role " +
             std::string(c.Text(c.model.schema.roles[static_cast<size_t>(v.number)].name));
    case Constant::Kind::kSet: {
      std::string text = "{";
      for (size_t i = 0; i < v.elements.size(); ++i)
        text += (i == 0 ? "" : ", ") + ConstantText(c, v.elements[i]);
      return text + "}";
    }
    default:
      return std::to_string(v.number);
  }
}

}  // namespace dpl::check
