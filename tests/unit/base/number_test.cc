// Money, currencies and decimals: exact or refused.
#include <set>

#include <gtest/gtest.h>

#include "runtime/base/decimal.h"
#include "runtime/base/money.h"

namespace dpl {
namespace {

TEST(Currency, KnowsTheList) {
  const struct {
    std::string_view code;
    int digits;
  } cases[] = {{"USD", 2}, {"EUR", 2}, {"JPY", 0}, {"KWD", 3}, {"CLF", 4}, {"UYW", 4}, {"AED", 2},
               {"ZWG", 2}, {"XCG", 2}, {"HUF", 2}, {"ISK", 0}, {"IQD", 3}, {"UGX", 0}};
  for (const auto& c : cases) {
    auto index = CurrencyIndex(c.code);
    ASSERT_TRUE(index) << c.code;
    EXPECT_EQ(CurrencyDigits(*index), c.digits) << c.code;
    EXPECT_EQ(CurrencyCode(*index), c.code);
  }
  for (std::string_view bad :
       {"", "US", "usd", "USDX", "AAA", "XXX", "XTS", "XAU", "HRK", "DEM", "U$D", "ZZZ"}) {
    EXPECT_FALSE(CurrencyIndex(bad)) << bad;
  }
}

TEST(Currency, EveryNumberIsACodeOrNothing) {
  std::set<std::string_view> codes;
  for (uint32_t i = 0; i <= UINT16_MAX; ++i) {
    auto index = static_cast<uint16_t>(i);
    std::string_view code = CurrencyCode(index);
    EXPECT_EQ(code.empty(), CurrencyDigits(index) < 0);
    if (code.empty()) continue;
    EXPECT_EQ(CurrencyIndex(code), index);
    codes.insert(code);
  }
  EXPECT_EQ(codes.size(), 165u);
}

TEST(MoneyText, Parses) {
  const struct {
    std::string_view amount, currency;
    int64_t minor;
    std::string_view back;
  } cases[] = {
      {"5000.00", "USD", 500000, "5000.00 USD"},
      {"5000", "USD", 500000, "5000.00 USD"},
      {"5000.5", "USD", 500050, "5000.50 USD"},
      {"0", "USD", 0, "0.00 USD"},
      {"0.01", "USD", 1, "0.01 USD"},
      {"-0.00", "USD", 0, "0.00 USD"},
      {"-12.34", "EUR", -1234, "-12.34 EUR"},
      {"-0.05", "EUR", -5, "-0.05 EUR"},
      {"123", "JPY", 123, "123 JPY"},
      {"0", "JPY", 0, "0 JPY"},
      {"1.234", "KWD", 1234, "1.234 KWD"},
      {"1.2345", "CLF", 12345, "1.2345 CLF"},
      {"92233720368547758.07", "USD", INT64_MAX, "92233720368547758.07 USD"},
      {"-92233720368547758.08", "USD", INT64_MIN, "-92233720368547758.08 USD"},
      {"9223372036854775807", "JPY", INT64_MAX, "9223372036854775807 JPY"},
  };
  for (const auto& c : cases) {
    auto money = ParseMoney(c.amount, c.currency);
    ASSERT_TRUE(money.ok()) << c.amount << " " << money.error().code;
    EXPECT_EQ(money->minor, c.minor) << c.amount;
    EXPECT_EQ(FormatMoney(*money), c.back);
    auto again = ParseMoneyText(c.back);
    ASSERT_TRUE(again.ok());
    EXPECT_EQ(*again, *money);
  }
}

TEST(MoneyText, Refuses) {
  const struct {
    std::string_view amount, currency, code;
  } cases[] = {
      {"", "USD", "money.syntax"},
      {"-", "USD", "money.syntax"},
      {".", "USD", "money.syntax"},
      {".5", "USD", "money.syntax"},
      {"5.", "USD", "money.syntax"},
      {"+5", "USD", "money.syntax"},
      {"--5", "USD", "money.syntax"},
      {"05", "USD", "money.syntax"},
      {"00", "USD", "money.syntax"},
      {"5,000", "USD", "money.syntax"},
      {"5_000", "USD", "money.syntax"},
      {"5e3", "USD", "money.syntax"},
      {"0x5", "USD", "money.syntax"},
      {" 5", "USD", "money.syntax"},
      {"5 ", "USD", "money.syntax"},
      {"5.0.0", "USD", "money.syntax"},
      {"NaN", "USD", "money.syntax"},
      {"5.001", "USD", "money.digits"},
      {"5.000", "USD", "money.digits"},
      {"5.0", "JPY", "money.digits"},
      {"5", "usd", "money.currency"},
      {"5", "XXX", "money.currency"},
      {"5", "", "money.currency"},
      {"92233720368547758.08", "USD", "money.range"},
      {"-92233720368547758.09", "USD", "money.range"},
      {"9223372036854775808", "JPY", "money.range"},
      {"99999999999999999999999999", "USD", "money.range"},
      {"4999999999999999.5", "JPY", "money.digits"},
  };
  for (const auto& c : cases) {
    auto money = ParseMoney(c.amount, c.currency);
    ASSERT_FALSE(money.ok()) << c.amount;
    EXPECT_EQ(money.error().code, c.code) << c.amount;
  }
  for (std::string_view bad :
       {"5000", "5000.00USD", "5000.00  USD", " 5000.00 USD", "USD 5000.00", "5000.00 USD "}) {
    EXPECT_FALSE(ParseMoneyText(bad).ok()) << bad;
  }
  EXPECT_TRUE(ParseMoneyText("5000.00 USD").ok());
}

TEST(MoneyMath, IsChecked) {
  uint16_t usd = *CurrencyIndex("USD");
  uint16_t eur = *CurrencyIndex("EUR");
  Money max{INT64_MAX, usd};
  Money one{1, usd};
  EXPECT_EQ(Add(one, one), (Money{2, usd}));
  EXPECT_FALSE(Add(max, one));
  EXPECT_FALSE(Add(one, Money{1, eur}));
  EXPECT_EQ(Subtract(one, max), (Money{1 - INT64_MAX, usd}));
  EXPECT_FALSE(Subtract(Money{INT64_MIN, usd}, one));
  EXPECT_FALSE(Subtract(one, Money{1, eur}));
  EXPECT_EQ(Multiply(one, -7), (Money{-7, usd}));
  EXPECT_FALSE(Multiply(max, 2));
  EXPECT_FALSE(Multiply(Money{INT64_MIN, usd}, -1));
  EXPECT_EQ(Compare(one, max), std::strong_ordering::less);
  EXPECT_FALSE(Compare(one, Money{1, eur}));
}

TEST(DecimalText, Parses) {
  const struct {
    std::string_view text;
    bool exponent;
    int64_t micro;
    std::string_view back;
  } cases[] = {
      {"0", false, 0, "0"},
      {"-0", false, 0, "0"},
      {"5", false, 5'000'000, "5"},
      {"0.25", false, 250'000, "0.25"},
      {"-1.000001", false, -1'000'001, "-1.000001"},
      {"1.5000000000", false, 1'500'000, "1.5"},
      {"100.0", false, 100'000'000, "100"},
      {"999999999999.999999", false, kDecimalMax, "999999999999.999999"},
      {"-999999999999.999999", false, -kDecimalMax, "-999999999999.999999"},
      {"5e2", true, 500'000'000, "500"},
      {"5E+2", true, 500'000'000, "500"},
      {"1.50e-1", true, 150'000, "0.15"},
      {"1e-6", true, 1, "0.000001"},
      {"0e999999999999", true, 0, "0"},
      {"0.000e-99999999999999999999", true, 0, "0"},
      {"1000000e-12", true, 1, "0.000001"},
      {"0.000000000001e12", true, 1'000'000, "1"},
  };
  for (const auto& c : cases) {
    auto value = ParseDecimal(c.text, c.exponent);
    ASSERT_TRUE(value.ok()) << c.text << " " << value.error().code;
    EXPECT_EQ(value->micro, c.micro) << c.text;
    EXPECT_EQ(FormatDecimal(*value), c.back);
  }
}

TEST(DecimalText, Refuses) {
  const struct {
    std::string_view text;
    bool exponent;
    std::string_view code;
  } cases[] = {
      {"", false, "decimal.syntax"},
      {"-", false, "decimal.syntax"},
      {".5", false, "decimal.syntax"},
      {"5.", false, "decimal.syntax"},
      {"+5", false, "decimal.syntax"},
      {"01", false, "decimal.syntax"},
      {"1_0", false, "decimal.syntax"},
      {"5e2", false, "decimal.syntax"},
      {"5e", true, "decimal.syntax"},
      {"5e+", true, "decimal.syntax"},
      {"NaN", true, "decimal.syntax"},
      {"1.5 ", true, "decimal.syntax"},
      {"0.0000001", false, "decimal.digits"},
      {"1e-7", true, "decimal.digits"},
      {"1.0000001", false, "decimal.digits"},
      {"1e-999999999999999", true, "decimal.digits"},
      {"1000000000000", false, "decimal.range"},
      {"1e12", true, "decimal.range"},
      {"1e999999999999999", true, "decimal.range"},
      {"-1000000000000", false, "decimal.range"},
      {"99999999999999999999999", false, "decimal.range"},
      {"1000000000000.000001", false, "decimal.range"},
  };
  for (const auto& c : cases) {
    auto value = ParseDecimal(c.text, c.exponent);
    ASSERT_FALSE(value.ok()) << c.text;
    EXPECT_EQ(value.error().code, c.code) << c.text;
  }
}

TEST(IntText, ParsesAndRefuses) {
  const struct {
    std::string_view text;
    bool exponent;
    int64_t value;
  } good[] = {{"0", false, 0},
              {"-3", false, -3},
              {"5.0", false, 5},
              {"5e2", true, 500},
              {"12.5e1", true, 125},
              {"9223372036854775807", false, INT64_MAX},
              {"-9223372036854775808", false, INT64_MIN},
              {"1000e-3", true, 1}};
  for (const auto& c : good) {
    auto value = ParseInt(c.text, c.exponent);
    ASSERT_TRUE(value.ok()) << c.text;
    EXPECT_EQ(*value, c.value);
  }
  const struct {
    std::string_view text;
    bool exponent;
    std::string_view code;
  } bad[] = {{"", false, "int.syntax"},
             {"1e2", false, "int.syntax"},
             {"0x1", false, "int.syntax"},
             {"007", false, "int.syntax"},
             {"5.5", false, "int.fraction"},
             {"1e-1", true, "int.fraction"},
             {"9223372036854775808", false, "int.range"},
             {"-9223372036854775809", false, "int.range"},
             {"1e19", true, "int.range"},
             {"1e99999999999", true, "int.range"}};
  for (const auto& c : bad) {
    auto value = ParseInt(c.text, c.exponent);
    ASSERT_FALSE(value.ok()) << c.text;
    EXPECT_EQ(value.error().code, c.code) << c.text;
  }
}

TEST(DecimalMath, IsExactOrNothing) {
  auto d = [](std::string_view text) { return *ParseDecimal(text); };
  EXPECT_EQ(Add(d("0.1"), d("0.2")), d("0.3"));
  EXPECT_FALSE(Add(d("999999999999.999999"), d("0.000001")));
  EXPECT_EQ(Subtract(d("1"), d("0.000001")), d("0.999999"));
  EXPECT_FALSE(Subtract(d("-999999999999.999999"), d("0.000001")));
  EXPECT_EQ(Multiply(d("1.5"), d("-0.5")), d("-0.75"));
  EXPECT_EQ(Multiply(d("0.001"), d("0.001")), d("0.000001"));
  EXPECT_FALSE(Multiply(d("0.001"), d("0.0001")));  // needs a seventh place
  EXPECT_FALSE(Multiply(d("1000000"), d("1000000")));
  EXPECT_FALSE(Multiply(d("999999999999.999999"), d("999999999999.999999")));
  EXPECT_EQ(Negate(d("1.5")), d("-1.5"));
  EXPECT_EQ(DecimalFromInt(7), d("7"));
  EXPECT_FALSE(DecimalFromInt(1'000'000'000'000));
  EXPECT_FALSE(DecimalFromInt(INT64_MAX));
  EXPECT_LT(d("-1"), d("0.5"));
}

}  // namespace
}  // namespace dpl
