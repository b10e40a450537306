// What a request costs between its bytes and those of its answer: reading its head, the service
// (Service::Handle), framing; without a socket and without an audit log. One evaluation of each
// kind, and batches of fifty beside it.
//
//   service_bench                   medians of several rounds, interleaved, and ratios
//   service_bench CASE [REQUESTS]   that one alone, for a profile: direct, agent, task, denied,
//                                   batch, batch-deny, batch-permit, batch-apart
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "compiler/testing/compile.h"
#include "runtime/facts/json_facts.h"
#include "runtime/state/memory_store.h"
#include "runtime/state/seed.h"
#include "server/api/service.h"
#include "server/http/limits.h"
#include "server/http/request_reader.h"
#include "tests/bench/measure.h"

namespace dpl {
namespace {

constexpr int kRounds = 15;
constexpr int kItems = 50;
constexpr int kOfTask = 3;  // orders that the task is about

constexpr char kPolicy[] = R"dpl(
package acme.shop owned by team staff
granted 2026-10-01
review every 3650d
person { key id: string  has region: string }
team staff { owner person "E1" }
role buyer { owner team staff }
system shop { owner team staff }
resource Order in shop { has region: string  has vendor: string  can read }
grant reading {
  to role buyer  may read on shop.Order where resource.region == person.region  because "Buyers read the orders of their region"
}
forbid blocked { covers read on shop.Order where resource.vendor == "Shady"  because "Legal has blocked this vendor" }
agent helper {
  accountable person "E1"  purpose "Reads orders for a buyer"  runs as spiffe "spiffe://bench/helper"
  may read on shop.Order  lives at most 10h
}
task look(orders: set<shop.Order>) {
  for agent helper  may read on shop.Order where resource in orders  lasts at most 4h  nothing else
}
delegation help {
  from role buyer  to agent helper  may read on shop.Order  consent by policy  because "Reading may be handed to software"
}
)dpl";

std::string Facts() {
  std::string resources, ids;
  for (int i = 0; i < kItems; ++i) {
    const std::string id = "O" + std::to_string(i);
    resources += (i == 0 ? "" : ",") + std::string(R"({"type":"shop.Order","id":")") + id +
                 R"(","attributes":{"region":"emea","vendor":"Paper"}})";
    if (i < kOfTask) ids += (i == 0 ? "\"" : ",\"") + id + "\"";
  }
  return R"({"version":"bench-1","persons":[{"id":"E1","attributes":{"region":"emea"}}],"teams":{"staff":["E1"]},
             "roles":[{"role":"buyer","members":["E1"]}],"resources":[)" +
         resources +
         R"(],"tasks":[{"id":"t1","shape":"look","person":"E1","agent":"helper","args":{"orders":[)" +
         ids + "]}}]}";
}

const std::string kSubject = R"("subject":{"type":"person","id":"E1"})";
const std::string kActing =
    R"("subject":{"type":"person","id":"E1","properties":{"act":{"sub":"spiffe://bench/helper","instance":"run-1"}}})";
// A run in a task stays in it.
const std::string kWorking =
    R"("subject":{"type":"person","id":"E1","properties":{"act":{"sub":"spiffe://bench/helper","instance":"run-2"}}})";
const std::string kAction = R"("action":{"name":"read"})";

std::string Order(int i) {
  return R"("resource":{"type":"shop.Order","id":"O)" + std::to_string(i) + "\"}";
}
// Subject and action once, fifty resources.
std::string Batch(const std::string& options) {
  std::string body = "{" + kActing + "," + kAction + options + ",\"evaluations\":[";
  for (int i = 0; i < kItems; ++i) body += (i == 0 ? "{" : ",{") + Order(i) + "}";
  return body + "]}";
}
// The same, each with everything of its own.
std::string Apart() {
  std::string body = "{\"evaluations\":[";
  for (int i = 0; i < kItems; ++i)
    body += (i == 0 ? "{" : ",{") + kActing + "," + kAction + "," + Order(i) + "}";
  return body + "]}";
}
std::string Semantic(const char* name) {
  return R"(,"options":{"evaluations_semantic":")" + std::string(name) + "\"}";
}

struct Case {
  const char* name;
  std::string body;
  int items;    // evaluated
  int permits;  // as many as that
  std::vector<double> micros;
};

std::vector<Case> Cases() {
  std::string denied = Batch(Semantic("permit_on_first_permit"));
  for (size_t at; (at = denied.find("\"id\":\"O")) != std::string::npos;) denied[at + 6] = 'X';
  return {{"direct", "{" + kSubject + "," + kAction + "," + Order(1) + "}", 1, 1, {}},
          {"agent", "{" + kActing + "," + kAction + "," + Order(1) + "}", 1, 1, {}},
          {"task",
           "{" + kWorking + "," + kAction + "," + Order(1) + R"(,"context":{"task":"t1"}})",
           1,
           1,
           {}},
          {"denied", "{" + kActing + "," + kAction + "," + Order(kItems) + "}", 1, 0, {}},
          {"batch", Batch(""), kItems, kItems, {}},
          {"batch-deny", Batch(Semantic("deny_on_first_deny")), kItems, kItems, {}},
          {"batch-permit", denied, kItems, 0, {}},
          {"batch-apart", Apart(), kItems, kItems, {}}};
}

class Bench {
 public:
  Bench() {
    testing::Compilation compilation;
    compilation.sources.Add("bench.dpl", kPolicy);
    if (!testing::Compile({}, &compilation)) std::abort();
    Result<FactsInput> facts = ReadFactsJson(Facts(), "facts");
    if (!facts.ok()) std::abort();
    Result<std::unique_ptr<Snapshot>> built =
        Snapshot::Build(compilation.program, *facts, clock_.Now());
    if (!built.ok() || !SeedState(**built, *facts, &store_, clock_.Now()).ok()) std::abort();
    service_ = std::make_unique<Service>(
        ServiceOptions{.clock = &clock_, .store = &store_, .version = "1", .start_id = "bench"});
    service_->Publish(built.take(), std::make_shared<CallerRegistry>());
  }

  // What a client gets, and whether it is what the case says.
  bool Once(const Case& c) {
    Say(c);
    std::string text = response_.body;
    int permits = 0, items = 0;
    for (size_t at = 0; (at = text.find("{\"decision\":", at)) != std::string::npos; ++at) {
      ++items;
      permits += text.compare(at + 12, 4, "true") == 0 ? 1 : 0;
    }
    if (response_.status == 200 && items == c.items && permits == c.permits) return true;
    std::fprintf(stderr, "service_bench: %s is answered by %d %.2000s\n", c.name, response_.status,
                 text.c_str());
    return false;
  }

  void Run(const Case& c, int requests) {
    for (int i = 0; i < requests; ++i) Say(c);
  }

 private:
  void Say(const Case& c) {
    if (&c != said_) {
      said_ = &c;
      wire_ = "POST /access/v1/evaluation" + std::string(c.items > 1 ? "s" : "") +
              " HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nContent-Type: application/json\r\n"
              "Content-Length: " +
              std::to_string(c.body.size()) + "\r\n\r\n" + c.body;
      received_.resize(wire_.size() + 4096);
    }
    std::span<char> space = reader_.Space(received_);
    std::memcpy(space.data(), wire_.data(), wire_.size());
    reader_.Received(wire_.size());
    if (reader_.Next() != http::RequestReader::State::kReady) std::abort();
    response_.Reset();
    service_->Handle(reader_.request(), &response_);
    reader_.Consume();
  }

  SystemClock clock_;
  MemoryStore store_;
  std::unique_ptr<Service> service_;
  HttpLimits limits_;
  http::RequestReader reader_{limits_};
  std::vector<char> received_;
  std::string wire_;
  HttpResponse response_;
  const Case* said_ = nullptr;
};

int Main(int argc, char** argv) {
  Bench bench;
  std::vector<Case> cases = Cases();
  for (const Case& c : cases) {
    if (!bench.Once(c)) return 1;
  }
  if (argc > 1) {
    for (const Case& c : cases) {
      if (std::strcmp(c.name, argv[1]) == 0) bench.Run(c, argc > 2 ? std::atoi(argv[2]) : 100'000);
    }
    return 0;
  }
  for (int round = 0; round < kRounds; ++round) {
    for (Case& c : cases) {
      const int requests = 10'000 / c.items;
      const double start = Cpu();
      bench.Run(c, requests);
      c.micros.push_back((Cpu() - start) * 1e6 / requests);
    }
  }
  for (const Case& c : cases) {
    std::vector<double> share;  // of an item, in one request of an agent
    for (size_t i = 0; i < c.micros.size(); ++i)
      share.push_back(c.micros[i] / c.items / cases[1].micros[i]);
    std::printf("%-13s %8.2f us CPU a request", c.name, Median(c.micros));
    if (c.items > 1) {
      std::printf(", an item %.3f us, %.2f of one agent's request", Median(c.micros) / c.items,
                  Median(share));
    }
    std::printf("\n");
  }
  return 0;
}

}  // namespace
}  // namespace dpl

int main(int argc, char** argv) { return dpl::Main(argc, argv); }
