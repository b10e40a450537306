// Agents: templates with somebody who answers for them, a ceiling, and a life span.
#include <algorithm>

#include "compiler/check/names.h"
#include "compiler/check/phases.h"
#include "compiler/check/schema_build.h"
#include "compiler/check/statement.h"
#include "compiler/check/values.h"
#include "runtime/base/text.h"

namespace dpl::check {
namespace {

uint8_t BitOf(ast::Mode mode) {
  switch (mode) {
    case ast::Mode::kOnBehalfOf:
      return kModeOnBehalfOf;
    case ast::Mode::kImpersonate:
      return kModeImpersonate;
    case ast::Mode::kStanding:
      return kModeStanding;
  }
  return 0;
}

void ReadModes(Checker& c, const ast::AgentDecl& decl, Agent* agent) {
  if (decl.modes.empty()) {
    agent->modes = kModeOnBehalfOf;
    return;
  }
  for (const ast::ModeRef& mode : decl.modes) {
    if ((agent->modes & BitOf(mode.mode)) != 0)
      c.Report(DPL0103, mode.span, {Quoted(c.SourceText(mode.span))});
    agent->modes |= BitOf(mode.mode);
  }
  if ((agent->modes & kModeStanding) != 0 && agent->modes != kModeStanding) {
    for (const ast::ModeRef& mode : decl.modes) {
      if (mode.mode != ast::Mode::kStanding) continue;
      c.Report(DPL0614, mode.span)
          .Help("split it: one agent that acts for people, and one that stands alone");
    }
    agent->modes = kModeStanding;
  }
}

void ReadIdentity(Checker& c, const Symbol& s, const ast::AgentDecl& decl, Agent* agent) {
  if (decl.runs_as.empty())
    Lacks(c, s, "`runs as`, which says how it proves who it is",
          "add `runs as spiffe \"spiffe://…\"`");
  if (!decl.runs_as_kind.empty() && decl.runs_as_kind.text != "spiffe") {
    c.Report(DPL0201, decl.runs_as_kind.span, {"kind of identity", Quoted(decl.runs_as_kind.text)})
        .Help("use `spiffe`");
  }
  for (const ast::StringLit& id : decl.runs_as) {
    bool ok = id.value.starts_with("spiffe://") && id.value.size() > 9 && id.value.back() != '/' &&
              id.value.find("//", 9) == std::string::npos;
    if (!ok && decl.runs_as_kind.text == "spiffe") {
      c.ReportText(DPL0301, id.span, Quote(id.value) + " is not a spiffe id")
          .Help("it has the form \"spiffe://trust-domain/path\"");
      continue;
    }
    agent->runs_as.push_back(c.model.AddString(id.value));
  }
  agent->attested_within_us = DurationUs(c, decl.attested_within).value_or(0);
}

// Two agents with one identity could not be told apart.
void CheckIdentitiesDiffer(Checker& c) {
  std::map<std::string, const Symbol*> owners;
  for (uint32_t statement : c.by_kind[static_cast<size_t>(StatementKind::kAgent)]) {
    const Symbol* symbol = c.statement_symbols[statement];
    for (const ast::StringLit& id : static_cast<const ast::AgentDecl&>(*symbol->decl).runs_as) {
      auto [at, fresh] = owners.emplace(id.value, symbol);
      if (fresh) continue;
      c.Report(DPL0202, id.span, {"identity " + Quote(id.value)})
          .Label(at->second->decl->head_span,
                 "agent " + Quoted(at->second->name) + " runs as it too")
          .Help("give each agent an identity of its own");
    }
  }
}

}  // namespace

void BuildAgent(Checker& c, const Symbol& s) {
  auto& decl = static_cast<ast::AgentDecl&>(*s.decl);
  StatementModel& statement = c.StatementOf(s);
  Agent& agent = statement.agent;
  CheckMetaAllowed(c, decl.meta, {.because = true, .ticket = true, .review = true}, "an agent");
  ReadTerms(c, s, decl.meta, Need::kNo);
  statement.trusting_request = decl.trusting_request;
  if (decl.accountable.present) {
    agent.accountable = c.PersonConstant(decl.accountable.value, decl.accountable.span);
  } else if (!decl.incomplete) {
    c.Report(DPL0602, decl.head_span, {Quoted(s.name)})
        .Help("add `accountable person \"…\"`: the human who answers for it");
  }
  if (!decl.accountable_else.empty()) {
    const Symbol* team = Lookup(c, SymbolKind::kTeam, decl.accountable_else, *s.file);
    if (team != nullptr) agent.accountable_else = team->index;
  }
  if (!decl.purpose.present) {
    Lacks(c, s, "a `purpose`", "add `purpose \"…\"`, one sentence on what it is for");
  } else if (IsEmptyTalk(decl.purpose.value)) {
    c.Report(DPL0403, decl.purpose.span, {Called(s)})
        .Help("its purpose says nothing; name what it is for");
  }
  agent.purpose = c.model.AddString(decl.purpose.value);
  ReadModes(c, decl, &agent);
  ReadIdentity(c, s, decl, &agent);
  if (decl.lives.present) {
    agent.lives_us = DurationUs(c, decl.lives).value_or(0);
    if (agent.lives_us <= 0)
      c.ReportText(DPL0006, decl.lives.span,
                   "a life of " + Quoted(decl.lives.text) + " ends at once");
  } else if (!decl.incomplete) {
    c.Report(DPL0611, decl.head_span, {Quoted(s.name)})
        .Help("add `lives at most 1h`: no run of an agent is for ever");
  }
  if (auto count = WholeNumber(c, decl.instances)) {
    if (*count <= 0) c.Report(DPL0509, decl.instances.span, {Quoted(decl.instances.text)});
    agent.instances_max = *count <= 0 ? 0 : static_cast<uint64_t>(*count);
  }
  agent.instances_window_us = DurationUs(c, decl.instances_window).value_or(0);

  ExprScope scope = BoundingScope(*s.file, "an agent's condition");
  bool standing = agent.modes == kModeStanding;
  if (standing) {
    scope.person = false;
    scope.where = "the condition of an agent that acts for nobody";
  }
  AddMay(c, statement, decl.may, ClauseRole::kAgentMay, scope);
  if (decl.may.empty())
    Lacks(c, s, "a `may`, which says what it can do at most", "add `may … on …`");
  CheckTrust(c, s, statement.clauses, decl.trusting_request);

  LimitPlace place;
  place.scope = &scope;
  place.person = !standing;
  place.agent = place.instance = true;
  place.no_person = "a standing agent acts for nobody; count for each `agent` or `instance`";
  BuildLimits(c, s, decl.limits, place);
}

void CheckAgents(Checker& c) {
  CheckIdentitiesDiffer(c);
  if (c.any_incomplete) return;
  const auto& agents = c.by_kind[static_cast<size_t>(StatementKind::kAgent)];
  std::vector<bool> delegated(agents.size(), false), granted(agents.size(), false);
  for (const StatementModel& statement : c.model.statements) {
    if (statement.kind == StatementKind::kDelegation) {
      for (uint32_t agent : statement.delegation.to_agents) delegated[agent] = true;
      for (uint32_t agent : statement.delegation.onward_agents) delegated[agent] = true;
    } else if (statement.kind == StatementKind::kGrant) {
      for (const ast::GrantRow& row : static_cast<const ast::GrantDecl&>(*statement.decl).rows) {
        for (const ast::Subject& subject : row.to) {
          if (subject.kind == ast::Subject::Kind::kAgent && subject.ref != kNone)
            granted[subject.ref] = true;
        }
      }
    }
  }
  for (uint32_t i = 0; i < agents.size(); ++i) {
    const Symbol& symbol = *c.statement_symbols[agents[i]];
    bool standing = c.model.statements[agents[i]].agent.modes == kModeStanding;
    if (standing && !granted[i]) {
      c.Report(DPL0606, symbol.decl->head_span, {Quoted(symbol.name)})
          .Help("add `grant … { to agent " + symbol.name + "  may … }`");
    } else if (!standing && !delegated[i] && !granted[i]) {
      c.Report(DPL0615, symbol.decl->head_span, {Quoted(symbol.name)})
          .Help("add `delegation … { from team …  to agent " + symbol.name +
                " … }`, or remove the agent");
    }
  }
}

}  // namespace dpl::check
