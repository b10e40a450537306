// What an unmetered decision asks of the machine, once it is warm and with its audit log on: no
// memory of the heap, no mutex, and no system call but those of the socket (which is not a part of
// Service::Handle).
//
// The decisions are made in a process of their own whose deciding thread has given up every system
// call but looking at the clock and ending: one more, and the kernel ends the process. (Where the
// clock can be read without the kernel, as nearly everywhere, that is none either.)
#include <cstddef>
#include <memory>
#include <mutex>
#include <shared_mutex>

#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "compiler/testing/compile.h"
#include "runtime/audit/decision_entry.h"
#include "runtime/audit/log.h"
#include "runtime/audit/trail.h"
#include "runtime/audit/vault.h"
#include "runtime/facts/json_facts.h"
#include "runtime/state/memory_store.h"
#include "server/api/service.h"
#include "tests/heap/heap_count.h"
#include "tests/support/temporary_folder.h"
#include "tests/unit/api/lock_count.h"

namespace dpl {
namespace {

// Their entries are fewer than the log is woken for (kMuch); its lane has memory for them and more.
constexpr int kDecisions = 150;
constexpr int kWarming = 4000;

constexpr char kPolicy[] = R"dpl(
package t owned by team staff
granted 2026-10-01
review every 3650d
person { key id: string  has region: string }
team staff { owner person "E1" }
system app { owner team staff }
resource Doc in app { has region: string  can read }
grant reading {
  to team staff  may read on app.Doc where resource.region == person.region  because "Staff read their region"
}
forbid elsewhere { covers read on app.Doc where resource.region == "moon"  because "Nobody reads there" }
agent helper {
  accountable person "E1"  purpose "Reads for people"  runs as spiffe "spiffe://acme.example/helper"
  may read on app.Doc  lives at most 10h
}
delegation help {
  from team staff  to agent helper  may read on app.Doc  consent by policy  because "Reading may be handed to software"
}
)dpl";
constexpr char kFacts[] = R"({
  "persons": [{"id": "E1", "attributes": {"region": "emea"}}], "teams": {"staff": ["E1"]},
  "resources": [{"type": "app.Doc", "id": "d1", "attributes": {"region": "emea"}}]})";

constexpr std::string_view kDirect =
    R"({"subject":{"type":"person","id":"E1"},"action":{"name":"read"},"resource":{"type":"app.Doc","id":"d1"}})";
constexpr std::string_view kByAgent =
    R"({"subject":{"type":"person","id":"E1","properties":{"act":{"sub":"spiffe://acme.example/helper","instance":"run-1"}}},)"
    R"("action":{"name":"read"},"resource":{"type":"app.Doc","id":"d1"}})";
constexpr std::string_view kDenied =
    R"({"subject":{"type":"person","id":"E1"},"action":{"name":"read"},"resource":{"type":"app.Doc","id":"unknown"}})";

// Of a batch: five items that share a subject and an action, one that brings its own.
constexpr int kItems = 6;
std::string BatchOf(std::string_view subject) {
  std::string body =
      R"({"subject":)" + std::string(subject) + R"(,"action":{"name":"read"},"evaluations":[)";
  for (int i = 1; i < kItems; ++i) body += R"({"resource":{"type":"app.Doc","id":"d1"}},)";
  return body +
         R"({"subject":{"type":"person","id":"E1"},"resource":{"type":"app.Doc","id":"d1"}}]})";
}

// What the child reports through memory that it shares.
struct Seen {
  int answered = 0, permits = 0;
  size_t allocations = 0;
  LocksForTest locks;
  bool finished = false;
};

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr bool kSanitized = true;  // a sanitizer makes system calls, and takes locks, of its own
#else
constexpr bool kSanitized = false;
#endif

// Gives up all system calls of this thread but those two.
bool GiveUpSystemCalls() {
  if (kSanitized) return true;
  constexpr unsigned kNumber = offsetof(seccomp_data, nr);
  sock_filter filter[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, kNumber),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_exit_group, 2, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_clock_gettime, 1, 0),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog program{static_cast<unsigned short>(std::size(filter)), filter};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

// Never returns.
void Decide(std::string_view body, const std::string& folder, bool system_call, Seen* seen) {
  const bool batch = body.find("\"evaluations\"") != std::string_view::npos;
  const int items = batch ? kItems : 1;
  testing::Compilation compilation;
  compilation.sources.Add("t.dpl", kPolicy);
  if (!testing::Compile({}, &compilation)) _exit(10);
  SystemClock clock;
  Result<FactsInput> facts = ReadFactsJson(kFacts, "facts");
  if (!facts.ok()) _exit(11);
  Result<std::unique_ptr<Snapshot>> snapshot =
      Snapshot::Build(compilation.program, *facts, clock.Now());
  Result<std::unique_ptr<AuditLog>> log = AuditLog::Open({.folder = folder});
  Result<std::unique_ptr<AuditVault>> vault = AuditVault::Open({.folder = folder, .start = "s"});
  if (!snapshot.ok() || !log.ok() || !vault.ok()) _exit(12);
  (*log)->SetRenderer(std::make_unique<DecisionRecords>(vault->get(), true));
  LogSink sink(log->get());
  AuditTrail trail(&sink);
  MemoryStore store;
  Service service({.clock = &clock,
                   .store = &store,
                   .version = "1",
                   .start_id = "s",
                   .trail = &trail,
                   .vault = vault->get()});
  service.Publish(snapshot.take(), std::make_shared<CallerRegistry>());
  HttpRequest request;
  request.method = "POST";
  request.path = batch ? "/access/v1/evaluations" : "/access/v1/evaluation";
  request.body = body;
  request.headers.push_back({"Content-Type", "application/json"});
  HttpResponse response;
  auto ask = [&] {
    response.Reset();
    service.Handle(request, &response);
    seen->answered += response.status == 200 ? items : 0;
    for (size_t at = 0; (at = response.body.find("{\"decision\":true", at)) != std::string::npos;
         ++at)
      ++seen->permits;
  };
  for (int i = 0; i < kWarming / items; ++i) ask();
  if (!(*log)->Sync().ok()) _exit(14);  // what the log has read, its lane uses again
  seen->answered = seen->permits = 0;
  if (!GiveUpSystemCalls()) syscall(SYS_exit_group, 13);
  const size_t allocations = HeapAllocationsForTest();
  const LocksForTest locks = LocksTakenForTest();
  for (int i = 0; i < kDecisions / items; ++i) ask();
  if (system_call) (void)getppid();
  seen->allocations = HeapAllocationsForTest() - allocations;
  seen->locks.mutexes = LocksTakenForTest().mutexes - locks.mutexes;
  seen->locks.read_locks = LocksTakenForTest().read_locks - locks.read_locks;
  seen->finished = true;
  syscall(SYS_exit_group, 0);
}

Seen InAProcessOfItsOwn(std::string_view body, int* status, bool system_call = false) {
  TemporaryFolder folder;
  void* shared =
      mmap(nullptr, sizeof(Seen), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  EXPECT_NE(shared, MAP_FAILED);
  Seen* seen = new (shared) Seen();
  const pid_t child = fork();
  if (child == 0) Decide(body, folder.path(), system_call, seen);
  EXPECT_EQ(waitpid(child, status, 0), child);
  Seen copy = *seen;
  munmap(shared, sizeof(Seen));
  return copy;
}

// A log that nothing reaches for a second dozes, and must be woken by a system call: on a machine
// that stops the deciding thread for so long, that is not the decision's fault. One that made one
// on its own account makes it every time.
Seen Patiently(std::string_view body, int* status) {
  Seen seen = InAProcessOfItsOwn(body, status);
  for (int more = 2; more > 0 && WIFSIGNALED(*status); --more)
    seen = InAProcessOfItsOwn(body, status);
  return seen;
}

// Neither memory, nor a lock, nor the machine; asked kDecisions times, with so many permits.
void ExpectTakesNothing(std::string_view body, int permits) {
  int status = 0;
  const Seen seen = Patiently(body, &status);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0)
      << (WIFSIGNALED(status) ? "it made a system call" : "it could not begin") << ", " << status;
  EXPECT_TRUE(seen.finished);
  EXPECT_EQ(seen.answered, kDecisions);
  EXPECT_EQ(seen.permits, permits);
  EXPECT_EQ(seen.allocations, 0u);
  EXPECT_EQ(seen.locks.mutexes, 0u);
  EXPECT_EQ(seen.locks.read_locks, 0u);
}

TEST(HotPath, APersonsQuestionTakesNothingAtAll) { ExpectTakesNothing(kDirect, kDecisions); }

TEST(HotPath, ADenialTakesNothingAtAll) { ExpectTakesNothing(kDenied, 0); }

// Whether the run is on record, what it is bound to and whether another handed it its work: looks
// into the state that wait for nobody.
TEST(HotPath, AnAgentsQuestionTakesNothingAtAll) { ExpectTakesNothing(kByAgent, kDecisions); }

TEST(HotPath, ABatchTakesNothingAtAll) {
  ExpectTakesNothing(BatchOf(R"({"type":"person","id":"E1"})"), kDecisions);
}

TEST(HotPath, ABatchOfAnAgentTakesNothingAtAll) {
  ExpectTakesNothing(
      BatchOf(
          R"({"type":"person","id":"E1","properties":{"act":{"sub":"spiffe://acme.example/helper","instance":"run-1"}}})"),
      kDecisions);
}

TEST(HotPath, ALockWouldBeSeen) {
  if (kSanitized) return;
  const LocksForTest before = LocksTakenForTest();
  std::shared_mutex shared;
  { std::shared_lock lock(shared); }
  { std::unique_lock lock(shared); }
  std::mutex mutex;
  { std::lock_guard lock(mutex); }
  EXPECT_EQ(LocksTakenForTest().read_locks - before.read_locks, 1u);
  EXPECT_EQ(LocksTakenForTest().mutexes - before.mutexes, 2u);
}

TEST(HotPath, ASystemCallWouldBeSeen) {
  if (kSanitized) return;
  int status = 0;
  Seen seen = InAProcessOfItsOwn(kDirect, &status, true);
  EXPECT_TRUE(WIFSIGNALED(status));
  EXPECT_FALSE(seen.finished);
}

}  // namespace
}  // namespace dpl
