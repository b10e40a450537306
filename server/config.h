// The configuration of dpld: a JSON file, overlaid by the command line. Documented in docs/dpld.md.
//
//   Result<Config> config = ReadConfigJson(text, "dpld.json");
//   if (!config.ok()) …   // "callers[1].token_sha256: must be 64 hex digits", with line and column
//
// Every member is checked: an unknown one, a wrong type, a value out of range is an error that says
// where and what is known. Paths are taken relative to the file's folder.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runtime/audit/log.h"
#include "runtime/base/result.h"
#include "server/api/callers.h"
#include "server/http/address.h"
#include "server/http/limits.h"

namespace dpl {

enum class LogFormat : uint8_t { kText, kJson };

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
  LogFormat log = LogFormat::kText;
  int threads = 0;  // 0: one per processor
  HttpLimits limits;
  std::vector<RegisteredCaller> callers;
  std::vector<std::string> dropped_revocations;  // revoked statements that the policy may lack
  // Where the operating API listens. `given`: asked for by name, so that an address which cannot be
  // listened on refuses the start; with none given, DefaultOperate().
  struct Operate {
    bool given = false;
    std::vector<ListenAddress> listen;
    std::string public_url;  // what `ask` answers name: http or https, without a trailing slash;
                             // empty: the first TCP address it listens on
  } operate;

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

// `name` is the file's path; used in nothing but to resolve relative paths.
Result<Config> ReadConfigJson(std::string_view text, std::string_view name);

// What no single member can say: there is a bundle and a facts file, and whoever can be reached
// from other machines knows its callers.
Status CheckConfig(const Config& config);

}  // namespace dpl
