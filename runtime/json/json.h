// JSON text to a tree of WireValues, refusing everything that two readers could take differently.
//
//   Arena arena;
//   Result<const WireValue*> root = ParseJson(body, &arena, JsonLimits{});
//   if (!root.ok()) return root.error();          // code, message, line, column
//
// Taken: RFC 8259, nothing more. Refused besides: a byte order mark, NUL bytes, invalid UTF-8 and
// lone surrogates (also escaped), a member named twice in one object (also by another spelling),
// anything after the value. Numbers are not converted: the exact digits stay as text.
//
// Errors: json.size, json.bom, json.nul, json.utf8, json.syntax, json.empty, json.trailing,
// json.escape, json.surrogate, json.number, json.depth, json.members, json.nodes, json.string,
// json.duplicate, json.memory.
//
// No recursion, no exceptions out, time linear in the text (members sort in n log n), and no heap
// beyond the arena once that is warm. Any thread, one arena per thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "runtime/base/arena.h"
#include "runtime/base/result.h"
#include "runtime/base/wire.h"

namespace dpl {

struct JsonLimits {
  size_t max_bytes = 64 * 1024;     // of the whole text
  uint32_t max_depth = 32;          // open objects and arrays at once
  uint32_t max_members = 1000;      // of one object
  uint32_t max_nodes = 20'000;      // values in all
  uint32_t max_string = 64 * 1024;  // bytes of one string, name or number, unescaped
  bool positions = true;            // fill line and column of every value (errors always have them)
};

// For files the operator supplies (facts): far larger, still bounded.
JsonLimits FileJsonLimits();

// The tree lives in `arena` and keeps no pointer into `text`.
Result<const WireValue*> ParseJson(std::string_view text, Arena* arena,
                                   const JsonLimits& limits = {});

}  // namespace dpl
