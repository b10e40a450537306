// Readers of single parts of the facts form, shared by the file (json_facts.cc) and the changes
// pushed to it (json_changes.cc). Every complaint carries the place of the value it is about.
// Inside the room only.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/base/wire.h"
#include "runtime/facts/snapshot.h"

namespace dpl::facts_json {

using Names = std::initializer_list<std::string_view>;

// What a date alone means where an instant is asked for. The file knows no zone: days are those of
// UTC.
enum class Day { kStart, kEnd };

Error ShapeError(const WireValue& at, std::string message);
Error Wrong(const WireValue& at, std::string_view what, std::string_view expected);
FactsInput::Where WhereOf(const WireValue& v);
// An object with none but these members.
Status CheckObject(const WireValue& v, std::string_view what, Names names);
Status CheckArray(const WireValue& v, std::string_view what);
// A text member; absent is "" unless it is required.
Status ReadText(const WireValue& object, std::string_view name, std::string_view what,
                bool required, std::string* out);
Result<Instant> TimeOfText(const WireValue& v, std::string_view what, Day day,
                           bool* is_date = nullptr);
Status ReadTime(const WireValue& object, std::string_view name, std::string_view what, Day day,
                std::optional<Instant>* out);
// "id", or {"type", "id"}; null says that there is none.
Status ReadReference(const WireValue& v, std::string_view what, std::string* type, std::string* id);

// Whole sections.
Status ReadPersons(const WireValue& section, FactsInput* out);
Status ReadTeams(const WireValue& section, FactsInput* out);
Status ReadRoles(const WireValue& section, FactsInput* out);
Status ReadAccounts(const WireValue& section, FactsInput* out);
Status ReadResources(const WireValue& section, FactsInput* out);

// "id", {"person"} or {"team"}, with `until`.
Status ReadMember(const WireValue& v, FactsInput::Member* member);

}  // namespace dpl::facts_json
