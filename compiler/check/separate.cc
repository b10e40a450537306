// Separation of duties by act: who did one may not do the other.
#include "compiler/check/phases.h"
#include "compiler/check/schema_build.h"
#include "compiler/check/statement.h"
#include "compiler/check/types.h"
#include "compiler/check/values.h"

namespace dpl::check {

void BuildSeparate(Checker& c, const Symbol& s) {
  auto& decl = static_cast<ast::SeparateDecl&>(*s.decl);
  StatementModel& statement = c.StatementOf(s);
  CheckMetaAllowed(c, decl.meta, {.because = true, .ticket = true, .review = true}, "a separate");
  ReadTerms(c, s, decl.meta, Need::kYes);
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

}  // namespace dpl::check
