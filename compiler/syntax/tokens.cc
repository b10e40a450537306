// The editable token list.
#include "compiler/syntax/tokens.h"

#include <algorithm>

#include "runtime/base/result.h"

namespace dpl::syntax {

void TokenList::Append(size_t type, uint32_t begin, uint32_t end, bool first_on_line) {
  SourceToken& token = all_.emplace_back(type, begin, end, first_on_line, source_);
  token.set_index(live_.size());
  live_.push_back(&token);
}

void TokenList::Finish() {
  auto end = static_cast<uint32_t>(source_->size());
  Append(antlr4::Token::EOF, end, end, false);
}

void TokenList::Renumber(size_t from) {
  for (size_t i = from; i < live_.size(); ++i) live_[i]->set_index(i);
}

void TokenList::Erase(size_t begin, size_t end) {
  end = std::min(end, live_.size() - 1);
  if (begin >= end) return;
  live_.erase(live_.begin() + static_cast<ssize_t>(begin),
              live_.begin() + static_cast<ssize_t>(end));
  Renumber(begin);
}

void TokenList::InsertBefore(size_t index, size_t type) {
  DPL_CHECK(index < live_.size());
  uint32_t at = index == 0 ? live_[0]->begin() : live_[index - 1]->end();
  SourceToken& token = all_.emplace_back(type, at, at, false, source_);
  live_.insert(live_.begin() + static_cast<ssize_t>(index), &token);
  Renumber(index);
}

void TokenList::consume() {
  if (at_ + 1 < live_.size()) ++at_;
}

size_t TokenList::LA(ssize_t i) {
  antlr4::Token* token = LT(i);
  return token == nullptr ? antlr4::Token::INVALID_TYPE : token->getType();
}

antlr4::Token* TokenList::LT(ssize_t k) {
  ssize_t wanted = static_cast<ssize_t>(at_) + (k > 0 ? k - 1 : k);
  if (wanted < 0 || k == 0) return nullptr;
  return live_[std::min(static_cast<size_t>(wanted), live_.size() - 1)];
}

}  // namespace dpl::syntax
