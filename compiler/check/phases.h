// The phases of a check, in the order check.cc runs them. Each is a pass over the whole set that
// reports what it finds and leaves the model a step further; a later phase may rely on everything
// an earlier one made.
#pragma once

#include <memory>
#include <vector>

#include "compiler/check/checker.h"

namespace dpl::check {

// names.cc: packages, imports, symbols.
void CollectNames(Checker& c, const std::vector<std::unique_ptr<ast::File>>& files);
void ReportUnusedImports(Checker& c);

// schema_build.cc: numbers for every named thing, then packages, enums, calendars, teams, roles,
// systems, activities.
void BuildSchema(Checker& c);
// resources.cc: the person, the context, resource types with attributes, parents and actions.
void BuildResources(Checker& c);
// zones.cc: time zones of packages and calendars.
void BuildZones(Checker& c);
// ownership.cc: who owns which type; then, once statements are there, who may grant over it.
void BuildOwners(Checker& c);
void CheckOwnership(Checker& c);
// function.cc: declarations of functions; calls check the body again for their place.
void BuildFunctions(Checker& c);
// roles.cc: conditions of computed roles.
void BuildRoles(Checker& c);

// statement.cc: an entry per statement, sorted; what all statements share; then each kind in its
// own file.
void BuildStatements(Checker& c);
void BuildApproval(Checker& c, const Symbol& s);
void BuildGrant(Checker& c, const Symbol& s);
void BuildLimitBlock(Checker& c, const Symbol& s);
void BuildForbid(Checker& c, const Symbol& s);
void BuildAgent(Checker& c, const Symbol& s);
void BuildDelegation(Checker& c, const Symbol& s);
void BuildTask(Checker& c, const Symbol& s);
void BuildObligation(Checker& c, const Symbol& s);
void BuildSeparate(Checker& c, const Symbol& s);
void BuildBreakGlass(Checker& c, const Symbol& s);
void BuildPartner(Checker& c, const Symbol& s);

// Across statements.
void CheckDelegations(Checker& c);    // delegation.cc: against agents, tasks and grants
void CheckAgents(Checker& c);         // agent.cc: agents that nothing names
void CheckSeparateRoles(Checker& c);  // separate.cc: what `separate` by role reaches
void CheckMustBeLimited(Checker& c);  // limit_cover.cc: DPL0502
void CheckRedundant(Checker& c);      // redundant.cc: DPL0413, 0414, 0503 across statements
void CheckConflicts(Checker& c);      // conflict.cc: DPL0501, 0511
void CheckObligations(Checker& c);    // obligation.cc: DPL0707

// facts_check.cc: what only `--facts` can tell.
void CheckFacts(Checker& c);

// test_check.cc
void CheckTests(Checker& c);

}  // namespace dpl::check
