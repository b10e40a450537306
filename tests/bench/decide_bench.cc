// How the cost of one decision grows with the number of grants, what the whole path from request
// bytes to answer bytes costs beside it, and both beside the same written by hand (by_hand.h).
// Prints medians of several rounds, interleaved, and ratios inside this one run; figures and their
// reading are in docs/benchmarks.md.
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "compiler/testing/compile.h"
#include "runtime/decide/answer.h"
#include "runtime/decide/answer_pieces.h"
#include "runtime/decide/engine.h"
#include "runtime/decide/wire_request.h"
#include "runtime/facts/json_facts.h"
#include "runtime/json/json.h"
#include "runtime/state/memory_store.h"
#include "tests/bench/by_hand.h"
#include "tests/bench/by_hand_json.h"
#include "tests/bench/measure.h"
#include "tests/bench/path.h"

namespace {

using namespace dpl;

int rounds = 9;
int decisions = 20'000;

// `grants` grants on one resource type, each to a role of its own; E1 holds the last one's. Or, as
// a bucket, all to that role, told apart by their conditions. One agent, one forbid.
std::string PolicyText(int grants, bool bucket) {
  std::string text =
      "package bench.orders owned by team finance\ngranted 2026-10-01\nreview every 3650d\n"
      "person { key id: string has region: string }\nteam finance { owner person \"E0\" }\nsystem "
      "shop { owner team finance }\n"
      "resource Order in shop { has region: string has vendor: string "
      "has number: int can read }\n"
      "forbid blocked { covers read on shop.Order where resource.vendor == \"Shady\" because "
      "\"Legal has blocked this vendor\" }\n"
      "agent helper { purpose \"Read orders for a buyer\" accountable person \"E0\" runs as spiffe "
      "\"spiffe://bench/helper\" "
      "may read on shop.Order lives at most 8h }\n"
      "delegation help { from everyone to agent helper consent by policy because \"Everyone may "
      "use the helper\" }\n";
  for (int i = 0; i < grants; ++i) {
    std::string n = std::to_string(i);
    if (bucket) {
      const std::string role = "buyer" + std::to_string(grants - 1);
      if (i == 0) text += "role " + role + " { owner team finance }\n";
      text += "grant orders" + n + " { to role " + role +
              " may read on shop.Order where resource.number == " + n +
              " because \"Buyers read order " + n + "\" }\n";
      continue;
    }
    text += "role buyer" + n + " { owner team finance }\ngrant orders" + n + " { to role buyer" +
            n +
            " may read on shop.Order where resource.region == person.region because \"Buyers of "
            "group " +
            n + " read orders\" }\n";
  }
  return text;
}

struct Case {
  int grants = 0;
  std::shared_ptr<const Program> program;
  std::unique_ptr<Snapshot> snapshot;
  std::unique_ptr<MemoryStore> store = std::make_unique<MemoryStore>();
  std::unique_ptr<AnswerPieces> parts;
  Scratch scratch;
  double compile_ms = 0;
  std::vector<double> decide_ns, path_ns;
  std::unique_ptr<ByHand> by_hand;
  // Of what is written by hand, within a round; `json`: with a reader of any JSON.
  std::vector<double> decide_ratio, path_ratio, json_ratio;
};

bool Prepare(int grants, bool bucket, Instant now, Case* c) {
  c->grants = grants;
  testing::Compilation compilation;
  compilation.sources.Add("bench.dpl", PolicyText(grants, bucket));
  double start = Cpu();
  if (!testing::Compile({}, &compilation)) return false;
  c->compile_ms = (Cpu() - start) * 1e3;
  c->program = compilation.program;
  c->parts = std::make_unique<AnswerPieces>(*c->program);
  std::string role = "buyer" + std::to_string(grants - 1);
  Result<FactsInput> facts = ReadFactsJson(
      R"({"persons":[{"id":"E0","attributes":{"region":"amer"}},{"id":"E1","attributes":{"region":"emea"}}],"teams":{"finance":["E0"]},
          "roles":[{"role":")" +
          role + R"(","members":["E1"]}],
          "resources":[{"type":"shop.Order","id":"O1","attributes":{"region":"emea","vendor":"Paper","number":)" +
          std::to_string(grants - 1) + "}}]}",
      "bench facts");
  if (!facts.ok()) return false;
  Result<std::unique_ptr<Snapshot>> snapshot = Snapshot::Build(c->program, *facts, now);
  if (!snapshot.ok()) return false;
  c->snapshot = snapshot.take();
  return true;
}

const char kBody[] =
    R"({"subject":{"type":"person","id":"E1","properties":{"act":{"sub":"spiffe://bench/helper","instance":"run-1","iat":1764000000}}},)"
    R"("action":{"name":"read"},"resource":{"type":"shop.Order","id":"O1"}})";

// What makes the second yardstick an honest one.
bool ReadsAsClaimed(ByHandJson* json) {
  ByHand::Asked q;
  const bool turned = json->Read(
      R"({"x":[{"type":1},null,"y"],"resource":{"id":"O1","deep":{"id":7},"type":"shop.Order"},"action":{"name":"re\u0061d"},)"
      R"("subject":{"properties":{"act":{"iat":1764000000.5,"instance":"run-1","sub":"spiffe://bench/helper"}},"id":"E1","type":"person"}} )",
      &q);
  if (!turned || q.subject_type != "person" || q.person != "E1" || q.action != "read" ||
      q.agent != "spiffe://bench/helper" || q.instance != "run-1" || q.type != "shop.Order" ||
      q.resource != "O1" || q.born_s != 1764000000)
    return false;
  for (const auto& [from, to] : {std::pair<std::string_view, std::string_view>("\"E1\"", "1"),
                                 {"\"read\"", "null"},
                                 {"{\"name\":\"read\"}", "[]"},
                                 {"\"O1\"", "\"\xff\""},
                                 {"1764000000", "\"soon\""},
                                 {",\"id\":\"O1\"", ""},
                                 {"\"O1\"}}", "\"O1\"}"},
                                 {"\"O1\"}}", "\"O1\"}}}"}}) {
    std::string body = kBody;
    body.replace(body.find(from), from.size(), to);
    if (json->Read(body, &q)) return false;
  }
  return json->Read(kBody, &q);
}

}  // namespace

int main(int argc, char** argv) {
  // Fewer of them, for a profiler: decide_bench ROUNDS DECISIONS
  if (argc > 1) rounds = std::atoi(argv[1]);
  if (argc > 2) decisions = std::atoi(argv[2]);
  const Instant now = ParseInstant("2026-11-22T10:00Z").value();
  const Caller caller = Caller::Everything("bench");
  std::vector<std::unique_ptr<Case>> cases;
  for (int grants : {10, 1'000, 10'000}) {
    auto c = std::make_unique<Case>();
    if (!Prepare(grants, false, now, c.get())) {
      std::fprintf(stderr, "decide_bench: the generated policy with %d grants does not compile\n",
                   grants);
      return 1;
    }
    cases.push_back(std::move(c));
  }
  std::vector<std::unique_ptr<Case>> buckets;
  for (int grants : {10, 300, 3'000}) {
    auto c = std::make_unique<Case>();
    if (!Prepare(grants, true, now, c.get())) {
      std::fprintf(stderr, "decide_bench: the bucket of %d grants does not compile\n", grants);
      return 1;
    }
    buckets.push_back(std::move(c));
  }
  ByHandJson json;
  const auto read_json = [&json](std::string_view body, ByHand::Asked* q) {
    return json.Read(body, q);
  };
  if (!ReadsAsClaimed(&json)) {
    std::fprintf(stderr, "decide_bench: the yardstick does not read what it should\n");
    return 1;
  }
  PathBuffers buffers;
  std::string& answer = buffers.answer;
  Request& read = buffers.request;
  for (int round = 0; round < rounds; ++round) {
    for (auto& c : cases) {
      Request request;
      request.subject_type = "person";
      request.subject_id = "E1";
      request.hops[0] = {"bench.orders.helper", "run-1", now};
      request.hop_count = 1;
      request.action = "read";
      request.resource_type = "shop.Order";
      request.resource_id = "O1";
      request.caller = &caller;
      int permits = 0;
      double start = Cpu();
      for (int i = 0; i < decisions; ++i) {
        permits += Decide(*c->snapshot, c->store.get(), request, now, &c->scratch).outcome ==
                           OutcomeKind::kPermit
                       ? 1
                       : 0;
      }
      c->decide_ns.push_back((Cpu() - start) * 1e9 / decisions);
      start = Cpu();
      for (int i = 0; i < decisions; ++i) {
        const Decision* d = BytesToBytes(kBody, *c->snapshot, *c->parts, caller, now,
                                         c->store.get(), &c->scratch, &buffers);
        if (d == nullptr) return 1;
        permits += d->outcome == OutcomeKind::kPermit ? 1 : 0;
      }
      c->path_ns.push_back((Cpu() - start) * 1e9 / decisions);
      // The same by hand, right behind it.
      if (c->by_hand == nullptr) c->by_hand = std::make_unique<ByHand>(c->grants, answer, now);
      ByHand::Asked asked;
      if (!ByHand::Read(kBody, &asked)) return 1;
      int granted = 0;
      start = Cpu();
      for (int i = 0; i < decisions; ++i) {
        asm volatile("" : : "g"(&asked) : "memory");  // nothing is known of it beforehand
        granted += c->by_hand->Decide(asked, now) == c->grants - 1 ? 1 : 0;
      }
      c->decide_ratio.push_back(c->decide_ns.back() / ((Cpu() - start) * 1e9 / decisions));
      const std::string engine = answer;
      start = Cpu();
      for (int i = 0; i < decisions; ++i) {
        answer.clear();
        granted += c->by_hand->Path(kBody, now, "ev_1", &answer) ? 1 : 0;
      }
      c->path_ratio.push_back(c->path_ns.back() / ((Cpu() - start) * 1e9 / decisions));
      const bool same = answer == engine;
      start = Cpu();
      for (int i = 0; i < decisions; ++i) {
        answer.clear();
        granted += c->by_hand->Path(kBody, now, "ev_1", &answer, read_json) ? 1 : 0;
      }
      c->json_ratio.push_back(c->path_ns.back() / ((Cpu() - start) * 1e9 / decisions));
      if (granted != 3 * decisions || !same || answer != engine) {
        std::fprintf(stderr, "decide_bench: by hand it is\n%s\nnot\n%s\n", answer.c_str(),
                     engine.c_str());
        return 1;
      }
      if (permits != 2 * decisions) {
        std::fprintf(stderr, "decide_bench: expected permits only, the last answer was %s\n",
                     answer.c_str());
        return 1;
      }
    }
  }
  // The same request where all grants are of one role and differ in their condition; first as the
  // index finds it, then with every one of them tried.
  read.hops[0].born = now;  // these stores have not seen the run yet
  std::vector<double> every_ns[3];
  for (int round = 0; round < rounds; ++round) {
    for (size_t i = 0; i < buckets.size(); ++i) {
      Case& c = *buckets[i];
      Scratch every;
      every.TryEveryClauseForTest();
      for (Scratch* scratch : {&c.scratch, &every}) {
        const int times = scratch == &every ? decisions / 20 + 1 : decisions;
        int permits =
            Decide(*c.snapshot, c.store.get(), read, now, scratch).outcome == OutcomeKind::kPermit
                ? 1
                : 0;
        const double start = Cpu();
        for (int k = 0; k < times; ++k)
          permits +=
              Decide(*c.snapshot, c.store.get(), read, now, scratch).outcome == OutcomeKind::kPermit
                  ? 1
                  : 0;
        (scratch == &every ? every_ns[i] : c.decide_ns).push_back((Cpu() - start) * 1e9 / times);
        if (permits != times + 1) {
          std::fprintf(stderr, "decide_bench: a bucket does not permit\n");
          return 1;
        }
      }
    }
  }
  double base = Median(cases[0]->decide_ns);
  double base_path = Median(cases[0]->path_ns);
  std::printf("%8s %14s %18s %8s %22s %8s %12s\n", "grants", "compile ms", "decide ns (cpu)",
              "/ 10", "bytes to bytes ns (cpu)", "/ 10", "answer bytes");
  for (auto& c : cases) {
    double decide = Median(c->decide_ns);
    double path = Median(c->path_ns);
    std::printf("%8d %14.1f %18.0f %8.2f %22.0f %8.2f %12zu\n", c->grants, c->compile_ms, decide,
                decide / base, path, path / base_path, answer.size());
  }
  std::printf(
      "\nthe same written by hand, in the same round (goals: decide 3, 1.5; bytes to bytes 2.0, "
      "1.3)\n");
  for (auto& c : cases) {
    std::printf(
        "%8d grants: decide %.2f, bytes to bytes %.2f times as long; %.2f where the JSON is read "
        "by a "
        "reader of any JSON\n",
        c->grants, Median(c->decide_ratio), Median(c->path_ratio), Median(c->json_ratio));
  }
  std::printf("\ngrants of one role that differ in their condition alone (goal: flat)\n");
  for (size_t i = 0; i < buckets.size(); ++i) {
    std::printf("%8d grants: decide %.0f ns, with every one tried %.0f\n", buckets[i]->grants,
                Median(buckets[i]->decide_ns), Median(every_ns[i]));
  }
  return 0;
}
