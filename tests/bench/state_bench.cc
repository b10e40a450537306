// What state costs: a commit in memory and on disk, a revocation that is acknowledged, a restart
// with a million counters, and the bytes of a live instance. Prints ratios beside one fdatasync of
// the same folder; DPL_BENCH_DIR says where (the default is the system's folder for temporary
// files).
#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <thread>
#include <vector>

#include <malloc.h>
#include <unistd.h>

#include "runtime/state/counter_name.h"
#include "runtime/state/durable_store.h"
#include "tests/bench/measure.h"

namespace dpl {
namespace {

namespace fs = std::filesystem;

// A permit as the engine commits it: a limit per day and one per month, and a key.
struct Permit {
  explicit Permit(uint64_t n, StateStore* store) {
    std::string person = "E" + std::to_string(n * 7919 % 10'000);
    day = "acme.spend.daily.amount/day/person|p5:" + person + "|u3:USD";
    month = "acme.spend.monthly.amount/month/person|p5:" + person + "|u3:USD";
    key = "gateway|" + person + "|order-" + std::to_string(n);
    for (Charge* c : {&charges[0], &charges[1]}) {
      c->counter.window = CounterKey::Window::kCalendar;
      c->counter.start = Instant{0};
      c->counter.end = Instant{1'000'000};
      c->quantity = 100;
    }
    charges[0].counter.identity = day;
    charges[1].counter.identity = month;
    request.epoch = store->Epoch();
    request.charges = charges;
    request.caller = "gateway";
    request.charge_key = key;
    request.request_digest = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
    request.reservation_deadline = Instant{1'000'000'000};
  }
  std::string day, month, key;
  Charge charges[2];
  CommitRequest request;
};

std::unique_ptr<DurableStore> Open(const fs::path& folder, uint64_t log_bytes = 64 << 20) {
  auto store = DurableStore::Open({.folder = folder.string(), .log_bytes = log_bytes});
  if (!store.ok()) std::abort();
  return store.take();
}

struct Figures {
  double rate = 0, p50 = 0, p99 = 0, cpu = 0;
};

// Threads that each commit and wait until that is kept.
Figures Drive(StateStore* store, int threads, double seconds) {
  struct Waiting {  // the store keeps it as long as it may wake somebody
    std::mutex mutex;
    std::condition_variable kept;
  };
  auto waiting = std::make_shared<Waiting>();
  store->OnKept([waiting] {
    std::lock_guard lock(waiting->mutex);
    waiting->kept.notify_all();
  });
  std::vector<std::vector<double>> waits(static_cast<size_t>(threads));
  std::atomic<uint64_t> number{0};
  double start = Now(), cpu = Cpu();
  std::vector<std::thread> workers;
  for (int t = 0; t < threads; ++t) {
    workers.emplace_back([&, t] {
      while (Now() - start < seconds) {
        double began = Now();
        Permit permit(++number, store);
        CommitResult done = store->Commit(permit.request);
        if (done.outcome != CommitOutcome::kDone) std::abort();
        std::unique_lock lock(waiting->mutex);
        waiting->kept.wait(lock, [&] { return store->Check(done.ticket) == Promise::kKept; });
        waits[static_cast<size_t>(t)].push_back((Now() - began) * 1e6);
      }
    });
  }
  for (std::thread& worker : workers) worker.join();
  std::vector<double> all;
  for (auto& w : waits) all.insert(all.end(), w.begin(), w.end());
  std::sort(all.begin(), all.end());
  double n = static_cast<double>(all.size());
  return {n / (Now() - start), all[all.size() / 2], all[all.size() * 99 / 100],
          (Cpu() - cpu) * 1e6 / n};
}

// What the process has in memory.
size_t ResidentBytes() {
  malloc_trim(0);
  size_t pages = 0, resident = 0;
  FILE* file = std::fopen("/proc/self/statm", "r");
  if (file == nullptr || std::fscanf(file, "%zu %zu", &pages, &resident) != 2) std::abort();
  std::fclose(file);
  return resident * static_cast<size_t>(sysconf(_SC_PAGESIZE));
}

enum class Throttle { kNone, kHour, kSliding };

// Live sessions: runs of an agent, a hundred to a task, each with a throttle of its own (a limit
// `for each instance`, one call so far) or without. Named as the engine names them.
void Sessions(const char* names, const char* format, bool bound, Throttle throttle) {
  constexpr int kSessions = 1'000'000;
  const size_t before = ResidentBytes();
  MemoryStore store;
  char name[64];
  double longest = 0;
  for (int i = 0; i < kSessions; ++i) {
    std::snprintf(name, sizeof name, format, i);
    std::string task = bound ? "task-" + std::to_string(i / 100) : "";
    std::string identity;
    BeginCounterName(&identity, "acme.calls.requests/hour/instance");
    AppendCounterPart(&identity, 'i', "acme.assistant");
    AppendCounterPart(&identity, 'i', name);
    CommitRequest::Seen seen{"acme.assistant", name, task, Instant{1}, kMicrosPerDay, 0, 0};
    Charge charge;
    charge.counter.identity = identity;
    charge.quantity = 1;
    if (throttle == Throttle::kSliding) {
      charge.counter.window = CounterKey::Window::kSliding;
      charge.counter.sliding_us = kMicrosPerDay;
    } else {
      charge.counter.window = CounterKey::Window::kCalendar;
      charge.counter.start = Instant{0};
      charge.counter.end = Instant{kMicrosPerHour};
    }
    CommitRequest r;
    r.now = r.reservation_deadline = Instant{i};
    r.epoch = store.Epoch();
    r.instances = {&seen, 1};
    if (throttle != Throttle::kNone) r.charges = {&charge, 1};
    const double began = Cpu();
    if (store.Commit(r).outcome != CommitOutcome::kDone) std::abort();
    longest = std::max(longest, Cpu() - began);
  }
  const char* with[] = {"", ", a throttle each hour", ", a throttle in any 24h"};
  std::printf("bytes of a live session, at a million, %s%s%s: %.0f (longest commit %.2f ms CPU)\n",
              names, bound ? ", in a task" : "", with[static_cast<int>(throttle)],
              static_cast<double>(ResidentBytes() - before) / kSessions, longest * 1e3);
}

// Open reservations of one charge and of two, with a key and without.
void Reservations(bool two, bool keyed) {
  constexpr int kOpen = 500'000;
  MemoryStore store;
  size_t before = 0;
  // The counters are there already.
  for (int i = -10'000; i < kOpen; ++i) {
    if (i == 0) before = ResidentBytes();
    Permit permit(static_cast<uint64_t>(i + 10'000), &store);
    CommitRequest& r = permit.request;
    if (!two) r.charges = r.charges.subspan(0, 1);
    if (!keyed || i < 0) r.charge_key = {};
    if (store.Commit(r).outcome != CommitOutcome::kDone) std::abort();
  }
  std::printf("bytes of an open reservation, of %s, %s: %.0f\n", two ? "two charges" : "one charge",
              keyed ? "with a key" : "without a key",
              static_cast<double>(ResidentBytes() - before) / kOpen);
}

void Tasks() {
  constexpr int kTasks = 500'000;
  const size_t before = ResidentBytes();
  MemoryStore store;
  for (int i = 0; i < kTasks; ++i) {
    TaskRecord task{"task-" + std::to_string(i),
                    "acme.onboarding",
                    "E1007",
                    "acme.assistant",
                    {{"folder", "F1"}},
                    Instant{1},
                    Instant{kMicrosPerDay}};
    task.opened_by = "portal";
    if (!store.OpenTask(task).ok()) std::abort();
  }
  std::printf("bytes of a live task, at half a million: %.0f\n",
              static_cast<double>(ResidentBytes() - before) / kTasks);
}

// What a reader waits, alone and beside a writer that adds a million counters.
void Readers() {
  auto measure = [](MemoryStore* store, bool beside) {
    std::atomic<bool> stop{false};
    std::thread writer([&] {
      std::string name;
      for (int i = 0; beside && i < 1'000'000 && !stop; ++i) {
        name = "acme.spend.amount/day/person|p7:" + std::to_string(i);
        Charge charge;
        charge.counter.identity = name;
        charge.quantity = 1;
        CommitRequest r;
        r.epoch = store->Epoch();
        r.charges = {&charge, 1};
        r.now = r.reservation_deadline = Instant{i};
        if (store->Commit(r).outcome != CommitOutcome::kDone) std::abort();
      }
    });
    std::vector<double> took;
    for (int i = 0; i < 400'000; ++i) {
      const double began = Now();
      if (store->FindTask("t") == nullptr) std::abort();
      took.push_back((Now() - began) * 1e6);
    }
    stop = true;
    writer.join();
    std::sort(took.begin(), took.end());
    std::printf("a read %s: p50 %.2f, p99 %.2f, p99.99 %.1f, longest %.0f us\n",
                beside ? "beside a writer" : "alone", took[took.size() / 2],
                took[took.size() * 99 / 100], took[took.size() * 9999 / 10000], took.back());
  };
  MemoryStore store;
  TaskRecord task;
  task.id = "t";
  if (!store.OpenTask(task).ok()) std::abort();
  measure(&store, false);
  measure(&store, true);
}

// Revoking an agent, with no run of it and with ten thousand.
void RevokeAtOnce() {
  double took[2];
  for (int with : {0, 1}) {
    MemoryStore store;
    for (int i = 0; i < with * 10'000; ++i) {
      std::string name = "run-" + std::to_string(i);
      CommitRequest::Seen seen{"acme.assistant", name, "", Instant{1}, kMicrosPerDay, 0, 0};
      CommitRequest r;
      r.epoch = store.Epoch();
      r.instances = {&seen, 1};
      if (store.Commit(r).outcome != CommitOutcome::kDone) std::abort();
    }
    std::vector<double> each;
    for (int i = 0; i < 2001; ++i) {
      const double began = Now();
      store.Revoke(RevokedKind::kAgent, "acme.assistant", Instant{i});
      each.push_back((Now() - began) * 1e6);
    }
    took[with] = Median(each);
  }
  std::printf("revoking an agent with ten thousand runs / with none: %.2f (goal 1.5, better 1.1)\n",
              took[1] / took[0]);
}

int Run(const fs::path& base) {
  constexpr char kUuids[] = "0193c4e2-7d1a-7000-8000-%012d", kTexts[] = "session.%08d.eu-west-1";
  Sessions("UUIDs", kUuids, false, Throttle::kNone);
  Sessions("UUIDs", kUuids, true, Throttle::kNone);
  Sessions("UUIDs", kUuids, true, Throttle::kHour);
  Sessions("UUIDs", kUuids, true, Throttle::kSliding);
  Sessions("texts of 26", kTexts, true, Throttle::kHour);
  Sessions("texts of 26", kTexts, true, Throttle::kSliding);
  for (bool two : {false, true}) Reservations(two, false), Reservations(two, true);
  Tasks();
  Readers();
  RevokeAtOnce();
  fs::path folder = base / ("dpl-state-bench-" + std::to_string(getpid()));
  auto fresh = [&] {
    fs::remove_all(folder);
    fs::create_directories(folder);
  };
  fresh();
  double sync = SyncMicros(folder);
  std::printf("one write and fdatasync of 512 bytes: %.0f us\n", sync);

  for (int threads : {1, 16, 64}) {
    std::vector<double> rate, p50, p99, cpu, memory_cpu;
    for (int round = 0; round < 5; ++round) {
      fresh();
      auto store = Open(folder);
      Figures f = Drive(store.get(), threads, 0.5);
      rate.push_back(f.rate), p50.push_back(f.p50), p99.push_back(f.p99), cpu.push_back(f.cpu);
      MemoryStore memory;
      memory_cpu.push_back(Drive(&memory, threads, 0.2).cpu);
    }
    std::printf(
        "%2d waiting: %7.0f permits/s, p50 %.1f and p99 %.1f fdatasyncs, %.1f us CPU (%.1f in "
        "memory)\n",
        threads, Median(rate), Median(p50) / sync, Median(p99) / sync, Median(cpu),
        Median(memory_cpu));
  }

  {
    fresh();
    auto store = Open(folder);
    std::vector<double> took;
    for (int i = 0; i < 1000; ++i) {
      double start = Now();
      store->Revoke(RevokedKind::kInstance, "agent/i" + std::to_string(i), std::nullopt);
      if (!store->Sync().ok()) std::abort();
      took.push_back((Now() - start) * 1e6);
    }
    std::printf("a revocation acknowledged: p50 %.2f fdatasyncs (goal 4, better 2)\n",
                Median(took) / sync);
  }

  {
    fresh();
    auto store = Open(folder, uint64_t{1} << 40);
    constexpr uint64_t kCounters = 1'000'000;
    std::string name;
    for (uint64_t i = 0; i < kCounters; ++i) {
      name = "acme.spend.daily.amount/day/person|p7:E" + std::to_string(i) + "|u3:USD";
      Charge charge;
      charge.counter.identity = name;
      charge.quantity = 100;
      CommitRequest r;
      r.epoch = store->Epoch();
      r.charges = {&charge, 1};
      r.now = Instant{static_cast<int64_t>(i)};
      r.reservation_deadline = r.now;
      if (store->Commit(r).outcome != CommitOutcome::kDone) std::abort();
    }
    if (!store->Sync().ok()) std::abort();
    store.reset();
    double start = Now(), cpu = Cpu();
    store = Open(folder, 1 << 20);
    std::printf("restart, a million operations of the log: %.2f s CPU, %.2f s\n", Cpu() - cpu,
                Now() - start);
    Permit permit(1, store.get());  // the log is over its size: the next group starts the tidying
    if (store->Commit(permit.request).outcome != CommitOutcome::kDone || !store->Sync().ok())
      std::abort();
    start = Now(), cpu = Cpu();
    store->TidyForTest();
    std::printf("a new image of a million counters, beside the traffic: %.2f s CPU, %.2f s\n",
                Cpu() - cpu, Now() - start);
    store.reset();
    start = Now(), cpu = Cpu();
    store = Open(folder);
    std::printf("restart, an image of a million counters: %.2f s CPU, %.2f s\n", Cpu() - cpu,
                Now() - start);
  }

  fs::remove_all(folder);
  return 0;
}

}  // namespace
}  // namespace dpl

int main() {
  const char* given = std::getenv("DPL_BENCH_DIR");
  return dpl::Run(given != nullptr ? given : std::filesystem::temp_directory_path().string());
}
