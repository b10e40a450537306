// What the phases of a compilation cost: for `--timings` and the benchmarks.
//
//   PhaseTimes times;
//   times.Begin("names");        // ends the phase before
//   …
//   times.End();
//   for (const PhaseTimes::Phase& p : times.phases()) …
//
// CPU time is that of the whole process, so that of all its threads; a phase that is begun again
// adds to what it had. One thread at a time. Everything that takes a PhaseTimes* takes null, too.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace dpl {

class PhaseTimes {
 public:
  struct Phase {
    std::string name;
    double cpu_s = 0, wall_s = 0;
  };
  void Begin(std::string_view phase);
  void End();
  // For what ran beside other things and was measured where it ran; has no wall time of its own.
  void AddCpu(std::string_view phase, double seconds);
  const std::vector<Phase>& phases() const { return phases_; }  // in the order of their beginning
  std::string Table() const;  // a line for each phase, and their sum

 private:
  Phase& At(std::string_view phase);

  std::vector<Phase> phases_;
  size_t open_ = static_cast<size_t>(-1);
  double cpu_start_ = 0, wall_start_ = 0;
};

inline void BeginPhase(PhaseTimes* times, std::string_view phase) {
  if (times != nullptr) times->Begin(phase);
}
inline void EndPhase(PhaseTimes* times) {
  if (times != nullptr) times->End();
}

double ThreadCpuSeconds();   // of the calling thread
double ProcessCpuSeconds();  // of all threads

}  // namespace dpl
