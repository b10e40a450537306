// Mending rounds: check, choose, apply in memory, make sure, again; then write.
#include "compiler/dplc/fix.h"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "compiler/diag/apply.h"
#include "compiler/dplc/report.h"
#include "compiler/syntax/parse.h"
#include "compiler/testing/compile.h"

namespace dpl::dplc {
namespace {

constexpr int kRounds = 20;  // a mend may bring up the next one, but not for ever

size_t SyntaxErrors(const std::string& path, const std::string& text) {
  SourceFile source(0, path, text);
  DiagnosticSink sink;
  Parse(source, &sink);
  return sink.errors();
}

class Fixer {
 public:
  Fixer(const CheckArgs& args, const check::CheckOptions& options)
      : args_(args), options_(options) {}

  Status Run() {
    SourceSet given;
    if (Status s = testing::LoadSources(args_.common.paths, &given); !s.ok()) return s;
    for (uint32_t i = 0; i < given.size(); ++i) {
      if (given[i].path() == "-")
        return Error{"path", "--fix changes files: standard input cannot be mended"};
      drafts_.push_back({given[i].path(), given[i].text(), given[i].text()});
    }
    for (int round = 0; round < kRounds && Round(); ++round) {
    }
    for (const Draft& draft : drafts_) {
      if (draft.text == draft.original) continue;
      if (Status s = WriteWhole(draft.path, draft.text); !s.ok()) return s;
    }
    if (!args_.common.quiet) Err(said_);
    return Status::Ok();
  }

 private:
  struct Draft {
    std::string path, original, text;
  };

  // One check and what it offers. False: nothing (more) to do.
  bool Round() {
    testing::Compilation c;
    for (const Draft& draft : drafts_) c.sources.Add(draft.path, draft.text);
    testing::CheckOnly(options_, &c);
    std::vector<Diagnostic> diagnostics = c.sink.Sorted();
    std::erase_if(diagnostics, [&](const Diagnostic& d) { return !d.fix || !Ours(*d.fix); });
    std::vector<size_t> chosen = ChooseFixes(diagnostics);
    bool changed = false;
    for (uint32_t file = 0; file < drafts_.size(); ++file) {
      std::vector<size_t> here;
      for (size_t i : chosen) {
        if (diagnostics[i].fix->edits[0].span.file == file) here.push_back(i);
      }
      if (!here.empty()) changed |= Mend(c.sources[file], diagnostics, std::move(here));
    }
    return changed;
  }

  // Mends of one file each, a file that was named.
  bool Ours(const Fix& fix) const {
    return std::all_of(fix.edits.begin(), fix.edits.end(), [&](const Edit& edit) {
      return edit.span.known() && edit.span.file < drafts_.size() &&
             edit.span.file == fix.edits[0].span.file;
    });
  }

  // All of them at once if that is safe, else one by one.
  bool Mend(const SourceFile& file, const std::vector<Diagnostic>& diagnostics,
            std::vector<size_t> chosen) {
    Draft& draft = drafts_[file.id()];
    size_t before = SyntaxErrors(draft.path, draft.text);
    auto safe = [&](const std::string& text) {
      return text != draft.text && SyntaxErrors(draft.path, text) <= before;
    };
    std::string text = ApplyFixes(file, diagnostics, chosen);
    if (!safe(text)) {
      std::vector<size_t> good;
      for (size_t i : chosen) {
        good.push_back(i);
        if (!safe(ApplyFixes(file, diagnostics, good))) good.pop_back();
      }
      chosen = good;
      if (chosen.empty()) return false;
      text = ApplyFixes(file, diagnostics, chosen);
    }
    for (size_t i : chosen) {
      const Diagnostic& d = diagnostics[i];
      said_ += file.path() + ":" + std::to_string(d.span.line) + ":" +
               std::to_string(d.span.column) + ": fixed " + CodeText(d.code) + ": " +
               d.fix->description + "\n";
    }
    draft.text = std::move(text);
    return true;
  }

  const CheckArgs& args_;
  const check::CheckOptions& options_;
  std::vector<Draft> drafts_;
  std::string said_;
};

}  // namespace

Status FixFiles(const CheckArgs& args, const check::CheckOptions& options) {
  return Fixer(args, options).Run();
}

}  // namespace dpl::dplc
