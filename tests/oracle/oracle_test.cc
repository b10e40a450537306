// Engine against oracle over generated policies, facts and requests.
//
// DPL_ORACLE_CASES (default 100,000 decisions) and DPL_ORACLE_SEED choose how much and what. A difference is made smaller,
// printed, and written to divergence-<seed>.txt in the build's folder.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "tests/oracle/session.h"

namespace dpl::oracle {
namespace {

uint64_t FromEnvironment(const char* name, uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

struct Found {
  bool differs = false;
  std::string report;
};

// One policy with a few worlds; stops at the first difference.
Found RunPolicy(uint64_t seed, const Faults& faults, Tally* tally, std::map<std::string, int>* refused, bool shrink) {
  Rng rng(seed);
  Vocabulary v(&rng);
  PolicyText policy = MakePolicy(&rng, v);
  std::unique_ptr<Compiled> compiled = CompilePolicy(&policy, refused);
  if (compiled == nullptr) {
    ++(*refused)["whole policies"];
    return {};
  }
  for (int w = 0; w < 5; ++w) {
    World0 world = MakeWorld(&rng, v, *compiled, 60);
    size_t at = 0;
    std::string wrong = RunWorld(*compiled, world, faults, tally, &at);
    if (wrong.empty()) continue;
    if (!shrink) return {true, wrong};
    world.events.resize(std::min(at + 1, world.events.size()));
    Shrink(&policy, &world, faults);
    std::vector<CompileError> errors;
    std::unique_ptr<Compiled> small = CompileText(policy.Text(), &errors);
    Tally scratch;
    wrong = RunWorld(*small, world, faults, &scratch, &at);
    return {true, Report(seed, policy, world, wrong)};
  }
  return {};
}

TEST(Oracle, AgreesWithTheEngine) {
  uint64_t cases = FromEnvironment("DPL_ORACLE_CASES", 100'000);
  uint64_t seed = FromEnvironment("DPL_ORACLE_SEED", 1);
  Tally tally;
  std::map<std::string, int> refused;
  int policies = 0, differences = 0;
  while (tally.asks < cases && differences < static_cast<int>(FromEnvironment("DPL_ORACLE_DIFFERENCES", 1))) {
    Found found = RunPolicy(seed, Faults(), &tally, &refused, true);
    if (found.differs) {
      ++differences;
      std::string path = (std::filesystem::path(DPL_BIN_DIR) / ("../divergence-" + std::to_string(seed) + ".txt")).lexically_normal();
      std::ofstream(path) << found.report;
      ADD_FAILURE() << found.report << "\nwritten to " << path;
    }
    ++seed;
    ++policies;
    if (policies >= 20 && tally.asks == 0) break;
  }
  std::cout << tally.asks << " decisions over " << policies << " policies: " << tally.permits << " permits, " << tally.askings << " asks\n";
  for (const auto& [reason, n] : tally.reasons) std::cout << "  " << reason << " " << n << "\n";
  for (const auto& [code, n] : refused) std::cout << "  refused " << code << " " << n << "\n";
  std::cout << "  limit lines " << tally.limit_lines << ", binding " << tally.bindings << ", several grants " << tally.with_several_grants << "\n";
}

}  // namespace
}  // namespace dpl::oracle
