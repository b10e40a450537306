// /v1/handoffs: one run passes its work to another (closing rule 4).
//
// Who may record: the caller that is believed about agents and their runs (the parent's credential,
// as it were). What may be recorded: one parent for a run, within what a delegation lends onward
// and no deeper, while the parent lives and is not revoked, in a task that is open and is its
// chain's own. A person who acts for another and starts an agent is recorded the same way, by that
// person.
#include <algorithm>

#include "server/operate/body_reader.h"
#include "server/operate/names.h"
#include "server/operate/page.h"
#include "server/operate/routes.h"

namespace dpl {
namespace {

constexpr std::string_view kPersonPrefix = "person:";
constexpr size_t kMostAncestors = 8;  // as many hops as a request can have

struct Run {
  std::string agent, instance;  // qualified; or "person:ID" and nothing
  uint32_t index = kNone;       // Program::agents

  bool is_person() const { return agent.starts_with(kPersonPrefix); }
};

void WriteRun(std::string_view agent, std::string_view instance, JsonWriter* out) {
  out->BeginObject();
  if (agent.starts_with(kPersonPrefix)) {
    out->Member("person", agent.substr(kPersonPrefix.size()));
  } else {
    out->Member("agent", agent);
    if (!instance.empty()) out->Member("instance", instance);
  }
  out->EndObject();
}

void WriteHandoff(const HandoffRecord& h, JsonWriter* out) {
  out->BeginObject().Key("from");
  WriteRun(h.parent_agent, h.parent_instance, out);
  out->Key("to");
  WriteRun(h.child_agent, h.child_instance, out);
  if (!h.task.empty()) out->Member("task", h.task);
  if (h.at != Instant{}) out->Member("at", FormatInstant(h.at));
  if (!h.by.empty()) out->Member("by", h.by);
  out->EndObject();
}

void AnswerHandoff(Call& call, const HandoffRecord& h, int status) {
  JsonWriter& out = call.Answer(status);
  out.BeginObject().Key("epoch").Uint(call.store().Epoch()).Key("handoff");
  WriteHandoff(h, &out);
  out.EndObject();
}

// `{"agent", "instance"}`, or `{"person"}` where one may stand. False after a problem.
bool ReadRun(Call& call, BodyReader& outer, std::string_view member, bool or_person, Run* out) {
  const WireValue* object = outer.Object(member, Need::kRequired);
  if (object == nullptr) return false;
  BodyReader body(call, *object, outer.Pointer(member));
  if (or_person && object->Find("person") != nullptr) {
    std::string_view person = body.Text("person");
    if (!body.Finish()) return false;
    Name name = FindPersonName(call.snapshot(), person);
    if (!name.known)
      body.Fail("person", "is not known: " + name.problem, ProblemKind::kUnknownName, name.near);
    out->agent = std::string(kPersonPrefix) + name.full;
    return name.known;
  }
  std::string_view agent = body.Text("agent");
  out->instance = body.Text("instance");
  if (!body.Finish()) return false;
  Name name = FindAgentName(call.snapshot(), agent);
  if (!name.known)
    body.Fail("agent", "is not known: " + name.problem, ProblemKind::kUnknownName, name.near);
  out->agent = name.full;
  out->index = name.index;
  return name.known;
}

// From the first to `last`: everything the parent itself came from. False after a problem.
bool ReadChain(Call& call, const Run& last, std::vector<Run>* chain) {
  chain->assign(1, last);
  while (!chain->front().is_person()) {
    std::optional<HandoffRecord> above =
        call.store().FindHandoff(chain->front().agent, chain->front().instance);
    if (!above) break;
    Run run{above->parent_agent, above->parent_instance, kNone};
    if (!run.is_person()) run.index = call.snapshot().FindAgent(run.agent);
    chain->insert(chain->begin(), run);
    if (chain->size() > kMostAncestors) {
      call.Problem(ProblemKind::kNotAllowed, "the chain would be longer than a request can name");
      return false;
    }
  }
  return true;
}

bool Lists(const std::vector<uint32_t>& list, uint32_t value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

// Whether some delegation lends along the whole chain: to its first receiver, and onward from it.
bool SomeDelegationLends(Call& call, const std::vector<Run>& chain) {
  const Program& program = call.program();
  const bool by_person = chain[0].is_person();
  // Of a standing agent the second one is the first that receives.
  const bool standing = !by_person && chain[0].index != kNone &&
                        program.agents[chain[0].index].modes == kModeStanding;
  const size_t first = by_person || standing ? 1 : 0;
  return std::any_of(
      program.delegations.begin(), program.delegations.end(), [&](const Delegation& d) {
        // A delegation between people has no agent that receives: every agent is onward.
        if (by_person != d.to_agents.empty()) return false;
        if (!by_person && !Lists(d.to_agents, chain[first].index)) return false;
        const size_t onward = by_person ? 1 : first + 1;
        if (chain.size() - onward > d.onward_hops) return false;
        return std::all_of(chain.begin() + static_cast<std::ptrdiff_t>(onward), chain.end(),
                           [&](const Run& run) { return Lists(d.onward_agents, run.index); });
      });
}

// The parent may hand on: it lives and is not revoked. Empty: it may.
std::string WhyNotParent(Call& call, const Run& parent) {
  const StateStore& store = call.store();
  Instant born = call.now();
  bool bound = false;
  (void)store.FindInstance(parent.agent, parent.instance, &born, &bound);
  if (int64_t lives = call.program().agents[parent.index].lives_us;
      lives != 0 && Subtract(call.now(), born).us > lives)
    return "the life of the run that hands on is over";
  if (store.IsRevoked(RevokedKind::kAgent, parent.agent, born) ||
      store.IsRevoked(RevokedKind::kInstance, RevokedName(parent.agent, parent.instance, '/'),
                      born))
    return "the run that hands on is revoked";
  return {};
}

// Empty: the task is one that this chain may work in.
std::string WhyNotTask(Call& call, const std::string& id, const std::vector<Run>& chain) {
  std::shared_ptr<const TaskRecord> task = call.store().FindTask(id);
  if (task == nullptr) return "no task `" + id + "` is known";
  if (task->expires <= call.now()) return "the task has expired";
  if (call.store().IsRevoked(RevokedKind::kTask, id, task->opened)) return "the task is revoked";
  if (task->agent != chain[0].agent)
    return "the task is not that of the agent this work began with";
  return {};
}

}  // namespace

void ListHandoffs(Call& call) {
  PageQuery query;
  if (!query.Read(call)) return;
  std::optional<std::string_view> agent = call.Query("agent"), instance = call.Query("instance"),
                                  task = call.Query("task");
  std::string full;
  if (agent) full = FindAgentName(call.snapshot(), *agent).full;
  auto fits = [&](std::string_view a, std::string_view i) {
    return (!agent || a == full) && (!instance || i == *instance);
  };
  Page<HandoffRecord> page = call.store().ListHandoffs(query.ask(), [&](const HandoffRecord& h) {
    return (!task || h.task == *task) &&
           (fits(h.parent_agent, h.parent_instance) || fits(h.child_agent, h.child_instance));
  });
  AnswerPage(call, page, [](const HandoffRecord& h, JsonWriter* out) { WriteHandoff(h, out); });
}

void RecordHandoff(Call& call) {
  BodyReader body(call, *call.body());
  Run parent, child;
  if (!ReadRun(call, body, "from", true, &parent) || !ReadRun(call, body, "to", false, &child))
    return;
  const std::string task(body.Text("task", Need::kOptional, 128));
  if (!body.Finish()) return;
  if (parent.is_person()) {
    std::string_view person = std::string_view(parent.agent).substr(kPersonPrefix.size());
    if (!call.MayActAs(person)) return;
    if (std::string why = WhyNotActing(call.snapshot(), call.store(), person, std::nullopt);
        !why.empty())
      return call.Problem(ProblemKind::kNotAllowed, why);
  } else if (!call.caller().caller.asserts_actors || !call.caller().caller.asserts_instances) {
    return call.Problem(ProblemKind::kForbidden,
                        "the caller must be registered to name agents and their runs");
  } else if (std::string why = WhyNotParent(call, parent); !why.empty()) {
    return call.Problem(ProblemKind::kNotAllowed, why);
  }
  HandoffRecord record{parent.agent,
                       parent.instance,
                       child.agent,
                       child.instance,
                       task,
                       call.now(),
                       std::string(call.WhoActs())};
  if (std::optional<HandoffRecord> known = call.store().FindHandoff(child.agent, child.instance)) {
    if (known->parent_agent != record.parent_agent ||
        known->parent_instance != record.parent_instance || known->task != record.task) {
      return call.Problem(ProblemKind::kConflict,
                          "that run has a parent already, or was handed this work in another task");
    }
    call.WaitForState();
    return AnswerHandoff(call, *known, 200);
  }
  std::vector<Run> chain;
  if (!ReadChain(call, parent, &chain)) return;
  if (std::any_of(chain.begin(), chain.end(), [&](const Run& run) {
        return run.agent == child.agent && run.instance == child.instance;
      })) {
    return call.Problem(ProblemKind::kNotAllowed, "a run cannot come from itself");
  }
  if (std::string why = task.empty() ? std::string() : WhyNotTask(call, task, chain); !why.empty())
    return body.Fail("task", "cannot be handed on: " + why, ProblemKind::kNotAllowed);
  chain.push_back(child);
  if (!SomeDelegationLends(call, chain)) {
    return call.Problem(ProblemKind::kNotAllowed,
                        "no delegation lends onward along this chain, or not that deep");
  }
  Instant born;
  bool bound = false;
  if (call.store().FindInstance(child.agent, child.instance, &born, &bound)) {
    return call.Problem(ProblemKind::kConflict,
                        "that run has acted already without a parent: it is nobody's child");
  }
  if (!call.MayChange()) return;
  if (Status recorded = call.store().RecordHandoff(record); !recorded.ok())
    return call.StoreProblem(recorded.error());
  std::string from = parent.agent, to = RevokedName(child.agent, child.instance, '/');
  if (!parent.is_person()) from = RevokedName(parent.agent, parent.instance, '/');
  if (!call.Changed({.event = "handoff.record",
                     .person = parent.is_person()
                                   ? std::string_view(parent.agent).substr(kPersonPrefix.size())
                                   : std::string_view(),
                     .fields = {{"from", from}, {"to", to}, {"task", task}}}))
    return;
  AnswerHandoff(call, record, 201);
}

}  // namespace dpl
