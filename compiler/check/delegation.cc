// Delegations: the terms on which people lend authority, and how they fit the agents, the tasks and
// the grants.
#include <algorithm>

#include "compiler/check/names.h"
#include "compiler/check/phases.h"
#include "compiler/check/schema_build.h"
#include "compiler/check/statement.h"
#include "compiler/check/values.h"

namespace dpl::check {
namespace {

constexpr int64_t kMaxHops = 8;

uint8_t BitOf(ast::Mode mode) {
  return mode == ast::Mode::kOnBehalfOf    ? kModeOnBehalfOf
         : mode == ast::Mode::kImpersonate ? kModeImpersonate
                                           : kModeStanding;
}

const char* ModeText(ast::Mode mode) {
  return mode == ast::Mode::kOnBehalfOf    ? "on_behalf_of"
         : mode == ast::Mode::kImpersonate ? "impersonate"
                                           : "standing";
}

void MixedReceivers(Checker& c, const ast::Subject& to) {
  c.ReportText(DPL0301, to.span, "a delegation is to agents or to people, not to both")
      .Help(
          "write one delegation for each: people have no `mode`, and agents no `consent` of "
          "theirs");
}

// To persons, teams or roles: they act in person, seen to do so, and an agent may only follow where
// `onward` says.
void ReadPeople(Checker& c, const Symbol& s, ast::DelegationDecl& decl, StatementModel& statement) {
  using Kind = ast::Subject::Kind;
  for (const ast::Subject& to : decl.to) {
    if (to.kind == Kind::kAgent) {
      MixedReceivers(c, to);
    } else if (to.kind != Kind::kPerson && to.kind != Kind::kTeam && to.kind != Kind::kRole) {
      c.ReportText(DPL0301, to.span, SubjectText(c, to) + " cannot be lent to")
          .Help("name persons, teams or roles, or agents");
    }
  }
  std::erase_if(decl.to, [](const ast::Subject& to) {
    return to.kind != Kind::kPerson && to.kind != Kind::kTeam && to.kind != Kind::kRole;
  });
  ResolveSubjects(c, decl.to, *s.file);
  statement.to_people = &decl.to;
  for (const ast::Subject& from : decl.from) {
    if (from.kind != Kind::kAgent) continue;
    c.ReportText(DPL0301, from.span, "an agent passes its work to agents, never to people");
  }
  if (decl.mode && decl.mode->mode != ast::Mode::kOnBehalfOf) {
    c.ReportText(DPL0605, decl.mode->span,
                 std::string("people act for each other on behalf of one another, not in mode `") +
                     ModeText(decl.mode->mode) + "`")
        .Help("leave the mode out");
  }
  statement.delegation.modes = kModeOnBehalfOf;
  if (decl.may.empty()) {
    Lacks(c, s, "a `may`: nothing else says what people lend each other", "add `may … on …`");
  }
  if (decl.lasts.present && decl.consent == ast::DelegationDecl::Consent::kByPolicy &&
      decl.only_in_tasks.empty()) {
    c.ReportText(DPL0102, decl.lasts.span,
                 "`lasts` counts from a consent or a task, and this delegation has neither")
        .Help("say `consent every 30d`, or `expires DATE` in place of `lasts`");
  }
}

void ReadParties(Checker& c, const Symbol& s, ast::DelegationDecl& decl,
                 StatementModel& statement) {
  ResolveSubjects(c, decl.from, *s.file);
  statement.from = &decl.from;
  if (decl.from.empty())
    Lacks(c, s, "`from`, which says who lends", "add `from team …`, or `from everyone`");
  for (const ast::Subject& from : decl.from) {
    if (from.kind == ast::Subject::Kind::kAnyAgent || from.kind == ast::Subject::Kind::kPublic ||
        from.kind == ast::Subject::Kind::kPartner) {
      c.ReportText(DPL0301, from.span,
                   SubjectText(c, from) + " has no authority of its own to lend")
          .Help("name people, or one standing agent");
    } else if (from.kind == ast::Subject::Kind::kEveryone) {
      c.Report(DPL0613, from.span, {Called(s)})
          .Help("name the teams or roles whose people may lend, unless all may");
    } else if (from.kind == ast::Subject::Kind::kAgent && from.ref != kNone &&
               (c.Agent(from.ref).agent.modes & kModeStanding) == 0) {
      c.ReportText(DPL0607, from.span,
                   "agent " + Quoted(from.name.text) +
                       " acts for people, so it has nothing of its own to lend")
          .Help(
              "an agent that acts for people passes work on by `onward to agent …` in their "
              "delegation");
    }
  }
  if (decl.to.empty()) {
    Lacks(c, s, "`to`, which says who receives", "add `to agent …`, or `to person \"…\"`");
    return;
  }
  if (decl.to.front().kind != ast::Subject::Kind::kAgent) return ReadPeople(c, s, decl, statement);
  for (ast::Subject& to : decl.to) {
    if (to.kind != ast::Subject::Kind::kAgent) {
      MixedReceivers(c, to);
      continue;
    }
    const Symbol* agent = Lookup(c, SymbolKind::kAgent, to.name, *s.file);
    if (agent == nullptr) continue;
    to.ref = agent->index;
    statement.delegation.to_agents.push_back(agent->index);
    const StatementModel& model = c.Agent(agent->index);
    if (decl.mode && (model.agent.modes & BitOf(decl.mode->mode)) == 0) {
      c.Report(DPL0605, decl.mode->span, {Quoted(agent->name), Quoted(ModeText(decl.mode->mode))})
          .Label(model.decl->head_span, "its modes are declared here")
          .Help(std::string("add `modes ") + ModeText(decl.mode->mode) +
                "` to the agent, or change the mode here");
    }
    bool lent_by_agents =
        !decl.from.empty() &&
        std::all_of(decl.from.begin(), decl.from.end(), [](const ast::Subject& from) {
          return from.kind == ast::Subject::Kind::kAgent;
        });
    if (!decl.mode && model.agent.modes == kModeStanding && !lent_by_agents) {
      c.Report(DPL0605, to.span, {Quoted(agent->name), "`on_behalf_of`"})
          .Label(model.decl->head_span, "it says `modes standing`")
          .Help("a standing agent acts for nobody: grant to the agent itself");
    }
  }
  if (decl.mode) statement.delegation.modes = BitOf(decl.mode->mode);
}

void ReadOnward(Checker& c, const Symbol& s, ast::DelegationDecl& decl, StatementModel& statement) {
  if (decl.onward_to.empty()) return;
  for (const ast::QName& name : decl.onward_to) {
    const Symbol* agent = Lookup(c, SymbolKind::kAgent, name, *s.file);
    if (agent == nullptr) continue;
    auto& to = statement.delegation.to_agents;
    if (std::find(to.begin(), to.end(), agent->index) != to.end()) {
      c.Report(DPL0604, name.span,
               {"agent " + Quoted(agent->name) + " would pass the work on to itself"})
          .Help("name the agents that come after it");
      continue;
    }
    statement.delegation.onward_agents.push_back(agent->index);
    const StatementModel& model = c.Agent(agent->index);
    uint8_t modes = statement.delegation.modes;
    if (modes == 0) {
      for (uint32_t receiver : to) modes |= c.Agent(receiver).agent.modes;
    }
    if ((model.agent.modes & modes) == 0 && !to.empty()) {
      c.Report(DPL0605, name.span,
               {Quoted(agent->name), Quoted((modes & kModeStanding) != 0      ? "standing"
                                            : (modes & kModeImpersonate) != 0 ? "impersonate"
                                                                              : "on_behalf_of")})
          .Label(model.decl->head_span, "its modes are declared here");
    }
  }
  std::sort(statement.delegation.onward_agents.begin(), statement.delegation.onward_agents.end());
  if (auto hops = WholeNumber(c, decl.onward_hops)) {
    if (*hops < 1 || *hops > kMaxHops) {
      c.Report(DPL0604, decl.onward_hops.span,
               {"a chain has 1 to " + std::to_string(kMaxHops) + " hops onward, not " +
                decl.onward_hops.text});
    } else {
      statement.delegation.onward_hops = static_cast<uint32_t>(*hops);
    }
  }
  uint8_t modes = statement.delegation.modes;
  for (uint32_t receiver : statement.delegation.to_agents) {
    if (statement.delegation.modes == 0) modes |= c.Agent(receiver).agent.modes;
  }
  if ((modes & kModeImpersonate) != 0) {
    c.Report(DPL0608, decl.onward_span)
        .Help(
            "who receives the person's own credentials passes them to nobody; use `mode "
            "on_behalf_of`");
  }
}

void ReadConsent(Checker& c, const Symbol& s, const ast::DelegationDecl& decl,
                 Delegation* delegation) {
  delegation->consent_span = decl.consent_span;
  delegation->onward_span = decl.onward_span;
  switch (decl.consent) {
    case ast::DelegationDecl::Consent::kMissing:
      Lacks(c, s, "`consent`, which says how people agree",
            "add `consent each task`, `consent every 30d` or `consent by policy`");
      break;
    case ast::DelegationDecl::Consent::kEachTask:
      delegation->consent = ConsentKind::kEachTask;
      break;
    case ast::DelegationDecl::Consent::kByPolicy:
      delegation->consent = ConsentKind::kByPolicy;
      break;
    case ast::DelegationDecl::Consent::kEvery:
      delegation->consent = ConsentKind::kEvery;
      delegation->consent_every_us = DurationUs(c, decl.consent_every).value_or(0);
      break;
  }
}

// The parameters that every task it is bound to has, in the same place and of the same type.
std::vector<TaskParam> CommonParams(const Checker& c, const Delegation& delegation) {
  std::vector<TaskParam> common;
  bool first = true;
  for (uint32_t task : delegation.only_in_tasks) {
    const std::vector<TaskParam>& params =
        c.model.statements[c.by_kind[static_cast<size_t>(StatementKind::kTask)][task]].task.params;
    if (first) common = params;
    first = false;
    size_t same = 0;
    while (same < common.size() && same < params.size() && common[same].name == params[same].name &&
           common[same].type == params[same].type) {
      ++same;
    }
    common.resize(same);
  }
  return common;
}

// What the delegation lends: its own `may`, or, without one, what its agents may.
std::vector<const ClauseModel*> Lent(const Checker& c, const StatementModel& statement) {
  std::vector<const ClauseModel*> lent;
  for (const ClauseModel& clause : statement.clauses) lent.push_back(&clause);
  if (!static_cast<const ast::DelegationDecl&>(*statement.decl).may.empty()) return lent;
  for (uint32_t agent : statement.delegation.to_agents) {
    for (const ClauseModel& clause : c.Agent(agent).clauses) lent.push_back(&clause);
  }
  return lent;
}

// DPL0601: a token that passes for the person may be used inside one trust boundary only.
void CheckBoundaries(Checker& c, const StatementModel& statement,
                     const std::vector<const ClauseModel*>& clauses) {
  const Schema& schema = c.model.schema;
  const ClauseModel* first = nullptr;
  for (const ClauseModel* clause : clauses) {
    uint32_t system = schema.resources[clause->type].system;
    if (system == kNone) continue;
    if (first == nullptr) {
      first = clause;
      continue;
    }
    Str here = schema.systems[system].boundary;
    Str there = schema.systems[schema.resources[first->type].system].boundary;
    if (here == there) continue;
    c.Report(DPL0601, clause->span, {Quoted(c.Text(there)), Quoted(c.Text(here))})
        .Label(first->span, "inside boundary " + Quoted(c.Text(there)))
        .Label(schema.systems[system].span, "system " +
                                                Quoted(c.Text(schema.systems[system].name)) +
                                                " lies in boundary " + Quoted(c.Text(here)))
        .Help("use `mode on_behalf_of` for what lies outside, in a delegation of its own");
    return;
  }
  (void)statement;
}

void CheckCeiling(Checker& c, const Symbol& s, const StatementModel& statement) {
  for (const ClauseModel& clause : statement.clauses) {
    for (uint32_t receiver : statement.delegation.to_agents) {
      const StatementModel& agent = c.Agent(receiver);
      std::vector<std::string> dead;
      for (uint32_t action : clause.actions) {
        bool covered =
            std::any_of(agent.clauses.begin(), agent.clauses.end(), [&](const ClauseModel& may) {
              return may.type == clause.type &&
                     std::binary_search(may.actions.begin(), may.actions.end(), action);
            });
        if (!covered)
          dead.push_back(
              Quoted(c.Text(c.model.schema.resources[clause.type].actions[action].name)));
      }
      if (dead.empty()) continue;
      c.Report(DPL0603, clause.span,
               {Called(s),
                Listed(dead) + " on " + Quoted(c.Text(c.model.schema.resources[clause.type].name)),
                Quoted(agent.decl->name.text)})
          .Label(agent.decl->head_span, "the agent is declared here")
          .Help("remove it here, or add it to the agent's own `may`");
    }
  }
}

// By resource type and action: does any grant give it?
using Granted = std::vector<std::vector<bool>>;

Granted GrantedActions(const Checker& c) {
  Granted granted;
  for (const ResourceDef& resource : c.model.schema.resources)
    granted.emplace_back(resource.actions.size(), false);
  for (uint32_t g : c.by_kind[static_cast<size_t>(StatementKind::kGrant)]) {
    for (const ClauseModel& clause : c.model.statements[g].clauses) {
      for (uint32_t action : clause.actions) granted[clause.type][action] = true;
    }
  }
  return granted;
}

// DPL0610: lending what no grant gives anybody.
void CheckHeld(Checker& c, const Symbol& s, const StatementModel& statement,
               const std::vector<const ClauseModel*>& lent, const Granted& granted) {
  if (c.any_incomplete) return;
  for (const ClauseModel* clause : lent) {
    bool held = std::any_of(clause->actions.begin(), clause->actions.end(),
                            [&](uint32_t action) { return granted[clause->type][action]; });
    if (held) continue;
    const auto& from = static_cast<const ast::DelegationDecl&>(*s.decl).from;
    std::vector<std::string> who;
    for (const ast::Subject& subject : from) who.push_back(SubjectText(c, subject));
    c.ReportText(DPL0610, statement.clauses.empty() ? s.decl->head_span : clause->span,
                 FillTemplate(InfoOf(DPL0610).message, {Listed(who), Called(s)}) +
                     ": no grant gives " + ClauseText(c, *clause))
        .Help("grant it to them first, or lend less");
  }
}

}  // namespace

void BuildDelegation(Checker& c, const Symbol& s) {
  auto& decl = static_cast<ast::DelegationDecl&>(*s.decl);
  StatementModel& statement = c.StatementOf(s);
  CheckMetaAllowed(c, decl.meta, {.because = true, .ticket = true, .review = true, .expires = true},
                   "a delegation");
  ReadTerms(c, s, decl.meta, Need::kYes);
  statement.trusting_request = decl.trusting_request;
  ReadParties(c, s, decl, statement);
  ReadOnward(c, s, decl, statement);
  ReadConsent(c, s, decl, &statement.delegation);
  statement.delegation.lasts_us = DurationUs(c, decl.lasts).value_or(0);
  for (const ast::QName& name : decl.only_in_tasks) {
    const Symbol* task = Lookup(c, SymbolKind::kTask, name, *s.file);
    if (task != nullptr) statement.delegation.only_in_tasks.push_back(task->index);
  }
  std::vector<TaskParam> params = CommonParams(c, statement.delegation);
  ExprScope scope = BoundingScope(*s.file, "a delegation's condition");
  if (!statement.delegation.only_in_tasks.empty()) scope.task_params = &params;
  AddMay(c, statement, decl.may, ClauseRole::kDelegationMay, scope);
  const Package& package = c.packages[s.package];
  if (decl.may.empty() && (package.requires_ticket || package.requires_approval)) {
    Lacks(c, s, "a `may` in a governed package", "spell out what it lends: `may … on …`");
  }
  if (package.requires_ticket && !decl.meta.ticket.present && !decl.incomplete) {
    c.Report(DPL0405, decl.head_span, {Called(s)})
        .Help("this package says `requires ticket`: add `ticket \"…\"`");
  }
  CheckTrust(c, s, statement.clauses, decl.trusting_request);

  // A limit of a delegation without a `may` of its own is about what its agents may.
  bool borrowed = statement.clauses.empty() && decl.may.empty();
  if (borrowed) {
    for (uint32_t agent : statement.delegation.to_agents) {
      for (const ClauseModel& clause : c.Agent(agent).clauses) statement.clauses.push_back(clause);
    }
  }
  LimitPlace place;
  place.scope = &scope;
  // Where a person receives there need be no agent.
  place.agent = place.instance = statement.to_people == nullptr;
  place.no_agent = "people who act for each other need no agent; count for each `person`";
  place.task = !decl.only_in_tasks.empty();
  BuildLimits(c, s, decl.limits, place);
  if (borrowed) statement.clauses.clear();
}

void CheckDelegations(Checker& c) {
  const Granted granted = GrantedActions(c);
  for (uint32_t d : c.by_kind[static_cast<size_t>(StatementKind::kDelegation)]) {
    const Symbol& symbol = *c.statement_symbols[d];
    const StatementModel& statement = c.model.statements[d];
    std::vector<const ClauseModel*> lent = Lent(c, statement);
    uint8_t modes = statement.delegation.modes;
    for (uint32_t agent : statement.delegation.to_agents) {
      if (statement.delegation.modes == 0) modes |= c.Agent(agent).agent.modes;
    }
    if ((modes & kModeImpersonate) != 0) CheckBoundaries(c, statement, lent);
    CheckCeiling(c, symbol, statement);
    CheckHeld(c, symbol, statement, lent, granted);
  }
  // DPL0702: what a task reaches beyond every delegation that is bound to it.
  for (uint32_t t : c.by_kind[static_cast<size_t>(StatementKind::kTask)]) {
    const StatementModel& task = c.model.statements[t];
    std::vector<const ClauseModel*> lent;
    std::vector<std::string> names;
    for (uint32_t d : c.by_kind[static_cast<size_t>(StatementKind::kDelegation)]) {
      const StatementModel& delegation = c.model.statements[d];
      const auto& tasks = delegation.delegation.only_in_tasks;
      if (std::find(tasks.begin(), tasks.end(), task.ordinal) == tasks.end()) continue;
      names.push_back("delegation " + Quoted(delegation.decl->name.text));
      for (const ClauseModel* clause : Lent(c, delegation)) lent.push_back(clause);
    }
    if (names.empty()) continue;
    for (const ClauseModel& clause : task.clauses) {
      bool all = std::all_of(clause.actions.begin(), clause.actions.end(), [&](uint32_t action) {
        return std::any_of(lent.begin(), lent.end(), [&](const ClauseModel* may) {
          return may->type == clause.type &&
                 std::binary_search(may->actions.begin(), may->actions.end(), action);
        });
      });
      if (!all) {
        c.Report(DPL0702, clause.span, {Quoted(task.decl->name.text), Listed(names)})
            .Help("what the delegation does not lend cannot be done in the task");
      }
    }
  }
}

}  // namespace dpl::check
