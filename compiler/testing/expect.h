// A decision held against what a test's `expect` says of it.
//
//   Expectation expectation(*program, decision);
//   std::string wrong = expectation.Difference(outcome);   // empty: as expected
//
// Borrows both. Names in a test may be short: `acme.spend.band_one` is met by `band_one`.
#pragma once

#include <string>
#include <vector>

#include "compiler/ast/nodes.h"
#include "runtime/bytecode/program.h"
#include "runtime/decide/engine.h"

namespace dpl::testing {

class Expectation {
 public:
  Expectation(const Program& program, const Decision& decision)
      : program_(program), decision_(decision) {}

  // `permit by band_one must record`, as one would write it. `want` is no column of a table.
  static std::string Describe(const ast::Outcome& want);
  // Is it the outcome that was meant: permit, deny with its reason, ask with its approval?
  bool IsKind(const ast::Outcome& want) const;
  // "got deny limit.exceeded", "no limit binds, `x` had no part in it", …
  std::string Difference(const ast::Outcome& want) const;

 private:
  std::string Actual() const;
  std::vector<std::string> Approvals() const;
  std::vector<std::string> Statements() const;  // that the outcome rests on
  std::string Binding() const;                  // name of the limit that binds; empty: none
  std::vector<std::string> Duties() const;
  bool HasDuty(const ast::Duty& want) const;
  bool Means(const ast::OwnerRef& want, const OwnerDef& have) const;

  const Program& program_;
  const Decision& decision_;
};

}  // namespace dpl::testing
