// What the record of a decision says, and what it never says.
#include "runtime/audit/record.h"

#include <gtest/gtest.h>

#include "runtime/base/sha256.h"
#include "runtime/json/json.h"
#include "runtime/json/wire_text.h"
#include "tests/heap/heap_count.h"
#include "tests/unit/decide/world.h"

namespace dpl {
namespace {

constexpr std::string_view kPolicy = R"dpl(
package t owned by team staff
granted 2026-10-01
review every 180d
person { key id: string  has region: string from request }
team staff { owner person "E1" }
system app { owner team staff  account keyed by login: string  link person by id checked within 90d }
resource Doc in app {
  has locked: bool
  can read { note: string = "", token: string = "" }
  can pay { amount: money must be limited, memo: string = "" }
  can sign
}
grant working {
  to team staff  may read, pay, sign on app.Doc
  limit amount to 100 USD per day for each person
  because "Staff work"
}
forbid locked { covers any action on app.Doc where resource.locked  because "Locked \"for\" good" }
agent helper {
  accountable person "E1"  purpose "Reads for people"  runs as spiffe "spiffe://acme.example/helper"
  may read, pay on app.Doc  lives at most 10h
}
delegation help {
  from team staff  to agent helper  may read, pay on app.Doc  consent every 30d  because "Reading may be handed to software"
}
obligation paid { covers pay on app.Doc  must log  because "Payments are recorded" }
)dpl";
constexpr std::string_view kFacts = R"({
  "persons": [{"id": "E1"}, {"id": "E7"}], "teams": {"staff": ["E1", "E7"]},
  "accounts": [{"system": "app", "key": "e1", "person": "E1", "checked": "2026-11-01"},
               {"system": "app", "key": "e7", "person": "E7", "checked": "2026-11-01"}],
  "resources": [{"type": "app.Doc", "id": "d1", "attributes": {"locked": false}},
                {"type": "app.Doc", "id": "locked", "attributes": {"locked": true}}],
  "consents": [{"delegation": "help", "person": "E7", "at": "2026-11-20T12:00Z"}]
})";

// Records of one world, read back.
class Recorder {
 public:
  explicit Recorder(World* world) : world_(world) {
    context.evaluation_id = "ev_1";
    context.digest_key = "0123456789abcdef0123456789abcdef";
    context.in_force = R"("policy":"sha256:aa")";
  }
  const WireValue& Of(const Ask& ask) {
    world_->Decide(ask);
    line.clear();
    parameters_.clear();
    AppendParameters(&parameters_, world_->snapshot->program(), *world_->last,
                     world_->last_request);
    context.parameters = parameters_;
    writer_.Append(&line, *world_->snapshot, world_->last_request, *world_->last, context);
    EXPECT_EQ(line.find('\n'), std::string::npos);
    arena_.Reset();
    Result<const WireValue*> root = ParseJson(line, &arena_);
    EXPECT_TRUE(root.ok()) << line;
    return **root;
  }
  RecordContext context;
  std::string line;

 private:
  World* world_;
  std::string parameters_;
  RecordWriter writer_;
  Arena arena_;
};

std::string_view At(const WireValue& root, std::initializer_list<std::string_view> path) {
  const WireValue* value = &root;
  for (std::string_view name : path) {
    if (value->is_array()) {
      value = &value->items[static_cast<size_t>(name[0] - '0')];
    } else {
      value = value->Find(name);
    }
    if (value == nullptr) return "(absent)";
  }
  if (value->is_bool()) return value->boolean ? "true" : "false";
  return value->is_object() || value->is_array() ? "(more)" : value->text;
}

Ask Pay(std::string amount) {
  return Ask()
      .Person("E7")
      .Agent("helper", "run-1")
      .Does("pay", "app.Doc", "d1")
      .With(R"({"amount": ")" + amount + R"( USD", "memo": "for lunch"})");
}

TEST(DecisionRecord, SaysWhoForWhomWhatAndWhy) {
  World w(kPolicy, kFacts);
  Recorder recorder(&w);
  recorder.context.request_id = "r-17";
  w.caller.request_id_keys = false;
  const WireValue& r = recorder.Of(Pay("40.00"));
  EXPECT_EQ(At(r, {"kind"}), "decision");
  EXPECT_EQ(At(r, {"id"}), "ev_1");
  EXPECT_EQ(At(r, {"time"}), "2026-11-20T15:00:00Z");
  EXPECT_EQ(At(r, {"caller"}), "test");
  EXPECT_EQ(At(r, {"request_id"}), "r-17");
  EXPECT_EQ(At(r, {"outcome"}), "permit") << recorder.line;
  EXPECT_EQ(
      At(r, {"says"}),
      "the agent t.helper \"run-1\", on behalf of person \"E7\", asked to pay app.Doc \"d1\" at "
      "2026-11-20T15:00:00Z: permitted");
  EXPECT_EQ(At(r, {"who", "mode"}), "on_behalf_of");
  EXPECT_EQ(At(r, {"who", "person"}), "E7");
  EXPECT_EQ(At(r, {"who", "agent"}), "t.helper");
  EXPECT_EQ(At(r, {"who", "account"}), "app:e7");
  EXPECT_EQ(At(r, {"who", "accountable"}), "E1");
  EXPECT_EQ(At(r, {"who", "chain", "0", "instance"}), "run-1");
  EXPECT_EQ(At(r, {"who", "chain", "0", "ok"}), "true");
  EXPECT_EQ(At(r, {"what", "action"}), "pay");
  EXPECT_EQ(At(r, {"what", "system"}), "app");
  EXPECT_EQ(At(r, {"by", "0", "statement"}), "t.working");
  EXPECT_EQ(At(r, {"by", "0", "owner"}), "team t.staff");
  EXPECT_EQ(At(r, {"by", "0", "because"}), "Staff work");
  EXPECT_NE(At(r, {"by", "0", "span"}).find(":"), std::string_view::npos);
  EXPECT_NE(At(r, {"by", "0", "clause"}), "(absent)");
  EXPECT_EQ(At(r, {"limits", "0", "period"}), "per day");
  EXPECT_EQ(At(r, {"limits", "0", "before"}), "0.00 USD");
  EXPECT_EQ(At(r, {"limits", "0", "requested"}), "40.00 USD");
  EXPECT_EQ(At(r, {"limits", "0", "after"}), "40.00 USD");
  EXPECT_EQ(At(r, {"limits", "0", "cap"}), "100.00 USD");
  EXPECT_NE(At(r, {"reservation", "id"}), "(absent)");
  EXPECT_EQ(At(r, {"duties", "0"}), "log");
  EXPECT_EQ(At(r, {"policy"}), "sha256:aa");
  EXPECT_EQ(At(r, {"epoch"}), "1");
  EXPECT_TRUE(WaitsForRecord(*w.last));
}

TEST(DecisionRecord, ADeniedChargeLeavesTheLimitAsItWas) {
  World w(kPolicy, kFacts);
  Recorder recorder(&w);
  recorder.Of(Pay("80.00"));
  const WireValue& r = recorder.Of(Pay("30.00"));
  EXPECT_EQ(At(r, {"outcome"}), "deny");
  EXPECT_EQ(At(r, {"reason"}), "limit.exceeded");
  EXPECT_EQ(At(r, {"limits", "0", "state"}), "exceeded");
  EXPECT_EQ(At(r, {"limits", "0", "before"}), "80.00 USD");
  EXPECT_EQ(At(r, {"limits", "0", "after"}), "80.00 USD");
  EXPECT_FALSE(WaitsForRecord(*w.last));
}

TEST(DecisionRecord, ADenialNamesItsForbidAndTheLinkThatBroke) {
  World w(kPolicy, kFacts);
  Recorder recorder(&w);
  const WireValue& locked = recorder.Of(Ask().Person("E7").Does("read", "app.Doc", "locked"));
  EXPECT_EQ(At(locked, {"reason"}), "forbidden");
  EXPECT_EQ(At(locked, {"by", "0", "as"}), "forbid");
  EXPECT_EQ(At(locked, {"by", "0", "because"}), "Locked \"for\" good");
  EXPECT_EQ(At(locked, {"who", "mode"}), "direct");
  const WireValue& beyond =
      recorder.Of(Ask().Person("E7").Agent("helper", "run-1").Does("sign", "app.Doc", "d1"));
  EXPECT_EQ(At(beyond, {"outcome"}), "deny");
  EXPECT_EQ(At(beyond, {"who", "chain", "0", "ok"}), "false");
  EXPECT_EQ(At(beyond, {"who", "chain", "0", "reason"}), "agent.not_allowed");
}

TEST(DecisionRecord, ADryRunSaysSo) {
  World w(kPolicy, kFacts);
  Recorder recorder(&w);
  const WireValue& r = recorder.Of(Pay("40.00").Dry());
  EXPECT_EQ(At(r, {"dry_run"}), "true");
  EXPECT_EQ(At(r, {"outcome"}), "deny");
  EXPECT_EQ(At(r, {"reason"}), "would_permit");
  EXPECT_EQ(At(r, {"limits", "0", "after"}), "0.00 USD");
  EXPECT_EQ(At(r, {"parameters", "values"}), "(absent)") << "nothing happened";
}

TEST(DecisionRecord, ValuesOfParametersStandOnlyUnderLog) {
  World w(kPolicy, kFacts);
  Recorder recorder(&w);
  const WireValue& read = recorder.Of(Ask()
                                          .Person("E7")
                                          .Does("read", "app.Doc", "d1")
                                          .With(R"({"note": "s3cret-note", "token": "s3cret-token",
                                             "idempotency_key": "s3cret-key", "x": "s3cret-x"})")
                                          .OfPerson(R"({"region": "s3cret-region"})")
                                          .In(R"({"ip": "s3cret-context"})"));
  EXPECT_EQ(At(read, {"outcome"}), "permit") << recorder.line;
  EXPECT_EQ(recorder.line.find("s3cret"), std::string::npos) << recorder.line;
  const std::string key(recorder.context.digest_key);
  EXPECT_EQ(At(read, {"parameters", "sha256"}),
            Hex(Sha256(key + R"({"note":"s3cret-note","token":"s3cret-token"})")));
  const WireValue& pay = recorder.Of(Pay("1.00").Key("s3cret-key"));
  EXPECT_EQ(At(pay, {"parameters", "values", "memo"}), "for lunch") << recorder.line;
  EXPECT_EQ(At(pay, {"parameters", "values", "amount"}), "1.00 USD");
  EXPECT_EQ(recorder.line.find("s3cret"), std::string::npos) << recorder.line;
}

TEST(DecisionRecord, ARequestIdThatIsAKeyIsNotInTheClear) {
  World w(kPolicy, kFacts);
  Recorder recorder(&w);
  recorder.context.request_id = "s3cret-id";
  w.caller.request_id_keys = true;
  const WireValue& r = recorder.Of(Pay("1.00"));
  EXPECT_EQ(recorder.line.find("s3cret"), std::string::npos) << recorder.line;
  EXPECT_EQ(At(r, {"request_id_sha256"}),
            Hex(Sha256(std::string(recorder.context.digest_key) + "s3cret-id")));
}

TEST(DecisionRecord, NobodyKnownIsRecordedAsAsked) {
  World w(kPolicy, kFacts);
  Recorder recorder(&w);
  const std::string forged = "E9\n{\"v\":1}\x1b]0;x\x07";
  const WireValue& r =
      recorder.Of(Ask().Person(forged).Agent("ghost").Does("fly", "app.Doc", "d\n1"));
  EXPECT_EQ(At(r, {"outcome"}), "deny");
  EXPECT_EQ(At(r, {"who", "subject", "id"}), forged);
  EXPECT_EQ(At(r, {"what", "action"}), "fly");
  EXPECT_EQ(At(r, {"what", "id"}), "d\n1");
  for (char c : recorder.line) EXPECT_GE(static_cast<uint8_t>(c), 0x20);
}

TEST(DecisionRecord, AWarmRecordAsksTheHeapForNothing) {
  World w(kPolicy, kFacts);
  RecordWriter writer;
  RecordContext context;
  context.evaluation_id = "ev_1";
  context.digest_key = "0123456789abcdef0123456789abcdef";
  const std::vector<Ask> asks = {Pay("0.01"),
                                 Ask()
                                     .Person("E7")
                                     .Does("read", "app.Doc", "locked")
                                     .With(R"({"note": "a longer note than sixteen"})"),
                                 Ask()
                                     .Person("somebody whom nobody here knows")
                                     .Agent("a ghost in the machine")
                                     .Does("fly", "app.Doc", "d1"),
                                 Pay("4000.00")};
  std::string line;
  auto write = [&] {
    long count = 0;
    for (const Ask& ask : asks) {
      const Decision& d = w.Decide(ask);
      line.clear();
      const size_t before = HeapAllocationsForTest();
      writer.Append(&line, *w.snapshot, w.last_request, d, context);
      count += static_cast<long>(HeapAllocationsForTest() - before);
    }
    return count;
  };
  for (int i = 0; i < 3; ++i) write();
  EXPECT_EQ(write(), 0);
}

TEST(RefusedRecord, SaysWhyAndByWhom) {
  std::string line;
  AppendRefusedRecord(&line, {.time = *ParseInstant("2026-11-20T15:00Z"),
                              .caller = "gw",
                              .request_id = "r\"1",
                              .item = 3,
                              .status = 400,
                              .why = "`subject` is required"});
  EXPECT_EQ(line, R"({"v":1,"kind":"refused","time":"2026-11-20T15:00:00Z","caller":"gw",)"
                  R"("request_id":"r\"1","item":3,"status":400,"why":"`subject` is required"})");
}

TEST(WireText, ComesBackAsItWas) {
  const std::string text =
      R"({"a":[1,2.50,-0,1e40,{"b":null,"c":[[],{}]}],"":"x\"\\y","t":true,"f":false})";
  Arena arena;
  Result<const WireValue*> root = ParseJson(text, &arena);
  ASSERT_TRUE(root.ok()) << root.error().message;
  std::string out;
  AppendWireText(&out, **root);
  EXPECT_EQ(out, text);
}

}  // namespace
}  // namespace dpl
