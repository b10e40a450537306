// dplc: the command line. Reads arguments, hands over to commands.h, turns the unexpected into exit
// code 3.
#include <exception>
#include <string>

#include <CLI/CLI.hpp>

#include "compiler/dplc/commands.h"
#include "compiler/dplc/report.h"

namespace {

using namespace dpl::dplc;

void AddPaths(CLI::App* app, CommonArgs* args, const char* what) {
  app->add_option("paths", args->paths, what)->required();
}
void AddCommon(CLI::App* app, CommonArgs* args, const std::vector<std::string>& formats) {
  std::string list;
  for (const std::string& f : formats) list += (list.empty() ? "" : ", ") + f;
  app->add_option("--format", args->format, "how results are written: " + list)
      ->check(CLI::IsMember(formats))
      ->capture_default_str();
  app->add_option("--color", args->color, "colour in text: auto, always, never")
      ->check(CLI::IsMember({"auto", "always", "never"}))
      ->capture_default_str();
  app->add_flag("--strict", args->strict, "warnings count as findings (exit code 1)");
  app->add_option("--max-errors", args->max_errors,
                  "how many diagnostics are shown as text, errors first; 0 shows all")
      ->capture_default_str();
  app->add_flag("-q,--quiet", args->quiet, "say only what is wrong");
}
void AddWork(CLI::App* app, CommonArgs* args) {
  app->add_option("-j,--jobs", args->jobs, "threads to work with; default: one for each core")
      ->check(CLI::Range(1u, 256u));
  app->add_flag("--timings", args->timings, "say what each phase of the compilation cost");
}

void AddTestOptions(CLI::App* app, TestArgs* test) {
  app->add_option("-k,--filter", test->filter,
                  "run only tests whose `package: title` contains this text");
  app->add_flag("--list", test->list, "name the tests instead of running them");
  app->add_flag("-x,--fail-fast", test->fail_fast, "stop at the first test that fails");
  app->add_option("--junit", test->junit, "also write JUnit XML to this file");
  app->add_flag("--coverage", test->coverage,
                "say what the tests exercised, and every line they did not")
      ->group("Coverage");
  app->add_option("--coverage-json", test->coverage_json, "write coverage as JSON to this file")
      ->group("Coverage");
  app->add_option("--lcov", test->lcov, "write an lcov tracefile")->group("Coverage");
  app->add_option("--html", test->html, "write one page: the sources with what was exercised")
      ->group("Coverage");
  app->add_option("--min", test->min, "exit code 4 when coverage is below this many percent")
      ->check(CLI::Range(0.0, 100.0))
      ->group("Coverage");
  app->add_flag("--mutate", test->mutate,
                "drop or loosen one clause at a time; exit code 5 when no test notices one")
      ->group("Mutation");
  app->add_option("--mutate-max", test->mutate_max,
                  "try at most this many, drawn from all over the policy, always the same")
      ->check(CLI::PositiveNumber)
      ->capture_default_str()
      ->group("Mutation");
  app->add_option("--mutate-json", test->mutate_json, "write every mutant as JSON to this file")
      ->group("Mutation");
  app->add_flag("--boundaries", test->boundaries,
                "instead of running them, propose boundary tests for every limit, ready to paste")
      ->group("Proposals");
  app->add_flag("-w,--watch", test->watch,
                "run again what a changed file can concern, until Ctrl-C");
  CLI::Option* replay =
      app->add_option("--replay", test->replay,
                      "instead of tests, run the recorded requests of this file (one JSON a line) "
                      "and report what changed")
          ->group("Replay");
  app->add_option("--facts", test->facts, "the facts file that --replay decides on")
      ->needs(replay)
      ->group("Replay");
  app->add_option("--record", test->record,
                  "write the requests of --replay with today's answers to this file")
      ->needs(replay)
      ->group("Replay");
  app->footer(
      "No test at all is a failure. Exit codes: 1 a test failed, 4 coverage is below --min, 5 a "
      "mutant survived.\nExample: dplc test --filter bands policies/");
}

void AddAudit(CLI::App* app, AuditArgs* args, int* code) {
  app->require_subcommand(1);
  auto command = [&](const char* name, const char* what, int (*run)(const AuditArgs&)) {
    CLI::App* sub = app->add_subcommand(name, what);
    sub->callback([=] { *code = run(*args); });
    return sub;
  };
  auto folder = [&](CLI::App* sub) {
    sub->add_option("folder", args->folder, "the folder of the log")->required();
  };
  auto format = [&](CLI::App* sub) {
    sub->add_flag_callback(
        "--json", [=] { args->format = "json"; }, "write the result as JSON");
  };
  auto key = [&](CLI::App* sub) {
    return sub->add_option("--key", args->key, "the log's public key, or a file that holds it");
  };
  auto range = [&](CLI::App* sub) {
    sub->add_option("--from", args->from, "from this record, or this time, on");
    sub->add_option("--to", args->to, "up to this record, or before this time");
  };
  CLI::App* verify = command(
      "verify", "find every edit, drop, swap, insertion and cut, with its place", RunAuditVerify);
  folder(verify), key(verify), format(verify);
  verify->add_option("--checkpoint", args->checkpoints,
                     "a checkpoint kept elsewhere, which the log must continue; several are fine");
  CLI::App* prove =
      command("prove", "write a proof that a record is in the log, to be checked without it",
              RunAuditProve);
  folder(prove);
  prove->add_option("number", args->seq, "the record's number (`seq`)")->required();
  prove->add_option("-o,--output", args->output, "where the proof goes; default: standard output");
  CLI::App* check =
      command("check-proof", "check such a proof; prints the record", RunAuditCheckProof);
  check->add_option("file", args->file, "the proof; - for standard input")->required();
  key(check)->required();
  format(check);
  CLI::App* show = command("show", "print records as sentences, one a line", RunAuditShow);
  folder(show), range(show);
  show->add_flag("-f,--follow", args->follow, "go on as records come, until Ctrl-C");
  CLI::App* exported = command("export", "write records as they were recorded", RunAuditExport);
  folder(exported), range(exported);
  exported
      ->add_option(
          "--format", args->format,
          "jsonl: the lines of the log, byte by byte; ocsf: decisions as OCSF API Activity; "
          "opa: decisions as events of OPA's decision log")
      ->check(CLI::IsMember({"jsonl", "lines", "ocsf", "opa"}))
      ->default_str("jsonl");
  exported->add_option("-o,--output", args->output, "where they go; default: standard output");
  CLI::App* who = command("who", "say who did what, under whose authority, and why", RunAuditWho);
  folder(who), format(who);
  who->add_option("--resource", args->resource, "on this one: an id, or TYPE:ID");
  who->add_option("--person", args->person, "by or for this person");
  who->add_option("--agent", args->agent, "through this agent, or this run of one");
  who->add_option("--action", args->action, "this action");
  who->add_option("--outcome", args->outcome, "permit, deny or ask")
      ->check(CLI::IsMember({"permit", "deny", "ask"}));
  who->add_option("--since", args->from, "from this record, day or time on");
  who->add_option("--until", args->to, "up to this record, or before this day or time");
  who->add_flag("--table", args->table, "one line each, in columns");
  CLI::App* replay = command(
      "replay", "decide recorded decisions again: the same bytes, or what another policy changes",
      RunAuditReplay);
  folder(replay), range(replay), format(replay);
  replay->add_option("--policy", args->policy, "a bundle (.dplb) or policy folder to decide with");
  CLI::App* prune = command(
      "prune", "remove sealed segments that are older; their seals stay, a record tells of it",
      RunAuditPrune);
  folder(prune);
  prune->add_option("--before", args->before, "an instant, 2026-01-31T00:00Z")->required();
  prune->add_option("--because", args->because, "why; it is recorded")->required();
  app->footer(
      "Exit codes: 0 all is well, 1 the log or the proof is not what was signed, 2 wrong use, or "
      "the files cannot be read.\nExample: dplc audit verify /var/log/dpld --key log.pub");
}

int Main(int argc, char** argv) {
  CLI::App app{
      "dplc, the toolchain of DPL: a language in which a policy author writes who owns access, "
      "why, and what limits apply.\n"
      "A path is a .dpl file, a folder (every .dpl file below it), or - for standard input."};
  app.set_version_flag("--version", "dplc " + std::string(kVersion));
  app.require_subcommand(1);
  app.footer(
      "Start with:\n  dplc init demo && dplc test demo\n"
      "Exit codes: 0 all is well, 1 findings, 2 wrong use, 3 a fault of dplc itself.");
  int code = kOk;

  CheckArgs check;
  CLI::App* check_app = app.add_subcommand(
      "check",
      "report everything that is wrong: names, types, owners, reasons, limits that disagree");
  AddPaths(check_app, &check.common,
           "files or folders; they are checked together, as one policy set");
  AddCommon(check_app, &check.common, {"text", "json", "sarif"});
  AddWork(check_app, &check.common);
  check_app->add_option("--facts", check.facts,
                        "a facts file: also check what needs data (approvers, members)");
  check_app->add_option("--as-of", check.as_of, "report reviews overdue on this day (YYYY-MM-DD)");
  check_app->add_flag("--costs", check.costs,
                      "print how many steps a decision may take at most, by action and statement");
  check_app->add_flag("--fix", check.fix,
                      "apply every mend that the diagnostics offer, check again, say what changed");
  check_app->add_flag("--watch", check.watch, "check again whenever a file changes, until Ctrl-C")
      ->excludes("--fix");
  check_app->footer(
      "Example: dplc check --strict policies/\nEach code has a page: dplc explain DPL0501");
  check_app->callback([&] { code = RunCheck(check); });

  BuildArgs build;
  CLI::App* build_app =
      app.add_subcommand("build", "check, compile and write a verified bundle (.dplb) for dpld");
  AddPaths(build_app, &build.common, "files or folders of one policy set");
  AddCommon(build_app, &build.common, {"text", "json", "sarif"});
  AddWork(build_app, &build.common);
  build_app->add_option(
      "-o,--output", build.output,
      "where the bundle goes (- for standard output); default: the path's name with .dplb");
  build_app->footer(
      "The same sources give the same bytes.\nExample: dplc build policies/quickstart -o "
      "policy.dplb");
  build_app->callback([&] { code = RunBuild(build); });

  TestArgs test;
  CLI::App* test_app =
      app.add_subcommand("test", "run the `test` blocks and explain every failure");
  AddPaths(test_app, &test.common, "files or folders of one policy set");
  AddCommon(test_app, &test.common, {"text", "json", "junit"});
  AddTestOptions(test_app, &test);
  test_app->callback([&] { code = RunTest(test); });

  FmtArgs fmt;
  CLI::App* fmt_app = app.add_subcommand(
      "fmt", "rewrite files in canonical form, one clause per line, comments kept");
  AddPaths(fmt_app, &fmt.common, "files or folders; - formats standard input to standard output");
  AddCommon(fmt_app, &fmt.common, {"text", "json", "sarif"});
  fmt_app->add_flag("--check", fmt.check,
                    "change nothing; exit code 1 when a file is not in canonical form");
  fmt_app->add_flag("--stdout", fmt.to_stdout, "print the result instead of rewriting the file");
  fmt_app->callback([&] { code = RunFmt(fmt); });

  FactsArgs facts;
  CLI::App* facts_app =
      app.add_subcommand("facts", "write what the `data` blocks say as a facts file for dpld");
  AddPaths(facts_app, &facts.common, "files or folders of one policy set");
  AddCommon(facts_app, &facts.common, {"text", "json", "sarif"});
  facts_app->add_option("-o,--output", facts.output,
                        "where the file goes; default: standard output");
  facts_app->footer("Example: dplc facts policies/ -o facts.json");
  facts_app->callback([&] { code = RunFacts(facts); });

  DisasmArgs disasm;
  CLI::App* disasm_app = app.add_subcommand(
      "disasm", "show the bytecode of a bundle or of sources, beside the lines it came from");
  AddPaths(disasm_app, &disasm.common,
           "one .dplb bundle, or the files or folders of one policy set");
  AddCommon(disasm_app, &disasm.common, {"text", "json", "sarif"});
  disasm_app->callback([&] { code = RunDisasm(disasm); });

  ExplainArgs explain;
  CLI::App* explain_app = app.add_subcommand(
      "explain",
      "say what a diagnostic (DPL0501) or a reason (limit.exceeded) means and how to mend it");
  explain_app->add_option("code", explain.code, "the code as printed")->required();
  explain_app->add_option("--format", explain.format, "text or json")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
  explain_app->callback([&] { code = RunExplain(explain); });

  InitArgs init;
  CLI::App* init_app = app.add_subcommand(
      "init", "write a small policy with a limit, its facts and a test that passes");
  init_app->add_option("folder", init.folder, "where to write policy.dpl and facts.json")
      ->capture_default_str();
  init_app->add_flag("--force", init.force, "overwrite files that are there");
  init_app->callback([&] { code = RunInit(init); });

  AuditArgs audit;
  AddAudit(app.add_subcommand("audit", "verify, prove, show, export and prune an audit log"),
           &audit, &code);

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? kOk : kUsage;
  }
  return code;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return Main(argc, argv);
  } catch (const std::exception& e) {
    Err(std::string("dplc: internal fault: ") + e.what() + "\n");
    return kInternal;
  }
}
