// What a server keeps: the state of its decisions and the audit log, and what answers wait for of
// either.
//
//   Storage storage(&clock, &log);
//   DPL_RETURN_IF_ERROR(storage.Open(config, {.check_only = false}));
//   … storage.store(), storage.trail(), storage.gate() …
//
// Outlives everything that was given one of its parts. Open first; the rest may then be called from
// any thread, but for KeepCallers and what reads its outcome, which are for one at a time (the
// start, then whoever reloads under the keeper's lock).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/audit/trail.h"
#include "runtime/audit/vault.h"
#include "runtime/base/clock.h"
#include "runtime/state/store.h"
#include "server/api/metrics.h"
#include "server/config.h"
#include "server/http/server.h"
#include "server/log.h"
#include "server/policy_keeper.h"

namespace dpl {

class Storage {
 public:
  struct Options {
    bool check_only = false;     // nothing is written, no audit log is opened
    bool recover_state = false;  // see --state-recover in docs/dpld.md
  };
  Storage(Clock* clock, Log* log) : clock_(clock), log_(log) {}

  Status Open(const Config& config, Options options);

  StateStore* store() const { return store_.get(); }
  bool fresh() const { return fresh_; }  // the store held nothing when it was opened
  const AuditTrail* trail() const { return trail_ ? &*trail_ : nullptr; }  // null: nothing recorded
  AuditTrail* trail() { return trail_ ? &*trail_ : nullptr; }
  AuditVault* vault() const { return vault_.get(); }  // null with it
  ReplyGate* gate() { return gate_.get(); }
  // A few characters that no other start of this server is likely to have.
  const std::string& start_id() const { return start_id_; }
  // What a replay needs is kept where decisions are sealed.
  bool keeps() const { return vault_ != nullptr && replay_; }

  // Keeps the callers in the audit folder, for a replay; their digest, or nothing where nothing is
  // kept.
  Result<std::string> KeepCallers(const Config& config) const;
  void SetCallersInForce(std::string digest) { callers_ = std::move(digest); }
  // What is in force, as members of each record of a decision.
  std::string Members(const KeptInputs& kept) const;
  // The records of a start or reload, and of a reload that failed.
  Recorded RecordInForce(std::string_view event, const Config& config, const KeptInputs& kept);
  void RecordFailedReload(const Error& error, const std::string& digest_kept);

  // False where the log is not writable or has lost records.
  bool AppendAuditHealth(JsonWriter* writer) const;
  void AppendAuditMetrics(MetricsWriter* writer) const;

 private:
  Status OpenState(const Config& config, const Options& options);
  Status OpenAudit(const Config& config, const Options& options);
  Status CompareAges(const Config& config, const Options& options);

  Clock* const clock_;
  Log* const log_;
  std::string start_id_;
  std::unique_ptr<StateStore> store_;
  bool fresh_ = true;
  uint64_t last_reservation_ = 0;  // when the state was opened
  bool replay_ = false;
  std::unique_ptr<AuditVault> vault_;  // outlives the log, which seals with it
  std::unique_ptr<AuditLog> audit_;    // null: nothing is recorded
  std::optional<LogSink> sink_;
  std::optional<AuditTrail> trail_;
  std::unique_ptr<ReplyGate> gate_;
  std::string callers_;  // digest of those in force, where they are kept
};

}  // namespace dpl
