// Exact decimal numbers: a 64-bit count of millionths, at most 18 digits in all.
//
// Range: -999999999999.999999 to 999999999999.999999. Arithmetic that would leave the range or
// need a seventh place has no answer (nullopt), never a rounded one.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/base/result.h"

namespace dpl {

struct Decimal {
  int64_t micro = 0;
  friend auto operator<=>(const Decimal&, const Decimal&) = default;  // NOLINT
};

inline constexpr int64_t kDecimalOne = 1'000'000;
inline constexpr int64_t kDecimalMax = 999'999'999'999'999'999;

// Exact: optional '-', digits without needless leading zeros, optionally '.' and digits. With
// `allow_exponent` the whole number form of JSON is taken ("5e2", "1.50E-1"). Trailing zeros beyond
// the sixth place are fine, other digits there are an error.
// Codes: decimal.syntax, decimal.digits, decimal.range.
Result<Decimal> ParseDecimal(std::string_view text, bool allow_exponent = false);

// A JSON number or plain text that must be a whole 64-bit number ("5", "-3", "5.0", "5e2").
// Codes: int.syntax, int.range, int.fraction.
Result<int64_t> ParseInt(std::string_view text, bool allow_exponent = false);

std::optional<Decimal> DecimalFromInt(int64_t value);
std::optional<Decimal> Add(Decimal a, Decimal b);
std::optional<Decimal> Subtract(Decimal a, Decimal b);
std::optional<Decimal> Multiply(Decimal a, Decimal b);
std::optional<Decimal> Negate(Decimal a);

// Shortest exact form: "5", "0.25", "-1.000001". No allocation beyond the string's.
void AppendDecimal(std::string* out, Decimal value);
std::string FormatDecimal(Decimal value);

}  // namespace dpl
