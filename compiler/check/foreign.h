// Words that other languages have for what ours calls otherwise, so that a message can name the
// mend. Pure functions.
#pragma once

#include <string>
#include <string_view>

namespace dpl::check {

// "principal" -> "person"; empty for every other word.
std::string VariableFor(std::string_view word);
// "integer" -> "int", "list" -> "set<…>"; empty for every other word.
std::string TypeFor(std::string_view word);
// null, nil, none …
bool IsNullWord(std::string_view word);
// What to write for `person.role`, `person.groups` …; empty for every other word.
std::string HelpForPersonWord(std::string_view word);
// What to write for a function other languages have; empty for every other word.
std::string HelpForCall(std::string_view word);
// "Sunday" -> "sun"; empty for what is no day.
std::string WeekdayFor(std::string_view word);

}  // namespace dpl::check
