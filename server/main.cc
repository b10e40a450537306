// dpld, the policy decision point: reads the command line, loads the policy, serves until told to
// stop.
#include <csignal>
#include <cstdio>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "server/daemon.h"

namespace {

constexpr const char* kDescription =
    "dpld, the policy decision point of DPL: answers over HTTP (OpenID AuthZEN 1.0) whether a "
    "person, or an agent acting\n"
    "for one, may do something, with the reason.";
constexpr const char* kFooter =
    "Endpoints: POST /access/v1/evaluation, POST /access/v1/evaluations, GET "
    "/.well-known/authzen-configuration,\n"
    "           GET /healthz, /readyz, /metrics\n"
    "Signals:   HUP reads bundle, facts and callers again (a bad one changes nothing and is said "
    "in the log and in\n"
    "           /healthz); TERM and INT finish the requests under way and stop\n"
    "Callers:   without `callers` in the configuration this is a start for development: it listens "
    "on this machine\n"
    "           only, and every caller may assert everything\n"
    "Example:   dplc build policies/quickstart -o policy.dplb\n"
    "           dpld --bundle policy.dplb --facts policies/quickstart/facts.json --listen "
    "127.0.0.1:8181\n"
    "Exit codes: 0 stopped as told, 1 refused to start, 2 wrong use";

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{kDescription};
  app.footer(kFooter);
  app.set_version_flag("--version", "dpld " + std::string(dpl::kDaemonVersion));
  dpl::DaemonArgs args;
  app.add_option("--bundle", args.bundle, "the policy: a bundle made by `dplc build`");
  app.add_option("--facts", args.facts, "persons, teams, accounts, resources: a JSON file");
  app.add_option(
      "--listen", args.listen,
      "an address such as 127.0.0.1:8181, [::1]:0 or unix:/run/dpld.sock; may be repeated");
  app.add_option(
      "--operate", args.operate,
      "an address of the operating API; may be repeated; `none`: there is none. Default: "
      "unix:STATE/operate.sock and 127.0.0.1:8182");
  app.add_option("--state", args.state,
                 "the folder that state is kept in, or `memory` to forget it at the end; default: "
                 "$STATE_DIRECTORY, else dpl-state");
  app.add_option("--audit", args.audit,
                 "the folder of the audit log, or `none` to record nothing; default: "
                 "$LOGS_DIRECTORY, else `audit` in the state folder (none with `--state memory`)");
  app.add_flag("--state-recover", args.recover_state,
               "start with what a damaged state folder still tells; the log says what is lost");
  app.add_option("--config", args.config,
                 "a JSON file with all of this and the callers; the command line wins");
  app.add_option("--log", args.log, "how the log on stderr is written")
      ->check(CLI::IsMember({"text", "json"}));
  app.add_option("--threads", args.threads, "serving threads; default: one per processor")
      ->check(CLI::Range(1, 256));
  app.add_flag("--check-config", args.check_only,
               "load everything, say whether it is good, and stop");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  return dpl::RunDaemon(args);
}
