// dplc init: a small policy with a limit, its facts and a test that passes, to start from.
#include <filesystem>
#include <fstream>

#include "compiler/dplc/commands.h"
#include "compiler/dplc/embedded.h"
#include "compiler/dplc/report.h"

namespace dpl::dplc {

int RunInit(const InitArgs& args) {
  namespace fs = std::filesystem;
  std::error_code error;
  fs::create_directories(args.folder, error);
  if (error) return UsageError({"path", args.folder + ": " + error.message()});
  const char* const names[] = {"policy.dpl", "facts.json"};
  for (const char* name : names) {
    fs::path target = fs::path(args.folder) / name;
    if (fs::exists(target) && !args.force) {
      return UsageError({"path", target.string() + " exists already; --force overwrites it"});
    }
  }
  for (const char* name : names) {
    fs::path target = fs::path(args.folder) / name;
    std::ofstream out(target, std::ios::binary | std::ios::trunc);
    out << EmbeddedFile(std::string("policies/quickstart/") + name);
    out.flush();
    if (!out) return UsageError({"path", target.string() + ": cannot be written"});
    Err("wrote " + target.lexically_normal().string() + "\n");
  }
  fs::path folder = fs::path(args.folder).lexically_normal();
  fs::path policy = (folder / "policy.dpl").lexically_normal();
  Err("next: dplc test " + policy.string() + "\n      dplc build " + policy.string() +
      " -o policy.dplb\n      dpld --bundle policy.dplb --facts " +
      (folder / "facts.json").lexically_normal().string() + "\n");
  return kOk;
}

}  // namespace dpl::dplc
