// Mutation: does any test notice when a clause is dropped or loosened?
//
//   std::vector<Mutation> all = FindMutations(&compilation);
//   MutationRun run = RunMutations(&compilation, &all, options, &clock);
//
// Each mutant is the same trees with one clause changed, checked and lowered again and tried by the
// tests, those first that looked at the statement. A mutant that the checker refuses needs no test.
// What nothing could notice is not held against the tests, where that can be proven: the program
// comes out the same, or the checker said that the clause has no effect (DPL0313, DPL0413,
// DPL0503).
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/testing/compile.h"
#include "runtime/base/clock.h"

namespace dpl::testing {

struct Mutation {
  std::string kind;        // "drop-where", "raise-limit": stable, for machines
  std::string statement;   // qualified: "acme.spend.band_one"
  std::string what;        // "grant acme.spend.band_one without `where …`"
  std::string hint;        // the test that would notice
  std::string equivalent;  // not empty: why nothing could notice
  Span span;
  std::function<void()> apply, undo;  // on the trees of the compilation
  // To drop a statement whose name others use: the same effect with the name left. May be empty.
  std::function<void()> apply_named, undo_named;
};

// In source order. The compilation owns what they change.
std::vector<Mutation> FindMutations(Compilation* c);

enum class Fate : uint8_t { kNoticed, kRefused, kEquivalent, kSurvived };
std::string_view FateName(Fate fate);

struct Mutant {
  const Mutation* mutation = nullptr;
  Fate fate = Fate::kSurvived;
  std::string by;  // the test that noticed, the code that refused, or why it is equivalent
};
struct MutationRun {
  std::vector<Mutant> mutants;  // those tried, in source order
  size_t found = 0;             // before `most`
  size_t Count(Fate fate) const;
};
struct MutationOptions {
  std::string filter;  // of tests, as in run.h
  size_t most = 1000;  // when there are more, this many of them, drawn from all over
  std::function<void(size_t done, size_t all, const Mutant& last)> on_progress;  // may be empty
};

// The compilation must have a program whose (filtered) tests all pass.
MutationRun RunMutations(Compilation* c, const std::vector<Mutation>& mutations,
                         const MutationOptions& options, Clock* clock);

std::string MutationText(const MutationRun& run, const SourceSet& sources, bool color, bool all);
std::string MutationJson(const MutationRun& run, const SourceSet& sources);

}  // namespace dpl::testing
