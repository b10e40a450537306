// Damage is refused or told, with its place: cut tails, bent bytes, foreign files, other formats.
#include <algorithm>

#include "tests/unit/state/durable.h"

namespace dpl {
namespace {

struct Damaged : ::testing::Test {
  Damaged() {
    auto store = Open(folder.path());
    for (int i = 0; i < 100; ++i) {
      One(store.get(), "c" + std::to_string(i), 1).Commit();
      EXPECT_TRUE(store->Sync().ok());
    }
    log = FileOf(folder.path(), "log-");
    store.reset();
    bytes = ReadBytes(log);
    used = bytes.find_last_not_of('\0') + 1;
  }
  int Found() {
    auto store = Open(folder.path());
    int found = 0;
    for (int i = 0; store != nullptr && i < 100; ++i)
      found += store->Used(Total("c" + std::to_string(i)), At(0)) == 1 ? 1 : 0;
    return found;
  }
  TemporaryFolder folder;
  std::string log, bytes;
  size_t used = 0;
};

TEST_F(Damaged, ATailCutAnywhereGivesTheLastWholeGroup) {
  // Through the last two groups; each cut loses exactly the groups it touches.
  size_t group = (used - kStateHeader) / 100;
  int before = 100;
  for (size_t cut = used - 1; cut > used - 2 * group; cut -= 3) {
    WriteBytes(log, bytes.substr(0, cut));
    int found = Found();
    ASSERT_LE(found, before);
    ASSERT_GE(found, 97);
    before = found;
    // Cut by a write that did not finish: zeros behind it.
    std::string zeros = bytes;
    std::fill(zeros.begin() + static_cast<std::ptrdiff_t>(cut), zeros.end(), '\0');
    WriteBytes(log, zeros);
    ASSERT_GE(Found(), found);  // the bytes cut off may have been zeros
  }
  EXPECT_LE(before, 98);
}

TEST_F(Damaged, WhatIsWrittenAfterACutTailIsGood) {
  WriteBytes(log, bytes.substr(0, used - 20));
  auto store = Open(folder.path());
  EXPECT_GT(store->recovered().torn_bytes, 0u);
  One(store.get(), "after", 1).Commit();
  ASSERT_TRUE(store->Sync().ok());
  store.reset();
  store = Open(folder.path());
  EXPECT_EQ(store->recovered().torn_bytes, 0u);
  EXPECT_EQ(store->Used(Total("after"), At(0)), 1);
  EXPECT_EQ(store->Used(Total("c98"), At(0)), 1);
  EXPECT_EQ(store->Used(Total("c99"), At(0)), 0);
}

TEST_F(Damaged, NothingOfACutTailStaysBehindWhatIsWrittenAfterIt) {
  {
    TestDisk disk;
    auto store = Open(folder.path(), &disk);
    disk.mode = TestDisk::Mode::kHeld;
    // The first is on its way; what comes while it waits is written together.
    const int before = disk.writes;
    One(store.get(), "large", 1).Commit();
    while (disk.writes == before) std::this_thread::yield();
    for (int i = 0; i < 50; ++i) One(store.get(), "large", 1).Commit();
    disk.mode = TestDisk::Mode::kGood;
    ASSERT_TRUE(store->Sync().ok());
  }
  bytes = ReadBytes(log);
  WriteBytes(log, bytes.substr(0, bytes.find_last_not_of('\0') - 20));
  auto store = Open(folder.path());
  EXPECT_GT(store->recovered().torn_bytes, 1000u);
  One(store.get(), "after", 1).Commit();
  ASSERT_TRUE(store->Sync().ok());
  store.reset();
  store = Open(folder.path());
  EXPECT_EQ(store->recovered().torn_bytes, 0u);
  EXPECT_EQ(store->Used(Total("after"), At(0)), 1);
}

TEST_F(Damaged, AnyByteOfTheMiddleIsRefusedWithItsPlace) {
  size_t middle = kStateHeader + (used - kStateHeader) / 100 * 40;
  for (size_t at = middle; at < middle + 200; at += 3) {
    std::string flipped = bytes;
    flipped[at] = static_cast<char>(flipped[at] ^ 0x41);
    WriteBytes(log, flipped);
    Result<std::unique_ptr<DurableStore>> store = DurableStore::Open({.folder = folder.path()});
    if (store.ok()) {  // the padding between two groups holds nothing
      ASSERT_EQ(bytes[at], '\0');
      (*store).reset();
      ASSERT_EQ(Found(), 100);
      continue;
    }
    ASSERT_EQ(store.error().code, "state.corrupt");
    ASSERT_NE(store.error().message.find("at byte"), std::string::npos);
    ASSERT_NE(store.error().message.find(log), std::string::npos);
  }
}

TEST_F(Damaged, SalvageKeepsWhatCanBeReadAndTellsWhatNot) {
  std::string flipped = bytes;
  size_t at = kStateHeader + (used - kStateHeader) / 100 * 40 + 60;
  flipped[at] = static_cast<char>(flipped[at] ^ 0x41);
  WriteBytes(log, flipped);
  EXPECT_EQ(Refused(folder.path()).code, "state.corrupt");
  Result<std::unique_ptr<DurableStore>> store =
      DurableStore::Open({.folder = folder.path(), .salvage = true});
  ASSERT_TRUE(store.ok()) << store.error().message;
  ASSERT_EQ((*store)->recovered().lost.size(), 1u);
  EXPECT_NE((*store)->recovered().lost[0].find("at byte"), std::string::npos);
  int found = 0;
  for (int i = 0; i < 100; ++i)
    found += (*store)->Used(Total("c" + std::to_string(i)), At(0)) == 1 ? 1 : 0;
  EXPECT_EQ(found, 99);
  EXPECT_NE(FileOf(folder.path(), "damaged-log-"), "");
  One(store->get(), "after", 1).Commit();
  ASSERT_TRUE((*store)->Sync().ok());
  (*store).reset();
  EXPECT_EQ(Found(), 99);  // and it opens without salvage from then on
}

TEST_F(Damaged, ANewerAndAnOlderFormatAreRefusedByName) {
  constexpr int kOurs = static_cast<int>(kStateFormat);
  constexpr int kOldest = static_cast<int>(kOldestStateFormat);
  for (int format : {0, kOldest - 1, kOurs + 1, 255}) {
    std::string other = bytes;
    other[12] = static_cast<char>(format);
    WriteBytes(log, other);
    Error error = Refused(folder.path());
    EXPECT_EQ(error.code, "state.version");
    EXPECT_NE(error.message.find("format " + std::to_string(format)), std::string::npos);
    EXPECT_EQ(error.message.find("newer") != std::string::npos, format > kOurs);
  }
}

TEST_F(Damaged, ForeignFilesAndMissingOnesAreRefused) {
  WriteBytes(log, "something else altogether, and long enough for a header");
  EXPECT_EQ(Refused(folder.path()).code, "state.corrupt");
  WriteBytes(log, bytes);
  fs::rename(log, folder.path() + "/log-0000000000000009");
  EXPECT_EQ(Refused(folder.path()).code, "state.corrupt");
}

TEST(DamagedImage, IsRefusedAndCanBeSalvaged) {
  TemporaryFolder folder;
  {
    Result<std::unique_ptr<DurableStore>> store =
        DurableStore::Open({.folder = folder.path(), .log_bytes = 4096});
    ASSERT_TRUE(store.ok());
    for (int i = 0; i < 200; ++i) {
      One(store->get(), "c" + std::to_string(i), 1).Commit();
      ASSERT_TRUE((*store)->Sync().ok());
    }
    (*store)->TidyForTest();
  }
  std::string image = FileOf(folder.path(), "image-");
  ASSERT_NE(image, "");
  std::string bytes = ReadBytes(image);
  for (size_t at : {size_t{3}, size_t{40}, bytes.size() / 2, bytes.size() - 12}) {
    std::string flipped = bytes;
    flipped[at] = static_cast<char>(flipped[at] ^ 0x41);
    WriteBytes(image, flipped);
    EXPECT_EQ(Refused(folder.path()).code, "state.corrupt") << at;
  }
  WriteBytes(image, bytes.substr(0, bytes.size() / 2));
  EXPECT_EQ(Refused(folder.path()).code, "state.corrupt");
  WriteBytes(image, bytes.substr(0, bytes.size() - kFrameHeader - 16));  // only its end is missing
  EXPECT_EQ(Refused(folder.path()).code, "state.corrupt");
  fs::remove(image);
  EXPECT_EQ(Refused(folder.path()).code, "state.corrupt");  // the log does not begin at group 1
  WriteBytes(image, bytes);
  EXPECT_NE(Open(folder.path()), nullptr);
  std::string log = FileOf(folder.path(), "log-"), groups = ReadBytes(log);
  fs::remove(log);
  EXPECT_EQ(Refused(folder.path()).code, "state.corrupt");  // nothing to go on with
  WriteBytes(log, groups);
  WriteBytes(image, bytes.substr(0, bytes.size() / 2));
  Result<std::unique_ptr<DurableStore>> store =
      DurableStore::Open({.folder = folder.path(), .salvage = true});
  ASSERT_TRUE(store.ok()) << store.error().message;
  EXPECT_FALSE((*store)->recovered().lost.empty());
}

}  // namespace
}  // namespace dpl
