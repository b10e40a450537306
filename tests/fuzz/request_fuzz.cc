// Fuzzes the request decoder and the decision behind it: any JSON gives an error of the request or
// a whole answer, the same one each time, valid JSON itself; a caller that may assert nothing gets
// only what is open to the public.
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>

#include "compiler/testing/compile.h"
#include "runtime/decide/answer.h"
#include "runtime/decide/engine.h"
#include "runtime/decide/wire_request.h"
#include "runtime/facts/json_facts.h"
#include "runtime/json/json.h"
#include "runtime/state/memory_store.h"

namespace dpl {
namespace {

constexpr std::string_view kPolicy = R"dpl(
package t owned by team staff
granted 2026-01-01
review every 999d
enum Class { open < internal < secret }
person { key id: string  has region: string  has clearance: Class from request }
context { has ip: ip from request }
team staff { owner person "E1" }
system app { owner team staff }
system crm { owner team staff  account keyed by login: string  link person by id checked within 999d }
resource Folder in app { within app.Folder?  can list }
resource Doc in app {
  within folder: app.Folder from request  has class: Class  has labels: labels from request  has owner: Person from request
  can read, share { days: int = 7, to: set<Person> }
  can pay { amount: money must be limited }
  can create { parent: app.Folder } makes
}
resource File in app { key path: path  can write }
resource Lead in crm { can read }
grant reading {
  to team staff  may read, share, create on app.Doc  may pay on app.Doc  may read on crm.Lead  may write on app.File in "/srv/out"
  limit amount to 100 USD each, beyond that ask pair up to 1_000 USD
  limit amount to 5_000 USD in any 1h for each person
  because "Staff work"
}
grant opened { to public  may read on app.Doc where resource.class == Class.open  because "Open documents" }
forbid secrets { covers any action on app.Doc where resource.class == Class.secret  because "Secrets" }
forbid outside { applies to any agent  covers any action on app.Doc where not (context.ip in ip("10.0.0.0/8"))  because "Only from inside" }
approval pair { by 1 of team staff  within 4h  good for 1 request within 24h  because "Two" }
agent helper {
  accountable person "E1"  purpose "Works"  runs as spiffe "spiffe://acme.example/helper"  may read, pay on app.Doc  lives at most 1h
}
agent night {
  accountable person "E1"  purpose "Works"  runs as spiffe "spiffe://acme.example/night"  modes standing  may read on app.Doc  lives at most 1h
}
grant nightly { to agent night  may read on app.Doc  because "At night" }
delegation help { from team staff  to agent helper  consent by policy  because "Work" }
partner globex {
  issuer "https://id.globex.example"  accepts agents  at most 2 hops  may read on app.Doc
  limit requests to 5 per day for each partner  because "Joint research"  expires 2030-01-01
}
grant joint { to partner globex  may read on app.Doc where resource.class <= Class.internal  because "Joint papers" }
delegation cover {
  from team staff  to person "E1"  may read, pay on app.Doc  onward to agent helper, at most 1 hop  consent by policy  because "Cover"
}
)dpl";
constexpr std::string_view kFacts =
    R"({"persons": [{"id": "E1", "attributes": {"region": "emea"}}, {"id": "E7"}], "teams": {"staff": ["E1", "E7"]}, "roles": [],
  "accounts": [{"system": "crm", "key": "seven", "person": "E7", "checked": "2026-11-01"}],
  "resources": [{"type": "app.Folder", "id": "A", "parent": null}, {"type": "app.Doc", "id": "d1", "parent": "A", "attributes": {"class": "internal"}},
                {"type": "app.Doc", "id": "d2", "parent": "A", "attributes": {"class": "open"}}]})";

struct Setup {
  std::unique_ptr<Snapshot> snapshot;
  Instant now = InstantAt(*ParseDate("2026-11-20"));
  Setup() {
    testing::Compilation c;
    c.sources.Add("fuzz.dpl", std::string(kPolicy));
    bool ok = testing::Compile({}, &c);
    for (const Diagnostic& d : c.sink.Sorted()) {
      if (!ok)
        fprintf(stderr, "%s %s (line %u)\n", CodeText(d.code).c_str(), d.message.c_str(),
                d.span.line);
    }
    DPL_CHECK(ok);
    Result<FactsInput> facts = ReadFactsJson(kFacts, "fuzz.json");
    DPL_CHECK(facts.ok());
    Result<std::unique_ptr<Snapshot>> built = Snapshot::Build(c.program, *facts, now);
    DPL_CHECK(built.ok());
    snapshot = built.take();
  }
};

// The answer of one caller to one request, on a state of its own.
OutcomeKind Answer(const Setup& setup, const WireEvaluation& wire, const Caller& caller,
                   bool details, std::string* out) {
  static Scratch scratch;
  Arena arena;
  MemoryStore store;
  Result<Request> request = ReadWireRequest(wire, caller, &arena);
  if (!request.ok()) {
    DPL_CHECK(request.error().code == "request");
    out->append(request.error().message);
    return OutcomeKind::kDeny;
  }
  const Decision& d = Decide(*setup.snapshot, &store, *request, setup.now, &scratch);
  DPL_CHECK(d.outcome != OutcomeKind::kPermit ||
            (d.by.size > 0 && !d.dry_run && d.reason == Reason::kPermit));
  DPL_CHECK(d.outcome != OutcomeKind::kPermit || caller.serves_persons ||
            d.mode == ActingMode::kPublic);
  DPL_CHECK(d.valid_until >= d.now);
  AnswerOptions options;
  options.evaluation_id = "ev";
  options.details = details;
  AppendAnswerJson(out, *setup.snapshot, *request, d, options);
  JsonLimits limits;
  limits.max_bytes = 1 << 20;
  DPL_CHECK(ParseJson(*out, &arena, limits).ok());
  std::string text;
  AppendExplanation(&text, *setup.snapshot, *request, d);
  return d.outcome;
}

void Run(std::string_view data) {
  static const Setup setup;
  static const Caller everything = Caller::Everything("fuzz");
  static const Caller nothing{};
  Arena arena;
  Result<const WireValue*> root = ParseJson(data, &arena);
  if (!root.ok()) return;
  WireEvaluation wire{(*root)->Find("subject"), (*root)->Find("action"), (*root)->Find("resource"),
                      (*root)->Find("context")};
  std::string first, second, less;
  OutcomeKind outcome = Answer(setup, wire, everything, true, &first);
  DPL_CHECK(Answer(setup, wire, everything, true, &second) == outcome && first == second);
  Answer(setup, wire, nothing, false, &less);
}

}  // namespace
}  // namespace dpl

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  dpl::Run({reinterpret_cast<const char*>(data), size});
  return 0;
}
