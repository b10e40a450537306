// Currency look-up and exact amounts.
#include "runtime/base/money.h"

#include <array>

namespace dpl {
namespace {

struct CurrencyRow {
  char code[4];
  int8_t digits;
};

constexpr CurrencyRow kCurrencies[] = {
#define DPL_CURRENCY(code, digits) {#code, digits},
#include "runtime/base/currencies.def"
#undef DPL_CURRENCY
};
constexpr size_t kCurrencyCount = sizeof(kCurrencies) / sizeof(kCurrencies[0]);
constexpr size_t kPackedCount = 26 * 26 * 26;

constexpr size_t Pack(const char* code) {
  auto letter = [code](size_t i) { return static_cast<size_t>(code[i] - 'A'); };
  return (letter(0) * 26 + letter(1)) * 26 + letter(2);
}

// Packed code to row + 1; 0: not a currency.
constexpr std::array<uint8_t, kPackedCount> kRowOf = [] {
  std::array<uint8_t, kPackedCount> rows{};
  for (size_t i = 0; i < kCurrencyCount; ++i) {
    rows[Pack(kCurrencies[i].code)] = static_cast<uint8_t>(i + 1);
  }
  return rows;
}();
static_assert(kCurrencyCount < 255);
static_assert(
    [] {
      for (size_t i = 1; i < kCurrencyCount; ++i) {
        if (Pack(kCurrencies[i - 1].code) >= Pack(kCurrencies[i].code)) return false;
      }
      return Pack(kCurrencies[0].code) > 0;
    }(),
    "currencies.def is sorted and holds each code once");

constexpr int64_t kPowers[] = {1, 10, 100, 1000, 10000};

const CurrencyRow* RowOf(uint16_t currency) {
  if (currency >= kPackedCount || kRowOf[currency] == 0) return nullptr;
  return &kCurrencies[kRowOf[currency] - 1];
}

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

Error AmountError(const char* code, const char* message) { return Error{code, message}; }

}  // namespace

std::optional<uint16_t> CurrencyIndex(std::string_view code) {
  if (code.size() != 3) return std::nullopt;
  for (char c : code) {
    if (c < 'A' || c > 'Z') return std::nullopt;
  }
  size_t packed = Pack(code.data());
  if (kRowOf[packed] == 0) return std::nullopt;
  return static_cast<uint16_t>(packed);
}

std::string_view CurrencyCode(uint16_t currency) {
  const CurrencyRow* row = RowOf(currency);
  return row == nullptr ? std::string_view() : std::string_view(row->code, 3);
}

int CurrencyDigits(uint16_t currency) {
  const CurrencyRow* row = RowOf(currency);
  return row == nullptr ? -1 : row->digits;
}

std::optional<Money> Add(Money a, Money b) {
  Money sum{0, a.currency};
  if (a.currency != b.currency || __builtin_add_overflow(a.minor, b.minor, &sum.minor)) {
    return std::nullopt;
  }
  return sum;
}

std::optional<Money> Subtract(Money a, Money b) {
  Money difference{0, a.currency};
  if (a.currency != b.currency || __builtin_sub_overflow(a.minor, b.minor, &difference.minor)) {
    return std::nullopt;
  }
  return difference;
}

std::optional<Money> Multiply(Money a, int64_t factor) {
  Money product{0, a.currency};
  if (__builtin_mul_overflow(a.minor, factor, &product.minor)) return std::nullopt;
  return product;
}

std::optional<std::strong_ordering> Compare(Money a, Money b) {
  if (a.currency != b.currency) return std::nullopt;
  return a.minor <=> b.minor;
}

Result<Money> ParseMoney(std::string_view amount, std::string_view currency) {
  std::optional<uint16_t> index = CurrencyIndex(currency);
  if (!index) return AmountError("money.currency", "no currency of ISO 4217 has this code");
  int digits = CurrencyDigits(*index);

  size_t i = 0;
  bool negative = !amount.empty() && amount[0] == '-';
  if (negative) ++i;
  size_t whole = i;
  // Counted below zero, so that the lowest 64-bit amount parses too.
  int64_t minor = 0;
  bool overflow = false;
  auto take = [&](char c) {
    overflow |= __builtin_mul_overflow(minor, 10, &minor);
    overflow |= __builtin_sub_overflow(minor, c - '0', &minor);
  };
  for (; i < amount.size() && IsDigit(amount[i]); ++i) take(amount[i]);
  size_t whole_digits = i - whole;
  int fraction = 0;
  bool point = i < amount.size() && amount[i] == '.';
  if (point) {
    for (++i; i < amount.size() && IsDigit(amount[i]); ++i) {
      if (fraction <= digits) ++fraction;
      if (fraction <= digits) take(amount[i]);
    }
  }
  if (i != amount.size() || whole_digits == 0 || (point && fraction == 0) ||
      (whole_digits > 1 && amount[whole] == '0')) {
    return AmountError("money.syntax",
                       "an amount is plain digits with at most one `.`, as in `5000.00`");
  }
  if (fraction > digits) {
    return AmountError("money.digits", "the amount has more minor digits than its currency");
  }
  overflow |= __builtin_mul_overflow(minor, kPowers[digits - fraction], &minor);
  if (!negative) overflow |= __builtin_sub_overflow(int64_t{0}, minor, &minor);
  if (overflow) return AmountError("money.range", "the amount does not fit 64 bits of minor units");
  return Money{minor, *index};
}

Result<Money> ParseMoneyText(std::string_view text) {
  size_t space = text.find(' ');
  if (space == std::string_view::npos) {
    return AmountError("money.syntax",
                       "money is an amount, one space and a currency, as in `5000.00 USD`");
  }
  return ParseMoney(text.substr(0, space), text.substr(space + 1));
}

void AppendMoneyAmount(std::string* out, Money money) {
  int digits = CurrencyDigits(money.currency);
  if (digits < 0) digits = 0;
  // 19 digits, a point, a sign: written from the end.
  char text[24];
  size_t at = sizeof text;
  bool negative = money.minor < 0;
  uint64_t left =
      negative ? ~static_cast<uint64_t>(money.minor) + 1 : static_cast<uint64_t>(money.minor);
  for (int n = 0; n <= digits || left != 0; ++n) {
    if (n == digits && digits != 0) text[--at] = '.';
    text[--at] = static_cast<char>('0' + left % 10);
    left /= 10;
  }
  if (negative) text[--at] = '-';
  out->append(text + at, sizeof text - at);
}

void AppendMoney(std::string* out, Money money) {
  AppendMoneyAmount(out, money);
  out->push_back(' ');
  std::string_view code = CurrencyCode(money.currency);
  out->append(code.empty() ? std::string_view("???") : code);
}

std::string FormatMoney(Money money) {
  std::string out;
  AppendMoney(&out, money);
  return out;
}

}  // namespace dpl
