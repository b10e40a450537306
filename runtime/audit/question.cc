// See question.h.
#include "runtime/audit/question.h"

#include <cstring>

#include "runtime/base/base64.h"
#include "runtime/base/bytes.h"

namespace dpl {
namespace {

constexpr uint8_t kVersion = 2;  // 1: without the check sum
constexpr size_t kSumSize = 8;

// So that who cannot open the box can tell damage from another answer.
uint64_t Sum(std::string_view text) {
  uint64_t sum = text.size();
  auto mix = [&sum](uint64_t word) {
    sum = (sum ^ word) * 0x9e3779b97f4a7c15ull;
    sum ^= sum >> 32;
  };
  for (; text.size() >= 8; text.remove_prefix(8)) {
    uint64_t word = 0;
    std::memcpy(&word, text.data(), 8);
    mix(word);
  }
  uint64_t last = 0;
  for (char c : text) last = last << 8 | static_cast<uint8_t>(c);
  mix(last);
  return sum;
}

}  // namespace

void SealedQuestion::Append(std::string* out) const {
  const size_t start = out->size();
  ByteWriter w(out);
  w.U8(kVersion);
  w.U8(clock_suspect ? 1 : 0);
  w.String(charge_key);
  w.String(endpoint);
  w.String(body);
  w.String(witness);
  w.U64(Sum(std::string_view(*out).substr(start)));
}

std::optional<SealedQuestion> SealedQuestion::Parse(std::string_view plain) {
  if (!plain.empty() && plain[0] == kVersion && plain.size() > kSumSize) {
    uint64_t sum = 0;
    ByteReader(plain.substr(plain.size() - kSumSize)).U64(&sum);
    plain.remove_suffix(kSumSize);
    if (sum != Sum(plain)) return std::nullopt;
  }
  ByteReader r(plain);
  SealedQuestion question;
  uint8_t version = 0, flags = 0;
  if (!r.U8(&version) || version < 1 || version > kVersion || !r.U8(&flags) ||
      !r.String(&question.charge_key) || !r.String(&question.endpoint) ||
      !r.String(&question.body) || !r.String(&question.witness) || !r.at_end())
    return std::nullopt;
  question.clock_suspect = (flags & 1) != 0;
  return question;
}

bool Sealer::Seal(Instant now, std::string_view evaluation_id, const SealedQuestion& question,
                  std::string_view answer) {
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
  sealed_box_->Seal(nonce, evaluation_id, plain_, &sealed_, answer);
  AppendBase64(&box_, sealed_);
  return true;
}

}  // namespace dpl
