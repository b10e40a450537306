// Reads the second level of the index (runtime/bytecode/narrow.h) for one request. Inside the room
// only.
#pragma once

#include "runtime/decide/fold.h"

namespace dpl {

// What of `narrowing` the request's values do not rule out: a few ranges of its clauses, some
// clauses perhaps twice. False: no room for more; then every clause is to be tried.
struct NarrowedRanges {
  static constexpr int kMost = 96;
  std::span<const uint32_t> ranges[kMost];
  int count = 0;
  bool Add(std::span<const uint32_t> range) {
    if (range.empty()) return true;
    if (count == kMost) return false;
    ranges[count++] = range;
    return true;
  }
};
bool ReadNarrowing(Fold& f, const Narrowing& narrowing, NarrowedRanges* out);

}  // namespace dpl
