// What is kept of tasks changes no decision: beside a scratch that keeps nothing, over tasks that
// come and go, and over facts that change.
#include "runtime/decide/kept_tasks.h"

#include <string>

#include <gtest/gtest.h>

#include "tests/unit/decide/world.h"

namespace dpl {
namespace {

constexpr std::string_view kPolicy = R"dpl(
package t owned by team staff
granted 2026-10-01
review every 180d
person { key id: string }
team staff { owner person "E1" }
system app { owner team staff }
resource Folder in app { has open: bool  can list }
resource Doc in app { within app.Folder  can read }
grant reading { to team staff  may read on app.Doc  because "Staff read" }
agent helper {
  accountable person "E1"  purpose "Reads for people"  runs as spiffe "spiffe://acme.example/helper"  may read on app.Doc  lives at most 1h
}
task tidy(source: app.Folder) { for agent helper  may read on app.Doc in source where source.open  lasts at most 2h  nothing else }
task sweep(folders: set<app.Folder>) { for agent helper  may read on app.Doc where some f in folders satisfies (resource in f)  lasts at most 2h  nothing else }
delegation help { from team staff  to agent helper  consent by policy  because "Reading may be handed to software" }
)dpl";

constexpr int kFolders = 300;

// Folder Fi holds the document Di; which of them are open is the caller's.
std::string Facts(bool open) {
  std::string out =
      R"({"persons": [{"id": "E1"}, {"id": "E7"}], "teams": {"staff": ["E7"]}, "resources": [)";
  for (int i = 0; i < kFolders; ++i) {
    const std::string n = std::to_string(i);
    out += (i == 0 ? "" : ",") + std::string(R"({"type": "app.Folder", "id": "F)") + n +
           R"(", "attributes": {"open": )" + (open ? "true" : "false") +
           R"(}}, {"type": "app.Doc", "id": "D)" + n +
           R"(", "parent": {"type": "app.Folder", "id": "F)" + n + R"("}})";
  }
  return out + "]}";
}

// Names the world's snapshot without taking it over.
std::shared_ptr<const Snapshot> Named(const World& w) {
  return {w.snapshot.get(), [](const Snapshot*) {}};
}

dpl::Ask Reads(const std::string& doc, const std::string& task) {
  return Ask().Person("E7").Agent("helper").Does("read", "app.Doc", doc).Task(task);
}

class Kept : public testing::Test {
 protected:
  Kept() : w(kPolicy, Facts(true)) {
    for (int i = 0; i < kFolders; ++i) Open("one" + std::to_string(i), "tidy", "source", Id(i));
  }
  static std::string Id(int i) { return "F" + std::to_string(i); }
  void Open(const std::string& id, const char* shape, const char* name, std::string value) {
    TaskRecord task;
    task.id = id;
    task.shape = std::string("t.") + shape;
    task.person = "E7";
    task.agent = "t.helper";
    task.args = {{name, std::move(value)}};
    task.opened = w.now;
    task.expires = Instant{w.now.us + kMicrosPerHour};
    ASSERT_TRUE(w.store.OpenTask(task).ok());
  }
  // By a scratch that keeps tasks and by one that keeps none.
  std::string Code(const dpl::Ask& ask) {
    const std::string kept(ReasonCode(w.Decide(ask, &keeping, &arena).reason));
    Scratch plain;
    EXPECT_EQ(kept, ReasonCode(w.Decide(ask, &plain, &arena).reason));
    return kept;
  }

  World w;
  Scratch keeping;
  Arena arena;
};

TEST_F(Kept, TasksComeAndGo) {
  std::shared_ptr<const Snapshot> named = Named(w);
  KeepTasksOf(&keeping, named);
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < kFolders; ++i) {
      const std::string task = "one" + std::to_string(i);
      ASSERT_EQ(Code(Reads("D" + std::to_string(i), task)), "permit") << i;
      ASSERT_EQ(Code(Reads("D" + std::to_string((i + 1) % kFolders), task)), "task.out_of_scope");
    }
  }
}

TEST_F(Kept, FactsChange) {
  std::shared_ptr<const Snapshot> named = Named(w);
  KeepTasksOf(&keeping, named);
  EXPECT_EQ(Code(Reads("D1", "one1")), "permit");
  EXPECT_EQ(Code(Reads("D1", "one1")), "permit");
  // Nobody says so: what was kept is of a snapshot that is gone.
  named.reset();
  w.Facts(Facts(false));
  EXPECT_EQ(Code(Reads("D1", "one1")), "task.out_of_scope");
  named = Named(w);
  KeepTasksOf(&keeping, named);
  EXPECT_EQ(Code(Reads("D1", "one1")), "task.out_of_scope");
  EXPECT_EQ(Code(Reads("D1", "one1")), "task.out_of_scope");
  // One after the other lies where it may.
  for (int i = 0; i < 20; ++i) {
    named.reset();
    w.Facts(Facts(i % 2 == 0));
    if (i % 3 == 0) KeepTasksOf(&keeping, named = Named(w));
    EXPECT_EQ(Code(Reads("D1", "one1")), i % 2 == 0 ? "permit" : "task.out_of_scope") << i;
    EXPECT_EQ(Code(Reads("D2", "one2")), i % 2 == 0 ? "permit" : "task.out_of_scope") << i;
  }
}

// Of any size, the longest of which are not kept.
TEST_F(Kept, SetsOfAnySize) {
  std::shared_ptr<const Snapshot> named = Named(w);
  KeepTasksOf(&keeping, named);
  for (int size : {1, 2, 30, 200, 290, kFolders}) {
    std::string set;
    for (int i = 0; i < size; ++i) set += (i == 0 ? "[\"" : ",\"") + Id(i) + "\"";
    const std::string task = "many" + std::to_string(size);
    Open(task, "sweep", "folders", set + "]");
    for (int again = 0; again < 2; ++again) {
      EXPECT_EQ(Code(Reads("D" + std::to_string(size - 1), task)), "permit") << size;
      if (size < kFolders) {
        EXPECT_EQ(Code(Reads("D" + std::to_string(size), task)), "task.out_of_scope") << size;
      }
    }
  }
  // So many that what was kept is forgotten on the way.
  std::string set;
  for (int i = 0; i < 200; ++i) set += (i == 0 ? "[\"" : ",\"") + Id(i) + "\"";
  for (int i = 0; i < 200; ++i) {
    const std::string task = "more" + std::to_string(i);
    Open(task, "sweep", "folders", set + "]");
    EXPECT_EQ(Code(Reads("D" + std::to_string(i), task)), "permit") << i;
    EXPECT_EQ(Code(Reads("D250", task)), "task.out_of_scope") << i;
  }
}

}  // namespace
}  // namespace dpl
