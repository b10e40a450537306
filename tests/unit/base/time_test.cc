// Calendar, RFC 3339, durations, and the clock.
#include <gtest/gtest.h>

#include "runtime/base/clock.h"
#include "runtime/base/instant.h"

namespace dpl {
namespace {

TEST(Calendar, AgreesWithItselfOnEveryDay) {
  Civil expected{1, 1, 1};
  int weekday = 0;  // 0001-01-01 was a Monday
  for (int32_t day = kMinDate.days; day <= kMaxDate.days; ++day) {
    Date date{day};
    Civil c = CivilFromDate(date);
    ASSERT_EQ(c, expected) << day;
    ASSERT_EQ(DateFromCivil(c.year, c.month, c.day), date);
    ASSERT_EQ(Weekday(date), weekday);
    weekday = (weekday + 1) % 7;
    if (++expected.day > DaysInMonth(expected.year, expected.month)) {
      expected.day = 1;
      if (++expected.month > 12) {
        expected.month = 1;
        ++expected.year;
      }
    }
  }
  EXPECT_EQ(expected, (Civil{10000, 1, 1}));
}

TEST(Calendar, KnowsLeapYears) {
  EXPECT_TRUE(DateFromCivil(2024, 2, 29));
  EXPECT_TRUE(DateFromCivil(2000, 2, 29));
  EXPECT_FALSE(DateFromCivil(1900, 2, 29));
  EXPECT_FALSE(DateFromCivil(2026, 2, 29));
  EXPECT_FALSE(DateFromCivil(0, 1, 1));
  EXPECT_FALSE(DateFromCivil(10000, 1, 1));
  EXPECT_FALSE(DateFromCivil(2026, 0, 1));
  EXPECT_FALSE(DateFromCivil(2026, 13, 1));
  EXPECT_FALSE(DateFromCivil(2026, 4, 31));
  EXPECT_FALSE(DateFromCivil(2026, 4, 0));
}

TEST(Calendar, FindsPeriods) {
  auto d = [](std::string_view text) { return *ParseDate(text); };
  EXPECT_EQ(Weekday(d("2026-11-20")), 4);  // a Friday
  EXPECT_EQ(FirstOfWeek(d("2026-11-20")), d("2026-11-16"));
  EXPECT_EQ(FirstOfWeek(d("2026-11-16")), d("2026-11-16"));
  EXPECT_EQ(FirstOfWeek(d("2026-11-22")), d("2026-11-16"));
  EXPECT_EQ(FirstOfMonth(d("2026-11-20")), d("2026-11-01"));
  EXPECT_EQ(FirstOfQuarter(d("2026-11-20")), d("2026-10-01"));
  EXPECT_EQ(FirstOfQuarter(d("2026-03-31")), d("2026-01-01"));
  EXPECT_EQ(FirstOfYear(d("2026-11-20")), d("2026-01-01"));
  EXPECT_EQ(NextMonth(d("2026-12-01")), d("2027-01-01"));
  EXPECT_EQ(NextQuarter(d("2026-10-01")), d("2027-01-01"));
  EXPECT_EQ(NextYear(d("2026-01-01")), d("2027-01-01"));
}

TEST(InstantText, Parses) {
  const struct {
    std::string_view text, back;
  } cases[] = {
      {"1970-01-01T00:00Z", "1970-01-01T00:00:00Z"},
      {"2026-11-20T15:00Z", "2026-11-20T15:00:00Z"},
      {"2026-11-20T15:00:01Z", "2026-11-20T15:00:01Z"},
      {"2026-11-20T15:00:00.250Z", "2026-11-20T15:00:00.250Z"},
      {"2026-11-20T15:00:00.5Z", "2026-11-20T15:00:00.500Z"},
      {"2026-11-20T15:00:00.000001Z", "2026-11-20T15:00:00.000001Z"},
      {"2026-11-20T15:00+01:00", "2026-11-20T14:00:00Z"},
      {"2026-11-20T15:00-05:30", "2026-11-20T20:30:00Z"},
      {"2026-11-20T15:00-00:00", "2026-11-20T15:00:00Z"},
      {"2026-01-01T00:30+01:00", "2025-12-31T23:30:00Z"},
      {"1969-12-31T23:59:59.999999Z", "1969-12-31T23:59:59.999999Z"},
      {"0001-01-01T00:00Z", "0001-01-01T00:00:00Z"},
      {"9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"},
  };
  for (const auto& c : cases) {
    auto instant = ParseInstant(c.text);
    ASSERT_TRUE(instant.ok()) << c.text;
    EXPECT_EQ(FormatInstant(*instant), c.back);
    EXPECT_EQ(*ParseInstant(c.back), *instant);
    EXPECT_EQ(InstantFromCivil(CivilFromInstant(*instant)), *instant);
  }
  EXPECT_EQ(ParseInstant("1970-01-01T00:00:01Z")->us, kMicrosPerSecond);
  EXPECT_EQ(*ParseInstant("0001-01-01T00:00Z"), kMinInstant);
  EXPECT_EQ(*ParseInstant("9999-12-31T23:59:59.999999Z"), kMaxInstant);
}

TEST(InstantText, Refuses) {
  for (std::string_view bad :
       {"", "2026-11-20", "2026-11-20T15:00", "2026-11-20t15:00Z", "2026-11-20T15:00z",
        "2026-11-20 15:00Z", "2026-11-20T15Z", "2026-11-20T15:00Z ", " 2026-11-20T15:00Z",
        "2026-11-20T15:00+0100", "2026-11-20T15:00+01", "2026-1-20T15:00Z", "26-11-20T15:00Z",
        "2026-11-20T15:00:00.Z", "2026-11-20T15:00:00.1234567Z", "2026-11-20T15:00:00,5Z",
        "+2026-11-20T15:00Z", "2026-11-20T1500Z", "2026-11-20T15:00ZZ"}) {
    auto instant = ParseInstant(bad);
    ASSERT_FALSE(instant.ok()) << bad;
    EXPECT_EQ(instant.error().code, "instant.syntax") << bad;
  }
  for (std::string_view bad :
       {"2026-02-29T00:00Z", "2026-13-01T00:00Z", "2026-11-20T24:00Z", "2026-11-20T23:60Z",
        "2026-12-31T23:59:60Z", "0000-01-01T00:00Z", "2026-11-20T15:00+24:00",
        "2026-11-20T15:00+00:60", "0001-01-01T00:00+01:00", "9999-12-31T23:59-01:00"}) {
    auto instant = ParseInstant(bad);
    ASSERT_FALSE(instant.ok()) << bad;
    EXPECT_EQ(instant.error().code, "instant.range") << bad;
  }
}

TEST(DateText, ParsesAndRefuses) {
  EXPECT_EQ(FormatDate(*ParseDate("2026-11-20")), "2026-11-20");
  EXPECT_EQ(FormatDate(*ParseDate("0001-01-01")), "0001-01-01");
  for (std::string_view bad :
       {"", "2026-11-2", "2026-11-200", "20261120", "2026/11/20", "2026-11-20T00:00Z"}) {
    EXPECT_EQ(ParseDate(bad).error().code, "date.syntax") << bad;
  }
  for (std::string_view bad : {"2026-02-30", "2026-00-01", "0000-01-01"}) {
    EXPECT_EQ(ParseDate(bad).error().code, "date.range") << bad;
  }
}

TEST(TimeText, ParsesAndRefuses) {
  EXPECT_EQ(ParseTime("09:00")->us, 9 * kMicrosPerHour);
  EXPECT_EQ(FormatTime(*ParseTime("09:00")), "09:00");
  EXPECT_EQ(FormatTime(*ParseTime("23:59:59.5")), "23:59:59.500");
  EXPECT_EQ(FormatTime(*ParseTime("00:00:30")), "00:00:30");
  for (std::string_view bad : {"", "9:00", "09", "09:0", "09:00Z", "09:00:", "09:00:1"}) {
    EXPECT_EQ(ParseTime(bad).error().code, "time.syntax") << bad;
  }
  for (std::string_view bad : {"24:00", "09:60", "09:00:60"}) {
    EXPECT_EQ(ParseTime(bad).error().code, "time.range") << bad;
  }
}

TEST(DurationText, Parses) {
  const struct {
    std::string_view text;
    int64_t us;
    std::string_view back;
  } cases[] = {
      {"0s", 0, "0s"},
      {"500ms", 500'000, "500ms"},
      {"30s", 30 * kMicrosPerSecond, "30s"},
      {"15m", 15 * kMicrosPerMinute, "15m"},
      {"90m", 90 * kMicrosPerMinute, "1h30m"},
      {"2h30m", 150 * kMicrosPerMinute, "2h30m"},
      {"8h", 8 * kMicrosPerHour, "8h"},
      {"24h", kMicrosPerDay, "1d"},
      {"90d", 90 * kMicrosPerDay, "90d"},
      {"12w", 84 * kMicrosPerDay, "12w"},
      {"1w1d", 8 * kMicrosPerDay, "8d"},
      {"1d12h", 36 * kMicrosPerHour, "1d12h"},
      {"1w2d3h4m5s6ms", 788'645'006'000, "9d3h4m5s6ms"},
      {"106751991d", 106751991 * kMicrosPerDay, "106751991d"},
  };
  for (const auto& c : cases) {
    auto duration = ParseDuration(c.text);
    ASSERT_TRUE(duration.ok()) << c.text;
    EXPECT_EQ(duration->us, c.us) << c.text;
    EXPECT_EQ(FormatDuration(*duration), c.back);
    EXPECT_EQ(*ParseDuration(c.back), *duration);
  }
  EXPECT_EQ(FormatDuration(Duration{-90 * kMicrosPerMinute}), "-1h30m");
  EXPECT_EQ(FormatDuration(Duration{1}), "1us");
  EXPECT_EQ(FormatDuration(Duration{INT64_MIN}), "-106751991d4h54s775ms808us");
}

TEST(DurationText, Refuses) {
  for (std::string_view bad : {"", "5", "s", "5x", "5 s", "1.5h", "-5s", "+5s", "5S", "30m2h",
                               "5s5s", "5mins", "1h ", "5y", "5mo", "5us", "h5"}) {
    auto duration = ParseDuration(bad);
    ASSERT_FALSE(duration.ok()) << bad;
    EXPECT_EQ(duration.error().code, "duration.syntax") << bad;
  }
  for (std::string_view bad : {"106751992d", "99999999999999999999s", "9223372036854775807w"}) {
    auto duration = ParseDuration(bad);
    ASSERT_FALSE(duration.ok()) << bad;
    EXPECT_EQ(duration.error().code, "duration.range") << bad;
  }
}

TEST(TimeMath, IsChecked) {
  Instant start = *ParseInstant("2026-11-20T15:00Z");
  EXPECT_EQ(Add(start, *ParseDuration("2h")), *ParseInstant("2026-11-20T17:00Z"));
  EXPECT_EQ(Subtract(start, *ParseDuration("1d")), *ParseInstant("2026-11-19T15:00Z"));
  EXPECT_EQ(Subtract(start, *ParseInstant("2026-11-20T14:00Z")), *ParseDuration("1h"));
  EXPECT_EQ(Subtract(kMinInstant, kMaxInstant).us, kMinInstant.us - kMaxInstant.us);
  EXPECT_FALSE(Add(kMaxInstant, Duration{1}));
  EXPECT_FALSE(Add(start, Duration{INT64_MAX}));
  EXPECT_FALSE(Subtract(kMinInstant, Duration{1}));
  EXPECT_FALSE(Subtract(start, Duration{INT64_MIN}));
  EXPECT_FALSE(Add(Duration{INT64_MAX}, Duration{1}));
  EXPECT_FALSE(Subtract(Duration{INT64_MIN}, Duration{1}));
  EXPECT_FALSE(Multiply(Duration{INT64_MAX}, 2));
  EXPECT_EQ(Multiply(Duration{5}, -2), Duration{-10});
  EXPECT_EQ(AddDays(*ParseDate("2026-12-31"), 1), *ParseDate("2027-01-01"));
  EXPECT_FALSE(AddDays(kMaxDate, 1));
  EXPECT_FALSE(AddDays(kMinDate, -1));
  EXPECT_FALSE(AddDays(kMinDate, INT64_MAX));
}

TEST(ClockTest, FakeStandsStill) {
  FakeClock clock(*ParseInstant("2026-11-20T15:00Z"));
  EXPECT_EQ(clock.Now(), clock.Now());
  clock.Advance(*ParseDuration("1h"));
  EXPECT_EQ(FormatInstant(clock.Now()), "2026-11-20T16:00:00Z");
  EXPECT_EQ(clock.MonotonicUs(), kMicrosPerHour);
  clock.Set(*ParseInstant("2026-11-20T10:00Z"));
  EXPECT_EQ(clock.MonotonicUs(), kMicrosPerHour);
  EXPECT_EQ(FormatInstant(clock.Now()), "2026-11-20T10:00:00Z");

  SystemClock system;
  EXPECT_GT(system.Now(), *ParseInstant("2024-01-01T00:00Z"));
  int64_t before = system.MonotonicUs();
  EXPECT_LE(before, system.MonotonicUs());
}

}  // namespace
}  // namespace dpl
