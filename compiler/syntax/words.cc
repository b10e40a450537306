// Names of token types, and help for words people bring along.
#include "compiler/syntax/words.h"

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <string>
#include <utility>

#include "compiler/syntax/messages.h"

namespace dpl::syntax {
namespace {

using P = DplParser;

constexpr std::array<std::pair<std::string_view, std::string_view>, 27> kRetired = {{
    {"title", "there is no `title`: say it in a `///` comment above the declaration"},
    {"schedule", "there is no `schedule`: nothing would enforce it; use `where now during …`"},
    {"systems",
     "there is no `systems` clause: the `may` clauses say which systems an agent reaches"},
    {"contains", "for `a contains b` write `b in a`"},
    {"currency", "there is no `currency` setting: every amount names its own, as in `5 USD`"},
    {"decided", "there is no `decided … by`: the `because` says who decided"},
    {"private", "nothing is private: leave the word out"},
    {"allow", "authority is added by `grant` and its `may` clauses"},
    {"deny", "what is never allowed is said by `forbid`"},
    {"permit", "authority is added by `grant` and its `may` clauses"},
    {"default", "nothing is allowed by default: leave it out, and write `grant`s"},
    {"principal", "people are `person`, software is `agent`; whom a grant is for is said by `to`"},
    {"users", "people are `person`"},
    {"groups", "groups are `team`"},
    {"effect", "authority is added by `grant`, and taken away by `forbid`"},
    {"statement", "rules are `grant`, `limit` and `forbid`"},
    {"when", "a condition stands in what it is about: `may … on … where …`"},
    {"let", "a value is named by `const NAME = …`"},
    {"def", "a name for an expression is `function NAME(…): bool = …`"},
    {"policy", "rules are `grant`, `limit` and `forbid`"},
    {"rule", "rules are `grant`, `limit` and `forbid`"},
    {"user", "people are `person`"},
    {"group", "groups are `team`"},
    {"null", "there is no null: an optional value is asked `is known`"},
    {"float", "there are no floats: use `decimal`, which is exact"},
    {"description", "say it in a `///` comment above the declaration"},
    {"reason", "the reason of a statement is its `because`"},
}};

const antlr4::dfa::Vocabulary& Vocabulary() {
  static DplLexer* const kLexer = new DplLexer(nullptr);  // one per process, for its table of names
  return kLexer->getVocabulary();
}

}  // namespace

std::string KeywordText(size_t token_type) {
  std::string literal = Vocabulary().getLiteralName(token_type);  // `'to'` with its quotes
  if (literal.size() < 3 || !((literal[1] >= 'a' && literal[1] <= 'z') || literal[1] == '_'))
    return {};
  return literal.substr(1, literal.size() - 2);
}

size_t KeywordType(std::string_view word) {
  static const std::map<std::string, size_t, std::less<>>* const kTypes = [] {
    auto* types = new std::map<std::string, size_t, std::less<>>;
    for (size_t type = 1; type <= Vocabulary().getMaxTokenType(); ++type) {
      std::string text = KeywordText(type);
      if (!text.empty()) types->emplace(std::move(text), type);
    }
    return types;
  }();
  auto found = kTypes->find(word);
  return found == kTypes->end() ? 0 : found->second;
}

std::string WordsFor(size_t token_type) {
  switch (token_type) {
    case P::IDENT:
      return "a name";
    case P::NUMBER:
      return "a number";
    case P::STRING:
      return "a text in double quotes";
    case P::DURATION:
      return "a duration such as `30d`";
    case P::DATE:
      return "a date such as `2026-11-20`";
    case P::DATETIME:
      return "a time such as `2026-11-20T15:00Z`";
    case P::TIME:
      return "a time of day such as `09:00`";
    case P::CURRENCY:
      return "a currency such as `USD`";
    case P::WEEKDAY:
      return "a day such as `mon`";
    default:
      break;
  }
  std::string literal = Vocabulary().getLiteralName(token_type);
  if (literal.size() < 3) return Vocabulary().getDisplayName(token_type);
  return "`" + literal.substr(1, literal.size() - 2) + "`";
}

bool IsWordType(size_t token_type) {
  return token_type == P::IDENT || token_type == P::CURRENCY || token_type == P::WEEKDAY ||
         !KeywordText(token_type).empty();
}

bool IsReservedType(size_t token_type, RuleReader* reader) {
  return reader->First(P::RuleReserved).contains(static_cast<ssize_t>(token_type));
}

bool IsClauseHead(size_t token_type, RuleReader* reader) {
  for (size_t rule = 0; rule <= P::RuleReserved; ++rule) {
    if (IsClauseRule(rule) && rule != P::RuleDatum &&
        reader->First(rule).contains(static_cast<ssize_t>(token_type)))
      return true;
  }
  return false;
}

std::string_view BlockName(size_t rule) {
  constexpr std::array<std::pair<size_t, std::string_view>, 23> kNames = {{
      {P::RuleCalendarDecl, "a calendar"},
      {P::RulePersonDecl, "`person`"},
      {P::RuleTeamDecl, "a team"},
      {P::RuleRoleDecl, "a role"},
      {P::RuleContextDecl, "`context`"},
      {P::RuleSystemDecl, "a system"},
      {P::RuleResourceDecl, "a resource"},
      {P::RuleActivityDecl, "an activity"},
      {P::RuleOwnerDecl, "`owner of`"},
      {P::RuleGrantDecl, "a grant"},
      {P::RuleLimitDecl, "a limit block"},
      {P::RuleForbidDecl, "a forbid"},
      {P::RuleAgentDecl, "an agent"},
      {P::RuleDelegationDecl, "a delegation"},
      {P::RuleTaskDecl, "a task"},
      {P::RuleApprovalDecl, "an approval"},
      {P::RuleObligationDecl, "an obligation"},
      {P::RuleSeparateDecl, "a separation"},
      {P::RuleBreakGlassDecl, "a break_glass"},
      {P::RulePartnerDecl, "a partner"},
      {P::RuleDataDecl, "`data`"},
      {P::RuleTestDecl, "a test"},
      {P::RuleStep, "a test"},
  }};
  auto found =
      std::find_if(kNames.begin(), kNames.end(), [&](auto row) { return row.first == rule; });
  return found == kNames.end() ? "this block" : found->second;
}

std::string RetiredWordHelp(std::string_view word) {
  auto found =
      std::find_if(kRetired.begin(), kRetired.end(), [&](auto row) { return row.first == word; });
  return found == kRetired.end() ? std::string() : std::string(found->second);
}

}  // namespace dpl::syntax
