// Local time and windows where clocks jump. The tables hold real transitions, typed in.
#include "runtime/base/zone.h"

#include <gtest/gtest.h>

namespace dpl {
namespace {

Instant At(std::string_view text) { return *ParseInstant(text); }
Date Day(std::string_view text) { return *ParseDate(text); }
int64_t Seconds(std::string_view text) { return At(text).us / kMicrosPerSecond; }

ZoneTable NewYork() {
  return {"America/New_York",
          "test",
          -5 * 3600,
          {{Seconds("2026-03-08T07:00Z"), -4 * 3600}, {Seconds("2026-11-01T06:00Z"), -5 * 3600}}};
}
// Clocks went from 24:00 to 01:00: 2018-11-04 has no midnight. And back from 24:00 to 23:00.
ZoneTable SaoPaulo() {
  return {"America/Sao_Paulo",
          "test",
          -3 * 3600,
          {{Seconds("2018-11-04T03:00Z"), -2 * 3600}, {Seconds("2019-02-17T02:00Z"), -3 * 3600}}};
}
// Clocks go back from 01:00 to 00:00: midnight comes twice.
ZoneTable Havana() {
  return {"America/Havana",
          "test",
          -5 * 3600,
          {{Seconds("2026-03-08T05:00Z"), -4 * 3600}, {Seconds("2026-11-01T05:00Z"), -5 * 3600}}};
}
// Clocks went back from 00:01 to 23:01: a day is seen again after the next has begun.
ZoneTable StJohns() {
  return {"America/St_Johns", "test", -9000, {{Seconds("2006-10-29T02:31Z"), -12600}}};
}
// 2011-12-30 never happened.
ZoneTable Apia() {
  return {"Pacific/Apia", "test", -10 * 3600, {{Seconds("2011-12-30T10:00Z"), 14 * 3600}}};
}

TEST(Zone, ConvertsToLocal) {
  ZoneTable zone = NewYork();
  EXPECT_TRUE(zone.Valid());
  EXPECT_EQ(zone.OffsetAt(At("2026-03-08T06:59:59.999999Z")), -5 * 3600);
  EXPECT_EQ(zone.OffsetAt(At("2026-03-08T07:00Z")), -4 * 3600);
  EXPECT_EQ(zone.ToLocal(At("2026-03-08T07:00Z")), (Civil{2026, 3, 8, 3, 0, 0, 0}));
  EXPECT_EQ(zone.ToLocal(At("2026-03-08T06:59:59.999999Z")),
            (Civil{2026, 3, 8, 1, 59, 59, 999999}));
  EXPECT_EQ(zone.LocalDate(At("2026-11-20T02:00Z")), Day("2026-11-19"));
  EXPECT_EQ(FormatTime(zone.LocalTime(At("2026-11-20T02:00Z"))), "21:00");
  EXPECT_EQ(UtcZone().OffsetAt(At("2026-11-20T02:00Z")), 0);
}

TEST(Zone, FindsMidnights) {
  const struct {
    ZoneTable zone;
    std::string_view day, begin, end;
  } cases[] = {
      {UtcZone(), "2026-11-20", "2026-11-20T00:00Z", "2026-11-21T00:00Z"},
      {NewYork(), "2026-11-20", "2026-11-20T05:00Z", "2026-11-21T05:00Z"},
      {NewYork(), "2026-03-08", "2026-03-08T05:00Z", "2026-03-09T04:00Z"},   // 23 hours
      {NewYork(), "2026-11-01", "2026-11-01T04:00Z", "2026-11-02T05:00Z"},   // 25 hours
      {SaoPaulo(), "2018-11-04", "2018-11-04T03:00Z", "2018-11-05T02:00Z"},  // from 01:00 local
      {SaoPaulo(), "2019-02-16", "2019-02-16T02:00Z", "2019-02-17T03:00Z"},  // 23:xx twice
      {Havana(), "2026-11-01", "2026-11-01T04:00Z", "2026-11-02T05:00Z"},    // the first midnight
      {Apia(), "2011-12-29", "2011-12-29T10:00Z", "2011-12-30T10:00Z"},
      {Apia(), "2011-12-30", "2011-12-30T10:00Z", "2011-12-30T10:00Z"},  // empty
      {Apia(), "2011-12-31", "2011-12-30T10:00Z", "2011-12-31T10:00Z"},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(FormatInstant(c.zone.LocalMidnight(Day(c.day))), FormatInstant(At(c.begin)))
        << c.zone.name << " " << c.day;
    EXPECT_EQ(FormatInstant(c.zone.EndOfDay(Day(c.day))), FormatInstant(At(c.end)))
        << c.zone.name << " " << c.day;
  }
  // A time inside the gap is the first instant after it.
  EXPECT_EQ(NewYork().FromLocal(Day("2026-03-08"), *ParseTime("02:30")), At("2026-03-08T07:00Z"));
  EXPECT_EQ(NewYork().FromLocal(Day("2026-11-01"), *ParseTime("01:30")), At("2026-11-01T05:30Z"));
}

TEST(Zone, CutsWindows) {
  ZoneTable zone = NewYork();
  Instant now = At("2026-11-20T15:17Z");
  const struct {
    Period period;
    std::string_view begin, end;
  } cases[] = {
      {Period::kHour, "2026-11-20T15:00Z", "2026-11-20T16:00Z"},
      {Period::kDay, "2026-11-20T05:00Z", "2026-11-21T05:00Z"},
      {Period::kWeek, "2026-11-16T05:00Z", "2026-11-23T05:00Z"},
      {Period::kMonth, "2026-11-01T04:00Z", "2026-12-01T05:00Z"},
      {Period::kQuarter, "2026-10-01T04:00Z", "2027-01-01T05:00Z"},
      {Period::kYear, "2026-01-01T05:00Z", "2027-01-01T05:00Z"},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(zone.WindowOf(c.period, now), (Window{At(c.begin), At(c.end)})) << c.begin;
  }
  EXPECT_EQ(zone.StartOfHour(now), At("2026-11-20T15:00Z"));
  EXPECT_EQ(zone.StartOfDay(now), At("2026-11-20T05:00Z"));
  EXPECT_EQ(zone.StartOfWeek(now), At("2026-11-16T05:00Z"));
  EXPECT_EQ(zone.StartOfMonth(now), At("2026-11-01T04:00Z"));
  EXPECT_EQ(zone.StartOfQuarter(now), At("2026-10-01T04:00Z"));
  EXPECT_EQ(zone.StartOfYear(now), At("2026-01-01T05:00Z"));
  EXPECT_EQ(zone.WindowOf(Period::kHour, At("1969-12-31T23:30Z")),
            (Window{At("1969-12-31T23:00Z"), At("1970-01-01T00:00Z")}));
}

// Every instant lies in its window, and each window begins where the one before ended.
TEST(Zone, WindowsPartitionTime) {
  const ZoneTable zones[] = {UtcZone(), NewYork(), SaoPaulo(), Havana(), StJohns(), Apia()};
  for (const ZoneTable& zone : zones) {
    std::vector<int64_t> centres = {Seconds("2026-06-01T00:00Z")};
    for (const auto& t : zone.transitions) centres.push_back(t.utc_seconds);
    for (int64_t centre : centres) {
      for (Period period : {Period::kHour, Period::kDay, Period::kWeek, Period::kMonth,
                            Period::kQuarter, Period::kYear}) {
        Window last{};
        for (int64_t s = centre - 3 * 86400; s <= centre + 3 * 86400; s += 60) {
          Instant now{s * kMicrosPerSecond};
          Window window = zone.WindowOf(period, now);
          ASSERT_LE(window.begin, now) << zone.name << FormatInstant(now);
          ASSERT_LT(now, window.end) << zone.name << FormatInstant(now);
          if (window != last && last != Window{}) {
            ASSERT_EQ(window.begin, last.end) << zone.name << FormatInstant(now);
          }
          last = window;
        }
      }
    }
  }
}

TEST(Zone, RefusesBadTables) {
  ZoneTable good = NewYork();
  EXPECT_TRUE(good.Valid());
  ZoneTable bad = good;
  std::swap(bad.transitions[0], bad.transitions[1]);
  EXPECT_FALSE(bad.Valid());
  bad = good;
  bad.transitions[1].utc_seconds = bad.transitions[0].utc_seconds;
  EXPECT_FALSE(bad.Valid());
  bad = good;
  bad.transitions[0].offset_seconds = 19 * 3600;
  EXPECT_FALSE(bad.Valid());
  bad = good;
  bad.initial_offset = -19 * 3600;
  EXPECT_FALSE(bad.Valid());
  bad = good;
  bad.transitions[1].utc_seconds = INT64_MAX;
  EXPECT_FALSE(bad.Valid());
}

}  // namespace
}  // namespace dpl
