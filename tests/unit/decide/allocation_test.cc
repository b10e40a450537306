// A decision asks the heap for nothing once it is warm.
#include <gtest/gtest.h>

#include "runtime/decide/answer.h"
#include "tests/heap/heap_count.h"
#include "tests/unit/decide/world.h"

namespace dpl {
namespace {

constexpr std::string_view kPolicy = R"dpl(
package t owned by team staff
granted 2026-10-01
review every 180d
enum Class { open < internal < secret }
person { key id: string  has region: string }
team staff { owner person "E1" }
role reader in app.Folder { owner team staff }
system app { owner team staff  account keyed by login: string  link person by id checked within 90d }
resource Folder in app { within app.Folder?  can list }
resource Doc in app {
  within folder: app.Folder  has class: Class  has region: string  has editors: set<Person>
  can read, write { note: string = "" }
  can pay { amount: money must be limited }
}
grant reading {
  to team staff, role reader  may read on app.Doc where resource.region == person.region and now.time >= 00:00
  may write on app.Doc where some e in resource.editors satisfies (e == person)
  may pay on app.Doc
  limit amount to 1_000_000 USD per day for each person
  because "Staff read their region"
}
forbid secrets { covers read on app.Doc where resource.class == Class.secret  because "Secrets are not read here" }
forbid elsewhere { applies to any agent  covers any action on app.Doc in app.Folder "closed"  because "No software in there" }
agent helper {
  accountable person "E1"  purpose "Reads for people"  runs as spiffe "spiffe://acme.example/helper"
  may read, write, pay on app.Doc  lives at most 10h
}
task tidy(source: app.Folder) { for agent helper  may read on app.Doc in source  lasts at most 2h  nothing else }
delegation help {
  from team staff  to agent helper  may read, write, pay on app.Doc  consent every 30d  because "Reading may be handed to software"
}
)dpl";
constexpr std::string_view kFacts = R"({
  "persons": [{"id": "E1", "attributes": {"region": "emea"}}, {"id": "E7", "attributes": {"region": "emea"}}, {"id": "E8", "attributes": {"region": "amer"}}],
  "teams": {"staff": ["E1", "E7", "E8"]}, "roles": [{"role": "reader", "in": {"type": "app.Folder", "id": "A"}, "members": ["E7"]}],
  "accounts": [{"system": "app", "key": "e7", "person": "E7", "checked": "2026-11-01"}],
  "resources": [{"type": "app.Folder", "id": "A", "parent": null},
    {"type": "app.Doc", "id": "d1", "parent": "A", "attributes": {"class": "internal", "region": "emea", "editors": ["E1", "E7"]}},
    {"type": "app.Doc", "id": "d2", "parent": "A", "attributes": {"class": "secret", "region": "emea"}}],
  "consents": [{"delegation": "help", "person": "E7", "at": "2026-11-20T12:00Z"}],
  "tasks": [{"id": "t1", "shape": "tidy", "agent": "helper", "person": "E7", "args": {"source": "A"}}]
})";

long CountWarm(World* w, const Ask& ask, int* permits) {
  for (int i = 0; i < 3; ++i) w->Decide(ask);  // warm: the arena, the machine, known instances
  long count = 0;
  *permits = 0;
  for (int i = 0; i < 100; ++i) {
    // World::Decide builds the request (that is the caller's affair); the decision itself is what
    // is counted.
    w->Decide(ask);
    Request request = w->last_request;
    long before = HeapAllocationsForTest();
    const Decision& d = Decide(*w->snapshot, &w->store, request, w->now, &w->scratch);
    count += HeapAllocationsForTest() - before;
    *permits += d.outcome == OutcomeKind::kPermit ? 1 : 0;
  }
  return count;
}

TEST(Allocation, NoneForADecisionThatIsNotMetered) {
  World w(kPolicy, kFacts);
  w.caller.details = false;
  struct Case {
    Ask ask;
    bool permit;
  };
  auto of = [](const char* action, const char* doc) {
    return Ask().Person("E7").Does(action, "app.Doc", doc);
  };
  std::vector<Case> cases = {
      {of("read", "d1"), true},
      {of("write", "d1")
           .With(R"({"note": "a note of more than sixteen bytes, so that it lives somewhere"})"),
       true},
      {of("read", "d1").Agent("helper", "run-1"), true},
      {of("read", "d1").Agent("helper"), true},
      {of("read", "d1")
           .Agent("spiffe://acme.example/helper/of-a-long-name/and-longer", "run-3")
           .Task("t1"),
       true},
      {Ask().Subject("account:app", "e7").Does("read", "app.Doc", "d1"), true},
      {of("read", "d2"), false},  // forbidden
      {of("read", "a document that nobody knows"), false},
      {Ask().Person("E8").Does("read", "app.Doc", "d1"), false},
      {Ask().Person("somebody we do not know").Does("read", "app.Doc", "d1"), false},
      {of("fly", "d1"), false},
  };
  for (size_t i = 0; i < cases.size(); ++i) {
    int permits = 0;
    EXPECT_EQ(CountWarm(&w, cases[i].ask, &permits), 0) << "case " << i;
    EXPECT_EQ(permits, cases[i].permit ? 100 : 0) << "case " << i;
  }
}

TEST(Allocation, NoneForAnAnswerWithAllDetails) {
  World w(kPolicy, kFacts);
  Ask ask = Ask().Person("E7").Does("read", "app.Doc", "d1").Agent("helper", "run-1");
  std::string answer, text;
  AnswerOptions options;
  options.evaluation_id = "ev-1";
  options.text = &text;
  w.Decide(ask);
  const Request request = w.last_request;
  auto write = [&] {
    const Decision& d = Decide(*w.snapshot, &w.store, request, w.now, &w.scratch);
    ASSERT_EQ(d.outcome, OutcomeKind::kPermit);
    answer.clear();
    AppendAnswerJson(&answer, *w.snapshot, request, d, options);
  };
  write();
  size_t before = HeapAllocationsForTest();
  for (int i = 0; i < 100; ++i) write();
  EXPECT_EQ(HeapAllocationsForTest(), before);
  EXPECT_NE(answer.find("\"by\":["), std::string::npos) << answer;
}

TEST(Allocation, NoneForACounterThatExists) {
  World w(kPolicy, kFacts);
  w.caller.details = false;
  Ask pay = Ask().Person("E7").Does("pay", "app.Doc", "d1").With(R"({"amount": "1.00 USD"})");
  // Reservations are kept in a ring that doubles until it holds an hour of them; then its slots are
  // used again.
  for (int hour = 0; hour < 4; ++hour) {
    for (int i = 0; i < 1000; ++i) w.Decide(pay);
    w.Advance(2 * kMicrosPerHour);
  }
  int permits = 0;
  EXPECT_EQ(CountWarm(&w, pay, &permits), 0);
  EXPECT_EQ(permits, 100);
}

}  // namespace
}  // namespace dpl
