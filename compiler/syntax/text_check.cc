// Encoding, invisible characters, look-alikes and the values of literals.
#include "compiler/syntax/text_check.h"

#include <algorithm>
#include <string_view>

#include <fmt/format.h>

#include "DplLexer.h"
#include "compiler/syntax/lex.h"
#include "runtime/base/instant.h"
#include "runtime/base/text.h"

namespace dpl::syntax {
namespace {

constexpr size_t kMostReports = 20;  // of one kind of character

bool IsLatin(char32_t c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
         (c >= 0xc0 && c <= 0x24f && c != 0xd7 && c != 0xf7);
}
bool IsGreekOrCyrillic(char32_t c) {
  return (c >= 0x370 && c <= 0x52f) || (c >= 0x1f00 && c <= 0x1fff);
}

}  // namespace

bool CheckText(const SourceFile& source, DiagnosticSink* sink) {
  const std::string& text = source.text();
  if (text.size() > kMaxFileBytes) {
    sink->Report(DPL0106, source.MakeSpan(0, 0), {"the file is larger than 8 MiB"})
        .Help("split it into several files");
    return false;
  }
  size_t at = 0;
  if (!IsValidUtf8(text, &at)) {
    sink->Report(DPL0001, source.MakeSpan(at, at + 1),
                 {fmt::format("byte 0x{:02x} is not UTF-8", static_cast<uint8_t>(text[at]))})
        .Help("save the file as UTF-8");
    return false;
  }
  size_t from = 0;
  if (text.starts_with("\xef\xbb\xbf")) {
    sink->Report(DPL0001, source.MakeSpan(0, 3), {"the file begins with a byte order mark"})
        .Help("save the file as UTF-8 without one")
        .Fix(source.MakeSpan(0, 3), "");
    from = 3;
  }
  size_t reports = 0;
  for (at = from; at < text.size() && reports < kMostReports;) {
    size_t begin = at;
    if (static_cast<uint8_t>(text[at]) >= 0x20 && static_cast<uint8_t>(text[at]) < 0x7f) {
      ++at;
      continue;
    }
    char32_t c = NextCodePoint(text, &at);
    if (c == '\t' || c == '\n' || c == '\r') continue;
    bool control = HasControl(std::string_view(text).substr(begin, at - begin));
    if (!control && !IsBidiOrInvisible(c)) continue;
    ++reports;
    sink->Report(DPL0002, source.MakeSpan(begin, at),
                 {fmt::format("U+{:04X}", static_cast<uint32_t>(c))})
        .Help(fmt::format("remove it, or write it in a text as \\u{{{:X}}}",
                          static_cast<uint32_t>(c)))
        .Fix(source.MakeSpan(begin, at), "");
  }
  return true;
}

void CheckLiteral(const SourceFile& source, size_t token_type, uint32_t begin, uint32_t end,
                  DiagnosticSink* sink) {
  std::string_view text = std::string_view(source.text()).substr(begin, end - begin);
  std::string problem;
  switch (token_type) {
    case DplLexer::DATE: {
      auto date = ParseDate(text);
      if (!date.ok()) problem = date.error().message;
      break;
    }
    case DplLexer::DATETIME: {
      auto instant = ParseInstant(text);
      if (!instant.ok()) problem = instant.error().message;
      break;
    }
    case DplLexer::TIME: {
      auto time = ParseTime(text);
      if (!time.ok()) problem = time.error().message;
      break;
    }
    case DplLexer::DURATION: {
      auto duration = ParseDuration(text);
      if (!duration.ok()) problem = duration.error().message;
      break;
    }
    case DplLexer::NUMBER: {
      std::string_view whole = text.substr(0, text.find('.'));
      if (whole.ends_with('_') || whole.find("__") != std::string_view::npos) {
        problem = "`_` stands between two digits, as in `5_000`";
      }
      break;
    }
    default:
      return;
  }
  if (problem.empty()) return;
  sink->Report(DPL0006, source.MakeSpan(begin, end),
               {fmt::format("`{}` cannot be read: {}", text.substr(0, 60), problem)});
}

void CheckMixedScript(const SourceFile& source, uint32_t begin, uint32_t end,
                      DiagnosticSink* sink) {
  const std::string& text = source.text();
  if (std::all_of(text.begin() + begin, text.begin() + end,
                  [](char c) { return static_cast<uint8_t>(c) < 0x80; }))
    return;
  bool latin = false;
  bool other = false;
  uint32_t word = begin;
  for (size_t at = begin; at < end;) {
    auto here = static_cast<uint32_t>(at);
    char32_t c = NextCodePoint(text, &at);
    bool l = IsLatin(c);
    bool o = IsGreekOrCyrillic(c);
    if (!l && !o) {
      latin = other = false;
      word = static_cast<uint32_t>(at);
      continue;
    }
    bool mixed = latin && other;
    latin |= l;
    other |= o;
    if (mixed || !(latin && other)) continue;
    size_t word_end = at;
    for (size_t next = at; next < end; word_end = next) {
      char32_t letter = NextCodePoint(text, &next);
      if (!IsLatin(letter) && !IsGreekOrCyrillic(letter)) break;
    }
    sink->Report(DPL0003, source.MakeSpan(begin, end),
                 {fmt::format("`{}`", std::string_view(text).substr(word, word_end - word))})
        .Label(source.MakeSpan(here, at),
               fmt::format("this letter is U+{:04X}", static_cast<uint32_t>(c)));
    return;
  }
}

}  // namespace dpl::syntax
