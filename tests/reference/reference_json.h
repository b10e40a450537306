// A second reader of JSON, over RapidJSON: same trees, same refusals as ParseJson, but for what
// docs/decisions/0017-a-json-reader-of-our-own.md states.
//
//   EXPECT_EQ(WhereReadersDiffer(text, limits), "");
#pragma once

#include <string>
#include <string_view>

#include "runtime/json/json.h"

namespace dpl {

Result<const WireValue*> ReferenceParseJson(std::string_view text, Arena* arena,
                                            const JsonLimits& limits = {});

// What the two make of it where that is not the same; empty: they agree, or differ as stated.
std::string WhereReadersDiffer(std::string_view text, const JsonLimits& limits = {});

}  // namespace dpl
