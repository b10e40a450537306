// Boundary tests for every limit, proposed as DPL that compiles and passes as printed: below, at
// and above the cap and each tier; the last unit of a budget; the last second of a window and the
// first of the next.
//
// The world comes from the tests that are there: a `when` at which the limit was checked gives its
// `at`, its `given` and its actor; only the amount changes. What each row should say follows from
// the limit; every proposal is then run, and where the engine answers otherwise (a tighter limit,
// say), the row says what it answers and why. A limit that no test reaches gets a comment instead.
#pragma once

#include <string>
#include <vector>

#include "compiler/testing/compile.h"
#include "runtime/base/clock.h"

namespace dpl::testing {

struct Proposal {
  std::string limit;   // "acme.spend.band_one.amount"
  std::string clause;  // as written
  std::string file;    // where its block belongs: the file of the test whose world it borrows
  Span span;           // of the limit
  std::string text;    // a `test` block, or comments that say why there is none
  bool built = false;
};

// The compilation must have a program. In source order.
std::vector<Proposal> ProposeBoundaries(const Compilation& c, Clock* clock);

}  // namespace dpl::testing
