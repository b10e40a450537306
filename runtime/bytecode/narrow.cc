// See narrow.h.
#include "runtime/bytecode/narrow.h"

#include <algorithm>
#include <tuple>

namespace dpl {
namespace {

constexpr size_t kMaxPaths = 8;  // each costs a decision a look at one value

// One value of one pin of one clause.
struct Value {
  PinPath path;
  uint64_t value = 0;
  uint32_t clause = 0;
  uint64_t shared = 0;  // how many clauses have this value on this path
};

// The path that each clause is best found by: pairs of path and clause, by both.
std::vector<std::pair<PinPath, uint32_t>> Choose(
    std::span<const uint32_t> clauses, const std::function<const Pins&(uint32_t)>& pins_of) {
  std::vector<Value> values;
  for (uint32_t clause : clauses) {
    for (const Pin& pin : pins_of(clause)) {
      for (uint64_t value : pin.values) values.push_back({pin.path, value, clause, 0});
    }
  }
  std::sort(values.begin(), values.end(), [](const Value& a, const Value& b) {
    return std::tie(a.path, a.value, a.clause) < std::tie(b.path, b.value, b.clause);
  });
  for (size_t i = 0; i < values.size();) {
    size_t end = i;
    while (end < values.size() && values[end].path == values[i].path &&
           values[end].value == values[i].value)
      ++end;
    for (size_t k = i; k < end; ++k) values[k].shared = end - i;
    i = end;
  }
  std::sort(values.begin(), values.end(), [](const Value& a, const Value& b) {
    return std::tie(a.clause, a.path) < std::tie(b.clause, b.path);
  });
  std::vector<std::pair<PinPath, uint32_t>> chosen;
  for (size_t i = 0; i < values.size();) {
    const uint32_t clause = values[i].clause;
    uint64_t least = UINT64_MAX;
    PinPath best;
    while (i < values.size() && values[i].clause == clause) {
      const PinPath path = values[i].path;
      uint64_t tried = 0;
      for (; i < values.size() && values[i].clause == clause && values[i].path == path; ++i)
        tried += values[i].shared;
      if (tried >= least) continue;
      least = tried;
      best = path;
    }
    chosen.emplace_back(best, clause);
  }
  std::sort(chosen.begin(), chosen.end());
  return chosen;
}

void AddPath(Narrowing* out, PinPath path, std::vector<uint32_t> clauses,
             const std::function<const Pins&(uint32_t)>& pins_of) {
  std::vector<std::pair<uint64_t, uint32_t>> values;
  for (uint32_t clause : clauses) {
    for (const Pin& pin : pins_of(clause)) {
      if (pin.path != path) continue;
      for (uint64_t value : pin.values) values.emplace_back(value, clause);
    }
  }
  std::sort(values.begin(), values.end());
  auto add = [&](auto from, auto to, auto clause_of) {
    Narrowing::Range range{static_cast<uint32_t>(out->clauses.size()), 0};
    for (; from != to; ++from) out->clauses.push_back(clause_of(*from));
    range.count = static_cast<uint32_t>(out->clauses.size()) - range.first;
    return range;
  };
  Narrowing::Path p;
  p.path = path;
  p.first_cell = static_cast<uint32_t>(out->cells.size());
  size_t distinct = 0;
  for (size_t i = 0; i < values.size(); ++i)
    distinct += i == 0 || values[i].first != values[i - 1].first ? 1 : 0;
  uint32_t size = 2;
  while (size < 2 * distinct) size *= 2;
  p.mask = size - 1;
  out->cells.resize(out->cells.size() + size);
  for (auto at = values.begin(); at != values.end();) {
    auto end = std::find_if(at, values.end(), [&](const auto& v) { return v.first != at->first; });
    uint64_t slot = at->first;
    while (out->cells[p.first_cell + (slot & p.mask)].clauses.count != 0) ++slot;
    out->cells[p.first_cell + (slot & p.mask)] = {
        at->first, add(at, end, [](const auto& v) { return v.second; })};
    at = end;
  }
  p.all = add(clauses.begin(), clauses.end(), [](uint32_t clause) { return clause; });
  out->paths.push_back(p);
}

}  // namespace

std::optional<Narrowing> Narrow(std::span<const uint32_t> clauses,
                                const std::function<const Pins&(uint32_t)>& pins_of,
                                uint32_t least) {
  const std::vector<std::pair<PinPath, uint32_t>> chosen = Choose(clauses, pins_of);
  struct Candidate {
    size_t first, count;
  };
  std::vector<Candidate> candidates;
  for (size_t i = 0; i < chosen.size();) {
    size_t end = i;
    while (end < chosen.size() && chosen[end].first == chosen[i].first) ++end;
    if (end - i >= least) candidates.push_back({i, end - i});
    i = end;
  }
  std::stable_sort(candidates.begin(), candidates.end(),
                   [](const Candidate& a, const Candidate& b) { return a.count > b.count; });
  if (candidates.size() > kMaxPaths) candidates.resize(kMaxPaths);
  if (candidates.empty()) return std::nullopt;

  Narrowing out;
  std::vector<uint32_t> found;
  for (const Candidate& c : candidates) {
    std::vector<uint32_t> of_path;
    for (size_t i = c.first; i < c.first + c.count; ++i) of_path.push_back(chosen[i].second);
    found.insert(found.end(), of_path.begin(), of_path.end());
    AddPath(&out, chosen[c.first].first, std::move(of_path), pins_of);
  }
  std::sort(found.begin(), found.end());
  out.rest.first = static_cast<uint32_t>(out.clauses.size());
  for (uint32_t clause : clauses) {
    if (!std::binary_search(found.begin(), found.end(), clause)) out.clauses.push_back(clause);
  }
  out.rest.count = static_cast<uint32_t>(out.clauses.size()) - out.rest.first;
  return out;
}

}  // namespace dpl
