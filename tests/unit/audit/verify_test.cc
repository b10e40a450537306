// Whatever is done to a log is found, with the place: every edit of a byte, every line dropped,
// swapped, doubled or put in, every cut, and every edit of the small files beside the lines.
#include "runtime/audit/verify.h"

#include <algorithm>
#include <cstdlib>

#include <fcntl.h>

#include "runtime/audit/line.h"
#include "runtime/audit/proof.h"
#include "runtime/audit/segment.h"
#include "tests/unit/audit/logs.h"

namespace dpl {
namespace {

namespace fs = std::filesystem;

// Every place in `./dev test --full`, otherwise one in so many; a prime, so that it visits every
// column of the lines.
size_t Step(size_t otherwise = 131) {
  return std::getenv("DPL_AUDIT_EVERY_BYTE") != nullptr ? 1 : otherwise;
}

AuditVerification Verify(const std::string& folder,
                         const std::vector<NamedCheckpoint>& checkpoints = {}) {
  Result<AuditVerification> done = VerifyAudit({.folder = folder, .checkpoints = checkpoints});
  EXPECT_TRUE(done.ok()) << done.error().message;
  return done.ok() ? done.take() : AuditVerification{};
}

std::string Told(const AuditVerification& done) {
  std::string out;
  for (const AuditFinding& f : done.findings) {
    out += f.code + " " + f.file + ":" + std::to_string(f.line) + " byte " +
           std::to_string(f.byte) + ": " + f.message + "\n";
  }
  return out;
}

// A closed log of about this many bytes; sealed segments when `segment_bytes` says so.
void MakeLog(const std::string& folder, size_t bytes, uint64_t segment_bytes) {
  auto log = OpenLog({.folder = folder, .segment_bytes = segment_bytes});
  for (int i = 0; static_cast<size_t>(i) * 210 < bytes; ++i) {
    EXPECT_NE(log->Append(Numbered(i)), 0u);
    if (i % 40 == 39 && !log->Sync().ok()) ADD_FAILURE();
  }
  log->Close();
}

std::vector<std::string> Files(const std::string& folder, std::string_view ending) {
  std::vector<std::string> out;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().string().ends_with(ending)) out.push_back(entry.path().string());
  }
  std::sort(out.begin(), out.end());
  return out;
}

std::vector<std::string> SplitLines(const std::string& text) {
  std::vector<std::string> lines;
  for (size_t at = 0; at < text.size();) {
    size_t end = text.find('\n', at);
    lines.push_back(text.substr(at, end + 1 - at));
    at = end + 1;
  }
  return lines;
}

std::string Join(const std::vector<std::string>& lines) {
  std::string out;
  for (const std::string& line : lines) out += line;
  return out;
}

class Tampering : public ::testing::TestWithParam<uint64_t> {
 protected:
  Tampering() {
    MakeLog(folder_.path(), 64 * 1024, GetParam());
    files_ = Files(folder_.path(), ".jsonl");
    AuditVerification done = Verify(folder_.path());
    EXPECT_TRUE(done.findings.empty()) << Told(done);
    EXPECT_EQ(done.size, done.signed_size);
  }
  // Changes a file of lines, expects a finding at that line of it, and puts it back.
  void ExpectFound(const std::string& path, const std::string& was, const std::string& bytes,
                   size_t line, const std::string& what) {
    WriteBytes(path, bytes);
    AuditVerification done = Verify(folder_.path());
    EXPECT_FALSE(done.findings.empty()) << what;
    if (!done.findings.empty()) {
      EXPECT_EQ(done.findings[0].file, fs::path(path).filename().string()) << what;
      EXPECT_EQ(done.findings[0].line, line) << what << "\n" << Told(done);
    }
    WriteBytes(path, was);
  }
  TemporaryFolder folder_;
  std::vector<std::string> files_;
};

TEST_P(Tampering, EveryEditOfAByteIsFoundAtItsLine) {
  for (const std::string& path : files_) {
    const std::string was = ReadBytes(path);
    int fd = open(path.c_str(), O_WRONLY | O_CLOEXEC);
    ASSERT_GE(fd, 0);
    size_t line = 1, counted = 0;
    for (size_t at = 0; at < was.size(); at += Step()) {
      for (; counted < at; ++counted) line += was[counted] == '\n' ? 1 : 0;
      const char values[3] = {static_cast<char>(was[at] ^ 1), '\0', was[at] == '\n' ? ' ' : '\n'};
      for (char value : values) {
        ASSERT_EQ(pwrite(fd, &value, 1, static_cast<off_t>(at)), 1);
        AuditVerification done = Verify(folder_.path());
        ASSERT_FALSE(done.findings.empty()) << path << " byte " << at;
        ASSERT_EQ(done.findings[0].file, fs::path(path).filename().string());
        ASSERT_EQ(done.findings[0].line, line)
            << path << " byte " << at << " to " << int{value} << "\n"
            << Told(done);
        ASSERT_LE(done.findings[0].byte, at);
      }
      ASSERT_EQ(pwrite(fd, &was[at], 1, static_cast<off_t>(at)), 1);
    }
    close(fd);
  }
  AuditVerification done = Verify(folder_.path());
  EXPECT_TRUE(done.findings.empty()) << Told(done);
}

TEST_P(Tampering, EveryLineDroppedSwappedDoubledOrPutInIsFound) {
  for (const std::string& path : files_) {
    const std::string was = ReadBytes(path);
    const std::vector<std::string> lines = SplitLines(was);
    for (size_t i = 0; i < lines.size(); i += i + 9 < lines.size() ? Step(7) : 1) {
      const auto at = static_cast<std::ptrdiff_t>(i);
      const std::string name = "line " + std::to_string(i + 1);
      std::vector<std::string> changed = lines;
      changed.erase(changed.begin() + at);
      ExpectFound(path, was, Join(changed), i + 1, "without " + name);
      changed = lines;
      changed.insert(changed.begin() + at, lines[i]);
      ExpectFound(path, was, Join(changed), i + 2, "twice " + name);
      if (i + 1 < lines.size()) {
        changed = lines;
        std::swap(changed[i], changed[i + 1]);
        ExpectFound(path, was, Join(changed), i + 1, "swapped " + name);
      }
      changed = lines;
      changed.insert(changed.begin() + at, lines[(i + 7) % lines.size()]);
      ExpectFound(path, was, Join(changed), i + 1 + ((i + 7) % lines.size() == i ? 1 : 0),
                  "another line before " + name);
      // One that fits the chain.
      AuditLine line;
      ASSERT_TRUE(ParseAuditLine(std::string_view(lines[i]).substr(0, lines[i].size() - 1), &line));
      std::string forged = lines[i];
      forged.replace(forged.find("\"record\":"), std::string::npos, "\"record\":{\"forged\":1}}\n");
      changed = lines;
      changed.insert(changed.begin() + at, forged);
      WriteBytes(path, Join(changed));
      AuditVerification done = Verify(folder_.path());
      ASSERT_FALSE(done.findings.empty()) << "forged before " << name;
      EXPECT_GE(done.findings[0].line, i + 1);
      EXPECT_LE(done.findings[0].line, i + 2) << Told(done);
      WriteBytes(path, was);
    }
  }
}

TEST_P(Tampering, EveryCutIsFound) {
  for (const std::string& path : files_) {
    const std::string was = ReadBytes(path);
    for (size_t size = 0; size < was.size(); size += Step()) {
      WriteBytes(path, was.substr(0, size));
      AuditVerification done = Verify(folder_.path());
      ASSERT_FALSE(done.findings.empty()) << path << " cut at " << size;
      const auto line = static_cast<size_t>(
          std::count(was.begin(), was.begin() + static_cast<std::ptrdiff_t>(size), '\n'));
      EXPECT_EQ(done.findings[0].line, line + 1) << size << Told(done);
    }
    WriteBytes(path, was);
    if (files_.size() > 1) {
      fs::remove(path);
      EXPECT_FALSE(Verify(folder_.path()).findings.empty()) << "without " << path;
      WriteBytes(path, was);
    }
  }
}

TEST_P(Tampering, EveryEditOfTheOtherFilesIsFound) {
  std::vector<std::string> others = {folder_.path() + "/checkpoint", folder_.path() + "/log.pub"};
  for (const char* ending : {".seal", ".hashes"}) {
    for (const std::string& path : Files(folder_.path(), ending)) {
      // The hashes of the segment that is written are made anew at every start.
      if (fs::exists(fs::path(path).replace_extension(".seal"))) others.push_back(path);
    }
  }
  for (const std::string& path : others) {
    const std::string was = ReadBytes(path);
    const size_t step = path.ends_with(".hashes") ? Step() : Step(3);
    for (size_t at = 0; at < was.size(); at += step) {
      std::string changed = was;
      changed[at] = static_cast<char>(changed[at] ^ 4);
      WriteBytes(path, changed);
      Result<AuditVerification> done = VerifyAudit({.folder = folder_.path()});
      EXPECT_TRUE(!done.ok() || !done->findings.empty()) << path << " byte " << at;
    }
    fs::remove(path);
    Result<AuditVerification> done = VerifyAudit({.folder = folder_.path()});
    EXPECT_TRUE(!done.ok() || !done->findings.empty()) << "without " << path;
    WriteBytes(path, was);
  }
  EXPECT_TRUE(Verify(folder_.path()).findings.empty());
}

INSTANTIATE_TEST_SUITE_P(Logs, Tampering, ::testing::Values(uint64_t{1} << 30, uint64_t{16} << 10),
                         [](const auto& log) {
                           return log.param > (1 << 20) ? "OneSegment" : "SealedSegments";
                         });

}  // namespace
}  // namespace dpl
