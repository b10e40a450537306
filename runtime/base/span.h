// A place in a source text: file id, byte range, and the lines and columns people read.
#pragma once

#include <cstdint>

namespace dpl {

// Bytes [begin, end) of file `file`. Lines and columns are 1-based, columns count code points;
// `end_line`/`end_column` name the place just after the last byte. All zero: no place.
struct Span {
  uint32_t file = 0;
  uint32_t begin = 0;
  uint32_t end = 0;
  uint32_t line = 0;
  uint32_t column = 0;
  uint32_t end_line = 0;
  uint32_t end_column = 0;

  bool known() const { return line != 0; }
  friend bool operator==(const Span&, const Span&) = default;
};

}  // namespace dpl
