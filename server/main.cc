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
    "Signals:   HUP reads bundle, facts and callers again, as a change of the files does (a bad "
    "one "
    "changes nothing and\n"
    "           is said in the log and in /healthz); TERM and INT finish the requests under way "
    "and "
    "stop, a second one\n"
    "           ends at once\n"
    "Files:     docs/dpld.schema.json is the JSON Schema of the configuration\n"
    "Callers:   without `callers` in the configuration this is a start for development: it listens "
    "on this machine\n"
    "           only, and every caller may assert everything\n"
    "Example:   dplc build policies/quickstart -o policy.dplb\n"
    "           dpld --bundle policy.dplb --facts policies/quickstart/facts.json --listen "
    "127.0.0.1:8181\n"
    "Exit codes: 0 stopped as told, or checked and good; 1 refused to start, or checked and not "
    "good; 2 wrong use;\n"
    "           3 ended by a second signal before everything was finished";

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
  app.add_option("--watch", args.watch_seconds,
                 "look every so many seconds whether bundle, facts or configuration have changed, "
                 "and reload; 0: only on SIGHUP; default: 2")
      ->check(CLI::Range(0, 3600));
  std::string checked;
  CLI::Option* check = app.add_option(
      "--check-config", checked,
      "load everything, say all that is wrong with it and where, and stop; FILE: as --config FILE");
  check->expected(0, 1)->type_name("[FILE]");
  app.add_flag("--json", args.check_json, "with --check-config: the findings as JSON on stdout")
      ->needs(check);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  args.check_only = check->count() > 0;
  if (!checked.empty() && !args.config.empty()) {
    std::fprintf(stderr, "--check-config FILE and --config FILE are one too many\n");
    return 2;
  }
  if (!checked.empty()) args.config = checked;
  return dpl::RunDaemon(args);
}
