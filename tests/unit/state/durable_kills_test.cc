// A process that is killed while it writes forgets nothing that it told.
#include <cstdlib>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/state/durable.h"

namespace dpl {
namespace {

int KillTrials() {
  const char* given = std::getenv("DPL_KILLS");
  return given == nullptr ? 5 : std::max(1, std::atoi(given));
}

// A process revokes, opens tasks and uses approvals, and says so once each is kept; it is killed in
// the middle. Whatever it said is found again.
TEST(Kills, NothingThatWasToldIsForgotten) {
  uint64_t told_in_all = 0;
  for (int trial = 0; trial < KillTrials(); ++trial) {
    TemporaryFolder folder;
    int pipe_fds[2];
    ASSERT_EQ(pipe(pipe_fds), 0);
    pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      close(pipe_fds[0]);
      Result<std::unique_ptr<DurableStore>> store =
          DurableStore::Open({.folder = folder.path(), .log_bytes = 8192});
      if (!store.ok()) _exit(1);
      StateStore& s = **store;
      for (uint32_t i = 0;; ++i) {
        std::string name = "x" + std::to_string(i);
        s.Revoke(RevokedKind::kPerson, name, std::nullopt);
        TaskRecord task;
        task.id = name;
        task.expires = At(100);
        ApprovalRecord approval;
        approval.id = name;
        approval.expires = At(100);
        approval.uses_left = 2;
        if (!s.OpenTask(task).ok() || !s.RecordApproval(approval).ok() || !s.Sync().ok()) _exit(1);
        One one(&s, name, 3);
        std::string_view used = name;
        one.request.approvals = {&used, 1};
        if (one.Commit().outcome != CommitOutcome::kDone || !s.Sync().ok()) _exit(1);
        if (write(pipe_fds[1], &i, sizeof i) != static_cast<ssize_t>(sizeof i)) _exit(1);
      }
    }
    close(pipe_fds[1]);
    // Some way into its work, and at no particular point of it.
    uint32_t last = 0, count = 0;
    const uint32_t upto = 3 + static_cast<uint32_t>(trial) * 17 % 120;
    while (count < upto && read(pipe_fds[0], &last, sizeof last) == sizeof last) ++count;
    kill(child, SIGKILL);
    while (read(pipe_fds[0], &last, sizeof last) == sizeof last) ++count;
    close(pipe_fds[0]);
    int status = 0;
    waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status)) << "it ended by itself";
    ASSERT_GE(count, upto);
    told_in_all += count;

    auto store = Open(folder.path());
    ASSERT_NE(store, nullptr);
    EXPECT_GE(store->Epoch(), count + 1);
    EXPECT_LE(store->Epoch(), count + 2);
    for (uint32_t i = 0; i < count; ++i) {
      std::string name = "x" + std::to_string(i);
      ASSERT_TRUE(store->IsRevoked(RevokedKind::kPerson, name, std::nullopt)) << name;
      ASSERT_NE(store->FindTask(name), nullptr) << name;
      ASSERT_NE(store->FindApproval(name), nullptr) << name;
      ASSERT_EQ(store->FindApproval(name)->uses_left, 1u) << name;
      ASSERT_EQ(store->Used(Total(name), At(0)), 3) << name;
    }
  }
  EXPECT_GT(told_in_all, 0u);
}

}  // namespace
}  // namespace dpl
