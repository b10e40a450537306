// The verifier, statement by statement: each kind of lie is refused with its reason.
#include "runtime/bytecode/verify.h"

#include <functional>

#include <gtest/gtest.h>

#include "tests/unit/bytecode/sample.h"

namespace dpl {
namespace {

struct Lie {
  const char* name;
  std::function<void(Program&)> tell;
  const char* code;
};

void PrintTo(const Lie& lie, std::ostream* out) { *out << lie.name; }

class Refuses : public testing::TestWithParam<Lie> {};

TEST_P(Refuses, WithAReason) {
  Program program = SampleProgram();
  GetParam().tell(program);
  Status status = VerifyProgram(program);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, GetParam().code) << status.error().message;
  EXPECT_FALSE(status.error().message.empty());
}

const SubjectKey kAnyKey{};

const Lie kLies[] = {
    // texts and spans
    {"text_not_utf8", [](Program& p) { p.schema.strings.push_back("\xff"); }, "bundle.text"},
    {"source_not_utf8", [](Program& p) { p.sources[0].text += '\xc0'; }, "bundle.text"},
    {"string_twice", [](Program& p) { p.schema.strings.push_back(p.schema.strings[1]); },
     "bundle.text"},
    {"span_outside", [](Program& p) { p.clauses[0].span.end = 10'000; }, "bundle.index"},
    {"span_backward", [](Program& p) { p.clauses[0].span.begin = 46; }, "bundle.index"},
    {"span_of_no_file", [](Program& p) { p.statements[0].span.file = 1; }, "bundle.index"},
    // constants
    {"constant_twice", [](Program& p) { p.constants.push_back(p.constants[0]); }, "bundle.value"},
    {"money_without_currency", [](Program& p) { p.constants[Sample::kFiveThousand].extra = 0; },
     "bundle.value"},
    {"enum_member", [](Program& p) { p.constants[Sample::kConfidential].number = 3; },
     "bundle.index"},
    {"negative_enum_member", [](Program& p) { p.constants[Sample::kConfidential].number = -1; },
     "bundle.index"},
    {"path_with_dots", [](Program& p) { p.constants[Sample::kPathSrv].text = "/srv/../etc"; },
     "bundle.value"},
    {"set_of_sets",
     [](Program& p) { p.constants[Sample::kSetOfText].elements = {Sample::kSetOfText}; },
     "bundle.value"},
    {"set_of_two_types",
     [](Program& p) {
       p.constants[Sample::kSetOfText].elements = {4, 7};
     },
     "bundle.value"},
    {"set_element", [](Program& p) { p.constants[Sample::kSetOfText].elements = {999}; },
     "bundle.index"},
    {"constant_resource_type", [](Program& p) { p.constants[Sample::kFolderA].extra = 3; },
     "bundle.index"},
    {"constant_agent", [](Program& p) { p.constants[Sample::kAgentA].number = 1; }, "bundle.index"},
    {"bool_of_two", [](Program& p) { p.constants[Sample::kTrue].number = 2; }, "bundle.value"},
    // schema
    {"type_refers_nowhere", [](Program& p) { p.schema.types[Sample::kClass].index = 9; },
     "bundle.index"},
    {"types_in_a_circle",
     [](Program& p) { p.schema.types[Sample::kPersons].index = Sample::kPersons; }, "bundle.cycle"},
    {"records_in_a_circle", [](Program& p) { p.schema.records[0].types[0] = Sample::kRecord; },
     "bundle.cycle"},
    {"zone_not_rising", [](Program& p) { p.schema.zones[1].transitions[1].utc_seconds = 0; },
     "bundle.value"},
    {"zone_without_version", [](Program& p) { p.schema.zones[1].version.clear(); }, "bundle.value"},
    {"zone_0_is_not_utc", [](Program& p) { std::swap(p.schema.zones[0], p.schema.zones[1]); },
     "bundle.value"},
    {"teams_in_a_circle", [](Program& p) { p.schema.teams[1].within = {0}; }, "bundle.cycle"},
    {"teams_out_of_order",
     [](Program& p) { std::swap(p.schema.teams[0].name, p.schema.teams[1].name); }, "bundle.order"},
    {"roles_in_a_circle", [](Program& p) { p.schema.roles[2].includes = {1}; }, "bundle.cycle"},
    {"role_includes_itself", [](Program& p) { p.schema.roles[2].includes = {2}; }, "bundle.cycle"},
    {"role_scope", [](Program& p) { p.schema.roles[0].scopes = {3}; }, "bundle.index"},
    {"default_of_another_type",
     [](Program& p) { p.schema.resources[0].attributes[0].default_constant = Sample::kText; },
     "bundle.value"},
    {"parent_attribute_of_another_type",
     [](Program& p) { p.schema.resources[0].parent_attribute = 2; }, "bundle.index"},
    {"person_within_an_attribute_that_is_no_person",
     [](Program& p) { p.schema.person.within = {0}; }, "bundle.index"},
    {"parameter_twice",
     [](Program& p) {
       auto& a = p.schema.resources[0].actions[0];
       a.params.push_back(a.params[0]);
     },
     "bundle.value"},
    {"calendar_day", [](Program& p) { p.schema.calendars[0].open[0].days = 0x80; }, "bundle.value"},
    {"calendar_closed_order",
     [](Program& p) {
       p.schema.calendars[0].closed = {5, 4};
     },
     "bundle.order"},
    {"package_zone", [](Program& p) { p.schema.packages[0].zone = 2; }, "bundle.index"},
    // statements
    {"grant_without_owner", [](Program& p) { p.statements[0].owner = {}; }, "bundle.statement"},
    {"grant_without_because", [](Program& p) { p.statements[0].because = 0; }, "bundle.statement"},
    {"forbid_without_because", [](Program& p) { p.statements[3].because = 0; }, "bundle.statement"},
    {"owner_is_no_person",
     [](Program& p) {
       p.statements[0].owner = {kNone, Sample::kText};
     },
     "bundle.statement"},
    {"statements_out_of_order",
     [](Program& p) { std::swap(p.statements[0].name, p.statements[1].name); }, "bundle.order"},
    {"two_statements_one_detail", [](Program& p) { p.statements[1].detail = 0; },
     "bundle.statement"},
    {"clause_of_nobody", [](Program& p) { p.clauses.push_back(p.clauses[0]); }, "bundle.statement"},
    {"clause_of_another", [](Program& p) { p.clauses[0].statement = 1; }, "bundle.statement"},
    {"clause_role", [](Program& p) { p.clauses[0].role = ClauseRole::kForbidCovers; },
     "bundle.statement"},
    {"clause_action",
     [](Program& p) {
       p.clauses[0].actions = {0, 2};
     },
     "bundle.index"},
    {"clause_without_action", [](Program& p) { p.clauses[0].actions.clear(); }, "bundle.statement"},
    {"clause_type", [](Program& p) { p.clauses[0].type = 3; }, "bundle.index"},
    {"clause_approval", [](Program& p) { p.clauses[0].ask_approval = 1; }, "bundle.index"},
    {"grant_without_to", [](Program& p) { p.clauses[0].subject_code = kNone; }, "bundle.statement"},
    {"supersedes_in_a_circle", [](Program& p) { p.grants[0].supersedes = {1}; }, "bundle.cycle"},
    {"supersedes_a_limit_block", [](Program& p) { p.grants[1].supersedes = {2}; }, "bundle.index"},
    {"agent_without_accountable", [](Program& p) { p.agents[0].accountable = kNone; },
     "bundle.statement"},
    {"agent_standing_and_more",
     [](Program& p) { p.agents[0].modes = kModeStanding | kModeOnBehalfOf; }, "bundle.statement"},
    {"delegation_from_nobody", [](Program& p) { p.delegations[0].from_code = kNone; },
     "bundle.statement"},
    {"delegation_to_nobody", [](Program& p) { p.delegations[0].to_agents.clear(); },
     "bundle.statement"},
    {"delegation_consent", [](Program& p) { p.delegations[0].consent_every_us = 0; },
     "bundle.statement"},
    {"task_agent", [](Program& p) { p.tasks[0].agents = {1}; }, "bundle.index"},
    {"approval_by_nobody", [](Program& p) { p.approvals[0].by[1].parties = 0; },
     "bundle.statement"},
    {"span_of_time", [](Program& p) { p.agents[0].lives_us = -1; }, "bundle.value"},
    {"expiry_out_of_range", [](Program& p) { p.statements[0].expires_us = INT64_MAX - 1; },
     "bundle.value"},
    // limits
    {"limit_of_nobody", [](Program& p) { p.limits.push_back(p.limits[0]); }, "bundle.statement"},
    {"limit_without_cap", [](Program& p) { p.limits[0].cap_code = kNone; }, "bundle.statement"},
    {"limit_window", [](Program& p) { p.limits[0].window_us = 5; }, "bundle.statement"},
    {"limit_key_without_code", [](Program& p) { p.limits[0].keys[1].code = kNone; },
     "bundle.statement"},
    // obligations and break_glass
    {"obligation_detail", [](Program& p) { p.obligations.pop_back(); }, "bundle.statement"},
    {"obligation_without_because", [](Program& p) { p.statements[8].because = 0; },
     "bundle.statement"},
    {"obligation_to_nothing",
     [](Program& p) {
       p.obligations[0].duties.clear();
       p.obligations[0].asks.clear();
     },
     "bundle.statement"},
    {"obligation_of_too_much",
     [](Program& p) {
       p.obligations[0].duties.resize(17, {DutyKind::kLog, 0, {}, {}, {}});
     },
     "bundle.size"},
    {"obligation_asks_nobody", [](Program& p) { p.obligations[0].asks = {1}; }, "bundle.index"},
    {"step_up_to_nothing", [](Program& p) { p.obligations[0].duties[0].text = 0; },
     "bundle.statement"},
    {"sign_without_meaning", [](Program& p) { p.obligations[0].duties[1].text = 0; },
     "bundle.statement"},
    {"log_with_text", [](Program& p) { p.obligations[0].duties[2].text = 1; }, "bundle.statement"},
    {"duty_text", [](Program& p) { p.obligations[0].duties[0].text = 9'999; }, "bundle.statement"},
    {"mask_of_nothing", [](Program& p) { p.obligations[0].duties[3].fields.clear(); },
     "bundle.statement"},
    {"mask_of_no_name", [](Program& p) { p.obligations[0].duties[3].fields = {0}; },
     "bundle.statement"},
    {"mask_text", [](Program& p) { p.obligations[0].duties[3].fields = {9'999}; },
     "bundle.statement"},
    {"log_that_masks", [](Program& p) { p.obligations[0].duties[2].fields = {1}; },
     "bundle.statement"},
    {"notify_nobody", [](Program& p) { p.obligations[0].duties[4].who = {}; }, "bundle.statement"},
    {"notify_a_team_that_is_not_there",
     [](Program& p) { p.obligations[0].duties[4].who = {.team = 9}; }, "bundle.statement"},
    {"log_to_somebody", [](Program& p) { p.obligations[0].duties[2].who = {.team = 0}; },
     "bundle.statement"},
    {"obligation_hidden_by_a_key",
     [](Program& p) {
       for (Clause& c : p.clauses) {
         if (c.role == ClauseRole::kObligationCovers) c.keys = {{KeyKind::kRole, 1}};
       }
     },
     "bundle.keys"},
    {"obligation_with_another_clause",
     [](Program& p) {
       for (Clause& c : p.clauses) {
         if (c.role == ClauseRole::kObligationCovers) c.role = ClauseRole::kForbidCovers;
       }
     },
     "bundle.statement"},
    {"break_glass_detail", [](Program& p) { p.break_glasses.push_back(p.break_glasses[0]); },
     "bundle.statement"},
    {"break_glass_without_because", [](Program& p) { p.statements[10].because = 0; },
     "bundle.statement"},
    {"break_glass_for_nobody",
     [](Program& p) {
       for (Clause& c : p.clauses) {
         if (c.role == ClauseRole::kBreakGlassMay) c.subject_code = kNone;
       }
     },
     "bundle.statement"},
    {"break_glass_with_another_clause",
     [](Program& p) {
       for (Clause& c : p.clauses) {
         if (c.role == ClauseRole::kBreakGlassMay) c.role = ClauseRole::kGrantMay;
       }
     },
     "bundle.statement"},
    {"break_glass_lifts_a_grant", [](Program& p) { p.break_glasses[0].lifts = {0}; },
     "bundle.index"},
    {"break_glass_lifts_nothing_there", [](Program& p) { p.break_glasses[0].lifts = {99}; },
     "bundle.index"},
    {"break_glass_lifts_out_of_order",
     [](Program& p) {
       p.break_glasses[0].lifts = {3, 2};
     },
     "bundle.order"},
    {"break_glass_needs_nothing", [](Program& p) { p.break_glasses[0].needs = 0; },
     "bundle.statement"},
    {"break_glass_needs_more", [](Program& p) { p.break_glasses[0].needs = 4; },
     "bundle.statement"},
    {"break_glass_for_ever", [](Program& p) { p.break_glasses[0].lasts_us = 0; }, "bundle.value"},
    {"break_glass_for_too_long", [](Program& p) { p.break_glasses[0].lasts_us = INT64_MAX; },
     "bundle.value"},
    {"break_glass_never_reviewed", [](Program& p) { p.break_glasses[0].review_within_us = 0; },
     "bundle.value"},
    {"break_glass_reviewed_too_late",
     [](Program& p) { p.break_glasses[0].review_within_us = INT64_MAX; }, "bundle.value"},
    {"break_glass_reviewed_by_nobody", [](Program& p) { p.break_glasses[0].review_by = {}; },
     "bundle.statement"},
    {"break_glass_tells_nobody", [](Program& p) { p.break_glasses[0].notify.clear(); },
     "bundle.statement"},
    {"break_glass_with_a_duty",
     [](Program& p) {
       p.break_glasses[0].notify[0] = {DutyKind::kLog, 0, {}, {}, {}};
     },
     "bundle.statement"},
    {"break_glass_tells_no_team",
     [](Program& p) { p.break_glasses[0].notify[0].who = {.team = 9}; }, "bundle.statement"},
    // partners
    {"partner_detail", [](Program& p) { p.partners.pop_back(); }, "bundle.statement"},
    {"partner_without_because", [](Program& p) { p.statements[11].because = 0; },
     "bundle.statement"},
    {"partner_without_issuer", [](Program& p) { p.partners[0].issuer = 0; }, "bundle.statement"},
    {"partner_issuer_text", [](Program& p) { p.partners[0].issuer = 9'999; }, "bundle.statement"},
    {"partner_for_ever", [](Program& p) { p.statements[11].expires_us = INT64_MAX; },
     "bundle.statement"},
    {"partner_hops_of_nobody", [](Program& p) { p.partners[0].accepts_agents = false; },
     "bundle.statement"},
    {"partner_agents_without_hops", [](Program& p) { p.partners[0].max_hops = 0; },
     "bundle.statement"},
    {"partner_too_many_hops", [](Program& p) { p.partners[0].max_hops = 9; }, "bundle.statement"},
    {"partners_of_one_issuer",
     [](Program& p) {
       Statement twin = p.statements[11];
       twin.name = AddString(&p, "acme.docs.zz");
       twin.detail = 1;
       twin.clauses.clear();
       twin.limits.clear();
       p.statements.push_back(twin);
       p.partners.push_back(p.partners[0]);
     },
     "bundle.statement"},
    {"partner_under_any", [](Program& p) { p.clauses.back().keys = {kAnyKey}; }, "bundle.keys"},
    {"partner_of_somebody",
     [](Program& p) { p.clauses.back().subject_code = p.clauses[0].subject_code; },
     "bundle.statement"},
    {"partner_with_another_clause",
     [](Program& p) { p.clauses.back().role = ClauseRole::kGrantMay; }, "bundle.statement"},
    {"key_of_no_partner",
     [](Program& p) {
       p.clauses[0].keys.push_back({KeyKind::kPartner, 1});
     },
     "bundle.keys"},
    {"code_of_no_partner",
     [](Program& p) { ReplaceCode(&p, p.clauses[3].subject_code, "SubjPartner 1\nReturn"); },
     "bundle.code"},
    {"grant_to_a_partner_under_another_key",
     [](Program& p) { ReplaceCode(&p, p.clauses[0].subject_code, "SubjPartner 0\nReturn"); },
     "bundle.keys"},
    // delegations to people, separation by role
    {"delegation_to_agents_and_people",
     [](Program& p) { p.delegations[0].to_code = p.delegations[0].from_code; }, "bundle.statement"},
    {"delegation_to_people_in_their_name",
     [](Program& p) {
       p.delegations[0].to_agents.clear();
       p.delegations[0].to_code = p.delegations[0].from_code;
       p.delegations[0].modes = kModeImpersonate;
     },
     "bundle.statement"},
    {"delegation_to_people_under_an_agent",
     [](Program& p) {
       p.delegations[0].to_agents.clear();
       p.delegations[0].to_code = p.delegations[0].from_code;
     },
     "bundle.keys"},
    {"separate_by_one_role", [](Program& p) { p.separates[0].role_a = 0; }, "bundle.statement"},
    {"separate_by_the_other_role", [](Program& p) { p.separates[0].role_b = 0; },
     "bundle.statement"},
    {"separate_by_a_role_and_itself",
     [](Program& p) {
       p.separates[0] = {0, kNone, kNone, 1, 1};
     },
     "bundle.statement"},
    {"separate_by_no_role",
     [](Program& p) {
       p.separates[0] = {0, kNone, kNone, 1, 99};
     },
     "bundle.index"},
    {"separate_by_role_and_act",
     [](Program& p) { p.separates[0].role_a = 0, p.separates[0].role_b = 1; }, "bundle.statement"},
    {"limit_tier", [](Program& p) { p.limits[0].tiers[0].approval = 4; }, "bundle.index"},
    {"limit_in_another_type",
     [](Program& p) { ReplaceCode(&p, p.limits[0].cap_code, "PushConst 7\nReturn"); },
     "bundle.code"},
    {"forbid_cannot_limit",
     [](Program& p) {
       p.limits[2].statement = 3;
       p.statements[2].limits.clear();
       p.statements[3].limits = {2};
     },
     "bundle.statement"},
    // keys: what the index must not hide
    {"no_key", [](Program& p) { p.clauses[0].keys.clear(); }, "bundle.keys"},
    {"key_of_no_team", [](Program& p) { p.clauses[0].keys[0].id = 2; }, "bundle.keys"},
    {"key_of_no_person", [](Program& p) { p.clauses[1].keys[0].id = Sample::kText; },
     "bundle.keys"},
    {"keys_out_of_order", [](Program& p) { std::swap(p.clauses[0].keys[0], p.clauses[0].keys[1]); },
     "bundle.order"},
    {"grant_under_half_its_keys", [](Program& p) { p.clauses[0].keys.pop_back(); }, "bundle.keys"},
    {"forbid_of_everybody_under_a_key",
     [](Program& p) {
       p.clauses[4].keys = {{KeyKind::kAgent, 0}};
     },
     "bundle.keys"},
    {"forbid_under_a_team",
     [](Program& p) {
       ReplaceCode(&p, p.clauses[5].subject_code, "SubjTeam 0\nReturn");
       p.clauses[5].keys = {{KeyKind::kTeam, 0}};
     },
     "bundle.keys"},
    {"forbid_of_any_agent_under_one",
     [](Program& p) { ReplaceCode(&p, p.clauses[5].subject_code, "SubjAnyAgent\nReturn"); },
     "bundle.keys"},
    {"forbid_by_negation",
     [](Program& p) { ReplaceCode(&p, p.clauses[5].subject_code, "SubjAgentHop 0\nNot\nReturn"); },
     "bundle.keys"},
    {"limit_under_everyone",
     [](Program& p) {
       p.clauses[3].keys = {{KeyKind::kEveryone, 0}};
     },
     "bundle.keys"},
    {"ceiling_under_any", [](Program& p) { p.clauses[6].keys = {kAnyKey}; }, "bundle.keys"},
    {"delegation_from_key",
     [](Program& p) {
       p.delegations[0].from_keys = {{KeyKind::kTeam, 0}};
     },
     "bundle.keys"},
    // codes
    {"code_used_by_nothing", [](Program& p) { AddCode(&p, "PushConst 8\nReturn"); }, "bundle.code"},
    {"words_of_no_code", [](Program& p) { p.code.push_back(0); }, "bundle.code"},
    {"codes_overlap", [](Program& p) { p.codes[1].offset -= 1; }, "bundle.code"},
    {"code_out_of_range", [](Program& p) { p.codes.back().size += 1; }, "bundle.code"},
    {"cost_too_low", [](Program& p) { p.codes[0].cost -= 1; }, "bundle.code"},
    {"stack_too_low", [](Program& p) { p.codes[0].max_stack = 1; }, "bundle.code"},
    {"stack_too_high", [](Program& p) { p.codes[0].max_stack = 65; }, "bundle.code"},
    {"locals_too_low", [](Program& p) { p.codes[0].locals = 0; }, "bundle.code"},
    {"locals_too_high", [](Program& p) { p.codes[0].locals = 17; }, "bundle.code"},
    {"subject_is_no_truth",
     [](Program& p) { ReplaceCode(&p, p.clauses[0].where_code, "PushConst 7\nReturn"); },
     "bundle.code"},
};

INSTANTIATE_TEST_SUITE_P(Verify, Refuses, testing::ValuesIn(kLies),
                         [](const auto& lie) { return std::string(lie.param.name); });

TEST(Verify, KeysMayBeWiderThanNeeded) {
  Program program = SampleProgram();
  program.clauses[0].keys = {kAnyKey};
  EXPECT_TRUE(VerifyProgram(program).ok());
  program.clauses[0].keys = {{KeyKind::kTeam, 0}, {KeyKind::kTeam, 1}, {KeyKind::kRole, 1}};
  EXPECT_TRUE(VerifyProgram(program).ok());
  program.clauses[5].keys = {kAnyKey};
  EXPECT_TRUE(VerifyProgram(program).ok());
}

// Adding a condition to a subject narrows it: the keys of either part find it.
TEST(Verify, CoverOfAConjunction) {
  Program program = SampleProgram();
  ReplaceCode(&program, program.clauses[0].subject_code,
              "SubjTeam 0\nSkipIfFalse 8\nLoadNow\nDuring 0\nAnd\nReturn");
  program.clauses[0].keys = {{KeyKind::kTeam, 0}};
  Status status = VerifyProgram(program);
  EXPECT_TRUE(status.ok()) << status.error().message;
  program.clauses[0].keys = {{KeyKind::kTeam, 1}};
  EXPECT_FALSE(VerifyProgram(program).ok());
}

TEST(Verify, LongProofsAreCutShort) {
  // Many clauses that all run one long code: small on disk, long to prove.
  Program program = SampleProgram();
  std::string chain = "PushConst 8\n";
  for (int i = 0; i < 20'000; ++i) chain += "Not\n";
  chain += "Return\n";
  ReplaceCode(&program, program.clauses[0].where_code, chain);
  program.codes[program.clauses[0].where_code].cost = 1u << 30;
  for (int i = 0; i < 10'000; ++i) {
    Clause clause = program.clauses[0];
    program.statements[0].clauses.push_back(static_cast<uint32_t>(program.clauses.size()));
    program.clauses.push_back(clause);
  }
  std::vector<uint32_t>& own = program.statements[0].clauses;
  std::sort(own.begin(), own.end());
  Status status = VerifyProgram(program);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, "bundle.size") << status.error().message;
}

}  // namespace
}  // namespace dpl
