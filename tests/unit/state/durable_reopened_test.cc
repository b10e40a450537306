// Everything survives a clean end and a kill, in the log and in an image; the files stay small.
#include "tests/unit/state/durable.h"

namespace dpl {
namespace {

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

}  // namespace
}  // namespace dpl
