// What was in force is kept as long as something needs it, and goes with the segments that named
// it.
#include <filesystem>

#include "runtime/audit/decision_entry.h"
#include "runtime/audit/vault.h"
#include "runtime/base/clock.h"
#include "tests/unit/audit/logs.h"

namespace dpl {
namespace {

namespace fs = std::filesystem;

class Inputs : public ::testing::Test {
 protected:
  void SetUp() override {
    Result<std::unique_ptr<AuditVault>> vault =
        AuditVault::Open({.folder = folder_.path(), .start = "s1"});
    ASSERT_TRUE(vault.ok()) << vault.error().message;
    vault_ = vault.take();
  }
  std::string Save(std::string_view bytes, bool old = true) {
    Result<std::string> digest = vault_->Save(bytes);
    EXPECT_TRUE(digest.ok());
    if (old) fs::last_write_time(Path(*digest), fs::file_time_type::clock::now() - kLongAgo);
    return *digest;
  }
  std::string Path(const std::string& digest) const {
    return folder_.path() + "/inputs/" + digest.substr(7) + ".sealed";
  }
  bool There(const std::string& digest) const { return fs::exists(Path(digest)); }

  static constexpr std::chrono::hours kLongAgo{50};
  TemporaryFolder folder_;
  std::unique_ptr<AuditVault> vault_;
};

TEST_F(Inputs, WhatNothingNeedsGoes) {
  const std::string named = Save("named"), held = Save("held"), before = Save("held before");
  const std::string long_before = Save("held long before"), unused = Save("unused");
  const std::string young = Save("young", false), again = Save("again");
  ASSERT_TRUE(vault_->Save("again").ok());  // that makes it young
  // A link to a link: facts that were pushed twice.
  const std::string document = Save("document"), one = Save("change 1"), two = Save("change 2");
  const std::string first = Save("{\"base\":\"" + document + "\",\"change\":\"" + one + "\"}");
  const std::string second = Save("{\"base\":\"" + first + "\",\"change\":\"" + two + "\"}");
  const std::string other = Save("{\"base\":\"" + document + "\",\"change\":\"" + unused + "\"}");
  vault_->Hold({long_before});
  vault_->Hold({before});
  vault_->Hold({held, "", second});
  auto is_named = [&](std::string_view digest) { return digest == named; };
  ASSERT_TRUE(vault_->ForgetInputs(is_named).ok());
  for (const std::string& kept :
       {named, held, before, young, again, document, one, two, first, second})
    EXPECT_TRUE(There(kept)) << *vault_->Load(kept);
  for (const std::string& gone : {long_before, unused, other}) EXPECT_FALSE(There(gone));
  EXPECT_EQ(*vault_->Load(second), "{\"base\":\"" + first + "\",\"change\":\"" + two + "\"}");
}

TEST_F(Inputs, WhatCannotBeLookedIntoKeepsEverything) {
  const std::string unused = Save("unused"), link = Save("{\"base\":\"x\"}");
  vault_->Hold({link});
  std::ofstream(Path(link), std::ios::binary) << "something else";
  EXPECT_FALSE(vault_->ForgetInputs([](std::string_view) { return false; }).ok());
  EXPECT_TRUE(There(unused));
}

// Through the log: by retention, and with what is left looked through once.
TEST_F(Inputs, TheyGoWithTheSegmentsThatNamedThem) {
  const std::string early = Save("early"), late = Save("late"), both = Save("both");
  const Instant start = ParseInstant("2026-11-20T12:00Z").value();
  FakeClock clock(start);
  auto log = OpenLog({.folder = folder_.path(), .segment_bytes = 2000, .clock = &clock});
  log->SetRenderer(std::make_unique<DecisionRecords>(vault_.get(), true));
  auto fill = [&](const std::string& digest) {
    for (int i = 0; i < 30; ++i) {
      log->Append(R"({"kind":"test","a":")" + digest + R"(","b":")" + both + "\"}");
      ASSERT_TRUE(log->Sync().ok());
    }
  };
  fill(early);
  clock.Advance(Duration{kMicrosPerDay});
  fill(late);
  Result<uint64_t> removed = log->Prune(Instant{start.us + kMicrosPerDay / 2}, "a test");
  ASSERT_TRUE(removed.ok()) << removed.error().message;
  EXPECT_GT(*removed, 0u);
  // One segment has both days, and stays.
  EXPECT_TRUE(There(early) && There(late) && There(both));
  clock.Advance(Duration{kMicrosPerDay});
  fill("none");
  ASSERT_TRUE(log->Prune(Instant{start.us + kMicrosPerDay / 2 * 3}, "a test").ok());
  EXPECT_FALSE(There(early));
  EXPECT_TRUE(There(late) && There(both));
  size_t beside = 0, segments = 0;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder_.path())) {
    beside += entry.path().extension() == ".inputs" ? 1 : 0;
    segments += entry.path().extension() == ".jsonl" ? 1 : 0;
  }
  EXPECT_EQ(beside, segments - 1);  // the sealed ones; those of what is gone went along
  EXPECT_TRUE(log->Health().error.empty()) << log->Health().error;
}

}  // namespace
}  // namespace dpl
