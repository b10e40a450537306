// How many instructions something takes: counted one by one, so that the same work gives the same
// number on a busy machine as on an idle one.
//
//   std::optional<uint64_t> steps = StepsOf([&] { ParseJson(text, &arena); });
//
// It runs in a process of its own that is stepped through (ptrace), some hundred thousand steps a
// second: for small work only. Nothing of what it does is seen by the caller. Nothing: the kernel
// does not let us trace, or it did not end as it should.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

namespace dpl {

std::optional<uint64_t> StepsOf(const std::function<void()>& work);

}  // namespace dpl
