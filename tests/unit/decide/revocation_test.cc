// What a revocation takes with it (docs/state.md, "What a revocation reaches"): each kind, for good
// and up to an instant, and what descends from it.
#include <gtest/gtest.h>

#include "tests/unit/decide/world.h"

namespace dpl {
namespace {

constexpr std::string_view kPolicy = R"dpl(
package t owned by team staff
granted 2026-10-01
review every 180d
person { key id: string }
team staff { owner person "E1" }
team desk { owner person "E1" }
role chief { owner team staff }
system app { owner team staff  account keyed by login: string  link person by id checked within 30d }
resource Folder in app { can list }
resource Doc in app { within app.Folder  has locked: bool = false  can read, write, drop }
grant reading { to team staff  may read, write on app.Doc  because "Staff read and write" }
grant dropping { to team staff  may drop on app.Doc, ask second  because "Dropping takes two"  granted 2026-11-15 }
forbid locked { covers write on app.Doc where resource.locked  because "Legal hold" }
approval second {
  by 1 of role chief  never by the person, the accountable  within 4h  good for 9 request within 24h
  because "Two pairs of eyes"
}
break_glass ward {
  who team staff  may write on app.Doc  lifts forbid locked
  needs reason  lasts at most 8h  notify person "E2"  review within 24h by person "E2"
  because "Emergency"
}
agent helper {
  accountable person "E1" else team desk  purpose "Works for people"  runs as spiffe "spiffe://acme.example/helper"
  may read, drop on app.Doc  lives at most 10h
}
agent reader {
  accountable person "E3"  purpose "Reads for helpers"  runs as spiffe "spiffe://acme.example/reader"
  may read on app.Doc  lives at most 10h
}
delegation help {
  from team staff  to agent helper  may read, drop on app.Doc
  consent every 30d  lasts at most 8h  onward to agent reader, at most 1 hop
  because "Work may be handed to software"
}
delegation tidying {
  from team staff  to agent reader  may read on app.Doc  only in task tidy  consent each task  lasts at most 2h
  because "One task at a time"
}
delegation cover { from team staff  to team desk  may read on app.Doc  consent by policy  because "Cover during leave" }
task tidy(source: app.Folder) { for agent reader  may read on app.Doc in source  lasts at most 2h  nothing else }
partner globex {
  issuer "https://id.globex.example"  may read on app.Doc  because "Joint papers"  expires 2026-12-31
}
grant joint { to partner globex  may read on app.Doc  because "Joint papers" }
)dpl";
constexpr std::string_view kFacts = R"({
  "persons": [{"id": "E1"}, {"id": "E2"}, {"id": "E3"}, {"id": "E7"}, {"id": "E8"}, {"id": "D"}],
  "teams": {"staff": ["E1", "E7", "E8"], "desk": ["D"]},
  "roles": [{"role": "chief", "members": ["E3", "E8"]}],
  "accounts": [{"system": "app", "key": "k7", "person": "E7", "checked": "2026-11-20T12:00Z"},
               {"system": "app", "key": "k8", "person": "E8", "checked": "2026-11-20T12:00Z"}],
  "resources": [{"type": "app.Folder", "id": "A"}, {"type": "app.Doc", "id": "a1", "parent": "A"},
                {"type": "app.Doc", "id": "k1", "parent": "A", "attributes": {"locked": true}}],
  "consents": [{"delegation": "help", "person": "E7", "at": "2026-11-20T12:00Z"}],
  "tasks": [{"id": "t1", "shape": "tidy", "agent": "reader", "person": "E7", "args": {"source": "A"}, "opened": "2026-11-20T14:30Z"}]
})";

struct Revoking : ::testing::Test {
  Revoking() : w(kPolicy, kFacts) {}
  Instant Ago(int minutes) const { return Instant{w.now.us - minutes * kMicrosPerMinute}; }
  void Revoke(RevokedKind kind, std::string name, std::optional<Instant> before = {}) {
    Revocation r;
    r.kind = kind;
    r.name = std::move(name);
    r.before = before;
    r.at = w.now;
    w.store.Revoke(r);
  }
  // Alone, in a session that began just now.
  Ask Alone(std::string action = "read", std::string doc = "a1") {
    return Ask().Person("E7").SignedIn(w.now).Does(std::move(action), "app.Doc", std::move(doc));
  }
  Ask ByHelper(std::string instance = "h1", std::string action = "read") {
    return Alone(std::move(action)).Agent("helper", std::move(instance));
  }
  Ask InTask(std::string instance = "r1") {
    return Alone().Agent("reader", std::move(instance)).Task("t1");
  }
  World w;
};

// ---------------------------------------------------------------- a person

TEST_F(Revoking, APersonUpToAnInstantLosesWhatBeganByThen) {
  EXPECT_EQ(w.Code(ByHelper("old").Born(Ago(60))), "permit");
  EXPECT_EQ(w.Code(InTask()), "permit");
  Revoke(RevokedKind::kPerson, "E7", Ago(10));
  EXPECT_EQ(w.Code(Alone()), "permit") << "a session of after it";
  EXPECT_EQ(w.Code(Alone().SignedIn(Ago(10))), "revoked.person");
  Ask unproven = Alone();
  unproven.signed_in.reset();
  EXPECT_EQ(w.Code(unproven), "revoked.person");
  // Runs, tasks and consents of before it do not come back with a new session.
  EXPECT_EQ(w.Code(ByHelper("old")), "revoked.person");
  EXPECT_EQ(w.Code(InTask()), "revoked.task");
  EXPECT_EQ(w.Code(ByHelper("new")), "delegation.consent_missing");
  w.Seed(R"({"consents": [{"delegation": "help", "person": "E7", "at": "2026-11-20T15:00Z"}]})");
  EXPECT_EQ(w.Code(ByHelper("new")), "permit");
  EXPECT_EQ(w.Code(ByHelper("old")), "revoked.person");
  EXPECT_EQ(w.Code(Ask().Person("E8").SignedIn(Ago(60)).Does("read", "app.Doc", "a1")), "permit");
}

TEST_F(Revoking, APersonTakesTheApprovalsTheySigned) {
  EXPECT_EQ(w.Code(Alone("drop")), "approval_required");
  std::string early = w.Approve({"E8"});
  EXPECT_EQ(w.Code(Alone("drop").Approval(early)), "permit");
  w.Advance(5 * kMicrosPerMinute);
  Revoke(RevokedKind::kPerson, "E8", Ago(1));
  EXPECT_EQ(w.Code(Alone("drop").Approval(early)), "approval_required");
  std::string late = w.Approve({"E8"});
  EXPECT_EQ(w.Code(Alone("drop").Approval(late)), "permit");
  Revoke(RevokedKind::kPerson, "E8");
  EXPECT_EQ(w.Code(Alone("drop").Approval(late)), "approval_required");
}

TEST_F(Revoking, APersonTakesTheDoorsTheyOpened) {
  Ask door = Alone("write", "k1").Using("ward", "fire");
  EXPECT_EQ(w.Code(door), "permit");
  w.Advance(5 * kMicrosPerMinute);
  Revoke(RevokedKind::kPerson, "E7", Ago(1));
  EXPECT_EQ(w.Code(door.SignedIn(w.now)), "break_glass.not_allowed");
  EXPECT_EQ(w.Code(door.Using("ward", "another fire")), "permit") << "opened anew";
}

TEST_F(Revoking, APersonForGoodAnswersForNoAgentAnyMore) {
  EXPECT_EQ(w.Code(ByHelper()), "permit");
  EXPECT_EQ(w.Code(InTask()), "permit");
  Revoke(RevokedKind::kPerson, "E3", Ago(0));  // up to an instant: still with us
  EXPECT_EQ(w.Code(InTask("r2")), "permit");
  Revoke(RevokedKind::kPerson, "E3");
  EXPECT_EQ(w.Code(InTask("r3")), "accountable.missing");
  Revoke(RevokedKind::kPerson, "E1");
  EXPECT_EQ(w.Code(ByHelper("h2")), "permit") << "the desk stands in";
  w.Advance(14 * kMicrosPerDay);
  w.Seed(R"({"consents": [{"delegation": "help", "person": "E7", "at": "2026-12-04T15:00Z"}]})");
  EXPECT_EQ(w.Code(ByHelper("h3")), "permit");
  w.Advance(1);
  EXPECT_EQ(w.Code(ByHelper("h4")), "accountable.missing") << "for 14 days";
}

TEST_F(Revoking, APersonWhoActsForAnother) {
  auto covered = [&](Instant began) { return Alone().Deputy("D").Born(began); };
  EXPECT_EQ(w.Code(covered(Ago(60))), "permit");
  Revoke(RevokedKind::kPerson, "D", Ago(10));
  EXPECT_EQ(w.Code(covered(Ago(60))), "revoked.person");
  EXPECT_EQ(w.Code(covered(Ago(5))), "permit");
  Revoke(RevokedKind::kPerson, "D");
  EXPECT_EQ(w.Code(covered(Ago(5))), "revoked.person");
  EXPECT_EQ(w.Code(Alone()), "permit");
}

TEST_F(Revoking, AnAccountOrItsSessions) {
  Revoke(RevokedKind::kAccount, "app:k7", Ago(10));
  EXPECT_EQ(w.Code(Alone()), "permit");
  EXPECT_EQ(w.Code(Alone().SignedIn(Ago(20))), "revoked.account");
  Revoke(RevokedKind::kAccount, "app:k7");
  EXPECT_EQ(w.Code(Alone()), "revoked.account");
}

// ---------------------------------------------------------------- software

TEST_F(Revoking, AnAgentAndWhateverItHandedOn) {
  ASSERT_TRUE(w.store.RecordHandoff("t.helper", "h1", "t.reader", "r1", "").ok());
  ASSERT_TRUE(w.store.RecordHandoff("t.helper", "h2", "t.reader", "r2", "").ok());
  auto chain = [&](std::string h, std::string r, Instant born) {
    return ByHelper(std::move(h)).Born(born).Agent("reader", std::move(r));
  };
  EXPECT_EQ(w.Code(chain("h1", "r1", Ago(60))), "permit");
  EXPECT_EQ(w.Code(chain("h2", "r2", Ago(0))), "permit");
  Revoke(RevokedKind::kAgent, "t.helper", Ago(10));
  EXPECT_EQ(w.Code(chain("h1", "r1", Ago(0))), "revoked.agent") << "the first record of it stands";
  EXPECT_EQ(w.Code(chain("h2", "r2", Ago(0))), "permit");
  // The child cannot leave its parent out.
  EXPECT_EQ(w.Code(InTask("r1")), "identity.chain_mismatch");
  Revoke(RevokedKind::kAgent, "t.helper");
  EXPECT_EQ(w.Code(chain("h2", "r2", Ago(0))), "revoked.agent");
  EXPECT_EQ(w.Code(InTask("r3")), "permit") << "the reader itself is not revoked";
}

TEST_F(Revoking, ARunAndItsChildren) {
  ASSERT_TRUE(w.store.RecordHandoff("t.helper", "h1", "t.reader", "r1", "").ok());
  Revoke(RevokedKind::kInstance, "t.helper/h1");
  EXPECT_EQ(w.Code(ByHelper("h1")), "revoked.instance");
  EXPECT_EQ(w.Code(ByHelper("h1").Agent("reader", "r1")), "revoked.instance");
  EXPECT_EQ(w.Code(InTask("r1")), "identity.chain_mismatch");
  EXPECT_EQ(w.Code(ByHelper("h2")), "permit");
}

TEST_F(Revoking, ATaskAndTheRunsSeenInIt) {
  EXPECT_EQ(w.Code(InTask("r1")), "permit");
  Revoke(RevokedKind::kTask, "t1");
  EXPECT_EQ(w.Code(InTask("r1")), "revoked.task");
  EXPECT_EQ(w.Code(InTask("r2")), "revoked.task");
  w.Seed(
      R"({"tasks": [{"id": "t2", "shape": "tidy", "agent": "reader", "person": "E7", "args": {"source": "A"}, "opened": "2026-11-20T15:00Z"}]})");
  EXPECT_EQ(w.Code(InTask("r1").Task("t2")), "task.required") << "seen in t1, it acts nowhere else";
  EXPECT_EQ(w.Code(InTask("r2").Task("t2")), "permit");
}

TEST_F(Revoking, TenThousandRunsOfOneAgentAtOnce) {
  constexpr int kRuns = 10'000;
  for (int i = 0; i < kRuns; ++i) ASSERT_EQ(w.Code(ByHelper("run" + std::to_string(i))), "permit");
  w.Advance(1);
  Revoke(RevokedKind::kAgent, "t.helper", Ago(0));
  EXPECT_EQ(w.store.ListRevocations({}).items.size(), 1u) << "one record, not one for each";
  for (int i = 0; i < kRuns; ++i)
    ASSERT_EQ(w.Code(ByHelper("run" + std::to_string(i))), "revoked.agent") << i;
  w.Advance(1);
  EXPECT_EQ(w.Code(ByHelper("fresh")), "permit");
}

// ---------------------------------------------------------------- statements

TEST_F(Revoking, AGrantUntilItIsGrantedAnew) {
  Revoke(RevokedKind::kGrant, "t.dropping", Instant{ParseInstant("2026-11-14T00:00Z")->us});
  EXPECT_EQ(w.Code(Alone("drop")), "approval_required") << "granted after it";
  Revoke(RevokedKind::kGrant, "t.dropping", w.now);
  EXPECT_EQ(w.Code(Alone("drop")), "revoked.grant");
}

TEST_F(Revoking, ADelegationTakesItsConsents) {
  Revoke(RevokedKind::kDelegation, "t.help", Ago(10));
  EXPECT_EQ(w.Code(ByHelper()), "delegation.consent_missing");
  w.Seed(R"({"consents": [{"delegation": "help", "person": "E7", "at": "2026-11-20T15:00Z"}]})");
  EXPECT_EQ(w.Code(ByHelper()), "permit");
  Revoke(RevokedKind::kDelegation, "t.tidying", Ago(10));
  EXPECT_EQ(w.Code(InTask()), "delegation.consent_missing") << "opening the task was the consent";
  Revoke(RevokedKind::kDelegation, "t.cover", Ago(10));
  EXPECT_EQ(w.Code(Alone().Deputy("D").Born(w.now)), "revoked.delegation")
      << "nobody consents, and it was granted before";
  Revoke(RevokedKind::kDelegation, "t.help");
  EXPECT_EQ(w.Code(ByHelper()), "revoked.delegation");
}

TEST_F(Revoking, AnApprovalOrAllOfItsKind) {
  EXPECT_EQ(w.Code(Alone("drop")), "approval_required");
  std::string one = w.Approve({"E8"}), two = w.Approve({"E8"});
  Revoke(RevokedKind::kApproval, one);
  EXPECT_EQ(w.Code(Alone("drop").Approval(one)), "revoked.approval");
  EXPECT_EQ(w.Code(Alone("drop").Approval(two)), "permit");
  Revoke(RevokedKind::kApproval, "t.second", w.now);
  EXPECT_EQ(w.Code(Alone("drop").Approval(two)), "revoked.approval");
}

TEST_F(Revoking, APartnerOrOneOfItsPeople) {
  auto globex = [&](std::string who) {
    return Ask()
        .Subject("partner:globex", std::move(who))
        .SignedIn(w.now)
        .Does("read", "app.Doc", "a1");
  };
  EXPECT_EQ(w.Code(globex("ana")), "permit");
  Revoke(RevokedKind::kPartner, "t.globex/ana");
  EXPECT_EQ(w.Code(globex("ana")), "revoked.partner");
  EXPECT_EQ(w.Code(globex("bob")), "permit");
  Revoke(RevokedKind::kPartner, "t.globex", Ago(10));
  EXPECT_EQ(w.Code(globex("bob")), "permit");
  EXPECT_EQ(w.Code(globex("bob").SignedIn(Ago(20))), "revoked.partner");
  Revoke(RevokedKind::kPartner, "t.globex");
  EXPECT_EQ(w.Code(globex("bob")), "revoked.partner");
}

TEST_F(Revoking, ADoor) {
  Ask door = Alone("write", "k1").Using("ward", "fire");
  EXPECT_EQ(w.Code(door), "permit");
  w.Advance(1);
  Revoke(RevokedKind::kBreakGlass, "t.ward", Ago(0));
  EXPECT_EQ(w.Code(door), "break_glass.not_allowed");
  w.Advance(1);
  EXPECT_EQ(w.Code(Alone("write", "k1").Using("ward", "smoke")), "permit");
  Revoke(RevokedKind::kBreakGlass, "t.ward");
  EXPECT_EQ(w.Code(Alone("write", "k1").Using("ward", "smoke")), "break_glass.not_allowed");
}

// ---------------------------------------------------------------- all at once

TEST_F(Revoking, EverythingOfBeforeAnInstant) {
  Ask door = Alone("write", "k1").Using("ward", "fire");
  EXPECT_EQ(w.Code(door), "permit");
  EXPECT_EQ(w.Code(ByHelper("old")), "permit");
  EXPECT_EQ(w.Code(Alone("drop")), "approval_required");
  std::string approval = w.Approve({"E8"});
  w.Advance(kMicrosPerMinute);
  Instant cut = Instant{w.now.us - 1};
  Revoke(RevokedKind::kEverything, "", cut);
  EXPECT_EQ(w.Code(Alone().SignedIn(cut)), "revoked.person");
  EXPECT_EQ(w.Code(Alone()), "permit");
  EXPECT_EQ(w.Code(ByHelper("old")), "revoked.agent");
  EXPECT_EQ(w.Code(InTask()), "revoked.task");
  EXPECT_EQ(w.Code(ByHelper("new")), "delegation.consent_missing");
  EXPECT_EQ(w.Code(Alone("write", "k1").Using("ward", "fire")), "break_glass.not_allowed");
  EXPECT_EQ(w.Code(Alone("drop").Approval(approval)), "revoked.approval");
  EXPECT_EQ(
      w.Code(Ask().Subject("partner:globex", "ana").SignedIn(cut).Does("read", "app.Doc", "a1")),
      "revoked.partner");
}

}  // namespace
}  // namespace dpl
