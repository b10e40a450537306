// Every strict operator with good operands, with ⊥ and `absent`, with two currencies, and out of
// range.
#include "tests/unit/vm/machine_for_test.h"

namespace dpl {
namespace {

class OperatorTest : public MachineTest {
 protected:
  std::string Two(uint32_t a, Opcode op, uint32_t b) { return Show(Binary(Push(a), Push(b), op)); }
};

const Opcode kStrictBinary[] = {Opcode::kEq,  Opcode::kNe, Opcode::kLt,         Opcode::kLe,
                                Opcode::kGt,  Opcode::kGe, Opcode::kAdd,        Opcode::kSub,
                                Opcode::kMul, Opcode::kIn, Opcode::kInTeamValue};

TEST_F(OperatorTest, TheFirstErrorFromTheLeftIsTheResult) {
  Words five = Push(policy.Int(5));
  for (Opcode op : kStrictBinary) {
    Words stale = Bottom(ErrorKind::kStale), range = Bottom(ErrorKind::kRange);
    EXPECT_EQ(Show(Binary(stale, range, op)), "⊥stale");
    EXPECT_EQ(Show(Binary(range, stale, op)), "⊥range");
    EXPECT_EQ(Show(Binary(stale, five, op)), "⊥stale");
    EXPECT_EQ(Show(Binary(five, range, op)), "⊥range") << "before any look at the types";
  }
  for (Words unary :
       {Op(Opcode::kNeg), Op(Opcode::kNot), Op(Opcode::kDuring, 0), Op(Opcode::kInTeam, 0),
        Op(Opcode::kInRole, 0), Op(Opcode::kLike, policy.LikePattern("*")),
        Op(Opcode::kMatches, policy.RegexPattern(".*")), Op(Opcode::kEntityKey),
        Op(Opcode::kRecordField, 0), Op(Opcode::kPersonAttr, 0), Op(Opcode::kResourceAttr, 0, 0),
        Op(Opcode::kResourceParent, 0), Op(Opcode::kLabelValue, policy.Text("k")),
        Op(Opcode::kCallBuiltin, static_cast<uint32_t>(Builtin::k_lower), 1),
        Op(Opcode::kMakeSet, 1), Op(Opcode::kMakeRecord, 1)}) {
    EXPECT_EQ(Show(Bottom(ErrorKind::kStale) + unary), "⊥stale") << unary[0];
  }
}

TEST_F(OperatorTest, EveryUseOfAbsentIsMissing) {
  Facts(R"({"resources": [{"type": "app.Doc", "id": "d", "attributes": {"note": null}}]})");
  resource = "d";
  Words absent = Op(Opcode::kLoadResource) + Op(Opcode::kResourceAttr, policy.doc, policy.d_note);
  Words five = Push(policy.Int(5));
  for (Opcode op : kStrictBinary) {
    EXPECT_EQ(Show(Binary(absent, Bottom(ErrorKind::kStale), op)), "⊥missing");
    EXPECT_EQ(Show(Binary(Bottom(ErrorKind::kStale), absent, op)), "⊥stale");
    EXPECT_EQ(Show(Binary(five, absent, op)), "⊥missing");
  }
  Words yes = Push(policy.Bool(true)), no = Push(policy.Bool(false));
  EXPECT_EQ(Show(absent + Op(Opcode::kNot)), "⊥missing");
  EXPECT_EQ(Show(Binary(absent, yes, Opcode::kAnd)), "⊥missing");
  EXPECT_EQ(Show(Binary(absent, no, Opcode::kAnd)), "false");
  EXPECT_EQ(Show(Binary(yes, absent, Opcode::kAnd)), "⊥missing");
  EXPECT_EQ(Show(Binary(no, absent, Opcode::kOr)), "⊥missing");
  EXPECT_EQ(Show(Binary(absent, yes, Opcode::kOr)), "true");
  EXPECT_EQ(Show(absent + five + Op(Opcode::kMakeSet, 2)), "⊥missing");
  EXPECT_EQ(Show(absent + Op(Opcode::kCallBuiltin, static_cast<uint32_t>(Builtin::k_lower), 1)),
            "⊥missing");
  EXPECT_EQ(Show(absent + Op(Opcode::kIsKnown)), "false");
}

// ---------------------------------------------------------------- comparing

TEST_F(OperatorTest, Equality) {
  struct Row {
    uint32_t a, b;
    const char* equal;
  } rows[] = {
      {policy.Int(5), policy.Int(5), "true"},
      {policy.Int(5), policy.Int(-5), "false"},
      {policy.Bool(true), policy.Bool(false), "false"},
      {policy.Dec("0.5"), policy.Dec("0.50"), "true"},
      {policy.Mon("5.00 USD"), policy.Mon("5 USD"), "true"},
      {policy.Mon("5.00 USD"), policy.Mon("5 EUR"), "⊥currency"},
      {policy.Mon("0 USD"), policy.Mon("0 EUR"), "⊥currency"},
      {policy.Text("a"), policy.Text("A"), "false"},
      {policy.Text(""), policy.Text(""), "true"},
      {policy.Day("2026-11-20"), policy.Day("2026-11-20"), "true"},
      {policy.Moment("2026-11-20T15:00Z"), policy.Moment("2026-11-20T16:00+01:00"), "true"},
      {policy.Clock("09:00"), policy.Clock("09:01"), "false"},
      {policy.Span("60m"), policy.Span("1h"), "true"},
      {policy.EnumOf(0, 1), policy.EnumOf(0, 1), "true"},
      {policy.Path("/a"), policy.Path("/a/b"), "false"},
      {policy.Ip("10.0.0.1"), policy.Ip("::ffff:10.0.0.1"), "true"},
      {policy.Person("E1"), policy.Person("E1"), "true"},
      {policy.Person("E1"), policy.Person("e1"), "false"},
      {policy.Resource(policy.doc, "x"), policy.Resource(policy.folder, "x"), "false"},
      {policy.Team(1), policy.Team(1), "true"},
      {policy.Agent(1), policy.Agent(2), "false"},
      {policy.SetK({policy.Int(1), policy.Int(2)}), policy.SetK({policy.Int(2), policy.Int(1)}),
       "true"},
      {policy.SetK({}), policy.SetK({policy.Int(1)}), "false"},
      {policy.SetK({policy.Mon("1 USD")}), policy.SetK({policy.Mon("1 EUR")}), "⊥currency"},
  };
  for (const Row& row : rows) {
    std::string equal = row.equal;
    EXPECT_EQ(Two(row.a, Opcode::kEq, row.b), equal) << row.a << " " << row.b;
    EXPECT_EQ(Two(row.b, Opcode::kEq, row.a), equal) << row.b << " " << row.a;
    std::string unequal = equal == "true" ? "false" : equal == "false" ? "true" : equal;
    EXPECT_EQ(Two(row.a, Opcode::kNe, row.b), unequal);
  }
}

TEST_F(OperatorTest, Order) {
  struct Row {
    uint32_t less, more;
  } rows[] = {
      {policy.Int(INT64_MIN), policy.Int(INT64_MAX)},
      {policy.Dec("-0.000001"), policy.Dec("0")},
      {policy.Mon("4.99 USD"), policy.Mon("5 USD")},
      {policy.Day("2026-11-20"), policy.Day("2026-11-21")},
      {policy.Moment("2026-11-20T15:00Z"), policy.Moment("2026-11-20T15:00:00.000001Z")},
      {policy.Clock("08:59"), policy.Clock("09:00")},
      {policy.Span("59m"), policy.Span("1h")},
      {policy.EnumOf(1, 0), policy.EnumOf(1, 2)},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(Two(row.less, Opcode::kLt, row.more), "true");
    EXPECT_EQ(Two(row.more, Opcode::kLt, row.less), "false");
    EXPECT_EQ(Two(row.less, Opcode::kLt, row.less), "false");
    EXPECT_EQ(Two(row.less, Opcode::kLe, row.less), "true");
    EXPECT_EQ(Two(row.more, Opcode::kLe, row.less), "false");
    EXPECT_EQ(Two(row.more, Opcode::kGt, row.less), "true");
    EXPECT_EQ(Two(row.less, Opcode::kGt, row.less), "false");
    EXPECT_EQ(Two(row.less, Opcode::kGe, row.less), "true");
    EXPECT_EQ(Two(row.less, Opcode::kGe, row.more), "false");
  }
  for (Opcode op : {Opcode::kLt, Opcode::kLe, Opcode::kGt, Opcode::kGe}) {
    EXPECT_EQ(Two(policy.Mon("5 USD"), op, policy.Mon("6 EUR")), "⊥currency");
    EXPECT_EQ(Two(policy.Text("a"), op, policy.Text("b")), "abort internal")
        << "texts have no order";
  }
}

TEST_F(OperatorTest, TwoTypesAreAnAbort) {
  for (Opcode op : {Opcode::kEq, Opcode::kNe, Opcode::kLt, Opcode::kAdd, Opcode::kSub}) {
    EXPECT_EQ(Two(policy.Int(5), op, policy.Dec("5")), "abort internal");
    EXPECT_EQ(Two(policy.Text("a"), op, policy.Int(5)), "abort internal");
  }
  EXPECT_EQ(Two(policy.EnumOf(0, 1), Opcode::kEq, policy.EnumOf(1, 1)), "abort internal");
  EXPECT_EQ(Two(policy.Text("a"), Opcode::kEq, policy.Path("/a")), "abort internal");
  EXPECT_EQ(Two(policy.Mon("5 USD"), Opcode::kMul, policy.Mon("5 USD")), "abort internal");
  EXPECT_EQ(Two(policy.Text("a"), Opcode::kIn, policy.Text("a")), "abort internal");
  EXPECT_EQ(Show(Push(policy.Text("a")) + Op(Opcode::kNeg)), "abort internal");
}

// ---------------------------------------------------------------- reckoning

TEST_F(OperatorTest, Sums) {
  EXPECT_EQ(Two(policy.Int(2), Opcode::kAdd, policy.Int(3)), "5");
  EXPECT_EQ(Two(policy.Int(INT64_MAX), Opcode::kAdd, policy.Int(1)), "⊥range");
  EXPECT_EQ(Two(policy.Int(INT64_MIN), Opcode::kAdd, policy.Int(-1)), "⊥range");
  EXPECT_EQ(Two(policy.Dec("0.1"), Opcode::kAdd, policy.Dec("0.2")), "0.3");
  EXPECT_EQ(Two(policy.Dec("999999999999.999999"), Opcode::kAdd, policy.Dec("0.000001")), "⊥range");
  EXPECT_EQ(Two(policy.Mon("1.10 USD"), Opcode::kAdd, policy.Mon("2.20 USD")), "3.30 USD");
  EXPECT_EQ(Two(policy.Mon("1.10 USD"), Opcode::kAdd, policy.Mon("2.20 EUR")), "⊥currency");
  uint32_t most = policy.K(Constant::Kind::kMoney, INT64_MAX, *CurrencyIndex("USD"));
  EXPECT_EQ(Two(most, Opcode::kAdd, policy.Mon("0.01 USD")), "⊥range");
  EXPECT_EQ(Two(policy.Span("1h"), Opcode::kAdd, policy.Span("30m")), "1h30m");
  EXPECT_EQ(Two(policy.Moment("2026-11-20T15:00Z"), Opcode::kAdd, policy.Span("24h")),
            "2026-11-21T15:00:00Z");
  EXPECT_EQ(Two(policy.Span("24h"), Opcode::kAdd, policy.Moment("2026-11-20T15:00Z")),
            "2026-11-21T15:00:00Z");
  EXPECT_EQ(Two(policy.Moment("9999-12-31T00:00Z"), Opcode::kAdd, policy.Span("1d")), "⊥range");
  EXPECT_EQ(Two(policy.Day("2026-11-20"), Opcode::kAdd, policy.Span("90d")), "2027-02-18");
  EXPECT_EQ(Two(policy.Day("2026-11-20"), Opcode::kAdd, policy.Span("36h")), "⊥range")
      << "not a whole number of days";
  EXPECT_EQ(Two(policy.Clock("23:00"), Opcode::kAdd, policy.Span("59m")), "23:59");
  EXPECT_EQ(Two(policy.Clock("23:00"), Opcode::kAdd, policy.Span("1h")), "⊥range");
}

TEST_F(OperatorTest, Differences) {
  EXPECT_EQ(Two(policy.Int(2), Opcode::kSub, policy.Int(3)), "-1");
  EXPECT_EQ(Two(policy.Int(INT64_MIN), Opcode::kSub, policy.Int(1)), "⊥range");
  EXPECT_EQ(Two(policy.Dec("0.1"), Opcode::kSub, policy.Dec("0.3")), "-0.2");
  EXPECT_EQ(Two(policy.Mon("1 USD"), Opcode::kSub, policy.Mon("2 USD")), "-1.00 USD");
  EXPECT_EQ(Two(policy.Mon("1 USD"), Opcode::kSub, policy.Mon("1 JPY")), "⊥currency");
  EXPECT_EQ(
      Two(policy.Moment("2026-11-21T15:00Z"), Opcode::kSub, policy.Moment("2026-11-20T15:00Z")),
      "1d");
  EXPECT_EQ(Two(policy.Moment("2026-11-21T15:00Z"), Opcode::kSub, policy.Span("1d")),
            "2026-11-20T15:00:00Z");
  EXPECT_EQ(Two(policy.Day("2026-11-21"), Opcode::kSub, policy.Day("2026-11-20")), "1d");
  EXPECT_EQ(Two(policy.Day("0001-01-01"), Opcode::kSub, policy.Span("1d")), "⊥range");
  EXPECT_EQ(Two(policy.Clock("10:00"), Opcode::kSub, policy.Clock("09:30")), "30m");
  EXPECT_EQ(Two(policy.Span("1h"), Opcode::kSub, policy.Moment("2026-11-20T15:00Z")),
            "abort internal");
}

TEST_F(OperatorTest, Products) {
  EXPECT_EQ(Two(policy.Int(6), Opcode::kMul, policy.Int(7)), "42");
  EXPECT_EQ(Two(policy.Int(INT64_MAX), Opcode::kMul, policy.Int(2)), "⊥range");
  EXPECT_EQ(Two(policy.Dec("0.5"), Opcode::kMul, policy.Dec("0.5")), "0.25");
  EXPECT_EQ(Two(policy.Dec("0.000001"), Opcode::kMul, policy.Dec("0.1")), "⊥range") << "inexact";
  EXPECT_EQ(Two(policy.Mon("5.00 USD"), Opcode::kMul, policy.Int(3)), "15.00 USD");
  EXPECT_EQ(Two(policy.Int(3), Opcode::kMul, policy.Mon("5.00 USD")), "15.00 USD");
  EXPECT_EQ(Two(policy.Mon("5.00 USD"), Opcode::kMul, policy.Dec("0.5")), "2.50 USD");
  EXPECT_EQ(Two(policy.Mon("0.01 USD"), Opcode::kMul, policy.Dec("0.5")), "⊥range");
  EXPECT_EQ(Two(policy.Span("1h"), Opcode::kMul, policy.Int(24)), "1d");
  EXPECT_EQ(Two(policy.Int(24), Opcode::kMul, policy.Span("1h")), "1d");
}

TEST_F(OperatorTest, Negation) {
  EXPECT_EQ(Show(Push(policy.Int(5)) + Op(Opcode::kNeg)), "-5");
  EXPECT_EQ(Show(Push(policy.Int(INT64_MIN)) + Op(Opcode::kNeg)), "⊥range");
  EXPECT_EQ(Show(Push(policy.Dec("0.25")) + Op(Opcode::kNeg)), "-0.25");
  EXPECT_EQ(Show(Push(policy.Mon("1 USD")) + Op(Opcode::kNeg)), "-1.00 USD");
}

// ---------------------------------------------------------------- texts

TEST_F(OperatorTest, LikeIsAnchored) {
  struct Row {
    const char* text;
    const char* pattern;
    const char* result;
  } rows[] = {
      {"abc", "abc", "true"},
      {"abc", "ab", "false"},
      {"abc", "bc", "false"},
      {"abc", "a*", "true"},
      {"abc", "*c", "true"},
      {"abc", "*b*", "true"},
      {"abc", "*", "true"},
      {"", "*", "true"},
      {"", "", "true"},
      {"a", "", "false"},
      {"abc", "a*b*c", "true"},
      {"abc", "a*c*b", "false"},
      {"aXbXb", "a*b", "true"},
      {"ab", "a*b*b", "false"},
      {"aab", "a*ab", "true"},
      {"ab", "a*ab", "false"},
      {"a*b", "a*b", "true"},
      {"aba", "ab*ba", "false"},
      {"abba", "ab*ba", "true"},
      {"a\nb", "a*b", "true"},
      {"ABC", "a*", "false"},
      {"aaaa", "a*a*a*a*a", "false"},
      {"aaaaa", "a*a*a*a*a", "true"},
      {"a.c", "a.c", "true"},
      {"abc", "a.c", "false"},
      {"abc", "**", "true"},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(
        Show(Push(policy.Text(row.text)) + Op(Opcode::kLike, policy.LikePattern(row.pattern))),
        row.result)
        << row.text << " like " << row.pattern;
  }
}

TEST_F(OperatorTest, MatchesIsAnchored) {
  struct Row {
    const char* text;
    const char* pattern;
    const char* result;
  } rows[] = {
      {"inv-2026", "[a-z]+-[0-9]{4}", "true"},
      {"xinv-2026x", "inv-2026", "false"},
      {"inv-2026\n", "inv-2026", "false"},
      {"a", "a|b", "true"},
      {"ab", "a|b", "false"},
      {"", "", "true"},
      {"\xc3\xa9", ".", "true"},
      {"A", "(?i)a", "true"},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(
        Show(Push(policy.Text(row.text)) + Op(Opcode::kMatches, policy.RegexPattern(row.pattern))),
        row.result)
        << row.text << " matches " << row.pattern;
  }
  EXPECT_EQ(Show(Push(policy.Int(1)) + Op(Opcode::kMatches, policy.RegexPattern("a"))),
            "abort internal");
  EXPECT_EQ(Show(Push(policy.Text("a")) + Op(Opcode::kMatches, policy.LikePattern("a"))),
            "abort internal");
}

TEST_F(OperatorTest, APatternThatDoesNotCompileSurfacesAtLoad) {
  policy.RegexPattern("a(b");
  std::shared_ptr<const Program> bad = policy.Finish();
  Machine machine_of_bad(*bad);
  EXPECT_FALSE(machine_of_bad.ok());
  EXPECT_NE(machine_of_bad.error().find("pattern"), std::string::npos);
  PolicyForTest big;
  big.RegexPattern("((a{100}){100}){10}");
  EXPECT_FALSE(Machine(*big.Finish()).ok());
  PolicyForTest fine;
  fine.RegexPattern("a(b)");
  EXPECT_TRUE(Machine(*fine.Finish()).ok());
}

TEST_F(OperatorTest, LongTextsCostMore) {
  uint32_t pattern = policy.RegexPattern("a*");
  uint32_t code_short = policy.Code(Push(policy.Text("a")) + Op(Opcode::kMatches, pattern));
  uint32_t code_long =
      policy.Code(Push(policy.Text(std::string(60'000, 'a'))) + Op(Opcode::kMatches, pattern));
  Rebuild();
  EXPECT_TRUE(Run(code_short).IsTrue());
  int64_t cheap = 100'000 - env.steps_left;
  EXPECT_TRUE(Run(code_long).IsTrue());
  EXPECT_GT(100'000 - env.steps_left, cheap + 10'000);
}

// ---------------------------------------------------------------- builtins

TEST_F(OperatorTest, Builtins) {
  auto call = [&](Builtin b, const Words& args, uint32_t count) {
    return Show(args + Op(Opcode::kCallBuiltin, static_cast<uint32_t>(b), count));
  };
  Words abc = Push(policy.Text("abc"));
  EXPECT_EQ(call(Builtin::k_starts_with, abc + Push(policy.Text("ab")), 2), "true");
  EXPECT_EQ(call(Builtin::k_starts_with, abc + Push(policy.Text("abcd")), 2), "false");
  EXPECT_EQ(call(Builtin::k_starts_with, abc + Push(policy.Text("")), 2), "true");
  EXPECT_EQ(call(Builtin::k_ends_with, abc + Push(policy.Text("bc")), 2), "true");
  EXPECT_EQ(call(Builtin::k_ends_with, abc + Push(policy.Text("ab")), 2), "false");
  EXPECT_EQ(call(Builtin::k_lower, Push(policy.Text("A\xc3\x89Z")), 1), "\"a\xc3\x89z\"")
      << "ASCII letters only";
  EXPECT_EQ(call(Builtin::k_lower, Push(policy.Text("")), 1), "\"\"");
  EXPECT_EQ(call(Builtin::k_length, Push(policy.Text("\xc3\xa9!")), 1), "2");
  EXPECT_EQ(call(Builtin::k_size, Push(policy.SetK({policy.Int(1), policy.Int(1)})), 1), "1");
  EXPECT_EQ(call(Builtin::k_size, Push(policy.SetK({})), 1), "0");
  EXPECT_EQ(call(Builtin::k_ip, Push(policy.Text("10.0.0.0/8")), 1), "10.0.0.0/8");
  EXPECT_EQ(call(Builtin::k_ip, Push(policy.Text("10.0.0.300")), 1), "⊥range");
  EXPECT_EQ(call(Builtin::k_ip, Push(policy.Text(std::string(100, '1'))), 1), "⊥range");
  EXPECT_EQ(call(Builtin::k_starts_with, Bottom(ErrorKind::kStale) + Bottom(ErrorKind::kRange), 2),
            "⊥stale");
  EXPECT_EQ(call(Builtin::k_lower, Push(policy.Int(5)), 1), "abort internal");
  EXPECT_EQ(call(Builtin::k_size, abc, 1), "abort internal");
  EXPECT_EQ(call(Builtin::k_lower, abc + abc, 2), "abort internal");
  EXPECT_EQ(Show(abc + Op(Opcode::kCallBuiltin, 999, 1)), "abort internal");
}

// ---------------------------------------------------------------- literals

TEST_F(OperatorTest, SetsAndRecords) {
  Words two = Push(policy.Int(2)), one = Push(policy.Int(1));
  EXPECT_EQ(Show(two + one + two + Op(Opcode::kMakeSet, 3)), "{1, 2}");
  EXPECT_EQ(Show(Op(Opcode::kMakeSet, 0)), "{}");
  EXPECT_EQ(
      Show(two + Bottom(ErrorKind::kStale) + Bottom(ErrorKind::kRange) + Op(Opcode::kMakeSet, 3)),
      "⊥stale");
  EXPECT_EQ(Show(two + Push(policy.Text("a")) + Op(Opcode::kMakeSet, 2)), "abort internal");
  Words record = two + Push(policy.Text("a")) + Op(Opcode::kMakeRecord, 2);
  EXPECT_EQ(Show(record + Op(Opcode::kRecordField, 0)), "2");
  EXPECT_EQ(Show(record + Op(Opcode::kRecordField, 1)), "\"a\"");
  EXPECT_EQ(Show(record + Op(Opcode::kRecordField, 2)), "abort internal");
  EXPECT_EQ(Show(Binary(record, record, Opcode::kEq)), "true");
  EXPECT_EQ(Show(two + Op(Opcode::kRecordField, 0)), "abort internal");
}

// ---------------------------------------------------------------- in

TEST_F(OperatorTest, ElementOfASet) {
  uint32_t texts = policy.SetK({policy.Text("a"), policy.Text("b"), policy.Text("c")});
  EXPECT_EQ(Two(policy.Text("b"), Opcode::kIn, texts), "true");
  EXPECT_EQ(Two(policy.Text("B"), Opcode::kIn, texts), "false");
  EXPECT_EQ(Two(policy.Text("b"), Opcode::kIn, policy.SetK({})), "false");
  uint32_t money = policy.SetK({policy.Mon("1 EUR"), policy.Mon("2 USD")});
  EXPECT_EQ(Two(policy.Mon("2 USD"), Opcode::kIn, money), "true");
  EXPECT_EQ(Two(policy.Mon("3 USD"), Opcode::kIn, money), "⊥currency");
  EXPECT_EQ(Two(policy.Person("E2"), Opcode::kIn,
                policy.SetK({policy.Person("E1"), policy.Person("E2")})),
            "true");
  EXPECT_EQ(
      Two(policy.Team(policy.marketing), Opcode::kIn, policy.SetK({policy.Team(policy.staff)})),
      "true");
}

TEST_F(OperatorTest, PathsAndAddresses) {
  EXPECT_EQ(Two(policy.Path("/a/b"), Opcode::kIn, policy.Path("/a")), "true");
  EXPECT_EQ(Two(policy.Path("/ab"), Opcode::kIn, policy.Path("/a")), "false");
  EXPECT_EQ(Two(policy.Path("/a"), Opcode::kIn, policy.Path("/a")), "true");
  EXPECT_EQ(Two(policy.Path("/a"), Opcode::kIn, policy.Path("/a/b")), "false");
  EXPECT_EQ(
      Two(policy.Path("/x/y"), Opcode::kIn, policy.SetK({policy.Path("/a"), policy.Path("/x")})),
      "true");
  EXPECT_EQ(Two(policy.Ip("10.1.2.3"), Opcode::kIn, policy.Ip("10.0.0.0/8")), "true");
  EXPECT_EQ(Two(policy.Ip("11.1.2.3"), Opcode::kIn, policy.Ip("10.0.0.0/8")), "false");
  EXPECT_EQ(Two(policy.Ip("11.1.2.3"), Opcode::kIn,
                policy.SetK({policy.Ip("10.0.0.0/8"), policy.Ip("11.0.0.0/8")})),
            "true");
}

}  // namespace
}  // namespace dpl
