// What was pushed of facts is there after a restart; what was cut off is not, and damage is found.
#include "runtime/state/facts_ledger.h"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "tests/support/temporary_folder.h"

namespace dpl {
namespace {

constexpr std::string_view kDocument =
    R"({"version": "v1", "persons": [{"id": "a"}], "teams": {"t": []}})";
constexpr std::string_view kJoin = R"({"upsert": {"memberships": [{"team": "t", "member": "a"}]}})";
constexpr std::string_view kNamed = R"({"version": "v3", "remove": {"persons": ["a"]}})";

class Ledger : public testing::Test {
 protected:
  std::unique_ptr<FactsLedger> Open() {
    Result<std::unique_ptr<FactsLedger>> ledger = FactsLedger::Open(folder_);
    EXPECT_TRUE(ledger.ok()) << ledger.error().message;
    return ledger.ok() ? ledger.take() : nullptr;
  }
  std::string Change(int number) const { return folder_ + "/changes-" + std::to_string(number); }
  static std::string Read(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  static void Write(const std::string& path, std::string_view bytes) {
    std::ofstream(path, std::ios::binary).write(bytes.data(), static_cast<long>(bytes.size()));
  }

  const FactsLedger::Base base_{"f00d", ParseInstant("2026-11-20T06:00Z").value(),
                                ParseInstant("2026-11-20T07:00Z").value()};
  const Instant later_ = ParseInstant("2026-11-20T08:00Z").value();
  TemporaryFolder root_;
  std::string folder_ = root_.path() + "/facts";
};

TEST_F(Ledger, NothingIsThereAtFirst) {
  EXPECT_FALSE(Open()->holds());
  EXPECT_FALSE(std::filesystem::exists(folder_));
}

TEST_F(Ledger, DocumentAndChangesAreThereAfterARestart) {
  std::string version;
  {
    auto ledger = Open();
    ASSERT_TRUE(ledger->Begin(kDocument, base_).ok());
    version = ledger->NextVersion(kJoin, later_);
    ASSERT_TRUE(ledger->Append(kJoin, later_).ok());
  }
  auto ledger = Open();
  ASSERT_TRUE(ledger->holds());
  EXPECT_EQ(ledger->base().file, "f00d");
  EXPECT_EQ(ledger->last_at(), later_);
  EXPECT_EQ(ledger->changes(), 1u);
  auto document = ledger->Replay();
  ASSERT_TRUE(document.ok()) << document.error().message;
  EXPECT_EQ((*document)->facts().version, version);
  EXPECT_EQ((*document)->facts().as_of, base_.as_of);
  ASSERT_EQ((*document)->facts().members[0].members.size(), 1u);
  ASSERT_TRUE(ledger->Append(kNamed, later_).ok());
  document = Open()->Replay();
  ASSERT_TRUE(document.ok());
  EXPECT_EQ((*document)->facts().version, "v3");
  EXPECT_TRUE((*document)->facts().persons.empty());
}

TEST_F(Ledger, InMemoryItIsTheSameUntilTheEnd) {
  folder_.clear();
  auto ledger = Open();
  ASSERT_TRUE(ledger->Begin(kDocument, base_).ok());
  ASSERT_TRUE(ledger->Append(kNamed, later_).ok());
  auto document = ledger->Replay();
  ASSERT_TRUE(document.ok());
  EXPECT_EQ((*document)->facts().version, "v3");
  ASSERT_TRUE(ledger->Drop().ok());
  EXPECT_FALSE(ledger->holds());
}

TEST_F(Ledger, ANewDocumentTakesThePlaceOfEverything) {
  auto ledger = Open();
  ASSERT_TRUE(ledger->Begin(kDocument, base_).ok());
  ASSERT_TRUE(ledger->Append(kJoin, later_).ok());
  ASSERT_TRUE(ledger->Begin(R"({"version": "w"})", base_).ok());
  auto document = Open()->Replay();
  ASSERT_TRUE(document.ok());
  EXPECT_EQ((*document)->facts().version, "w");
  EXPECT_FALSE(std::filesystem::exists(folder_ + "/facts-1.json"));
  EXPECT_FALSE(std::filesystem::exists(Change(1)));
}

TEST_F(Ledger, WhatIsDroppedStaysDropped) {
  auto ledger = Open();
  ASSERT_TRUE(ledger->Begin(kDocument, base_).ok());
  ASSERT_TRUE(ledger->Drop().ok());
  EXPECT_FALSE(Open()->holds());
  ASSERT_TRUE(ledger->Begin(kDocument, base_).ok());
  EXPECT_TRUE(Open()->holds());
}

TEST_F(Ledger, CutAnywhereItIsWhatWasWholeBefore) {
  auto ledger = Open();
  ASSERT_TRUE(ledger->Begin(kDocument, base_).ok());
  const size_t header = ledger->bytes() - kDocument.size();
  ASSERT_TRUE(ledger->Append(kJoin, later_).ok());
  const size_t first = ledger->bytes() - kDocument.size();
  ASSERT_TRUE(ledger->Append(kNamed, later_).ok());
  const size_t second = ledger->bytes() - kDocument.size();
  const std::string whole = Read(Change(1)).substr(0, second);
  ledger.reset();
  for (bool zeros : {false, true}) {
    for (size_t cut = header; cut <= whole.size(); ++cut) {
      std::string bytes = whole.substr(0, cut);
      if (zeros) bytes.resize(whole.size() + 100);  // written ahead
      Write(Change(1), bytes);
      Result<std::unique_ptr<FactsLedger>> looked = FactsLedger::Open(folder_, /*read_only=*/true);
      ASSERT_TRUE(looked.ok()) << cut;
      EXPECT_EQ((*looked)->changes(), cut < first ? 0u : cut < second ? 1u : 2u) << cut;
      auto document = (*looked)->Replay();
      ASSERT_TRUE(document.ok()) << cut;
      // And it goes on from there.
      if (cut % 64 == 0) {
        auto again = Open();
        ASSERT_TRUE(again->Append(R"({"version": "on"})", later_).ok());
        auto on = Open()->Replay();
        ASSERT_TRUE(on.ok()) << cut;
        EXPECT_EQ((*on)->facts().version, "on");
      }
    }
  }
}

TEST_F(Ledger, DamageIsFound) {
  {
    auto ledger = Open();
    ASSERT_TRUE(ledger->Begin(kDocument, base_).ok());
    ASSERT_TRUE(ledger->Append(kJoin, later_).ok());
    ASSERT_TRUE(ledger->Append(kNamed, later_).ok());
  }
  std::string whole = Read(Change(1));
  std::string bytes = whole;
  bytes[bytes.find("\"member\"") + 2] = 'x';
  Write(Change(1), bytes);
  Result<std::unique_ptr<FactsLedger>> damaged = FactsLedger::Open(folder_);
  ASSERT_FALSE(damaged.ok());
  EXPECT_EQ(damaged.error().code, "facts.corrupt");
  Write(Change(1), whole);
  std::string document = Read(folder_ + "/facts-1.json");
  document[document.find("\"a\"") + 1] = 'b';
  Write(folder_ + "/facts-1.json", document);
  damaged = FactsLedger::Open(folder_);
  ASSERT_FALSE(damaged.ok());
  EXPECT_EQ(damaged.error().code, "facts.corrupt");
}

// Every write and sync that may fail.
class FailingDisk final : public Disk {
 public:
  int left = 1 << 30;
  ssize_t Write(int fd, const char* bytes, size_t size, uint64_t at) override {
    if (left-- <= 0) return errno = ENOSPC, -1;
    return Disk::Write(fd, bytes, size, at);
  }
  int Sync(int fd) override {
    if (left-- <= 0) return errno = EIO, -1;
    return Disk::Sync(fd);
  }
};

TEST_F(Ledger, WhatCannotBeWrittenIsNotThere) {
  for (int steps = 0; steps < 12; ++steps) {
    std::filesystem::remove_all(folder_);
    FailingDisk disk;
    auto ledger = FactsLedger::Open(folder_, false, &disk);
    ASSERT_TRUE(ledger.ok());
    ASSERT_TRUE((*ledger)->Begin(kDocument, base_).ok());
    disk.left = steps;
    bool changed = (*ledger)->Append(kNamed, later_).ok();
    bool replaced = changed && (*ledger)->Begin(R"({"version": "w"})", base_).ok();
    ledger = Error{"gone", ""};
    auto document = Open()->Replay();
    ASSERT_TRUE(document.ok());
    const std::string version = (*document)->facts().version;
    if (replaced) {
      EXPECT_EQ(version, "w");
    } else if (changed) {
      EXPECT_TRUE(version == "v3" || version == "w") << version;
    } else {
      EXPECT_TRUE(version == "v1" || version == "v3") << version;
    }
  }
}

}  // namespace
}  // namespace dpl
