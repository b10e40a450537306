// Our own engine as `./dev bench peers` asks every engine in process: reads a world (worlds.py),
// says what it decides of each request, and what a decision costs.
//
//   peer_dpl WORLD SECONDS
//
// One line of JSON: {"decisions":"0110…","load_ms":…,"ns":{"decide":[…],"bytes":[…],"brief":[…]}}.
// A value is the mean over all requests of the world, in CPU nanoseconds of the process; there is
// one for each pass. "decide" starts from a Request, "bytes" from the text of an AuthZEN request
// and ends with the answer and its full rationale, "brief" with the answer for callers without
// `details`.
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "compiler/testing/compile.h"
#include "runtime/decide/answer.h"
#include "runtime/decide/engine.h"
#include "runtime/decide/wire_request.h"
#include "runtime/facts/json_facts.h"
#include "runtime/json/json.h"
#include "runtime/state/memory_store.h"
#include "tests/bench/measure.h"

namespace {

using namespace dpl;

[[noreturn]] void Fail(const std::string& why) {
  std::fprintf(stderr, "peer_dpl: %s\n", why.c_str());
  std::exit(1);
}

std::string Text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) Fail("cannot read " + path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// Repeats a pass for `seconds`, a quarter of it first to warm up; CPU nanoseconds of a decision.
std::vector<double> Passes(double seconds, size_t decisions, const std::function<void()>& pass) {
  std::vector<double> ns;
  for (double end = Now() + seconds / 4; pass(), Now() < end;) {
  }
  const double end = Now() + seconds;
  do {
    const double start = Cpu();
    pass();
    ns.push_back((Cpu() - start) * 1e9 / static_cast<double>(decisions));
  } while (Now() < end);
  return ns;
}

std::string List(const std::vector<double>& values) {
  std::string out = "[";
  for (double value : values) {
    if (out.size() > 1) out += ",";
    out += std::to_string(static_cast<long long>(value));
  }
  return out + "]";
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) Fail("usage: peer_dpl WORLD SECONDS");
  const std::string world = argv[1];
  const double seconds = std::atof(argv[2]);

  testing::Compilation compilation;
  if (Status s = testing::LoadSources({world + "/dpl"}, &compilation.sources); !s.ok()) {
    Fail(s.error().message);
  }
  if (!testing::Compile({}, &compilation)) Fail("the policy of " + world + " does not compile");
  const double load = Cpu();
  const Instant now = ParseInstant("2026-11-22T10:00Z").value();
  Result<FactsInput> facts = ReadFactsJson(Text(world + "/facts.json"), "facts.json");
  if (!facts.ok()) Fail("facts.json: " + facts.error().message);
  Result<std::unique_ptr<Snapshot>> snapshot = Snapshot::Build(compilation.program, *facts, now);
  if (!snapshot.ok()) Fail("facts.json: " + snapshot.error().message);
  const double load_ms = (Cpu() - load) * 1e3;

  MemoryStore store;
  Arena kept;
  const std::string revoked = Text(world + "/revoked.json");
  Result<const WireValue*> agents = ParseJson(revoked, &kept, FileJsonLimits());
  if (!agents.ok()) Fail("revoked.json: " + agents.error().message);
  for (uint32_t i = 0; i < (*agents)->count; ++i) {
    store.Revoke(RevokedKind::kAgent, (*agents)->items[i].text, std::nullopt);
  }

  const Caller caller = Caller::Everything("bench");
  std::vector<std::string> bodies;
  std::istringstream lines(Text(world + "/dpl.jsonl"));
  for (std::string line; std::getline(lines, line);) bodies.push_back(line);
  std::vector<Request> requests;
  for (const std::string& body : bodies) {
    Result<const WireValue*> root = ParseJson(body, &kept, FileJsonLimits());
    if (!root.ok()) Fail("dpl.jsonl: " + root.error().message);
    Result<Request> request = ReadWireRequest({(*root)->Find("subject"), (*root)->Find("action"),
                                               (*root)->Find("resource"), (*root)->Find("context")},
                                              caller, &kept);
    if (!request.ok()) Fail("dpl.jsonl: " + request.error().message);
    requests.push_back(*request);
  }

  Scratch scratch;
  std::string decisions;
  for (const Request& request : requests) {
    const Decision& d = Decide(**snapshot, &store, request, now, &scratch);
    decisions += d.outcome == OutcomeKind::kPermit ? '1' : '0';
  }
  Arena arena;
  std::string answer;
  std::string text;
  size_t bytes_out = 0;
  const auto path = [&](bool details) {
    return [&, details] {
      for (const std::string& body : bodies) {
        arena.Reset();
        answer.clear();
        Result<const WireValue*> root = ParseJson(body, &arena, JsonLimits{});
        Result<Request> request =
            ReadWireRequest({(*root)->Find("subject"), (*root)->Find("action"),
                             (*root)->Find("resource"), (*root)->Find("context")},
                            caller, &arena);
        const Decision& d = Decide(**snapshot, &store, *request, now, &scratch);
        AppendAnswerJson(&answer, **snapshot, *request, d,
                         {.evaluation_id = "ev_1", .details = details, .text = &text});
        bytes_out += answer.size();
      }
    };
  };
  size_t permits = 0;
  const auto decide = [&] {
    for (const Request& request : requests) {
      permits += Decide(**snapshot, &store, request, now, &scratch).outcome == OutcomeKind::kPermit;
    }
  };
  const std::string decide_ns = List(Passes(seconds / 3, requests.size(), decide));
  const std::string bytes_ns = List(Passes(seconds / 3, requests.size(), path(true)));
  const std::string brief_ns = List(Passes(seconds / 3, requests.size(), path(false)));
  std::printf(
      "{\"decisions\":\"%s\",\"load_ms\":%.1f,\"ns\":{\"decide\":%s,\"bytes\":%s,\"brief\":%s}}\n",
      decisions.c_str(), load_ms, decide_ns.c_str(), bytes_ns.c_str(), brief_ns.c_str());
  return permits + bytes_out == 0 ? 1 : 0;
}
