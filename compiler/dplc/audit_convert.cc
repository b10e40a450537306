// dplc audit export --format ocsf|opa: recorded decisions in the shapes that other tools read. One
// JSON object a line; docs/audit.md, "Exports" has the mapping.
#include <cstdio>

#include "compiler/dplc/audit_range.h"
#include "compiler/dplc/commands.h"
#include "compiler/dplc/report.h"
#include "runtime/base/arena.h"
#include "runtime/json/json.h"
#include "runtime/json/json_writer.h"
#include "runtime/json/wire_text.h"

namespace dpl::dplc {
namespace {

constexpr std::string_view kOcsfVersion = "1.6.0";
constexpr int kApiActivity = 6003;

std::string_view TextAt(const WireValue* object, std::string_view name) {
  const WireValue* value = object == nullptr ? nullptr : object->Find(name);
  return value != nullptr && (value->is_string() || value->is_number()) ? value->text
                                                                        : std::string_view();
}

void Member(JsonWriter* w, std::string_view name, std::string_view value) {
  if (!value.empty()) w->Member(name, value);
}

void Raw(JsonWriter* w, std::string_view name, const WireValue* value) {
  if (value == nullptr) return;
  std::string text;
  AppendWireText(&text, *value);
  w->Key(name).Raw(text);
}

// API Activity knows creating, reading, updating and deleting; everything else keeps its name.
int ActivityOf(std::string_view action) {
  struct Verb {
    std::string_view word;
    int activity;
  };
  static constexpr Verb kVerbs[] = {{"create", 1}, {"add", 1},    {"read", 2},   {"get", 2},
                                    {"list", 2},   {"view", 2},   {"update", 3}, {"write", 3},
                                    {"edit", 3},   {"change", 3}, {"delete", 4}, {"remove", 4}};
  for (const Verb& verb : kVerbs) {
    if (verb.word == action) return verb.activity;
  }
  return 99;
}

std::string_view SubjectOf(const WireValue* who) {
  std::string_view person = TextAt(who, "person");
  if (!person.empty()) return person;
  const WireValue* subject = who == nullptr ? nullptr : who->Find("subject");
  if (subject == nullptr) return {};
  return subject->is_string() ? subject->text : TextAt(subject, "id");
}

// OCSF API Activity, with the profile `security_control`.
void AppendOcsf(std::string* out, const AuditRecord& line, const WireValue& record) {
  const WireValue *who = record.Find("who"), *what = record.Find("what"), *by = record.Find("by");
  const bool allowed = TextAt(&record, "outcome") == "permit";
  const std::string_view action = TextAt(what, "action");
  const int activity = ActivityOf(action);
  Result<Instant> time = ParseInstant(TextAt(&record, "time"));
  JsonWriter w(out);
  w.BeginObject();
  w.Key("category_uid").Int(6).Member("category_name", "Application Activity");
  w.Key("class_uid").Int(kApiActivity).Member("class_name", "API Activity");
  w.Key("activity_id").Int(activity);
  w.Member("activity_name", activity == 1   ? "Create"
                            : activity == 2 ? "Read"
                            : activity == 3 ? "Update"
                            : activity == 4 ? "Delete"
                                            : (action.empty() ? "Other" : action));
  w.Key("type_uid").Int(kApiActivity * 100 + activity);
  w.Key("time").Int((time.ok() ? time->us : line.time.us) / 1000);
  w.Key("severity_id").Int(1).Member("severity", "Informational");
  w.Key("status_id").Int(allowed ? 1 : 2).Member("status", allowed ? "Success" : "Failure");
  Member(&w, "status_code", TextAt(&record, "reason"));
  Member(&w, "message", TextAt(&record, "says"));
  w.Key("action_id").Int(allowed ? 1 : 2).Member("action", allowed ? "Allowed" : "Denied");
  w.Key("disposition_id").Int(allowed ? 1 : 2);
  w.Member("disposition", allowed ? "Allowed" : "Blocked");
  w.Key("metadata").BeginObject().Member("version", kOcsfVersion);
  w.Key("product").BeginObject().Member("name", "dpld").Member("vendor_name", "DPL").EndObject();
  w.Key("profiles").BeginArray().String("security_control").EndArray();
  Member(&w, "uid", TextAt(&record, "id"));
  Member(&w, "correlation_uid", TextAt(&record, "request_id"));
  w.Key("sequence").Uint(line.seq).EndObject();
  w.Key("actor").BeginObject();
  w.Key("user").BeginObject();
  const std::string_view subject = SubjectOf(who);
  w.Member("uid", subject.empty() ? "unknown" : subject);
  Member(&w, "domain", TextAt(who, "partner"));
  if (std::string_view account = TextAt(who, "account"); !account.empty())
    w.Key("account").BeginObject().Member("uid", account).EndObject();
  w.EndObject();
  Member(&w, "app_name", TextAt(who, "agent"));
  Member(&w, "app_uid", TextAt(who, "instance"));
  if (by != nullptr && by->count > 0) {
    w.Key("authorizations").BeginArray();
    for (uint32_t i = 0; i < by->count; ++i) {
      w.BeginObject().Member("decision", TextAt(&record, "outcome"));
      w.Key("policy").BeginObject();
      Member(&w, "name", TextAt(&by->items[i], "statement"));
      Member(&w, "uid", TextAt(&by->items[i], "span"));
      Member(&w, "desc", TextAt(&by->items[i], "because"));
      Member(&w, "version", TextAt(&record, "policy"));
      w.EndObject().EndObject();
    }
    w.EndArray();
  }
  w.EndObject();
  w.Key("api").BeginObject();
  w.Member("operation", action.empty() ? "unknown" : action);
  w.Key("request").BeginObject();
  w.Member("uid", TextAt(&record, "id")).EndObject();
  if (std::string_view system = TextAt(what, "system"); !system.empty())
    w.Key("service").BeginObject().Member("name", system).EndObject();
  w.EndObject();
  w.Key("src_endpoint").BeginObject();
  std::string_view caller = TextAt(&record, "caller");
  w.Member("name", caller.empty() ? "unknown" : caller).EndObject();
  w.Key("resources").BeginArray().BeginObject();
  Member(&w, "uid", TextAt(what, "id"));
  w.Member("type", TextAt(what, "type").empty() ? "unknown" : TextAt(what, "type"));
  Member(&w, "namespace", TextAt(what, "system"));
  w.EndObject().EndArray();
  w.Key("unmapped").BeginObject();
  Raw(&w, "who", who);
  for (std::string_view name :
       {"limits", "parameters", "duties", "approvals", "break_glass", "reservation", "dry_run"})
    Raw(&w, name, record.Find(name));
  Member(&w, "task", TextAt(what, "task"));
  w.EndObject().EndObject();
}

// An event of OPA's decision log.
void AppendOpa(std::string* out, const AuditRecord& line, const WireValue& record) {
  const WireValue *what = record.Find("what"), *by = record.Find("by");
  JsonWriter w(out);
  w.BeginObject();
  w.Key("labels").BeginObject().Member("app", "dpld").EndObject();
  w.Member("decision_id", TextAt(&record, "id"));
  w.Key("bundles").BeginObject().Key("dpl").BeginObject();
  w.Member("revision", TextAt(&record, "policy")).EndObject().EndObject();
  std::string path(by != nullptr && by->count > 0 ? TextAt(&by->items[0], "statement")
                                                  : TextAt(what, "type"));
  for (char& c : path) c = c == '.' ? '/' : c;
  w.Member("path", path);
  w.Key("input").BeginObject();
  Raw(&w, "subject", record.Find("who"));
  w.Key("action").BeginObject().Member("name", TextAt(what, "action")).EndObject();
  w.Key("resource").BeginObject();
  w.Member("type", TextAt(what, "type")).Member("id", TextAt(what, "id")).EndObject();
  Member(&w, "task", TextAt(what, "task"));
  const WireValue* parameters = record.Find("parameters");
  Raw(&w, "parameters", parameters == nullptr ? nullptr : parameters->Find("values"));
  w.EndObject();
  const bool erased = parameters != nullptr && parameters->Find("values") == nullptr;
  if (erased) w.Key("erased").BeginArray().String("/input/parameters").EndArray();
  w.Key("result").BeginObject();
  w.Key("decision").Bool(TextAt(&record, "outcome") == "permit");
  for (std::string_view name : {"outcome", "reason", "says"})
    Member(&w, name, TextAt(&record, name));
  for (std::string_view name : {"by", "limits", "duties", "approvals", "reservation", "dry_run"})
    Raw(&w, name, record.Find(name));
  w.EndObject();
  w.Member("requested_by", TextAt(&record, "caller"));
  w.Member("timestamp", TextAt(&record, "time"));
  w.Key("req_id").Uint(line.seq).EndObject();
}

}  // namespace

int RunAuditConvert(const AuditArgs& args) {
  Result<AuditRange> range = AuditRangeOf(args.from, args.to);
  if (!range.ok()) return UsageError(range.error());
  Result<std::unique_ptr<AuditReader>> reader = AuditReader::Open(args.folder, *range);
  if (!reader.ok()) return UsageError(reader.error());
  const bool to_file = !args.output.empty() && args.output != "-";
  std::FILE* file = to_file ? std::fopen(args.output.c_str(), "wb") : stdout;
  if (file == nullptr) return UsageError({"path", "cannot write " + args.output, 0, 0});
  Arena arena;
  JsonLimits limits = FileJsonLimits();
  limits.positions = false;
  AuditRecord line;
  std::string out;
  bool good = true;
  int code = kOk;
  while (good) {
    Result<bool> more = (*reader)->Next(&line);
    if (!more.ok()) {
      (void)UsageError(more.error());
      code = kFindings;
      break;
    }
    if (!*more) break;
    arena.Reset();
    Result<const WireValue*> root = ParseJson(line.record, &arena, limits);
    if (!root.ok() || TextAt(*root, "kind") != "decision") continue;
    out.clear();
    if (args.format == "ocsf") {
      AppendOcsf(&out, line, **root);
    } else {
      AppendOpa(&out, line, **root);
    }
    out.push_back('\n');
    good = std::fwrite(out.data(), 1, out.size(), file) == out.size();
  }
  good = (to_file ? std::fclose(file) : std::fflush(file)) == 0 && good;
  return good ? code : UsageError({"path", "cannot write " + args.output, 0, 0});
}

}  // namespace dpl::dplc
