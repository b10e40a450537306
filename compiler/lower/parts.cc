#include "compiler/lower/parts.h"

#include <utility>

#include "compiler/lower/expr.h"

namespace dpl::lower {
namespace {

void Flatten(const ast::Expr& expr, std::vector<const ast::Expr*>* out) {
  if (expr.kind != ast::ExprKind::kAnd) {
    out->push_back(&expr);
    return;
  }
  for (const ast::ExprPtr& arg : expr.args) Flatten(*arg, out);
}

}  // namespace

std::vector<const ast::Expr*> Conjuncts(const ast::Expr& condition) {
  std::vector<const ast::Expr*> out;
  Flatten(condition, &out);
  return out;
}

std::vector<ConditionParts> AddConditionParts(check::Model* model, const SourceSet& sources,
                                              Program* program) {
  // Lower() took these over; expressions are lowered against them, and nothing new is interned that
  // the whole condition did not intern already.
  model->schema = std::move(program->schema);
  model->constants = std::move(program->constants);
  std::vector<ConditionParts> out;
  Lowering lower(model, program, sources);
  auto add = [&](uint32_t code, const ast::Expr* condition, uint32_t type, uint32_t zone) {
    if (code == kNone || condition == nullptr) return;
    std::vector<const ast::Expr*> parts = Conjuncts(*condition);
    if (parts.size() < 2) return;
    ConditionParts& entry = out.emplace_back();
    entry.code = code;
    for (const ast::Expr* part : parts)
      entry.parts.push_back({lower.Expression(*part, type, zone), part});
  };
  for (size_t s = 0; s < model->statements.size(); ++s) {
    const check::StatementModel& from = model->statements[s];
    const Statement& to = program->statements[s];
    uint32_t only_type = from.clauses.empty() ? kNone : from.clauses[0].type;
    for (size_t k = 0; k < from.clauses.size(); ++k) {
      const check::ClauseModel& clause = from.clauses[k];
      if (clause.type != only_type) only_type = kNone;
      add(program->clauses[to.clauses[k]].where_code, clause.where, clause.type, to.zone);
    }
    if (from.kind == StatementKind::kForbid)
      add(program->forbids[to.detail].unless_code, from.unless, only_type, to.zone);
  }
  program->schema = std::move(model->schema);
  program->constants = std::move(model->constants);
  BuildIndex(program);  // what it notes of each code is wanted of the new ones, too
  return out;
}

}  // namespace dpl::lower
