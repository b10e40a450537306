// The fold beside its closing rules: public and standing requests, tiers, keys, what must be
// limited, contention.
#include <gtest/gtest.h>

#include "tests/unit/decide/world.h"

namespace dpl {
namespace {

constexpr std::string_view kHead = R"dpl(
package t owned by team staff
granted 2026-10-01
review every 180d
person { key id: string  has region: string  has manager: Person? }
team staff { owner person "E1" }
team guests { owner person "E1" }
role chief { owner team staff }
system app { owner team staff }
resource Folder in app { within app.Folder?  can list }
resource Doc in app { within folder: app.Folder from request  has open: bool = false  can read, write }
resource Order in app { has vendor: string  can pay { amount: money must be limited }  can count { items: int, weight: decimal = 1 } }
)dpl";
constexpr std::string_view kFacts = R"({
  "persons": [{"id": "E1"}, {"id": "E2"}, {"id": "E7", "attributes": {"region": "emea", "manager": "E2"}}, {"id": "E8"}], "teams": {"staff": ["E1", "E7", "E8"], "guests": []},
  "roles": [{"role": "chief", "members": ["E2"]}], "accounts": [],
  "resources": [{"type": "app.Folder", "id": "A", "parent": null}, {"type": "app.Folder", "id": "B", "parent": "A"},
    {"type": "app.Doc", "id": "d1", "parent": "B", "attributes": {"open": true}}, {"type": "app.Doc", "id": "d2", "parent": "B"},
    {"type": "app.Order", "id": "O1", "attributes": {"vendor": "V1"}}]})";

std::string With(std::string_view statements) {
  return std::string(kHead) + std::string(statements);
}
Ask Of(std::string person, std::string action, std::string id) {
  return Ask().Person(std::move(person)).Does(std::move(action), "app.Doc", std::move(id));
}
Ask Pay(std::string amount, std::string person = "E7") {
  return Ask()
      .Person(std::move(person))
      .Does("pay", "app.Order", "O1")
      .With("{\"amount\": \"" + amount + " USD\"}");
}

// ---------------------------------------------------------------- public
TEST(Public, RunsWithoutAPerson) {
  World w(With(R"dpl(
grant opened { to public  may read on app.Doc where resource.open  because "Open documents are for everybody" }
grant staffed { to team staff  may write on app.Doc  because "Staff write" }
forbid writers { applies to everyone  covers write on app.Doc where resource.open  because "Open documents are finished" }
)dpl"),
          kFacts);
  Ask stranger = Ask().Subject("anonymous", "x").Does("read", "app.Doc", "d1");
  EXPECT_EQ(w.Code(stranger), "permit");
  EXPECT_EQ(w.last->mode, ActingMode::kPublic);
  EXPECT_EQ(w.Code(Ask(stranger).Does("read", "app.Doc", "d2")), "person.no_grant");
  EXPECT_EQ(w.Code(Ask(stranger).Does("write", "app.Doc", "d1")),
            "identity.unknown");  // nothing is public there
  EXPECT_EQ(w.Code(Ask().Subject("device", "thermometer").Does("read", "app.Doc", "d1")), "permit");
  EXPECT_EQ(w.Code(Of("nobody", "read", "d1")),
            "permit");                                  // unresolved: no more than the public gets
  EXPECT_EQ(w.Code(Of("E8", "read", "d1")), "permit");  // a known person gets that too, as a person
  EXPECT_EQ(w.last->mode, ActingMode::kDirect);
  w.store.Revoke(RevokedKind::kPerson, "nobody", std::nullopt);
  EXPECT_EQ(w.Code(Of("nobody", "read", "d1")), "revoked.person");
  w.caller.serves_persons = false;
  EXPECT_EQ(w.Code(stranger), "permit");
}

TEST(Everyone, IsActivePersonsInGrantsAndEverybodyInForbids) {
  World w(With(R"dpl(
grant reading { to everyone  may read on app.Doc  because "The whole directory reads" }
grant nightly { to agent night  may read on app.Doc  because "Runs alone" }
agent night { accountable person "E1"  purpose "Runs alone"  runs as spiffe "spiffe://x/night"  modes standing  may read on app.Doc  lives at most 1h }
forbid open { applies to everyone  covers read on app.Doc where resource.open  because "Closed for now" }
)dpl"),
          kFacts);
  EXPECT_EQ(w.Code(Of("E8", "read", "d2")), "permit");
  EXPECT_EQ(w.Code(Ask().Agent("night", "n").Does("read", "app.Doc", "d2")), "permit");
  EXPECT_EQ(w.By(), "t.nightly, t.night");
  EXPECT_EQ(w.Code(Of("E8", "read", "d1")), "forbidden");
  EXPECT_EQ(w.Code(Ask().Agent("night", "n").Does("read", "app.Doc", "d1")), "forbidden");
}

TEST(Facts, AParentMayComeFromARegisteredCaller) {
  World w(
      With(
          R"dpl(grant inside { to team staff  may read on app.Doc in app.Folder "A"  because "Staff read what lies in A" })dpl"),
      kFacts);
  EXPECT_EQ(w.Code(Of("E7", "read", "d2")), "permit");
  EXPECT_EQ(w.Code(Of("E7", "read", "new")), "person.no_grant");
  EXPECT_EQ(w.Code(Of("E7", "read", "new").Saying(R"({"folder": "B"})")), "permit");
  EXPECT_EQ(w.Code(Of("E7", "read", "new").Saying(R"({"folder": "C"})")),
            "person.no_grant");  // of C nobody knows where it lies
  w.caller.asserts_all_attributes = false;
  EXPECT_EQ(w.Code(Of("E7", "read", "new").Saying(R"({"folder": "B"})")), "person.no_grant");
}

// ---------------------------------------------------------------- limits
TEST(Limits, WhatMustBeLimitedIsLimitedAtRunTimeToo) {
  std::string policy = With(R"dpl(
grant free { to team guests  may pay on app.Order  no limit on amount because "Guests are trusted" }
grant wide { to team staff  may pay on app.Order  because "Staff pay" }
limit cap { applies to any agent  covers pay on app.Order  cap amount to 10 USD each  because "Software pays little" }
)dpl");
  // Compiled only where the checker sees a limit for everybody, so the limit is put on a condition
  // that data may miss.
  policy.replace(policy.find("limit cap { applies to any agent  covers pay on app.Order"), 57,
                 "limit cap { covers pay on app.Order where resource.vendor != \"V1\"");
  std::string diagnostics = DiagnosticsOf(policy);
  if (!diagnostics.empty()) {
    EXPECT_NE(diagnostics.find("DPL0502"), std::string::npos) << diagnostics;
    return;
  }
  World w(policy, kFacts);
  EXPECT_EQ(w.Code(Pay("1.00")), "limit.unbounded");
}

TEST(Limits, TiersRise) {
  World w(With(R"dpl(
grant paying {
  to team staff  may pay on app.Order
  limit amount to 1_000 USD each, beyond that ask line up to 10_000 USD, beyond that ask top up to 100_000 USD
  because "Staff pay"
}
approval line { by 1 of the manager  within 4h  good for 1 request within 24h  because "The manager decides" }
approval top { by 1 of role chief, the manager  never by the manager  within 4h  good for 1 request within 24h  because "A chief decides" }
)dpl"),
          kFacts);
  auto asked = [&](const char* amount) {
    w.Decide(Pay(amount));
    std::string out(ReasonCode(w.last->reason));
    for (uint32_t a : w.last->approvals)
      out += " " + std::string(w.Name(w.snapshot->program().approval_statements[a]));
    return out;
  };
  EXPECT_EQ(asked("1000.00"), "permit");
  EXPECT_EQ(asked("1000.01"), "approval_required t.line");
  EXPECT_EQ(w.Code(Pay("1000.01").Approval(w.Approve({"E8"}))), "approval_required");
  asked("1000.01");
  EXPECT_EQ(w.Code(Pay("1000.01").Approval(w.Approve({"E2"}))), "permit");  // the manager
  EXPECT_EQ(asked("10000.00"), "approval_required t.line");
  EXPECT_EQ(asked("10000.01"), "approval_required t.top");
  EXPECT_EQ(w.Code(Pay("10000.01").Approval(w.Approve({"E2"}))),
            "approval_required");  // a chief, but the manager
  EXPECT_EQ(asked("100000.01"), "limit.exceeded");
}

TEST(Limits, PerAgentEveryTemplateOfTheChainNeedsRoom) {
  World w(With(R"dpl(
grant reading { to team staff  may read on app.Doc  because "Staff read" }
agent first { accountable person "E1"  purpose "Reads"  runs as spiffe "spiffe://x/first"  may read on app.Doc  lives at most 9h }
agent second { accountable person "E1"  purpose "Reads"  runs as spiffe "spiffe://x/second"  may read on app.Doc  lives at most 9h }
delegation help { from team staff  to agent first  onward to agent second, at most 1 hop  consent by policy  because "Reading" }
limit rate { applies to any agent  covers read on app.Doc  cap requests to 3 per day for each agent  because "Software reads little" }
)dpl"),
          kFacts);
  ASSERT_TRUE(w.store.RecordHandoff("t.first", "f", "t.second", "s", "").ok());
  Ask chain = Of("E7", "read", "d1").Agent("first", "f").Agent("second", "s");
  EXPECT_EQ(w.Code(chain), "permit");
  EXPECT_EQ(w.last->limits.size, 2);
  // Each line says whose it is.
  const std::string json = w.Json();
  for (const char* agent : {"first", "second"}) {
    const std::string line = std::string(R"("agent":"t.)") + agent + R"(","state":"ok","used":"0")";
    EXPECT_NE(json.find(line), std::string::npos) << line << " in " << json;
  }
  EXPECT_EQ(w.Code(chain), "permit");
  EXPECT_EQ(w.Code(Of("E7", "read", "d1").Agent("first", "f")), "permit");
  EXPECT_EQ(w.Code(chain), "limit.exceeded");  // the first has used its three
  EXPECT_NE(w.Json().find(R"("agent":"t.first","state":"exceeded")"), std::string::npos);
  EXPECT_NE(w.Json().find(R"("agent":"t.second","state":"ok")"), std::string::npos);
  EXPECT_NE(w.Json().find("limit t.rate.requests for t.first: 3 used"), std::string::npos);
  EXPECT_EQ(w.Code(Of("E7", "read", "d1")), "permit");
}

TEST(Limits, WholeNumbersAndDecimalsAreMeasuresToo) {
  World w(With(R"dpl(
grant counting {
  to team staff  may count on app.Order
  limit items to 10 per day for each person  limit weight to 2.5 in any 1h for each person
  because "Staff count"
}
)dpl"),
          kFacts);
  auto count = [](const char* params) {
    return Ask().Person("E7").Does("count", "app.Order", "O1").With(params);
  };
  EXPECT_EQ(w.Code(count(R"({"items": 4})")), "permit");  // weight by its default
  EXPECT_EQ(w.Code(count(R"({"items": 4, "weight": 1.50001})")), "limit.exceeded");
  EXPECT_EQ(w.Code(count(R"({"items": 4, "weight": 1.5})")), "permit");
  EXPECT_EQ(w.Code(count(R"({"items": 3, "weight": 0})")), "limit.exceeded");
  EXPECT_EQ(w.Code(count(R"({"items": 2, "weight": 0})")), "permit");
  EXPECT_EQ(w.Code(count(R"({"weight": 0})")), "limit.unknown");
  EXPECT_EQ(w.Code(count(R"({"items": 1.5, "weight": 0})")), "request.invalid");
  EXPECT_EQ(w.Code(count(R"({"items": -1, "weight": 0})")), "request.invalid");
  w.Advance(kMicrosPerHour);
  EXPECT_EQ(w.Code(count(R"({"items": 0, "weight": 2.5})")), "permit");
}

// ---------------------------------------------------------------- the commit
TEST(Commit, WhoKeepsLosingTheRaceIsTold) {
  World w(
      With(R"dpl(grant reading { to team staff  may read on app.Doc  because "Staff read" })dpl"),
      kFacts);
  struct Busy : DecisionObserver {
    MemoryStore* store = nullptr;
    int left = 0;
    void OnClause(uint32_t, Truth, Truth, Truth) override {
      if (left-- > 0) store->Revoke(RevokedKind::kPerson, "somebody else", std::nullopt);
    }
    void OnLimit(const LimitLine&) override {}
  } busy;
  busy.store = &w.store;
  w.observer = &busy;
  busy.left = 3;
  EXPECT_EQ(w.Code(Of("E7", "read", "d1")), "permit");
  busy.left = 4;
  EXPECT_EQ(w.Code(Of("E7", "read", "d1")), "error.contention");
}

TEST(Commit, ParallelRequestsAgainstOneUnitGiveOnePermit) {
  World w(With(R"dpl(
grant paying { to team staff  may pay on app.Order  limit amount to 10 USD per day for each person  because "Staff pay" }
)dpl"),
          kFacts);
  EXPECT_EQ(w.Code(Pay("9.00")), "permit");
  // The second reads before the first commits; the commit tests again.
  struct Rival : DecisionObserver {
    World* world = nullptr;
    bool done = false;
    void OnClause(uint32_t, Truth, Truth, Truth) override {
      if (done) return;
      done = true;
      Scratch scratch;
      Arena arena;
      EXPECT_EQ(world->Decide(Pay("1.00"), &scratch, &arena).outcome, OutcomeKind::kPermit);
    }
    void OnLimit(const LimitLine&) override {}
  } rival;
  rival.world = &w;
  w.observer = &rival;
  EXPECT_EQ(w.Code(Pay("1.00")), "limit.exceeded");
}

TEST(Commit, WithoutRoomNothingIsPermitted) {
  MemoryStore::Options options;
  options.max_counters = 0;
  MemoryStore full(options);
  World w(With(R"dpl(
grant paying { to team staff  may pay on app.Order  limit amount to 10 USD per day for each person  because "Staff pay" }
)dpl"),
          kFacts);
  w.Decide(Pay("1.00"));
  Request request = w.last_request;
  Scratch scratch;
  EXPECT_EQ(Decide(*w.snapshot, &full, request, w.now, &scratch).reason, Reason::kErrorStoreFull);
}

TEST(Scratch, ServesOneProgramAfterAnother) {
  World a(
      With(
          R"dpl(grant reading { to team staff  may read on app.Doc where person.region like "e*"  because "Staff read" })dpl"),
      kFacts);
  World b(
      With(
          R"dpl(grant reading { to team staff  may read on app.Doc where person.region like "x*"  because "Staff read" })dpl"),
      kFacts);
  a.Decide(Of("E7", "read", "d1"));
  Request ra = a.last_request;
  b.Decide(Of("E7", "read", "d1"));
  Request rb = b.last_request;
  Scratch one;
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(Decide(*a.snapshot, &a.store, ra, a.now, &one).reason, Reason::kPermit);
    EXPECT_EQ(Decide(*b.snapshot, &b.store, rb, b.now, &one).reason, Reason::kPersonNoGrant);
  }
}

}  // namespace
}  // namespace dpl
