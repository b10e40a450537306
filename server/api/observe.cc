// What operators and clients may know about the service itself: metrics and discovery. (Health:
// health.cc.)
#include "runtime/decide/duty.h"
#include "runtime/json/json_writer.h"
#include "runtime/search/search.h"
#include "server/api/condition.h"
#include "server/api/service_thread.h"

namespace dpl {
std::string PolicyDigest(const Snapshot& snapshot) {
  const auto& digest = snapshot.program().digest;
  return "sha256:" + Hex({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

void Service::Discovery(const HttpRequest& request, HttpResponse* response) {
  std::string base = options_.public_url;
  if (base.empty()) {
    // TLS ends at the proxy in front of us; the host is what the client used to get here, checked
    // by the HTTP server.
    std::string_view host = request.Find("Host").value;
    if (host.empty()) return response->Error(400, "Host is missing");
    base.append("https://").append(host);
  }
  JsonWriter writer(&response->body);
  writer.BeginObject();
  writer.Member("policy_decision_point", base);
  auto endpoint = [&](std::string_view member, std::string_view path) {
    if (!member.empty()) writer.Member(member, base + std::string(path));
  };
#define DPL_DECISION_ROUTE(name, method, path, metadata) endpoint(metadata, path);
#include "server/api/routes.def"
#undef DPL_DECISION_ROUTE
  if (!request_endpoint_.empty()) writer.Member("access_request_endpoint", request_endpoint_);
  writer.Key("capabilities").BeginArray();
  writer.String("urn:openid:authzen:capability:obligations").EndArray();
  writer.Key("supported_obligations").BeginArray();
  for (int kind = 0; kind < kDutyKinds; ++kind) {
    const auto duty = static_cast<DutyKind>(kind);
    if (duty != DutyKind::kLog) writer.String(DutyAuthzen(duty));  // a log is ours to keep
  }
  writer.EndArray();
  writer.EndObject();
}

namespace {

void AppendFactsMetrics(const Snapshot& snapshot, Instant now, MetricsWriter* writer) {
  std::string labels;
  writer->Family("dpl_facts_as_of_timestamp_seconds", "gauge",
                 "The time that the facts in force are of.");
  writer->Seconds("dpl_facts_as_of_timestamp_seconds", "",
                  static_cast<double>(snapshot.as_of().us) / 1e6);
  writer->Family("dpl_facts_feed_loaded", "gauge",
                 "0 for a part that the facts in force do not have.");
  for (const FeedState& feed : LookAtFeeds(snapshot)) {
    labels.clear();
    MetricsWriter::Label(&labels, "feed", feed.name);
    writer->Sample("dpl_facts_feed_loaded", labels, feed.loaded ? 1 : 0);
  }
  const SourceState source = LookAtSource(snapshot, now);
  if (source.within_us == 0) return;
  MetricsWriter::Label(&(labels = {}), "source", source.name);
  writer->Family("dpl_source_within_seconds", "gauge",
                 "How old the facts of this source may be, as the policy says.");
  writer->Seconds("dpl_source_within_seconds", labels, static_cast<double>(source.within_us) / 1e6);
  writer->Family("dpl_source_stale", "gauge",
                 "1 while the facts are older than that: what rests on them is denied.");
  writer->Sample("dpl_source_stale", labels, source.stale ? 1 : 0);
}

}  // namespace

void Service::Metrics(const InForce& in_force, HttpResponse* response) {
  response->content_type = "text/plain; version=0.0.4; charset=utf-8";
  MetricsWriter writer(&response->body);
  std::string labels;
  auto label = [&labels](std::string_view name, std::string_view value) -> std::string_view {
    labels.clear();
    MetricsWriter::Label(&labels, name, value);
    return labels;
  };
  std::lock_guard lock(mutex_);
  auto sum = [this](auto get) {
    uint64_t total = 0;
    for (const std::unique_ptr<ServiceThread>& thread : threads_)
      total += get(thread->metrics).Get();
    return total;
  };

  writer.Family("dpl_build_info", "gauge", "The program; always 1.");
  writer.Sample("dpl_build_info", label("version", options_.version), 1);
  if (in_force.snapshot != nullptr) {
    writer.Family("dpl_policy_info", "gauge", "The policy and facts in force; always 1.");
    label("digest", PolicyDigest(*in_force.snapshot));
    MetricsWriter::Label(&labels, "facts", in_force.snapshot->facts_version());
    writer.Sample("dpl_policy_info", labels, 1);
    writer.Family("dpl_policy_load_timestamp_seconds", "gauge",
                  "When the policy in force was loaded.");
    writer.Seconds("dpl_policy_load_timestamp_seconds", "",
                   static_cast<double>(in_force.since.us) / 1e6);
    writer.Family("dpl_development_mode", "gauge",
                  "1 when no callers are registered and everyone may assert everything.");
    writer.Sample("dpl_development_mode", "", in_force.callers->development() ? 1 : 0);
    AppendFactsMetrics(*in_force.snapshot, options_.clock->Now(), &writer);
  }
  std::string audit;
  JsonWriter audit_writer(&audit);
  audit_writer.BeginObject();
  const bool recording = !options_.audit_health || options_.audit_health(&audit_writer);
  const Condition condition = LookAtCondition(in_force, recording);
  writer.Family("dpl_health", "gauge",
                "1 for the state of health that holds now, 0 for the others (docs/dpld.md).");
  for (std::string_view name : Condition::kNames)
    writer.Sample("dpl_health", label("state", name), condition.name == name ? 1 : 0);
  writer.Family("dpl_ready", "gauge", "1 while /readyz says yes.");
  writer.Sample("dpl_ready", "", NotReady(in_force).empty() ? 1 : 0);
  writer.Family("dpl_revocation_epoch", "gauge",
                "Counts revocations; never goes back but with a state that was lost.");
  writer.Sample("dpl_revocation_epoch", "", options_.store->Epoch());
  writer.Family("dpl_reloads_total", "counter",
                "Loads of policy, facts and callers, the first included.");
  writer.Sample("dpl_reloads_total", label("result", "ok"), reloads_);
  writer.Sample("dpl_reloads_total", label("result", "failed"), failed_reloads_);

  const StoreHealth state = options_.store->Health();
  writer.Family("dpl_state_info", "gauge", "Where state is kept; always 1.");
  writer.Sample("dpl_state_info", label("kind", state.kind), 1);
  writer.Family("dpl_state_writable", "gauge",
                "0 while what must be recorded is denied, because the state cannot be written.");
  writer.Sample("dpl_state_writable", "", state.writable ? 1 : 0);
  writer.Family("dpl_clock_trusted", "gauge",
                "0 while metered permits are denied, because the clock jumped ahead.");
  writer.Sample("dpl_clock_trusted", "", clock_guard_.suspect() ? 0 : 1);
  writer.Family("dpl_state_operations_total", "counter", "Changes of state that were recorded.");
  writer.Sample("dpl_state_operations_total", "", state.operations);
  writer.Family("dpl_state_groups_total", "counter", "Groups of them, each with one sync.");
  writer.Sample("dpl_state_groups_total", "", state.groups);
  writer.Family("dpl_state_log_bytes", "gauge", "Bytes of log since the last image.");
  writer.Sample("dpl_state_log_bytes", "", state.log_bytes);
  writer.Family("dpl_state_entries", "gauge", "What is on record, of each kind that has a bound.");
  for (const StoreHealth::Held& held : state.held)
    writer.Sample("dpl_state_entries", label("kind", held.kind), held.count);
  writer.Family("dpl_state_entries_max", "gauge",
                "The bound, past which what would be recorded is denied (error.store_full).");
  for (const StoreHealth::Held& held : state.held)
    writer.Sample("dpl_state_entries_max", label("kind", held.kind), held.most);

  writer.Family("dpl_decisions_total", "counter", "Decisions by outcome and reason.");
  for (size_t outcome = 0; outcome < 3; ++outcome) {
    for (size_t reason = 0; reason < kReasonCount; ++reason) {
      uint64_t total = sum([&](const MetricsShard& shard) -> const Tally& {
        return shard.decisions[outcome][reason];
      });
      if (total == 0) continue;
      label("decision", OutcomeName(static_cast<OutcomeKind>(outcome)));
      MetricsWriter::Label(&labels, "reason", ReasonCode(static_cast<Reason>(reason)));
      writer.Sample("dpl_decisions_total", labels, total);
    }
  }
  writer.Family("dpl_evaluation_duration_seconds", "histogram",
                "Time to type, decide and answer one evaluation, without I/O.");
  uint64_t below = 0;
  for (size_t i = 0; i <= MetricsShard::kBuckets.size(); ++i) {
    below += sum([&](const MetricsShard& shard) -> const Tally& { return shard.durations[i]; });
    char bound[32] = "+Inf";
    if (i < MetricsShard::kBuckets.size()) {
      std::snprintf(bound, sizeof bound, "%g",
                    static_cast<double>(MetricsShard::kBuckets[i]) / 1e9);
    }
    writer.Sample("dpl_evaluation_duration_seconds_bucket", label("le", bound), below);
  }
  uint64_t nanoseconds =
      sum([](const MetricsShard& shard) -> const Tally& { return shard.duration_sum_ns; });
  writer.Seconds("dpl_evaluation_duration_seconds_sum", "", static_cast<double>(nanoseconds) / 1e9);
  writer.Sample("dpl_evaluation_duration_seconds_count", "", below);

  writer.Family("dpl_searches_total", "counter", "Pages of searches, by what was searched.");
  for (size_t what = 0; what < 3; ++what) {
    writer.Sample("dpl_searches_total", label("for", SearchForName(static_cast<SearchFor>(what))),
                  sum([&](const MetricsShard& s) -> const Tally& { return s.searches[what]; }));
  }
  writer.Family("dpl_search_results_total", "counter", "Results of searches.");
  writer.Sample("dpl_search_results_total", "",
                sum([](const MetricsShard& s) -> const Tally& { return s.search_results; }));
  writer.Family("dpl_search_decisions_total", "counter", "Candidates that searches decided on.");
  writer.Sample("dpl_search_decisions_total", "",
                sum([](const MetricsShard& s) -> const Tally& { return s.search_decisions; }));
  writer.Family("dpl_search_seconds_total", "counter", "Time that searches took, without I/O.");
  writer.Seconds(
      "dpl_search_seconds_total", "",
      static_cast<double>(sum([](const MetricsShard& s) -> const Tally& { return s.search_ns; })) /
          1e9);
  writer.Family("dpl_batch_item_errors_total", "counter",
                "Items of batches that could not be evaluated.");
  writer.Sample("dpl_batch_item_errors_total", "",
                sum([](const MetricsShard& s) -> const Tally& { return s.item_errors; }));
  writer.Family("dpl_unauthenticated_total", "counter",
                "Questions from callers that are not registered.");
  writer.Sample("dpl_unauthenticated_total", "",
                sum([](const MetricsShard& s) -> const Tally& { return s.unauthenticated; }));
  writer.Family("dpl_traceparent_invalid_total", "counter",
                "Questions with a traceparent header that is none; it was ignored.");
  writer.Sample("dpl_traceparent_invalid_total", "",
                sum([](const MetricsShard& s) -> const Tally& { return s.traceparent_invalid; }));
  writer.Family("dpl_http_responses_total", "counter",
                "Responses by status, without those of refused requests.");
  for (size_t i = 0; i < MetricsShard::kStatuses.size(); ++i) {
    uint64_t total =
        sum([&](const MetricsShard& shard) -> const Tally& { return shard.answers[i]; });
    if (total != 0)
      writer.Sample("dpl_http_responses_total",
                    label("code", std::to_string(MetricsShard::kStatuses[i])), total);
  }
  if (options_.more_metrics) options_.more_metrics(&writer);
}

}  // namespace dpl
