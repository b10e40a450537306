// Start, reload, drain.
#include "server/daemon.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <thread>
#include <utility>

#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "runtime/audit/trail.h"
#include "runtime/base/text.h"
#include "runtime/json/json_writer.h"
#include "server/api/metrics.h"
#include "server/api/service.h"
#include "server/clock_keeper.h"
#include "server/config.h"
#include "server/descriptors.h"
#include "server/families.h"
#include "server/findings.h"
#include "server/http/server.h"
#include "server/load.h"
#include "server/operate/operate_service.h"
#include "server/policy_keeper.h"
#include "server/reloader.h"
#include "server/storage.h"
#include "server/supervisor.h"

namespace dpl {
namespace {

constexpr size_t kOperateConnections = 256;
constexpr int kEndedEarly = 3;      // exit code
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
    reloader_->Start();
    std::thread operating;
    if (!operate_server_->BoundAddresses().empty())
      operating = std::thread([this] { (void)operate_server_->Run(kOperateThreads); });
    Status ran = server_->Run(Threads());
    if (!ran.ok()) {
      log_.Fail("refused", {{"error", ran.error().message}, {"code", ran.error().code}});
      operate_server_->Stop();
    }
    if (operating.joinable()) operating.join();
    reloader_->End();
    ended_ = true;
    pthread_kill(waiter.native_handle(), SIGHUP);  // it waits for nothing else any more
    waiter.join();
    clock_keeper_->Keep();
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
    reloader_.emplace(config_.watch_seconds, [this](std::string_view cause) { Reload(cause); });
    reloader_->watch().Known(Watched(config_));
    DPL_RETURN_IF_ERROR(storage_.Open(
        config_, {.check_only = args_.check_only, .recover_state = args_.recover_state}));
    DPL_RETURN_IF_ERROR(OpenPolicy());
    WarnOfUnknownAttributes(config_);
    ServiceOptions options;
    options.clock = &clock_;
    options.store = storage_.store();
    options.version = kDaemonVersion;
    options.public_url = config_.public_url;
    options.search = config_.search;
    options.start_id = storage_.start_id();
    options.trail = storage_.trail();
    options.vault = storage_.vault();
    options.seal = config_.audit.replay;
    options.audit_health = [this](JsonWriter* writer) {
      return storage_.AppendAuditHealth(writer);
    };
    options.more_metrics = [this](MetricsWriter* writer) {
      AppendHttpMetrics(server_->counters(), writer);
      storage_.AppendAuditMetrics(writer);
      writer->Family("dpl_reload_duration_seconds", "gauge", "How long the last reload took.");
      writer->Seconds("dpl_reload_duration_seconds", "", reload_seconds_.load());
      AppendProcessMetrics(writer);
    };
    service_.emplace(std::move(options));
    clock_keeper_.emplace(config_.state == Config::kMemoryState ? "" : config_.state,
                          &service_->clock_guard(), &clock_, &log_);
    if (!args_.check_only) clock_keeper_->Resume();
    Result<std::string> callers = storage_.KeepCallers(config_);
    if (!callers.ok()) return callers.error();
    storage_.SetCallersInForce(callers.take());
    if (!args_.check_only && !storage_.RecordInForce("start", config_, keeper_->kept()).ok)
      return Error{"audit.failed", "the start cannot be recorded", 0, 0};
    service_->Publish(keeper_->snapshot(), MakeCallers(config_), storage_.Members(keeper_->kept()),
                      MakeAdapters(config_.integrations));
    keeper_->publish = [this](std::shared_ptr<const Snapshot> snapshot, const KeptInputs& kept) {
      InForce now = service_->Current();
      reloader_->LetGo(std::move(now.snapshot));
      service_->Publish(std::move(snapshot), std::move(now.callers), storage_.Members(kept),
                        std::move(now.adapters));
    };
    const Connections connections = ShareConnections();
    server_.emplace(
        config_.limits,
        [this](const HttpRequest& request, HttpResponse* response) {
          service_->Handle(request, response);
        },
        storage_.gate());
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
    options.store = storage_.store();
    options.clock = &clock_;
    if (config_.state != Config::kMemoryState) options.ledger = config_.state + "/facts";
    options.check_only = args_.check_only;
    options.notice = [this](std::string_view event, const std::string& what) {
      log_.Warn(event, {{"what", what}});
    };
    if (storage_.keeps())
      options.keep = [this](std::string_view bytes) { return storage_.vault()->Save(bytes); };
    keeper_.emplace(std::move(options));
    keeper_->dropped_revocations = config_.dropped_revocations;
    return keeper_->Start(config_.bundle, config_.facts, storage_.fresh());
  }

  void StartOperate(size_t connections) {
    OperateOptions options;
    options.facts = &*keeper_;
    options.service = &*service_;
    options.store = storage_.store();
    options.clock = &clock_;
    options.version = kDaemonVersion;
    options.trail = storage_.trail();
    options.confirm_clock = [this] { return clock_keeper_->Confirm(); };
    options.more_status = [this](JsonWriter* out) {
      for (auto [name, server] :
           {std::pair("listen", &*server_), std::pair("operate", &*operate_server_)}) {
        out->Key(name).BeginArray();
        for (const std::string& address : server->BoundAddresses()) out->String(address);
        out->EndArray();
      }
      out->Key("audit").BeginObject();
      (void)storage_.AppendAuditHealth(out);
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
        storage_.gate(), ErrorForm::kProblem);
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
      if (ended_) return;
      if (number == SIGHUP) {
        reloader_->Ask();
        continue;
      }
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

  std::vector<std::string> Watched(const Config& config) const {
    return {args_.config, config.bundle, config.facts};
  }

  // Everything is read and checked before anything changes. What only a start takes over keeps
  // until then, and the log names it.
  void Reload(std::string_view cause) {
    const auto begin = std::chrono::steady_clock::now();
    reloader_->watch().Known(Watched(config_));  // before reading: what changes meanwhile is seen
    supervisor_.TellReloading();
    auto failed = [&](const Error& error) {
      service_->ReloadFailed(error);
      const std::string kept = keeper_->digest();
      storage_.RecordFailedReload(error, kept);
      log_.Fail("reload_failed",
                {{"cause", cause}, {"error", error.message}, {"code", error.code}, {"kept", kept}});
      supervisor_.Tell("READY=1\nSTATUS=stale, the reload failed; serving " + kept);
      if (error.code == "error.audit") reloader_->AskAgain();  // the files are in order
    };
    Result<Config> config = ReadConfig(args_, nullptr);
    if (!config.ok()) return failed(config.error());
    reloader_->watch().Known(Watched(*config));
    if (config->callers.empty() != config_.callers.empty()) {
      return failed({"config",
                     "going from development to registered callers, or back, needs a new start", 0,
                     0});
    }
    if (!AuditReady(storage_.trail()))
      return failed({"error.audit", "a reload cannot be recorded now, so it is not done", 0, 0});
    Result<std::string> callers = storage_.KeepCallers(*config);
    if (!callers.ok()) return failed(callers.error());
    keeper_->dropped_revocations = config->dropped_revocations;
    Status loaded = keeper_->Reload(
        config->bundle, config->facts,
        [&](std::shared_ptr<const Snapshot> snapshot, const KeptInputs& kept) {
          storage_.SetCallersInForce(callers.take());
          reloader_->LetGo(service_->Current().snapshot);
          // Recorded first: what is recorded after this was decided on what it says.
          if (!storage_.RecordInForce("reload", *config, kept).ok)
            log_.Fail("audit_failed", {{"event", "reload"}});
          service_->Publish(std::move(snapshot), MakeCallers(*config), storage_.Members(kept),
                            MakeAdapters(config->integrations));
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
  Storage storage_{&clock_, &log_};
  std::optional<PolicyKeeper> keeper_;
  std::optional<Service> service_;
  std::optional<ClockKeeper> clock_keeper_;
  std::optional<HttpServer> server_;
  std::optional<OperateService> operate_;
  std::optional<HttpServer> operate_server_;
  Supervisor supervisor_;
  std::atomic<double> reload_seconds_{0};
  std::atomic<bool> ended_{false};
  std::optional<Reloader> reloader_;
};

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
      findings.AddLoad(checked.error(), *config);
      // The facts are looked at even where the bundle is not good.
      if (!LoadProgram(config->bundle).ok()) {
        if (Status facts = CheckFactsFile(config->facts); !facts.ok())
          findings.AddLoad(facts.error(), *config);
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
