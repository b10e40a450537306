// What size costs one decision, in process: 100,000 grants against 10, 1,000,000 persons against
// 10, 100,000 agent templates against 1. No request is asked twice before all others were, in
// random order, so that what is looked up is as far from the cache as it would be; beside it the
// same with one request asked again and again. Also what compiling, reading and joining take at
// these sizes, and what they hold in memory.
//
//   growth_bench [ROUNDS [DECISIONS [WORLD]]]      (./dev bench growth; one WORLD of 0 to 4 for a
//   profiler)
//
// Medians of rounds, interleaved; figures and their reading are in docs/benchmarks.md.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <malloc.h>

#include "compiler/testing/compile.h"
#include "runtime/bytecode/decode.h"
#include "runtime/decide/answer.h"
#include "runtime/decide/answer_pieces.h"
#include "runtime/decide/engine.h"
#include "runtime/decide/wire_request.h"
#include "runtime/facts/json_facts.h"
#include "runtime/json/json.h"
#include "runtime/state/memory_store.h"
#include "tests/bench/measure.h"
#include "tests/bench/path.h"

namespace {

using namespace dpl;

constexpr size_t kMostRequests = 200'000;

struct World {
  const char* what;
  int grants, persons, agents;
  int against;  // the world it is held against
};
constexpr World kWorlds[] = {{"few of all", 10, 10, 1, 0},
                             {"10 grants, 100,000 persons", 10, 100'000, 1, 0},
                             {"100,000 grants, 100,000 persons", 100'000, 100'000, 1, 1},
                             {"1,000,000 persons", 10, 1'000'000, 1, 0},
                             {"100,000 agent templates", 10, 10, 100'000, 0}};

const char kHead[] =
    "package bench.orders owned by team finance\ngranted 2026-10-01\nreview every 3650d\n";

// Over several files, as a file has a bound.
void AddPolicy(const World& world, SourceSet* sources) {
  std::string text = kHead;
  text +=
      "person { key id: string has region: string }\nteam finance { owner person \"E0\" }\nteam "
      "staff { owner person \"E0\" }\nsystem "
      "shop { owner team finance }\n"
      "resource Order in shop { has region: string has vendor: string can read }\n"
      "forbid blocked { covers read on shop.Order where resource.vendor == \"Shady\" because "
      "\"Legal has blocked this vendor\" }\n";
  int part = 0;
  auto flush = [&](bool last) {
    if (!last && text.size() < (size_t{4} << 20)) return;
    sources->Add("part" + std::to_string(part++) + ".dpl", std::move(text));
    text = "package bench.orders\ngranted 2026-10-01\nreview every 3650d\n";
  };
  for (int i = 0; i < world.agents; ++i) {
    const std::string n = std::to_string(i);
    text += "agent helper" + n +
            " { purpose \"Read orders for a buyer\" accountable person \"E0\" runs as spiffe "
            "\"spiffe://bench/helper/" +
            n + "\" may read on shop.Order lives at most 8h }\ndelegation help" + n +
            " { from team staff to agent helper" + n +
            " consent by policy because \"Everyone may use helper " + n + "\" }\n";
    flush(false);
  }
  for (int i = 0; i < world.grants; ++i) {
    const std::string n = std::to_string(i);
    text += "role buyer" + n + " { owner team finance }\ngrant orders" + n + " { to role buyer" +
            n +
            " may read on shop.Order where resource.region == person.region because \"Buyers of "
            "group " +
            n + " read orders\" }\n";
    flush(false);
  }
  flush(true);
}

// Person i holds the role of grant i, going round.
std::string Facts(const World& world) {
  std::string text = R"({"persons":[{"id":"E0","attributes":{"region":"amer"}})";
  for (int i = 1; i <= world.persons; ++i)
    text += ",{\"id\":\"E" + std::to_string(i) + "\",\"attributes\":{\"region\":\"emea\"}}";
  text += R"(],"teams":{"finance":["E0"],"staff":["E0")";
  for (int i = 1; i <= world.persons; ++i) text += ",\"E" + std::to_string(i) + "\"";
  text += R"(]},"roles":[)";
  for (int role = 0; role < std::min(world.grants, world.persons); ++role) {
    text += role == 0 ? "" : ",";
    text += "{\"role\":\"buyer" + std::to_string(role) + "\",\"members\":[";
    for (int i = role; i < world.persons; i += world.grants)
      text += (i == role ? "\"E" : ",\"E") + std::to_string(i + 1) + "\"";
    text += "]}";
  }
  text +=
      R"(],"resources":[{"type":"shop.Order","id":"O1","attributes":{"region":"emea","vendor":"Paper"}}]})";
  return text;
}

double ResidentMb() {
  malloc_trim(0);
  std::ifstream status("/proc/self/statm");
  double pages = 0;
  status >> pages >> pages;
  return pages * 4096 / 1e6;
}

struct Case {
  const World* world = nullptr;
  double text_mb = 0, compile_s = 0, load_s = 0, facts_mb = 0, read_s = 0, join_s = 0;
  double policy_mb = 0, snapshot_mb = 0;
  std::unique_ptr<Snapshot> snapshot;
  std::unique_ptr<MemoryStore> store = std::make_unique<MemoryStore>();
  std::unique_ptr<AnswerPieces> parts;
  Scratch scratch;
  std::vector<std::string> persons, agents, bodies;  // of the requests, in the order they are asked
  size_t next = 0;
  std::vector<double> decide, path, again;  // ns CPU
};

bool Prepare(const World& world, Instant now, Case* c) {
  c->world = &world;
  testing::Compilation compilation;
  compilation.keep_bundle = true;
  AddPolicy(world, &compilation.sources);
  for (uint32_t i = 0; i < compilation.sources.size(); ++i)
    c->text_mb += static_cast<double>(compilation.sources[i].text().size()) / 1e6;
  double start = Cpu();
  if (!testing::Compile({}, &compilation)) return false;
  c->compile_s = Cpu() - start;
  const std::string bundle = std::move(compilation.bundle);
  compilation.sources = SourceSet();
  compilation.program.reset();
  double before = ResidentMb();
  start = Cpu();
  Result<Program> decoded = DecodeBundle(bundle);
  if (!decoded.ok()) return false;
  auto program = std::make_shared<const Program>(decoded.take());
  c->load_s = Cpu() - start;
  c->parts = std::make_unique<AnswerPieces>(*program);
  c->policy_mb = ResidentMb() - before;
  {
    const std::string text = Facts(world);
    c->facts_mb = static_cast<double>(text.size()) / 1e6;
    start = Cpu();
    Result<FactsInput> facts = ReadFactsJson(text, "bench facts");
    if (!facts.ok()) return false;
    c->read_s = Cpu() - start;
    before = ResidentMb();
    start = Cpu();
    Result<std::unique_ptr<Snapshot>> snapshot = Snapshot::Build(program, *facts, now);
    if (!snapshot.ok()) return false;
    c->join_s = Cpu() - start;
    c->snapshot = snapshot.take();
    c->snapshot_mb = ResidentMb() - before;
  }
  std::mt19937 random(7);
  const size_t count = std::min<size_t>(
      kMostRequests,
      std::max(static_cast<size_t>(std::max(world.persons, world.agents)), size_t{1}));
  auto shuffled = [&](int most) {
    std::vector<int> all(static_cast<size_t>(most));
    for (int i = 0; i < most; ++i) all[static_cast<size_t>(i)] = i;
    std::shuffle(all.begin(), all.end(), random);
    return all;
  };
  const std::vector<int> person = shuffled(world.persons), agent = shuffled(world.agents);
  for (size_t i = 0; i < count; ++i) {
    c->persons.push_back("E" + std::to_string(person[i % person.size()] + 1));
    c->agents.push_back("spiffe://bench/helper/" + std::to_string(agent[i % agent.size()]));
    c->bodies.push_back(
        R"({"subject":{"type":"person","id":")" + c->persons.back() +
        R"(","properties":{"act":{"sub":")" + c->agents.back() +
        R"(","instance":"run-1","iat":1795341600}}},"action":{"name":"read"},"resource":{"type":"shop.Order","id":"O1"}})");
  }
  return true;
}

bool Permits(Case* c, size_t i, const Caller& caller, Instant now) {
  Request request;
  request.subject_type = "person";
  request.subject_id = c->persons[i];
  request.hops[0] = {c->agents[i], "run-1", now};
  request.hop_count = 1;
  request.action = "read";
  request.resource_type = "shop.Order";
  request.resource_id = "O1";
  request.caller = &caller;
  return Decide(*c->snapshot, c->store.get(), request, now, &c->scratch).outcome ==
         OutcomeKind::kPermit;
}

}  // namespace

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 7;
  const int decisions = argc > 2 ? std::atoi(argv[2]) : 50'000;
  const int only = argc > 3 ? std::atoi(argv[3]) : -1;
  const Instant now = ParseInstant("2026-11-22T10:00Z").value();
  const Caller caller = Caller::Everything("bench");
  std::vector<std::unique_ptr<Case>> cases;
  for (int i = 0; i < static_cast<int>(std::size(kWorlds)); ++i) {
    if (only >= 0 && only != i) continue;
    const World& world = kWorlds[i];
    cases.push_back(std::make_unique<Case>());
    if (!Prepare(world, now, cases.back().get())) {
      std::fprintf(stderr, "growth_bench: the world of %s does not load\n", world.what);
      return 1;
    }
  }
  // Every run of every agent is on record before the clock starts.
  for (auto& c : cases)
    for (size_t i = 0; i < c->persons.size(); ++i) (void)Permits(c.get(), i, caller, now);
  PathBuffers buffers;
  std::string& answer = buffers.answer;
  for (int round = 0; round < rounds; ++round) {
    for (auto& c : cases) {
      auto step = [&c] { return c->next = c->next + 1 == c->persons.size() ? 0 : c->next + 1; };
      int permits = 0;
      double start = Cpu();
      for (int i = 0; i < decisions; ++i) permits += Permits(c.get(), step(), caller, now) ? 1 : 0;
      c->decide.push_back((Cpu() - start) * 1e9 / decisions);
      start = Cpu();
      for (int i = 0; i < decisions; ++i) {
        const Decision* d = BytesToBytes(c->bodies[step()], *c->snapshot, *c->parts, caller, now,
                                         c->store.get(), &c->scratch, &buffers);
        if (d == nullptr) return 1;
        permits += d->outcome == OutcomeKind::kPermit ? 1 : 0;
      }
      c->path.push_back((Cpu() - start) * 1e9 / decisions);
      start = Cpu();
      for (int i = 0; i < decisions; ++i) permits += Permits(c.get(), c->next, caller, now) ? 1 : 0;
      c->again.push_back((Cpu() - start) * 1e9 / decisions);
      if (permits != 3 * decisions) {
        std::fprintf(stderr, "growth_bench: %s: expected permits only, the last answer was %s\n",
                     c->world->what, answer.c_str());
        return 1;
      }
    }
  }
  std::printf("%-33s %8s %8s %8s %8s %8s %8s %10s %10s\n", "", "text MB", "compile s", "load s",
              "policy MB", "facts MB", "read s", "join s", "facts held");
  for (auto& c : cases) {
    std::printf("%-33s %8.1f %8.2f %8.2f %8.0f %8.1f %8.2f %10.2f %7.0f MB\n", c->world->what,
                c->text_mb, c->compile_s, c->load_s, c->policy_mb, c->facts_mb, c->read_s,
                c->join_s, c->snapshot_mb);
  }
  std::printf("\n%-33s %12s %8s %16s %8s %14s %8s   (goal 6, 4)\n", "ns CPU a decision", "decide",
              "times", "bytes to bytes", "times", "same request", "times");
  for (auto& c : cases) {
    const Case& base = *cases[only >= 0 ? 0 : static_cast<size_t>(c->world->against)];
    auto times = [&](std::vector<double> Case::*of) {
      std::vector<double> ratios;
      for (size_t i = 0; i < ((*c).*of).size(); ++i)
        ratios.push_back(((*c).*of)[i] / (base.*of)[i]);
      return Median(ratios);
    };
    std::printf("%-33s %12.0f %8.2f %16.0f %8.2f %14.0f %8.2f\n", c->world->what, Median(c->decide),
                times(&Case::decide), Median(c->path), times(&Case::path), Median(c->again),
                times(&Case::again));
  }
  return 0;
}
