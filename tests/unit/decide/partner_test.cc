// Partners: whose subjects they are, what their block allows, their agents, their budgets.
#include <gtest/gtest.h>

#include "tests/unit/decide/world.h"

namespace dpl {
namespace {

constexpr std::string_view kPolicy = R"dpl(
package t owned by team staff
granted 2026-10-01
review every 180d
enum Class { open < internal < secret }
person { key id: string }
team staff { owner person "E1" }
system app { owner team staff }
resource Doc in app { has class: Class  can read, write, list }
resource Page in app { can read }
partner globex {
  issuer "https://id.globex.example"  accepts agents  at most 2 hops
  may read on app.Doc where resource.class == Class.open
  may list on app.Doc
  may read on app.Page
  limit requests to 3 per day for each partner
  because "Joint research agreement"  expires 2026-12-31
}
partner initech {
  issuer "https://id.initech.example"
  may read on app.Doc
  because "They audit us"  expires 2026-12-31
}
grant joint {
  to partner globex, partner initech  may read on app.Doc where resource.class <= Class.internal
  because "Joint papers"
}
grant staff_reads { to everyone  may read, write, list on app.Doc  because "Staff read everything" }
grant pages { to public  may read on app.Page  because "Pages are for everybody" }
forbid secrets { applies to everyone  covers any action on app.Doc where resource.class == Class.secret  because "Secrets stay" }
forbid machines { applies to any agent  covers list on app.Doc  because "No machine lists" }
forbid no_initech { applies to partner initech  covers read on app.Doc where resource.class == Class.internal  because "Not for auditors" }
)dpl";
constexpr std::string_view kFacts = R"({
  "persons": [{"id": "E1"}, {"id": "E7"}], "teams": {"staff": ["E1", "E7"]}, "roles": [],
  "resources": [{"type": "app.Doc", "id": "open", "attributes": {"class": "open"}},
                {"type": "app.Doc", "id": "internal", "attributes": {"class": "internal"}},
                {"type": "app.Doc", "id": "secret", "attributes": {"class": "secret"}},
                {"type": "app.Page", "id": "p"}]
})";
constexpr const char* kGlobex = "https://id.globex.example";

Ask Read(std::string id = "open") { return Ask().Does("read", "app.Doc", std::move(id)); }
Ask Globex(Ask ask, std::string who = "ana") {
  return ask.Subject("partner:t.globex", std::move(who));
}
Ask Initech(Ask ask) { return ask.Subject("partner:initech", "bill"); }

TEST(Partner, ReadsWhatIsGrantedToItWithinItsBlock) {
  World w(kPolicy, kFacts);
  EXPECT_EQ(w.Code(Globex(Read())), "permit");
  EXPECT_EQ(w.By(), "t.joint, t.globex");
  EXPECT_EQ(w.last->mode, ActingMode::kPartner);
  EXPECT_EQ(w.last->person, nullptr);
  EXPECT_EQ(w.Code(Globex(Read("internal"))), "partner.not_allowed");
  EXPECT_EQ(w.By(), "t.globex, t.joint");
  EXPECT_EQ(w.Code(Globex(Ask().Does("list", "app.Doc", "open"))), "person.no_grant")
      << "`everyone` in a grant never means a partner";
  EXPECT_EQ(w.Code(Globex(Ask().Does("write", "app.Doc", "open"))), "person.no_grant");
}

TEST(Partner, WhatRestrictsEverybodyRestrictsPartners) {
  World w(kPolicy, kFacts);
  EXPECT_EQ(w.Code(Globex(Read("secret"))), "forbidden");
  EXPECT_EQ(w.Code(Initech(Read())), "permit");
  EXPECT_EQ(w.Code(Initech(Read("internal"))), "forbidden");
  EXPECT_EQ(w.By(), "t.no_initech");
}

TEST(Partner, ThePublicIsAnyCallerWithinTheBlock) {
  World w(kPolicy, kFacts);
  Ask page = Ask().Does("read", "app.Page", "p");
  EXPECT_EQ(w.Code(Globex(page)), "permit");
  EXPECT_EQ(w.Code(Initech(page)), "partner.not_allowed");
  EXPECT_EQ(w.Code(page.Subject("anonymous", "")), "permit");
}

TEST(ClosingRule, R07_AForeignIssuerYieldsOnlyItsPartner) {
  World w(kPolicy, kFacts);
  EXPECT_EQ(w.Code(Read().Person("E7")), "permit");
  EXPECT_EQ(w.last->mode, ActingMode::kDirect);
  // The same key, vouched for by Globex, is Globex' E7 and not ours.
  EXPECT_EQ(w.Code(Read("internal").Person("E7").From(kGlobex)), "partner.not_allowed");
  EXPECT_EQ(w.last->person, nullptr);
  EXPECT_EQ(w.Code(Read("internal").Person("E7")), "permit");
  // The type and the issuer must not contradict each other.
  EXPECT_EQ(w.Code(Globex(Read()).From(kGlobex)), "permit");
  EXPECT_EQ(w.Code(Initech(Read()).From(kGlobex)), "identity.unknown");
  EXPECT_EQ(w.Code(Globex(Read()).From("https://elsewhere.example")), "identity.unknown");
  // Only people: a partner's issuer names no account and no agent of ours.
  EXPECT_EQ(w.Code(Read().Subject("account:app", "E7").From(kGlobex)), "identity.unknown");
  EXPECT_EQ(w.Code(Read().Subject("agent", "E7").From(kGlobex)), "identity.unknown");
  EXPECT_EQ(w.Code(Read().Subject("partner:umbrella", "E7")), "identity.unknown");
  EXPECT_EQ(w.Code(Globex(Read(), "")), "identity.unknown");
}

TEST(Partner, AnIssuerCountsOnlyFromWhoMayPassItOn) {
  World w(kPolicy, kFacts);
  w.caller.trusts_all_issuers = w.caller.asserts_all_partners = false;
  EXPECT_EQ(w.Code(Read().Person("E7")), "permit") << "no issuer said";
  EXPECT_EQ(w.Code(Read().Person("E7").From("https://id.acme.example")), "identity.unknown");
  w.caller.issuers = {"https://id.acme.example"};
  EXPECT_EQ(w.Code(Read().Person("E7").From("https://id.acme.example")), "permit");
  EXPECT_EQ(w.last->mode, ActingMode::kDirect);
  EXPECT_EQ(w.Code(Read().Person("E7").From("https://id.acme.example/")), "identity.unknown");
  for (const Ask& ask : {Globex(Read()), Read().Person("ana").From(kGlobex)}) {
    w.caller.partners.clear();
    EXPECT_EQ(w.Code(ask), "identity.unknown");
    w.caller.partners = {"t.initech"};
    EXPECT_EQ(w.Code(ask), "identity.unknown");
    w.caller.partners = {"t.initech", "t.globex"};
    EXPECT_EQ(w.Code(ask), "permit");
  }
}

TEST(Partner, AStrangersWordMakesNobodyOursEvenWhereThePublicMay) {
  World w(kPolicy, kFacts);
  w.caller.trusts_all_issuers = false;
  Ask page = Ask().Does("read", "app.Page", "p");
  EXPECT_EQ(w.Code(page.Person("E7").From("https://elsewhere.example")), "permit");
  EXPECT_EQ(w.last->mode, ActingMode::kPublic);
  EXPECT_EQ(w.last->person, nullptr);
}

TEST(Partner, ItsAgentsAreAcceptedCountedAndCannotHide) {
  World w(kPolicy, kFacts);
  EXPECT_EQ(w.Code(Globex(Read()).Agent("bot")), "permit");
  EXPECT_EQ(w.Code(Globex(Read()).Agent("planner").Agent("bot")), "permit");
  EXPECT_EQ(w.Code(Globex(Read()).Agent("a").Agent("planner").Agent("bot")), "delegation.depth");
  EXPECT_FALSE(w.last->chain.items[2].ok);
  EXPECT_EQ(w.Code(Initech(Read()).Agent("bot")), "partner.not_allowed");
  EXPECT_EQ(w.Code(Initech(Read())), "permit");
  // Rule 1: an agent that leaves itself out is no person.
  w.caller.serves_persons = false;
  EXPECT_EQ(w.Code(Initech(Read())), "agent.actor_missing");
  EXPECT_EQ(w.Code(Globex(Read()).Agent("bot")), "permit");
  w.caller.asserts_actors = false;
  EXPECT_EQ(w.Code(Globex(Read()).Agent("bot")), "identity.attestation_failed");
  w.caller.asserts_actors = true;
  w.caller.asserts_instances = false;
  EXPECT_EQ(w.Code(Globex(Read()).Agent("bot")), "identity.attestation_failed");
}

TEST(Partner, AgentsOfOthersDoNotActForItsPeople) {
  World w(kPolicy, kFacts);
  EXPECT_EQ(w.Code(Globex(Read()).Agent("bot").HopFrom(kGlobex)), "permit");
  EXPECT_EQ(w.Code(Globex(Read()).Agent("bot").HopFrom("https://id.initech.example")),
            "identity.chain_mismatch");
  EXPECT_EQ(w.Code(Globex(Read()).Deputy("E7")), "identity.chain_mismatch");
}

// Nor do agents that a partner names as ours: a token of theirs proves nothing about them.
TEST(Partner, NamesNoAgentOfOurs) {
  World w(std::string(kPolicy) + R"dpl(
agent clerk { accountable person "E1"  purpose "Reads"  runs as spiffe "spiffe://x/clerk"  may read on app.Doc  lives at most 9h }
delegation clerking { from team staff  to agent clerk  may read on app.Doc  consent by policy  because "Clerks read" }
)dpl",
          kFacts);
  EXPECT_EQ(w.Code(Read().Person("E7").Agent("clerk")), "permit");
  EXPECT_EQ(w.Code(Read().Person("E7").Agent("clerk").HopFrom(kGlobex)), "identity.unknown");
  EXPECT_EQ(w.Code(Read().Person("E7").Agent("clerk").HopFrom("https://id.else.example")),
            "permit");  // this caller vouches for every issuer
  w.caller.trusts_all_issuers = false;
  EXPECT_EQ(w.Code(Read().Person("E7").Agent("clerk").HopFrom("https://id.else.example")),
            "identity.unknown");
}

TEST(Partner, AnyAgentMeansPartnersAgentsInWhatRestricts) {
  std::string policy(kPolicy);
  size_t at = policy.find("to partner globex, partner initech  may read");
  policy.replace(at, 44, "to partner globex, partner initech  may list on app.Doc  may read");
  World w(policy, kFacts);
  Ask list = Ask().Does("list", "app.Doc", "open");
  EXPECT_EQ(w.Code(Globex(list)), "permit");
  EXPECT_EQ(w.Code(Globex(list).Agent("bot")), "forbidden");
  EXPECT_EQ(w.By(), "t.machines");
}

TEST(Partner, AnAgentOfAPartnerNeedsAReviewedGrant) {
  World w(kPolicy, kFacts, "2026-12-01T12:00Z");
  w.now = *ParseInstant("2026-12-31T12:00Z");
  std::string policy(kPolicy);
  size_t at = policy.find("review every 180d");
  policy.replace(at, 17, "review every 30d");
  World late(policy, kFacts, "2026-12-01T12:00Z");
  EXPECT_EQ(late.Code(Globex(Read())), "permit") << "people keep what is only overdue";
  EXPECT_EQ(late.Code(Globex(Read()).Agent("bot")), "grant.review_overdue");
}

TEST(Partner, ItsBudgetIsOneForAllItsPeopleAndOnlyItsOwn) {
  World w(kPolicy, kFacts);
  for (const char* who : {"ana", "ben", "cleo"}) EXPECT_EQ(w.Code(Globex(Read(), who)), "permit");
  EXPECT_EQ(w.Binding(), "t.globex.requests");
  EXPECT_EQ(w.Code(Globex(Read(), "dan")), "limit.exceeded");
  EXPECT_EQ(w.Code(Globex(Read(), "dan").Agent("bot")), "limit.exceeded");
  EXPECT_EQ(w.Code(Initech(Read())), "permit");
  w.Advance(24 * kMicrosPerHour);
  EXPECT_EQ(w.Code(Globex(Read(), "dan")), "permit");
}

TEST(Partner, ItsTermsEnd) {
  World w(kPolicy, kFacts, "2026-12-31T23:59:59.999999Z");
  EXPECT_EQ(w.Code(Initech(Read())), "permit");
  EXPECT_EQ(w.last->valid_until.us, w.now.us + 1);
  w.Advance(1);
  EXPECT_EQ(w.Code(Initech(Read())), "partner.not_allowed");
  EXPECT_NE(w.Json().find("the terms with this partner are over"), std::string::npos);
}

TEST(Partner, RevokedByNameOrOneOfItsSubjects) {
  World w(kPolicy, kFacts);
  w.store.Revoke(RevokedKind::kPartner, "t.initech/carl", std::nullopt);
  w.store.Revoke(RevokedKind::kPartner, "t.globex/ana", std::nullopt);
  EXPECT_EQ(w.Code(Globex(Read())), "revoked.partner");
  EXPECT_EQ(w.Code(Globex(Read(), "ben")), "permit");
  EXPECT_EQ(w.Code(Initech(Read())), "permit");
  w.store.Revoke(RevokedKind::kPartner, "t.globex", std::nullopt);
  EXPECT_EQ(w.Code(Globex(Read(), "ben")), "revoked.partner");
}

TEST(Partner, OneOfItsPeopleIsNoneOfOursForLimitsOfPersons) {
  World w(std::string(kPolicy) + R"dpl(
limit daily { covers read on app.Doc  cap requests to 100 per day for each person  because "Fair use" }
)dpl",
          kFacts);
  EXPECT_EQ(w.Code(Globex(Read())), "limit.unknown");
  EXPECT_EQ(w.Code(Read().Person("E7")), "permit");
}

TEST(Partner, TheAnswerNamesPartnerSubjectAndAgents) {
  World w(kPolicy, kFacts);
  EXPECT_EQ(w.Code(Globex(Read()).Agent("planner").Agent("bot", "b-1")), "permit");
  std::string json = w.Json();
  EXPECT_NE(json.find(R"("who":{"mode":"partner","partner":"t.globex","subject":"ana",)"
                      R"("partner_agent":"bot","instance":"b-1",)"
                      R"("chain":[{"partner_agent":"planner","ok":true},)"
                      R"({"partner_agent":"bot","instance":"b-1","ok":true}]})"),
            std::string::npos)
      << json;
  EXPECT_NE(w.Explanation().find("the partner's agent \"bot\" \"b-1\" via \"planner\", for subject "
                                 "\"ana\" of partner t.globex, asked to read"),
            std::string::npos)
      << w.Explanation();
  EXPECT_EQ(w.Code(Globex(Read())), "permit");
  EXPECT_NE(w.Explanation().find("permit: subject \"ana\" of partner t.globex asked to read"),
            std::string::npos);
}

TEST(Partner, ADenialNamesThePartnersBlockAsNearest) {
  World w(kPolicy, kFacts);
  EXPECT_EQ(w.Code(Globex(Read("internal")).Explain()), "partner.not_allowed");
  ASSERT_NE(w.last->nearest.statement, kNone);
  EXPECT_EQ(w.Name(w.last->nearest.statement), "t.globex");
  EXPECT_EQ(w.last->nearest.factor, Factor::kWhere);
  ASSERT_EQ(w.last->changes.size, 1);
  EXPECT_EQ(w.last->changes.items[0].kind, Change::Kind::kWidenCeiling);
}

TEST(Partner, AChargeKeyAndAnApprovalAreOfOneSubject) {
  std::string policy(kPolicy);
  size_t at = policy.find("may list on app.Doc\n");
  policy.replace(at, 20, "may list on app.Doc, ask ok\n");
  at = policy.find("to partner globex, partner initech  may read");
  policy.replace(at, 44, "to partner globex, partner initech  may list on app.Doc  may read");
  policy += R"dpl(
approval ok { by 1 of team staff  good for 5 request within 24h  because "Somebody looks" }
)dpl";
  World w(policy, kFacts);
  Ask list = Globex(Ask().Does("list", "app.Doc", "open"));
  EXPECT_EQ(w.Code(list), "approval_required");
  std::string id = w.Approve({"E7"});
  EXPECT_EQ(w.Code(list.Approval(id)), "permit");
  EXPECT_EQ(w.Code(Globex(list, "ben").Approval(id)), "approval_required") << "ana's approval";

  World k(kPolicy, kFacts);
  EXPECT_EQ(k.Code(Globex(Read()).Key("k1")), "permit");
  EXPECT_EQ(k.Code(Globex(Read()).Key("k1")), "permit");
  EXPECT_TRUE(k.last->replayed);
  EXPECT_EQ(k.Code(Globex(Read(), "ben").Key("k1")), "permit");
  EXPECT_FALSE(k.last->replayed) << "another subject's key is another key";
}

TEST(Partner, SeparationFollowsItsSubjects) {
  World w(std::string(kPolicy) + R"dpl(
separate one_each {
  between read on app.Doc by resource.id and read on app.Page by resource.id
  because "Whoever reads the one does not read the other"
}
)dpl",
          R"({"persons": [{"id": "E1"}], "teams": {"staff": ["E1"]}, "roles": [],
              "resources": [{"type": "app.Doc", "id": "p", "attributes": {"class": "open"}},
                            {"type": "app.Page", "id": "p"}]})");
  EXPECT_EQ(w.Code(Globex(Read("p"))), "permit");
  Ask page = Ask().Does("read", "app.Page", "p");
  EXPECT_EQ(w.Code(Globex(page)), "separation");
  EXPECT_EQ(w.Code(Globex(page, "ben")), "permit");
}

}  // namespace
}  // namespace dpl
