// Runs mutants and reports them; see mutate.h. What is changed is found by mutations.cc.
#include "compiler/testing/mutate.h"

#include <algorithm>
#include <utility>

#include "compiler/lower/lower.h"
#include "compiler/testing/coverage.h"
#include "compiler/testing/decl_clauses.h"
#include "compiler/testing/run.h"
#include "runtime/base/text.h"

namespace dpl::testing {
namespace {

struct Rebuilt {
  std::shared_ptr<const Program> program;  // null: refused
  std::string code;                        // of the first error
  std::vector<const ast::TestDecl*> tests;
  std::vector<uint32_t> packages;
};

// Checks and lowers the trees as they stand now.
Rebuilt Rebuild(const Compilation& c) {
  Rebuilt out;
  DiagnosticSink sink;
  check::Model model;
  bool ok = check::Check(c.files, c.sources, {}, &sink, &model) && !sink.HasErrors();
  if (!ok) {
    for (const Diagnostic& d : sink.Sorted()) {
      if (d.severity != Severity::Error) continue;
      out.code = CodeText(d.code);
      break;
    }
    return out;
  }
  out.tests = model.tests;
  out.packages = model.test_packages;
  out.program = std::make_shared<const Program>(lower::Lower(std::move(model), c.sources));
  return out;
}

// Which tests looked at which statement, by name: those are asked first.
struct Footprints {
  std::vector<std::vector<std::string>> statements;  // by test
  bool Concerns(size_t test, const std::string& statement) const {
    return test < statements.size() &&
           std::binary_search(statements[test].begin(), statements[test].end(), statement);
  }
};

Footprints Watch(Compilation* c, const MutationOptions& options, Clock* clock) {
  Coverage coverage(c);
  Footprints out;
  out.statements.resize(c->tests.size());
  TestOptions run;
  run.filter = options.filter;
  run.observer = &coverage;
  run.on_decision = [&](const Decided& d) {
    coverage.OnDecision(*d.decision);
    std::vector<bool> touched = coverage.TakeTouched();
    for (size_t s = 0; s < touched.size(); ++s) {
      if (!touched[s]) continue;
      out.statements[d.test].emplace_back(
          coverage.program()->Text(coverage.program()->statements[s].name));
    }
  };
  RunTests(coverage.program(), c->tests, c->test_packages, c->sources, run, clock);
  for (std::vector<std::string>& names : out.statements) {
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
  }
  return out;
}

Mutant Try(const Compilation& c, const Mutation& mutation, const Footprints& footprints,
           const std::array<uint8_t, 32>& original, const MutationOptions& options, Clock* clock) {
  Mutant out;
  out.mutation = &mutation;
  if (!mutation.equivalent.empty()) {
    out.fate = Fate::kEquivalent;
    out.by = mutation.equivalent;
    return out;
  }
  mutation.apply();
  Rebuilt built = Rebuild(c);
  auto undo = mutation.undo;
  bool named = built.code == "DPL0201" || built.code == "DPL0709";
  if (built.program == nullptr && named && mutation.apply_named) {
    // Refused only because something names it: that shows nothing of what it does.
    mutation.undo();
    mutation.apply_named();
    undo = mutation.undo_named;
    built = Rebuild(c);
  }
  if (built.program == nullptr) {
    out.fate = Fate::kRefused;
    out.by = built.code;
  } else if (built.program->digest == original) {
    out.fate = Fate::kEquivalent;
    out.by = "it compiles to the same program";
  } else {
    for (bool first : {true, false}) {
      TestOptions run;
      run.filter = options.filter;
      run.fail_fast = true;
      run.wanted = [&](size_t test) {
        return footprints.Concerns(test, mutation.statement) == first;
      };
      TestRun result = RunTests(built.program, built.tests, built.packages, c.sources, run, clock);
      if (result.failed == 0) continue;
      out.fate = Fate::kNoticed;
      out.by = result.results.back().package + ": " + result.results.back().name;
      break;
    }
  }
  undo();
  return out;
}

// `most` of `all`, ascending; the same ones each time. Drawn, not every n-th: statements that look
// alike have their clauses in the same order, and every n-th would be the same clause each time.
std::vector<size_t> Choose(size_t all, size_t most) {
  std::vector<size_t> out(all);
  for (size_t i = 0; i < all; ++i) out[i] = i;
  if (most >= all) return out;
  uint64_t state = 88172645463325252u;
  for (size_t i = 0; i < most; ++i) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    std::swap(out[i], out[i + state % (all - i)]);
  }
  out.resize(most);
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace

std::string_view FateName(Fate fate) {
  static constexpr std::string_view kNames[] = {"noticed", "refused", "equivalent", "survived"};
  return kNames[static_cast<size_t>(fate)];
}

size_t MutationRun::Count(Fate fate) const {
  return static_cast<size_t>(std::count_if(mutants.begin(), mutants.end(),
                                           [&](const Mutant& m) { return m.fate == fate; }));
}

MutationRun RunMutations(Compilation* c, const std::vector<Mutation>& mutations,
                         const MutationOptions& options, Clock* clock) {
  MutationRun run;
  run.found = mutations.size();
  Footprints footprints = Watch(c, options, clock);
  std::array<uint8_t, 32> original = c->program->digest;
  std::vector<size_t> chosen = Choose(mutations.size(), options.most);
  size_t most = chosen.size();
  for (size_t i = 0; i < most; ++i) {
    const Mutation& mutation = mutations[chosen[i]];
    run.mutants.push_back(Try(*c, mutation, footprints, original, options, clock));
    if (options.on_progress) options.on_progress(i + 1, most, run.mutants.back());
  }
  return run;
}

std::string MutationText(const MutationRun& run, const SourceSet& sources, bool color, bool all) {
  std::string out;
  for (const Mutant& m : run.mutants) {
    std::string line = PlaceOf(sources, m.mutation->span) + ": " + m.mutation->what;
    switch (m.fate) {
      case Fate::kSurvived:
        out += std::string(color ? "\033[31mSURVIVED\033[0m " : "SURVIVED ") + line + "\n  " +
               m.mutation->hint + "\n";
        break;
      case Fate::kNoticed:
        if (all) out += "noticed  " + line + "\n  by " + m.by + "\n";
        break;
      case Fate::kRefused:
        if (all) out += "refused  " + line + "\n  by the checker: " + m.by + "\n";
        break;
      case Fate::kEquivalent:
        if (all) out += "same     " + line + "\n  " + m.by + "\n";
        break;
    }
  }
  auto count = [&](Fate fate) { return std::to_string(run.Count(fate)); };
  out += "mutants: " + std::to_string(run.mutants.size());
  if (run.found != run.mutants.size()) out += " of " + std::to_string(run.found);
  out += " tried, " + count(Fate::kNoticed) + " noticed by a test, " + count(Fate::kRefused) +
         " refused by the checker, " + count(Fate::kEquivalent) + " without effect, " +
         count(Fate::kSurvived) + " survived\n";
  return out;
}

std::string MutationJson(const MutationRun& run, const SourceSet& sources) {
  std::string out = "{\"found\":" + std::to_string(run.found) +
                    ",\"tried\":" + std::to_string(run.mutants.size());
  for (Fate fate : {Fate::kNoticed, Fate::kRefused, Fate::kEquivalent, Fate::kSurvived})
    out += ",\"" + std::string(FateName(fate)) + "\":" + std::to_string(run.Count(fate));
  out += ",\"mutants\":[";
  bool first = true;
  for (const Mutant& m : run.mutants) {
    out += first ? "\n{" : ",\n{";
    first = false;
    const SourceFile* file = sources.Find(m.mutation->span.file);
    auto text = [&](const char* name, std::string_view value) {
      out += std::string("\"") + name + "\":";
      AppendJsonString(&out, value);
      out += ",";
    };
    text("fate", FateName(m.fate));
    text("kind", m.mutation->kind);
    text("statement", m.mutation->statement);
    text("what", m.mutation->what);
    text("path", file == nullptr ? "" : file->path());
    if (!m.by.empty()) text("by", m.by);
    if (m.fate == Fate::kSurvived) text("hint", m.mutation->hint);
    out += "\"line\":" + std::to_string(m.mutation->span.line) +
           ",\"column\":" + std::to_string(m.mutation->span.column) + "}";
  }
  return out + "\n]}";
}

}  // namespace dpl::testing
