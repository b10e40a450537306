// The generated parser, driven with a strategy that stops at the first misfit.
#include "compiler/syntax/reader.h"

#include <algorithm>
#include <array>
#include <mutex>
#include <utility>

#include "runtime/base/result.h"

namespace dpl::syntax {
namespace {

using P = DplParser;

// Nesting of the parser's own recursion into expressions. Brackets are bounded before
// (kMaxNesting); this bounds chains of `not` and `if` as well, far below what the stack bears.
constexpr size_t kMaxExpressionDepth = 600;

struct Stopped {};  // thrown through the generated code, caught in Read

constexpr std::array kBlocks = {
    std::pair{P::RuleCalendarDecl, P::RuleCalendarClause},
    std::pair{P::RulePersonDecl, P::RulePersonClause},
    std::pair{P::RuleTeamDecl, P::RuleTeamClause},
    std::pair{P::RuleRoleDecl, P::RuleRoleClause},
    std::pair{P::RuleContextDecl, P::RuleContextClause},
    std::pair{P::RuleSystemDecl, P::RuleSystemClause},
    std::pair{P::RuleResourceDecl, P::RuleResourceClause},
    std::pair{P::RuleActivityDecl, P::RuleActivityClause},
    std::pair{P::RuleOwnerDecl, P::RuleOwnerClause},
    std::pair{P::RuleGrantDecl, P::RuleGrantClause},
    std::pair{P::RuleLimitDecl, P::RuleLimitDeclClause},
    std::pair{P::RuleForbidDecl, P::RuleForbidClause},
    std::pair{P::RuleAgentDecl, P::RuleAgentClause},
    std::pair{P::RuleDelegationDecl, P::RuleDelegationClause},
    std::pair{P::RuleTaskDecl, P::RuleTaskClause},
    std::pair{P::RuleApprovalDecl, P::RuleApprovalClause},
    std::pair{P::RuleObligationDecl, P::RuleObligationClause},
    std::pair{P::RuleSeparateDecl, P::RuleSeparateClause},
    std::pair{P::RuleBreakGlassDecl, P::RuleBreakGlassClause},
    std::pair{P::RulePartnerDecl, P::RulePartnerClause},
    std::pair{P::RuleDataDecl, P::RuleDatum},
    std::pair{P::RuleTestDecl, P::RuleStep},
};

// Fills a Stop from where the parser is.
void Capture(antlr4::Parser* parser, const antlr4::Token* token, antlr4::misc::IntervalSet expected,
             Stop* stop) {
  stop->token = token->getTokenIndex();
  stop->expected = std::move(expected);
  stop->frames.clear();
  antlr4::ParserRuleContext* innermost = parser->getContext();
  for (auto* context = innermost; context != nullptr;
       context = static_cast<antlr4::ParserRuleContext*>(context->parent)) {
    stop->frames.push_back({context->getRuleIndex(), context->start == nullptr
                                                         ? stop->token
                                                         : context->start->getTokenIndex()});
  }
  stop->in_block = false;
  if (innermost == nullptr) return;
  size_t rule = innermost->getRuleIndex();
  bool has_block = ClauseRuleOf(rule) != 0 || rule == P::RuleStep;
  if (!has_block || !stop->expected.contains(static_cast<ssize_t>(P::RBRACE))) return;
  for (antlr4::tree::ParseTree* child : innermost->children) {
    auto* leaf = dynamic_cast<antlr4::tree::TerminalNode*>(child);
    if (leaf == nullptr || leaf->getSymbol()->getType() != P::LBRACE) continue;
    stop->in_block = true;
    stop->open_brace = leaf->getSymbol()->getTokenIndex();
  }
}

class StopAtFirst final : public antlr4::DefaultErrorStrategy {
 public:
  explicit StopAtFirst(Stop* stop) : stop_(stop) {}
  void reset(antlr4::Parser*) override {}
  bool inErrorRecoveryMode(antlr4::Parser*) override { return false; }
  void reportMatch(antlr4::Parser*) override {}
  // Called where a choice begins: remembers it, because all its branches would fit at a misfit that
  // follows at once.
  void sync(antlr4::Parser* parser) override {
    choice_state_ = parser->getState();
    choice_context_ = parser->getContext();
    choice_token_ = parser->getTokenStream()->index();
  }
  void reportError(antlr4::Parser* parser, const antlr4::RecognitionException& e) override {
    // What fits is known for the token a decision began with, not for one it looked ahead to.
    antlr4::misc::IntervalSet expected;
    if (e.getOffendingToken() == parser->getCurrentToken()) expected = e.getExpectedTokens();
    Capture(parser, e.getOffendingToken(), std::move(expected), stop_);
    throw Stopped();
  }
  antlr4::Token* recoverInline(antlr4::Parser* parser) override {
    bool at_choice = choice_token_ == parser->getTokenStream()->index() &&
                     choice_context_ == parser->getContext();
    size_t state = at_choice ? choice_state_ : parser->getState();
    Capture(parser, parser->getCurrentToken(),
            parser->getATN().getExpectedTokens(state, parser->getContext()), stop_);
    throw Stopped();
  }
  void recover(antlr4::Parser*, std::exception_ptr) override { throw Stopped(); }

 private:
  Stop* stop_;
  size_t choice_state_ = 0;
  size_t choice_token_ = static_cast<size_t>(-1);
  antlr4::RuleContext* choice_context_ = nullptr;
};

}  // namespace

Learned::Learned() = default;
Learned::~Learned() = default;

namespace {
struct Shelf {
  std::mutex mutex;
  std::vector<Learned*> free;
};
Shelf& FreeOnes() {
  static Shelf* shelf = new Shelf();
  return *shelf;
}
}  // namespace

void Learned::Return::operator()(Learned* learned) const {
  Shelf& shelf = FreeOnes();
  std::lock_guard lock(shelf.mutex);
  shelf.free.push_back(learned);
}

Learned::Lease Learned::Borrow() {
  Shelf& shelf = FreeOnes();
  std::lock_guard lock(shelf.mutex);
  if (shelf.free.empty()) return Lease(new Learned());
  Learned* learned = shelf.free.back();
  shelf.free.pop_back();
  return Lease(learned);
}

size_t ClauseRuleOf(size_t declaration_rule) {
  for (auto [declaration, clause] : kBlocks) {
    if (declaration == declaration_rule) return clause;
  }
  return 0;
}

bool IsClauseRule(size_t rule) {
  return std::any_of(kBlocks.begin(), kBlocks.end(),
                     [rule](auto block) { return block.second == rule; });
}

namespace {

// ANTLR's prediction with a way around its locks: what this thread has learned is walked directly,
// what it has not is left to ANTLR, which writes it down in our tables.
class Predictor final : public antlr4::atn::ParserATNSimulator {
 public:
  Predictor(antlr4::Parser* of, const antlr4::atn::ATN& grammar, Learned* learned)
      : ParserATNSimulator(of, grammar, learned->decisions, learned->contexts) {}

  size_t adaptivePredict(antlr4::TokenStream* input, size_t decision,
                         antlr4::ParserRuleContext* outer) override {
    antlr4::dfa::DFA& dfa = decisionToDFA[decision];
    const antlr4::dfa::DFAState* state =
        dfa.isPrecedenceDfa() ? dfa.getPrecedenceStartState(parser->getPrecedence()) : dfa.s0;
    auto* tokens = static_cast<TokenList*>(input);
    for (size_t at = tokens->index(); state != nullptr; ++at) {
      auto edge = state->edges.find(tokens->TypeAt(at));
      if (edge == state->edges.end() || edge->second == ERROR.get()) break;
      state = edge->second;
      if (state->requiresFullContext && getPredictionMode() != antlr4::atn::PredictionMode::SLL)
        break;
      if (!state->isAcceptState) continue;
      if (state->predicates.empty()) return state->prediction;
      break;
    }
    return ParserATNSimulator::adaptivePredict(input, decision, outer);
  }
};

}  // namespace

class RuleReader::Guarded final : public DplParser {
 public:
  Guarded(TokenList* tokens, Learned* learned) : DplParser(tokens) {
    removeErrorListeners();
    auto shared = std::unique_ptr<antlr4::atn::ATNSimulator>(_interpreter);
    if (learned->decisions.empty()) {
      const antlr4::atn::ATN& grammar = getATN();
      learned->decisions.reserve(grammar.getNumberOfDecisions());
      for (size_t i = 0; i < grammar.getNumberOfDecisions(); ++i)
        learned->decisions.emplace_back(grammar.getDecisionState(i), i);
    }
    _interpreter = new Predictor(this, getATN(), learned);
  }
  using DplParser::enterRecursionRule;
  void enterRecursionRule(antlr4::ParserRuleContext* context, size_t state, size_t rule,
                          int precedence) override {
    if (depth >= kMaxExpressionDepth) {
      Capture(this, getCurrentToken(), {}, stop);
      stop->too_deep = true;
      throw Stopped();
    }
    ++depth;
    DplParser::enterRecursionRule(context, state, rule, precedence);
  }
  // As inherited, but a parent is known to be a rule's context.
  void addContextToParseTree() override {
    if (_ctx->parent != nullptr)
      static_cast<antlr4::ParserRuleContext*>(_ctx->parent)->addChild(_ctx);
  }
  void unrollRecursionContexts(antlr4::ParserRuleContext* parent) override {
    --depth;
    DplParser::unrollRecursionContexts(parent);
  }

  antlr4::ParserRuleContext* Call(size_t rule) {
    switch (rule) {
      case RulePackageLine:
        return packageLine();
      case RuleHeadLine:
        return headLine();
      case RuleDeclaration:
        return declaration();
      case RuleCalendarClause:
        return calendarClause();
      case RulePersonClause:
        return personClause();
      case RuleTeamClause:
        return teamClause();
      case RuleRoleClause:
        return roleClause();
      case RuleContextClause:
        return contextClause();
      case RuleSystemClause:
        return systemClause();
      case RuleResourceClause:
        return resourceClause();
      case RuleActivityClause:
        return activityClause();
      case RuleOwnerClause:
        return ownerClause();
      case RuleGrantClause:
        return grantClause();
      case RuleLimitDeclClause:
        return limitDeclClause();
      case RuleForbidClause:
        return forbidClause();
      case RuleAgentClause:
        return agentClause();
      case RuleDelegationClause:
        return delegationClause();
      case RuleTaskClause:
        return taskClause();
      case RuleApprovalClause:
        return approvalClause();
      case RuleObligationClause:
        return obligationClause();
      case RuleSeparateClause:
        return separateClause();
      case RuleBreakGlassClause:
        return breakGlassClause();
      case RulePartnerClause:
        return partnerClause();
      case RuleDatum:
        return datum();
      case RuleStep:
        return step();
      default:
        DPL_CHECK(false && "a rule that is not read on its own");
        return nullptr;
    }
  }

  size_t depth = 0;
  Stop* stop = nullptr;
};

RuleReader::RuleReader(TokenList* tokens, Learned* learned)
    : tokens_(tokens), parser_(std::make_unique<Guarded>(tokens, learned)) {}
RuleReader::~RuleReader() = default;

antlr4::ParserRuleContext* RuleReader::Read(size_t rule, size_t from, Stop* stop) {
  // The quick way of predicting first; the thorough one only for what the quick one refuses.
  for (auto mode : {antlr4::atn::PredictionMode::SLL, antlr4::atn::PredictionMode::LL}) {
    *stop = Stop();
    parser_->reset();
    tokens_->seek(from);
    parser_->depth = 0;
    parser_->stop = stop;
    parser_->setErrorHandler(std::make_shared<StopAtFirst>(stop));
    parser_->getInterpreter<antlr4::atn::ParserATNSimulator>()->setPredictionMode(mode);
    try {
      return parser_->Call(rule);
    } catch (const Stopped&) {
      if (stop->too_deep) break;
    }
  }
  return nullptr;
}

size_t RuleReader::end() const { return tokens_->index(); }

const antlr4::misc::IntervalSet& RuleReader::First(size_t rule) {
  auto [slot, fresh] = first_.try_emplace(rule);
  if (fresh) {
    const antlr4::atn::ATN& atn = parser_->getATN();
    slot->second = atn.nextTokens(atn.ruleToStartState[rule]);
  }
  return slot->second;
}

}  // namespace dpl::syntax
