// Tokens and the stream the generated parser reads: small, editable, and about bytes rather than
// code points.
//
// Recovery works on the token list: what cannot be read is taken out, or a missing brace put in,
// and the declaration is read again. So a TokenList is a plain vector of pointers the parser may
// change between attempts. Internal to this room.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "DplLexer.h"
#include "antlr4-runtime.h"

namespace dpl::syntax {

// A token as bytes [begin, end) of the source. `text` is not kept: the source has it. Only a token
// that was mended (`9:00` read as 09:00) has a text of its own.
class SourceToken final : public antlr4::Token {
 public:
  SourceToken(size_t type, uint32_t begin, uint32_t end, bool first_on_line,
              const std::string* source, const std::string* mended = nullptr)
      : type_(type),
        begin_(begin),
        end_(end),
        first_on_line_(first_on_line),
        source_(source),
        mended_(mended) {}

  uint32_t begin() const { return begin_; }
  uint32_t end() const { return end_; }
  bool first_on_line() const { return first_on_line_; }
  void set_index(size_t index) { index_ = index; }

  std::string getText() const override {
    return mended_ != nullptr ? *mended_ : source_->substr(begin_, end_ - begin_);
  }
  size_t getType() const override { return type_; }
  size_t getLine() const override { return 0; }  // spans come from SourceFile
  size_t getCharPositionInLine() const override { return 0; }
  size_t getChannel() const override { return DEFAULT_CHANNEL; }
  size_t getTokenIndex() const override { return index_; }
  size_t getStartIndex() const override { return begin_; }
  size_t getStopIndex() const override { return end_ == 0 ? 0 : end_ - 1; }
  antlr4::TokenSource* getTokenSource() const override { return nullptr; }
  antlr4::CharStream* getInputStream() const override { return nullptr; }
  std::string toString() const override { return getText(); }

 private:
  size_t type_;
  uint32_t begin_;
  uint32_t end_;
  bool first_on_line_;
  const std::string* source_;
  const std::string* mended_;
  size_t index_ = 0;
};

// A token to put in the place of others. An empty text: what the source says there.
struct Piece {
  size_t type = 0;
  uint32_t begin = 0, end = 0;
  std::string text;
};

inline const SourceToken& AsToken(const antlr4::Token* token) {
  return *static_cast<const SourceToken*>(token);
}

// The live tokens, the last of them EOF, as ANTLR wants to read them.
class TokenList final : public antlr4::TokenStream {
 public:
  explicit TokenList(const std::string* source) : source_(source) {}

  // --- ours
  void Append(size_t type, uint32_t begin, uint32_t end, bool first_on_line,
              std::string mended = {});
  void Finish();  // adds EOF; call once, after the last Append
  size_t TypeAt(size_t index) const { return live_[std::min(index, live_.size() - 1)]->getType(); }
  const SourceToken& At(size_t index) const { return *live_[std::min(index, live_.size() - 1)]; }
  void Erase(size_t begin, size_t end);  // tokens [begin, end), never EOF
  void InsertBefore(size_t index,
                    size_t type);  // a token of no width, just after the token before `index`
  // Puts `pieces` in the place of tokens [begin, end); Restore with what Live() gave before undoes
  // it.
  void Replace(size_t begin, size_t end, const std::vector<Piece>& pieces);
  const std::vector<SourceToken*>& Live() const { return live_; }
  void Restore(std::vector<SourceToken*> live);
  bool at_end() const { return at_ + 1 >= live_.size(); }

  // --- antlr4::TokenStream
  void consume() override;
  size_t LA(ssize_t i) override;
  ssize_t mark() override { return 0; }
  void release(ssize_t) override {}
  size_t index() override { return at_; }
  void seek(size_t index) override { at_ = std::min(index, live_.size() - 1); }
  size_t size() override { return live_.size(); }
  std::string getSourceName() const override { return {}; }
  antlr4::Token* LT(ssize_t k) override;
  antlr4::Token* get(size_t index) const override { return live_[index]; }
  antlr4::TokenSource* getTokenSource() const override { return nullptr; }
  std::string getText(const antlr4::misc::Interval&) override { return {}; }
  std::string getText() override { return {}; }
  std::string getText(antlr4::RuleContext*) override { return {}; }
  std::string getText(antlr4::Token*, antlr4::Token*) override { return {}; }

 private:
  void Renumber(size_t from);

  const std::string* source_;
  const std::string* Keep(std::string mended);

  std::deque<SourceToken> all_;  // owns every token ever made
  std::deque<std::string> mended_;
  std::vector<SourceToken*> live_;
  size_t at_ = 0;
};

}  // namespace dpl::syntax
