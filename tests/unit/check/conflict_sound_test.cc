// DPL0501 is never silent on two grants that one request can join (closing rule 39).
//
// Pairs of grants are drawn from a small vocabulary and checked. Then every request of the
// vocabulary's small world is tried by a plain evaluator of its own: one that both grants are for
// must have been reported.
#include <array>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "compiler/check/check.h"
#include "compiler/syntax/parse.h"

namespace dpl::check {
namespace {

constexpr const char* kHead = R"(package acme.pay owned by team finance
timezone "America/New_York"
granted 2026-10-01
review every 90d
enum Region { emea, amer }
person { key id: string has region: Region has level: int }
team finance { owner person "E1" }
team clerks { within team finance }
role buyer
role chief { includes role buyer }
system app
activity spend { measure amount: money must be limited limits must agree }
resource Order in app { has region: Region has vendor: string has level: int can pay is spend can settle is spend can read { amount: money } }
)";

// A person of the small world: what they hold is any set of these.
struct Person {
  std::string id;
  bool finance, clerks, buyer, chief;
  int region, level;
};
struct Thing {
  std::string id, vendor;
  int region, level;
};

// What a grant is for.
struct Side {
  int subject = 0;  // kSubjects
  int actions = 0;  // bits: pay, settle
  bool id = false;
  int id_value = 0;
  std::vector<std::array<int, 3>> tests;  // attribute, operator, value
  int amount = 5;
};

constexpr std::array<const char*, 7> kSubjects = {"team finance", "team clerks",   "role buyer",
                                                  "role chief",   "person \"E1\"", "person \"E2\"",
                                                  "everyone"};
constexpr std::array<const char*, 4> kAttributes = {"resource.region", "person.region",
                                                    "resource.vendor", "resource.level"};
constexpr std::array<const char*, 2> kRegions = {"emea", "amer"};

std::string ValueText(int attribute, int value) {
  if (attribute < 2) return kRegions[static_cast<size_t>(value % 2)];
  if (attribute == 2) return "\"V" + std::to_string(value % 3) + "\"";
  return std::to_string(value % 3);
}

std::string TestText(const std::array<int, 3>& test) {
  std::string path = kAttributes[static_cast<size_t>(test[0])];
  std::string value = ValueText(test[0], test[2]);
  switch (test[1]) {
    case 0:
      return path + " == " + value;
    case 1:
      return path + " != " + value;
    case 2:
      return path + " in { " + value + ", " + ValueText(test[0], test[2] + 1) + " }";
    case 3:
      return "(" + path + " == " + value + " or " + path +
             " == " + ValueText(test[0], test[2] + 1) + ")";
    case 4:
      return value + " == " + path;
    default:
      return "not (" + path + " == " + value + ")";
  }
}

bool TestHolds(const std::array<int, 3>& test, const Person& person, const Thing& thing) {
  int have = test[0] == 0   ? thing.region
             : test[0] == 1 ? person.region
             : test[0] == 2 ? thing.vendor[1] - '0'
                            : thing.level;
  int of = test[0] < 2 ? 2 : 3;
  bool first = have == test[2] % of, second = have == (test[2] + 1) % of;
  switch (test[1]) {
    case 0:
    case 4:
      return first;
    case 1:
    case 5:
      return !first;
    default:
      return first || second;
  }
}

bool Means(int subject, const Person& p) {
  switch (subject) {
    case 0:
      return p.finance || p.clerks;
    case 1:
      return p.clerks;
    case 2:
      return p.buyer || p.chief;
    case 3:
      return p.chief;
    case 4:
      return p.id == "E1";
    case 5:
      return p.id == "E2";
    default:
      return true;
  }
}

std::string GrantText(const std::string& name, const Side& side) {
  std::string text =
      "grant " + name + " { to " + kSubjects[static_cast<size_t>(side.subject)] + " may ";
  text += side.actions == 1 ? "pay" : side.actions == 2 ? "settle" : "pay, settle";
  text += " on app.Order";
  if (side.id) text += " \"O" + std::to_string(side.id_value) + "\"";
  for (size_t i = 0; i < side.tests.size(); ++i)
    text += (i == 0 ? " where " : " and ") + TestText(side.tests[i]);
  return text + " limit amount to " + std::to_string(side.amount) +
         " USD each because \"Payments of this band\" }\n";
}

std::vector<Person> People() {
  std::vector<Person> people;
  for (int bits = 0; bits < 16; ++bits) {
    for (const char* id : {"E1", "E2", "E3"}) {
      for (int region = 0; region < 2; ++region) {
        people.push_back(
            {id, (bits & 1) != 0, (bits & 2) != 0, (bits & 4) != 0, (bits & 8) != 0, region, 0});
      }
    }
  }
  return people;
}

std::vector<Thing> Things() {
  std::vector<Thing> things;
  for (const char* id : {"O0", "O1"}) {
    for (const char* vendor : {"V0", "V1", "V2"}) {
      for (int region = 0; region < 2; ++region) {
        for (int level = 0; level < 3; ++level) things.push_back({id, vendor, region, level});
      }
    }
  }
  return things;
}

bool IsFor(const Side& side, const Person& person, const Thing& thing, int action) {
  if ((side.actions & action) == 0 || !Means(side.subject, person)) return false;
  if (side.id && thing.id != "O" + std::to_string(side.id_value)) return false;
  for (const auto& test : side.tests) {
    if (!TestHolds(test, person, thing)) return false;
  }
  return true;
}

bool Joined(const Side& a, const Side& b) {
  static const std::vector<Person> kPeople = People();
  static const std::vector<Thing> kThings = Things();
  for (const Person& person : kPeople) {
    if (!Means(a.subject, person) || !Means(b.subject, person)) continue;
    for (const Thing& thing : kThings) {
      for (int action : {1, 2}) {
        if (IsFor(a, person, thing, action) && IsFor(b, person, thing, action)) return true;
      }
    }
  }
  return false;
}

// 0501 as it was given: nothing, a warning, an error.
std::optional<Severity> Told(const std::string& text) {
  SourceSet sources;
  DiagnosticSink sink;
  std::vector<std::unique_ptr<ast::File>> files;
  files.push_back(Parse(sources.Add("p.dpl", text), &sink).file);
  Model model;
  Check(files, sources, {}, &sink, &model);
  std::optional<Severity> told;
  for (const Diagnostic& d : sink.Sorted()) {
    if (d.code == DPL0501) told = d.severity;
    EXPECT_TRUE(d.code == DPL0501 || d.severity == Severity::Warning) << d.message << "\n" << text;
  }
  return told;
}

TEST(ConflictSoundness, NoSilenceOnAPairThatARequestCanJoin) {
  std::mt19937 random(20261122);
  auto pick = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
  int joined = 0, silent = 0;
  for (int round = 0; round < 1000; ++round) {
    Side sides[2];
    for (Side& side : sides) {
      side.subject = pick(7);
      side.actions = 1 + pick(3);
      side.id = pick(4) == 0;
      side.id_value = pick(2);
      for (int n = pick(3); n > 0; --n) side.tests.push_back({pick(4), pick(6), pick(3)});
    }
    sides[1].amount = 9;
    std::string text = kHead + GrantText("a", sides[0]) + GrantText("b", sides[1]);
    std::optional<Severity> told = Told(text);
    bool meet = Joined(sides[0], sides[1]);
    joined += meet ? 1 : 0;
    silent += told ? 0 : 1;
    ASSERT_TRUE(told || !meet) << text;
    // The same subject can never be settled by data alone.
    if (meet && sides[0].subject == sides[1].subject) {
      ASSERT_EQ(*told, Severity::Error) << text;
    }
  }
  // The world is neither always nor never joined, and the checker not merely loud.
  EXPECT_GT(joined, 150);
  EXPECT_GT(silent, 50);
}

// One instant is two days in two places.
TEST(ConflictSoundness, LocalTimesOfTwoPackagesExcludeNothing) {
  std::string grants =
      std::string(kHead) +
      "grant a { to role buyer may pay on app.Order where now.date == 2026-11-20 limit amount to 5 "
      "USD each because \"One day\" }\n"
      "grant b { to role buyer may pay on app.Order where now.date == 2026-11-21 limit amount to 9 "
      "USD each because \"The day after\" }\n";
  EXPECT_EQ(Told(grants), Severity::Error);
}

}  // namespace
}  // namespace dpl::check
