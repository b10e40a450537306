// Decoding string literals.
#include <string_view>

#include <fmt/format.h>

#include "compiler/syntax/lex.h"
#include "compiler/syntax/messages.h"
#include "runtime/base/text.h"

namespace dpl::syntax {
namespace {

// Reads `u{1F600}` at `at` (just after the backslash). False when it is malformed.
bool ReadUnicode(std::string_view body, size_t at, size_t* end, char32_t* code_point) {
  if (at + 1 >= body.size() || body[at + 1] != '{') return false;
  size_t close = body.find('}', at);
  if (close == std::string_view::npos || close - at - 2 > 6 || close == at + 2) return false;
  *code_point = 0;
  for (size_t i = at + 2; i < close; ++i) {
    char c = body[i];
    int digit = c >= '0' && c <= '9'   ? c - '0'
                : c >= 'a' && c <= 'f' ? c - 'a' + 10
                : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                       : -1;
    if (digit < 0) return false;
    *code_point = *code_point * 16 + static_cast<char32_t>(digit);
  }
  *end = close + 1;
  return *code_point != 0 && *code_point <= 0x10ffff &&
         !(*code_point >= 0xd800 && *code_point <= 0xdfff);
}

}  // namespace

std::string DecodeString(const SourceFile& source, const SourceToken& token, DiagnosticSink* sink) {
  std::string_view body =
      std::string_view(source.text()).substr(token.begin(), token.end() - token.begin());
  // A bare word that was taken for a text, and mended.
  if (!body.empty() && body[0] != '"' && body[0] != '\'') return std::string(body);
  size_t offset = token.begin() + 1;
  if (body.size() < 2) return {};
  body.remove_prefix(1);
  if (body.ends_with(body.empty() ? '\0' : source.text()[token.begin()])) body.remove_suffix(1);
  std::string out;
  for (size_t at = 0; at < body.size();) {
    if (body[at] != '\\') {
      out.push_back(body[at++]);
      continue;
    }
    size_t begin = at++;
    char escape = at < body.size() ? body[at] : '\0';
    char32_t code_point = 0;
    size_t end = at + 1;
    if (escape == '"' || escape == '\\') {
      out.push_back(escape);
    } else if (escape == 'n' || escape == 't') {
      out.push_back(escape == 'n' ? '\n' : '\t');
    } else if (escape == 'u' && ReadUnicode(body, at, &end, &code_point)) {
      AppendUtf8(&out, code_point);
    } else {
      end = at;
      if (end < body.size()) NextCodePoint(body, &end);
      out += body.substr(begin, end - begin);
      if (sink != nullptr) {
        sink->Report(DPL0005, source.MakeSpan(offset + begin, offset + end),
                     {Ticked(body.substr(begin, end - begin))})
            .Help("the escapes are \\\" \\\\ \\n \\t and \\u{1F600}");
      }
    }
    at = end;
  }
  return out;
}

}  // namespace dpl::syntax
