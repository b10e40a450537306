// Normal form C, the one question that needs Unicode's tables: the only file of this room that
// knows ICU. ICU reads the UTF-8 in place; it takes memory only where characters must be reordered.
#include <limits>

#include <unicode/normalizer2.h>

#include "runtime/base/text.h"

namespace dpl {

bool IsNfc(std::string_view text) {
  // Below U+0300 every character is its own normal form and no two compose: lead bytes up to 0xcb.
  bool ascii = true;
  bool simple = true;
  for (char c : text) {
    auto byte = static_cast<uint8_t>(c);
    if (byte >= 0x80) ascii = false;
    if (byte >= 0xcc) simple = false;
  }
  if (ascii) return true;
  if (!IsValidUtf8(text)) return false;
  if (simple) return true;
  if (text.size() > static_cast<size_t>(std::numeric_limits<int32_t>::max())) return false;

  UErrorCode status = U_ZERO_ERROR;
  const icu::Normalizer2* nfc = icu::Normalizer2::getNFCInstance(status);
  if (U_FAILURE(status)) return false;
  icu::StringPiece piece(text.data(), static_cast<int32_t>(text.size()));
  UBool normal = nfc->isNormalizedUTF8(piece, status);
  return U_SUCCESS(status) && normal;
}

}  // namespace dpl
