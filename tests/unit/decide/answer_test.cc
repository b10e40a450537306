// The two forms of an answer: JSON for enforcement points, text for people.
#include "runtime/decide/answer.h"

#include <gtest/gtest.h>

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
role chief { owner team staff }
system app { owner team staff  account keyed by login: string  link person by id checked within 90d }
resource Order in app { can pay { amount: money must be limited } }
/// Small orders need nobody else.
grant paying {
  to team staff  may pay on app.Order
  limit amount to 5_000 USD each, beyond that ask pair up to 50_000 USD
  limit amount to 20_000 USD per day for each person
  because "Staff pay for what they order"  ticket "FIN-12"
}
approval pair { by 1 of role chief  within 4h  good for 1 request within 24h  signs "I approve this order"  because "Two pairs of eyes" }
agent helper {
  accountable person "E1"  purpose "Pays for people"  runs as spiffe "spiffe://acme.example/helper"
  may pay on app.Order  lives at most 1h
}
delegation help { from team staff  to agent helper  consent by policy  because "Paying may be handed to software" }
)dpl";
constexpr std::string_view kFacts = R"({
  "version": "d-1", "persons": [{"id": "E1"}, {"id": "E2"}, {"id": "E7"}], "teams": {"staff": ["E7"]}, "roles": [{"role": "chief", "members": ["E2"]}],
  "accounts": [{"system": "app", "key": "seven", "person": "E7", "checked": "2026-11-01"}, {"system": "app", "key": "two", "person": "E2", "checked": "2026-11-01"}],
  "resources": []})";

Ask Pay(const char* amount) {
  return Ask()
      .Person("E7")
      .Agent("helper", "i-7")
      .Does("pay", "app.Order", "O1")
      .With("{\"amount\": \"" + std::string(amount) + "\"}");
}

class Answer : public ::testing::Test {
 protected:
  // The member at a dotted path of the last answer; a number is an index. Fails when it is not
  // there.
  std::string At(std::string_view path, bool details = true) {
    json_ = w.Json(details);
    arena_.Reset();
    Result<const WireValue*> root = ParseJson(json_, &arena_);
    EXPECT_TRUE(root.ok()) << json_;
    const WireValue* at = root.ok() ? *root : nullptr;
    while (at != nullptr && !path.empty()) {
      size_t dot = path.find('.');
      std::string_view name = path.substr(0, dot);
      path = dot == std::string_view::npos ? std::string_view() : path.substr(dot + 1);
      if (at->is_array()) {
        size_t index = static_cast<size_t>(name[0] - '0');
        at = index < at->count ? &at->items[index] : nullptr;
      } else {
        at = at->Find(name);
      }
    }
    if (at == nullptr) return "(none)";
    if (at->is_bool()) return at->boolean ? "true" : "false";
    return std::string(at->text);
  }
  World w{kPolicy, kFacts};
  Arena arena_;
  std::string json_;
};

TEST_F(Answer, APermitNamesBothIdentitiesAndWhatIsLeft) {
  EXPECT_EQ(w.Code(Pay("4000.00 USD")), "permit");
  EXPECT_EQ(At("decision"), "true");
  EXPECT_EQ(At("context.evaluation_id"), "ev_1");
  EXPECT_EQ(At("context.reason"), "permit");
  EXPECT_EQ(At("context.dpl.outcome"), "permit");
  EXPECT_EQ(At("context.dpl.versions.data"), "d-1");
  EXPECT_TRUE(At("context.dpl.versions.policy").starts_with("sha256:"));
  EXPECT_EQ(At("context.dpl.now"), "2026-11-20T15:00:00Z");
  EXPECT_EQ(At("context.dpl.valid_until"), "2026-11-20T15:00:00Z");
  EXPECT_EQ(At("context.dpl.who.mode"), "on_behalf_of");
  EXPECT_EQ(At("context.dpl.who.person"), "E7");
  EXPECT_EQ(At("context.dpl.who.account"), "app:seven");
  EXPECT_EQ(At("context.dpl.who.agent"), "t.helper");
  EXPECT_EQ(At("context.dpl.who.instance"), "i-7");
  EXPECT_EQ(At("context.dpl.who.accountable"), "E1");
  EXPECT_EQ(At("context.dpl.who.chain.0.ok"), "true");
  EXPECT_EQ(At("context.dpl.what.type"), "app.Order");
  EXPECT_EQ(At("context.dpl.by.0.statement"), "t.paying");
  EXPECT_EQ(At("context.dpl.by.0.span"), "policy.dpl:11:1-16:2");
  EXPECT_EQ(At("context.dpl.by.0.clause"), "policy.dpl:12:18-12:38");
  EXPECT_EQ(At("context.dpl.by.0.because"), "Staff pay for what they order");
  EXPECT_EQ(At("context.dpl.by.0.owner"), "team t.staff");
  EXPECT_EQ(At("context.dpl.by.0.ticket"), "FIN-12");
  EXPECT_EQ(At("context.dpl.by.0.doc"), "Small orders need nobody else.");
  EXPECT_EQ(At("context.dpl.by.0.review_due"), "2027-03-30T00:00:00Z");
  EXPECT_EQ(At("context.dpl.by.1.as"), "agent");
  EXPECT_EQ(At("context.dpl.by.2.statement"), "t.help");
  EXPECT_EQ(At("context.dpl.limits.0.binding"), "true");
  EXPECT_EQ(At("context.dpl.limits.0.left"), "1000.00 USD");
  EXPECT_EQ(At("context.dpl.limits.1.used"), "0.00 USD");
  EXPECT_EQ(At("context.dpl.limits.1.left"), "16000.00 USD");
  EXPECT_EQ(At("context.dpl.limits.1.resets"), "2026-11-21T00:00:00Z");
  EXPECT_EQ(At("context.dpl.reservation.id"), "1");
}

TEST_F(Answer, AnAskSaysWhoMayApproveAndIsNoYes) {
  EXPECT_EQ(w.Code(Pay("6000.00 USD")), "approval_required");
  EXPECT_EQ(At("decision"), "false");
  EXPECT_EQ(At("context.dpl.outcome"), "ask");
  EXPECT_EQ(At("context.access_request.template"), "t.pair");
  EXPECT_EQ(At("context.access_request.expires_at"), "2026-11-20T19:00:00Z");
  EXPECT_EQ(At("context.access_request.binding_token").size(), 64u);
  EXPECT_EQ(At("context.dpl.approvals.0.approval"), "t.pair");
  EXPECT_EQ(At("context.dpl.approvals.0.signs"), "I approve this order");
  EXPECT_EQ(At("context.dpl.limits.0.state"), "needs_approval");
  EXPECT_EQ(At("context.dpl.limits.0.up_to"), "50000.00 USD");
  EXPECT_EQ(At("context.dpl.to_change.0.kind"), "get_approval");
  EXPECT_EQ(At("context.dpl.to_change.0.helps"), "yes");
  EXPECT_EQ(At("context.dpl.reservation"), "(none)");
}

TEST_F(Answer, ADenialSaysWhatWouldHaveToChangeAndWhoOwnsIt) {
  EXPECT_EQ(w.Code(Pay("60000.00 USD")), "limit.exceeded");
  EXPECT_EQ(At("context.dpl.step"), "12");
  EXPECT_EQ(At("context.dpl.limits.0.state"), "exceeded");
  EXPECT_EQ(At("context.dpl.to_change.0.do"), "ask for at most 5000.00 USD");
  EXPECT_EQ(At("context.dpl.to_change.0.owner"), "the person asking");
  EXPECT_EQ(At("context.dpl.to_change.1.kind"), "raise_limit");
  EXPECT_EQ(At("context.dpl.to_change.1.owner"), "team t.staff");
  EXPECT_NE(At("context.reason_admin")
                .find("0.00 USD used + 60000.00 USD asked for, against 5000.00 USD"),
            std::string::npos)
      << At("context.reason_admin");
  EXPECT_EQ(
      w.Code(Ask().Person("E2").Does("pay", "app.Order", "O1").With(R"({"amount": "1.00 USD"})")),
      "person.no_grant");
  EXPECT_EQ(At("context.dpl.nearest.statement"), "t.paying");
  EXPECT_EQ(At("context.dpl.nearest.failed"), "subject");
  EXPECT_TRUE(At("context.dpl.nearest.span").starts_with("policy.dpl:12:"));
}

TEST_F(Answer, WithoutDetailsNothingOfThePolicyShows) {
  w.caller.details = false;
  for (const char* amount : {"4000.00 USD", "6000.00 USD", "60000.00 USD", "x"}) {
    w.Decide(Pay(amount));
    EXPECT_EQ(At("context.reason_admin", false), "(none)");
    for (const char* member :
         {"who", "what", "by", "limits", "nearest", "to_change", "detail", "step", "also"}) {
      EXPECT_EQ(At("context.dpl." + std::string(member), false), "(none)") << member;
    }
    EXPECT_NE(At("context.reason_user", false), "(none)");
    EXPECT_NE(At("context.dpl.valid_until", false), "(none)");
  }
}

TEST_F(Answer, EveryReasonHasWords) {
  EXPECT_EQ(w.Code(Pay("5")), "request.invalid");
  EXPECT_EQ(At("context.dpl.detail"),
            "parameter `amount`: expected an amount with its currency, as in \"5000.00 USD\" "
            "(money is an amount, one space and a currency, as in `5000.00 USD`)");
}

TEST_F(Answer, TextForPeople) {
  w.Decide(Pay("6000.00 USD"));
  std::string text = w.Explanation();
  EXPECT_TRUE(
      text.starts_with("ask t.pair: the agent t.helper \"i-7\", on behalf of person \"E7\", asked "
                       "to pay app.Order \"O1\"\n"))
      << text;
  EXPECT_NE(text.find("limit t.paying.amount: needs_approval, used 0.00 USD + asked for 6000.00 "
                      "USD against 5000.00 USD"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("policy.dpl:12:18-12:38"), std::string::npos) << text;
}

}  // namespace
}  // namespace dpl
