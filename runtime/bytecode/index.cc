// Where a decision looks first: per (resource type, action) and clause role, the clauses that could
// apply.
//
// The index is made from the clauses' own keys, never read from a bundle; the verifier proves that
// the keys cover whatever the subject code could say yes (or "cannot tell") to. Where many clauses
// share a key, a second level tells them apart by what their conditions say of values (narrow.h);
// it too is made here, from the code that was proven. Rule for readers of the index: a clause keyed
// by team or role is only found through memberships, so while the membership feed is unloaded or
// stale every item must be tried.
#include <algorithm>
#include <limits>
#include <optional>
#include <span>

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

// The pins of each clause, found when somebody first asks.
class AllPins {
 public:
  AllPins(const Program& program, bool subject)
      : program_(program), subject_(subject), pins_(program.clauses.size()) {}
  const Pins& Of(uint32_t clause) {
    if (pins_[clause]) return *pins_[clause];
    const Clause& whole = program_.clauses[clause];
    Clause beside_subject;
    beside_subject.statement = whole.statement;
    beside_subject.type = whole.type;
    beside_subject.scope_code = whole.scope_code;
    beside_subject.where_code = whole.where_code;
    pins_[clause] = PinsOf(program_, subject_ ? whole : beside_subject);
    return *pins_[clause];
  }

 private:
  const Program& program_;
  const bool subject_;
  std::vector<std::optional<Pins>> pins_;
};

uint32_t AddNarrowing(IndexEntry* entry, std::span<const uint32_t> clauses, AllPins* pins,
                      uint32_t from) {
  if (clauses.size() < from) return kNone;
  std::optional<Narrowing> narrowing = Narrow(
      clauses, [&](uint32_t clause) -> const Pins& { return pins->Of(clause); },
      std::min<uint32_t>(from, 4));
  if (!narrowing) return kNone;
  entry->narrowings.push_back(std::move(*narrowing));
  return static_cast<uint32_t>(entry->narrowings.size() - 1);
}

void AddRuns(IndexEntry* entry, AllPins* pins, uint32_t narrow_from) {
  std::vector<uint32_t> clauses;
  for (size_t role = 0; role < kClauseRoles; ++role) {
    const std::vector<IndexEntry::Item>& items = entry->items[role];
    for (uint32_t i = 0; i < items.size();) {
      clauses.clear();
      IndexEntry::Run run{items[i].key, i, 0, kNone};
      for (; i < items.size() && items[i].key == run.key; ++i) clauses.push_back(items[i].clause);
      run.count = static_cast<uint32_t>(clauses.size());
      run.narrowing = AddNarrowing(entry, clauses, pins, narrow_from);
      entry->runs[role].push_back(run);
    }
    entry->runs[role].shrink_to_fit();
  }
}

// The first of the grants in the order of the items, each once.
void FillNear(const Program& program, IndexEntry* entry, AllPins* pins, uint32_t narrow_from) {
  constexpr size_t kGrants = static_cast<size_t>(ClauseRole::kGrantMay);
  const std::vector<IndexEntry::Item>& items = entry->items[kGrants];
  IndexEntry::Near& near = entry->near;
  std::vector<uint32_t> seen;  // ascending
  auto find = [&](uint32_t clause) { return std::lower_bound(seen.begin(), seen.end(), clause); };
  for (const IndexEntry::Item& item : items) {
    if (seen.size() == kMaxNear) break;
    auto at = find(item.clause);
    if (at == seen.end() || *at != item.clause) seen.insert(at, item.clause);
  }
  auto by_statement = [&](uint32_t a, uint32_t b) {
    uint32_t x = program.clauses[a].statement, y = program.clauses[b].statement;
    return x != y ? x < y : a < b;
  };
  near.clauses = seen;
  std::sort(near.clauses.begin(), near.clauses.end(), by_statement);
  near.narrowing = AddNarrowing(entry, seen, pins, narrow_from);
  if (near.narrowing == kNone) return;
  for (const IndexEntry::Run& run : entry->runs[kGrants]) {
    Narrowing::Range range{static_cast<uint32_t>(near.by_run.size()), 0};
    for (uint32_t i = run.first; i < run.first + run.count; ++i) {
      auto at = find(items[i].clause);
      if (at != seen.end() && *at == items[i].clause) near.by_run.push_back(*at);
    }
    range.count = static_cast<uint32_t>(near.by_run.size()) - range.first;
    std::sort(near.by_run.begin() + range.first, near.by_run.end(), by_statement);
    near.runs.push_back(range);
  }
}

}  // namespace

// Ids of one kind mostly stand close together: where one would stand if they had no gaps is where
// it is looked for first, and from there on in steps that double.
const IndexEntry::Run* IndexEntry::FindRun(ClauseRole role, SubjectKey key) const {
  const std::vector<Run>& all = runs[static_cast<size_t>(role)];
  const Run *from = all.data(), *end = from + all.size();
  auto before = [&](const Run& run) { return run.key.Rank() < key.Rank(); };
  if (all.size() <= 16) {
    while (from != end && before(*from)) ++from;
    return from != end && from->key == key ? from : nullptr;
  }
  if (from->key.kind != end[-1].key.kind) {
    from = std::partition_point(from, end, [&](const Run& r) { return r.key.kind < key.kind; });
    end = std::partition_point(from, end, [&](const Run& r) { return r.key.kind == key.kind; });
    if (from == end) return nullptr;
  }
  // All of [from, end) is of one kind.
  const uint64_t first = from->key.id, last = end[-1].key.id;
  if (key.kind != from->key.kind || key.id < first || key.id > last) return nullptr;
  const auto count = static_cast<uint64_t>(end - from);
  const Run* at = from + (last == first ? 0 : (key.id - first) * (count - 1) / (last - first));
  if (at->key.id == key.id) return at;
  size_t step = 4;
  if (before(*at)) {
    while (static_cast<size_t>(end - at) > step && before(at[step])) at += step, step *= 2;
    from = at;
    end = static_cast<size_t>(end - at) > step ? at + step + 1 : end;
  } else {
    while (static_cast<size_t>(at - from) > step && !before(*(at - step))) at -= step, step *= 2;
    end = at + 1;
    from = static_cast<size_t>(at - from) > step ? at - step : from;
  }
  from = std::partition_point(from, end, before);
  return from != end && from->key == key ? from : nullptr;
}

const IndexEntry::Run* IndexEntry::FetchRun(ClauseRole role, SubjectKey key) const {
  const std::vector<Run>& all = runs[static_cast<size_t>(role)];
  if (all.size() < 2) return nullptr;
  const uint64_t first = all.front().key.Rank(), last = all.back().key.Rank();
  if (key.Rank() < first || key.Rank() > last || first >> 32 != last >> 32) return nullptr;
  return &all[(key.Rank() - first) * (all.size() - 1) / (last - first)];
}

void BuildIndex(Program* program, uint32_t narrow_from) {
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
  AllPins pins(*program, true);
  // A grant that the requester is not found by has a subject that is F; what else of it is F must
  // not be the same thing once more.
  AllPins pins_beside_subject(*program, false);
  for (uint32_t at = 0; at < base; ++at) {
    for (auto& items : program->index[at].items) {
      std::sort(items.begin(), items.end());
      items.erase(std::unique(items.begin(), items.end()), items.end());
      items.shrink_to_fit();
    }
    AddRuns(&program->index[at], &pins, narrow_from);
    FillNear(*program, &program->index[at], &pins_beside_subject, narrow_from);
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
  program->notes = NotesOf(*program);
}

}  // namespace dpl
