// How many connections the process can hold, of those that the configuration allows: each takes a
// descriptor, and the state, the audit log and a reload need some, too. Connections that took the
// last one would have every decision denied for want of a log.
#pragma once

#include <cstddef>

namespace dpl {

struct Connections {
  size_t decide = 0;
  size_t operate = 0;
  size_t descriptors = 0;  // that the process may have open
  bool all = true;         // as many as were wanted
};

// Raises the soft limit to the hard one, and shares out what there is.
Connections FitToDescriptors(size_t decide, size_t operate);

}  // namespace dpl
