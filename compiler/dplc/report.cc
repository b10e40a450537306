// What the commands share; see report.h.
#include "compiler/dplc/report.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <system_error>

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

namespace {

// Leaves the first `most` diagnostics (0: all), errors before warnings, in their order. How many
// went.
size_t KeepFirst(size_t most, std::vector<Diagnostic>* diagnostics) {
  size_t count = diagnostics->size();
  if (most == 0 || count <= most) return 0;
  auto errors = static_cast<size_t>(
      std::count_if(diagnostics->begin(), diagnostics->end(),
                    [](const Diagnostic& d) { return d.severity == Severity::Error; }));
  size_t keep_errors = std::min(errors, most), keep_warnings = most - keep_errors;
  auto gone = [&](const Diagnostic& d) {
    size_t& left = d.severity == Severity::Error ? keep_errors : keep_warnings;
    if (left == 0) return true;
    --left;
    return false;
  };
  std::vector<Diagnostic> kept;
  for (Diagnostic& d : *diagnostics) {
    if (!gone(d)) kept.push_back(std::move(d));
  }
  *diagnostics = std::move(kept);
  return count - most;
}

}  // namespace

int UsageError(const Error& error) {
  Err("dplc: " + error.message + "\n");
  return kUsage;
}

Status WriteWhole(const std::string& path, std::string_view bytes) {
  if (path == "-") {
    Out(bytes);
    return Status::Ok();
  }
  namespace fs = std::filesystem;
  std::error_code error;
  fs::path target = fs::weakly_canonical(path, error);
  if (error) target = path;
  fs::path part = target;
  part += ".part";
  {
    std::ofstream out(part, std::ios::binary | std::ios::trunc);
    out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    out.flush();
    if (!out) return Error{"path", path + ": cannot be written"};
  }
  fs::file_status old = fs::status(target, error);
  if (!error && fs::exists(old)) fs::permissions(part, old.permissions(), error);
  fs::rename(part, target, error);
  if (error) return Error{"path", path + ": " + error.message()};
  return Status::Ok();
}

Timings::Timings(const CommonArgs& args, testing::Compilation* c) : c_(c) {
  c->jobs = args.jobs;
  if (!args.timings) return;
  c->times = &times_;
  times_.Begin("read");
}

Timings::~Timings() {
  if (c_->times == nullptr) return;
  times_.End();
  Err(times_.Table());
  c_->times = nullptr;
}

int Report(const CommonArgs& args, const testing::Compilation& c) {
  std::vector<Diagnostic> diagnostics = c.sink.Sorted();
  if (args.format == "json") {
    Out(RenderJson(c.sources, diagnostics) + "\n");
  } else if (args.format == "sarif") {
    Out(RenderSarif(c.sources, diagnostics, std::string(kVersion)) + "\n");
  } else {
    std::string counts = RenderCounts(diagnostics);
    size_t hidden = KeepFirst(args.max_errors, &diagnostics);
    Err(RenderText(c.sources, diagnostics, {.color = UseColor(args.color, 2)}));
    if (hidden > 0)
      Err("… and " + std::to_string(hidden) + " more: `--max-errors 0` shows them all\n");
    if (!counts.empty()) Err(counts + "\n");
  }
  if (c.sink.dropped() > 0)
    Err("dplc: " + std::to_string(c.sink.dropped()) + " further diagnostics are not shown\n");
  return c.sink.HasErrors() || (args.strict && c.sink.warnings() > 0) ? kFindings : kOk;
}

}  // namespace dpl::dplc
