// How a slip is looked at and mended: the tokens round the misfit, and the tokens and the text that
// take their place. Internal to this room; slips.cc is the table of slips.
#pragma once

#include <algorithm>
#include <array>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "compiler/syntax/messages.h"
#include "compiler/syntax/reader.h"
#include "compiler/syntax/tokens.h"
#include "compiler/syntax/words.h"

namespace dpl::syntax {

inline std::string Lower(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return text;
}

inline bool OneOf(std::string_view word, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// The clauses whose last part is a condition: what follows it may belong to it.
inline bool HoldsConditions(size_t clause_rule) {
  constexpr std::array kRules = {DplParser::RuleGrantClause,      DplParser::RuleForbidClause,
                                 DplParser::RuleLimitDeclClause,  DplParser::RuleAgentClause,
                                 DplParser::RuleDelegationClause, DplParser::RuleTaskClause,
                                 DplParser::RuleRoleClause,       DplParser::RuleObligationClause,
                                 DplParser::RuleBreakGlassClause, DplParser::RulePartnerClause};
  return std::find(kRules.begin(), kRules.end(), clause_rule) != kRules.end();
}

class SlipReader {
 public:
  SlipReader(const TokenList& tokens, const Stop& stop, RuleReader* reader)
      : tokens_(tokens), stop_(stop), reader_(reader), t_(stop.token) {
    for (const Frame& frame : stop.frames) {
      if (IsClauseRule(frame.rule) && clause_rule_ == 0) clause_rule_ = frame.rule;
    }
    if (stop.in_block) {
      size_t block = stop.frames[0].rule;
      block_rule_ = block == P::RuleStep ? size_t{P::RuleStep} : ClauseRuleOf(block);
    }
  }

 protected:
  using P = DplParser;

  // ---- looking
  size_t Type(size_t i) const { return tokens_.TypeAt(i); }
  std::string Text(size_t i) const { return tokens_.At(i).getText(); }
  bool Wants(size_t type) const { return stop_.expected.contains(static_cast<ssize_t>(type)); }
  bool In(size_t rule) const {
    return std::any_of(stop_.frames.begin(), stop_.frames.end(),
                       [rule](const Frame& f) { return f.rule == rule; });
  }
  bool StartsHere(size_t rule) const {
    return std::any_of(stop_.frames.begin(), stop_.frames.end(),
                       [&](const Frame& f) { return f.rule == rule && f.start == t_; });
  }
  bool InExpression() const { return In(P::RuleExpr); }
  // Right behind a clause that may end with a condition.
  bool AfterCondition() const {
    return stop_.in_block && HoldsConditions(block_rule_) && t_ > stop_.open_brace + 1 &&
           OperandEnd(t_ - 1);
  }
  bool OperandEnd(size_t i) const {
    size_t type = Type(i);
    return IsWordType(type) || type == P::RPAREN || type == P::RBRACE || type == P::RBRACK ||
           type == P::STRING || type == P::NUMBER || type == P::DURATION || type == P::DATE ||
           type == P::DATETIME || type == P::TIME;
  }
  // The first token of the path, literal or reference that ends before `end`.
  size_t OperandBegin(size_t end) const {
    size_t i = end - 1;
    if (Type(i) == P::CURRENCY && i > 0 && Type(i - 1) == P::NUMBER) return i - 1;
    if (Type(i) == P::STRING && i > 0 && IsWordType(Type(i - 1)) &&
        !(i > 1 && IsReservedType(Type(i - 1), reader_)))
      i = i - 1;
    while (i >= 2 && Type(i - 1) == P::DOT && IsWordType(Type(i - 2))) i -= 2;
    if (i > 0 && IsWordType(Type(i)) && (Type(i - 1) == P::TEAM || Type(i - 1) == P::ROLE)) --i;
    return i;
  }
  // One past the path, literal or reference that begins at `begin`; `begin` when there is none.
  size_t OperandEndFrom(size_t begin) const {
    size_t type = Type(begin);
    if (type == P::NUMBER && Type(begin + 1) == P::CURRENCY) return begin + 2;
    if (type == P::STRING || type == P::NUMBER || type == P::DURATION || type == P::DATE ||
        type == P::DATETIME || type == P::TIME || type == P::TRUE || type == P::FALSE)
      return begin + 1;
    if (!IsWordType(type) || IsReservedType(type, reader_)) return begin;
    size_t i = begin + 1;
    while (Type(i) == P::DOT && IsWordType(Type(i + 1))) i += 2;
    if (Type(i) == P::STRING && !tokens_.At(i).first_on_line()) ++i;
    return i;
  }
  size_t Matching(size_t open, size_t opens, size_t closes) const {
    size_t depth = 0;
    for (size_t i = open; i + 1 < const_cast<TokenList&>(tokens_).size(); ++i) {
      if (Type(i) == opens) ++depth;
      if (Type(i) == closes && --depth == 0) return i;
    }
    return 0;
  }
  std::string Source(size_t begin, size_t end) const {
    if (begin >= end) return {};
    std::string text;
    for (size_t i = begin; i < end; ++i) {
      if (i > begin && tokens_.At(i).begin() > tokens_.At(i - 1).end()) text += ' ';
      text += Text(i);
    }
    return text;
  }
  // How the set declares `name`: `role`, `team`, `agent`; 0 when nothing of this file does, or
  // several do.
  size_t DeclaredAs(const std::string& name) const {
    size_t found = 0;
    for (size_t i = 1; i + 1 < const_cast<TokenList&>(tokens_).size(); ++i) {
      size_t kind = Type(i - 1);
      if ((kind != P::ROLE && kind != P::TEAM && kind != P::AGENT) || Text(i) != name) continue;
      if (!tokens_.At(i - 1).first_on_line()) continue;
      if (found != 0 && found != kind) return 0;
      found = kind;
    }
    return found;
  }

  // ---- saying and mending
  bool Say(std::string message, std::string help = {}) {
    found_.message = std::move(message);
    if (!help.empty()) found_.help.push_back(std::move(help));
    return true;
  }
  Piece Same(size_t i) const {
    const SourceToken& token = tokens_.At(i);
    return {token.getType(), token.begin(), token.end(), token.getText()};
  }
  std::vector<Piece> Range(size_t begin, size_t end) const {
    std::vector<Piece> pieces;
    for (size_t i = begin; i < end; ++i) pieces.push_back(Same(i));
    return pieces;
  }
  Piece New(size_t type, size_t at, std::string text = {}) const {
    const SourceToken& token = tokens_.At(at);
    return {type, token.begin(), token.end(), std::move(text)};
  }
  // The text `words` (keywords and signs) for tokens [begin, end).
  void Put(size_t begin, size_t end, std::vector<Piece> pieces, std::string text,
           bool sure = true) {
    found_.mends = true;
    found_.sure = sure;
    found_.mend_begin = begin;
    found_.mend_end = end;
    found_.pieces = std::move(pieces);
    found_.mend_text = std::move(text);
  }
  void PutType(size_t type, std::string text) { Put(t_, t_ + 1, {New(type, t_)}, std::move(text)); }

  const TokenList& tokens_;
  const Stop& stop_;
  RuleReader* reader_;
  size_t t_;
  size_t clause_rule_ = 0, block_rule_ = 0;
  Finding found_;
};

}  // namespace dpl::syntax
