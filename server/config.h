// The configuration of dpld: a JSON file, overlaid by the command line. Documented in docs/dpld.md.
//
//   std::vector<ConfigProblem> problems;
//   Result<Config> config = ReadConfigJson(text, "dpld.json", &problems);
//   if (!config.ok()) …   // "callers[1].token_sha256: must be 64 hex digits", with line and column
//
// Every member is checked: an unknown one, a wrong type, a value out of range is a problem that
// says where and what is known; all of them are found at once. Paths are taken relative to the
// file's folder. The same rules as a JSON Schema: docs/dpld.schema.json, held equal by
// tests/http/config_test.py.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/audit/log.h"
#include "runtime/base/result.h"
#include "server/api/callers.h"
#include "server/api/service.h"
#include "server/gate/gate.h"
#include "server/http/address.h"
#include "server/http/limits.h"

namespace dpl {

enum class LogFormat : uint8_t { kText, kJson };

// One thing that is wrong with a configuration file.
struct ConfigProblem {
  std::string path;     // of the member: `callers[1].token_sha256`; empty: the whole file
  std::string message;  // "must be 64 hex digits"
  uint32_t line = 0;
  uint32_t column = 0;

  std::string Text() const;  // path and message
};

struct Config {
  std::vector<ListenAddress> listen;  // empty: kDefaultListen
  std::string bundle;
  std::string facts;
  std::string state;  // a folder, or kMemoryState; empty: DefaultState()
  struct Audit {
    std::string folder;  // or kNoAudit; empty: DefaultAudit()
    std::string key;     // file of the private key; empty: in the folder
    AuditMode mode = AuditMode::kRequired;
    int64_t sync_ms = 100;    // a record that nobody waits for is on disk after this long
    int64_t retain_days = 0;  // sealed segments older than this are removed; 0: none
    bool replay = true;       // requests are kept, sealed, so that they can be run again
  } audit;
  std::string public_url;  // what /.well-known/authzen-configuration names; https, without a path's
                           // trailing slash
  SearchLimits search;
  LogFormat log = LogFormat::kText;
  int threads = 0;        // 0: one per processor
  int watch_seconds = 2;  // how often the files are looked at for changes; 0: never
  HttpLimits limits;
  std::vector<RegisteredCaller> callers;
  std::vector<std::string> dropped_revocations;  // revoked statements that the policy may lack
  GateOptions integrations;                      // other protocols' endpoints, all off
  // Where the operating API listens. `given`: asked for by name, so that an address which cannot be
  // listened on refuses the start; with none given, DefaultOperate().
  struct Operate {
    bool given = false;
    std::vector<ListenAddress> listen;
    std::string public_url;  // what `ask` answers name: http or https, without a trailing slash;
                             // empty: the first TCP address it listens on
  } operate;
  // The members of the file as they were written, for what has changed since.
  std::map<std::string, std::string, std::less<>> members;

  static constexpr std::string_view kDefaultListen = "127.0.0.1:8181";
  static constexpr std::string_view kMemoryState = "memory";
  static constexpr std::string_view kNoAudit = "none";
  static constexpr std::string_view kDefaultOperate = "127.0.0.1:8182";
  static constexpr std::string_view kOperateSocket = "operate.sock";  // in the state folder
  static constexpr std::string_view kNoOperate = "none";
};

// A unix socket in the state folder, if there is one, and kDefaultOperate.
std::vector<ListenAddress> DefaultOperate(const Config& config);
// Adds one address of the operating API, or takes note that there is to be none (`none`).
Status AddOperate(std::string_view text, Config* config);

// What systemd's StateDirectory= names in $STATE_DIRECTORY, else `dpl-state` where the program was
// started.
std::string DefaultState();

// What systemd's LogsDirectory= names in $LOGS_DIRECTORY, else `audit` in the state folder; none
// with a state in memory, which forgets everything.
std::string DefaultAudit(const Config& config);

// `name` is the file's path; used in nothing but to resolve relative paths. The error is the first
// problem of the file; `all`, where it is given, gets every one, in the order of the text.
Result<Config> ReadConfigJson(std::string_view text, std::string_view name,
                              std::vector<ConfigProblem>* all = nullptr);

// The members that differ between the two and that only a start takes over: "limits,threads". Every
// member but those that a reload takes over; so a new member needs no mention here.
std::string NeedsRestart(const Config& now, const Config& next);

// What no single member can say: there is a bundle and a facts file, and whoever can be reached
// from other machines knows its callers.
Status CheckConfig(const Config& config);

}  // namespace dpl
