// Typing of expressions: the entry points, truth values, and which optional values have been
// tested.
#include "compiler/check/expr.h"

#include <algorithm>

#include "compiler/check/expr_checker.h"
#include "compiler/check/values.h"

namespace dpl::check {

using ast::Expr;
using ast::ExprKind;
using ast::RefKind;

// ---------------------------------------------------------------- the class

TypeId ExprChecker::Check(Expr& e, TypeId want) {
  TypeId type = kNone;
  if (e.ref == RefKind::kUnresolved) e.ref = RefKind::kValue;
  switch (e.kind) {
    case ExprKind::kNumber:
    case ExprKind::kMoney:
    case ExprKind::kString:
    case ExprKind::kDuration:
    case ExprKind::kDate:
    case ExprKind::kDateTime:
    case ExprKind::kTime:
    case ExprKind::kBool:
      type = Literal(e, want);
      break;
    case ExprKind::kName:
      type = Name(e, want);
      break;
    case ExprKind::kField:
      type = Field(e, want);
      break;
    case ExprKind::kIndex:
      type = Index(e);
      break;
    case ExprKind::kCall:
      type = Call(e);
      break;
    case ExprKind::kEntity:
      type = Entity(e);
      break;
    case ExprKind::kHead:
      type = Head(e);
      break;
    case ExprKind::kNot:
    case ExprKind::kAnd:
    case ExprKind::kOr:
      type = Truth(e);
      break;
    case ExprKind::kNeg:
      type = Negation(e, want);
      break;
    case ExprKind::kEq:
    case ExprKind::kNe:
    case ExprKind::kLt:
    case ExprKind::kLe:
    case ExprKind::kGt:
    case ExprKind::kGe:
      type = Comparison(e);
      break;
    case ExprKind::kAdd:
    case ExprKind::kSub:
    case ExprKind::kMul:
      type = Arithmetic(e, want);
      break;
    case ExprKind::kIn:
    case ExprKind::kNotIn:
      type = In(e);
      break;
    case ExprKind::kLike:
    case ExprKind::kMatches:
      type = Text(e);
      break;
    case ExprKind::kIsKnown:
    case ExprKind::kIsNotKnown:
      type = Known(e);
      break;
    case ExprKind::kDuring:
      type = During(e);
      break;
    case ExprKind::kIf:
      type = If(e, want);
      break;
    case ExprKind::kSome:
    case ExprKind::kAll:
    case ExprKind::kCount:
      type = Quantifier(e);
      break;
    case ExprKind::kSet:
      type = Set(e, want);
      break;
    case ExprKind::kRecord:
      type = Record(e, want);
      break;
  }
  e.type = type;
  return type;
}

TypeId ExprChecker::Value(Expr& e, TypeId want) {
  TypeId type = Check(e, want);
  if (!IsOptional(c_, type)) return type;
  if (!scope_.restricting) {
    std::string path = PathText(e);
    if (path.empty() || std::find(known_.begin(), known_.end(), path) == known_.end()) {
      std::string text(c_.SourceText(e.span));
      c_.Report(DPL0303, e.span, {Quoted(text)})
          .Help("write `" + text + " is known and …` before using it");
    }
  }
  return WithoutOptional(c_, type);
}

bool ExprChecker::Demand(Expr& e, TypeId want) {
  TypeId type = Value(e, want);
  if (type == kNone) return false;
  if (want == kNone || type == WithoutOptional(c_, want)) return true;
  Mismatch(e, type, want);
  return false;
}

bool ExprChecker::Bool(Expr& e) {
  TypeId type = Value(e, c_.t_bool);
  if (type == kNone) return false;
  if (type == c_.t_bool) return true;
  c_.Report(DPL0309, e.span, {DescribeType(c_, type)})
      .Help("compare it with something: `" + std::string(c_.SourceText(e.span)) + " == …`");
  return false;
}

// Kleene operators. What the left side has tested is known on the right, and in the branches of an
// `if`.
TypeId ExprChecker::Truth(Expr& e) {
  size_t known = known_.size();
  bool ok = Bool(*e.args[0]);
  if (e.kind != ExprKind::kNot) {
    AddKnown(*e.args[0], e.kind == ExprKind::kAnd);
    ok = Bool(*e.args[1]) && ok;
  }
  known_.resize(known);
  return ok ? c_.t_bool : kNone;
}

// Adds the paths that are known when `e` is `truth`.
void ExprChecker::AddKnown(const Expr& e, bool truth) {
  switch (e.kind) {
    case ExprKind::kIsKnown:
      if (truth) known_.push_back(PathText(*e.args[0]));
      break;
    case ExprKind::kIsNotKnown:
      if (!truth) known_.push_back(PathText(*e.args[0]));
      break;
    case ExprKind::kNot:
      AddKnown(*e.args[0], !truth);
      break;
    case ExprKind::kAnd:
    case ExprKind::kOr:
      if (truth == (e.kind == ExprKind::kAnd)) {
        AddKnown(*e.args[0], truth);
        AddKnown(*e.args[1], truth);
      }
      break;
    default:
      break;
  }
}

TypeId ExprChecker::If(Expr& e, TypeId want) {
  bool ok = Bool(*e.args[0]);
  size_t known = known_.size();
  AddKnown(*e.args[0], true);
  TypeId then_type = kNone, else_type = kNone;
  Expr& then_expr = *e.args[1];
  Expr& else_expr = *e.args[2];
  if (TakesItsTypeFromTheOtherSide(then_expr) && want == kNone) {
    known_.resize(known);
    AddKnown(*e.args[0], false);
    else_type = Value(else_expr, kNone);
    known_.resize(known);
    AddKnown(*e.args[0], true);
    then_type = Value(then_expr, else_type);
    known_.resize(known);
  } else {
    then_type = Value(then_expr, want);
    known_.resize(known);
    AddKnown(*e.args[0], false);
    else_type = Value(else_expr, want == kNone ? then_type : want);
    known_.resize(known);
  }
  if (!ok || then_type == kNone || else_type == kNone) return kNone;
  if (then_type != else_type) return Mismatch(else_expr, else_type, then_type);
  return then_type;
}

TypeId ExprChecker::Known(Expr& e) {
  Expr& path = *e.args[0];
  if (PathText(path).empty()) {
    c_.Report(DPL0312, path.span, {"`is known`", "a path such as `resource.project`"});
    return kNone;
  }
  return Check(path, kNone) == kNone ? kNone : c_.t_bool;
}

// ---------------------------------------------------------------- entry points

namespace {
// A tree of a file that did not parse may have holes; the parser has said so.
bool Whole(const Expr& e) {
  return std::all_of(e.args.begin(), e.args.end(),
                     [](const auto& arg) { return arg != nullptr && Whole(*arg); });
}
}  // namespace

bool CheckCondition(Checker& c, Expr& e, const ExprScope& scope) {
  if (!Whole(e)) return false;
  if (!ExprChecker(c, scope).Bool(e)) return false;
  WarnConstantCondition(c, e);
  return true;
}

TypeId CheckTyped(Checker& c, Expr& e, TypeId want, const ExprScope& scope) {
  if (!Whole(e)) return kNone;
  ExprChecker checker(c, scope);
  if (want == kNone) return checker.Value(e, kNone);
  return checker.Demand(e, want) ? WithoutOptional(c, want) : kNone;
}

uint32_t CheckConstant(Checker& c, Expr& e, TypeId want, FileScope& file,
                       const std::string& where) {
  ExprScope scope;
  scope.file = &file;
  scope.where = where;
  if (CheckTyped(c, e, want, scope) == kNone) return kNone;
  uint32_t constant = FoldConstant(c, e);
  if (constant == kNone && !c.AlreadySaid(DPL0308, e.span)) {
    c.ReportText(DPL0301, e.span, "this is not a constant, and " + where + " needs one");
  }
  return constant;
}

uint32_t ConstantOf(Checker& c, const Symbol& symbol) {
  Checker::Folded& folded = c.folded[&symbol];
  if (folded.done) return folded.value;
  auto& decl = static_cast<ast::ConstDecl&>(*symbol.decl);
  if (folded.busy) {
    c.Report(DPL0314, decl.head_span, {"constant " + Quoted(symbol.name)});
    return kNone;
  }
  folded.busy = true;
  TypeId want = decl.type ? ResolveType(c, *decl.type, *symbol.file) : kNone;
  bool typed = !decl.type || want != kNone;
  if (decl.value != nullptr && typed) {
    folded.value = CheckConstant(c, *decl.value, want, *symbol.file, "a constant");
  }
  folded.busy = false;
  folded.done = true;
  return folded.value;
}

void Walk(const Expr& e, const std::function<void(const Expr&)>& visit) {
  visit(e);
  for (const auto& arg : e.args) {
    if (arg != nullptr) Walk(*arg, visit);
  }
  if (e.ref == RefKind::kFunction && e.target != nullptr) Walk(*e.target, visit);
}

std::unique_ptr<Expr> Clone(const Expr& e, bool annotated) {
  auto copy = std::make_unique<Expr>();
  copy->kind = e.kind;
  copy->span = e.span;
  copy->text = e.text;
  copy->text2 = e.text2;
  copy->bool_value = e.bool_value;
  copy->parenthesized = e.parenthesized;
  copy->fields = e.fields;
  copy->name_span = e.name_span;
  if (annotated) {
    copy->type = e.type;
    copy->ref = e.ref;
    copy->ref_a = e.ref_a;
    copy->ref_b = e.ref_b;
    copy->target = e.target;
  }
  for (const auto& arg : e.args)
    copy->args.push_back(arg == nullptr ? nullptr : Clone(*arg, annotated));
  return copy;
}

Expr* Own(Model& model, std::unique_ptr<Expr> e) {
  model.owned.push_back(std::move(e));
  return model.owned.back().get();
}

Expr* CloneInto(Model& model, const Expr& e) { return Own(model, Clone(e)); }

std::unique_ptr<Expr> PathExpr(const ast::QName& path) {
  std::unique_ptr<Expr> expr;
  std::string_view rest = path.text;
  uint32_t at = 0;
  while (!rest.empty() || expr == nullptr) {
    size_t dot = rest.find('.');
    auto step = std::make_unique<Expr>();
    step->kind = expr == nullptr ? ExprKind::kName : ExprKind::kField;
    step->text = rest.substr(0, dot);
    step->span = path.span;
    step->name_span = path.span;
    // Names hold ASCII only and a path has no blanks in practice; when it has, the whole path is
    // shown instead.
    if (path.span.end - path.span.begin == path.text.size()) {
      step->name_span.begin = path.span.begin + at;
      step->name_span.end = step->name_span.begin + static_cast<uint32_t>(step->text.size());
      step->name_span.column = path.span.column + at;
      step->name_span.end_column =
          step->name_span.column + static_cast<uint32_t>(step->text.size());
    }
    at += static_cast<uint32_t>(step->text.size()) + 1;
    if (expr != nullptr) step->args.push_back(std::move(expr));
    expr = std::move(step);
    if (dot == std::string_view::npos) break;
    rest = rest.substr(dot + 1);
  }
  return expr;
}

std::string PathText(const Expr& e) {
  switch (e.kind) {
    case ExprKind::kName:
      return e.text;
    case ExprKind::kField: {
      std::string base = PathText(*e.args[0]);
      return base.empty() ? base : base + "." + e.text;
    }
    case ExprKind::kIndex: {
      std::string base = PathText(*e.args[0]);
      return base.empty() ? base : base + "[\"" + e.text + "\"]";
    }
    default:
      return std::string();
  }
}

std::vector<const Expr*> Conjuncts(const Expr* e) {
  std::vector<const Expr*> parts;
  if (e == nullptr) return parts;
  if (e->kind != ExprKind::kAnd) return {e};
  for (const auto& arg : e->args) {
    for (const Expr* part : Conjuncts(arg.get())) parts.push_back(part);
  }
  return parts;
}

}  // namespace dpl::check
