// Start, reload, drain.
#include "server/daemon.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>

#include "runtime/audit/callers_text.h"
#include "runtime/audit/decision_entry.h"
#include "runtime/audit/trail.h"
#include "runtime/audit/vault.h"
#include "runtime/base/text.h"
#include "runtime/json/json_writer.h"
#include "runtime/state/durable_store.h"
#include "runtime/state/memory_store.h"
#include "server/api/metrics.h"
#include "server/api/service.h"
#include "server/config.h"
#include "server/descriptors.h"
#include "server/families.h"
#include "server/findings.h"
#include "server/http/server.h"
#include "server/load.h"
#include "server/log.h"
#include "server/operate/operate_service.h"
#include "server/policy_keeper.h"
#include "server/supervisor.h"
#include "server/watch.h"

namespace dpl {
namespace {

constexpr size_t kOperateConnections = 256;
constexpr int kReloadNice = 10;
constexpr int kEndedEarly = 3;  // exit code
constexpr std::chrono::milliseconds kLetGoAgain{100};
constexpr int kOperateThreads = 2;  // a large push of facts keeps one of them busy for a while
constexpr size_t kMostFactsBody = size_t{200} << 20;
// Two of those at a time, in buffers that grow by doubling; a third is told to come again.
constexpr uint64_t kOperateBuffered = uint64_t{2} * 256 << 20;
constexpr unsigned kOperateSocketMode = 0600;

std::shared_ptr<const CallerRegistry> MakeCallers(const Config& config) {
  auto callers = std::make_shared<CallerRegistry>();
  for (const RegisteredCaller& caller : config.callers) callers->Add(caller);
  return callers;
}

// A few characters that no other start of this server is likely to have.
std::string MakeStartId() {
  uint64_t random = 0;
  if (getrandom(&random, sizeof random, 0) != static_cast<ssize_t>(sizeof random)) {
    random = static_cast<uint64_t>(SystemClock().Now().us);
  }
  static constexpr char kDigits[] = "0123456789abcdefghjkmnpqrstvwxyz";
  std::string text;
  for (int i = 0; i < 10; ++i, random >>= 5) text.push_back(kDigits[random & 31]);
  return text;
}

std::string Join(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts) text.append(text.empty() ? "" : ",").append(part);
  return text;
}

// True when the policy declares `name` (`person.role`, `context.ip`, `app.Doc.owner`) as coming
// from the request.
bool IsAssertable(const Schema& schema, std::string_view name) {
  auto among = [&](std::string_view owner, const std::vector<AttributeDef>& attributes) {
    if (name.size() <= owner.size() || !name.starts_with(owner) || name[owner.size()] != '.')
      return false;
    return std::any_of(attributes.begin(), attributes.end(), [&](const AttributeDef& attribute) {
      return schema.strings[attribute.name] == name.substr(owner.size() + 1);
    });
  };
  return among("person", schema.person.attributes) || among("context", schema.context) ||
         std::any_of(schema.resources.begin(), schema.resources.end(),
                     [&](const ResourceDef& type) {
                       return among(schema.strings[type.name], type.attributes);
                     });
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

 private:
  StateStore* store_;
  AuditLog* log_;  // null: none
};

class Daemon {
 public:
  Daemon(DaemonArgs args, Config config)
      : args_(std::move(args)), config_(std::move(config)), log_(config_.log, &clock_) {}

  // Loads everything as a start would, and changes nothing.
  Status Check() { return Start(); }
  void LogChecked() {
    log_.Info("checked", {{"bundle", config_.bundle},
                          {"digest", keeper_->digest()},
                          {"facts", config_.facts},
                          {"facts_version", keeper_->snapshot()->facts_version()}});
  }
  std::string digest() const { return keeper_->digest(); }
  const Config& config() const { return config_; }

  int Run() {
    sigset_t signals;
    BlockSignals(&signals);
    Status started = Start();
    if (!started.ok()) {
      log_.Fail("refused", {{"error", started.error().message}, {"code", started.error().code}});
      return 1;
    }
    LogStart();
    started_with_ = config_;
    supervisor_.Tell("READY=1\nSTATUS=serving " + keeper_->digest());
    std::thread waiter([this, &signals] { WaitForSignals(signals); });
    std::thread reloader([this] { KeepUpToDate(); });
    std::thread operating;
    if (!operate_server_->BoundAddresses().empty())
      operating = std::thread([this] { (void)operate_server_->Run(kOperateThreads); });
    Status ran = server_->Run(Threads());
    if (!ran.ok()) {
      log_.Fail("refused", {{"error", ran.error().message}, {"code", ran.error().code}});
      operate_server_->Stop();
    }
    if (operating.joinable()) operating.join();
    {
      std::lock_guard lock(reload_mutex_);
      ended_ = true;
    }
    reload_wake_.notify_all();
    reloader.join();
    pthread_kill(waiter.native_handle(), SIGHUP);  // it waits for nothing else any more
    waiter.join();
    log_.Info("stopped", {{"requests", std::to_string(server_->counters().requests)}});
    return ran.ok() ? 0 : 1;
  }

 private:
  // Signals are taken by one thread that waits for them; every thread started later inherits the
  // block.
  static void BlockSignals(sigset_t* signals) {
    signal(SIGPIPE, SIG_IGN);
    sigemptyset(signals);
    signal(SIGXFSZ, SIG_IGN);  // a file at its limit is a write that fails, like a full disk
    for (int number : {SIGHUP, SIGTERM, SIGINT}) sigaddset(signals, number);
    pthread_sigmask(SIG_BLOCK, signals, nullptr);
  }

  int Threads() const {
    if (config_.threads != 0) return config_.threads;
    unsigned count = std::thread::hardware_concurrency();
    return count == 0 ? 1 : static_cast<int>(count);
  }

  Status Start() {
    watch_.Known(Watched(config_));
    DPL_RETURN_IF_ERROR(OpenState());
    const std::string start_id = MakeStartId();
    DPL_RETURN_IF_ERROR(OpenAudit(start_id));
    DPL_RETURN_IF_ERROR(OpenPolicy());
    WarnOfUnknownAttributes(config_);
    ServiceOptions options;
    options.clock = &clock_;
    options.store = store_.get();
    options.version = kDaemonVersion;
    options.public_url = config_.public_url;
    options.search = config_.search;
    options.start_id = start_id;
    options.trail = trail_ ? &*trail_ : nullptr;
    options.vault = vault_.get();
    options.seal = config_.audit.replay;
    options.audit_health = [this](JsonWriter* writer) { return AppendAuditHealth(writer); };
    options.more_metrics = [this](MetricsWriter* writer) {
      AppendHttpMetrics(server_->counters(), writer);
      if (audit_ != nullptr) AppendAuditMetrics(audit_->Health(), writer);
      writer->Family("dpl_reload_duration_seconds", "gauge", "How long the last reload took.");
      writer->Seconds("dpl_reload_duration_seconds", "", reload_seconds_.load());
      AppendProcessMetrics(writer);
    };
    integrations_.emplace(config_.integrations);
    options.adapters = integrations_->adapters();
    service_.emplace(std::move(options));
    Result<std::string> callers = KeepCallers(config_);
    if (!callers.ok()) return callers.error();
    callers_kept_ = callers.take();
    if (!args_.check_only && !RecordInForce("start", config_, keeper_->kept()).ok)
      return Error{"audit.failed", "the start cannot be recorded", 0, 0};
    service_->Publish(keeper_->snapshot(), MakeCallers(config_), Members(keeper_->kept()));
    keeper_->publish = [this](std::shared_ptr<const Snapshot> snapshot, const KeptInputs& kept) {
      LetGo(service_->Current().snapshot);
      service_->Publish(std::move(snapshot), service_->Current().callers, Members(kept));
    };
    const Connections connections = ShareConnections();
    server_.emplace(
        config_.limits,
        [this](const HttpRequest& request, HttpResponse* response) {
          service_->Handle(request, response);
        },
        &*gate_);
    StartOperate(connections.operate);
    if (args_.check_only) return {};
    for (const ListenAddress& address : config_.listen)
      DPL_RETURN_IF_ERROR(server_->Listen(address));
    return ListenForOperate();
  }

  // As many connections as there are descriptors for.
  Connections ShareConnections() {
    size_t& wanted = config_.limits.max_connections;
    if (args_.check_only) return {wanted, kOperateConnections, 0, true};
    const Connections found = FitToDescriptors(wanted, kOperateConnections);
    if (!found.all) {
      log_.Warn("descriptors_few", {{"limit", std::to_string(found.descriptors)},
                                    {"wanted", std::to_string(wanted)},
                                    {"connections", std::to_string(found.decide)}});
    }
    wanted = found.decide;
    return found;
  }

  Status OpenPolicy() {
    PolicyKeeper::Options options;
    options.store = store_.get();
    options.clock = &clock_;
    if (config_.state != Config::kMemoryState) options.ledger = config_.state + "/facts";
    options.check_only = args_.check_only;
    options.notice = [this](std::string_view event, const std::string& what) {
      log_.Warn(event, {{"what", what}});
    };
    if (Keeps()) options.keep = [this](std::string_view bytes) { return vault_->Save(bytes); };
    keeper_.emplace(std::move(options));
    keeper_->dropped_revocations = config_.dropped_revocations;
    return keeper_->Start(config_.bundle, config_.facts, fresh_);
  }

  void StartOperate(size_t connections) {
    OperateOptions options;
    options.facts = &*keeper_;
    options.service = &*service_;
    options.store = store_.get();
    options.clock = &clock_;
    options.version = kDaemonVersion;
    options.trail = trail_ ? &*trail_ : nullptr;
    options.more_status = [this](JsonWriter* out) {
      for (auto [name, server] :
           {std::pair("listen", &*server_), std::pair("operate", &*operate_server_)}) {
        out->Key(name).BeginArray();
        for (const std::string& address : server->BoundAddresses()) out->String(address);
        out->EndArray();
      }
      out->Key("audit").BeginObject();
      (void)AppendAuditHealth(out);
      out->EndObject();
    };
    operate_.emplace(std::move(options));
    HttpLimits limits = config_.limits;
    limits.max_connections = connections;
    limits.max_connections_per_client = 0;
    limits.max_buffered_bytes = kOperateBuffered;
    limits.large_path = "/v1/facts";
    limits.large_body_bytes = kMostFactsBody;
    operate_server_.emplace(
        limits,
        [this](const HttpRequest& request, HttpResponse* response) {
          operate_->Handle(request, response);
        },
        &*gate_, ErrorForm::kProblem);
  }

  // What was asked for must be had. Of the defaults, one that is taken is done without.
  Status ListenForOperate() {
    const bool given = config_.operate.given;
    for (const ListenAddress& address : given ? config_.operate.listen : DefaultOperate(config_)) {
      Status listening = operate_server_->Listen(address, kOperateSocketMode);
      if (listening.ok()) continue;
      if (given) return listening.error();
      log_.Warn("operate_not_listening",
                {{"address", address.ToString()}, {"error", listening.error().message}});
    }
    NameRequestEndpoint();
    return {};
  }

  // Where `ask` answers send people: what the configuration says, else the first address of the
  // operating API that is one of a network.
  void NameRequestEndpoint() {
    std::string base = config_.operate.public_url;
    for (const std::string& address : operate_server_->BoundAddresses()) {
      if (base.empty() && !address.starts_with("unix:")) base = "http://" + address;
    }
    if (!base.empty()) service_->SetRequestEndpoint(base + "/v1/access-requests");
  }

  // A check reads the folder and changes nothing in it.
  Status OpenState() {
    if (config_.state == Config::kMemoryState) {
      store_ = std::make_unique<MemoryStore>();
    } else {
      Result<std::unique_ptr<DurableStore>> opened = DurableStore::Open(
          {.folder = config_.state, .salvage = args_.recover_state, .read_only = args_.check_only});
      if (!opened.ok()) {
        Error error = opened.error();
        if (error.code == "state.corrupt")
          error.message += "; to start with what is left, see --state-recover in docs/dpld.md";
        return error;
      }
      const RecoveryReport& found = (*opened)->recovered();
      fresh_ = found.last == 0;
      if (found.torn_bytes != 0) {
        log_.Warn("state_tail_cut", {{"file", found.tail},
                                     {"bytes", std::to_string(found.torn_bytes)},
                                     {"group", std::to_string(found.last + 1)}});
      }
      for (const std::string& lost : found.lost) log_.Warn("state_lost", {{"what", lost}});
      store_ = opened.take();
    }
    return {};
  }

  // A check opens no log: it would be told in it.
  Status OpenAudit(const std::string& start_id) {
    if (config_.audit.folder == Config::kNoAudit || args_.check_only) {
      gate_.emplace(store_.get(), nullptr);
      return {};
    }
    Result<std::unique_ptr<AuditLog>> opened =
        AuditLog::Open({.folder = config_.audit.folder,
                        .key_path = config_.audit.key,
                        .mode = config_.audit.mode,
                        .sync_ms = config_.audit.sync_ms,
                        .retain_days = config_.audit.retain_days,
                        .clock = &clock_});
    if (!opened.ok()) return opened.error();
    audit_ = opened.take();
    Result<std::unique_ptr<AuditVault>> vault =
        AuditVault::Open({.folder = config_.audit.folder, .start = start_id});
    if (!vault.ok()) return vault.error();
    vault_ = vault.take();
    audit_->SetRenderer(std::make_unique<DecisionRecords>(vault_.get(), config_.audit.replay));
    sink_.emplace(audit_.get());
    trail_.emplace(&*sink_);
    gate_.emplace(store_.get(), audit_.get());
    return {};
  }

  // What a replay needs is kept where decisions are sealed.
  bool Keeps() const { return vault_ != nullptr && config_.audit.replay; }

  // The callers, kept in the audit folder; their digest.
  Result<std::string> KeepCallers(const Config& config) {
    if (!Keeps()) return std::string();
    std::vector<Caller> callers;
    for (const RegisteredCaller& registered : config.callers) callers.push_back(registered.caller);
    if (callers.empty()) callers.push_back(Caller::Everything("development"));
    return vault_->Save(CallersText(callers));
  }

  // What is in force, as members of each record of a decision.
  std::string Members(const KeptInputs& kept) const {
    if (kept.bundle.empty() || kept.facts.empty()) return {};
    return "\"bundle\":\"" + kept.bundle + "\",\"facts\":\"" + kept.facts + "\",\"callers\":\"" +
           callers_kept_ + "\",\"built\":\"" + FormatInstant(kept.built) + "\"";
  }

  // The record of a start or reload.
  Recorded RecordInForce(std::string_view event, const Config& config, const KeptInputs& kept) {
    StateChange change;
    change.event = event;
    change.time = clock_.Now();
    change.epoch = store_->Epoch();
    const std::string callers =
        config.callers.empty() ? std::string("development") : std::to_string(config.callers.size());
    const std::string built = kept.facts.empty() ? std::string() : FormatInstant(kept.built);
    change.fields = {{"version", kDaemonVersion},  {"bundle_file", config.bundle},
                     {"facts_file", config.facts}, {"policy", kept.policy},
                     {"data", kept.data},          {"registered_callers", callers},
                     {"bundle", kept.bundle},      {"facts", kept.facts},
                     {"callers", callers_kept_},   {"built", built}};
    return RecordChange(trail_ ? &*trail_ : nullptr, change);
  }

  bool AppendAuditHealth(JsonWriter* writer) {
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
    writer->Key("replay").Bool(config_.audit.replay);
    return health.writable && health.dropped == 0;
  }

  // A name that nothing answers to is most likely misspelt, and the caller will not be believed
  // where it should.
  void WarnOfUnknownAttributes(const Config& config) {
    for (const RegisteredCaller& registered : config.callers) {
      for (const std::string& name : registered.caller.asserts) {
        if (IsAssertable(keeper_->snapshot()->program().schema, name)) continue;
        log_.Warn("unknown_attribute", {{"caller", registered.caller.name}, {"attribute", name}});
      }
    }
  }

  void LogStart() {
    log_.Info("start",
              {{"version", kDaemonVersion},
               {"bundle", config_.bundle},
               {"digest", keeper_->digest()},
               {"facts", config_.facts},
               {"facts_version", keeper_->snapshot()->facts_version()},
               {"statements", std::to_string(keeper_->snapshot()->program().statements.size())},
               {"state", config_.state},
               {"audit", config_.audit.folder},
               {"mode", config_.callers.empty() ? "development" : "registered"},
               {"callers", config_.callers.empty() ? "everyone may assert everything"
                                                   : std::to_string(config_.callers.size())},
               {"operate", Join(operate_server_->BoundAddresses())},
               {"listen", Join(server_->BoundAddresses())}});
  }

  // The first TERM or INT drains; another one ends the process at once. What has been answered is
  // kept all the same, as after a crash.
  void WaitForSignals(const sigset_t& signals) {
    bool stopping = false;
    for (;;) {
      int number = 0;
      if (sigwait(&signals, &number) != 0) continue;
      std::unique_lock lock(reload_mutex_);
      if (ended_) return;
      if (number == SIGHUP) {
        asked_ = true;
        reload_wake_.notify_all();
        continue;
      }
      lock.unlock();
      const char* name = number == SIGINT ? "INT" : "TERM";
      if (stopping) {
        log_.Warn("ended", {{"signal", name}, {"what", "not everything was finished"}});
        std::_Exit(kEndedEarly);
      }
      stopping = true;
      supervisor_.Tell("STOPPING=1");
      service_->BeginDrain();
      server_->Stop();
      operate_server_->Stop();
      log_.Info("stopping", {{"signal", name}});
    }
  }

  // ---- Keeping what is in force up to date: a thread of its own, which gives way to those that
  // answer. It also lets go of what was in force before, so that no answering thread has to.

  static std::vector<std::string> Watched(const Config& config, const std::string& file) {
    return {file, config.bundle, config.facts};
  }
  std::vector<std::string> Watched(const Config& config) const {
    return Watched(config, args_.config);
  }

  void LetGo(std::shared_ptr<const Snapshot> snapshot) {
    std::lock_guard lock(reload_mutex_);
    if (snapshot != nullptr) before_.push_back(std::move(snapshot));
    reload_wake_.notify_all();
  }

  void KeepUpToDate() {
    (void)setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), kReloadNice);
    const bool watching = config_.watch_seconds > 0;
    const auto interval = std::chrono::seconds(watching ? config_.watch_seconds : 3600);
    auto look = std::chrono::steady_clock::now() + interval;
    std::unique_lock lock(reload_mutex_);
    while (!ended_) {
      const auto until =
          before_.empty() ? look : std::min(look, std::chrono::steady_clock::now() + kLetGoAgain);
      reload_wake_.wait_until(lock, until, [this] { return ended_ || asked_; });
      if (ended_) break;
      const bool asked = std::exchange(asked_, false);
      std::vector<std::shared_ptr<const Snapshot>> done;  // nobody else has them any more
      std::erase_if(before_, [&done](std::shared_ptr<const Snapshot>& snapshot) {
        if (snapshot.use_count() != 1) return false;
        done.push_back(std::move(snapshot));
        return true;
      });
      lock.unlock();
      if (!done.empty()) {
        done.clear();
        malloc_trim(0);
      }
      bool changed = false;
      if (const auto now = std::chrono::steady_clock::now(); watching && now >= look) {
        look = now + interval;
        changed = watch_.Changed();
      }
      if (asked || changed) Reload(asked ? "signal" : "change");
      lock.lock();
    }
  }

  // Everything is read and checked before anything changes. What only a start takes over keeps
  // until then, and the log names it.
  void Reload(std::string_view cause) {
    const auto begin = std::chrono::steady_clock::now();
    watch_.Known(Watched(config_));  // before reading: what changes meanwhile is seen
    supervisor_.TellReloading();
    auto failed = [&](const Error& error) {
      service_->ReloadFailed(error);
      StateChange change;
      change.event = "reload";
      change.time = clock_.Now();
      change.failed = error.code;
      const std::string kept = keeper_->digest();
      change.fields = {{"error", error.message}, {"kept", kept}};
      (void)RecordChange(trail_ ? &*trail_ : nullptr, change);
      log_.Fail("reload_failed", {{"cause", cause},
                                  {"error", error.message},
                                  {"code", error.code},
                                  {"kept", keeper_->digest()}});
      supervisor_.Tell("READY=1\nSTATUS=stale, the reload failed; serving " + kept);
    };
    Result<Config> config = ReadConfig(args_, nullptr);
    if (!config.ok()) return failed(config.error());
    watch_.Known(Watched(*config));
    if (config->callers.empty() != config_.callers.empty()) {
      return failed({"config",
                     "going from development to registered callers, or back, needs a new start", 0,
                     0});
    }
    if (!AuditReady(trail_ ? &*trail_ : nullptr))
      return failed({"error.audit", "a reload cannot be recorded now, so it is not done", 0, 0});
    Result<std::string> callers = KeepCallers(*config);
    if (!callers.ok()) return failed(callers.error());
    keeper_->dropped_revocations = config->dropped_revocations;
    Status loaded = keeper_->Reload(
        config->bundle, config->facts,
        [&](std::shared_ptr<const Snapshot> snapshot, const KeptInputs& kept) {
          callers_kept_ = callers.take();
          LetGo(service_->Current().snapshot);
          // Recorded first: what is recorded after this was decided on what it says.
          if (!RecordInForce("reload", *config, kept).ok)
            log_.Fail("audit_failed", {{"event", "reload"}});
          service_->Publish(std::move(snapshot), MakeCallers(*config), Members(kept));
        });
    if (!loaded.ok()) return failed(loaded.error());
    config_.callers = config->callers;
    config_.bundle = config->bundle;
    config_.facts = config->facts;
    WarnOfUnknownAttributes(config_);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    reload_seconds_ = took.count();
    log_.Info("reloaded", {{"cause", cause},
                           {"bundle", config->bundle},
                           {"digest", keeper_->digest()},
                           {"facts", config->facts},
                           {"facts_version", keeper_->snapshot()->facts_version()},
                           {"ms", std::to_string(static_cast<int64_t>(took.count() * 1000))}});
    if (const std::string members = NeedsRestart(started_with_, *config); !members.empty())
      log_.Warn("restart_needed", {{"members", members}});
    supervisor_.Tell("READY=1\nSTATUS=serving " + keeper_->digest());
  }

  const DaemonArgs args_;
  Config config_;
  Config started_with_;
  SystemClock clock_;
  Log log_;
  std::unique_ptr<StateStore> store_;
  std::unique_ptr<AuditVault> vault_;  // outlives the log, which seals with it
  std::unique_ptr<AuditLog> audit_;    // null: nothing is recorded
  std::optional<LogSink> sink_;
  std::optional<AuditTrail> trail_;
  std::optional<DurableGate> gate_;
  bool fresh_ = true;         // the store held nothing when it was opened
  std::string callers_kept_;  // digest; changes under the keeper's lock
  std::optional<PolicyKeeper> keeper_;
  std::optional<Gate> integrations_;
  std::optional<Service> service_;
  std::optional<HttpServer> server_;
  std::optional<OperateService> operate_;
  std::optional<HttpServer> operate_server_;
  Supervisor supervisor_;
  FileWatch watch_;  // of the reloading thread, once that runs
  std::atomic<double> reload_seconds_{0};
  std::mutex reload_mutex_;  // guards what follows
  std::condition_variable reload_wake_;
  bool asked_ = false, ended_ = false;
  std::vector<std::shared_ptr<const Snapshot>> before_;  // not in force any more
};

}  // namespace

namespace {

// A message of LoadPolicy begins with its file and place; those are told apart here.
void AddLoadError(const Error& error, const Config& config, Findings* findings) {
  for (const std::string& file : {config.bundle, config.facts}) {
    std::string_view message = error.message;
    if (file.empty() || !message.starts_with(file + ":")) continue;
    message.remove_prefix(file.size() + 1);
    if (error.line != 0) {
      const std::string place =
          std::to_string(error.line) + ":" + std::to_string(error.column) + ":";
      if (message.starts_with(place)) message.remove_prefix(place.size());
    }
    if (message.starts_with(" ")) message.remove_prefix(1);
    return findings->Add(file, {"", std::string(message), error.line, error.column});
  }
  findings->Add("", {"", error.message, error.line, error.column});
}

int RunCheck(const DaemonArgs& args) {
  Findings findings;
  std::vector<ConfigProblem> problems;
  Result<Config> config = ReadConfig(args, &problems);
  std::optional<Daemon> daemon;
  if (!config.ok()) {
    for (const ConfigProblem& problem : problems) findings.Add(args.config, problem);
    if (problems.empty()) findings.Add("", {"", config.error().message, 0, 0});
  } else {
    daemon.emplace(args, *config);
    if (Status checked = daemon->Check(); !checked.ok()) {
      AddLoadError(checked.error(), *config, &findings);
      // The facts are looked at even where the bundle is not good.
      if (!LoadProgram(config->bundle).ok()) {
        if (Status facts = CheckFactsFile(config->facts); !facts.ok())
          AddLoadError(facts.error(), *config, &findings);
      }
    }
  }
  if (args.check_json) {
    findings.PrintJson(daemon ? daemon->config() : Config(),
                       findings.empty() ? daemon->digest() : "");
  } else if (findings.empty()) {
    daemon->LogChecked();
  } else {
    findings.PrintText();
  }
  return findings.empty() ? 0 : 1;
}

}  // namespace

int RunDaemon(const DaemonArgs& args) {
  if (args.check_only) return RunCheck(args);
  Result<Config> config = ReadConfig(args, nullptr);
  if (!config.ok()) {
    SystemClock clock;
    Log log(args.log == "json" ? LogFormat::kJson : LogFormat::kText, &clock);
    log.Fail("refused", {{"error", config.error().message}, {"code", config.error().code}});
    return 1;
  }
  // What is larger is given back as soon as it is let go of, however busy an hour was: a fixed
  // bound, since glibc's own grows with what is freed.
  mallopt(M_MMAP_THRESHOLD, 128 * 1024);
  return Daemon(args, config.take()).Run();
}

}  // namespace dpl
