// Base64 (RFC 4648 section 4, with padding). Decoding takes only what encoding gives, so that one
// value has one spelling.
#pragma once

#include <string>
#include <string_view>

namespace dpl {

void AppendBase64(std::string* out, std::string_view bytes);
std::string Base64(std::string_view bytes);
bool ParseBase64(std::string_view text, std::string* bytes);

}  // namespace dpl
