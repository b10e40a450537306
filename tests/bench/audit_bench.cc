// What the audit log costs by itself: handing a record over, keeping it (hashed, chained, written,
// synced, signed), waiting for that, and verifying. Prints ratios beside plain writes, one
// fdatasync, and one SHA-256 over the same bytes. DPL_BENCH_DIR says where (the default is the
// system's folder for temporary files).
#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include "runtime/audit/log.h"
#include "runtime/audit/verify.h"
#include "runtime/base/sha256.h"
#include "tests/bench/measure.h"

namespace dpl {
namespace {

namespace fs = std::filesystem;

const std::string kRecord = "{\"kind\":\"decision\",\"text\":\"" + std::string(470, 'x') + "\"}";

std::unique_ptr<AuditLog> Open(const fs::path& folder) {
  auto log = AuditLog::Open({.folder = folder.string()});
  if (!log.ok()) std::abort();
  return log.take();
}

// Records in groups of `group`, each group in one write with one sync, into a preallocated file.
struct Cost {
  double rate = 0, cpu = 0;  // records a second; microseconds of CPU a record
};
Cost Plain(const fs::path& folder, int records, int group) {
  const std::string path = (folder / "plain").string();
  int fd = open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC, 0600);
  std::string bytes;
  for (int i = 0; i < group; ++i) bytes += kRecord + "\n";
  const std::string zeros(bytes.size() * static_cast<size_t>(records / group), '\0');
  if (fd < 0 || pwrite(fd, zeros.data(), zeros.size(), 0) < 0 || fdatasync(fd) != 0) std::abort();
  double start = Now(), cpu = Cpu();
  off_t at = 0;
  for (int i = 0; i < records / group; ++i, at += static_cast<off_t>(bytes.size())) {
    if (pwrite(fd, bytes.data(), bytes.size(), at) < 0 || fdatasync(fd) != 0) std::abort();
  }
  Cost cost{records / (Now() - start), (Cpu() - cpu) * 1e6 / records};
  close(fd);
  return cost;
}

struct Figures {
  double rate = 0, p50 = 0, p99 = 0, cpu = 0;
};
Figures Wait(AuditLog* log, int threads, double seconds) {
  struct Waiting {
    std::mutex mutex;
    std::condition_variable kept;
  };
  auto waiting = std::make_shared<Waiting>();
  log->OnKept([waiting] {
    std::lock_guard lock(waiting->mutex);
    waiting->kept.notify_all();
  });
  std::vector<std::vector<double>> waits(static_cast<size_t>(threads));
  double start = Now(), cpu = Cpu();
  std::vector<std::thread> workers;
  for (int t = 0; t < threads; ++t) {
    workers.emplace_back([&, t] {
      while (Now() - start < seconds) {
        double began = Now();
        uint64_t ticket = log->Append(kRecord, AuditSync::kNow);
        std::unique_lock lock(waiting->mutex);
        waiting->kept.wait(lock, [&] { return log->Check(ticket) == Promise::kKept; });
        waits[static_cast<size_t>(t)].push_back((Now() - began) * 1e6);
      }
    });
  }
  for (std::thread& worker : workers) worker.join();
  std::vector<double> all;
  for (auto& w : waits) all.insert(all.end(), w.begin(), w.end());
  std::sort(all.begin(), all.end());
  const auto n = static_cast<double>(all.size());
  return {n / (Now() - start), all[all.size() / 2], all[all.size() * 99 / 100],
          (Cpu() - cpu) * 1e6 / n};
}

int Run(const fs::path& base) {
  const fs::path folder = base / ("dpl-audit-bench-" + std::to_string(getpid()));
  auto fresh = [&] {
    fs::remove_all(folder);
    fs::create_directories(folder);
  };
  fresh();
  std::printf("one write and fdatasync of 512 bytes: %.0f us\n", SyncMicros(folder));

  // At a pace that one server has: 100,000 a second, nobody waits.
  {
    std::vector<double> hand_over, cpu;
    for (int round = 0; round < 5; ++round) {
      fresh();
      auto log = Open(folder);
      constexpr int kRecords = 100'000;
      double all = Cpu(), own = Cpu(CLOCK_THREAD_CPUTIME_ID), start = Now();
      for (int i = 0; i < kRecords; ++i) {
        if (log->Append(kRecord) == 0) std::abort();
        while (i % 100 == 99 && Now() - start < i * 1e-5) std::this_thread::yield();
      }
      double yields = Cpu(CLOCK_THREAD_CPUTIME_ID) - own;
      if (!log->Sync().ok()) std::abort();
      cpu.push_back((Cpu() - all - yields) * 1e6 / kRecords);
      // The hand-over alone: bursts that the log's thread leaves alone until they are over.
      double handed = 0;
      constexpr int kBursts = 30, kBurst = 1500;
      for (int burst = 0; burst < kBursts; ++burst) {
        double begin = Cpu(CLOCK_THREAD_CPUTIME_ID);
        for (int i = 0; i < kBurst; ++i) {
          if (log->Append(kRecord) == 0) std::abort();
        }
        handed += Cpu(CLOCK_THREAD_CPUTIME_ID) - begin;
        if (!log->Sync().ok()) std::abort();
      }
      hand_over.push_back(handed * 1e9 / (kBursts * kBurst));
    }
    std::printf("handing a record over: %.0f ns CPU; the log's thread: %.2f us CPU a record\n",
                Median(hand_over), Median(cpu));
  }

  // As fast as it goes, beside plain writes in groups of 1,024.
  {
    std::vector<double> rate, plain_rate, cpu, plain_cpu;
    for (int round = 0; round < 5; ++round) {
      fresh();
      constexpr int kRecords = 200'704;
      Cost plain = Plain(folder, kRecords, 1024);
      fresh();
      auto log = Open(folder);
      double start = Now(), all = Cpu();
      for (int i = 0; i < kRecords;) {
        if (log->Append(kRecord) != 0) {
          ++i;
        } else {
          std::this_thread::yield();
        }
      }
      if (!log->Sync().ok()) std::abort();
      rate.push_back(kRecords / (Now() - start));
      cpu.push_back((Cpu() - all) * 1e6 / kRecords);
      plain_rate.push_back(plain.rate), plain_cpu.push_back(plain.cpu);
    }
    std::printf(
        "as fast as it goes: %.0f records/s, %.2f of plain synced writes; %.2f us CPU a "
        "record (plain %.2f)\n",
        Median(rate), Median(rate) / Median(plain_rate), Median(cpu), Median(plain_cpu));
  }

  for (int threads : {1, 16, 64}) {
    std::vector<double> rate, p50, p99, cpu;
    for (int round = 0; round < 5; ++round) {
      fresh();
      const double one = SyncMicros(folder);  // beside it: a shared disk changes by the second
      fresh();
      auto log = Open(folder);
      Figures f = Wait(log.get(), threads, 0.5);
      rate.push_back(f.rate), p50.push_back(f.p50 / one), p99.push_back(f.p99 / one);
      cpu.push_back(f.cpu);
    }
    std::printf("%2d waiting: %7.0f records/s, p50 %.1f and p99 %.1f fdatasyncs, %.1f us CPU\n",
                threads, Median(rate), Median(p50), Median(p99), Median(cpu));
  }

  {
    fresh();
    auto log = Open(folder);
    for (int i = 0; i < 400'000;) i += log->Append(kRecord) != 0 ? 1 : 0;
    if (!log->Sync().ok()) std::abort();
    log->Close();
    uint64_t bytes = 0;
    double cpu = Cpu();
    Result<AuditVerification> done = VerifyAudit({.folder = folder.string()});
    if (!done.ok() || !done->findings.empty()) std::abort();
    bytes = done->bytes;
    double verify = Cpu() - cpu;
    const std::string block(1 << 20, 'x');
    cpu = Cpu();
    for (uint64_t i = 0; i < bytes; i += block.size()) (void)Sha256(block);
    double hash = Cpu() - cpu;
    std::printf("verify: %.0f MB/s, %.1f times the CPU of one SHA-256 over the bytes\n",
                static_cast<double>(bytes) / verify / 1e6, verify / hash);
  }
  fs::remove_all(folder);
  return 0;
}

}  // namespace
}  // namespace dpl

int main() {
  const char* dir = std::getenv("DPL_BENCH_DIR");
  return dpl::Run(dir != nullptr ? std::filesystem::path(dir)
                                 : std::filesystem::temp_directory_path());
}
