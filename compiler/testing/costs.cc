// Sums of static costs, per statement and per index entry.
#include "compiler/testing/costs.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "runtime/json/json_writer.h"
#include "runtime/vm/machine.h"

namespace dpl::testing {
namespace {

class Costs {
 public:
  explicit Costs(const Program& program) : program_(program) {}

  uint64_t Code(uint32_t code) const { return code == kNone ? 0 : program_.codes[code].cost; }
  uint64_t Clause(const dpl::Clause& clause) const {
    return Code(clause.subject_code) + Code(clause.scope_code) + Code(clause.where_code);
  }
  // What a statement costs beside its clauses.
  uint64_t Rest(const dpl::Statement& statement) const {
    uint64_t sum = 0;
    for (uint32_t i : statement.limits) {
      const Limit& limit = program_.limits[i];
      sum += Code(limit.cap_code);
      for (const LimitKeyPart& part : limit.keys) sum += Code(part.code);
      for (const LimitTier& tier : limit.tiers) sum += Code(tier.up_to_code);
    }
    if (statement.kind == StatementKind::kForbid)
      sum += Code(program_.forbids[statement.detail].unless_code);
    if (statement.kind == StatementKind::kDelegation)
      sum += Code(program_.delegations[statement.detail].from_code);
    return sum;
  }

 private:
  const Program& program_;
};

std::string NameOf(const Program& program, const dpl::Statement& statement) {
  return std::string(program.Text(statement.name));
}

}  // namespace

static_assert(kStepBudget == static_cast<uint64_t>(Env().steps_left));

CostReport CostsOf(const Program& program) {
  CostReport report;
  Costs costs(program);
  std::vector<uint64_t> of_statement(program.statements.size(), 0);
  for (uint32_t s = 0; s < program.statements.size(); ++s)
    of_statement[s] = costs.Rest(program.statements[s]);
  for (const Clause& clause : program.clauses)
    of_statement[clause.statement] += costs.Clause(clause);
  for (uint32_t s = 0; s < program.statements.size(); ++s) {
    report.statements.push_back(
        {NameOf(program, program.statements[s]), of_statement[s], program.statements[s].span});
  }
  for (uint32_t t = 0; t < program.schema.resources.size(); ++t) {
    const ResourceDef& resource = program.schema.resources[t];
    for (uint32_t a = 0; a < resource.actions.size(); ++a) {
      const IndexEntry& index = program.EntryOf(t, a);
      CostReport::Entry entry;
      entry.type = program.Text(resource.name);
      entry.action = program.Text(resource.actions[a].name);
      entry.steps = index.cost;
      std::map<SubjectKey, std::pair<uint64_t, std::vector<uint32_t>>> by_key;
      for (const auto& items : index.items) {
        for (const IndexEntry::Item& item : items) {
          const Clause& clause = program.clauses[item.clause];
          auto& [sum, clauses] = by_key[item.key];
          sum += costs.Clause(clause) + costs.Rest(program.statements[clause.statement]);
          clauses.push_back(item.clause);
        }
      }
      std::vector<uint32_t> tried;
      for (const auto& [key, sum] : by_key) {
        if (key.kind == KeyKind::kAny) {
          entry.always = sum.first;
          tried.insert(tried.end(), sum.second.begin(), sum.second.end());
        } else {
          entry.key = std::max(entry.key, sum.first);
        }
      }
      for (const auto& [key, sum] : by_key) {
        if (key.kind == KeyKind::kAny || sum.first != entry.key) continue;
        tried.insert(tried.end(), sum.second.begin(), sum.second.end());
        break;
      }
      std::stable_sort(tried.begin(), tried.end(), [&](uint32_t x, uint32_t y) {
        return costs.Clause(program.clauses[x]) > costs.Clause(program.clauses[y]);
      });
      if (tried.size() > 3) tried.resize(3);
      entry.clauses = std::move(tried);
      report.entries.push_back(std::move(entry));
    }
  }
  std::stable_sort(report.statements.begin(), report.statements.end(),
                   [](const auto& a, const auto& b) {
                     return std::tuple(b.steps, a.name) < std::tuple(a.steps, b.name);
                   });
  std::stable_sort(report.entries.begin(), report.entries.end(), [](const auto& a, const auto& b) {
    return std::tuple(b.steps, a.type, a.action) < std::tuple(a.steps, b.type, b.action);
  });
  return report;
}

bool CheckCosts(const Program& program, const SourceSet& sources, DiagnosticSink* sink) {
  // Spans of a program name its own sources; messages want those of the compilation.
  std::map<std::string, uint32_t> ids;
  for (uint32_t id = 0; id < sources.size(); ++id) ids[sources[id].path()] = id;
  auto place = [&](Span span) {
    if (!span.known() || span.file >= program.sources.size()) return Span{};
    auto id = ids.find(program.sources[span.file].path);
    if (id == ids.end()) return Span{};
    span.file = id->second;
    return span;
  };
  bool fits = std::all_of(program.index.begin(), program.index.end(),
                          [](const IndexEntry& entry) { return entry.cost <= kStepBudget; });
  if (fits) return true;
  CostReport report = CostsOf(program);
  Costs costs(program);
  bool ok = true;
  for (const CostReport::Entry& entry : report.entries) {
    uint64_t steps = entry.always + entry.key;
    if (steps <= kStepBudget || entry.clauses.empty()) continue;
    ok = false;
    const Clause& first = program.clauses[entry.clauses[0]];
    DiagnosticRef diagnostic = sink->Report(DPL0901, place(first.span),
                                            {"`" + entry.action + "` on `" + entry.type + "`",
                                             std::to_string(steps), std::to_string(kStepBudget)});
    for (uint32_t c : entry.clauses) {
      diagnostic.Label(place(program.clauses[c].span),
                       std::to_string(costs.Clause(program.clauses[c])) + " of them are here");
    }
    diagnostic.Help(
        "shorten the sets that conditions go through, or ask for a role or a team, which is found "
        "without trying; `dplc check --costs` lists what costs what");
  }
  return ok;
}

std::string CostsText(const CostReport& report) {
  auto right = [](uint64_t number, size_t width) {
    std::string text = std::to_string(number);
    return text.size() < width ? std::string(width - text.size(), ' ') + text : text;
  };
  std::string out = "steps a decision may take at most (the machine stops at " +
                    std::to_string(kStepBudget) + ")\n\n     all  always     key  action\n";
  for (const CostReport::Entry& entry : report.entries) {
    out += right(entry.steps, 8) + right(entry.always, 8) + right(entry.key, 8) + "  " +
           entry.action + " on " + entry.type + "\n";
  }
  out += "\n   steps  statement\n";
  for (const CostReport::Statement& statement : report.statements)
    out += right(statement.steps, 8) + "  " + statement.name + "\n";
  return out;
}

std::string CostsJson(const CostReport& report) {
  std::string out;
  JsonWriter w(&out, 2);
  w.BeginObject();
  w.Key("budget").Uint(kStepBudget);
  w.Key("entries").BeginArray();
  for (const CostReport::Entry& entry : report.entries) {
    w.BeginObject().Member("type", entry.type).Member("action", entry.action);
    w.Key("steps").Uint(entry.steps);
    w.Key("always").Uint(entry.always);
    w.Key("key").Uint(entry.key);
    w.EndObject();
  }
  w.EndArray().Key("statements").BeginArray();
  for (const CostReport::Statement& statement : report.statements) {
    w.BeginObject().Member("name", statement.name);
    w.Key("steps").Uint(statement.steps);
    w.EndObject();
  }
  w.EndArray().EndObject();
  return out + "\n";
}

}  // namespace dpl::testing
