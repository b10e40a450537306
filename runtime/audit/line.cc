#include "runtime/audit/line.h"

#include <algorithm>
#include <charconv>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "runtime/audit/checkpoint.h"
#include "runtime/base/base64.h"

namespace dpl {
namespace {

constexpr size_t kTimeSize = 27, kDigestSize = 44;

void AppendPadded(std::string* out, int64_t value, size_t digits) {
  std::string text = std::to_string(value);
  if (text.size() < digits) out->append(digits - text.size(), '0');
  *out += text;
}

// "2026-11-22T15:30:00."
std::string SecondText(Instant time) {
  Civil c = CivilFromInstant(time);
  std::string out;
  AppendPadded(&out, c.year, 4);
  for (auto [mark, value] :
       {std::pair{'-', c.month}, {'-', c.day}, {'T', c.hour}, {':', c.minute}, {':', c.second}}) {
    out.push_back(mark);
    AppendPadded(&out, value, 2);
  }
  return out + ".";
}

int64_t SecondOf(Instant time) {
  int64_t second = time.us / kMicrosPerSecond;
  return time.us % kMicrosPerSecond < 0 ? second - 1 : second;
}

bool Take(std::string_view* rest, std::string_view text) {
  if (!rest->starts_with(text)) return false;
  rest->remove_prefix(text.size());
  return true;
}

}  // namespace

bool HasLowControl(std::string_view text) {
  constexpr uint64_t kOnes = 0x0101010101010101;
  uint64_t found = 0;
#if defined(__SSE2__)
  __m128i low = _mm_setzero_si128();
  while (text.size() >= 16) {
    const __m128i x = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data()));
    low = _mm_or_si128(low, _mm_cmpeq_epi8(_mm_min_epu8(x, _mm_set1_epi8(0x1f)), x));
    text.remove_prefix(16);
  }
  found = static_cast<uint64_t>(_mm_movemask_epi8(low));
#endif
  while (text.size() >= 8) {  // every record passes here
    uint64_t x = 0;
    std::memcpy(&x, text.data(), 8);
    found |= (x - kOnes * 0x20) & ~x & (kOnes * 0x80);
    text.remove_prefix(8);
  }
  for (char c : text) found |= static_cast<uint8_t>(c) < 0x20 ? 1 : 0;
  return found != 0;
}

std::string AuditTimeText(Instant time) {
  time = std::clamp(time, kMinInstant, kMaxInstant);
  std::string out = SecondText(time);
  AppendPadded(&out, time.us - SecondOf(time) * kMicrosPerSecond, 6);
  return out + "Z";
}

void AuditLineWriter::Append(std::string* out, uint64_t seq, bool group, Instant time,
                             const Digest& prev, std::string_view record) {
  time = std::clamp(time, kMinInstant, kMaxInstant);
  const int64_t second = SecondOf(time);
  if (second != second_) {
    second_ = second;
    text_ = SecondText(time);
  }
  char micros[6];
  for (int64_t i = 6, left = time.us - second * kMicrosPerSecond; i-- > 0; left /= 10)
    micros[i] = static_cast<char>('0' + left % 10);
  out->append("{\"seq\":");
  char digits[24];
  out->append(digits, std::to_chars(digits, digits + sizeof digits, seq).ptr);
  out->append(group ? ",\"group\":true,\"time\":\"" : ",\"time\":\"");
  out->append(text_).append(micros, sizeof micros).append("Z\",\"prev\":\"");
  AppendBase64(out, DigestBytes(prev));
  out->append("\",\"record\":").append(record).append("}\n");
}

bool ParseAuditLine(std::string_view line, AuditLine* out) {
  *out = AuditLine{};
  if (!Take(&line, "{\"seq\":")) return false;
  auto [stop, error] = std::from_chars(line.data(), line.data() + line.size(), out->seq);
  auto digits = static_cast<size_t>(stop - line.data());
  if (error != std::errc() || (digits > 1 && line[0] == '0')) return false;
  line.remove_prefix(digits);
  out->group = Take(&line, ",\"group\":true");
  if (!Take(&line, ",\"time\":\"") || line.size() < kTimeSize || line[kTimeSize - 1] != 'Z')
    return false;
  Result<Instant> time = ParseInstant(line.substr(0, kTimeSize));
  if (!time.ok()) return false;
  out->time = *time;
  line.remove_prefix(kTimeSize);
  if (!Take(&line, "\",\"prev\":\"") || line.size() < kDigestSize) return false;
  out->prev = line.substr(0, kDigestSize);
  line.remove_prefix(kDigestSize);
  if (!Take(&line, "\",\"record\":{") || !line.ends_with("}}")) return false;
  out->record = {line.data() - 1, line.size()};
  return !HasLowControl(out->record);
}

}  // namespace dpl
