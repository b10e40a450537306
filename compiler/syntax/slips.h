// The slips people bring along from other languages, recognised at the token that does not fit:
// `=` for `==`, `can` for `may`, a forgotten `on`, a list in square brackets, `daily`.
//
// A slip that can be mended carries the tokens that were meant. recover.cc puts them in and reads
// on, so that nothing else of the declaration is lost and no consequence is reported; the same
// mend, as text, becomes the fix of the diagnostic. Internal to this room.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "compiler/syntax/messages.h"
#include "compiler/syntax/reader.h"
#include "compiler/syntax/tokens.h"

namespace dpl::syntax {

// What the usual slip at this place is, if it is one.
std::optional<Finding> FindSlip(const TokenList& tokens, const Stop& stop, RuleReader* reader);

}  // namespace dpl::syntax
