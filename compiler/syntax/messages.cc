// The words for misfits: what was found, what would fit, and the slips people make.
#include "compiler/syntax/messages.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "compiler/syntax/words.h"
#include "runtime/base/near_name.h"

namespace dpl::syntax {
namespace {

using P = DplParser;

std::string Join(const std::vector<std::string>& parts) {
  std::string text;
  for (size_t i = 0; i < parts.size(); ++i) {
    if (i > 0) text += i + 1 == parts.size() ? " or " : ", ";
    text += parts[i];
  }
  return text;
}

// "`to`", "a text in double quotes" …
std::string Found(const SourceToken& token) {
  switch (token.getType()) {
    case antlr4::Token::EOF:
      return "the end of the file";
    case P::STRING:
      return "the text " + Ticked(token.getText());
    default:
      return Ticked(token.getText());
  }
}

bool Contains(const antlr4::misc::IntervalSet& outer, const antlr4::misc::IntervalSet& inner) {
  return !inner.isEmpty() && inner.subtract(outer).isEmpty();
}

// What would fit, in words: at most a handful of things.
std::string Expected(antlr4::misc::IntervalSet expected, RuleReader* reader) {
  std::vector<std::string> parts;
  auto group = [&](size_t rule, std::string_view words) {
    const auto& first = reader->First(rule);
    if (!Contains(expected, first)) return;
    parts.emplace_back(words);
    expected = expected.subtract(first);
  };
  group(P::RuleExpr, "an expression");
  group(P::RuleWord, "a name");
  group(P::RuleName, "a name");
  group(P::RuleSubject, "who is meant, such as `team t`");
  std::vector<std::string> words;
  for (ssize_t type : expected.toList()) {
    if (type < 0) words.emplace_back("the end of the file");
    if (type > 0) words.push_back(WordsFor(static_cast<size_t>(type)));
  }
  std::stable_partition(words.begin(), words.end(),
                        [](const std::string& word) { return word != "`}`" && word != "`)`"; });
  if (words.size() <= 6) parts.insert(parts.end(), words.begin(), words.end());
  return Join(parts);
}

std::vector<std::string> Keywords(const antlr4::misc::IntervalSet& set) {
  std::vector<std::string> words;
  for (ssize_t type : set.toList()) {
    if (type <= 0) continue;
    std::string word = KeywordText(static_cast<size_t>(type));
    if (!word.empty()) words.push_back(std::move(word));
  }
  return words;
}

// The rules that have a phrase for "what should stand here".
constexpr std::array<std::pair<size_t, std::string_view>, 20> kPhrases = {{
    {P::RuleSubjects, "who is meant, such as `team t`, `role r` or `person \"…\"`"},
    {P::RuleSubject, "who is meant, such as `team t`, `role r` or `person \"…\"`"},
    {P::RuleReach, "what may be done, such as `read on docs.Document`"},
    {P::RuleSelector, "a resource type, such as `docs.Document`"},
    {P::RuleContainers, "a container, such as `docs.Folder \"A\"`"},
    {P::RuleQuantity, "an amount, such as `5_000 USD`"},
    {P::RulePeriod, "`each`, `per day`, `in any 15m` or `in total`"},
    {P::RuleOwnerRef, "an owner: `team t` or `person \"…\"`"},
    {P::RuleParty, "`the person`, `the agent`, `the accountable` or `the manager`"},
    {P::RuleDuty, "a duty, such as `log` or `step_up \"…\"`"},
    {P::RuleExpectedDuty, "a duty, such as `log` or `step_up`"},
    {P::RuleDutyWord, "a duty, such as `log` or `step_up`"},
    {P::RuleAttempt, "who acts: `person \"…\"`, `agent a` or `public`"},
    {P::RuleOutcome, "`permit`, `deny` or `ask`"},
    {P::RuleRevocable, "what is revoked, such as `person \"…\"` or `grant g`"},
    {P::RuleAgentMode, "`on_behalf_of`, `impersonate` or `standing`"},
    {P::RuleType, "a type, such as `string` or `set<Person>`"},
    {P::RuleExpr, "an expression"},
    {P::RuleQname, "a name"},
    {P::RuleName, "a name"},
}};

std::string_view PhraseAt(const Stop& stop) {
  std::string_view phrase;
  for (const Frame& frame : stop.frames) {
    if (frame.start != stop.token) break;
    auto found = std::find_if(kPhrases.begin(), kPhrases.end(),
                              [&](auto row) { return row.first == frame.rule; });
    if (found != kPhrases.end()) phrase = found->second;
  }
  return phrase;
}

// The slips that one look at the token gives away.
void AddHints(const SourceToken& token, const Stop& stop, RuleReader* reader, Finding* finding) {
  const auto& expected = stop.expected;
  auto wants = [&](size_t type) { return expected.contains(static_cast<ssize_t>(type)); };
  std::string text = token.getText();
  size_t type = token.getType();
  if (type == P::ASSIGN && wants(P::COLON)) {
    finding->help.emplace_back("a type comes after `:`");
    finding->replacement = ":";
  } else if (type == P::ASSIGN && (expected.isEmpty() || wants(P::EQEQ))) {
    finding->help.emplace_back("to compare, write `==`");
    finding->replacement = "==";
  } else if (type == P::EQEQ && wants(P::ASSIGN)) {
    finding->help.emplace_back("a value is given with a single `=`");
    finding->replacement = "=";
  } else if (type == P::COLON && wants(P::ASSIGN)) {
    finding->help.emplace_back("a value is given with `=`");
    finding->replacement = "=";
  } else if (wants(P::STRING) && expected.size() <= 2 && IsWordType(type) &&
             type != antlr4::Token::EOF) {
    finding->help.push_back(fmt::format("texts stand in double quotes: `\"{}\"`", text));
  } else if (wants(P::DURATION) && type == P::NUMBER) {
    finding->help.push_back(
        fmt::format("a duration has its unit: `{}d`, `{}h` or `{}m`", text, text, text));
  } else if (wants(P::DATE) && type == P::NUMBER) {
    finding->help.emplace_back(
        "dates are written year first, with two digits each, as in `2026-01-05`");
  } else if (wants(P::DATE) && type == P::DATETIME) {
    finding->help.emplace_back("only the day stands here, as in `2026-11-20`");
  } else if (wants(P::TIME) && type == P::NUMBER) {
    finding->help.emplace_back("times of day have two digits each, as in `09:00`");
  } else if (type == P::COMMA && expected.isEmpty()) {
    finding->help.emplace_back("clauses follow one another without commas");
  } else if (type == P::LPAREN && expected.isEmpty()) {
    finding->help.emplace_back(
        "the parameters of an action stand in braces, as in `can approve { amount: money }`");
  } else if (type == P::LBRACK && expected.isEmpty()) {
    finding->help.emplace_back("a set of texts is `set<string>`");
  } else if (type == P::GT && !stop.frames.empty()) {
    finding->help.emplace_back("\"not equal\" is written `!=`");
  } else if (IsWordType(type)) {
    std::string help = type == P::IDENT ? RetiredWordHelp(text) : std::string();
    if (!help.empty()) {
      finding->help.push_back(std::move(help));
      return;
    }
    std::vector<std::string> near = NearNames(text, Keywords(expected));
    if (near.empty() || text.size() < 3 || Contains(expected, reader->First(P::RuleName))) return;
    finding->help.push_back(DidYouMean(near));
    finding->replacement = near[0];
  }
}

// The word this block has for what another block calls so.
std::string_view InsteadOf(size_t type, size_t clause_rule) {
  bool covers = clause_rule == P::RuleForbidClause || clause_rule == P::RuleLimitDeclClause ||
                clause_rule == P::RuleObligationClause;
  if (covers && type == P::MAY) return "what it reaches is said by `covers`";
  if (covers && type == P::TO) return "whom it concerns is said by `applies to`";
  if (clause_rule == P::RuleLimitDeclClause && type == P::LIMIT)
    return "in a block of its own, a limit is a `cap`";
  if (clause_rule == P::RuleGrantClause && type == P::CAP)
    return "inside a grant, a cap is a `limit`";
  if (clause_rule == P::RuleGrantClause && type == P::COVERS)
    return "what is granted is said by `may`";
  return {};
}

}  // namespace

std::string Ticked(std::string_view text) {
  constexpr size_t kLongest = 40;
  if (text.size() <= kLongest) return fmt::format("`{}`", text);
  size_t cut = kLongest;
  while (cut > 0 && (static_cast<uint8_t>(text[cut]) & 0xc0) == 0x80) --cut;
  return fmt::format("`{}…`", text.substr(0, cut));
}

namespace {

// An operator that the parser left behind because nothing that follows could be its right side: `a
// or or b`.
bool ExplainOperator(const TokenList& tokens, size_t index, RuleReader* reader, Finding* finding) {
  switch (tokens.TypeAt(index)) {
    case P::OR:
    case P::AND:
    case P::EQEQ:
    case P::NE:
    case P::LT:
    case P::LE:
    case P::GT:
    case P::GE:
    case P::PLUS:
    case P::MINUS:
    case P::STAR:
    case P::IN:
    case P::DURING:
      break;
    default:
      return false;
  }
  const SourceToken& next = tokens.At(index + 1);
  if (reader->First(P::RuleExpr).contains(static_cast<ssize_t>(next.getType()))) return false;
  finding->token = index + 1;
  if (IsReservedType(next.getType(), reader) && !next.first_on_line()) {
    finding->code = DPL0007;
    finding->message = FillTemplate(InfoOf(DPL0007).message, {Ticked(next.getText())});
    return true;
  }
  finding->message = fmt::format("expected an expression, found {}", Found(next));
  if (tokens.TypeAt(index) == P::LT && next.getType() == P::GT)
    finding->help.emplace_back("\"not equal\" is written `!=`");
  return true;
}

}  // namespace

Finding ExplainMisfit(const TokenList& tokens, const Stop& stop, RuleReader* reader) {
  const SourceToken& token = tokens.At(stop.token);
  Finding finding;
  finding.token = stop.token;
  std::string_view phrase = PhraseAt(stop);
  bool name_wanted = Contains(stop.expected, reader->First(P::RuleName));
  if (name_wanted && IsReservedType(token.getType(), reader) &&
      !Contains(stop.expected, reader->First(P::RuleExpr))) {
    auto starts = [&](size_t rule) {
      return reader->First(rule).contains(static_cast<ssize_t>(token.getType()));
    };
    // Then the name is missing rather than badly chosen.
    bool starts_clause =
        token.first_on_line() && (starts(P::RuleHeadLine) || starts(P::RuleDeclaration));
    for (const Frame& frame : stop.frames) {
      if (IsClauseRule(frame.rule)) starts_clause |= starts(frame.rule);
    }
    if (!starts_clause) {
      finding.code = DPL0007;
      finding.message = FillTemplate(InfoOf(DPL0007).message, {Ticked(token.getText())});
      return finding;
    }
  }
  if (phrase.starts_with("a duty") && token.getType() == P::IDENT) {
    finding.code = DPL0706;
    finding.message = FillTemplate(InfoOf(DPL0706).message, {Ticked(token.getText())});
    std::vector<std::string> duties = Keywords(stop.expected);
    std::vector<std::string> near = NearNames(token.getText(), duties);
    if (!near.empty()) {
      finding.help.push_back(DidYouMean(near));
      finding.replacement = near[0];
    } else {
      for (std::string& duty : duties) duty = "`" + duty + "`";
      std::string all;
      for (size_t i = 0; i < duties.size(); ++i)
        all += (i == 0 ? "" : i + 1 == duties.size() ? " and " : ", ") + duties[i];
      finding.help.push_back("the duties are " + all);
    }
    return finding;
  }
  std::string wanted = phrase.empty() ? Expected(stop.expected, reader) : std::string(phrase);
  finding.message = wanted.empty() ? fmt::format("{} does not fit here", Found(token))
                                   : fmt::format("expected {}, found {}", wanted, Found(token));
  AddHints(token, stop, reader, &finding);
  return finding;
}

Finding ExplainBlockMisfit(const TokenList& tokens, size_t index, size_t block_rule,
                           size_t clause_rule, RuleReader* reader) {
  const SourceToken& token = tokens.At(index);
  const auto& allowed = reader->First(clause_rule);
  std::string_view block = BlockName(block_rule);
  Finding finding;
  finding.token = index;
  if (ExplainOperator(tokens, index, reader, &finding)) return finding;
  bool data = clause_rule == P::RuleDatum;
  if (token.getType() == P::IDENT && !data) {
    std::string help = RetiredWordHelp(token.getText());
    std::vector<std::string> near = NearNames(token.getText(), Keywords(allowed));
    finding.code = DPL0102;
    finding.message =
        FillTemplate(InfoOf(DPL0102).message, {Ticked(token.getText()), std::string(block)});
    if (!help.empty()) {
      finding.help.push_back(std::move(help));
    } else if (!near.empty()) {
      finding.help.push_back(DidYouMean(near));
      finding.replacement = near[0];
    }
  } else if (IsWordType(token.getType()) && token.getType() != P::IDENT &&
             IsClauseHead(token.getType(), reader) && !data) {
    finding.code = DPL0102;
    finding.message =
        FillTemplate(InfoOf(DPL0102).message, {Ticked(token.getText()), std::string(block)});
  } else {
    bool word = IsWordType(token.getType()) || token.getType() == antlr4::Token::EOF;
    finding.message =
        word || data
            ? fmt::format("expected {} or `}}`, found {}",
                          data ? "a fact" : fmt::format("a clause of {}", block), Found(token))
            : fmt::format("{} does not fit here", Found(token));
    Stop stop;
    stop.frames.push_back({block_rule, 0});
    AddHints(token, stop, reader, &finding);
  }
  std::string_view instead = InsteadOf(token.getType(), clause_rule);
  if (finding.help.empty() && !instead.empty()) finding.help.emplace_back(instead);
  if (finding.help.empty() && !data) {
    std::vector<std::string> words = Keywords(allowed);
    std::sort(words.begin(), words.end());
    for (std::string& word : words) word = "`" + word + "`";
    finding.help.push_back(fmt::format("the clauses of {} begin with {}", block, Join(words)));
  }
  return finding;
}

Finding ExplainTopLevelMisfit(const TokenList& tokens, size_t index, RuleReader* reader) {
  const SourceToken& token = tokens.At(index);
  size_t type = token.getType();
  Finding finding;
  finding.token = index;
  if (ExplainOperator(tokens, index, reader, &finding)) return finding;
  finding.message = fmt::format("expected a declaration, found {}", Found(token));
  if (type == P::RBRACE) {
    finding.message = "this `}` closes nothing";
  } else if (type == P::PACKAGE) {
    finding.code = DPL0105;
    finding.message = "the package line stands once, at the top of the file";
  } else if (type == P::IMPORT || type == P::TIMEZONE || type == P::REQUIRES ||
             type == P::GRANTED || type == P::REVIEW) {
    finding.message =
        fmt::format("{} stands before the first declaration", Ticked(token.getText()));
  } else if (IsWordType(type) && !RetiredWordHelp(token.getText()).empty()) {
    finding.help.push_back(RetiredWordHelp(token.getText()));
  } else if (type == P::IDENT) {
    std::string help;
    std::vector<std::string> near =
        NearNames(token.getText(), Keywords(reader->First(P::RuleDeclaration)));
    if (!help.empty()) {
      finding.help.push_back(std::move(help));
    } else if (!near.empty()) {
      finding.help.push_back(DidYouMean(near));
      finding.replacement = near[0];
    }
  } else if (IsClauseHead(type, reader)) {
    finding.help.push_back(
        fmt::format("{} is a clause and stands inside a declaration: is a `}}` too early?",
                    Ticked(token.getText())));
  }
  return finding;
}

}  // namespace dpl::syntax
