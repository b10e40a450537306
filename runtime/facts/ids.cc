// Canonical ids and near names.
#include "runtime/facts/ids.h"

#include <algorithm>

#include "runtime/base/text.h"

namespace dpl {
namespace {

constexpr size_t kMaxNearName = 64;  // longer names are compared with nothing

// Edit distance with swaps of neighbours, cut off above `limit`.
size_t Distance(std::string_view a, std::string_view b, size_t limit) {
  size_t longer = std::max(a.size(), b.size());
  if (longer > kMaxNearName || longer - std::min(a.size(), b.size()) > limit) return limit + 1;
  std::vector<size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      row[j] =
          std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
    }
    before.swap(last);
    last.swap(row);
  }
  return last[b.size()];
}

}  // namespace

Status CheckId(std::string_view id) {
  if (id.empty()) return Error{"id.empty", "an id is not empty"};
  if (id.size() > kMaxIdBytes) return Error{"id.size", "an id has at most 4,096 bytes"};
  bool plain = IsPlainJson(id) ||
               std::all_of(id.begin(), id.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
  if (plain) return Status::Ok();
  if (!IsValidUtf8(id)) return Error{"id.text", "an id is UTF-8"};
  if (HasControl(id)) return Error{"id.text", "an id has no control characters"};
  if (HasBidiOrInvisible(id)) return Error{"id.text", "an id has no bidi or invisible characters"};
  if (!IsNfc(id)) return Error{"id.text", "an id is in Unicode normal form C"};
  return Status::Ok();
}

std::string NearNameHint(std::string_view name, const std::vector<std::string_view>& candidates) {
  size_t limit = std::max<size_t>(1, name.size() / 3);
  size_t best = limit + 1;
  std::string_view found;
  for (std::string_view candidate : candidates) {
    size_t d = Distance(name, candidate, limit);
    size_t dot = candidate.rfind('.');
    if (dot != std::string_view::npos)
      d = std::min(d, Distance(name, candidate.substr(dot + 1), limit));
    if (d < best) {
      best = d;
      found = candidate;
    }
  }
  if (found.empty()) return "";
  return " (did you mean `" + std::string(found) + "`?)";
}

}  // namespace dpl
