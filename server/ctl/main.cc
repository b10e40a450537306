// dplctl: the operating API of dpld from the shell. Its commands are the list in commands.cc.
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>
#include <sys/stat.h>

#include "server/ctl/client.h"
#include "server/ctl/commands.h"
#include "server/ctl/print.h"
#include "server/ctl/run.h"

namespace dpl {
namespace {

constexpr const char* kDescription =
    "dplctl: tasks, hand-offs, revocations, approvals and the rest of the state behind a dpld";
constexpr const char* kFooter =
    "Where:      --to, else $DPL_OPERATE, else the socket in $STATE_DIRECTORY or dpl-state\n"
    "Who:        $DPL_TOKEN, or --token-file; on a unix socket your user id may be enough\n"
    "Examples:   dplctl tasks open settle --person raj --agent assistant --arg 'orders=[\"O1\"]'\n"
    "            dplctl revoke person raj --because \"left the company\"\n"
    "            dplctl revoke everything --before 2026-11-20T15:00:00Z --because \"keys leaked\"\n"
    "            dplctl requests list --waits-for boss\n"
    "            dplctl counters --person raj --json\n"
    "Exit codes: 0 done, 1 refused (the reason is on stderr), 2 wrong use, 3 nobody answered";

constexpr const char* kDecisions =
    "127.0.0.1:8181";  // where dpld decides unless it is told otherwise

struct Common {
  std::string to, token_file, cursor;
  int limit = 0;
  bool json = false, all = false;
};

std::string Default() {
  if (const char* given = std::getenv("DPL_OPERATE"); given != nullptr && *given != '\0')
    return given;
  const char* state = std::getenv("STATE_DIRECTORY");
  std::string folder = state == nullptr || *state == '\0' ? "dpl-state" : state;
  return "unix:" + folder.substr(0, folder.find(':')) + "/operate.sock";
}

// The token, never from the command line, where every user of the machine could read it.
Result<std::string> ReadToken(const std::string& path) {
  if (path.empty()) {
    const char* given = std::getenv("DPL_TOKEN");
    return std::string(given == nullptr ? "" : given);
  }
  struct stat info;
  if (stat(path.c_str(), &info) == 0 && (info.st_mode & 0007) != 0)
    return Error{"ctl.usage", path + ": everybody can read this token; chmod o= it first", 0, 0};
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"),
                                                       &std::fclose);
  char line[4096];
  if (file == nullptr || std::fgets(line, sizeof line, file.get()) == nullptr)
    return Error{"ctl.usage", path + ": cannot be read", 0, 0};
  std::string token(line);
  while (!token.empty() && (token.back() == '\n' || token.back() == '\r' || token.back() == ' '))
    token.pop_back();
  return token;
}

int Fail(int code, const std::string& message) {
  std::fprintf(stderr, "dplctl: %s\n", Shown(message).c_str());
  return code;
}

int Run(const Command& command, const Given& given, const Common& common) {
  Result<Target> target = Target::Parse(common.to.empty() ? Default() : common.to);
  if (!target.ok()) return Fail(kUsage, target.error().message);
  Result<std::string> token = ReadToken(common.token_file);
  if (!token.ok()) return Fail(kUsage, token.error().message);
  std::string cursor = common.cursor;
  for (;;) {
    std::vector<std::pair<std::string, std::string>> more;
    if (common.limit != 0) more.emplace_back("limit", std::to_string(common.limit));
    if (!cursor.empty()) more.emplace_back("cursor", cursor);
    Result<Ask> ask = MakeAsk(command, given, more);
    if (!ask.ok()) return Fail(kUsage, ask.error().message);
    ask->token = *token;
    Result<Reply> reply = Send(*target, *ask);
    if (!reply.ok()) return Fail(kUnreachable, reply.error().message);
    std::string out, err;
    int code = PrintReply(command, *reply, common.json, &out, &err, &cursor);
    std::fputs(out.c_str(), stdout);
    std::fputs(err.c_str(), stderr);
    if (code != kDone || cursor.empty()) return code;
    if (common.all) continue;
    if (!common.json) std::fprintf(stderr, "more: --cursor %s, or --all\n", cursor.c_str());
    return code;
  }
}

// Whether a load balancer should send questions to it: /readyz of the listener that decides.
int RunReady(const Common& common) {
  Result<Target> target = Target::Parse(common.to.empty() ? kDecisions : common.to);
  if (!target.ok()) return Fail(kUsage, target.error().message);
  Result<Reply> reply = Send(*target, {"GET", "/readyz", {}, {}});
  if (!reply.ok()) return Fail(kUnreachable, reply.error().message);
  std::printf("%s\n", Shown(reply->body).c_str());
  return reply->status == 200 ? kDone : kRefused;
}

}  // namespace
}  // namespace dpl

int main(int argc, char** argv) {
  using dpl::Goes;
  CLI::App app{dpl::kDescription};
  app.footer(dpl::kFooter);
  app.set_version_flag("--version", "dplctl " DPL_VERSION);
  app.require_subcommand(1);
  dpl::Common common;
  app.add_option("--to", common.to, "unix:PATH or http://ADDRESS:PORT");
  app.add_option("--token-file", common.token_file, "a file with the caller's token");
  app.add_flag("--json", common.json, "print the answer as it came");
  app.fallthrough();
  std::map<std::string, CLI::App*> groups;
  // Values land here, by command; nothing moves once it is there.
  std::map<const dpl::Command*, dpl::Given> values;
  std::map<CLI::App*, const dpl::Command*> leaves;
  std::map<const dpl::Command*, std::map<std::string_view, bool>> flags;
  for (const dpl::Command& command : dpl::Commands()) {
    std::string words(command.words), first = words.substr(0, words.find(' '));
    CLI::App* parent = &app;
    if (words.size() != first.size()) {
      CLI::App*& group = groups[first];
      if (group == nullptr) {
        group = app.add_subcommand(first, "list, show and change " + first);
        group->require_subcommand(1);
        group->fallthrough();
      }
      parent = group;
    }
    CLI::App* leaf =
        parent->add_subcommand(words.substr(words.rfind(' ') + 1), std::string(command.help));
    leaf->fallthrough();
    leaves[leaf] = &command;
    for (const dpl::Argument& argument : command.arguments) {
      std::string flag(argument.flag), help(argument.help);
      if (argument.goes == Goes::kFlag) {
        leaf->add_flag(flag, flags[&command][argument.flag], help);
        continue;
      }
      CLI::Option* option = leaf->add_option(flag, values[&command][argument.flag], help);
      option->required(argument.required);
      if (argument.goes != Goes::kArgs) option->expected(1);
      option->allow_extra_args(false);
    }
    if (!command.columns.empty()) {
      leaf->add_option("--limit", common.limit, "how many on a page, at most 1000")
          ->check(CLI::Range(1, 1000));
      leaf->add_option("--cursor", common.cursor, "where the page before ended");
      leaf->add_flag("--all", common.all, "all pages");
    }
  }
  CLI::App* ready = app.add_subcommand(
      "ready", "whether dpld answers questions now (--to its decision listener; 127.0.0.1:8181)");
  ready->fallthrough();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? dpl::kDone : dpl::kUsage;
  }
  if (ready->parsed()) return dpl::RunReady(common);
  for (const auto& [leaf, command] : leaves) {
    if (!leaf->parsed()) continue;
    dpl::Given given = values[command];
    for (const auto& [flag, set] : flags[command]) {
      if (set) given[flag] = {"true"};
    }
    return dpl::Run(*command, given, common);
  }
  return dpl::kUsage;
}
