// The arithmetic of counters: calendar windows, sliding windows, what comes back.
#include "runtime/state/counter.h"

#include <vector>

#include <gtest/gtest.h>

namespace dpl {
namespace {

constexpr int64_t kMinute = kMicrosPerMinute;
Instant At(int64_t seconds) { return Instant{1'800'000'000'000'000 + seconds * kMicrosPerSecond}; }

CounterKey Sliding(int64_t window_us) {
  CounterKey key;
  key.identity = "x";
  key.window = CounterKey::Window::kSliding;
  key.sliding_us = window_us;
  return key;
}
CounterKey Day(int day) {
  CounterKey key;
  key.identity = "x";
  key.window = CounterKey::Window::kCalendar;
  key.start = At(day * 86'400);
  key.end = At((day + 1) * 86'400);
  return key;
}

TEST(SlidingWindow, AnEventExactlyAtTheStartOfTheWindowIsOut) {
  Counter c;
  c.Add(Sliding(kMinute), 100, At(0));
  EXPECT_EQ(c.Used(Sliding(kMinute), At(59)), 100);
  EXPECT_EQ(c.Used(Sliding(kMinute), Instant{At(60).us - 1}), 100);
  EXPECT_EQ(c.Used(Sliding(kMinute), At(60)), 0);
}

// Adding makes room for what is over, and only for that.
TEST(SlidingWindow, WhatJustStillCountsIsKept) {
  CounterKey key = Sliding(kMinute);
  Counter c;
  c.Add(key, 100, At(0));
  c.Add(key, 1, Instant{At(60).us - 1});
  EXPECT_EQ(c.Used(key, Instant{At(60).us - 1}), 101);
  c.Add(key, 1, At(60));
  EXPECT_EQ(c.Used(key, At(60)), 2);
}

TEST(SlidingWindow, FewEventsAreExact) {
  CounterKey key = Sliding(kMinute);
  Counter c;
  for (int i = 0; i < 50; ++i) c.Add(key, 1, Instant{At(0).us + i * 7});
  EXPECT_EQ(c.Used(key, Instant{At(60).us + 7 * 10}), 39);
}

// Bucketed or not: never less than the exact sum, and no event stays more than one bucket too long.
TEST(SlidingWindow, ManyEventsMayCountTooLongNeverTooShort) {
  CounterKey key = Sliding(kMinute);
  Counter c;
  struct Event {
    int64_t at, quantity;
  };
  std::vector<Event> events;
  uint64_t random = 12345;
  int64_t now = At(0).us;
  for (int i = 0; i < 5000; ++i) {
    random = random * 6364136223846793005ull + 1442695040888963407ull;
    now += static_cast<int64_t>((random >> 33) % 300'000);
    int64_t quantity = static_cast<int64_t>((random >> 20) % 5);
    c.Add(key, quantity, Instant{now});
    events.push_back({now, quantity});
    int64_t exact = 0, longest = 0;
    for (const Event& e : events) {
      if (e.at > now - kMinute) exact += e.quantity;
      if (e.at > now - kMinute - kMicrosPerSecond) longest += e.quantity;
    }
    int64_t used = *c.Used(key, Instant{now});
    ASSERT_GE(used, exact) << i;
    ASSERT_LE(used, longest) << i;
  }
}

TEST(SlidingWindow, WhatComesBackLeavesItsOwnEvent) {
  CounterKey key = Sliding(kMinute);
  Counter c;
  c.Add(key, 5, At(0));
  c.Add(key, 7, At(30));
  c.GiveBack(Sliding(kMinute), At(0), 5, At(40));
  EXPECT_EQ(c.Used(key, At(40)), 7);
  c.GiveBack(Sliding(kMinute), At(30), 100, At(40));
  EXPECT_EQ(c.Used(key, At(40)), 0);
}

TEST(SlidingWindow, NothingComesBackToAWindowThatIsGone) {
  CounterKey key = Sliding(kMinute);
  Counter c;
  c.Add(key, 5, At(0));
  c.Add(key, 7, At(70));
  c.GiveBack(Sliding(kMinute), At(0), 5, At(70));
  EXPECT_EQ(c.Used(key, At(70)), 7);
}

TEST(SlidingWindow, WhatComesBackIsFoundAfterRounding) {
  CounterKey key = Sliding(kMinute);
  Counter c;
  for (int i = 0; i < 500; ++i) c.Add(key, 2, Instant{At(0).us + i * 50'000});
  int64_t before = *c.Used(key, At(26));
  c.GiveBack(Sliding(kMinute), Instant{At(0).us + 400 * 50'000}, 2, At(26));
  EXPECT_EQ(c.Used(key, At(26)), before - 2);
}

TEST(CalendarWindow, EachWindowCountsOnItsOwn) {
  Counter c;
  c.Add(Day(1), 10, At(86'400));
  EXPECT_EQ(c.Used(Day(1), At(0)), 10);
  EXPECT_EQ(c.Used(Day(2), At(0)), 0);
  c.Add(Day(2), 3, At(0));
  EXPECT_EQ(c.Used(Day(2), At(0)), 3);
  EXPECT_EQ(c.Used(Day(1), At(0)), 10);            // the one before is still known
  EXPECT_EQ(c.Used(Day(0), At(0)), std::nullopt);  // one before that is not
}

TEST(CalendarWindow, WhatComesBackGoesToItsOwnWindow) {
  Counter c;
  c.Add(Day(1), 10, At(0));
  c.Add(Day(2), 10, At(0));
  c.GiveBack(Day(1), At(0), 4, At(0));
  EXPECT_EQ(c.Used(Day(1), At(0)), 6);
  EXPECT_EQ(c.Used(Day(2), At(0)), 10);
  c.Add(Day(3), 1, At(0));
  c.GiveBack(Day(1), At(0), 6, At(0));  // gone: nowhere
  EXPECT_EQ(c.Used(Day(2), At(0)), 10);
  EXPECT_EQ(c.Used(Day(3), At(0)), 1);
}

TEST(Counter, SumsStopAtTheEdge) {
  CounterKey key;
  Counter c;
  c.Add(key, INT64_MAX - 1, At(0));
  c.Add(key, 10, At(0));
  EXPECT_EQ(c.Used(key, At(0)), INT64_MAX);
}

TEST(Counter, IsDeadWhenNothingCouldReadItAgain) {
  Counter day;
  day.Add(Day(1), 1, At(0));
  EXPECT_FALSE(day.Dead(Day(1), At(86'400)));
  EXPECT_TRUE(day.Dead(Day(1), At(2 * 86'400)));
  Counter total;
  EXPECT_TRUE(total.Dead(CounterKey(), At(0)));
  total.Add(CounterKey(), 1, At(0));
  EXPECT_FALSE(total.Dead(CounterKey(), At(1'000'000)));
}

}  // namespace
}  // namespace dpl
