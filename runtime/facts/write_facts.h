// Facts as a facts file again: what a document with many changes becomes when it is written anew.
// ReadFactsJson of it gives the same facts; values are written as they came, times as instants.
#pragma once

#include <string>

#include "runtime/facts/snapshot.h"

namespace dpl {

void AppendFactsJson(std::string* out, const FactsInput& facts);

}  // namespace dpl
