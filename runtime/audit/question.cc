// See question.h.
#include "runtime/audit/question.h"

#include "runtime/base/base64.h"
#include "runtime/base/bytes.h"

namespace dpl {
namespace {

constexpr uint8_t kVersion = 1;

}  // namespace

void SealedQuestion::Append(std::string* out) const {
  ByteWriter w(out);
  w.U8(kVersion);
  w.U8(clock_suspect ? 1 : 0);
  w.String(charge_key);
  w.String(endpoint);
  w.String(body);
  w.String(witness);
}

std::optional<SealedQuestion> SealedQuestion::Parse(std::string_view plain) {
  ByteReader r(plain);
  SealedQuestion question;
  uint8_t version = 0, flags = 0;
  if (!r.U8(&version) || version != kVersion || !r.U8(&flags) || !r.String(&question.charge_key) ||
      !r.String(&question.endpoint) || !r.String(&question.body) || !r.String(&question.witness) ||
      !r.at_end())
    return std::nullopt;
  question.clock_suspect = (flags & 1) != 0;
  return question;
}

bool Sealer::Seal(Instant now, std::string_view evaluation_id, const SealedQuestion& question) {
  box_.clear();
  if (key_ == nullptr || key_->day != AuditVault::DayOf(now)) {
    key_ = vault_->KeyFor(now);
    sealed_box_ = key_ == nullptr ? nullptr : std::make_unique<SealedBox>(key_->bytes);
  }
  if (key_ == nullptr) return false;
  plain_.clear();
  question.Append(&plain_);
  // One key is one start's: a thread's number and its count never come twice under it.
  BoxNonce nonce{};
  ++count_;
  for (size_t i = 0; i < 4; ++i) nonce[i] = static_cast<uint8_t>(thread_ >> (8 * i));
  for (size_t i = 0; i < 8; ++i) nonce[4 + i] = static_cast<uint8_t>(count_ >> (8 * i));
  sealed_.clear();
  sealed_box_->Seal(nonce, evaluation_id, plain_, &sealed_);
  AppendBase64(&box_, sealed_);
  return true;
}

}  // namespace dpl
