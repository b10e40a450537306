// Nesting the units, placing the comments.
#include "compiler/format/outline.h"

#include <algorithm>

namespace dpl::format {

Outline::Outline(const SourceFile& source, const Layout& layout)
    : text_(source.text()), layout_(layout) {
  // Units come outer before inner, so the open ones form a stack.
  std::vector<Node*> open;
  for (const Layout::Unit& unit : layout.units) {
    while (!open.empty() && open.back()->last < unit.first) open.pop_back();
    std::vector<Node>& level = open.empty() ? roots_ : open.back()->children;
    level.push_back({unit.kind, unit.first, unit.last, {}});
    open.push_back(&level.back());
  }

  after_.resize(layout.tokens.size() + 1);
  size_t token = 0;  // the first token after the comment
  for (const Comment& comment : layout.comments) {
    while (token < layout.tokens.size() && layout.tokens[token].begin < comment.begin) ++token;
    PlacedComment placed;
    placed.text = text_.substr(comment.begin, comment.end - comment.begin);
    placed.begin = comment.begin;
    placed.end = comment.end;
    placed.doc = comment.kind == Comment::Kind::kDoc;
    size_t from = token == 0 ? 0 : layout.tokens[token - 1].end;
    placed.trailing = token > 0 && text_.substr(from, comment.begin - from).find_first_of("\r\n") ==
                                       std::string_view::npos;
    placed.one_line_block = comment.kind == Comment::Kind::kBlock &&
                            placed.text.find_first_of("\r\n") == std::string_view::npos;
    after_[token].push_back(placed);
  }
}

bool Outline::BlankLine(size_t from, size_t to) const {
  std::string_view gap = text_.substr(from, to - from);
  size_t breaks = 0;
  for (size_t i = 0; i < gap.size(); ++i) {
    if (gap[i] == '\r' && i + 1 < gap.size() && gap[i + 1] == '\n') continue;
    if (gap[i] == '\n' || gap[i] == '\r') ++breaks;
  }
  return breaks > 1;
}

}  // namespace dpl::format
