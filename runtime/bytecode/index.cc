// Where a decision looks first: per (resource type, action) and clause role, the clauses that could
// apply.
//
// The index is made from the clauses' own keys, never read from a bundle; the verifier proves that
// the keys cover whatever the subject code could say yes (or "cannot tell") to. Rule for readers of
// the index: a clause keyed by team or role is only found through memberships, so while the
// membership feed is unloaded or stale every item must be tried.
#include <algorithm>
#include <limits>

#include "runtime/bytecode/program.h"

namespace dpl {
namespace {

class CostSum {
 public:
  explicit CostSum(const Program& program) : program_(program) {}
  void Add(uint32_t code) {
    if (code == kNone) return;
    uint64_t sum = uint64_t{total_} + program_.codes[code].cost;
    total_ = static_cast<uint32_t>(std::min<uint64_t>(sum, std::numeric_limits<uint32_t>::max()));
  }
  void AddStatement(const Statement& statement) {
    for (uint32_t i : statement.limits) {
      const Limit& limit = program_.limits[i];
      Add(limit.cap_code);
      for (const LimitKeyPart& part : limit.keys) Add(part.code);
      for (const LimitTier& tier : limit.tiers) Add(tier.up_to_code);
    }
    if (statement.kind == StatementKind::kForbid)
      Add(program_.forbids[statement.detail].unless_code);
    if (statement.kind == StatementKind::kDelegation) {
      Add(program_.delegations[statement.detail].from_code);
      Add(program_.delegations[statement.detail].to_code);
    }
    if (statement.kind == StatementKind::kSeparate) {
      Add(program_.separates[statement.detail].by_code_a);
      Add(program_.separates[statement.detail].by_code_b);
    }
  }
  uint32_t total() const { return total_; }

 private:
  const Program& program_;
  uint32_t total_ = 0;
};

void FillDetailStatements(Program* program) {
  auto fill = [&](StatementKind kind, size_t count, std::vector<uint32_t>* out) {
    out->assign(count, kNone);
    for (uint32_t s = 0; s < program->statements.size(); ++s) {
      const Statement& statement = program->statements[s];
      if (statement.kind == kind && statement.detail < count) (*out)[statement.detail] = s;
    }
  };
  fill(StatementKind::kAgent, program->agents.size(), &program->agent_statements);
  fill(StatementKind::kDelegation, program->delegations.size(), &program->delegation_statements);
  fill(StatementKind::kTask, program->tasks.size(), &program->task_statements);
  fill(StatementKind::kApproval, program->approvals.size(), &program->approval_statements);
  fill(StatementKind::kSeparate, program->separates.size(), &program->separate_statements);
  fill(StatementKind::kBreakGlass, program->break_glasses.size(), &program->break_glass_statements);
  fill(StatementKind::kPartner, program->partners.size(), &program->partner_statements);
}

}  // namespace

void BuildIndex(Program* program) {
  FillDetailStatements(program);
  program->index_base.clear();
  program->index.clear();
  uint32_t base = 0;
  for (const ResourceDef& resource : program->schema.resources) {
    program->index_base.push_back(base);
    base += static_cast<uint32_t>(resource.actions.size());
  }
  program->index.resize(base);

  std::vector<std::vector<uint32_t>> clauses_of(
      base);  // ascending, since clauses are walked in order
  for (uint32_t c = 0; c < program->clauses.size(); ++c) {
    const Clause& clause = program->clauses[c];
    for (uint32_t action : clause.actions) {
      uint32_t at = program->index_base[clause.type] + action;
      auto& items = program->index[at].items[static_cast<int>(clause.role)];
      for (const SubjectKey& key : clause.keys) items.push_back({key, c});
      clauses_of[at].push_back(c);
    }
  }
  for (uint32_t at = 0; at < base; ++at) {
    for (auto& items : program->index[at].items) {
      std::sort(items.begin(), items.end());
      items.erase(std::unique(items.begin(), items.end()), items.end());
      items.shrink_to_fit();
    }
    CostSum sum(*program);
    std::vector<uint32_t> statements;
    for (uint32_t c : clauses_of[at]) {
      const Clause& clause = program->clauses[c];
      sum.Add(clause.subject_code);
      sum.Add(clause.scope_code);
      sum.Add(clause.where_code);
      statements.push_back(clause.statement);
    }
    std::sort(statements.begin(), statements.end());
    statements.erase(std::unique(statements.begin(), statements.end()), statements.end());
    for (uint32_t s : statements) sum.AddStatement(program->statements[s]);
    program->index[at].cost = sum.total();
  }
}

}  // namespace dpl
