// What the compiler tells the author: one diagnostic, and the closed list of codes.
//
// A diagnostic says what was found, where, and what would fix it: lower case, no full stop,
// backticks round the user's words. Labels point at other places that matter, `help` lines say what
// to do, a fix is an edit a tool may apply.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/span.h"

namespace dpl {

// One enumerator per row of catalogue.def: DPL0501 and so on. The value is the number in the code.
enum DiagCode : uint16_t {
#define DPL_DIAG(code, severity, phase, name, message, meaning) DPL##code = 1##code - 10000,
#include "compiler/diag/catalogue.def"
#undef DPL_DIAG
};

enum class Severity : uint8_t { Error, Warning };

// A row of the catalogue.
struct DiagInfo {
  DiagCode code;
  Severity severity;
  const char* phase;    // "Limits"
  const char* name;     // "ConflictingLimits"
  const char* message;  // template with {0}, {1} …
  const char* meaning;  // one line for lists of codes
};
const std::vector<DiagInfo>& DiagCatalogue();  // in order of code
const DiagInfo& InfoOf(DiagCode code);
// "DPL0501" or "0501" or "501" to its row; null when there is none.
const DiagInfo* FindDiag(std::string_view text);
std::string CodeText(DiagCode code);  // "DPL0501"

class DiagnosticSink;  // sink.h: collects and orders them

struct Label {
  Span span;
  std::string text;
};

struct Edit {
  Span span;  // replaced; empty span: inserted there
  std::string replacement;
};

// The one obvious mend: all of its edits or none. Offered only where it cannot be wrong by much:
// `dplc check --fix` applies it and checks again.
struct Fix {
  std::string description;  // "write `==`"
  std::vector<Edit> edits;
};

struct Diagnostic {
  DiagCode code = DPL0101;
  Severity severity = Severity::Error;
  Span span;  // unknown when the diagnostic is about no place in particular
  std::string message;
  std::vector<Label> labels;
  std::vector<std::string> help;
  std::optional<Fix> fix;
};

// Fills {0}, {1} … of a catalogue template.
std::string FillTemplate(std::string_view text, const std::vector<std::string>& args);

}  // namespace dpl
