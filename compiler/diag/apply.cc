// Choosing and applying edits.
#include "compiler/diag/apply.h"

#include <algorithm>
#include <string_view>

namespace dpl {
namespace {

// Two edits that cannot both be made: they share text, or insert at one place.
bool Clash(const Edit& a, const Edit& b) {
  if (a.span.file != b.span.file) return false;
  if (a.span.begin == b.span.begin) return true;
  const Edit& first = a.span.begin < b.span.begin ? a : b;
  const Edit& second = a.span.begin < b.span.begin ? b : a;
  return first.span.end > second.span.begin;
}

}  // namespace

std::vector<size_t> ChooseFixes(const std::vector<Diagnostic>& diagnostics) {
  std::vector<size_t> chosen;
  std::vector<const Edit*> taken;  // by file and place
  auto before = [](const Edit* a, const Edit* b) {
    return std::pair(a->span.file, a->span.begin) < std::pair(b->span.file, b->span.begin);
  };
  for (size_t i = 0; i < diagnostics.size(); ++i) {
    if (!diagnostics[i].fix || diagnostics[i].fix->edits.empty()) continue;
    const std::vector<Edit>& edits = diagnostics[i].fix->edits;
    bool fits = std::all_of(edits.begin(), edits.end(), [&](const Edit& edit) {
      if (!edit.span.known()) return false;
      auto next = std::lower_bound(taken.begin(), taken.end(), &edit, before);
      return (next == taken.end() || !Clash(**next, edit)) &&
             (next == taken.begin() || !Clash(**std::prev(next), edit));
    });
    if (!fits) continue;
    chosen.push_back(i);
    for (const Edit& edit : edits)
      taken.insert(std::lower_bound(taken.begin(), taken.end(), &edit, before), &edit);
  }
  return chosen;
}

std::string ApplyFixes(const SourceFile& file, const std::vector<Diagnostic>& diagnostics,
                       const std::vector<size_t>& chosen) {
  std::vector<const Edit*> edits;
  for (size_t i : chosen) {
    for (const Edit& edit : diagnostics[i].fix->edits) {
      if (edit.span.file == file.id()) edits.push_back(&edit);
    }
  }
  std::sort(edits.begin(), edits.end(),
            [](const Edit* a, const Edit* b) { return a->span.begin < b->span.begin; });
  std::string_view text = file.text();
  std::string out;
  size_t at = 0;
  for (const Edit* edit : edits) {
    out += text.substr(at, edit->span.begin - at);
    out += edit->replacement;
    at = edit->span.end;
  }
  out += text.substr(at);
  return out;
}

}  // namespace dpl
