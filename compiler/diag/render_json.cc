// Diagnostics as JSON, for programs.
#include <algorithm>
#include <string>

#include "compiler/diag/render.h"
#include "runtime/json/json_writer.h"

namespace dpl {
namespace {

void WriteSpan(const SourceSet& sources, const Span& span, JsonWriter* w) {
  const SourceFile* file = span.known() ? sources.Find(span.file) : nullptr;
  if (file == nullptr) return;
  w->Member("path", file->path());
  w->Key("line").Uint(span.line);
  w->Key("column").Uint(span.column);
  w->Key("end_line").Uint(span.end_line);
  w->Key("end_column").Uint(span.end_column);
  w->Key("offset").Uint(span.begin);
  w->Key("length").Uint(span.end - span.begin);
}

void WriteOne(const SourceSet& sources, const Diagnostic& d, JsonWriter* w) {
  w->BeginObject();
  w->Member("code", CodeText(d.code));
  w->Member("name", InfoOf(d.code).name);
  w->Member("severity", d.severity == Severity::Error ? "error" : "warning");
  w->Member("message", d.message);
  WriteSpan(sources, d.span, w);
  w->Key("labels").BeginArray();
  for (const Label& label : d.labels) {
    w->BeginObject().Member("text", label.text);
    WriteSpan(sources, label.span, w);
    w->EndObject();
  }
  w->EndArray();
  w->Key("help").BeginArray();
  for (const std::string& help : d.help) w->String(help);
  w->EndArray();
  w->Key("fixes").BeginArray();
  if (d.fix) {
    w->BeginObject().Member("description", d.fix->description);
    w->Key("edits").BeginArray();
    for (const Edit& edit : d.fix->edits) {
      w->BeginObject().Member("replacement", edit.replacement);
      WriteSpan(sources, edit.span, w);
      w->EndObject();
    }
    w->EndArray().EndObject();
  }
  w->EndArray();
  w->EndObject();
}

}  // namespace

std::string RenderJson(const SourceSet& sources, const std::vector<Diagnostic>& diagnostics) {
  std::string out;
  JsonWriter w(&out, 2);
  uint64_t errors = 0;
  w.BeginObject().Key("diagnostics").BeginArray();
  for (const Diagnostic& d : diagnostics) {
    errors += d.severity == Severity::Error ? 1 : 0;
    WriteOne(sources, d, &w);
  }
  w.EndArray();
  w.Key("errors").Uint(errors);
  w.Key("warnings").Uint(diagnostics.size() - errors);
  w.EndObject();
  return out + "\n";
}

}  // namespace dpl
