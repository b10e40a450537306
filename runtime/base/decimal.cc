// Exact decimal text to scaled integers and back.
#include "runtime/base/decimal.h"

#include <charconv>

namespace dpl {
namespace {

constexpr int kPlaces = 6;

// A number's digits without its point: value = (negative ? -1 : 1) * digits * 10^exponent.
struct Digits {
  enum class Fault { kNone, kSyntax, kRange };
  Fault fault = Fault::kNone;
  bool negative = false;
  // Text of the digits, with possibly one point in it; no leading or trailing zeros.
  std::string_view text;
  int64_t exponent = 0;
};

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

size_t SkipDigits(std::string_view text, size_t at) {
  while (at < text.size() && IsDigit(text[at])) ++at;
  return at;
}

// JSON's number grammar, the exponent only when allowed.
Digits Scan(std::string_view text, bool allow_exponent) {
  Digits result;
  auto fail = [&](Digits::Fault fault) {
    result.fault = fault;
    return result;
  };
  size_t i = 0;
  if (!text.empty() && text[0] == '-') {
    result.negative = true;
    ++i;
  }
  size_t begin = i;
  i = SkipDigits(text, i);
  if (i == begin || (i - begin > 1 && text[begin] == '0')) return fail(Digits::Fault::kSyntax);
  size_t point = i;
  if (i < text.size() && text[i] == '.') {
    size_t fraction = i + 1;
    i = SkipDigits(text, fraction);
    if (i == fraction) return fail(Digits::Fault::kSyntax);
  }
  size_t end = i;
  int64_t exponent = 0;
  if (allow_exponent && i < text.size() && (text[i] == 'e' || text[i] == 'E')) {
    ++i;
    bool down = i < text.size() && text[i] == '-';
    if (i < text.size() && (text[i] == '-' || text[i] == '+')) ++i;
    size_t first = i;
    for (; i < text.size() && IsDigit(text[i]); ++i) {
      if (exponent < 1'000'000'000) exponent = exponent * 10 + (text[i] - '0');
    }
    if (i == first) return fail(Digits::Fault::kSyntax);
    if (down) exponent = -exponent;
  }
  if (i != text.size()) return fail(Digits::Fault::kSyntax);

  while (begin < end && (text[begin] == '0' || text[begin] == '.')) ++begin;
  if (begin == end) return result;  // zero, whatever its exponent
  // The exponent is that of the last digit kept.
  int64_t last_place = 0;
  if (end > point) last_place = -static_cast<int64_t>(end - point - 1);
  while (text[end - 1] == '0' || text[end - 1] == '.') {
    if (text[end - 1] == '0') ++last_place;
    --end;
  }
  result.text = text.substr(begin, end - begin);
  result.exponent = last_place + exponent;
  return result;
}

// digits * 10^scale as a 64-bit number with its sign; false on overflow.
bool Scaled(const Digits& digits, int64_t scale, int64_t* value) {
  *value = 0;
  if (digits.text.empty()) return true;
  if (scale > 19 || digits.text.size() > 20) return false;
  auto push = [&](int digit) {
    return !__builtin_mul_overflow(*value, 10, value) &&
           !__builtin_sub_overflow(*value, digit, value);
  };
  for (char c : digits.text) {
    if (c != '.' && !push(c - '0')) return false;
  }
  for (; scale > 0; --scale) {
    if (!push(0)) return false;
  }
  return digits.negative || !__builtin_sub_overflow(int64_t{0}, *value, value);
}

std::optional<Decimal> InRange(int64_t micro) {
  if (micro > kDecimalMax || micro < -kDecimalMax) return std::nullopt;
  return Decimal{micro};
}

}  // namespace

Result<Decimal> ParseDecimal(std::string_view text, bool allow_exponent) {
  Digits digits = Scan(text, allow_exponent);
  if (digits.fault == Digits::Fault::kSyntax) {
    return Error{"decimal.syntax", "a decimal is plain digits with at most one `.`, as in `0.25`"};
  }
  if (!digits.text.empty() && digits.exponent < -kPlaces) {
    return Error{"decimal.digits", "a decimal has at most 6 places after the point"};
  }
  int64_t micro = 0;
  std::optional<Decimal> value;
  if (Scaled(digits, digits.exponent + kPlaces, &micro)) value = InRange(micro);
  if (!value) {
    return Error{"decimal.range", "a decimal has at most 12 digits before the point"};
  }
  return *value;
}

Result<int64_t> ParseInt(std::string_view text, bool allow_exponent) {
  Digits digits = Scan(text, allow_exponent);
  if (digits.fault == Digits::Fault::kSyntax) {
    return Error{"int.syntax", "a whole number is plain digits, as in `42`"};
  }
  if (!digits.text.empty() && digits.exponent < 0) {
    return Error{"int.fraction", "a whole number has nothing after the point"};
  }
  int64_t value = 0;
  if (!Scaled(digits, digits.exponent, &value)) {
    return Error{"int.range", "the number does not fit 64 bits"};
  }
  return value;
}

std::optional<Decimal> DecimalFromInt(int64_t value) {
  int64_t micro = 0;
  if (__builtin_mul_overflow(value, kDecimalOne, &micro)) return std::nullopt;
  return InRange(micro);
}

// Two values in range never overflow 64 bits when added.
std::optional<Decimal> Add(Decimal a, Decimal b) {
  int64_t sum = 0;
  if (__builtin_add_overflow(a.micro, b.micro, &sum)) return std::nullopt;
  return InRange(sum);
}

std::optional<Decimal> Subtract(Decimal a, Decimal b) {
  int64_t difference = 0;
  if (__builtin_sub_overflow(a.micro, b.micro, &difference)) return std::nullopt;
  return InRange(difference);
}

std::optional<Decimal> Multiply(Decimal a, Decimal b) {
  __extension__ using Wide = __int128;
  Wide product = static_cast<Wide>(a.micro) * b.micro;
  if (product % kDecimalOne != 0) return std::nullopt;
  product /= kDecimalOne;
  if (product > kDecimalMax || product < -kDecimalMax) return std::nullopt;
  return Decimal{static_cast<int64_t>(product)};
}

std::optional<Decimal> Negate(Decimal a) { return Subtract(Decimal{}, a); }

void AppendDecimal(std::string* out, Decimal value) {
  uint64_t left = value.micro < 0 ? ~static_cast<uint64_t>(value.micro) + 1
                                  : static_cast<uint64_t>(value.micro);
  if (value.micro < 0) out->push_back('-');
  char whole[20];
  auto end = std::to_chars(whole, whole + sizeof whole, left / 1'000'000).ptr;
  out->append(whole, static_cast<size_t>(end - whole));
  uint64_t fraction = left % 1'000'000;
  if (fraction == 0) return;
  char places[1 + kPlaces] = {'.'};
  size_t kept = 0;
  for (size_t i = kPlaces; i > 0; --i) {
    places[i] = static_cast<char>('0' + fraction % 10);
    if (kept == 0 && fraction % 10 != 0) kept = i;
    fraction /= 10;
  }
  out->append(places, kept + 1);
}

std::string FormatDecimal(Decimal value) {
  std::string out;
  AppendDecimal(&out, value);
  return out;
}

}  // namespace dpl
