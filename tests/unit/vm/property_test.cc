// Laws over random code: well-typed code never meets an impossible state; odd code ends and does
// nothing worse; the operands of `and` and `or` may stand in any order; evaluation is repeatable
// and asks the heap nothing.
#include <random>

#include "tests/heap/heap_count.h"
#include "tests/unit/vm/machine_for_test.h"

namespace dpl {
namespace {

constexpr const char* kFacts[] = {
    "{}",
    R"({"as_of": "2026-11-20T00:00Z", "persons": [{"id": "boss"}, {"id": "E1", "attributes": {"name": "Sarah", "region": "emea",
        "manager": "boss", "spend_limit": "5.00 USD", "tags": ["a", "b"], "level": 3, "joined": "2020-01-01", "team": "sales",
        "address": {"street": "s"}}}, {"id": "E2", "attributes": {"manager": "ghost"}}],
        "teams": {"marketing": ["E1"]}, "roles": [{"role": "purchaser", "members": ["E1"]},
        {"role": "editor", "in": {"type": "app.Tenant", "id": "T"}, "members": ["E1"]}],
        "resources": [{"type": "app.Folder", "id": "A"}, {"type": "app.Folder", "id": "B", "parent": "A"},
        {"type": "app.Doc", "id": "full", "parent": "B", "attributes": {"title": "Plan", "size": 9223372036854775807, "ratio": 0.5,
        "price": "7.00 EUR", "public": true, "day": "2026-11-20", "opened": "2026-11-01T00:00Z", "hour": "09:00", "keep": "90d",
        "class": "secret", "owner": "E1", "viewers": ["E1", "E2"], "labels": {"k": "v"}, "path": "/a/b", "ip": "10.0.0.1",
        "team": "staff", "note": "n", "limit": "1.00 USD", "links": ["A"], "prices": ["1.00 USD", "2.00 EUR"]}},
        {"type": "app.Doc", "id": "bare"}]})",
    R"({"persons": [{"id": "E1"}], "resources": [{"type": "app.Doc", "id": "full"}, {"type": "app.Doc", "id": "bare"}]})",
};

// Writes random code of a wanted type. What a value's type is, is known by construction.
class Generator {
 public:
  Generator(PolicyForTest* policy, uint64_t seed) : p_(*policy), random_(seed) {}

  enum Type {
    kBool,
    kInt,
    kDec,
    kMoney,
    kText,
    kDate,
    kMoment,
    kTime,
    kSpan,
    kRegion,
    kClass,
    kPerson,
    kFolder,
    kDoc,
    kTeam,
    kPath,
    kIp,
    kTexts,
    kPersons,
    kInts,
    kTypes
  };

  Words Make(Type type, int depth) {
    words_.clear();
    slots_ = 0;
    Emit(type, depth);
    return words_;
  }
  // `a and b` (or `or`), each side made from its own seed.
  Words Both(Opcode skip, Opcode fold, uint64_t a, uint64_t b, int depth) {
    words_.clear();
    slots_ = 0;
    random_.seed(a);
    Emit(kBool, depth);
    Op(skip);
    uint32_t end = Hole();
    random_.seed(b);
    Emit(kBool, depth);
    Op(fold);
    Bind(end);
    return words_;
  }
  uint32_t Pick(uint32_t n) { return static_cast<uint32_t>(random_() % n); }

 private:
  void Op(std::initializer_list<uint32_t> words) {
    words_.insert(words_.end(), words.begin(), words.end());
  }
  void Op(Opcode op) { words_.push_back(W(op)); }
  void Push(uint32_t constant) { Op({W(Opcode::kPushConst), constant}); }
  uint32_t at() const { return static_cast<uint32_t>(words_.size()); }
  uint32_t Hole() {
    words_.push_back(0);
    return at() - 1;
  }
  void Bind(uint32_t hole) { words_[hole] = at(); }

  void Doc(uint32_t attribute) {
    Op({W(Opcode::kLoadResource), W(Opcode::kResourceAttr), p_.doc, attribute});
  }
  void Me(uint32_t attribute) { Op({W(Opcode::kLoadPerson), W(Opcode::kPersonAttr), attribute}); }

  void Emit(Type type, int depth) {
    if (Pick(12) == 0) {
      Op({W(Opcode::kPushError), Pick(7)});
      return;
    }
    if (depth > 0 && Pick(6) == 0) {
      If(type, depth - 1);
      return;
    }
    switch (type) {
      case kBool:
        Bool(depth);
        return;
      case kInt:
        Number(type, p_.Int(static_cast<int64_t>(Pick(5)) - 2), p_.d_size, depth);
        return;
      case kDec:
        Number(type, p_.Dec("0.5"), p_.d_ratio, depth);
        return;
      case kMoney:
        Number(type, p_.Mon(Pick(2) == 0 ? "5.00 USD" : "5.00 EUR"),
               Pick(2) == 0 ? p_.d_price : p_.d_limit, depth);
        return;
      case kText:
        Text(depth);
        return;
      case kDate:
        return Leaf({p_.Day("2026-11-20")}, {p_.d_day}, {Opcode::kNowDate});
      case kMoment:
        return Moment(depth);
      case kTime:
        return Leaf({p_.Clock("09:00")}, {p_.d_hour}, {Opcode::kNowTime});
      case kSpan:
        return Number(type, p_.Span("1d"), p_.d_keep, depth);
      case kRegion:
        return Pick(2) == 0 ? Push(p_.EnumOf(0, Pick(3))) : Me(p_.home);
      case kClass:
        return Pick(2) == 0 ? Push(p_.EnumOf(1, Pick(3))) : Doc(p_.d_class);
      case kPerson:
        return Person(depth);
      case kFolder:
        return Folder();
      case kDoc:
        return Pick(3) == 0 ? Push(p_.Resource(p_.doc, "full")) : Op(Opcode::kLoadResource);
      case kTeam:
        return Pick(2) == 0   ? Push(p_.Team(Pick(5)))
               : Pick(2) == 0 ? Doc(p_.d_team)
                              : Me(p_.team_of);
      case kPath:
        return Pick(2) == 0 ? Push(p_.Path("/a")) : Doc(p_.d_path);
      case kIp:
        return Ip();
      case kTexts:
        return Pick(2) == 0 ? Push(p_.SetK({p_.Text("a"), p_.Text("z")})) : Me(p_.tags);
      case kPersons:
        return Pick(2) == 0 ? Push(p_.SetK({})) : Doc(p_.d_viewers);
      case kInts: {
        uint32_t count = Pick(4);
        for (uint32_t i = 0; i < count; ++i) Emit(kInt, depth - 1 > 1 ? 1 : 0);
        Op({W(Opcode::kMakeSet), count});
        return;
      }
      case kTypes:
        return;
    }
  }

  void Leaf(uint32_t constant, uint32_t attribute, Opcode now) {
    switch (Pick(3)) {
      case 0:
        return Push(constant);
      case 1:
        return Doc(attribute);
      default:
        return Op({W(now), p_.new_york});
    }
  }
  void Leaf(std::initializer_list<uint32_t> c, std::initializer_list<uint32_t> a,
            std::initializer_list<Opcode> o) {
    Leaf(*c.begin(), *a.begin(), *o.begin());
  }

  void If(Type type, int depth) {
    Emit(kBool, depth);
    Op(Opcode::kBranch);
    uint32_t no = Hole(), bottom = Hole();
    Emit(type, depth);
    Op(Opcode::kJump);
    uint32_t end_a = Hole();
    Bind(no);
    Emit(type, depth);
    Op(Opcode::kJump);
    uint32_t end_b = Hole();
    Bind(bottom);
    Op(Opcode::kPushCond);
    Bind(end_a);
    Bind(end_b);
  }

  void Number(Type type, uint32_t constant, uint32_t attribute, int depth) {
    if (depth <= 0 || Pick(2) == 0) return Pick(2) == 0 ? Push(constant) : Doc(attribute);
    switch (Pick(4)) {
      case 0:
        Emit(type, depth - 1);
        return Op(Opcode::kNeg);
      case 1:
        Emit(type, depth - 1);
        Emit(type, depth - 1);
        return Op(Opcode::kAdd);
      case 2:
        Emit(type, depth - 1);
        Emit(type, depth - 1);
        return Op(Opcode::kSub);
      default:
        Emit(type, depth - 1);
        Emit(type == kDec ? kDec : kInt, depth - 1);
        return Op(Opcode::kMul);
    }
  }
  void Moment(int depth) {
    switch (Pick(depth > 0 ? 4 : 3)) {
      case 0:
        return Op(Opcode::kLoadNow);
      case 1:
        return Push(p_.Moment("2026-11-20T15:00Z"));
      case 2:
        return Doc(p_.d_opened);
      default:
        Emit(kMoment, depth - 1);
        Emit(kSpan, depth - 1);
        return Op(Pick(2) == 0 ? Opcode::kAdd : Opcode::kSub);
    }
  }
  void Text(int depth) {
    switch (Pick(depth > 0 ? 6 : 5)) {
      case 0:
        return Push(p_.Text("a"));
      case 1:
        return Doc(p_.d_title);
      case 2:
        Doc(p_.d_labels);
        return Op({W(Opcode::kLabelValue), p_.Text("k")});
      case 3:
        Emit(kPerson, 0);
        return Op(Opcode::kEntityKey);
      case 4:
        Me(p_.address);
        return Op({W(Opcode::kRecordField), Pick(2)});
      default:
        Emit(kText, depth - 1);
        return Op({W(Opcode::kCallBuiltin), static_cast<uint32_t>(Builtin::k_lower), 1});
    }
  }
  void Person(int depth) {
    switch (Pick(4)) {
      case 0:
        return Op(Opcode::kLoadPerson);
      case 1:
        return Push(p_.Person("boss"));
      case 2:
        return Doc(p_.d_owner);
      default:
        Emit(kPerson, depth - 1 > 0 ? depth - 1 : 0);
        return Op({W(Opcode::kPersonAttr), p_.manager});
    }
  }
  void Folder() {
    if (Pick(2) == 0) return Push(p_.Resource(p_.folder, Pick(2) == 0 ? "A" : "nowhere"));
    Op({W(Opcode::kLoadResource), W(Opcode::kResourceParent), p_.doc});
  }
  void Ip() {
    switch (Pick(3)) {
      case 0:
        return Push(p_.Ip("10.0.0.0/8"));
      case 1:
        return Doc(p_.d_ip);
      default:
        Emit(kText, 0);
        return Op({W(Opcode::kCallBuiltin), static_cast<uint32_t>(Builtin::k_ip), 1});
    }
  }

  void Bool(int depth) {
    if (depth <= 0) {
      switch (Pick(6)) {
        case 0:
          return Push(p_.Bool(true));
        case 1:
          return Push(p_.Bool(false));
        case 2:
          return Op(Opcode::kSubjEveryone);
        case 3:
          return Op({W(Opcode::kSubjTeam), Pick(5)});
        case 4:
          return Op({W(Opcode::kResourceIn), p_.Resource(p_.folder, "A")});
        default:
          return Doc(p_.d_public);
      }
    }
    --depth;
    switch (Pick(13)) {
      case 0:
        Emit(kBool, depth);
        return Op(Opcode::kNot);
      case 1:
        return Logic(Opcode::kSkipIfFalse, Opcode::kAnd, depth);
      case 2:
        return Logic(Opcode::kSkipIfTrue, Opcode::kOr, depth);
      case 3: {
        Type type = static_cast<Type>(Pick(kTypes));
        Emit(type, depth);
        Emit(type, depth);
        return Op(Pick(2) == 0 ? Opcode::kEq : Opcode::kNe);
      }
      case 4: {
        static const Type kOrdered[] = {kInt, kDec, kMoney, kDate, kMoment, kTime, kSpan, kClass};
        Type type = kOrdered[Pick(8)];
        Emit(type, depth);
        Emit(type, depth);
        static const Opcode kOps[] = {Opcode::kLt, Opcode::kLe, Opcode::kGt, Opcode::kGe};
        return Op(kOps[Pick(4)]);
      }
      case 5: {
        static const Type kIns[][2] = {{kText, kTexts},    {kPerson, kPersons}, {kInt, kInts},
                                       {kFolder, kFolder}, {kDoc, kFolder},     {kPath, kPath},
                                       {kIp, kIp},         {kPerson, kPerson}};
        const Type* in = kIns[Pick(8)];
        Emit(in[0], depth);
        Emit(in[1], depth);
        return Op(Opcode::kIn);
      }
      case 6:
        Emit(kPerson, depth);
        return Op({W(Opcode::kInTeam), Pick(5)});
      case 7:
        Emit(kPerson, depth);
        Emit(kTeam, depth);
        return Op(Opcode::kInTeamValue);
      case 8:
        Emit(kPerson, depth);
        return Op({W(Opcode::kInRole), 1 + Pick(3)});
      case 9:
        Emit(kMoment, depth);
        return Op({W(Opcode::kDuring), Pick(3)});
      case 10:
        Emit(static_cast<Type>(Pick(kTypes)), 0);
        return Op(Opcode::kIsKnown);
      case 11:
        Emit(kText, depth);
        return Pick(2) == 0 ? Op({W(Opcode::kLike), p_.LikePattern("*a*")})
                            : Op({W(Opcode::kMatches), p_.RegexPattern("[a-z]*")});
      default:
        return Quantify(depth);
    }
  }
  void Logic(Opcode skip, Opcode fold, int depth) {
    Emit(kBool, depth);
    Op(skip);
    uint32_t end = Hole();
    Emit(kBool, depth);
    Op(fold);
    Bind(end);
  }
  void Quantify(int depth) {
    if (slots_ == 4) return Push(p_.Bool(true));
    Emit(kPersons, depth);
    uint32_t slot = slots_++;
    Op({W(Opcode::kQuantBegin), Pick(2), slot});
    uint32_t end = Hole();
    uint32_t body = at();
    Op({W(Opcode::kLoadLocal), slot});
    Emit(kPerson, depth);
    Op(Opcode::kEq);
    Emit(kBool, depth);
    Op(Opcode::kOr);
    Op({W(Opcode::kQuantNext), body});
    Bind(end);
    --slots_;
  }

  PolicyForTest& p_;
  std::mt19937_64 random_;
  Words words_;
  uint32_t slots_ = 0;
};

class PropertyTest : public MachineTest {
 protected:
  void Surroundings(uint32_t which) {
    person = which & 1 ? "E1" : which & 2 ? "E2" : "";
    resource = which & 4 ? "full" : which & 8 ? "bare" : "";
    env.person_active = (which & 1) != 0;
    env.now = dpl::At(which & 16 ? "2026-11-23T08:00Z" : "2026-11-20T15:00Z");
    arena.Reset();
  }
  std::string Text(const Value& v) {
    std::string out = std::to_string(static_cast<int>(env.abort)) + " ";
    AppendValue(&out, v, snapshot->program().schema);
    return out;
  }
};

TEST_F(PropertyTest, WellTypedCodeNeverMeetsAnImpossibleState) {
  Generator generator(&policy, 20261120);
  std::vector<uint32_t> codes;
  for (int i = 0; i < 4000; ++i) {
    Generator::Type type = i % 2 == 0
                               ? Generator::kBool
                               : static_cast<Generator::Type>(generator.Pick(Generator::kTypes));
    codes.push_back(policy.Code(generator.Make(type, 1 + static_cast<int>(generator.Pick(4)))));
  }
  size_t truths[3] = {};
  for (const char* facts : kFacts) {
    Facts(facts);
    Rebuild();
    for (uint32_t which = 0; which < 32; ++which) {
      Surroundings(which);
      for (size_t i = 0; i < codes.size(); i += 1 + which % 3) {
        Value v = Run(codes[i]);
        ASSERT_NE(env.abort, Abort::kInternal) << "code " << i << " facts " << facts;
        ASSERT_NE(v.kind, ValueKind::kUnset);
        if (v.kind == ValueKind::kBool) ++truths[v.i];
        if (v.is_error()) ++truths[2];
      }
    }
  }
  // The generator is worth something only if all three come up often.
  for (size_t count : truths) EXPECT_GT(count, 10'000u);
}

// The truth is the same; only which of two errors is named may differ.
TEST_F(PropertyTest, AndOrMayStandInAnyOrder) {
  Generator generator(&policy, 7);
  std::vector<std::pair<uint32_t, uint32_t>> pairs;
  for (uint64_t seed = 0; seed < 2000; ++seed) {
    bool conjunction = seed % 2 == 0;
    Opcode skip = conjunction ? Opcode::kSkipIfFalse : Opcode::kSkipIfTrue,
           fold = conjunction ? Opcode::kAnd : Opcode::kOr;
    uint32_t one = policy.Code(generator.Both(skip, fold, seed, seed + 100'000, 2));
    uint32_t other = policy.Code(generator.Both(skip, fold, seed + 100'000, seed, 2));
    pairs.emplace_back(one, other);
  }
  size_t seen[3] = {};
  for (const char* facts : kFacts) {
    Facts(facts);
    Rebuild();
    for (uint32_t which = 0; which < 32; which += 3) {
      Surroundings(which);
      for (auto [one, other] : pairs) {
        Run(one);
        Truth truth = machine->RunTruth(one, &env);
        ASSERT_EQ(truth, machine->RunTruth(other, &env));
        ASSERT_EQ(env.abort, Abort::kNo);
        ++seen[static_cast<size_t>(truth)];
      }
    }
  }
  for (size_t count : seen) EXPECT_GT(count, 1000u);
}

TEST_F(PropertyTest, TheSameTwiceAndNoHeap) {
  Generator generator(&policy, 11);
  std::vector<uint32_t> codes;
  for (int i = 0; i < 1000; ++i) codes.push_back(policy.Code(generator.Make(Generator::kBool, 3)));
  Facts(kFacts[1]);
  Rebuild();
  Surroundings(5);
  std::vector<std::string> first;
  for (uint32_t code : codes) first.push_back(Text(Run(code)));
  Surroundings(5);
  for (size_t i = 0; i < codes.size(); ++i) EXPECT_EQ(Text(Run(codes[i])), first[i]);
  Surroundings(5);
  size_t before = HeapAllocationsForTest();
  for (uint32_t code : codes) Run(code);
  EXPECT_EQ(HeapAllocationsForTest(), before);
}

// Any instruction at any place, only the depth of the stack kept right: ends with a value or an
// abort, never worse.
TEST_F(PropertyTest, OddCodeEnds) {
  std::mt19937_64 random(3);
  auto pick = [&](uint32_t n) { return static_cast<uint32_t>(random() % n); };
  std::vector<uint32_t> constants = {policy.Int(1),
                                     policy.Text("a"),
                                     policy.Bool(true),
                                     policy.Mon("1 USD"),
                                     policy.Person("E1"),
                                     policy.Team(1),
                                     policy.Path("/a"),
                                     policy.Ip("10.0.0.1"),
                                     policy.LikePattern("*"),
                                     policy.RegexPattern("a*"),
                                     policy.Day("2026-11-20"),
                                     policy.Span("1d"),
                                     policy.Resource(policy.doc, "full"),
                                     policy.SetK({policy.Int(1)}),
                                     policy.SetK({}),
                                     policy.Agent(0)};
  std::vector<uint32_t> codes;
  for (int i = 0; i < 20'000; ++i) {
    Words words;
    int depth = 0;
    for (uint32_t n = 1 + pick(14); n > 0; --n) {
      Opcode op = static_cast<Opcode>(pick(static_cast<uint32_t>(kOpcodeCount)));
      const OpcodeInfo& info = InfoOf(op);
      bool jumps = op == Opcode::kSkipIfFalse || op == Opcode::kSkipIfTrue ||
                   op == Opcode::kBranch || op == Opcode::kJump || op == Opcode::kQuantBegin ||
                   op == Opcode::kQuantNext || op == Opcode::kLet || op == Opcode::kReturn;
      uint32_t count = info.pops < 0 ? pick(3) : 0;
      int pops = info.pops < 0 ? static_cast<int>(count) : info.pops;
      if (jumps || pops > depth || (info.pops == 0 && info.pushes == 0)) continue;
      words.push_back(W(op));
      for (int k = 0; k < info.operand_count; ++k) {
        switch (info.operands[static_cast<size_t>(k)]) {
          case OperandKind::kConst:
            words.push_back(constants[pick(static_cast<uint32_t>(constants.size()))]);
            break;
          case OperandKind::kCount:
            words.push_back(info.pops < 0 ? count : pick(3));
            break;
          case OperandKind::kSlot:
            words.push_back(pick(kMaxLocals));
            break;
          case OperandKind::kBuiltin:
            words.push_back(pick(static_cast<uint32_t>(kBuiltinCount)));
            break;
          case OperandKind::kCalendar:
            words.push_back(pick(3));
            break;
          case OperandKind::kZone:
            words.push_back(pick(2));
            break;
          case OperandKind::kStr:
            words.push_back(pick(static_cast<uint32_t>(policy.p.schema.strings.size())));
            break;
          default:
            words.push_back(pick(3));
            break;
        }
      }
      depth += info.pushes - pops;
    }
    if (depth > 0) codes.push_back(policy.Code(words));
  }
  size_t values = 0, confused = 0;
  for (const char* facts : kFacts) {
    Facts(facts);
    Rebuild();
    Surroundings(5);
    for (uint32_t code : codes) {
      Run(code);
      (env.abort == Abort::kInternal ? confused : values) += 1;
    }
  }
  EXPECT_GT(values, 1000u);
  EXPECT_GT(confused, 1000u);
}

}  // namespace
}  // namespace dpl
