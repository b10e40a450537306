// The lists of StateStore, requests for access, and reviews, held against every store.
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "tests/unit/state/stores.h"

namespace dpl {
namespace {

class Lists : public StoreTest {};
class Access : public StoreTest {};
class Review : public StoreTest {};
INSTANTIATE_TEST_SUITE_P(Stores, Lists, ::testing::Values("memory", "durable"));
INSTANTIATE_TEST_SUITE_P(Stores, Access, ::testing::Values("memory", "durable"));
INSTANTIATE_TEST_SUITE_P(Stores, Review, ::testing::Values("memory", "durable"));

// Every page of a list, `limit` at a time.
template <class T, class Ask>
std::vector<T> All(size_t limit, const Ask& ask) {
  std::vector<T> all;
  std::string after;
  do {
    Page<T> page = ask(PageAsk{after, limit});
    EXPECT_LE(page.items.size(), limit);
    EXPECT_TRUE(!page.items.empty() || page.next.empty());
    for (T& item : page.items) all.push_back(std::move(item));
    after = page.next;
  } while (!after.empty());
  return all;
}

TEST_P(Lists, TasksComeInOrderAndEachOnce) {
  StateStore& s = store();
  for (int i = 0; i < 25; ++i) {
    TaskRecord task;
    task.id = "t" + std::to_string(10 + (i * 7) % 25);
    task.person = i % 2 == 0 ? "E1" : "E2";
    ASSERT_TRUE(s.OpenTask(task).ok());
  }
  ASSERT_TRUE(s.Sync().ok());
  for (size_t limit : {1, 4, 25, 100}) {
    auto all = All<TaskRecord>(limit, [&](PageAsk ask) { return s.ListTasks(ask); });
    ASSERT_EQ(all.size(), 25u) << limit;
    for (size_t i = 0; i < all.size(); ++i) EXPECT_EQ(all[i].id, "t" + std::to_string(10 + i));
  }
  auto mine = All<TaskRecord>(3, [&](PageAsk ask) {
    return s.ListTasks(ask, [](const TaskRecord& task) { return task.person == "E1"; });
  });
  EXPECT_EQ(mine.size(), 13u);
}

TEST_P(Lists, ACursorIsGoodWhateverComesMeanwhile) {
  StateStore& s = store();
  auto open = [&](const std::string& id) {
    TaskRecord task;
    task.id = id;
    ASSERT_TRUE(s.OpenTask(task).ok());
    ASSERT_TRUE(s.Sync().ok());
  };
  for (const char* id : {"b", "d", "f"}) open(id);
  Page<TaskRecord> page = s.ListTasks({"", 2});
  ASSERT_EQ(page.items.size(), 2u);
  open("a");
  open("e");
  page = s.ListTasks({page.next, 2});
  ASSERT_EQ(page.items.size(), 2u);
  EXPECT_EQ(page.items[0].id, "e");
  EXPECT_EQ(page.items[1].id, "f");
  EXPECT_EQ(page.next, "");
}

TEST_P(Lists, AnyBytesAreACursor) {
  StateStore& s = store();
  s.GiveConsent("d", "E1", {At(1), false, {1}});
  s.Revoke(RevokedKind::kTask, "t", std::nullopt);
  for (std::string after : {std::string("\xff\xff\xff\xff"), std::string("a"), std::string("\1"),
                            std::string(100, '\xff'), std::string("18446744073709551615")}) {
    (void)s.ListConsents({after, 1});
    (void)s.ListRevocations({after, 1});
    (void)s.ListHandoffs({after, 1});
    (void)s.ListInstances("", {after, 1});
    (void)s.ListOpenings({after, 1});
    EXPECT_TRUE(s.ListReservations({after, 0}).items.empty());
  }
}

TEST_P(Lists, RevocationsTellWhoWhenAndWhy) {
  StateStore& s = store();
  Revocation r;
  r.kind = RevokedKind::kPerson;
  r.name = "E7";
  r.at = At(5);
  r.by = "ops";
  r.because = "left";
  uint64_t epoch = s.Revoke(r);
  r.kind = RevokedKind::kTask;
  r.name = "t1";
  r.before = At(3);
  s.Revoke(r);
  s.Revoke(RevokedKind::kPerson, "E10", std::nullopt);
  auto all = All<Revocation>(1, [&](PageAsk ask) { return s.ListRevocations(ask); });
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[0].name, "E10");
  EXPECT_EQ(all[1].name, "E7");
  EXPECT_EQ(all[1].by, "ops");
  EXPECT_EQ(all[1].because, "left");
  EXPECT_EQ(all[1].at, At(5));
  EXPECT_EQ(all[1].epoch, epoch);
  EXPECT_FALSE(all[1].before.has_value());
  EXPECT_EQ(all[2].kind, RevokedKind::kTask);
  EXPECT_EQ(all[2].before, At(3));
  EXPECT_EQ(s.FindRevocation(RevokedKind::kPerson, "E7")->because, "left");
  EXPECT_FALSE(s.FindRevocation(RevokedKind::kAgent, "E7").has_value());
}

TEST_P(Lists, AnEmptyNameRevokesAllOfAKind) {
  StateStore& s = store();
  s.Revoke(RevokedKind::kPerson, "", At(10));
  EXPECT_TRUE(s.AnyRevoked(RevokedKind::kPerson));
  EXPECT_TRUE(s.IsRevoked(RevokedKind::kPerson, "E1", At(10)));
  EXPECT_TRUE(s.IsRevoked(RevokedKind::kPerson, "E1", std::nullopt));
  EXPECT_FALSE(s.IsRevoked(RevokedKind::kPerson, "E1", At(11)));
  EXPECT_FALSE(s.AnyRevoked(RevokedKind::kAgent));
  s.Revoke(RevokedKind::kPerson, "", At(5));  // takes nothing back
  EXPECT_TRUE(s.IsRevoked(RevokedKind::kPerson, "E1", At(10)));
  s.Revoke(RevokedKind::kEverything, "", At(20));
  for (RevokedKind kind : {RevokedKind::kPerson, RevokedKind::kAgent, RevokedKind::kInstance,
                           RevokedKind::kTask, RevokedKind::kApproval, RevokedKind::kPartner,
                           RevokedKind::kAccount, RevokedKind::kBreakGlass}) {
    EXPECT_TRUE(s.AnyRevoked(kind));
    EXPECT_TRUE(s.IsRevoked(kind, "x", At(20)));
    EXPECT_FALSE(s.IsRevoked(kind, "x", At(21)));
  }
  // What the policy says was not begun by anybody.
  EXPECT_FALSE(s.IsRevoked(RevokedKind::kGrant, "x", std::nullopt));
  EXPECT_FALSE(s.IsRevoked(RevokedKind::kDelegation, "x", std::nullopt));
  s.Revoke(RevokedKind::kAgent, "", std::nullopt);
  EXPECT_TRUE(s.IsRevoked(RevokedKind::kAgent, "x", At(1'000'000)));
  EXPECT_FALSE(s.IsRevoked(RevokedKind::kTask, "x", At(1'000'000)));
}

TEST_P(Lists, ConsentsHandoffsInstancesAndApprovals) {
  StateStore& s = store();
  s.GiveConsent("d1", "E2", {At(1), false, {1}});
  s.GiveConsent("d1", "E1", {At(2), false, {1}});
  s.GiveConsent("d0", "E9", {At(3), false, {}});
  HandoffRecord h;
  h.parent_agent = "planner";
  h.parent_instance = "p1";
  h.child_agent = "reader";
  h.child_instance = "r1";
  h.task = "t";
  h.at = At(4);
  h.by = "ops";
  ASSERT_TRUE(s.RecordHandoff(h).ok());
  ASSERT_TRUE(s.RecordHandoff("planner", "", "reader", "", "").ok());
  ApprovalRecord a;
  a.id = "a1";
  a.request = "q1";
  a.signatures = {{"E7", At(6), true, "reviewed", "fine"}};
  ASSERT_TRUE(s.RecordApproval(a).ok());
  CommitRequest::Seen seen[2];
  seen[0].agent = "reader";
  seen[0].instance = "r1";
  seen[0].task = "t";
  seen[0].born = At(1);
  seen[0].keep_us = kMicrosPerDay;
  seen[1] = seen[0];
  seen[1].agent = "planner";
  seen[1].instance = "p1";
  seen[1].task = "";
  CommitRequest r;
  r.now = At(1);
  r.epoch = s.Epoch();
  r.instances = seen;
  ASSERT_EQ(s.Commit(r).outcome, CommitOutcome::kDone);
  ASSERT_TRUE(s.Sync().ok());

  auto consents = All<ConsentEntry>(1, [&](PageAsk ask) { return s.ListConsents(ask); });
  ASSERT_EQ(consents.size(), 3u);
  EXPECT_EQ(consents[0].delegation + consents[0].person, "d0E9");
  EXPECT_TRUE(consents[0].consent.reach.empty());
  EXPECT_EQ(consents[1].person, "E1");
  EXPECT_EQ(consents[2].person, "E2");

  auto handoffs = All<HandoffRecord>(1, [&](PageAsk ask) { return s.ListHandoffs(ask); });
  ASSERT_EQ(handoffs.size(), 2u);
  EXPECT_EQ(handoffs[0].child_instance, "");
  EXPECT_EQ(handoffs[1].parent_instance, "p1");
  EXPECT_EQ(handoffs[1].child_agent, "reader");
  EXPECT_EQ(handoffs[1].child_instance, "r1");
  EXPECT_EQ(handoffs[1].task, "t");
  EXPECT_EQ(handoffs[1].at, At(4));
  EXPECT_EQ(handoffs[1].by, "ops");

  auto runs = All<InstanceRecord>(1, [&](PageAsk ask) { return s.ListInstances("", ask); });
  ASSERT_EQ(runs.size(), 2u);
  EXPECT_EQ(runs[0].agent, "planner");
  EXPECT_EQ(runs[1].instance, "r1");
  EXPECT_EQ(runs[1].task, "t");
  EXPECT_EQ(runs[1].born, At(1));
  EXPECT_EQ(s.ListInstances("reader", {}).items.size(), 1u);
  EXPECT_EQ(s.ListInstances("nobody", {}).items.size(), 0u);

  auto approvals = s.ListApprovals({}).items;
  ASSERT_EQ(approvals.size(), 1u);
  EXPECT_EQ(approvals[0].request, "q1");
  ASSERT_EQ(approvals[0].signatures.size(), 1u);
  EXPECT_EQ(approvals[0].signatures[0].meaning, "reviewed");
  EXPECT_EQ(approvals[0].signatures[0].note, "fine");
}

TEST_P(Lists, ReservationsAndCounters) {
  StateStore& s = store();
  std::vector<uint64_t> ids;
  for (int i = 0; i < 5; ++i) {
    const std::string counter = "c" + std::to_string(i % 2);  // the request views it
    One one(&s, counter, 10);
    one.request.now = At(i);
    ids.push_back(one.Commit().reservation);
  }
  ASSERT_TRUE(s.Cancel(ids[1], "pep", At(5)).ok());
  ASSERT_TRUE(s.Sync().ok());
  auto all = All<ReservationRecord>(2, [&](PageAsk ask) { return s.ListReservations(ask); });
  ASSERT_EQ(all.size(), 5u);
  EXPECT_EQ(all[0].id, ids[0]);
  EXPECT_EQ(all[0].caller, "pep");
  EXPECT_EQ(all[2].opened, At(2));
  EXPECT_EQ(all[2].deadline, At(3600));
  ASSERT_EQ(all[2].charges.size(), 1u);
  EXPECT_EQ(all[2].charges[0].counter, "c0");
  EXPECT_EQ(all[2].charges[0].quantity, 10);
  EXPECT_EQ(all[1].state, ReservationState::kCancelled);
  auto open = s.ListReservations(
      {}, [](const ReservationRecord& r) { return r.state == ReservationState::kOpen; });
  EXPECT_EQ(open.items.size(), 4u);
  EXPECT_EQ(s.ReadReservation(ids[3])->opened, At(3));
  EXPECT_FALSE(s.ReadReservation(99).has_value());

  auto counters = All<CounterRecord>(1, [&](PageAsk ask) { return s.ListCounters(ask, At(5)); });
  ASSERT_EQ(counters.size(), 2u);
  EXPECT_EQ(counters[0].identity, "c0");
  EXPECT_EQ(counters[0].used, 30);
  EXPECT_EQ(counters[1].used, 10);
}

// While others write: what is there all the time is shown exactly once.
TEST_P(Lists, HoldBesideWriters) {
  StateStore& s = store();
  for (int i = 0; i < 300; ++i) {
    TaskRecord task;
    task.id = "keep" + std::to_string(i);
    ASSERT_TRUE(s.OpenTask(task).ok());
  }
  ASSERT_TRUE(s.Sync().ok());
  std::atomic<bool> stop{false};
  std::thread writer([&] {
    for (int i = 0; !stop && i < 5000; ++i) {
      TaskRecord task;
      task.id = "more" + std::to_string(i);
      (void)s.OpenTask(task);
    }
  });
  for (int round = 0; round < 20; ++round) {
    std::multiset<std::string> found;
    auto all = All<TaskRecord>(50, [&](PageAsk ask) {
      return s.ListTasks(ask, [](const TaskRecord& task) { return task.id.starts_with("keep"); });
    });
    for (const TaskRecord& task : all) found.insert(task.id);
    EXPECT_EQ(found.size(), 300u);
    EXPECT_EQ(found.count("keep7"), 1u);
  }
  stop = true;
  writer.join();
}

// ---------------------------------------------------------------- requests for access
AccessRequest Asked(const std::string& id = "q1") {
  AccessRequest r;
  r.id = id;
  r.approval = "a.ok";
  r.binding = "digest";
  r.person = "E1";
  r.agent = "a.reader";
  r.shown = "{}";
  r.approved_measures = {500};
  r.requested_by = "pep";
  r.created = At(0);
  r.expires = At(100);
  return r;
}
Signature Yes(const std::string& person, int64_t at = 1) {
  return {person, At(at), true, "ok", "n"};
}
ApprovalRecord Granted(const std::string& id) {
  ApprovalRecord a;
  a.id = id;
  a.approval = "a.ok";
  a.expires = At(1000);
  return a;
}

TEST_P(Access, TwoSignaturesMakeAnApproval) {
  StateStore& s = store();
  ASSERT_TRUE(s.OpenAccessRequest(Asked()).ok());
  EXPECT_EQ(s.OpenAccessRequest(Asked()).error().code, "access.exists");
  EXPECT_EQ(s.FindAccessRequest("q1")->state, AccessState::kPending);
  EXPECT_EQ(s.SignAccessRequest("q2", Yes("E7"), 0, AccessState::kPending, nullptr).error().code,
            "access.unknown");
  EXPECT_TRUE(s.SignAccessRequest("q1", Yes("E7"), 0, AccessState::kPending, nullptr).ok());
  EXPECT_EQ(s.SignAccessRequest("q1", Yes("E7"), 1, AccessState::kPending, nullptr).error().code,
            "access.signed");
  EXPECT_EQ(s.SignAccessRequest("q1", Yes("E8"), 0, AccessState::kPending, nullptr).error().code,
            "access.moved");
  ApprovalRecord granted = Granted("ap1");
  EXPECT_EQ(
      s.SignAccessRequest("q1", Yes("E8", 100), 1, AccessState::kApproved, &granted).error().code,
      "access.expired");
  EXPECT_TRUE(s.SignAccessRequest("q1", Yes("E8"), 1, AccessState::kApproved, &granted).ok());
  ASSERT_TRUE(s.Sync().ok());
  EXPECT_NE(s.FindApproval("ap1"), nullptr);
  auto done = s.FindAccessRequest("q1");
  EXPECT_EQ(done->state, AccessState::kApproved);
  EXPECT_EQ(done->approval_id, "ap1");
  ASSERT_EQ(done->signatures.size(), 2u);
  EXPECT_EQ(done->signatures[1].person, "E8");
  EXPECT_EQ(done->signatures[1].meaning, "ok");
  EXPECT_EQ(s.SignAccessRequest("q1", Yes("E9"), 2, AccessState::kPending, nullptr).error().code,
            "access.closed");
  ASSERT_TRUE(s.OpenAccessRequest(Asked("q2")).ok());
  EXPECT_EQ(s.SignAccessRequest("q2", Yes("E8"), 0, AccessState::kApproved, &granted).error().code,
            "approval.exists");
  EXPECT_EQ(s.FindAccessRequest("q2")->signatures.size(), 0u);
}

TEST_P(Access, ANoAndAWithdrawalSettleIt) {
  StateStore& s = store();
  ASSERT_TRUE(s.OpenAccessRequest(Asked("q1")).ok());
  ASSERT_TRUE(s.OpenAccessRequest(Asked("q2")).ok());
  Signature no = Yes("E7");
  no.approve = false;
  EXPECT_TRUE(s.SignAccessRequest("q1", no, 0, AccessState::kDenied, nullptr).ok());
  EXPECT_TRUE(s.SignAccessRequest("q2", Yes(""), 0, AccessState::kWithdrawn, nullptr).ok());
  auto all = s.ListAccessRequests({}).items;
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].state, AccessState::kDenied);
  EXPECT_FALSE(all[0].signatures.at(0).approve);
  EXPECT_EQ(all[1].state, AccessState::kWithdrawn);
  EXPECT_TRUE(all[1].signatures.empty());
}

// However many sign at once: each sees what was signed before, and one approval comes of it.
TEST_P(Access, ManySignAtOnce) {
  StateStore& s = store();
  ASSERT_TRUE(s.OpenAccessRequest(Asked()).ok());
  std::atomic<int> approved{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (;;) {
        size_t seen = s.FindAccessRequest("q1")->signatures.size();
        ApprovalRecord granted = Granted("ap" + std::to_string(t));
        bool enough = seen + 1 >= 3;
        Status done = s.SignAccessRequest("q1", Yes("E" + std::to_string(t)), seen,
                                          enough ? AccessState::kApproved : AccessState::kPending,
                                          enough ? &granted : nullptr);
        if (!done.ok() && done.error().code == "access.moved") continue;
        if (done.ok() && enough) ++approved;
        break;
      }
    });
  }
  for (std::thread& t : threads) t.join();
  EXPECT_EQ(approved, 1);
  EXPECT_EQ(s.FindAccessRequest("q1")->signatures.size(), 3u);
  ASSERT_TRUE(s.Sync().ok());
  EXPECT_EQ(s.ListApprovals({}).items.size(), 1u);
}

// ---------------------------------------------------------------- reviews
TEST_P(Review, AnOpeningIsReviewedOnceUntilItIsUsedAgain) {
  StateStore& s = store();
  CommitRequest::Opening opening{"ward",         "E8",          "arrest", "INC",
                                 kMicrosPerHour, kMicrosPerDay, true};
  CommitRequest r;
  r.now = At(0);
  r.epoch = s.Epoch();
  r.opening = &opening;
  ASSERT_EQ(s.Commit(r).outcome, CommitOutcome::kDone);
  Signature review{"E9", At(10), true, "", "justified"};
  EXPECT_EQ(s.ReviewOpening("ward", "E7", "arrest", "INC", review).error().code, "opening.unknown");
  EXPECT_TRUE(s.ReviewOpening("ward", "E8", "arrest", "INC", review).ok());
  EXPECT_EQ(s.ReviewOpening("ward", "E8", "arrest", "INC", review).error().code,
            "opening.reviewed");
  auto all = s.ListOpenings({}).items;
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].reviewed_by, "E9");
  EXPECT_EQ(all[0].reviewed_at, At(10));
  EXPECT_EQ(all[0].review_note, "justified");
  r.now = At(20);
  ASSERT_EQ(s.Commit(r).outcome, CommitOutcome::kDone);
  review.at = At(30);
  EXPECT_TRUE(s.ReviewOpening("ward", "E8", "arrest", "INC", review).ok());
}

}  // namespace
}  // namespace dpl
