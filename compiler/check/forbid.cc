// Forbids: what nobody may, and what lifts it.
#include "compiler/check/phases.h"
#include "compiler/check/schema_build.h"
#include "compiler/check/statement.h"

namespace dpl::check {
namespace {

using ast::Expr;
using ast::ExprKind;

// Closing rule 9: what lifts a prohibition may not come from the caller.
void CheckUnless(Checker& c, const Expr& unless) {
  Walk(unless, [&](const Expr& e) {
    const AttributeDef* attribute = nullptr;
    if (e.ref == ast::RefKind::kPersonAttr) attribute = &c.model.schema.person.attributes[e.ref_a];
    if (e.ref == ast::RefKind::kResourceAttr || e.ref == ast::RefKind::kResourceParent) {
      attribute = &c.model.schema.resources[e.ref_b].attributes[e.ref_a];
    }
    bool caller = e.ref == ast::RefKind::kRequestParam || e.ref == ast::RefKind::kContextAttr ||
                  (attribute != nullptr && attribute->from_request);
    if (!caller) return;
    DiagnosticRef report = c.Report(DPL0310, e.span, {Quoted(c.SourceText(e.span)), "`unless`"});
    if (attribute != nullptr) report.Label(attribute->span, "declared `from request` here");
    bool elsewhere = e.span.file != unless.span.file || e.span.begin < unless.span.begin ||
                     e.span.end > unless.span.end;
    if (elsewhere) report.Label(unless.span, "by the function that this calls");
    report.Help("the caller says it, so the caller could lift the forbid; use what facts hold");
  });
}

bool ReadsResource(const Expr& e) {
  bool reads = false;
  Walk(e, [&](const Expr& part) { reads |= part.ref == ast::RefKind::kVarResource; });
  return reads;
}

std::unique_ptr<Expr> Node(ExprKind kind, const Span& span, TypeId type) {
  auto node = std::make_unique<Expr>();
  node->kind = kind;
  node->span = span;
  node->type = type;
  node->ref = ast::RefKind::kValue;
  return node;
}

// With several resource types an `unless` about the resource means something else for each. It then
// becomes part of each clause: `covers X unless U` and `covers X where not U` bite on the same
// requests, T, F and ⊥ alike.
void SpreadUnless(Checker& c, StatementModel& statement, const Expr& unless,
                  const ExprScope& scope) {
  for (ClauseModel& clause : statement.clauses) {
    ExprScope here = scope;
    here.type = clause.type;
    here.actions = ActionsOf(c, clause);
    auto condition = Node(ExprKind::kNot, unless.span, c.t_bool);
    condition->args.push_back(Clone(unless));
    if (!CheckCondition(c, *condition->args[0], here)) return;
    CheckUnless(c, *condition->args[0]);
    if (clause.where != nullptr) {
      auto both = Node(ExprKind::kAnd, clause.where->span, c.t_bool);
      both->args.push_back(Clone(*clause.where, true));
      both->args.push_back(std::move(condition));
      condition = std::move(both);
    }
    clause.where_text += (clause.where_text.empty() ? "not (" : " and not (") +
                         std::string(c.SourceText(unless.span)) + ")";
    if (!clause.where_span.known()) clause.where_span = unless.span;
    clause.where = Own(c.model, std::move(condition));
  }
}

}  // namespace

void BuildForbid(Checker& c, const Symbol& s) {
  auto& decl = static_cast<ast::ForbidDecl&>(*s.decl);
  StatementModel& statement = c.StatementOf(s);
  CheckMetaAllowed(c, decl.meta, {.because = true, .ticket = true, .review = true}, "a forbid");
  ReadTerms(c, s, decl.meta, Need::kYes);
  ResolveSubjects(c, decl.applies_to, *s.file);
  ExprScope scope = RestrictingScope(*s.file, "a forbid's condition");
  Span subjects = decl.applies_to.empty() ? Span{} : decl.applies_to.front().span;
  AddCovers(c, statement, decl.covers, ClauseRole::kForbidCovers,
            decl.has_applies_to ? &decl.applies_to : nullptr, subjects, scope);
  if (decl.covers.empty())
    Lacks(c, s, "`covers`, which says what is forbidden", "add `covers … on …`");
  if (decl.unless == nullptr || statement.clauses.empty()) return;

  scope.where = "`unless`";
  std::vector<uint32_t> types = TypesOf(statement.clauses);
  scope.type = types.front();
  for (const ClauseModel& clause : statement.clauses) {
    if (clause.type != scope.type) continue;
    for (const ActionDef* action : ActionsOf(c, clause)) scope.actions.push_back(action);
  }
  if (!CheckCondition(c, *decl.unless, scope)) return;
  CheckUnless(c, *decl.unless);
  if (types.size() > 1 && ReadsResource(*decl.unless)) {
    SpreadUnless(c, statement, *decl.unless, scope);
  } else {
    statement.unless = decl.unless.get();
  }
}

}  // namespace dpl::check
