// The table of routes (routes.def), and how a path finds its row.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "server/api/callers.h"

namespace dpl {

class Call;

// Whether a request to a route carries a JSON object.
// kRaw: the function reads the text itself, which may be large.
enum class BodyRule : uint8_t { kNone, kRequired, kOptional, kRaw };

struct Route {
  std::string_view method;
  std::string_view path;  // with `{name}` for a segment that is a parameter
  Roles roles;
  BodyRule body;
  std::string_view query;  // names of query parameters, separated by blanks
  void (*run)(Call& call);
};

std::span<const Route> Routes();

// The parameters of `path` in `route`, percent-decoded; false when the path is another one. `*bad`
// is set when a parameter is not well-formed: it then matches all the same.
bool MatchPath(const Route& route, std::string_view path, std::vector<std::string>* parameters,
               bool* bad);

// Percent-decoding of one segment or one query value; false: not UTF-8, or a control character in
// it, or a `%` without two hex digits. In a query `plus_is_blank`.
bool DecodePart(std::string_view text, bool plus_is_blank, std::string* out);

#define DPL_ROUTE(method, path, roles, body, query, function) void function(Call& call);
#include "server/operate/routes.def"
#undef DPL_ROUTE

}  // namespace dpl
