// What a store forgets, when, and what it must not (docs/state.md, "Keeping it small").
#include <string>

#include "tests/unit/state/stores.h"

namespace dpl {
namespace {

class Forgetting : public StoreTest {
 protected:
  static constexpr int64_t kDay = 86'400;

  // A run that is seen at `at` and may be forgotten a day later.
  void See(const std::string& agent, const std::string& instance, int64_t at,
           const std::string& task = {}) {
    CommitRequest::Seen seen;
    seen.agent = agent;
    seen.instance = instance;
    seen.task = task;
    seen.born = At(at);
    seen.keep_us = kMicrosPerDay;
    CommitRequest r;
    r.now = At(at);
    r.epoch = store().Epoch();
    r.instances = {&seen, 1};
    ASSERT_EQ(store().Commit(r).outcome, CommitOutcome::kDone);
  }
  void Handoff(const std::string& child, int64_t at) {
    HandoffRecord h;
    h.parent_agent = "planner";
    h.parent_instance = "p";
    h.child_agent = "reader";
    h.child_instance = child;
    h.at = At(at);
    ASSERT_TRUE(store().RecordHandoff(h).ok());
  }
  // Enough other records of the kind for everything old to be looked at.
  template <class Each>
  void Turn(const Each& each) {
    for (int i = 0; i < 1500; ++i) each("turn" + std::to_string(i));
    ASSERT_TRUE(store().Sync().ok());
  }
};
INSTANTIATE_TEST_SUITE_P(Stores, Forgetting, ::testing::Values("memory", "durable"));

// Thousands of runs an hour, each handed its work: what is kept is what may still be alive.
TEST_P(Forgetting, RunsAndTheirHandOffsAreBounded) {
  StateStore& s = store();
  constexpr int kPerDay = 500, kDays = 60;
  for (int day = 0; day < kDays; ++day) {
    for (int i = 0; i < kPerDay; ++i) {
      std::string name = std::to_string(day) + "-" + std::to_string(i);
      Handoff(name, day * kDay);
      See("reader", name, day * kDay, "t" + std::to_string(day));
    }
    ASSERT_TRUE(s.Sync().ok());
  }
  size_t runs = s.ListInstances("reader", {"", 100'000}).items.size();
  size_t handoffs = s.ListHandoffs({"", 100'000}).items.size();
  EXPECT_GE(runs, static_cast<size_t>(kPerDay));
  EXPECT_LE(runs, static_cast<size_t>(4 * kPerDay));
  EXPECT_GE(handoffs, static_cast<size_t>(32 * kPerDay)) << "32 days";
  EXPECT_LE(handoffs, static_cast<size_t>(40 * kPerDay));
}

TEST_P(Forgetting, AParentIsKeptAsLongAsTheChild) {
  StateStore& s = store();
  Handoff("long", 0);
  CommitRequest::Seen seen;
  seen.agent = "reader";
  seen.instance = "long";
  seen.born = At(0);
  seen.keep_us = 200 * kMicrosPerDay;
  CommitRequest r;
  r.now = At(0);
  r.epoch = s.Epoch();
  r.instances = {&seen, 1};
  ASSERT_EQ(s.Commit(r).outcome, CommitOutcome::kDone);
  Handoff("never-seen", 0);
  See("other", "clock", 100 * kDay);
  Turn([&](const std::string& name) { Handoff(name, 100 * kDay); });
  EXPECT_TRUE(s.HasParent("reader", "long"));
  EXPECT_FALSE(s.HasParent("reader", "never-seen"));
}

// Recorded before any time was seen, and nobody said when.
TEST_P(Forgetting, WhatHasNoTimeDoesNotAge) {
  StateStore& s = store();
  ASSERT_TRUE(s.RecordHandoff("planner", "p", "reader", "early", "").ok());
  s.Revoke(RevokedKind::kInstance, "reader/early", std::nullopt);
  ASSERT_TRUE(s.Sync().ok());
  See("other", "clock", 1000 * kDay);
  Turn([&](const std::string& name) {
    Handoff(name, 1000 * kDay);
    s.Revoke(RevokedKind::kInstance, "reader/" + name, std::nullopt);
  });
  EXPECT_TRUE(s.HasParent("reader", "early"));
  EXPECT_TRUE(s.IsRevoked(RevokedKind::kInstance, "reader/early", At(0)));
}

TEST_P(Forgetting, ActsAreKeptAsLongAsTheirStatementLooksBack) {
  StateStore& s = store();
  auto act = [&](const std::string& separate, std::string key, int64_t at,
                 std::optional<int64_t> days) {
    CommitRequest::Act a{separate, 0, key, "E4", Instant{INT64_MIN}};
    if (days) a.not_before = At(at - *days * kDay);
    CommitRequest r;
    r.now = At(at);
    r.epoch = s.Epoch();
    r.acts = {&a, 1};
    ASSERT_EQ(s.Commit(r).outcome, CommitOutcome::kDone);
  };
  act("ninety", "V9", 0, 90);
  act("ever", "V9", 0, std::nullopt);
  See("other", "clock", 90 * kDay);
  Turn([&](const std::string& name) { act("ninety", name, 90 * kDay, 90); });
  EXPECT_TRUE(s.ActRecorded("ninety", 0, "V9", "E4", At(-1))) << "its last day";
  Turn([&](const std::string& name) { act("ninety", "more" + name, 91 * kDay, 90); });
  EXPECT_FALSE(s.ActRecorded("ninety", 0, "V9", "E4", At(-1)));
  EXPECT_TRUE(s.ActRecorded("ever", 0, "V9", "E4", At(-1)));
}

TEST_P(Forgetting, AnOpeningWaitsForItsReview) {
  StateStore& s = store();
  auto open = [&](const std::string& reason, int64_t at) {
    CommitRequest::Opening opening{"ward", "E8", reason, "", kMicrosPerHour, kMicrosPerDay, true};
    CommitRequest r;
    r.now = At(at);
    r.epoch = s.Epoch();
    r.opening = &opening;
    ASSERT_EQ(s.Commit(r).outcome, CommitOutcome::kDone);
  };
  open("reviewed", 0);
  open("not reviewed", 0);
  ASSERT_TRUE(s.ReviewOpening("ward", "E8", "reviewed", "", {"E9", At(10), true, "", ""}).ok());
  Turn([&](const std::string& name) { open(name, 401 * kDay); });
  Instant opened;
  uint64_t uses = 0;
  EXPECT_FALSE(s.FindOpening("ward", "E8", "reviewed", "", &opened, &uses));
  EXPECT_TRUE(s.FindOpening("ward", "E8", "not reviewed", "", &opened, &uses));
}

TEST_P(Forgetting, AWithdrawnConsentGoesAGivenOneStays) {
  StateStore& s = store();
  s.GiveConsent("d", "withdrawn", {At(0), false, {}});
  s.GiveConsent("d", "given", {At(0), false, {1}});
  See("other", "clock", 33 * kDay);
  Turn([&](const std::string& name) { s.GiveConsent("d", name, {At(33 * kDay), false, {1}}); });
  ConsentRecord consent;
  EXPECT_FALSE(s.FindConsent("d", "withdrawn", &consent));
  EXPECT_TRUE(s.FindConsent("d", "given", &consent));
}

TEST_P(Forgetting, ARevokedRunThatIsLongGone) {
  StateStore& s = store();
  auto revoke = [&](RevokedKind kind, const std::string& name, int64_t at) {
    Revocation r;
    r.kind = kind;
    r.name = name;
    r.at = At(at);
    s.Revoke(r);
  };
  for (int i = 0; i < 1024; ++i) revoke(RevokedKind::kInstance, "a/" + std::to_string(i), 0);
  revoke(RevokedKind::kPerson, "E1", 0);
  revoke(RevokedKind::kApproval, "t.second", 0);
  See("a", "7", 401 * kDay - 10);  // it came back
  See("other", "clock", 401 * kDay);
  for (int i = 0; i < 4; ++i) revoke(RevokedKind::kInstance, "b/" + std::to_string(i), 401 * kDay);
  EXPECT_FALSE(s.IsRevoked(RevokedKind::kInstance, "a/8", At(0)));
  EXPECT_TRUE(s.IsRevoked(RevokedKind::kInstance, "a/7", At(0)));
  EXPECT_TRUE(s.IsRevoked(RevokedKind::kInstance, "b/3", At(0)));
  EXPECT_TRUE(s.IsRevoked(RevokedKind::kPerson, "E1", At(0)));
  EXPECT_TRUE(s.IsRevoked(RevokedKind::kApproval, "t.second", At(0)));
}

}  // namespace
}  // namespace dpl
