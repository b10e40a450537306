// Records of changes, and what happens when the log does not take them.
#include <gtest/gtest.h>

#include "runtime/audit/trail.h"
#include "runtime/base/text.h"

namespace dpl {
namespace {

class Lines final : public AuditSink {
 public:
  uint64_t Append(std::string_view line, AuditSync sync) override {
    if (!writable) return 0;
    lines.emplace_back(line);
    last_sync = sync;
    return lines.size();
  }
  bool Writable() const override { return writable; }
  AuditMode mode() const override { return mode_; }
  std::vector<std::string> lines;
  bool writable = true;
  AuditMode mode_ = AuditMode::kRequired;
  AuditSync last_sync = AuditSync::kSoon;
};

Instant At(std::string_view text) { return *ParseInstant(text); }

TEST(ChangeRecord, SaysWhoDidWhatAndWhy) {
  StateChange change;
  change.event = "revoke";
  change.time = At("2026-11-20T15:00Z");
  change.caller = "desk";
  change.person = "E1";
  change.because = "left the company";
  change.epoch = 4;
  change.fields = {{"kind", "person"}, {"name", "E7"}, {"before", ""}};
  std::string line;
  AppendChangeRecord(&line, change);
  EXPECT_EQ(
      line,
      R"({"v":1,"kind":"change","time":"2026-11-20T15:00:00Z","event":"revoke","outcome":"done",)"
      R"("caller":"desk","person":"E1","because":"left the company","epoch":4,)"
      R"("what":{"kind":"person","name":"E7"}})");
}

TEST(ChangeRecord, NoTextForgesALineOrATerminal) {
  StateChange change;
  change.event = "revoke";
  change.because = "x\n{\"v\":1,\"kind\":\"change\"}\x1b[31m\u2028\u202e\U000e0041";
  change.failed = "reservation.caller";
  std::string line;
  AppendChangeRecord(&line, change);
  for (char c : line) EXPECT_GE(static_cast<uint8_t>(c), 0x20);
  EXPECT_FALSE(HasBidiOrInvisible(line)) << line;
  EXPECT_NE(line.find(R"("outcome":"refused","reason":"reservation.caller")"), std::string::npos);
}

TEST(ChangeRecord, ALongTextIsCutAtACharacter) {
  StateChange change;
  change.event = "revoke";
  std::string text = "x";
  for (int i = 0; i < 2000; ++i) text += "ä";
  change.because = text;
  std::string line;
  AppendChangeRecord(&line, change);
  EXPECT_LT(line.size(), kMaxChangeText + 200);
  EXPECT_NE(line.find("ä…\""), std::string::npos);
}

TEST(AuditTrail, RequiredRefusesWhatTheLogDoesNotTake) {
  Lines lines;
  AuditTrail trail(&lines);
  EXPECT_TRUE(AuditReady(&trail));
  EXPECT_EQ(RecordChange(&trail, {.event = "reload"}).ticket, 1u);
  EXPECT_EQ(lines.last_sync, AuditSync::kNow) << "somebody waits for a change";
  lines.writable = false;
  EXPECT_FALSE(AuditReady(&trail));
  EXPECT_FALSE(RecordChange(&trail, {.event = "reload"}).ok);
  EXPECT_EQ(lines.lines.size(), 1u);
}

TEST(AuditTrail, AvailableGoesOn) {
  Lines lines;
  lines.mode_ = AuditMode::kAvailable;
  AuditTrail trail(&lines);
  lines.writable = false;
  EXPECT_TRUE(AuditReady(&trail));
  Recorded recorded = RecordChange(&trail, {.event = "revoke"});
  EXPECT_TRUE(recorded.ok);
  EXPECT_EQ(recorded.ticket, 0u);
}

TEST(AuditTrail, WithoutATrailNothingIsRecordedAndAllIsWell) {
  EXPECT_TRUE(AuditReady(nullptr));
  EXPECT_TRUE(RecordChange(nullptr, {.event = "reload"}).ok);
}

}  // namespace
}  // namespace dpl
