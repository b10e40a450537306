// How often this test program has asked the heap for memory.
#pragma once

#include <cstddef>

namespace dpl {

size_t HeapAllocationsForTest();

}  // namespace dpl
