// The listing of one code back to words: the other direction of DisassembleCode.
//
//   Result<Assembled> code = Assemble("0 LoadPerson\n1 IsKnown\n2 Return\n");
//
// One instruction per line: an optional address (checked), the opcode's name, its operands as
// numbers. What stands after
// `;` is a comment. A first line `code N: stack S, locals L, cost C` may give those numbers;
// without it stack and locals are 0. Nothing is proven here. Error code "assemble", with the line.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "runtime/base/result.h"

namespace dpl {

struct Assembled {
  std::vector<uint32_t> words;
  uint16_t max_stack = 0, locals = 0;
  uint32_t cost = 0;  // as said in the first line, else StaticCost of the words
};

Result<Assembled> Assemble(std::string_view text);

}  // namespace dpl
