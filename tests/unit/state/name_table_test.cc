// The table that is read without a lock, and the names in it.
#include "runtime/state/name_table.h"

#include <atomic>
#include <map>
#include <memory>
#include <set>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace dpl {
namespace {

#if defined(__SANITIZE_THREAD__)
constexpr int kLess = 20;  // of what one thread does: that sanitizer makes it fifty times slower
#else
constexpr int kLess = 1;
#endif

constexpr std::string_view kUuid = "0193c4e2-7d1a-7000-8000-00000000abcd";

std::string Pack(std::string_view name, Words* words = nullptr) {
  std::string packed;
  PackName(name, words, &packed);
  return packed;
}

TEST(PackedName, ComesBackAsItWas) {
  Words words;
  const std::string header(kCounterHeader, '\x1f');
  std::vector<std::string> names = {
      "",
      "a",
      std::string("\0\x1b\x1c\x1d\x1e\x1f\xff", 7),
      std::string(kUuid),
      "run-" + std::string(kUuid) + std::string(kUuid) + "-",
      "0193C4E2-7D1A-7000-8000-00000000ABCD",
      "0193c4e2-7d1a-7000-8000-00000000abc",
      "0193c4e2-7d1a-7000-8000_00000000abcd",
      std::string(300, '\x1c'),
      header + "acme.calls/hour/instance\x1fi41:acme.assistant\x1fi63:" + std::string(kUuid),
      header + "acme.calls/hour/instance\x1fi41:acme.assistant\x1fi63:" + std::string(36, 'x'),
      header + "acme.calls/hour/instance\x1fp",
      header + "\x1f",
      header + "no parts",
  };
  for (Words* with : {static_cast<Words*>(nullptr), &words}) {
    std::set<std::string> different;
    for (const std::string& name : names) {
      const std::string packed = Pack(name, with);
      std::string back;
      UnpackName(packed, with, &back);
      EXPECT_EQ(back, name);
      different.insert(packed);
      for (const std::string& other : names)
        EXPECT_EQ(PackedEquals(packed, with, other), other == name) << other;
      EXPECT_FALSE(PackedEquals(packed, with, name + "x"));
    }
    EXPECT_EQ(different.size(), names.size());
  }
}

TEST(PackedName, IsShort) {
  EXPECT_EQ(Pack(kUuid).size(), 17u);
  Words words;
  const std::string name =
      std::string(kCounterHeader, 'h') +
      "acme.calls/hour/instance\x1fi41:acme.assistant\x1fi63:" + std::string(kUuid);
  EXPECT_EQ(Pack(name, &words).size(), 20u);
}

TEST(PackedName, AWordIsForgottenWithItsLastName) {
  Words words;
  std::vector<std::string> packed;
  for (int i = 0; i < 300; ++i) {
    for (int twice = 0; twice < 2; ++twice) {
      packed.push_back(Pack(std::string(kCounterHeader, 'h') + "limit" + std::to_string(i) +
                                "\x1fp2:E" + std::to_string(twice),
                            &words));
    }
  }
  EXPECT_EQ(words.size(), 300u);
  for (const std::string& one : packed) DropPacked(one, &words);
  EXPECT_EQ(words.size(), 0u);
  EXPECT_EQ(words.Hold("again"), words.Hold("again"));
}

// Against a map, through every way of growing.
class Either : public ::testing::TestWithParam<NameTable<int>::Readers> {};
INSTANTIATE_TEST_SUITE_P(NameTable, Either,
                         ::testing::Values(NameTable<int>::Readers::kGuarded,
                                           NameTable<int>::Readers::kLocked));
TEST_P(Either, HoldsWhatAMapHolds) {
  TableHome home;
  NameTable<int> table(&home, GetParam());
  std::map<std::string, int> map;
  uint64_t random = 7;
  for (int i = 0; i < 200'000 / kLess; ++i) {
    random = random * 6364136223846793005ull + 1442695040888963407ull;
    const std::string name = std::to_string(random >> 48);
    switch (random >> 40 & 3) {
      case 0:
        EXPECT_EQ(table.Erase(name), map.erase(name) != 0);
        break;
      case 1:
        EXPECT_EQ(table.Emplace(name, i).second, map.try_emplace(name, i).second);
        break;
      default:
        table.Put(name, i);
        map[name] = i;
    }
    if (i % 1000 == 0) {
      table.SweepSome(64, [](int value) { return value % 3 == 0; });
      std::map<std::string, int> left;
      table.ForEach([&](const NameTable<int>::Entry& e) { left[table.Name(e)] = e.value; });
      for (const auto& [key, value] : map) EXPECT_TRUE(left.contains(key) || value % 3 == 0);
      map = left;
    }
    ASSERT_EQ(table.size(), map.size());
  }
  EXPECT_GT(map.size(), 10'000u / kLess);
  for (const auto& [name, value] : map) {
    ASSERT_NE(table.Find(name), nullptr);
    EXPECT_EQ(table.Find(name)->value, value);
  }
  table.SweepAll([](int) { return true; });
  EXPECT_TRUE(table.empty());
}

TEST(NameTable, ASweepComesByEverything) {
  TableHome home;
  NameTable<int> table(&home);
  for (int i = 0; i < 5000; ++i) table.Emplace(std::to_string(i), i);
  for (int i = 0; i < 5000 && !table.empty(); ++i) table.SweepSome(16, [](int) { return true; });
  EXPECT_TRUE(table.empty());
}

TEST(NameTable, AWalkMeetsOnceWhatStays) {
  TableHome home;
  NameTable<int> table(&home);
  for (int i = 0; i < 1000; ++i) table.Emplace("stays" + std::to_string(i), i);
  std::multiset<std::string> met;
  uint64_t from = 0;
  int n = 0;
  do {
    from = table.Walk(from, [&](const NameTable<int>::Entry& e) { met.insert(table.Name(e)); });
    for (int i = 0; i < 3000 / kLess; ++i) table.Emplace("comes" + std::to_string(n++), n);
  } while (from != 0);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(met.count("stays" + std::to_string(i)), 1u) << i;
}

// What a reader holds is freed behind its back by nobody, and everything is in the end.
struct Counted {
  explicit Counted(std::atomic<int>* l, int n) : live(l), number(n), check(~n) { ++*live; }
  ~Counted() {
    --*live;
    number = check = 0;
  }
  std::atomic<int>* live;
  int number, check;
};

TEST(NameTable, ReadersSeeWholeEntriesBesideAWriter) {
  std::atomic<int> live{0};
  {
    TableHome home;
    NameTable<Counted> table(&home);
    for (int i = 0; i < 100; ++i) table.Emplace("stays" + std::to_string(i), &live, i);
    std::atomic<bool> stop{false};
    std::atomic<int> torn{0}, missing{0}, back{0};
    std::vector<std::thread> readers;
    for (int t = 0; t < 3; ++t) {
      readers.emplace_back([&] {
        int last = 0;
        for (int i = 0; !stop; ++i) {
          ReadGuard guard;
          const auto* moved = table.Find("changes");
          if (moved != nullptr) {
            if (moved->value.number != ~moved->value.check) ++torn;
            if (moved->value.number < last) ++back;
            last = moved->value.number;
          }
          const auto* stays = table.Find("stays" + std::to_string(i % 100));
          if (stays == nullptr || stays->value.number != i % 100) ++missing;
        }
      });
    }
    for (int i = 1; i <= 60'000; ++i) {
      table.Put("changes", &live, i);
      table.Emplace("comes" + std::to_string(i), &live, i);
      if (i % 3 != 0) table.Erase("comes" + std::to_string(i - 1));
    }
    stop = true;
    for (std::thread& reader : readers) reader.join();
    EXPECT_EQ(torn, 0);
    EXPECT_EQ(missing, 0);
    EXPECT_EQ(back, 0);
    for (int i = 0; i < 100; ++i) table.Put("changes", &live, i);
    EXPECT_LT(live, static_cast<int>(table.size()) + 100) << "what nobody reads is freed";
  }
  EXPECT_EQ(live, 0);
}

TEST(Retired, WaitsForWhoeverMayStillLook) {
  static std::atomic<int> freed;
  freed = 0;
  Retired retired;
  int thing = 0;
  auto free = [](void*, void*) { ++freed; };
  std::atomic<int> step{0};
  std::thread reader([&] {
    ReadGuard guard;
    { ReadGuard inner; }
    step = 1;
    while (step != 2) std::this_thread::yield();
  });
  while (step != 1) std::this_thread::yield();
  for (int i = 0; i < 1000; ++i) retired.Add(&thing, free, nullptr);
  EXPECT_EQ(freed, 0);
  step = 2;
  reader.join();
  for (int i = 0; i < 3000; ++i) retired.Add(&thing, free, nullptr);
  EXPECT_GE(freed, 1000);
}

}  // namespace
}  // namespace dpl
