// Time in the zone of the package, and calendars: half-open periods, over midnight, closed days,
// clocks that jump.
#include "tests/unit/vm/machine_for_test.h"

namespace dpl {
namespace {

class TimeTest : public MachineTest {
 protected:
  std::string During(std::string_view instant, uint32_t calendar) {
    At(instant);
    return Show(Op(Opcode::kLoadNow) + Op(Opcode::kDuring, calendar));
  }
};

TEST_F(TimeTest, NowInAZone) {
  At("2026-11-20T02:30Z");  // Thursday evening in New York, Friday in UTC
  EXPECT_EQ(Show(Op(Opcode::kLoadNow)), "2026-11-20T02:30:00Z");
  EXPECT_EQ(Show(Op(Opcode::kNowDate, policy.utc)), "2026-11-20");
  EXPECT_EQ(Show(Op(Opcode::kNowDate, policy.new_york)), "2026-11-19");
  EXPECT_EQ(Show(Op(Opcode::kNowTime, policy.new_york)), "21:30");
  EXPECT_EQ(Show(Op(Opcode::kNowWeekday, policy.utc)), "4");
  EXPECT_EQ(Show(Op(Opcode::kNowWeekday, policy.new_york)), "3");
  At("2026-07-01T02:30Z");
  EXPECT_EQ(Show(Op(Opcode::kNowTime, policy.new_york)), "22:30") << "summer time";
}

// mon to fri 08:00 to 18:00 in New York, closed on 2026-11-26
TEST_F(TimeTest, OfficeHoursAreHalfOpen) {
  EXPECT_EQ(During("2026-11-20T12:59:59.999999Z", policy.office), "false");
  EXPECT_EQ(During("2026-11-20T13:00Z", policy.office), "true");
  EXPECT_EQ(During("2026-11-20T22:59:59.999999Z", policy.office), "true");
  EXPECT_EQ(During("2026-11-20T23:00Z", policy.office), "false");
  EXPECT_EQ(During("2026-11-21T15:00Z", policy.office), "false") << "Saturday";
  EXPECT_EQ(During("2026-11-26T15:00Z", policy.office), "false") << "closed";
  EXPECT_EQ(During("2026-11-27T15:00Z", policy.office), "true");
}

TEST_F(TimeTest, OfficeHoursFollowTheClockThatJumps) {
  EXPECT_EQ(During("2026-10-30T12:00Z", policy.office), "true") << "08:00 in summer time";
  EXPECT_EQ(During("2026-11-02T12:00Z", policy.office), "false") << "07:00 in winter time";
  EXPECT_EQ(During("2026-11-02T13:00Z", policy.office), "true");
  EXPECT_EQ(During("2026-03-06T12:30Z", policy.office), "false");
  EXPECT_EQ(During("2026-03-09T12:00Z", policy.office), "true");
}

// mon to fri 22:00 to 06:00: belongs to the day it starts on
TEST_F(TimeTest, OverMidnight) {
  EXPECT_EQ(During("2026-11-20T02:59Z", policy.night), "false") << "Thursday 21:59";
  EXPECT_EQ(During("2026-11-20T03:00Z", policy.night), "true");
  EXPECT_EQ(During("2026-11-20T10:59:59Z", policy.night), "true")
      << "Friday 05:59, Thursday's night";
  EXPECT_EQ(During("2026-11-20T11:00Z", policy.night), "false");
  EXPECT_EQ(During("2026-11-21T04:00Z", policy.night), "true") << "Friday 23:00";
  EXPECT_EQ(During("2026-11-21T08:00Z", policy.night), "true") << "Saturday 03:00, Friday's night";
  EXPECT_EQ(During("2026-11-22T04:00Z", policy.night), "false") << "Saturday 23:00";
  EXPECT_EQ(During("2026-11-23T08:00Z", policy.night), "false") << "Monday 03:00, Sunday's night";
  EXPECT_EQ(During("2026-11-27T04:00Z", policy.night), "false") << "the closed day's night";
  EXPECT_EQ(During("2026-11-27T08:00Z", policy.night), "false") << "and its morning";
  EXPECT_EQ(During("2026-11-26T08:00Z", policy.night), "true")
      << "the morning after Wednesday's night";
}

TEST_F(TimeTest, OverMidnightWhileTheClockJumps) {
  // 1 November 2026 is a Sunday: Saturday's night would be 23:00 to 03:00, which is closed; make a
  // calendar that is open.
  policy.p.schema.calendars.push_back(
      {policy.S("nights"), policy.new_york, {{0x7f, 23 * kMicrosPerHour, 3 * kMicrosPerHour}}, {}});
  uint32_t nights = static_cast<uint32_t>(policy.p.schema.calendars.size() - 1);
  EXPECT_EQ(During("2026-11-01T02:59Z", nights), "false") << "22:59 summer time";
  EXPECT_EQ(During("2026-11-01T03:00Z", nights), "true");
  EXPECT_EQ(During("2026-11-01T05:30Z", nights), "true") << "01:30 the first time";
  EXPECT_EQ(During("2026-11-01T06:30Z", nights), "true") << "01:30 the second time";
  EXPECT_EQ(During("2026-11-01T07:59Z", nights), "true") << "02:59 winter time";
  EXPECT_EQ(During("2026-11-01T08:00Z", nights), "false");
  EXPECT_EQ(During("2026-03-08T06:59Z", nights), "true") << "01:59 before the gap";
  EXPECT_EQ(During("2026-03-08T07:00Z", nights), "false") << "03:00 after it";
}

TEST_F(TimeTest, TheWholeDay) {
  EXPECT_EQ(During("2026-11-21T00:00Z", policy.always_utc), "true");
  EXPECT_EQ(During("2026-11-21T23:59:59.999999Z", policy.always_utc), "true");
}

TEST_F(TimeTest, ToTheEndOfTheDay) {
  policy.p.schema.calendars.push_back(
      {policy.S("evening"), policy.utc, {{0x10, 18 * kMicrosPerHour, kMicrosPerDay}}, {}});
  uint32_t evening = static_cast<uint32_t>(policy.p.schema.calendars.size() - 1);
  EXPECT_EQ(During("2026-11-20T23:59:59.999999Z", evening), "true");
  EXPECT_EQ(During("2026-11-21T00:00Z", evening), "false");
}

TEST_F(TimeTest, DuringNeedsAnInstant) {
  EXPECT_EQ(Show(Push(policy.Day("2026-11-20")) + Op(Opcode::kDuring, policy.office)),
            "abort internal");
  EXPECT_EQ(Show(Bottom(ErrorKind::kMissing) + Op(Opcode::kDuring, policy.office)), "⊥missing");
  EXPECT_EQ(Show(Op(Opcode::kLoadNow) + Op(Opcode::kDuring, 99)), "abort internal");
  EXPECT_EQ(Show(Push(policy.Moment("2026-11-20T15:00Z")) + Op(Opcode::kDuring, policy.office)),
            "true");
}

TEST_F(TimeTest, DaysAndFullYearsBetweenDates) {
  auto call = [&](Builtin builtin, const char* from, const char* to) {
    return Show(Push(policy.Day(from)) + Push(policy.Day(to)) +
                Op(Opcode::kCallBuiltin, static_cast<uint32_t>(builtin), 2));
  };
  EXPECT_EQ(call(Builtin::k_days_between, "2026-11-20", "2026-12-20"), "30");
  EXPECT_EQ(call(Builtin::k_days_between, "2026-12-20", "2026-11-20"), "-30");
  EXPECT_EQ(call(Builtin::k_days_between, "2024-02-28", "2024-03-01"), "2");
  EXPECT_EQ(call(Builtin::k_years_between, "2010-11-20", "2026-11-19"), "15");
  EXPECT_EQ(call(Builtin::k_years_between, "2010-11-20", "2026-11-20"), "16");
  EXPECT_EQ(call(Builtin::k_years_between, "2026-11-20", "2010-11-20"), "-16");
  EXPECT_EQ(call(Builtin::k_years_between, "2012-02-29", "2026-02-28"), "13");
  EXPECT_EQ(call(Builtin::k_years_between, "2012-02-29", "2026-03-01"), "14");
  EXPECT_EQ(Show(Push(policy.Day("2026-11-20")) + Bottom(ErrorKind::kMissing) +
                 Op(Opcode::kCallBuiltin, static_cast<uint32_t>(Builtin::k_years_between), 2)),
            "⊥missing");
  EXPECT_EQ(Show(Push(policy.Day("2026-11-20")) + Push(policy.Moment("2026-11-20T02:30Z")) +
                 Op(Opcode::kCallBuiltin, static_cast<uint32_t>(Builtin::k_days_between), 2)),
            "abort internal");
}

TEST_F(TimeTest, DateOfAnInstant) {
  EXPECT_EQ(Show(Push(policy.Moment("2026-11-20T02:30Z")) +
                 Op(Opcode::kCallBuiltin, static_cast<uint32_t>(Builtin::k_date_of), 1)),
            "2026-11-20");
  Words evening = Push(policy.Moment("2026-11-20T02:30Z"));
  EXPECT_EQ(Show(evening + Op(Opcode::kLocalDate, policy.utc)), "2026-11-20");
  EXPECT_EQ(Show(evening + Op(Opcode::kLocalDate, policy.new_york)), "2026-11-19");
  EXPECT_EQ(Show(evening + Op(Opcode::kLocalDate, 99)), "abort internal");
  EXPECT_EQ(Show(Push(policy.Day("2026-11-20")) + Op(Opcode::kLocalDate, policy.utc)),
            "abort internal");
  EXPECT_EQ(Show(Bottom(ErrorKind::kStale) + Op(Opcode::kLocalDate, policy.utc)), "⊥stale");
}

}  // namespace
}  // namespace dpl
