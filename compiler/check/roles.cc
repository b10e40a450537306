// Computed roles: a condition in place of members, typed once for every type the role is held on.
#include <algorithm>

#include "compiler/check/expr.h"
#include "compiler/check/phases.h"

namespace dpl::check {
namespace {

// Roles that a holder of `role` holds: itself and what it includes.
void Close(const Schema& schema, uint32_t role, std::set<uint32_t>* held) {
  if (!held->insert(role).second) return;
  for (uint32_t included : schema.roles[role].includes) Close(schema, included, held);
}

std::vector<const ast::Expr*> ConditionsOf(const RoleModel& role) {
  std::vector<const ast::Expr*> conditions;
  if (role.where != nullptr) conditions.push_back(role.where);
  for (const auto& [type, condition] : role.where_by_type) conditions.push_back(condition);
  return conditions;
}

// A computed role may ask for other roles, but no way may lead back to itself, through `includes`
// either.
void CheckNoCycles(Checker& c) {
  const Schema& schema = c.model.schema;
  size_t count = schema.roles.size();
  std::vector<std::set<uint32_t>> asks(
      count);  // computed role -> computed roles whose conditions it needs
  std::vector<std::set<uint32_t>> gives(count);  // role -> roles its holders hold
  for (uint32_t r = 0; r < count; ++r) Close(schema, r, &gives[r]);
  for (uint32_t r = 0; r < count; ++r) {
    for (const ast::Expr* condition : ConditionsOf(c.model.roles[r])) {
      Walk(*condition, [&](const ast::Expr& e) {
        if (e.ref != ast::RefKind::kRole) return;
        for (uint32_t other = 0; other < count; ++other) {
          if (gives[other].contains(e.ref_a) && !ConditionsOf(c.model.roles[other]).empty())
            asks[r].insert(other);
        }
      });
    }
  }
  std::vector<int> state(count, 0);
  std::function<void(uint32_t)> visit = [&](uint32_t at) {
    state[at] = 1;
    for (uint32_t to : asks[at]) {
      if (state[to] == 1) {
        c.Report(DPL0314, c.role_symbols[to]->decl->head_span,
                 {"role " + Quoted(c.role_symbols[to]->name)})
            .Label(c.role_symbols[at]->decl->head_span, "whose condition asks for it")
            .Help("say the condition itself, or give one of the roles members");
      } else if (state[to] == 0) {
        visit(to);
      }
    }
    state[at] = 2;
  };
  for (uint32_t r = 0; r < count; ++r) {
    if (state[r] == 0) visit(r);
  }
}

}  // namespace

void BuildRoles(Checker& c) {
  c.model.roles.resize(c.model.schema.roles.size());
  for (Symbol* symbol : c.role_symbols) {
    auto& decl = static_cast<ast::RoleDecl&>(*symbol->decl);
    if (decl.where == nullptr) continue;
    const RoleDef& def = c.model.schema.roles[symbol->index];
    RoleModel& role = c.model.roles[symbol->index];
    ExprScope scope;
    scope.file = symbol->file;
    scope.where = "a role's condition";
    scope.person = true;
    scope.resource = !def.scopes.empty();
    auto check = [&](ast::Expr* e) -> const ast::Expr* {
      if (!CheckCondition(c, *e, scope)) return nullptr;
      // A membership that was self-asserted would be worth what the caller says (closing rule 18).
      Walk(*e, [&](const ast::Expr& part) {
        if (part.ref != ast::RefKind::kPersonAttr ||
            !c.model.schema.person.attributes[part.ref_a].from_request)
          return;
        c.Report(DPL0418, part.span,
                 {Quoted(c.SourceText(part.span)), "role " + Quoted(symbol->name)})
            .Help(
                "hold it as a fact, or use the attribute in a grant that says `trusting request`");
      });
      return e;
    };
    if (def.scopes.empty()) {
      if (decl.scopes.empty()) role.where = check(decl.where.get());
      continue;
    }
    bool first = true;
    for (uint32_t type : def.scopes) {
      ast::Expr* e = first ? decl.where.get() : CloneInto(c.model, *decl.where);
      first = false;
      scope.type = type;
      if (const ast::Expr* checked = check(e)) role.where_by_type[type] = checked;
    }
  }
  CheckNoCycles(c);
}

}  // namespace dpl::check
