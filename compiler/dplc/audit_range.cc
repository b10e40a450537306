// See audit_range.h.
#include "compiler/dplc/audit_range.h"

#include <charconv>

namespace dpl::dplc {
namespace {

// A bound of a range: digits alone are a record's number, a day alone begins at midnight UTC.
Status Bound(const std::string& text, uint64_t* number, std::optional<Instant>* instant) {
  if (text.empty()) return Status::Ok();
  auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), *number);
  if (error == std::errc() && stop == text.data() + text.size()) return Status::Ok();
  Result<Instant> parsed = ParseInstant(text.size() == 10 ? text + "T00:00Z" : text);
  if (!parsed.ok())
    return Error{"audit.range", "`" + text + "` is neither a record's number nor an instant"};
  *instant = *parsed;
  return Status::Ok();
}

}  // namespace

Result<AuditRange> AuditRangeOf(const std::string& from_text, const std::string& to_text) {
  AuditRange range;
  uint64_t from = 0, to = 0;
  DPL_RETURN_IF_ERROR(Bound(from_text, &from, &range.since));
  DPL_RETURN_IF_ERROR(Bound(to_text, &to, &range.until));
  if (!range.since.has_value()) range.from = from;
  if (!to_text.empty() && !range.until.has_value()) range.to = to;
  return range;
}

}  // namespace dpl::dplc
