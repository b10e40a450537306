// Which clocks may open new windows.
#include "runtime/state/clock_guard.h"

#include <optional>
#include <utility>

#include <gtest/gtest.h>

namespace dpl {
namespace {

Instant Wall(int64_t us) { return Instant{1'800'000'000'000'000 + us}; }

TEST(ClockGuard, ASteadyClockIsTrusted) {
  ClockGuard g;
  for (int64_t t = 0; t < 100; ++t)
    EXPECT_TRUE(g.Trust(Wall(t * kMicrosPerHour), t * kMicrosPerHour));
}

TEST(ClockGuard, BackwardIsHarmless) {
  ClockGuard g;
  EXPECT_TRUE(g.Trust(Wall(0), 0));
  EXPECT_TRUE(g.Trust(Wall(-kMicrosPerHour), 1000));
}

TEST(ClockGuard, AJumpForwardStopsUntilConfirmed) {
  ClockGuard g;
  EXPECT_TRUE(g.Trust(Wall(0), 0));
  EXPECT_TRUE(g.Trust(Wall(4 * kMicrosPerMinute), 0));
  EXPECT_FALSE(g.Trust(Wall(kMicrosPerHour), 1000));
  EXPECT_FALSE(g.Trust(Wall(0), 2000));
  g.Confirm(Wall(kMicrosPerHour), 3000);
  EXPECT_TRUE(g.Trust(Wall(kMicrosPerHour), 4000));
}

TEST(ClockGuard, ManySmallJumpsAddUp) {
  ClockGuard g;
  int64_t wall = 0;
  bool trusted = true;
  for (int i = 0; i < 10 && trusted; ++i) trusted = g.Trust(Wall(wall += kMicrosPerMinute), i);
  EXPECT_FALSE(trusted);
}

TEST(ClockGuard, ASlewedClockIsFollowedForDays) {
  ClockGuard g;
  for (int64_t hour = 0; hour < 24 * 30; ++hour) {  // 300 parts in a million: 13 minutes in a month
    const int64_t us = hour * kMicrosPerHour;
    ASSERT_TRUE(g.Trust(Wall(us + us / 1'000'000 * 300), us)) << hour;
  }
  EXPECT_FALSE(g.suspect());
}

TEST(ClockGuard, NearIsTrustedAndDoesNotMoveTheBase) {
  ClockGuard g;
  EXPECT_TRUE(g.Trust(Wall(0), 0));
  for (int i = 1; i < 1000; ++i) EXPECT_TRUE(g.Trust(Wall(900'000), i));
  EXPECT_TRUE(g.Trust(Wall(ClockGuard::kTolerance), 1000));
  EXPECT_FALSE(g.Trust(Wall(ClockGuard::kTolerance + 2000), 1001));
  EXPECT_TRUE(g.suspect());
}

TEST(ClockGuard, ResumedItJudgesAsIfItHadNeverStopped) {
  ClockGuard before;
  EXPECT_FALSE(before.trusted().has_value());
  EXPECT_TRUE(before.Trust(Wall(0), 1000));
  const std::optional<ClockGuard::Trusted> kept = before.trusted();
  ASSERT_TRUE(kept.has_value());
  const int64_t later = 8 * kMicrosPerHour;  // nothing ran for so long
  for (auto [jump, trusted] : {std::pair(int64_t{0}, true),
                               {4 * kMicrosPerMinute, true},
                               {6 * kMicrosPerMinute, false},
                               {kMicrosPerDay, false},
                               {-kMicrosPerDay, true}}) {
    ClockGuard after;
    after.Resume(*kept);
    EXPECT_EQ(after.Trust(Wall(later + jump), 1000 + later), trusted) << jump;
    // What was trusted does not follow a jump, over any number of starts.
    const std::optional<ClockGuard::Trusted> again = after.trusted();
    EXPECT_EQ(again->ahead_us == kept->ahead_us, !trusted || jump == 0);
  }
}

TEST(ClockGuard, InDoubtUntilConfirmed) {
  ClockGuard g;
  g.Doubt();
  EXPECT_FALSE(g.Trust(Wall(0), 0));
  EXPECT_FALSE(g.Trust(Wall(1000), 1000));
  EXPECT_FALSE(g.trusted().has_value());
  g.Confirm(Wall(2000), 2000);
  EXPECT_TRUE(g.Trust(Wall(3000), 3000));
  EXPECT_TRUE(g.trusted().has_value());
}

}  // namespace
}  // namespace dpl
