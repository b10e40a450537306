// The table of slips, and how each is mended.
#include "compiler/syntax/slips.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "compiler/syntax/slip_reader.h"
#include "compiler/syntax/slip_words.h"
#include "compiler/syntax/words.h"
#include "runtime/base/instant.h"

namespace dpl::syntax {
namespace {

using P = DplParser;

class SlipFinder : private SlipReader {
 public:
  using SlipReader::SlipReader;

  std::optional<Finding> Run() {
    if (Type(t_) == antlr4::Token::EOF || Type(t_) == P::BAD_CHAR) return std::nullopt;
    for (auto slip :
         {&SlipFinder::Operators, &SlipFinder::Conditions, &SlipFinder::Brackets,
          &SlipFinder::Lists, &SlipFinder::Words, &SlipFinder::Subjects, &SlipFinder::Reaches,
          &SlipFinder::Limits, &SlipFinder::Values, &SlipFinder::Heads}) {
      found_ = Finding();
      found_.token = t_;
      if ((this->*slip)()) return found_;
    }
    return std::nullopt;
  }

 private:
  // ---- the slips
  bool Operators() {
    bool here = AfterCondition() || InExpression();
    if (!here) return false;
    size_t next = Type(t_ + 1);
    switch (Type(t_)) {
      case P::ASSIGN:
        if (AfterCondition() || Wants(P::EQEQ)) {
          if (t_ > 0 && (Type(t_ - 1) == P::EQEQ || Type(t_ - 1) == P::NE)) return false;
          Put(t_, t_ + 1, {New(P::EQEQ, t_)}, "==");
          return Say("`=` does not compare", "to compare, write `==`");
        }
        // `a === b`
        if (t_ > 0 && (Type(t_ - 1) == P::EQEQ || Type(t_ - 1) == P::NE) &&
            tokens_.At(t_).begin() == tokens_.At(t_ - 1).end()) {
          Put(t_, t_ + 1, {}, "");
          return Say(fmt::format("{}= is not an operator", Text(t_ - 1)),
                     fmt::format("write `{}`", Text(t_ - 1)));
        }
        return false;
      case P::GT:
        if (t_ > 0 && Type(t_ - 1) == P::LT) {
          Put(t_ - 1, t_ + 1, {New(P::NE, t_)}, "!=");
          return Say("`<>` does not compare", "\"not equal\" is written `!=`");
        }
        return false;
      case P::LT:
        if (next == P::GT) {
          Put(t_, t_ + 2, {New(P::NE, t_)}, "!=");
          return Say("`<>` does not compare", "\"not equal\" is written `!=`");
        }
        return false;
      case P::QMARK:
        return Say("`?` does not choose", "a choice is written `if condition then a else b`");
      default:
        return false;
    }
  }

  bool Conditions() {
    if (!AfterCondition() && !InExpression()) return false;
    std::string word = Lower(Text(t_));
    // x is null, x is not null, x is set
    bool is =
        t_ > 1 && (Type(t_ - 1) == P::IS || (Type(t_ - 1) == P::NOT && Type(t_ - 2) == P::IS));
    if (is && Wants(P::KNOWN)) {
      bool negated = Type(t_ - 1) == P::NOT;
      if (OneOf(word,
                {"null", "nil", "none", "empty", "missing", "absent", "undefined", "unknown"})) {
        std::string meant = negated ? "known" : "not known";
        std::vector<Piece> pieces;
        if (!negated) pieces.push_back(New(P::NOT, t_));
        pieces.push_back(New(P::KNOWN, t_));
        Put(negated ? t_ - 1 : t_, t_ + 1, std::move(pieces), meant);
        return Say("there is no null",
                   fmt::format("whether there is a value is asked `is {}`", meant));
      }
      if (OneOf(word, {"set", "present", "defined", "given", "there"})) {
        Put(t_, t_ + 1, {New(P::KNOWN, t_)}, "known");
        return Say(fmt::format("expected `known`, found {}", Ticked(Text(t_))));
      }
      size_t end = OperandEndFrom(t_);
      if (end > t_ && t_ > 1) {
        size_t from = negated ? t_ - 2 : t_ - 1;
        const char* sign = negated ? "!=" : "==";
        Put(from, t_, {New(negated ? P::NE : P::EQEQ, from)}, sign);
        return Say("`is` only asks whether something is known",
                   fmt::format("to compare, write `{}`", sign));
      }
      return false;
    }
    if (!AfterCondition()) {
      if (StartsHere(P::RuleExpr) && (Type(t_) == P::ANY || OneOf(word, {"exists", "every"})) &&
          Type(t_ + 1) == P::LPAREN)
        return Say(fmt::format("{} is no function", Ticked(Text(t_))),
                   "write `some v in set satisfies (…)`, or `all v in set satisfies (…)`");
      return false;
    }
    size_t left = OperandBegin(t_);
    if (word == "contains" || word == "includes" || word == "has") {
      size_t end = OperandEndFrom(t_ + 1);
      bool path = IsWordType(Type(left)) && end > t_ + 1 && !tokens_.At(t_).first_on_line();
      if (!path) return false;
      if (Type(t_ + 1) == P::STRING) {
        std::string inner = Text(t_ + 1);
        inner = inner.size() < 2 ? inner : inner.substr(1, inner.size() - 2);
        return Say(
            fmt::format("there is no {}", Ticked(word)),
            fmt::format("a part of a text: `{} like \"*{}*\"`; an element of a set: `\"{}\" in {}`",
                        Source(left, t_), inner, inner, Source(left, t_)));
      }
      std::vector<Piece> pieces = Range(t_ + 1, end);
      pieces.push_back(New(P::IN, t_));
      for (Piece& piece : Range(left, t_)) pieces.push_back(std::move(piece));
      std::string text = Source(t_ + 1, end) + " in " + Source(left, t_);
      Put(left, end, std::move(pieces), text);
      return Say(fmt::format("there is no {}", Ticked(word)),
                 fmt::format("what is in a set is asked the other way round: `{}`", text));
    }
    if (word == "between") {
      size_t low = OperandEndFrom(t_ + 1);
      if (low == t_ + 1 || Type(low) != P::AND) return false;
      size_t high = OperandEndFrom(low + 1);
      if (high == low + 1) return false;
      std::vector<Piece> pieces = Range(left, t_);
      pieces.push_back(New(P::GE, t_));
      for (Piece& piece : Range(t_ + 1, low + 1)) pieces.push_back(std::move(piece));
      for (Piece& piece : Range(left, t_)) pieces.push_back(std::move(piece));
      pieces.push_back(New(P::LE, t_));
      for (Piece& piece : Range(low + 1, high)) pieces.push_back(std::move(piece));
      std::string path = Source(left, t_);
      std::string text = fmt::format("{} >= {} and {} <= {}", path, Source(t_ + 1, low), path,
                                     Source(low + 1, high));
      Put(left, high, std::move(pieces), text);
      return Say("there is no `between` in a condition", fmt::format("write `{}`", text));
    }
    if (OneOf(word, {"equals", "eq", "equal", "is"}) && Type(t_ + 1) != P::NOT &&
        Type(t_ + 1) != P::KNOWN) {
      bool to = Type(t_ + 1) == P::TO;
      Put(t_, to ? t_ + 2 : t_ + 1, {New(P::EQEQ, t_)}, "==");
      return Say(fmt::format("{} does not compare", Ticked(Text(t_))), "to compare, write `==`");
    }
    if (OneOf(word, {"startswith", "starts_with", "endswith", "ends_with", "starts", "ends"})) {
      return Say(
          fmt::format("{} does not stand between two values", Ticked(Text(t_))),
          fmt::format("it is a function: `{}({}, …)`; or use `like \"…*\"`",
                      word.starts_with("s") ? "starts_with" : "ends_with", Source(left, t_)));
    }
    if (Type(t_) == P::WHEN || Type(t_) == P::IF || word == "provided" || word == "with") {
      Put(t_, t_ + 1, {New(P::WHERE, t_)}, "where");
      return Say(fmt::format("{} does not begin a condition", Ticked(Text(t_))),
                 "a condition is said by `where`");
    }
    if (Type(t_) == P::UNLESS || word == "except") {
      return Say(
          fmt::format("{} is not part of {}", Ticked(Text(t_)), BlockName(stop_.frames[0].rule)),
          "an exception is a condition, `where not (…)`, or a `forbid` of its own");
    }
    return false;
  }

  bool Brackets() {
    if (Type(t_) == P::LBRACK) {
      size_t close = Matching(t_, P::LBRACK, P::RBRACK);
      if (close == 0) return false;
      bool expression = StartsHere(P::RuleExpr);
      bool list = StartsHere(P::RuleSubjects) || StartsHere(P::RuleReach);
      if (!expression && !list) return false;
      std::vector<Piece> pieces = Range(t_ + 1, close);
      std::string inside = Source(t_ + 1, close);
      if (expression) {
        pieces.insert(pieces.begin(), New(P::LBRACE, t_));
        pieces.push_back(New(P::RBRACE, close));
        Put(t_, close + 1, std::move(pieces), "{" + inside + "}");
        return Say("sets stand in braces", fmt::format("write `{{{}}}`", inside));
      }
      Put(t_, close + 1, std::move(pieces), inside);
      return Say("a list stands without brackets", fmt::format("write `{}`", inside));
    }
    if (Type(t_) == P::LPAREN && (StartsHere(P::RuleSubjects) || StartsHere(P::RuleReach))) {
      size_t close = Matching(t_, P::LPAREN, P::RPAREN);
      if (close == 0) return false;
      std::string inside = Source(t_ + 1, close);
      Put(t_, close + 1, Range(t_ + 1, close), inside);
      return Say("a list stands without brackets", fmt::format("write `{}`", inside));
    }
    if (Type(t_) == P::LBRACE && stop_.in_block && HoldsConditions(block_rule_)) {
      size_t close = Matching(t_, P::LBRACE, P::RBRACE);
      if (close == 0 || t_ <= stop_.open_brace + 1) return false;
      Put(t_, close + 1, Range(t_ + 1, close), "", false);
      return Say(
          fmt::format("{} has one block, and no blocks in it", BlockName(stop_.frames[0].rule)),
          "leave these braces out: the clauses follow one another");
    }
    // list<string>
    if (Type(t_) == P::LT && t_ > 0 && stop_.in_block &&
        OneOf(Lower(Text(t_ - 1)), {"list", "array", "set", "collection", "vector"})) {
      Put(t_ - 1, t_, {New(P::SET, t_ - 1)}, "set");
      found_.token = t_ - 1;
      return Say(fmt::format("there is no type called {}", Ticked(Text(t_ - 1))),
                 "several values are a `set<…>`");
    }
    return false;
  }

  bool Lists() {
    size_t type = Type(t_);
    bool word_before = t_ > 0 && IsWordType(Type(t_ - 1));
    if ((type == P::AND || type == P::OR) && word_before &&
        (In(P::RuleActions) || (In(P::RuleReach) && Wants(P::ON)) ||
         (stop_.in_block && !HoldsWhere()) || Wants(P::COMMA))) {
      Put(t_, t_ + 1, {New(P::COMMA, t_)}, ",");
      return Say(fmt::format("lists are written with commas, not with `{}`", Text(t_)),
                 fmt::format("write `{}, {}`", Text(t_ - 1), Text(t_ + 1)));
    }
    // to role a, may read …
    bool head = IsClauseHead(type, reader_);
    if (head && clause_rule_ != 0 && t_ > 0 && Type(t_ - 1) == P::COMMA && !InExpression()) {
      found_.token = t_ - 1;
      Put(t_ - 1, t_, {}, "");
      return Say("clauses follow one another without commas", "leave this comma out");
    }
    if (type == P::COMMA && stop_.in_block) {
      Put(t_, t_ + 1, {}, "");
      return Say("clauses follow one another without commas", "leave this comma out");
    }
    if (type == P::BEYOND && stop_.in_block) {
      Put(t_, t_, {New(P::COMMA, t_)}, ", ");
      return Say("a comma is missing before `beyond`", "write `limit … each, beyond that ask …`");
    }
    // to: role buyer
    if (type == P::COLON && t_ > 0 && IsClauseHead(Type(t_ - 1), reader_) && !InExpression() &&
        !Wants(P::ASSIGN)) {
      Put(t_, t_ + 1, {}, "");
      return Say(fmt::format("there is no `:` after `{}`", Text(t_ - 1)), "leave it out");
    }
    return false;
  }

  // Is the clause before this token one with a condition?
  bool HoldsWhere() const {
    for (size_t i = t_; i-- > stop_.open_brace + 1;) {
      if (Type(i) == P::WHERE || Type(i) == P::UNLESS) return true;
      if (tokens_.At(i).first_on_line() && IsClauseHead(Type(i), reader_)) return false;
    }
    return false;
  }

  bool Words() {
    if (!stop_.in_block || !IsWordType(Type(t_))) return false;
    std::string word = Lower(Text(t_));
    for (const Otherwise& row : kOtherwise) {
      if (row.word != word || (row.clause_rule != 0 && row.clause_rule != block_rule_)) continue;
      if (row.clause_rule == 0 && block_rule_ == P::RuleStep) continue;
      std::vector<Piece> pieces;
      size_t blank = row.meant.find(' ');
      pieces.push_back(New(KeywordType(row.meant.substr(0, blank)), t_));
      if (blank != std::string_view::npos)
        pieces.push_back(New(KeywordType(row.meant.substr(blank + 1)), t_));
      if (row.meant == "key" && Type(t_ + 1) == P::COLON) pieces.push_back(Same(t_));
      bool colon = Type(t_ + 1) == P::COLON && row.meant != "key";
      std::string text =
          pieces.size() > 1 && row.meant == "key" ? "key id" : std::string(row.meant);
      Put(t_, colon ? t_ + 2 : t_ + 1, std::move(pieces), text);
      found_.code = DPL0102;
      return Say(FillTemplate(InfoOf(DPL0102).message,
                              {Ticked(Text(t_)), std::string(BlockName(stop_.frames[0].rule))}),
                 std::string(row.why));
    }
    // title: string
    bool attributes = block_rule_ == P::RuleResourceClause || block_rule_ == P::RulePersonClause ||
                      block_rule_ == P::RuleContextClause;
    if (attributes && Type(t_ + 1) == P::COLON) {
      Put(t_, t_, {New(P::HAS, t_)}, "has ");
      return Say(fmt::format("`has` is missing before {}", Ticked(Text(t_))),
                 fmt::format("an attribute is declared as `has {}: …`", Text(t_)));
    }
    bool members =
        OneOf(word, {"member", "members", "person", "people", "users", "has", "includes", "user"});
    if (members && (block_rule_ == P::RuleTeamClause || block_rule_ == P::RuleRoleClause)) {
      std::string kind = block_rule_ == P::RuleTeamClause ? "team" : "role";
      found_.code = DPL0102;
      return Say(
          FillTemplate(InfoOf(DPL0102).message, {Ticked(Text(t_)), "a " + kind}),
          fmt::format("who is in a {} is data, not policy: the facts file says it, or a test's "
                      "`given {{ {} … has person \"…\" }}`",
                      kind, kind));
    }
    if (Type(t_) == P::WHERE && HoldsConditions(block_rule_)) {
      found_.code = DPL0102;
      return Say(FillTemplate(InfoOf(DPL0102).message,
                              {"`where`", std::string(BlockName(stop_.frames[0].rule))}),
                 "a condition belongs to what is allowed: `may … on … where …`");
    }
    if (word == "condition" || word == "conditions") {
      return Say(fmt::format("{} does not begin a clause", Ticked(Text(t_))),
                 "a condition stands behind what it is about: `may … on … where …`");
    }
    // ask role manager
    bool asked =
        t_ > 1 &&
        (Type(t_ - 1) == P::ROLE || Type(t_ - 1) == P::TEAM || Type(t_ - 1) == P::PERSON) &&
        Type(t_ - 2) == P::ASK;
    if (asked) {
      return Say(
          fmt::format("`ask {} {}` names people, and an approval is needed", Text(t_ - 1),
                      Text(t_)),
          fmt::format(
              "declare `approval NAME {{ by 1 of {} {}  because \"…\" }}` and write `ask NAME`",
              Text(t_ - 1), Text(t_)));
    }
    return false;
  }

  bool Subjects() {
    if (!StartsHere(P::RuleSubject) && !StartsHere(P::RuleApprover) &&
        !StartsHere(P::RuleOwnerRef) && !StartsHere(P::RuleMember) && !StartsHere(P::RuleAttempt))
      return false;
    size_t type = Type(t_);
    std::string word = Lower(Text(t_));
    if (type == P::STRING) {
      Put(t_, t_, {New(P::PERSON, t_)}, "person ");
      return Say(fmt::format("`person` is missing before the text {}", Ticked(Text(t_))),
                 fmt::format("one person is named `person {}`", Text(t_)));
    }
    if (type == P::NOT)
      return Say("nobody is left out here",
                 "an exception is a condition, `where not (person in …)`, or a `forbid`");
    if (type == P::IDENT && !StartsHere(P::RuleAttempt)) {
      size_t kind = DeclaredAs(Text(t_));
      if (kind != 0) {
        std::string meant = KeywordText(kind);
        Put(t_, t_, {New(kind, t_)}, meant + " ");
        return Say(fmt::format("`{}` is missing before {}", meant, Ticked(Text(t_))),
                   fmt::format("write `{} {}`", meant, Text(t_)));
      }
    }
    size_t next = Type(t_ + 1);
    struct Kind {
      std::array<std::string_view, 5> words;  // padded with empty ones
      size_t type;
    };
    const std::array<Kind, 4> kinds = {
        Kind{{{"teams", "group", "groups", "department", "unit"}}, P::TEAM},
        Kind{{{"roles", "profile"}}, P::ROLE},
        Kind{{{"user", "users", "people", "employee", "persons"}}, P::PERSON},
        Kind{{{"agents", "bot", "service", "app"}}, P::AGENT},
    };
    for (const Kind& kind : kinds) {
      if (word.empty() || std::find(kind.words.begin(), kind.words.end(), word) == kind.words.end())
        continue;
      bool fits = kind.type == P::PERSON ? next == P::STRING : IsWordType(next);
      if (!fits || tokens_.At(t_ + 1).first_on_line()) continue;
      std::string meant = KeywordText(kind.type);
      Put(t_, t_ + 1, {New(kind.type, t_)}, meant);
      return Say(fmt::format("expected who is meant, found {}", Ticked(Text(t_))),
                 fmt::format("write `{} {}`", meant, Text(t_ + 1)));
    }
    if (OneOf(word, {"anyone", "everybody", "anybody", "all", "*"}) && StartsHere(P::RuleSubject)) {
      Put(t_, t_ + 1, {New(P::EVERYONE, t_)}, "everyone");
      return Say(fmt::format("expected who is meant, found {}", Ticked(Text(t_))),
                 "write `everyone`");
    }
    if (type == P::IDENT && !StartsHere(P::RuleAttempt)) {
      if (next == P::COMMA || next == P::RBRACE || IsWordType(next)) {
        Say(fmt::format("expected who is meant, found {}", Ticked(Text(t_))),
            fmt::format("say what it is: `role {}`, `team {}` or `person \"…\"`", Text(t_),
                        Text(t_)));
        return true;
      }
    }
    return false;
  }

  bool Reaches() {
    size_t type = Type(t_);
    std::string word = Lower(Text(t_));
    if (StartsHere(P::RuleReach)) {
      bool all = type == P::STAR || OneOf(word, {"all", "everything", "anything", "any"});
      if (all) {
        size_t end = t_ + 1;
        if (OneOf(Lower(Text(end)), {"action", "actions"})) ++end;
        Put(t_, end, {New(P::ANY, t_), New(P::ACTION, t_)}, "any action");
        return Say(fmt::format("expected what may be done, found {}", Ticked(Text(t_))),
                   "every action is written `any action`; better name those that are needed");
      }
    }
    if (t_ > 0 && Type(t_ - 1) == P::ANY && word == "actions" && Wants(P::ACTION)) {
      PutType(P::ACTION, "action");
      return Say("expected `action`, found `actions`");
    }
    if (type == P::STAR && In(P::RuleSelector)) {
      if (t_ > 1 && Type(t_ - 1) == P::DOT) {
        size_t begin = OperandBegin(t_ - 1);
        std::string system = Source(begin, t_ - 1);
        std::vector<Piece> pieces = {New(P::EVERYTHING, begin), New(P::IN, begin)};
        for (Piece& piece : Range(begin, t_ - 1)) pieces.push_back(std::move(piece));
        Put(begin, t_ + 1, std::move(pieces), "everything in " + system);
        return Say("expected a resource type, found `*`",
                   fmt::format("every type of a system is written `everything in {}`", system));
      }
      return Say("expected a resource type, found `*`",
                 "name the types: `on system.Type`; or a whole system: `on everything in system`");
    }
    // on shop.Order/123, on shop.Order:123
    if (type == P::STRING && stop_.in_block) return false;
    return false;
  }

  bool Limits() {
    if (!In(P::RuleLimitTerms) && !In(P::RuleQuantity)) return false;
    size_t type = Type(t_);
    std::string word = Lower(Text(t_));
    if (Wants(P::TO) && stop_.expected.size() == 1) {
      size_t end = t_ + 1;
      bool comparison = type == P::LE || type == P::LT || type == P::ASSIGN || type == P::EQEQ ||
                        type == P::COLON;
      bool up = (word == "up" || word == "at") &&
                (Lower(Text(end)) == "to" || Lower(Text(end)) == "most");
      if (up) ++end;
      if (comparison || up || OneOf(word, {"max", "of", "is", "under", "below", "by", "maximum"})) {
        Put(t_, end, {New(P::TO, t_)}, "to");
        return Say(fmt::format("expected `to`, found {}", Ticked(Source(t_, end))),
                   fmt::format("a limit reads `limit {} to 5_000 USD each`", Text(t_ - 1)));
      }
    }
    if (type == P::STRING && StartsHere(P::RuleQuantity)) {
      std::string inner = Inner();
      size_t digits = inner.find_first_not_of("0123456789_.");
      const SourceToken& token = tokens_.At(t_);
      uint32_t begin = token.begin() + 1;
      if (digits == std::string::npos && !inner.empty()) {
        Put(t_, t_ + 1, {{P::NUMBER, begin, token.end() - 1, inner}}, inner);
      } else if (digits != 0 && digits != std::string::npos && inner.size() == digits + 4 &&
                 inner[digits] == ' ') {
        auto split = begin + static_cast<uint32_t>(digits);
        Put(t_, t_ + 1,
            {{P::NUMBER, begin, split, inner.substr(0, digits)},
             {P::CURRENCY, split + 1, token.end() - 1, inner.substr(digits + 1)}},
            inner);
      } else {
        return false;
      }
      return Say(fmt::format("an amount stands without quotes, found {}", Ticked(Text(t_))),
                 fmt::format("write `{}`", inner));
    }
    if (type == P::NUMBER && t_ > 0 && Type(t_ - 1) == P::CURRENCY) {
      std::string text = Text(t_) + " " + Text(t_ - 1);
      Put(t_ - 1, t_ + 1, {Same(t_), Same(t_ - 1)}, text);
      return Say("the currency stands behind the number", fmt::format("write `{}`", text));
    }
    if (!StartsHere(P::RulePeriod) && !In(P::RulePeriod)) return false;
    if (OneOf(word, {"dollars", "dollar", "euros", "euro", "pounds", "usd", "eur", "gbp"}))
      return Say(fmt::format("{} is not a currency", Ticked(Text(t_))),
                 "currencies are three capitals, as in `5_000 USD` or `5_000 EUR`");
    struct Period {
      std::string_view word;
      size_t unit;
    };
    constexpr std::array<Period, 6> kPeriods = {{{"hourly", P::HOUR},
                                                 {"daily", P::DAY},
                                                 {"weekly", P::WEEK},
                                                 {"monthly", P::MONTH},
                                                 {"quarterly", P::QUARTER},
                                                 {"yearly", P::YEAR}}};
    for (const Period& period : kPeriods) {
      if (word != period.word && !(word == "annually" && period.unit == P::YEAR)) continue;
      std::string text = "per " + KeywordText(period.unit);
      Put(t_, t_ + 1, {New(P::PER, t_), New(period.unit, t_)}, text);
      return Say(fmt::format("expected a period, found {}", Ticked(Text(t_))),
                 fmt::format("write `{}`", text));
    }
    bool unit_next = Type(t_ + 1) == P::DAY || Type(t_ + 1) == P::HOUR || Type(t_ + 1) == P::WEEK ||
                     Type(t_ + 1) == P::MONTH || Type(t_ + 1) == P::YEAR ||
                     Type(t_ + 1) == P::QUARTER;
    if (OneOf(word, {"a", "an", "every", "each"}) && unit_next) {
      Put(t_, t_ + 1, {New(P::PER, t_)}, "per");
      return Say(fmt::format("expected a period, found {}", Ticked(Source(t_, t_ + 2))),
                 fmt::format("write `per {}`", Text(t_ + 1)));
    }
    if (t_ > 0 && Type(t_ - 1) == P::PER) {
      if (OneOf(word, {"transaction", "request", "call", "order", "action", "payment", "use",
                       "each", "item", "time", "purchase", "act"})) {
        Put(t_ - 1, t_ + 1, {New(P::EACH, t_)}, "each");
        return Say(fmt::format("{} is not a period", Ticked(Text(t_))),
                   "a limit on every single act is written `each`");
      }
      if (word == "minute" || word == "second") {
        std::string text = word == "minute" ? "in any 1m" : "in any 1s";
        Put(t_ - 1, t_ + 1, {New(P::IN, t_), New(P::ANY, t_), New(P::DURATION, t_, text.substr(7))},
            text);
        return Say(fmt::format("{} is not a period", Ticked(Text(t_))),
                   fmt::format("short windows slide: `{}`", text));
      }
      if (OneOf(word, {"person", "user", "agent", "resource", "team", "task", "instance"}))
        return Say(fmt::format("{} is not a period", Ticked(Text(t_))),
                   fmt::format("say over what time, then for whom: `per day for each {}`",
                               word == "user" ? "person" : word));
    }
    // for each person per day
    if (type == P::FOR && Type(t_ + 1) == P::EACH) {
      size_t end = OperandEndFrom(t_ + 2);
      while (end > t_ + 2 && Type(end) == P::AND) end = OperandEndFrom(end + 1);
      size_t after = end;
      if (Type(end) == P::PER) after = end + 2;
      if (Type(end) == P::IN && Type(end + 1) == P::ANY) after = end + 3;
      if (Type(end) == P::IN && Type(end + 1) == P::TOTAL) after = end + 2;
      if (after == end)
        return Say("expected a period, found `for`",
                   fmt::format("say over what time first: `per day {}`", Source(t_, end)));
      std::vector<Piece> pieces = Range(end, after);
      for (Piece& piece : Range(t_, end)) pieces.push_back(std::move(piece));
      std::string text = Source(end, after) + " " + Source(t_, end);
      Put(t_, after, std::move(pieces), text);
      return Say("the period comes first, then for whom it is counted",
                 fmt::format("write `{}`", text));
    }
    if (StartsHere(P::RulePeriod) && (IsClauseHead(type, reader_) || type == P::RBRACE)) {
      found_.mends = true;
      Put(t_, t_, {New(P::EACH, t_)}, "each ", false);
      return Say(fmt::format("this limit has no period before {}", Ticked(Text(t_))),
                 "say `each` for every single act, `per day`, `in any 15m` or `in total`");
    }
    return false;
  }

  // The text inside a string token.
  std::string Inner() const {
    std::string text = Text(t_);
    return text.size() < 2 ? std::string() : text.substr(1, text.size() - 2);
  }

  bool Values() {
    size_t type = Type(t_);
    const SourceToken& token = tokens_.At(t_);
    if (type == P::STRING && !Wants(P::STRING)) {
      std::string inner = Inner();
      size_t meant = Wants(P::DATE) && ParseDate(inner).ok()           ? size_t{P::DATE}
                     : Wants(P::DATETIME) && ParseInstant(inner).ok()  ? size_t{P::DATETIME}
                     : Wants(P::TIME) && ParseTime(inner).ok()         ? size_t{P::TIME}
                     : Wants(P::DURATION) && ParseDuration(inner).ok() ? size_t{P::DURATION}
                                                                       : 0;
      if (meant == 0) return false;
      Put(t_, t_ + 1, {{meant, token.begin() + 1, token.end() - 1, inner}}, inner);
      return Say(fmt::format("{} stands without quotes", Ticked(inner)),
                 fmt::format("write `{}`", inner));
    }
    if (type == P::NUMBER && Wants(P::DURATION)) {
      std::string unit = Lower(Text(t_ + 1));
      std::string number = Text(t_);
      struct Unit {
        std::string_view word, letter;
      };
      constexpr std::array<Unit, 12> kUnits = {{{"day", "d"},
                                                {"days", "d"},
                                                {"hour", "h"},
                                                {"hours", "h"},
                                                {"minute", "m"},
                                                {"minutes", "m"},
                                                {"second", "s"},
                                                {"seconds", "s"},
                                                {"week", "w"},
                                                {"weeks", "w"},
                                                {"d", "d"},
                                                {"h", "h"}}};
      for (const Unit& row : kUnits) {
        if (row.word != unit) continue;
        std::string text = number + std::string(row.letter);
        Piece piece = New(P::DURATION, t_, text);
        piece.end = tokens_.At(t_ + 1).end();
        Put(t_, t_ + 2, {piece}, text);
        return Say(fmt::format("expected a duration, found {}", Ticked(Source(t_, t_ + 2))),
                   fmt::format("write `{}`", text));
      }
      if (OneOf(unit, {"month", "months", "year", "years", "quarter", "quarters"})) {
        int days = unit.starts_with("m") ? 30 : unit.starts_with("y") ? 365 : 90;
        int count = number.size() < 4 ? std::atoi(number.c_str()) : 0;
        return Say(fmt::format("expected a duration, found {}", Ticked(Source(t_, t_ + 2))),
                   fmt::format("months and years differ in length, so durations are in days: `{}d`",
                               std::max(count, 1) * days));
      }
      return false;
    }
    if (Wants(P::DURATION) && IsWordType(type) && !Wants(P::IDENT)) {
      std::string word = Lower(Text(t_));
      const char* text = word == "day" || word == "daily"                           ? "1d"
                         : word == "week" || word == "weekly"                       ? "7d"
                         : word == "hour" || word == "hourly"                       ? "1h"
                         : word == "month" || word == "monthly"                     ? "30d"
                         : word == "quarter" || word == "quarterly"                 ? "90d"
                         : word == "year" || word == "yearly" || word == "annually" ? "365d"
                                                                                    : nullptr;
      if (text == nullptr) return false;
      Put(t_, t_ + 1, {New(P::DURATION, t_, text)}, text);
      return Say(fmt::format("expected a duration such as `30d`, found {}", Ticked(Text(t_))),
                 fmt::format("write `{}`", text));
    }
    // 2026-11-20 10:00
    if ((type == P::TIME || type == P::DATETIME) && t_ > 0 && Type(t_ - 1) == P::DATE) {
      return Say("a date and a time make one value",
                 fmt::format("write `{}T{}Z`, with `Z` or the offset of the place", Text(t_ - 1),
                             Text(t_)));
    }
    if (Wants(P::WEEKDAY) && IsWordType(type)) {
      std::string day = Lower(Text(t_)).substr(0, 3);
      if (OneOf(day, {"mon", "tue", "wed", "thu", "fri", "sat", "sun"})) {
        Put(t_, t_ + 1, {New(P::WEEKDAY, t_, day)}, day);
        return Say(fmt::format("days are written with three letters, found {}", Ticked(Text(t_))),
                   fmt::format("write `{}`", day));
      }
    }
    if (type == P::MINUS && In(P::RuleCalendarClause) && Wants(P::TO)) {
      Put(t_, t_ + 1, {New(P::TO, t_)}, " to ");
      return Say("from … to is written with `to`",
                 fmt::format("write `{} to {}`", Text(t_ - 1), Text(t_ + 1)));
    }
    if (type == P::STRING && t_ > 1 && Type(t_ - 1) == P::AS && Type(t_ - 2) == P::RUNS) {
      Put(t_, t_, {{P::IDENT, token.begin(), token.begin(), "spiffe"}}, "spiffe ");
      return Say(fmt::format("`spiffe` is missing before the text {}", Ticked(Text(t_))),
                 fmt::format("write `runs as spiffe {}`", Text(t_)));
    }
    // by role manager
    if (Wants(P::NUMBER) && t_ > 0 && Type(t_ - 1) == P::BY && In(P::RuleApprovalClause)) {
      Put(t_, t_, {{P::NUMBER, token.begin(), token.begin(), "1"}, New(P::OF, t_)}, "1 of ");
      return Say(fmt::format("expected how many people approve, found {}", Ticked(Text(t_))),
                 fmt::format("write `by 1 of {} …`", Text(t_)));
    }
    // with approval second_pair by person "E9"
    if (Wants(P::LAST) && t_ > 1 && Type(t_ - 1) == P::APPROVAL && Type(t_ - 2) == P::WITH) {
      return Say(fmt::format("expected `last` after `with approval`, found {}", Ticked(Text(t_))),
                 "in a test people answer the last `ask` first, by `approve last by person \"…\"`; "
                 "then ask again `with approval last`");
    }
    // person E2
    if ((Wants(P::STRING) || stop_.expected.isEmpty()) && t_ > 0 && Type(t_ - 1) == P::PERSON &&
        (type == P::IDENT || type == P::NUMBER)) {
      std::string quoted = "\"" + Text(t_) + "\"";
      Put(t_, t_ + 1, {New(P::STRING, t_, quoted)}, quoted);
      return Say(fmt::format("expected an id in double quotes, found {}", Ticked(Text(t_))),
                 fmt::format("ids are texts: write `person \"{}\"`", Text(t_)));
    }
    // because Buyers read orders
    if (Wants(P::STRING) && stop_.expected.size() == 1 && IsWordType(type) && t_ > 0 &&
        OneOf(Text(t_ - 1), {"because", "purpose", "signs", "ticket", "meaning"})) {
      size_t end = t_ + 1;
      while (end + 1 < const_cast<TokenList&>(tokens_).size() && Type(end) != P::RBRACE &&
             !tokens_.At(end).first_on_line() && Type(end) != P::STRING &&
             !OneOf(Text(end), {"because", "may", "limit", "expires", "review", "granted"}))
        ++end;
      std::string text = Source(t_, end);
      if (text.find('"') != std::string::npos) return false;
      Put(t_, end, {{P::STRING, token.begin(), tokens_.At(end - 1).end(), {}}}, "\"" + text + "\"");
      return Say(fmt::format("expected a text in double quotes, found {}", Ticked(Text(t_))),
                 fmt::format("texts stand in double quotes: `\"{}\"`", text));
    }
    return false;
  }

  bool Heads() {
    size_t type = Type(t_);
    // grant g: {
    if ((type == P::COLON || type == P::ASSIGN) && Wants(P::LBRACE)) {
      if (Type(t_ + 1) == P::LBRACE) {
        Put(t_, t_ + 1, {}, "");
        return Say(fmt::format("there is no {} before the block", Ticked(Text(t_))),
                   "leave it out");
      }
      return Say(fmt::format("expected `{{`, found {}", Ticked(Text(t_))),
                 "the clauses stand in braces: `NAME { … }`");
    }
    if (In(P::RuleTaskDecl) && type == P::LBRACE && Wants(P::LPAREN)) {
      Put(t_, t_, {New(P::LPAREN, t_), New(P::RPAREN, t_)}, "() ");
      return Say("`()` is missing before `{`",
                 fmt::format("a task names its parameters, or none: `task {}()`", Text(t_ - 1)));
    }
    if (In(P::RuleResourceDecl) && Wants(P::IN) && t_ > 1 && Type(t_ - 2) == P::RESOURCE) {
      if (type == P::DOT && IsWordType(Type(t_ + 1))) {
        std::string text = Text(t_ + 1) + " in " + Text(t_ - 1);
        Put(t_ - 1, t_ + 2, {Same(t_ + 1), New(P::IN, t_), Same(t_ - 1)}, text);
        return Say("a type is declared with its system behind it",
                   fmt::format("write `resource {}`", text));
      }
      if (type == P::LBRACE)
        return Say("this resource type lies in no system",
                   fmt::format("write `resource {} in SYSTEM {{ … }}`, and declare the `system`",
                               Text(t_ - 1)));
    }
    return false;
  }
};

}  // namespace

std::optional<Finding> FindSlip(const TokenList& tokens, const Stop& stop, RuleReader* reader) {
  return SlipFinder(tokens, stop, reader).Run();
}

}  // namespace dpl::syntax
