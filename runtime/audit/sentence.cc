#include "runtime/audit/sentence.h"

#include "runtime/base/arena.h"
#include "runtime/base/text.h"
#include "runtime/json/json.h"

namespace dpl {

std::string AuditSentence(uint64_t seq, Instant time, std::string_view record) {
  std::string out = std::to_string(seq) + "  " + FormatInstant(time) + "  ";
  Arena arena;
  JsonLimits limits = FileJsonLimits();
  limits.positions = false;
  Result<const WireValue*> root = ParseJson(record, &arena, limits);
  auto text = [&](std::string_view name) -> std::string_view {
    const WireValue* value = root.ok() ? (*root)->Find(name) : nullptr;
    return value != nullptr && value->is_string() ? value->text : std::string_view();
  };
  if (std::string_view says = text("says"); !says.empty()) {
    AppendPrintable(&out, says);
    return out;
  }
  // What has no sentence of its own: its kind and event, and then all of it.
  AppendPrintable(&out, text("kind"));
  if (std::string_view event = text("event"); !event.empty()) {
    out += " ";
    AppendPrintable(&out, event);
  }
  out += ": ";
  // JSON has no controls left in it but may show what reorders a line.
  AppendPrintable(&out, record);
  return out;
}

}  // namespace dpl
