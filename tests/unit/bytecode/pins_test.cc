// What code promises of values before it is run, and the table that is made of it. That the
// promises are kept is tests/laws/narrow_test.cc's.
#include <algorithm>
#include <random>

#include <gtest/gtest.h>

#include "runtime/bytecode/opcode.h"
#include "tests/unit/bytecode/sample.h"

namespace dpl {
namespace {

using Kind = PinPath::Kind;

Pins PinsOfWhere(std::string_view listing, uint32_t type = Sample::kDocument) {
  Program program = SampleProgram();
  Clause clause;
  clause.statement = 0;
  clause.type = type;
  clause.where_code = AddCode(&program, listing);
  return PinsOf(program, clause);
}

std::vector<PinPath> Paths(const Pins& pins) {
  std::vector<PinPath> paths;
  for (const Pin& pin : pins) paths.push_back(pin.path);
  return paths;
}
std::vector<PinPath> PathsOfWhere(std::string_view listing) { return Paths(PinsOfWhere(listing)); }

TEST(Pins, AreFoundForEachWayToCompareWithAConstant) {
  const std::pair<const char*, std::vector<PinPath>> kCases[] = {
      {"LoadResource\nResourceAttr 0 1\nPushConst 4\nEq\nReturn", {{Kind::kResourceAttr, 1}}},
      {"PushConst 4\nLoadResource\nResourceAttr 0 1\nEq\nReturn", {{Kind::kResourceAttr, 1}}},
      {"LoadResource\nResourceAttr 0 1\nPushConst 12\nIn\nReturn", {{Kind::kResourceAttr, 1}}},
      {"PushConst 4\nLoadResource\nResourceAttr 0 1\nIn\nReturn", {{Kind::kResourceSet, 1}}},
      {"LoadPerson\nPersonAttr 0\nPushConst 4\nEq\nReturn", {{Kind::kPersonAttr, 0}}},
      {"LoadContext 0\nPushConst 4\nEq\nReturn", {{Kind::kContext, 0}}},
      {"PushConst 4\nLoadContext 0\nIn\nReturn", {{Kind::kContextSet, 0}}},
      {"LoadParam 7\nPushConst 7\nEq\nReturn", {{Kind::kParam, 7}}},
      {"LoadPerson\nPushConst 0\nEq\nReturn", {{Kind::kPerson, 0}}},
      {"LoadPerson\nEntityKey\nPushConst 4\nEq\nReturn", {{Kind::kPerson, 0}}},
      {"LoadResource\nPushConst 11\nEq\nReturn", {{Kind::kResource, 0}}},
      {"LoadResource\nPushConst 1\nIn\nReturn", {{Kind::kAbove, 0}}},
      {"LoadPerson\nInTeam 0\nReturn", {{Kind::kTeam, 0}}},
      {"LoadPerson\nInRole 0\nReturn", {{Kind::kRole, 0}}},
      {"SubjTeam 0\nReturn", {{Kind::kSubjectTeam, 0}}},
      {"SubjRole 0\nReturn", {{Kind::kSubjectRole, 0}}},
      {"SubjPerson 0\nReturn", {{Kind::kSubject, 0}}},
      {"ResourceIs 11\nReturn", {{Kind::kResource, 0}, {Kind::kAbove, 0}}},
      {"ResourceIn 1\nReturn", {{Kind::kAbove, 0}}},
  };
  for (const auto& [listing, paths] : kCases) EXPECT_EQ(PathsOfWhere(listing), paths) << listing;
}

TEST(Pins, AreNotFoundWhereFalseDoesNotFollow) {
  for (const char* listing : {
           // another currency is ⊥, not F
           "LoadParam 7\nPushConst 3\nEq\nReturn",
           // other relations, and what is turned round
           "LoadResource\nResourceAttr 0 1\nPushConst 4\nNe\nReturn",
           "LoadResource\nResourceAttr 0 1\nPushConst 4\nEq\nNot\nReturn",
           // the parent's attribute, an attribute of another type
           "LoadResource\nResourceAttr 2 0\nPushConst 4\nEq\nReturn",
           "LoadResource\nResourceParent 0\nPushConst 1\nEq\nReturn",
           // containers within a set are looked into
           "PushConst 1\nLoadResource\nResourceAttr 0 1\nIn\nReturn",
           // whoever it is, beneath that person
           "LoadPerson\nPushConst 0\nIn\nReturn",
           // two different paths, either of which may hold
           "LoadPerson\nPersonAttr 0\nPushConst 4\nEq\nLoadContext 0\nPushConst 4\nEq\nOr\nReturn",
           // the body of a quantifier
           "LoadResource\nResourceAttr 0 2\nQuantBegin 0 1 15\nLoadLocal 1\nPushConst 0\nEq\n"
           "QuantNext 8\nReturn",
           // one way leads past it
           "PushConst 8\nBranch 13 13\nLoadPerson\nPersonAttr 0\nPushConst 4\nEq\nJump 15\n"
           "PushConst 8\nReturn",
       })
    EXPECT_EQ(PathsOfWhere(listing), std::vector<PinPath>()) << listing;
}

TEST(Pins, OfBothAndEither) {
  // a == x and b == x: each alone makes it F.
  EXPECT_EQ(PathsOfWhere("LoadPerson\nPersonAttr 0\nPushConst 4\nEq\nSkipIfFalse 14\nLoadContext "
                         "0\nPushConst 4\nEq\nAnd\nReturn"),
            (std::vector<PinPath>{{Kind::kPersonAttr, 0}, {Kind::kContext, 0}}));
  // a == 4 or a == 7: both values.
  Pins pins = PinsOfWhere(
      "LoadContext 0\nPushConst 4\nEq\nSkipIfTrue 13\nLoadContext 0\nPushConst 7\nEq\nOr\nReturn");
  ASSERT_EQ(pins.size(), 1u);
  EXPECT_EQ(pins[0].values.size(), 2u);
  // Of two lists for one value the shorter stands.
  pins =
      PinsOfWhere("LoadContext 0\nPushConst 12\nIn\nLoadContext 0\nPushConst 4\nEq\nAnd\nReturn");
  ASSERT_EQ(pins.size(), 1u);
  EXPECT_EQ(pins[0].values.size(), 1u);
}

TEST(Pins, OfAFunctionsArgumentAreNotItsResults) {
  // An argument that is ⊥ is the result, and that is not F.
  EXPECT_EQ(PathsOfWhere("LoadContext 0\nLet 0 10\nLoadLocal 0\nPushConst 4\nEq\nReturn"),
            std::vector<PinPath>());
}

TEST(Pins, AnyWordsAreFollowedSafely) {
  std::mt19937 random(7);
  Program program = SampleProgram();
  Clause clause;
  clause.statement = 0;
  clause.type = Sample::kDocument;
  clause.where_code = static_cast<uint32_t>(program.codes.size());
  Code code;
  code.offset = static_cast<uint32_t>(program.code.size());
  program.codes.push_back(code);
  size_t pinned = 0;
  for (int round = 0; round < 100'000; ++round) {
    program.code.resize(code.offset);
    const size_t words = 1 + random() % 24;
    for (size_t i = 0; i < words; ++i)
      program.code.push_back(random() % 8 == 0 ? random()
                                               : random() % static_cast<uint32_t>(kOpcodeCount));
    program.code.push_back(static_cast<uint32_t>(Opcode::kReturn));
    program.codes.back().size = static_cast<uint32_t>(program.code.size()) - code.offset;
    for (const Pin& pin : PinsOf(program, clause)) {
      ++pinned;
      EXPECT_TRUE(std::is_sorted(pin.values.begin(), pin.values.end()));
    }
  }
  EXPECT_GT(pinned, 0u);
}

TEST(Narrow, PutsEachClauseUnderTheValueThatFewestShare) {
  const PinPath department{Kind::kResourceAttr, 0}, state{Kind::kResourceAttr, 1};
  // Clause i: department i, one state for all; 20 promises nothing, 21 is never true.
  std::vector<Pins> pins(22);
  std::vector<uint32_t> clauses;
  for (uint32_t i = 0; i < 22; ++i) {
    clauses.push_back(i);
    if (i < 20) pins[i] = {{department, {PinValue(int64_t{i})}}, {state, {PinValue(int64_t{1})}}};
  }
  pins[19] = {{department, {PinValue(int64_t{3}), PinValue(int64_t{5})}}};
  std::sort(pins[19][0].values.begin(), pins[19][0].values.end());
  std::optional<Narrowing> n = Narrow(
      clauses, [&](uint32_t clause) -> const Pins& { return pins[clause]; }, 4);
  ASSERT_TRUE(n.has_value());
  ASSERT_EQ(n->paths.size(), 1u);
  EXPECT_EQ(n->paths[0].path, department);
  auto list = [](std::span<const uint32_t> range) {
    return std::vector<uint32_t>(range.begin(), range.end());
  };
  EXPECT_EQ(list(n->Find(n->paths[0], PinValue(int64_t{3}))), (std::vector<uint32_t>{3, 19}));
  EXPECT_EQ(list(n->Find(n->paths[0], PinValue(int64_t{4}))), (std::vector<uint32_t>{4}));
  EXPECT_TRUE(n->Find(n->paths[0], PinValue(int64_t{77})).empty());
  EXPECT_EQ(n->paths[0].all.count, 20u);
  EXPECT_EQ(list(n->Of(n->rest)), (std::vector<uint32_t>{20, 21}));
  EXPECT_FALSE(Narrow(
                   std::span(clauses).subspan(20),
                   [&](uint32_t clause) -> const Pins& { return pins[clause]; }, 1)
                   .has_value());
}

}  // namespace
}  // namespace dpl
