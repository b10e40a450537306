// Unfolding of `may … on …` and `covers …`: one ClauseModel per resource type, with its actions,
// scope and condition.
#pragma once

#include <vector>

#include "compiler/check/checker.h"
#include "compiler/check/expr.h"

namespace dpl::check {

struct UnfoldInput {
  ClauseRole role = ClauseRole::kGrantMay;
  uint16_t row = 0;
  const std::vector<ast::Subject>* subjects = nullptr;
  Span span, subject_span;
  const ExprScope* scope =
      nullptr;  // what the condition sees; `type` and `actions` are filled in here
  bool id_warning =
      false;  // a restricting statement: a literal id needs a key with a pattern (closing rule 17)
};

// What is wrong has been reported and is left out of the result.
std::vector<ClauseModel> Unfold(Checker& c, ast::MayClause& may, const UnfoldInput& input);

// Resolves the names of subjects in place (Subject::ref); false when one is unknown or not
// supported.
bool ResolveSubjects(Checker& c, std::vector<ast::Subject>& subjects, FileScope& file);

// A role held on objects can only count where the clause's type is, or lies within, one of them.
void WarnRoleElsewhere(Checker& c, const std::vector<ast::Subject>& subjects,
                       const ClauseModel& clause);

// The resource types of a statement's clauses, ascending, once each.
std::vector<uint32_t> TypesOf(const std::vector<ClauseModel>& clauses);
// The actions a clause covers.
std::vector<const ActionDef*> ActionsOf(const Checker& c, const ClauseModel& clause);

// "`approve` on `coupa.Order`" for messages; several actions are listed.
std::string ClauseText(const Checker& c, const ClauseModel& clause);

bool SameSubject(const ast::Subject& a, const ast::Subject& b);
std::string SubjectText(const Checker& c, const ast::Subject& subject);  // "role purchaser"

// Whether one action on one type is reached by both.
bool SharesAction(const ClauseModel& a, const ClauseModel& b);

}  // namespace dpl::check
