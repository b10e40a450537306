// Closing rules 1 to 7 of docs/semantics.md: who is asking.
#include <gtest/gtest.h>

#include "tests/unit/decide/world.h"

namespace dpl {
namespace {

constexpr std::string_view kPolicy = R"dpl(
package t owned by team staff
granted 2026-10-01
review every 180d
person { key id: string  known as "person", "employee" }
team staff { owner person "E1" }
system app { owner team staff }
system crm { owner team staff  account keyed by login: string  link person by id checked within 30d }
resource Doc in app { can read }
resource Lead in crm { can read }
grant reading { to team staff  may read on app.Doc  may read on crm.Lead  because "Staff read what they work with" }
agent helper {
  accountable person "E1"  purpose "Reads for people"  runs as spiffe "spiffe://acme.example/helper"
  modes on_behalf_of  may read on app.Doc  may read on crm.Lead  lives at most 1h  instances at most 3 in any 1h
}
agent second {
  accountable person "E1"  purpose "Reads for the helper"  runs as spiffe "spiffe://acme.example/second"
  modes on_behalf_of  may read on app.Doc  lives at most 1h
}
agent night {
  accountable person "E1"  purpose "Runs at night"  runs as spiffe "spiffe://acme.example/night"
  modes standing  may read on app.Doc  lives at most 1h
}
grant nightly { to agent night  may read on app.Doc  because "Nobody is awake at that time" }
delegation help {
  from team staff  to agent helper  may read on app.Doc  may read on crm.Lead
  onward to agent second, at most 1 hop
  consent by policy  because "Reading may be handed to software"
}
)dpl";
constexpr std::string_view kFacts = R"({
  "persons": [{"id": "E1"}, {"id": "E7"}, {"id": "E8"}, {"id": "E9", "status": "left"}],
  "teams": {"staff": ["E1", "E7", "E8", "E9"]},
  "roles": [], "resources": [{"type": "app.Doc", "id": "d1"}],
  "accounts": [{"system": "crm", "key": "e7", "person": "E7", "checked": "2026-11-01"},
               {"system": "crm", "key": "E8", "person": "E7", "checked": "2026-11-01"}]
})";

Ask Read() { return Ask().Does("read", "app.Doc", "d1"); }

TEST(ClosingRule, R01_DirectModeIsProven) {
  World w(kPolicy, kFacts);
  EXPECT_EQ(w.Code(Read().Person("E7")), "permit");
  EXPECT_EQ(w.last->mode, ActingMode::kDirect);
  w.caller.serves_persons = false;
  EXPECT_EQ(w.Code(Read().Person("E7").Agent("helper")), "permit");
  EXPECT_EQ(w.Code(Read().Person("E7")),
            "agent.actor_missing");  // the same with the agent left out
}

TEST(ClosingRule, R03_RunsCountOnlyFromWhoMayNameThem) {
  World w(kPolicy, kFacts);
  w.caller.asserts_instances = false;
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(w.Code(Read().Person("E7").Agent("helper", "made-up-" + std::to_string(i))),
              "identity.attestation_failed");
  }
  EXPECT_EQ(w.store.InstancesBorn("t.helper", kMicrosPerHour, w.now), 0u);
  w.caller.asserts_instances = true;
  w.caller.asserts_actors = false;
  EXPECT_EQ(w.Code(Read().Person("E7").Agent("helper", "i1")), "identity.attestation_failed");
}

TEST(ClosingRule, R03_TheRecordedBirthWins) {
  World w(kPolicy, kFacts);
  EXPECT_EQ(w.Code(Read().Person("E7").Agent("helper", "i1")), "permit");
  w.Advance(2 * kMicrosPerHour);
  EXPECT_EQ(w.Code(Read().Person("E7").Agent("helper", "i1").Born(w.now)), "agent.expired");
  // A birth in the future is a birth now: it gains no life.
  EXPECT_EQ(
      w.Code(Read().Person("E7").Agent("helper", "i2").Born(Instant{w.now.us + kMicrosPerDay})),
      "permit");
  w.Advance(kMicrosPerHour + 1);
  EXPECT_EQ(w.Code(Read().Person("E7").Agent("helper", "i2")), "agent.expired");
}

// What a throttle counts is told apart by time: a clock that jumped may not say when it was.
TEST(ClosingRule, R31_NoRunThatIsCountedIsBornUnderASuspectClock) {
  World w(kPolicy, kFacts);
  EXPECT_EQ(w.Code(Read().Person("E7").Agent("helper", "i1")), "permit");
  Ask fresh = Read().Person("E7").Agent("helper", "i2");
  fresh.clock_suspect = true;
  EXPECT_EQ(w.Code(fresh), "error.clock");
  Ask known = Read().Person("E7").Agent("helper", "i1");
  known.clock_suspect = true;
  EXPECT_EQ(w.Code(known), "permit");  // nothing is counted
  fresh.clock_suspect = false;
  EXPECT_EQ(w.Code(fresh), "permit");
  EXPECT_EQ(w.store.InstancesBorn("t.helper", kMicrosPerHour, w.now), 2u);
}

// A run that nobody counts may be born then, but not in a time that has not been: it would live on.
TEST(ClosingRule, R31_ARunSeenUnderASuspectClockLivesNoLonger) {
  World w(kPolicy, kFacts);
  Ask first = Read().Agent("night", "n1");
  first.clock_suspect = true;
  EXPECT_EQ(w.Code(first), "error.clock");  // no time was ever written
  Ask dry = Read().Agent("night", "n1").Dry();
  dry.clock_suspect = true;
  EXPECT_EQ(w.Code(dry), "error.clock");
  EXPECT_EQ(w.Code(Read().Agent("night", "n0")), "permit");
  const Instant right = w.now;
  w.Advance(25 * kMicrosPerHour);
  EXPECT_EQ(w.Code(first), "permit");
  Instant born{};
  bool bound = false;
  ASSERT_TRUE(w.store.FindInstance("t.night", "n1", &born, &bound));
  EXPECT_EQ(born, right);
  EXPECT_EQ(w.Code(first), "agent.expired");
  // What its credential says of it stands, where that is earlier.
  Ask older = Read().Agent("night", "n2").Born(Instant{right.us - kMicrosPerMinute});
  older.clock_suspect = true;
  w.now = right;
  EXPECT_EQ(w.Code(older), "permit");
  ASSERT_TRUE(w.store.FindInstance("t.night", "n2", &born, &bound));
  EXPECT_EQ(born.us, right.us - kMicrosPerMinute);
  // The clock is set right.
  EXPECT_EQ(w.Code(Read().Agent("night", "n1")), "permit");
  w.Advance(kMicrosPerHour + 1);
  EXPECT_EQ(w.Code(Read().Agent("night", "n1")), "agent.expired");
}

TEST(ClosingRule, R03_BirthsAreBounded) {
  World w(kPolicy, kFacts);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(w.Code(Read().Person("E7").Agent("helper")), "permit");
  EXPECT_EQ(w.Code(Read().Person("E7").Agent("helper")), "agent.too_many_instances");
  EXPECT_EQ(w.Code(Read().Person("E7").Agent("helper", "i1")), "agent.too_many_instances");
  w.Advance(kMicrosPerHour);
  EXPECT_EQ(w.Code(Read().Person("E7").Agent("helper", "i1")), "permit");
}

TEST(ClosingRule, R04_TheChainIsTheRecordedOne) {
  World w(kPolicy, kFacts);
  Ask chain = Read().Person("E7").Agent("helper", "h1").Agent("second", "s1");
  EXPECT_EQ(w.Code(chain), "identity.chain_mismatch");
  ASSERT_TRUE(w.store.RecordHandoff("t.helper", "h1", "t.second", "s1", "").ok());
  EXPECT_EQ(w.Code(chain), "permit");
  // Shortened: the child alone, and the child under another parent.
  EXPECT_EQ(w.Code(Read().Person("E7").Agent("second", "s1")), "identity.chain_mismatch");
  EXPECT_EQ(w.Code(Read().Person("E7").Agent("helper", "h2").Agent("second", "s1")),
            "identity.chain_mismatch");
  // Lengthened.
  EXPECT_EQ(
      w.Code(Read().Person("E7").Agent("helper", "h1").Agent("second", "s1").Agent("second", "s2")),
      "identity.chain_mismatch");
}

TEST(ClosingRule, R04_AHandOffForATaskHoldsThere) {
  World w(kPolicy, kFacts);
  ASSERT_TRUE(w.store.RecordHandoff("t.helper", "h1", "t.second", "s1", "t1").ok());
  EXPECT_EQ(w.Code(Read().Person("E7").Agent("helper", "h1").Agent("second", "s1")),
            "identity.chain_mismatch");
  EXPECT_EQ(w.Code(Read().Person("E7").Agent("helper", "h1").Agent("second", "s1").Task("t1")),
            "task.unknown");  // past step 2
}

TEST(ClosingRule, R04_AChildCannotRecordItself) {
  World w(kPolicy, kFacts);
  EXPECT_FALSE(w.store.RecordHandoff("t.second", "s1", "t.second", "s1", "").ok());
  ASSERT_TRUE(w.store.RecordHandoff("t.helper", "h1", "t.second", "s1", "").ok());
  EXPECT_FALSE(w.store.RecordHandoff("t.helper", "h2", "t.second", "s1", "").ok());
}

TEST(ClosingRule, R05_StandingStandsAlone) {
  std::string both(kPolicy);
  both.replace(both.find("modes standing"), 14, "modes standing, on_behalf_of");
  EXPECT_NE(DiagnosticsOf(both), "");
  World w(kPolicy, kFacts);
  EXPECT_EQ(w.Code(Read().Agent("night", "n1")), "permit");
  EXPECT_EQ(w.last->mode, ActingMode::kStanding);
  EXPECT_EQ(w.Code(Read().Person("E7").Agent("night", "n1")), "agent.mode_not_allowed");
  EXPECT_EQ(w.Code(Read().Agent("helper", "h1")),
            "agent.mode_not_allowed");  // dropping the person gains nothing
}

TEST(ClosingRule, R06_TheWireTypeFixesTheNameSpace) {
  World w(kPolicy, kFacts);
  Ask lead = Ask().Does("read", "crm.Lead", "l1");
  // The account "E8" belongs to person E7; it is never person E8.
  EXPECT_EQ(w.Code(Read().Subject("account:crm", "E8")), "permit");
  EXPECT_EQ(w.last->person->id, "E7");
  EXPECT_EQ(w.Code(Read().Subject("person", "e7")), "identity.unknown");
  EXPECT_EQ(w.Code(Read().Subject("account:app", "E7")), "identity.unknown");
  EXPECT_EQ(w.Code(Read().Subject("agent", "E7")), "identity.unknown");
  EXPECT_EQ(w.Code(Read().Subject("user", "E7")),
            "identity.unknown");  // `known as` says what the names are
  EXPECT_EQ(w.Code(Read().Subject("employee", "E7")), "permit");
}

TEST(ClosingRule, R07_AForeignNameIsNotOurs) {
  World w(kPolicy, kFacts);
  EXPECT_EQ(w.Code(Read().Subject("partner:globex", "E7")), "identity.unknown");
  EXPECT_EQ(w.Code(Read().Subject("https://id.globex.example", "E7")), "identity.unknown");
}

// ---------------------------------------------------------------- the rest of steps 2 to 5
TEST(Identity, AnAgentGoesByNameOrByWhatItRunsAs) {
  World w(kPolicy, kFacts);
  for (const char* name : {"helper", "t.helper", "spiffe://acme.example/helper"}) {
    EXPECT_EQ(w.Code(Read().Person("E7").Agent(name)), "permit") << name;
  }
  EXPECT_EQ(w.Code(Read().Person("E7").Agent("helpe")), "identity.unknown");
  EXPECT_EQ(w.Code(Read().Person("E7").Agent("spiffe://acme.example/helper-2")),
            "identity.unknown");
}

TEST(Identity, OnlyActivePersons) {
  World w(kPolicy, kFacts);
  EXPECT_EQ(w.Code(Read().Person("E9")), "person.not_active");
  EXPECT_EQ(w.Code(Read().Person("E0")), "identity.unknown");
}

TEST(Identity, SomebodyAnswersForEveryAgent) {
  World w(kPolicy, kFacts);
  std::string facts(kFacts);
  facts.replace(facts.find(R"({"id": "E1"})"), 12,
                R"({"id": "E1", "status": "left", "left": "2026-11-19"})");
  w.Facts(facts);
  EXPECT_EQ(w.Code(Read().Person("E7").Agent("helper")), "accountable.missing");
  EXPECT_EQ(w.Code(Read().Person("E7")), "permit");
}

TEST(Identity, TheFallbackTeamStandsInForFourteenDays) {
  std::string policy(kPolicy);
  policy.replace(policy.find("accountable person \"E1\"  purpose \"Reads for people\""), 23,
                 "accountable person \"E1\" else team staff");
  std::string facts(kFacts);
  facts.replace(facts.find(R"({"id": "E1"})"), 12,
                R"({"id": "E1", "status": "left", "left": "2026-11-10"})");
  World w(policy, facts);
  EXPECT_EQ(w.Code(Read().Person("E7").Agent("helper")), "permit");
  w.now = *ParseInstant("2026-11-24T00:00Z");
  EXPECT_EQ(w.Code(Read().Person("E7").Agent("helper")), "permit");
  w.Advance(1);
  EXPECT_EQ(w.Code(Read().Person("E7").Agent("helper")), "accountable.missing");
  facts.replace(facts.find(R"(, "left": "2026-11-10")"), 22, "");
  w.Facts(facts);
  w.now = *ParseInstant("2026-11-20T15:00Z");
  EXPECT_EQ(w.Code(Read().Person("E7").Agent("helper")),
            "accountable.missing");  // nobody knows since when
}

TEST(Link, AnAccountIsOneFreshAndUnclaimed) {
  World w(
      kPolicy,
      R"({"persons": [{"id": "E1"}, {"id": "E2"}, {"id": "E3"}, {"id": "E4"}, {"id": "E5"}, {"id": "E6"}, {"id": "E8"}],
    "teams": {"staff": ["E1", "E2", "E3", "E4", "E5", "E6", "E8"]}, "resources": [],
    "accounts": [{"system": "crm", "key": "one", "person": "E1", "checked": "2026-11-01"},
                 {"system": "crm", "key": "old", "person": "E2", "checked": "2021-11-01"},
                 {"system": "crm", "key": "shared", "person": "E3", "checked": "2026-11-01"},
                 {"system": "crm", "key": "shared", "person": "E4", "checked": "2026-11-01"},
                 {"system": "crm", "key": "a", "person": "E5", "checked": "2026-11-01"},
                 {"system": "crm", "key": "b", "person": "E5", "checked": "2026-11-01"},
                 {"system": "crm", "key": "new", "person": "E8", "checked": "2026-11-01"},
                 {"system": "crm", "key": "former", "person": "E8", "checked": "2021-11-01"}]})");
  auto lead = [](std::string person) {
    return Ask().Person(std::move(person)).Does("read", "crm.Lead", "l1");
  };
  EXPECT_EQ(w.Code(lead("E1")), "permit");
  EXPECT_EQ(w.last->account_key, "one");
  EXPECT_EQ(w.Code(lead("E2")), "identity.link_stale");
  EXPECT_EQ(w.Code(lead("E3")), "identity.ambiguous");
  EXPECT_EQ(w.Code(lead("E5")), "identity.ambiguous");
  EXPECT_EQ(w.Code(lead("E6")), "identity.unlinked");
  EXPECT_EQ(w.Code(lead("E8")), "permit");  // one is fresh, the other is only a memory
  EXPECT_EQ(w.last->account_key, "new");
  EXPECT_EQ(w.Code(Ask().Subject("account:crm", "b").Does("read", "crm.Lead", "l1")), "permit");
  EXPECT_EQ(w.Code(Ask().Subject("account:crm", "shared").Does("read", "crm.Lead", "l1")),
            "identity.ambiguous");
  EXPECT_EQ(w.Code(Ask().Subject("account:crm", "shared").Does("read", "app.Doc", "d1")),
            "identity.ambiguous");  // nor is it anybody elsewhere
  EXPECT_EQ(w.Code(Ask().Subject("account:crm", "b").Does("read", "app.Doc", "d1")), "permit");
  EXPECT_EQ(w.Code(Ask().Person("E6").Does("read", "app.Doc", "d1")),
            "permit");  // a system without accounts
}

TEST(Revoked, EveryKindOfName) {
  World w(kPolicy, kFacts);
  Ask by_agent = Read().Person("E7").Agent("helper", "i1");
  Ask lead = Ask().Person("E7").Does("read", "crm.Lead", "l1");
  w.Facts(R"({"persons": [{"id": "E1"}, {"id": "E7"}], "teams": {"staff": ["E7"]}, "resources": [],
              "accounts": [{"system": "crm", "key": "e7", "person": "E7", "checked": "2026-11-01"}]})");
  EXPECT_EQ(w.Code(by_agent), "permit");
  EXPECT_EQ(w.Code(lead), "permit");
  w.store.Revoke(RevokedKind::kAccount, "crm:e7", std::nullopt);
  EXPECT_EQ(w.Code(lead), "revoked.account");
  w.store.Revoke(RevokedKind::kInstance, "t.helper/i1", std::nullopt);
  EXPECT_EQ(w.Code(by_agent), "revoked.instance");
  EXPECT_EQ(w.Code(Read().Person("E7").Agent("helper", "i2")), "permit");
  w.store.Revoke(RevokedKind::kDelegation, "t.help", std::nullopt);
  EXPECT_EQ(w.Code(Read().Person("E7").Agent("helper", "i2")), "revoked.delegation");
  w.store.Revoke(RevokedKind::kGrant, "t.reading", std::nullopt);
  EXPECT_EQ(w.Code(Read().Person("E7")), "revoked.grant");
  w.store.Revoke(RevokedKind::kAgent, "t.helper", std::nullopt);
  EXPECT_EQ(w.Code(Read().Person("E7").Agent("helper", "i2")), "revoked.agent");
  w.store.Revoke(RevokedKind::kPerson, "E7", std::nullopt);
  EXPECT_EQ(w.Code(Read().Person("E7")), "revoked.person");
}

TEST(Revoked, ACutOffEndsOlderSessionsOnly) {
  World w(kPolicy, kFacts);
  EXPECT_EQ(w.Code(Read().Person("E7").Agent("helper", "old")), "permit");
  w.Advance(1000);
  w.store.Revoke(RevokedKind::kPerson, "E7", w.now);
  w.Advance(1000);
  EXPECT_EQ(w.Code(Read().Person("E7").Agent("helper", "old")), "revoked.person");
  EXPECT_EQ(w.Code(Read().Person("E7")),
            "revoked.person");  // nothing shows when this session began
  // A run that is new proves nothing about the person's session; a sign-in after the cut-off does.
  EXPECT_EQ(w.Code(Read().Person("E7").Agent("helper", "new").Born(w.now)), "revoked.person");
  EXPECT_EQ(w.Code(Read().Person("E7").Agent("helper", "new").SignedIn(w.now)), "permit");
  EXPECT_EQ(w.Code(Read().Person("E7").SignedIn(w.now)), "permit");
}

TEST(Stale, AnOldDirectoryDecidesNothing) {
  std::string policy(kPolicy);
  policy.replace(policy.find("known as \"person\", \"employee\""), 0, "source \"hr\" within 24h  ");
  std::string facts(kFacts);
  facts.replace(facts.find('{'), 1, R"({"as_of": "2026-11-20T12:00Z", )");
  World w(policy, facts);
  EXPECT_EQ(w.Code(Read().Person("E7")), "permit");
  w.Advance(22 * kMicrosPerHour);
  EXPECT_EQ(w.Code(Read().Person("E7")), "error.stale_data");
}

}  // namespace
}  // namespace dpl
