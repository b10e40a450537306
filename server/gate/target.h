// A request target, taken only in the one spelling that everybody reads alike.
//
//   Target target;
//   if (std::string why = ReadTarget("/orders/O%201?page=2", &target); !why.empty()) …  // a denial
//   target.segments;  // {"orders", "O 1"}
//
// A proxy, the service behind it and we may each normalise a path differently: decode `%2F` or not,
// drop `..` and `//`, cut at `;`, fold case. So nothing is normalised here. A target in which two
// readers could see two things is refused: empty and dot segments, backslashes, `;`, `+`, encoded
// slashes, percent signs and unreserved characters, control characters, what is not UTF-8 in normal
// form C, segments that end in a dot or begin or end with a blank.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace dpl {

struct Target {
  static constexpr size_t kMostBytes = 8 * 1024;
  static constexpr size_t kMostSegments = 64;

  std::vector<std::string> segments;  // decoded, none empty
  bool slash = false;                 // ends in "/"; of "/" itself, too
  std::string_view query;             // as sent, without `?`
};

// Returns why the target cannot be taken; empty: it was.
std::string ReadTarget(std::string_view text, Target* out);

// The one value of a query parameter. Refused when it is missing, is there twice, or when another
// parameter could be taken for it (`Amount`, `amount[]`, `amount.`).
std::string QueryValue(std::string_view query, std::string_view name, std::string* value);

// True when every parameter of the query has one of these names.
bool QueryHasOnly(std::string_view query, const std::vector<std::string>& names);

}  // namespace dpl
