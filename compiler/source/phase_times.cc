// Reading the clocks, and a table of what they said.
#include "compiler/source/phase_times.h"

#include <ctime>

#include <fmt/format.h>

namespace dpl {
namespace {

double Read(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

}  // namespace

double ThreadCpuSeconds() { return Read(CLOCK_THREAD_CPUTIME_ID); }
double ProcessCpuSeconds() { return Read(CLOCK_PROCESS_CPUTIME_ID); }

PhaseTimes::Phase& PhaseTimes::At(std::string_view phase) {
  for (Phase& p : phases_) {
    if (p.name == phase) return p;
  }
  return phases_.emplace_back(Phase{std::string(phase)});
}

void PhaseTimes::Begin(std::string_view phase) {
  End();
  open_ = static_cast<size_t>(&At(phase) - phases_.data());
  cpu_start_ = ProcessCpuSeconds();
  wall_start_ = Read(CLOCK_MONOTONIC);
}

void PhaseTimes::End() {
  if (open_ >= phases_.size()) return;
  phases_[open_].cpu_s += ProcessCpuSeconds() - cpu_start_;
  phases_[open_].wall_s += Read(CLOCK_MONOTONIC) - wall_start_;
  open_ = static_cast<size_t>(-1);
}

void PhaseTimes::AddCpu(std::string_view phase, double seconds) { At(phase).cpu_s += seconds; }

std::string PhaseTimes::Table() const {
  std::string table = fmt::format("{:<18} {:>10} {:>10}\n", "phase", "cpu ms", "wall ms");
  double cpu = 0, wall = 0;
  for (const Phase& p : phases_) {
    bool part = p.name.starts_with(' ');  // of the phase above
    std::string took = part ? std::string() : fmt::format("{:10.1f}", p.wall_s * 1e3);
    table += fmt::format("{:<18} {:>10.1f} {:>10}\n", p.name, p.cpu_s * 1e3, took);
    if (part) continue;
    cpu += p.cpu_s;
    wall += p.wall_s;
  }
  return table + fmt::format("{:<18} {:>10.1f} {:>10.1f}\n", "all", cpu * 1e3, wall * 1e3);
}

}  // namespace dpl
