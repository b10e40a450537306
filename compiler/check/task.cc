// Tasks: the shape of one piece of work, and nothing else.
#include <algorithm>

#include "compiler/check/names.h"
#include "compiler/check/phases.h"
#include "compiler/check/schema_build.h"
#include "compiler/check/statement.h"
#include "compiler/check/types.h"
#include "compiler/check/values.h"

namespace dpl::check {

void BuildTask(Checker& c, const Symbol& s) {
  auto& decl = static_cast<ast::TaskDecl&>(*s.decl);
  StatementModel& statement = c.StatementOf(s);
  CheckMetaAllowed(c, decl.meta, {.because = true, .ticket = true, .review = true}, "a task");
  ReadTerms(c, s, decl.meta, Need::kNo);
  std::vector<const ast::Param*> written;
  for (const ast::Param& param : decl.params) {
    TypeId type = ResolveType(c, param.type, *s.file);
    Str name = c.model.AddString(param.name.text);
    bool twice = std::any_of(statement.task.params.begin(), statement.task.params.end(),
                             [&](const TaskParam& other) { return other.name == name; });
    static const std::set<std::string, std::less<>> kVariables = {
        "person", "agent", "resource", "request", "task", "now", "context"};
    if (twice || kVariables.contains(param.name.text)) {
      c.Report(twice ? DPL0202 : DPL0207, param.name.span,
               {"parameter " + Quoted(param.name.text)});
      continue;
    }
    // A parameter whose type is wrong keeps its place, so that its uses are no further errors.
    if (type == kNone) type = c.t_string;
    statement.task.params.push_back({name, type});
    written.push_back(&param);
  }
  for (const ast::QName& name : decl.for_agents) {
    const Symbol* agent = Lookup(c, SymbolKind::kAgent, name, *s.file);
    if (agent != nullptr) statement.task.agents.push_back(agent->index);
  }
  std::sort(statement.task.agents.begin(), statement.task.agents.end());
  statement.task.agents.erase(
      std::unique(statement.task.agents.begin(), statement.task.agents.end()),
      statement.task.agents.end());
  if (decl.lasts.present) {
    statement.task.lasts_us = DurationUs(c, decl.lasts).value_or(0);
  } else {
    Lacks(c, s, "`lasts at most`", "add `lasts at most 2h`: no task is open for ever");
  }
  if (!decl.nothing_else && !decl.incomplete) {
    c.Report(DPL0701, decl.head_span, {Quoted(s.name)})
        .Help("add `nothing else`: what the task does not name is outside it");
  }

  std::vector<bool> used(statement.task.params.size(), false);
  ExprScope scope = BoundingScope(*s.file, "a task's condition");
  scope.task_params = &statement.task.params;
  scope.bare_params = true;
  scope.used_params = &used;
  AddMay(c, statement, decl.may, ClauseRole::kTaskMay, scope);
  if (decl.may.empty()) Lacks(c, s, "a `may`, which says what belongs to it", "add `may … on …`");
  LimitPlace place;
  place.scope = &scope;
  place.agent = place.instance = place.task = true;
  BuildLimits(c, s, decl.limits, place);
  for (size_t i = 0; i < used.size(); ++i) {
    if (!used[i] && !decl.incomplete)
      c.Report(DPL0703, written[i]->name.span, {"parameter " + Quoted(written[i]->name.text)});
  }
}

}  // namespace dpl::check
