// Functions: written out where they are called, strict in their arguments, on the side of the
// clause.
#include <gtest/gtest.h>

#include "tests/unit/decide/world.h"

namespace dpl {
namespace {

constexpr std::string_view kPolicy = R"dpl(
package t owned by team staff
granted 2026-10-01
review every 180d
person { key id: string  has level: int  has region: string? }
team staff { owner person "E1" }
system app { owner team staff }
resource Doc in app {
  has author: Person  has level: int  has region: string?  has tags: set<string>  has price: money
  can read, write, mark, buy, list, count, near, peek
}
function mine(d: app.Doc): bool = d.author == person
function between(low: int, x: int, high: int): bool = low <= x and x <= high
function fits(d: app.Doc): bool = between(1, d.level, person.level)
function ignores(x: int): bool = true or x == 1
function double(m: money): money = m * 2
function tagged(d: app.Doc, tag: string): bool = some t in d.tags satisfies (t == tag)
function same(a: string, b: string): bool = a == b
function both(d: app.Doc, a: string, b: string): bool = tagged(d, a) and tagged(d, b)
function same_region(d: app.Doc): bool = d.region == person.region
role author in app.Doc { where mine(resource) }

grant reading { to team staff  may read on app.Doc where mine(resource)  because "Authors read" }
grant writing { to team staff  may write on app.Doc where fits(resource)  because "By level" }
grant marking { to team staff  may mark on app.Doc where ignores(resource.level)  because "Strict" }
grant buying { to team staff  may buy on app.Doc where double(resource.price) <= 10 USD  because "By price" }
grant listing { to team staff  may list on app.Doc where both(resource, "a", "b") because "By tags" }
grant counting {
  to team staff
  may count on app.Doc where some s in resource.tags satisfies (same(s, "b") and same("b", s))
  because "Functions within quantifiers"
}
grant nearing { to team staff  may near on app.Doc  because "Everywhere" }
forbid far { covers near on app.Doc where same_region(resource)  because "Bites where it cannot be told" }
grant peeking { to role author  may peek on app.Doc  because "Authors peek" }
)dpl";
constexpr std::string_view kFacts = R"({
  "persons": [{"id": "E1", "attributes": {"level": 3, "region": "emea"}}, {"id": "E2", "attributes": {"level": 1}}],
  "teams": {"staff": ["E1", "E2"]}, "roles": [], "accounts": [],
  "resources": [
    {"type": "app.Doc", "id": "d1", "attributes": {"author": "E1", "level": 2, "region": "apac", "tags": ["a", "b"], "price": "5.00 USD"}},
    {"type": "app.Doc", "id": "d2", "attributes": {"author": "E2", "level": 0, "tags": ["a"], "price": "5.01 USD"}},
    {"type": "app.Doc", "id": "d3", "attributes": {}}]
})";

class FunctionTest : public ::testing::Test {
 protected:
  FunctionTest() : w(kPolicy, kFacts) {}
  std::string Does(const char* action, const char* id, const char* person = "E1") {
    return w.Code(Ask().Person(person).Does(action, "app.Doc", id));
  }
  World w;
};

TEST_F(FunctionTest, IsItsBody) {
  EXPECT_EQ(Does("read", "d1"), "permit");
  EXPECT_EQ(Does("read", "d2"), "person.no_grant");
  EXPECT_EQ(Does("read", "d2", "E2"), "permit");
  EXPECT_EQ(Does("write", "d1"), "permit");
  EXPECT_EQ(Does("write", "d2"), "person.no_grant") << "0 is below 1";
  EXPECT_EQ(Does("write", "d1", "E2"), "person.no_grant") << "2 is above 1";
  EXPECT_EQ(Does("buy", "d1"), "permit");
  EXPECT_EQ(Does("buy", "d2"), "person.no_grant");
}

TEST_F(FunctionTest, AnArgumentThatIsUnknownIsTheResult) {
  EXPECT_EQ(Does("mark", "d1"), "permit");
  EXPECT_EQ(Does("mark", "d3"), "person.no_grant") << "`true or x` does not hide that x is unknown";
  EXPECT_EQ(Does("read", "d3"), "person.no_grant");
}

TEST_F(FunctionTest, KeepsItsVariablesApart) {
  EXPECT_EQ(Does("list", "d1"), "permit");
  EXPECT_EQ(Does("list", "d2"), "person.no_grant");
  EXPECT_EQ(Does("count", "d1"), "permit");
  EXPECT_EQ(Does("count", "d2"), "person.no_grant");
}

TEST_F(FunctionTest, TakesTheSideOfItsClause) {
  EXPECT_EQ(Does("near", "d1"), "permit");
  EXPECT_EQ(Does("near", "d2"), "forbidden") << "no region: cannot be told, so it bites";
  EXPECT_EQ(Does("near", "d1", "E2"), "forbidden");
  std::string adding(kPolicy);
  adding +=
      "grant by_region { to team staff  may near on app.Doc where same_region(resource)  because "
      "\"Adds\" }\n";
  EXPECT_NE(DiagnosticsOf(adding).find("DPL0303"), std::string::npos);
}

TEST_F(FunctionTest, StandsInComputedRoles) {
  EXPECT_EQ(Does("peek", "d1"), "permit");
  EXPECT_EQ(Does("peek", "d1", "E2"), "person.no_grant");
}

TEST(Functions, SeeThroughToWhatTheyRead) {
  std::string base = R"dpl(
package t owned by team staff
granted 2026-10-01
review every 180d
person { key id: string  has badge: string from request }
team staff { owner person "E1" }
system app { owner team staff }
resource Doc in app { can read }
function badged(): bool = person.badge == "x"
function twice(): bool = badged() and badged()
)dpl";
  EXPECT_EQ(DiagnosticsOf(base), "");
  EXPECT_NE(
      DiagnosticsOf(
          base +
          "grant g { to team staff  may read on app.Doc where twice()  because \"Says who\" }")
          .find("DPL0418"),
      std::string::npos);
  EXPECT_EQ(DiagnosticsOf(base + "grant g { to team staff  trusting request  may read on app.Doc "
                                 "where twice()  because \"Says so\" }"),
            "");
  EXPECT_NE(DiagnosticsOf(base + "forbid f { covers read on app.Doc unless twice()  because \"The "
                                 "caller would lift it\" }")
                .find("DPL0310"),
            std::string::npos);
  EXPECT_NE(DiagnosticsOf(base + "role r { where twice() }").find("DPL0418"), std::string::npos);
}

TEST(Functions, DoNotGrowWithoutBound) {
  std::string policy = R"dpl(
package t owned by team staff
team staff { owner person "E1" }
function f0(x: int): bool = x == 1 or x == 2
)dpl";
  for (int i = 1; i <= 30; ++i) {
    std::string below = "f" + std::to_string(i - 1);
    policy += "function f" + std::to_string(i) + "(x: int): bool = " + below + "(x) and " + below +
              "(x)\n";
  }
  std::string found = DiagnosticsOf(policy);
  EXPECT_NE(found.find("DPL0106"), std::string::npos);
  EXPECT_EQ(found.find("DPL0106"), found.rfind("DPL0106")) << "once, where it becomes too much";
}

TEST(Functions, RolesThatLeadBackThroughThemAreFound) {
  EXPECT_NE(DiagnosticsOf(R"dpl(
package t owned by team staff
team staff { owner person "E1" }
function asks(): bool = person in role circular
role circular { where asks() }
)dpl")
                .find("DPL0314"),
            std::string::npos);
}

}  // namespace
}  // namespace dpl
