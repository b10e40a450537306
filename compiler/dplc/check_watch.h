// dplc check --watch: checks, waits until a file changes, and checks again.
//
// Only files that changed are parsed again; what a check is about (names, types, owners, limits
// that disagree) can be touched by any file, so all of that is done again, over the kept trees.
#pragma once

#include <string>

#include "compiler/dplc/commands.h"
#include "compiler/testing/compile.h"

namespace dpl::dplc {

// Until Ctrl-C; then the exit code of the last check.
int WatchCheck(const CheckArgs& args);

// The check of sources that ParseSources has read (check.cc), which writes into their trees. Says
// what it found, then `done`, and only then makes the program, where little is left to be found.
int CheckParsed(const CheckArgs& args, testing::Compilation* c, const std::string& done);

}  // namespace dpl::dplc
