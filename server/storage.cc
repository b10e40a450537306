// Opening the state and the audit log, and telling of them.
#include "server/storage.h"

#include <utility>
#include <vector>

#include <sys/random.h>

#include "runtime/audit/callers_text.h"
#include "runtime/audit/decision_entry.h"
#include "runtime/base/text.h"
#include "runtime/json/json_writer.h"
#include "runtime/state/durable_store.h"
#include "runtime/state/memory_store.h"
#include "server/daemon.h"
#include "server/families.h"
#include "server/state_age.h"

namespace dpl {
namespace {

// A few characters that no other start of this server is likely to have.
std::string MakeStartId(Clock* clock) {
  uint64_t random = 0;
  if (getrandom(&random, sizeof random, 0) != static_cast<ssize_t>(sizeof random)) {
    random = static_cast<uint64_t>(clock->Now().us);
  }
  static constexpr char kDigits[] = "0123456789abcdefghjkmnpqrstvwxyz";
  std::string text;
  for (int i = 0; i < 10; ++i, random >>= 5) text.push_back(kDigits[random & 31]);
  return text;
}

// Answers leave when the store has kept what they promise, and the log what was recorded of it.
class DurableGate final : public ReplyGate {
 public:
  DurableGate(StateStore* store, AuditLog* log) : store_(store), log_(log) {}
  State Look(const ReplyHold& hold) override {
    const Promise state = store_->Check(hold.state);
    Promise audit = log_ == nullptr || hold.audit == 0 ? Promise::kKept : log_->Check(hold.audit);
    // Whoever prefers availability answers without the record; the log counts what it lost.
    if (audit == Promise::kBroken && log_->mode() == AuditMode::kAvailable) audit = Promise::kKept;
    if (state == Promise::kBroken || audit == Promise::kBroken) return State::kBroken;
    return state == Promise::kKept && audit == Promise::kKept ? State::kOpen : State::kShut;
  }
  void OnChange(std::function<void()> wake) override {
    if (log_ != nullptr) log_->OnKept(wake);
    store_->OnKept(std::move(wake));
  }
  void Turned() override {
    if (log_ != nullptr) log_->Flush();
  }

 private:
  StateStore* store_;
  AuditLog* log_;  // null: none
};

}  // namespace

Status Storage::Open(const Config& config, Options options) {
  start_id_ = MakeStartId(clock_);
  replay_ = config.audit.replay;
  DPL_RETURN_IF_ERROR(OpenState(config, options));
  DPL_RETURN_IF_ERROR(OpenAudit(config, options));
  DPL_RETURN_IF_ERROR(CompareAges(config, options));
  gate_ = std::make_unique<DurableGate>(store_.get(), audit_.get());
  return {};
}

// A check reads the folder and changes nothing in it.
Status Storage::OpenState(const Config& config, const Options& options) {
  if (config.state == Config::kMemoryState) {
    store_ = std::make_unique<MemoryStore>();
  } else {
    Result<std::unique_ptr<DurableStore>> opened =
        DurableStore::Open({.folder = config.state,
                            .salvage = options.recover_state,
                            .read_only = options.check_only});
    if (!opened.ok()) {
      Error error = opened.error();
      if (error.code == "state.corrupt")
        error.message += "; to start with what is left, see --state-recover in docs/dpld.md";
      return error;
    }
    const RecoveryReport& found = (*opened)->recovered();
    fresh_ = found.last == 0;
    if (found.torn_bytes != 0) {
      log_->Warn("state_tail_cut", {{"file", found.tail},
                                    {"bytes", std::to_string(found.torn_bytes)},
                                    {"group", std::to_string(found.last + 1)}});
    }
    for (const std::string& lost : found.lost) log_->Warn("state_lost", {{"what", lost}});
    last_reservation_ = (*opened)->LastReservation();
    store_ = opened.take();
  }
  return {};
}

// A state that is older than the log has lost what the log tells of.
Status Storage::CompareAges(const Config& config, const Options& options) {
  if (config.state == Config::kMemoryState || config.audit.folder == Config::kNoAudit) return {};
  const StateAge known{store_->Epoch(), last_reservation_};
  Result<std::optional<StateBehind>> found = FindStateBehind(config.audit.folder, known);
  if (!found.ok() && options.check_only) return {};  // there may be no log yet
  if (!found.ok()) return found.error();
  if (!*found) return {};
  const StateBehind& behind = **found;
  auto age = [](const StateAge& at) {
    return "revocation epoch " + std::to_string(at.epoch) + " and reservation " +
           std::to_string(at.reservation);
  };
  const std::string what = "the audit log " + config.audit.folder + " tells of " +
                           age(behind.told) + ", the state " + config.state + " knows " +
                           age(known);
  if (behind.certain && !options.recover_state) {
    return Error{"state.behind",
                 what + ": it is older than the log, and what was revoked or spent since " +
                     FormatInstant(behind.since) +
                     " would be free again. Put the newer folder back; to start all the same, see "
                     "--state-recover in docs/dpld.md",
                 0, 0};
  }
  log_->Warn("state_behind", {{"what", what}, {"since", FormatInstant(behind.since)}});
  return {};
}

// A check opens no log: it would be told in it.
Status Storage::OpenAudit(const Config& config, const Options& options) {
  if (config.audit.folder == Config::kNoAudit || options.check_only) return {};
  Result<std::unique_ptr<AuditLog>> opened =
      AuditLog::Open({.folder = config.audit.folder,
                      .key_path = config.audit.key,
                      .mode = config.audit.mode,
                      .sync_ms = config.audit.sync_ms,
                      .retain_days = config.audit.retain_days,
                      .clock = clock_});
  if (!opened.ok()) return opened.error();
  audit_ = opened.take();
  Result<std::unique_ptr<AuditVault>> vault =
      AuditVault::Open({.folder = config.audit.folder, .start = start_id_});
  if (!vault.ok()) return vault.error();
  vault_ = vault.take();
  audit_->SetRenderer(std::make_unique<DecisionRecords>(vault_.get(), config.audit.replay));
  sink_.emplace(audit_.get());
  trail_.emplace(&*sink_);
  return {};
}

Result<std::string> Storage::KeepCallers(const Config& config) const {
  if (!keeps()) return std::string();
  std::vector<Caller> callers;
  for (const RegisteredCaller& registered : config.callers) callers.push_back(registered.caller);
  if (callers.empty()) callers.push_back(Caller::Everything("development"));
  return vault_->Save(CallersText(callers));
}

std::string Storage::Members(const KeptInputs& kept) const {
  if (kept.bundle.empty() || kept.facts.empty()) return {};
  vault_->Hold({kept.bundle, kept.facts, callers_});
  return "\"bundle\":\"" + kept.bundle + "\",\"facts\":\"" + kept.facts + "\",\"callers\":\"" +
         callers_ + "\",\"built\":\"" + FormatInstant(kept.built) + "\"";
}

Recorded Storage::RecordInForce(std::string_view event, const Config& config,
                                const KeptInputs& kept) {
  StateChange change;
  change.event = event;
  change.time = clock_->Now();
  change.epoch = store_->Epoch();
  const std::string callers =
      config.callers.empty() ? std::string("development") : std::to_string(config.callers.size());
  const std::string last = std::to_string(last_reservation_);
  const std::string built = kept.facts.empty() ? std::string() : FormatInstant(kept.built);
  change.fields = {{"version", kDaemonVersion},  {"bundle_file", config.bundle},
                   {"facts_file", config.facts}, {"policy", kept.policy},
                   {"data", kept.data},          {"registered_callers", callers},
                   {"bundle", kept.bundle},      {"facts", kept.facts},
                   {"callers", callers_},        {"built", built},
                   {"state", config.state}};
  if (event == "start") change.fields.push_back({"last_reservation", last});
  return RecordChange(trail(), change);
}

bool Storage::AppendAuditHealth(JsonWriter* writer) const {
  if (audit_ == nullptr) {
    writer->Member("kind", "none").Member("note", "decisions are not recorded");
    return true;
  }
  const AuditHealth health = audit_->Health();
  writer->Member("kind", "log").Member("folder", health.folder);
  writer->Member("origin", health.origin).Member("mode", AuditModeName(health.mode));
  writer->Key("writable").Bool(health.writable);
  if (!health.writable && health.mode == AuditMode::kRequired)
    writer->Member("note", "everything is denied with error.audit");
  if (!health.error.empty()) writer->Member("error", health.error);
  writer->Key("records").Uint(health.records).Key("kept").Uint(health.kept);
  writer->Key("signed").Uint(health.signed_size);
  if (health.mode == AuditMode::kAvailable) {
    writer->Key("dropped").Uint(health.dropped);
  } else {
    writer->Key("refused").Uint(health.refused);
  }
  writer->Key("replay").Bool(replay_);
  return health.writable && health.dropped == 0;
}

void Storage::RecordFailedReload(const Error& error, const std::string& digest_kept) {
  StateChange change;
  change.event = "reload";
  change.time = clock_->Now();
  change.failed = error.code;
  change.fields = {{"error", error.message}, {"kept", digest_kept}};
  (void)RecordChange(trail(), change);
}

void Storage::AppendAuditMetrics(MetricsWriter* writer) const {
  if (audit_ != nullptr) dpl::AppendAuditMetrics(audit_->Health(), writer);
}

}  // namespace dpl
