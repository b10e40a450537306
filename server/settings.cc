// The configuration that a start or reload works with: the file, and the command line over it.
#include "server/daemon.h"
#include "server/load.h"

namespace dpl {
namespace {

constexpr size_t kMostConfigBytes = 1 << 20;

}  // namespace

Result<Config> ReadConfig(const DaemonArgs& args, std::vector<ConfigProblem>* problems) {
  Config config;
  if (!args.config.empty()) {
    Result<std::string> text = ReadWholeFile(args.config, kMostConfigBytes);
    if (!text.ok()) return text.error();
    Result<Config> read = ReadConfigJson(*text, args.config, problems);
    if (!read.ok()) {
      const Error& error = read.error();
      return Error{error.code,
                   args.config + ":" + std::to_string(error.line) + ":" +
                       std::to_string(error.column) + ": " + error.message,
                   error.line, error.column};
    }
    config = read.take();
  }
  if (!args.bundle.empty()) config.bundle = args.bundle;
  if (!args.facts.empty()) config.facts = args.facts;
  if (!args.state.empty()) config.state = args.state;
  if (config.state.empty()) config.state = DefaultState();
  if (!args.audit.empty()) config.audit.folder = args.audit;
  if (config.audit.folder.empty()) config.audit.folder = DefaultAudit(config);
  if (!args.listen.empty()) config.listen.clear();
  for (const std::string& text : args.listen) {
    Result<ListenAddress> address = ListenAddress::Parse(text);
    if (!address.ok()) return address.error();
    config.listen.push_back(*address);
  }
  if (!args.operate.empty()) config.operate = {};
  for (const std::string& text : args.operate) DPL_RETURN_IF_ERROR(AddOperate(text, &config));
  if (config.listen.empty()) config.listen.push_back(*ListenAddress::Parse(Config::kDefaultListen));
  if (!args.log.empty()) config.log = args.log == "json" ? LogFormat::kJson : LogFormat::kText;
  if (args.threads != 0) config.threads = args.threads;
  if (args.watch_seconds >= 0) config.watch_seconds = args.watch_seconds;
  DPL_RETURN_IF_ERROR(CheckConfig(config));
  return config;
}

}  // namespace dpl
