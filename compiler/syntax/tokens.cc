// The editable token list.
#include "compiler/syntax/tokens.h"

#include <algorithm>
#include <utility>

#include "runtime/base/result.h"

namespace dpl::syntax {

const std::string* TokenList::Keep(std::string mended) {
  return mended.empty() ? nullptr : &mended_.emplace_back(std::move(mended));
}

void TokenList::Append(size_t type, uint32_t begin, uint32_t end, bool first_on_line,
                       std::string mended) {
  SourceToken& token =
      all_.emplace_back(type, begin, end, first_on_line, source_, Keep(std::move(mended)));
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

void TokenList::Replace(size_t begin, size_t end, const std::vector<Piece>& pieces) {
  DPL_CHECK(begin <= end && end < live_.size());
  bool first = live_[begin]->first_on_line();
  std::vector<SourceToken*> made;
  for (const Piece& piece : pieces) {
    made.push_back(&all_.emplace_back(piece.type, piece.begin, piece.end, first && made.empty(),
                                      source_, Keep(piece.text)));
  }
  auto at = live_.begin() + static_cast<ssize_t>(begin);
  live_.erase(at, live_.begin() + static_cast<ssize_t>(end));
  live_.insert(live_.begin() + static_cast<ssize_t>(begin), made.begin(), made.end());
  Renumber(begin);
}

void TokenList::Restore(std::vector<SourceToken*> live) {
  live_ = std::move(live);
  Renumber(0);
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
