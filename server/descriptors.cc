// The limit of open files, raised and shared out.
#include "server/descriptors.h"

#include <algorithm>

#include <sys/resource.h>

namespace dpl {
namespace {

constexpr size_t kOwn = 256;      // for everything but connections
constexpr size_t kLeastOwn = 64;  // when there are few

}  // namespace

Connections FitToDescriptors(size_t decide, size_t operate) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return {decide, operate, 0, true};
  const rlim_t wanted = decide + operate + kOwn;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  getrlimit(RLIMIT_NOFILE, &limit);
  const size_t have = limit.rlim_cur;
  if (have >= wanted) return {decide, operate, have, true};
  const size_t free = have - std::min(have, std::clamp(have / 4, kLeastOwn, kOwn));
  const size_t for_operate = std::clamp<size_t>(free / 8, 1, operate);
  return {std::clamp<size_t>(free - std::min(free, for_operate), 1, decide), for_operate, have,
          false};
}

}  // namespace dpl
