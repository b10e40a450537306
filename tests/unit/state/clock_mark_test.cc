// What is known of the clock, in a file and back.
#include "runtime/state/clock_mark.h"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "tests/support/temporary_folder.h"

namespace dpl {
namespace {

constexpr ClockGuard::Trusted kTrusted{5'000'000, 1'763'000'000'000'000};

TEST(ClockMark, IsReadAsItWasWritten) {
  TemporaryFolder folder;
  Result<std::optional<ClockMark>> none = ReadClockMark(folder.path());
  ASSERT_TRUE(none.ok());
  EXPECT_FALSE(none->has_value());
  for (int64_t ahead : {kTrusted.ahead_us, int64_t{-7}, INT64_MIN, INT64_MAX}) {
    ASSERT_TRUE(WriteClockMark(folder.path(), {"a-boot", {kTrusted.monotonic_us, ahead}}).ok());
    Result<std::optional<ClockMark>> mark = ReadClockMark(folder.path());
    ASSERT_TRUE(mark.ok() && mark->has_value());
    EXPECT_EQ((*mark)->boot, "a-boot");
    EXPECT_EQ((*mark)->trusted.monotonic_us, kTrusted.monotonic_us);
    EXPECT_EQ((*mark)->trusted.ahead_us, ahead);
  }
}

TEST(ClockMark, NoByteOfItCanBeChanged) {
  TemporaryFolder folder;
  const std::string path = folder.path() + "/clock";
  ASSERT_TRUE(WriteClockMark(folder.path(), {"a-boot", kTrusted}).ok());
  const std::string good = *ReadFile(path);
  auto refused = [&](const std::string& bytes) {
    std::ofstream(path, std::ios::binary) << bytes;
    Result<std::optional<ClockMark>> mark = ReadClockMark(folder.path());
    return !mark.ok() && mark.error().code == "state.corrupt";
  };
  for (size_t at = 0; at < good.size(); ++at) {
    std::string bad = good;
    bad[at] ^= 1;
    EXPECT_TRUE(refused(bad)) << at;
    EXPECT_TRUE(refused(good.substr(0, at))) << at;
  }
  EXPECT_TRUE(refused(good + "\n"));
}

TEST(ClockMark, TheMachineNamesItsRun) {
  EXPECT_EQ(BootId().size(), 36u);
  EXPECT_EQ(BootId(), BootId());
}

}  // namespace
}  // namespace dpl
