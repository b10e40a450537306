#include "tests/unit/bytecode/sample.h"

#include <gtest/gtest.h>

#include "runtime/base/money.h"
#include "runtime/bytecode/assemble.h"
#include "runtime/bytecode/encode.h"
#include "runtime/bytecode/opcode.h"

namespace dpl {
namespace {

constexpr int64_t kDay = int64_t{86'400} * 1'000'000;
constexpr char kSource[] = "package acme.docs owned by team staff\ngrant readers { … }\n";

Span At(uint32_t begin, uint32_t end) { return {0, begin, end, 1, begin + 1, 1, end + 1}; }

class Builder {
 public:
  Program Build() {
    p_.sources.push_back({"policies/docs.dpl", kSource});
    Types();
    Declarations();
    Resources();
    Statements();
    BuildIndex(&p_);
    p_.digest = BundleDigest(EncodeBundle(p_));
    return std::move(p_);
  }

 private:
  Str S(std::string_view text) { return AddString(&p_, text); }
  uint32_t Code(std::string_view listing) { return AddCode(&p_, listing); }
  AttributeDef Attribute(std::string_view name, TypeId type, uint32_t default_constant = kNone) {
    return {S(name), S(name), type, false, default_constant, At(0, 7)};
  }
  void Const(Constant::Kind kind, int64_t number, uint32_t extra, std::string text = "") {
    p_.constants.push_back({kind, number, extra, std::move(text), {}});
  }

  void Types() {
    Schema& s = p_.schema;
    using enum TypeKind;
    s.types = {{kBool},
               {kInt},
               {kMoney},
               {kString},
               {kEnum, 0},
               {kEnum, 0, true},
               {kPerson},
               {kSet, Sample::kPerson},
               {kResource, Sample::kFolder},
               {kLabels},
               {kRecord, 0},
               {kIp},
               {kDateTime},
               {kDecimal},
               {kTeam},
               {kRole},
               {kPath}};
    s.enums.push_back(
        {S("acme.docs.Class"), true, {S("public"), S("internal"), S("confidential")}});
    s.records.push_back({{S("street"), S("number")}, {Sample::kString, Sample::kInt}});
    using Kind = Constant::Kind;
    Const(Kind::kPerson, 0, 0, "E1");
    Const(Kind::kResource, 0, Sample::kFolder, "A");
    Const(Kind::kEnum, 2, 0);
    Const(Kind::kMoney, 500'000, CurrencyIndex("USD").value_or(0));
    Const(Kind::kString, 0, 0, "prod");
    Const(Kind::kPattern, 0, 0, "pro*");
    Const(Kind::kPattern, 0, 1, "pr.d");
    Const(Kind::kInt, 7, 0);
    Const(Kind::kBool, 1, 0);
    Const(Kind::kBool, 0, 0);
    Const(Kind::kPath, 0, 0, "/srv/out");
    Const(Kind::kResource, 0, Sample::kDocument, "d1");
    p_.constants.push_back({Kind::kSet, 0, 0, "", {Sample::kText}});
    Const(Kind::kAgent, 0, 0);
  }

  void Declarations() {
    Schema& s = p_.schema;
    OwnerDef owner{.team = 0};
    s.zones.push_back({.name = "UTC"});
    s.zones.push_back(
        {"Europe/Berlin", "2025b", 3600, {{1'774'746'000, 7200}, {1'792'890'000, 3600}}});
    s.packages.push_back({S("acme.docs"), 0, 1, 0});
    s.calendars.push_back({S("acme.docs.office"), 1, {{0x1f, 0, kDay / 2}}, {20'000, 20'001}});
    s.person.key_name = S("id");
    s.person.declared = true;
    s.person.known_as = {S("person"), S("user")};
    s.person.attributes = {Attribute("name", Sample::kString),
                           Attribute("manager", Sample::kPerson),
                           Attribute("address", Sample::kRecord)};
    s.person.within = {1};
    s.person.source = S("hr");
    s.person.source_within_us = kDay;
    s.context = {Attribute("ip", Sample::kIp)};
    s.teams.push_back({S("acme.docs.marketing"), 0, owner, {1}, At(0, 7)});
    s.teams.push_back({S("acme.docs.staff"), 0, {.person = Sample::kPersonE1}, {}, At(0, 7)});
    s.roles.push_back({S("acme.docs.author"), 0, owner, {Sample::kDocument}, {}, kNone, At(0, 7)});
    s.roles.push_back({S("acme.docs.editor"), 0, owner, {}, {2}, kNone, At(0, 7)});
    s.roles.push_back({S("acme.docs.viewer"), 0, owner, {}, {}, kNone, At(0, 7)});
    s.systems.push_back(
        {S("docs"), 0, owner, S("saas"), true, S("login"), S("email"), kDay, At(0, 7)});
    s.activities.push_back({S("acme.docs.spend"),
                            0,
                            owner,
                            {{S("amount"), Sample::kMoney, true}},
                            true,
                            S(""),
                            At(0, 7)});
  }

  void Resources() {
    Schema& s = p_.schema;
    OwnerDef owner{.team = 0};
    ResourceDef document;
    document.name = S("docs.Document");
    document.system = document.package = 0;
    document.known_as = {S("docs.Document")};
    document.key_name = S("id");
    document.key_pattern = S("[a-z]+[0-9]*");
    document.attributes = {Attribute("class", Sample::kOptionalClass, Sample::kConfidential),
                           Attribute("folder", Sample::kFolderType),
                           Attribute("editors", Sample::kPersons),
                           Attribute("labels", Sample::kLabels)};
    document.has_parent = true;
    document.parent_type = Sample::kFolder;
    document.parent_attribute = 1;
    document.owners = {owner};
    document.subtrees = {{Sample::kFolderA, {owner}, At(0, 7)}};
    document.actions = {{S("approve"),
                         S("approve"),
                         {{S("amount"), S("amount"), Sample::kMoney, kNone, true}},
                         {0},
                         false},
                        {S("read"), S("read"), {}, {}, false}};
    ResourceDef file;
    file.name = S("docs.File");
    file.system = file.package = 0;
    file.known_as = {S("file")};
    file.key_name = S("path");
    file.key_is_path = true;
    file.owners = {owner};
    file.actions = {{S("write"), S("write"), {}, {}, false}};
    ResourceDef folder;
    folder.name = S("docs.Folder");
    folder.system = folder.package = 0;
    folder.known_as = {S("folder")};
    folder.key_name = S("id");
    folder.owners = {owner};
    folder.actions = {{S("list"), S("list"), {}, {}, false}};
    s.resources = {document, file, folder};
    s.roles[0].where_code = Code(
        "LoadResource\nResourceAttr 0 2\nQuantBegin 0 0 14\nLoadLocal 0\nLoadPerson\nEq\nQuantNext "
        "8\nReturn");
  }

  uint32_t Begin(StatementKind kind, std::string_view name, uint32_t detail) {
    Statement s;
    s.kind = kind;
    s.name = S(name);
    s.package = 0;
    s.detail = detail;
    s.owner = {.team = 0};
    s.because = S("because of the tests");
    s.span = At(38, 50);
    s.head = At(38, 43);
    s.zone = 1;
    s.granted_us = 20'000 * kDay;
    s.review_every_us = 90 * kDay;
    s.reviewed_us = 20'001 * kDay;
    p_.statements.push_back(s);
    return static_cast<uint32_t>(p_.statements.size() - 1);
  }

  Clause& AddClause(uint32_t statement, ClauseRole role, uint32_t type,
                    std::vector<uint32_t> actions, std::vector<SubjectKey> keys) {
    p_.statements[statement].clauses.push_back(static_cast<uint32_t>(p_.clauses.size()));
    Clause c;
    c.statement = statement;
    c.role = role;
    c.type = type;
    c.actions = std::move(actions);
    c.subject_text = S("team marketing");
    c.keys = std::move(keys);
    c.span = At(40, 45);
    p_.clauses.push_back(c);
    return p_.clauses.back();
  }

  void AddLimit(uint32_t statement, Limit limit) {
    p_.statements[statement].limits.push_back(static_cast<uint32_t>(p_.limits.size()));
    limit.statement = statement;
    limit.name = S(std::string(p_.Text(p_.statements[statement].name)) + "." +
                   std::string(p_.Text(limit.measure)));
    limit.identity = limit.name;
    limit.zone = 1;
    limit.span = At(44, 48);
    p_.limits.push_back(limit);
  }

  void Statements() {
    // grant, two rows
    uint32_t grant = Begin(StatementKind::kGrant, "acme.docs.readers", 0);
    Clause* row = &AddClause(grant, ClauseRole::kGrantMay, Sample::kDocument, {0, 1},
                             {{KeyKind::kTeam, 0}, {KeyKind::kRole, 1}});
    row->subject_code = Code("SubjTeam 0\nSkipIfTrue 7\nSubjRole 1\nOr\nReturn");
    row->scope_code = Code("ResourceIs 11\nSkipIfFalse 7\nResourceIn 1\nAnd\nReturn");
    row->where_code = Code("LoadResource\nResourceAttr 0 0\nPushConst 2\nLe\nReturn");
    row->where_text = S("resource.class <= Class.confidential");
    row->ask_approval = 0;
    row = &AddClause(grant, ClauseRole::kGrantMay, Sample::kFile, {0},
                     {{KeyKind::kPerson, Sample::kPersonE1}});
    row->row = 1;
    row->subject_code = Code("SubjPerson 0\nReturn");
    row->scope_code = Code("ResourceInPath 10\nReturn");
    AddLimit(
        grant,
        {.measure = S("amount"),
         .cap_code = Code("PushConst 3\nReturn"),
         .period = LimitPeriod::kDay,
         .keys = {{KeyPartKind::kPerson, kNone, S("person")},
                  {KeyPartKind::kCode, Code("LoadPerson\nPersonAttr 0\nReturn"), S("person.name")}},
         .tiers = {{0, Code("PushConst 3\nPushConst 7\nMul\nReturn")}}});
    p_.grants.push_back({Sample::kPersonE1, {}});
    uint32_t second = Begin(StatementKind::kGrant, "acme.docs.second", 1);
    row = &AddClause(second, ClauseRole::kGrantMay, Sample::kDocument, {1},
                     {{KeyKind::kEveryone, 0}});
    row->subject_code = Code("SubjEveryone\nReturn");
    AddLimit(second, {.measure = S("amount"), .no_limit = true, .no_limit_because = S("trusted")});
    p_.grants.push_back({kNone, {0}});
    // limit
    uint32_t limit = Begin(StatementKind::kLimit, "acme.docs.daily", 0);
    AddClause(limit, ClauseRole::kLimitCovers, Sample::kDocument, {0}, {{KeyKind::kAny, 0}})
        .subject_code = Code("SubjAnyAgent\nReturn");
    AddLimit(limit, {.measure = S("requests"),
                     .requests = true,
                     .cap_code = Code("PushConst 7\nReturn"),
                     .period = LimitPeriod::kSliding,
                     .window_us = kDay});
    p_.limit_blocks.push_back({});
    // forbid
    uint32_t forbid = Begin(StatementKind::kForbid, "acme.docs.never", 0);
    AddClause(forbid, ClauseRole::kForbidCovers, Sample::kDocument, {0, 1}, {{KeyKind::kAny, 0}});
    Clause& for_agents = AddClause(forbid, ClauseRole::kForbidCovers, Sample::kDocument, {1},
                                   {{KeyKind::kAgent, 0}});
    for_agents.subject_code = Code("SubjAgentHop 0\nReturn");
    p_.forbids.push_back({Code("LoadNow\nDuring 0\nReturn"), S("now during office"), At(40, 44)});
    // agent
    uint32_t agent = Begin(StatementKind::kAgent, "acme.docs.helper", 0);
    AddClause(agent, ClauseRole::kAgentMay, Sample::kDocument, {1}, {{KeyKind::kAgent, 0}});
    p_.agents.push_back({.accountable = Sample::kPersonE1,
                         .accountable_else = 0,
                         .purpose = S("helps"),
                         .modes = kModeOnBehalfOf,
                         .attested_within_us = kDay,
                         .lives_us = kDay,
                         .instances_max = 10,
                         .instances_window_us = kDay,
                         .runs_as = {S("spiffe://acme/helper")}});
    // delegation
    uint32_t delegation = Begin(StatementKind::kDelegation, "acme.docs.help", 0);
    AddClause(delegation, ClauseRole::kDelegationMay, Sample::kDocument, {1},
              {{KeyKind::kAgent, 0}})
        .reach = 99;
    Delegation d;
    d.from_code = Code("SubjEveryone\nReturn");
    d.from_text = S("everyone");
    d.from_keys = {{KeyKind::kEveryone, 0}};
    d.to_agents = {0};
    d.modes = kModeOnBehalfOf;
    d.only_in_tasks = {0};
    d.onward_agents = {0};
    d.onward_hops = 1;
    d.consent = ConsentKind::kEvery;
    d.consent_every_us = 30 * kDay;
    d.lasts_us = kDay;
    d.reach = {1, 2, 3};
    d.consent_span = At(40, 44);
    p_.delegations.push_back(d);
    // task
    uint32_t task = Begin(StatementKind::kTask, "acme.docs.copy", 0);
    Clause& step =
        AddClause(task, ClauseRole::kTaskMay, Sample::kDocument, {1}, {{KeyKind::kTask, 0}});
    step.scope_code = Code("ResourceInTask 0\nReturn");
    step.where_code = Code("LoadTaskParam 0\nIsKnown\nReturn");
    p_.tasks.push_back({{{S("source"), Sample::kFolderType}}, {0}, kDay});
    // approval
    Begin(StatementKind::kApproval, "acme.docs.lead_ok", 0);
    Approval approval;
    approval.by = {{1, Code("SubjRole 1\nReturn"), 0, S("role editor")},
                   {1, kNone, kPartyManager, S("the manager")}};
    approval.never_by = kPartyPerson | kPartyAccountable;
    approval.within_us = kDay;
    approval.good_within_us = kDay;
    approval.signs = S("I approve");
    p_.approvals.push_back(approval);
    // obligation
    uint32_t obligation = Begin(StatementKind::kObligation, "acme.docs.signed", 0);
    AddClause(obligation, ClauseRole::kObligationCovers, Sample::kDocument, {1},
              {{KeyKind::kAny, 0}});
    p_.obligations.push_back({{{DutyKind::kStepUp, S("urn:loa:3"), {}, {}, At(40, 44)},
                               {DutyKind::kSign, S("approval"), {}, {}, At(40, 44)},
                               {DutyKind::kLog, 0, {}, {}, At(40, 44)},
                               {DutyKind::kMask, 0, {S("class")}, {}, At(40, 44)},
                               {DutyKind::kNotify, 0, {}, {.team = 0}, At(40, 44)}},
                              {0}});
    // separate
    uint32_t separate = Begin(StatementKind::kSeparate, "acme.docs.four_eyes", 0);
    AddClause(separate, ClauseRole::kSeparateA, Sample::kDocument, {0}, {{KeyKind::kAny, 0}});
    AddClause(separate, ClauseRole::kSeparateB, Sample::kDocument, {1}, {{KeyKind::kAny, 0}});
    p_.separates.push_back({kDay, Code("LoadResource\nEntityKey\nReturn"), kNone});
    // break_glass
    uint32_t glass = Begin(StatementKind::kBreakGlass, "acme.docs.emergency", 0);
    AddClause(glass, ClauseRole::kBreakGlassMay, Sample::kDocument, {0}, {{KeyKind::kRole, 1}})
        .subject_code = Code("SubjRole 1\nReturn");
    p_.break_glasses.push_back(
        {{forbid},
         true,
         kNeedReason | kNeedTicket,
         kDay,
         {{DutyKind::kNotify, 0, {}, {.person = Sample::kPersonE1}, At(40, 44)}},
         2 * kDay,
         {.team = 0}});
    // partner
    uint32_t partner = Begin(StatementKind::kPartner, "acme.docs.globex", 0);
    p_.statements[partner].expires_us = 400 * kDay;
    AddClause(partner, ClauseRole::kPartnerMay, Sample::kDocument, {0}, {{KeyKind::kPartner, 0}});
    AddLimit(partner, {.measure = S("requests"),
                       .requests = true,
                       .cap_code = Code("PushConst 7\nReturn"),
                       .period = LimitPeriod::kDay,
                       .keys = {{KeyPartKind::kPartner, kNone, S("partner")}}});
    p_.partners.push_back({S("https://id.globex.example"), true, 2});
  }

  Program p_;
};

}  // namespace

Str AddString(Program* program, std::string_view text) {
  std::vector<std::string>& strings = program->schema.strings;
  for (Str i = 0; i < strings.size(); ++i) {
    if (strings[i] == text) return i;
  }
  strings.emplace_back(text);
  return static_cast<Str>(strings.size() - 1);
}

uint32_t AddCode(Program* program, std::string_view listing) {
  Result<Assembled> assembled = Assemble(listing);
  EXPECT_TRUE(assembled.ok()) << assembled.error().message << "\n" << listing;
  Code code;
  code.offset = static_cast<uint32_t>(program->code.size());
  code.size = static_cast<uint32_t>(assembled->words.size());
  code.max_stack = 8;
  code.locals = 2;
  code.cost = assembled->cost;
  code.span = At(38, 50);
  program->code.insert(program->code.end(), assembled->words.begin(), assembled->words.end());
  program->codes.push_back(code);
  return static_cast<uint32_t>(program->codes.size() - 1);
}

void ReplaceCode(Program* program, uint32_t code, std::string_view listing) {
  Result<Assembled> assembled = Assemble(listing);
  EXPECT_TRUE(assembled.ok()) << assembled.error().message << "\n" << listing;
  Code& at = program->codes[code];
  auto begin = program->code.begin() + at.offset;
  auto place = program->code.erase(begin, begin + at.size);
  program->code.insert(place, assembled->words.begin(), assembled->words.end());
  at.size = static_cast<uint32_t>(assembled->words.size());
  at.cost = assembled->cost;
  uint32_t offset = 0;
  for (Code& c : program->codes) {
    c.offset = offset;
    offset += c.size;
  }
}

Program SampleProgram() { return Builder().Build(); }

}  // namespace dpl
