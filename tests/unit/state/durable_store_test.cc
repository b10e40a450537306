// What is the durable store's own: everything survives a clean end and a kill, whatever was not
// promised may be gone, and damage is refused or told.
#include "runtime/state/durable_store.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <thread>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/state/stores.h"

namespace dpl {
namespace {

namespace fs = std::filesystem;

std::unique_ptr<DurableStore> Open(const std::string& folder, Disk* disk = nullptr) {
  Result<std::unique_ptr<DurableStore>> store =
      DurableStore::Open({.folder = folder, .retry_ms = 1, .disk = disk});
  EXPECT_TRUE(store.ok()) << store.error().message;
  return store.ok() ? store.take() : nullptr;
}

Error Refused(const std::string& folder) {
  Result<std::unique_ptr<DurableStore>> store = DurableStore::Open({.folder = folder});
  EXPECT_FALSE(store.ok());
  return store.ok() ? Error{} : store.error();
}

std::string FileOf(const std::string& folder, std::string_view prefix) {
  std::string found;
  for (const auto& entry : fs::directory_iterator(folder)) {
    std::string name = entry.path().filename().string();
    if (name.starts_with(prefix)) found = std::max(found, entry.path().string());
  }
  return found;
}

std::string ReadBytes(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream bytes;
  bytes << in.rdbuf();
  return bytes.str();
}

void WriteBytes(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

// The files as a kill at this moment would leave them.
std::unique_ptr<TemporaryFolder> Killed(const std::string& folder) {
  auto copy = std::make_unique<TemporaryFolder>();
  fs::copy(folder, copy->path(),
           fs::copy_options::recursive | fs::copy_options::overwrite_existing);
  return copy;
}

CounterKey Calendar(std::string_view name) {
  CounterKey key;
  key.identity = name;
  key.window = CounterKey::Window::kCalendar;
  key.start = At(0);
  key.end = At(86'400);
  return key;
}

CounterKey Sliding(std::string_view name) {
  CounterKey key;
  key.identity = name;
  key.window = CounterKey::Window::kSliding;
  key.sliding_us = kMicrosPerHour;
  return key;
}

// One of everything; returns a reservation that is still open.
uint64_t FillWithEverything(StateStore* s) {
  s->GiveConsent("d", "E1", {At(10), true, {1, 2}});
  TaskRecord task{"t1", "shape", "E1", "agent", {{"folder", "F1"}}, At(0), At(7200)};
  EXPECT_TRUE(s->OpenTask(task).ok());
  EXPECT_TRUE(s->RecordHandoff("planner", "p1", "reader", "r1", "t1").ok());
  EXPECT_TRUE(s->RecordHandoff("planner", "", "reader", "", "").ok());
  ApprovalRecord approval{"a1", "over", {"E2", "E3"}, "digest", {500, 7}, At(0), At(9000), 2};
  EXPECT_TRUE(s->RecordApproval(approval).ok());
  s->SetUsed(Total("seeded"), 77, At(0));
  EXPECT_TRUE(s->Sync().ok());
  s->Revoke(RevokedKind::kPerson, "E9", std::nullopt);
  s->Revoke(RevokedKind::kAgent, "old", At(5));

  Charge charges[4];
  charges[0].counter = Total("total");
  charges[1].counter = Calendar("daily");
  charges[2].counter = Sliding("hourly");
  charges[3].counter = Total("requests");
  for (int i = 0; i < 4; ++i) charges[i].quantity = 10 + i;
  charges[3].returns = false;
  charges[3].measure = 1;
  CommitRequest::Act act{"sep", 1, "V9", "E4", At(-1000)};
  CommitRequest::Seen seen[2];
  seen[0] = {"reader", "r1", "t1", At(1), kMicrosPerHour, 5, kMicrosPerHour};
  seen[1] = {"reader", "", "", At(1), kMicrosPerHour, 5, kMicrosPerHour};
  CommitRequest::Opening opening{"ward",         "E8",          "arrest", "INC-1",
                                 kMicrosPerHour, kMicrosPerDay, true};
  std::string_view used = "a1";
  CommitRequest r;
  r.now = At(20);
  r.epoch = s->Epoch();
  r.charges = charges;
  r.acts = {&act, 1};
  r.opening = &opening;
  r.instances = seen;
  r.approvals = {&used, 1};
  r.charge_key = "key";
  r.request_digest = "digest";
  r.caller = "pep";
  r.reservation_deadline = At(3600);
  r.keep_key_us = kMicrosPerDay;
  CommitResult done = s->Commit(r);
  EXPECT_EQ(done.outcome, CommitOutcome::kDone);

  One cancelled(s, "cancelled", 9);
  One confirmed(s, "confirmed", 9);
  One overrun(s, "overrun", 9);
  EXPECT_TRUE(s->Cancel(cancelled.Commit().reservation, "pep", At(21)).ok());
  EXPECT_TRUE(s->Confirm(confirmed.Commit().reservation, "pep", 4, At(21)).ok());
  EXPECT_FALSE(s->Confirm(overrun.Commit().reservation, "pep", 11, At(21)).ok());
  EXPECT_TRUE(s->Sync().ok());
  return done.reservation;
}

void ExpectEverything(StateStore* s, uint64_t reservation) {
  std::vector<OpeningRecord> openings = s->Openings();
  ASSERT_EQ(openings.size(), 1u);
  EXPECT_EQ(openings[0].break_glass, "ward");
  EXPECT_EQ(openings[0].person, "E8");
  EXPECT_EQ(openings[0].reason, "arrest");
  EXPECT_EQ(openings[0].ticket, "INC-1");
  EXPECT_EQ(openings[0].opened, At(20));
  EXPECT_EQ(openings[0].last_used, At(20));
  EXPECT_EQ(openings[0].review_due.us, At(20).us + kMicrosPerDay);
  EXPECT_EQ(openings[0].uses, 1u);
  ConsentRecord consent;
  ASSERT_TRUE(s->FindConsent("d", "E1", &consent));
  EXPECT_EQ(consent.at, At(10));
  EXPECT_TRUE(consent.whole_day);
  EXPECT_EQ(consent.reach, (std::vector<uint64_t>{1, 2}));
  auto task = s->FindTask("t1");
  ASSERT_NE(task, nullptr);
  EXPECT_EQ(task->agent, "agent");
  EXPECT_EQ(task->args.at(0).second, "F1");
  EXPECT_EQ(task->expires, At(7200));
  EXPECT_TRUE(s->HandoffRecorded("planner", "p1", "reader", "r1", "t1"));
  EXPECT_FALSE(s->HandoffRecorded("planner", "p1", "reader", "r1", "t2"));
  EXPECT_TRUE(s->HandoffRecorded("planner", "", "reader", ""));
  EXPECT_TRUE(s->HasParent("reader", "r1"));
  auto approval = s->FindApproval("a1");
  ASSERT_NE(approval, nullptr);
  EXPECT_EQ(approval->uses_left, 1u);
  EXPECT_EQ(approval->approvers, (std::vector<std::string>{"E2", "E3"}));
  EXPECT_EQ(approval->approved_measures, (std::vector<int64_t>{500, 7}));
  EXPECT_EQ(approval->binding, "digest");
  EXPECT_EQ(s->Epoch(), 3u);
  EXPECT_TRUE(s->IsRevoked(RevokedKind::kPerson, "E9", At(1'000'000)));
  EXPECT_TRUE(s->IsRevoked(RevokedKind::kAgent, "old", At(5)));
  EXPECT_FALSE(s->IsRevoked(RevokedKind::kAgent, "old", At(6)));
  EXPECT_TRUE(s->AnyRevoked(RevokedKind::kAgent));
  EXPECT_FALSE(s->AnyRevoked(RevokedKind::kTask));
  EXPECT_EQ(s->Used(Total("seeded"), At(20)), 77);
  EXPECT_EQ(s->Used(Total("total"), At(20)), 10);
  EXPECT_EQ(s->Used(Calendar("daily"), At(20)), 11);
  EXPECT_EQ(s->Used(Sliding("hourly"), At(20)), 12);
  EXPECT_EQ(s->Used(Sliding("hourly"), At(3700)), 0);
  EXPECT_EQ(s->Used(Total("cancelled"), At(21)), 0);
  EXPECT_EQ(s->Used(Total("confirmed"), At(21)), 4);
  EXPECT_EQ(s->Used(Total("overrun"), At(21)), 11);
  EXPECT_TRUE(s->ActRecorded("sep", 1, "V9", "E4", At(0)));
  EXPECT_FALSE(s->ActRecorded("sep", 0, "V9", "E4", At(0)));
  Instant born;
  bool bound = false;
  ASSERT_TRUE(s->FindInstance("reader", "r1", &born, &bound));
  EXPECT_EQ(born, At(1));
  EXPECT_TRUE(bound);
  EXPECT_TRUE(s->InstanceBoundTo("reader", "r1", "t1"));
  EXPECT_EQ(s->InstancesBorn("reader", kMicrosPerHour, At(21)), 2u);
  EXPECT_EQ(s->HighTime(), At(21));
  uint64_t found = 0;
  ReservationState state{};
  std::string digest;
  ASSERT_TRUE(s->FindCharge("key", At(0), &found, &state, &digest));
  EXPECT_EQ(found, reservation);
  EXPECT_EQ(state, ReservationState::kOpen);
  EXPECT_EQ(digest, "digest");
  EXPECT_EQ(s->Held(reservation, Total("total")), 10);
  EXPECT_FALSE(s->IsRevoked(RevokedKind::kTask, "t1", std::nullopt));
}

// What is open can still be ended, once, by the same caller, and gives back to the same counters.
void ExpectItEnds(StateStore* s, uint64_t reservation) {
  EXPECT_EQ(s->Cancel(reservation, "other", At(30)).error().code, "reservation.caller");
  EXPECT_TRUE(s->Cancel(reservation, "pep", At(30)).ok());
  ASSERT_TRUE(s->Sync().ok());
  EXPECT_EQ(s->Used(Total("total"), At(30)), 0);
  EXPECT_EQ(s->Used(Calendar("daily"), At(30)), 0);
  EXPECT_EQ(s->Used(Sliding("hourly"), At(30)), 0);
  EXPECT_EQ(s->Used(Total("requests"), At(30)), 13);
  uint64_t found = 0;
  ReservationState state{};
  std::string digest;
  ASSERT_TRUE(s->FindCharge("key", At(0), &found, &state, &digest));
  EXPECT_EQ(state, ReservationState::kCancelled);
  One next(s, "next", 1);
  EXPECT_GT(next.Commit().reservation, reservation);
}

// ---------------------------------------------------------------- reopened
TEST(Reopened, EverythingIsThereAfterACleanEnd) {
  TemporaryFolder folder;
  auto store = Open(folder.path());
  uint64_t reservation = FillWithEverything(store.get());
  store.reset();
  store = Open(folder.path());
  ExpectEverything(store.get(), reservation);
  store.reset();
  store = Open(folder.path());
  ExpectEverything(store.get(), reservation);
  ExpectItEnds(store.get(), reservation);
}

TEST(Reopened, EverythingIsThereAfterAKill) {
  TemporaryFolder folder;
  auto store = Open(folder.path());
  uint64_t reservation = FillWithEverything(store.get());
  auto copy = Killed(folder.path());
  auto after = Open(copy->path());
  ExpectEverything(after.get(), reservation);
  ExpectItEnds(after.get(), reservation);
}

TEST(Reopened, AnImageHoldsEverythingToo) {
  TemporaryFolder folder;
  uint64_t reservation = 0;
  {
    Result<std::unique_ptr<DurableStore>> store =
        DurableStore::Open({.folder = folder.path(), .log_bytes = 4096});
    ASSERT_TRUE(store.ok());
    reservation = FillWithEverything(store->get());
    for (int i = 0; i < 200; ++i) {
      One one(store->get(), "filler", 1);
      one.Commit();
      ASSERT_TRUE((*store)->Sync().ok());
    }
    (*store)->TidyForTest();
    EXPECT_EQ((*store)->Health().error, "");
  }
  EXPECT_NE(FileOf(folder.path(), "image-"), "");
  EXPECT_GT(FileOf(folder.path(), "log-"), folder.path() + "/log-0000000000000001");
  EXPECT_FALSE(fs::exists(folder.path() + "/log-0000000000000001"));
  auto store = Open(folder.path());
  EXPECT_NE(store->recovered().image, 0u);
  EXPECT_LT(store->recovered().groups, 200u);
  EXPECT_EQ(store->Used(Total("filler"), At(30)), 200);
  ExpectEverything(store.get(), reservation);
  ExpectItEnds(store.get(), reservation);
}

TEST(Reopened, TimeNeverRunsBack) {
  TemporaryFolder folder;
  auto day = [&](StateStore* s, int d, int64_t cap) {
    One one(s, "c", 1, cap);
    one.request.now = At(d * 86'400);
    one.charge.counter.window = CounterKey::Window::kCalendar;
    one.charge.counter.start = At(d * 86'400);
    one.charge.counter.end = At((d + 1) * 86'400);
    return one.Commit().outcome;
  };
  auto store = Open(folder.path());
  EXPECT_EQ(day(store.get(), 5, 1), CommitOutcome::kDone);
  ASSERT_TRUE(store->Sync().ok());
  store.reset();
  store = Open(folder.path());
  EXPECT_EQ(store->HighTime(), At(5 * 86'400));
  EXPECT_EQ(day(store.get(), 5, 1), CommitOutcome::kLimit);
  EXPECT_EQ(day(store.get(), 3, 1), CommitOutcome::kWindowMoved);  // a clock that was set back
}

TEST(Reopened, TwoProcessesCannotHaveOneFolder) {
  TemporaryFolder folder;
  auto store = Open(folder.path());
  Error error = Refused(folder.path());
  EXPECT_EQ(error.code, "state.locked");
  EXPECT_NE(error.message.find(folder.path()), std::string::npos);
  store.reset();
  EXPECT_NE(Open(folder.path()), nullptr);
}

TEST(Reopened, TheFilesDoNotGrowForEver) {
  TemporaryFolder folder;
  Result<std::unique_ptr<DurableStore>> store =
      DurableStore::Open({.folder = folder.path(), .log_bytes = 64 << 10});
  ASSERT_TRUE(store.ok());
  for (int i = 0; i < 20'000; ++i) {
    const std::string counter = "c" + std::to_string(i % 10);  // the request views it
    One one(store->get(), counter, 1);
    ASSERT_EQ(one.Commit().outcome, CommitOutcome::kDone);
    if (i % 50 == 0) {
      ASSERT_TRUE((*store)->Sync().ok());
    }
    if (i % 2000 == 0) (*store)->TidyForTest();
  }
  (*store)->TidyForTest();
  uint64_t bytes = 0;
  for (const auto& entry : fs::directory_iterator(folder.path())) bytes += entry.file_size();
  // Open reservations stay until their deadline; the log of 20,000 commits is gone.
  EXPECT_LT(bytes, 8u << 20);
  EXPECT_LE((*store)->Health().log_bytes, 4u << 20);
}

// ---------------------------------------------------------------- promises
// A disk that does what it is told.
class TestDisk : public Disk {
 public:
  enum class Mode { kGood, kFull, kShort, kSyncFails, kHeld };
  std::atomic<int> fail_at{-1};  // the number of the one write or sync that fails
  std::atomic<int> calls{0};
  std::atomic<Mode> mode{Mode::kGood};
  std::atomic<int> writes{0};
  std::atomic<int> syncs{0};

  ssize_t Write(int fd, const char* bytes, size_t size, uint64_t at) override {
    ++writes;
    while (mode == Mode::kHeld) std::this_thread::yield();
    if (calls++ == fail_at && size > 1) {  // some of it, and then no more
      fail_at = -2;
      return Disk::Write(fd, bytes, size / 2, at);
    }
    if (mode == Mode::kFull || fail_at == -2) {
      fail_at = -1;
      errno = ENOSPC;
      return -1;
    }
    if (mode == Mode::kShort) size = size > 7 ? 7 : size;  // a little at a time
    return Disk::Write(fd, bytes, size, at);
  }
  int Sync(int fd) override {
    ++syncs;
    if (calls++ == fail_at || mode == Mode::kSyncFails) {
      errno = EIO;
      return -1;
    }
    return Disk::Sync(fd);
  }
};

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

// ---------------------------------------------------------------- disks that fail
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

// ---------------------------------------------------------------- damage
struct Damaged : ::testing::Test {
  Damaged() {
    auto store = Open(folder.path());
    for (int i = 0; i < 100; ++i) {
      One(store.get(), "c" + std::to_string(i), 1).Commit();
      EXPECT_TRUE(store->Sync().ok());
    }
    log = FileOf(folder.path(), "log-");
    store.reset();
    bytes = ReadBytes(log);
    used = bytes.find_last_not_of('\0') + 1;
  }
  int Found() {
    auto store = Open(folder.path());
    int found = 0;
    for (int i = 0; store != nullptr && i < 100; ++i)
      found += store->Used(Total("c" + std::to_string(i)), At(0)) == 1 ? 1 : 0;
    return found;
  }
  TemporaryFolder folder;
  std::string log, bytes;
  size_t used = 0;
};

TEST_F(Damaged, ATailCutAnywhereGivesTheLastWholeGroup) {
  // Through the last two groups; each cut loses exactly the groups it touches.
  size_t group = (used - kStateHeader) / 100;
  int before = 100;
  for (size_t cut = used - 1; cut > used - 2 * group; cut -= 3) {
    WriteBytes(log, bytes.substr(0, cut));
    int found = Found();
    ASSERT_LE(found, before);
    ASSERT_GE(found, 97);
    before = found;
    // Cut by a write that did not finish: zeros behind it.
    std::string zeros = bytes;
    std::fill(zeros.begin() + static_cast<std::ptrdiff_t>(cut), zeros.end(), '\0');
    WriteBytes(log, zeros);
    ASSERT_GE(Found(), found);  // the bytes cut off may have been zeros
  }
  EXPECT_LE(before, 98);
}

TEST_F(Damaged, WhatIsWrittenAfterACutTailIsGood) {
  WriteBytes(log, bytes.substr(0, used - 20));
  auto store = Open(folder.path());
  EXPECT_GT(store->recovered().torn_bytes, 0u);
  One(store.get(), "after", 1).Commit();
  ASSERT_TRUE(store->Sync().ok());
  store.reset();
  store = Open(folder.path());
  EXPECT_EQ(store->recovered().torn_bytes, 0u);
  EXPECT_EQ(store->Used(Total("after"), At(0)), 1);
  EXPECT_EQ(store->Used(Total("c98"), At(0)), 1);
  EXPECT_EQ(store->Used(Total("c99"), At(0)), 0);
}

TEST_F(Damaged, NothingOfACutTailStaysBehindWhatIsWrittenAfterIt) {
  {
    TestDisk disk;
    auto store = Open(folder.path(), &disk);
    disk.mode = TestDisk::Mode::kHeld;
    for (int i = 0; i < 51; ++i) One(store.get(), "large", 1).Commit();
    disk.mode = TestDisk::Mode::kGood;
    ASSERT_TRUE(store->Sync().ok());
  }
  bytes = ReadBytes(log);
  WriteBytes(log, bytes.substr(0, bytes.find_last_not_of('\0') - 20));
  auto store = Open(folder.path());
  EXPECT_GT(store->recovered().torn_bytes, 1000u);
  One(store.get(), "after", 1).Commit();
  ASSERT_TRUE(store->Sync().ok());
  store.reset();
  store = Open(folder.path());
  EXPECT_EQ(store->recovered().torn_bytes, 0u);
  EXPECT_EQ(store->Used(Total("after"), At(0)), 1);
}

TEST_F(Damaged, AnyByteOfTheMiddleIsRefusedWithItsPlace) {
  size_t middle = kStateHeader + (used - kStateHeader) / 100 * 40;
  for (size_t at = middle; at < middle + 200; at += 3) {
    std::string flipped = bytes;
    flipped[at] = static_cast<char>(flipped[at] ^ 0x41);
    WriteBytes(log, flipped);
    Result<std::unique_ptr<DurableStore>> store = DurableStore::Open({.folder = folder.path()});
    if (store.ok()) {  // the padding between two groups holds nothing
      ASSERT_EQ(bytes[at], '\0');
      (*store).reset();
      ASSERT_EQ(Found(), 100);
      continue;
    }
    ASSERT_EQ(store.error().code, "state.corrupt");
    ASSERT_NE(store.error().message.find("at byte"), std::string::npos);
    ASSERT_NE(store.error().message.find(log), std::string::npos);
  }
}

TEST_F(Damaged, SalvageKeepsWhatCanBeReadAndTellsWhatNot) {
  std::string flipped = bytes;
  size_t at = kStateHeader + (used - kStateHeader) / 100 * 40 + 60;
  flipped[at] = static_cast<char>(flipped[at] ^ 0x41);
  WriteBytes(log, flipped);
  EXPECT_EQ(Refused(folder.path()).code, "state.corrupt");
  Result<std::unique_ptr<DurableStore>> store =
      DurableStore::Open({.folder = folder.path(), .salvage = true});
  ASSERT_TRUE(store.ok()) << store.error().message;
  ASSERT_EQ((*store)->recovered().lost.size(), 1u);
  EXPECT_NE((*store)->recovered().lost[0].find("at byte"), std::string::npos);
  int found = 0;
  for (int i = 0; i < 100; ++i)
    found += (*store)->Used(Total("c" + std::to_string(i)), At(0)) == 1 ? 1 : 0;
  EXPECT_EQ(found, 99);
  EXPECT_NE(FileOf(folder.path(), "damaged-log-"), "");
  One(store->get(), "after", 1).Commit();
  ASSERT_TRUE((*store)->Sync().ok());
  (*store).reset();
  EXPECT_EQ(Found(), 99);  // and it opens without salvage from then on
}

TEST_F(Damaged, ANewerAndAnOlderFormatAreRefusedByName) {
  constexpr int kOurs = static_cast<int>(kStateFormat);
  constexpr int kOldest = static_cast<int>(kOldestStateFormat);
  for (int format : {0, kOldest - 1, kOurs + 1, 255}) {
    std::string other = bytes;
    other[12] = static_cast<char>(format);
    WriteBytes(log, other);
    Error error = Refused(folder.path());
    EXPECT_EQ(error.code, "state.version");
    EXPECT_NE(error.message.find("format " + std::to_string(format)), std::string::npos);
    EXPECT_EQ(error.message.find("newer") != std::string::npos, format > kOurs);
  }
}

TEST_F(Damaged, ForeignFilesAndMissingOnesAreRefused) {
  WriteBytes(log, "something else altogether, and long enough for a header");
  EXPECT_EQ(Refused(folder.path()).code, "state.corrupt");
  WriteBytes(log, bytes);
  fs::rename(log, folder.path() + "/log-0000000000000009");
  EXPECT_EQ(Refused(folder.path()).code, "state.corrupt");
}

TEST(DamagedImage, IsRefusedAndCanBeSalvaged) {
  TemporaryFolder folder;
  {
    Result<std::unique_ptr<DurableStore>> store =
        DurableStore::Open({.folder = folder.path(), .log_bytes = 4096});
    ASSERT_TRUE(store.ok());
    for (int i = 0; i < 200; ++i) {
      One(store->get(), "c" + std::to_string(i), 1).Commit();
      ASSERT_TRUE((*store)->Sync().ok());
    }
    (*store)->TidyForTest();
  }
  std::string image = FileOf(folder.path(), "image-");
  ASSERT_NE(image, "");
  std::string bytes = ReadBytes(image);
  for (size_t at : {size_t{3}, size_t{40}, bytes.size() / 2, bytes.size() - 12}) {
    std::string flipped = bytes;
    flipped[at] = static_cast<char>(flipped[at] ^ 0x41);
    WriteBytes(image, flipped);
    EXPECT_EQ(Refused(folder.path()).code, "state.corrupt") << at;
  }
  WriteBytes(image, bytes.substr(0, bytes.size() / 2));
  EXPECT_EQ(Refused(folder.path()).code, "state.corrupt");
  WriteBytes(image, bytes.substr(0, bytes.size() - kFrameHeader - 16));  // only its end is missing
  EXPECT_EQ(Refused(folder.path()).code, "state.corrupt");
  fs::remove(image);
  EXPECT_EQ(Refused(folder.path()).code, "state.corrupt");  // the log does not begin at group 1
  WriteBytes(image, bytes);
  EXPECT_NE(Open(folder.path()), nullptr);
  std::string log = FileOf(folder.path(), "log-"), groups = ReadBytes(log);
  fs::remove(log);
  EXPECT_EQ(Refused(folder.path()).code, "state.corrupt");  // nothing to go on with
  WriteBytes(log, groups);
  WriteBytes(image, bytes.substr(0, bytes.size() / 2));
  Result<std::unique_ptr<DurableStore>> store =
      DurableStore::Open({.folder = folder.path(), .salvage = true});
  ASSERT_TRUE(store.ok()) << store.error().message;
  EXPECT_FALSE((*store)->recovered().lost.empty());
}

// ---------------------------------------------------------------- kills

int KillTrials() {
  const char* given = std::getenv("DPL_KILLS");
  return given == nullptr ? 5 : std::max(1, std::atoi(given));
}

// A process revokes, opens tasks and uses approvals, and says so once each is kept; it is killed in
// the middle. Whatever it said is found again.
TEST(Kills, NothingThatWasToldIsForgotten) {
  uint64_t told_in_all = 0;
  for (int trial = 0; trial < KillTrials(); ++trial) {
    TemporaryFolder folder;
    int pipe_fds[2];
    ASSERT_EQ(pipe(pipe_fds), 0);
    pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      close(pipe_fds[0]);
      Result<std::unique_ptr<DurableStore>> store =
          DurableStore::Open({.folder = folder.path(), .log_bytes = 8192});
      if (!store.ok()) _exit(1);
      StateStore& s = **store;
      for (uint32_t i = 0;; ++i) {
        std::string name = "x" + std::to_string(i);
        s.Revoke(RevokedKind::kPerson, name, std::nullopt);
        TaskRecord task;
        task.id = name;
        task.expires = At(100);
        ApprovalRecord approval;
        approval.id = name;
        approval.expires = At(100);
        approval.uses_left = 2;
        if (!s.OpenTask(task).ok() || !s.RecordApproval(approval).ok() || !s.Sync().ok()) _exit(1);
        One one(&s, name, 3);
        std::string_view used = name;
        one.request.approvals = {&used, 1};
        if (one.Commit().outcome != CommitOutcome::kDone || !s.Sync().ok()) _exit(1);
        if (write(pipe_fds[1], &i, sizeof i) != static_cast<ssize_t>(sizeof i)) _exit(1);
      }
    }
    close(pipe_fds[1]);
    // Some way into its work, and at no particular point of it.
    uint32_t last = 0, count = 0;
    const uint32_t upto = 3 + static_cast<uint32_t>(trial) * 17 % 120;
    while (count < upto && read(pipe_fds[0], &last, sizeof last) == sizeof last) ++count;
    kill(child, SIGKILL);
    while (read(pipe_fds[0], &last, sizeof last) == sizeof last) ++count;
    close(pipe_fds[0]);
    int status = 0;
    waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status)) << "it ended by itself";
    ASSERT_GE(count, upto);
    told_in_all += count;

    auto store = Open(folder.path());
    ASSERT_NE(store, nullptr);
    EXPECT_GE(store->Epoch(), count + 1);
    EXPECT_LE(store->Epoch(), count + 2);
    for (uint32_t i = 0; i < count; ++i) {
      std::string name = "x" + std::to_string(i);
      ASSERT_TRUE(store->IsRevoked(RevokedKind::kPerson, name, std::nullopt)) << name;
      ASSERT_NE(store->FindTask(name), nullptr) << name;
      ASSERT_NE(store->FindApproval(name), nullptr) << name;
      ASSERT_EQ(store->FindApproval(name)->uses_left, 1u) << name;
      ASSERT_EQ(store->Used(Total(name), At(0)), 3) << name;
    }
  }
  EXPECT_GT(told_in_all, 0u);
}

// ---------------------------------------------------------------- at once
TEST(Races, TwoChargesOf12AgainstACapOf20PermitOne) {
  TemporaryFolder folder;
  auto store = Open(folder.path());
  const char* given = std::getenv("DPL_RACES");
  const int kRaces = given == nullptr ? 20'000 : std::atoi(given);
  std::atomic<int> round{-1}, ready{0}, permits{0}, wrong{0};
  auto racer = [&] {
    for (int i = 0; i < kRaces; ++i) {
      ++ready;
      while (round < i) std::this_thread::yield();
      One one(store.get(), "budget", 12'000, 20'000);
      one.charge.counter.identity = {};
      std::string name = "budget" + std::to_string(i);
      one.charge.counter.identity = name;
      if (one.Commit().outcome == CommitOutcome::kDone) ++permits;
      ++ready;
      while (ready < 4 * i + 4) std::this_thread::yield();
    }
  };
  std::thread first(racer), second(racer);
  for (int i = 0; i < kRaces; ++i) {
    while (ready < 4 * i + 2) std::this_thread::yield();
    permits = 0;
    round = i;
    while (ready < 4 * i + 4) std::this_thread::yield();
    wrong += permits == 1 ? 0 : 1;
  }
  first.join();
  second.join();
  EXPECT_EQ(wrong, 0);
  ASSERT_TRUE(store->Sync().ok());
  auto after = Open(Killed(folder.path())->path());
  for (int i = 0; i < kRaces; i += 97)
    EXPECT_EQ(after->Used(Total("budget" + std::to_string(i)), At(0)), 12'000);
}

// Readers that begin after a revocation was acknowledged see it, and no commit that began then
// permits; whatever was permitted before is a matter of order only.
TEST(Races, ARevocationIsLinearizable) {
  TemporaryFolder folder;
  auto store = Open(folder.path());
  constexpr int kTrials = 50;
  std::atomic<int> acknowledged{-1};
  std::atomic<bool> stop{false};
  std::atomic<int> stale{0}, late{0}, looked{0};
  std::vector<std::thread> readers;
  for (int t = 0; t < 4; ++t) {
    readers.emplace_back([&] {
      while (!stop) {
        int known = acknowledged;
        if (known < 0) continue;
        std::string name = "E" + std::to_string(known);
        if (!store->IsRevoked(RevokedKind::kPerson, name, std::nullopt)) ++stale;
        // A decision that read the epoch of before cannot commit now.
        One one(store.get(), "c");
        one.request.epoch = static_cast<uint64_t>(known) + 1;
        if (store->Commit(one.request).outcome == CommitOutcome::kDone) ++late;
        ++looked;
      }
    });
  }
  for (int i = 0; i < kTrials; ++i) {
    EXPECT_EQ(store->Revoke(RevokedKind::kPerson, "E" + std::to_string(i), std::nullopt),
              static_cast<uint64_t>(i) + 2);
    ASSERT_TRUE(store->Sync().ok());
    acknowledged = i;
    int before = looked;
    while (looked < before + 20) std::this_thread::yield();
  }
  stop = true;
  for (std::thread& t : readers) t.join();
  EXPECT_EQ(stale, 0);
  EXPECT_EQ(late, 0);
}

TEST(Races, WhatManyThreadsDidIsWhatIsReadBack) {
  TemporaryFolder folder;
  Result<std::unique_ptr<DurableStore>> opened =
      DurableStore::Open({.folder = folder.path(), .log_bytes = 64 << 10});
  ASSERT_TRUE(opened.ok());
  StateStore& s = **opened;
  std::atomic<int64_t> kept{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 1500; ++i) {
        One one(&s, "shared", 2);
        one.request.now = At(i);
        one.request.reservation_deadline = At(i + 3600);
        CommitResult done = one.Commit();
        if (done.outcome != CommitOutcome::kDone) continue;
        bool cancel = (i + t) % 3 == 0;
        if (cancel && s.Cancel(done.reservation, "pep", At(i)).ok()) continue;
        kept += 2;
        if (i % 5 == 0) (void)s.Confirm(done.reservation, "pep", std::nullopt, At(i));
      }
    });
  }
  for (std::thread& t : threads) t.join();
  ASSERT_TRUE(s.Sync().ok());
  (*opened)->TidyForTest();
  EXPECT_EQ((*opened)->Health().error, "");
  EXPECT_EQ(s.Used(Total("shared"), At(0)), kept);
  auto copy = Killed(folder.path());
  EXPECT_EQ(Open(copy->path())->Used(Total("shared"), At(0)), kept);
  (*opened).reset();
  EXPECT_EQ(Open(folder.path())->Used(Total("shared"), At(0)), kept);
}

}  // namespace
}  // namespace dpl
