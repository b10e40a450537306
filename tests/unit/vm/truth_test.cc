// Strong Kleene logic, `if`, `is known` and the quantifiers: truth tables in full.
#include "tests/unit/vm/machine_for_test.h"

namespace dpl {
namespace {

class TruthTest : public MachineTest {
 protected:
  Words Truth3(char t) {
    if (t == 'T') return Push(policy.Bool(true));
    if (t == 'F') return Push(policy.Bool(false));
    if (t == 'm') return Bottom(ErrorKind::kMissing);
    return Bottom(ErrorKind::kRange);  // 'r'
  }
  static std::string Name(char t) {
    return t == 'T' ? "true" : t == 'F' ? "false" : t == 'm' ? "⊥missing" : "⊥range";
  }

  // As the compiler writes it: the right side is skipped when the left decides.
  Words Skipping(char a, char b, bool is_and) {
    Words left = Truth3(a), right = Truth3(b);
    uint32_t end = static_cast<uint32_t>(left.size() + 2 + right.size() + 1);
    return left + Op(is_and ? Opcode::kSkipIfFalse : Opcode::kSkipIfTrue, end) + right +
           Op(is_and ? Opcode::kAnd : Opcode::kOr);
  }
};

TEST_F(TruthTest, And) {
  const char* table[] = {"TTT", "TFF", "Tmm", "FTF", "FFF", "FmF", "mTm",
                         "mFF", "mmm", "mrm", "rmr", "rFF", "Trr", "rTr"};
  for (std::string_view row : table) {
    EXPECT_EQ(Show(Binary(Truth3(row[0]), Truth3(row[1]), Opcode::kAnd)), Name(row[2])) << row;
    EXPECT_EQ(Show(Skipping(row[0], row[1], true)), Name(row[2])) << row;
  }
}

TEST_F(TruthTest, Or) {
  const char* table[] = {"TTT", "TFT", "TmT", "FTT", "FFF", "Fmm", "mTT",
                         "mFm", "mmm", "mrm", "rmr", "rTT", "Frr", "rFr"};
  for (std::string_view row : table) {
    EXPECT_EQ(Show(Binary(Truth3(row[0]), Truth3(row[1]), Opcode::kOr)), Name(row[2])) << row;
    EXPECT_EQ(Show(Skipping(row[0], row[1], false)), Name(row[2])) << row;
  }
}

TEST_F(TruthTest, Not) {
  EXPECT_EQ(Show(Truth3('T') + Op(Opcode::kNot)), "false");
  EXPECT_EQ(Show(Truth3('F') + Op(Opcode::kNot)), "true");
  EXPECT_EQ(Show(Truth3('r') + Op(Opcode::kNot)), "⊥range");
}

TEST_F(TruthTest, LogicOnSomethingElseIsAnAbort) {
  Words five = Push(policy.Int(5)), yes = Truth3('T');
  EXPECT_EQ(Show(five + Op(Opcode::kNot)), "abort internal");
  EXPECT_EQ(Show(Binary(five, yes, Opcode::kAnd)), "abort internal");
  EXPECT_EQ(Show(Binary(yes, five, Opcode::kOr)), "abort internal");
  EXPECT_EQ(Show(five + Op(Opcode::kSkipIfFalse, 4)), "abort internal");
  EXPECT_EQ(Show(five + Op(Opcode::kBranch, 5, 5)), "abort internal");
}

// if c then 1 else 2
TEST_F(TruthTest, If) {
  auto choose = [&](const Words& c) {
    uint32_t at = static_cast<uint32_t>(c.size()) + 3;  // the first branch
    return c + Op(Opcode::kBranch, at + 4, at + 8) + Push(policy.Int(1)) +
           Op(Opcode::kJump, at + 9) + Push(policy.Int(2)) + Op(Opcode::kJump, at + 9) +
           Op(Opcode::kPushCond);
  };
  EXPECT_EQ(Show(choose(Truth3('T'))), "1");
  EXPECT_EQ(Show(choose(Truth3('F'))), "2");
  EXPECT_EQ(Show(choose(Truth3('m'))), "⊥missing");
  EXPECT_EQ(Show(choose(Truth3('r'))), "⊥range");
}

TEST_F(TruthTest, PushCondWithoutABranchIsAnAbort) {
  EXPECT_EQ(Show(Op(Opcode::kPushCond)), "abort internal");
}

// ---------------------------------------------------------------- is known

TEST_F(TruthTest, IsKnownLooksAtTheLastStepOnly) {
  Facts(R"({"persons": [{"id": "E1", "attributes": {"name": "Sarah", "manager": null}}],
            "resources": [{"type": "app.Doc", "id": "d", "attributes": {"owner": "E1", "labels": {"tier": "prod"}}},
                          {"type": "app.Doc", "id": "e", "attributes": {"owner": "E9"}}, {"type": "app.Doc", "id": "f"}]})");
  Words owner = Op(Opcode::kLoadResource) + Op(Opcode::kResourceAttr, policy.doc, policy.d_owner);
  auto known = [&](const Words& path) { return Show(path + Op(Opcode::kIsKnown)); };
  Words name = owner + Op(Opcode::kPersonAttr, policy.full_name);
  Words manager = owner + Op(Opcode::kPersonAttr, policy.manager);
  Words boss_name = manager + Op(Opcode::kPersonAttr, policy.full_name);
  resource = "d";
  EXPECT_EQ(known(owner), "true");
  EXPECT_EQ(known(name), "true");
  EXPECT_EQ(known(manager), "false") << "absent at the last step";
  EXPECT_EQ(known(boss_name), "⊥missing") << "absent before the last step";
  EXPECT_EQ(known(owner + Op(Opcode::kPersonAttr, policy.home)), "false")
      << "missing at the last step";
  Words tier = Op(Opcode::kLoadResource) + Op(Opcode::kResourceAttr, policy.doc, policy.d_labels);
  EXPECT_EQ(known(tier + Op(Opcode::kLabelValue, policy.Text("tier"))), "true");
  EXPECT_EQ(known(tier + Op(Opcode::kLabelValue, policy.Text("none"))), "false");
  resource = "e";
  EXPECT_EQ(known(owner), "true");
  EXPECT_EQ(known(name), "false") << "a person without a record";
  EXPECT_EQ(known(tier + Op(Opcode::kLabelValue, policy.Text("tier"))), "⊥missing")
      << "no labels at all";
  resource = "f";
  EXPECT_EQ(known(owner), "false");
  EXPECT_EQ(known(name), "⊥missing") << "the owner is the step before";
  EXPECT_EQ(known(Op(Opcode::kLoadPerson)), "false");
  EXPECT_EQ(known(Op(Opcode::kLoadPerson) + Op(Opcode::kPersonAttr, policy.full_name)), "⊥missing");
}

TEST_F(TruthTest, IsKnownKeepsEveryOtherError) {
  for (ErrorKind kind : {ErrorKind::kStale, ErrorKind::kRange, ErrorKind::kCurrency,
                         ErrorKind::kEmpty, ErrorKind::kContainment, ErrorKind::kMembership}) {
    EXPECT_EQ(Show(Bottom(kind) + Op(Opcode::kIsKnown)), std::string("⊥") + ErrorKindName(kind));
  }
}

TEST_F(TruthTest, AResultIsNeverAbsentAndCarriesNoMark) {
  Facts(R"({"resources": [{"type": "app.Doc", "id": "d", "attributes": {"note": null}}]})");
  resource = "d";
  Value v = Eval(Op(Opcode::kLoadResource) + Op(Opcode::kResourceAttr, policy.doc, policy.d_note));
  ASSERT_TRUE(v.is_error());
  EXPECT_EQ(v.error(), ErrorKind::kMissing);
  EXPECT_EQ(v.flags, 0);
  ErrorKind kind{};
  EXPECT_EQ(
      machine->RunTruth(static_cast<uint32_t>(snapshot->program().codes.size() - 1), &env, &kind),
      Truth::kError);
  EXPECT_EQ(kind, ErrorKind::kMissing);
  EXPECT_EQ(machine->RunTruth(kNone, &env), Truth::kTrue);
}

// ---------------------------------------------------------------- quantifiers

class QuantifierTest : public TruthTest {
 protected:
  // The body says T for "t", F for "f", and ⊥range for "r" (a sum out of range).
  std::string Quantify(Quantifier q, const std::vector<std::string>& elements) {
    std::vector<uint32_t> constants;
    for (const std::string& each : elements) constants.push_back(policy.Text(each));
    return Over(q, Push(policy.SetK(constants)));
  }
  std::string Over(Quantifier q, const Words& set) {
    // v == "r" ? ⊥range : v == "t"
    Words is_r = Op(Opcode::kLoadLocal, 0) + Push(policy.Text("r")) + Op(Opcode::kEq);
    Words is_t = Op(Opcode::kLoadLocal, 0) + Push(policy.Text("t")) + Op(Opcode::kEq);
    uint32_t begin = static_cast<uint32_t>(set.size());
    uint32_t body = begin + 4;
    uint32_t branch = body + static_cast<uint32_t>(is_r.size());
    uint32_t range_at = branch + 3;
    uint32_t test_at = range_at + 2 + 2;
    uint32_t cond_at = test_at + static_cast<uint32_t>(is_t.size()) + 2;
    uint32_t next = cond_at + 1;
    return Show(set + Words{W(Opcode::kQuantBegin), static_cast<uint32_t>(q), 0, next + 2} + is_r +
                Op(Opcode::kBranch, test_at, cond_at) + Bottom(ErrorKind::kRange) +
                Op(Opcode::kJump, next) + is_t + Op(Opcode::kJump, next) + Op(Opcode::kPushCond) +
                Op(Opcode::kQuantNext, body));
  }
};

TEST_F(QuantifierTest, Some) {
  EXPECT_EQ(Quantify(Quantifier::kSome, {}), "false");
  EXPECT_EQ(Quantify(Quantifier::kSome, {"f"}), "false");
  EXPECT_EQ(Quantify(Quantifier::kSome, {"t"}), "true");
  EXPECT_EQ(Quantify(Quantifier::kSome, {"f", "r"}), "⊥range");
  EXPECT_EQ(Quantify(Quantifier::kSome, {"f", "r", "t"}), "true");
  EXPECT_EQ(Quantify(Quantifier::kSome, {"a", "f", "x"}), "false");
}

TEST_F(QuantifierTest, All) {
  EXPECT_EQ(Quantify(Quantifier::kAll, {}), "⊥empty");
  EXPECT_EQ(Quantify(Quantifier::kAll, {"t"}), "true");
  EXPECT_EQ(Quantify(Quantifier::kAll, {"f"}), "false");
  EXPECT_EQ(Quantify(Quantifier::kAll, {"r", "t"}), "⊥range");
  EXPECT_EQ(Quantify(Quantifier::kAll, {"f", "r", "t"}), "false");
  EXPECT_EQ(Quantify(Quantifier::kAll, {"r", "x"}), "false") << "F wins over an earlier ⊥";
}

TEST_F(QuantifierTest, Count) {
  EXPECT_EQ(Quantify(Quantifier::kCount, {}), "0");
  EXPECT_EQ(Quantify(Quantifier::kCount, {"f", "t", "x"}), "1");
  EXPECT_EQ(Quantify(Quantifier::kCount, {"r", "t"}), "⊥range");
}

TEST_F(QuantifierTest, ASetThatIsAnErrorIsTheResult) {
  for (Quantifier q : {Quantifier::kSome, Quantifier::kAll, Quantifier::kCount}) {
    EXPECT_EQ(Over(q, Bottom(ErrorKind::kStale)), "⊥stale");
    EXPECT_EQ(Over(q, Push(policy.Int(1))), "abort internal");
  }
}

// some a in {1, 2} satisfies (all b in {1, 2, 3} satisfies (a <= b))
TEST_F(QuantifierTest, Nested) {
  uint32_t small = policy.SetK({policy.Int(1), policy.Int(2)});
  uint32_t large = policy.SetK({policy.Int(1), policy.Int(2), policy.Int(3)});
  Words inner = Op(Opcode::kLoadLocal, 0) + Op(Opcode::kLoadLocal, 1) + Op(Opcode::kLe);
  auto nested = [&](Quantifier outer_q, Quantifier inner_q) {
    uint32_t inner_body = 2 + 4 + 2 + 4;
    uint32_t inner_end = inner_body + static_cast<uint32_t>(inner.size()) + 2;
    return Show(Push(small) +
                Words{W(Opcode::kQuantBegin), static_cast<uint32_t>(outer_q), 0, inner_end + 2} +
                Push(large) +
                Words{W(Opcode::kQuantBegin), static_cast<uint32_t>(inner_q), 1, inner_end} +
                inner + Op(Opcode::kQuantNext, inner_body) + Op(Opcode::kQuantNext, 6));
  };
  EXPECT_EQ(nested(Quantifier::kSome, Quantifier::kAll), "true");
  EXPECT_EQ(nested(Quantifier::kAll, Quantifier::kAll), "false");
  EXPECT_EQ(nested(Quantifier::kAll, Quantifier::kSome), "true");
  EXPECT_EQ(nested(Quantifier::kCount, Quantifier::kAll), "1");
}

// A function's argument: its value, or at once the ⊥ it is, whatever the body would have made of
// it.
TEST_F(QuantifierTest, ArgumentsAreStrict) {
  Words yes = Push(policy.Bool(true));
  auto let = [&](const Words& argument, const Words& body) {
    uint32_t end = static_cast<uint32_t>(argument.size() + 3 + body.size());
    return Show(argument + Words{W(Opcode::kLet), 0, end} + body);
  };
  EXPECT_EQ(let(yes, Op(Opcode::kLoadLocal, 0)), "true");
  EXPECT_EQ(let(Push(policy.Int(7)), yes), "true");
  EXPECT_EQ(let(Bottom(ErrorKind::kStale), yes), "⊥stale");
  EXPECT_EQ(Show(yes + Words{W(Opcode::kLet), 99, 5} + yes), "abort internal");
}

TEST_F(QuantifierTest, OddLoopsAreAborts) {
  Words yes = Push(policy.Bool(true));
  EXPECT_EQ(Show(yes + Op(Opcode::kQuantNext, 0)), "abort internal") << "no loop is open";
  EXPECT_EQ(Show(Op(Opcode::kLoadLocal, 3)), "abort internal") << "nothing is in the slot";
  uint32_t one = policy.SetK({policy.Int(1)});
  EXPECT_EQ(
      Show(Push(one) + Words{W(Opcode::kQuantBegin), 9, 0, 8} + yes + Op(Opcode::kQuantNext, 6)),
      "abort internal");
  EXPECT_EQ(
      Show(Push(one) + Words{W(Opcode::kQuantBegin), 0, 99, 8} + yes + Op(Opcode::kQuantNext, 6)),
      "abort internal");
}

// ---------------------------------------------------------------- budget and arena

TEST_F(QuantifierTest, EveryStepIsPaid) {
  uint32_t code = policy.Code(Push(policy.Bool(true)));
  Rebuild();
  Run(code);
  int64_t cost = 100'000 - env.steps_left;
  EXPECT_EQ(cost, 2);
  env.steps_left = cost;
  EXPECT_TRUE(machine->Run(code, &env).IsTrue());
  EXPECT_EQ(env.abort, Abort::kNo);
  env.steps_left = cost - 1;
  EXPECT_TRUE(machine->Run(code, &env).is_error());
  EXPECT_EQ(env.abort, Abort::kBudget);
  env.steps_left = 1000;
  EXPECT_TRUE(machine->Run(code, &env).is_error()) << "an abort stays";
  EXPECT_EQ(env.steps_left, 1000);
}

TEST_F(QuantifierTest, AnEndlessLoopEndsWithTheBudget) {
  EXPECT_EQ(Show(Op(Opcode::kJump, 0)), "abort budget");
}

TEST_F(QuantifierTest, AFullArenaIsAnAbort) {
  Arena small(8);
  uint32_t code = policy.Code(Push(policy.Int(1)) + Push(policy.Int(2)) + Op(Opcode::kMakeSet, 2));
  Rebuild();
  EXPECT_FALSE(Run(code).is_error());
  env.arena = &small;
  EXPECT_TRUE(machine->Run(code, &env).is_error());
  EXPECT_EQ(env.abort, Abort::kArena);
}

TEST_F(QuantifierTest, CodeBeyondTheMachineIsAnAbort) {
  uint32_t code = policy.Code(Push(policy.Bool(true)));
  policy.p.codes[code].max_stack = kMaxStack + 1;
  Rebuild();
  Run(code);
  EXPECT_EQ(env.abort, Abort::kInternal);
  policy.p.codes[code].max_stack = kMaxStack;
  policy.p.codes[code].locals = kMaxLocals + 1;
  Rebuild();
  Run(code);
  EXPECT_EQ(env.abort, Abort::kInternal);
}

}  // namespace
}  // namespace dpl
