// See target.h.
#include "server/gate/target.h"

#include <algorithm>

#include "runtime/base/text.h"

namespace dpl {
namespace {

bool IsUnreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

// What may stand in a segment as it is: `pchar` of RFC 3986 without `;`, at which some cut, and
// without `+`, which some take for a blank.
bool IsPlain(char c) {
  return IsUnreserved(c) || std::string_view("!$&'()*,=:@").find(c) != std::string_view::npos;
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// The byte of the escape at `text[at]`, or -1.
int Escaped(std::string_view text, size_t at) {
  if (at + 2 >= text.size()) return -1;
  const int high = HexDigit(text[at + 1]), low = HexDigit(text[at + 2]);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

// Text that looks the same to everybody who prints or compares it.
bool IsClear(std::string_view text) {
  return IsValidUtf8(text) && IsNfc(text) && !HasControl(text) && !HasBidiOrInvisible(text);
}

std::string ReadSegment(std::string_view text, std::string* out) {
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      if (!IsPlain(text[i])) return "the path holds a character that has to be encoded";
      out->push_back(text[i]);
      continue;
    }
    const int byte = Escaped(text, i);
    if (byte < 0) return "the path holds a malformed escape";
    const char c = static_cast<char>(byte);
    if (std::string_view("/\\%;?#").find(c) != std::string_view::npos)
      return "the path holds an encoded delimiter";
    if (IsUnreserved(c)) return "the path encodes a character that needs no encoding";
    out->push_back(c);
    i += 2;
  }
  if (*out == "." || *out == "..") return "the path holds a dot segment";
  if (out->back() == '.' || out->back() == ' ' || out->front() == ' ')
    return "a segment of the path ends in a dot or a blank";
  if (!IsClear(*out)) return "the path is not plain text in UTF-8";
  return {};
}

// A name or value of a query; false: it cannot be read for certain.
bool DecodeQuery(std::string_view text, std::string* out) {
  out->clear();
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+') {
      out->push_back(' ');
    } else if (text[i] != '%') {
      out->push_back(text[i]);
    } else {
      const int byte = Escaped(text, i);
      if (byte < 0) return false;
      out->push_back(static_cast<char>(byte));
      i += 2;
    }
  }
  return IsClear(*out);
}

// What frameworks make of a parameter's name: case, blanks, dots and brackets are not kept by all.
std::string Blurred(std::string_view name) {
  std::string out;
  name = name.substr(0, name.find('['));
  while (!name.empty() && name.front() == ' ') name.remove_prefix(1);
  while (!name.empty() && (name.back() == ' ' || name.back() == '.')) name.remove_suffix(1);
  for (char c : name) {
    out.push_back(c >= 'A' && c <= 'Z'   ? static_cast<char>(c + 32)
                  : c == ' ' || c == '.' ? '_'
                                         : c);
  }
  return out;
}

// Calls `each` with name and value, as sent. False as soon as one call is.
template <typename Each>
bool ForEachPair(std::string_view query, Each each) {
  while (!query.empty()) {
    const size_t end = query.find('&');
    std::string_view pair = query.substr(0, end);
    query.remove_prefix(end == std::string_view::npos ? query.size() : end + 1);
    if (pair.empty()) continue;
    const size_t equals = pair.find('=');
    std::string_view value =
        equals == std::string_view::npos ? std::string_view() : pair.substr(equals + 1);
    if (!each(pair.substr(0, equals), value)) return false;
  }
  return true;
}

}  // namespace

std::string ReadTarget(std::string_view text, Target* out) {
  *out = {};
  if (text.size() > Target::kMostBytes) return "the path is too long";
  if (text.empty() || text.front() != '/') return "the path does not begin with a slash";
  const size_t question = text.find('?');
  if (question != std::string_view::npos) out->query = text.substr(question + 1);
  if (text.find('#') != std::string_view::npos) return "the path holds a fragment";
  std::string_view path =
      text.substr(1, question == std::string_view::npos ? question : question - 1);
  while (!path.empty()) {
    const size_t end = path.find('/');
    std::string_view segment = path.substr(0, end);
    if (segment.empty()) return "the path holds an empty segment";
    if (out->segments.size() == Target::kMostSegments) return "the path has too many segments";
    if (std::string why = ReadSegment(segment, &out->segments.emplace_back()); !why.empty())
      return why;
    if (end == std::string_view::npos) return {};
    path.remove_prefix(end + 1);
  }
  out->slash = true;
  return {};
}

std::string QueryValue(std::string_view query, std::string_view name, std::string* value) {
  if (query.find(';') != std::string_view::npos)
    return "the query holds a `;`, which some take for `&`";
  const std::string wanted = Blurred(name);
  int found = 0;
  std::string read;
  const bool readable = ForEachPair(query, [&](std::string_view sent, std::string_view sent_value) {
    if (!DecodeQuery(sent, &read)) return false;
    if (Blurred(read) != wanted) return true;
    ++found;
    return read == name && DecodeQuery(sent_value, value);
  });
  if (!readable) return "a name in the query cannot be read for certain";
  if (found == 0) return "a parameter of the route is not in the query";
  if (found > 1) return "a parameter of the route is in the query more than once";
  return {};
}

bool QueryHasOnly(std::string_view query, const std::vector<std::string>& names) {
  if (query.find(';') != std::string_view::npos) return false;  // some take it for `&`
  std::string read;
  return ForEachPair(query, [&](std::string_view sent, std::string_view) {
    return DecodeQuery(sent, &read) && std::find(names.begin(), names.end(), read) != names.end();
  });
}

}  // namespace dpl
