// Where diagnostics are collected, and in which order they come out.
//
//   DiagnosticSink sink;
//   sink.Report(DPL0201, span, {"team", "`finanse`"}).Help("did you mean `finance`?");
//   for (const Diagnostic& d : sink.Sorted()) …
//
// Reports may arrive in any order; Sorted() orders them by file, position and code and drops
// repeats. After `cap` errors further ones are only counted, and warnings likewise, so that hostile
// input cannot fill the memory and warnings cannot crowd out what is wrong. One thread at a time.
#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "compiler/diag/diagnostic.h"

namespace dpl {

// What Report gives back: adds to the diagnostic just reported. Valid until the next report.
class DiagnosticRef {
 public:
  explicit DiagnosticRef(Diagnostic* target) : target_(target) {}
  DiagnosticRef& Label(const Span& span, std::string text);
  DiagnosticRef& Help(std::string text);  // an empty text adds nothing
  // "did you mean …?", and with just one near name the mend that writes it over `span`.
  DiagnosticRef& Suggest(const Span& span, const std::vector<std::string>& near);
  // The mend: replaces the text of `span`. The description says so by itself when none is given. A
  // second call adds an edit to the same mend.
  DiagnosticRef& Fix(const Span& span, std::string replacement, std::string description = {});

 private:
  Diagnostic* target_;
};

class DiagnosticSink {
 public:
  explicit DiagnosticSink(size_t cap = 1000) : cap_(cap) {}

  // `args` fill the catalogue's message template; one missing is our own mistake.
  DiagnosticRef Report(DiagCode code, const Span& span, std::vector<std::string> args = {});
  // With the message written out instead.
  DiagnosticRef ReportText(DiagCode code, const Span& span, std::string message);
  // Softer or harder than the catalogue says (DPL0501 is a warning where only data could make two
  // roles meet).
  DiagnosticRef ReportAs(Severity severity, DiagCode code, const Span& span, std::string message);

  // Takes over what another sink collected, as if it had been reported here now.
  void Append(DiagnosticSink&& other);

  // Names that text which could not be read seems to declare: that one of these is missing is no
  // news, and such reports are dropped from now on. Only after the errors that said what cannot be
  // read.
  void SetUnread(std::unordered_set<std::string> words) { unread_ = std::move(words); }

  // Whether this was reported of exactly this text already.
  bool Said(DiagCode code, const Span& span) const;
  bool HasErrors() const { return errors_ > 0; }
  size_t errors() const { return errors_; }
  size_t warnings() const { return warnings_; }
  // Whether a further error would be dropped: nobody need think about how to help with it.
  bool full() const { return errors_ >= cap_; }
  size_t dropped() const { return dropped_; }  // beyond the cap

  // In order of file, position, code; equal ones once.
  std::vector<Diagnostic> Sorted() const;

 private:
  bool IsConsequence(const Diagnostic& diagnostic) const;

  size_t cap_;
  size_t errors_ = 0;
  size_t warnings_ = 0;
  size_t dropped_ = 0;
  std::unordered_set<std::string> unread_;
  std::deque<Diagnostic> all_;
  Diagnostic overflow_;  // takes the labels of what was dropped
};

}  // namespace dpl
