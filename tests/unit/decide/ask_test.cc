// An ask while its signatures come in: who may sign, when there are enough, and that judging it
// leaves nothing behind.
#include "runtime/decide/ask.h"

#include <gtest/gtest.h>

#include "runtime/decide/approval.h"
#include "tests/unit/decide/world.h"

namespace dpl {
namespace {

constexpr std::string_view kPolicy = R"(
package acme owned by team finance
granted 2026-01-01
review every 3650d
person { key id: string  within manager: Person? }
team finance { owner person "E0" }
team staff { owner person "E0" }
role buyer { owner team finance }
role lead { owner team finance }
role director { owner team finance }
system shop { owner team finance }
resource Order in shop {
  has vendor: string
  can approve { amount: money must be limited }
  can delete
}
approval lead_ok {
  by 1 of role lead
  within 4h
  good for 1 request within 24h
  signs "I approve this order"
  because "Above 5,000 a lead decides"
}
approval board {
  by 2 of role director
  never by the manager
  because "Above 10,000 two directors decide"
}
approval line { by 1 of the manager  because "The line says yes" }
grant big_orders {
  to role buyer
  may approve on shop.Order
  limit amount to 5_000 USD each, beyond that ask lead_ok up to 10_000 USD, beyond that ask board up to 50_000 USD
  limit amount to 20_000 USD per day for each person
  may delete on shop.Order, ask line
  because "Orders, with more eyes the larger they are"
}
obligation named { covers approve on shop.Order where resource.vendor == "V"  must ask line  because "V is watched" }
agent assistant {
  accountable person "E9"
  purpose "Help with orders"
  runs as spiffe "spiffe://acme.example/agent/assistant"
  lives at most 8h
  may approve on shop.Order
  limit amount to 40_000 USD each
}
delegation help { from team staff to agent assistant mode on_behalf_of consent by policy lasts at most 8h because "Help" }
)";

constexpr std::string_view kFacts = R"({
  "persons": [ {"id": "E2", "attributes": {"manager": "E5"}}, {"id": "E0"}, {"id": "E5"}, {"id": "E6"},
               {"id": "E7"}, {"id": "E8"}, {"id": "E9"}, {"id": "E10", "status": "left"} ],
  "teams": {"staff": ["E2"]},
  "roles": [ {"role": "buyer", "members": ["E2"]},
             {"role": "lead", "members": ["E2", "E8", "E9", "E10"]},
             {"role": "director", "members": ["E5", "E6", "E7"]} ],
  "resources": [ {"type": "shop.Order", "id": "a", "attributes": {"vendor": "A"}},
                 {"type": "shop.Order", "id": "v", "attributes": {"vendor": "V"}} ]
})";

dpl::Ask Approves(std::string amount, std::string id = "a") {
  return dpl::Ask()
      .Person("E2")
      .Does("approve", "shop.Order", std::move(id))
      .With("{\"amount\": \"" + amount + " USD\"}");
}

class AskTest : public testing::Test {
 protected:
  // Judges the signers of the last decision's request, each having signed now.
  const Decision& Judge(std::vector<std::string> persons) {
    std::vector<Signer> signers;
    for (const std::string& person : persons) signers.push_back({person, w_.now});
    persons_ = std::move(persons);
    return DecideAsk(*w_.snapshot, &w_.store, w_.last_request, w_.now, &scratch_, signers,
                     &report_);
  }
  MayNotSign Why(std::string person) {
    Judge({std::move(person)});
    return report_.approvals.empty() ? MayNotSign::kUnknown : report_.approvals[0].signers[0];
  }

  World w_{kPolicy, kFacts};
  Scratch scratch_;
  AskReport report_;
  std::vector<std::string> persons_;
};

TEST_F(AskTest, OneLeadIsEnough) {
  ASSERT_EQ(w_.Code(Approves("9000.00")), "approval_required");
  const Decision& d = Judge({"E8"});
  EXPECT_EQ(d.outcome, OutcomeKind::kAsk);
  ASSERT_EQ(report_.approvals.size(), 1u);
  EXPECT_EQ(report_.approvals[0].signers[0], MayNotSign::kNothing);
  EXPECT_TRUE(report_.approvals[0].enough);
  EXPECT_EQ(Subtract(AskExpires(w_.snapshot->program(), d), w_.now).us, 4 * kMicrosPerHour);
}

TEST_F(AskTest, EverybodyElseIsToldWhyNot) {
  ASSERT_EQ(w_.Code(Approves("9000.00")), "approval_required");
  EXPECT_EQ(Why("E2"), MayNotSign::kRequester);  // a lead, but the one who asks
  EXPECT_EQ(Why("E5"), MayNotSign::kNotEntitled);
  EXPECT_EQ(Why("E10"), MayNotSign::kNotActive);
  EXPECT_EQ(Why("nobody"), MayNotSign::kUnknown);
  EXPECT_EQ(Why("E9"), MayNotSign::kNothing);
  EXPECT_FALSE(MayNotSignCode(MayNotSign::kRequester).empty());
}

TEST_F(AskTest, WhoAnswersForTheAgentDoesNotSignForIt) {
  ASSERT_EQ(w_.Code(Approves("9000.00").Agent("assistant")), "approval_required");
  EXPECT_EQ(Why("E9"), MayNotSign::kAccountable);
  EXPECT_EQ(Why("E8"), MayNotSign::kNothing);
}

TEST_F(AskTest, TwoDirectorsAndNotTheManager) {
  ASSERT_EQ(w_.Code(Approves("10001.00")), "approval_required");
  Judge({"E5", "E6"});
  ASSERT_EQ(report_.approvals.size(), 1u);
  EXPECT_EQ(report_.approvals[0].signers[0], MayNotSign::kManager);
  EXPECT_EQ(report_.approvals[0].signers[1], MayNotSign::kNothing);
  EXPECT_FALSE(report_.approvals[0].enough);
  Judge({"E6", "E6"});
  EXPECT_FALSE(report_.approvals[0].enough);  // twice the same is once
  Judge({"E6", "E7"});
  EXPECT_TRUE(report_.approvals[0].enough);
}

TEST_F(AskTest, SeveralApprovalsAreAllNamedAndJudgedEach) {
  ASSERT_EQ(w_.Code(Approves("9000.00", "v")), "approval_required");
  std::string answer = w_.Json(false);
  EXPECT_NE(
      answer.find("\"templates\":[{\"template\":\"acme.lead_ok\",\"approvers\":[\"1 of role "
                  "lead\"],\"meaning\":\"I approve this order\"},{\"template\":\"acme.line\""),
      std::string::npos)
      << answer;
  const Decision& d = Judge({"E8", "E5"});
  ASSERT_EQ(report_.approvals.size(), 2u);
  EXPECT_TRUE(report_.approvals[0].enough);
  EXPECT_TRUE(report_.approvals[1].enough);
  EXPECT_EQ(report_.approvals[0].signers[1], MayNotSign::kNotEntitled);
  EXPECT_EQ(report_.approvals[1].signers[0], MayNotSign::kNotEntitled);
  EXPECT_EQ(Subtract(AskExpires(w_.snapshot->program(), d), w_.now).us, 4 * kMicrosPerHour);
}

TEST_F(AskTest, WhatWasSignedBeforeACutOffCountsNoMore) {
  ASSERT_EQ(w_.Code(Approves("9000.00")), "approval_required");
  Instant signed_at = w_.now;
  w_.Advance(kMicrosPerHour);
  w_.store.Revoke(RevokedKind::kPerson, "E8", w_.now);
  w_.Advance(kMicrosPerHour);
  std::vector<Signer> signers = {{"E8", signed_at}};
  DecideAsk(*w_.snapshot, &w_.store, w_.last_request, w_.now, &scratch_, signers, &report_);
  ASSERT_EQ(report_.approvals.size(), 1u);
  EXPECT_EQ(report_.approvals[0].signers[0], MayNotSign::kRevoked);
  signers[0].at = w_.now;
  DecideAsk(*w_.snapshot, &w_.store, w_.last_request, w_.now, &scratch_, signers, &report_);
  EXPECT_TRUE(report_.approvals[0].enough);
}

TEST_F(AskTest, WhatIsJudgedEnoughIsEvidence) {
  ASSERT_EQ(w_.Code(Approves("9000.00")), "approval_required");
  const Decision& d = Judge({"E8"});
  ASSERT_TRUE(report_.approvals[0].enough);
  ASSERT_TRUE(
      w_.store.RecordApproval(MakeApproval(w_.snapshot->program(), d, "ap1", {"E8"}, w_.now)).ok());
  EXPECT_EQ(w_.Code(Approves("9000.00").Approval("ap1")), "permit");
  EXPECT_EQ(w_.Code(Approves("9000.00").Approval("ap1")), "approval_required");
}

TEST_F(AskTest, JudgingChargesNothingAlsoWhereItNowPermits) {
  ASSERT_EQ(w_.Code(Approves("9000.00")), "approval_required");
  ASSERT_EQ(w_.Code(Approves("5000.00")), "permit");
  Judge({"E8"});  // the last request: one that permits
  EXPECT_TRUE(report_.approvals.empty());
  EXPECT_EQ(w_.UsedOf("acme.big_orders.amount", "E2", "USD"), 0);
  for (int i = 0; i < 10; ++i) Judge({"E8"});
  EXPECT_EQ(w_.Code(Approves("5000.00")), "permit");
  EXPECT_EQ(w_.Code(Approves("5000.00")), "permit");
  EXPECT_EQ(w_.Code(Approves("5000.00")), "permit");
  EXPECT_EQ(w_.Code(Approves("5000.00")), "limit.exceeded");
}

TEST_F(AskTest, WhatIsNoAskAnyMoreCannotBeSigned) {
  ASSERT_EQ(w_.Code(Approves("9000.00")), "approval_required");
  w_.store.Revoke(RevokedKind::kPerson, "E2", std::nullopt);
  EXPECT_EQ(Judge({"E8"}).outcome, OutcomeKind::kDeny);
  EXPECT_TRUE(report_.approvals.empty());
}

}  // namespace
}  // namespace dpl
