// The tables of words.
#include "compiler/check/foreign.h"

#include <algorithm>
#include <array>
#include <utility>

namespace dpl::check {
namespace {

using Row = std::pair<std::string_view, std::string_view>;

std::string Lower(std::string_view word) {
  std::string text(word);
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return text;
}

template <size_t kSize>
std::string Find(const std::array<Row, kSize>& rows, std::string_view word) {
  std::string lower = Lower(word);
  auto row = std::find_if(rows.begin(), rows.end(), [&](const Row& r) { return r.first == lower; });
  return row == rows.end() ? std::string() : std::string(row->second);
}

}  // namespace

std::string VariableFor(std::string_view word) {
  static constexpr std::array<Row, 20> kRows = {{
      {"principal", "person"},    {"user", "person"},     {"subject", "person"},
      {"employee", "person"},     {"actor", "person"},    {"caller", "person"},
      {"requester", "person"},    {"me", "person"},       {"object", "resource"},
      {"res", "resource"},        {"entity", "resource"}, {"this", "resource"},
      {"self", "resource"},       {"action", "request"},  {"params", "request"},
      {"input", "request"},       {"args", "request"},    {"env", "context"},
      {"environment", "context"}, {"ctx", "context"},
  }};
  return Find(kRows, word);
}

std::string TypeFor(std::string_view word) {
  static constexpr std::array<Row, 34> kRows = {{
      {"integer", "int"},        {"int32", "int"},           {"int64", "int"},
      {"long", "int"},           {"number", "int"},          {"numeric", "decimal"},
      {"float", "decimal"},      {"double", "decimal"},      {"real", "decimal"},
      {"str", "string"},         {"text", "string"},         {"varchar", "string"},
      {"char", "string"},        {"uuid", "string"},         {"boolean", "bool"},
      {"timestamp", "datetime"}, {"instant", "datetime"},    {"date_time", "datetime"},
      {"list", "set<…>"},        {"array", "set<…>"},        {"vector", "set<…>"},
      {"collection", "set<…>"},  {"map", "labels"},          {"dict", "labels"},
      {"tags", "labels"},        {"object", "record { … }"}, {"struct", "record { … }"},
      {"user", "Person"},        {"people", "Person"},       {"group", "Team"},
      {"currency", "money"},     {"amount", "money"},        {"ipaddr", "ip"},
      {"interval", "duration"},
  }};
  std::string found = Find(kRows, word);
  if (!found.empty()) return found;
  // A type of ours in other letters: `String`, `person`.
  static constexpr std::array<Row, 17> kOurs = {{
      {"bool", "bool"},
      {"int", "int"},
      {"decimal", "decimal"},
      {"money", "money"},
      {"string", "string"},
      {"date", "date"},
      {"datetime", "datetime"},
      {"time", "time"},
      {"duration", "duration"},
      {"path", "path"},
      {"ip", "ip"},
      {"labels", "labels"},
      {"person", "Person"},
      {"agent", "Agent"},
      {"team", "Team"},
      {"role", "Role"},
      {"task", "Task"},
  }};
  found = Find(kOurs, word);
  return found == word ? std::string() : found;
}

bool IsNullWord(std::string_view word) {
  static constexpr std::array<std::string_view, 6> kWords = {"null",      "nil",   "none",
                                                             "undefined", "empty", "unknown"};
  return std::find(kWords.begin(), kWords.end(), Lower(word)) != kWords.end();
}

std::string HelpForPersonWord(std::string_view word) {
  std::string lower = Lower(word);
  if (lower == "role" || lower == "roles")
    return "whether somebody holds a role is asked `person in role …`; or grant it `to role …`";
  if (lower == "team" || lower == "teams" || lower == "group" || lower == "groups" ||
      lower == "department")
    return "whether somebody is in a team is asked `person in team …`; or grant it `to team …`";
  if (lower == "id")
    return "the person's own key has the name that `person { key … }` gives it; to compare people, "
           "compare the persons: `resource.owner == person`";
  return {};
}

std::string HelpForCall(std::string_view word) {
  static constexpr std::array<Row, 12> kRows = {{
      {"contains", "a part of a text is looked for with `like \"*…*\"`; an element with `in`"},
      {"has", "whether something is in a set is asked with `in`; whether it is known, `is known`"},
      {"hasrole", "whether somebody holds a role is asked `person in role …`"},
      {"has_role", "whether somebody holds a role is asked `person in role …`"},
      {"is_member", "whether somebody is in a team is asked `person in team …`"},
      {"memberof", "whether somebody is in a team is asked `person in team …`"},
      {"now", "the time is `now`, without brackets"},
      {"exists", "whether there is a value is asked `… is known`"},
      {"any", "write `some v in set satisfies (…)`"},
      {"regex", "a pattern is written `… matches \"…\"`"},
      {"match", "a pattern is written `… matches \"…\"`"},
      {"len", "use `length(…)` for a text, `size(…)` for a set"},
  }};
  return Find(kRows, word);
}

std::string WeekdayFor(std::string_view word) {
  static constexpr std::array<Row, 7> kRows = {{{"monday", "mon"},
                                                {"tuesday", "tue"},
                                                {"wednesday", "wed"},
                                                {"thursday", "thu"},
                                                {"friday", "fri"},
                                                {"saturday", "sat"},
                                                {"sunday", "sun"}}};
  std::string day = Find(kRows, word);
  if (!day.empty()) return day;
  std::string lower = Lower(word);
  bool is =
      std::any_of(kRows.begin(), kRows.end(), [&](const Row& r) { return r.second == lower; });
  return is ? lower : std::string();
}

}  // namespace dpl::check
