// What is the in-memory store's own: its bounds.
#include "runtime/state/memory_store.h"

#include <string>
#include <vector>

#include "tests/unit/state/stores.h"

namespace dpl {
namespace {

// Past the bound nothing is permitted that would have to be reserved; what has ended makes room,
// whichever way it ended.
TEST(Reservation, PastTheBoundThereIsNoPermit) {
  MemoryStore::Options options;
  options.max_reservations = 32;
  MemoryStore s(options);
  std::vector<uint64_t> ids;
  for (int i = 0; i < 32; ++i) ids.push_back(One(&s).Commit().reservation);
  One more(&s);
  EXPECT_EQ(more.Commit().outcome, CommitOutcome::kFull);
  EXPECT_EQ(s.SizesNow().reservations, 32u);
  EXPECT_EQ(s.Used(Total("c"), At(1)), 32) << "what was refused was not charged";
  EXPECT_TRUE(s.Cancel(ids[0], "pep", At(1)).ok());
  EXPECT_EQ(more.Commit().outcome, CommitOutcome::kDone);
  EXPECT_EQ(more.Commit().outcome, CommitOutcome::kFull);
  EXPECT_TRUE(s.Confirm(ids[1], "pep", std::nullopt, At(1)).ok());
  EXPECT_EQ(more.Commit().outcome, CommitOutcome::kDone);
  EXPECT_EQ(more.Commit().outcome, CommitOutcome::kFull);
  more.request.now = At(3600);  // the deadline of all
  EXPECT_EQ(more.Commit().outcome, CommitOutcome::kDone);
  EXPECT_EQ(s.Cancel(ids[2], "pep", At(3600)).error().code, "reservation.closed");
}

// One that stays open for long keeps no other on record.
TEST(Reservation, WhatHasEndedIsForgottenBehindOneThatIsOpen) {
  MemoryStore s;
  One open(&s);
  open.request.reservation_deadline = At(365 * 86'400);
  const uint64_t first = open.Commit().reservation;
  for (int i = 0; i < 3000; ++i)
    ASSERT_TRUE(s.Confirm(One(&s).Commit().reservation, "pep", std::nullopt, At(1)).ok());
  EXPECT_EQ(s.SizesNow().reservations, 1u);
  EXPECT_LE(s.ListReservations({"", 10'000}).items.size(), 1100u) << "some that ended lately";
  EXPECT_EQ(s.Confirm(2, "pep", std::nullopt, At(1)).error().code, "reservation.closed");
  EXPECT_TRUE(s.Cancel(first, "pep", At(1)).ok());
}

TEST(Room, DeadCountersAndInstancesAreForgotten) {
  MemoryStore s;
  for (int i = 0; i < 5000; ++i) {
    std::string name = "c" + std::to_string(i);
    One one(&s, name, 1);
    one.request.now = At(i * 60);
    one.request.reservation_deadline = At(i * 60 + 1);
    one.charge.counter.window = CounterKey::Window::kSliding;
    one.charge.counter.sliding_us = kMicrosPerMinute;
    CommitRequest::Seen seen;
    seen.agent = "a";
    seen.instance = name;
    seen.born = At(i * 60);
    seen.keep_us = kMicrosPerHour;
    one.request.instances = {&seen, 1};
    ASSERT_EQ(one.Commit().outcome, CommitOutcome::kDone);
  }
  EXPECT_LE(s.SizesNow().counters, 1100u);
  EXPECT_LE(s.SizesNow().instances, 1100u);
  EXPECT_LE(s.SizesNow().reservations, 2u);
}

TEST(Room, WhatCannotBeRememberedIsRefused) {
  MemoryStore::Options options;
  options.max_counters = 1;
  MemoryStore s(options);
  One first(&s, "c1");
  EXPECT_EQ(first.Commit().outcome, CommitOutcome::kDone);
  One second(&s, "c2");
  EXPECT_EQ(second.Commit().outcome, CommitOutcome::kFull);
}

// What cannot be remembered is refused, never forgotten to let a permit through.
TEST(Bounds, OpeningsAreRefusedPastTheBound) {
  MemoryStore::Options options;
  options.max_openings = 1;
  MemoryStore s(options);
  CommitRequest::Opening opening{"ward", "E8", "one", "", kMicrosPerHour, kMicrosPerDay, true};
  CommitRequest r;
  r.now = At(0);
  r.epoch = s.Epoch();
  r.opening = &opening;
  EXPECT_EQ(s.Commit(r).outcome, CommitOutcome::kDone);
  EXPECT_EQ(s.Commit(r).outcome, CommitOutcome::kDone) << "the one on record is used again";
  opening.reason = "two";
  EXPECT_EQ(s.Commit(r).outcome, CommitOutcome::kFull);
  EXPECT_EQ(s.SizesNow().openings, 1u);
}

}  // namespace
}  // namespace dpl
