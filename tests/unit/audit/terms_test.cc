// Terms: what records refer to comes back where it stood, in each segment by itself.
#include "runtime/audit/terms.h"

#include <gtest/gtest.h>

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
system app { owner team staff }
resource Doc in app {
  can read { t: int = 0 }
  can pay { amount: money must be limited }
}
grant working {
  to team staff  may read, pay on app.Doc  limit amount to 100 USD per day for each person
  because "Staff \"work\""
}
forbid shut { covers read on app.Doc where resource.id == "shut"  because "It is shut" }
obligation kept { covers read on app.Doc  must log  because "Reading is kept" }
)dpl";
constexpr std::string_view kFacts =
    R"({"persons": [{"id": "E1"}, {"id": "E7"}], "teams": {"staff": ["E1", "E7"]},
        "resources": [{"type": "app.Doc", "id": "d1"}, {"type": "app.Doc", "id": "shut"}]})";

struct Written {
  std::string plain, record, made;
};

class Terms : public ::testing::Test {
 protected:
  Written Of(const Ask& ask) {
    world_.Decide(ask);
    std::string parameters;
    AppendParameters(&parameters, world_.snapshot->program(), *world_.last, world_.last_request);
    RecordContext context;
    context.evaluation_id = "ev_1";
    context.in_force = R"("policy":"sha256:aa","data":"1")";
    context.parameters = parameters;
    Written out;
    plain_.Append(&out.plain, *world_.snapshot, world_.last_request, *world_.last, context);
    writer_.Append(&out.record, *world_.snapshot, world_.last_request, *world_.last, context);
    terms_.TakeNew(&out.made);
    return out;
  }
  // The same, but for the version.
  static std::string Version3(std::string plain) { return plain.replace(5, 1, "3"); }

  World world_{kPolicy, kFacts};
  AuditTerms terms_;
  RecordWriter plain_, writer_{&terms_};
};

const std::vector<Ask> kAsks = {
    // A parameter that is called as a reference is, with its value in the record.
    Ask().Person("E7").Does("read", "app.Doc", "d1").With(R"({"t": 1})"),
    Ask().Person("E7").Does("read", "app.Doc", "shut"),
    Ask().Person("E7").Does("pay", "app.Doc", "d1").With(R"({"amount": "40.00 USD"})"),
    Ask().Person("E7").Does("pay", "app.Doc", "d1").With(R"({"amount": "80.00 USD"})"),
    Ask().Person("nobody").Does("fly", "app.Doc", "d\n1")};

TEST_F(Terms, AWholeRecordIsWhatAPlainOneSays) {
  AuditTermTable table;
  for (int round = 0; round < 2; ++round) {
    for (const Ask& ask : kAsks) {
      const Written written = Of(ask);
      if (!written.made.empty()) {
        EXPECT_TRUE(table.Learn(written.made)) << written.made;
      }
      EXPECT_FALSE(table.Learn(written.record));
      std::string whole;
      ASSERT_TRUE(table.Expand(written.record, {}, &whole));
      EXPECT_EQ(whole, Version3(written.plain));
    }
  }
}

TEST_F(Terms, ATermIsMadeOnceInEachSegment) {
  const Written first = Of(kAsks[0]);
  EXPECT_NE(first.made.find("because"), std::string::npos);
  EXPECT_EQ(first.record.find("because"), std::string::npos);
  EXPECT_EQ(first.record.find("sha256:aa"), std::string::npos);
  EXPECT_LT(first.record.size(), first.plain.size());
  EXPECT_EQ(Of(kAsks[0]).made, "");
  terms_.BeginSegment();
  EXPECT_EQ(Of(kAsks[0]).made, first.made);
}

TEST_F(Terms, WhatIsNoReferenceStaysAsItIs) {
  AuditTermTable table;
  std::string whole;
  EXPECT_FALSE(table.Expand(R"({"v":1,"kind":"decision","t":1})", {}, &whole));
  EXPECT_FALSE(table.Expand(R"({"v":2,"kind":"decision",)", {}, &whole));
  const std::string unknown = R"({"v":2,"kind":"decision","by":[7,{"a":1}],"t":9,"n":1.50})";
  ASSERT_TRUE(table.Expand(unknown, {}, &whole));
  EXPECT_EQ(whole, unknown);
  EXPECT_TRUE(table.Learn(R"({"v":2,"kind":"terms","terms":[[7,{"x":"y"}],[8],"no",[9,3]]})"));
  ASSERT_TRUE(table.Expand(unknown, {}, &whole));
  EXPECT_EQ(whole, R"({"v":2,"kind":"decision","by":[{"x":"y"},{"a":1}],"t":9,"n":1.50})");
}

}  // namespace
}  // namespace dpl
