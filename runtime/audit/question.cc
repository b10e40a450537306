// See question.h. A box: its version, then for each item flags, the answer's sum and five texts,
// each as a difference to the same text of the item before: its size, then in turn how many bytes
// are as they were, how many are other, and those. Behind the first other bytes what is as it was
// is counted from the end when the sizes differ.
#include "runtime/audit/question.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "runtime/base/base64.h"
#include "runtime/base/bytes.h"

namespace dpl {
namespace {

constexpr uint8_t kVersion = 2;  // of a question sealed for itself; 1: without the check sum
constexpr size_t kSumSize = 8;
constexpr uint8_t kBoxVersion = 3;
constexpr size_t kMostBytes = size_t{64} << 10;    // a box with so much is full
constexpr uint64_t kMostText = uint64_t{8} << 20;  // of one text: more than any request has
constexpr size_t kFullTexts = size_t{32} << 20;    // a box whose items say so much is full, too
static_assert(kFullTexts + 5 * kMostText <= SealedItems::kMostTexts);

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

uint64_t Word(const char* at) {
  uint64_t word = 0;
  std::memcpy(&word, at, 8);
  return word;
}

// How many bytes are alike, from the beginning.
size_t Alike(const char* a, const char* b, size_t most) {
  size_t n = 0;
  for (; n + 8 <= most; n += 8) {
    if (const uint64_t other = Word(a + n) ^ Word(b + n); other != 0)
      return n + static_cast<size_t>(std::countr_zero(other)) / 8;
  }
  while (n < most && a[n] == b[n]) ++n;
  return n;
}

void AppendVarint(std::string* out, uint64_t v) {
  for (; v >= 0x80; v >>= 7) out->push_back(static_cast<char>(v | 0x80));
  out->push_back(static_cast<char>(v));
}

void AppendDifference(std::string* out, std::string_view before, std::string_view text) {
  AppendVarint(out, text.size());
  if (text.empty()) return;
  size_t at = Alike(before.data(), text.data(), std::min(before.size(), text.size()));
  AppendVarint(out, at);
  if (before.size() != text.size()) {
    if (at == text.size()) return;
    size_t end = 0;
    const size_t most = std::min(before.size(), text.size()) - at;
    while (end < most && before[before.size() - 1 - end] == text[text.size() - 1 - end]) ++end;
    const size_t other = text.size() - at - end;
    // There is always something between: a text cut in its middle repeats a byte.
    const size_t more = other == 0 ? 1 : 0;
    AppendVarint(out, other + more);
    out->append(text.substr(at, other + more));
    if (end > more) AppendVarint(out, end - more);
    return;
  }
  while (at < text.size()) {
    size_t other = 1;  // up to where eight bytes are alike again
    while (at + other < text.size() &&
           (at + other + 8 > text.size() ||
            Word(before.data() + at + other) != Word(text.data() + at + other)))
      ++other;
    AppendVarint(out, other);
    out->append(text.substr(at, other));
    at += other;
    if (at == text.size()) return;
    const size_t alike = Alike(before.data() + at, text.data() + at, text.size() - at);
    AppendVarint(out, alike);
    at += alike;
  }
}

bool ReadDifference(ByteReader* r, std::string_view before, std::string* text) {
  uint64_t size = 0;
  if (!r->Varint(&size) || size > kMostText) return false;
  text->clear();
  size_t shift = 0;  // modulo 2^64
  while (text->size() < size) {
    uint64_t alike = 0, other = 0;
    std::string_view bytes;
    if (!r->Varint(&alike) || alike > size - text->size()) return false;
    const size_t from = text->size() + shift;
    if (alike > 0 && (from > before.size() || alike > before.size() - from)) return false;
    if (alike > 0) text->append(before.substr(from, alike));
    if (text->size() == size) return true;
    if (!r->Varint(&other) || other == 0 || other > size - text->size() || !r->Bytes(other, &bytes))
      return false;
    text->append(bytes);
    shift = before.size() - static_cast<size_t>(size);
  }
  return true;
}

uint64_t Mixed(uint64_t a, uint64_t word, uint64_t factor) {
  const auto product = static_cast<unsigned __int128>(a ^ word) * factor;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

}  // namespace

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

// Four lanes, so that none waits for another's multiplication; odd factors without a pattern.
AnswerSum AnswerSumOf(std::string_view answer) {
  constexpr uint64_t kFactors[4] = {0x9e3779b97f4a7c15, 0xc2b2ae3d27d4eb4f, 0x165667b19e3779f9,
                                    0xd6e8feb86659fd93};
  uint64_t a = 0x243f6a8885a308d3, b = 0x13198a2e03707344, c = 0xa4093822299f31d0,
           d = 0x082efa98ec4e6c89;
  auto mix = [&](const char* at) {
    a = Mixed(a, Word(at), kFactors[0]);
    b = Mixed(b, Word(at + 8), kFactors[1]);
    c = Mixed(c, Word(at + 16), kFactors[2]);
    d = Mixed(d, Word(at + 24), kFactors[3]);
  };
  const uint64_t size = answer.size();
  const char* at = answer.data();
  const char* const end = at + size - size % 32;
  for (; at != end; at += 32) mix(at);
  char rest[32] = {};
  std::copy(at, at + size % 32, rest);
  mix(rest);
  const uint64_t lanes[4] = {a, b, c, d};
  AnswerSum sum{size, ~size};
  for (size_t i = 0; i < 4; ++i) {
    sum[0] = Mixed(sum[0], lanes[i], kFactors[i]);
    sum[1] = Mixed(sum[1], lanes[3 - i], kFactors[i]);
  }
  return sum;
}

bool Sealer::Fits(Instant now) const {
  return count_ == 0 || (count_ < kMostItems && plain_.size() < kMostBytes && texts_ < kFullTexts &&
                         key_->day == AuditVault::DayOf(now));
}

bool Sealer::Begin(Instant now) {
  if (count_ != 0) return true;
  if (key_ == nullptr || key_->day != AuditVault::DayOf(now)) {
    key_ = vault_->KeyFor(now);
    sealed_box_ = key_ == nullptr ? nullptr : std::make_unique<SealedBox>(key_->bytes);
  }
  return key_ != nullptr;
}

uint32_t Sealer::Add(const SealedItem& item) {
  if (count_ == 0) {
    plain_.assign(1, static_cast<char>(kBoxVersion));
    texts_ = 0;
    for (std::string& text : last_) text.clear();
  }
  plain_.push_back(item.question.clock_suspect ? '\1' : '\0');
  plain_.append(reinterpret_cast<const char*>(item.sum.data()), sizeof item.sum);
  const SealedQuestion& q = item.question;
  const std::string_view texts[5] = {item.id, q.charge_key, q.endpoint, q.body, q.witness};
  for (size_t i = 0; i < 5; ++i) {
    AppendDifference(&plain_, last_[i], texts[i]);
    last_[i].assign(texts[i]);
    texts_ += texts[i].size();
  }
  return count_++;
}

void Sealer::Finish(std::string* record) {
  // One key is one start's, and one log seals alone: a count never comes twice under it.
  BoxNonce nonce{};
  ++boxes_;
  for (size_t i = 0; i < 8; ++i) nonce[4 + i] = static_cast<uint8_t>(boxes_ >> (8 * i));
  sealed_.clear();
  sealed_box_->Seal(nonce, kAbout, plain_, &sealed_);
  record->append(R"({"v":3,"kind":"sealed","key":")").append(key_->id).append("\",\"box\":\"");
  AppendBase64(record, sealed_);
  record->append("\"}");
  count_ = 0;
}

std::optional<SealedItems> SealedItems::Parse(std::string_view plain) {
  ByteReader r(plain);
  SealedItems out;
  uint8_t version = 0;
  if (!r.U8(&version) || version != kBoxVersion) return std::nullopt;
  std::array<std::string_view, 5> last;
  size_t texts = 0;
  while (!r.at_end()) {
    SealedItem item;
    uint8_t flags = 0;
    std::string_view sum;
    if (out.items_.size() == Sealer::kMostItems || !r.U8(&flags) || !r.Bytes(sizeof item.sum, &sum))
      return std::nullopt;
    std::memcpy(item.sum.data(), sum.data(), sizeof item.sum);
    for (std::string_view& text : last) {
      auto own = std::make_unique<std::string>();
      if (!ReadDifference(&r, text, own.get()) || (texts += own->size()) > kMostTexts)
        return std::nullopt;
      text = *out.texts_.emplace_back(std::move(own));
    }
    item.id = last[0];
    item.question = {(flags & 1) != 0, last[1], last[3], last[2], last[4]};
    out.items_.push_back(item);
  }
  return out;
}

}  // namespace dpl
