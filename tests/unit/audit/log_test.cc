// The log as its callers see it: what they append is there, in order, once, and stays.
#include "runtime/audit/log.h"

#include <thread>

#include "tests/unit/audit/logs.h"

namespace dpl {
namespace {

namespace fs = std::filesystem;

TEST(AuditLog, KeepsRecordsInOrderOverRestarts) {
  TemporaryFolder folder;
  int n = 0;
  for (int start = 0; start < 3; ++start) {
    auto log = OpenLog({.folder = folder.path()});
    for (int i = 0; i < 10; ++i) {
      uint64_t ticket = log->Append(Numbered(n++), i % 2 == 0 ? AuditSync::kSoon : AuditSync::kNow);
      EXPECT_EQ(ticket, static_cast<uint64_t>(start * 12 + i + 2));
    }
    ASSERT_TRUE(log->Sync().ok());
    EXPECT_EQ(log->Check(log->Health().records), Promise::kKept);
  }
  std::vector<std::string> records = Records(folder.path());
  ASSERT_EQ(records.size(), 36u);
  n = 0;
  for (int start = 0; start < 3; ++start) {
    const size_t at = static_cast<size_t>(start) * 12;
    EXPECT_EQ(records[at], R"({"kind":"log","event":"opened","unsigned":0,"cut_bytes":0})");
    for (size_t i = 1; i <= 10; ++i) EXPECT_EQ(records[at + i], Numbered(n++));
    EXPECT_EQ(records[at + 11], R"({"kind":"log","event":"closed"})");
  }
}

TEST(AuditLog, SealsSegments) {
  TemporaryFolder folder;
  {
    auto log = OpenLog({.folder = folder.path(), .segment_bytes = 4096});
    for (int i = 0; i < 200; ++i) {
      log->Append(Numbered(i));
      if (i % 10 == 0 && !log->Sync().ok()) FAIL();
    }
    ASSERT_TRUE(log->Sync().ok());
  }
  size_t seals = 0;
  for (const auto& entry : fs::directory_iterator(folder.path()))
    seals += entry.path().extension() == ".seal" ? 1 : 0;
  EXPECT_GT(seals, 3u);
  EXPECT_EQ(Records(folder.path()).size(), 202u);
  EXPECT_EQ(Records(folder.path(), {.from = 101, .to = 110}).size(), 10u);
  EXPECT_EQ(Records(folder.path(), {.from = 101, .to = 110})[0], Numbered(100));
}

TEST(AuditLog, RefusesASecondWriter) {
  TemporaryFolder folder;
  auto log = OpenLog({.folder = folder.path()});
  EXPECT_EQ(Refused({.folder = folder.path()}).code, "audit.locked");
}

TEST(AuditLog, TakesOnlyOneLineInBraces) {
  TemporaryFolder folder;
  auto log = OpenLog({.folder = folder.path()});
  EXPECT_EQ(log->Append("{\"a\":\"x\ny\"}"), 0u);
  EXPECT_EQ(log->Append(std::string("{\"a\":\"\0\"}", 9)), 0u);
  EXPECT_EQ(log->Append("[]"), 0u);
  EXPECT_EQ(log->Append(""), 0u);
  EXPECT_EQ(log->Append("{" + std::string(AuditLog::kMaxRecord, ' ') + "}"), 0u);
  EXPECT_NE(log->Append("{}"), 0u);
  EXPECT_EQ(log->Health().refused, 5u);
}

TEST(AuditLog, ManyThreadsAppendAtOnce) {
  TemporaryFolder folder;
  constexpr int kThreads = 4, kEach = 5000;
  {
    auto log = OpenLog({.folder = folder.path(), .segment_bytes = 256 * 1024});
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < kEach; ++i) {
          auto sync = i % 100 == 0 ? AuditSync::kNow : AuditSync::kSoon;
          EXPECT_NE(log->Append(Numbered(t * kEach + i), sync), 0u);
        }
      });
    }
    for (auto& thread : threads) thread.join();
    ASSERT_TRUE(log->Sync().ok());
  }
  std::vector<int> next(kThreads, 0);
  size_t count = 0;
  for (const std::string& record : Records(folder.path())) {
    if (!record.starts_with(R"({"kind":"test")")) continue;
    int n = std::stoi(record.substr(record.find("\"n\":") + 4));
    EXPECT_EQ(n % kEach, next[static_cast<size_t>(n / kEach)]++);
    ++count;
  }
  EXPECT_EQ(count, static_cast<size_t>(kThreads * kEach));
}

}  // namespace
}  // namespace dpl
