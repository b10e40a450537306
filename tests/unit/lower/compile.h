// From policy text to a program, for the tests of lowering.
#pragma once

#include <string>
#include <vector>

#include "runtime/bytecode/program.h"

namespace dpl {

struct PolicyFile {
  std::string path;
  std::string text;
};

// Parses, checks and lowers; the test fails, with the diagnostics, when anything is an error. The
// program is verified.
Program Compile(const std::vector<PolicyFile>& files);
Program Compile(const std::string& text);

}  // namespace dpl
