// A state that is older than the audit log is found, and a crash is not taken for one.
#include "server/state_age.h"

#include "runtime/audit/trail.h"
#include "tests/unit/audit/logs.h"

namespace dpl {
namespace {

class Ages : public testing::Test {
 protected:
  void Start(uint64_t epoch, uint64_t reservation, std::string_view state = "state") {
    log_.reset();
    log_ = OpenLog({.folder = folder_.path(), .clock = &clock_});
    StateChange change;
    change.event = "start";
    change.time = clock_.Now();
    change.epoch = epoch;
    const std::string last = std::to_string(reservation);
    change.fields = {{"state", state}, {"last_reservation", last}};
    LogSink sink(log_.get());
    AuditTrail trail(&sink);
    ASSERT_TRUE(RecordChange(&trail, change).ok);
  }
  void Decision(uint64_t epoch, uint64_t reservation) {
    std::string record = R"({"kind":"decision","says":"person \"\\\"epoch\\\":99\"")";
    if (reservation != 0) record += R"(,"reservation":{"id":)" + std::to_string(reservation) + "}";
    record += R"(,"epoch":)" + std::to_string(epoch) + "}";
    ASSERT_NE(log_->Append(record), 0u);
  }
  // "": the state knows all of it; "crash"; or "older" and what the log tells of.
  std::string Find(StateAge state) {
    EXPECT_TRUE(log_->Sync().ok());
    Result<std::optional<StateBehind>> found = FindStateBehind(folder_.path(), state, &read_);
    EXPECT_TRUE(found.ok());
    if (!found.ok() || !*found) return {};
    return ((*found)->certain ? "older " : "crash ") + std::to_string((*found)->told.epoch) + " " +
           std::to_string((*found)->told.reservation);
  }

  TemporaryFolder folder_;
  FakeClock clock_{Instant{1'800'000'000'000'000}};
  std::unique_ptr<AuditLog> log_;
  size_t read_ = 0;  // segments that Find read
};

TEST_F(Ages, AStateThatKnowsAllIsGood) {
  Start(1, 0);
  Decision(1, 4);
  Decision(3, 5);
  EXPECT_EQ(Find({3, 5}), "");
  EXPECT_EQ(Find({9, 90}), "");
}

TEST_F(Ages, WhatACrashCanLoseIsNoProof) {
  Start(1, 0);
  Decision(2, 0);
  clock_.Advance(Duration{59'000'000});
  Decision(2, 1);
  EXPECT_EQ(Find({1, 0}), "crash 2 1");
}

TEST_F(Ages, WhatWasAnsweredLongAgoIsProof) {
  Start(1, 0);
  Decision(2, 0);
  clock_.Advance(Duration{61'000'000});
  Decision(2, 1);
  EXPECT_EQ(Find({1, 9}), "older 2 1");
  EXPECT_EQ(Find({2, 0}), "crash 2 1");
  clock_.Advance(Duration{61'000'000});
  Decision(2, 0);
  EXPECT_EQ(Find({2, 0}), "older 2 1");
}

TEST_F(Ages, WhatAStartFoundOnDiskIsProof) {
  Start(1, 0);
  Decision(2, 7);
  Start(2, 7);
  EXPECT_EQ(Find({1, 7}), "older 2 7");
  EXPECT_EQ(Find({2, 6}), "older 2 7");
  EXPECT_EQ(Find({2, 7}), "");
}

TEST_F(Ages, AStartWithLessWasMeant) {
  Start(1, 0);
  Decision(5, 7);
  clock_.Advance(Duration{100'000'000});
  Decision(5, 8);
  EXPECT_EQ(Find({1, 0}), "older 5 8");
  Start(1, 0);  // with --state-recover
  EXPECT_EQ(Find({1, 0}), "");
}

TEST_F(Ages, OneSegmentIsReadWhereItTellsEnough) {
  const Duration two_days{2 * kMicrosPerDay};
  Start(1, 0);
  Decision(1, 1);
  for (uint64_t reservation : {2, 3, 4}) {
    ASSERT_TRUE(log_->Sync().ok());
    clock_.Advance(two_days);  // a segment is sealed once it covers a day
    Decision(1, reservation);
  }
  EXPECT_EQ(Find({1, 4}), "");
  EXPECT_EQ(read_, 1u) << "4 was given two days after this segment began";
  Decision(2, 0);
  EXPECT_EQ(Find({2, 4}), "");
  EXPECT_EQ(read_, 3u) << "nothing was reserved in the last one";
  Decision(2, 4);
  EXPECT_EQ(Find({2, 4}), "");
  EXPECT_EQ(read_, 3u) << "what was told just before may be more";
  ASSERT_TRUE(log_->Sync().ok());
  clock_.Advance(Duration{61'000'000});
  Decision(2, 5);
  EXPECT_EQ(Find({2, 5}), "");
  EXPECT_EQ(read_, 1u);
  EXPECT_EQ(Find({2, 4}), "crash 2 5");
  EXPECT_EQ(read_, 3u);
  EXPECT_EQ(Find({2, 3}), "older 2 5") << "since a segment before";
  Start(2, 5);
  EXPECT_EQ(Find({2, 5}), "");
  EXPECT_EQ(Find({2, 4}), "older 2 5");
}

TEST_F(Ages, AStateInMemoryIsForgotten) {
  Start(1, 0, "memory");
  Decision(5, 7);
  clock_.Advance(Duration{100'000'000});
  Decision(5, 8);
  EXPECT_EQ(Find({1, 0}), "");
}

}  // namespace
}  // namespace dpl
