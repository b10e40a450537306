// The parts of the verifier and what they share. Internal to this room; the proof begins in
// verify.cc.
#pragma once

#include <span>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "runtime/base/result.h"
#include "runtime/bytecode/program.h"

// Refuses with a code and a message when the condition does not hold. Conditions come before
// whatever relies on them.
#define DPL_NEED(condition, code, ...)                                       \
  do {                                                                       \
    if (!(condition)) return ::dpl::Error{(code), fmt::format(__VA_ARGS__)}; \
  } while (false)

namespace dpl::verify {

// No span of time is longer than the years 1 to 9999.
constexpr int64_t kMaxSpanUs = 315'537'897'600 * int64_t{1'000'000};
inline bool IsSpanOfTime(int64_t us) { return us >= 0 && us <= kMaxSpanUs; }
constexpr uint32_t kMaxTypeDepth = 16;
constexpr size_t kMaxParams = 64;                // of one action or task
constexpr uint64_t kMaxIndexEntries = 1u << 18;  // actions of all resource types
constexpr uint64_t kMaxIndexItems = 1u << 22;    // clauses × actions × keys

// Where a code is run, and what must come out of it.
struct CodeUse {
  enum class Result : uint8_t { kTruth, kMeasure, kKey };
  uint32_t code = kNone;
  Result result = Result::kTruth;
  uint32_t type = kNone;    // the request's resource type; kNone: can be several
  uint32_t clause = kNone;  // whose actions the request can have; kNone: those of all clauses of …
  uint32_t statement = kNone;  // … this statement; kNone: any action of the schema
  // Whose parameters can be read: this task is open, or one of these.
  uint32_t task = kNone;
  const std::vector<uint32_t>* tasks = nullptr;
  std::span<const uint32_t> OpenTasks() const {
    if (tasks != nullptr) return *tasks;
    return {&task, task == kNone ? size_t{0} : size_t{1}};
  }
  TypeId measure = kNone;  // kMeasure: the type it must have; kNone: any that can be counted
  const std::vector<SubjectKey>* keys = nullptr;  // a subject code: they must cover it
  std::string what;                               // "clause 4 where": for messages
};

// What the proof has cost so far, so that a small bundle cannot ask for a long one.
class Work {
 public:
  explicit Work(const Program& program)
      : left_((uint64_t{1} << 22) + 256 * (program.code.size() + program.clauses.size())) {}
  bool Take(uint64_t steps) {  // stack slots, keys and parameters looked at
    if (steps > left_) return false;
    left_ -= steps;
    return true;
  }

 private:
  uint64_t left_;
};

// The type of the parameter of this name, the same in every action that `use` can meet; kNone when
// none has it.
Result<TypeId> ParamType(const Program& program, const CodeUse& use, Str name, Work* work);

Status Texts(const Program& program);
Status SchemaParts(const Program& program);
Status Constants(const Program& program);
// Whether the constant is a value of the type (or of what the optional type may hold).
bool ConstantFits(const Program& program, uint32_t constant, TypeId type);
Status Statements(const Program& program, std::vector<CodeUse>* uses);
Status Codes(const Program& program, const std::vector<CodeUse>& uses);

// False when the edges of a graph form a cycle. `edges(node)` gives a const std::vector<uint32_t>&
// of nodes below `count`.
template <class Edges>
bool IsAcyclic(size_t count, const Edges& edges) {
  enum : uint8_t { kNew, kOpen, kDone };
  std::vector<uint8_t> state(count, kNew);
  std::vector<std::pair<uint32_t, size_t>>
      path;  // node, next edge: a stack of our own, so that depth costs no stack
  for (uint32_t root = 0; root < count; ++root) {
    if (state[root] != kNew) continue;
    state[root] = kOpen;
    path.emplace_back(root, 0);
    while (!path.empty()) {
      auto& [node, next] = path.back();
      const std::vector<uint32_t>& out = edges(node);
      if (next == out.size()) {
        state[node] = kDone;
        path.pop_back();
        continue;
      }
      uint32_t to = out[next++];
      if (state[to] == kOpen) return false;
      if (state[to] == kNew) {
        state[to] = kOpen;
        path.emplace_back(to, 0);
      }
    }
  }
  return true;
}

}  // namespace dpl::verify
