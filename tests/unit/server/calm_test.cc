// A thread that gives way to every other, and comes back.
#include "server/calm.h"

#include <thread>

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

namespace dpl {
namespace {

int Nice() { return getpriority(PRIO_PROCESS, static_cast<id_t>(gettid())); }

TEST(Calm, GivesWayWhileItLivesAndOnlyIfItCanComeBack) {
  const int allowed_policy = Calm::Allowed() ? SCHED_IDLE : SCHED_OTHER;
  std::thread([&] {
    const int nice = Nice();
    ASSERT_EQ(sched_getscheduler(0), SCHED_OTHER);
    for (int i = 0; i < 3; ++i) {
      {
        Calm calm;
        EXPECT_EQ(sched_getscheduler(0), allowed_policy);
      }
      EXPECT_EQ(sched_getscheduler(0), SCHED_OTHER);
      EXPECT_EQ(Nice(), nice);
    }
  }).join();
  EXPECT_EQ(sched_getscheduler(0), SCHED_OTHER);  // whoever asked whether it may is as before
}

}  // namespace
}  // namespace dpl
