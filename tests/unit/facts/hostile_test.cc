// Facts that must be refused: each with its place, and beside it the nearest thing that must not
// be.
#include <gtest/gtest.h>

#include "tests/unit/facts/policy_for_test.h"

namespace dpl {
namespace {

struct Case {
  const char* bad;
  const char* code;
  const char* says;     // part of the message
  const char* control;  // accepted
  uint32_t line = 1;    // where the complaint points; column 0: not compared
  uint32_t column = 0;
};

void PrintTo(const Case& c, std::ostream* out) { *out << c.bad; }

class HostileFacts : public testing::TestWithParam<Case> {};

TEST_P(HostileFacts, Refused) {
  const Case& c = GetParam();
  PolicyForTest policy;
  Result<std::unique_ptr<Snapshot>> bad = Join(policy, c.bad);
  ASSERT_FALSE(bad.ok()) << c.bad;
  EXPECT_EQ(bad.error().code, c.code) << bad.error().message;
  EXPECT_NE(bad.error().message.find(c.says), std::string::npos) << bad.error().message;
  EXPECT_EQ(bad.error().line, c.line) << bad.error().message;
  if (c.column != 0) {
    EXPECT_EQ(bad.error().column, c.column) << bad.error().message;
  } else {
    EXPECT_NE(bad.error().column, 0u);
  }
  Result<std::unique_ptr<Snapshot>> good = Join(policy, c.control);
  EXPECT_TRUE(good.ok()) << c.control << ": " << (good.ok() ? "" : good.error().message);
}

#define DOC(attributes) \
  R"({"resources": [{"type": "app.Doc", "id": "d", "attributes": {)" attributes "}}]}"
#define PERSON(rest) R"({"persons": [{"id": "E1")" rest "}]}"

// ---------------------------------------------------------------- shape
const Case kShape[] = {
    {"[]", "facts.shape", "the facts is array", "{}", 1, 1},
    {R"({"person": []})", "facts.shape", "did you mean `persons`", R"({"persons": []})", 1, 12},
    {R"({"persons": {}})", "facts.shape", "`persons` is object, expected an array",
     R"({"persons": []})"},
    {R"({"teams": []})", "facts.shape", "`teams` is array", R"({"teams": {}})"},
    {R"({"version": 3})", "facts.shape", "\"version\" of the facts is number",
     R"({"version": "3"})"},
    {R"({"as_of": "yesterday"})", "facts.time", "\"yesterday\"", R"({"as_of": "2026-11-20"})"},
    {R"({"as_of": "2026-11-20T15:00"})", "facts.time", "with its offset",
     R"({"as_of": "2026-11-20T15:00Z"})"},
    {R"({"as_of": "2026-02-30"})", "facts.time", "2026-02-30", R"({"as_of": "2026-02-28"})"},
    {R"({"persons": [{"id": 5}]})", "facts.shape", "\"id\" of a person is number",
     R"({"persons": [{"id": "5"}]})", 1, 21},
    {R"({"persons": [{}]})", "facts.shape", "a person has no \"id\"",
     R"({"persons": [{"id": "a"}]})"},
    {"{\"persons\": [\n  {\"id\": \"a\", \"Status\": \"active\"}]}", "facts.shape",
     "did you mean `status`", R"({"persons": [{"id": "a", "status": "active"}]})", 2, 25},
    {R"({"persons": [{"id": "a", "attributes": []}]})", "facts.shape", "an object",
     R"({"persons": [{"id": "a", "attributes": {}}]})"},
    {R"({"teams": {"sales": "E1"}})", "facts.shape", "team \"sales\" is string",
     R"({"teams": {"sales": ["E1"]}})"},
    {R"({"teams": {"sales": [5]}})", "facts.shape", "a member is number",
     R"({"teams": {"sales": ["5"]}})"},
    {R"({"teams": {"sales": [{"person": "a", "team": "staff"}]}})", "facts.shape", "either",
     R"({"teams": {"sales": [{"person": "a"}]}})"},
    {R"({"teams": {"sales": [{"until": "2026-11-20"}]}})", "facts.shape", "either",
     R"({"teams": {"sales": [{"person": "a", "until": "2026-11-20"}]}})"},
    {R"({"roles": [{"role": "purchaser"}]})", "facts.shape", "no \"members\"",
     R"({"roles": [{"role": "purchaser", "members": []}]})"},
    {R"({"accounts": [{"system": "crm", "key": "k", "person": "p"}]})", "facts.shape",
     "no \"checked\"",
     R"({"accounts": [{"system": "crm", "key": "k", "person": "p", "checked": "2026-11-20"}]})"},
    {R"({"resources": [{"type": "app.Tenant", "id": ""}]})", "facts.shape", "is empty",
     R"({"resources": [{"type": "app.Tenant", "id": "T"}]})"},
    {R"({"resources": [{"type": "app.Doc", "id": "d", "parent": 7}]})", "facts.shape",
     "expected an id", R"({"resources": [{"type": "app.Doc", "id": "d", "parent": "7"}]})"},
    {R"({"consents": [{"delegation": "d", "person": "p"}]})", "facts.shape", "no \"at\"",
     R"({"consents": [{"delegation": "d", "person": "p", "at": "2026-11-20"}]})"},
    {R"({"tasks": [{"id": "t", "shape": "s"}]})", "facts.shape", "no \"agent\"",
     R"({"tasks": [{"id": "t", "shape": "s", "agent": "a"}]})"},
    {R"({"handoffs": [{"from": {"agent": "a", "instance": "1"}}]})", "facts.shape", "no \"to\"",
     R"({"handoffs": [{"from": {"agent": "a", "instance": "1"}, "to": {"agent": "b", "instance": "2"}}]})"},
    {R"({"handoffs": [{"from": {"agent": "a"}, "to": {"agent": "b", "instance": "2"}}]})",
     "facts.shape", "no \"instance\"", R"({"handoffs": []})"},
    {R"({"handoffs": [{"from": {"instance": "1"}, "to": {"agent": "b", "instance": "2"}}]})",
     "facts.shape", "no \"agent\"", R"({"handoffs": []})"},
    {R"({"resources": [{"id": "T"}]})", "facts.shape", "no \"type\"",
     R"({"resources": [{"type": "app.Tenant", "id": "T"}]})"},
    {R"({"resources": [{"type": "app.Tenant"}]})", "facts.shape", "no \"id\"",
     R"({"resources": []})"},
    {R"({"accounts": [{"key": "k", "person": "p", "checked": "2026-11-20"}]})", "facts.shape",
     "no \"system\"", R"({"accounts": []})"},
    {R"({"consents": [{"person": "p", "at": "2026-11-20"}]})", "facts.shape", "no \"delegation\"",
     R"({"consents": []})"},
    {R"({"used": [{"limit": "l"}]})", "facts.shape", "no \"quantity\"",
     R"({"used": [{"limit": "l", "quantity": 5}]})"},
    {R"({"persons": [], "persons": []})", "json.duplicate", "", R"({"persons": []})"},
    {"{\"persons\": [", "json.syntax", "", "{\"persons\": []}"},
};
INSTANTIATE_TEST_SUITE_P(Shape, HostileFacts, testing::ValuesIn(kShape));

// ---------------------------------------------------------------- names and ids
const Case kNames[] = {
    {R"({"resources": [{"type": "app.Dox", "id": "d"}]})", "facts.name", "did you mean `app.Doc`",
     R"({"resources": [{"type": "app.Doc", "id": "d"}]})", 1, 16},
    {R"({"teams": {"marketting": []}})", "facts.name", "did you mean `acme.marketing`",
     R"({"teams": {"marketing": []}})"},
    {R"({"teams": {"staff": [{"team": "sale"}]}})", "facts.name", "did you mean `acme.sales`",
     R"({"teams": {"staff": [{"team": "sales"}]}})"},
    {R"({"roles": [{"role": "purchasr", "members": []}]})", "facts.name",
     "did you mean `acme.purchaser`", R"({"roles": [{"role": "purchaser", "members": []}]})"},
    {R"({"accounts": [{"system": "crn", "key": "k", "person": "p", "checked": "2026-11-20"}]})",
     "facts.name", "did you mean `crm`",
     R"({"accounts": [{"system": "crm", "key": "k", "person": "p", "checked": "2026-11-20"}]})"},
    {R"({"accounts": [{"system": "app", "key": "k", "person": "p", "checked": "2026-11-20"}]})",
     "facts.type", "has no accounts", R"({"accounts": []})"},
    {PERSON(R"(, "attributes": {"nmae": "x"})"), "facts.name", "did you mean `name`",
     PERSON(R"(, "attributes": {"name": "x"})")},
    {DOC(R"("titel": "x")"), "facts.name", "did you mean `title`", DOC(R"("title": "x")")},
    {DOC(R"("owner": "E1", "ownerID": "E1")"), "facts.duplicate", "`owner` is given twice",
     DOC(R"("owner": "E1")")},
    {R"({"persons": [{"id": "a"}, {"id": "a"}]})", "facts.duplicate", "given twice",
     R"({"persons": [{"id": "a"}, {"id": "A"}]})"},
    {R"({"resources": [{"type": "app.Doc", "id": "a"}, {"type": "app.Doc", "id": "a"}]})",
     "facts.duplicate", "given twice",
     R"({"resources": [{"type": "app.Doc", "id": "a"}, {"type": "app.Folder", "id": "a"}]})"},
    {R"({"accounts": [{"system": "crm", "key": "k", "person": "p", "checked": "2026-11-20"},
         {"system": "crm", "key": "k", "person": "p", "checked": "2026-11-21"}]})",
     "facts.duplicate", "given twice",
     R"({"accounts": [{"system": "crm", "key": "k", "person": "p", "checked": "2026-11-20"},
         {"system": "crm", "key": "k", "person": "q", "checked": "2026-11-21"}]})",
     2},
    {"{\"persons\": [{\"id\": \"a\\u0001\"}]}", "facts.id", "no control",
     R"({"persons": [{"id": "a1"}]})"},
    {"{\"persons\": [{\"id\": \"e\\u0301\"}]}", "facts.id", "normal form C",
     "{\"persons\": [{\"id\": \"\\u00e9\"}]}"},
    {"{\"persons\": [{\"id\": \"a\\u202eb\"}]}", "facts.id", "bidi",
     R"({"persons": [{"id": "ab"}]})"},
    {"{\"teams\": {\"staff\": [\"a\\u200bb\"]}}", "facts.id", "invisible",
     R"({"teams": {"staff": ["ab"]}})"},
    {"{\"accounts\": [{\"system\": \"crm\", \"key\": \"k\\n\", \"person\": \"p\", \"checked\": "
     "\"2026-11-20\"}]}",
     "facts.id", "no control",
     R"({"accounts": [{"system": "crm", "key": "k n", "person": "p", "checked": "2026-11-20"}]})"},
    {R"({"resources": [{"type": "app.Item", "id": "HR"}]})", "facts.id", "lower case",
     R"({"resources": [{"type": "item", "id": "hr"}]})"},
    {R"({"resources": [{"type": "app.Item", "id": "a/b"}]})", "facts.id", "form",
     R"({"resources": [{"type": "app.Item", "id": "a-b"}]})"},
    {R"({"resources": [{"type": "fs.File", "id": "/a/../b"}]})", "facts.id", "",
     R"({"resources": [{"type": "fs.File", "id": "/a/b"}]})"},
    {R"({"resources": [{"type": "fs.File", "id": "/a/"}, {"type": "fs.File", "id": "/a"}]})",
     "facts.duplicate", "given twice",
     R"({"resources": [{"type": "fs.File", "id": "/a/"}, {"type": "fs.File", "id": "/a/b"}]})"},
};
INSTANTIATE_TEST_SUITE_P(Names, HostileFacts, testing::ValuesIn(kNames));

// ---------------------------------------------------------------- types
const Case kTypes[] = {
    {PERSON(R"(, "status": "gone")"), "facts.type", "expected \"active\"",
     PERSON(R"(, "status": "left")")},
    {DOC(R"("title": 5)"), "facts.type", "the number 5, expected a text", DOC(R"("title": "5")"), 1,
     71},
    {DOC("\"title\": \"e\\u0301\""), "facts.type", "normal form C", DOC("\"title\": \"\\u00e9\"")},
    {DOC(R"("title": null)"), "facts.type", "found null", DOC(R"("note": null)")},
    {DOC(R"("size": 1.5)"), "facts.type", "whole number", DOC(R"("size": 1.0)")},
    {DOC(R"("size": "1")"), "facts.type", "whole number", DOC(R"("size": 1)")},
    {DOC(R"("size": 9223372036854775808)"), "facts.type", "whole number",
     DOC(R"("size": 9223372036854775807)")},
    {DOC(R"("ratio": 0.0000001)"), "facts.type", "a number", DOC(R"("ratio": 0.000001)")},
    {DOC(R"("ratio": 1e13)"), "facts.type", "a number", DOC(R"("ratio": 1e11)")},
    {DOC(R"("price": 5000)"), "facts.type", "an amount with its currency",
     DOC(R"("price": "5000.00 USD")")},
    {DOC(R"("price": 5000.0)"), "facts.type", "an amount with its currency",
     DOC(R"("price": "5000 USD")")},
    {DOC(R"("price": "5000")"), "facts.type", "an amount with its currency",
     DOC(R"("price": "5000 EUR")")},
    {DOC(R"("price": "5.001 USD")"), "facts.type", "an amount with its currency",
     DOC(R"("price": "5.01 USD")")},
    {DOC(R"("price": {"amount": 5, "currency": "USD"})"), "facts.type", "as text",
     DOC(R"("price": {"amount": "5", "currency": "USD"})")},
    {DOC(R"("price": {"minor": 5.5, "currency": "USD"})"), "facts.type", "minor units",
     DOC(R"("price": {"minor": 5, "currency": "USD"})")},
    {DOC(R"("price": {"minor": 5, "currency": "XXQ"})"), "facts.type", "ISO 4217",
     DOC(R"("price": {"minor": 5, "currency": "JPY"})")},
    {DOC(R"("price": {"minor": 5, "amount": "5", "currency": "USD"})"), "facts.type", "money as",
     DOC(R"("price": {"minor": 5, "currency": "USD"})")},
    {DOC(R"("size": true)"), "facts.type", "found true,", DOC(R"("public": true)")},
    {DOC(R"("size": false)"), "facts.type", "found false,", DOC(R"("public": false)")},
    {DOC(R"("size": [1])"), "facts.type", "found an array", DOC(R"("size": 1)")},
    {DOC(R"("size": {})"), "facts.type", "found an object", DOC(R"("size": 1)")},
    {DOC(R"("size": "a rather long text that nobody wants to read again")"), "facts.type",
     "found a text,", DOC(R"("size": 1)")},
    {DOC(R"("public": 1)"), "facts.type", "true or false", DOC(R"("public": true)")},
    {DOC(R"("day": "2026-11-31")"), "facts.type", "a date", DOC(R"("day": "2026-11-30")")},
    {DOC(R"("day": "2026-11-30T00:00Z")"), "facts.type", "a date", DOC(R"("day": "2026-11-30")")},
    {DOC(R"("opened": "2026-11-30")"), "facts.type", "a date and time",
     DOC(R"("opened": "2026-11-30T00:00Z")")},
    {DOC(R"("hour": "24:00")"), "facts.type", "a time of day", DOC(R"("hour": "23:59")")},
    {DOC(R"("keep": "1y")"), "facts.type", "a duration", DOC(R"("keep": "365d")")},
    {DOC(R"("class": "Internal")"), "facts.type", "did you mean `internal`",
     DOC(R"("class": "internal")")},
    {DOC(R"("class": 1)"), "facts.type", "a member of Class", DOC(R"("class": "secret")")},
    {DOC(R"("owner": {"type": "app.Doc", "id": "E1"})"), "facts.type", "the type of a person",
     DOC(R"("owner": {"type": "user", "id": "E1"})")},
    {DOC(R"("owner": {"type": "person"})"), "facts.type", "the id of a person",
     DOC(R"("owner": {"id": "E1"})")},
    {DOC(R"("owner": {"id": "E1", "x": 1})"), "facts.type", "no member \"x\"",
     DOC(R"("owner": {"id": "E1", "properties": {}})")},
    {DOC("\"owner\": \"a\\u0000\""), "facts.type", "control", DOC(R"("owner": "a")")},
    {DOC(R"("viewers": "E1")"), "facts.type", "an array", DOC(R"("viewers": ["E1"])")},
    {DOC(R"("viewers": [null])"), "facts.type", "an element", DOC(R"("viewers": [])")},
    {DOC(R"("links": ["A", 5])"), "facts.type", "app.Folder", DOC(R"("links": ["A", "5"])")},
    {DOC(R"("labels": {"a": 1})"), "facts.type", "a text", DOC(R"("labels": {"a": "1"})")},
    {DOC(R"("labels": ["a"])"), "facts.type", "an object of texts", DOC(R"("labels": {})")},
    {DOC(R"("path": "/a//b")"), "facts.type", "", DOC(R"("path": "/a/b")")},
    {DOC(R"("path": "/a/%2E%2e/b")"), "facts.type", "", DOC(R"("path": "/a/%20/b")")},
    {DOC(R"("ip": "10.0.0.1/8")"), "facts.type", "an IP address", DOC(R"("ip": "10.0.0.0/8")")},
    {DOC(R"("ip": "10.0.0.256")"), "facts.type", "an IP address",
     DOC(R"("ip": "::ffff:10.0.0.25")")},
    {DOC(R"("team": "nobody")"), "facts.type", "the name of a team",
     DOC(R"("team": "acme.staff")")},
    {PERSON(R"(, "attributes": {"address": {"street": "a", "zap": "1"}})"), "facts.type",
     "did you mean `zip`", PERSON(R"(, "attributes": {"address": {"street": "a", "zip": "1"}})")},
    {PERSON(R"(, "attributes": {"address": {"zip": "1"}})"), "facts.type", "no field \"street\"",
     PERSON(R"(, "attributes": {"address": {"street": "1"}})")},
};
INSTANTIATE_TEST_SUITE_P(Types, HostileFacts, testing::ValuesIn(kTypes));

// ---------------------------------------------------------------- structure
const Case kStructure[] = {
    {R"({"resources": [{"type": "app.Tenant", "id": "T", "parent": "X"}]})", "facts.type",
     "within nothing", R"({"resources": [{"type": "app.Tenant", "id": "T", "parent": null}]})"},
    {R"({"resources": [{"type": "app.Doc", "id": "d", "parent": {"type": "app.Tenant", "id": "T"}}]})",
     "facts.type", "expected app.Folder",
     R"({"resources": [{"type": "app.Doc", "id": "d", "parent": {"type": "app.Folder", "id": "T"}}]})"},
    {R"({"resources": [{"type": "app.Project", "id": "p", "parent": "T1", "attributes": {"home": "T2"}}]})",
     "facts.duplicate", "two different parents",
     R"({"resources": [{"type": "app.Project", "id": "p", "parent": "T1", "attributes": {"home": "T1"}}]})"},
    {"{\"resources\": [{\"type\": \"app.Folder\", \"id\": \"a\", \"parent\": \"b\"},\n"
     "{\"type\": \"app.Folder\", \"id\": \"b\", \"parent\": \"a\"}]}",
     "facts.cycle", "app.Folder \"a\" lies within itself",
     R"({"resources": [{"type": "app.Folder", "id": "a", "parent": "b"}, {"type": "app.Folder", "id": "b"}]})",
     1, 16},
    {R"({"resources": [{"type": "app.Folder", "id": "a", "parent": "a"}]})", "facts.cycle",
     "lies within itself", R"({"resources": [{"type": "app.Folder", "id": "a", "parent": "b"}]})"},
    {"{\"resources\": [{\"type\": \"app.Doc\", \"id\": \"x\", \"parent\": \"a\"},\n"
     "{\"type\": \"app.Folder\", \"id\": \"a\", \"parent\": \"a\"}]}",
     "facts.cycle", "app.Folder \"a\" lies within itself",
     R"({"resources": [{"type": "app.Folder", "id": "a"}]})", 2, 1},
    {R"({"persons": [{"id": "a", "attributes": {"manager": "b"}}, {"id": "b", "attributes": {"manager": "a"}}]})",
     "facts.cycle", "is above itself",
     R"({"persons": [{"id": "a", "attributes": {"manager": "b"}}, {"id": "b"}]})"},
    {R"({"persons": [{"id": "x", "attributes": {"manager": "a"}}, {"id": "a", "attributes": {"manager": "a"}}]})",
     "facts.cycle", "person \"a\" is above itself",
     R"({"persons": [{"id": "x", "attributes": {"manager": "a"}}, {"id": "a"}]})"},
    {R"({"teams": {"interns": [{"team": "sales"}], "sales": [{"team": "interns"}]}})",
     "facts.cycle", "lies within itself",
     R"({"teams": {"interns": [{"team": "sales"}], "sales": []}})"},
    {R"({"teams": {"sales": [{"team": "staff"}]}})", "facts.cycle", "lies within itself",
     R"({"teams": {"staff": [{"team": "sales"}]}})"},
    {R"({"roles": [{"role": "author", "members": []}]})", "facts.type", "is computed",
     R"({"roles": []})"},
    {R"({"roles": [{"role": "purchaser", "in": {"type": "app.Tenant", "id": "T"}, "members": []}]})",
     "facts.type", "not held in a resource",
     R"({"roles": [{"role": "purchaser", "members": []}]})"},
    {R"({"roles": [{"role": "editor", "members": []}]})", "facts.type", "say in which",
     R"({"roles": [{"role": "editor", "in": {"type": "app.Tenant", "id": "T"}, "members": []}]})"},
    {R"({"roles": [{"role": "editor", "in": {"type": "app.Doc", "id": "T"}, "members": []}]})",
     "facts.type", "not held in a app.Doc",
     R"({"roles": [{"role": "editor", "in": {"type": "app.Project", "id": "T"}, "members": []}]})"},
};
INSTANTIATE_TEST_SUITE_P(Structure, HostileFacts, testing::ValuesIn(kStructure));

// ---------------------------------------------------------------- sizes
std::string Viewers(int count) {
  std::string json = R"({"resources": [{"type": "app.Doc", "id": "d", "attributes": {"viewers": [)";
  for (int i = 0; i < count; ++i) json += (i == 0 ? "\"" : ",\"") + std::to_string(i) + "\"";
  return json + "]}}]}";
}
std::string Labels(int count) {
  std::string json = R"({"resources": [{"type": "app.Doc", "id": "d", "attributes": {"labels": {)";
  for (int i = 0; i < count; ++i) json += (i == 0 ? "\"" : ",\"") + std::to_string(i) + "\":\"v\"";
  return json + "}}}]}";
}

TEST(HostileSizes, SetsAndLabelsAreBounded) {
  PolicyForTest policy;
  EXPECT_TRUE(Join(policy, Viewers(1024)).ok());
  Result<std::unique_ptr<Snapshot>> set = Join(policy, Viewers(1025));
  ASSERT_FALSE(set.ok());
  EXPECT_NE(set.error().message.find("1,024"), std::string::npos);
  EXPECT_TRUE(Join(policy, Labels(64)).ok());
  EXPECT_FALSE(Join(policy, Labels(65)).ok());
}

TEST(HostileSizes, IdsAreBounded) {
  PolicyForTest policy;
  auto person = [](size_t n) { return R"({"persons": [{"id": ")" + std::string(n, 'a') + "\"}]}"; };
  EXPECT_TRUE(Join(policy, person(4096)).ok());
  EXPECT_FALSE(Join(policy, person(4097)).ok());
}

TEST(HostileSizes, AManagementTreeIsBounded) {
  PolicyForTest policy;
  auto chain = [](int levels) {
    std::string json = R"({"persons": [{"id": "0"})";
    for (int i = 1; i <= levels; ++i) {
      json += R"(,{"id": ")" + std::to_string(i) + R"(", "attributes": {"manager": ")" +
              std::to_string(i - 1) + "\"}}";
    }
    return json + "]}";
  };
  EXPECT_TRUE(Join(policy, chain(16)).ok());
  Result<std::unique_ptr<Snapshot>> deep = Join(policy, chain(17));
  ASSERT_FALSE(deep.ok());
  EXPECT_EQ(deep.error().code, "facts.depth");
}

TEST(HostilePrograms, AKeyPatternThatDoesNotCompile) {
  PolicyForTest policy;
  EXPECT_TRUE(Join(policy, "{}").ok());
  policy.p.schema.resources[policy.item].key_pattern = policy.S("a{1000}{1000}");
  Result<std::unique_ptr<Snapshot>> bad = Join(policy, "{}");
  ASSERT_FALSE(bad.ok());
  EXPECT_EQ(bad.error().code, "program.pattern");
}

}  // namespace
}  // namespace dpl
