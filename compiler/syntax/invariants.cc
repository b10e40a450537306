// The first-token invariant, computed from the grammar's own automaton.
#include "compiler/syntax/invariants.h"

#include <set>

#include <fmt/format.h>

#include "atn/DecisionInfo.h"
#include "atn/ParseInfo.h"
#include "atn/ProfilingATNSimulator.h"
#include "atn/RuleTransition.h"
#include "atn/StarLoopEntryState.h"
#include "atn/Transition.h"
#include "compiler/syntax/lex.h"
#include "compiler/syntax/reader.h"
#include "compiler/syntax/words.h"

namespace dpl::syntax {
namespace {

using P = DplParser;

// Can a text of this rule hold an expression?
bool HoldsExpression(const antlr4::atn::ATN& atn, size_t rule) {
  std::set<size_t> rules = {rule};
  std::vector<size_t> open = {rule};
  while (!open.empty()) {
    size_t next = open.back();
    open.pop_back();
    for (antlr4::atn::ATNState* state : atn.states) {
      if (state == nullptr || state->ruleIndex != next) continue;
      for (antlr4::atn::Transition* transition : state->transitions) {
        if (transition->getSerializationType() != antlr4::atn::Transition::RULE) continue;
        size_t called = static_cast<antlr4::atn::RuleTransition*>(transition)->target->ruleIndex;
        if (rules.insert(called).second) open.push_back(called);
      }
    }
  }
  return rules.count(P::RuleExpr) > 0;
}

}  // namespace

std::vector<std::string> AmbiguousClauseHeadsForTest() {
  TokenList none(nullptr);
  DplParser parser(&none);
  const antlr4::atn::ATN& atn = parser.getATN();
  antlr4::misc::IntervalSet continues;
  for (antlr4::atn::ATNState* state : atn.states) {
    auto* loop = dynamic_cast<antlr4::atn::StarLoopEntryState*>(state);
    if (loop != nullptr && loop->ruleIndex == P::RuleExpr && loop->isPrecedenceDecision)
      continues = atn.nextTokens(loop);
  }
  std::vector<std::string> found;
  for (size_t rule = 0; rule < atn.ruleToStartState.size(); ++rule) {
    bool begins = IsClauseRule(rule) || rule == P::RuleDeclaration;
    if (!begins || !HoldsExpression(atn, rule)) continue;
    for (ssize_t type : atn.nextTokens(atn.ruleToStartState[rule]).toList()) {
      if (type > 0 && continues.contains(type)) {
        found.push_back(fmt::format("{}: {}", parser.getRuleNames()[rule],
                                    WordsFor(static_cast<size_t>(type))));
      }
    }
  }
  if (!continues.contains(static_cast<ssize_t>(P::AND)))
    found.emplace_back("the continuations of an expression were not found");
  return found;
}

size_t LongestLookaheadForTest(const std::string& text) {
  SourceFile source(0, "lookahead.dpl", text);
  DiagnosticSink sink;
  TokenList tokens(&source.text());
  std::vector<Comment> comments;
  LexTable table;
  if (!Lex(source, &sink, &table, &tokens, &comments)) return 0;
  DplParser parser(&tokens);
  parser.removeErrorListeners();
  parser.setProfile(true);
  parser.file();
  size_t longest = 0;
  for (const auto& decision : parser.getParseInfo().getDecisionInfo()) {
    longest = std::max({longest, static_cast<size_t>(decision.SLL_MaxLook),
                        static_cast<size_t>(decision.LL_MaxLook)});
  }
  return longest;
}

std::vector<TokenForTest> TokensByTableForTest(const std::string& text) {
  LexTable table;
  std::vector<TokenForTest> tokens;
  for (size_t at = 0; at < text.size();) {
    LexTable::Match match = table.Next(text, at);
    if (match.type != P::BLANK) tokens.push_back({match.type, at, match.end});
    at = match.end;
  }
  return tokens;
}

std::vector<TokenForTest> TokensByAntlrForTest(const std::string& text) {
  std::vector<size_t> starts;  // of each code point; ANTLR counts those
  for (size_t at = 0; at < text.size(); ++at) {
    if ((static_cast<uint8_t>(text[at]) & 0xc0) != 0x80) starts.push_back(at);
  }
  starts.push_back(text.size());
  antlr4::ANTLRInputStream input(text);
  DplLexer lexer(&input);
  lexer.removeErrorListeners();
  std::vector<TokenForTest> tokens;
  for (auto token = lexer.nextToken(); token->getType() != antlr4::Token::EOF;
       token = lexer.nextToken()) {
    tokens.push_back(
        {token->getType(), starts[token->getStartIndex()], starts[token->getStopIndex() + 1]});
  }
  return tokens;
}

}  // namespace dpl::syntax
