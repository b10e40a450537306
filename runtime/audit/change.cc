// Changes of state as records.
#include "runtime/audit/change.h"

#include "runtime/base/text.h"
#include "runtime/json/json_writer.h"

namespace dpl {
namespace {

void Text(JsonWriter* w, std::string_view name, std::string_view value) {
  if (value.empty()) return;
  if (value.size() <= kMaxChangeText) {
    w->Member(name, value);
    return;
  }
  size_t end = kMaxChangeText;
  while (end > 0 && (static_cast<uint8_t>(value[end]) & 0xC0) == 0x80) --end;
  std::string cut(value.substr(0, end));
  w->Member(name, cut.append("…"));
}

}  // namespace

void AppendChangeRecord(std::string* out, const StateChange& change) {
  JsonWriter w(out);
  w.BeginObject();
  w.Key("v").Int(1).Member("kind", "change");
  w.Member("time", FormatInstant(change.time));
  w.Member("event", change.event);
  w.Member("outcome", change.failed.empty() ? "done" : "refused");
  Text(&w, "reason", change.failed);
  Text(&w, "caller", change.caller);
  Text(&w, "person", change.person);
  Text(&w, "because", change.because);
  Text(&w, "request_id", change.request_id);
  Text(&w, "trace_id", change.trace_id);
  Text(&w, "span_id", change.span_id);
  if (change.epoch != 0) w.Key("epoch").Uint(change.epoch);
  if (!change.fields.empty()) {
    w.Key("what").BeginObject();
    for (const ChangeField& field : change.fields) Text(&w, field.name, field.value);
    w.EndObject();
  }
  w.EndObject();
}

}  // namespace dpl
