// See page.h.
#include "server/operate/page.h"

#include "runtime/base/decimal.h"

namespace dpl {

bool ReadPage(Call& call, size_t* limit, std::string* after) {
  if (std::optional<std::string_view> given = call.Query("limit")) {
    Result<int64_t> number = ParseInt(*given);
    if (!number.ok() || *number < 1 || *number > kLargestPage) {
      call.Problem(ProblemKind::kInvalidParameter,
                   "`limit` must be a whole number from 1 to " + std::to_string(kLargestPage));
      return false;
    }
    *limit = static_cast<size_t>(*number);
  }
  if (std::optional<std::string_view> given = call.Query("cursor")) {
    if (given->empty() || !ParseHex(*given, after) || after->empty()) {
      call.Problem(ProblemKind::kInvalidParameter,
                   "`cursor` must be what `next` of the page before said");
      return false;
    }
  }
  return true;
}

}  // namespace dpl
