// What recording a decision costs, without a socket: the thread that decides (Service::Handle, from
// the bytes of a request to those of its answer) and the log's own thread, each in CPU a request,
// without an audit log, with one, and with what a replay needs. The log lies in DPL_BENCH_DIR (the
// default is the system's folder for temporary files); docs/benchmarks.md reads the figures.
//
//   record_bench [CASE]    none, log, replay: that one alone, for a profile
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include <unistd.h>

#include "compiler/testing/compile.h"
#include "runtime/audit/decision_entry.h"
#include "runtime/audit/log.h"
#include "runtime/audit/trail.h"
#include "runtime/audit/vault.h"
#include "runtime/facts/json_facts.h"
#include "runtime/state/append_file.h"
#include "runtime/state/memory_store.h"
#include "server/api/service.h"
#include "tests/bench/measure.h"

namespace dpl {
namespace {

namespace fs = std::filesystem;

constexpr int kRounds = 7;
constexpr int kRequests = 20'000;
constexpr int kBurst = 500;  // then the log may catch up, so that neither waits for the other

struct Case {
  const char* name;
  bool audit, replay;
  SystemClock clock;
  MemoryStore store;
  std::unique_ptr<AuditVault> vault;
  std::unique_ptr<AuditLog> log;
  std::optional<LogSink> sink;
  std::optional<AuditTrail> trail;
  std::unique_ptr<Service> service;
  std::vector<double> decide_us, log_us;
};

std::string Read(const std::string& path) {
  Result<std::string> text = ReadFile(path, size_t{1} << 20);
  if (!text.ok()) std::abort();
  return text.take();
}

void Open(Case* c, const fs::path& folder, std::shared_ptr<const Snapshot> snapshot) {
  const std::string path = (folder / c->name).string();
  ServiceOptions options{.clock = &c->clock, .store = &c->store, .version = "1"};
  options.start_id = "bench";
  if (c->audit) {
    auto log = AuditLog::Open({.folder = path});
    auto vault = AuditVault::Open({.folder = path, .start = "bench"});
    if (!log.ok() || !vault.ok()) std::abort();
    c->log = log.take();
    c->vault = vault.take();
    c->log->SetRenderer(std::make_unique<DecisionRecords>(c->vault.get(), c->replay));
    c->sink.emplace(c->log.get());
    c->trail.emplace(&*c->sink);
    options.trail = &*c->trail;
    options.vault = c->vault.get();
    options.seal = c->replay;
  }
  c->service = std::make_unique<Service>(options);
  const std::string digest = "\"sha256:" + std::string(64, 'a') + "\"";
  c->service->Publish(std::move(snapshot), std::make_shared<CallerRegistry>(),
                      "\"bundle\":" + digest + ",\"facts\":" + digest + ",\"callers\":" + digest +
                          R"(,"built":"2026-11-22T10:00:00Z")");
}

void Round(Case* c) {
  HttpRequest request;
  HttpResponse response;
  request.method = "POST";
  request.path = "/access/v1/evaluation";
  std::string body, id;
  double deciding = 0;
  const double all = Cpu(), own = Cpu(CLOCK_THREAD_CPUTIME_ID);
  for (int i = 0; i < kRequests; ++i) {
    const std::string n = std::to_string(i % 10);
    body =
        R"({"subject":{"type":"person","id":"b0)" + n +
        R"("},"resource":{"type":"shop.Order","id":"O1"},"action":{"name":"read"},"context":{"agent":{"sub":"spiffe://acme.example/agent/assistant","instance":"a-)" +
        n + "\"}}}";
    id = "r-" + std::to_string(i);
    request.headers = {{"Content-Type", "application/json"}, {"X-Request-ID", id}};
    request.body = body;
    response.Reset();
    double start = Cpu(CLOCK_THREAD_CPUTIME_ID);
    c->service->Handle(request, &response);
    deciding += Cpu(CLOCK_THREAD_CPUTIME_ID) - start;
    if (response.status != 200 || response.body.find("true") == std::string::npos) std::abort();
    if (c->log != nullptr && i % kBurst == kBurst - 1 && !c->log->Sync().ok()) std::abort();
  }
  c->decide_us.push_back(deciding * 1e6 / kRequests);
  c->log_us.push_back(((Cpu() - all) - (Cpu(CLOCK_THREAD_CPUTIME_ID) - own)) * 1e6 / kRequests);
}

int Run(const char* only) {
  const char* dir = std::getenv("DPL_BENCH_DIR");
  const fs::path folder = (dir != nullptr ? fs::path(dir) : fs::temp_directory_path()) /
                          ("dpl-record-bench-" + std::to_string(getpid()));
  fs::create_directories(folder);
  const std::string world = std::string(DPL_SOURCE_DIR) + "/tests/http/world/";
  testing::Compilation compilation;
  compilation.sources.Add("policy.dpl", Read(world + "policy.dpl"));
  Result<FactsInput> facts = ReadFactsJson(Read(world + "facts.json"), "facts");
  if (!testing::Compile({}, &compilation) || !facts.ok()) std::abort();
  Result<std::unique_ptr<Snapshot>> built =
      Snapshot::Build(compilation.program, *facts, SystemClock().Now());
  if (!built.ok()) std::abort();
  std::shared_ptr<const Snapshot> snapshot = built.take();

  std::vector<std::unique_ptr<Case>> cases;
  for (auto [name, audit, replay] :
       {std::tuple{"none", false, false}, {"log", true, false}, {"replay", true, true}}) {
    if (only != nullptr && std::strcmp(only, name) != 0) continue;
    auto c = std::make_unique<Case>();
    c->name = name, c->audit = audit, c->replay = replay;
    Open(c.get(), folder, snapshot);
    cases.push_back(std::move(c));
  }
  for (int round = 0; round < (only != nullptr ? 1 : kRounds); ++round) {
    for (auto& c : cases) Round(c.get());
  }
  for (auto& c : cases) {
    const double decide = Median(c->decide_us);
    std::printf("%-7s the deciding thread %.2f us CPU a request (%.2f of none)", c->name, decide,
                decide / Median(cases[0]->decide_us));
    if (c->log != nullptr) {
      AuditHealth health = c->log->Health();
      uint64_t bytes = 0;
      for (const fs::directory_entry& entry : fs::directory_iterator(folder / c->name)) {
        if (entry.path().extension() == ".jsonl") bytes += fs::file_size(entry.path());
      }
      std::printf(", the log's %.2f us a record, %.0f bytes each", Median(c->log_us),
                  static_cast<double>(bytes) / static_cast<double>(health.records));
    }
    std::printf("\n");
  }
  cases.clear();
  fs::remove_all(folder);
  return 0;
}

}  // namespace
}  // namespace dpl

int main(int argc, char** argv) { return dpl::Run(argc > 1 ? argv[1] : nullptr); }
