// What the commands share: colour, printing diagnostics, turning them into an exit code.
#pragma once

#include <string>
#include <string_view>

#include "compiler/dplc/commands.h"
#include "compiler/testing/compile.h"

namespace dpl::dplc {

inline constexpr std::string_view kVersion = "0.1.0";

// Whether to colour what goes to the stream (1 or 2): `--color`, else a terminal and no NO_COLOR.
bool UseColor(const std::string& choice, int stream);

// "dplc: PATH: no such file" on standard error; kUsage.
int UsageError(const Error& error);

// Prints the diagnostics of the compilation in the asked form (text to standard error, json and
// sarif to standard output) and says how the command should end: kFindings on an error, or on a
// warning with `strict`.
int Report(const CommonArgs& args, const testing::Compilation& c);

// Writes a file whole or not at all: beside the target, then renamed over it, so that nobody ever
// reads half of it. Follows links; keeps the permissions of what was there. "-" is
// standard output. Error code "path".
Status WriteWhole(const std::string& path, std::string_view bytes);

// What `--jobs` and `--timings` wish of a compilation: begins with reading the sources, and prints
// the table when it goes out of scope, to standard error.
class Timings {
 public:
  Timings(const CommonArgs& args, testing::Compilation* c);
  ~Timings();
  Timings(const Timings&) = delete;
  Timings& operator=(const Timings&) = delete;

 private:
  testing::Compilation* c_;
  PhaseTimes times_;
};

void Out(std::string_view text);  // standard output
void Err(std::string_view text);  // standard error

}  // namespace dpl::dplc
