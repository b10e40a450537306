// The second level of the index: among clauses that share a key, type and action, those that a
// value of the request does not rule out by their pins (pins.h).
//
//   std::optional<Narrowing> n = Narrow(clauses, pins_of, least);   // once, when the index is made
//
// Each clause stands on one path, the one of its pins whose values the fewest others share; a path
// has a cell for each of the values. A reader reads each path once: with a usable value it takes
// the cell (of a set: each element's), without one the whole path; and the rest always. What it
// takes is more than what matches, never less (docs/bytecode.md, "The index").
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "runtime/bytecode/pins.h"

namespace dpl {

struct Narrowing {
  struct Range {
    uint32_t first = 0, count = 0;  // of `clauses`
  };
  struct Cell {
    uint64_t value = 0;
    Range clauses;  // none: the cell is free
  };
  struct Path {
    PinPath path;
    uint32_t first_cell = 0, mask = 0;  // a table of mask + 1 cells, at most half full
    Range all;
  };
  std::vector<Path> paths;
  std::vector<Cell> cells;
  std::vector<uint32_t> clauses;  // ascending within a range
  Range rest;

  std::span<const uint32_t> Of(Range range) const {
    return {clauses.data() + range.first, range.count};
  }
  std::span<const uint32_t> Find(const Path& path, uint64_t value) const {
    for (uint64_t at = value;; ++at) {
      const Cell& cell = cells[path.first_cell + (at & path.mask)];
      if (cell.clauses.count == 0) return {};
      if (cell.value == value) return Of(cell.clauses);
    }
  }
};

// From how many clauses with one key a second level is made.
constexpr uint32_t kNarrowFrom = 8;

// Null when a path with at least `least` clauses is not to be had.
std::optional<Narrowing> Narrow(std::span<const uint32_t> clauses,
                                const std::function<const Pins&(uint32_t)>& pins_of,
                                uint32_t least);

}  // namespace dpl
