// Fuzzes changes that are pushed to facts, one a line: what a patch makes of the facts in force
// reads as what building them anew makes of the changed document, nothing is patched that the
// document refuses, and whoever reads what was in force before sees no change.
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "runtime/facts/json_facts.h"
#include "runtime/facts/patch.h"
#include "runtime/facts/write_facts.h"
#include "runtime/json/json.h"
#include "tests/unit/facts/policy_for_test.h"
#include "tests/unit/facts/snapshot_reading.h"

namespace dpl {
namespace {

constexpr std::string_view kFacts = R"({
  "version": "v0", "as_of": "2026-11-20T06:00Z",
  "persons": [{"id": "E1", "attributes": {"name": "Ada", "manager": "E2"}}, {"id": "E2", "attributes": {"manager": "E3"}}],
  "teams": {"acme.sales": ["E1"], "acme.staff": ["E2", {"team": "acme.interns"}], "acme.interns": ["E1"], "acme.marketing": ["E5"]},
  "roles": [{"role": "acme.purchaser", "members": ["E1", {"team": "acme.staff", "until": "2026-12-01"}]},
            {"role": "acme.editor", "in": {"type": "app.Project", "id": "P1"}, "members": ["E1"]}],
  "accounts": [{"system": "crm", "key": "ada", "person": "E1", "checked": "2026-11-01"}],
  "resources": [{"type": "app.Tenant", "id": "T1"}, {"type": "app.Project", "id": "P1", "parent": "T1"},
                {"type": "app.Folder", "id": "F1"}, {"type": "app.Folder", "id": "F2", "parent": "F1"},
                {"type": "app.Doc", "id": "D1", "parent": "F2", "attributes": {"owner": "E1", "viewers": ["E2", "E4"], "links": ["F1"]}}]
})";

std::shared_ptr<const Program> ThePolicy() {
  static const std::shared_ptr<const Program> program = [] {
    PolicyForTest policy;
    policy.Grant("acme.g1", policy.Person("E5"), {policy.project});
    policy.Grant("acme.g2", policy.Person("E7"), {policy.file});
    (void)policy.SetK({policy.Person("E1"), policy.Person("E9")});
    return policy.Finish();
  }();
  return program;
}

const Instant kNow = At("2026-11-20T15:00Z");

std::string Read(const Snapshot& snapshot) {
  SnapshotReading reading(snapshot, kNow);
  DPL_CHECK(reading.wrong().empty());
  return reading.text();
}

std::unique_ptr<Snapshot> Build(const FactsInput& facts) {
  Result<std::unique_ptr<Snapshot>> built = Snapshot::Build(ThePolicy(), facts, kNow);
  return built.ok() ? built.take() : nullptr;
}

// Behind each line: what it changes is in force, or nothing is changed.
class Facts {
 public:
  Facts() : text_(kFacts) {
    Renew();
    now_ = Build(document_->facts());
    patcher_ = std::make_unique<FactsPatcher>(*now_, document_->facts());
  }

  void Push(std::string_view json) {
    Arena arena;
    Result<const WireValue*> root = ParseJson(json, &arena);
    if (!root.ok()) return;
    Result<FactsChanges> changes = ReadFactsChanges(**root);
    if (!changes.ok()) {
      const Error& error = changes.error();
      DPL_CHECK(!error.code.empty() && !error.message.empty() && error.line != 0);
      return;
    }
    const std::string version = "v" + std::to_string(++pushes_);
    const std::string before = Read(*now_);
    Result<std::unique_ptr<Snapshot>> patch =
        patcher_->Patch(*now_, *changes, version, changes->as_of.value_or(now_->as_of()));
    std::unique_ptr<Snapshot> patched = patch.ok() ? patch.take() : nullptr;
    Status applied = document_->Apply(*changes);
    document_->set_version(version);
    std::unique_ptr<Snapshot> built = applied.ok() ? Build(document_->facts()) : nullptr;
    DPL_CHECK(Read(*now_) == before);
    if (built == nullptr) {
      DPL_CHECK(patched == nullptr);
      return Renew();
    }
    DPL_CHECK(patch.ok());
    document_->Accept();
    text_.clear();
    AppendFactsJson(&text_, document_->facts());
    Result<FactsInput> read = ReadFactsJson(text_, "facts.json");  // what is kept can be read again
    DPL_CHECK(read.ok());
    if (patched == nullptr) {
      now_ = std::move(built);
      patcher_ = std::make_unique<FactsPatcher>(*now_, document_->facts());
      return;
    }
    DPL_CHECK(Read(*patched) == Read(*built));
    patcher_->Accept();
    now_ = std::move(patched);
  }

 private:
  void Renew() {
    Result<FactsInput> facts = ReadFactsJson(text_, "facts.json");
    DPL_CHECK(facts.ok());
    document_ = std::make_unique<FactsDocument>(facts.take());
  }

  std::string text_;
  std::unique_ptr<FactsDocument> document_;
  std::shared_ptr<const Snapshot> now_;
  std::unique_ptr<FactsPatcher> patcher_;
  int pushes_ = 0;
};

void Run(std::string_view input) {
  Facts facts;
  for (int lines = 0; !input.empty() && lines < 8; ++lines) {
    const size_t end = input.find('\n');
    facts.Push(input.substr(0, end));
    input.remove_prefix(end == std::string_view::npos ? input.size() : end + 1);
  }
}

}  // namespace
}  // namespace dpl

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  dpl::Run({reinterpret_cast<const char*>(data), size});
  return 0;
}
