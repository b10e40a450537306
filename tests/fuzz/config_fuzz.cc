// Fuzzes the reader of the configuration: any text gives a configuration, or problems that all say
// where they are. The same text is the same configuration: nothing of it would need a restart.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/text.h"
#include "server/config.h"
#include "server/gate/gate.h"

namespace dpl {
namespace {

void Run(std::string_view text) {
  std::vector<ConfigProblem> problems;
  Result<Config> config = ReadConfigJson(text, "dpld.json", &problems);
  DPL_CHECK(config.ok() == problems.empty());
  for (const ConfigProblem& problem : problems) {
    DPL_CHECK(!problem.message.empty() && problem.line != 0 && problem.column != 0);
    DPL_CHECK(IsValidUtf8(problem.Text()));  // whoever prints it escapes controls
  }
  if (!config.ok()) {
    DPL_CHECK(!config.error().message.empty() && config.error().line != 0);
    return;
  }
  (void)CheckConfig(*config);
  Result<Config> again = ReadConfigJson(text, "dpld.json");
  DPL_CHECK(again.ok() && NeedsRestart(*config, *again).empty());
  Result<Config> bare = ReadConfigJson("{}", "dpld.json");
  DPL_CHECK(bare.ok());
  (void)NeedsRestart(*bare, *config);
  DPL_CHECK(config->callers.size() <= text.size());
  (void)MakeAdapters(config->integrations);
}

}  // namespace
}  // namespace dpl

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  dpl::Run({reinterpret_cast<const char*>(data), size});
  return 0;
}
