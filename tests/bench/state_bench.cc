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
    request.reservation_deadline = Instant{1'000'000};
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

size_t HeapBytes() { return mallinfo2().uordblks + mallinfo2().hblkhd; }

// Live sessions: runs of an agent under names like those of real ones, a hundred to a task; with a
// throttle of its own each, or without.
void Sessions(bool bound, bool throttled) {
  MemoryStore store;
  constexpr int kSessions = 1'000'000;
  const size_t before = HeapBytes();
  char name[40];
  for (int i = 0; i < kSessions; ++i) {
    std::snprintf(name, sizeof name, "0193c4e2-7d1a-7000-8000-%012d", i);
    std::string task = bound ? "task-" + std::to_string(i / 100) : "";
    std::string identity = std::string("acme.calls.requests/hour/instance|i36:") + name;
    CommitRequest::Seen seen{"acme.assistant", name, task, Instant{1}, kMicrosPerDay, 0, 0};
    Charge charge;
    charge.counter.identity = identity;
    charge.counter.window = CounterKey::Window::kCalendar;
    charge.counter.start = Instant{0};
    charge.counter.end = Instant{kMicrosPerHour};
    charge.quantity = 1;
    CommitRequest r;
    r.now = r.reservation_deadline = Instant{i};
    r.epoch = store.Epoch();
    r.instances = {&seen, 1};
    if (throttled) r.charges = {&charge, 1};
    if (store.Commit(r).outcome != CommitOutcome::kDone) std::abort();
  }
  std::printf("bytes of a live session, at a million%s%s: %.0f (goal 200, better 128)\n",
              bound ? ", in a task" : "", throttled ? ", with a counter of its own" : "",
              static_cast<double>(HeapBytes() - before) / kSessions);
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

  {
    MemoryStore store;
    constexpr int kInstances = 1'000'000, kTasks = 100'000;
    size_t before = mallinfo2().uordblks + mallinfo2().hblkhd;
    std::string name;
    for (int i = 0; i < kInstances; ++i) {
      name = "run-" + std::to_string(100'000'000 + i);
      CommitRequest::Seen seen{"acme.assistant", name, "", Instant{1}, kMicrosPerDay, 0, 0};
      CommitRequest r;
      r.epoch = store.Epoch();
      r.instances = {&seen, 1};
      if (store.Commit(r).outcome != CommitOutcome::kDone) std::abort();
    }
    auto bytes = [&](int count) {
      size_t now = mallinfo2().uordblks + mallinfo2().hblkhd;
      double each = static_cast<double>(now - before) / count;
      before = now;
      return each;
    };
    std::printf("bytes of a live instance, at a million: %.0f\n", bytes(kInstances));
    for (int i = 0; i < kTasks; ++i) {
      TaskRecord task{"task-" + std::to_string(i),
                      "acme.onboarding",
                      "E1007",
                      "acme.assistant",
                      {{"folder", "F1"}},
                      Instant{1},
                      Instant{kMicrosPerDay}};
      if (!store.OpenTask(task).ok()) std::abort();
    }
    std::printf("bytes of a live task, at a hundred thousand: %.0f\n", bytes(kTasks));
  }
  Sessions(false, false);
  Sessions(true, false);
  Sessions(true, true);
  Readers();
  RevokeAtOnce();
  fs::remove_all(folder);
  return 0;
}

}  // namespace
}  // namespace dpl

int main() {
  const char* given = std::getenv("DPL_BENCH_DIR");
  return dpl::Run(given != nullptr ? given : std::filesystem::temp_directory_path().string());
}
