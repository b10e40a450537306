// DPL0502: a measure that must be limited, granted where nothing limits it.
//
// What counts: a limit or `no limit` of the grant itself; a `limit` block that is about everyone
// the row names, for the whole type and without a condition; for a row of standing agents only,
// limits of all those agents. Limits of delegations and tasks do not: people can act without them.
#include <algorithm>

#include "compiler/check/clauses.h"
#include "compiler/check/overlap.h"
#include "compiler/check/phases.h"
#include "compiler/check/statement.h"

namespace dpl::check {
namespace {

bool Limits(const StatementModel& statement, std::string_view measure) {
  return std::any_of(
      statement.limits.begin(), statement.limits.end(),
      [&](const LimitModel& limit) { return limit.clause->measure.text == measure; });
}

bool AboutAll(const Checker& c, const ClauseModel& covers, const ClauseModel& granted) {
  if (covers.subjects == nullptr || covers.subjects->empty()) return true;
  return std::all_of(
      granted.subjects->begin(), granted.subjects->end(), [&](const ast::Subject& to) {
        return std::any_of(covers.subjects->begin(), covers.subjects->end(),
                           [&](const ast::Subject& limited) {
                             bool everyone = limited.kind == ast::Subject::Kind::kEveryone ||
                                             limited.kind == ast::Subject::Kind::kPublic;
                             return everyone || SubjectIncludes(c, limited, to);
                           });
      });
}

// What `limit` blocks cover whole, by resource type.
struct Cover {
  const StatementModel* block;
  const ClauseModel* covers;
};
using Covers = std::vector<std::vector<Cover>>;

Covers WholeCovers(const Checker& c) {
  Covers by_type(c.model.schema.resources.size());
  for (uint32_t s : c.by_kind[static_cast<size_t>(StatementKind::kLimit)]) {
    const StatementModel& block = c.model.statements[s];
    for (const ClauseModel& covers : block.clauses) {
      if (covers.where == nullptr && !covers.has_id && covers.containers.empty())
        by_type[covers.type].push_back({&block, &covers});
    }
  }
  return by_type;
}

bool LimitedByBlock(const Checker& c, const Covers& covers, const ClauseModel& granted,
                    uint32_t action, std::string_view measure) {
  const std::vector<Cover>& of_type = covers[granted.type];
  return std::any_of(of_type.begin(), of_type.end(), [&](const Cover& cover) {
    const std::vector<uint32_t>& actions = cover.covers->actions;
    return std::binary_search(actions.begin(), actions.end(), action) &&
           Limits(*cover.block, measure) && AboutAll(c, *cover.covers, granted);
  });
}

// By the ceilings of those it is for, when each of them has one of its own.
bool LimitedByCeilings(const Checker& c, const ClauseModel& granted, std::string_view measure) {
  const auto& partners = c.by_kind[static_cast<size_t>(StatementKind::kPartner)];
  return !granted.subjects->empty() &&
         std::all_of(granted.subjects->begin(), granted.subjects->end(),
                     [&](const ast::Subject& to) {
                       if (to.ref == kNone) return false;
                       if (to.kind == ast::Subject::Kind::kAgent)
                         return Limits(c.Agent(to.ref), measure);
                       return to.kind == ast::Subject::Kind::kPartner &&
                              Limits(c.model.statements[partners[to.ref]], measure);
                     });
}

}  // namespace

void CheckMustBeLimited(Checker& c) {
  const Covers covers = WholeCovers(c);
  std::vector<uint32_t> adding = c.by_kind[static_cast<size_t>(StatementKind::kGrant)];
  for (uint32_t door : c.by_kind[static_cast<size_t>(StatementKind::kBreakGlass)])
    adding.push_back(door);
  for (uint32_t g : adding) {
    const StatementModel& grant = c.model.statements[g];
    const Symbol& symbol = *c.statement_symbols[g];
    if (symbol.decl->incomplete) continue;
    static const std::vector<ast::LimitClause> kNoLimits;
    bool door = grant.kind == StatementKind::kBreakGlass;
    const std::vector<ast::LimitClause>& limits =
        door ? kNoLimits : static_cast<const ast::GrantDecl&>(*symbol.decl).limits;
    for (const ClauseModel& clause : grant.clauses) {
      if (clause.subjects == nullptr) continue;
      const ResourceDef& resource = c.model.schema.resources[clause.type];
      for (uint32_t a : clause.actions) {
        for (const ParamDef& param : resource.actions[a].params) {
          if (!param.must_be_limited) continue;
          std::string measure(c.Text(param.name));
          bool written = std::any_of(
              limits.begin(), limits.end(),
              [&](const ast::LimitClause& limit) { return limit.measure.text == measure; });
          if (written || LimitedByBlock(c, covers, clause, a, measure) ||
              LimitedByCeilings(c, clause, measure))
            continue;
          c.Report(DPL0502, clause.span,
                   {Quoted(measure), Quoted(c.Text(resource.actions[a].name)) + " on " +
                                         Quoted(c.Text(resource.name)) + " in " + Called(symbol)})
              .Label(resource.span, "declared here")
              .Help(door ? "an emergency lifts no limit: cap it in a `limit` block that covers it"
                         : "add `limit " + measure + " to … each` to the grant, or `no limit on " +
                               measure + " because \"…\"`");
        }
      }
    }
  }
}

}  // namespace dpl::check
