// Emergency doors: when one is open, what it lifts, and what it never lifts (closing rules 2 and
// 14).
#include <gtest/gtest.h>

#include "runtime/decide/wire_request.h"
#include "runtime/json/json.h"
#include "tests/unit/decide/world.h"

namespace dpl {
namespace {

constexpr std::string_view kPolicy = R"dpl(
package t owned by team staff
granted 2026-10-01
review every 180d
person { key id: string }
team staff { owner person "E1" }
team audit { owner person "E2" }
role nurse { owner team staff }
role doctor { owner team staff }
system app { owner team staff }
resource Chart in app {
  has locked: bool = false  has sealed: bool = false  has ward: string = "W1"
  can read, write, make
  can prescribe { amount: money must be limited }
}
resource Vault in app { can open }
grant care { to role nurse  may read, write, make on app.Chart  because "Nurses treat"  }
grant doctors { to role doctor  may read on app.Chart  may prescribe on app.Chart  limit amount to 5_000 USD each  because "Doctors treat" }
forbid locked { covers read, write on app.Chart where resource.locked  because "Locked charts stay shut" }
forbid sealed { covers any action on app.Chart where resource.sealed  because "Sealed by a court" }
limit few { covers read on app.Chart  cap requests to 3 per day for each person  because "Nobody reads many" }
limit doses { covers prescribe on app.Chart  cap amount to 100 USD each  because "No dose costs more" }
separate make_then_write {
  between make on app.Chart by resource.id and write on app.Chart by resource.id  same person within 90d
  because "Two people per chart"
}
break_glass ward {
  who role nurse, role doctor, any agent
  may read, write on app.Chart where resource.ward == "W1"
  may open on app.Vault
  may prescribe on app.Chart
  lifts forbid locked
  needs reason, ticket  lasts at most 1h  notify team audit  review within 24h by team audit
  because "Emergency treatment"
}
break_glass own {
  who role nurse  may read on app.Chart  lifts forbid locked
  needs reason  lasts at most 10m  notify person "E2"  review within 2h by person "E2"
  because "Only for people"  expires 2026-11-21
}
obligation masked { covers open on app.Vault  must mask_nothing_log  because "never" }
agent helper {
  accountable person "E1"  purpose "Works for people"  runs as spiffe "spiffe://acme.example/helper"
  may read, write on app.Chart  lives at most 10h
}
delegation help { from role nurse  to agent helper  may read on app.Chart  consent by policy  because "Nurses are helped" }
task rounds(ward: app.Vault) { for agent helper  may write on app.Chart  lasts at most 2h  nothing else }
)dpl";
constexpr std::string_view kFacts = R"({
  "persons": [{"id": "E1"}, {"id": "E2"}, {"id": "E7"}, {"id": "E8"}, {"id": "E9"}],
  "teams": {"staff": ["E1"], "audit": ["E2"]},
  "roles": [{"role": "nurse", "members": ["E7", "E8"]}, {"role": "doctor", "members": ["E9"]}], "accounts": [],
  "resources": [{"type": "app.Chart", "id": "plain", "attributes": {}}, {"type": "app.Chart", "id": "shut", "attributes": {"locked": true}},
    {"type": "app.Chart", "id": "far", "attributes": {"locked": true, "ward": "W2"}},
    {"type": "app.Chart", "id": "both", "attributes": {"locked": true, "sealed": true}}, {"type": "app.Vault", "id": "v"}],
  "tasks": [{"id": "t1", "shape": "rounds", "agent": "helper", "person": "E7", "args": {"ward": "v"}, "opened": "2026-11-20T15:00Z"}]
})";

std::string Policy() {
  std::string policy(kPolicy);
  size_t at = policy.find("obligation masked");
  policy.erase(at, policy.find('\n', at) - at + 1);
  return policy;
}

class BreakGlassTest : public ::testing::Test {
 protected:
  BreakGlassTest() : w(Policy(), kFacts) {}
  static Ask Of(std::string action, std::string id, std::string person = "E7") {
    return Ask().Person(std::move(person)).Does(std::move(action), "app.Chart", std::move(id));
  }
  static Ask Open(std::string id, std::string person = "E7") {
    return Of("read", std::move(id), std::move(person)).Using("t.ward", "arrest", "INC-1");
  }
  std::string Detail() { return std::string(w.last->detail); }
  World w;
};

TEST_F(BreakGlassTest, LiftsWhatItNamesForItsTime) {
  EXPECT_EQ(w.Code(Of("read", "shut")), "forbidden");
  EXPECT_EQ(w.Code(Open("shut")), "permit");
  EXPECT_EQ(w.By(), "t.locked, t.care, t.ward");
  EXPECT_EQ(w.last->by.items[0].part, Part::kLifted);
  EXPECT_EQ(w.last->by.items[2].part, Part::kBreakGlass);
  EXPECT_EQ(w.last->opening.opened, w.now);
  EXPECT_EQ(w.last->opening.until.us, w.now.us + kMicrosPerHour);
  EXPECT_EQ(w.last->opening.review_due.us, w.now.us + kMicrosPerDay);
  EXPECT_EQ(w.last->opening.uses, 1u);
  EXPECT_EQ(w.last->valid_until, w.now) << "a recorded use is not to be relied on";
  Instant opened = w.now;
  w.Advance(kMicrosPerHour - 1);
  EXPECT_EQ(w.Code(Open("shut")), "permit");
  EXPECT_EQ(w.last->opening.opened, opened);
  EXPECT_EQ(w.last->opening.uses, 2u);
  w.Advance(1);
  EXPECT_EQ(w.Code(Open("shut")), "break_glass.not_allowed");
  EXPECT_EQ(Detail(), "this opening is over");
  // Another emergency has its own words, and its own review.
  EXPECT_EQ(w.Code(Of("read", "shut").Using("t.ward", "arrest", "INC-2")), "permit");
  EXPECT_EQ(w.last->opening.uses, 1u);
  EXPECT_EQ(w.store.Openings().size(), 2u);
  EXPECT_EQ(w.Code(Of("read", "shut")), "forbidden") << "nothing stays open by itself";
}

TEST_F(BreakGlassTest, AddsItsMay) {
  Ask vault = Ask().Person("E7").Does("open", "app.Vault", "v");
  EXPECT_EQ(w.Code(vault), "person.no_grant");
  EXPECT_EQ(w.Code(vault.Using("t.ward", "arrest", "INC-1")), "permit");
  EXPECT_EQ(w.By(), "t.ward");
  EXPECT_EQ(w.Code(Ask().Person("E2").Does("open", "app.Vault", "v").Using("t.ward", "a", "b")),
            "break_glass.not_allowed");
}

TEST_F(BreakGlassTest, IsValidOnlyInFull) {
  auto shut = [&](Ask ask, const char* why) {
    EXPECT_EQ(w.Code(ask), "break_glass.not_allowed") << why;
    EXPECT_EQ(Detail(), why);
  };
  shut(Of("read", "shut").Using("t.nothing", "arrest", "INC-1"),
       "there is no break_glass of this name");
  shut(Of("read", "shut").Using("t.care", "arrest", "INC-1"),
       "there is no break_glass of this name");
  shut(Of("read", "shut").Using("t.ward", "", "INC-1"), "it needs a reason");
  shut(Of("read", "shut").Using("t.ward", "  ", "INC-1"), "it needs a reason");
  shut(Of("read", "shut").Using("t.ward", "arrest"), "it needs a ticket");
  shut(Of("read", "shut", "E2").Using("t.ward", "arrest", "INC-1"),
       "it does not open this for the person");
  shut(Of("read", "far").Using("t.ward", "arrest", "INC-1"),
       "it does not open this for the person");
  shut(Of("make", "shut").Using("t.ward", "arrest", "INC-1"),
       "it does not open this for the person");
  // Named and not valid denies even what needs no emergency.
  shut(Of("read", "plain").Using("t.ward", "arrest"), "it needs a ticket");
  EXPECT_EQ(w.By(), "t.ward");
  EXPECT_TRUE(w.store.Openings().empty());
  // The short name does, where it is the only one.
  EXPECT_EQ(w.Code(Of("read", "shut").Using("ward", "arrest", "INC-1")), "permit");
  EXPECT_EQ(w.Code(Of("read", "shut").Using("own", "arrest")), "permit") << "no ticket is needed";
  w.Advance(kMicrosPerDay);
  EXPECT_EQ(w.Code(Of("read", "shut").Using("own", "next day")), "permit") << "its last day";
  w.Advance(kMicrosPerDay);
  shut(Of("read", "shut").Using("own", "later"), "it has expired");
}

TEST_F(BreakGlassTest, ARevokedDoorIsShut) {
  EXPECT_EQ(w.Code(Open("shut")), "permit");
  w.store.Revoke(RevokedKind::kBreakGlass, "t.ward", w.now);
  EXPECT_EQ(w.Code(Open("shut")), "break_glass.not_allowed");
  EXPECT_EQ(Detail(), "it is revoked");
  w.Advance(1);
  EXPECT_EQ(w.Code(Of("read", "shut").Using("t.ward", "arrest", "INC-2")), "permit")
      << "a cut-off ends what was opened before it";
  w.store.Revoke(RevokedKind::kBreakGlass, "t.ward", std::nullopt);
  EXPECT_EQ(w.Code(Of("read", "shut").Using("t.ward", "arrest", "INC-2")),
            "break_glass.not_allowed");
}

TEST_F(BreakGlassTest, AClockSetBackProlongsNothing) {
  EXPECT_EQ(w.Code(Open("shut")), "permit");
  Instant start = w.now;
  w.Advance(2 * kMicrosPerHour);
  EXPECT_EQ(w.Code(Of("read", "shut").Using("t.ward", "other", "INC-9")), "permit");
  w.now = start;
  EXPECT_EQ(w.Code(Open("shut")), "break_glass.not_allowed");
}

TEST_F(BreakGlassTest, NothingIsRecordedWithoutAPermit) {
  EXPECT_EQ(w.Code(Open("both")), "forbidden");
  EXPECT_EQ(w.Code(Open("shut").Dry()), "would_permit");
  EXPECT_EQ(w.last->opening.uses, 0u);
  EXPECT_TRUE(w.store.Openings().empty());
  EXPECT_EQ(w.Code(Open("shut")), "permit");
  std::vector<OpeningRecord> all = w.store.Openings();
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].break_glass, "t.ward");
  EXPECT_EQ(all[0].person, "E7");
  EXPECT_EQ(all[0].reason, "arrest");
  EXPECT_EQ(all[0].ticket, "INC-1");
  EXPECT_EQ(all[0].review_due.us, w.now.us + kMicrosPerDay);
}

TEST_F(BreakGlassTest, SomebodyIsToldOrItStaysShut) {
  EXPECT_EQ(w.Code(Open("shut").Duties(0)), "obligation.unsupported");
  EXPECT_EQ(w.By().substr(0, 6), "t.ward");
  EXPECT_TRUE(w.store.Openings().empty());
  EXPECT_EQ(w.Code(Open("shut").Duties(DutyBit(DutyKind::kNotify))), "permit");
  ASSERT_EQ(w.last->duties.size, 1);
  std::string duty;
  AppendDuty(&duty, w.snapshot->program(), w.last->duties.items[0]);
  EXPECT_EQ(duty, "notify team t.audit");
  std::string json = w.Json(false);
  EXPECT_NE(
      json.find(
          R"("obligations":[{"id":"t.ward#1","type":"notification","properties":{"to":"team t.audit","topic":"t.ward"}}])"),
      std::string::npos)
      << json;
  EXPECT_NE(
      json.find(
          R"("break_glass":{"name":"t.ward","opened":"2026-11-20T15:00:00Z","until":"2026-11-20T16:00:00Z","review_due":"2026-11-21T15:00:00Z"})"),
      std::string::npos)
      << json;
  json = w.Json(true);
  EXPECT_NE(json.find(R"("uses":1,"reason":"arrest","ticket":"INC-1","review_by":"team t.audit"})"),
            std::string::npos)
      << json;
  EXPECT_NE(w.Explanation().find("review due 2026-11-21T15:00:00Z by team t.audit"),
            std::string::npos);
}

TEST(ClosingRule, R02_OnlyAPersonOpensAnEmergencyDoor) {
  World w(Policy(), kFacts);
  Ask agent = Ask()
                  .Person("E7")
                  .Agent("helper", "i1")
                  .Does("read", "app.Chart", "shut")
                  .Using("t.ward", "arrest", "INC-1");
  EXPECT_EQ(w.Code(agent), "break_glass.not_allowed");
  EXPECT_EQ(w.last->detail, "the person has not opened it");
  Ask person =
      Ask().Person("E7").Does("read", "app.Chart", "shut").Using("t.ward", "arrest", "INC-1");
  EXPECT_EQ(w.Code(person), "permit");
  EXPECT_EQ(w.Code(agent), "permit") << "`who … any agent`, and the person opened it";
  EXPECT_EQ(w.last->opening.uses, 2u);
  Ask other = agent;
  EXPECT_EQ(w.Code(other.Using("t.ward", "arrest", "INC-2")), "break_glass.not_allowed");
  EXPECT_EQ(w.Code(Ask()
                       .Person("E8")
                       .Agent("helper", "i2")
                       .Does("read", "app.Chart", "shut")
                       .Using("t.ward", "arrest", "INC-1")),
            "break_glass.not_allowed")
      << "another person's opening";
  // A door that does not say `any agent` is for people alone.
  EXPECT_EQ(w.Code(Ask().Person("E7").Does("read", "app.Chart", "shut").Using("t.own", "a")),
            "permit");
  EXPECT_EQ(w.Code(Ask()
                       .Person("E7")
                       .Agent("helper", "i1")
                       .Does("read", "app.Chart", "shut")
                       .Using("t.own", "a")),
            "break_glass.not_allowed");
  EXPECT_EQ(w.last->detail, "it is not for agents");
  EXPECT_EQ(w.Code(Ask()
                       .Subject("anonymous", "x")
                       .Does("read", "app.Chart", "shut")
                       .Using("t.ward", "a", "b")),
            "identity.unknown");
}

TEST(ClosingRule, R14_BreakGlassLiftsNoOtherForbid) {
  World w(Policy(), kFacts);
  Ask both =
      Ask().Person("E7").Does("read", "app.Chart", "both").Using("t.ward", "arrest", "INC-1");
  EXPECT_EQ(w.Code(both), "forbidden");
  EXPECT_EQ(w.last->by.items[0].part, Part::kForbid);
  EXPECT_EQ(w.Name(w.last->by.items[0].statement), "t.sealed");
}

TEST(ClosingRule, R14_BreakGlassLiftsNoLimit) {
  World w(Policy(), kFacts);
  Ask open =
      Ask().Person("E7").Does("read", "app.Chart", "shut").Using("t.ward", "arrest", "INC-1");
  for (int i = 0; i < 3; ++i) EXPECT_EQ(w.Code(open), "permit");
  EXPECT_EQ(w.Code(open), "limit.exceeded");
  EXPECT_EQ(w.store.Openings()[0].uses, 3u);
  Ask dose = Ask().Person("E7").Does("prescribe", "app.Chart", "plain").Using("t.ward", "a", "b");
  EXPECT_EQ(w.Code(Ask(dose).With(R"({"amount": "100.00 USD"})")), "permit");
  EXPECT_EQ(w.Code(Ask(dose).With(R"({"amount": "100.01 USD"})")), "limit.exceeded");
}

TEST(ClosingRule, R14_BreakGlassSupersedesNothingAndLimitsNothing) {
  // A measure that must be limited: the door limits nothing, so without the block there is no
  // limit.
  std::string policy = Policy();
  size_t at = policy.find("limit doses");
  std::string block = policy.substr(at, policy.find('\n', at) - at);
  EXPECT_NE(DiagnosticsOf(policy.replace(at, block.size(), "")).find("DPL0502"), std::string::npos);
}

// What a grant asks for stays asked for: a door supersedes nothing.
TEST(ClosingRule, R14_BreakGlassSupersedesNoApproval) {
  std::string policy = Policy() + R"dpl(
approval second { by 1 of role doctor  within 4h  because "Two pairs of eyes" }
grant a_wide { to role nurse  may write on app.Chart  supersedes grant b_tight  because "Nurses decide alone, next year"  granted 2027-01-01 }
grant b_tight { to role nurse  may write on app.Chart, ask second  because "Nurses ask" }
)dpl";
  World w(policy, kFacts);
  Ask write = Ask().Person("E7").Does("write", "app.Chart", "shut").Using("t.ward", "a", "b");
  EXPECT_EQ(w.Code(write), "approval_required");
  EXPECT_EQ(w.Code(write.Approval(w.Approve({"E9"}))), "permit");
}

TEST(ClosingRule, R14_BreakGlassLiftsNoCeilingDelegationTaskOrSeparation) {
  World w(Policy(), kFacts);
  Ask person =
      Ask().Person("E7").Does("read", "app.Chart", "shut").Using("t.ward", "arrest", "INC-1");
  EXPECT_EQ(w.Code(person), "permit");
  auto agent = [&](std::string action, std::string type, std::string id) {
    return Ask()
        .Person("E7")
        .Agent("helper", "i1")
        .Does(std::move(action), std::move(type), std::move(id))
        .Using("t.ward", "arrest", "INC-1");
  };
  EXPECT_EQ(w.Code(agent("read", "app.Chart", "shut")), "permit");
  EXPECT_EQ(w.Code(agent("open", "app.Vault", "v")), "agent.not_allowed") << "its ceiling stands";
  EXPECT_EQ(w.Code(agent("write", "app.Chart", "shut")), "delegation.none") << "nobody lent it";
  Ask task = agent("read", "app.Chart", "shut");
  task.hops[0].instance = "i9";
  EXPECT_EQ(w.Code(task.Task("t1")), "task.out_of_scope");
  // Who made a chart does not write it, emergency or not.
  EXPECT_EQ(w.Code(Ask().Person("E8").Does("make", "app.Chart", "shut")), "permit");
  EXPECT_EQ(w.Code(Ask().Person("E8").Does("write", "app.Chart", "shut").Using("t.ward", "a", "b")),
            "separation");
  EXPECT_EQ(w.Code(Ask().Person("E7").Does("write", "app.Chart", "shut").Using("t.ward", "a", "b")),
            "permit");
}

TEST(BreakGlassWire, IsAnObjectOfTexts) {
  Arena arena;
  Caller caller = Caller::Everything("test");
  auto read = [&](const char* context) -> std::string {
    WireEvaluation wire;
    wire.subject = *ParseJson(R"({"type": "person", "id": "E7"})", &arena);
    wire.action = *ParseJson(R"({"name": "read"})", &arena);
    wire.resource = *ParseJson(R"({"type": "app.Doc", "id": "d"})", &arena);
    wire.context = *ParseJson(context, &arena);
    Result<Request> r = ReadWireRequest(wire, caller, &arena);
    if (!r.ok()) return "error";
    if (!r->malformed.empty()) return "malformed";
    return std::string(r->break_glass) + "|" + std::string(r->break_glass_reason) + "|" +
           std::string(r->break_glass_ticket);
  };
  EXPECT_EQ(read(R"({"break_glass": {"name": "ward", "reason": "arrest", "ticket": "INC-1"}})"),
            "ward|arrest|INC-1");
  EXPECT_EQ(read(R"({"break_glass": {"name": "ward", "reason": null}})"), "ward||");
  EXPECT_EQ(read(R"({"break_glass": "ward"})"), "ward||");
  EXPECT_EQ(read(R"({"break_glass": {"name": "ward", "reason": 1}})"), "malformed");
  EXPECT_EQ(read(R"({"break_glass": {"name": "ward", "ticket": ["x"]}})"), "malformed");
  EXPECT_EQ(read(R"({"break_glass": {"reason": "arrest"}})"), "malformed");
}

TEST_F(BreakGlassTest, WhatIsSaidIsPlainText) {
  EXPECT_EQ(w.Code(Of("read", "shut").Using("t.ward", "line\nbreak", "INC-1")), "request.invalid");
  EXPECT_EQ(w.Code(Of("read", "shut").Using("t.ward", "arrest", std::string(1025, 'x'))),
            "request.invalid");
}

// A replay of a charge key must be the same request, the emergency included.
TEST_F(BreakGlassTest, IsPartOfWhatAChargeKeyMeans) {
  Ask read = Of("read", "plain").Key("k1");
  EXPECT_EQ(w.Code(read), "permit");
  EXPECT_EQ(w.Code(read), "permit");
  EXPECT_TRUE(w.last->replayed);
  EXPECT_EQ(w.Code(Open("plain").Key("k1")), "request.key_conflict");
}

}  // namespace
}  // namespace dpl
