// A decision is decided again from what it read, without the store it read from.
#include "runtime/audit/witness.h"

#include <filesystem>
#include <random>

#include <gtest/gtest.h>
#include <unistd.h>

#include "runtime/audit/callers_text.h"
#include "runtime/audit/question.h"
#include "runtime/audit/record.h"
#include "runtime/decide/answer.h"
#include "runtime/json/json.h"
#include "tests/heap/heap_count.h"
#include "tests/unit/decide/world.h"

namespace dpl {
namespace {

constexpr std::string_view kPolicy = R"dpl(
package t owned by team staff
granted 2026-10-01
review every 180d
person { key id: string }
team staff { owner person "E1" }
role chief { owner team staff }
system app { owner team staff  account keyed by login: string  link person by id checked within 90d }
resource Folder in app { within app.Folder?  can list }
resource Doc in app {
  within folder: app.Folder
  can read, write
  can pay { amount: money must be limited }
}
grant working {
  to team staff  may read, write, pay on app.Doc
  limit amount to 100 USD per day for each person, beyond that ask signed up to 1000 USD
  because "Staff work"
}
approval signed { by 1 of role chief  within 24h  good for 1 request within 8h  signs "I approve"  because "Large sums are signed for" }
agent helper {
  accountable person "E1"  purpose "Reads for people"  runs as spiffe "spiffe://acme.example/helper"
  may read, write, pay on app.Doc  lives at most 10h  instances at most 2
}
agent second {
  accountable person "E1"  purpose "Helps the helper"  runs as spiffe "spiffe://acme.example/second"
  may read on app.Doc  lives at most 10h
}
task tidy(source: app.Folder) { for agent helper  may read on app.Doc in source  lasts at most 2h  nothing else }
delegation help {
  from team staff  to agent helper  may read, write, pay on app.Doc
  onward to agent second, at most 1 hop  consent every 30d
  because "Reading may be handed to software"
}
)dpl";
constexpr std::string_view kFacts = R"({
  "persons": [{"id": "E1"}, {"id": "E2"}, {"id": "E7"}], "teams": {"staff": ["E1", "E7"]},
  "roles": [{"role": "chief", "members": ["E2"]}],
  "accounts": [{"system": "app", "key": "e1", "person": "E1", "checked": "2026-11-01"},
               {"system": "app", "key": "e7", "person": "E7", "checked": "2026-11-01"}],
  "resources": [{"type": "app.Folder", "id": "A", "parent": null}, {"type": "app.Doc", "id": "d1", "parent": "A"}],
  "consents": [{"delegation": "help", "person": "E7", "at": "2026-11-20T12:00Z"}],
  "tasks": [{"id": "t1", "shape": "tidy", "agent": "helper", "person": "E7", "args": {"source": "A"}}],
  "handoffs": [{"from": {"agent": "helper", "instance": "p"}, "to": {"agent": "second", "instance": "c"}}]
})";

Ask Pay(std::string_view amount) {
  return Ask()
      .Person("E7")
      .Does("pay", "app.Doc", "d1")
      .With(R"({"amount": ")" + std::string(amount) + R"( USD"})");
}

std::string AnswerOf(const World& w, const Request& request, const Decision& d) {
  std::string out;
  AnswerOptions options;
  options.evaluation_id = "ev_1";
  AppendAnswerJson(&out, *w.snapshot, request, d, options);
  return out;
}

// Decides with a witness at hand, then once more from the witness alone; both answers.
void Twice(World* w, const Ask& ask, std::string* first, std::string* again,
           std::vector<std::string>* unknown) {
  Ask dry = ask;
  dry.dry_run = true;
  w->Decide(dry);  // builds the request; writes nothing
  Request request = w->last_request;
  request.dry_run = ask.dry_run;
  std::string bytes;
  WitnessRecorder recorder(&w->store, &bytes);
  *first = AnswerOf(*w, request, Decide(*w->snapshot, &recorder, request, w->now, &w->scratch));
  Result<std::unique_ptr<WitnessState>> state = WitnessState::Parse(bytes);
  ASSERT_TRUE(state.ok());
  Scratch scratch;
  *again = AnswerOf(*w, request, Decide(*w->snapshot, state->get(), request, w->now, &scratch));
  *unknown = (*state)->unknown();
}

TEST(Witness, GivesTheSameBytesForEveryKindOfDecision) {
  World w(kPolicy, kFacts);
  const std::vector<Ask> asks = {
      Ask().Person("E7").Does("read", "app.Doc", "d1"),
      Ask().Person("E7").Agent("helper", "run-1").Does("read", "app.Doc", "d1"),
      Ask().Person("E7").Agent("helper", "run-1").Does("write", "app.Doc", "d1"),
      Ask().Person("E7").Agent("helper", "run-2").Task("t1").Does("read", "app.Doc", "d1"),
      Ask().Person("E7").Agent("helper", "run-3").Does("read", "app.Doc", "d1"),  // too many
      Ask().Person("E7").Agent("helper", "p").Agent("second", "c").Does("read", "app.Doc", "d1"),
      Ask().Person("E7").Agent("helper", "p").Agent("second", "x").Does("read", "app.Doc", "d1"),
      Ask().Person("E7").Agent("helper", "run-1").Task("nowhere").Does("read", "app.Doc", "d1"),
      Ask().Person("E9").Does("read", "app.Doc", "d1"),
      Ask().Person("E1").Agent("helper", "run-1").Does("read", "app.Doc", "d1"),  // no consent
      Pay("60.00"),
      Pay("60.00"),  // needs an approval
      Pay("1.00").Dry(),
      Pay("1.00").Key("k-1"),
      Pay("1.00").Key("k-1"),  // a replay of the key
      Pay("2.00").Key("k-1"),  // a conflict
      Pay("5000.00"),
  };
  std::map<std::string, int> reasons;
  auto run = [&](const Ask& ask) {
    std::string first, again;
    std::vector<std::string> unknown;
    Twice(&w, ask, &first, &again, &unknown);
    EXPECT_EQ(first, again);
    EXPECT_TRUE(unknown.empty()) << unknown[0];
    const size_t at = first.find("\"reason\":\"") + 10;
    ++reasons[first.substr(at, first.find('"', at) - at)];
  };
  for (const Ask& ask : asks) run(ask);
  w.Decide(Pay("70.00"));
  const std::string approval = w.Approve({"E2"});
  run(Pay("70.00").Approval(approval));
  run(Pay("70.00").Approval(approval));
  w.store.Revoke(RevokedKind::kInstance, "t.helper/run-1", std::nullopt);
  w.store.Revoke(RevokedKind::kPerson, "E1", std::nullopt);
  run(Ask().Person("E7").Agent("helper", "run-1").Does("read", "app.Doc", "d1"));
  run(Ask().Person("E1").Does("read", "app.Doc", "d1"));
  run(Ask().Person("E7").Does("read", "app.Doc", "d1"));
  for (const char* reason :
       {"permit", "approval_required", "limit.exceeded", "request.key_conflict", "would_permit",
        "task.unknown", "delegation.consent_missing", "revoked.person", "accountable.missing"})
    EXPECT_GE(reasons[reason], 1) << reason << " among " << testing::PrintToString(reasons);
}

TEST(Witness, SaysWhatItDoesNotKnow) {
  World w(kPolicy, kFacts);
  std::string bytes;
  WitnessRecorder recorder(&w.store, &bytes);
  recorder.AnyRevoked(RevokedKind::kPerson);
  Result<std::unique_ptr<WitnessState>> state = WitnessState::Parse(bytes);
  ASSERT_TRUE(state.ok());
  EXPECT_FALSE((*state)->AnyRevoked(RevokedKind::kPerson));
  EXPECT_TRUE((*state)->unknown().empty());
  EXPECT_EQ((*state)->FindTask("t1"), nullptr);
  (*state)->FindTask("t2");
  EXPECT_EQ((*state)->unknown(), std::vector<std::string>{"a task"});
}

TEST(Witness, RefusesWhatIsNone) {
  World w(kPolicy, kFacts);
  std::string bytes;
  WitnessRecorder recorder(&w.store, &bytes);
  recorder.Epoch();
  recorder.FindTask("t1");
  for (size_t size = 1; size < bytes.size(); ++size) {
    if (size == 5) continue;  // a whole entry
    EXPECT_FALSE(WitnessState::Parse(bytes.substr(0, size)).ok() && size != 0 &&
                 WitnessState::Parse(bytes.substr(0, size)).value() == nullptr);
  }
  EXPECT_FALSE(WitnessState::Parse("\xff").ok());
  EXPECT_FALSE(WitnessState::Parse(bytes.substr(0, bytes.size() - 1)).ok());
  EXPECT_TRUE(WitnessState::Parse("").ok());
}

// What dpld does for each decision that it records and keeps for a replay, once it is warm.
TEST(Witness, AWarmRecordWithItsSealAsksTheHeapForNothing) {
  World w(kPolicy, kFacts);
  const std::string folder = ::testing::TempDir() + "dpl-vault-" + std::to_string(::getpid());
  Result<std::unique_ptr<AuditVault>> vault = AuditVault::Open({.folder = folder, .start = "s1"});
  ASSERT_TRUE(vault.ok()) << vault.error().message;
  Sealer sealer(vault->get());
  RecordWriter writer;
  w.Decide(Ask().Person("E7").Agent("helper", "run-1").Does("read", "app.Doc", "d1"));
  const Request request = w.last_request;
  std::string witness, line, sealed;
  auto record = [&] {
    witness.clear();
    WitnessRecorder recorder(&w.store, &witness);
    const Decision& d = Decide(*w.snapshot, &recorder, request, w.now, &w.scratch);
    SealedQuestion question;
    question.body = R"({"subject":{"type":"person","id":"E7"}})";
    question.witness = witness;
    RecordContext context;
    context.evaluation_id = "ev_1";
    context.digest_key = (*vault)->digest_key();
    EXPECT_TRUE(sealer.Begin(w.now));
    context.sealed_at = static_cast<int>(sealer.Add({"ev_1", AnswerSumOf("{}"), question}));
    sealed.clear();
    sealer.Finish(&sealed);
    line.clear();
    writer.Append(&line, *w.snapshot, request, d, context);
  };
  for (int i = 0; i < 3; ++i) record();
  const size_t before = HeapAllocationsForTest();
  for (int i = 0; i < 100; ++i) record();
  EXPECT_EQ(HeapAllocationsForTest(), before);
  EXPECT_TRUE(line.ends_with(",\"q\":0}")) << line;
  EXPECT_TRUE(sealed.starts_with(R"({"v":3,"kind":"sealed","key":"seal-2026-11-20-s1",)"));
  std::filesystem::remove_all(folder);
}

std::string Opened(AuditVault* vault, const std::string& sealed) {
  Arena arena;
  JsonLimits limits = FileJsonLimits();
  limits.max_string = limits.max_bytes;
  Result<const WireValue*> root = ParseJson(sealed, &arena, limits);
  EXPECT_TRUE(root.ok());
  Result<std::string> plain =
      vault->OpenBox((*root)->Find("key")->text, Sealer::kAbout, (*root)->Find("box")->text);
  EXPECT_TRUE(plain.ok());
  return plain.ok() ? *plain : "";
}

TEST(Sealed, WhatIsSealedTogetherComesBack) {
  const std::string folder = ::testing::TempDir() + "dpl-sealed-" + std::to_string(::getpid());
  Result<std::unique_ptr<AuditVault>> vault = AuditVault::Open({.folder = folder, .start = "s1"});
  ASSERT_TRUE(vault.ok()) << vault.error().message;
  const Instant now = ParseInstant("2026-11-20T12:00Z").value();
  // Texts that are longer, shorter, empty, repeated, other at the front, inside, at the end.
  const std::vector<std::string> texts = {
      "",
      "a",
      "a",
      "aa",
      "aaaa",
      "aa",
      "ab",
      "b",
      "",
      "0123456789",
      "01234567",
      "x01234567",
      "x0123y567",
      "x0123y5678x0123y5678",
      std::string(5000, 'q'),
      std::string(4999, 'q') + "r",
      "r" + std::string(4999, 'q'),
      std::string(2000, 'q') + "middle" + std::string(2994, 'q'),
      std::string(100, '\0'),
      "end"};
  Sealer sealer(vault->get());
  std::mt19937 random(7);
  std::vector<std::string> made;
  for (int round = 0; round < 40; ++round) {
    ASSERT_TRUE(sealer.Begin(now));
    std::vector<std::array<std::string, 4>> put;
    const size_t count = 1 + random() % Sealer::kMostItems;
    for (size_t i = 0; i < count && sealer.Fits(now); ++i) {
      std::array<std::string, 4> item;
      for (std::string& text : item) text = texts[random() % texts.size()];
      if (round % 2 == 0 && !put.empty()) item[1] = put.back()[1];
      SealedQuestion q{i % 3 == 0, item[0], item[1], item[2], item[3]};
      EXPECT_EQ(sealer.Add({"ev_" + std::to_string(i), {i, ~i}, q}), i);
      put.push_back(item);
    }
    std::string record;
    sealer.Finish(&record);
    EXPECT_TRUE(sealer.empty());
    const std::string plain = Opened(vault->get(), record);
    std::optional<SealedItems> back = SealedItems::Parse(plain);
    ASSERT_TRUE(back);
    ASSERT_EQ(back->items().size(), put.size());
    for (size_t i = 0; i < put.size(); ++i) {
      const SealedItem& item = back->items()[i];
      EXPECT_EQ(item.id, "ev_" + std::to_string(i));
      EXPECT_EQ(item.sum, (AnswerSum{i, ~i}));
      EXPECT_EQ(item.question.clock_suspect, i % 3 == 0);
      EXPECT_EQ(item.question.charge_key, put[i][0]);
      EXPECT_EQ(item.question.body, put[i][1]);
      EXPECT_EQ(item.question.endpoint, put[i][2]);
      EXPECT_EQ(item.question.witness, put[i][3]);
    }
    // Bytes that are none: refused or other items, never a crash.
    for (size_t cut = 0; cut < std::min<size_t>(plain.size(), 300); ++cut) {
      std::optional<SealedItems> less = SealedItems::Parse(plain.substr(0, cut));
      EXPECT_TRUE(!less || less->items().size() < put.size());
    }
    for (int i = 0; i < 200; ++i) {
      std::string other = plain;
      other[random() % other.size()] = static_cast<char>(random());
      (void)SealedItems::Parse(other);
    }
  }
  std::filesystem::remove_all(folder);
}

TEST(Sealed, AnotherDayHasAKeyOfItsOwn) {
  const std::string folder = ::testing::TempDir() + "dpl-sealed-day-" + std::to_string(::getpid());
  Result<std::unique_ptr<AuditVault>> vault = AuditVault::Open({.folder = folder, .start = "s1"});
  ASSERT_TRUE(vault.ok()) << vault.error().message;
  const Instant now = ParseInstant("2026-11-20T23:59:59Z").value();
  const Instant next{now.us + 2 * kMicrosPerSecond};
  Sealer sealer(vault->get());
  EXPECT_TRUE(sealer.Fits(next));
  ASSERT_TRUE(sealer.Begin(now));
  sealer.Add({"ev_1", {}, {}});
  EXPECT_TRUE(sealer.Fits(now));
  EXPECT_FALSE(sealer.Fits(next));
  std::string first, second;
  sealer.Finish(&first);
  ASSERT_TRUE(sealer.Begin(next));
  sealer.Add({"ev_2", {}, {}});
  sealer.Finish(&second);
  EXPECT_NE(first.find("seal-2026-11-20-s1"), std::string::npos);
  EXPECT_NE(second.find("seal-2026-11-21-s1"), std::string::npos);
  std::filesystem::remove_all(folder);
}

TEST(Sealed, ASumIsOfEveryByteAndItsPlace) {
  std::mt19937 random(3);
  for (size_t size : {0, 1, 7, 8, 31, 32, 33, 64, 1449}) {
    std::string answer(size, 'a');
    for (char& c : answer) c = static_cast<char>('a' + random() % 20);
    const AnswerSum sum = AnswerSumOf(answer);
    EXPECT_EQ(AnswerSumOf(std::string(answer)), sum);
    EXPECT_NE(AnswerSumOf(answer + '\0'), sum);
    for (size_t i = 0; i < size; ++i) {
      std::string other = answer;
      other[i] ^= 1;
      EXPECT_NE(AnswerSumOf(other), sum);
      EXPECT_NE(AnswerSumOf(answer.substr(0, i)), sum);
      if (i + 1 < size && answer[i] != answer[i + 1]) {
        other = answer;
        std::swap(other[i], other[i + 1]);
        EXPECT_NE(AnswerSumOf(other), sum);
      }
    }
  }
}

TEST(CallersText, ComesBack) {
  Caller all = Caller::Everything("all"), none;
  none.name = "none \"1\"";
  none.asserts = {"person.role"};
  const std::string text = CallersText({all, none});
  Result<std::vector<Caller>> back = ReadCallersText(text);
  ASSERT_TRUE(back.ok());
  ASSERT_EQ(back->size(), 2u);
  EXPECT_EQ(CallersText(*back), text);
  EXPECT_TRUE((*back)[0].details);
  EXPECT_FALSE((*back)[1].details);
  EXPECT_EQ((*back)[1].asserts, none.asserts);
  EXPECT_FALSE(ReadCallersText("{}").ok());
}

}  // namespace
}  // namespace dpl
