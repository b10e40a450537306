// What others do with a log: prove a record of it, hold it against a checkpoint kept elsewhere,
// remove what is old, and read it on a terminal.
#include <algorithm>

#include "runtime/audit/proof.h"
#include "runtime/audit/segment.h"
#include "runtime/audit/sentence.h"
#include "runtime/audit/vault.h"
#include "runtime/audit/verify.h"
#include "runtime/base/arena.h"
#include "runtime/base/text.h"
#include "runtime/json/json.h"
#include "runtime/json/json_writer.h"
#include "tests/unit/audit/logs.h"

namespace dpl {
namespace {

namespace fs = std::filesystem;

AuditVerification Verify(const std::string& folder, std::vector<NamedCheckpoint> checkpoints = {}) {
  Result<AuditVerification> done =
      VerifyAudit({.folder = folder, .checkpoints = std::move(checkpoints)});
  EXPECT_TRUE(done.ok()) << done.error().message;
  return done.ok() ? done.take() : AuditVerification{};
}

AuditPublicKey KeyOf(const std::string& folder) {
  Result<AuditPublicKey> key = ReadPublicKey(folder);
  EXPECT_TRUE(key.ok());
  return key.ok() ? key.take() : AuditPublicKey{};
}

void Fill(AuditLog* log, int from, int to) {
  for (int i = from; i < to; ++i) {
    log->Append(Numbered(i));
    if (i % 10 == 9 && !log->Sync().ok()) ADD_FAILURE();
  }
}

// ---------------------------------------------------------------- proofs

TEST(AuditProof, EveryRecordIsProvedAndNoOther) {
  TemporaryFolder folder;
  {
    auto log = OpenLog({.folder = folder.path(), .segment_bytes = 2000});
    Fill(log.get(), 0, 60);
  }
  const AuditPublicKey key = KeyOf(folder.path());
  std::vector<std::string> records = Records(folder.path());
  for (size_t i = 0; i < records.size(); ++i) {
    Result<std::string> proof = ProveRecord(folder.path(), i);
    ASSERT_TRUE(proof.ok()) << proof.error().message;
    Result<CheckedProof> checked = CheckProof(*proof, key);
    ASSERT_TRUE(checked.ok()) << checked.error().message;
    EXPECT_EQ(checked->seq, i);
    EXPECT_EQ(checked->record, records[i]);
  }
  EXPECT_EQ(ProveRecord(folder.path(), records.size()).error().code, "audit.unsigned");
  AuditPublicKey other{key.name, Ed25519Key::Generate().public_key()};
  EXPECT_EQ(CheckProof(*ProveRecord(folder.path(), 5), other).error().code, "audit.checkpoint");
}

TEST(AuditProof, AnyChangeOfAProofIsSeen) {
  TemporaryFolder folder;
  {
    auto log = OpenLog({.folder = folder.path()});
    Fill(log.get(), 0, 20);
  }
  const AuditPublicKey key = KeyOf(folder.path());
  const std::string proof = *ProveRecord(folder.path(), 7);
  const std::string record = CheckProof(proof, key)->record;
  for (size_t i = 0; i < proof.size(); ++i) {
    std::string changed = proof;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    Result<CheckedProof> checked = CheckProof(changed, key);
    // White space between the members means nothing.
    EXPECT_TRUE(!checked.ok() || (checked->record == record && checked->seq == 7)) << changed;
    EXPECT_TRUE(i + 1 == proof.size() || !CheckProof(proof.substr(0, i), key).ok());
  }
  for (const char* bad : {"", "{}", "[]", "null", R"({"format":"dpl-audit-proof/1"})"})
    EXPECT_FALSE(CheckProof(bad, key).ok());
}

TEST(AuditProof, ARecordIsProvedWithTheShapeThatItNamesAndNoOther) {
  TemporaryFolder folder;
  {
    auto log = OpenLog({.folder = folder.path()});
    for (const char* text : {"read", "deleted"})
      log->Append(R"({"v":3,"kind":"terms","terms":[],"shapes":[["{\"says\":\"E7 )" +
                  std::string(text) + R"( ",0,"\""]]})");
    log->Append(R"({"v":3,"kind":"decision","s":[1,0],"h":["a1"]})");
    log->Append(R"({"v":3,"kind":"decision","s":[2,0],"h":["a1"]})");
  }
  const AuditPublicKey key = KeyOf(folder.path());
  const std::string read = *ProveRecord(folder.path(), 3), deleted = *ProveRecord(folder.path(), 4);
  Result<CheckedProof> checked = CheckProof(read, key);
  ASSERT_TRUE(checked.ok()) << checked.error().message;
  EXPECT_EQ(checked->seq, 3u);
  EXPECT_EQ(checked->record, R"({"says":"E7 read a1"})");
  const size_t at = read.find("\"shape\""), other = deleted.find("\"shape\"");
  ASSERT_NE(at, std::string::npos);
  EXPECT_FALSE(CheckProof(read.substr(0, at) + deleted.substr(other), key).ok());
  for (size_t i = 0; i < read.size(); ++i) {
    std::string changed = read;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    Result<CheckedProof> result = CheckProof(changed, key);
    // Without its shape (another member's name) the record is what its line says.
    EXPECT_TRUE(!result.ok() || result->record == checked->record ||
                result->record == R"({"v":3,"kind":"decision","s":[1,0],"h":["a1"]})")
        << changed;
  }
}

// ---------------------------------------------------------------- checkpoints kept elsewhere

TEST(AuditCheckpoints, OneKeptElsewhereShowsWhatWasRolledBackOrMadeAnew) {
  TemporaryFolder folder, old, other;
  auto log = OpenLog({.folder = folder.path(), .segment_bytes = 4000});
  Fill(log.get(), 0, 30);
  log->Close();
  const NamedCheckpoint first{"kept/1", ReadBytes(folder.path() + "/checkpoint")};
  fs::remove_all(old.path());
  fs::copy(folder.path(), old.path(), fs::copy_options::recursive);
  log = OpenLog({.folder = folder.path(), .segment_bytes = 4000});
  Fill(log.get(), 30, 90);
  log->Close();
  const NamedCheckpoint second{"kept/2", ReadBytes(folder.path() + "/checkpoint")};
  EXPECT_TRUE(Verify(folder.path(), {first, second}).findings.empty());

  // The folder as it once was: it agrees with itself, and not with the later checkpoint.
  EXPECT_TRUE(Verify(old.path(), {first}).findings.empty());
  AuditVerification done = Verify(old.path(), {second});
  ASSERT_EQ(done.findings.size(), 1u);
  EXPECT_EQ(done.findings[0].code, "missing");
  EXPECT_EQ(done.findings[0].file, "kept/2");
  EXPECT_EQ(done.findings[0].seq, 32u);

  // Another history under the same key.
  for (const char* file : {"log.key", "log.pub"})
    fs::copy_file(old.path() + "/" + file, other.path() + "/" + file);
  log = OpenLog({.folder = other.path(), .segment_bytes = 4000});
  Fill(log.get(), 100, 230);
  log->Close();
  EXPECT_TRUE(Verify(other.path()).findings.empty());
  for (const NamedCheckpoint& kept : {first, second}) {
    done = Verify(other.path(), {kept});
    ASSERT_FALSE(done.findings.empty());
    EXPECT_EQ(done.findings[0].code, "changed");
    EXPECT_NE(done.findings[0].message.find(kept.name), std::string::npos);
  }

  // And under another key.
  TemporaryFolder fresh;
  log = OpenLog({.folder = fresh.path(), .origin = KeyOf(folder.path()).name});
  log->Close();
  Result<AuditVerification> by_key =
      VerifyAudit({.folder = fresh.path(), .key = KeyOf(folder.path())});
  ASSERT_TRUE(by_key.ok());
  EXPECT_FALSE(by_key->findings.empty());
  EXPECT_EQ(by_key->findings[0].code, "key");
}

// ---------------------------------------------------------------- retention

TEST(AuditRetention, WholeSegmentsGoAndTheRestStillVerifies) {
  TemporaryFolder folder;
  FakeClock clock(Instant{1'800'000'000'000'000});
  const AuditOptions options{
      .folder = folder.path(), .segment_seconds = 86'400, .retain_days = 10, .clock = &clock};
  NamedCheckpoint early, late;
  {
    Result<std::unique_ptr<AuditVault>> vault =
        AuditVault::Open({.folder = folder.path(), .start = "s"});
    ASSERT_TRUE(vault.ok());
    auto log = OpenLog(options);
    for (int day = 0; day < 30; ++day) {
      ASSERT_NE((*vault)->KeyFor(clock.Now()), nullptr);
      Fill(log.get(), day * 10, day * 10 + 10);
      clock.Advance(Duration{kMicrosPerDay});
      if (day == 3) early = {"early", ReadBytes(folder.path() + "/checkpoint")};
      if (day == 27) late = {"late", ReadBytes(folder.path() + "/checkpoint")};
    }
    Fill(log.get(), 300, 310);
    // A record about it is in the log before anything is removed.
    EXPECT_LT(log->Health().segments, 20u);
  }
  // So are the keys of what was sealed in them; those of the days that are left, and of one more,
  // stay.
  const Instant started{1'800'000'000'000'000};
  for (int day = 0; day < 30; ++day) {
    const Instant then{started.us + day * kMicrosPerDay};
    const std::string key = folder.path() + "/keys/seal-" + FormatDate(DateOf(then)) + "-s.key";
    if (day < 10 || day >= 20) {
      EXPECT_EQ(fs::exists(key), day >= 20) << day;
    }
  }
  EXPECT_TRUE(fs::exists(folder.path() + "/keys/digest.key"));
  AuditVerification done = Verify(folder.path(), {early, late});
  for (const AuditFinding& f : done.findings) ADD_FAILURE() << f.file << ": " << f.message;
  EXPECT_GT(done.first, 100u);
  EXPECT_LT(done.first, 280u);
  EXPECT_EQ(done.size, done.signed_size);
  std::vector<std::string> records = Records(folder.path());
  EXPECT_EQ(records.size(), done.size - done.first);
  // What is left is proved as before; what is gone says so.
  const AuditPublicKey key = KeyOf(folder.path());
  for (uint64_t seq = done.first; seq < done.size; seq += 7) {
    Result<std::string> proof = ProveRecord(folder.path(), seq);
    ASSERT_TRUE(proof.ok()) << seq << proof.error().message;
    EXPECT_TRUE(CheckProof(*proof, key).ok());
  }
  EXPECT_EQ(ProveRecord(folder.path(), 3).error().code, "audit.removed");
  // It goes on.
  {
    auto log = OpenLog(options);
    Fill(log.get(), 0, 10);
    Result<uint64_t> removed = log->Prune(clock.Now(), "a test");
    ASSERT_TRUE(removed.ok());
    EXPECT_GT(*removed, 3u);
  }
  done = Verify(folder.path(), {early, late});
  EXPECT_TRUE(done.findings.empty());
  EXPECT_EQ(Records(folder.path()).size(), done.size - done.first);
}

TEST(AuditRetention, WhatIsRemovedByHandIsFound) {
  TemporaryFolder folder;
  {
    auto log = OpenLog({.folder = folder.path(), .segment_bytes = 2000});
    Fill(log.get(), 0, 60);
  }
  Result<std::vector<SegmentFiles>> segments = ListSegments(folder.path());
  ASSERT_TRUE(segments.ok());
  ASSERT_GT(segments->size(), 3u);
  for (size_t count = 1; count + 1 < segments->size(); ++count) {
    const uint64_t first = (*segments)[count - 1].first;
    fs::remove(folder.path() + "/" + SegmentName(first, AuditFile::kLines));
    fs::remove(folder.path() + "/" + SegmentName(first, AuditFile::kHashes));
    AuditVerification done = Verify(folder.path());
    ASSERT_EQ(done.findings.size(), 1u);
    EXPECT_EQ(done.findings[0].code, "missing");
  }
}

// ---------------------------------------------------------------- hostile texts

// Controls, escapes, what ends lines, what reorders or hides, what looks like a record, bad UTF-8.
const std::pair<const char*, std::string> kInjections[] = {
    {"LF", "a\nb"},
    {"CR LF and a forged line", "a\r\n{\"seq\":9,\"record\":{\"forged\":true}}"},
    {"CR", "real\rforged"},
    {"NUL", std::string("a\0b", 3)},
    {"tab", "a\tb"},
    {"backspace", "permit\b\b\b\b\b\bdeny"},
    {"vertical tab, form feed", "a\v\fb"},
    {"colour", "\x1b[31mred\x1b[0m"},
    {"cursor", "\x1b[2K\x1b[1Apermitted"},
    {"title", "\x1b]0;title\x07"},
    {"C1 CSI",
     "a\xc2\x9b"
     "31mb"},
    {"NEL",
     "a\xc2\x85"
     "b"},
    {"U+2028, U+2029",
     "a\xe2\x80\xa8"
     "b\xe2\x80\xa9"
     "c"},
    {"bidi override",
     "a\xe2\x80\xae"
     "tnemyap\xe2\x80\xac"},
    {"bidi isolate, zero width",
     "a\xe2\x81\xa6"
     "b\xe2\x80\x8b\xef\xbb\xbf"
     "c"},
    {"DEL",
     "a\x7f"
     "b"},
    {"quotes and braces", "\"}},{\"seq\":0,\"record\":{\"x\":\"\\u000a"},
    {"overlong slash and newline, lone byte",
     "a\xc0\xaf\xc0\x8a\xff"
     "b"},
};

TEST(AuditText, NothingInARecordForgesALineOrMovesTheTerminal) {
  ASSERT_EQ(std::size(kInjections), 18u);
  TemporaryFolder folder;
  {
    auto log = OpenLog({.folder = folder.path()});
    for (const auto& [name, text] : kInjections) {
      std::string json;
      JsonWriter(&json).BeginObject().Member("kind", "test").Member("says", text).EndObject();
      EXPECT_NE(log->Append(json), 0u) << name;
    }
  }
  std::vector<std::string> records = Records(folder.path());
  ASSERT_EQ(records.size(), std::size(kInjections) + 2);
  for (size_t i = 0; i < std::size(kInjections); ++i) {
    const auto& [name, text] = kInjections[i];
    Arena arena;
    Result<const WireValue*> root = ParseJson(records[i + 1], &arena);
    ASSERT_TRUE(root.ok()) << name;
    EXPECT_TRUE(!IsValidUtf8(text) || (*root)->Find("says")->text == text) << name;
    EXPECT_TRUE(IsValidUtf8((*root)->Find("says")->text)) << name;
    const std::string line = AuditSentence(i, Instant{}, records[i + 1]);
    EXPECT_TRUE(IsValidUtf8(line)) << name;
    EXPECT_FALSE(HasControl(line)) << name << ": " << line;
    EXPECT_FALSE(HasBidiOrInvisible(line)) << name << ": " << line;
  }
  EXPECT_TRUE(Verify(folder.path()).findings.empty());
}

TEST(AuditReader, FollowsALogThatGrowsOverItsSegments) {
  TemporaryFolder folder;
  auto log = OpenLog({.folder = folder.path(), .segment_bytes = 1000});
  ASSERT_TRUE(log->Sync().ok());
  Result<std::unique_ptr<AuditReader>> reader = AuditReader::Open(folder.path());
  ASSERT_TRUE(reader.ok());
  AuditRecord record;
  uint64_t expected = 0;
  for (int i = 0; i < 50; ++i) {
    for (;;) {
      Result<bool> more = (*reader)->Next(&record);
      ASSERT_TRUE(more.ok()) << more.error().message;
      if (!*more) break;
      EXPECT_EQ(record.seq, expected++);
    }
    EXPECT_EQ(expected, static_cast<uint64_t>(i) + 1);
    log->Append(Numbered(i));
    ASSERT_TRUE(log->Sync().ok());
    // While it is written, it verifies.
    EXPECT_TRUE(i % 10 != 0 || Verify(folder.path()).findings.empty());
  }
}

}  // namespace
}  // namespace dpl
