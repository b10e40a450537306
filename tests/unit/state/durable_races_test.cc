// Many threads at once: no counter is overdrawn, a revocation is linearizable.
#include <atomic>
#include <thread>

#include "tests/unit/state/durable.h"

namespace dpl {
namespace {

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
