// The facts file: JSON text to FactsInput. The form is documented in docs/facts.md.
//
//   Result<FactsInput> facts = ReadFactsJson(text, "facts.json");
//   if (!facts.ok()) …  // code, message, line, column: facts.json:12:5: …
//
// Reads shape only; names, types and references are checked against the policy by Snapshot::Build.
// A section that is not there is a feed that is not loaded; an empty one is loaded and empty. Takes
// files of a million persons.
#pragma once

#include <string>
#include <string_view>

#include "runtime/base/result.h"
#include "runtime/facts/snapshot.h"

namespace dpl {

// Codes: those of ParseJson, and facts.shape (a member that is unknown, missing or of the wrong
// kind), facts.time.
Result<FactsInput> ReadFactsJson(std::string_view text, std::string name);

}  // namespace dpl
