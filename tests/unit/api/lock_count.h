// How many locks the calling thread has asked the C library for: whoever links lock_count.cc has
// the program's pthread_mutex_lock, pthread_rwlock_rdlock and pthread_rwlock_wrlock replaced by
// ones that count. Under a sanitizer, which replaces them itself, nothing is counted.
#pragma once

#include <cstddef>

namespace dpl {

struct LocksForTest {
  size_t mutexes = 0;  // and write locks
  size_t read_locks = 0;
};
LocksForTest LocksTakenForTest();

}  // namespace dpl
