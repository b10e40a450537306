// See page.h.
#include "server/operate/page.h"

#include "runtime/base/decimal.h"

namespace dpl {

bool PageQuery::Read(Call& call) {
  if (std::optional<std::string_view> given = call.Query("limit")) {
    Result<int64_t> number = ParseInt(*given);
    if (!number.ok() || *number < 1 || *number > kLargest) {
      call.Problem(ProblemKind::kInvalidParameter,
                   "`limit` must be a whole number from 1 to " + std::to_string(kLargest));
      return false;
    }
    limit_ = static_cast<size_t>(*number);
  }
  if (std::optional<std::string_view> given = call.Query("cursor")) {
    if (!ParseHex(*given, &after_) || after_.empty()) {
      call.Problem(ProblemKind::kInvalidParameter,
                   "`cursor` must be what `next` of the page before said");
      return false;
    }
  }
  return true;
}

}  // namespace dpl
