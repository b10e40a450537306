// From paths to a Program: load, parse, check, lower. What every dplc command and every test that
// needs a policy calls.
//
//   Compilation c;
//   if (Status s = LoadSources({"policies/quickstart"}, &c.sources); !s.ok()) …   // a path that
//   cannot be read bool ok = Compile({}, &c); // diagnostics are in c.sink
//
// A folder stands for every .dpl file below it (in path order), "-" for standard input. A file that
// imports a package nobody gave brings in the .dpl files beside it that declare this package.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "compiler/ast/nodes.h"
#include "compiler/check/check.h"
#include "compiler/diag/sink.h"
#include "compiler/source/phase_times.h"
#include "compiler/source/source_file.h"
#include "runtime/base/result.h"
#include "runtime/bytecode/program.h"

namespace dpl::testing {

struct Compilation {
  // Wishes, set before compiling:
  unsigned jobs = 0;            // threads that parse; 0: as many as the machine has cores
  bool keep_bundle = false;     // fill `bundle`
  bool digest = true;           // of the program; without it nothing needs its bytes
  PhaseTimes* times = nullptr;  // what each phase cost

  SourceSet sources;
  DiagnosticSink sink;
  std::vector<std::unique_ptr<ast::File>> files;  // by source: what could be read of it
  std::vector<DiagnosticSink> syntax;             // by source: what its parser had to say
  size_t parsed = 0;                              // how many of them were parsed here
  check::Model model;                             // its schema moves into `program`
  std::shared_ptr<const Program> program;         // null unless everything was right
  std::string bundle;                             // the program's bytes, when wished for
  std::vector<const ast::TestDecl*> tests;
  std::vector<uint32_t> test_packages;
};

// Error code "path": nothing there, not readable, or a folder without .dpl files.
Status LoadSources(const std::vector<std::string>& paths, SourceSet* sources);

// Parses the sources, and brings in what they import. Where a file has not changed since `last`
// (same place, path and text) its tree is taken over from there instead. Checking writes into
// trees, so `last` must not have been checked.
void ParseSources(Compilation* c, Compilation* last = nullptr);

// Parses (unless ParseSources did), checks and lowers. False when the sink holds an error;
// `program` is set exactly when true.
bool Compile(const check::CheckOptions& options, Compilation* c);
// The two halves of it: parses (unless ParseSources did) and checks …
bool CheckOnly(const check::CheckOptions& options, Compilation* c);
// … and, once that has given true, lowers what was checked and proves that a server would take it.
bool LowerChecked(Compilation* c);

// The whole of a file, or of standard input for "-". Error code "path".
Result<std::string> ReadFile(const std::string& path);

}  // namespace dpl::testing
