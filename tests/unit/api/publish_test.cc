// Publishing: what was in force before is let go of, also by threads that rest, and a request under
// way keeps what it began with.
#include <atomic>
#include <thread>

#include <gtest/gtest.h>

#include "runtime/state/memory_store.h"
#include "server/api/service.h"

namespace dpl {
namespace {

std::shared_ptr<const Snapshot> MakeSnapshot() {
  auto program = std::make_shared<Program>();
  program->schema.strings.emplace_back();
  Result<std::unique_ptr<Snapshot>> snapshot = Snapshot::Build(program, FactsInput(), Instant{});
  EXPECT_TRUE(snapshot.ok());
  return snapshot.take();
}

class Publishing : public testing::Test {
 protected:
  void Ask() {
    HttpRequest request;
    request.method = "GET";
    request.path = "/readyz";
    HttpResponse response;
    service_.Handle(request, &response);
    EXPECT_EQ(response.status, 200);
  }
  void Publish() {
    std::shared_ptr<const Snapshot> next = MakeSnapshot();
    latest_ = next;
    service_.Publish(std::move(next), callers_);
  }

  SystemClock clock_;
  MemoryStore store_;
  std::shared_ptr<const CallerRegistry> callers_ = std::make_shared<CallerRegistry>();
  Service service_{{.clock = &clock_, .store = &store_, .version = "1"}};
  std::weak_ptr<const Snapshot> latest_;
};

TEST_F(Publishing, AThreadThatRestsKeepsNothing) {
  Publish();
  std::atomic<int> stage{0};
  std::thread resting([&] {
    Ask();
    stage = 1;
    stage.notify_all();
    stage.wait(1);
    Ask();
  });
  stage.wait(0);
  std::weak_ptr<const Snapshot> first = latest_;
  EXPECT_FALSE(first.expired());
  Publish();
  EXPECT_TRUE(first.expired());
  EXPECT_FALSE(latest_.expired());
  stage = 2;
  stage.notify_all();
  resting.join();
}

TEST_F(Publishing, OnlyTheLatestIsLeftHoweverManyAskMeanwhile) {
  Publish();
  std::atomic<bool> stop{false};
  std::vector<std::thread> asking;
  for (int i = 0; i < 4; ++i) {
    asking.emplace_back([&] {
      while (!stop) Ask();
    });
  }
  std::vector<std::weak_ptr<const Snapshot>> before;
  for (int i = 0; i < 300; ++i) {
    before.push_back(latest_);
    Publish();
  }
  stop = true;
  for (std::thread& thread : asking) thread.join();
  for (const auto& snapshot : before) EXPECT_TRUE(snapshot.expired());
  EXPECT_FALSE(latest_.expired());
}

}  // namespace
}  // namespace dpl
