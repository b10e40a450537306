// A child that stops itself, and a parent that lets it go on by one instruction at a time.
#include "tests/steps/step_count.h"

#include <csignal>

#include <sched.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

namespace dpl {
namespace {

// From one SIGUSR1 that the child sends itself to the next.
std::optional<uint64_t> Step(const std::function<void()>& work) {
  const pid_t child = fork();
  if (child < 0) return std::nullopt;
  if (child == 0) {
    if (ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) _exit(1);
    raise(SIGUSR1);
    work();
    raise(SIGUSR1);
    _exit(0);
  }
  std::optional<uint64_t> steps;
  uint64_t count = 0;
  bool begun = false;
  for (int status = 0;;) {
    if (waitpid(child, &status, 0) != child || !WIFSTOPPED(status)) break;
    const int signal = WSTOPSIG(status);
    if (signal == SIGUSR1 && begun) {
      steps = count;
      break;
    }
    if (signal == SIGUSR1) begun = true;
    if (signal != SIGUSR1 && signal != SIGTRAP) break;
    if (begun) ++count;
    if (ptrace(PTRACE_SINGLESTEP, child, nullptr, nullptr) != 0) break;
  }
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  return steps;
}

}  // namespace

std::optional<uint64_t> StepsOf(const std::function<void()>& work) {
  // Both on one processor: each step hands over from one to the other.
  cpu_set_t before, one;
  const bool pinned = sched_getaffinity(0, sizeof before, &before) == 0;
  if (const int here = sched_getcpu(); pinned && here >= 0) {
    CPU_ZERO(&one);
    CPU_SET(static_cast<size_t>(here), &one);
    sched_setaffinity(0, sizeof one, &one);
  }
  std::optional<uint64_t> nothing = Step([] {}), steps = Step(work);
  if (pinned) sched_setaffinity(0, sizeof before, &before);
  if (!nothing || !steps || *steps < *nothing) return std::nullopt;
  return *steps - *nothing;
}

}  // namespace dpl
