// GET /v1/counters: what is used of each limit that counts, by whom, and what is left.
#include <algorithm>

#include "runtime/decide/render.h"
#include "server/operate/counter_text.h"
#include "server/operate/names.h"
#include "server/operate/page.h"
#include "server/operate/routes.h"

namespace dpl {
namespace {

std::string_view WindowWord(CounterKey::Window window) {
  switch (window) {
    case CounterKey::Window::kCalendar:
      return "calendar";
    case CounterKey::Window::kSliding:
      return "sliding";
    case CounterKey::Window::kTotal:
      break;
  }
  return "total";
}

void WriteCounter(Call& call, const CounterRecord& record, JsonWriter* out) {
  const Program& program = call.program();
  const CounterText counter = ReadCounter(call.snapshot(), record.identity);
  const Instant now = std::max(call.now(), call.store().HighTime());
  const bool over = record.window == CounterKey::Window::kCalendar && record.end <= now;
  const int64_t used = over ? 0 : record.used;  // of a window that is over nothing is used now
  out->BeginObject();
  out->Member("counter", counter.identity);
  if (counter.limit != kNone) {
    const Limit& limit = program.limits[counter.limit];
    std::string text;
    out->Member("limit", program.Text(limit.name));
    out->Member("statement", program.Text(program.statements[limit.statement].name));
    out->Member("measure", program.Text(limit.measure));
    AppendSpan(&text, program, limit.span);
    if (!text.empty()) out->Member("span", text);
    text.clear();
    AppendOwner(&text, program, program.statements[limit.statement].owner);
    if (!text.empty()) out->Member("owner", text);
  }
  out->Key("keys").BeginObject();
  for (const auto& [name, value] : counter.keys) out->Member(name, value);
  out->EndObject().Key("window").BeginObject().Member("kind", WindowWord(record.window));
  if (record.window == CounterKey::Window::kCalendar) {
    out->Member("start", FormatInstant(record.start)).Member("end", FormatInstant(record.end));
    out->Key("over").Bool(over);
  } else if (record.window == CounterKey::Window::kSliding) {
    out->Member("lasts", FormatDuration(Duration{record.sliding_us}));
  }
  if (counter.limit != kNone) {
    std::string text;
    AppendWindow(&text, program, program.limits[counter.limit]);
    out->Member("text", text);
  }
  out->EndObject().Member("used", counter.Write(used));
  out->Member("reserved", counter.Write(over ? 0 : record.reserved));
  if (std::optional<int64_t> cap = FixedCap(call.snapshot(), counter)) {
    out->Member("cap", counter.Write(*cap));
    out->Member("left", counter.Write(std::max<int64_t>(0, *cap - used)));
  }
  out->EndObject();
}

}  // namespace

void ListCounters(Call& call) {
  PageQuery query;
  if (!query.Read(call)) return;
  std::optional<std::string_view> statement = call.Query("statement"),
                                  person = call.Query("person"), agent = call.Query("agent"),
                                  task = call.Query("task");
  std::string agent_full;
  if (agent) agent_full = FindAgentName(call.snapshot(), *agent).full;
  auto has = [](const CounterText& counter, std::string_view key, std::string_view value) {
    return std::any_of(counter.keys.begin(), counter.keys.end(), [&](const auto& known) {
      return known.first == key &&
             (known.second == value || (key == "instance" && known.second.starts_with(value) &&
                                        known.second[value.size()] == '/'));
    });
  };
  Keep<CounterRecord> keep;
  if (statement || person || agent || task) {
    keep = [&](const CounterRecord& record) {
      const CounterText counter = ReadCounter(call.snapshot(), record.identity);
      if (statement) {
        if (counter.limit == kNone) return false;
        const Program& program = call.program();
        std::string_view full =
            program.Text(program.statements[program.limits[counter.limit].statement].name);
        if (full != *statement &&
            (!full.ends_with(*statement) || full.size() <= statement->size() ||
             full[full.size() - statement->size() - 1] != '.'))
          return false;
      }
      return (!person || has(counter, "person", *person)) &&
             (!task || has(counter, "task", *task)) &&
             (!agent || has(counter, "agent", agent_full) || has(counter, "instance", agent_full));
    };
  }
  AnswerPage(
      call, call.store().ListCounters(query.ask(), call.now(), keep),
      [&](const CounterRecord& record, JsonWriter* out) { WriteCounter(call, record, out); });
}

}  // namespace dpl
