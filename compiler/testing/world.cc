// The world of one test row; see world.h.
#include "compiler/testing/world.h"

#include <algorithm>
#include <utility>

#include "runtime/state/seed.h"

namespace dpl::testing {
namespace {

Error At(const Span& span, std::string message) {
  return Error{"test.given", std::move(message), span.line, span.column};
}

Error Located(Error error, const Span& span) {
  if (error.line == 0) {
    error.line = span.line;
    error.column = span.column;
  }
  return error;
}

FactsInput::Where WhereOf(const Span& span) { return {span.line, span.column}; }

bool LooksLikeDateTime(std::string_view text) { return text.find('T') != std::string_view::npos; }

}  // namespace

World::World(std::shared_ptr<const Program> program, uint32_t package)
    : program_(std::move(program)),
      package_(package),
      arena_(std::make_shared<Arena>()),
      store_(std::make_unique<MemoryStore>()) {
  input_.name = "given";
  input_.arena = arena_;
  AddNamedPersons();
}

const ZoneTable& World::zone() const {
  uint32_t zone = program_->schema.packages[package_].zone;
  return program_->schema.zones[zone == kNone ? 0 : zone];
}

// Whoever policy names is an active person unless the test says otherwise.
void World::AddNamedPersons() {
  for (const Constant& c : program_->constants) {
    if (c.kind == Constant::Kind::kPerson) PersonNamed(c.text);
  }
}

FactsInput::Person& World::PersonNamed(const std::string& id) {
  for (FactsInput::Person& p : input_.persons) {
    if (p.id == id) return p;
  }
  FactsInput::Person person;
  person.id = id;
  input_.persons.push_back(std::move(person));
  return input_.persons.back();
}

uint32_t World::FindStatement(StatementKind kind, std::string_view name) const {
  std::string own = std::string(program_->Text(program_->schema.packages[package_].name)) + "." +
                    std::string(name);
  uint32_t only = kNone;
  int ends = 0;
  for (uint32_t i = 0; i < program_->statements.size(); ++i) {
    const Statement& s = program_->statements[i];
    if (s.kind != kind) continue;
    std::string_view full = program_->Text(s.name);
    if (full == name || full == own) return i;
    if (full.size() > name.size() + 1 && full.ends_with(name) &&
        full[full.size() - name.size() - 1] == '.') {
      only = i;
      ++ends;
    }
  }
  return ends == 1 ? only : kNone;
}

std::string World::QualifiedStatement(StatementKind kind, std::string_view name) const {
  uint32_t i = FindStatement(kind, name);
  return i == kNone ? std::string(name) : std::string(program_->Text(program_->statements[i].name));
}

std::string World::QualifiedGroup(bool is_role, const std::string& name) const {
  const Schema& schema = program_->schema;
  std::string own = std::string(program_->Text(schema.packages[package_].name)) + "." + name;
  auto named_so = [&](const auto& group) { return program_->Text(group.name) == own; };
  bool there = is_role ? std::any_of(schema.roles.begin(), schema.roles.end(), named_so)
                       : std::any_of(schema.teams.begin(), schema.teams.end(), named_so);
  return there ? own : name;
}

Result<Instant> World::ReadDay(const ast::Literal& literal, bool end_of_day) const {
  if (LooksLikeDateTime(literal.text)) return ParseInstant(literal.text);
  Result<Date> date = ParseDate(literal.text);
  if (!date.ok()) return date.error();
  return end_of_day ? zone().EndOfDay(*date) : zone().LocalMidnight(*date);
}

Status World::SetTime(const ast::Step& step) {
  Result<Instant> t = ReadDay(step.literal, false);
  if (!t.ok()) return Located(t.error(), step.span);
  now_ = *t;
  has_time_ = true;
  return snapshot_ == nullptr ? Status::Ok() : Rebuild();  // facts are fresh at the new time
}

Status World::Advance(const ast::Step& step) {
  Result<Duration> d = ParseDuration(step.literal.text);
  if (!d.ok()) return Located(d.error(), step.span);
  std::optional<Instant> t = Add(now_, *d);
  if (!t) return At(step.span, "time runs past the year 9999");
  now_ = *t;
  return snapshot_ == nullptr ? Status::Ok() : Rebuild();
}

Status World::Ready() { return snapshot_ == nullptr ? Rebuild() : Status::Ok(); }

Status World::Rebuild() {
  Result<std::unique_ptr<Snapshot>> built = Snapshot::Build(program_, input_, now_);
  if (!built.ok()) return built.error();
  snapshot_ = built.take();
  return Status::Ok();
}

Status World::Given(const std::vector<ast::Datum>& data, const Columns& columns) {
  FactsInput seeds;  // consents, tasks, used: put into the state once, against the new snapshot
  seeds.name = "given";
  seeds.arena = arena_;
  for (const ast::Datum& d : data) DPL_RETURN_IF_ERROR(AddDatum(d, columns, &seeds));
  DPL_RETURN_IF_ERROR(Rebuild());
  return SeedState(*snapshot_, seeds, store_.get(), now_);
}

Result<FactsInput> World::Collect(const std::vector<const ast::DataDecl*>& data) {
  FactsInput seeds;
  for (const ast::DataDecl* block : data) {
    for (const ast::Datum& d : block->data) DPL_RETURN_IF_ERROR(AddDatum(d, {}, &seeds));
  }
  FactsInput all = input_;
  std::erase_if(all.persons,
                [&](const FactsInput::Person& p) { return !mentioned_.contains(p.id); });
  all.consents = std::move(seeds.consents);
  all.tasks = std::move(seeds.tasks);
  for (FactsInput::Task& task : all.tasks) task.opened.reset();  // when it is loaded
  all.used = std::move(seeds.used);
  return all;
}

// Whoever a value names is an active person too.
void World::PresumePersons(const ast::Expr& value) {
  if (value.kind == ast::ExprKind::kEntity && value.text == "person") PersonNamed(value.text2);
  for (const ast::ExprPtr& arg : value.args) {
    if (arg != nullptr) PresumePersons(*arg);
  }
}

Status World::AddDatum(const ast::Datum& d, const Columns& columns, FactsInput* seeds) {
  using Kind = ast::Datum::Kind;
  auto set_field = [&](const ast::FieldInit& f, std::vector<FactsInput::Field>* out) -> Status {
    Result<WireValue> v = ToWire(*f.value, columns, arena_.get());
    if (!v.ok()) return v.error();
    auto same = std::find_if(out->begin(), out->end(), [&](const FactsInput::Field& have) {
      return have.name == f.name.text;
    });
    if (same != out->end()) {
      same->value = *v;
    } else {
      out->push_back({f.name.text, *v});
    }
    return Status::Ok();
  };
  auto fields_of = [&](const std::vector<ast::FieldInit>& inits,
                       std::vector<FactsInput::Field>* out) -> Status {
    for (const ast::FieldInit& f : inits) DPL_RETURN_IF_ERROR(set_field(f, out));
    return Status::Ok();
  };
  auto mention = [&](const std::string& id) {
    mentioned_.insert(id);
    PersonNamed(id);
  };
  for (const std::vector<ast::FieldInit>* fields : {&d.fields, &d.args}) {
    for (const ast::FieldInit& f : *fields) PresumePersons(*f.value);
  }
  switch (d.kind) {
    case Kind::kPerson: {
      mention(d.id.value);
      FactsInput::Person& person = PersonNamed(d.id.value);
      person.where = WhereOf(d.span);
      for (const ast::FieldInit& f : d.fields) {
        if (f.name.text == "status" || f.name.text == "left") {
          Result<WireValue> v = ToWire(*f.value, columns, arena_.get());
          if (!v.ok()) return v.error();
          if (f.name.text == "status") {
            person.status = std::string(v->text);
          } else {
            ast::Literal day;
            day.text = std::string(v->text);
            Result<Instant> left = ReadDay(day, false);
            if (!left.ok()) return Located(left.error(), f.span);
            person.left = *left;
          }
          continue;
        }
        DPL_RETURN_IF_ERROR(set_field(f, &person.fields));
      }
      return Status::Ok();
    }
    case Kind::kMembers: {
      FactsInput::Members m;
      m.is_role = d.is_role;
      m.name = QualifiedGroup(d.is_role, d.name.text);
      m.scope_type = d.scope_type.text;
      m.scope_id = d.scope_id.value;
      m.where = WhereOf(d.span);
      for (const ast::Datum::Member& member : d.members) {
        FactsInput::Member out;
        out.is_team = member.is_team;
        out.id = member.is_team ? QualifiedGroup(false, member.team.text) : member.person.value;
        out.where = WhereOf(member.span);
        if (d.until.present) {
          Result<Instant> until = ReadDay(d.until, true);
          if (!until.ok()) return Located(until.error(), d.until.span);
          out.until = *until;
        }
        if (!member.is_team) mention(out.id);
        m.members.push_back(std::move(out));
      }
      input_.members.push_back(std::move(m));
      return Status::Ok();
    }
    case Kind::kAccount: {
      FactsInput::Account a;
      a.key = d.id.value;
      a.system = d.name.text;
      a.person = d.person.value;
      a.where = WhereOf(d.span);
      Result<Instant> checked = ReadDay(d.date, false);
      if (!checked.ok()) return Located(checked.error(), d.span);
      a.checked = *checked;
      mention(a.person);
      auto same = std::find_if(
          input_.accounts.begin(), input_.accounts.end(), [&](const FactsInput::Account& have) {
            return have.system == a.system && have.key == a.key && have.person == a.person;
          });
      if (same != input_.accounts.end()) {
        *same = std::move(a);
      } else {
        input_.accounts.push_back(std::move(a));
      }
      return Status::Ok();
    }
    case Kind::kEntity: {
      auto same = std::find_if(input_.resources.begin(), input_.resources.end(),
                               [&](const FactsInput::Resource& have) {
                                 return have.type == d.name.text && have.id == d.id.value;
                               });
      FactsInput::Resource fresh;
      FactsInput::Resource& r = same != input_.resources.end() ? *same : fresh;
      r.type = d.name.text;
      r.id = d.id.value;
      r.where = WhereOf(d.span);
      if (!d.parent_type.empty()) {
        r.parent_type = d.parent_type.text;
        r.parent_id = d.parent_id.value;
      }
      DPL_RETURN_IF_ERROR(fields_of(d.fields, &r.fields));
      if (same == input_.resources.end()) input_.resources.push_back(std::move(fresh));
      return Status::Ok();
    }
    case Kind::kTask: {
      FactsInput::Task t;
      t.id = d.task_name.text;
      t.shape = QualifiedStatement(StatementKind::kTask, d.name.text);
      if (d.by_person.present) {
        t.deputy = d.by_person.value;
        mention(t.deputy);
      } else {
        t.agent = QualifiedStatement(StatementKind::kAgent, d.agent.text);
      }
      t.person = d.person.value;
      t.where = WhereOf(d.span);
      t.opened = now_;
      DPL_RETURN_IF_ERROR(fields_of(d.args, &t.args));
      if (d.expires.present) {
        Result<Instant> expires = ReadDay(d.expires, true);
        if (!expires.ok()) return Located(expires.error(), d.expires.span);
        t.expires = *expires;
      }
      if (!t.person.empty()) mention(t.person);
      seeds->tasks.push_back(std::move(t));
      return Status::Ok();
    }
    case Kind::kConsent: {
      FactsInput::Consent c;
      c.delegation = QualifiedStatement(StatementKind::kDelegation, d.name.text);
      c.person = d.person.value;
      c.whole_day = !LooksLikeDateTime(d.date.text);
      c.where = WhereOf(d.span);
      Result<Instant> at = ReadDay(d.date, false);
      if (!at.ok()) return Located(at.error(), d.span);
      c.at = *at;
      mention(c.person);
      seeds->consents.push_back(std::move(c));
      return Status::Ok();
    }
    case Kind::kUsed: {
      FactsInput::Used u;
      u.limit = d.name.text;
      if (uint32_t s = FindStatement(StatementKind::kLimit, d.name.text); s != kNone)
        u.limit = program_->Text(program_->statements[s].name);
      Result<WireValue> q = ToWire(*d.quantity, columns, arena_.get());
      if (!q.ok()) return Located(q.error(), d.span);
      u.quantity = *q;
      u.person = d.person.value;
      u.where = WhereOf(d.span);
      seeds->used.push_back(std::move(u));
      return Status::Ok();
    }
  }
  return At(d.span, "this kind of fact is not supported in a test");
}

Status World::PresumeEligible(uint32_t approval, const std::string& person) {
  if (mentioned_.contains(person)) return Status::Ok();
  PersonNamed(person);
  const Statement& s = program_->statements[program_->approval_statements[approval]];
  // The text of a `by` names its subjects: `role acme.spend.budget_holder, team acme.base.audit`.
  for (const Approval::By& by : program_->approvals[s.detail].by) {
    std::string_view text = program_->Text(by.text);
    while (!text.empty()) {
      size_t comma = text.find(", ");
      std::string_view one = text.substr(0, comma);
      text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 2);
      bool role = one.starts_with("role ");
      if (!role && !one.starts_with("team ")) continue;
      FactsInput::Members m;
      m.is_role = role;
      m.name = std::string(one.substr(5));
      FactsInput::Member member;
      member.id = person;
      m.members.push_back(member);
      input_.members.push_back(std::move(m));
    }
  }
  return Rebuild();
}

}  // namespace dpl::testing
