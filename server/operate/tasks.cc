// /v1/tasks: what a person has opened for an agent, or for another person, to do.
//
// Opening a task is an act of that person in direct mode (closing rule 2): the caller serves
// persons, or holds that person's token. For a standing agent, which acts for nobody, its
// accountable person opens it.
#include <algorithm>

#include "runtime/state/seed.h"
#include "server/operate/body_reader.h"
#include "server/operate/names.h"
#include "server/operate/page.h"
#include "server/operate/routes.h"

namespace dpl {
namespace {

constexpr std::string_view kPersonPrefix = "person:";  // of TaskRecord::agent: done by a person

std::string_view StateOf(Call& call, const TaskRecord& task) {
  if (call.store().AnyRevoked(RevokedKind::kTask) &&
      call.store().IsRevoked(RevokedKind::kTask, task.id, task.opened))
    return "revoked";
  return task.expires <= call.now() ? "expired" : "open";
}

void WriteTask(Call& call, const TaskRecord& task, JsonWriter* out) {
  out->BeginObject().Member("id", task.id).Member("shape", task.shape);
  if (!task.person.empty()) out->Member("person", task.person);
  if (task.agent.starts_with(kPersonPrefix)) {
    out->Member("deputy", std::string_view(task.agent).substr(kPersonPrefix.size()));
  } else {
    out->Member("agent", task.agent);
  }
  out->Key("args").BeginObject();
  for (const auto& [name, text] : task.args) out->Member(name, text);
  out->EndObject().Member("opened", FormatInstant(task.opened));
  if (!task.opened_by.empty()) out->Member("opened_by", task.opened_by);
  if (task.expires != kMaxInstant) out->Member("expires", FormatInstant(task.expires));
  out->Member("state", StateOf(call, task)).EndObject();
}

// Done for this person, by them, or opened by them; with a token that sees its own only.
bool MaySee(const Call& call, const TaskRecord& task) {
  if (!call.caller().OwnOnly(Role::kOperate | Role::kAudit)) return true;
  const std::string& person = call.caller().person;
  return task.person == person || task.opened_by == person ||
         task.agent == std::string(kPersonPrefix) + person;
}

// The task as answer, with the epoch it was seen at.
void AnswerTask(Call& call, const TaskRecord& task, int status) {
  JsonWriter& out = call.Answer(status);
  out.BeginObject().Key("epoch").Uint(call.store().Epoch()).Key("task");
  WriteTask(call, task, &out);
  out.EndObject();
}

bool InTeam(const Snapshot& snapshot, std::string_view person, uint32_t team, Instant now) {
  const Entity* entity = snapshot.FindPerson(person);
  return entity != nullptr && team != kNone && snapshot.InTeam(*entity, team, now) == Truth::kTrue;
}

// Whether `person` answers for the agent: its accountable person, or one of the team that stands
// in.
bool AnswersFor(const Snapshot& snapshot, uint32_t agent, std::string_view person, Instant now) {
  const Agent& template_ = snapshot.program().agents[agent];
  const Entity* accountable =
      template_.accountable == kNone ? nullptr : snapshot.constant(template_.accountable).entity;
  if (accountable != nullptr && accountable->id == person) return true;
  return InTeam(snapshot, person, template_.accountable_else, now);
}

// What the body says, with names as the state knows them. Nullopt after a problem.
std::optional<FactsInput::Task> ReadTaskBody(Call& call, std::optional<Instant>* auth_time,
                                             std::string* opener) {
  BodyReader body(call, *call.body());
  FactsInput::Task task;
  task.id = body.Text("id", Need::kOptional, 128);
  task.shape = body.Text("shape");
  task.person = body.Text("person", Need::kOptional);
  task.agent = body.Text("agent", Need::kOptional);
  task.deputy = body.Text("deputy", Need::kOptional);
  *opener = body.Text("opened_by", Need::kOptional);
  *auth_time = body.Time("auth_time");
  task.expires = body.Time("expires");
  if (const WireValue* args = body.Object("args")) {
    for (uint32_t i = 0; i < args->count; ++i)
      task.args.push_back({std::string(args->members[i].name), args->members[i].value});
    task.where = {args->line, args->column};
  }
  if (!body.Finish()) return std::nullopt;
  auto unknown = [&](std::string_view member, const Name& name) {
    if (!name.known)
      body.Fail(member, "is not known: " + name.problem, ProblemKind::kUnknownName, name.near);
    return !name.known;
  };
  if (task.agent.empty() == task.deputy.empty()) {
    body.Fail("agent", "or `deputy` is required, and not both");
    return std::nullopt;
  }
  Name shape = FindStatementName(call.snapshot(), StatementKind::kTask, task.shape);
  if (unknown("shape", shape)) return std::nullopt;
  task.shape = shape.full;
  for (auto [member, value] :
       {std::pair("person", &task.person), std::pair("deputy", &task.deputy)}) {
    if (value->empty()) continue;
    Name person = FindPersonName(call.snapshot(), *value);
    if (unknown(member, person)) return std::nullopt;
    *value = person.full;
  }
  if (!task.deputy.empty()) {
    if (task.person.empty()) {
      body.Fail("person", "is required: for whom the deputy does it");
      return std::nullopt;
    }
  } else {
    Name agent = FindAgentName(call.snapshot(), task.agent);
    if (unknown("agent", agent)) return std::nullopt;
    task.agent = agent.full;
    const bool standing = call.program().agents[agent.index].modes == kModeStanding;
    if (standing != task.person.empty()) {
      body.Fail("person", standing ? "must be left out: a standing agent acts for nobody"
                                   : "is required: for whom the agent does it");
      return std::nullopt;
    }
    if (standing && opener->empty()) *opener = call.caller().person;
    if (standing && opener->empty()) {
      body.Fail("opened_by", "is required: who opens a task of a standing agent");
      return std::nullopt;
    }
    if (standing && !AnswersFor(call.snapshot(), agent.index, *opener, call.now())) {
      body.Fail("opened_by", "must be the accountable person of the standing agent",
                ProblemKind::kNotAllowed);
      return std::nullopt;
    }
  }
  if (opener->empty()) *opener = task.person;
  if (!task.person.empty() && *opener != task.person) {
    body.Fail("opened_by", "must be the person for whom it is done", ProblemKind::kNotAllowed);
    return std::nullopt;
  }
  return task;
}

}  // namespace

void ListTasks(Call& call) {
  PageQuery query;
  if (!query.Read(call)) return;
  std::optional<std::string_view> person = call.Query("person"), agent = call.Query("agent"),
                                  shape = call.Query("shape"), state = call.Query("state");
  if (state && *state != "open" && *state != "expired" && *state != "revoked") {
    return call.Problem(ProblemKind::kInvalidParameter, "`state` must be open, expired or revoked");
  }
  std::string agent_full, shape_full;
  if (agent) agent_full = FindAgentName(call.snapshot(), *agent).full;
  if (shape) shape_full = FindStatementName(call.snapshot(), StatementKind::kTask, *shape).full;
  Page<TaskRecord> page = call.store().ListTasks(query.ask(), [&](const TaskRecord& task) {
    return MaySee(call, task) && (!person || task.person == *person) &&
           (!agent || task.agent == agent_full) && (!shape || task.shape == shape_full) &&
           (state != "open" || task.expires > call.now()) &&
           (state != "expired" || task.expires <= call.now());
  });
  AnswerPage(call, page, [&](const TaskRecord& task, JsonWriter* out) {
    if (!state || StateOf(call, task) == *state) WriteTask(call, task, out);
  });
}

void GetTask(Call& call) {
  std::shared_ptr<const TaskRecord> task = call.store().FindTask(call.Path(0));
  if (task == nullptr || !MaySee(call, *task))
    return call.Problem(ProblemKind::kNotFound, "no task is called that, or it ended long ago");
  AnswerTask(call, *task, 200);
}

void OpenTask(Call& call) {
  std::optional<Instant> auth_time;
  std::string opener;
  std::optional<FactsInput::Task> task = ReadTaskBody(call, &auth_time, &opener);
  if (!task) return;
  if (!call.MayActAs(opener)) return;
  if (std::string why = WhyNotActing(call.snapshot(), call.store(), opener, auth_time);
      !why.empty())
    return call.Problem(ProblemKind::kNotAllowed, why);
  std::shared_ptr<const TaskRecord> known =
      task->id.empty() ? nullptr : call.store().FindTask(task->id);
  if (known == nullptr && task->expires && *task->expires <= call.now()) {
    return call.Problem(ProblemKind::kInvalidMember, "`expires` must lie in the future",
                        {"/expires", 0, 0, {}});
  }
  if (task->id.empty()) task->id = NewId("t_");
  Result<TaskRecord> record =
      ReadTaskRecord(call.snapshot(), *task, known == nullptr ? call.now() : known->opened);
  if (!record.ok()) {
    const Error& error = record.error();
    if (error.code == "facts.agent")
      return call.Problem(ProblemKind::kNotAllowed, error.message, {"/agent", 0, 0, {}});
    return call.Problem(ProblemKind::kInvalidMember, error.message,
                        {"/args", error.line, error.column, {}});
  }
  if (known != nullptr) {
    // Asked again: the same task is the same answer.
    if (known->shape != record->shape || known->person != record->person ||
        known->agent != record->agent || known->args != record->args ||
        (task->expires && known->expires != record->expires)) {
      return call.Problem(ProblemKind::kConflict, "another task `" + task->id + "` is on record");
    }
    call.WaitForState();
    return AnswerTask(call, *known, 200);
  }
  if (!call.MayGive()) return;
  record->opened_by = opener;
  if (Status opened = call.store().OpenTask(*record); !opened.ok())
    return call.StoreProblem(opened.error());
  if (!call.Changed({.event = "task.open",
                     .person = opener,
                     .fields = {{"task", record->id},
                                {"shape", record->shape},
                                {"person", record->person},
                                {"agent", record->agent},
                                {"opened_by", opener},
                                {"expires", FormatInstant(record->expires)}}}))
    return;
  AnswerTask(call, *record, 201);
}

void CloseTask(Call& call) {
  BodyReader body(call, *call.body());
  std::string_view because = body.Text("because");
  if (!body.Finish()) return;
  std::shared_ptr<const TaskRecord> task = call.store().FindTask(call.Path(0));
  if (task == nullptr)
    return call.Problem(ProblemKind::kNotFound, "no task is called that, or it ended long ago");
  if (!call.caller().person.empty() && call.caller().person != task->person) {
    return call.Problem(ProblemKind::kForbidden,
                        "a personal token closes that person's own tasks only");
  }
  if (StateOf(call, *task) != "revoked") {
    if (!call.MayChange()) return;
    Revocation revocation;
    revocation.kind = RevokedKind::kTask;
    revocation.name = task->id;
    revocation.at = call.now();
    revocation.by = call.WhoActs();
    revocation.because = because;
    (void)call.store().Revoke(revocation);
    if (!call.Changed({.event = "task.close", .because = because, .fields = {{"task", task->id}}}))
      return;
  }
  call.WaitForState();
  AnswerTask(call, *task, 200);
}

}  // namespace dpl
