// See page_token.h.
#include "server/api/page_token.h"

#include "runtime/base/base64.h"
#include "runtime/base/result.h"

namespace dpl {
namespace {

constexpr size_t kMostBytes = 4096;  // of a token: ids are far shorter
constexpr size_t kLimitBytes = 4;

// Base64 with the letters of RFC 4648 section 5, which need no care in a URL or a form.
std::string Swapped(std::string_view text, std::string_view from, std::string_view to) {
  std::string out(text);
  for (char& c : out) {
    size_t at = from.find(c);
    if (at != std::string_view::npos) c = to[at];
  }
  return out;
}

}  // namespace

void PageTokens::Append(std::string* out, const Digest& question, const Digest& policy,
                        const PagePlace& place) {
  BoxNonce nonce;
  DPL_CHECK(FillRandom(nonce.data(), nonce.size()));
  std::string plain(DigestBytes(policy));
  for (int shift = 0; shift < 32; shift += 8)
    plain.push_back(static_cast<char>(place.limit >> shift & 0xff));
  plain.append(place.after);
  std::string sealed;
  box_.Seal(nonce, DigestBytes(question), plain, &sealed);
  out->append(Swapped(Base64(sealed), "+/", "-_"));
}

PageToken PageTokens::Read(std::string_view token, const Digest& question, const Digest& policy,
                           PagePlace* place) {
  std::string sealed;
  if (token.size() > kMostBytes || token.find_first_of("+/") != std::string_view::npos ||
      !ParseBase64(Swapped(token, "-_", "+/"), &sealed))
    return PageToken::kBad;
  std::optional<std::string> plain = box_.Open(DigestBytes(question), sealed);
  if (!plain || plain->size() < policy.size() + kLimitBytes) return PageToken::kBad;
  if (plain->compare(0, policy.size(), DigestBytes(policy)) != 0) return PageToken::kOtherPolicy;
  place->limit = 0;
  for (size_t i = 0; i < kLimitBytes; ++i)
    place->limit |= uint32_t{static_cast<uint8_t>((*plain)[policy.size() + i])} << (8 * i);
  place->after = plain->substr(policy.size() + kLimitBytes);
  return PageToken::kGood;
}

}  // namespace dpl
