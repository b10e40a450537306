// The token of the next page of a search: where to go on, for nobody to read or to make.
//
//   PageTokens tokens(key);                                   // one per thread, one key per start
//   tokens.Append(&text, question_digest, policy_digest, {.limit = 50, .after = "E1007"});
//   PagePlace place;
//   if (tokens.Read(text, question_digest, policy_digest, &place) == PageToken::kGood) …
//
// Sealed (AES-256-GCM) under a key of this start, bound to the question and to the policy. The
// server keeps nothing of it.
#pragma once

#include <string>
#include <string_view>

#include "runtime/base/sealed_box.h"
#include "runtime/base/sha256.h"

namespace dpl {

// Where a page ended. Of all pages of a search the limit is the same.
struct PagePlace {
  uint32_t limit = 0;  // 0: of nothing yet
  std::string after;   // the last id that was looked at; empty: none
};

enum class PageToken : uint8_t { kGood, kBad, kOtherPolicy };

class PageTokens {
 public:
  explicit PageTokens(const BoxKey& key) : box_(key) {}

  void Append(std::string* out, const Digest& question, const Digest& policy,
              const PagePlace& place);
  PageToken Read(std::string_view token, const Digest& question, const Digest& policy,
                 PagePlace* place);

 private:
  SealedBox box_;
};

}  // namespace dpl
