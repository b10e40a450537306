// dplc audit who: who did what, under whose authority, and why.
#include <algorithm>

#include "compiler/dplc/audit_range.h"
#include "compiler/dplc/commands.h"
#include "compiler/dplc/report.h"
#include "runtime/base/arena.h"
#include "runtime/base/text.h"
#include "runtime/json/json.h"

namespace dpl::dplc {
namespace {

std::string_view TextAt(const WireValue& object, std::string_view name) {
  const WireValue* value = object.Find(name);
  return value != nullptr && (value->is_string() || value->is_number()) ? value->text
                                                                        : std::string_view();
}

// "t.helper" goes by "helper" too; a type by its last part.
bool Names(std::string_view full, std::string_view asked) {
  if (full == asked) return true;
  return full.size() > asked.size() && full.ends_with(asked) &&
         full[full.size() - asked.size() - 1] == '.';
}

// `a1`, `docs.Document:a1` or `docs.Document/a1`.
bool IsResource(const WireValue& what, std::string_view asked) {
  std::string_view id = TextAt(what, "id"), type = TextAt(what, "type");
  if (id.empty()) id = TextAt(what, "resource");
  if (id == asked) return true;
  return asked.size() > id.size() + 1 && asked.ends_with(id) && !id.empty() &&
         (asked[asked.size() - id.size() - 1] == ':' ||
          asked[asked.size() - id.size() - 1] == '/') &&
         Names(type, asked.substr(0, asked.size() - id.size() - 1));
}

bool AnyValue(const WireValue& object, std::string_view asked) {
  for (uint32_t i = 0; i < object.count && object.is_object(); ++i) {
    if (object.members[i].value.is_string() && Names(object.members[i].value.text, asked))
      return true;
  }
  return false;
}

class Filter {
 public:
  explicit Filter(const AuditArgs& args) : args_(args) {}

  bool Takes(const WireValue& record) const {
    std::string_view kind = TextAt(record, "kind");
    if (kind == "decision") return TakesDecision(record);
    if (kind == "change") return TakesChange(record);
    return false;
  }

 private:
  bool TakesDecision(const WireValue& record) const {
    static const WireValue kNone;
    const WireValue* found = record.Find("who");
    const WireValue& who = found == nullptr ? kNone : *found;
    found = record.Find("what");
    const WireValue& what = found == nullptr ? kNone : *found;
    if (!args_.outcome.empty() && TextAt(record, "outcome") != args_.outcome) return false;
    if (!args_.action.empty() && !Names(TextAt(what, "action"), args_.action)) return false;
    if (!args_.resource.empty() && !IsResource(what, args_.resource)) return false;
    if (!args_.person.empty() && !HasPerson(who)) return false;
    return args_.agent.empty() || HasAgent(who);
  }
  // Those that an action or an outcome is asked of are decisions.
  bool TakesChange(const WireValue& record) const {
    if (!args_.outcome.empty() || !args_.action.empty()) return false;
    static const WireValue kNone;
    const WireValue* found = record.Find("what");
    const WireValue& what = found == nullptr ? kNone : *found;
    for (const std::string* asked : {&args_.resource, &args_.person, &args_.agent}) {
      if (asked->empty()) continue;
      const bool by = asked == &args_.person && TextAt(record, "person") == *asked;
      if (!by && !AnyValue(what, *asked)) return false;
    }
    return true;
  }
  bool HasPerson(const WireValue& who) const {
    for (std::string_view name : {"person", "deputy", "subject", "accountable"}) {
      if (TextAt(who, name) == args_.person) return true;
    }
    if (const WireValue* subject = who.Find("subject");
        subject != nullptr && TextAt(*subject, "id") == args_.person)
      return true;
    return InChain(who, "person", args_.person);
  }
  bool HasAgent(const WireValue& who) const {
    return Names(TextAt(who, "agent"), args_.agent) || InChain(who, "agent", args_.agent) ||
           InChain(who, "instance", args_.agent) || InChain(who, "partner_agent", args_.agent);
  }
  static bool InChain(const WireValue& who, std::string_view member, std::string_view asked) {
    const WireValue* chain = who.Find("chain");
    for (uint32_t i = 0; chain != nullptr && chain->is_array() && i < chain->count; ++i) {
      if (Names(TextAt(chain->items[i], member), asked)) return true;
    }
    return false;
  }

  const AuditArgs& args_;
};

void Print(std::string* out, std::string_view text) { AppendPrintable(out, text); }

// Under whose authority: the statements, in the order they count.
void Authority(const WireValue& record, std::string* out) {
  const WireValue* by = record.Find("by");
  for (uint32_t i = 0; by != nullptr && i < by->count; ++i) {
    const WireValue& statement = by->items[i];
    *out += "    by ";
    Print(out, TextAt(statement, "as"));
    *out += " ";
    Print(out, TextAt(statement, "statement"));
    *out += " (";
    Print(out, TextAt(statement, "span"));
    *out += ")";
    if (std::string_view owner = TextAt(statement, "owner"); !owner.empty()) {
      *out += ", owner ";
      Print(out, owner);
    }
    if (std::string_view because = TextAt(statement, "because"); !because.empty()) {
      *out += ", because ";
      AppendQuoted(out, because);
    }
    *out += "\n";
  }
  const WireValue* limits = record.Find("limits");
  for (uint32_t i = 0; limits != nullptr && i < limits->count; ++i) {
    const WireValue& limit = limits->items[i];
    *out += "    limit ";
    Print(out, TextAt(limit, "name"));
    if (std::string_view period = TextAt(limit, "period"); !period.empty()) {
      *out += " ";
      Print(out, period);
    }
    *out += ": ";
    Print(out, TextAt(limit, "before"));
    *out += " -> ";
    Print(out, TextAt(limit, "after"));
    *out += " of ";
    Print(out, TextAt(limit, "cap"));
    *out += " (";
    Print(out, TextAt(limit, "state"));
    *out += ")\n";
  }
}

void Sentences(const AuditRecord& line, const WireValue& record, std::string* out) {
  *out += std::to_string(line.seq) + "  ";
  if (TextAt(record, "kind") == "decision") {
    Print(out, TextAt(record, "says"));
    std::string_view reason = TextAt(record, "reason");
    if (reason != "permit") {
      *out += " (";
      Print(out, reason);
      *out += ")";
    }
    *out += "\n";
    Authority(record, out);
    return;
  }
  Print(out, TextAt(record, "time"));
  *out += "  ";
  Print(out, TextAt(record, "event"));
  for (std::string_view name : {"reason", "person", "caller", "because"}) {
    if (std::string_view value = TextAt(record, name); !value.empty()) {
      *out += name == "reason" ? ", refused: " : name == "because" ? ", because " : ", by ";
      if (name == "because") {
        AppendQuoted(out, value);
      } else {
        Print(out, value);
      }
    }
  }
  *out += "\n";
  const WireValue* what = record.Find("what");
  for (uint32_t i = 0; what != nullptr && what->is_object() && i < what->count; ++i) {
    *out += "    ";
    Print(out, what->members[i].name);
    *out += ": ";
    Print(out, what->members[i].value.text);
    *out += "\n";
  }
}

std::string Actor(const WireValue& record) {
  const WireValue* who = record.Find("who");
  if (who == nullptr) {
    std::string_view person = TextAt(record, "person");
    return std::string(person.empty() ? TextAt(record, "caller") : person);
  }
  std::string_view agent = TextAt(*who, "agent"), person = TextAt(*who, "person");
  std::string subject(person);
  if (const WireValue* named = who->Find("subject"); named != nullptr)
    subject = named->is_string() ? named->text : TextAt(*named, "id");
  if (agent.empty()) return subject;
  return subject.empty() ? std::string(agent) : std::string(agent) + " for " + subject;
}

std::string Deed(const WireValue& record) {
  const WireValue* what = record.Find("what");
  if (TextAt(record, "kind") != "decision" || what == nullptr)
    return std::string(TextAt(record, "event"));
  return std::string(TextAt(*what, "action")) + " " + std::string(TextAt(*what, "type")) + " " +
         std::string(TextAt(*what, "id"));
}

std::string Grounds(const WireValue& record) {
  const WireValue* by = record.Find("by");
  if (by == nullptr || by->count == 0) return std::string(TextAt(record, "because"));
  return std::string(TextAt(by->items[0], "as")) + " " +
         std::string(TextAt(by->items[0], "statement"));
}

size_t Width(std::string_view text) {
  return static_cast<size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<uint8_t>(c) & 0xc0) != 0x80; }));
}

std::string Table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<size_t> widths(rows[0].size());
  for (const auto& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], Width(row[i]));
  }
  std::string out;
  for (const auto& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) {
      out += row[i];
      if (i + 1 < row.size()) out.append(widths[i] - Width(row[i]) + 2, ' ');
    }
    out += "\n";
  }
  return out;
}

std::string Printed(std::string_view text) {
  std::string out;
  AppendPrintable(&out, text);
  return out;
}

}  // namespace

int RunAuditWho(const AuditArgs& args) {
  Result<AuditRange> range = AuditRangeOf(args.from, args.to);
  if (!range.ok()) return UsageError(range.error());
  Result<std::unique_ptr<AuditReader>> reader = AuditReader::Open(args.folder, *range);
  if (!reader.ok()) return UsageError(reader.error());
  const Filter filter(args);
  Arena arena;
  JsonLimits limits = FileJsonLimits();
  limits.positions = false;
  std::vector<std::vector<std::string>> rows = {
      {"number", "time", "outcome", "who", "did", "on the authority of"}};
  AuditRecord line;
  std::string text;
  for (;;) {
    Result<bool> more = (*reader)->Next(&line);
    if (!more.ok()) {
      (void)UsageError(more.error());
      return kFindings;
    }
    if (!*more) break;
    arena.Reset();
    Result<const WireValue*> root = ParseJson(line.record, &arena, limits);
    if (!root.ok() || !filter.Takes(**root)) continue;
    if (args.format == "json") {
      Out(line.whole);
      Out("\n");
      continue;
    }
    if (args.table) {
      std::string_view outcome = TextAt(**root, "outcome");
      rows.push_back({std::to_string(line.seq), Printed(TextAt(**root, "time")), Printed(outcome),
                      Printed(Actor(**root)), Printed(Deed(**root)), Printed(Grounds(**root))});
      continue;
    }
    text.clear();
    Sentences(line, **root, &text);
    Out(text);
  }
  if (args.table) Out(Table(rows));
  return kOk;
}

}  // namespace dpl::dplc
