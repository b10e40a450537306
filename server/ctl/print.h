// Answers as people read them in a terminal. Whatever texts an answer holds, none of them moves the
// cursor, colours or hides anything: controls and invisible characters are shown, not sent.
#pragma once

#include <string>
#include <string_view>

#include "runtime/base/wire.h"

namespace dpl {

// A table of the objects in `items`; `columns` as in commands.h. Columns with nothing in them are
// left out.
std::string Table(const WireValue& items, std::string_view columns);
// One line for each member, those of objects within with a dot.
std::string Lines(const WireValue& object);
// A text that is safe to show.
std::string Shown(std::string_view text);

}  // namespace dpl
