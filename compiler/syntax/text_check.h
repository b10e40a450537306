// What a text must satisfy before grammar comes into it: encoding, visible characters, readable
// literals. Codes DPL0001 to DPL0006. Internal to this room.
#pragma once

#include <cstddef>
#include <cstdint>

#include "compiler/diag/sink.h"
#include "compiler/source/source_file.h"

namespace dpl::syntax {

// Size, UTF-8, byte order mark, invisible and control characters. False when nothing further can be
// read.
bool CheckText(const SourceFile& source, DiagnosticSink* sink);

// A literal token whose shape is right but whose value is not, as in `2026-02-30` or `5__0`.
void CheckLiteral(const SourceFile& source, size_t token_type, uint32_t begin, uint32_t end,
                  DiagnosticSink* sink);

// Warns of a word in a string that mixes Latin with Cyrillic or Greek letters that look like them
// (DPL0003).
void CheckMixedScript(const SourceFile& source, uint32_t begin, uint32_t end, DiagnosticSink* sink);

}  // namespace dpl::syntax
