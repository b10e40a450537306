// One attempt at one grammar rule: a parse tree, or the first place where the text does not fit.
//
// This is where ANTLR runs. Its own recovery is switched off: it reports consequences. The attempt
// stops at the first misfit and says what rules it was in; recover.cc decides what to take out, and
// the rule is tried again. Internal to this room.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <vector>

#include "DplParser.h"
#include "compiler/syntax/lex_table.h"
#include "compiler/syntax/tokens.h"

namespace dpl::syntax {

// A rule the parser was inside of, and the index of the token it began with.
struct Frame {
  size_t rule;
  size_t start;
};

struct Stop {
  size_t token = 0;           // index of the token that does not fit
  bool too_deep = false;      // expressions nested beyond what we read
  bool in_block = false;      // the innermost frame has its `{` and waits for a clause or its `}`
  size_t open_brace = 0;      // index of that `{`
  std::vector<Frame> frames;  // innermost first
  antlr4::misc::IntervalSet expected;  // token types that would fit; may be empty
};

// What reading one file teaches for the next: the tables of the lexer and of the parser's
// decisions. Belongs to one thread at a time; Borrow hands out one that is free, warm if there is
// one.
class Learned {
 public:
  Learned();
  ~Learned();
  struct Return {
    void operator()(Learned* learned) const;
  };
  using Lease = std::unique_ptr<Learned, Return>;
  static Lease Borrow();

  LexTable lexer;
  std::vector<antlr4::dfa::DFA> decisions;
  antlr4::atn::PredictionContextCache contexts;
};

class RuleReader {
 public:
  RuleReader(TokenList* tokens, Learned* learned);
  ~RuleReader();

  // Reads `rule` from token `from`. The tree lives until the next call. Null: `*stop` says where
  // and why.
  antlr4::ParserRuleContext* Read(size_t rule, size_t from, Stop* stop);
  size_t end() const;  // index after the last token of the tree

  // Token types a rule can begin with.
  const antlr4::misc::IntervalSet& First(size_t rule);

 private:
  class Guarded;
  TokenList* tokens_;
  std::unique_ptr<Guarded> parser_;
  std::map<size_t, antlr4::misc::IntervalSet> first_;
};

// The rule of the clauses in a declaration's block (grantDecl: grantClause); 0 where there is no
// such block.
size_t ClauseRuleOf(size_t declaration_rule);
// Is it the rule of one line of a block: grantClause, step, datum …
bool IsClauseRule(size_t rule);

}  // namespace dpl::syntax
