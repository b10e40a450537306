// The log under fault: crashes at every byte, kills, a full disk, short writes, a failed sync, a
// full buffer, a clock that steps back. What was promised is there; what was not is told.
#include <algorithm>
#include <condition_variable>
#include <cstdlib>
#include <thread>

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "runtime/audit/segment.h"
#include "runtime/audit/verify.h"
#include "tests/unit/audit/logs.h"

namespace dpl {
namespace {

namespace fs = std::filesystem;

const std::string kFirst = "/" + SegmentName(0, AuditFile::kLines);

AuditVerification Verify(const std::string& folder) {
  Result<AuditVerification> done = VerifyAudit({.folder = folder});
  EXPECT_TRUE(done.ok()) << done.error().message;
  return done.ok() ? done.take() : AuditVerification{};
}

void ExpectIntact(const std::string& folder) {
  for (const AuditFinding& f : Verify(folder).findings)
    ADD_FAILURE() << f.code << " " << f.file << ":" << f.line << ": " << f.message;
}

// The files as a kill at this moment would leave them.
void CopyFiles(const std::string& from, const std::string& to) {
  fs::remove_all(to);
  fs::copy(from, to, fs::copy_options::recursive);
}

size_t CountOf(const std::vector<std::string>& records, std::string_view part) {
  return static_cast<size_t>(std::count_if(records.begin(), records.end(), [&](const auto& r) {
    return r.find(part) != std::string::npos;
  }));
}

template <class Condition>
void WaitFor(const Condition& condition) {
  while (!condition()) std::this_thread::yield();
}

// ---------------------------------------------------------------- crashes

class Crash : public ::testing::Test {
 protected:
  // Two groups: three records that were promised, and five that were not when the crash came.
  Crash() {
    auto log = OpenLog({.folder = live_.path()});
    for (int i = 0; i < 3; ++i) log->Append(Numbered(i));
    EXPECT_TRUE(log->Sync().ok());
    CopyFiles(live_.path(), folder_.path());
    promised_ = Lines(ReadBytes(folder_.path() + kFirst));
    for (int i = 3; i < 8; ++i) log->Append(Numbered(i));
    EXPECT_TRUE(log->Sync().ok());
    written_ = Lines(ReadBytes(live_.path() + kFirst));
  }
  static std::string Lines(const std::string& bytes) {
    return bytes.substr(0, bytes.find_last_of('\n') + 1);
  }
  TemporaryFolder live_, folder_, trial_;
  std::string promised_, written_;
};

TEST_F(Crash, AtEveryByteOfAnAppendLosesNothingThatWasPromised) {
  const size_t step = std::getenv("DPL_AUDIT_EVERY_BYTE") != nullptr ? 1 : 29;
  for (size_t size = promised_.size(); size <= written_.size(); size += step) {
    CopyFiles(folder_.path(), trial_.path());
    // Behind what was written stand the zeros that were there before.
    WriteBytes(trial_.path() + kFirst, written_.substr(0, size) + std::string(4096, '\0'));
    OpenLog({.folder = trial_.path()})->Append(Numbered(100));
    std::vector<std::string> records = Records(trial_.path());
    const auto whole = static_cast<size_t>(
        std::count(written_.begin(), written_.begin() + static_cast<std::ptrdiff_t>(size), '\n'));
    ASSERT_EQ(records.size(), whole + 3) << size;  // opened, the new one, closed
    for (size_t i = 0; i + 1 < whole; ++i) EXPECT_EQ(records[i + 1], Numbered(static_cast<int>(i)));
    const size_t cut = size - Lines(written_.substr(0, size)).size();
    EXPECT_NE(records[whole].find("\"cut_bytes\":" + std::to_string(cut) + "}"), std::string::npos)
        << records[whole];
    ExpectIntact(trial_.path());
  }
}

TEST_F(Crash, BlocksOfOneWriteMayArriveInAnyOrder) {
  const size_t step = std::getenv("DPL_AUDIT_EVERY_BYTE") != nullptr ? 1 : 37;
  for (size_t at = promised_.size(); at + 40 < written_.size(); at += step) {
    CopyFiles(folder_.path(), trial_.path());
    std::string bytes = written_;
    std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(at), 40, '\0');
    WriteBytes(trial_.path() + kFirst, bytes);
    OpenLog({.folder = trial_.path()});
    EXPECT_GE(Records(trial_.path()).size(), 6u);
    EXPECT_EQ(CountOf(Records(trial_.path()), "\"cut_bytes\":0"), 1u);  // only the first start
    ExpectIntact(trial_.path());
  }
}

TEST_F(Crash, DamageToWhatWasPromisedIsRefusedWithItsPlace) {
  for (size_t at = 0; at < promised_.size(); at += 41) {
    for (char value : {'\0', 'x'}) {
      CopyFiles(folder_.path(), trial_.path());
      std::string bytes = written_;
      bytes[at] = bytes[at] == value ? 'y' : value;
      WriteBytes(trial_.path() + kFirst, bytes + std::string(4096, '\0'));
      Error error = Refused({.folder = trial_.path()});
      EXPECT_EQ(error.code, "audit.damaged") << at;
      const auto line =
          std::count(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(at), '\n') + 1;
      EXPECT_GE(error.line, line);
      EXPECT_LE(error.line, line + 1) << error.message;
    }
  }
}

TEST_F(Crash, WhatWasSignedMustBeThere) {
  CopyFiles(live_.path(), trial_.path());
  OpenLog({.folder = trial_.path()});  // signs at its end
  const std::string bytes = ReadBytes(trial_.path() + kFirst);
  WriteBytes(trial_.path() + kFirst, Lines(bytes.substr(0, bytes.size() - 2)));
  EXPECT_EQ(Refused({.folder = trial_.path()}).code, "audit.damaged");
  WriteBytes(trial_.path() + kFirst, bytes);
  fs::rename(trial_.path() + "/checkpoint", trial_.path() + "/away");
  EXPECT_EQ(Refused({.folder = trial_.path()}).code, "audit.damaged");
  fs::rename(trial_.path() + "/away", trial_.path() + "/checkpoint");
  fs::rename(trial_.path() + "/log.key", trial_.path() + "/away");
  EXPECT_EQ(Refused({.folder = trial_.path()}).code, "audit.key");
  WriteBytes(trial_.path() + "/log.key", Ed25519Key::Generate().ToPem());
  EXPECT_EQ(Refused({.folder = trial_.path()}).code, "audit.key");
  fs::rename(trial_.path() + "/away", trial_.path() + "/log.key");
  OpenLog({.folder = trial_.path()});
  ExpectIntact(trial_.path());
}

TEST_F(Crash, AnythingAddedAfterTheEndIsNotTakenForTheLogs) {
  CopyFiles(live_.path(), trial_.path());
  OpenLog({.folder = trial_.path()});
  const std::string bytes = ReadBytes(trial_.path() + kFirst);
  // A line that fits the chain, made without the key.
  const std::string last = bytes.substr(bytes.rfind('\n', bytes.size() - 2) + 1);
  const std::string seq = std::to_string(Verify(trial_.path()).size);
  const std::string line = "{\"seq\":" + seq + ",\"group\":true,\"time\":\"" +
                           last.substr(last.find("\"time\":\"") + 8, 27) + "\",\"prev\":\"" +
                           Base64(MerkleLeaf(std::string_view(last).substr(0, last.size() - 1))) +
                           "\",\"record\":{\"forged\":true}}\n";
  WriteBytes(trial_.path() + kFirst, bytes + line);
  EXPECT_EQ(Verify(trial_.path()).findings.size(), 1u);
  EXPECT_EQ(Refused({.folder = trial_.path()}).code, "audit.damaged");
}

TEST(AuditSegments, ACrashWhileOneIsSealedLosesNothing) {
  TemporaryFolder folder, trial;
  {
    auto log = OpenLog({.folder = folder.path(), .segment_bytes = 2000});
    for (int i = 0; i < 30; ++i) {
      log->Append(Numbered(i));
      ASSERT_TRUE(log->Sync().ok());
    }
  }
  Result<std::vector<SegmentFiles>> segments = ListSegments(folder.path());
  ASSERT_TRUE(segments.ok());
  ASSERT_GT(segments->size(), 2u);
  const uint64_t last = segments->back().first, sealed = (*segments)[segments->size() - 2].first;
  auto path = [&](uint64_t first, AuditFile file) {
    return trial.path() + "/" + SegmentName(first, file);
  };
  for (int state = 0; state < 3; ++state) {
    CopyFiles(folder.path(), trial.path());
    fs::remove(trial.path() + "/checkpoint");
    // As it was when the segment was sealed: nothing behind it, and an older checkpoint.
    Result<AuditPublicKey> key = ReadPublicKey(trial.path());
    ASSERT_TRUE(key.ok());
    Result<AuditSeal> before = ReadSeal(trial.path(), segments->front().first, *key);
    ASSERT_TRUE(before.ok());
    Result<Ed25519Key> signer = Ed25519Key::FromPem(ReadBytes(trial.path() + "/log.key"));
    ASSERT_TRUE(signer.ok());
    WriteBytes(trial.path() + "/checkpoint",
               SignCheckpoint({key->name, before->size, before->edge.Root(), {}}, *signer));
    if (state == 0) {  // the next one made, this one not sealed
      WriteBytes(path(last, AuditFile::kLines), std::string(4096, '\0'));
      WriteBytes(path(last, AuditFile::kHashes), "");
      fs::remove(path(sealed, AuditFile::kSeal));
    } else if (state == 1) {  // sealed, the next one lost
      fs::remove(path(last, AuditFile::kLines));
      fs::remove(path(last, AuditFile::kHashes));
    } else {  // sealed, the next one empty
      WriteBytes(path(last, AuditFile::kLines), "");
      fs::remove(path(last, AuditFile::kHashes));
    }
    ExpectIntact(trial.path());
    Result<AuditVerification> verified = VerifyAudit({.folder = trial.path()});
    ASSERT_TRUE(verified.ok());
    size_t told = 0;
    for (const std::string& note : verified->notes)
      told += note.find("there is no seal") != std::string::npos ? 1 : 0;
    EXPECT_EQ(told, state == 0 ? 1u : 0u);
    OpenLog({.folder = trial.path()})->Append(Numbered(100));
    std::vector<std::string> records = Records(trial.path());
    EXPECT_EQ(records.size(), last + 3) << state;
    EXPECT_EQ(records[last + 1], Numbered(100));
    ExpectIntact(trial.path());
  }
}

// A process that appends and says what it was promised, killed in the middle of it.
TEST(Kills, NoAuditRecordThatWasPromisedIsLost) {
  const char* many = std::getenv("DPL_KILLS");
  const int trials = many != nullptr ? std::atoi(many) : 4;
  TemporaryFolder folder;
  int promised = 0;
  for (int trial = 0; trial < trials; ++trial) {
    int pipe_fds[2];
    ASSERT_EQ(pipe(pipe_fds), 0);
    pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      close(pipe_fds[0]);
      auto log = AuditLog::Open({.folder = folder.path(), .segment_bytes = 20'000});
      if (!log.ok()) _exit(2);
      for (int n = promised;; ++n) {
        (void)(*log)->Append(Numbered(-1));
        if ((*log)->Append(Numbered(n), AuditSync::kNow) == 0 || !(*log)->Sync().ok()) _exit(3);
        if (write(pipe_fds[1], &n, sizeof n) != sizeof n) _exit(4);
      }
    }
    close(pipe_fds[1]);
    // Not by time, which a busy machine stretches: after so many promises, and a little.
    const int enough = 3 + trial * 7 % 40;
    int n = promised - 1, got = 0;
    while (got < enough && read(pipe_fds[0], &n, sizeof n) == sizeof n) ++got;
    ASSERT_EQ(kill(child, SIGKILL), 0);
    while (read(pipe_fds[0], &n, sizeof n) == sizeof n) ++got;
    close(pipe_fds[0]);
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << WEXITSTATUS(status);
    promised = n + 1;
    ExpectIntact(folder.path());
    std::vector<std::string> records = Records(folder.path());
    for (int i = promised - got; i < promised; ++i)
      ASSERT_GE(CountOf(records, "\"n\":" + std::to_string(i) + ","), 1u) << i;
    ++promised;  // the one after may be there without a promise
  }
  OpenLog({.folder = folder.path()});
  ExpectIntact(folder.path());
}

// ---------------------------------------------------------------- disks

TEST(AuditDisk, WhenItIsFullNothingIsTakenUntilTheSameWriteSucceeds) {
  TemporaryFolder folder;
  FailingDisk disk;
  {
    auto log = OpenLog({.folder = folder.path(), .retry_ms = 1, .disk = &disk});
    log->Append(Numbered(0));
    ASSERT_TRUE(log->Sync().ok());
    disk.full = true;
    uint64_t ticket = log->Append(Numbered(1), AuditSync::kNow);
    ASSERT_NE(ticket, 0u);
    WaitFor([&] { return !log->Writable(); });
    EXPECT_EQ(log->Check(ticket), Promise::kBroken);
    EXPECT_EQ(log->Check(ticket - 1), Promise::kKept);
    EXPECT_FALSE(log->Sync().ok());
    EXPECT_EQ(log->Append(Numbered(2)), 0u);
    EXPECT_EQ(log->Append(Numbered(3)), 0u);
    EXPECT_FALSE(log->Health().writable);
    EXPECT_NE(log->Health().error.find("No space left"), std::string::npos);
    EXPECT_EQ(log->Health().refused, 2u);
    disk.full = false;
    WaitFor([&] { return log->Check(ticket) == Promise::kKept; });
    WaitFor([&] { return log->Writable(); });
    EXPECT_NE(log->Append(Numbered(4)), 0u);
    ASSERT_TRUE(log->Sync().ok());
    EXPECT_TRUE(log->Health().error.empty());
  }
  std::vector<std::string> records = Records(folder.path());
  EXPECT_EQ(CountOf(records, "\"kind\":\"test\""), 3u);
  EXPECT_EQ(CountOf(records, "\"event\":\"gap\",\"refused\":2,"), 1u);
  ExpectIntact(folder.path());
}

TEST(AuditDisk, ShortWritesAreFinished) {
  TemporaryFolder folder;
  FailingDisk disk;
  {
    auto log = OpenLog({.folder = folder.path(), .segment_bytes = 2000, .disk = &disk});
    disk.write_at_most = 1000;  // a megabyte is written ahead, too
    for (int i = 0; i < 30; ++i) {
      log->Append(Numbered(i));
      if (i % 5 == 4 && !log->Sync().ok()) ADD_FAILURE();
    }
  }
  EXPECT_EQ(Records(folder.path()).size(), 32u);
  ExpectIntact(folder.path());
}

TEST(AuditDisk, AfterAFailedSyncTheLogStaysFailedUntilItIsOpenedAgain) {
  TemporaryFolder folder;
  FailingDisk disk;
  for (AuditMode mode : {AuditMode::kRequired, AuditMode::kAvailable}) {
    disk.sync_fails = false;
    auto log = OpenLog({.folder = folder.path(), .mode = mode, .retry_ms = 1, .disk = &disk});
    log->Append(Numbered(0));
    ASSERT_TRUE(log->Sync().ok());
    disk.sync_fails = true;
    uint64_t ticket = log->Append(Numbered(1), AuditSync::kNow);
    WaitFor([&] { return !log->Writable(); });
    disk.sync_fails = false;
    WaitFor([&] { return log->Append(Numbered(2)) == 0; });
    EXPECT_EQ(log->Check(ticket), Promise::kBroken);
    EXPECT_FALSE(log->Writable());
    log->Close();
    EXPECT_EQ(log->Check(ticket), Promise::kBroken);
  }
  OpenLog({.folder = folder.path()});
  ExpectIntact(folder.path());
}

TEST(AuditDisk, AtTheLimitOfFileSizesTheProcessLivesAndTheLogVerifies) {
  TemporaryFolder folder;
  pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    signal(SIGXFSZ, SIG_IGN);
    rlimit limit{(1 << 20) + 10'000, (1 << 20) + 10'000};
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0) _exit(2);
    auto log = AuditLog::Open({.folder = folder.path(), .retry_ms = 1});
    if (!log.ok()) _exit(3);
    do {
      for (int n = 0; n < 50; ++n) (void)(*log)->Append(Numbered(n));
    } while ((*log)->Sync().ok());
    _exit((*log)->Append(Numbered(-1)) == 0 && !(*log)->Sync().ok() ? 0 : 4);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
  ExpectIntact(folder.path());
  EXPECT_GT(Records(folder.path()).size(), 1000u);
  OpenLog({.folder = folder.path()});
  ExpectIntact(folder.path());
}

// ---------------------------------------------------------------- buffer, clock

TEST(AuditBuffer, WhenItIsFullModeAvailableCountsWhatItDropsAndRecordsTheGap) {
  TemporaryFolder folder;
  FailingDisk disk;
  uint64_t taken = 0, dropped = 0;
  {
    auto log = OpenLog({.folder = folder.path(),
                        .mode = AuditMode::kAvailable,
                        .retry_ms = 1,
                        .buffer_bytes = 4096,
                        .disk = &disk});
    ASSERT_TRUE(log->Sync().ok());
    disk.full = true;
    for (int i = 0; dropped < 25; ++i) ++(log->Append(Numbered(i)) != 0 ? taken : dropped);
    EXPECT_GT(taken, 40u);  // it goes on taking as long as there is room
    EXPECT_EQ(log->Health().dropped, dropped);
    disk.full = false;
    ASSERT_TRUE((WaitFor([&] { return log->Writable(); }), true));
    WaitFor([&] { return log->Sync().ok(); });
  }
  std::vector<std::string> records = Records(folder.path());
  EXPECT_EQ(CountOf(records, "\"kind\":\"test\""), taken);
  EXPECT_EQ(CountOf(records, "\"event\":\"gap\",\"dropped\":" + std::to_string(dropped) + ","), 1u);
  ExpectIntact(folder.path());
}

TEST(AuditClock, AStepBackIsVisibleAndReordersNothing) {
  TemporaryFolder folder;
  FakeClock clock(Instant{1'800'000'000'000'000});
  {
    auto log = OpenLog({.folder = folder.path(), .clock = &clock});
    for (int i = 0; i < 4; ++i) {
      log->Append(Numbered(i));
      clock.Set(Instant{1'800'000'000'000'000 - i * kMicrosPerHour});
    }
  }
  std::vector<std::string> records = Records(folder.path());
  for (int i = 0; i < 4; ++i) EXPECT_EQ(records[static_cast<size_t>(i) + 1], Numbered(i));
  AuditVerification done = Verify(folder.path());
  EXPECT_TRUE(done.findings.empty());
  EXPECT_EQ(std::count_if(done.notes.begin(), done.notes.end(),
                          [](const auto& n) { return n.find("clock went back") != n.npos; }),
            1);
}

}  // namespace
}  // namespace dpl
