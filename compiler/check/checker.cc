// Reporting and the small services of a check run.
#include "compiler/check/checker.h"

#include <algorithm>

#include "runtime/base/text.h"

namespace dpl::check {

const char* KindWord(SymbolKind kind) {
  static const char* const kWords[kSymbolKinds] = {
      "constant",      "enum",     "function",   "calendar", "team",        "role",    "system",
      "resource type", "activity", "grant",      "limit",    "forbid",      "agent",   "delegation",
      "task",          "approval", "obligation", "separate", "break_glass", "partner",
  };
  return kWords[static_cast<size_t>(kind)];
}

std::string Quoted(std::string_view text) { return "`" + std::string(text) + "`"; }

std::string Listed(const std::vector<std::string>& items) {
  std::string out;
  for (size_t i = 0; i < items.size(); ++i) {
    if (i != 0) out += i + 1 == items.size() ? " and " : ", ";
    out += items[i];
  }
  return out;
}

bool Checker::AlreadySaid(DiagCode code, const Span& span) const {
  return said_.contains({code, span.file, span.begin, span.end, std::string()});
}

DiagnosticRef Checker::Say(Severity severity, DiagCode code, const Span& span,
                           std::string message) {
  if (!said_
           .emplace(code, span.file, span.begin, span.end,
                    code == DPL0104 ? message : std::string())
           .second) {
    repeated_ = Diagnostic{};
    return DiagnosticRef(&repeated_);
  }
  return sink->ReportAs(severity, code, span, std::move(message));
}

DiagnosticRef Checker::Report(DiagCode code, const Span& span, std::vector<std::string> args) {
  return Say(InfoOf(code).severity, code, span, FillTemplate(InfoOf(code).message, args));
}

DiagnosticRef Checker::ReportText(DiagCode code, const Span& span, std::string message) {
  return Say(InfoOf(code).severity, code, span, std::move(message));
}

DiagnosticRef Checker::ReportAs(Severity severity, DiagCode code, const Span& span,
                                std::string message) {
  return Say(severity, code, span, std::move(message));
}

std::string_view Checker::SourceText(const Span& span) const {
  const SourceFile* file = sources.Find(span.file);
  return file == nullptr || !span.known() ? std::string_view() : file->Slice(span);
}

Span Checker::LineOf(const Span& span) const {
  const SourceFile* file = sources.Find(span.file);
  if (file == nullptr || !span.known()) return span;
  const std::string& text = file->text();
  size_t begin = span.begin, end = span.end;
  while (begin > 0 && (text[begin - 1] == ' ' || text[begin - 1] == '\t')) --begin;
  while (end < text.size() && (text[end] == ' ' || text[end] == '\t' || text[end] == '\r')) ++end;
  bool alone = (begin == 0 || text[begin - 1] == '\n') && (end == text.size() || text[end] == '\n');
  return alone ? file->MakeSpan(begin, std::min(end + 1, text.size())) : span;
}

std::string Checker::Place(const Span& span) const {
  const SourceFile* file = sources.Find(span.file);
  std::string path = file == nullptr ? std::string("?") : file->path();
  return path + ":" + std::to_string(span.line) + ":" + std::to_string(span.column);
}

std::string Checker::OwnerText(const OwnerDef& owner) const {
  if (owner.team != kNone) return "team " + std::string(Text(model.schema.teams[owner.team].name));
  if (owner.person != kNone) return "person \"" + model.constants[owner.person].text + "\"";
  return "nobody";
}

uint32_t Checker::PersonConstant(std::string_view id, const Span& span) {
  const char* why = id.empty()       ? "it is empty"
                    : !IsNfc(id)     ? "it is not in Unicode normal form C"
                    : HasControl(id) ? "it has control characters"
                                     : nullptr;
  if (why != nullptr)
    ReportText(DPL0301, span, Quote(id) + " cannot be the id of a person: " + why);
  Constant constant;
  constant.kind = Constant::Kind::kPerson;
  constant.text = id;
  return model.AddConstant(std::move(constant));
}

uint32_t Checker::ResourceConstant(uint32_t resource, std::string_view id) {
  Constant constant;
  constant.kind = Constant::Kind::kResource;
  constant.extra = resource;
  constant.text = id;
  return model.AddConstant(std::move(constant));
}

}  // namespace dpl::check
