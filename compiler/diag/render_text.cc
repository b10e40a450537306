// Diagnostics as text: the place, the message, the source line with carets, labels and help.
#include <algorithm>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "compiler/diag/render.h"
#include "runtime/base/text.h"

namespace dpl {
namespace {

constexpr size_t kWidest =
    160;  // code points of a source line shown; longer ones show the part round the span

struct Paint {
  bool on;
  std::string operator()(std::string_view style, std::string_view text) const {
    return on ? fmt::format("\x1b[{}m{}\x1b[0m", style, text) : std::string(text);
  }
};

std::string_view Style(Severity severity) { return severity == Severity::Error ? "1;31" : "1;33"; }

// The part of a line that is shown, ready for a terminal: tabs as one space, controls and invisible
// characters as `?`.
struct Excerpt {
  std::string text;
  uint32_t first = 1;  // column of its first code point
  uint32_t count = 0;  // code points shown
};

Excerpt Show(std::string_view line, uint32_t column) {
  Excerpt shown;
  shown.first = column > kWidest * 3 / 4 ? column - static_cast<uint32_t>(kWidest) / 2 : 1;
  uint32_t at_column = 1;
  for (size_t at = 0; at < line.size() && shown.count < kWidest; ++at_column) {
    char32_t c = NextCodePoint(line, &at);
    if (at_column < shown.first) continue;
    ++shown.count;
    if (c == '\t') {
      shown.text += ' ';
    } else if (c < 0x20 || (c >= 0x7f && c < 0xa0) || IsBidiOrInvisible(c) || c == 0x2028 ||
               c == 0x2029) {
      shown.text += '?';
    } else {
      AppendUtf8(&shown.text, c);
    }
  }
  return shown;
}

void AppendExcerpt(const SourceFile& file, const Span& span, char mark, std::string_view style,
                   const Paint& paint, std::string* out) {
  std::string_view line = file.Line(span.line);
  Excerpt shown = Show(line, span.column);
  uint32_t line_end = static_cast<uint32_t>(CodePointCount(line)) + 1;
  uint32_t end = span.end_line == span.line ? span.end_column : line_end;
  end = std::min(std::max(end, span.column + 1), shown.first + std::max<uint32_t>(shown.count, 1));
  uint32_t begin = std::max(span.column, shown.first);
  std::string number = std::to_string(span.line);
  std::string blank(number.size(), ' ');
  *out += fmt::format("  {} | {}\n", paint("2", number), shown.text);
  size_t marks = end > begin ? end - begin : 1;
  *out += fmt::format("  {} | {}{}\n", blank, std::string(begin - shown.first, ' '),
                      paint(style, std::string(marks, mark)));
}

void AppendPlace(const SourceFile& file, const Span& span, const Paint& paint, std::string* out) {
  *out += paint("1", fmt::format("{}:{}:{}:", file.path(), span.line, span.column));
  *out += ' ';
}

void AppendOne(const SourceSet& sources, const Diagnostic& d, const TextOptions& options,
               std::string* out) {
  Paint paint{options.color};
  const SourceFile* file = d.span.known() ? sources.Find(d.span.file) : nullptr;
  if (file != nullptr) AppendPlace(*file, d.span, paint, out);
  std::string_view severity = d.severity == Severity::Error ? "error" : "warning";
  *out += paint(Style(d.severity), fmt::format("{} {}:", severity, CodeText(d.code)));
  *out += ' ' + paint("1", d.message) + '\n';
  if (file != nullptr && options.excerpts)
    AppendExcerpt(*file, d.span, '^', Style(d.severity), paint, out);
  for (const Label& label : d.labels) {
    const SourceFile* other = label.span.known() ? sources.Find(label.span.file) : nullptr;
    *out += "  ";
    if (other != nullptr) AppendPlace(*other, label.span, paint, out);
    *out += paint("36", "note:") + ' ' + label.text + '\n';
    if (other != nullptr && options.excerpts)
      AppendExcerpt(*other, label.span, '-', "36", paint, out);
  }
  for (const std::string& help : d.help) *out += "  " + paint("32", "help:") + ' ' + help + '\n';
}

}  // namespace

std::string RenderText(const SourceSet& sources, const std::vector<Diagnostic>& diagnostics,
                       const TextOptions& options) {
  std::string out;
  for (const Diagnostic& d : diagnostics) AppendOne(sources, d, options, &out);
  return out;
}

std::string RenderCounts(const std::vector<Diagnostic>& diagnostics) {
  auto errors = std::count_if(diagnostics.begin(), diagnostics.end(),
                              [](const Diagnostic& d) { return d.severity == Severity::Error; });
  auto warnings = static_cast<std::ptrdiff_t>(diagnostics.size()) - errors;
  auto say = [](std::ptrdiff_t n, std::string_view what) {
    return fmt::format("{} {}{}", n, what, n == 1 ? "" : "s");
  };
  if (errors > 0 && warnings > 0) return say(errors, "error") + ", " + say(warnings, "warning");
  if (errors > 0) return say(errors, "error");
  return warnings > 0 ? say(warnings, "warning") : std::string();
}

}  // namespace dpl
