// The contract of StateStore, held against every store: revocation, records, and that a commit is
// everything or nothing.
#include <string>
#include <thread>
#include <vector>

#include "tests/unit/state/stores.h"

namespace dpl {
namespace {

class Revocation : public StoreTest {};
class Records : public StoreTest {};
class Commit : public StoreTest {};
class Reservation : public StoreTest {};
class ChargeKey : public StoreTest {};
class HighTime : public StoreTest {};
class Threads : public StoreTest {};
INSTANTIATE_TEST_SUITE_P(Stores, Revocation, ::testing::Values("memory", "durable"));
INSTANTIATE_TEST_SUITE_P(Stores, Records, ::testing::Values("memory", "durable"));
INSTANTIATE_TEST_SUITE_P(Stores, Commit, ::testing::Values("memory", "durable"));
INSTANTIATE_TEST_SUITE_P(Stores, Reservation, ::testing::Values("memory", "durable"));
INSTANTIATE_TEST_SUITE_P(Stores, ChargeKey, ::testing::Values("memory", "durable"));
INSTANTIATE_TEST_SUITE_P(Stores, HighTime, ::testing::Values("memory", "durable"));
INSTANTIATE_TEST_SUITE_P(Stores, Threads, ::testing::Values("memory", "durable"));

// ---------------------------------------------------------------- revocation
TEST_P(Revocation, NamesAndEpoch) {
  StateStore& s = store();
  EXPECT_FALSE(s.AnyRevoked(RevokedKind::kPerson));
  uint64_t before = s.Epoch();
  EXPECT_EQ(s.Revoke(RevokedKind::kPerson, "E1", std::nullopt), before + 1);
  EXPECT_TRUE(s.AnyRevoked(RevokedKind::kPerson));
  EXPECT_FALSE(s.AnyRevoked(RevokedKind::kAgent));
  EXPECT_TRUE(s.IsRevoked(RevokedKind::kPerson, "E1", At(1'000'000)));
  EXPECT_FALSE(s.IsRevoked(RevokedKind::kPerson, "E2", std::nullopt));
  EXPECT_FALSE(s.IsRevoked(RevokedKind::kAgent, "E1", std::nullopt));
}

TEST_P(Revocation, ACutOffSparesOnlyWhatProvablyBeganAfterIt) {
  StateStore& s = store();
  s.Revoke(RevokedKind::kPerson, "E1", At(10));
  EXPECT_TRUE(s.IsRevoked(RevokedKind::kPerson, "E1", std::nullopt));
  EXPECT_TRUE(s.IsRevoked(RevokedKind::kPerson, "E1", At(9)));
  EXPECT_TRUE(s.IsRevoked(RevokedKind::kPerson, "E1", At(10)));
  EXPECT_FALSE(s.IsRevoked(RevokedKind::kPerson, "E1", At(11)));
  s.Revoke(RevokedKind::kPerson, "E1", At(5));  // an earlier cut-off takes nothing back
  EXPECT_TRUE(s.IsRevoked(RevokedKind::kPerson, "E1", At(10)));
  s.Revoke(RevokedKind::kPerson, "E1", std::nullopt);
  EXPECT_TRUE(s.IsRevoked(RevokedKind::kPerson, "E1", At(11)));
}

// ---------------------------------------------------------------- records
TEST_P(Records, TheLatestConsentCounts) {
  StateStore& s = store();
  s.GiveConsent("d", "E1", {At(10), false, {1, 2}});
  s.GiveConsent("d", "E1", {At(5), false, {9}});
  ASSERT_TRUE(s.Sync().ok());
  ConsentRecord c;
  ASSERT_TRUE(s.FindConsent("d", "E1", &c));
  EXPECT_EQ(c.at, At(10));
  EXPECT_EQ(c.reach, (std::vector<uint64_t>{1, 2}));
  EXPECT_FALSE(s.FindConsent("d", "E2", &c));
  EXPECT_FALSE(s.FindConsent("dE", "1", &c));  // names are not glued together
}

TEST_P(Records, ATaskIsOpenedOnce) {
  StateStore& s = store();
  TaskRecord t;
  t.id = "t1";
  EXPECT_TRUE(s.OpenTask(t).ok());
  EXPECT_FALSE(s.OpenTask(t).ok());
  ASSERT_TRUE(s.Sync().ok());
  EXPECT_FALSE(s.OpenTask(t).ok());
  EXPECT_NE(s.FindTask("t1"), nullptr);
  EXPECT_EQ(s.FindTask("t2"), nullptr);
}

TEST_P(Records, OneParentPerChildInstance) {
  StateStore& s = store();
  EXPECT_TRUE(s.RecordHandoff("planner", "p1", "reader", "r1", "").ok());
  EXPECT_TRUE(s.RecordHandoff("planner", "p1", "reader", "r1", "").ok());
  EXPECT_FALSE(s.RecordHandoff("planner", "p2", "reader", "r1", "").ok());
  EXPECT_FALSE(s.RecordHandoff("reader", "r1", "reader", "r1", "").ok());
  ASSERT_TRUE(s.Sync().ok());
  EXPECT_TRUE(s.HandoffRecorded("planner", "p1", "reader", "r1"));
  EXPECT_FALSE(s.RecordHandoff("planner", "p2", "reader", "r1", "").ok());
  EXPECT_FALSE(s.HandoffRecorded("planner", "p2", "reader", "r1"));
  EXPECT_TRUE(s.HasParent("reader", "r1"));
  EXPECT_FALSE(s.HasParent("reader", "r2"));
  EXPECT_TRUE(s.RecordHandoff("planner", "p1", "reader", "r3", "t1").ok());
  ASSERT_TRUE(s.Sync().ok());
  EXPECT_TRUE(s.HandoffRecorded("planner", "p1", "reader", "r3", "t1"));
  EXPECT_FALSE(s.HandoffRecorded("planner", "p1", "reader", "r3"));
  EXPECT_TRUE(
      s.HandoffRecorded("planner", "p1", "reader", "r1", "t1"));  // recorded without a task: in any
}

// A seed is recorded before the store has seen any time: it is not old for that.
TEST_P(Records, AHandoffFromBeforeAnyTimeIsKept) {
  StateStore& s = store();
  ASSERT_TRUE(s.RecordHandoff("planner", "p", "reader", "child", "").ok());
  ASSERT_TRUE(s.Sync().ok());
  One one(&s);
  one.request.now = At(20 * 366 * 86'400);
  ASSERT_EQ(one.Commit().outcome, CommitOutcome::kDone);
  for (int i = 0; i < 200; ++i)
    ASSERT_TRUE(s.RecordHandoff("planner", "p", "reader", std::to_string(i), "").ok());
  ASSERT_TRUE(s.Sync().ok());
  EXPECT_TRUE(s.HasParent("reader", "child"));
}

TEST_P(Records, AFreshRunHasNoParentOfItsOwn) {
  StateStore& s = store();
  EXPECT_TRUE(s.RecordHandoff("planner", "", "reader", "", "").ok());
  EXPECT_TRUE(s.RecordHandoff("reader", "", "reader", "", "").ok());
  ASSERT_TRUE(s.Sync().ok());
  EXPECT_TRUE(s.HandoffRecorded("planner", "", "reader", ""));
  EXPECT_FALSE(s.HandoffRecorded("writer", "", "reader", ""));
  EXPECT_FALSE(s.HasParent("reader", ""));
}

// ---------------------------------------------------------------- commit
TEST_P(Commit, IsAllOrNothing) {
  StateStore& s = store();
  Charge charges[2];
  charges[0].counter = Total("roomy");
  charges[0].quantity = 5;
  charges[0].cap = 100;
  charges[1].counter = Total("tight");
  charges[1].quantity = 5;
  charges[1].cap = 4;
  CommitRequest r;
  r.now = At(0);
  r.epoch = s.Epoch();
  r.charges = charges;
  CommitRequest::Seen seen;
  seen.agent = "a";
  seen.instance = "i";
  r.instances = {&seen, 1};
  CommitResult done = s.Commit(r);
  EXPECT_EQ(done.outcome, CommitOutcome::kLimit);
  EXPECT_EQ(done.failed, 1u);
  EXPECT_EQ(s.Used(Total("roomy"), At(0)), 0);
  Instant born;
  bool bound;
  EXPECT_FALSE(s.FindInstance("a", "i", &born, &bound));
}

TEST_P(Commit, ExactlyAtTheCapFits) {
  StateStore& s = store();
  One one(&s, "c", 10, 10);
  EXPECT_EQ(one.Commit().outcome, CommitOutcome::kDone);
  One more(&s, "c", 1, 10);
  EXPECT_EQ(more.Commit().outcome, CommitOutcome::kLimit);
}

TEST_P(Commit, TheSameCounterTwiceCountsTwice) {
  StateStore& s = store();
  Charge charges[2];
  for (Charge& c : charges) {
    c.counter = Total("c");
    c.quantity = 6;
    c.cap = 10;
  }
  CommitRequest r;
  r.epoch = s.Epoch();
  r.charges = charges;
  EXPECT_EQ(s.Commit(r).outcome, CommitOutcome::kLimit);
}

TEST_P(Commit, AnOverflowNeverFits) {
  StateStore& s = store();
  One one(&s, "c", INT64_MAX - 1, INT64_MAX);
  EXPECT_EQ(one.Commit().outcome, CommitOutcome::kDone);
  One more(&s, "c", 5, INT64_MAX);
  EXPECT_EQ(more.Commit().outcome, CommitOutcome::kLimit);
  One negative(&s, "d", -1, 10);
  EXPECT_EQ(negative.Commit().outcome, CommitOutcome::kLimit);
}

TEST_P(Commit, ANewerEpochFailsTheGuard) {
  StateStore& s = store();
  One one(&s);
  one.request.epoch = s.Epoch();
  s.Revoke(RevokedKind::kPerson, "E1", std::nullopt);
  EXPECT_EQ(s.Commit(one.request).outcome, CommitOutcome::kEpochMoved);
}

TEST_P(Commit, AnApprovalIsUsedOnce) {
  StateStore& s = store();
  ApprovalRecord a;
  a.id = "a1";
  a.expires = At(100);
  ASSERT_TRUE(s.RecordApproval(a).ok());
  ASSERT_TRUE(s.Sync().ok());
  std::string_view id = "a1";
  CommitRequest r;
  r.now = At(0);
  r.epoch = s.Epoch();
  r.approvals = {&id, 1};
  EXPECT_EQ(s.Commit(r).outcome, CommitOutcome::kDone);
  EXPECT_EQ(s.FindApproval("a1")->uses_left, 0u);
  EXPECT_EQ(s.Commit(r).outcome, CommitOutcome::kApprovalUsed);
}

TEST_P(Commit, TheTwoSidesOfASeparationExcludeEachOther) {
  StateStore& s = store();
  CommitRequest::Act act{"sep", 0, "V9", "E4", At(-1000)};
  CommitRequest r;
  r.now = At(0);
  r.epoch = s.Epoch();
  r.acts = {&act, 1};
  EXPECT_EQ(s.Commit(r).outcome, CommitOutcome::kDone);
  act.side = 1;
  EXPECT_EQ(s.Commit(r).outcome, CommitOutcome::kSeparation);
  act.person = "E5";
  EXPECT_EQ(s.Commit(r).outcome, CommitOutcome::kDone);
  act.person = "E4";
  act.not_before = At(0);  // the first act is not after it
  EXPECT_EQ(s.Commit(r).outcome, CommitOutcome::kDone);
  EXPECT_TRUE(s.ActRecorded("sep", 0, "V9", "E4", At(-1)));
  EXPECT_FALSE(s.ActRecorded("sep", 0, "V8", "E4", At(-1)));
}

// An emergency opening: made once, by the person alone, and good for its time.
TEST_P(Commit, AnOpeningIsMadeByThePersonAndEnds) {
  StateStore& s = store();
  CommitRequest::Opening opening{"ward", "E8", "arrest", "INC-1", kMicrosPerHour, kMicrosPerDay};
  CommitRequest r;
  r.now = At(0);
  r.epoch = s.Epoch();
  r.opening = &opening;
  Instant opened;
  uint64_t uses = 0;
  EXPECT_FALSE(s.FindOpening("ward", "E8", "arrest", "INC-1", &opened, &uses));
  EXPECT_EQ(s.Commit(r).outcome, CommitOutcome::kOpening) << "an agent cannot be the first";
  opening.opens = true;
  CommitResult first = s.Commit(r);
  EXPECT_EQ(first.outcome, CommitOutcome::kDone);
  EXPECT_EQ(first.opened, At(0));
  EXPECT_EQ(first.uses, 1u);
  opening.opens = false;
  r.now = At(3599);
  CommitResult second = s.Commit(r);
  EXPECT_EQ(second.outcome, CommitOutcome::kDone) << "but may use what its person opened";
  EXPECT_EQ(second.opened, At(0));
  EXPECT_EQ(second.uses, 2u);
  ASSERT_TRUE(s.FindOpening("ward", "E8", "arrest", "INC-1", &opened, &uses));
  EXPECT_EQ(opened, At(0));
  EXPECT_EQ(uses, 2u);
  opening.opens = true;
  r.now = At(3600);
  EXPECT_EQ(s.Commit(r).outcome, CommitOutcome::kOpening) << "over, for the person too";
  // Another person, other words, another door: openings of their own.
  for (int i = 0; i < 4; ++i) {
    CommitRequest::Opening other = opening;
    (i == 0   ? other.break_glass
     : i == 1 ? other.person
     : i == 2 ? other.reason
              : other.ticket) = "other";
    r.opening = &other;
    EXPECT_EQ(s.Commit(r).uses, 1u) << i;
  }
  std::vector<OpeningRecord> all = s.Openings();
  ASSERT_EQ(all.size(), 5u);
  EXPECT_EQ(all[0].break_glass, "other");
  EXPECT_EQ(all[1].break_glass, "ward");
  EXPECT_EQ(all[1].person, "E8");
  EXPECT_EQ(all[1].reason, "arrest");
  EXPECT_EQ(all[1].ticket, "INC-1");
  EXPECT_EQ(all[1].opened, At(0));
  EXPECT_EQ(all[1].last_used, At(3599));
  EXPECT_EQ(all[1].review_due, At(86400));
  EXPECT_EQ(all[1].uses, 2u);
}

TEST_P(Commit, AnOpeningIsRecordedWithTheRestOrNotAtAll) {
  StateStore& s = store();
  One charge(&s, "c", 10, 5);
  CommitRequest::Opening opening{"ward", "E8", "arrest", "", kMicrosPerHour, kMicrosPerDay, true};
  charge.request.opening = &opening;
  EXPECT_EQ(charge.Commit().outcome, CommitOutcome::kLimit);
  EXPECT_TRUE(s.Openings().empty());
  charge.charge.cap = 10;
  EXPECT_EQ(charge.Commit().uses, 1u);
  charge.request.now = At(3600);
  EXPECT_EQ(charge.Commit().outcome, CommitOutcome::kOpening);
  EXPECT_EQ(s.Used(Total("c"), At(3600)), 10) << "an opening that is over charges nothing";
}

TEST_P(Commit, BirthsAreCountedOnceAndBounded) {
  StateStore& s = store();
  auto see = [&](std::string_view instance, Instant now) {
    CommitRequest::Seen seen;
    seen.agent = "a";
    seen.instance = instance;
    seen.born = now;
    seen.keep_us = kMicrosPerHour;
    seen.max = 2;
    seen.window_us = kMicrosPerHour;
    CommitRequest r;
    r.now = now;
    r.epoch = s.Epoch();
    r.instances = {&seen, 1};
    return s.Commit(r).outcome;
  };
  EXPECT_EQ(see("i1", At(0)), CommitOutcome::kDone);
  EXPECT_EQ(see("i1", At(1)), CommitOutcome::kDone);
  EXPECT_EQ(see("", At(2)), CommitOutcome::kDone);
  EXPECT_EQ(s.InstancesBorn("a", kMicrosPerHour, At(2)), 2u);
  EXPECT_EQ(see("i2", At(3)), CommitOutcome::kInstances);
  EXPECT_EQ(see("i1", At(4)), CommitOutcome::kDone);
  EXPECT_EQ(see("i2", At(3600)), CommitOutcome::kDone);  // the first birth is out of the window
}

TEST_P(Commit, ATaskStaysWithTheRunThatWasSeenInIt) {
  StateStore& s = store();
  CommitRequest::Seen seen;
  seen.agent = "a";
  seen.instance = "i1";
  seen.task = "t1";
  seen.keep_us = kMicrosPerHour;
  CommitRequest r;
  r.now = At(0);
  r.epoch = s.Epoch();
  r.instances = {&seen, 1};
  EXPECT_EQ(s.Commit(r).outcome, CommitOutcome::kDone);
  EXPECT_TRUE(s.InstanceBoundTo("a", "i1", "t1"));
  seen.task = "t2";
  EXPECT_EQ(s.Commit(r).outcome, CommitOutcome::kInstances);
  Instant born;
  bool bound = false;
  ASSERT_TRUE(s.FindInstance("a", "i1", &born, &bound));
  EXPECT_TRUE(bound);
}

// ---------------------------------------------------------------- reservations
TEST_P(Reservation, CancelGivesAllBackOnce) {
  StateStore& s = store();
  One one(&s, "c", 30);
  CommitResult done = one.Commit();
  ASSERT_NE(done.reservation, 0u);
  EXPECT_EQ(s.Used(Total("c"), At(0)), 30);
  EXPECT_EQ(s.Cancel(done.reservation, "other", At(1)).error().code, "reservation.caller");
  EXPECT_TRUE(s.Cancel(done.reservation, "pep", At(1)).ok());
  ASSERT_TRUE(s.Sync().ok());
  EXPECT_EQ(s.Used(Total("c"), At(1)), 0);
  EXPECT_EQ(s.Cancel(done.reservation, "pep", At(1)).error().code, "reservation.closed");
  EXPECT_EQ(s.Confirm(done.reservation, "pep", 0, At(1)).error().code, "reservation.closed");
  EXPECT_EQ(s.Used(Total("c"), At(1)), 0);
}

TEST_P(Reservation, ConfirmGivesTheDifferenceBack) {
  StateStore& s = store();
  One one(&s, "c", 30);
  uint64_t id = one.Commit().reservation;
  EXPECT_FALSE(s.Confirm(id, "pep", -1, At(1)).ok());
  EXPECT_TRUE(s.Confirm(id, "pep", 12, At(1)).ok());
  ASSERT_TRUE(s.Sync().ok());
  EXPECT_EQ(s.Used(Total("c"), At(1)), 12);
}

TEST_P(Reservation, AnOverrunIsRefusedAndCounted) {
  StateStore& s = store();
  One one(&s, "c", 30);
  uint64_t id = one.Commit().reservation;
  EXPECT_EQ(s.Confirm(id, "pep", 31, At(1)).error().code, "reservation.overrun");
  EXPECT_EQ(s.Used(Total("c"), At(1)), 31);
  EXPECT_FALSE(s.Cancel(id, "pep", At(1)).ok());
}

TEST_P(Reservation, SilenceIsSpent) {
  StateStore& s = store();
  One one(&s, "c", 30);
  uint64_t id = one.Commit().reservation;
  EXPECT_EQ(s.Cancel(id, "pep", At(3600)).error().code, "reservation.closed");
  EXPECT_EQ(s.Used(Total("c"), At(3600)), 30);
  EXPECT_EQ(s.Cancel(999, "pep", At(0)).error().code, "reservation.unknown");
}

TEST_P(Reservation, RequestsNeverComeBack) {
  StateStore& s = store();
  One one(&s, "c", 1);
  one.charge.returns = false;
  uint64_t id = one.Commit().reservation;
  EXPECT_TRUE(s.Cancel(id, "pep", At(1)).ok());
  EXPECT_EQ(s.Used(Total("c"), At(1)), 1);
}

// ---------------------------------------------------------------- charge keys
TEST_P(ChargeKey, AReplayChargesNothing) {
  StateStore& s = store();
  One one(&s, "c", 5);
  one.request.charge_key = "k";
  one.request.request_digest = "d1";
  uint64_t id = one.Commit().reservation;
  CommitResult again = one.Commit();
  EXPECT_EQ(again.outcome, CommitOutcome::kReplayed);
  EXPECT_EQ(again.reservation, id);
  EXPECT_EQ(s.Used(Total("c"), At(0)), 5);
  EXPECT_EQ(s.Held(id, Total("c")), 5);
  one.request.request_digest = "d2";
  EXPECT_EQ(one.Commit().outcome, CommitOutcome::kKeyConflict);
  EXPECT_TRUE(s.Confirm(id, "pep", std::nullopt, At(1)).ok());
  one.request.request_digest = "d1";
  EXPECT_EQ(one.Commit().outcome, CommitOutcome::kKeyClosed);
  EXPECT_EQ(s.Held(id, Total("c")), 0);
}

TEST_P(ChargeKey, AReservationPastItsDeadlineIsClosed) {
  StateStore& s = store();
  One one(&s, "c", 5);
  one.request.charge_key = "k";
  one.request.request_digest = "d1";
  one.request.keep_key_us = 100 * kMicrosPerDay;
  one.Commit();
  // Nothing was written since, so that only the time asked for can tell.
  uint64_t id = 0;
  ReservationState state{};
  std::string digest;
  ASSERT_TRUE(s.FindCharge("k", At(3599), &id, &state, &digest));
  EXPECT_EQ(state, ReservationState::kOpen);
  ASSERT_TRUE(s.FindCharge("k", At(3600), &id, &state, &digest));
  EXPECT_EQ(state, ReservationState::kSpent);
  one.request.now = At(3600);
  EXPECT_EQ(one.Commit().outcome, CommitOutcome::kKeyClosed);
}

// However many have lapsed, and whichever of them a commit has swept.
TEST_P(ChargeKey, EveryReservationPastItsDeadlineIsClosed) {
  StateStore& s = store();
  constexpr int kMany = 500;
  One one(&s, "c", 1);
  one.charge.cap = 2 * kMany;
  one.request.request_digest = "d1";
  one.request.keep_key_us = 100 * kMicrosPerDay;
  std::vector<std::string> keys;
  for (int i = 0; i < kMany; ++i) keys.push_back("k" + std::to_string(i));
  for (const std::string& key : keys) {
    one.request.charge_key = key;
    ASSERT_EQ(one.Commit().outcome, CommitOutcome::kDone);
  }
  one.request.now = At(3600);
  for (const std::string& key : keys) {
    one.request.charge_key = key;
    EXPECT_EQ(one.Commit().outcome, CommitOutcome::kKeyClosed) << key;
  }
  EXPECT_EQ(s.Used(Total("c"), At(3600)), kMany);
}

TEST_P(ChargeKey, IsForgottenWhenItWasKeptLongEnough) {
  StateStore& s = store();
  One one(&s, "c", 1);
  one.request.charge_key = "k";
  one.request.request_digest = "d1";
  one.request.keep_key_us = 60 * kMicrosPerSecond;
  const uint64_t first = one.Commit().reservation;
  uint64_t id = 0;
  ReservationState state{};
  std::string digest;
  EXPECT_TRUE(s.FindCharge("k", At(3660), &id, &state, &digest));
  EXPECT_FALSE(s.FindCharge("k", At(3661), &id, &state, &digest));
  one.request.now = At(3660);
  EXPECT_EQ(one.Commit().outcome, CommitOutcome::kKeyClosed);
  one.request.now = At(3661);
  one.request.reservation_deadline = At(7200);
  const CommitResult again = one.Commit();
  EXPECT_EQ(again.outcome, CommitOutcome::kDone);
  EXPECT_NE(again.reservation, first);
  EXPECT_EQ(one.Commit().outcome, CommitOutcome::kReplayed);
  EXPECT_EQ(s.Used(Total("c"), At(3661)), 2);
}

// ---------------------------------------------------------------- time and room
TEST_P(HighTime, OnlyRises) {
  StateStore& s = store();
  One one(&s);
  one.request.now = At(100);
  one.Commit();
  EXPECT_EQ(s.HighTime(), At(100));
  one.request.now = At(50);
  one.Commit();
  EXPECT_EQ(s.HighTime(), At(100));
}

TEST_P(HighTime, AWindowThatIsOverIsNotChargedAgain) {
  StateStore& s = store();
  auto day = [&](int d) {
    One one(&s, "c", 1, 1);
    one.charge.counter.window = CounterKey::Window::kCalendar;
    one.charge.counter.start = At(d * 86'400);
    one.charge.counter.end = At((d + 1) * 86'400);
    return one.Commit().outcome;
  };
  EXPECT_EQ(day(0), CommitOutcome::kDone);
  EXPECT_EQ(day(1), CommitOutcome::kDone);
  EXPECT_EQ(day(2), CommitOutcome::kDone);
  EXPECT_EQ(day(0), CommitOutcome::kWindowMoved);
  EXPECT_EQ(day(1), CommitOutcome::kLimit);
}

TEST_P(HighTime, AWindowThatWasForgottenDoesNotBeginAgain) {
  StateStore& s = store();
  auto charge = [&](const std::string& name, int d) {
    One one(&s, name, 1, 1);
    one.request.now = At(d * 86'400);
    one.charge.counter.window = CounterKey::Window::kCalendar;
    one.charge.counter.start = At(d * 86'400);
    one.charge.counter.end = At((d + 1) * 86'400);
    one.request.reservation_deadline = At(d * 86'400 + 1);
    return one.Commit().outcome;
  };
  for (int i = 0; i < 2048; ++i)
    ASSERT_EQ(charge("c" + std::to_string(i), 0), CommitOutcome::kDone);
  for (int i = 0; i < 2048; ++i)
    ASSERT_EQ(charge("d" + std::to_string(i), 2), CommitOutcome::kDone);
  // Whether the counter is still there or not: what was decided yesterday cannot be charged today.
  for (int i = 0; i < 2048; ++i)
    EXPECT_NE(charge("c" + std::to_string(i), 0), CommitOutcome::kDone) << i;
}

// ---------------------------------------------------------------- at once
TEST_P(Threads, ACapHoldsUnderContention) {
  StateStore& s = store();
  std::atomic<int> permits{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 200; ++i) {
        One one(&s, "c", 1, 500);
        if (one.Commit().outcome == CommitOutcome::kDone) ++permits;
      }
    });
  }
  for (std::thread& t : threads) t.join();
  EXPECT_EQ(permits, 500);
  EXPECT_EQ(s.Used(Total("c"), At(0)), 500);
}

TEST_P(Threads, OneApprovalOnePermit) {
  StateStore& s = store();
  ApprovalRecord a;
  a.id = "a1";
  a.expires = At(100);
  ASSERT_TRUE(s.RecordApproval(a).ok());
  ASSERT_TRUE(s.Sync().ok());
  std::atomic<int> permits{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 64; ++t) {
    threads.emplace_back([&] {
      std::string_view id = "a1";
      CommitRequest r;
      r.now = At(0);
      r.epoch = s.Epoch();
      r.approvals = {&id, 1};
      if (s.Commit(r).outcome == CommitOutcome::kDone) ++permits;
    });
  }
  for (std::thread& t : threads) t.join();
  EXPECT_EQ(permits, 1);
}

TEST_P(Threads, AfterARevocationIsAcknowledgedNothingCommits) {
  StateStore& s = store();
  std::atomic<bool> revoked{false};
  std::atomic<int> late{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 2000; ++i) {
        One one(&s, "c", 1);
        one.request.epoch = 1;
        bool before = revoked.load();
        if (s.Commit(one.request).outcome == CommitOutcome::kDone && before) ++late;
      }
    });
  }
  s.Revoke(RevokedKind::kPerson, "E1", std::nullopt);
  revoked.store(true);
  for (std::thread& t : threads) t.join();
  EXPECT_EQ(late, 0);
}

}  // namespace
}  // namespace dpl
