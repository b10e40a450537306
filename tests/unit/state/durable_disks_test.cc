// Disks that fail: full, short, failed syncs. What was promised stays, nothing is promised in vain.
#include "tests/unit/state/durable.h"

namespace dpl {
namespace {

TEST(Disks, AFullDiskFailsCommitsUntilThereIsRoomAgain) {
  TemporaryFolder folder;
  TestDisk disk;
  auto store = Open(folder.path(), &disk);
  One kept(store.get(), "c", 5, 20);
  kept.Commit();
  ASSERT_TRUE(store->Sync().ok());
  disk.mode = TestDisk::Mode::kFull;
  CommitResult lost = One(store.get(), "c", 5, 20).Commit();
  EXPECT_EQ(lost.outcome, CommitOutcome::kDone);  // it happened, and is not promised
  EXPECT_EQ(store->Sync().error().code, "state.failed");
  EXPECT_EQ(store->Check(lost.ticket), Promise::kBroken);
  EXPECT_EQ(One(store.get(), "c", 5, 20).Commit().outcome, CommitOutcome::kFailed);
  TaskRecord task;
  task.id = "t1";
  EXPECT_EQ(store->OpenTask(task).error().code, "state.failed");
  EXPECT_FALSE(store->Health().writable);
  EXPECT_NE(store->Health().error.find("No space"), std::string::npos);
  store->Revoke(RevokedKind::kPerson, "E1", std::nullopt);  // counts, though it cannot be promised
  EXPECT_TRUE(store->IsRevoked(RevokedKind::kPerson, "E1", std::nullopt));
  EXPECT_FALSE(store->Sync().ok());

  disk.mode = TestDisk::Mode::kGood;
  while (!store->Health().writable) std::this_thread::yield();
  ASSERT_TRUE(store->Sync().ok());
  EXPECT_EQ(store->Check(lost.ticket), Promise::kKept);
  EXPECT_EQ(One(store.get(), "c", 5, 20).Commit().outcome, CommitOutcome::kDone);
  store.reset();
  store = Open(folder.path());
  EXPECT_EQ(store->Used(Total("c"), At(0)), 15);
  EXPECT_TRUE(store->IsRevoked(RevokedKind::kPerson, "E1", std::nullopt));
}

TEST(Disks, ShortWritesAreFinished) {
  TemporaryFolder folder;
  TestDisk disk;
  auto store = Open(folder.path(), &disk);
  One(store.get(), "c").Commit();
  ASSERT_TRUE(store->Sync().ok());
  disk.mode = TestDisk::Mode::kShort;
  for (int i = 0; i < 20; ++i) One(store.get(), "c").Commit();
  ASSERT_TRUE(store->Sync().ok());
  auto copy = Killed(folder.path());
  EXPECT_EQ(Open(copy->path())->Used(Total("c"), At(0)), 21);
}

TEST(Disks, AFailedSyncIsFinal) {
  TemporaryFolder folder;
  TestDisk disk;
  auto store = Open(folder.path(), &disk);
  disk.mode = TestDisk::Mode::kSyncFails;
  CommitResult done = One(store.get(), "c").Commit();
  EXPECT_FALSE(store->Sync().ok());
  EXPECT_EQ(store->Check(done.ticket), Promise::kBroken);
  disk.mode = TestDisk::Mode::kGood;
  EXPECT_EQ(One(store.get(), "c").Commit().outcome, CommitOutcome::kFailed);
  store.reset();
  EXPECT_NE(Open(folder.path()), nullptr);
}

// Every write and every sync of a life with images fails once, one after the other. Whatever was
// kept is found again; whatever is found was asked for.
TEST(Disks, AnyOneWriteOrSyncMayFail) {
  constexpr int kSteps = 10;
  bool reached = true, imaged = false;
  for (int n = 0; reached; ++n) {
    ASSERT_LT(n, 1000);
    TemporaryFolder folder;
    TestDisk disk;
    disk.fail_at = n;
    int kept = 0, asked = 0;
    {
      Result<std::unique_ptr<DurableStore>> store = DurableStore::Open(
          {.folder = folder.path(), .log_bytes = 512, .retry_ms = 1, .disk = &disk});
      for (int i = 0; store.ok() && i < kSteps; ++i) {
        One one(store->get(), "c", 1);
        CommitResult done = one.Commit();
        if (done.outcome != CommitOutcome::kDone) continue;
        ++asked;
        (void)(*store)->Sync();
        if ((*store)->Check(done.ticket) == Promise::kKept) kept = asked;
        (*store)->TidyForTest();
      }
    }
    reached = disk.calls > n;
    imaged |= !FileOf(folder.path(), "image-").empty();
    disk.fail_at = -1;
    auto store = Open(folder.path(), &disk);
    ASSERT_NE(store, nullptr) << "after call " << n << " had failed";
    ASSERT_GE(store->Used(Total("c"), At(0)), kept) << n;
    ASSERT_LE(store->Used(Total("c"), At(0)), asked) << n;
    EXPECT_EQ(One(store.get(), "c", 1).Commit().outcome, CommitOutcome::kDone);
    ASSERT_TRUE(store->Sync().ok());
  }
  EXPECT_TRUE(imaged);
}

TEST(Disks, AFolderThatCannotBeWrittenIsRefused) {
  TemporaryFolder folder;
  WriteBytes(folder.path() + "/file", "x");
  EXPECT_EQ(Refused(folder.path() + "/file").code, "state.file");
  EXPECT_EQ(Refused("/proc/none/state").code, "state.file");
}

}  // namespace
}  // namespace dpl
