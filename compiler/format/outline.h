// The units of a layout as a tree, and the comments by the token they follow. Internal to this
// room.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "compiler/source/source_file.h"
#include "compiler/syntax/parse.h"

namespace dpl::format {

struct Node {
  Layout::Unit::Kind kind = Layout::Unit::Kind::kDecl;
  size_t first = 0, last = 0;  // tokens
  std::vector<Node> children;
};

// Where a comment stands relative to the tokens.
struct PlacedComment {
  std::string_view text;
  size_t begin = 0, end = 0;    // bytes
  bool trailing = false;        // on the line of the token before it
  bool one_line_block = false;  // `/* … */` without a line break: may stay inside a line
  bool doc = false;             // `/// …`

  // Its text when it moves from inside a line to above it: `/// x` there would become the doc of a
  // declaration, so `// x`.
  std::string_view Hoisted() const { return doc ? text.substr(1) : text; }
};

class Outline {
 public:
  Outline(const SourceFile& source, const Layout& layout);

  const std::vector<Node>& roots() const { return roots_; }
  std::string_view Text(size_t token) const {
    return text_.substr(layout_.tokens[token].begin,
                        layout_.tokens[token].end - layout_.tokens[token].begin);
  }
  bool SpaceBetween(size_t token, size_t next) const {
    if (Text(token) == "{" && Text(next) == "}") return false;
    return !layout_.tokens[token].tight_after && !layout_.tokens[next].tight_before;
  }
  // Comments between this token and the next; those before the first token are under kStart.
  static constexpr size_t kStart = static_cast<size_t>(-1);
  const std::vector<PlacedComment>& After(size_t token) const {
    return after_[token == kStart ? 0 : token + 1];
  }
  size_t Begin(size_t token) const { return layout_.tokens[token].begin; }
  size_t End(size_t token) const { return layout_.tokens[token].end; }
  // Did the author leave an empty line between these two places, with nothing but blanks between
  // them?
  bool BlankLine(size_t from, size_t to) const;

 private:
  std::string_view text_;
  const Layout& layout_;
  std::vector<Node> roots_;
  std::vector<std::vector<PlacedComment>> after_;
};

}  // namespace dpl::format
