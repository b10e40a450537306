// Runs the `test` blocks of a policy set on the real engine: one state per test row, a clock that
// only the test moves.
//
//   TestRun run = RunTests(program, tests, packages, sources, options);
//   run.failed == 0
//
// Defaults, all overridable by `given`: persons that policy or facts name are active, agents are
// attested, a `when` without an instance is a fresh run, hand-offs of a `via` chain are recorded,
// an approver whom no `given` mentions is eligible.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "compiler/ast/nodes.h"
#include "compiler/source/source_file.h"
#include "runtime/base/clock.h"
#include "runtime/bytecode/program.h"
#include "runtime/decide/engine.h"

namespace dpl::testing {

struct TestFailure {
  Span span;                // the step that failed
  std::string message;      // expected against actual, one line
  std::string explanation;  // the decision's full rationale; may be empty
};
struct TestResult {
  std::string name;  // title, with the row's number for a table: `bands [row 2]`
  std::string package;
  std::string path;  // source file
  Span span;
  bool passed = false;
  uint32_t expectations = 0;
  int64_t duration_us = 0;
  std::vector<TestFailure> failures;
};
struct TestRun {
  std::vector<TestResult> results;
  uint32_t passed = 0, failed = 0;
};
// A `when` that was decided. Valid during the call.
struct Decided {
  size_t test = 0, row = 0;
  const ast::Step* when = nullptr;
  const Snapshot* snapshot = nullptr;
  const Request* request = nullptr;
  const Decision* decision = nullptr;
};
struct TestOptions {
  std::string filter;      // runs only tests whose `package: name` contains this text; empty: all
  bool fail_fast = false;  // stops after the first test (row) that fails
  std::function<bool(size_t test)> wanted;           // empty: every test that the filter takes
  std::function<void(const TestResult&)> on_result;  // progress; may be empty
  std::function<void(const Decided&)> on_decision;   // may be empty
  DecisionObserver* observer = nullptr;              // of every decision (coverage.h)
};

// Whether the filter takes this test.
bool Selected(const Program& program, const ast::TestDecl& test, uint32_t package,
              const std::string& filter);

// `tests` and `packages` are parallel (Model::tests, Model::test_packages). `clock` only times the
// run.
TestRun RunTests(std::shared_ptr<const Program> program,
                 const std::vector<const ast::TestDecl*>& tests,
                 const std::vector<uint32_t>& packages, const SourceSet& sources,
                 const TestOptions& options, Clock* clock);

}  // namespace dpl::testing
