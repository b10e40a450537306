// The token of the next page of a search: where to go on, for nobody to read or to make.
//
//   PageTokens tokens(key);                                   // one per thread, one key per start
//   tokens.Append(&text, question_digest, policy_digest, "E1007");
//   std::string after;
//   if (tokens.Read(text, question_digest, policy_digest, &after) == PageToken::kGood) …
//
// Sealed (AES-256-GCM) under a key of this start, bound to the question and to the policy. The
// server keeps nothing of it.
#pragma once

#include <string>
#include <string_view>

#include "runtime/base/sealed_box.h"
#include "runtime/base/sha256.h"

namespace dpl {

enum class PageToken : uint8_t { kGood, kBad, kOtherPolicy };

class PageTokens {
 public:
  explicit PageTokens(const BoxKey& key) : box_(key) {}

  void Append(std::string* out, const Digest& question, const Digest& policy,
              std::string_view position);
  PageToken Read(std::string_view token, const Digest& question, const Digest& policy,
                 std::string* position);

 private:
  SealedBox box_;
};

}  // namespace dpl
