// See routes.h.
#include "server/operate/routes.h"

#include "runtime/base/text.h"

namespace dpl {
namespace {

constexpr Roles Of(Role role) { return static_cast<Roles>(role); }
constexpr Roles Of(Roles roles) { return roles; }

constexpr Route kRoutes[] = {
#define DPL_ROUTE(method, path, roles, body, query, function) \
  {method, path, Of(roles), BodyRule::body, query, &function},
#include "server/operate/routes.def"
#undef DPL_ROUTE
};

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// The text up to the next `/`, which is taken off as well.
std::string_view TakeSegment(std::string_view* rest) {
  size_t slash = rest->find('/');
  std::string_view segment = rest->substr(0, slash);
  rest->remove_prefix(slash == std::string_view::npos ? rest->size() : slash + 1);
  return segment;
}

}  // namespace

std::span<const Route> Routes() { return kRoutes; }

bool DecodePart(std::string_view text, bool plus_is_blank, std::string* out) {
  out->clear();
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus_is_blank) {
      out->push_back(' ');
    } else if (text[i] != '%') {
      out->push_back(text[i]);
    } else {
      if (i + 2 >= text.size() || HexDigit(text[i + 1]) < 0 || HexDigit(text[i + 2]) < 0)
        return false;
      out->push_back(static_cast<char>(HexDigit(text[i + 1]) * 16 + HexDigit(text[i + 2])));
      i += 2;
    }
  }
  return IsValidUtf8(*out) && !HasControl(*out);
}

bool MatchPath(const Route& route, std::string_view path, std::vector<std::string>* parameters,
               bool* bad) {
  parameters->clear();
  *bad = false;
  std::string_view wanted = route.path;
  for (;;) {
    if (wanted.empty() != path.empty()) return false;
    if (wanted.empty()) return true;
    const bool last = path.find('/') == std::string_view::npos;
    if (last != (wanted.find('/') == std::string_view::npos)) return false;
    std::string_view pattern = TakeSegment(&wanted), segment = TakeSegment(&path);
    if (!pattern.starts_with('{')) {
      if (pattern != segment) return false;
      continue;
    }
    if (segment.empty()) return false;
    parameters->emplace_back();
    if (!DecodePart(segment, false, &parameters->back())) *bad = true;
  }
}

}  // namespace dpl
