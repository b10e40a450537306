// Replaces the program's operator new by one that counts. In a file of its own, so that no caller
// sees through it.
#include "tests/heap/heap_count.h"

#include <cstdlib>
#include <new>

namespace {

thread_local size_t allocations = 0;

void* Counted(size_t size) {
  ++allocations;
  return std::malloc(size == 0 ? 1 : size);
}

}  // namespace

void* operator new(size_t size) {
  if (void* at = Counted(size)) return at;
  throw std::bad_alloc();
}
void* operator new(size_t size, const std::nothrow_t&) noexcept { return Counted(size); }
void operator delete(void* at) noexcept { std::free(at); }
void operator delete(void* at, size_t) noexcept { std::free(at); }

namespace dpl {

size_t HeapAllocationsForTest() { return allocations; }

}  // namespace dpl
