// Lanes: what threads hand over without a lock is in the log once, in each thread's order; a full
// lane waits and loses nothing, a log that cannot be written refuses.
#include <algorithm>
#include <thread>

#include "runtime/audit/verify.h"
#include "tests/heap/heap_count.h"
#include "tests/unit/audit/logs.h"

namespace dpl {
namespace {

// An entry is what the record says; what is in use is a number.
class Plain final : public AuditRenderer {
 public:
  void BeginSegment() override { begun = false; }
  bool Fits(const AuditLane::Entry&) const override { return added.size() < 3; }
  void Add(const AuditLane::Entry& entry, uint64_t) override {
    const int use = entry.context == nullptr ? 0 : *static_cast<const int*>(entry.context);
    added.emplace_back(entry.time, R"({"kind":"test","use":)" + std::to_string(use) +
                                       ",\"text\":\"" + std::string(entry.bytes) + "\"}");
  }
  void Finish(const Line& line) override {
    if (!begun && !added.empty()) line(added[0].first, R"({"kind":"terms"})");
    begun = true;
    for (const auto& [time, record] : added) line(time, record);
    added.clear();
  }
  std::vector<std::pair<Instant, std::string>> added;
  bool begun = true;
};

std::unique_ptr<AuditLog> OpenWithLanes(const AuditOptions& options) {
  std::unique_ptr<AuditLog> log = OpenLog(options);
  log->SetRenderer(std::make_unique<Plain>());
  EXPECT_TRUE(log->Sync().ok());
  return log;
}

std::string Text(std::string_view text, int use = 0) {
  return R"({"kind":"test","use":)" + std::to_string(use) + ",\"text\":\"" + std::string(text) +
         "\"}";
}

void ExpectIntact(const std::string& folder) {
  Result<AuditVerification> done = VerifyAudit({.folder = folder});
  ASSERT_TRUE(done.ok()) << done.error().message;
  for (const AuditFinding& f : done->findings)
    ADD_FAILURE() << f.code << " " << f.file << ":" << f.line << ": " << f.message;
}

const Instant kTime = ParseInstant("2026-11-22T15:30Z").value();

TEST(Lane, WhatWasHandedOverIsInTheLogWithItsContextAndTime) {
  TemporaryFolder folder;
  {
    auto log = OpenWithLanes({.folder = folder.path()});
    std::shared_ptr<AuditLane> lane = log->OpenLane();
    lane->Use(std::make_shared<const int>(1));
    const uint64_t one = lane->Append("one", kTime, AuditSync::kNow);
    lane->Use(std::make_shared<const int>(2));
    const uint64_t two = lane->Append("two", kTime, AuditSync::kSoon);
    EXPECT_NE(one, 0u);
    EXPECT_LT(one, two);
    ASSERT_TRUE(log->Sync().ok());
    EXPECT_EQ(log->Check(one), Promise::kKept);
    EXPECT_EQ(log->Check(two), Promise::kKept);
    EXPECT_EQ(log->Check(two + 1), Promise::kPending);
    EXPECT_EQ(log->Health().records, 3u);  // with `opened`
  }
  std::vector<std::string> records = Records(folder.path());
  ASSERT_EQ(records.size(), 4u);
  EXPECT_EQ(records[1], Text("one", 1));
  EXPECT_EQ(records[2], Text("two", 2));
  ExpectIntact(folder.path());
}

TEST(Lane, WhatIsInUseNoMoreIsLetGoOf) {
  TemporaryFolder folder;
  auto log = OpenWithLanes({.folder = folder.path()});
  std::shared_ptr<AuditLane> lane = log->OpenLane();
  auto first = std::make_shared<const int>(1);
  std::weak_ptr<const int> watched = first;
  lane->Use(std::move(first));
  lane->Append("one", kTime, AuditSync::kSoon);
  ASSERT_TRUE(log->Sync().ok());
  EXPECT_FALSE(watched.expired());
  lane->Use(std::make_shared<const int>(2));  // nothing comes behind it
  ASSERT_TRUE(log->Sync().ok());
  EXPECT_TRUE(watched.expired());
  auto last = std::make_shared<const int>(3);
  watched = last;
  lane->Use(std::move(last));
  lane.reset();
  log.reset();
  EXPECT_TRUE(watched.expired());
}

TEST(Lane, ManyThreadsBesideAppendsOfTheWholeLogLoseNothingAndKeepTheirOrder) {
  constexpr int kThreads = 4, kEach = 3000;
  TemporaryFolder folder;
  {
    auto log = OpenWithLanes({.folder = folder.path(), .segment_bytes = 64 << 10});
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        std::shared_ptr<AuditLane> lane = log->OpenLane();
        SystemClock clock;
        for (int i = 0; i < kEach; ++i) {
          const std::string text =
              std::to_string(t) + "-" + std::to_string(i) + std::string(i % 97, 'x');
          const AuditSync sync = i % 100 == 0 ? AuditSync::kNow : AuditSync::kSoon;
          const uint64_t ticket = lane->Append(text, clock.Now(), sync);
          ASSERT_NE(ticket, 0u);
          while (i % 500 == 0 && log->Check(ticket) != Promise::kKept) std::this_thread::yield();
          if (i % 10 == 0) {
            ASSERT_NE(log->Append(Numbered(i)), 0u);
          }
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
  }
  std::vector<int> next(kThreads, 0);
  size_t appended = 0, first = 0;
  for (const std::string& record : Records(folder.path())) {
    appended += record.find("\"n\":") != std::string::npos ? 1 : 0;
    first += record.find("\"terms\"") != std::string::npos ? 1 : 0;
    const size_t at = record.find("\"text\":\"");
    if (record.find("\"use\"") == std::string::npos) continue;
    const int t = record[at + 8] - '0';
    EXPECT_EQ(std::stoi(record.substr(at + 10)), next[static_cast<size_t>(t)]++);
  }
  EXPECT_EQ(next, std::vector<int>(kThreads, kEach));
  EXPECT_EQ(appended, size_t{kThreads} * kEach / 10);
  EXPECT_GT(first, 1u);  // once in each segment
  ExpectIntact(folder.path());
}

TEST(Lane, WhatABusyLaneHandedOverIsKeptWithoutAnybodyAsking) {
  constexpr int kEntries = 20'000;
  TemporaryFolder folder;
  {
    auto log = OpenWithLanes({.folder = folder.path()});
    std::shared_ptr<AuditLane> lane = log->OpenLane();
    SystemClock clock;
    uint64_t last = 0;
    for (int i = 0; i < kEntries; ++i) {
      last = lane->Append(std::to_string(i) + std::string(100, 'x'), clock.Now(), AuditSync::kSoon);
      ASSERT_NE(last, 0u);
    }
    while (log->Check(last) != Promise::kKept) std::this_thread::yield();
  }
  size_t next = 0;
  for (const std::string& record : Records(folder.path())) {
    const size_t at = record.find("\"text\":\"");
    if (at == std::string::npos) continue;
    EXPECT_EQ(std::stoul(record.substr(at + 8)), next++);
  }
  EXPECT_EQ(next, size_t{kEntries});
  ExpectIntact(folder.path());
}

// A disk whose syncs wait until they are let go on.
class HeldDisk final : public Disk {
 public:
  int Sync(int fd) override {
    held.wait(true);
    return Disk::Sync(fd);
  }
  std::atomic<bool> held{false};
};

TEST(Lane, AFullLaneWaitsForRoomAndLosesNothing) {
  TemporaryFolder folder;
  HeldDisk disk;
  {
    auto log = OpenWithLanes({.folder = folder.path(),
                              .buffer_bytes = 64 << 10,
                              .patience_ms = 3'600'000,
                              .disk = &disk});
    ASSERT_TRUE(log->Sync().ok());
    std::shared_ptr<AuditLane> lane = log->OpenLane();
    disk.held = true;
    std::thread deciding([&] {
      for (int i = 0; i < 1000; ++i)
        EXPECT_NE(lane->Append(std::string(500, 'x'), kTime, AuditSync::kSoon), 0u);
    });
    while (log->Health().waits == 0) std::this_thread::yield();
    disk.held = false;
    disk.held.notify_all();
    deciding.join();
    EXPECT_EQ(log->Health().refused, 0u);
  }
  EXPECT_EQ(Records(folder.path()).size(), 1002u);  // opened, closed
  ExpectIntact(folder.path());
}

TEST(Lane, PatienceEndsAndTheGapIsRecorded) {
  TemporaryFolder folder;
  HeldDisk disk;
  {
    auto log = OpenWithLanes(
        {.folder = folder.path(), .buffer_bytes = 4 << 10, .patience_ms = 1, .disk = &disk});
    ASSERT_TRUE(log->Sync().ok());
    std::shared_ptr<AuditLane> lane = log->OpenLane();
    disk.held = true;
    int refused = 0;
    for (int i = 0; i < 20; ++i)
      refused += lane->Append(std::string(500, 'x'), kTime, AuditSync::kSoon) == 0 ? 1 : 0;
    EXPECT_GT(refused, 0);
    EXPECT_EQ(log->Health().refused, static_cast<uint64_t>(refused));
    EXPECT_EQ(log->Health().waits, 1u);  // a disk that hangs does not hold every request
    disk.held = false;
    disk.held.notify_all();
    ASSERT_TRUE(log->Sync().ok());
    EXPECT_NE(lane->Append("again", kTime, AuditSync::kSoon), 0u);
  }
  std::vector<std::string> records = Records(folder.path());
  EXPECT_TRUE(std::any_of(records.begin(), records.end(), [](const std::string& record) {
    return record.starts_with(R"({"kind":"log","event":"gap","refused":)");
  }));
  ExpectIntact(folder.path());
}

TEST(Lane, ALogThatCannotBeWrittenRefusesAtOnceAndGoesOnWhenItCan) {
  TemporaryFolder folder;
  FailingDisk disk;
  auto log = OpenWithLanes(
      {.folder = folder.path(), .retry_ms = 1, .patience_ms = 3'600'000, .disk = &disk});
  std::shared_ptr<AuditLane> lane = log->OpenLane();
  ASSERT_TRUE(log->Sync().ok());
  disk.full = true;
  const uint64_t ticket = lane->Append("before", kTime, AuditSync::kNow);
  ASSERT_NE(ticket, 0u);
  while (log->Check(ticket) == Promise::kPending) std::this_thread::yield();
  EXPECT_EQ(log->Check(ticket), Promise::kBroken);
  EXPECT_EQ(lane->Append("while", kTime, AuditSync::kNow), 0u);
  disk.full = false;
  while (log->Check(ticket) != Promise::kKept) std::this_thread::yield();
  EXPECT_NE(lane->Append("after", kTime, AuditSync::kNow), 0u);
  log.reset();
  std::vector<std::string> records = Records(folder.path());
  for (const char* text : {"before", "after"})
    EXPECT_EQ(std::count(records.begin(), records.end(), Text(text)), 1) << text;
  EXPECT_EQ(std::count(records.begin(), records.end(), Text("while")), 0);
  ExpectIntact(folder.path());
}

TEST(Lane, ModeAvailableDropsAtOnceWhatFindsNoRoom) {
  TemporaryFolder folder;
  FailingDisk disk;
  auto log = OpenWithLanes({.folder = folder.path(),
                            .mode = AuditMode::kAvailable,
                            .retry_ms = 1,
                            .buffer_bytes = 4 << 10,
                            .patience_ms = 3'600'000,
                            .disk = &disk});
  std::shared_ptr<AuditLane> lane = log->OpenLane();
  ASSERT_TRUE(log->Sync().ok());
  disk.full = true;
  uint64_t dropped = 0;
  for (int i = 0; i < 20; ++i)
    dropped += lane->Append(std::string(500, 'x'), kTime, AuditSync::kSoon) == 0 ? 1 : 0;
  EXPECT_GT(dropped, 0u);
  EXPECT_EQ(log->Health().dropped, dropped);
  disk.full = false;
}

TEST(Lane, AWarmLaneAsksTheHeapForNothing) {
  TemporaryFolder folder;
  auto log = OpenWithLanes({.folder = folder.path()});
  std::shared_ptr<AuditLane> lane = log->OpenLane();
  const std::string entry(700, 'x');
  auto round = [&] {
    const size_t before = HeapAllocationsForTest();
    for (int i = 0; i < 200; ++i) EXPECT_NE(lane->Append(entry, kTime, AuditSync::kSoon), 0u);
    const size_t asked = HeapAllocationsForTest() - before;
    EXPECT_TRUE(log->Sync().ok());
    return asked;
  };
  for (int i = 0; i < 10; ++i) round();
  EXPECT_EQ(round(), 0u);
}

}  // namespace
}  // namespace dpl
