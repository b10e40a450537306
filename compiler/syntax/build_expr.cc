// Expressions.
#include <utility>

#include <fmt/format.h>

#include "compiler/syntax/build.h"
#include "compiler/syntax/lex.h"

namespace dpl::syntax {
namespace {

using ast::ExprKind;

// Depth of an expression tree, bounded for everyone who walks it: the checker, the lowering, the
// oracle, the formatter.
constexpr size_t kMaxDepth = 256;

// The dotted name an expression spells, as in `docs.Folder`; empty when it is anything else.
std::string PathText(const ast::Expr& e) {
  if (e.parenthesized) return {};
  if (e.kind == ExprKind::kName) return e.text;
  if (e.kind != ExprKind::kField) return {};
  std::string base = PathText(*e.args[0]);
  return base.empty() ? base : base + "." + e.text;
}

}  // namespace

ast::ExprPtr Builder::NewExpr(ExprKind kind, const Span& span) const {
  auto e = std::make_unique<ast::Expr>();
  e->kind = kind;
  e->span = span;
  return e;
}

ast::ExprPtr Builder::ExprOf(P::ExprContext* node) { return ExprAt(node, 0); }

// An operand that binds tighter than `not` and `if`: those need brackets here.
ast::ExprPtr Builder::Operand(P::ExprContext* node, size_t depth) {
  bool loose = As<P::NotExprContext>(node) != nullptr || As<P::IfExprContext>(node) != nullptr;
  if (loose) {
    sink_
        ->ReportText(DPL0101, Of(node),
                     fmt::format("`{}` needs brackets round it here", node->start->getText()))
        .Help(fmt::format("write `({} …)`", node->start->getText()));
  }
  return ExprAt(node, depth);
}

ast::ExprPtr Builder::ExprAt(P::ExprContext* node, size_t depth) {
  Span span = Of(node);
  if (depth >= kMaxDepth) {
    if (depth == kMaxDepth) {
      sink_
          ->Report(DPL0106, span,
                   {fmt::format("this expression is nested deeper than {}", kMaxDepth)})
          .Help("name parts of it with `function`, or use a set and `in`");
    }
    return NewExpr(ExprKind::kBool, span);
  }
  ++depth;
  if (auto* atom = As<P::AtomExprContext>(node)) return AtomOf(atom->atom(), depth);
  if (auto* field = As<P::FieldExprContext>(node)) {
    ast::ExprPtr base = ExprAt(field->expr(), depth);
    if (base->kind == ExprKind::kHead &&
        !base->parenthesized) {  // team acme.staff: the dots belong to the name
      base->text2 += "." + field->word()->start->getText();
      base->span = span;
      base->name_span = source_.MakeSpan(base->name_span.begin, span.end);
      return base;
    }
    ast::ExprPtr e = NewExpr(ExprKind::kField, span);
    e->args.push_back(std::move(base));
    e->text = field->word()->start->getText();
    e->name_span = Of(field->word());
    return e;
  }
  if (auto* compare = As<P::CompareExprContext>(node)) return CompareOf(compare, depth);
  if (auto* ask = As<P::AskExprContext>(node)) return AskOf(ask, depth);
  auto binary = [&](ExprKind kind, P::ExprContext* left, P::ExprContext* right, bool tight) {
    ast::ExprPtr e = NewExpr(kind, span);
    e->args.push_back(tight ? Operand(left, depth) : ExprAt(left, depth));
    e->args.push_back(tight ? Operand(right, depth) : ExprAt(right, depth));
    return e;
  };
  if (auto* both = As<P::AndExprContext>(node))
    return binary(ExprKind::kAnd, both->expr(0), both->expr(1), false);
  if (auto* either = As<P::OrExprContext>(node))
    return binary(ExprKind::kOr, either->expr(0), either->expr(1), false);
  if (auto* sum = As<P::AddExprContext>(node)) {
    return binary(sum->PLUS() != nullptr ? ExprKind::kAdd : ExprKind::kSub, sum->expr(0),
                  sum->expr(1), true);
  }
  if (auto* product = As<P::MultiplyExprContext>(node)) {
    return binary(ExprKind::kMul, product->expr(0), product->expr(1), true);
  }
  if (auto* inner = As<P::NotExprContext>(node)) {
    ast::ExprPtr e = NewExpr(ExprKind::kNot, span);
    e->args.push_back(ExprAt(inner->expr(), depth));
    return e;
  }
  if (auto* inner = As<P::NegateExprContext>(node)) {
    ast::ExprPtr e = NewExpr(ExprKind::kNeg, span);
    e->args.push_back(Operand(inner->expr(), depth));
    return e;
  }
  if (auto* index = As<P::IndexExprContext>(node)) {
    ast::ExprPtr e = NewExpr(ExprKind::kIndex, span);
    e->args.push_back(ExprAt(index->expr(), depth));
    e->text = StringOf(index->STRING()).value;
    e->name_span = Of(index->STRING());
    return e;
  }
  if (auto* call = As<P::CallExprContext>(node)) {
    ast::ExprPtr e = NewExpr(ExprKind::kCall, span);
    ast::ExprPtr callee = ExprAt(call->expr(0), depth);
    e->text = PathText(*callee);
    e->name_span = callee->span;
    if (e->text.empty()) sink_->ReportText(DPL0101, callee->span, "only a function can be called");
    for (size_t i = 1; i < call->expr().size(); ++i)
      e->args.push_back(ExprAt(call->expr(i), depth));
    return e;
  }
  if (auto* entity = As<P::EntityExprContext>(node)) {
    ast::ExprPtr e = NewExpr(ExprKind::kEntity, span);
    ast::ExprPtr type = ExprAt(entity->expr(), depth);
    e->text = PathText(*type);
    e->name_span = type->span;
    if (e->text.empty()) {
      sink_
          ->ReportText(DPL0101, Of(entity->STRING()),
                       "a text stands here after something that is not a type")
          .Help("a reference is a type and an id, as in `docs.Folder \"A\"`");
    }
    e->text2 = StringOf(entity->STRING()).value;
    return e;
  }
  auto* choice = static_cast<P::IfExprContext*>(node);
  ast::ExprPtr e = NewExpr(ExprKind::kIf, span);
  for (P::ExprContext* part : choice->expr()) e->args.push_back(ExprAt(part, depth));
  return e;
}

// a == b, a in b
ast::ExprPtr Builder::CompareOf(P::CompareExprContext* node, size_t depth) {
  Span span = Of(node);
  ast::ExprPtr e = NewExpr(ExprKind::kEq, span);
  NoChain(node->expr(0), span);
  for (P::ExprContext* side : node->expr()) e->args.push_back(Operand(side, depth));
  switch (node->compare()->start->getType()) {
    case P::NE:
      e->kind = ExprKind::kNe;
      break;
    case P::LT:
      e->kind = ExprKind::kLt;
      break;
    case P::LE:
      e->kind = ExprKind::kLe;
      break;
    case P::GT:
      e->kind = ExprKind::kGt;
      break;
    case P::GE:
      e->kind = ExprKind::kGe;
      break;
    case P::IN:
      e->kind = ExprKind::kIn;
      break;
    case P::NOT:
      e->kind = ExprKind::kNotIn;
      break;
    case P::DURING: {
      ast::ExprPtr calendar = std::move(e->args[1]);
      e->args.pop_back();
      e->kind = ExprKind::kDuring;
      e->text2 = PathText(*calendar);
      e->name_span = calendar->span;
      if (e->text2.empty())
        sink_->ReportText(DPL0101, calendar->span, "after `during` stands the name of a calendar");
      break;
    }
    default:
      break;
  }
  return e;
}

// a like "x*", a is known
ast::ExprPtr Builder::AskOf(P::AskExprContext* node, size_t depth) {
  Span span = Of(node);
  ast::ExprPtr e = NewExpr(ExprKind::kLike, span);
  NoChain(node->expr(), span);
  e->args.push_back(Operand(node->expr(), depth));
  if (node->KNOWN() != nullptr) {
    e->kind = node->NOT() != nullptr ? ExprKind::kIsNotKnown : ExprKind::kIsKnown;
  } else {
    e->kind = node->LIKE() != nullptr ? ExprKind::kLike : ExprKind::kMatches;
    e->text = StringOf(node->STRING()).value;
    e->name_span = Of(node->STRING());
  }
  return e;
}

void Builder::NoChain(P::ExprContext* left, const Span& span) {
  bool chained =
      As<P::CompareExprContext>(left) != nullptr || As<P::AskExprContext>(left) != nullptr;
  if (!chained) return;
  DiagnosticRef report = sink_->Report(DPL0307, span);
  report.Help("compare twice and join with `and`, as in `a < b and b < c`");
  auto* compare = dynamic_cast<P::CompareExprContext*>(left);
  if (compare == nullptr) return;
  Span middle = Of(compare->expr(1));
  std::string text(source_.Slice(middle));
  if (text.find_first_of(" \n(") != std::string::npos) return;  // what is long is better rewritten
  report.Fix(source_.MakeSpan(middle.end, middle.end), " and " + text,
             "write `… and " + text + " …`");
}

ast::ExprPtr Builder::AtomOf(P::AtomContext* node, size_t depth) {
  Span span = Of(node);
  if (node->children.size() == 1) {  // a literal or a name, as most are
    auto* only = static_cast<Node*>(node->children[0]);
    if (auto* literal = As<P::LiteralContext>(only)) return LiteralExprOf(literal);
    ast::ExprPtr e = NewExpr(ExprKind::kName, span);
    e->text = only->start->getText();
    e->name_span = span;
    return e;
  }
  if (node->COUNT() != nullptr) return CountOf(node, depth);
  if (node->SATISFIES() != nullptr) {
    ast::ExprPtr e = NewExpr(node->SOME() != nullptr ? ExprKind::kSome : ExprKind::kAll, span);
    e->text = node->name()->start->getText();
    e->name_span = Of(node->name());
    for (P::ExprContext* part : node->expr()) e->args.push_back(ExprAt(part, depth));
    return e;
  }
  if (node->TEAM() != nullptr || node->ROLE() != nullptr) {
    ast::ExprPtr e = NewExpr(ExprKind::kHead, span);
    e->text = node->start->getText();
    e->text2 = node->name()->start->getText();
    e->name_span = Of(node->name());
    return e;
  }
  if (node->LPAREN() != nullptr) {
    ast::ExprPtr e = ExprAt(node->expr(0), depth);
    e->parenthesized = true;
    e->span = span;
    return e;
  }
  ast::ExprPtr e = NewExpr(node->entry().empty() ? ExprKind::kSet : ExprKind::kRecord, span);
  for (P::ExprContext* part : node->expr()) e->args.push_back(ExprAt(part, depth));
  for (P::EntryContext* entry : node->entry()) {
    if (entry->STRING() != nullptr) {
      ast::StringLit key = StringOf(entry->STRING());
      e->fields.push_back({std::move(key.value), key.span});
    } else {
      e->fields.push_back(NameOf(entry->word()));
    }
    e->args.push_back(ExprAt(entry->expr(), depth));
  }
  return e;
}

// count(set) | count(v in set where condition): the grammar reads `v in set` as a comparison, which
// keeps its choices short.
ast::ExprPtr Builder::CountOf(P::AtomContext* node, size_t depth) {
  ast::ExprPtr e = NewExpr(ExprKind::kCount, Of(node));
  ast::ExprPtr what = ExprAt(node->expr(0), depth);
  if (node->WHERE() == nullptr) {
    e->args.push_back(std::move(what));
    return e;
  }
  bool ranged = what->kind == ExprKind::kIn && !what->parenthesized &&
                what->args[0]->kind == ExprKind::kName && !what->args[0]->parenthesized;
  if (ranged) {
    e->text = what->args[0]->text;
    e->name_span = what->args[0]->span;
    e->args.push_back(std::move(what->args[1]));
  } else {
    sink_->ReportText(DPL0101, what->span, "a count with `where` names its members")
        .Help("write `count(v in set where …)`");
    e->text = "_";
    e->args.push_back(std::move(what));
  }
  e->args.push_back(ExprAt(node->expr(1), depth));
  return e;
}

ast::ExprPtr Builder::LiteralExprOf(P::LiteralContext* node) {
  ast::ExprPtr e = NewExpr(ExprKind::kString, Of(node));
  switch (node->start->getType()) {
    case P::STRING:
      e->text = StringOf(node->STRING()).value;
      return e;
    case P::NUMBER:
      e->kind = node->CURRENCY() != nullptr ? ExprKind::kMoney : ExprKind::kNumber;
      break;
    case P::DURATION:
      e->kind = ExprKind::kDuration;
      break;
    case P::DATETIME:
      e->kind = ExprKind::kDateTime;
      break;
    case P::DATE:
      e->kind = ExprKind::kDate;
      break;
    case P::TIME:
      e->kind = ExprKind::kTime;
      break;
    default:
      e->kind = ExprKind::kBool;
      e->bool_value = node->TRUE() != nullptr;
      break;
  }
  e->text = node->start->getText();
  if (node->CURRENCY() != nullptr) e->text2 = node->CURRENCY()->getText();
  return e;
}

ast::ExprPtr Builder::PathOf(P::PathContext* node) {
  ast::ExprPtr e = NewExpr(ExprKind::kName, Of(node->name()));
  e->text = node->name()->start->getText();
  e->name_span = e->span;
  size_t parts = 0;
  for (P::WordContext* word : node->word()) {
    if (++parts >= kMaxDepth) {
      sink_->Report(DPL0106, Of(word),
                    {fmt::format("this path has more than {} parts", kMaxDepth)});
      break;
    }
    ast::ExprPtr field = NewExpr(ExprKind::kField, Between(node->start, word->stop));
    field->text = word->start->getText();
    field->name_span = Of(word);
    field->args.push_back(std::move(e));
    e = std::move(field);
  }
  return e;
}

}  // namespace dpl::syntax
