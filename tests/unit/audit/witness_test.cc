// A decision is decided again from what it read, without the store it read from.
#include "runtime/audit/witness.h"

#include <filesystem>

#include <gtest/gtest.h>
#include <unistd.h>

#include "runtime/audit/callers_text.h"
#include "runtime/audit/question.h"
#include "runtime/audit/record.h"
#include "runtime/decide/answer.h"
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
  Sealer sealer(vault->get(), 1);
  RecordWriter writer;
  w.Decide(Ask().Person("E7").Agent("helper", "run-1").Does("read", "app.Doc", "d1"));
  const Request request = w.last_request;
  std::string witness, line;
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
    EXPECT_TRUE(sealer.Seal(w.now, "ev_1", question, "{}"));
    context.seal_key = sealer.key_id();
    context.box = sealer.box();
    line.clear();
    writer.Append(&line, *w.snapshot, request, d, context);
  };
  for (int i = 0; i < 3; ++i) record();
  const size_t before = HeapAllocationsForTest();
  for (int i = 0; i < 100; ++i) record();
  EXPECT_EQ(HeapAllocationsForTest(), before);
  EXPECT_NE(line.find("\"sealed\":{\"key\":\"seal-2026-11-20-s1\""), std::string::npos);
  std::filesystem::remove_all(folder);
}

TEST(SealedQuestion, ComesBack) {
  SealedQuestion question;
  question.clock_suspect = true;
  question.charge_key = "key";
  question.endpoint = "https://x";
  question.body = "{}";
  question.witness = std::string_view("\0\1", 2);
  std::string plain;
  question.Append(&plain);
  std::optional<SealedQuestion> back = SealedQuestion::Parse(plain);
  ASSERT_TRUE(back);
  EXPECT_TRUE(back->clock_suspect);
  EXPECT_EQ(back->charge_key, "key");
  EXPECT_EQ(back->endpoint, "https://x");
  EXPECT_EQ(back->body, "{}");
  EXPECT_EQ(back->witness, question.witness);
  for (size_t size = 0; size < plain.size(); ++size)
    EXPECT_FALSE(SealedQuestion::Parse(std::string_view(plain).substr(0, size)));
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
