// Fuzzes what reads the records of an audit log (versions 2 and 3): terms, shapes and sealed
// groups, whoever wrote them. A record made whole is JSON again and of a bounded size; what was
// sealed together comes out as it went in, and anything else is refused.
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/audit/line.h"
#include "runtime/audit/question.h"
#include "runtime/audit/terms.h"
#include "runtime/base/arena.h"
#include "runtime/json/json.h"
#include "tests/support/temporary_folder.h"

namespace dpl {
namespace {

constexpr Instant kTime{1'795'000'000'000'000};

Result<const WireValue*> Parse(std::string_view text, Arena* arena) {
  JsonLimits limits = FileJsonLimits();
  limits.max_bytes = 8 * kMaxAuditLine;
  limits.max_string = limits.max_bytes;
  return ParseJson(text, arena, limits);
}

// One record a line, as a segment has them.
void TryRecords(std::string_view bytes) {
  AuditTermTable table;
  uint64_t seq = 0;
  Arena arena;
  while (!bytes.empty()) {
    const size_t end = bytes.find('\n');
    const std::string_view record = bytes.substr(0, end);
    bytes.remove_prefix(end == std::string_view::npos ? bytes.size() : end + 1);
    (void)table.Learn(record, seq);
    std::optional<uint64_t> shape, again_shape;
    std::string whole, again;
    const bool expanded = table.Expand(record, kTime, &whole, &shape);
    DPL_CHECK(table.Expand(record, kTime, &again, &again_shape) == expanded && again == whole);
    if (expanded) {
      DPL_CHECK(whole.size() <= AuditTermTable::kMostWhole);
      arena.Reset();
      Result<const WireValue*> root = Parse(whole, &arena);
      // (A term may say again what its record says.)
      DPL_CHECK(root.ok() ? (*root)->is_object() : root.error().code == "json.duplicate");
      DPL_CHECK(!shape.has_value() || *shape <= seq);
    }
    ++seq;
  }
}

struct Texts {
  std::string id, key, endpoint, body, witness;
};

// Lines are items, blanks part their texts: what is sealed comes back.
void TrySealing(std::string_view bytes) {
  static const TemporaryFolder folder;
  static const std::unique_ptr<AuditVault> vault =
      AuditVault::Open({.folder = folder.path(), .start = "fuzz"}).take();
  Sealer sealer(vault.get());
  std::vector<Texts> all;
  while (!bytes.empty()) {
    const size_t end = bytes.find('\n');
    std::string_view line = bytes.substr(0, end);
    bytes.remove_prefix(end == std::string_view::npos ? bytes.size() : end + 1);
    Texts texts;
    for (std::string* text :
         {&texts.id, &texts.key, &texts.endpoint, &texts.body, &texts.witness}) {
      const size_t blank = line.find(' ');
      text->assign(line.substr(0, blank));
      line.remove_prefix(blank == std::string_view::npos ? line.size() : blank + 1);
    }
    if (!sealer.Fits(kTime)) break;
    DPL_CHECK(sealer.Begin(kTime));
    SealedItem item{texts.id, AnswerSumOf(texts.body), {}};
    item.question = {texts.id.size() % 2 == 1, texts.key, texts.body, texts.endpoint,
                     texts.witness};
    DPL_CHECK(sealer.Add(item) == all.size());
    all.push_back(std::move(texts));
  }
  if (all.empty()) return;
  std::string record;
  sealer.Finish(&record);
  Arena arena;
  Result<const WireValue*> root = Parse(record, &arena);
  DPL_CHECK(root.ok());
  Result<std::string> plain =
      vault->OpenBox((*root)->Find("key")->text, Sealer::kAbout, (*root)->Find("box")->text);
  DPL_CHECK(plain.ok());
  std::optional<SealedItems> items = SealedItems::Parse(*plain);
  DPL_CHECK(items.has_value() && items->items().size() == all.size());
  for (size_t i = 0; i < all.size(); ++i) {
    const SealedItem& item = items->items()[i];
    const SealedQuestion& q = item.question;
    DPL_CHECK(item.id == all[i].id && q.charge_key == all[i].key && q.body == all[i].body &&
              q.endpoint == all[i].endpoint && q.witness == all[i].witness &&
              q.clock_suspect == (all[i].id.size() % 2 == 1) &&
              item.sum == AnswerSumOf(all[i].body));
  }
}

// What stands in a box, from somebody who has its key.
void TryBox(std::string_view plain) {
  if (std::optional<SealedItems> items = SealedItems::Parse(plain)) {
    size_t texts = 0;
    for (const SealedItem& item : items->items()) {
      const SealedQuestion& q = item.question;
      texts += item.id.size() + q.charge_key.size() + q.body.size() + q.endpoint.size() +
               q.witness.size();
    }
    DPL_CHECK(items->items().size() <= Sealer::kMostItems && texts <= SealedItems::kMostTexts);
  }
  (void)SealedQuestion::Parse(plain);
}

}  // namespace
}  // namespace dpl

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  dpl::TryRecords(bytes);
  dpl::TryBox(bytes);
  dpl::TrySealing(bytes);
  return 0;
}
