// Unfolding of `may … on …` and `covers …`, and the subjects they are for.
#include "compiler/check/clauses.h"

#include <algorithm>

#include "compiler/check/names.h"
#include "compiler/check/types.h"
#include "compiler/check/values.h"
#include "runtime/base/path.h"
#include "runtime/base/text.h"

namespace dpl::check {
namespace {

struct Reach {
  uint32_t type = kNone;
  std::vector<uint32_t> actions;
};

std::vector<uint32_t> AllActions(const ResourceDef& resource) {
  std::vector<uint32_t> actions(resource.actions.size());
  for (uint32_t i = 0; i < actions.size(); ++i) actions[i] = i;
  return actions;
}

uint32_t ActionNamed(const Checker& c, uint32_t type, std::string_view name) {
  const ResourceDef& resource = c.model.schema.resources[type];
  for (uint32_t i = 0; i < resource.actions.size(); ++i) {
    if (c.Text(resource.actions[i].name) == name) return i;
  }
  return kNone;
}

void ReportUnknownAction(Checker& c, const ast::Name& action, const std::vector<uint32_t>& types,
                         const std::string& where) {
  std::vector<std::string> known;
  for (uint32_t type : types) {
    for (const ActionDef& def : c.model.schema.resources[type].actions)
      known.emplace_back(c.Text(def.name));
  }
  std::sort(known.begin(), known.end());
  known.erase(std::unique(known.begin(), known.end()), known.end());
  std::vector<std::string> near = NearNames(action.text, known);
  DiagnosticRef report = c.Report(DPL0209, action.span, {Quoted(action.text), where});
  report.Suggest(action.span, near);
  if (near.empty() && !known.empty() && known.size() <= 8) {
    std::vector<std::string> quoted;
    for (const std::string& name : known) quoted.push_back(Quoted(name));
    report.Help("it can " + Listed(quoted));
  } else if (known.empty()) {
    report.Help("declare it: `can " + action.text + "`");
  }
}

class Unfolder {
 public:
  Unfolder(Checker& c, ast::MayClause& may, const UnfoldInput& input)
      : c_(c), may_(may), input_(input), file_(*input.scope->file) {}

  std::vector<ClauseModel> Run() {
    std::vector<ClauseModel> clauses;
    std::vector<Reach> reaches = Reaches();
    uint32_t approval = kNone;
    if (!may_.ask.empty()) {
      const Symbol* symbol = Lookup(c_, SymbolKind::kApproval, may_.ask, file_);
      if (symbol != nullptr) approval = symbol->index;
    }
    for (const Reach& reach : reaches) {
      ClauseModel clause;
      clause.role = input_.role;
      clause.row = input_.row;
      clause.type = reach.type;
      clause.actions = reach.actions;
      clause.subjects = input_.subjects;
      clause.ask_approval = approval;
      clause.span = input_.span;
      clause.subject_span = input_.subject_span;
      if (!Scope(&clause, reaches.size())) continue;
      if (!Where(&clause, &reach == &reaches.front())) continue;
      if (clause.subjects != nullptr) WarnRoleElsewhere(c_, *clause.subjects, clause);
      clauses.push_back(std::move(clause));
    }
    return clauses;
  }

 private:
  std::vector<Reach> Reaches() {
    if (!may_.activities.empty()) return ByActivity();
    const ast::Selector& on = may_.on;
    if (on.everything_in) return BySystem();
    std::vector<Reach> out;
    for (const ast::QName& name : on.types) {
      uint32_t type = LookupType(c_, name, file_);
      if (type == kNone) continue;
      if (std::any_of(out.begin(), out.end(), [&](const Reach& r) { return r.type == type; })) {
        c_.ReportText(DPL0202, name.span, Quoted(name.text) + " is named twice");
        continue;
      }
      Reach reach{type, {}};
      if (may_.any_action) {
        reach.actions = AllActions(c_.model.schema.resources[type]);
        if (reach.actions.empty()) NoActions(Quoted(name.text), name.span);
      } else {
        for (const ast::Name& action : may_.actions) {
          uint32_t index = ActionNamed(c_, type, action.text);
          if (index == kNone) {
            ReportUnknownAction(c_, action, {type}, Quoted(name.text));
          } else {
            reach.actions.push_back(index);
          }
        }
      }
      Finish(std::move(reach), &out);
    }
    return out;
  }

  std::vector<Reach> BySystem() {
    std::vector<Reach> out;
    const Symbol* system = Lookup(c_, SymbolKind::kSystem, may_.on.system, file_);
    if (system == nullptr) return out;
    std::vector<uint32_t> types;
    const auto& resources = c_.model.schema.resources;
    for (uint32_t t = 0; t < resources.size(); ++t) {
      if (resources[t].system == system->index) types.push_back(t);
    }
    std::set<std::string> met;
    for (uint32_t type : types) {
      Reach reach{type, {}};
      if (may_.any_action) reach.actions = AllActions(resources[type]);
      for (const ast::Name& action : may_.actions) {
        uint32_t index = ActionNamed(c_, type, action.text);
        if (index == kNone) continue;
        reach.actions.push_back(index);
        met.insert(action.text);
      }
      Finish(std::move(reach), &out);
    }
    for (const ast::Name& action : may_.actions) {
      if (!met.contains(action.text))
        ReportUnknownAction(c_, action, types, "system " + Quoted(system->name));
    }
    if (may_.any_action && out.empty())
      NoActions("system " + Quoted(system->name), may_.on.system.span);
    return out;
  }

  // What restricts may run ahead of the schema; what gives must not be about nothing (a delegation
  // without clauses would lend all its agent may).
  void NoActions(const std::string& where, const Span& span) {
    if (Restricts()) return;
    c_.ReportText(DPL0209, span, where + " has no actions")
        .Help("declare some: `can read, update`");
  }

  bool Restricts() const {
    return input_.role == ClauseRole::kLimitCovers || input_.role == ClauseRole::kForbidCovers ||
           input_.role == ClauseRole::kSeparateA || input_.role == ClauseRole::kSeparateB ||
           input_.role == ClauseRole::kObligationCovers;
  }

  std::vector<Reach> ByActivity() {
    std::map<uint32_t, Reach> by_type;
    for (const ast::QName& name : may_.activities) {
      const Symbol* activity = Lookup(c_, SymbolKind::kActivity, name, file_);
      if (activity == nullptr) continue;
      bool any = false;
      const auto& resources = c_.model.schema.resources;
      for (uint32_t type = 0; type < resources.size(); ++type) {
        for (uint32_t a = 0; a < resources[type].actions.size(); ++a) {
          const auto& of = resources[type].actions[a].activities;
          if (!std::binary_search(of.begin(), of.end(), activity->index)) continue;
          Reach& reach = by_type[type];
          reach.type = type;
          reach.actions.push_back(a);
          any = true;
        }
      }
      if (any) continue;
      if (Restricts()) {
        c_.ReportText(
            DPL0503, name.span,
            "this covers nothing: no action of this set is activity " + Quoted(name.text));
      } else {
        c_.ReportText(DPL0209, name.span, "no action of this set is activity " + Quoted(name.text))
            .Help("write `can … is " + name.text + "` where the action is declared");
      }
    }
    std::vector<Reach> out;
    for (auto& [type, reach] : by_type) Finish(std::move(reach), &out);
    return out;
  }

  static void Finish(Reach reach, std::vector<Reach>* out) {
    std::sort(reach.actions.begin(), reach.actions.end());
    reach.actions.erase(std::unique(reach.actions.begin(), reach.actions.end()),
                        reach.actions.end());
    if (!reach.actions.empty()) out->push_back(std::move(reach));
  }

  // The id literal and the containers.
  bool Scope(ClauseModel* clause, size_t types) {
    const ast::Selector& on = may_.on;
    if (on.id.present) {
      if (types > 1) {
        c_.ReportText(DPL0301, on.id.span, "an id names one resource of one type")
            .Help("give each type its own clause");
        return false;
      }
      std::optional<std::string> id = CanonicalId(c_, clause->type, on.id.value, on.id.span);
      if (!id) return false;
      clause->id = *id;
      clause->has_id = true;
      WarnLooseKey(clause->type, on.id.span);
    }
    bool ok = true;
    for (const ast::Container& container : on.containers) {
      ClauseModel::Container out;
      switch (container.kind) {
        case ast::Container::Kind::kEntity:
          ok = Entity(clause->type, container, &out) && ok;
          break;
        case ast::Container::Kind::kString:
          ok = Path(clause->type, container, &out) && ok;
          break;
        case ast::Container::Kind::kName:
          ok = Param(clause->type, container, &out) && ok;
          break;
      }
      if (ok) clause->containers.push_back(out);
    }
    return ok;
  }

  bool Entity(uint32_t type, const ast::Container& container, ClauseModel::Container* out) {
    uint32_t outer = LookupType(c_, container.type, file_);
    if (outer == kNone) return false;
    if (!CanLieWithin(c_, type, outer))
      return NeverWithin(type, WithArticle(container.type.text), container.span);
    std::optional<std::string> id = CanonicalId(c_, outer, container.id.value, container.id.span);
    if (!id) return false;
    out->kind = ClauseModel::Container::Kind::kEntity;
    out->constant = c_.ResourceConstant(outer, *id);
    WarnLooseKey(outer, container.id.span);
    return true;
  }

  bool Path(uint32_t type, const ast::Container& container, ClauseModel::Container* out) {
    const ResourceDef& resource = c_.model.schema.resources[type];
    if (!resource.key_is_path) {
      DiagnosticRef report = c_.ReportText(DPL0301, container.span,
                                           Quote(container.id.value) + " names no container of " +
                                               WithArticle(c_.Text(resource.name)));
      if (resource.has_parent) {
        report.Help("write `in " + c_.ResourceName(resource.parent_type) + " " +
                    Quote(container.id.value) + "`");
      } else {
        report.Help("only a type whose key is a path lies in a path: `key path: path`");
      }
      return false;
    }
    Result<std::string> path = NormalizePath(container.id.value);
    if (!path.ok()) {
      c_.ReportText(DPL0301, container.span,
                    Quote(container.id.value) + " is not a path: " + path.error().message);
      return false;
    }
    Constant constant;
    constant.kind = Constant::Kind::kPath;
    constant.text = path.take();
    out->kind = ClauseModel::Container::Kind::kPath;
    out->constant = c_.model.AddConstant(std::move(constant));
    return true;
  }

  bool Param(uint32_t type, const ast::Container& container, ClauseModel::Container* out) {
    const std::vector<TaskParam>* params = input_.scope->task_params;
    if (params == nullptr || !input_.scope->bare_params) {
      c_.Report(DPL0201, container.span, {"container", Quoted(container.name.text)})
          .Help("name one: `in system.Type \"id\"`; only a task's parameters stand here by name");
      return false;
    }
    std::vector<std::string> known;
    for (uint32_t i = 0; i < params->size(); ++i) {
      const TaskParam& param = (*params)[i];
      known.emplace_back(c_.Text(param.name));
      if (known.back() != container.name.text) continue;
      if (input_.scope->used_params != nullptr) (*input_.scope->used_params)[i] = true;
      const ResourceDef& resource = c_.model.schema.resources[type];
      TypeId plain = WithoutOptional(c_, param.type);
      bool path = plain == c_.t_path && resource.key_is_path;
      if (!path && !Is(c_, plain, TypeKind::kResource)) {
        c_.Report(DPL0301, container.span,
                  {Quoted(container.name.text), DescribeType(c_, param.type), "a container"});
        return false;
      }
      if (!path && !CanLieWithin(c_, type, c_.Type(plain).index)) {
        return NeverWithin(type, WithArticle(TypeText(c_, plain)), container.span);
      }
      out->kind = ClauseModel::Container::Kind::kTaskParam;
      out->param = i;
      return true;
    }
    c_.Report(DPL0201, container.span, {"parameter", Quoted(container.name.text)})
        .Help(DidYouMean(NearNames(container.name.text, known)));
    return false;
  }

  bool NeverWithin(uint32_t type, const std::string& outer, const Span& span) {
    std::string inner(c_.Text(c_.model.schema.resources[type].name));
    c_.ReportText(DPL0301, span, WithArticle(inner) + " never lies within " + outer)
        .Label(c_.model.schema.resources[type].span, "declared here")
        .Help("give " + Quoted(inner) + " its parent: `within …`");
    return false;
  }

  void WarnLooseKey(uint32_t type, const Span& span) {
    const ResourceDef& resource = c_.model.schema.resources[type];
    if (!input_.id_warning || resource.key_is_path || resource.key_fold_ascii ||
        resource.key_pattern != 0)
      return;
    c_.Report(DPL0420, span, {Quoted(c_.Text(resource.name))})
        .Help("say in its key how ids are written: `key id: string matches \"…\"` or `fold ascii`");
  }

  bool Where(ClauseModel* clause, bool first) {
    ast::Expr* where = may_.on.where.get();
    if (where == nullptr) return true;
    if (!first) where = CloneInto(c_.model, *where);
    ExprScope scope = *input_.scope;
    scope.type = clause->type;
    scope.actions = ActionsOf(c_, *clause);
    if (!CheckCondition(c_, *where, scope)) return false;
    clause->where = where;
    clause->where_text = c_.SourceText(where->span);
    clause->where_span = where->span;
    return true;
  }

  Checker& c_;
  ast::MayClause& may_;
  const UnfoldInput& input_;
  FileScope& file_;
};

}  // namespace

std::vector<ClauseModel> Unfold(Checker& c, ast::MayClause& may, const UnfoldInput& input) {
  return Unfolder(c, may, input).Run();
}

bool ResolveSubjects(Checker& c, std::vector<ast::Subject>& subjects, FileScope& file) {
  bool ok = true;
  for (ast::Subject& subject : subjects) {
    const Symbol* symbol = nullptr;
    switch (subject.kind) {
      case ast::Subject::Kind::kTeam:
        symbol = Lookup(c, SymbolKind::kTeam, subject.name, file);
        break;
      case ast::Subject::Kind::kRole:
        symbol = Lookup(c, SymbolKind::kRole, subject.name, file);
        break;
      case ast::Subject::Kind::kAgent:
        symbol = Lookup(c, SymbolKind::kAgent, subject.name, file);
        break;
      case ast::Subject::Kind::kPartner:
        symbol = Lookup(c, SymbolKind::kPartner, subject.name, file);
        break;
      case ast::Subject::Kind::kPerson:
        subject.ref = c.PersonConstant(subject.id.value, subject.id.span);
        continue;
      default:
        continue;
    }
    if (symbol == nullptr) {
      ok = false;
    } else {
      subject.ref = symbol->index;
    }
  }
  return ok;
}

void WarnRoleElsewhere(Checker& c, const std::vector<ast::Subject>& subjects,
                       const ClauseModel& clause) {
  for (const ast::Subject& subject : subjects) {
    if (subject.kind != ast::Subject::Kind::kRole || subject.ref == kNone) continue;
    const RoleDef& role = c.model.schema.roles[subject.ref];
    bool somewhere = role.scopes.empty() ||
                     std::any_of(role.scopes.begin(), role.scopes.end(), [&](uint32_t scope) {
                       return CanLieWithin(c, clause.type, scope);
                     });
    if (somewhere) continue;
    std::vector<std::string> scopes;
    for (uint32_t scope : role.scopes) scopes.push_back(Quoted(c.ResourceName(scope)));
    c.ReportText(DPL0313, clause.span,
                 SubjectText(c, subject) + " is held on " + Listed(scopes) + ", and " +
                     WithArticle(c.ResourceName(clause.type)) +
                     " never lies within one: this is for nobody")
        .Label(role.span, "the role is declared here")
        .Help("give the type its parent (`within …`), or the role another scope");
  }
}

std::vector<uint32_t> TypesOf(const std::vector<ClauseModel>& clauses) {
  std::set<uint32_t> types;
  for (const ClauseModel& clause : clauses) types.insert(clause.type);
  return {types.begin(), types.end()};
}

std::vector<const ActionDef*> ActionsOf(const Checker& c, const ClauseModel& clause) {
  std::vector<const ActionDef*> actions;
  for (uint32_t a : clause.actions)
    actions.push_back(&c.model.schema.resources[clause.type].actions[a]);
  return actions;
}

std::string ClauseText(const Checker& c, const ClauseModel& clause) {
  std::vector<std::string> names;
  for (const ActionDef* action : ActionsOf(c, clause))
    names.push_back(Quoted(c.Text(action->name)));
  return Listed(names) + " on " + Quoted(c.Text(c.model.schema.resources[clause.type].name));
}

bool SameSubject(const ast::Subject& a, const ast::Subject& b) {
  return a.kind == b.kind && a.ref == b.ref;
}

std::string SubjectText(const Checker& c, const ast::Subject& subject) {
  switch (subject.kind) {
    case ast::Subject::Kind::kTeam:
      return "team " + Quoted(subject.name.text);
    case ast::Subject::Kind::kRole:
      return "role " + Quoted(subject.name.text);
    case ast::Subject::Kind::kAgent:
      return "agent " + Quoted(subject.name.text);
    case ast::Subject::Kind::kPerson:
      return "person " + Quote(subject.id.value);
    case ast::Subject::Kind::kAnyAgent:
      return "any agent";
    case ast::Subject::Kind::kEveryone:
      return "everyone";
    case ast::Subject::Kind::kPublic:
      return "the public";
    case ast::Subject::Kind::kPartner:
      return "partner " + Quoted(subject.name.text);
  }
  (void)c;
  return std::string();
}

bool SharesAction(const ClauseModel& a, const ClauseModel& b) {
  if (a.type != b.type) return false;
  return std::any_of(a.actions.begin(), a.actions.end(), [&](uint32_t x) {
    return std::binary_search(b.actions.begin(), b.actions.end(), x);
  });
}

}  // namespace dpl::check
