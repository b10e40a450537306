// Collecting, counting and ordering diagnostics.
#include "compiler/diag/sink.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "runtime/base/near_name.h"

namespace dpl {

DiagnosticRef& DiagnosticRef::Label(const Span& span, std::string text) {
  target_->labels.push_back({span, std::move(text)});
  return *this;
}

DiagnosticRef& DiagnosticRef::Help(std::string text) {
  if (!text.empty()) target_->help.push_back(std::move(text));
  return *this;
}

DiagnosticRef& DiagnosticRef::Suggest(const Span& span, const std::vector<std::string>& near) {
  Help(DidYouMean(near));
  if (near.size() == 1) Fix(span, near[0]);
  return *this;
}

DiagnosticRef& DiagnosticRef::Fix(const Span& span, std::string replacement,
                                  std::string description) {
  if (!target_->fix) {
    if (description.empty()) {
      size_t from = replacement.find_first_not_of(" \n");
      size_t to = replacement.find_last_not_of(" \n");
      description = replacement.empty() ? "remove it"
                    : from == std::string::npos
                        ? "put a blank here"
                        : "write `" + replacement.substr(from, to - from + 1) + "`";
    }
    target_->fix = dpl::Fix{std::move(description), {}};
  }
  target_->fix->edits.push_back({span, std::move(replacement)});
  return *this;
}

DiagnosticRef DiagnosticSink::Report(DiagCode code, const Span& span,
                                     std::vector<std::string> args) {
  return ReportText(code, span, FillTemplate(InfoOf(code).message, args));
}

DiagnosticRef DiagnosticSink::ReportText(DiagCode code, const Span& span, std::string message) {
  return ReportAs(InfoOf(code).severity, code, span, std::move(message));
}

DiagnosticRef DiagnosticSink::ReportAs(Severity severity, DiagCode code, const Span& span,
                                       std::string message) {
  Diagnostic diagnostic;
  diagnostic.code = code;
  diagnostic.severity = severity;
  diagnostic.span = span;
  diagnostic.message = std::move(message);
  if (errors_ > 0 && !unread_.empty() && IsConsequence(diagnostic)) {
    overflow_ = std::move(diagnostic);
    return DiagnosticRef(&overflow_);
  }
  size_t& count = diagnostic.severity == Severity::Error ? errors_ : warnings_;
  if (count++ >= cap_) {
    ++dropped_;
    overflow_ = std::move(diagnostic);
    return DiagnosticRef(&overflow_);
  }
  all_.push_back(std::move(diagnostic));
  return DiagnosticRef(&all_.back());
}

bool DiagnosticSink::Said(DiagCode code, const Span& span) const {
  return std::any_of(all_.begin(), all_.end(),
                     [&](const Diagnostic& d) { return d.code == code && d.span == span; });
}

// Something is missing, and the message names, between backticks, a word that was left unread.
bool DiagnosticSink::IsConsequence(const Diagnostic& diagnostic) const {
  switch (diagnostic.code) {
    case DPL0201:
    case DPL0209:
    case DPL0210:
    case DPL0302:
    case DPL0709:
    case DPL0806:
      break;
    default:
      return false;
  }
  const std::string& text = diagnostic.message;
  const bool value = text.find("no value called") != std::string::npos;  // `principal.region`
  for (size_t open = text.find('`'); open != std::string::npos; open = text.find('`', open)) {
    size_t close = text.find('`', open + 1);
    if (close == std::string::npos) return false;
    for (size_t at = open + 1; at < close;) {
      size_t end = std::min(text.find('.', at), close);
      if (unread_.contains(text.substr(at, end - at))) return true;
      at = value ? close : end + 1;
    }
    open = close + 1;
  }
  return false;
}

void DiagnosticSink::Append(DiagnosticSink&& other) {
  for (Diagnostic& diagnostic : other.all_) {
    bool error = diagnostic.severity == Severity::Error;
    --(error ? other.errors_ : other.warnings_);
    if ((error ? errors_ : warnings_)++ < cap_) {
      all_.push_back(std::move(diagnostic));
    } else {
      ++dropped_;
    }
  }
  // What was beyond the other's cap is beyond this one's.
  errors_ += other.errors_;
  warnings_ += other.warnings_;
  dropped_ += other.dropped_;
  other = DiagnosticSink(other.cap_);
}

std::vector<Diagnostic> DiagnosticSink::Sorted() const {
  std::vector<Diagnostic> sorted(all_.begin(), all_.end());
  auto key = [](const Diagnostic& d) {
    return std::tuple(d.span.file, d.span.begin, static_cast<unsigned>(d.code), d.span.end);
  };
  std::stable_sort(sorted.begin(), sorted.end(),
                   [&](const Diagnostic& a, const Diagnostic& b) { return key(a) < key(b); });
  auto same = [&](const Diagnostic& a, const Diagnostic& b) {
    return key(a) == key(b) && a.message == b.message;
  };
  sorted.erase(std::unique(sorted.begin(), sorted.end(), same), sorted.end());
  return sorted;
}

}  // namespace dpl
