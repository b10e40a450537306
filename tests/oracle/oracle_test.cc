// Engine against oracle over generated policies, facts and requests.
//
// DPL_ORACLE_CASES (default 100,000 decisions) and DPL_ORACLE_SEED choose how much and what. A
// difference is made smaller, printed, and written to divergence-<seed>.txt in the build's folder.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>

#include <gtest/gtest.h>

#include "tests/oracle/session.h"

namespace dpl::oracle {
namespace {

uint64_t FromEnvironment(const char* name, uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

// What the generated cases must have met, and how often in 100,000 decisions; so that the
// comparison cannot become vacuous without anybody noticing.
struct Expected {
  const char* what;
  uint64_t least;
};

const Expected kReasons[] = {
    {"permit", 7'000},
    {"approval_required", 650},
    {"would_permit", 200},
    {"request.invalid", 1'000},
    {"request.unknown_action", 450},
    {"request.key_conflict", 7},
    {"request.already_used", 16},
    {"identity.unknown", 250},
    {"identity.ambiguous", 650},
    {"identity.chain_mismatch", 80},
    {"person.not_active", 350},
    {"accountable.missing", 900},
    {"agent.actor_missing", 250},
    {"agent.mode_not_allowed", 550},
    {"agent.expired", 30},
    {"agent.too_many_instances", 40},
    {"revoked.person", 250},
    {"revoked.account", 100},
    {"revoked.agent", 50},
    {"revoked.instance", 11},
    {"revoked.task", 100},
    {"revoked.grant", 80},
    {"revoked.partner", 30},
    {"revoked.delegation", 20},
    {"error.stale_data", 500},
    {"error.clock", 12},
    {"identity.unlinked", 700},
    {"identity.link_stale", 300},
    {"break_glass.not_allowed", 500},
    {"forbidden", 1'200},
    {"person.no_grant", 8'000},
    {"grant.not_started", 100},
    {"grant.expired", 200},
    {"grant.unreviewed", 60},
    {"grant.review_overdue", 100},
    {"grant.unapproved", 200},
    {"agent.not_allowed", 3'500},
    {"delegation.none", 2'000},
    {"delegation.consent_missing", 300},
    {"delegation.expired", 150},
    {"delegation.depth", 100},
    {"partner.not_allowed", 100},
    {"task.required", 250},
    {"task.unknown", 70},
    {"task.expired", 80},
    {"task.wrong_actor", 100},
    {"task.out_of_scope", 70},
    {"separation", 100},
    {"limit.unknown", 250},
    {"limit.exceeded", 1'000},
    {"obligation.unsupported", 150},
};  // limit.unbounded cannot be met by a policy that DPL0502 lets through

const Expected kThings[] = {
    {"period each", 8'000},
    {"period hour", 350},
    {"period day", 550},
    {"period week", 350},
    {"period month", 400},
    {"period quarter", 300},
    {"period sliding", 300},
    {"period total", 500},
    {"key person", 1'000},
    {"key agent", 200},
    {"key instance", 40},
    {"key task", 12},
    {"key resource", 450},
    {"key path", 500},
    {"limit of grant", 7'500},
    {"limit of grant, superseded", 450},
    {"limit of block", 3'000},
    {"limit of agent", 100},
    {"limit of delegation", 200},
    {"limit of task", 16},
    {"limit ok, used before", 950},
    {"limit exceeded, used before", 150},
    {"limit needs approval", 500},
    {"limit unknown", 550},
    {"limit counted", 400},
    {"approval used", 30},
    {"approval refused", 50},
    {"replayed", 30},
    {"cancelled", 250},
    {"confirmed", 150},
    {"mode direct", 8'500},
    {"mode on_behalf_of", 5'500},
    {"mode impersonate", 2'000},
    {"mode standing", 850},
    {"mode public", 150},
    {"mode partner", 150},
    {"a person for a person", 150},
    {"key partner", 12},
    {"limit of partner", 12},
    {"chain of 2", 950},
    {"chain of 3", 80},
    {"obligation", 700},
    {"door open", 150},
    {"door shut", 700},
    {"forbid lifted", 10},
    {"call of a function", 600},
    {"in a task", 3'000},
};

struct ExpectedOperator {
  ast::ExprKind kind;
  const char* name;
  uint64_t values, errors;
};
const ExpectedOperator kOperators[] = {
    {ast::ExprKind::kNumber, "number", 7'500, 0},
    {ast::ExprKind::kMoney, "money", 12'500, 0},
    {ast::ExprKind::kString, "string", 4'500, 0},
    {ast::ExprKind::kDuration, "duration", 300, 0},
    {ast::ExprKind::kDate, "date", 1'000, 0},
    {ast::ExprKind::kDateTime, "datetime", 600, 0},
    {ast::ExprKind::kTime, "time", 700, 0},
    {ast::ExprKind::kBool, "bool", 20, 0},
    {ast::ExprKind::kName, "name", 47'000, 450},
    {ast::ExprKind::kField, "field", 40'500, 4'000},
    {ast::ExprKind::kIndex, "label", 80, 150},
    {ast::ExprKind::kEntity, "entity", 2'500, 0},
    {ast::ExprKind::kHead, "team or role", 3'500, 0},
    {ast::ExprKind::kNot, "not", 1'000, 100},
    {ast::ExprKind::kNeg, "minus", 20, 4},
    {ast::ExprKind::kOr, "or", 3'500, 600},
    {ast::ExprKind::kAnd, "and", 5'000, 700},
    {ast::ExprKind::kEq, "==", 5'000, 800},
    {ast::ExprKind::kNe, "!=", 4'500, 550},
    {ast::ExprKind::kLt, "<", 1'000, 250},
    {ast::ExprKind::kLe, "<=", 1'500, 300},
    {ast::ExprKind::kGt, ">", 1'000, 150},
    {ast::ExprKind::kGe, ">=", 1'000, 250},
    {ast::ExprKind::kAdd, "+", 600, 100},
    {ast::ExprKind::kSub, "-", 150, 30},
    {ast::ExprKind::kMul, "*", 300, 60},
    {ast::ExprKind::kIn, "in", 6'000, 1'000},
    {ast::ExprKind::kNotIn, "not in", 150, 70},
    {ast::ExprKind::kLike, "like", 400, 50},
    {ast::ExprKind::kMatches, "matches", 150, 20},
    {ast::ExprKind::kIsKnown, "is known", 4'000, 200},
    {ast::ExprKind::kIsNotKnown, "is not known", 1'500, 50},
    {ast::ExprKind::kDuring, "during", 50, 1},
    {ast::ExprKind::kIf, "if", 1'000, 300},
    {ast::ExprKind::kSome, "some", 250, 30},
    {ast::ExprKind::kAll, "all", 100, 30},
    {ast::ExprKind::kCount, "count", 200, 10},
    {ast::ExprKind::kCall, "call", 1'000, 90},
    {ast::ExprKind::kSet, "set", 1'000, 0},
};

TEST(Oracle, AgreesWithTheEngine) {
  uint64_t cases = FromEnvironment("DPL_ORACLE_CASES", 100'000);
  uint64_t first = FromEnvironment("DPL_ORACLE_SEED", 1);
  uint64_t most = FromEnvironment("DPL_ORACLE_DIFFERENCES", 1);  // before giving up
  Tally tally;
  std::map<std::string, int> refused;
  uint64_t policies = 0, differences = 0;
  for (uint64_t seed = first; tally.asks < cases && differences < most; ++seed) {
    ++policies;
    Found found = RunPolicy(seed, Faults(), &tally, &refused, true);
    if (!found.differs) continue;
    ++differences;
    std::string path =
        (std::filesystem::path(DPL_BIN_DIR) / ("../divergence-" + std::to_string(seed) + ".txt"))
            .lexically_normal();
    std::ofstream(path) << found.report;
    ADD_FAILURE() << found.report << "\nwritten to " << path;
  }
  std::cout << tally.asks << " decisions over " << policies << " policies: " << tally.permits
            << " permits, " << tally.askings << " asks\n";
  for (const auto& [reason, n] : tally.reasons) std::cout << "  " << reason << " " << n << "\n";
  for (const auto& [thing, n] : WhatWasSeen().things)
    std::cout << "  " << thing << " " << n << "\n";
  for (const ExpectedOperator& op : kOperators) {
    size_t k = static_cast<size_t>(op.kind);
    std::cout << "  " << op.name << " " << WhatWasSeen().values[k] << ", unknown "
              << WhatWasSeen().errors[k] << "\n";
  }
  for (const auto& [code, n] : refused) std::cout << "  refused " << code << " " << n << "\n";
  if (differences != 0) return;

  // The engine's own answers are counted: a reason that only one side can give would have been a
  // difference.
  if (cases < 100'000) return;  // too few to demand anything of them: a sanitizer's run
  EXPECT_GE(tally.permits * 100, tally.asks * 15);
  EXPECT_LE(tally.permits * 100, tally.asks * 80);
  for (const Expected& e : kReasons) EXPECT_GE(tally.reasons[e.what], e.least) << e.what;
  for (const Expected& e : kThings) EXPECT_GE(WhatWasSeen().things[e.what], e.least) << e.what;
  for (const ExpectedOperator& op : kOperators) {
    size_t k = static_cast<size_t>(op.kind);
    EXPECT_GE(WhatWasSeen().values[k], op.values) << op.name;
    EXPECT_GE(WhatWasSeen().errors[k], op.errors) << op.name << ", unknown";
  }
}

// Each mistake planted in the oracle must show: else the generated cases would not find the same
// mistake in the engine.
struct Plant {
  const char* name;
  bool Faults::*fault;
};
class PlantedFault : public testing::TestWithParam<Plant> {};

TEST_P(PlantedFault, IsFound) {
  Faults faults;
  faults.*GetParam().fault = true;
  Tally tally;
  std::map<std::string, int> refused;
  for (uint64_t seed = 1; tally.asks < 40'000; ++seed) {
    if (RunPolicy(seed, faults, &tally, &refused, false).differs) {
      std::cout << "found after " << tally.asks << " decisions\n";
      return;
    }
  }
  FAIL() << "40,000 decisions agree with an oracle that is wrong";
}

INSTANTIATE_TEST_SUITE_P(
    Oracle, PlantedFault,
    testing::Values(Plant{"ForbidNeedsTrue", &Faults::forbid_needs_true},
                    Plant{"UnlessLiftsOnUnknown", &Faults::unless_lifts_on_unknown},
                    Plant{"AllOfNothingIsTrue", &Faults::all_of_nothing_is_true},
                    Plant{"DeadGrantsLoseLimits", &Faults::dead_grants_lose_limits},
                    Plant{"UnknownGrantsLoseLimits", &Faults::unknown_grants_lose_limits},
                    Plant{"SupersededByDead", &Faults::superseded_by_dead},
                    Plant{"AtCapIsOver", &Faults::at_cap_is_over},
                    Plant{"OrIsStrict", &Faults::or_is_strict},
                    Plant{"KnownHidesEarlier", &Faults::known_hides_earlier},
                    Plant{"RestrictingAgentIsRoot", &Faults::restricting_agent_is_root},
                    Plant{"CeilingOfActorOnly", &Faults::ceiling_of_actor_only},
                    Plant{"ReviewBindsPersons", &Faults::review_binds_persons},
                    Plant{"CancelKeeps", &Faults::cancel_keeps},
                    Plant{"MembersForever", &Faults::members_forever},
                    Plant{"UndeclaredDutiesAreDone", &Faults::undeclared_duties_are_done},
                    Plant{"ObligationNeedsTrue", &Faults::obligation_needs_true},
                    Plant{"DeputyIsNobody", &Faults::deputy_is_nobody},
                    Plant{"PartnerBoundsNothing", &Faults::partner_bounds_nothing},
                    Plant{"DoorsNeverShut", &Faults::doors_never_shut}),
    [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace dpl::oracle
