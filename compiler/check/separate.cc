// Separation of duties by act: who did one may not do the other.
#include <algorithm>

#include "compiler/check/names.h"
#include "compiler/check/phases.h"
#include "compiler/check/schema_build.h"
#include "compiler/check/statement.h"
#include "compiler/check/types.h"
#include "compiler/check/values.h"

namespace dpl::check {
namespace {

// A role and whatever its holders hold through it.
void RolesGivenBy(const std::vector<RoleDef>& roles, uint32_t role, std::set<uint32_t>* gives) {
  if (!gives->insert(role).second) return;
  for (uint32_t included : roles[role].includes) RolesGivenBy(roles, included, gives);
}

void ReadRoles(Checker& c, const Symbol& s, ast::SeparateDecl& decl, StatementModel& statement) {
  if (!decl.sides.empty() || decl.within.present) {
    c.ReportText(DPL0102, decl.head_span, Called(s) + " separates roles and acts at once")
        .Help("write one `separate` for the roles and one for the acts");
  }
  const Symbol* roles[2] = {nullptr, nullptr};
  for (size_t i = 0; i < 2 && i < decl.roles.size(); ++i)
    roles[i] = Lookup(c, SymbolKind::kRole, decl.roles[i], *s.file);
  if (roles[0] == nullptr || roles[1] == nullptr) return;
  const std::vector<RoleDef>& all = c.model.schema.roles;
  for (size_t i = 0; i < 2; ++i) {
    std::set<uint32_t> gives;
    RolesGivenBy(all, roles[i]->index, &gives);
    if (!gives.contains(roles[1 - i]->index)) continue;
    c.ReportText(
         DPL0710, decl.roles[1].span,
         Called(s) + (roles[0] == roles[1] ? " separates a role from itself"
                                           : " separates roles of which one includes the other"))
        .Label(roles[i]->decl->head_span, "declared here")
        .Help("whoever holds " + Quoted(roles[i]->name) +
              " always holds both; name two roles that "
              "different people hold");
    return;
  }
  statement.separate.role_a = roles[0]->index;
  statement.separate.role_b = roles[1]->index;
}

}  // namespace

void BuildSeparate(Checker& c, const Symbol& s) {
  auto& decl = static_cast<ast::SeparateDecl&>(*s.decl);
  StatementModel& statement = c.StatementOf(s);
  CheckMetaAllowed(c, decl.meta, {.because = true, .ticket = true, .review = true}, "a separate");
  ReadTerms(c, s, decl.meta, Need::kYes);
  if (!decl.roles.empty()) return ReadRoles(c, s, decl, statement);
  statement.separate.within_us = DurationUs(c, decl.within).value_or(0);
  if (decl.sides.size() != 2) {
    Lacks(c, s, "two acts", "add `between … on … by resource.id and … on … by resource.…`");
    return;
  }
  ExprScope scope = RestrictingScope(*s.file, "a separation's condition");
  TypeId by_type[2] = {kNone, kNone};
  std::vector<ClauseModel> sides[2];
  for (int i = 0; i < 2; ++i) {
    ast::SeparateDecl::Side& side = decl.sides[static_cast<size_t>(i)];
    UnfoldInput input;
    input.role = i == 0 ? ClauseRole::kSeparateA : ClauseRole::kSeparateB;
    input.span = side.span;
    input.scope = &scope;
    sides[i] = Unfold(c, side.what, input);
    if (sides[i].empty()) continue;
    if (TypesOf(sides[i]).size() > 1) {
      c.ReportText(DPL0301, side.span, "each act of a separation is on one resource type")
          .Help("write one `separate` per type");
      sides[i].clear();
      continue;
    }
    if (side.by == nullptr) continue;
    ExprScope here = scope;
    here.type = sides[i].front().type;
    here.actions = ActionsOf(c, sides[i].front());
    by_type[i] = CheckTyped(c, *side.by, kNone, here);
    (i == 0 ? statement.by_a : statement.by_b) = side.by.get();
  }
  for (auto& side : sides) {
    for (ClauseModel& clause : side) statement.clauses.push_back(clause);
  }
  if (sides[0].empty() || sides[1].empty()) return;
  // An id names the thing, so it may stand beside a reference to it or the text of its id.
  if (by_type[0] != kNone && by_type[1] != kNone && by_type[0] != by_type[1]) {
    c.ReportText(DPL0301, decl.sides[1].by->span,
                 "the two acts meet by " + DescribeType(c, by_type[0]) + " and " +
                     DescribeType(c, by_type[1]))
        .Label(decl.sides[0].by->span, "this is " + DescribeType(c, by_type[0]))
        .Help("both sides name the same kind of value");
  }
  if (SharesAction(sides[0].front(), sides[1].front())) {
    c.Report(DPL0710, decl.sides[1].span, {Called(s)}).Label(decl.sides[0].span, "the same act");
  }
}

// A separation of roles reaches whatever either role is granted, itself or through a role it
// includes: there, nobody acts who holds both.
void CheckSeparateRoles(Checker& c) {
  const std::vector<RoleDef>& all = c.model.schema.roles;
  for (uint32_t s : c.by_kind[static_cast<size_t>(StatementKind::kSeparate)]) {
    StatementModel& separate = c.model.statements[s];
    if (separate.separate.role_a == kNone) continue;
    std::set<uint32_t> gives;
    RolesGivenBy(all, separate.separate.role_a, &gives);
    RolesGivenBy(all, separate.separate.role_b, &gives);
    std::map<uint32_t, std::set<uint32_t>> reached;  // type -> actions
    for (uint32_t g : c.by_kind[static_cast<size_t>(StatementKind::kGrant)]) {
      for (const ClauseModel& clause : c.model.statements[g].clauses) {
        if (clause.subjects == nullptr) continue;
        bool concerns = std::any_of(
            clause.subjects->begin(), clause.subjects->end(), [&](const ast::Subject& to) {
              return to.kind == ast::Subject::Kind::kRole && gives.contains(to.ref);
            });
        if (concerns) reached[clause.type].insert(clause.actions.begin(), clause.actions.end());
      }
    }
    const auto& decl = static_cast<const ast::SeparateDecl&>(*separate.decl);
    for (const auto& [type, actions] : reached) {
      ClauseModel clause;
      clause.role = ClauseRole::kSeparateA;
      clause.type = type;
      clause.actions.assign(actions.begin(), actions.end());
      clause.span = clause.subject_span = decl.roles.front().span;
      separate.clauses.push_back(std::move(clause));
    }
    if (reached.empty()) {
      c.ReportText(DPL0313, decl.head_span,
                   Called(*c.statement_symbols[s]) +
                       " separates nothing: no grant gives either role anything");
    }
  }
}

}  // namespace dpl::check
