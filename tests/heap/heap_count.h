// How often the calling thread has asked the heap for memory. Whoever links this has the program's
// operator new replaced by one that counts.
//
//   size_t before = HeapAllocationsForTest();
//   …
//   EXPECT_EQ(HeapAllocationsForTest(), before);
#pragma once

#include <cstddef>

namespace dpl {

size_t HeapAllocationsForTest();

}  // namespace dpl
