// What the commands share; see report.h.
#include "compiler/dplc/report.h"

#include <cstdio>
#include <cstdlib>

#include <unistd.h>

#include "compiler/diag/render.h"

namespace dpl::dplc {

bool UseColor(const std::string& choice, int stream) {
  if (choice == "always") return true;
  if (choice == "never") return false;
  const char* no_color = std::getenv("NO_COLOR");
  return isatty(stream) != 0 && (no_color == nullptr || *no_color == '\0');
}

void Out(std::string_view text) { std::fwrite(text.data(), 1, text.size(), stdout); }
void Err(std::string_view text) { std::fwrite(text.data(), 1, text.size(), stderr); }

int UsageError(const Error& error) {
  Err("dplc: " + error.message + "\n");
  return kUsage;
}

int Report(const CommonArgs& args, const testing::Compilation& c) {
  std::vector<Diagnostic> diagnostics = c.sink.Sorted();
  if (args.format == "json") {
    Out(RenderJson(c.sources, diagnostics) + "\n");
  } else if (args.format == "sarif") {
    Out(RenderSarif(c.sources, diagnostics, std::string(kVersion)) + "\n");
  } else {
    Err(RenderText(c.sources, diagnostics, {.color = UseColor(args.color, 2)}));
    std::string counts = RenderCounts(diagnostics);
    if (!counts.empty()) Err(counts + "\n");
  }
  if (c.sink.dropped() > 0)
    Err("dplc: " + std::to_string(c.sink.dropped()) + " further diagnostics are not shown\n");
  return c.sink.HasErrors() || (args.strict && c.sink.warnings() > 0) ? kFindings : kOk;
}

}  // namespace dpl::dplc
