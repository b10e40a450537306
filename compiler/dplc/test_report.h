// How a test run is written: lines for people, JUnit XML, JSON.
#pragma once

#include <string>
#include <string_view>

#include "compiler/testing/compile.h"
#include "compiler/testing/run.h"

namespace dpl::dplc {

// "ok    acme.shop: each and per day (0.3 ms)", or FAILED with each failure's line and rationale.
void PrintResult(const testing::Compilation& c, const testing::TestResult& r, bool color,
                 bool quiet);
std::string JUnitOf(const testing::Compilation& c, const testing::TestRun& run);
// `more`: further members, each with a comma before it.
std::string JsonOf(const testing::Compilation& c, const testing::TestRun& run,
                   std::string_view more);
std::string Millis(int64_t us);

}  // namespace dpl::dplc
