// /v1/instances: the runs of agents that were seen. They are never registered: a run is known once
// it has acted, and forgotten some time after its life is over.
#include "server/operate/names.h"
#include "server/operate/page.h"
#include "server/operate/routes.h"

namespace dpl {
namespace {

bool IsRevoked(Call& call, const InstanceRecord& run) {
  const StateStore& store = call.store();
  return (store.AnyRevoked(RevokedKind::kAgent) &&
          store.IsRevoked(RevokedKind::kAgent, run.agent, run.born)) ||
         (store.AnyRevoked(RevokedKind::kInstance) &&
          store.IsRevoked(RevokedKind::kInstance, RevokedName(run.agent, run.instance, '/'),
                          run.born));
}

void WriteInstance(Call& call, const InstanceRecord& run, JsonWriter* out) {
  out->BeginObject().Member("agent", run.agent).Member("instance", run.instance);
  out->Member("born", FormatInstant(run.born));
  if (!run.task.empty()) out->Member("task", run.task);
  std::string_view state = "live";
  if (uint32_t agent = call.snapshot().FindAgent(run.agent); agent == kNone) {
    state = "unknown";  // the policy in force has no such agent
  } else if (int64_t lives = call.program().agents[agent].lives_us; lives != 0) {
    Instant ends = Add(run.born, Duration{lives}).value_or(kMaxInstant);
    out->Member("lives_until", FormatInstant(ends));
    if (ends < call.now()) state = "over";
  }
  if (IsRevoked(call, run)) state = "revoked";
  out->Member("state", state).EndObject();
}

}  // namespace

void ListInstances(Call& call) {
  PageQuery query;
  if (!query.Read(call)) return;
  std::optional<std::string_view> agent = call.Query("agent"), task = call.Query("task");
  std::string full;
  if (agent) full = FindAgentName(call.snapshot(), *agent).full;
  Keep<InstanceRecord> keep;
  if (task) keep = [&](const InstanceRecord& run) { return run.task == *task; };
  AnswerPage(call, call.store().ListInstances(full, query.ask(), keep),
             [&](const InstanceRecord& run, JsonWriter* out) { WriteInstance(call, run, out); });
}

void GetInstance(Call& call) {
  const std::string agent = FindAgentName(call.snapshot(), call.Path(0)).full;
  std::string_view instance = call.Path(1);
  Instant born;
  bool bound = false;
  if (!call.store().FindInstance(agent, instance, &born, &bound))
    return call.Problem(ProblemKind::kNotFound, "no such run of that agent was seen");
  InstanceRecord run{.agent = agent,
                     .instance = std::string(instance),
                     .task = {},
                     .born = born,
                     .keep_until = {}};
  if (bound) {
    Page<InstanceRecord> found = call.store().ListInstances(
        agent, {.limit = 1}, [&](const InstanceRecord& r) { return r.instance == instance; });
    if (!found.items.empty()) run = found.items[0];
  }
  WriteInstance(call, run, &call.Answer());
}

}  // namespace dpl
