// Opcode by opcode: a use that is proven, and everything around it that is not.
#include <map>
#include <set>

#include <gtest/gtest.h>

#include "runtime/bytecode/assemble.h"
#include "runtime/bytecode/decode.h"
#include "runtime/bytecode/disasm.h"
#include "runtime/bytecode/encode.h"
#include "runtime/bytecode/opcode.h"
#include "runtime/bytecode/verify.h"
#include "tests/unit/bytecode/sample.h"

namespace dpl {
namespace {

// Conditions on a document whose action is `approve(amount)`, in which each opcode stands once. The
// task's own are run in the task's clause.
struct Use {
  const char* opcode;
  const char* listing;
};
void PrintTo(const Use& use, std::ostream* out) { *out << use.opcode; }

const Use kUses[] = {
    {"PushConst", "PushConst 8\nReturn"},
    {"PushError", "PushError 0\nReturn"},
    {"LoadPerson", "LoadPerson\nIsKnown\nReturn"},
    {"LoadResource", "LoadResource\nIsKnown\nReturn"},
    {"LoadAgent", "LoadAgent\nPushConst 13\nEq\nReturn"},
    {"LoadNow", "LoadNow\nLoadNow\nLe\nReturn"},
    {"LoadParam", "LoadParam $amount\nPushConst 3\nLt\nReturn"},
    {"LoadContext", "LoadContext 0\nIsKnown\nReturn"},
    {"LoadTaskParam", "LoadResource\nLoadTaskParam 0\nIn\nReturn"},
    {"LoadLocal",
     "LoadResource\nResourceAttr 0 2\nQuantBegin 1 1 14\nLoadLocal 1\nLoadPerson\nEq\nQuantNext "
     "8\nReturn"},
    {"PersonAttr", "LoadPerson\nPersonAttr 0\nPushConst 4\nEq\nReturn"},
    {"ResourceAttr", "LoadResource\nResourceAttr 0 0\nIsKnown\nReturn"},
    {"ResourceParent", "LoadResource\nResourceParent 0\nPushConst 1\nEq\nReturn"},
    {"EntityKey", "LoadPerson\nEntityKey\nPushConst 4\nEq\nReturn"},
    {"RecordField", "LoadPerson\nPersonAttr 2\nRecordField 1\nPushConst 7\nEq\nReturn"},
    {"LabelValue", "LoadResource\nResourceAttr 0 3\nLabelValue 4\nPushConst 4\nEq\nReturn"},
    {"NowDate", "NowDate 1\nNowDate 0\nEq\nReturn"},
    {"NowTime", "NowTime 1\nNowTime 0\nGe\nReturn"},
    {"NowWeekday", "NowWeekday 1\nPushConst 7\nLt\nReturn"},
    {"LocalDate", "LoadNow\nLocalDate 1\nNowDate 1\nEq\nReturn"},
    {"IsKnown", "PushConst 4\nIsKnown\nReturn"},
    {"Eq", "PushConst 4\nPushConst 4\nEq\nReturn"},
    {"Ne", "PushConst 0\nLoadPerson\nNe\nReturn"},
    {"Lt", "PushConst 7\nPushConst 7\nLt\nReturn"},
    {"Le", "PushConst 3\nPushConst 3\nLe\nReturn"},
    {"Gt", "PushConst 2\nPushConst 2\nGt\nReturn"},
    {"Ge", "LoadNow\nLoadNow\nGe\nReturn"},
    {"Add", "PushConst 7\nPushConst 7\nAdd\nPushConst 7\nEq\nReturn"},
    {"Sub", "PushConst 3\nPushConst 3\nSub\nPushConst 3\nEq\nReturn"},
    {"Mul", "PushConst 3\nPushConst 7\nMul\nPushConst 3\nEq\nReturn"},
    {"Neg", "PushConst 7\nNeg\nPushConst 7\nEq\nReturn"},
    {"In", "PushConst 4\nPushConst 12\nIn\nReturn"},
    {"InTeam", "LoadPerson\nInTeam 1\nReturn"},
    {"InRole", "LoadPerson\nInRole 2\nReturn"},
    {"InTeamValue", "LoadPerson\nPushError 0\nInTeamValue\nReturn"},
    {"Like", "PushConst 4\nLike 5\nReturn"},
    {"Matches", "PushConst 4\nMatches 6\nReturn"},
    {"During", "LoadNow\nDuring 0\nReturn"},
    {"CallBuiltin", "PushConst 4\nPushConst 4\nCallBuiltin 0 2\nReturn"},
    {"MakeSet", "PushConst 7\nPushConst 7\nPushConst 7\nMakeSet 2\nIn\nReturn"},
    {"MakeRecord", "LoadPerson\nPersonAttr 2\nPushConst 4\nPushConst 7\nMakeRecord 2\nEq\nReturn"},
    {"Not", "PushConst 8\nNot\nReturn"},
    {"And", "PushConst 8\nPushConst 9\nAnd\nReturn"},
    {"Or", "PushConst 8\nPushConst 9\nOr\nReturn"},
    {"SkipIfFalse", "PushConst 8\nSkipIfFalse 7\nPushConst 9\nAnd\nReturn"},
    {"SkipIfTrue", "PushConst 8\nSkipIfTrue 7\nPushConst 9\nOr\nReturn"},
    {"Branch",
     "PushConst 8\nBranch 9 13\nPushConst 9\nJump 14\nPushConst 8\nJump 14\nPushCond\nReturn"},
    {"PushCond",
     "PushError 1\nBranch 9 13\nPushConst 9\nJump 14\nPushConst 8\nJump 14\nPushCond\nReturn"},
    {"Jump", "PushConst 8\nJump 4\nReturn"},
    {"QuantBegin",
     "LoadResource\nResourceAttr 0 2\nQuantBegin 2 0 12\nPushConst 8\nQuantNext 8\nPushConst "
     "7\nGt\nReturn"},
    {"QuantNext",
     "LoadResource\nResourceAttr 0 2\nQuantBegin 0 0 12\nPushConst 8\nQuantNext 8\nReturn"},
    {"Let", "PushConst 8\nLet 0 7\nLoadLocal 0\nReturn"},
    {"SubjPerson", "SubjPerson 0\nReturn"},
    {"SubjTeam", "SubjTeam 1\nReturn"},
    {"SubjRole", "SubjRole 2\nReturn"},
    {"SubjEveryone", "SubjEveryone\nReturn"},
    {"SubjPublic", "SubjPublic\nReturn"},
    {"SubjAgentRoot", "SubjAgentRoot 0\nReturn"},
    {"SubjAgentHop", "SubjAgentHop 0\nReturn"},
    {"SubjPartner", "SubjPartner 0\nReturn"},
    {"SubjAnyAgent", "SubjAnyAgent\nReturn"},
    {"ResourceIs", "ResourceIs 11\nReturn"},
    {"ResourceIn", "ResourceIn 1\nReturn"},
    {"ResourceInPath", "ResourceInPath 10\nReturn"},
    {"ResourceInTask", "ResourceInTask 0\nReturn"},
    {"Return", "PushConst 9\nReturn"},
};

std::string Listing(const Program& program, std::string text) {
  size_t at = text.find("$amount");
  if (at == std::string::npos) return text;
  Str name = kNone;
  for (Str i = 0; i < program.schema.strings.size(); ++i) {
    if (program.schema.strings[i] == "amount") name = i;
  }
  return text.replace(at, 7, std::to_string(name));
}

// The sample with this code as the condition it belongs to; `at` gets the code's index.
Program With(std::string_view opcode, const std::string& listing, uint32_t* at) {
  Program program = SampleProgram();
  bool task = opcode == "LoadTaskParam" || opcode == "ResourceInTask";
  bool path = opcode == "ResourceInPath";
  *at = task   ? program.clauses[8].where_code
        : path ? program.clauses[1].scope_code
               : program.clauses[0].where_code;
  ReplaceCode(&program, *at, Listing(program, listing));
  program.codes[*at].cost = 1u << 20;
  return program;
}

class EachOpcode : public testing::TestWithParam<Use> {};

TEST_P(EachOpcode, IsProvenAndComesBack) {
  uint32_t at = 0;
  Program program = With(GetParam().opcode, GetParam().listing, &at);
  Status status = VerifyProgram(program);
  ASSERT_TRUE(status.ok()) << status.error().message;
  Result<Program> back = DecodeBundle(EncodeBundle(program));
  ASSERT_TRUE(back.ok()) << back.error().message;
  EXPECT_EQ(back->code, program.code);
  // The listing reads back to the same words.
  Result<Assembled> again = Assemble(DisassembleCode(program, at));
  ASSERT_TRUE(again.ok()) << again.error().message << " line " << again.error().line;
  const Code& code = program.codes[at];
  EXPECT_TRUE(std::equal(again->words.begin(), again->words.end(),
                         program.code.begin() + code.offset,
                         program.code.begin() + code.offset + code.size));
  EXPECT_EQ(again->max_stack, code.max_stack);
  EXPECT_EQ(again->cost, code.cost);
}

TEST_P(EachOpcode, NeedsItsOperandsInRange) {
  const OpcodeInfo& info = InfoOf(*FindOpcode(GetParam().opcode));
  for (int i = 0; i < info.operand_count; ++i) {
    for (uint32_t bad : {uint32_t{1} << 20, kNone, kNone - 1}) {
      uint32_t at = 0;
      Program program = With(GetParam().opcode, GetParam().listing, &at);
      uint32_t* words = program.code.data() + program.codes[at].offset;
      for (uint32_t w = 0; w < program.codes[at].size;
           w += InfoOf(*OpcodeOfWord(words[w])).words()) {
        if (InfoOf(*OpcodeOfWord(words[w])).name != info.name) continue;
        words[w + 1 + static_cast<uint32_t>(i)] = bad;
        break;
      }
      Status status = VerifyProgram(program);
      ASSERT_FALSE(status.ok()) << info.name << " operand " << i << " = " << bad;
      EXPECT_EQ(status.error().code, "bundle.code");
    }
  }
}

TEST_P(EachOpcode, NeedsItsValuesOnTheStack) {
  const OpcodeInfo& info = InfoOf(*FindOpcode(GetParam().opcode));
  if (info.pops == 0) return;
  std::string alone(info.name);
  for (int i = 0; i < info.operand_count; ++i) alone += " 1";
  uint32_t at = 0;
  Program program = With(GetParam().opcode, alone + "\nReturn", &at);
  Status status = VerifyProgram(program);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, "bundle.code");
}

// A value of a kind the opcode cannot work on: a role stands for all the others.
TEST_P(EachOpcode, NeedsValuesOfItsTypes) {
  const std::set<std::string_view> takes_anything{"IsKnown",    "Return", "MakeSet",
                                                  "MakeRecord", "Eq",     "Ne"};
  const OpcodeInfo& info = InfoOf(*FindOpcode(GetParam().opcode));
  if (info.pops == 0 || takes_anything.contains(info.name)) return;
  uint32_t at = 0;
  Program program = With(GetParam().opcode, GetParam().listing, &at);
  Constant role;
  role.kind = Constant::Kind::kRole;
  program.constants.push_back(role);
  std::string push = "PushConst " + std::to_string(program.constants.size() - 1) + "\n";
  std::string listing;
  uint32_t* words = program.code.data() + program.codes[at].offset;
  for (uint32_t w = 0; w < program.codes[at].size; w += InfoOf(*OpcodeOfWord(words[w])).words()) {
    const OpcodeInfo& here = InfoOf(*OpcodeOfWord(words[w]));
    if (here.name != info.name) continue;
    int pops = info.pops < 0 ? static_cast<int>(words[w + 2]) : info.pops;
    for (int i = 0; i < pops; ++i) listing += push;
    listing += info.name;
    for (int i = 0; i < info.operand_count; ++i) {
      uint32_t operand = words[w + 1 + static_cast<uint32_t>(i)];
      // Jumps go to the Return that follows.
      if (info.operands[static_cast<size_t>(i)] == OperandKind::kTarget)
        operand = static_cast<uint32_t>(2 * pops) + info.words();
      listing += " " + std::to_string(operand);
    }
    listing += "\nReturn";
    break;
  }
  ReplaceCode(&program, at, listing);
  Status status = VerifyProgram(program);
  ASSERT_FALSE(status.ok()) << listing;
  EXPECT_EQ(status.error().code, "bundle.code") << listing;
}

INSTANTIATE_TEST_SUITE_P(Opcodes, EachOpcode, testing::ValuesIn(kUses),
                         [](const auto& use) { return std::string(use.param.opcode); });

TEST(Opcodes, EachIsTriedHere) {
  std::set<std::string_view> tried;
  for (const Use& use : kUses) tried.insert(use.opcode);
  for (int i = 0; i < kOpcodeCount; ++i)
    EXPECT_TRUE(tried.contains(InfoOf(static_cast<Opcode>(i)).name))
        << InfoOf(static_cast<Opcode>(i)).name;
  EXPECT_EQ(tried.size(), static_cast<size_t>(kOpcodeCount));
}

// What is wrong with the way code goes, not with its operands.
struct Bad {
  const char* name;
  const char* listing;
};
void PrintTo(const Bad& bad, std::ostream* out) { *out << bad.name; }

class BadFlow : public testing::TestWithParam<Bad> {};
TEST_P(BadFlow, IsRefused) {
  uint32_t at = 0;
  Program program = With("", GetParam().listing, &at);
  Status status = VerifyProgram(program);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, "bundle.code") << status.error().message;
}
const Bad kBad[] = {
    {"empty_stack", "Return"},
    {"two_results", "PushConst 8\nPushConst 8\nReturn"},
    {"no_return", "PushConst 8"},
    {"return_in_the_middle", "PushConst 8\nReturn\nPushConst 8\nReturn"},
    {"jump_to_itself", "PushConst 8\nJump 2\nReturn"},
    {"jump_backward", "PushConst 8\nSkipIfTrue 0\nReturn"},
    {"jump_outside", "PushConst 8\nSkipIfTrue 5\nReturn"},
    {"jump_into_an_operand", "PushConst 8\nSkipIfTrue 5\nPushConst 8\nAnd\nReturn"},
    {"nothing_leads_there", "PushConst 8\nJump 6\nPushConst 8\nReturn"},
    {"different_depths", "PushConst 8\nSkipIfTrue 6\nPushConst 8\nReturn"},
    {"different_types",
     "PushConst 8\nBranch 9 13\nPushConst 7\nJump 14\nPushConst 8\nJump 14\nPushCond\nReturn"},
    {"push_cond_without_branch", "PushCond\nReturn"},
    {"push_cond_after_false", "PushConst 8\nBranch 9 9\nPushConst 9\nJump 10\nPushCond\nReturn"},
    {"push_cond_too_late",
     "PushConst 8\nBranch 9 13\nPushConst 9\nJump 18\nPushConst 8\nJump 18\nPushConst "
     "8\nNot\nPushCond\nAnd\nReturn"},
    {"loop_end_elsewhere",
     "LoadResource\nResourceAttr 0 2\nQuantBegin 0 0 13\nPushConst 8\nQuantNext 8\nNot\nReturn"},
    {"loop_back_elsewhere",
     "LoadResource\nResourceAttr 0 2\nQuantBegin 0 0 12\nPushConst 8\nQuantNext 4\nReturn"},
    {"loop_never_ends", "LoadResource\nResourceAttr 0 2\nQuantBegin 0 0 10\nPushConst 8\nReturn"},
    {"next_without_begin", "PushConst 8\nQuantNext 0\nReturn"},
    {"jump_out_of_a_loop",
     "LoadResource\nResourceAttr 0 2\nQuantBegin 0 0 14\nPushConst 8\nSkipIfTrue 14\nQuantNext "
     "8\nReturn"},
    {"jump_into_a_loop",
     "PushConst 8\nSkipIfTrue 12\nLoadResource\nResourceAttr 0 2\nQuantBegin 0 0 14\nPushConst "
     "8\nQuantNext 12\nReturn"},
    {"body_takes_what_lies_below",
     "PushConst 8\nLoadResource\nResourceAttr 0 2\nQuantBegin 0 0 13\nNot\nQuantNext "
     "10\nAnd\nReturn"},
    {"body_leaves_more",
     "LoadResource\nResourceAttr 0 2\nQuantBegin 0 0 14\nPushConst 8\nPushConst 8\nQuantNext "
     "8\nReturn"},
    {"local_outside_its_loop", "LoadLocal 0\nIsKnown\nReturn"},
    {"local_in_use",
     "LoadResource\nResourceAttr 0 2\nQuantBegin 0 0 22\nLoadResource\nResourceAttr 0 "
     "2\nQuantBegin 0 0 20\nPushConst 8\nQuantNext 16\nQuantNext 8\nReturn"},
    {"quantifier_over_no_set", "PushConst 7\nQuantBegin 0 0 10\nPushConst 8\nQuantNext 6\nReturn"},
    {"body_is_no_truth",
     "LoadResource\nResourceAttr 0 2\nQuantBegin 0 0 12\nPushConst 7\nQuantNext 8\nReturn"},
    {"let_known_after_its_body", "PushConst 8\nLet 0 7\nLoadLocal 0\nLoadLocal 0\nAnd\nReturn"},
    {"let_leaves_more", "PushConst 8\nLet 0 9\nLoadLocal 0\nLoadLocal 0\nReturn"},
    {"let_leaves_nothing", "PushConst 8\nPushConst 8\nLet 0 7\nReturn"},
    {"let_takes_what_lies_below", "PushConst 8\nPushConst 8\nLet 0 8\nNot\nAnd\nReturn"},
    {"let_backward", "PushConst 8\nLet 0 0\nLoadLocal 0\nReturn"},
    {"let_without_argument", "Let 0 5\nLoadLocal 0\nReturn"},
    {"let_slot_outside", "PushConst 8\nLet 16 7\nLoadLocal 16\nReturn"},
    {"let_slot_in_use", "PushConst 8\nLet 0 12\nPushConst 8\nLet 0 12\nLoadLocal 0\nReturn"},
    {"let_of_another_type", "PushConst 7\nLet 0 7\nLoadLocal 0\nReturn"},
    {"let_and_a_result_of_another_type", "PushConst 8\nLet 0 7\nPushConst 7\nReturn"},
    {"jump_into_a_let", "PushConst 8\nSkipIfTrue 9\nLet 0 10\nLoadLocal 0\nNot\nReturn"},
    {"jump_out_of_a_let", "PushConst 8\nLet 0 9\nLoadLocal 0\nSkipIfTrue 10\nNot\nReturn"},
    {"next_within_a_let",
     "LoadResource\nResourceAttr 0 2\nQuantBegin 0 0 17\nPushConst 8\nLet 1 17\nLoadLocal "
     "1\nQuantNext 8\nReturn"},
    {"attribute_of_another_type", "LoadResource\nResourceAttr 2 0\nIsKnown\nReturn"},
    {"parent_of_another_type", "LoadResource\nResourceParent 2\nIsKnown\nReturn"},
    {"id_of_another_type", "ResourceIs 1\nReturn"},
    {"path_of_a_plain_key", "ResourceInPath 10\nReturn"},
    {"task_where_there_is_none", "LoadTaskParam 0\nIsKnown\nReturn"},
    {"pattern_as_a_value", "PushConst 5\nIsKnown\nReturn"},
    {"pattern_of_the_other_form", "PushConst 4\nMatches 5\nReturn"},
    {"order_of_strings", "PushConst 4\nPushConst 4\nLt\nReturn"},
    {"two_types_compared", "PushConst 4\nPushConst 7\nEq\nReturn"},
    {"money_times_money", "PushConst 3\nPushConst 3\nMul\nPushConst 3\nEq\nReturn"},
    {"builtin_arguments", "PushConst 4\nCallBuiltin 0 1\nReturn"},
    {"builtin_types", "PushConst 4\nPushConst 7\nCallBuiltin 0 2\nReturn"},
    {"set_of_two_types", "PushConst 4\nPushConst 4\nPushConst 7\nMakeSet 2\nIn\nReturn"},
    {"record_field", "LoadPerson\nPersonAttr 2\nRecordField 2\nIsKnown\nReturn"},
};
INSTANTIATE_TEST_SUITE_P(Opcodes, BadFlow, testing::ValuesIn(kBad),
                         [](const auto& bad) { return std::string(bad.param.name); });

// Parameters of functions: bodies within bodies that end together, jumps to the end of a body,
// loops around and within.
TEST(Opcodes, LetsNest) {
  for (const char* listing : {
           "PushConst 8\nLet 0 17\nPushConst 7\nLet 1 17\nLoadLocal 0\nSkipIfTrue 17\nLoadLocal "
           "0\nOr\nReturn",
           "PushConst 8\nLet 0 7\nLoadLocal 0\nPushConst 8\nLet 0 14\nLoadLocal 0\nAnd\nReturn",
           "LoadResource\nResourceAttr 0 2\nQuantBegin 0 0 19\nLoadLocal 0\nLet 1 17\nLoadLocal "
           "1\nLoadPerson\nEq\nQuantNext 8\nReturn",
           "PushConst 8\nLet 0 17\nLoadResource\nResourceAttr 0 2\nQuantBegin 1 1 17\nLoadLocal "
           "0\nQuantNext 13\nReturn",
       }) {
    uint32_t at = 0;
    Program program = With("", listing, &at);
    Status status = VerifyProgram(program);
    EXPECT_TRUE(status.ok()) << listing << "\n" << status.error().message;
  }
}

TEST(Opcodes, UnknownWordIsRefused) {
  Program program = SampleProgram();
  program.code[program.codes[3].offset] = static_cast<uint32_t>(kOpcodeCount);
  Status status = VerifyProgram(program);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, "bundle.code");
}

TEST(Opcodes, SetsNestOnlySoDeep) {
  std::string listing = "PushConst 7\n";
  for (int i = 0; i < 40; ++i) listing += "MakeSet 1\n";
  uint32_t at = 0;
  Program program = With("", listing + "IsKnown\nReturn", &at);
  EXPECT_FALSE(VerifyProgram(program).ok());
}

TEST(Opcodes, StackOfSixtyFourIsTheMost) {
  for (int depth : {64, 65}) {
    std::string listing;
    for (int i = 0; i < depth; ++i) listing += "PushConst 8\n";
    for (int i = 1; i < depth; ++i) listing += "And\n";
    uint32_t at = 0;
    Program program = With("", listing + "Return", &at);
    program.codes[at].max_stack = static_cast<uint16_t>(depth);
    EXPECT_EQ(VerifyProgram(program).ok(), depth == 64);
  }
}

TEST(Opcodes, CostCountsALoopAThousandTimes) {
  auto cost = [](std::string_view listing) { return Assemble(listing)->cost; };
  uint32_t flat = cost("PushConst 8\nNot\nReturn");
  EXPECT_EQ(flat, 3u);
  // LoadResource 1, ResourceAttr 2, QuantBegin 4, then 1024 × (PushConst 1 + QuantNext 4), Return 1
  EXPECT_EQ(
      cost("LoadResource\nResourceAttr 0 2\nQuantBegin 0 0 12\nPushConst 8\nQuantNext 8\nReturn"),
      1u + 2 + 4 + 1024 * 5 + 1);
  std::string nested;
  for (int i = 0; i < 5; ++i) nested += "LoadResource\nResourceAttr 0 2\nQuantBegin 0 0 0\n";
  EXPECT_EQ(cost(nested + "PushConst 8\nReturn"), UINT32_MAX);
}

TEST(Assembler, SaysWhatIsWrong) {
  auto error = [](std::string_view text) { return Assemble(text).error(); };
  EXPECT_EQ(error("LoadPerson\nNothing").line, 2u);
  EXPECT_EQ(error("PushConst").code, "assemble");
  EXPECT_EQ(error("PushConst x").code, "assemble");
  EXPECT_EQ(error("PushConst 1 2").code, "assemble");
  EXPECT_EQ(error("4 PushConst 1").code, "assemble");
  EXPECT_TRUE(Assemble("; nothing\n\n").ok());
}

}  // namespace
}  // namespace dpl
