// Closing rules 19 to 31 of docs/semantics.md: limits.
#include <gtest/gtest.h>

#include "tests/unit/decide/world.h"

namespace dpl {
namespace {

constexpr std::string_view kPolicy = R"dpl(
package t owned by team staff
timezone "America/New_York"
granted 2026-10-01
review every 180d
person { key id: string  has region: string?  has cap: money }
team staff { owner person "E1" }
system app { owner team staff }
resource Order in app {
  has vendor: string  has risky: bool
  can pay { amount: money must be limited }
  can note
}
grant paying {
  to team staff  may pay on app.Order  may note on app.Order
  limit amount to 20_000 USD per day for each person
  because "Staff pay for what they order"
}
limit ceiling {
  covers pay on app.Order
  cap amount to 50_000 USD in any 15m for each resource.vendor
  because "No vendor gets more than that at a time"
}
limit rate { covers note on app.Order  cap requests to 3 per hour for each person  because "Notes are not a chat" }
agent helper {
  accountable person "E1"  purpose "Pays for people"  runs as spiffe "spiffe://acme.example/helper"
  may pay on app.Order  may note on app.Order  lives at most 10h
}
delegation help { from team staff  to agent helper  consent by policy  because "Paying may be handed to software" }
)dpl";
constexpr std::string_view kFacts = R"({
  "persons": [{"id": "E1"}, {"id": "E7"}, {"id": "E8"}], "teams": {"staff": ["E1", "E7", "E8"]}, "roles": [], "accounts": [],
  "resources": [{"type": "app.Order", "id": "O1", "attributes": {"vendor": "V1"}},
                {"type": "app.Order", "id": "O2", "attributes": {"vendor": "V2"}},
                {"type": "app.Order", "id": "O3"}]
})";
constexpr std::string_view kPaying = "t.paying.amount";

Ask Pay(std::string amount, std::string order = "O1", std::string person = "E7") {
  return Ask()
      .Person(std::move(person))
      .Does("pay", "app.Order", std::move(order))
      .With("{\"amount\": " + std::move(amount) + "}");
}

TEST(ClosingRule, R19_MeasuresAreNotBelowZeroAndSumsAreChecked) {
  World w(kPolicy, kFacts);
  for (const char* amount :
       {R"("-1.00 USD")", R"("-0.00 USD")", R"({"amount": "-0.00", "currency": "USD"})",
        R"({"minor": -1, "currency": "USD"})", R"({"minor": -0, "currency": "USD"})"}) {
    EXPECT_EQ(w.Code(Pay(amount)), "request.invalid") << amount;
  }
  EXPECT_EQ(w.Code(Pay(R"("1.00 USD")")), "permit");
  EXPECT_EQ(w.Code(Pay(R"({"minor": 9223372036854775807, "currency": "USD"})")), "limit.unknown");
  EXPECT_EQ(w.UsedOf(kPaying, "E7", "USD"), 100);
}

TEST(ClosingRule, R20_MoneyHasACurrency) {
  World w(kPolicy, kFacts);
  for (const char* amount :
       {"5000", "5000.0", R"("5000")", R"({"amount": 5000, "currency": "USD"})",
        R"({"amount": "5000.00"})", R"("5000.00 usd")", R"("5e3 USD")",
        R"({"minor": 5000.5, "currency": "USD"})"}) {
    EXPECT_EQ(w.Code(Pay(amount)), "request.invalid") << amount;
  }
  for (const char* amount : {R"("5000.00 USD")", R"({"amount": "5000.00", "currency": "USD"})",
                             R"({"minor": 500000, "currency": "USD"})"}) {
    EXPECT_EQ(w.Code(Pay(amount)), "permit") << amount;
  }
  EXPECT_EQ(w.Code(Pay(R"("5.00 EUR")")), "limit.unknown");  // nothing is converted
}

TEST(ClosingRule, R21_EveryMeteredPermitIsCharged) {
  World w(kPolicy, kFacts);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(w.Code(Pay(R"("5000.00 USD")")), "permit") << i;
  EXPECT_EQ(w.Code(Pay(R"("5000.00 USD")")), "limit.exceeded");
  EXPECT_EQ(w.By(), "t.paying, t.paying");
  EXPECT_EQ(w.Binding(), kPaying);
  EXPECT_EQ(w.Code(Pay(R"("5000.00 USD")", "O2", "E8")), "permit");  // a counter of their own
}

TEST(ClosingRule, R22_ALimitOutlivesTheLifeOfItsGrant) {
  std::string policy(kPolicy);
  policy += R"dpl(
grant tight {
  to team staff  may pay on app.Order where resource.risky == false
  limit amount to 100 USD each
  because "Small change" expires 2026-11-30
}
)dpl";
  std::string facts(kFacts);
  facts.replace(facts.find(R"("vendor": "V1")"), 14, R"("vendor": "V1", "risky": false)");
  World w(policy, facts);
  EXPECT_EQ(w.Code(Pay(R"("101.00 USD")")), "limit.exceeded");
  EXPECT_EQ(w.Code(Pay(R"("101.00 USD")", "O2")), "limit.exceeded");  // the tight grant errs there
  EXPECT_EQ(w.Code(Pay(R"("100.00 USD")", "O2")), "permit");
  w.store.Revoke(RevokedKind::kGrant, "t.tight", std::nullopt);
  EXPECT_EQ(w.Code(Pay(R"("101.00 USD")")), "limit.exceeded");
  w.now = *ParseInstant("2026-12-05T15:00Z");
  EXPECT_EQ(w.Code(Pay(R"("101.00 USD")")), "limit.exceeded");  // expired
  w.Policy(kPolicy);
  EXPECT_EQ(w.Code(Pay(R"("101.00 USD")")), "permit");  // removed from the policy
}

TEST(ClosingRule, R22_AGrantToComeDoesNotBindYet) {
  std::string policy(kPolicy);
  policy += R"dpl(
grant future { to team staff  may pay on app.Order  limit amount to 1 USD each  granted 2027-01-01  because "Next year's rules" }
)dpl";
  World w(policy, kFacts);
  EXPECT_EQ(w.Code(Pay(R"("101.00 USD")")), "permit");
  w.now = *ParseInstant("2027-01-02T15:00Z");
  EXPECT_EQ(w.Code(Pay(R"("101.00 USD")")), "limit.exceeded");
}

constexpr std::string_view kSuperseding = R"dpl(
grant tight { to team staff  may pay on app.Order  limit amount to 100 USD each  because "Small change" }
grant wide {
  to person "E7"  may pay on app.Order  limit amount to 1_000 USD each  supersedes grant tight
  because "E7 may more"  expires 2026-11-30
}
)dpl";

TEST(ClosingRule, R23_SupersedesWorksOnlyWhileItAdds) {
  World w(std::string(kPolicy) + std::string(kSuperseding), kFacts);
  EXPECT_EQ(w.Code(Pay(R"("500.00 USD")")), "permit");
  bool counted = false;
  for (const LimitLine& line : w.last->limits) counted |= line.state == LimitState::kCounted;
  EXPECT_TRUE(counted);
  EXPECT_EQ(w.Code(Pay(R"("1001.00 USD")")), "limit.exceeded");
  EXPECT_EQ(w.Code(Pay(R"("500.00 USD")", "O1", "E8")), "limit.exceeded");  // not for others
  w.store.Revoke(RevokedKind::kGrant, "t.wide", std::nullopt);
  EXPECT_EQ(w.Code(Pay(R"("500.00 USD")")), "limit.exceeded");  // the superseder is dead
}

TEST(ClosingRule, R23_SupersedesIsPerMeasureAndDirect) {
  std::string policy(kPolicy);
  policy += R"dpl(
grant tight { to team staff  may pay on app.Order  limit amount to 100 USD each  because "Small change" }
grant other { to person "E7"  may pay on app.Order  limit requests to 5 per day  supersedes grant tight  because "Says nothing of amounts" }
)dpl";
  World w(policy, kFacts);
  EXPECT_EQ(w.Code(Pay(R"("101.00 USD")")), "limit.exceeded");
}

TEST(ClosingRule, R24_ALimitPerRunNeedsAnother) {
  std::string policy(kPolicy);
  size_t at = policy.find("lives at most 10h");
  policy.insert(at, "limit amount to 10 USD in total for each instance  ");
  EXPECT_NE(DiagnosticsOf(policy).find("DPL0505"), std::string::npos);
  policy.insert(at, "limit amount to 500 USD per day for each person  ");
  World w(policy, kFacts);
  int64_t spent = 0;
  for (int i = 0; i < 1000; ++i) {
    if (w.Decide(Pay(R"("10.00 USD")").Agent("helper", "run-" + std::to_string(i))).outcome ==
        OutcomeKind::kPermit)
      spent += 1000;
  }
  EXPECT_EQ(spent, 50'000);
  EXPECT_EQ(w.Code(Pay(R"("1.00 USD")").Agent("helper", "run-0")), "limit.exceeded");
}

TEST(ClosingRule, R25_ARenamedLimitCarriesItsCountOnlyWithWas) {
  World w(kPolicy, kFacts);
  EXPECT_EQ(w.Code(Pay(R"("20000.00 USD")")), "permit");
  std::string renamed(kPolicy);
  renamed.replace(renamed.find("grant paying"), 12, "grant spending");
  w.Policy(renamed);
  EXPECT_EQ(w.Code(Pay(R"("1.00 USD")")), "permit");
  std::string was = renamed;
  was.replace(was.find("for each person\n"), 16, "for each person was paying\n");
  w.Policy(was);
  EXPECT_EQ(w.Code(Pay(R"("1.00 USD")")), "limit.exceeded");
}

TEST(ClosingRule, R26_OnlyTheCallerEndsItsReservationOnceInTime) {
  World w(kPolicy, kFacts);
  uint64_t id = w.Decide(Pay(R"("20000.00 USD")")).reservation;
  ASSERT_NE(id, 0u);
  EXPECT_FALSE(w.store.Cancel(id, "t.helper", w.now).ok());
  EXPECT_FALSE(w.store.Cancel(id, "other gateway", w.now).ok());
  EXPECT_TRUE(w.store.Cancel(id, "test", w.now).ok());
  EXPECT_FALSE(w.store.Cancel(id, "test", w.now).ok());
  EXPECT_EQ(w.UsedOf(kPaying, "E7", "USD"), 0);
  id = w.Decide(Pay(R"("20000.00 USD")")).reservation;
  w.now = w.last->reservation_deadline;
  EXPECT_FALSE(w.store.Cancel(id, "test", w.now).ok());
  EXPECT_EQ(w.UsedOf(kPaying, "E7", "USD"), 2'000'000);
}

TEST(ClosingRule, R27_KeysCountOnlyFromWhoRunsEachOnce) {
  World w(kPolicy, kFacts);
  w.caller.charge_keys = false;
  for (int i = 0; i < 100; ++i)
    EXPECT_EQ(w.Code(Pay(R"("10.00 USD")").Agent("helper", "i").Key("mine")), "permit");
  EXPECT_EQ(w.UsedOf(kPaying, "E7", "USD"), 100'000);
  w.caller.charge_keys = true;
  uint64_t first = w.Decide(Pay(R"("10.00 USD")").Key("k1")).reservation;
  EXPECT_EQ(w.Code(Pay(R"("10.00 USD")").Key("k1")), "permit");
  EXPECT_TRUE(w.last->replayed);
  EXPECT_EQ(w.last->reservation, first);
  EXPECT_EQ(w.UsedOf(kPaying, "E7", "USD"), 101'000);
  EXPECT_EQ(w.Code(Pay(R"("11.00 USD")").Key("k1")), "request.key_conflict");
  w.caller.name = "another";  // whose key it is: each caller counts its own
  EXPECT_EQ(w.Code(Pay(R"("11.00 USD")").Key("k1")), "permit");
  EXPECT_FALSE(w.last->replayed);
  w.caller.name = "test";
  EXPECT_TRUE(w.store.Confirm(first, "test", std::nullopt, w.now).ok());
  EXPECT_EQ(w.Code(Pay(R"("10.00 USD")").Key("k1")), "request.already_used");
}

// The request is what was asked, as it was understood: neither a word that nobody listened to nor
// what the facts say by now makes another one of it.
TEST(ClosingRule, R27_AKeyIsBoundToWhatWasAsked) {
  constexpr const char* kShop = R"(package shop owned by team staff
granted 2026-10-01
review every 90d
person { key id: string  has level: int  known as "person", "user" }
team staff { owner person "E1" }
system shop { owner team staff }
resource Order in shop {
  has region: string
  has note: string from request
  can pay { amount: money must be limited }
}
context { has channel: string = "web" }
grant paying {
  to team staff
  may pay on shop.Order where resource.region == "emea"
  limit amount to 1_000 USD per day for each person
  because "Orders"
}
)";
  auto facts = [](std::string_view level, std::string_view note) {
    return R"({"persons": [{"id": "E7", "attributes": {"level": )" + std::string(level) +
           R"(}}], "teams": {"staff": ["E7"]}, "resources": [{"type": "shop.Order", "id": "o",
           "attributes": {"region": "emea")" +
           std::string(note) + "}}]}";
  };
  World w(kShop, facts("1", ""));
  auto ask = [](std::string subject = "person") {
    return Ask()
        .Subject(std::move(subject), "E7")
        .Does("pay", "shop.Order", "o")
        .With(R"({"amount": "600.00 USD"})")
        .Saying(R"({"note": "a", "colour": 1})")
        .Key("k");
  };
  uint64_t first = w.Decide(ask()).reservation;
  ASSERT_NE(first, 0u);
  auto replays = [&](const Ask& again) {
    const Decision& d = w.Decide(again);
    return d.replayed && d.reservation == first;
  };
  EXPECT_TRUE(replays(ask()));
  EXPECT_TRUE(replays(ask("user")));                                    // the same person
  EXPECT_TRUE(replays(ask().Saying(R"({"colour": 2, "note": "a"})")));  // nobody declared it
  w.Facts(facts("2", ""));  // what is on record changed, what was asked did not
  EXPECT_TRUE(replays(ask()));
  w.Facts(facts("2", R"(, "note": "b")"));
  EXPECT_TRUE(replays(ask()));
  // Any of these is another request; there is no room for it beside the first.
  for (const Ask& other :
       {ask().Saying(R"({"note": "b"})"), ask().Saying("{}"), ask().In(R"({"channel": "web"})"),
        ask().With(R"({"amount": "599.00 USD"})"), ask().Task("t")}) {
    EXPECT_EQ(w.Code(other), "limit.exceeded");
  }
  EXPECT_EQ(w.Code(ask().With(R"({"amount": "400.00 USD"})")), "request.key_conflict");
}

TEST(ClosingRule, R27_AReplayPassesEveryStepAgain) {
  World w(kPolicy, kFacts);
  EXPECT_EQ(w.Code(Pay(R"("20000.00 USD")").Key("k1")), "permit");
  EXPECT_EQ(w.Code(Pay(R"("20000.00 USD")").Key("k1")),
            "permit");  // its own share is not counted against it
  w.store.Revoke(RevokedKind::kPerson, "E7", std::nullopt);
  EXPECT_EQ(w.Code(Pay(R"("20000.00 USD")").Key("k1")), "revoked.person");
}

TEST(ClosingRule, R28_ItemsSeeWhatCameBefore) {
  World w(kPolicy, kFacts);
  int permits = 0;
  for (int i = 0; i < 3; ++i)
    permits += w.Decide(Pay(R"("9000.00 USD")").Key("batch-1#" + std::to_string(i))).outcome ==
                       OutcomeKind::kPermit
                   ? 1
                   : 0;
  EXPECT_EQ(permits, 2);
  EXPECT_EQ(w.UsedOf(kPaying, "E7", "USD"), 1'800'000);
}

TEST(ClosingRule, R29_ADryRunNeverSaysYesAndChargesNothing) {
  World w(kPolicy, kFacts);
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(w.Code(Pay(R"("20000.00 USD")").Dry()), "would_permit");
    EXPECT_NE(w.last->outcome, OutcomeKind::kPermit);
    EXPECT_NE(w.Json().find("\"decision\":false"), std::string::npos);
    EXPECT_NE(w.Json().find("\"would\":\"permit\""), std::string::npos);
  }
  EXPECT_EQ(w.UsedOf(kPaying, "E7", "USD"), 0);
  EXPECT_EQ(w.Code(Ask().Person("E7").Does("pay", "app.Order", "O1").Dry()),
            "limit.unknown");  // without its measure
  w.caller.dry_run = false;
  EXPECT_EQ(w.Code(Pay(R"("1.00 USD")").Dry()), "request.invalid");
}

TEST(ClosingRule, R31_AClockThatStepsGainsNothing) {
  World w(kPolicy, kFacts);
  EXPECT_EQ(w.Code(Pay(R"("20000.00 USD")")), "permit");
  Instant before = w.now;
  for (int64_t step : {-kMicrosPerHour, -kMicrosPerDay, -30 * kMicrosPerDay}) {
    w.now = Instant{before.us + step};
    EXPECT_NE(w.Decide(Pay(R"("1.00 USD")")).outcome, OutcomeKind::kPermit) << step;
  }
  w.now = Instant{before.us + 365 * kMicrosPerDay};
  Ask ask = Pay(R"("1.00 USD")");
  ask.clock_suspect = true;
  std::string policy(kPolicy);
  policy.replace(policy.find("review every 180d"), 17, "review every 999d");
  w.Policy(policy);
  EXPECT_EQ(w.Code(ask), "error.clock");
  EXPECT_EQ(w.UsedOf(kPaying, "E7", "USD"), 0);
}

TEST(Decide, WhatCannotBeRecordedIsDeniedBeforeAnythingIsCharged) {
  World w(kPolicy, kFacts);
  w.Decide(Pay(R"("1.00 USD")").Dry());
  Request request = w.last_request;
  request.dry_run = false;
  request.unrecordable = true;
  const Decision& d = Decide(*w.snapshot, &w.store, request, w.now, &w.scratch);
  EXPECT_EQ(d.outcome, OutcomeKind::kDeny);
  EXPECT_EQ(ReasonCode(d.reason), "error.audit");
  EXPECT_EQ(d.valid_until, w.now);
  EXPECT_EQ(w.UsedOf(kPaying, "E7", "USD"), 0);
  request.unrecordable = false;
  EXPECT_EQ(Decide(*w.snapshot, &w.store, request, w.now, &w.scratch).outcome,
            OutcomeKind::kPermit);
}

// ---------------------------------------------------------------- section 5
TEST(Limits, ExactlyAtTheCapIsInside) {
  World w(kPolicy, kFacts);
  EXPECT_EQ(w.Code(Pay(R"("20000.01 USD")")), "limit.exceeded");
  EXPECT_EQ(w.Code(Pay(R"("20000.00 USD")")), "permit");
  EXPECT_EQ(w.Code(Pay(R"("0.01 USD")")), "limit.exceeded");
  EXPECT_EQ(w.Code(Pay(R"("0.00 USD")")), "permit");
}

TEST(Limits, DaysAreThoseOfThePackage) {
  World w(kPolicy, kFacts, "2026-11-21T04:59:59Z");  // one second before midnight in New York
  EXPECT_EQ(w.Code(Pay(R"("20000.00 USD")")), "permit");
  EXPECT_EQ(w.last->limits.items[0].resets, *ParseInstant("2026-11-21T05:00Z"));
  w.Advance(kMicrosPerSecond);
  EXPECT_EQ(w.Code(Pay(R"("20000.00 USD")", "O2")), "permit");
}

TEST(Limits, AKeyThatCannotBeToldIsUnknown) {
  World w(kPolicy, kFacts);
  EXPECT_EQ(w.Code(Pay(R"("1.00 USD")", "O3")), "limit.unknown");  // no vendor on record
  EXPECT_EQ(w.last->by.items[0].statement, w.Statement("t.ceiling"));
}

TEST(Limits, ASlidingWindowSpansEveryCaller) {
  World w(kPolicy, kFacts);
  std::string policy(kPolicy);
  policy.replace(policy.find("20_000 USD per day"), 18, "90_000 USD per day");
  w.Policy(policy);
  EXPECT_EQ(w.Code(Pay(R"("30000.00 USD")")), "permit");
  EXPECT_EQ(w.Code(Pay(R"("20000.01 USD")", "O1", "E8")), "limit.exceeded");
  EXPECT_EQ(w.Binding(), "t.ceiling.amount");
  EXPECT_EQ(w.Code(Pay(R"("20000.00 USD")", "O1", "E8")), "permit");
  w.Advance(15 * kMicrosPerMinute - 1);
  EXPECT_EQ(w.Code(Pay(R"("0.01 USD")", "O1", "E8")), "limit.exceeded");
  w.Advance(1);
  EXPECT_EQ(w.Code(Pay(R"("0.01 USD")", "O1", "E8")), "permit");
}

TEST(Limits, TheTightestBinds) {
  World w(kPolicy, kFacts);
  EXPECT_EQ(w.Code(Pay(R"("1.00 USD")")), "permit");
  EXPECT_EQ(w.Binding(), kPaying);
  ASSERT_EQ(w.last->limits.size, 2);
  EXPECT_EQ(w.last->limits.items[0].left.i, 1'999'900);
}

TEST(Limits, RequestsCountOneEachAndNeverComeBack) {
  World w(kPolicy, kFacts);
  Ask note = Ask().Person("E7").Does("note", "app.Order", "O1");
  uint64_t id = w.Decide(note).reservation;
  EXPECT_TRUE(w.store.Cancel(id, "test", w.now).ok());
  EXPECT_EQ(w.Code(note), "permit");
  EXPECT_EQ(w.Code(note), "permit");
  EXPECT_EQ(w.Code(note), "limit.exceeded");
}

TEST(Limits, ADeniedRequestChargesNothing) {
  World w(kPolicy, kFacts);
  EXPECT_EQ(w.Code(Pay(R"("19000.00 USD")")), "permit");
  for (int i = 0; i < 10; ++i) EXPECT_EQ(w.Code(Pay(R"("1000.01 USD")")), "limit.exceeded");
  EXPECT_EQ(w.Code(Pay(R"("1000.00 USD")")), "permit");
}

TEST(Limits, AMeasureOnRecordedFacts) {
  std::string policy(kPolicy);
  policy.replace(policy.find("limit amount to 20_000 USD per day for each person"), 50,
                 "limit amount to person.cap each");
  std::string facts(kFacts);
  facts.replace(facts.find(R"({"id": "E7"})"), 12,
                R"({"id": "E7", "attributes": {"cap": "7.00 USD"}})");
  World w(policy, facts);
  EXPECT_EQ(w.Code(Pay(R"("7.00 USD")")), "permit");
  EXPECT_EQ(w.Code(Pay(R"("7.01 USD")")), "limit.exceeded");
  EXPECT_EQ(w.Code(Pay(R"("1.00 USD")", "O1", "E8")), "limit.unknown");
}

TEST(Limits, LoweringACapCountsWhatWasUsed) {
  World w(kPolicy, kFacts);
  EXPECT_EQ(w.Code(Pay(R"("9000.00 USD")")), "permit");
  std::string policy(kPolicy);
  policy.replace(policy.find("20_000 USD per day"), 18, "9_000 USD per day");
  w.Policy(policy);
  EXPECT_EQ(w.Code(Pay(R"("0.01 USD")")), "limit.exceeded");
}

TEST(Limits, SeedsAreCounted) {
  World w(kPolicy, kFacts);
  w.Seed(R"({"used": [{"limit": "paying", "quantity": "19000.00 USD", "person": "E7"}]})");
  EXPECT_EQ(w.Code(Pay(R"("1000.01 USD")")), "limit.exceeded");
  EXPECT_EQ(w.Code(Pay(R"("1000.00 USD")")), "permit");
}

}  // namespace
}  // namespace dpl
