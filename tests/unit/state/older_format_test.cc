// A folder that an older dpld wrote: read as it is, and written on in the format of today.
// The files in tests/unit/state/format2 are those of format 2, written by the version that had it:
// an image and a log behind it, each with everything that format knew. Those in format3 are what a
// dpld of that time wrote for a few calls: a log.
#include <filesystem>
#include <vector>

#include "runtime/state/state_file.h"
#include "tests/unit/state/stores.h"

namespace dpl {
namespace {

namespace fs = std::filesystem;

void Copy(const std::string& to, const std::string& from = "format2") {
  for (const fs::directory_entry& file : fs::directory_iterator("tests/unit/state/" + from))
    fs::copy(file.path(), to + "/" + file.path().filename().string());
}

// `n` is 1 for what the image holds, and 2 for what the log does.
void Expect(const StateStore& s, const std::string& n) {
  SCOPED_TRACE(n);
  EXPECT_TRUE(s.IsRevoked(RevokedKind::kPerson, "E1" + n, At(1'000'000)));
  EXPECT_TRUE(s.IsRevoked(RevokedKind::kAgent, "a.reader" + n, At(10)));
  EXPECT_FALSE(s.IsRevoked(RevokedKind::kAgent, "a.reader" + n, At(11)));
  ConsentRecord consent;
  ASSERT_TRUE(s.FindConsent("d" + n, "E2", &consent));
  EXPECT_EQ(consent.reach, (std::vector<uint64_t>{1, 2}));
  ASSERT_NE(s.FindTask("t" + n), nullptr);
  EXPECT_EQ(s.FindTask("t" + n)->args.at(0).second, "D1");
  EXPECT_TRUE(s.HandoffRecorded("p", "1", "c", "2" + n, "t" + n));
  EXPECT_TRUE(s.HandoffRecorded("p", "", "c", ""));
  auto approval = s.FindApproval("ap" + n);
  ASSERT_NE(approval, nullptr);
  EXPECT_EQ(approval->approvers, (std::vector<std::string>{"E7", "E8"}));
  EXPECT_EQ(approval->uses_left, 2u);
  EXPECT_EQ(approval->expires, At(8888));
  EXPECT_TRUE(s.InstanceBoundTo("a.reader", "i" + n, "t" + n));
  Instant opened;
  uint64_t uses = 0;
  ASSERT_TRUE(s.FindOpening("ward", "E8", "why" + n, "INC", &opened, &uses));
  EXPECT_EQ(uses, 1u);
  uint64_t reservation = 0;
  ReservationState state{};
  std::string digest;
  ASSERT_TRUE(s.FindCharge("k" + n, At(7), &reservation, &state, &digest));
  EXPECT_EQ(state, n == "1" ? ReservationState::kOpen : ReservationState::kCancelled);
}

void ExpectAll(const StateStore& s) {
  Expect(s, "1");
  Expect(s, "2");
  EXPECT_TRUE(s.IsRevoked(RevokedKind::kTask, "t1", std::nullopt));
  EXPECT_TRUE(s.ActRecorded("sep", 0, "V9", "E4", At(0)));
  // Set to 7 once for each half, 5 charged after it; the second charge was cancelled.
  CounterKey day;
  day.identity = "cal";
  day.window = CounterKey::Window::kCalendar;
  day.start = At(0);
  day.end = At(86400);
  EXPECT_EQ(s.Used(day, At(7)), 7);
}

TEST(OlderFormat, IsReadAndWrittenOnInTheNewOne) {
  TemporaryFolder folder;
  Copy(folder.path());
  {
    Result<std::unique_ptr<DurableStore>> store = DurableStore::Open({.folder = folder.path()});
    ASSERT_TRUE(store.ok()) << store.error().message;
    ExpectAll(**store);
    EXPECT_FALSE((*store)->FindRevocation(RevokedKind::kPerson, "E11")->before.has_value());
    Revocation more;
    more.kind = RevokedKind::kGrant;
    more.name = "g";
    more.because = "said so";
    (*store)->Revoke(more);
    ASSERT_TRUE((*store)->Sync().ok());
  }
  // The old log was not written to.
  fs::path old = folder.path() + "/log-0000000000000002";
  EXPECT_EQ(fs::file_size(old), fs::file_size("tests/unit/state/format2/log-0000000000000002"));
  Result<std::unique_ptr<DurableStore>> store =
      DurableStore::Open({.folder = folder.path(), .log_bytes = 64});
  ASSERT_TRUE(store.ok()) << store.error().message;
  ExpectAll(**store);
  EXPECT_EQ((*store)->FindRevocation(RevokedKind::kGrant, "g")->because, "said so");
  // The next image has nothing of the old format any more.
  (*store)->Revoke(RevokedKind::kTask, "t9", std::nullopt);
  ASSERT_TRUE((*store)->Sync().ok());
  (*store)->TidyForTest();
  (*store).reset();
  EXPECT_FALSE(fs::exists(old));
  store = DurableStore::Open({.folder = folder.path()});
  ASSERT_TRUE(store.ok()) << store.error().message;
  ExpectAll(**store);
}

TEST(OlderFormat, TheOneBeforeIsReadToo) {
  TemporaryFolder folder;
  Copy(folder.path(), "format3");
  for (int start = 0; start < 2; ++start) {
    auto store =
        DurableStore::Open({.folder = folder.path(), .log_bytes = start == 0 ? 64u : 4096u});
    ASSERT_TRUE(store.ok()) << store.error().message;
    StateStore& s = **store;
    EXPECT_FALSE((*store)->recovered().fresh);
    ASSERT_NE(s.FindTask("t1"), nullptr);
    EXPECT_EQ(s.FindTask("t1")->person, "raj");
    EXPECT_EQ(s.FindTask("t1")->opened_by, "") << "format 3 did not say";
    EXPECT_TRUE(s.IsRevoked(RevokedKind::kPerson, "ana", std::nullopt));
    EXPECT_EQ(s.FindRevocation(RevokedKind::kPerson, "ana")->because, "left");
    EXPECT_TRUE(
        s.InstanceBoundTo("acme.shop.assistant", "0193c4e2-7d1a-7000-8000-00000000abcd", "t1"));
    ConsentRecord consent;
    EXPECT_TRUE(s.FindConsent("acme.shop.cover", "raj", &consent));
    std::vector<int64_t> used;
    for (const CounterRecord& counter : s.ListCounters({"", 10}, s.HighTime()).items)
      used.push_back(counter.used);
    EXPECT_EQ(used, (std::vector<int64_t>{34'000, 30'000}));
    EXPECT_EQ(s.ReadReservation(2)->state, ReservationState::kConfirmed);
    TaskRecord more;
    more.id = "t" + std::to_string(start + 2);
    more.opened_by = "raj";
    more.expires = kMaxInstant;
    ASSERT_TRUE(s.OpenTask(more).ok());
    ASSERT_TRUE(s.Sync().ok());
    (*store)->TidyForTest();
    EXPECT_EQ(s.FindTask("t2")->opened_by, "raj");
  }
}

}  // namespace
}  // namespace dpl
