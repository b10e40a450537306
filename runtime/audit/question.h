// What is sealed into the record of a decision: the request as it came, and the witness. The answer
// is bound to it: only who gives the same bytes can open it.
//
//   Sealer sealer(&vault, thread_number);    // one per thread
//   sealer.Seal(now, evaluation_id, question, answer);
//   context.seal_key = sealer.key_id(); context.box = sealer.box();   // both empty: not sealed
//
//   std::optional<Question> question = Question::Parse(plain);
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/audit/vault.h"

namespace dpl {

struct SealedQuestion {
  bool clock_suspect = false;
  std::string_view charge_key;  // what the server made of X-Request-ID; empty: nothing
  std::string_view body;        // JSON with subject, action, resource, context
  std::string_view endpoint;    // AnswerOptions::request_endpoint
  std::string_view witness;

  void Append(std::string* out) const;
  // Nothing: these are not the bytes that Append wrote.
  static std::optional<SealedQuestion> Parse(std::string_view plain);  // views into `plain`
};

class Sealer {
 public:
  Sealer(AuditVault* vault, uint32_t thread) : vault_(vault), thread_(thread) {}

  // Seals for one record; false when no key could be had.
  bool Seal(Instant now, std::string_view evaluation_id, const SealedQuestion& question,
            std::string_view answer);
  std::string_view key_id() const { return key_ == nullptr ? std::string_view() : key_->id; }
  std::string_view box() const { return box_; }

 private:
  AuditVault* vault_;
  const uint32_t thread_;
  uint64_t count_ = 0;
  std::shared_ptr<const AuditVault::Key> key_;
  std::unique_ptr<SealedBox> sealed_box_;
  std::string plain_, sealed_, box_;
};

}  // namespace dpl
