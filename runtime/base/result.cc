// The end of a process that found its own invariant broken.
#include "runtime/base/result.h"

#include <cstdio>
#include <cstdlib>

namespace dpl {

void CheckFailed(const char* file, int line, const char* condition) {
  std::fprintf(stderr, "%s:%d: check failed: %s\n", file, line, condition);
  std::fflush(stderr);
  std::abort();
}

}  // namespace dpl
