// What a ticket promises: what takes away counts at once, what gives when it is kept.
#include "tests/unit/state/durable.h"

namespace dpl {
namespace {

TEST(Promises, WhatTakesCountsAtOnceAndWhatGivesWhenItIsKept) {
  TemporaryFolder folder;
  TestDisk disk;
  auto store = Open(folder.path(), &disk);
  One spent(store.get(), "spent", 30);
  uint64_t reservation = spent.Commit().reservation;
  store->GiveConsent("d", "E2", {At(1), false, {1}});
  ASSERT_TRUE(store->Sync().ok());

  disk.mode = TestDisk::Mode::kHeld;
  store->GiveConsent("d", "E2", {At(1), false, {}});  // withdrawn
  ConsentRecord withdrawn;
  ASSERT_TRUE(store->FindConsent("d", "E2", &withdrawn));
  EXPECT_TRUE(withdrawn.reach.empty());
  One one(store.get(), "c", 10, 10);
  CommitResult done = one.Commit();
  EXPECT_EQ(done.outcome, CommitOutcome::kDone);
  EXPECT_EQ(store->Check(done.ticket), Promise::kPending);
  EXPECT_EQ(store->Used(Total("c"), At(0)), 10);
  EXPECT_EQ(One(store.get(), "c", 1, 10).Commit().outcome, CommitOutcome::kLimit);
  store->Revoke(RevokedKind::kPerson, "E1", std::nullopt);
  EXPECT_TRUE(store->IsRevoked(RevokedKind::kPerson, "E1", std::nullopt));

  ConsentRecord consent{At(1), false, {1}};
  store->GiveConsent("d", "E1", consent);
  TaskRecord task;
  task.id = "t1";
  EXPECT_TRUE(store->OpenTask(task).ok());
  EXPECT_EQ(store->OpenTask(task).error().code, "task.exists");
  ApprovalRecord approval;
  approval.id = "a1";
  EXPECT_TRUE(store->RecordApproval(approval).ok());
  EXPECT_EQ(store->RecordApproval(approval).error().code, "approval.exists");
  EXPECT_TRUE(store->RecordHandoff("p", "1", "c", "1", "").ok());
  EXPECT_EQ(store->RecordHandoff("p", "2", "c", "1", "").error().code, "handoff.parent");
  EXPECT_TRUE(store->Cancel(reservation, "pep", At(1)).ok());
  EXPECT_EQ(store->Cancel(reservation, "pep", At(1)).error().code, "reservation.closed");
  EXPECT_FALSE(store->FindConsent("d", "E1", &consent));
  EXPECT_EQ(store->FindTask("t1"), nullptr);
  EXPECT_EQ(store->FindApproval("a1"), nullptr);
  EXPECT_FALSE(store->HasParent("c", "1"));
  EXPECT_EQ(store->Used(Total("spent"), At(1)), 30);

  disk.mode = TestDisk::Mode::kGood;
  ASSERT_TRUE(store->Sync().ok());
  EXPECT_EQ(store->Check(done.ticket), Promise::kKept);
  EXPECT_TRUE(store->FindConsent("d", "E1", &consent));
  EXPECT_NE(store->FindTask("t1"), nullptr);
  EXPECT_NE(store->FindApproval("a1"), nullptr);
  EXPECT_TRUE(store->HasParent("c", "1"));
  EXPECT_EQ(store->Used(Total("spent"), At(1)), 0);
}

TEST(Promises, ACounterIsForgottenOnceAllHasComeBack) {
  TemporaryFolder folder;
  auto store = Open(folder.path());
  for (int i = 0; i < 5000; ++i) {
    std::string name = "c" + std::to_string(i);
    One one(store.get(), name, 1);
    one.request.now = At(i * 60);
    one.request.reservation_deadline = At(i * 60 + 1);
    one.charge.counter.window = CounterKey::Window::kSliding;
    one.charge.counter.sliding_us = kMicrosPerMinute;
    CommitResult done = one.Commit();
    ASSERT_TRUE(store->Cancel(done.reservation, "pep", At(i * 60)).ok());
    if (i % 100 == 0) {
      ASSERT_TRUE(store->Sync().ok());
    }
  }
  EXPECT_LE(store->SizesNow().counters, 1100u);
}

TEST(Promises, AWithdrawalBeatsAConsentThatIsUnderWay) {
  TemporaryFolder folder;
  TestDisk disk;
  auto store = Open(folder.path(), &disk);
  disk.mode = TestDisk::Mode::kHeld;
  store->GiveConsent("d", "E1", {At(1), false, {1}});
  store->GiveConsent("d", "E1", {At(1), false, {}});
  disk.mode = TestDisk::Mode::kGood;
  ASSERT_TRUE(store->Sync().ok());
  for (int i = 0; i < 2; ++i) {
    ConsentRecord consent;
    ASSERT_TRUE(store->FindConsent("d", "E1", &consent));
    EXPECT_TRUE(consent.reach.empty());
    store.reset();
    store = Open(folder.path(), &disk);
  }
}

TEST(Promises, OneSyncServesManyWriters) {
  TemporaryFolder folder;
  TestDisk disk;
  auto store = Open(folder.path(), &disk);
  One(store.get(), "c").Commit();
  ASSERT_TRUE(store->Sync().ok());
  int before = disk.syncs;
  disk.mode = TestDisk::Mode::kHeld;
  One(store.get(), "c").Commit();
  for (int i = 0; i < 500; ++i) One(store.get(), "c").Commit();
  disk.mode = TestDisk::Mode::kGood;
  ASSERT_TRUE(store->Sync().ok());
  EXPECT_LE(disk.syncs - before, 2);
}

TEST(Promises, AReplayPromisesWhatTheFirstAnswerWaitsFor) {
  TemporaryFolder folder;
  TestDisk disk;
  auto store = Open(folder.path(), &disk);
  disk.mode = TestDisk::Mode::kHeld;
  One one(store.get(), "c", 5);
  one.request.charge_key = "k";
  one.request.request_digest = "d1";
  uint64_t first = one.Commit().ticket;
  CommitResult again = one.Commit();
  EXPECT_EQ(again.outcome, CommitOutcome::kReplayed);
  EXPECT_GE(again.ticket, first);
  EXPECT_EQ(store->Check(again.ticket), Promise::kPending);
  disk.mode = TestDisk::Mode::kGood;
}

TEST(Promises, TheStoreWakesWhoeverAsked) {
  TemporaryFolder folder;
  auto store = Open(folder.path());
  std::atomic<int> woken{0};
  store->OnKept([&] { ++woken; });
  One(store.get(), "c").Commit();
  ASSERT_TRUE(store->Sync().ok());
  EXPECT_GE(woken, 1);
}

}  // namespace
}  // namespace dpl
