// What operators and clients may know about the service itself: health, readiness, metrics,
// discovery.
#include "runtime/json/json_writer.h"
#include "server/api/service_thread.h"

namespace dpl {
std::string PolicyDigest(const Snapshot& snapshot) {
  const auto& digest = snapshot.program().digest;
  return "sha256:" + Hex({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

namespace {

std::string ErrorText(const Error& error) {
  std::string text = error.message;
  if (error.line != 0)
    text +=
        " (line " + std::to_string(error.line) + ", column " + std::to_string(error.column) + ")";
  return text;
}

}  // namespace

// 200 as long as the process answers at all; `status` says whether all is well.
void Service::Health(const InForce& in_force, HttpResponse* response) {
  JsonWriter writer(&response->body);
  std::lock_guard lock(mutex_);
  const bool has_policy = in_force.snapshot != nullptr;
  const StoreHealth state = options_.store->Health();
  std::string audit;
  JsonWriter audit_writer(&audit);
  audit_writer.BeginObject();
  const bool recording = !options_.audit_health || options_.audit_health(&audit_writer);
  audit_writer.EndObject();
  writer.BeginObject();
  writer.Member("status", !has_policy                                     ? "no_policy"
                          : last_failed_ || !state.writable || !recording ? "degraded"
                                                                          : "ok");
  writer.Member("version", options_.version);
  if (has_policy) {
    writer.Member("mode", in_force.callers->development() ? "development" : "registered");
    writer.Key("callers").Uint(in_force.callers->size());
    writer.Key("policy").BeginObject();
    writer.Member("digest", PolicyDigest(*in_force.snapshot));
    writer.Member("since", FormatInstant(in_force.since)).EndObject();
    writer.Key("facts").BeginObject();
    writer.Member("version", in_force.snapshot->facts_version());
    writer.Member("as_of", FormatInstant(in_force.snapshot->as_of())).EndObject();
  }
  writer.Key("state").BeginObject().Member("kind", state.kind);
  writer.Key("writable").Bool(state.writable);
  if (!state.writable) writer.Member("note", "what must be recorded is denied with error.store");
  if (!state.error.empty()) writer.Member("error", state.error);
  if (state.kind == "memory") writer.Member("note", "a restart forgets it");
  writer.EndObject();
  if (options_.audit_health) writer.Key("audit").Raw(audit);
  writer.Key("last_reload").BeginObject().Key("ok").Bool(!last_failed_);
  if (last_failed_) {
    writer.Member("at", FormatInstant(last_error_at_)).Member("error", ErrorText(last_error_));
    writer.Member("note", "the last good policy stays in force");
  }
  writer.EndObject().EndObject();
}

void Service::Ready(const InForce& in_force, HttpResponse* response) {
  if (in_force.snapshot == nullptr) return response->Error(503, "no policy is loaded");
  if (draining_.load(std::memory_order_relaxed))
    return response->Error(503, "the server is stopping");
  response->body.append("{\"status\":\"ready\"}");
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
  writer.EndObject();
}

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
  }
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
  writer.Family("dpl_state_operations_total", "counter", "Changes of state that were recorded.");
  writer.Sample("dpl_state_operations_total", "", state.operations);
  writer.Family("dpl_state_groups_total", "counter", "Groups of them, each with one sync.");
  writer.Sample("dpl_state_groups_total", "", state.groups);
  writer.Family("dpl_state_log_bytes", "gauge", "Bytes of log since the last image.");
  writer.Sample("dpl_state_log_bytes", "", state.log_bytes);

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

  writer.Family("dpl_batch_item_errors_total", "counter",
                "Items of batches that could not be evaluated.");
  writer.Sample("dpl_batch_item_errors_total", "",
                sum([](const MetricsShard& s) -> const Tally& { return s.item_errors; }));
  writer.Family("dpl_unauthenticated_total", "counter",
                "Questions from callers that are not registered.");
  writer.Sample("dpl_unauthenticated_total", "",
                sum([](const MetricsShard& s) -> const Tally& { return s.unauthenticated; }));
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
