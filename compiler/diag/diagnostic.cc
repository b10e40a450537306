// The catalogue as data, and the filling of message templates.
#include "compiler/diag/diagnostic.h"

#include <algorithm>

#include "runtime/base/result.h"

namespace dpl {

const std::vector<DiagInfo>& DiagCatalogue() {
  static const std::vector<DiagInfo> kRows = {
#define DPL_DIAG(code, severity, phase, name, message, meaning) \
  {DPL##code, Severity::severity, #phase, #name, message, meaning},
#include "compiler/diag/catalogue.def"
#undef DPL_DIAG
  };
  return kRows;
}

const DiagInfo& InfoOf(DiagCode code) {
  const auto& rows = DiagCatalogue();
  auto row =
      std::lower_bound(rows.begin(), rows.end(), code,
                       [](const DiagInfo& info, DiagCode wanted) { return info.code < wanted; });
  DPL_CHECK(row != rows.end() && row->code == code);
  return *row;
}

const DiagInfo* FindDiag(std::string_view text) {
  if (text.starts_with("DPL") || text.starts_with("dpl")) text.remove_prefix(3);
  if (text.empty() || text.size() > 4) return nullptr;
  unsigned number = 0;
  for (char c : text) {
    if (c < '0' || c > '9') return nullptr;
    number = number * 10 + static_cast<unsigned>(c - '0');
  }
  for (const DiagInfo& info : DiagCatalogue()) {
    if (info.code == number) return &info;
  }
  return nullptr;
}

std::string CodeText(DiagCode code) {
  std::string digits = std::to_string(static_cast<unsigned>(code));
  return "DPL" + std::string(4 - std::min<size_t>(4, digits.size()), '0') + digits;
}

std::string FillTemplate(std::string_view text, const std::vector<std::string>& args) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    bool slot = text[i] == '{' && i + 2 < text.size() && text[i + 2] == '}' && text[i + 1] >= '0' &&
                text[i + 1] <= '9';
    if (!slot) {
      out.push_back(text[i]);
      continue;
    }
    size_t index = static_cast<size_t>(text[i + 1] - '0');
    DPL_CHECK(index < args.size());  // a report that forgot an argument of its template
    out += args[index];
    i += 2;
  }
  return out;
}

}  // namespace dpl
