// The life of dpld: start or refuse, serve, reload on SIGHUP, drain on SIGTERM and SIGINT.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace dpl {

inline constexpr std::string_view kDaemonVersion = DPL_VERSION;

// As the command line gives them; empty or 0: not given.
struct DaemonArgs {
  std::string bundle;
  std::string facts;
  std::string state;
  std::string audit;
  std::vector<std::string> listen;
  std::vector<std::string> operate;
  std::string config;
  std::string log;
  int threads = 0;
  bool check_only = false;
  bool recover_state = false;
};

// Returns the exit code: 0 stopped as told (or checked and good), 1 refused to start. Takes over
// the process's signals.
int RunDaemon(const DaemonArgs& args);

}  // namespace dpl
