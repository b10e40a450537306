// A small company as a Program, put together by hand: what the tests of facts and of the machine
// stand on.
#pragma once

#include <algorithm>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/decimal.h"
#include "runtime/base/instant.h"
#include "runtime/base/money.h"
#include "runtime/bytecode/opcode.h"
#include "runtime/bytecode/program.h"
#include "runtime/facts/json_facts.h"
#include "runtime/facts/snapshot.h"

namespace dpl {

// The instant a text spells; the tests write only good ones.
inline Instant At(std::string_view text) { return ParseInstant(text).value(); }

inline uint32_t W(Opcode op) { return static_cast<uint32_t>(op); }

class PolicyForTest {
 public:
  PolicyForTest();

  Str S(std::string_view text) {
    for (Str i = 0; i < p.schema.strings.size(); ++i) {
      if (p.schema.strings[i] == text) return i;
    }
    p.schema.strings.emplace_back(text);
    return static_cast<Str>(p.schema.strings.size() - 1);
  }
  TypeId T(TypeKind kind, uint32_t index = kNone, bool optional = false) {
    TypeDef def{kind, index, optional};
    for (TypeId i = 0; i < p.schema.types.size(); ++i) {
      if (p.schema.types[i] == def) return i;
    }
    p.schema.types.push_back(def);
    return static_cast<TypeId>(p.schema.types.size() - 1);
  }
  TypeId SetOf(TypeId element) { return T(TypeKind::kSet, element); }
  AttributeDef A(std::string_view name, TypeId type, uint32_t default_constant = kNone,
                 std::string_view wire = "") {
    AttributeDef a;
    a.name = S(name);
    a.wire = S(wire.empty() ? name : wire);
    a.type = type;
    a.default_constant = default_constant;
    return a;
  }
  uint32_t K(Constant::Kind kind, int64_t number, uint32_t extra = 0, std::string text = "") {
    Constant c;
    c.kind = kind;
    c.number = number;
    c.extra = extra;
    c.text = std::move(text);
    for (uint32_t i = 0; i < p.constants.size(); ++i) {
      if (p.constants[i] == c) return i;
    }
    p.constants.push_back(c);
    return static_cast<uint32_t>(p.constants.size() - 1);
  }
  using CK = Constant::Kind;
  uint32_t Int(int64_t i) { return K(CK::kInt, i); }
  uint32_t Bool(bool b) { return K(CK::kBool, b ? 1 : 0); }
  uint32_t Dec(std::string_view text) { return K(CK::kDecimal, ParseDecimal(text).value().micro); }
  uint32_t Mon(std::string_view text) {
    Money m = ParseMoneyText(text).value();
    return K(CK::kMoney, m.minor, m.currency);
  }
  uint32_t Text(std::string_view text) { return K(CK::kString, 0, 0, std::string(text)); }
  uint32_t Path(std::string_view text) { return K(CK::kPath, 0, 0, std::string(text)); }
  uint32_t Ip(std::string_view text) { return K(CK::kIp, 0, 0, std::string(text)); }
  uint32_t Day(std::string_view text) { return K(CK::kDate, ParseDate(text).value().days); }
  uint32_t Moment(std::string_view text) { return K(CK::kDateTime, ParseInstant(text).value().us); }
  uint32_t Clock(std::string_view text) { return K(CK::kTime, ParseTime(text).value().us); }
  uint32_t Span(std::string_view text) { return K(CK::kDuration, ParseDuration(text).value().us); }
  uint32_t EnumOf(uint32_t which, int64_t member) { return K(CK::kEnum, member, which); }
  uint32_t Person(std::string_view id) { return K(CK::kPerson, 0, 0, std::string(id)); }
  uint32_t Resource(uint32_t type, std::string_view id) {
    return K(CK::kResource, 0, type, std::string(id));
  }
  uint32_t Team(uint32_t team) { return K(CK::kTeam, team); }
  uint32_t Agent(uint32_t agent) { return K(CK::kAgent, agent); }
  uint32_t LikePattern(std::string_view text) { return K(CK::kPattern, 0, 0, std::string(text)); }
  uint32_t RegexPattern(std::string_view text) { return K(CK::kPattern, 0, 1, std::string(text)); }
  uint32_t SetK(std::vector<uint32_t> elements) {
    Constant c;
    c.kind = CK::kSet;
    c.elements = std::move(elements);
    p.constants.push_back(c);
    return static_cast<uint32_t>(p.constants.size() - 1);
  }

  // A code of these words; Return is appended.
  uint32_t Code(std::vector<uint32_t> words) {
    words.push_back(W(Opcode::kReturn));
    dpl::Code code;
    code.offset = static_cast<uint32_t>(p.code.size());
    code.size = static_cast<uint32_t>(words.size());
    code.max_stack = kMaxStack;
    code.locals = kMaxLocals;
    p.code.insert(p.code.end(), words.begin(), words.end());
    p.codes.push_back(code);
    return static_cast<uint32_t>(p.codes.size() - 1);
  }
  uint32_t Grant(std::string_view name, uint32_t approver, std::initializer_list<uint32_t> types);
  uint32_t AddAgent(std::string_view name, std::initializer_list<std::string_view> runs_as);

  std::shared_ptr<const Program> Finish() const {
    auto program = std::make_shared<Program>(p);
    program->notes = NotesOf(*program);
    return program;
  }

  Program p;
  // enums, in the order of their making
  uint32_t region = 0, clearance = 1;
  // person attributes
  uint32_t full_name = 0, home = 1, manager = 2, spend = 3, tags = 4, level = 5, joined = 6,
           team_of = 7, address = 8;
  // teams and roles
  uint32_t finance = 0, interns = 1, marketing = 2, sales = 3, staff = 4;
  uint32_t author = 0, editor = 1, purchaser = 2, viewer = 3;
  // systems
  uint32_t app = 0, crm = 1;
  // resource types
  uint32_t doc = 0, folder = 1, item = 2, project = 3, tenant = 4, file = 5;
  // attributes of doc
  uint32_t d_title = 0, d_size = 1, d_ratio = 2, d_price = 3, d_public = 4, d_day = 5, d_opened = 6,
           d_hour = 7, d_keep = 8, d_class = 9, d_owner = 10, d_viewers = 11, d_labels = 12,
           d_path = 13, d_ip = 14, d_team = 15, d_note = 16, d_limit = 17, d_links = 18,
           d_prices = 19;
  // zones and calendars
  uint32_t utc = 0, new_york = 1;
  uint32_t office = 0, night = 1, always_utc = 2;
};

inline PolicyForTest::PolicyForTest() {
  Schema& s = p.schema;
  using enum TypeKind;
  s.enums.push_back({S("Region"), false, {S("emea"), S("amer"), S("apac")}});
  s.enums.push_back({S("Class"), true, {S("public"), S("internal"), S("secret")}});
  s.records.push_back({{S("street"), S("zip")}, {T(kString), T(kString, kNone, true)}});

  s.person.key_name = S("id");
  s.person.declared = true;
  s.person.known_as = {S("person"), S("user")};
  s.person.attributes = {A("name", T(kString)),
                         A("region", T(kEnum, 0)),
                         A("manager", T(kPerson, kNone, true)),
                         A("spend_limit", T(kMoney)),
                         A("tags", SetOf(T(kString))),
                         A("level", T(kInt), Int(1)),
                         A("joined", T(kDate, kNone, true), kNone, "joinedOn"),
                         A("team", T(kTeam)),
                         A("address", T(kRecord, 0, true))};
  s.person.within = {manager};
  s.person.source_within_us = 24 * kMicrosPerHour;

  s.packages.push_back({S("acme"), finance, 1, 0});
  auto team = [&](std::string_view name, OwnerDef owner, std::vector<uint32_t> within) {
    TeamDef def;
    def.name = S(name);
    def.package = 0;
    def.owner = owner;
    def.within = std::move(within);
    s.teams.push_back(def);
  };
  team("acme.finance", {kNone, Person("E0500")}, {});
  team("acme.interns", {}, {});
  team("acme.marketing", {finance, kNone}, {staff});
  team("acme.sales", {}, {staff});
  team("acme.staff", {}, {});
  auto role = [&](std::string_view name, std::vector<uint32_t> scopes,
                  std::vector<uint32_t> includes, uint32_t where) {
    RoleDef def;
    def.name = S(name);
    def.package = 0;
    def.scopes = std::move(scopes);
    def.includes = std::move(includes);
    def.where_code = where;
    s.roles.push_back(def);
  };
  role("acme.author", {doc}, {}, 0);
  role("acme.editor", {project, tenant}, {viewer}, kNone);
  role("acme.purchaser", {}, {}, kNone);
  role("acme.viewer", {project, tenant}, {}, kNone);

  SystemDef system;
  system.name = S("app");
  system.package = 0;
  s.systems.push_back(system);
  system.name = S("crm");
  system.has_account = true;
  s.systems.push_back(system);

  auto resource = [&](std::string_view name, uint32_t parent, bool optional) {
    ResourceDef def;
    def.name = S(name);
    def.system = app;
    def.package = 0;
    def.known_as = {S(name)};
    def.key_name = S("id");
    def.owners = {{finance, kNone}};
    def.has_parent = parent != kNone;
    def.parent_type = parent;
    def.parent_optional = optional;
    s.resources.push_back(def);
    return &s.resources.back();
  };
  ResourceDef* def = resource("app.Doc", folder, false);
  TypeId person = T(kPerson);
  def->attributes = {A("title", T(kString)),
                     A("size", T(kInt)),
                     A("ratio", T(kDecimal)),
                     A("price", T(kMoney)),
                     A("public", T(kBool), Bool(false)),
                     A("day", T(kDate)),
                     A("opened", T(kDateTime)),
                     A("hour", T(kTime)),
                     A("keep", T(kDuration)),
                     A("class", T(kEnum, 1)),
                     A("owner", person, kNone, "ownerID"),
                     A("viewers", SetOf(person)),
                     A("labels", T(kLabels)),
                     A("path", T(kPath)),
                     A("ip", T(kIp)),
                     A("team", T(kTeam)),
                     A("note", T(kString, kNone, true)),
                     A("limit", T(kMoney, kNone, true), Mon("10.00 USD")),
                     A("links", SetOf(T(kResource, folder))),
                     A("prices", SetOf(T(kMoney)))};
  ActionDef read;
  read.name = S("read");
  read.wire = S("read");
  ActionDef approve;
  approve.name = S("approve");
  approve.wire = S("doc/approve");
  approve.params = {{S("amount"), S("amount"), T(kMoney), kNone, true},
                    {S("count"), S("count"), T(kInt), Int(3), false},
                    {S("memo"), S("memo"), T(kString, kNone, true), kNone, false}};
  def->actions = {approve, read};
  resource("app.Folder", folder, true);
  def = resource("app.Item", kNone, false);
  def->key_fold_ascii = true;
  def->key_pattern = S("[a-z0-9-]+");
  def->known_as = {S("item")};
  def = resource("app.Project", tenant, true);
  def->attributes = {A("home", T(kResource, tenant, true))};
  def->parent_attribute = 0;
  def->owners.clear();
  resource("app.Tenant", kNone, false);
  def = resource("fs.File", kNone, false);
  def->key_is_path = true;
  def->owners = {{kNone, Person("E7")}, {marketing, kNone}};

  s.context = {A("ip", T(kIp, kNone, true)), A("risk", T(kInt), Int(2)), A("device", T(kString))};

  s.zones.push_back(UtcZone());
  ZoneTable york;  // as in 2026: summer time from 8 March to 1 November
  york.name = "America/New_York";
  york.version = "2026a";
  york.initial_offset = -5 * 3600;
  york.transitions = {{At("2026-03-08T07:00Z").us / kMicrosPerSecond, -4 * 3600},
                      {At("2026-11-01T06:00Z").us / kMicrosPerSecond, -5 * 3600}};
  s.zones.push_back(york);
  auto hours = [](int h) { return h * kMicrosPerHour; };
  s.calendars.push_back(
      {S("office"), new_york, {{0x1f, hours(8), hours(18)}}, {ParseDate("2026-11-26")->days}});
  s.calendars.push_back(
      {S("night"), new_york, {{0x1f, hours(22), hours(6)}}, {ParseDate("2026-11-26")->days}});
  s.calendars.push_back({S("always"), utc, {{0x7f, 0, 0}}, {}});
  Code({W(Opcode::kPushConst), Bool(true)});  // 0: the condition of role author, never run here
}

inline uint32_t PolicyForTest::Grant(std::string_view grant_name, uint32_t approver,
                                     std::initializer_list<uint32_t> types) {
  Statement statement;
  statement.kind = StatementKind::kGrant;
  statement.name = S(grant_name);
  statement.package = 0;
  statement.detail = static_cast<uint32_t>(p.grants.size());
  for (uint32_t type : types) {
    Clause clause;
    clause.statement = static_cast<uint32_t>(p.statements.size());
    clause.type = type;
    statement.clauses.push_back(static_cast<uint32_t>(p.clauses.size()));
    p.clauses.push_back(clause);
  }
  dpl::Grant grant;
  grant.approved_by = approver;
  p.grants.push_back(grant);
  p.statements.push_back(statement);
  return statement.detail;
}

inline uint32_t PolicyForTest::AddAgent(std::string_view agent_name,
                                        std::initializer_list<std::string_view> runs_as) {
  Statement statement;
  statement.kind = StatementKind::kAgent;
  statement.name = S(agent_name);
  statement.detail = static_cast<uint32_t>(p.agents.size());
  dpl::Agent agent;
  for (std::string_view id : runs_as) agent.runs_as.push_back(S(id));
  p.agents.push_back(agent);
  p.agent_statements.push_back(static_cast<uint32_t>(p.statements.size()));
  p.statements.push_back(statement);
  return statement.detail;
}

// Facts from text, joined; the tests that expect success read the value at once.
inline Result<std::unique_ptr<Snapshot>> Join(const PolicyForTest& policy, std::string_view json,
                                              Instant built_at = At("2026-11-20T15:00Z")) {
  Result<FactsInput> facts = ReadFactsJson(json, "facts.json");
  if (!facts.ok()) return facts.error();
  return Snapshot::Build(policy.Finish(), *facts, built_at);
}

}  // namespace dpl
