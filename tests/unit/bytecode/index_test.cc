// The index, the tables of opcodes and builtins, and look-ups by name.
#include <random>
#include <set>

#include <gtest/gtest.h>

#include "runtime/bytecode/builtin.h"
#include "runtime/bytecode/opcode.h"
#include "tests/unit/bytecode/sample.h"

namespace dpl {
namespace {

TEST(Index, HoldsClausesByTypeActionRoleAndKey) {
  Program program = SampleProgram();
  ASSERT_EQ(program.index_base, (std::vector<uint32_t>{0, 2, 3}));
  using Items = std::vector<IndexEntry::Item>;
  auto items = [&](uint32_t type, uint32_t action, ClauseRole role) {
    return program.EntryOf(type, action).items[static_cast<size_t>(role)];
  };
  EXPECT_EQ(items(Sample::kDocument, 0, ClauseRole::kGrantMay),
            (Items{{{KeyKind::kTeam, 0}, 0}, {{KeyKind::kRole, 1}, 0}}));
  EXPECT_EQ(
      items(Sample::kDocument, 1, ClauseRole::kGrantMay),
      (Items{{{KeyKind::kTeam, 0}, 0}, {{KeyKind::kRole, 1}, 0}, {{KeyKind::kEveryone, 0}, 2}}));
  EXPECT_EQ(items(Sample::kDocument, 1, ClauseRole::kForbidCovers),
            (Items{{{KeyKind::kAny, 0}, 4}, {{KeyKind::kAgent, 0}, 5}}));
  EXPECT_EQ(items(Sample::kFile, 0, ClauseRole::kGrantMay),
            (Items{{{KeyKind::kPerson, Sample::kPersonE1}, 1}}));
  EXPECT_TRUE(items(Sample::kFolder, 0, ClauseRole::kGrantMay).empty());
  EXPECT_EQ(program.EntryOf(Sample::kFolder, 0).cost, 0u);
  EXPECT_GT(program.EntryOf(Sample::kDocument, 0).cost, program.EntryOf(Sample::kFile, 0).cost / 2);
}

TEST(Index, BuiltTwiceIsTheSame) {
  Program program = SampleProgram();
  std::vector<IndexEntry> before = program.index;
  BuildIndex(&program);
  ASSERT_EQ(program.index.size(), before.size());
  for (size_t i = 0; i < before.size(); ++i) EXPECT_EQ(program.index[i].items, before[i].items);
  EXPECT_EQ(program.agent_statements, (std::vector<uint32_t>{4}));
}

// Whatever gaps the ids have, and whatever kinds stand beside them.
TEST(Index, FindsTheRunOfAKey) {
  std::mt19937 random(11);
  const size_t role = static_cast<size_t>(ClauseRole::kGrantMay);
  for (int round = 0; round < 400; ++round) {
    std::set<SubjectKey> keys;
    const size_t count = random() % 80;
    const uint32_t spread = 1u << random() % 31;
    const auto kinds = static_cast<uint32_t>(1 + random() % 3);
    for (size_t i = 0; i < count; ++i) {
      const uint32_t id = static_cast<uint32_t>(round % 3 == 0 ? i : random() % spread);
      keys.insert({static_cast<KeyKind>(1 + random() % kinds), id});
    }
    IndexEntry entry;
    for (const SubjectKey& key : keys) entry.runs[role].push_back({key, 0, 1, kNone});
    auto look = [&](SubjectKey key) {
      const IndexEntry::Run* run = entry.FindRun(ClauseRole::kGrantMay, key);
      EXPECT_EQ(run != nullptr, keys.contains(key)) << round;
      if (run != nullptr) {
        EXPECT_EQ(run->key, key);
      }
      const IndexEntry::Run* near = entry.FetchRun(ClauseRole::kGrantMay, key);
      if (near == nullptr) return;
      EXPECT_GE(near, entry.runs[role].data());
      EXPECT_LT(near, entry.runs[role].data() + entry.runs[role].size());
    };
    for (const SubjectKey& key : keys) {
      look(key);
      look({key.kind, key.id + 1});
      look({key.kind, key.id - 1});
    }
    for (uint32_t kind = 0; kind < 9; ++kind) {
      look({static_cast<KeyKind>(kind), 0});
      look({static_cast<KeyKind>(kind), UINT32_MAX});
      look({static_cast<KeyKind>(kind), static_cast<uint32_t>(random() % spread)});
    }
  }
}

TEST(Builtins, SignaturesAreRead) {
  const BuiltinInfo* info = FindBuiltin("starts_with");
  ASSERT_NE(info, nullptr);
  EXPECT_EQ(info->params, (std::vector<TypeKind>{TypeKind::kString, TypeKind::kString}));
  EXPECT_EQ(info->result, TypeKind::kBool);
  EXPECT_EQ(FindBuiltin("size")->params, std::vector<TypeKind>{TypeKind::kSet});
  EXPECT_EQ(FindBuiltin("date_of")->result, TypeKind::kDate);
  EXPECT_EQ(FindBuiltin("nothing"), nullptr);
  for (int i = 0; i < kBuiltinCount; ++i)
    EXPECT_FALSE(InfoOf(static_cast<Builtin>(i)).params.empty());
}

TEST(Opcodes, AreFoundByTheirNames) {
  for (int i = 0; i < kOpcodeCount; ++i) {
    const OpcodeInfo& info = InfoOf(static_cast<Opcode>(i));
    EXPECT_EQ(FindOpcode(info.name), static_cast<Opcode>(i));
    EXPECT_EQ(OpcodeOfWord(static_cast<uint32_t>(i)), static_cast<Opcode>(i));
    EXPECT_GT(info.cost, 0);
  }
  EXPECT_EQ(OpcodeOfWord(static_cast<uint32_t>(kOpcodeCount)), std::nullopt);
  EXPECT_EQ(FindOpcode(""), std::nullopt);
}

TEST(Names, AreFoundInFullOrByTheirEndWhenOnlyOneHasIt) {
  Program program = SampleProgram();
  const Schema& schema = program.schema;
  EXPECT_EQ(FindTeam(schema, "acme.docs.staff"), 1u);
  EXPECT_EQ(FindTeam(schema, "staff"), 1u);
  EXPECT_EQ(FindTeam(schema, "taff"), kNone);
  EXPECT_EQ(FindRole(schema, "viewer"), 2u);
  EXPECT_EQ(FindSystem(schema, "docs"), 0u);
  EXPECT_EQ(FindResource(schema, "docs.File"), Sample::kFile);
  EXPECT_EQ(FindAction(schema.resources[0], schema, "read"), 1u);
  EXPECT_EQ(FindAction(schema.resources[0], schema, "nothing"), kNone);
}

}  // namespace
}  // namespace dpl
