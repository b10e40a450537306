// Step 13: what a permit obliges to, who must carry it out, and closing rules 8, 37 and 38 about
// it.
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
role chief { owner team staff }
enum Class { open < locked }
system app { owner team staff }
resource Doc in app {
  has class: Class?  has salary: money as "pay"  has note: string
  can read, sign, drop, view
}
grant reading { to team staff  may read, sign, drop, view on app.Doc  because "Staff work with documents" }
obligation masked {
  covers read on app.Doc where resource.class == Class.locked
  must mask salary, note
  because "Numbers of locked documents stay out of sight"
}
obligation signed {
  applies to everyone  covers sign on app.Doc
  must step_up "urn:loa:3"  must sign meaning "approval"  must log  must notify team audit
  because "A signature is a person's own act"
}
obligation chiefs_log { applies to role chief  covers view on app.Doc  must log  because "What chiefs look at is kept" }
obligation asked {
  covers drop on app.Doc  must ask second_pair  must notify person "E2"
  because "Dropping takes two"
}
approval second_pair { by 1 of role chief  within 4h  good for 1 request within 24h  because "Two pairs of eyes" }
agent mirror {
  accountable person "E1"  purpose "Reads as its person"  runs as spiffe "spiffe://acme.example/mirror"
  modes impersonate  may read, view on app.Doc  lives at most 10h
}
delegation mirroring { from team staff  to agent mirror  mode impersonate  may read, view on app.Doc  consent by policy  because "One boundary" }
)dpl";
constexpr std::string_view kFacts = R"({
  "persons": [{"id": "E1"}, {"id": "E2"}, {"id": "E3"}, {"id": "E7"}],
  "teams": {"staff": ["E1", "E7"], "audit": ["E2"]}, "roles": [{"role": "chief", "members": ["E3"]}], "accounts": [],
  "resources": [{"type": "app.Doc", "id": "open", "attributes": {"class": "open"}},
    {"type": "app.Doc", "id": "locked", "attributes": {"class": "locked"}}, {"type": "app.Doc", "id": "unlabelled", "attributes": {}}]
})";

Ask Of(std::string action, std::string id) {
  return Ask().Person("E7").Does(std::move(action), "app.Doc", std::move(id));
}
std::string DutiesOf(const World& w) {
  std::string out;
  for (const DutyOut& duty : w.last->duties) {
    if (!out.empty()) out += "; ";
    AppendDuty(&out, w.snapshot->program(), duty);
  }
  return out;
}

TEST(Duties, OfWhatBitesAreThePermits) {
  World w(kPolicy, kFacts);
  EXPECT_EQ(w.Code(Of("read", "open")), "permit");
  EXPECT_EQ(DutiesOf(w), "");
  EXPECT_EQ(w.Code(Of("read", "locked")), "permit");
  EXPECT_EQ(DutiesOf(w), "mask salary, note");
  EXPECT_EQ(w.By(), "t.reading, t.masked");
  EXPECT_EQ(w.Code(Of("sign", "open")), "permit");
  EXPECT_EQ(DutiesOf(w),
            "step_up \"urn:loa:3\"; sign meaning \"approval\"; log; notify team t.audit");
  // Whom it does not apply to is not obliged.
  EXPECT_EQ(w.Code(Of("view", "open")), "permit");
  EXPECT_EQ(DutiesOf(w), "");
}

TEST(ClosingRule, R08_AnObligationBitesOnError) {
  World w(kPolicy, kFacts);
  EXPECT_EQ(w.Code(Of("read", "unlabelled")), "permit");
  EXPECT_EQ(DutiesOf(w), "mask salary, note");
  EXPECT_NE(w.Explanation().find("could not be decided"), std::string::npos);
}

TEST(ClosingRule, R38_WhatIsNotPromisedIsNotDone) {
  World w(kPolicy, kFacts);
  EXPECT_EQ(w.Code(Of("read", "locked").Duties(0)), "obligation.unsupported");
  EXPECT_EQ(w.last->detail, "the caller does not carry out `mask`");
  EXPECT_EQ(w.By(), "t.masked, t.reading");
  EXPECT_EQ(DutiesOf(w), "") << "a denial has no duties";
  EXPECT_EQ(w.Json().find("\"obligations\""), std::string::npos);
  EXPECT_NE(w.Json().find("\"kind\":\"support_duty\""), std::string::npos);
  EXPECT_NE(w.Json().find("\"helps\":\"yes\""), std::string::npos);
  EXPECT_EQ(w.Code(Of("read", "locked").Duties(DutyBit(DutyKind::kMask))), "permit");
  EXPECT_EQ(w.Code(Of("sign", "open").Duties(0)), "obligation.unsupported");
  EXPECT_EQ(w.By(), "t.signed, t.reading") << "a statement is named once, whatever it demands";
  // Every duty, one by one; `log` is ours.
  uint8_t all = DutyBit(DutyKind::kStepUp) | DutyBit(DutyKind::kSign) | DutyBit(DutyKind::kNotify);
  EXPECT_EQ(w.Code(Of("sign", "open").Duties(all)), "permit");
  for (DutyKind kind : {DutyKind::kStepUp, DutyKind::kSign, DutyKind::kNotify}) {
    EXPECT_EQ(w.Code(Of("sign", "open").Duties(static_cast<uint8_t>(all & ~DutyBit(kind)))),
              "obligation.unsupported")
        << DutyName(kind);
    EXPECT_EQ(w.last->detail,
              "the caller does not carry out `" + std::string(DutyName(kind)) + "`");
  }
  // What the request says counts only as far as the caller is registered for it.
  w.caller.duties = {"step_up", "sign"};
  EXPECT_EQ(w.Code(Of("read", "locked")), "obligation.unsupported");
  EXPECT_EQ(w.Code(Of("sign", "open")), "obligation.unsupported");
  w.caller.duties = {"step-up", "sign", "notification"};
  EXPECT_EQ(w.Code(Of("sign", "open")), "permit");
  w.caller.duties.clear();
  EXPECT_EQ(w.Code(Of("read", "locked")), "obligation.unsupported");
  EXPECT_EQ(w.Code(Of("read", "open")), "permit") << "nothing to do, nothing to promise";
}

TEST(ClosingRule, R37_NobodyReliesOnAnObligedAnswer) {
  World w(kPolicy, kFacts);
  EXPECT_GT(w.Decide(Of("read", "open")).valid_until, w.now);
  EXPECT_EQ(w.Decide(Of("read", "locked")).valid_until, w.now);
}

TEST(Duties, MustAskIsAnApproval) {
  World w(kPolicy, kFacts);
  EXPECT_EQ(w.Code(Of("drop", "open")), "approval_required");
  EXPECT_EQ(DutiesOf(w), "");
  std::string id = w.Approve({"E3"});
  EXPECT_EQ(w.Code(Of("drop", "open").Approval(id)), "permit");
  EXPECT_EQ(DutiesOf(w), "notify person E2");
  EXPECT_EQ(w.Code(Of("drop", "open").Duties(0)), "obligation.unsupported")
      << "step 13 comes before step 14";
}

TEST(Duties, ImpersonationIsLogged) {
  World w(kPolicy, kFacts);
  EXPECT_EQ(w.Code(Of("read", "open").Agent("mirror", "i1")), "permit");
  EXPECT_EQ(DutiesOf(w), "log");
  EXPECT_EQ(w.last->mode, ActingMode::kImpersonate);
  EXPECT_EQ(w.last->valid_until, w.now);
  EXPECT_EQ(w.Json(false).find("\"obligations\""), std::string::npos) << "log is ours to do";
  EXPECT_NE(w.Json().find("\"duty\":\"log\",\"must\":\"log\",\"by\":\"decision point\""),
            std::string::npos);
  EXPECT_NE(w.Explanation().find("impersonation is always logged"), std::string::npos);
  EXPECT_EQ(w.Code(Of("read", "open").Agent("mirror", "i1").Duties(0)), "permit");
}

TEST(Duties, InTheAnswer) {
  World w(kPolicy, kFacts);
  w.Decide(Of("sign", "open"));
  std::string json = w.Json(false);
  EXPECT_NE(
      json.find(
          R"("obligations":[{"id":"t.signed#1","type":"step-up","properties":{"acr_value":"urn:loa:3"}},)"
          R"({"id":"t.signed#2","type":"custom","properties":{"duty":"sign","meaning":"approval","signer":"E7"}},)"
          R"({"id":"t.signed#4","type":"notification","properties":{"to":"team t.audit","topic":"t.signed"}}])"),
      std::string::npos)
      << json;
  EXPECT_EQ(json.find("\"duties\""), std::string::npos);
  json = w.Json(true);
  EXPECT_NE(
      json.find(
          R"({"duty":"sign","must":"sign meaning \"approval\"","statement":"t.signed","span":"policy.dpl:)"),
      std::string::npos)
      << json;
  w.Decide(Of("read", "locked"));
  EXPECT_NE(w.Json(false).find(R"("properties":{"duty":"mask","fields":["pay","note"]})"),
            std::string::npos)
      << "fields have their wire names";
  // A dry run tells what would be owed.
  w.Decide(Of("read", "locked").Dry());
  EXPECT_EQ(w.last->reason, Reason::kWouldPermit);
  EXPECT_EQ(DutiesOf(w), "mask salary, note");
}

TEST(Duties, TooManyDeny) {
  std::string policy(kPolicy);
  for (int i = 0; i < 3; ++i) {
    policy += "obligation many" + std::to_string(i) + " { covers view on app.Doc";
    for (int j = 0; j < 16; ++j)
      policy += "  must notify person \"N" + std::to_string(i * 16 + j) + "\"";
    policy += "  because \"Far too many to tell\" }\n";
    World w(policy, kFacts);
    EXPECT_EQ(w.Code(Of("view", "open")), i < 2 ? "permit" : "error.arena") << i;
  }
}

TEST(Duties, OnTheWire) {
  Arena arena;
  Caller caller = Caller::Everything("test");
  auto duties = [&](const std::string& context) -> std::string {
    WireEvaluation wire;
    static const std::string kSubject = R"({"type": "person", "id": "E7"})",
                             kAction = R"({"name": "read"})",
                             kResource = R"({"type": "app.Doc", "id": "d"})";
    wire.subject = *ParseJson(kSubject, &arena);
    wire.action = *ParseJson(kAction, &arena);
    wire.resource = *ParseJson(kResource, &arena);
    wire.context = *ParseJson(arena.Copy(context), &arena);
    Result<Request> r = ReadWireRequest(wire, caller, &arena);
    if (!r.ok()) return "error";
    if (!r->malformed.empty()) return "malformed";
    std::string out;
    for (int kind = 0; kind < kDutyKinds; ++kind) {
      if ((r->duties & DutyBit(static_cast<DutyKind>(kind))) == 0) continue;
      if (!out.empty()) out += ",";
      out += DutyName(static_cast<DutyKind>(kind));
    }
    return out;
  };
  EXPECT_EQ(duties("{}"), "");
  EXPECT_EQ(duties(R"({"supported_obligations": null})"), "");
  EXPECT_EQ(duties(R"({"supported_obligations": []})"), "");
  EXPECT_EQ(
      duties(
          R"({"supported_mandatory_extensions": ["obligations"], "supported_obligations": ["step-up", "notification", "mask", "sign", "x"]})"),
      "step_up,sign,mask,notify");
  EXPECT_EQ(
      duties(
          R"({"supported_mandatory_extensions": ["obligations"], "supported_obligations": ["step_up", "notify", "log"]})"),
      "step_up,log,notify");
  EXPECT_EQ(
      duties(
          R"({"supported_mandatory_extensions": ["obligations"], "supported_obligations": ["custom"]})"),
      "")
      << "it says nothing in particular";
  EXPECT_EQ(duties(R"({"supported_obligations": "mask"})"), "malformed");
  EXPECT_EQ(duties(R"({"supported_obligations": ["mask", 1]})"), "malformed");
  EXPECT_EQ(
      duties(
          R"({"supported_obligations": ["mask"], "supported_mandatory_extensions": ["obligations"]})"),
      "mask");
  EXPECT_EQ(
      duties(R"({"supported_obligations": ["mask"], "supported_mandatory_extensions": ["other"]})"),
      "");
  EXPECT_EQ(duties(R"({"supported_obligations": ["mask"], "supported_mandatory_extensions": []})"),
            "");
  EXPECT_EQ(
      duties(R"({"supported_obligations": ["mask"], "supported_mandatory_extensions": null})"), "");
  EXPECT_EQ(duties(R"({"supported_obligations": ["mask"]})"), "")
      << "it does not say that it reads them";
  EXPECT_EQ(duties(R"({"supported_obligations": ["mask"], "supported_mandatory_extensions": 1})"),
            "malformed");
}

}  // namespace
}  // namespace dpl
