// See lock_count.h. What the C library locks inside itself (its heap) does not come by here; the
// heap is counted on its own.
#include "tests/unit/api/lock_count.h"

#include <dlfcn.h>
#include <pthread.h>

namespace {

thread_local dpl::LocksForTest taken;

}  // namespace

#if !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__)
namespace {

template <class Lock>
int Forward(const char* name, Lock* lock) {
  using Function = int (*)(Lock*);
  return reinterpret_cast<Function>(dlsym(RTLD_NEXT, name))(lock);
}

}  // namespace

extern "C" int pthread_mutex_lock(pthread_mutex_t* mutex) noexcept {
  ++taken.mutexes;
  return Forward("pthread_mutex_lock", mutex);
}
extern "C" int pthread_mutex_trylock(pthread_mutex_t* mutex) noexcept {
  ++taken.mutexes;
  return Forward("pthread_mutex_trylock", mutex);
}
extern "C" int pthread_rwlock_wrlock(pthread_rwlock_t* lock) noexcept {
  ++taken.mutexes;
  return Forward("pthread_rwlock_wrlock", lock);
}
extern "C" int pthread_rwlock_rdlock(pthread_rwlock_t* lock) noexcept {
  ++taken.read_locks;
  return Forward("pthread_rwlock_rdlock", lock);
}
#endif

namespace dpl {

LocksForTest LocksTakenForTest() { return taken; }

}  // namespace dpl
