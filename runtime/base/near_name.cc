// Optimal string alignment distance over short names.
#include "runtime/base/near_name.h"

#include <algorithm>
#include <array>
#include <utility>

namespace dpl {
namespace {

constexpr size_t kLongest = 64;  // longer names are compared by their first part only

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// Distance in thirds of an edit: a change of letter case costs 1, an insertion, removal, change or
// swap 3. Beyond `most` it is only known to be more: a set may have many thousand names.
unsigned Distance(std::string_view a, std::string_view b, unsigned most) {
  a = a.substr(0, kLongest);
  b = b.substr(0, kLongest);
  size_t lengths = a.size() < b.size() ? b.size() - a.size() : a.size() - b.size();
  if (3 * lengths > most) return most + 1;
  std::array<unsigned, kLongest + 1> rows[3];
  unsigned *before = rows[0].data(), *last = rows[1].data(), *now = rows[2].data();
  unsigned least_before = 0;
  for (size_t j = 0; j <= b.size(); ++j) last[j] = static_cast<unsigned>(j) * 3;
  for (size_t i = 1; i <= a.size(); ++i) {
    now[0] = static_cast<unsigned>(i) * 3;
    unsigned least = now[0];
    for (size_t j = 1; j <= b.size(); ++j) {
      unsigned change = a[i - 1] == b[j - 1] ? 0 : Lower(a[i - 1]) == Lower(b[j - 1]) ? 1 : 3;
      now[j] = std::min({last[j] + 3, now[j - 1] + 3, last[j - 1] + change});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        now[j] = std::min(now[j], before[j - 2] + 3);
      }
      least = std::min(least, now[j]);
    }
    // A later row builds on one of the two before it.
    if (least > most && least_before > most) return most + 1;
    least_before = least;
    unsigned* oldest = before;
    before = last;
    last = now;
    now = oldest;
  }
  return last[b.size()];
}

std::string_view LastPart(std::string_view name) {
  size_t dot = name.rfind('.');
  return dot == std::string_view::npos ? name : name.substr(dot + 1);
}

}  // namespace

std::vector<std::string> NearNames(std::string_view name, const std::vector<std::string>& known) {
  std::vector<std::pair<unsigned, std::string>> near;
  for (const std::string& candidate : known) {
    if (candidate == name) continue;
    auto limit = [](std::string_view a, std::string_view b) {
      return 3 *
             std::clamp<unsigned>(static_cast<unsigned>(std::max(a.size(), b.size())) / 3, 1, 3);
    };
    unsigned distance = Distance(name, candidate, limit(name, candidate));
    bool close = distance <= limit(name, candidate);
    std::string_view last = LastPart(candidate);
    if (!close && last.size() != candidate.size()) {
      unsigned of_part = Distance(LastPart(name), last, limit(LastPart(name), last));
      close = of_part <= limit(LastPart(name), last);
      distance = of_part + 1;  // the package was left out or differs
    }
    if (close) near.emplace_back(distance, candidate);
  }
  std::sort(near.begin(), near.end());
  near.erase(std::unique(near.begin(), near.end()), near.end());
  std::vector<std::string> names;
  for (size_t i = 0; i < near.size() && i < 3; ++i) names.push_back(std::move(near[i].second));
  return names;
}

std::string DidYouMean(const std::vector<std::string>& names) {
  if (names.empty()) return {};
  std::string text = "did you mean ";
  for (size_t i = 0; i < names.size(); ++i) {
    if (i > 0) text += i + 1 == names.size() ? " or " : ", ";
    text += "`" + names[i] + "`";
  }
  return text + "?";
}

}  // namespace dpl
