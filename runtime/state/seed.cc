// See seed.h.
#include "runtime/state/seed.h"

#include <algorithm>
#include <vector>

#include "runtime/base/decimal.h"
#include "runtime/json/json_writer.h"
#include "runtime/state/counter_name.h"

namespace dpl {
namespace {

Error At(const FactsInput::Where& where, std::string code, std::string message) {
  return Error{std::move(code), std::move(message), where.line, where.column};
}

class Seeder {
 public:
  Seeder(const Snapshot& snapshot, const FactsInput& input, StateStore* store, Instant now)
      : snapshot_(snapshot),
        program_(snapshot.program()),
        input_(input),
        store_(store),
        now_(now) {}

  Status Run() {
    for (const FactsInput::Consent& c : input_.consents) DPL_RETURN_IF_ERROR(ReadConsent(c));
    for (const FactsInput::Task& t : input_.tasks) DPL_RETURN_IF_ERROR(ReadTask(t));
    for (const FactsInput::Handoff& h : input_.handoffs) DPL_RETURN_IF_ERROR(ReadHandoff(h));
    for (const FactsInput::Used& u : input_.used) DPL_RETURN_IF_ERROR(ReadUsed(u));
    return Write();
  }

 private:
  // Qualified, or the last part of exactly one statement's name.
  uint32_t Find(StatementKind kind, std::string_view name) const {
    uint32_t exact = snapshot_.FindStatement(name);
    if (exact != kNone && program_.statements[exact].kind == kind) return exact;
    uint32_t found = kNone;
    for (uint32_t i = 0; i < program_.statements.size(); ++i) {
      const Statement& s = program_.statements[i];
      if (s.kind != kind) continue;
      std::string_view full = program_.Text(s.name);
      if (!full.ends_with(name) || full.size() <= name.size() ||
          full[full.size() - name.size() - 1] != '.')
        continue;
      if (found != kNone) return kNone;
      found = i;
    }
    return found;
  }
  Status KnownPerson(const std::string& id, const FactsInput::Where& where) const {
    const Entity* person = snapshot_.FindPerson(id);
    if (person != nullptr && person->person != nullptr) return Status::Ok();
    return At(where, "facts.person", "no person `" + id + "` is known");
  }

  Status ReadConsent(const FactsInput::Consent& c) {
    uint32_t s = Find(StatementKind::kDelegation, c.delegation);
    if (s == kNone)
      return At(c.where, "facts.delegation", "no delegation is called `" + c.delegation + "`");
    DPL_RETURN_IF_ERROR(KnownPerson(c.person, c.where));
    ConsentRecord record;
    record.at = c.at;
    record.whole_day = c.whole_day;
    record.from_facts = true;
    record.reach =
        program_.delegations[program_.statements[s].detail].reach;  // consent to what it lends now
    consents_.push_back({s, &c, std::move(record)});
    return Status::Ok();
  }

  // The wire text of an argument: what a later request would send for it. A set is the JSON array
  // of the texts of its members.
  Status ArgumentText(const FactsInput::Field& field, const FactsInput::Where& where, TypeId type,
                      std::string* out) const {
    Arena scratch;
    Result<Value> typed = snapshot_.TypeValue(field.value, type, &scratch);
    if (!typed.ok()) {
      Error e = typed.error();
      e.message = "argument `" + field.name + "`: " + e.message;
      if (e.line == 0) e.line = where.line, e.column = where.column;
      return e;
    }
    switch (typed->kind) {
      case ValueKind::kPerson:
      case ValueKind::kResource:
        out->assign(typed->entity->id);
        return Status::Ok();
      case ValueKind::kString:
      case ValueKind::kPath:
        out->assign(typed->text());
        return Status::Ok();
      case ValueKind::kBool:
        out->assign(typed->i != 0 ? "true" : "false");
        return Status::Ok();
      case ValueKind::kSet: {
        JsonWriter array(out);
        array.BeginArray();
        for (uint32_t i = 0; i < field.value.count; ++i) {
          FactsInput::Field item{field.name, field.value.items[i]};
          std::string text;
          DPL_RETURN_IF_ERROR(ArgumentText(item, where, program_.schema.types[type].index, &text));
          if (item.value.is_number() || item.value.is_bool()) {
            array.Raw(text);
          } else {
            array.String(text);
          }
        }
        array.EndArray();
        return Status::Ok();
      }
      case ValueKind::kRecord:
      case ValueKind::kLabels:
        return At(where, "facts.task",
                  "argument `" + field.name + "`: a task takes values and sets of values");
      default:
        break;
    }
    if (field.value.is_object())
      return At(where, "facts.task", "argument `" + field.name + "`: write it as one text");
    out->assign(field.value.text);
    return Status::Ok();
  }

  Status ReadTask(const FactsInput::Task& t) {
    Result<TaskRecord> record = TaskOf(t);
    if (!record.ok()) return record.error();
    if (store_->FindTask(record->id) != nullptr)
      return At(t.where, "facts.task", "a task `" + t.id + "` is open already");
    tasks_.push_back({&t, record.take()});
    return Status::Ok();
  }

 public:
  // Looks at nothing but the snapshot.
  Result<TaskRecord> TaskOf(const FactsInput::Task& t) const {
    uint32_t s = Find(StatementKind::kTask, t.shape);
    if (s == kNone) return At(t.where, "facts.task", "no task is declared as `" + t.shape + "`");
    const Task& shape = program_.tasks[program_.statements[s].detail];
    bool by_person = !t.deputy.empty();
    uint32_t agent = by_person ? kNone : snapshot_.FindAgent(t.agent);
    if (by_person) {
      DPL_RETURN_IF_ERROR(KnownPerson(t.deputy, t.where));
      if (!shape.agents.empty())
        return At(t.where, "facts.task",
                  "the task `" + t.shape + "` is for agents, not for people");
    } else if (agent == kNone) {
      return At(t.where, "facts.agent", "no agent is called `" + t.agent + "`");
    }
    if (!by_person && !shape.agents.empty() &&
        std::find(shape.agents.begin(), shape.agents.end(), agent) == shape.agents.end()) {
      return At(t.where, "facts.agent",
                "the task `" + t.shape + "` is not for agent `" + t.agent + "`");
    }
    if (!t.person.empty()) DPL_RETURN_IF_ERROR(KnownPerson(t.person, t.where));
    if (t.id.empty()) return At(t.where, "facts.task", "a task needs an id");
    TaskRecord record;
    record.id = t.id;
    record.shape = std::string(program_.Text(program_.statements[s].name));
    record.agent = by_person ? "person:" + t.deputy
                             : std::string(program_.Text(
                                   program_.statements[program_.agent_statements[agent]].name));
    record.person = t.person;
    record.opened = t.opened.value_or(now_);
    Instant latest = shape.lasts_us == 0
                         ? kMaxInstant
                         : Add(record.opened, Duration{shape.lasts_us}).value_or(kMaxInstant);
    record.expires =
        std::min(t.expires.value_or(latest), latest);  // never longer than the shape allows
    for (const TaskParam& p : shape.params) {
      std::string_view name = program_.Text(p.name);
      auto field = std::find_if(t.args.begin(), t.args.end(),
                                [&](const FactsInput::Field& f) { return f.name == name; });
      if (field == t.args.end()) {
        return At(t.where, "facts.task",
                  "the task `" + t.id + "` has no argument `" + std::string(name) + "`");
      }
      std::string text;
      DPL_RETURN_IF_ERROR(ArgumentText(*field, t.where, p.type, &text));
      record.args.emplace_back(name, std::move(text));
    }
    for (const FactsInput::Field& f : t.args) {
      bool known = std::any_of(shape.params.begin(), shape.params.end(),
                               [&](const TaskParam& p) { return program_.Text(p.name) == f.name; });
      if (!known)
        return At(t.where, "facts.task",
                  "the task `" + t.shape + "` has no parameter `" + f.name + "`");
    }
    return record;
  }

 private:
  Status ReadHandoff(const FactsInput::Handoff& h) {
    if (!h.parent_person.empty()) DPL_RETURN_IF_ERROR(KnownPerson(h.parent_person, h.where));
    for (const std::string* name : {&h.parent_agent, &h.child_agent}) {
      if (name == &h.parent_agent && !h.parent_person.empty()) continue;
      if (snapshot_.FindAgent(*name) == kNone)
        return At(h.where, "facts.agent", "no agent is called `" + *name + "`");
    }
    return Status::Ok();
  }

  std::string_view AgentName(std::string_view name) const {
    return program_.Text(
        program_.statements[program_.agent_statements[snapshot_.FindAgent(name)]].name);
  }

  // A limit by its own name (`acme.spend.band_one.amount`), or by its statement when just one limit
  // of that statement counts.
  uint32_t FindLimit(std::string_view name) const {
    uint32_t counting = kNone, other = kNone;
    bool exact = false;
    for (uint32_t i = 0; i < program_.limits.size(); ++i) {
      const Limit& limit = program_.limits[i];
      std::string_view own = program_.Text(limit.name);
      std::string_view statement = program_.Text(program_.statements[limit.statement].name);
      if (!Fits(own, name) && !Fits(statement, name)) continue;
      if (limit.no_limit || limit.period == LimitPeriod::kEach) {
        other = i;
        continue;
      }
      if (counting != kNone && exact == (own == name)) return kNone;  // two of them
      if (counting == kNone || own == name) counting = i, exact = own == name;
    }
    return counting != kNone ? counting : other;
  }
  static bool Fits(std::string_view full, std::string_view name) {
    return full == name || (full.size() > name.size() && full.ends_with(name) &&
                            full[full.size() - name.size() - 1] == '.');
  }

  Status ReadUsed(const FactsInput::Used& u) {
    uint32_t index = FindLimit(u.limit);
    if (index == kNone)
      return At(u.where, "facts.limit", "no single limit is called `" + u.limit + "`");
    const Limit& limit = program_.limits[index];
    if (limit.no_limit || limit.period == LimitPeriod::kEach) {
      return At(u.where, "facts.limit",
                "`" + u.limit + "` counts nothing, so nothing can be used of it");
    }
    Seed seed;
    Result<Value> q = Quantity(limit, u);
    if (!q.ok()) return q.error();
    if (q->i < 0) return At(u.where, "facts.limit", "a quantity used is not below zero");
    seed.quantity = q->i;
    BeginCounterName(&seed.name, program_.Text(limit.identity));
    bool person = false;
    for (const LimitKeyPart& key : limit.keys) {
      if (key.kind != KeyPartKind::kPerson) {
        return At(u.where, "facts.limit",
                  "`" + u.limit + "` is counted for each " + std::string(program_.Text(key.name)) +
                      ", which cannot be named here");
      }
      if (u.person.empty())
        return At(u.where, "facts.limit",
                  "`" + u.limit + "` is counted for each person: say for whom");
      DPL_RETURN_IF_ERROR(KnownPerson(u.person, u.where));
      AppendCounterPart(&seed.name, 'p', u.person);
      person = true;
    }
    if (!u.person.empty() && !person)
      return At(u.where, "facts.limit", "`" + u.limit + "` is not counted for each person");
    AppendCounterUnit(&seed.name, *q);
    seed.key = WindowOfLimit(limit, program_.schema, std::max(now_, store_->HighTime()));
    used_.push_back(std::move(seed));
    return Status::Ok();
  }

  // The type of the measure, from any action that has it.
  Result<Value> Quantity(const Limit& limit, const FactsInput::Used& u) const {
    Arena* arena = input_.arena.get();
    Arena own;
    if (limit.requests) {
      if (u.quantity.is_number()) {
        if (Result<int64_t> n = ParseInt(u.quantity.text); n.ok())
          return Value::Int(ValueKind::kInt, *n);
      }
      return At(u.where, "facts.limit", "a number of requests is a whole number");
    }
    for (const ResourceDef& resource : program_.schema.resources) {
      for (const ActionDef& action : resource.actions) {
        for (const ParamDef& p : action.params) {
          if (p.name != limit.measure) continue;
          Result<Value> v =
              snapshot_.TypeValue(u.quantity, p.type, arena == nullptr ? &own : arena);
          if (!v.ok()) return At(u.where, "facts.limit", v.error().message);
          return v;
        }
      }
    }
    return At(u.where, "facts.limit", "no action has the measure of `" + u.limit + "`");
  }

  Status Write() {
    for (const auto& c : consents_)
      store_->GiveConsent(program_.Text(program_.statements[c.statement].name), c.from->person,
                          c.record);
    for (const auto& t : tasks_) {
      Status s = store_->OpenTask(t.record);
      if (!s.ok()) return At(t.from->where, "facts.task", s.error().message);
    }
    for (const FactsInput::Handoff& h : input_.handoffs) {
      std::string parent = h.parent_person.empty() ? std::string(AgentName(h.parent_agent))
                                                   : "person:" + h.parent_person;
      Status s = store_->RecordHandoff(parent, h.parent_instance, AgentName(h.child_agent),
                                       h.child_instance, h.task);
      if (!s.ok()) return At(h.where, "facts.handoff", s.error().message);
    }
    for (Seed& seed : used_) {
      seed.key.identity = seed.name;
      store_->SetUsed(seed.key, seed.quantity, now_);
    }
    return Status::Ok();
  }

  struct ConsentSeed {
    uint32_t statement;
    const FactsInput::Consent* from;
    ConsentRecord record;
  };
  struct TaskSeed {
    const FactsInput::Task* from;
    TaskRecord record;
  };
  struct Seed {
    std::string name;
    CounterKey key;
    int64_t quantity = 0;
  };

  const Snapshot& snapshot_;
  const Program& program_;
  const FactsInput& input_;
  StateStore* store_;
  Instant now_;
  std::vector<ConsentSeed> consents_;
  std::vector<TaskSeed> tasks_;
  std::vector<Seed> used_;
};

}  // namespace

Result<TaskRecord> ReadTaskRecord(const Snapshot& snapshot, const FactsInput::Task& task,
                                  Instant now) {
  return Seeder(snapshot, FactsInput(), nullptr, now).TaskOf(task);
}

Status SeedState(const Snapshot& snapshot, const FactsInput& input, StateStore* store,
                 Instant now) {
  return Seeder(snapshot, input, store, now).Run();
}

}  // namespace dpl
