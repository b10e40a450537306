// What the files of the single statements share: the terms every statement carries, what their
// conditions see, and how a statement is called in messages. Internal to compiler/check.
#pragma once

#include <string>
#include <vector>

#include "compiler/check/checker.h"
#include "compiler/check/clauses.h"
#include "compiler/check/expr.h"

namespace dpl::check {

enum class Need : uint8_t { kNo, kYes };

// Owner, because, ticket, doc, review and expiry, with the file's defaults. `because` is demanded
// when `need` says so.
void ReadTerms(Checker& c, const Symbol& s, const ast::Meta& meta, Need because);
// "grant `band_one`"
std::string Called(const Symbol& s);
// DPL0104 unless the declaration could not be read whole.
void Lacks(Checker& c, const Symbol& s, const std::string& what, const std::string& help);

// Why a text is no reason: empty when it is one.
bool IsEmptyTalk(std::string_view because);

const ZoneTable& ZoneOf(const Checker& c, uint32_t package);

// Conditions.
ExprScope GrantScope(FileScope& file, const std::vector<ast::Subject>& to);
ExprScope BoundingScope(FileScope& file, const std::string& where);     // agent, delegation, task
ExprScope RestrictingScope(FileScope& file, const std::string& where);  // limit, forbid, separate

// Closing rule 18: authority that rests on a person's attribute from the request must say `trusting
// request`.
void CheckTrust(Checker& c, const Symbol& s, const std::vector<ClauseModel>& clauses,
                bool trusting);
// What restricts and lets the unlabelled through (rule 10), or reads a request attribute with a
// default (settled point 18).
void WarnRestricting(Checker& c, const ast::Expr* condition, const std::string& what);
// DPL0512: a comparison of a measure that must be limited.
void WarnHiddenLimit(Checker& c, const ClauseModel& clause);

// Unfolds all `may`s of an agent, delegation or task.
void AddMay(Checker& c, StatementModel& statement, std::vector<ast::MayClause>& may,
            ClauseRole role, const ExprScope& scope);
// Unfolds the `covers` of what restricts.
void AddCovers(Checker& c, StatementModel& statement, std::vector<ast::CoversClause>& covers,
               ClauseRole role, const std::vector<ast::Subject>* subjects, const Span& subject_span,
               const ExprScope& scope);

// limit.cc: the limits of a statement. Clauses must be there already.
struct LimitPlace {
  const ExprScope* scope = nullptr;
  bool person = true, agent = false,
       instance = false;  // which of these a request that meets the limit always has
  bool task = false;
  bool partner = false;
  std::string no_person, no_agent;  // why not
};
void BuildLimits(Checker& c, const Symbol& s, std::vector<ast::LimitClause>& limits,
                 const LimitPlace& place);

}  // namespace dpl::check
