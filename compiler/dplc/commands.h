// The commands of dplc: each takes its parsed arguments and gives an exit code. main.cc only reads
// the command line.
//
// Exit codes: 0 all is well, 1 findings (errors in policies, failed tests, files to be formatted),
// 2 wrong use (unknown option, missing file), 3 a fault of dplc itself; `dplc test` also has 4
// (coverage below --min) and 5 (mutants that no test notices). Diagnostics go to standard
// error, results to standard output.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace dpl::dplc {

enum ExitCode : int {
  kOk = 0,
  kFindings = 1,
  kUsage = 2,
  kInternal = 3,
  kCoverageBelow = 4,  // dplc test --min
  kSurvivors = 5,      // dplc test --mutate
};

struct CommonArgs {
  std::vector<std::string> paths;
  std::string format = "text";  // text, json, sarif (where a command has it)
  std::string color = "auto";   // auto, always, never
  bool strict = false;          // warnings count as findings
  bool quiet = false;
  size_t max_errors = 100;  // diagnostics shown as text; 0: all
  unsigned jobs = 0;        // threads; 0: one for each core
  bool timings = false;     // say what each phase cost
};
struct CheckArgs {
  CommonArgs common;
  std::string facts;
  std::string as_of;
  bool fix = false;    // apply the mends that diagnostics offer
  bool costs = false;  // print what a decision may cost
  bool watch = false;  // check again whenever a file changes
};
struct BuildArgs {
  CommonArgs common;
  std::string output;
};
struct TestArgs {
  CommonArgs common;
  std::string filter;
  bool list = false, fail_fast = false;
  std::string junit;  // files; empty: not written
  bool coverage = false;
  std::string coverage_json, lcov, html;
  double min = -1;  // percent; below 0: none asked for
  bool mutate = false;
  size_t mutate_max = 1000;
  std::string mutate_json;
  std::string replay, record, facts;
  bool boundaries = false;
  bool watch = false;
  bool WantsMutants() const { return mutate || !mutate_json.empty(); }
  bool WantsCoverage() const {
    return coverage || min >= 0 || !coverage_json.empty() || !lcov.empty() || !html.empty();
  }
};
struct FmtArgs {
  CommonArgs common;
  bool check = false;
  bool to_stdout = false;
};
struct DisasmArgs {
  CommonArgs common;
};
struct ExplainArgs {
  std::string code;
  std::string format = "text";
};
struct InitArgs {
  std::string folder = ".";
  bool force = false;
};

struct FactsArgs {
  CommonArgs common;
  std::string output;
};

struct AuditArgs {
  std::string folder;
  std::string format = "text";           // text, json (where a command has it)
  std::string key;                       // a file with the public key, or the key itself
  std::vector<std::string> checkpoints;  // files
  uint64_t seq = 0;
  std::string file, output;
  std::string from, to;  // numbers of records or instants
  bool follow = false;
  std::string before, because;
  // who
  std::string resource, person, agent, action, outcome;
  bool table = false;
  std::string policy;  // replay: another one
};

int RunCheck(const CheckArgs& args);
int RunBuild(const BuildArgs& args);
int RunTest(const TestArgs& args);    // goes on to one of the next two where asked for
int RunReplay(const TestArgs& args);  // dplc test --replay
int RunWatch(const TestArgs& args);   // dplc test --watch
int RunFmt(const FmtArgs& args);
int RunFacts(const FactsArgs& args);
int RunDisasm(const DisasmArgs& args);
int RunExplain(const ExplainArgs& args);
int RunInit(const InitArgs& args);

// dplc audit …: over the folder of an audit log
int RunAuditVerify(const AuditArgs& args);
int RunAuditProve(const AuditArgs& args);
int RunAuditCheckProof(const AuditArgs& args);
int RunAuditShow(const AuditArgs& args);
int RunAuditExport(const AuditArgs& args);
int RunAuditPrune(const AuditArgs& args);
int RunAuditWho(const AuditArgs& args);
int RunAuditReplay(const AuditArgs& args);
int RunAuditConvert(const AuditArgs& args);  // export as ocsf, opa

}  // namespace dpl::dplc
