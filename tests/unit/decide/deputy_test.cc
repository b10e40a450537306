// People for people: "sent by Sarah on behalf of Mike". S acts for M.
#include <gtest/gtest.h>

#include "tests/unit/decide/world.h"

namespace dpl {
namespace {

constexpr std::string_view kPolicy = R"dpl(
package t owned by team staff
granted 2026-10-01
review every 180d
person { key id: string  has grade: int = 1  within manager: Person? }
team staff { owner person "E1" }
team desk { owner person "E1" }
team interns { owner person "E1" }
role cover
activity spend { owner team staff  measure amount: money }
system app { owner team staff }
resource Doc in app { has secret: bool = false  can read, write, list  can pay is spend  can close }
grant work {
  to team staff  may read, write, list, close on app.Doc  may pay on app.Doc
  limit amount to 100 USD each
  limit requests to 6 per day for each person
  because "Staff do the work"
}
delegation leave {
  from team staff  to team desk, role cover, person "P"
  may read, pay, close on app.Doc
  consent every 30d
  onward to agent helper, at most 1 hop
  because "Cover during leave"
}
delegation short_leave {
  from person "M"  to team interns
  may read, list on app.Doc
  consent each task
  lasts at most 2h
  because "Cover for an hour"
}
task errand(doc: app.Doc) { may read on app.Doc in doc  lasts at most 4h  nothing else }
forbid interns_close { applies to team interns, person "P"  covers close on app.Doc unless person.grade > 5  because "Not for everybody" }
forbid stale { applies to person "Q"  covers read on app.Doc  because "Q reads nothing" }
limit interns_pay { applies to team desk  covers pay on app.Doc  cap amount to 50 USD each  cap amount to 80 USD per day for each person  because "A desk pays little" }
approval second { by 1 of team staff, team desk  good for 3 request within 24h  because "Two pairs of eyes" }
agent helper {
  accountable person "E1"  purpose "Reads for people"  runs as spiffe "spiffe://acme.example/helper"
  may read on app.Doc  lives at most 1h
}
agent robot {
  accountable person "E1"  purpose "Passes as people"  runs as spiffe "spiffe://acme.example/robot"
  modes impersonate  may read on app.Doc  lives at most 1h
}
delegation to_robot { from team staff  to agent robot, agent helper  may read on app.Doc  consent by policy  because "Reading by software" }
)dpl";
constexpr std::string_view kFacts = R"({
  "persons": [{"id": "E1"}, {"id": "M"}, {"id": "S"}, {"id": "C"}, {"id": "P"}, {"id": "Q"}, {"id": "I"},
              {"id": "G", "status": "left"}],
  "teams": {"staff": ["E1", "M"], "desk": ["S", "Q", "G"], "interns": ["I"]},
  "roles": [{"role": "cover", "members": ["C"]}],
  "resources": [{"type": "app.Doc", "id": "d1"}, {"type": "app.Doc", "id": "d2"}],
  "consents": [{"delegation": "leave", "person": "M", "at": "2026-11-10T00:00Z"}]
})";

Ask Read() { return Ask().Person("M").Does("read", "app.Doc", "d1"); }
Ask Pay(std::string_view amount) {
  return Ask()
      .Person("M")
      .Does("pay", "app.Doc", "d1")
      .With("{\"amount\": \"" + std::string(amount) + " USD\"}");
}

TEST(Deputy, ActsWithTheOthersAuthorityAsFarAsItWasLent) {
  World w(kPolicy, kFacts);
  EXPECT_EQ(w.Code(Ask().Person("S").Does("read", "app.Doc", "d1")), "person.no_grant");
  EXPECT_EQ(w.Code(Read().Deputy("S")), "permit");
  EXPECT_EQ(w.By(), "t.work, t.leave");
  EXPECT_EQ(w.last->mode, ActingMode::kOnBehalfOf);
  EXPECT_EQ(w.last->person->id, "M");
  EXPECT_EQ(w.last->deputy->id, "S");
  EXPECT_EQ(w.Code(Ask().Person("M").Deputy("S").Does("write", "app.Doc", "d1")),
            "delegation.none");
  EXPECT_EQ(w.Code(Ask().Person("S").Deputy("M").Does("read", "app.Doc", "d1")), "person.no_grant")
      << "the other way round nothing was lent";
}

TEST(Deputy, TeamsRolesAndPersonsMayReceiveAndNobodyElse) {
  World w(kPolicy, kFacts);
  EXPECT_EQ(w.Code(Read().Deputy("S")), "permit");
  EXPECT_EQ(w.Code(Read().Deputy("C")), "permit");
  EXPECT_EQ(w.Code(Read().Deputy("P")), "permit");
  EXPECT_EQ(w.Code(Read().Deputy("E1")), "delegation.none");
  EXPECT_EQ(w.Code(Read().Deputy("X")), "identity.unknown");
  EXPECT_EQ(w.Code(Read().Deputy("G")), "person.not_active");
}

TEST(Deputy, OnlyWithTheConsentOfWhoeverLends) {
  World w(kPolicy, kFacts);
  EXPECT_EQ(w.Code(Ask().Person("E1").Deputy("S").Does("read", "app.Doc", "d1")),
            "delegation.consent_missing");
  EXPECT_EQ(w.Code(Read().Deputy("S")), "permit");
  w.Advance(20 * kMicrosPerDay);
  EXPECT_EQ(w.Code(Read().Deputy("S")), "delegation.consent_missing");
}

TEST(Deputy, IsSeenToActInPerson) {
  World w(kPolicy, kFacts);
  w.caller.serves_persons = false;
  EXPECT_EQ(w.Code(Read().Deputy("S")), "agent.actor_missing");
  w.caller.serves_persons = true;
  w.caller.asserts_actors = false;
  EXPECT_EQ(w.Code(Read().Deputy("S")), "identity.attestation_failed");
}

TEST(Deputy, WhoActsForThemselvesActsDirectly) {
  World w(kPolicy, kFacts);
  EXPECT_EQ(w.Code(Read().Deputy("M")), "permit");
  EXPECT_EQ(w.last->mode, ActingMode::kDirect);
  EXPECT_EQ(w.last->deputy, nullptr);
}

TEST(Deputy, EveryForbidThatTouchesEitherBites) {
  World w(kPolicy, kFacts);
  Ask close = Ask().Person("M").Does("close", "app.Doc", "d1");
  EXPECT_EQ(w.Code(close.Deputy("S")), "permit");
  EXPECT_EQ(w.Code(close.Deputy("P")), "identity.chain_mismatch") << "two persons in one chain";
  Ask by_p = Ask().Person("M").Does("close", "app.Doc", "d1").Deputy("P");
  EXPECT_EQ(w.Code(by_p), "forbidden");
  EXPECT_EQ(w.By(), "t.interns_close");
  EXPECT_EQ(w.Code(Read().Deputy("Q")), "forbidden");
  EXPECT_EQ(w.By(), "t.stale");
  // `unless` is about the one it lifts the forbid for.
  std::string facts(kFacts);
  facts.replace(facts.find(R"({"id": "M"})"), 11, R"({"id": "M", "attributes": {"grade": 9}})");
  World lender(kPolicy, facts);
  EXPECT_EQ(lender.Code(by_p), "forbidden") << "the lender's grade lifts nothing for P";
  facts = std::string(kFacts);
  facts.replace(facts.find(R"({"id": "P"})"), 11, R"({"id": "P", "attributes": {"grade": 9}})");
  World receiver(kPolicy, facts);
  EXPECT_EQ(receiver.Code(by_p), "permit");
}

TEST(Deputy, AForbidOnTheLenderBitesToo) {
  World w(std::string(kPolicy) +
              "forbid not_m { applies to person \"M\"  covers list on app.Doc  because \"M lists "
              "nothing\" }\n",
          kFacts);
  w.Seed(
      R"({"consents": [{"delegation": "short_leave", "person": "M", "at": "2026-11-20T14:30Z"}]})");
  Ask list = Ask().Person("M").Does("list", "app.Doc", "d1").Deputy("I");
  EXPECT_EQ(w.Code(list), "forbidden");
}

TEST(Deputy, EitherMayBeRevoked) {
  World w(kPolicy, kFacts);
  w.store.Revoke(RevokedKind::kPerson, "S", std::nullopt);
  EXPECT_EQ(w.Code(Read().Deputy("S")), "revoked.person");
  EXPECT_FALSE(w.last->chain.items[0].ok);
  EXPECT_EQ(w.Code(Read().Deputy("C")), "permit");
  w.store.Revoke(RevokedKind::kPerson, "M", std::nullopt);
  EXPECT_EQ(w.Code(Read().Deputy("C")), "revoked.person");
}

TEST(Deputy, ACutOffSparesASessionProvedToBeLater) {
  World w(kPolicy, kFacts);
  w.store.Revoke(RevokedKind::kPerson, "S", *ParseInstant("2026-11-20T14:00Z"));
  EXPECT_EQ(w.Code(Read().Deputy("S")), "revoked.person");
  EXPECT_EQ(w.Code(Read().Deputy("S").Born(*ParseInstant("2026-11-20T13:59Z"))), "revoked.person");
  EXPECT_EQ(w.Code(Read().Deputy("S").Born(*ParseInstant("2026-11-20T14:30Z"))), "permit");
  w.caller.asserts_instances = false;
  EXPECT_EQ(w.Code(Read().Deputy("S").Born(*ParseInstant("2026-11-20T14:30Z"))), "revoked.person");
}

TEST(Deputy, LimitsOfEitherBind) {
  World w(kPolicy, kFacts);
  EXPECT_EQ(w.Code(Pay("90.00")), "permit") << "M alone";
  EXPECT_EQ(w.Code(Pay("60.00").Deputy("C")), "permit");
  EXPECT_EQ(w.Code(Pay("60.00").Deputy("S")), "limit.exceeded") << "the desk's own cap";
  EXPECT_EQ(w.Binding(), "t.interns_pay.amount");
  EXPECT_NE(w.Json().find(R"("person":"S","state":"exceeded")"), std::string::npos) << w.Json();
  EXPECT_EQ(w.Code(Pay("50.00").Deputy("S")), "permit");
  EXPECT_EQ(w.Code(Pay("40.00").Deputy("S")), "limit.exceeded") << "S has spent 50 of 80 today";
  EXPECT_EQ(w.Code(Pay("40.00")), "permit") << "M's own day is not the desk's";
}

TEST(Deputy, TheLendersBudgetIsSpent) {
  World w(kPolicy, kFacts);
  for (int i = 0; i < 6; ++i) EXPECT_EQ(w.Code(Read().Deputy("S")), "permit") << i;
  EXPECT_EQ(w.Code(Read()), "limit.exceeded");
  EXPECT_EQ(w.UsedOf("t.work.requests", "M"), 6);
  EXPECT_EQ(w.UsedOf("t.work.requests", "S"), 0);
}

TEST(Deputy, ACounterThatBothShareIsChargedOnce) {
  World w(std::string(kPolicy) + R"dpl(
limit overall { covers read on app.Doc  cap requests to 2 per day  because "Few reads a day" }
)dpl",
          kFacts);
  EXPECT_EQ(w.Code(Read().Deputy("S")), "permit");
  EXPECT_EQ(w.UsedOf("t.overall.requests"), 1);
  EXPECT_EQ(w.Code(Read().Deputy("S")), "permit");
  EXPECT_EQ(w.Code(Read().Deputy("S")), "limit.exceeded");
}

TEST(Deputy, NeitherApprovesForTheOther) {
  std::string policy(kPolicy);
  size_t at = policy.find("may read, pay, close on app.Doc");
  policy.replace(at, 31, "may read on app.Doc, ask second  may pay, close on app.Doc");
  World w(policy, kFacts);
  auto ask = [&] { return w.Code(Read().Deputy("S")); };
  for (const char* approver : {"S", "M"}) {
    EXPECT_EQ(ask(), "approval_required");
    EXPECT_EQ(w.Code(Read().Deputy("S").Approval(w.Approve({approver}))), "approval_required")
        << approver;
  }
  EXPECT_EQ(ask(), "approval_required");
  std::string id = w.Approve({"E1"});
  EXPECT_EQ(w.Code(Read().Deputy("S").Approval(id)), "permit");
  EXPECT_EQ(w.Code(Read().Deputy("C").Approval(id)), "approval_required") << "given for S";
}

TEST(Deputy, WhatObligesEitherObliges) {
  World w(std::string(kPolicy) + R"dpl(
obligation veiled { applies to team desk  covers read on app.Doc  must mask secret  because "A desk sees no secrets" }
)dpl",
          kFacts);
  auto code = [&](Ask ask) { return ask.duties = 0, w.Code(ask); };
  EXPECT_EQ(code(Read().Deputy("S")), "obligation.unsupported") << "nothing is masked there";
  EXPECT_EQ(code(Read().Deputy("C")), "permit");
  EXPECT_EQ(code(Read()), "permit");
  EXPECT_EQ(w.Code(Read().Deputy("S")), "permit");
  EXPECT_EQ(w.last->duties.size, 1);
}

TEST(Deputy, AnEmergencyIsOpenedInPerson) {
  World w(std::string(kPolicy) + R"dpl(
break_glass door {
  who team staff  may close on app.Doc  lifts forbid interns_close  needs reason  lasts at most 1h
  notify team staff  review within 24h by team staff  because "Emergencies"
}
)dpl",
          kFacts);
  Ask close = Ask().Person("M").Does("close", "app.Doc", "d1");
  close.break_glass = "door";
  close.reason = "The desk is on fire";
  EXPECT_EQ(w.Code(close), "permit");
  EXPECT_EQ(w.Code(close.Deputy("P")), "break_glass.not_allowed");
}

TEST(Deputy, SeparationFollowsBoth) {
  std::string policy(kPolicy);
  policy += R"dpl(
separate eyes { between close on app.Doc by resource.id and pay on app.Doc by resource.id  because "Two pairs of eyes" }
)dpl";
  Ask close = Ask().Person("M").Does("close", "app.Doc", "d1");
  {
    World w(policy, kFacts);
    EXPECT_EQ(w.Code(close.Deputy("S")), "permit");
    EXPECT_EQ(w.Code(Pay("1.00")), "separation") << "M, though S did it";
    EXPECT_EQ(w.Code(Ask(Pay("1.00")).Deputy("C")), "separation");
  }
  World w(policy, kFacts);
  w.Seed(R"({"consents": [{"delegation": "leave", "person": "E1", "at": "2026-11-10T00:00Z"}]})");
  EXPECT_EQ(w.Code(Ask().Person("M").Does("close", "app.Doc", "d1").Deputy("S")), "permit");
  Ask pay = Pay("1.00");
  EXPECT_EQ(w.Code(pay.Person("E1").Deputy("S")), "separation") << "S, for somebody else now";
  Ask other = Pay("1.00");
  EXPECT_EQ(w.Code(other.Person("E1").Deputy("C")), "permit");
}

TEST(Deputy, AnAgentFollowsOnlyWhereOnwardSaysSo) {
  World w(kPolicy, kFacts);
  auto hand = [&](std::string_view person, std::string_view agent, std::string_view run) {
    EXPECT_TRUE(w.store.RecordHandoff(person, {}, agent, run, {}).ok());
  };
  hand("person:S", "t.helper", "r1");
  hand("person:I", "t.helper", "r2");
  hand("person:S", "t.robot", "r3");
  Ask by_agent = Read().Deputy("S").Agent("helper", "r1");
  EXPECT_EQ(w.Code(by_agent), "permit");
  EXPECT_EQ(w.By(), "t.work, t.helper, t.leave");
  // Nobody gave the run its work, or somebody else did.
  EXPECT_EQ(w.Code(Read().Deputy("C").Agent("helper", "r1")), "identity.chain_mismatch");
  EXPECT_EQ(w.Code(Read().Deputy("S").Agent("helper", "r9")), "identity.chain_mismatch");
  // The run cannot leave the person out.
  EXPECT_EQ(w.Code(Read().Agent("helper", "r1")), "identity.chain_mismatch");
  // What the interns are lent goes no further, and one that passes as people never follows.
  w.Seed(
      R"({"consents": [{"delegation": "short_leave", "person": "M", "at": "2026-11-20T14:30Z"}]})");
  EXPECT_EQ(w.Code(Read().Deputy("I")), "permit");
  EXPECT_EQ(w.Code(Read().Deputy("I").Agent("helper", "r2")), "delegation.depth");
  EXPECT_EQ(w.Code(Read().Deputy("S").Agent("robot", "r3")), "agent.mode_not_allowed");
  // A person after an agent is no deputy.
  EXPECT_EQ(w.Code(Read().Agent("helper").Deputy("S")), "identity.chain_mismatch");
  // The ceiling of the agent is asked, of the person none.
  Ask close = Ask().Person("M").Does("close", "app.Doc", "d1").Deputy("S").Agent("helper", "r1");
  EXPECT_EQ(w.Code(close), "agent.not_allowed");
  EXPECT_FALSE(w.last->chain.items[1].ok);
  EXPECT_TRUE(w.last->chain.items[0].ok);
}

TEST(Deputy, WhatIsLentToAgentsIsNotLentToPeople) {
  World w(kPolicy, kFacts);
  EXPECT_EQ(w.Code(Read().Agent("helper")), "permit");
  EXPECT_EQ(w.By(), "t.work, t.helper, t.to_robot");
  w.store.Revoke(RevokedKind::kDelegation, "t.to_robot", std::nullopt);
  EXPECT_EQ(w.Code(Read().Agent("helper")), "revoked.delegation")
      << "the people's delegation is not the agent's";
  EXPECT_EQ(w.Code(Read().Deputy("S")), "permit");
  w.store.Revoke(RevokedKind::kDelegation, "t.leave", std::nullopt);
  EXPECT_EQ(w.Code(Read().Deputy("S")), "revoked.delegation");
}

TEST(Deputy, LastsCountsFromTheConsentOrTheTask) {
  World w(kPolicy, kFacts);
  EXPECT_EQ(w.Code(Read().Deputy("I")), "delegation.consent_missing");
  w.Seed(R"({"consents": [{"delegation": "short_leave", "person": "M", "at": "2026-11-20T14:30Z"}],
             "tasks": [{"id": "t1", "shape": "errand", "deputy": "I", "person": "M",
                        "args": {"doc": "d1"}, "opened": "2026-11-20T15:00Z"}]})");
  EXPECT_EQ(w.Code(Read().Deputy("I")), "permit");
  EXPECT_EQ(w.Code(Read().Deputy("I").Task("t1")), "permit");
  w.now = *ParseInstant("2026-11-20T16:30Z");
  EXPECT_EQ(w.Code(Read().Deputy("I")), "permit");
  w.Advance(1);
  EXPECT_EQ(w.Code(Read().Deputy("I")), "delegation.consent_missing");
  EXPECT_EQ(w.Code(Read().Deputy("I").Task("t1")), "permit");
  w.now = *ParseInstant("2026-11-20T17:00Z");
  EXPECT_EQ(w.Code(Read().Deputy("I").Task("t1")), "permit");
  w.Advance(1);
  EXPECT_EQ(w.Code(Read().Deputy("I").Task("t1")), "delegation.expired");
}

TEST(Deputy, ATaskIsOfTheTwoWhoItWasOpenedFor) {
  World w(kPolicy, kFacts);
  w.Seed(
      R"({"tasks": [{"id": "t1", "shape": "errand", "deputy": "S", "person": "M", "args": {"doc": "d1"}}]})");
  EXPECT_EQ(w.Code(Read().Deputy("S").Task("t1")), "permit");
  EXPECT_EQ(w.By(), "t.work, t.leave, t.errand");
  Ask other = Ask().Person("M").Does("read", "app.Doc", "d2").Deputy("S").Task("t1");
  EXPECT_EQ(w.Code(other), "task.out_of_scope");
  EXPECT_EQ(w.Code(Read().Deputy("C").Task("t1")), "task.wrong_actor");
  EXPECT_EQ(w.Code(Read().Deputy("S").Task("t2")), "task.unknown");
  EXPECT_EQ(w.Code(Read().Task("t1")), "permit") << "a person directly is in no task";
  EXPECT_EQ(w.Code(Read().Agent("helper").Task("t1")), "task.wrong_actor");
}

TEST(Deputy, TheAnswerNamesBoth) {
  World w(kPolicy, kFacts);
  EXPECT_TRUE(w.store.RecordHandoff("person:S", {}, "t.helper", "r1", {}).ok());
  EXPECT_EQ(w.Code(Read().Deputy("S").Agent("helper", "r1")), "permit");
  std::string json = w.Json();
  EXPECT_NE(
      json.find(R"("who":{"mode":"on_behalf_of","person":"M","deputy":"S","agent":"t.helper")"),
      std::string::npos)
      << json;
  EXPECT_NE(
      json.find(
          R"("chain":[{"person":"S","ok":true},{"agent":"t.helper","instance":"r1","ok":true}])"),
      std::string::npos)
      << json;
  EXPECT_EQ(w.Code(Read().Deputy("S")), "permit");
  EXPECT_NE(w.Explanation().find("permit: person \"S\", on behalf of person \"M\", asked to read"),
            std::string::npos)
      << w.Explanation();
}

TEST(Deputy, AChargeKeyIsOfTheTwo) {
  World w(kPolicy, kFacts);
  EXPECT_EQ(w.Code(Read().Deputy("S").Key("k")), "permit");
  EXPECT_EQ(w.Code(Read().Deputy("S").Key("k")), "permit");
  EXPECT_TRUE(w.last->replayed);
  EXPECT_EQ(w.Code(Read().Deputy("C").Key("k")), "permit");
  EXPECT_FALSE(w.last->replayed);
  EXPECT_EQ(w.Code(Read().Key("k")), "permit");
  EXPECT_FALSE(w.last->replayed);
}

TEST(Deputy, UnknownMembershipNeitherLendsNorSpares) {
  std::string facts(kFacts);
  facts = facts.substr(0, facts.find("\"teams\"")) + facts.substr(facts.find("\"resources\""));
  World w(kPolicy, facts);
  EXPECT_NE(w.Code(Read().Deputy("S")), "permit");
  EXPECT_EQ(w.Code(Ask().Person("M").Deputy("S").Does("close", "app.Doc", "d1")), "forbidden");
}

}  // namespace
}  // namespace dpl
