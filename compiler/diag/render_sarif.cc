// Diagnostics as SARIF 2.1.0, the format code review tools show beside the lines.
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/diag/render.h"
#include "runtime/json/json_writer.h"

namespace dpl {
namespace {

// A path as a relative URI reference: what RFC 3986 does not allow bare is percent-encoded.
std::string UriOf(std::string_view path) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  constexpr std::string_view kPlain = "-._~/";
  std::string uri;
  for (char c : path) {
    auto byte = static_cast<uint8_t>(c);
    bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (letter || kPlain.find(c) != std::string_view::npos) {
      uri += c;
    } else {
      uri += '%';
      uri += kHex[byte >> 4];
      uri += kHex[byte & 15];
    }
  }
  return uri;
}

void WriteRegion(const Span& span, JsonWriter* w) {
  w->BeginObject();
  w->Key("startLine").Uint(span.line);
  w->Key("startColumn").Uint(span.column);
  w->Key("endLine").Uint(span.end_line);
  w->Key("endColumn").Uint(span.end_column);
  w->EndObject();
}

void WriteLocation(const SourceFile& file, const Span& span, std::string_view text, JsonWriter* w) {
  w->BeginObject().Key("physicalLocation").BeginObject();
  w->Key("artifactLocation").BeginObject().Member("uri", UriOf(file.path())).EndObject();
  w->Key("region");
  WriteRegion(span, w);
  w->EndObject();
  if (!text.empty()) w->Key("message").BeginObject().Member("text", text).EndObject();
  w->EndObject();
}

// One change per file the mend touches.
void WriteFix(const SourceSet& sources, const Fix& fix, JsonWriter* w) {
  std::map<uint32_t, std::vector<const Edit*>> by_file;
  for (const Edit& edit : fix.edits) {
    if (edit.span.known() && sources.Find(edit.span.file) != nullptr)
      by_file[edit.span.file].push_back(&edit);
  }
  if (by_file.empty()) return;
  w->Key("fixes").BeginArray().BeginObject();
  w->Key("description").BeginObject().Member("text", fix.description).EndObject();
  w->Key("artifactChanges").BeginArray();
  for (const auto& [file, edits] : by_file) {
    w->BeginObject().Key("artifactLocation").BeginObject();
    w->Member("uri", UriOf(sources[file].path())).EndObject();
    w->Key("replacements").BeginArray();
    for (const Edit* edit : edits) {
      w->BeginObject().Key("deletedRegion");
      WriteRegion(edit->span, w);
      w->Key("insertedContent").BeginObject().Member("text", edit->replacement).EndObject();
      w->EndObject();
    }
    w->EndArray().EndObject();
  }
  w->EndArray().EndObject().EndArray();
}

void WriteResult(const SourceSet& sources, const Diagnostic& d, size_t rule, JsonWriter* w) {
  w->BeginObject();
  w->Member("ruleId", CodeText(d.code));
  w->Key("ruleIndex").Uint(rule);
  w->Member("level", d.severity == Severity::Error ? "error" : "warning");
  std::string text = d.message;
  for (const std::string& help : d.help) text += "\nhelp: " + help;
  w->Key("message").BeginObject().Member("text", text).EndObject();
  const SourceFile* file = d.span.known() ? sources.Find(d.span.file) : nullptr;
  if (file != nullptr) {
    w->Key("locations").BeginArray();
    WriteLocation(*file, d.span, {}, w);
    w->EndArray();
  }
  bool related = false;
  for (const Label& label : d.labels) {
    const SourceFile* other = label.span.known() ? sources.Find(label.span.file) : nullptr;
    if (other == nullptr) continue;
    if (!related) w->Key("relatedLocations").BeginArray();
    related = true;
    WriteLocation(*other, label.span, label.text, w);
  }
  if (related) w->EndArray();
  if (d.fix) WriteFix(sources, *d.fix, w);
  w->EndObject();
}

}  // namespace

std::string RenderSarif(const SourceSet& sources, const std::vector<Diagnostic>& diagnostics,
                        const std::string& version) {
  std::map<DiagCode, size_t> rules;
  for (const Diagnostic& d : diagnostics) rules.emplace(d.code, 0);
  std::string out;
  JsonWriter w(&out, 2);
  w.BeginObject();
  w.Member("$schema", "https://json.schemastore.org/sarif-2.1.0.json");
  w.Member("version", "2.1.0");
  w.Key("runs").BeginArray().BeginObject();
  w.Key("tool").BeginObject().Key("driver").BeginObject();
  w.Member("name", "dplc").Member("version", version);
  w.Key("rules").BeginArray();
  size_t next = 0;
  for (auto& [code, index] : rules) {
    index = next++;
    const DiagInfo& info = InfoOf(code);
    w.BeginObject().Member("id", CodeText(code)).Member("name", info.name);
    w.Key("shortDescription").BeginObject().Member("text", info.meaning).EndObject();
    w.Key("defaultConfiguration").BeginObject();
    w.Member("level", info.severity == Severity::Error ? "error" : "warning").EndObject();
    w.EndObject();
  }
  w.EndArray().EndObject().EndObject();
  w.Member("columnKind", "unicodeCodePoints");
  w.Key("results").BeginArray();
  for (const Diagnostic& d : diagnostics) WriteResult(sources, d, rules[d.code], &w);
  w.EndArray().EndObject().EndArray().EndObject();
  return out + "\n";
}

}  // namespace dpl
