// One pass over a path that refuses whatever would need resolving.
#include "runtime/base/path.h"

#include "runtime/base/text.h"

namespace dpl {
namespace {

// Length of a leading "scheme://", 0 when there is none.
size_t SchemeLength(std::string_view text) {
  size_t mark = text.find("://");
  if (mark == std::string_view::npos || mark == 0) return 0;
  for (size_t i = 0; i < mark; ++i) {
    char c = text[i];
    bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    bool other = (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
    if (!letter && !(i > 0 && other)) return 0;
  }
  return mark + 3;
}

// Length of the first segment where that is a scheme with its host, else 0.
size_t HeadLength(std::string_view text) {
  size_t scheme = SchemeLength(text);
  if (scheme == 0) return 0;
  size_t slash = text.find('/', scheme);
  return slash == std::string_view::npos ? text.size() : slash;
}

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

bool IsEncodedDotOrSlash(std::string_view text, size_t at) {
  if (text[at] != '%' || text.size() - at < 3) return false;
  char high = text[at + 1];
  char low = Lower(text[at + 2]);
  return (high == '2' && (low == 'e' || low == 'f')) || (high == '5' && low == 'c');
}

}  // namespace

Result<std::string_view> CheckPath(std::string_view text) {
  if (text.empty()) return Error{"path.empty", "a path has at least one segment"};
  if (!IsNfc(text)) {
    return Error{"path.text", "a path is UTF-8 in Unicode normal form C"};
  }
  if (HasControl(text)) return Error{"path.control", "a path has no control characters"};
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\') return Error{"path.backslash", "a path separates its segments by `/`"};
    if (IsEncodedDotOrSlash(text, i)) {
      return Error{"path.encoded", "a path has no encoded `.`, `/` or `\\` (%2e, %2f, %5c)"};
    }
  }
  size_t head = HeadLength(text);
  size_t scheme = SchemeLength(text);
  if (head != 0 && head == scheme && text.substr(0, scheme) != "file://") {
    return Error{"path.scheme", "a path with a scheme names a host, as in `s3://bucket/key`"};
  }
  if (head != 0) {
    std::string_view host = text.substr(scheme, head - scheme);
    if (host == "." || host == "..") {
      return Error{"path.segment", "a path has no `.` or `..` segment"};
    }
  }
  std::string_view canonical = text;
  if (canonical.size() > (head != 0 ? head : 1) && canonical.back() == '/') {
    canonical.remove_suffix(1);
  }
  // Segments after the head or the root's slash.
  size_t at = head != 0 ? head : 0;
  if (at < canonical.size() && canonical[at] == '/') ++at;
  if (at == canonical.size()) {
    // "/", "file://", "s3://bucket": nothing beneath. A head followed by "//" is an empty segment.
    if (canonical.size() == head || text == "/") return canonical;
    return Error{"path.segment", "a path has no empty segment"};
  }
  while (at <= canonical.size()) {
    size_t slash = canonical.find('/', at);
    if (slash == std::string_view::npos) slash = canonical.size();
    std::string_view segment = canonical.substr(at, slash - at);
    if (segment.empty()) return Error{"path.segment", "a path has no empty segment"};
    if (segment == "." || segment == "..") {
      return Error{"path.segment", "a path has no `.` or `..` segment"};
    }
    at = slash + 1;
  }
  return canonical;
}

Result<std::string> NormalizePath(std::string_view text) {
  Result<std::string_view> checked = CheckPath(text);
  if (!checked.ok()) return checked.error();
  return std::string(*checked);
}

bool PathWithin(std::string_view inner, std::string_view outer) {
  if (outer.empty() || inner.size() < outer.size()) return false;
  if (inner.substr(0, outer.size()) != outer) return false;
  // "scheme://host" is one segment: no shorter text reaches into it.
  if (outer.size() < HeadLength(inner)) return false;
  return inner.size() == outer.size() || outer == "/" || inner[outer.size()] == '/';
}

}  // namespace dpl
