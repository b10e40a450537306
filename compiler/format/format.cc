// Printing an outline.
#include "compiler/format/format.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>
#include <vector>

#include "compiler/diag/sink.h"
#include "compiler/format/outline.h"
#include "runtime/base/text.h"

namespace dpl {
namespace format {
namespace {

using Kind = Layout::Unit::Kind;

constexpr size_t kWidth = 100;  // code points; a line longer than this is broken where it may be
constexpr size_t kWidestHead =
    14;  // longer clause heads do not push the others' bodies to the right

// Clause heads of two words; every other head is one word.
constexpr std::array<std::pair<std::string_view, std::string_view>, 15> kTwoWordHeads = {{
    {"approved", "by"},
    {"runs", "as"},
    {"applies", "to"},
    {"imported", "from"},
    {"onward", "to"},
    {"only", "in"},
    {"never", "by"},
    {"good", "for"},
    {"same", "person"},
    {"known", "as"},
    {"no", "limit"},
    {"at", "most"},
    {"includes", "role"},
    {"trusting", "request"},
    {"nothing", "else"},
}};

class Printer {
 public:
  Printer(const Outline& outline) : outline_(outline) {}

  std::string Run() {
    size_t previous = Outline::kStart;  // token printed last
    size_t end = 0;                     // byte after what was printed last
    bool previous_tall = false;
    bool first = true;
    Kind previous_kind = Kind::kHeadLine;
    for (const Node& node : outline_.roots()) {
      std::string body;
      std::vector<std::string_view> hoisted;
      Print(node, 0, &body, &hoisted);
      bool tall = body.find('\n') != std::string::npos;
      bool parted = !first && (previous_tall || tall || previous_kind != node.kind);
      for (const PlacedComment& comment : outline_.After(previous)) {
        if (comment.trailing) continue;  // printed with its token
        Separate(first, parted || outline_.BlankLine(end, comment.begin));
        out_ += comment.text;
        out_ += '\n';
        end = comment.end;
        first = parted = false;
      }
      Separate(first, parted || outline_.BlankLine(end, outline_.Begin(node.first)));
      for (std::string_view comment : hoisted) out_ += std::string(comment) + '\n';
      out_ += body;
      AppendTrailing(node.last, &out_);
      out_ += '\n';
      previous = node.last;
      end = EndWithTrailing(node.last);
      previous_tall = tall;
      previous_kind = node.kind;
      first = false;
    }
    for (const PlacedComment& comment : outline_.After(previous)) {
      if (comment.trailing) continue;
      Separate(first, previous_tall || outline_.BlankLine(end, comment.begin));
      out_ += comment.text;
      out_ += '\n';
      end = comment.end;
      first = previous_tall = false;
    }
    return std::move(out_);
  }

 private:
  void Separate(bool first, bool blank) {
    if (!first && blank) out_ += '\n';
  }

  // Comments that stay on the line of the token.
  void AppendTrailing(size_t token, std::string* out) const {
    bool first = true;
    for (const PlacedComment& comment : outline_.After(token)) {
      if (!comment.trailing) continue;
      *out += first ? "  " : " ";
      *out += comment.text;
      first = false;
    }
  }
  size_t EndWithTrailing(size_t token) const {
    size_t end = outline_.End(token);
    for (const PlacedComment& comment : outline_.After(token)) {
      if (comment.trailing) end = comment.end;
    }
    return end;
  }

  static size_t Width(std::string_view text) { return CodePointCount(text); }

  // A unit without line breaks at its ends. Comments inside a line that cannot stay there go to
  // `hoisted`.
  void Print(const Node& node, size_t indent, std::string* out,
             std::vector<std::string_view>* hoisted) {
    if (node.children.empty())
      return Inline(node.first, node.last, indent, indent + 4, 0, out, hoisted);
    if (node.children[0].kind == Kind::kRow) return PrintTable(node, indent, out, hoisted);
    if (OneLine(node, indent, out, hoisted)) return;
    Inline(node.first, node.children[0].first - 1, indent, indent + 4, 0, out, hoisted);
    AppendTrailing(node.children[0].first - 1, out);
    *out += '\n';
    PrintChildren(node, indent + 2, out);
    out->append(indent, ' ');
    *out += '}';
  }

  // At most one thing in the block, no comment in the way, and narrow enough.
  bool OneLine(const Node& node, size_t indent, std::string* out,
               std::vector<std::string_view>* hoisted) const {
    size_t things = node.children.size();
    if (things == 2 && IsPair(node.children[0], node.children[1])) things = 1;
    if (things > 1 || !node.children[0].children.empty()) return false;
    for (size_t token = node.children[0].first - 1; token < node.last; ++token) {
      if (!outline_.After(token).empty()) return false;
    }
    std::string line;
    std::vector<std::string_view> above;
    Inline(node.first, node.last, indent, indent, 0, &line, &above);
    if (line.find('\n') != std::string::npos) return false;
    *out += line;
    hoisted->insert(hoisted->end(), above.begin(), above.end());
    return true;
  }

  // `when` and the `expect` that follows it.
  bool IsPair(const Node& a, const Node& b) const {
    return a.kind == Kind::kStep && b.kind == Kind::kStep && outline_.Text(a.first) == "when" &&
           outline_.Text(b.first) == "expect";
  }

  // Does every `expect` of the block find room beside its `when`? All of them stand there, or none.
  bool PairsFit(const Node& node, size_t indent) const {
    for (size_t i = 0; i + 1 < node.children.size(); ++i) {
      const Node& when = node.children[i];
      const Node& expect = node.children[i + 1];
      if (!IsPair(when, expect)) continue;
      std::string line;
      std::vector<std::string_view> hoisted;
      Inline(when.first, expect.last, indent, indent, 0, &line, &hoisted);
      if (!outline_.After(when.last).empty() || line.find('\n') != std::string::npos) return false;
    }
    return true;
  }

  void PrintTable(const Node& node, size_t indent, std::string* out,
                  std::vector<std::string_view>* hoisted) {
    Inline(node.first, node.children[0].first - 1, indent, indent + 4, 0, out, hoisted);
    AppendTrailing(node.children[0].first - 1, out);
    size_t previous = node.children[0].first - 1;
    for (const Node& row : node.children) {
      std::string body;
      std::vector<std::string_view> inner;
      Inline(row.first, row.last, indent, indent + 4, 0, &body, &inner);
      *out += '\n';
      for (const PlacedComment& comment : outline_.After(previous)) {
        if (!comment.trailing) AppendLine(comment.text, indent, out);
      }
      for (std::string_view comment : inner) AppendLine(comment, indent, out);
      out->append(indent, ' ');
      *out += body;
      if (&row != &node.children.back()) AppendTrailing(row.last, out);
      previous = row.last;
    }
  }

  static void AppendLine(std::string_view text, size_t indent, std::string* out) {
    out->append(indent, ' ');
    *out += text;
    *out += '\n';
  }

  void PrintChildren(const Node& node, size_t indent, std::string* out) {
    size_t pad = HeadWidth(node);
    bool beside = PairsFit(node, indent);
    size_t previous = node.children[0].first - 1;
    size_t end = EndWithTrailing(previous);
    bool first = true;
    auto own_lines = [&](size_t at) {
      for (const PlacedComment& comment : outline_.After(previous)) {
        if (comment.trailing) continue;
        if (!first && outline_.BlankLine(end, comment.begin)) *out += '\n';
        AppendLine(comment.text, at, out);
        end = comment.end;
        first = false;
      }
    };
    for (size_t i = 0; i < node.children.size(); ++i) {
      const Node& child = node.children[i];
      bool hanging =
          i > 0 && IsPair(node.children[i - 1], child);  // an `expect` on a line of its own
      size_t at = hanging ? indent + 2 : indent;
      own_lines(at);
      if (!first && outline_.BlankLine(end, outline_.Begin(child.first))) *out += '\n';
      std::string body;
      std::vector<std::string_view> hoisted;
      size_t last = child.last;
      if (beside && i + 1 < node.children.size() && IsPair(child, node.children[i + 1])) {
        last = node.children[++i].last;
        Inline(child.first, last, at, at, 0, &body, &hoisted);
      } else if (child.kind == Kind::kClause) {
        PrintClause(child, at, pad, &body, &hoisted);
      } else {
        Print(child, at, &body, &hoisted);
      }
      for (std::string_view comment : hoisted) AppendLine(comment, at, out);
      out->append(at, ' ');
      *out += body;
      AppendTrailing(last, out);
      *out += '\n';
      previous = last;
      end = EndWithTrailing(last);
      first = false;
    }
    own_lines(indent);
  }

  // Tokens of a clause's head: `may`, `approved by` …
  size_t HeadTokens(const Node& clause) const {
    if (clause.first == clause.last) return 1;
    for (auto [one, two] : kTwoWordHeads) {
      if (outline_.Text(clause.first) == one && outline_.Text(clause.first + 1) == two) return 2;
    }
    return 1;
  }

  size_t HeadWidth(const Node& node) const {
    size_t width = 0;
    if (node.children.size() < 2) return width;
    for (const Node& child : node.children) {
      if (child.kind != Kind::kClause) return 0;
      size_t tokens = HeadTokens(child);
      if (child.first + tokens > child.last) continue;  // no body to align
      size_t head = outline_.Text(child.first).size() +
                    (tokens == 2 ? 1 + outline_.Text(child.first + 1).size() : 0);
      if (head <= kWidestHead) width = std::max(width, head);
    }
    return width;
  }

  void PrintClause(const Node& clause, size_t indent, size_t pad, std::string* out,
                   std::vector<std::string_view>* hoisted) {
    Inline(clause.first, clause.last, indent, indent + std::max<size_t>(pad + 1, 4), pad, out,
           hoisted);
  }

  // May a line be broken before this token?
  bool Breaks(size_t first, size_t token) const {
    constexpr std::array<std::string_view, 12> kBefore = {
        "where", "and", "or", "then", "else", "does", "on", "with", "using", "via", "bound", "by"};
    if (token <= first + 1) return false;
    if (outline_.Text(token - 1) == ",") return true;
    std::string_view text = outline_.Text(token);
    if (text == "for") return token + 1 < token_count() && outline_.Text(token + 1) == "each";
    return outline_.SpaceBetween(token - 1, token) && outline_.Text(token - 1) != "." &&
           std::find(kBefore.begin(), kBefore.end(), text) != kBefore.end();
  }
  size_t token_count() const {
    return outline_.roots().empty() ? 0 : outline_.roots().back().last + 1;
  }

  // Tokens [first, last] on one line, or on as few as the width allows. `indent`: where the line
  // begins (not printed); `hang`: where further lines begin; `pad`: the width to which the clause's
  // head is filled up.
  void Inline(size_t first, size_t last, size_t indent, size_t hang, size_t pad, std::string* out,
              std::vector<std::string_view>* hoisted) const {
    size_t head = pad == 0 ? 0 : HeadTokens({Kind::kClause, first, last, {}});
    std::string line;
    size_t line_indent = indent;
    std::string chunk;  // since the last place where the line may be broken
    auto flush = [&] {
      bool full = line_indent + Width(line) + Width(chunk) > kWidth && !line.empty();
      if (full) {
        *out += line + '\n';
        out->append(hang, ' ');
        line_indent = hang;
        line.clear();
        if (chunk.starts_with(' ')) chunk.erase(0, 1);
      }
      line += chunk;
      chunk.clear();
    };
    for (size_t token = first; token <= last; ++token) {
      if (token > first) {
        if (Breaks(first, token)) flush();
        if (outline_.SpaceBetween(token - 1, token)) chunk += ' ';
        if (pad > 0 && token == first + head) {
          size_t used = Width(line) + Width(chunk);
          if (used < pad + 1) chunk.append(pad + 1 - used, ' ');
        }
      }
      chunk += outline_.Text(token);
      if (token == last) break;
      for (const PlacedComment& comment : outline_.After(token)) {
        if (comment.one_line_block) {
          chunk += ' ';
          chunk += comment.text;
        } else {
          hoisted->push_back(comment.Hoisted());
        }
      }
    }
    flush();
    *out += line;
  }

  const Outline& outline_;
  std::string out_;
};

}  // namespace
}  // namespace format

std::string Format(const SourceFile& source, const Layout& layout) {
  format::Outline outline(source, layout);
  return format::Printer(outline).Run();
}

std::string Format(const SourceFile& source, const ast::File&) {
  DiagnosticSink sink;
  Layout layout;
  return Parse(source, &sink, &layout).ok ? Format(source, layout) : source.text();
}

}  // namespace dpl
