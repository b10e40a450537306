// The life of dpld: start or refuse, serve, reload on SIGHUP and when files change, drain on
// SIGTERM and SIGINT.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "server/config.h"

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
  int watch_seconds = -1;
  bool check_only = false;
  bool check_json = false;  // its findings as JSON on stdout
  bool recover_state = false;
};

// The configuration file with the command line laid over it. `problems`: all that is wrong with
// the file, where that is what is wrong; may be null.
Result<Config> ReadConfig(const DaemonArgs& args, std::vector<ConfigProblem>* problems);

// Returns the exit code: 0 stopped as told (or checked and good), 1 refused to start (or checked
// and not good), 3 ended by a second signal before everything was finished. Takes over the
// process's signals.
int RunDaemon(const DaemonArgs& args);

}  // namespace dpl
