// What a successful check leaves behind: names resolved, clauses unfolded, terms read, in the
// documented order.
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "compiler/check/check.h"
#include "compiler/check/zones.h"
#include "compiler/diag/render.h"
#include "compiler/diag/sink.h"
#include "compiler/syntax/parse.h"
#include "runtime/base/instant.h"

namespace dpl::check {
namespace {

struct Checked {
  SourceSet sources;
  DiagnosticSink sink;
  std::vector<std::unique_ptr<ast::File>> files;
  Model model;
  bool ok = false;

  explicit Checked(const std::vector<std::string>& texts, CheckOptions options = {}) {
    for (const std::string& text : texts) {
      const SourceFile& source = sources.Add("p" + std::to_string(sources.size()) + ".dpl", text);
      files.push_back(Parse(source, &sink).file);
    }
    ok = Check(files, sources, options, &sink, &model);
  }
  const StatementModel* Find(std::string_view name) const {
    for (const StatementModel& s : model.statements) {
      if (s.name == name) return &s;
    }
    return nullptr;
  }
  std::string Text() const { return RenderText(sources, sink.Sorted(), {}); }
};

constexpr const char* kBase = R"(package acme.base owned by team ops
timezone "America/New_York"
granted 2026-10-01
review every 90d
team ops { owner person "E1" }
role reader
enum Level { low < mid < high }
person { key id: string  has level: Level }
system app { owner team ops }
resource Folder in app { can list }
resource Doc in app { within folder: app.Folder  has level: Level  has title: string  can read, update, delete }
resource Note in app { has level: Level  can read }
)";

TEST(Model, StatementsAreSortedByKindThenName) {
  Checked c({std::string(kBase) + R"(
forbid z { covers read on app.Doc because "Forbidden here" }
grant b { to role reader may read on app.Doc because "Reads the docs" }
grant a { to role reader may read on app.Doc because "Reads the docs" }
)"});
  ASSERT_TRUE(c.ok) << c.Text();
  ASSERT_EQ(c.model.statements.size(), 3u);
  EXPECT_EQ(c.model.statements[0].name, "acme.base.a");
  EXPECT_EQ(c.model.statements[1].name, "acme.base.b");
  EXPECT_EQ(c.model.statements[1].ordinal, 1u);
  EXPECT_EQ(c.model.statements[2].name, "acme.base.z");
  EXPECT_EQ(c.model.statements[2].ordinal, 0u);
}

TEST(Model, FileDefaultsAndZonesGiveTheTerms) {
  Checked c({std::string(kBase) + R"(
grant g { to role reader may read on app.Doc because "Reads the docs" ticket "T-1" expires 2027-03-31 }
)"});
  ASSERT_TRUE(c.ok) << c.Text();
  const StatementModel& g = *c.Find("acme.base.g");
  EXPECT_EQ(g.granted_us, ParseInstant("2026-10-01T00:00:00-04:00")->us);
  EXPECT_EQ(g.reviewed_us, g.granted_us);
  EXPECT_EQ(g.expires_us, ParseInstant("2027-04-01T00:00:00-04:00")->us);  // to the end of that day
  EXPECT_EQ(g.review_every_us, 90 * kMicrosPerDay);
  EXPECT_EQ(g.ticket, "T-1");
  EXPECT_EQ(g.owner.team, 0u);
}

TEST(Model, AConditionIsAnnotatedOncePerType) {
  Checked c({std::string(kBase) + R"(
grant g { to role reader may read on app.Note, app.Doc where resource.level <= person.level because "By level" }
)"});
  ASSERT_TRUE(c.ok) << c.Text();
  const StatementModel& g = *c.Find("acme.base.g");
  ASSERT_EQ(g.clauses.size(), 2u);
  const ast::Expr& note = *g.clauses[0].where->args[0];
  const ast::Expr& doc = *g.clauses[1].where->args[0];
  EXPECT_EQ(c.model.schema.Text(c.model.schema.resources[note.ref_b].name), "app.Note");
  EXPECT_EQ(c.model.schema.Text(c.model.schema.resources[doc.ref_b].name), "app.Doc");
  EXPECT_EQ(note.ref, ast::RefKind::kResourceAttr);
  EXPECT_EQ(note.ref_a, 0u);
  EXPECT_EQ(doc.ref_a, 0u);
  EXPECT_EQ(g.clauses[1].where_text, "resource.level <= person.level");
}

TEST(Model, LiteralsTakeTheTypeOfTheOtherSide) {
  Checked c({R"(package a owned by team t
team t { owner person "E1" }
system app
resource F in app { key path: path  has rate: decimal  has from: ip  can read }
grant g { to team t may read on app.F in "/a/" where resource.path in "/a/b/" and resource.rate < 5 and resource.from in "10.0.0.0/8" because "Typed by the other side" expires 2030-01-01 }
)"});
  ASSERT_TRUE(c.ok) << c.Text();
  std::vector<std::string> texts;
  for (const Constant& constant : c.model.constants) {
    if (constant.kind == Constant::Kind::kPath) texts.push_back("path " + constant.text);
    if (constant.kind == Constant::Kind::kIp) texts.push_back("ip " + constant.text);
    if (constant.kind == Constant::Kind::kDecimal)
      texts.push_back("decimal " + std::to_string(constant.number));
  }
  EXPECT_EQ(texts,
            (std::vector<std::string>{"path /a", "path /a/b", "decimal 5000000", "ip 10.0.0.0/8"}));
}

TEST(Model, UnlessOverSeveralTypesBecomesPartOfEachClause) {
  Checked c({std::string(kBase) + R"(
forbid f { covers read on app.Doc, app.Note unless resource.level == low because "Only low ones are open" }
forbid one { covers read on app.Doc unless resource.level == low because "Only low ones are open" }
)"});
  ASSERT_TRUE(c.ok) << c.Text();
  const StatementModel& f = *c.Find("acme.base.f");
  EXPECT_EQ(f.unless, nullptr);
  ASSERT_EQ(f.clauses.size(), 2u);
  for (const ClauseModel& clause : f.clauses) {
    ASSERT_NE(clause.where, nullptr);
    EXPECT_EQ(clause.where->kind, ast::ExprKind::kNot);
    EXPECT_EQ(clause.where_text, "not (resource.level == low)");
    EXPECT_EQ(clause.where->args[0]->args[0]->ref_b, clause.type);
  }
  EXPECT_NE(c.Find("acme.base.one")->unless, nullptr);
}

TEST(Model, LimitIdentityNamesStatementMeasurePeriodAndKeysOnly) {
  Checked c({R"(package a owned by team t
team t { owner person "E1" }
system app
resource O in app { has vendor: string  can pay { amount: money must be limited } }
resource V in app { has note: string  has vendor: string  can pay { amount: money must be limited } }
grant g { to team t may pay on app.O, app.V
  limit amount to 5 USD each
  limit amount to 50 USD per day for each person and resource.vendor
  limit amount to 70 USD in any 15m was old_name
  because "Pays the bills" expires 2030-01-01 }
)"});
  ASSERT_TRUE(c.ok) << c.Text();
  const StatementModel& g = *c.Find("a.g");
  ASSERT_EQ(g.limits.size(), 3u);
  EXPECT_EQ(g.limits[0].name, "a.g.amount");
  EXPECT_EQ(g.limits[0].identity, "a.g|amount|each|");
  EXPECT_EQ(g.limits[1].identity, "a.g|amount|day|person,resource.vendor");
  EXPECT_EQ(g.limits[2].identity, "a.old_name|amount|in:900000000|");
  // `resource.vendor` is another attribute of each type: whichever is known counts.
  ASSERT_EQ(g.limits[1].key_exprs.size(), 1u);
  const ast::Expr& key = *g.limits[1].key_exprs[0];
  EXPECT_EQ(key.kind, ast::ExprKind::kIf);
  EXPECT_EQ(key.args[1]->ref_a, 0u);
  EXPECT_EQ(key.args[2]->ref_a, 1u);
}

TEST(Model, ADelegationWithoutMayIsLeftToTheAgent) {
  Checked c({std::string(kBase) + R"(
grant g { to role reader may read on app.Doc because "Reads the docs" }
agent bot { accountable person "E1" purpose "Reads documents" runs as spiffe "spiffe://x/bot" may read on app.Doc lives at most 1h }
delegation d { from role reader to agent bot limit requests to 5 per day consent every 30d because "Opt-in" }
)"});
  ASSERT_TRUE(c.ok) << c.Text();
  const StatementModel& d = *c.Find("acme.base.d");
  EXPECT_TRUE(d.clauses.empty());
  EXPECT_EQ(d.limits.size(), 1u);
  EXPECT_EQ(d.delegation.modes, 0);
  EXPECT_EQ(d.delegation.consent_every_us, 30 * kMicrosPerDay);
}

TEST(Model, OrderOfFilesDoesNotMatter) {
  std::string other = R"(package acme.other owned by team ops
import acme.base
grant h { to role reader may read on app.Note because "Reads the notes" expires 2030-01-01 }
)";
  Checked a({kBase, other}), b({other, kBase});
  ASSERT_TRUE(a.ok) << a.Text();
  ASSERT_TRUE(b.ok) << b.Text();
  EXPECT_EQ(a.model.schema.strings, b.model.schema.strings);
  EXPECT_EQ(a.model.constants, b.model.constants);
  ASSERT_EQ(a.model.files.size(), 2u);
  EXPECT_EQ(a.model.files[0]->package.text, "acme.base");
  EXPECT_EQ(b.model.files[0]->package.text, "acme.base");
  EXPECT_EQ(a.model.schema.zones[a.model.schema.packages[1].zone].name,
            "America/New_York");  // from what it imports
}

TEST(Model, ReviewsAreJudgedAtADate) {
  CheckOptions options;
  options.as_of = *ParseInstant("2027-06-01T00:00Z");
  std::string text = std::string(kBase) + R"(
grant g { to role reader may read on app.Doc because "Reads the docs" }
)";
  Checked late({text}, options), never({text});
  EXPECT_TRUE(late.ok);
  ASSERT_EQ(late.sink.Sorted().size(), 1u);
  EXPECT_EQ(late.sink.Sorted()[0].code, DPL0409);
  EXPECT_EQ(late.sink.Sorted()[0].message, "the review of grant `g` was due on 2026-12-30");
  EXPECT_TRUE(never.sink.Sorted().empty());
}

TEST(Model, AnythingThatParsesOrNotIsChecked) {
  // Nothing here may crash, whatever the parser could make of it.
  for (const char* text :
       {"", "package", "package a", "grant", "package a owned by team t grant g {",
        "package a owned by team t grant g { to may on where }",
        "package a owned by team t resource R in { can } limit l { cap to } test \"\" { when "
        "expect }",
        "package a owned by team t enum E { } const c = E.x role r in { where } delegation d { "
        "onward to agent , at most hops }"}) {
    Checked c({text});
    EXPECT_FALSE(c.ok) << text;
  }
}

TEST(Zones, TablesComeFromTheTimeZoneDatabase) {
  ZoneTable zone;
  ASSERT_TRUE(ReadZone("America/New_York", &zone));
  EXPECT_TRUE(zone.Valid());
  EXPECT_FALSE(zone.version.empty());
  EXPECT_EQ(zone.OffsetAt(*ParseInstant("2026-07-01T00:00Z")), -4 * 3600);
  EXPECT_EQ(zone.OffsetAt(*ParseInstant("2026-12-01T00:00Z")), -5 * 3600);
  EXPECT_EQ(zone.OffsetAt(*ParseInstant("1974-01-10T00:00Z")), -4 * 3600);  // the energy crisis
  EXPECT_EQ(zone.OffsetAt(*ParseInstant("2099-07-01T00:00Z")), -4 * 3600);
  ZoneTable kathmandu;
  ASSERT_TRUE(ReadZone("Asia/Kathmandu", &kathmandu));
  EXPECT_EQ(kathmandu.OffsetAt(*ParseInstant("2026-01-01T00:00Z")), 5 * 3600 + 45 * 60);
  ZoneTable none;
  for (const char* name : {"Europe/Berln", "EST5EDT", "GMT+3", "", "Berlin", "../etc/passwd"})
    EXPECT_FALSE(ReadZone(name, &none)) << name;
  ASSERT_TRUE(ReadZone("UTC", &none));
  EXPECT_TRUE(none.transitions.empty());
}

}  // namespace
}  // namespace dpl::check
