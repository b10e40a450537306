// Money: an exact count of minor units with its ISO 4217 currency. No doubles, no conversion.
//
//   Result<Money> m = ParseMoney("5000.00", "USD");   // minor 500000
//   std::optional<Money> sum = Add(*m, *m);           // nullopt: overflow or two currencies
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/base/result.h"

namespace dpl {

// A currency's number is its three letters in base 26, so it stays the same when the list in
// currencies.def is revised, and numbers sort as codes do.
std::optional<uint16_t> CurrencyIndex(std::string_view code);  // upper case, listed ones only
std::string_view CurrencyCode(uint16_t currency);              // "" when not listed
int CurrencyDigits(uint16_t currency);                         // minor digits, -1 when not listed

struct Money {
  int64_t minor = 0;
  uint16_t currency = 0;  // 0 is no currency ("AAA" is not listed)
  friend bool operator==(const Money&, const Money&) = default;
};

// nullopt: overflow, or two currencies.
std::optional<Money> Add(Money a, Money b);
std::optional<Money> Subtract(Money a, Money b);
std::optional<Money> Multiply(Money a, int64_t factor);
// nullopt: two currencies.
std::optional<std::strong_ordering> Compare(Money a, Money b);

// Exact plain decimal: optional '-', digits, optionally '.' and digits. No exponent, no '+', no
// grouping, no leading zeros before another digit; more minor digits than the currency has is an
// error even when they are zeros. Negative amounts parse ("-0.00" is zero); rule 19 is the
// caller's. Codes: money.syntax, money.currency, money.digits, money.range.
Result<Money> ParseMoney(std::string_view amount, std::string_view currency);

// One text "5000.00 USD": amount, one space, code.
Result<Money> ParseMoneyText(std::string_view text);

// "5000.00 USD", all minor digits, '-' in front when negative. No allocation beyond the string's.
void AppendMoney(std::string* out, Money money);
void AppendMoneyAmount(std::string* out, Money money);  // "5000.00"
std::string FormatMoney(Money money);

}  // namespace dpl
