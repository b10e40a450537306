// Subset construction over the lexer's ATN, on demand.
#include "compiler/syntax/lex_table.h"

#include <algorithm>
#include <set>

#include "DplLexer.h"
#include "antlr4-runtime.h"
#include "atn/RuleTransition.h"
#include "atn/TokensStartState.h"
#include "atn/Transition.h"
#include "runtime/base/result.h"
#include "runtime/base/text.h"

namespace dpl::syntax {
namespace {

using antlr4::atn::ATN;
using antlr4::atn::ATNState;
using antlr4::atn::Transition;

constexpr size_t kAscii = 128;
constexpr size_t kMaxChar = 0x10ffff;

const ATN& LexerAtn() {
  static antlr4::ANTLRInputStream* nothing = new antlr4::ANTLRInputStream();
  static DplLexer* lexer = new DplLexer(nothing);  // kept: the ATN is read from many threads
  return lexer->getATN();
}

// Not const: asking a state for its type is no const call.
ATNState& StateAt(uint32_t number) { return *LexerAtn().states[number]; }

}  // namespace

LexTable::LexTable() {
  std::set<char32_t> bounds{kAscii};
  for (const ATNState* state : LexerAtn().states) {
    if (state == nullptr) continue;
    for (const Transition* transition : state->transitions) {
      if (transition->isEpsilon()) continue;
      const antlr4::misc::IntervalSet label =
          transition->label();  // a copy: it has to outlive the loop
      for (const antlr4::misc::Interval& interval : label.getIntervals()) {
        if (interval.a > static_cast<ssize_t>(kAscii))
          bounds.insert(static_cast<char32_t>(interval.a));
        if (interval.b >= static_cast<ssize_t>(kAscii))
          bounds.insert(static_cast<char32_t>(interval.b + 1));
      }
    }
  }
  bounds_.assign(bounds.begin(), bounds.end());
  Configs start;
  Close({static_cast<uint32_t>(LexerAtn().modeToStartState[0]->stateNumber)}, &start);
  StateOf(std::move(start));
}

// Follows what takes no character: into fragments, out of them, over actions.
void LexTable::Close(Config config, Configs* out) {
  ATNState& state = StateAt(config[0]);
  if (state.getStateType() == ATNState::RULE_STOP) {
    if (config.size() == 1) {
      out->push_back(std::move(config));
      return;
    }
    config.erase(config.begin());
    Close(std::move(config), out);
    return;
  }
  bool takes = false;
  for (const Transition* transition : state.transitions) {
    if (!transition->isEpsilon()) {
      takes = true;
      continue;
    }
    Config next = config;
    if (transition->getSerializationType() == Transition::RULE) {
      next[0] = static_cast<uint32_t>(
          static_cast<const antlr4::atn::RuleTransition*>(transition)->followState->stateNumber);
      next.insert(next.begin(), 0);
    }
    next[0] = static_cast<uint32_t>(transition->target->stateNumber);
    Close(std::move(next), out);
  }
  if (takes) out->push_back(std::move(config));
}

int32_t LexTable::StateOf(Configs configs) {
  std::sort(configs.begin(), configs.end());
  configs.erase(std::unique(configs.begin(), configs.end()), configs.end());
  if (configs.empty()) return kDead;
  auto [at, fresh] = ids_.emplace(configs, static_cast<int32_t>(states_.size()));
  if (!fresh) return at->second;
  State state;
  size_t rule = SIZE_MAX;
  for (const Config& config : configs) {
    ATNState& place = StateAt(config[0]);
    if (place.getStateType() == ATNState::RULE_STOP) rule = std::min(rule, place.ruleIndex);
  }
  if (rule != SIZE_MAX) state.type = static_cast<uint32_t>(LexerAtn().ruleToTokenType[rule]);
  state.configs = std::move(configs);
  state.next.assign(kAscii + bounds_.size(), kUnknown);
  states_.push_back(std::move(state));
  return at->second;
}

size_t LexTable::ClassOf(char32_t c) const {
  if (c < kAscii) return c;
  return kAscii - 1 +
         static_cast<size_t>(std::upper_bound(bounds_.begin(), bounds_.end(), c) - bounds_.begin());
}

int32_t LexTable::Step(size_t from, size_t char_class) {
  // Any character of the class stands for all of them.
  size_t c = char_class < kAscii ? char_class : bounds_[char_class - kAscii];
  Configs reached;
  for (const Config& config : states_[from].configs) {
    for (const Transition* transition : StateAt(config[0]).transitions) {
      if (transition->isEpsilon() || !transition->matches(c, 0, kMaxChar)) continue;
      Config next = config;
      next[0] = static_cast<uint32_t>(transition->target->stateNumber);
      Close(std::move(next), &reached);
    }
  }
  int32_t to = StateOf(std::move(reached));
  states_[from].next[char_class] = to;
  return to;
}

LexTable::Match LexTable::Next(std::string_view text, size_t at) {
  Match best;
  int32_t state = 0;
  while (at < text.size()) {
    auto byte = static_cast<uint8_t>(text[at]);
    size_t char_class = byte;
    if (byte < kAscii) {
      ++at;
    } else {
      char_class = ClassOf(NextCodePoint(text, &at));
    }
    int32_t next = states_[static_cast<size_t>(state)].next[char_class];
    if (next == kUnknown) next = Step(static_cast<size_t>(state), char_class);
    if (next == kDead) break;
    state = next;
    if (uint32_t type = states_[static_cast<size_t>(state)].type; type != 0) best = {type, at};
  }
  DPL_CHECK(best.type != 0);
  return best;
}

}  // namespace dpl::syntax
