// See search_record.h.
#include "runtime/audit/search_record.h"

#include "runtime/base/text.h"
#include "runtime/json/json_writer.h"

namespace dpl {
namespace {

// What a caller says may be long, and hold what moves a terminal.
std::string Shown(std::string_view text) {
  std::string out;
  AppendPrintable(&out, text.substr(0, 256));
  return out;
}

void WriteEntity(JsonWriter* w, std::string_view name, std::string_view type, std::string_view id,
                 bool searched) {
  w->Key(name).BeginObject().Member("type", Shown(type));
  if (!searched) w->Member("id", Shown(id));
  w->EndObject();
}

std::string Sentence(const Request& r, const SearchTold& told) {
  std::string who = Shown(r.subject_type) + " \"" + Shown(r.subject_id) + "\"";
  std::string act = told.what == "action" ? std::string() : " " + Shown(r.action);
  std::string thing = Shown(r.resource_type) + " \"" + Shown(r.resource_id) + "\"";
  std::string out = "the caller " + Shown(r.caller->name) + " asked ";
  if (told.what == "subject") {
    out += "which " + Shown(r.subject_type) + " may" + act + " " + thing;
  } else if (told.what == "resource") {
    out += "which " + Shown(r.resource_type) + " " + who + " may" + act;
  } else {
    out += "what " + who + " may do with " + thing;
  }
  if (r.hop_count > 0) out += " through " + Shown(r.hops[r.hop_count - 1].agent);
  out += told.continued ? " (a further page): " : ": ";
  out += std::to_string(told.results) + (told.results == 1 ? " result" : " results");
  if (told.more) out += ", and there may be more";
  return out;
}

}  // namespace

void AppendSearchRecord(std::string* out, const Request& r, const SearchTold& told) {
  JsonWriter w(out);
  w.BeginObject();
  w.Key("v").Int(1).Member("kind", "search").Member("id", told.evaluation_id);
  w.Member("time", FormatInstant(told.time)).Member("caller", r.caller->name);
  if (!told.request_id.empty()) w.Member("request_id", Shown(told.request_id));
  w.Member("searched", told.what);
  w.Member("says", Sentence(r, told));
  WriteEntity(&w, "subject", r.subject_type, r.subject_id, told.what == "subject");
  if (told.what != "action") w.Member("action", Shown(r.action));
  WriteEntity(&w, "resource", r.resource_type, r.resource_id, told.what == "resource");
  if (r.hop_count > 0) {
    w.Key("chain").BeginArray();
    for (int i = 0; i < r.hop_count; ++i) {
      w.BeginObject().Member(r.hops[i].is_person ? "person" : "agent", Shown(r.hops[i].agent));
      if (!r.hops[i].instance.empty()) w.Member("instance", Shown(r.hops[i].instance));
      w.EndObject();
    }
    w.EndArray();
  }
  if (!r.task.empty()) w.Member("task", Shown(r.task));
  w.Key("limit").Uint(told.limit).Key("continued").Bool(told.continued);
  w.Key("results").Uint(told.results).Key("more").Bool(told.more);
  w.Key("decisions").Uint(told.decisions).Key("epoch").Uint(told.epoch);
  w.EndObject();
  if (told.in_force.empty()) return;
  out->back() = ',';  // its members come rendered
  out->append(told.in_force).push_back('}');
}

}  // namespace dpl
