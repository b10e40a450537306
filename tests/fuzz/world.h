// A small world that has some of everything: what the fuzzers of requests ask about.
#pragma once

#include <cstdio>
#include <memory>
#include <string>
#include <string_view>

#include "compiler/testing/compile.h"
#include "runtime/facts/json_facts.h"
#include "runtime/facts/snapshot.h"

namespace dpl::fuzz {

inline constexpr std::string_view kPolicy = R"dpl(
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
inline constexpr std::string_view kFacts =
    R"({"persons": [{"id": "E1", "attributes": {"region": "emea"}}, {"id": "E7"}], "teams": {"staff": ["E1", "E7"]}, "roles": [],
  "accounts": [{"system": "crm", "key": "seven", "person": "E7", "checked": "2026-11-01"}],
  "resources": [{"type": "app.Folder", "id": "A", "parent": null}, {"type": "app.Doc", "id": "d1", "parent": "A", "attributes": {"class": "internal"}},
                {"type": "app.Doc", "id": "d2", "parent": "A", "attributes": {"class": "open"}}]})";

struct World {
  std::unique_ptr<Snapshot> snapshot;
  Instant now = InstantAt(*ParseDate("2026-11-20"));
  World() {
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

}  // namespace dpl::fuzz
