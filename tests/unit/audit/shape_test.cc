// Shapes: whatever is written by one comes back as the whole record would have been, byte by byte.
#include "runtime/audit/shape.h"

#include <algorithm>
#include <deque>
#include <random>

#include <gtest/gtest.h>

#include "runtime/audit/decision_entry.h"
#include "runtime/audit/record.h"
#include "tests/unit/decide/world.h"

namespace dpl {
namespace {

constexpr std::string_view kPolicy = R"dpl(
package t owned by team staff
granted 2026-10-01
review every 180d
person { key id: string }
team staff { owner person "E1" }
system app { owner team staff  account keyed by login: string  link person by id checked within 90d }
resource Doc in app {
  has locked: bool
  can read { t: int = 0, note: string = "" }
  can pay { amount: money must be limited }
  can count { n: int must be limited }
  can sign
}
grant working {
  to team staff  may read, pay, sign, count on app.Doc
  limit amount to 100 USD per day for each person
  limit amount to 60 USD each, beyond that ask second up to 500 USD
  limit n to 1000 in total
  because "Staff \"work\" \\ (h) mark"
}
approval second {
  by 1 of team staff  within 4h  good for 1 request within 24h
  signs "I approve"  because "Above the band somebody looks"
}
forbid locked { covers any action on app.Doc where resource.locked  because "Locked" }
agent helper {
  accountable person "E1"  purpose "Reads"  runs as spiffe "spiffe://acme.example/helper"
  may read, pay on app.Doc  limit amount to 10 USD each  lives at most 10h
}
delegation help { from team staff  to agent helper  consent by policy  because "To software" }
obligation kept { covers sign on app.Doc  must log  because "Signing is kept" }
)dpl";
constexpr std::string_view kFacts = R"({
  "persons": [{"id": "E1"}, {"id": "E7"}, {"id": "anna@acme.example"}, {"id": "Jörg"}],
  "teams": {"staff": ["E1", "E7", "anna@acme.example", "Jörg"]},
  "accounts": [{"system": "app", "key": "e1", "person": "E1", "checked": "2026-11-01"},
               {"system": "app", "key": "e7", "person": "E7", "checked": "2026-11-01"},
               {"system": "app", "key": "a", "person": "anna@acme.example", "checked": "2026-11-01"},
               {"system": "app", "key": "j", "person": "Jörg", "checked": "2026-11-01"}],
  "resources": [{"type": "app.Doc", "id": "d1", "attributes": {"locked": false}},
                {"type": "app.Doc", "id": "locked", "attributes": {"locked": true}}]})";

class Shapes : public ::testing::Test {
 protected:
  // Adds what the last decision's entry says; gives the whole record.
  std::string Add(RecordContext context) {
    std::string parameters;
    AppendParameters(&parameters, world_.snapshot->program(), *world_.last, world_.last_request);
    context.parameters = parameters;
    EntryWriter entry;
    entry.Write(world_.last_request, *world_.last, context, nullptr);
    bytes_.emplace_back(entry.fixed()).append(entry.values());
    AuditLane::Entry added{world_.last->now, bytes_.back(), &in_force_};
    if (other_time_) added.time = Instant{added.time.us + 7};
    EXPECT_TRUE(records_.Fits(added));
    records_.Add(added, seq_);
    std::string whole;
    context.in_force = in_force_.members;
    plain_.Append(&whole, *world_.snapshot, world_.last_request, *world_.last, context);
    return whole.replace(5, 1, "3");
  }
  // The records behind the terms, as a reader has them.
  std::vector<std::string> Finish() {
    std::vector<std::string> out;
    records_.Finish([&](Instant time, std::string_view record) {
      if (table_.Learn(record, seq_++)) return;
      shaped_ += record.starts_with(R"({"v":3,"kind":"decision","s":[)") ? 1 : 0;
      written_ += record.size();
      out.emplace_back();
      EXPECT_TRUE(table_.Expand(record, time, &out.back())) << record;
    });
    return out;
  }
  void Expect(const Ask& ask, const RecordContext& context) {
    world_.Decide(ask);
    const std::string whole = Add(context);
    const std::vector<std::string> back = Finish();
    ASSERT_EQ(back.size(), 1u);
    EXPECT_EQ(back[0], whole);
  }

  World world_{kPolicy, kFacts};
  RecordInForce in_force_{{std::shared_ptr<const Snapshot>(), world_.snapshot.get()},
                          R"("policy":"sha256:aa","data":"1")"};
  DecisionRecords records_{nullptr, false};
  AuditTermTable table_;
  RecordWriter plain_;
  std::deque<std::string> bytes_;
  uint64_t seq_ = 17;
  bool other_time_ = false;
  int shaped_ = 0;
  size_t written_ = 0;
};

const std::vector<std::string> kTexts = {"E7",
                                         "E1",
                                         "anna@acme.example",
                                         "Jörg",
                                         "gone",
                                         "d\n1",
                                         "a\"b",
                                         "back\\slash",
                                         "d1",
                                         "locked",
                                         "",
                                         "run-1",
                                         "\u202e",
                                         "\x7f",
                                         std::string(200, 'x'),
                                         std::string(201, 'x'),
                                         "a blank one",
                                         "{}",
                                         "</script>"};

TEST_F(Shapes, WhateverIsAskedComesBackWhole) {
  std::mt19937 random(11);
  auto pick = [&](const std::vector<std::string>& from) { return from[random() % from.size()]; };
  for (int i = 0; i < 4000; ++i) {
    Ask ask;
    const bool odd = random() % 4 == 0;
    if (random() % 12 == 0)
      ask.Subject(pick({"partner", "person", "x\"y"}), pick(kTexts));
    else
      ask.Person(odd ? pick(kTexts) : pick({"E1", "E7", "anna@acme.example"}));
    if (random() % 3 == 0) ask.Agent("helper", odd ? pick(kTexts) : "run-" + std::to_string(i));
    if (random() % 9 == 0) ask.Agent(pick({"helper", "nobody"}), "run-9");
    ask.Does(pick({"read", "pay", "sign", "count", odd ? "fly" : "read"}),
             odd ? pick({"app.Doc", "x.Y"}) : "app.Doc", odd ? pick(kTexts) : "d1");
    if (ask.action == "pay")
      ask.With(R"({"amount": ")" + std::to_string(random() % 120) + R"(.50 USD"})");
    if (ask.action == "count") ask.With(R"({"n": )" + std::to_string(random() % 9) + "}");
    if (ask.action == "read" && random() % 2 == 0)
      ask.With(R"({"t": )" + std::to_string(i) + R"(, "note": "n"})");
    if (random() % 10 == 0) ask.Task(odd ? pick(kTexts) : "t1");
    if (random() % 10 == 0) ask.Dry();
    if (random() % 20 == 0) ask.Approval("ap_" + std::to_string(i));
    if (random() % 20 == 0) ask.Using("door", "why", "T-1");
    if (random() % 20 == 0) ask.Key("key-" + std::to_string(i % 7));
    world_.caller.request_id_keys = random() % 8 == 0;
    world_.Advance(static_cast<int64_t>(random() % 3) * 500'000);
    other_time_ = random() % 5 == 0;
    const std::string id = "ev_x-0-" + std::to_string(i), request_id = odd ? pick(kTexts) : "r-1";
    RecordContext context;
    context.evaluation_id = id;
    context.digest_key = {};
    if (random() % 2 == 0) context.request_id = request_id;
    if (random() % 6 == 0) context.trace_id = "4bf92f3577b34da6a3ce929d0e0e4736";
    if (!context.trace_id.empty()) context.span_id = "00f067aa0ba902b7";
    if (random() % 6 == 0) context.item = static_cast<int>(random() % 3);
    if (random() % 500 == 0) records_.BeginSegment(), table_.Clear();
    Expect(ask, context);
    if (HasFailure()) return;
  }
  EXPECT_GT(shaped_, 1500);
}

TEST_F(Shapes, TheSecondOneIsShortAndTheTimeIsTheLines) {
  const Ask ask = Ask().Person("E7").Agent("helper", "run-1").Does("read", "app.Doc", "d1");
  RecordContext context;
  context.evaluation_id = "ev_1";
  Expect(ask, context);
  EXPECT_EQ(shaped_, 0);
  written_ = 0;
  Expect(ask, context);
  Expect(ask, context);
  EXPECT_EQ(shaped_, 2);
  EXPECT_LT(written_, 2 * 110u);
  records_.BeginSegment();
  table_.Clear();
  Expect(ask, context);
  EXPECT_EQ(shaped_, 2);
}

TEST_F(Shapes, SeveralStandInOrderBehindTheirTerms) {
  std::vector<std::string> whole;
  RecordContext context;
  for (int i = 0; i < 20; ++i) {
    const std::string id = "ev_" + std::to_string(i);
    context.evaluation_id = id;
    world_.Advance(1'234);
    world_.Decide(Ask().Person("E7").Does(i % 3 == 0 ? "sign" : "read", "app.Doc", "d1"));
    whole.push_back(Add(context));
  }
  EXPECT_EQ(Finish(), whole);
  EXPECT_EQ(Finish(), std::vector<std::string>());
}

// A table that a segment's damage has left without its shapes gives nothing, and no crash.
TEST_F(Shapes, WhatBelongsToNoShapeStaysAsItIs) {
  AuditTermTable table;
  std::string whole;
  const std::string record = R"({"v":3,"kind":"decision","s":[9,1],"h":["a","",1],"t":2})";
  const std::string terms = R"({"v":3,"kind":"terms","terms":[],"shapes":)";
  EXPECT_FALSE(table.Expand(record, {}, &whole));
  EXPECT_TRUE(table.Learn(terms + R"([["x"],["{\"a\":\"",0,"\"",7,""]]})", 9));
  EXPECT_FALSE(table.Expand(record, {}, &whole));  // it has no hole 7
  table.Clear();
  EXPECT_TRUE(table.Learn(terms + R"([5,["{\"a\":\"",0,"\",\"n\":",2,""],["x",0],[],[7]]})", 9));
  ASSERT_TRUE(table.Expand(record, {}, &whole));
  EXPECT_EQ(whole, R"({"a":"a","n":1,"t":2})");
  for (const char* odd :
       {R"("s":[9,1],"h":["a\"b","",1]})", R"("s":[9,1],"h":["a","",[]]})", R"("s":[9,1],"h":{}})",
        R"("s":[9,1]})", R"("s":[9,0],"h":[1]})", R"("s":[9,2],"h":[1]})", R"("s":[9,3],"h":[1]})",
        R"("s":[9,4],"h":[1]})", R"("s":[9,5],"h":[1]})", R"("s":[8,1],"h":["a","",1]})",
        R"("s":[9],"h":[1]})", R"("s":[-1,1],"h":[1]})"})
    EXPECT_FALSE(table.Expand(R"({"v":3,"kind":"decision",)" + std::string(odd), {}, &whole))
        << odd;
}

}  // namespace
}  // namespace dpl
