// dplc facts: the `data` blocks of a policy set as a facts file. The bundle never holds them.
#include <algorithm>
#include <iterator>
#include <memory>

#include "compiler/dplc/commands.h"
#include "compiler/dplc/report.h"
#include "compiler/testing/compile.h"
#include "compiler/testing/world.h"
#include "runtime/base/clock.h"
#include "runtime/facts/json_facts.h"
#include "runtime/json/json_writer.h"
#include "runtime/state/memory_store.h"
#include "runtime/state/seed.h"

namespace dpl::dplc {
namespace {

class FactsWriter {
 public:
  explicit FactsWriter(std::string* out) : w_(out, 2) {}

  void Write(const FactsInput& facts) {
    w_.BeginObject();
    Persons(facts);
    Members(facts);
    Accounts(facts);
    Resources(facts);
    Consents(facts);
    Tasks(facts);
    Used(facts);
    w_.EndObject();
  }

 private:
  template <class T, class One>
  void List(std::string_view name, const std::vector<T>& items, One one) {
    if (items.empty()) return;
    w_.Key(name).BeginArray();
    for (const T& item : items) {
      w_.BeginObject();
      one(item);
      w_.EndObject();
    }
    w_.EndArray();
  }
  void Text(std::string_view name, std::string_view value) {
    if (!value.empty()) w_.Member(name, value);
  }
  void Time(std::string_view name, const std::optional<Instant>& at) {
    if (!at) return;
    std::string text;
    AppendInstant(&text, *at);
    w_.Member(name, text);
  }
  void Value(const WireValue& v) {
    if (v.is_string()) {
      w_.String(v.text);
    } else if (v.is_number()) {
      w_.Raw(v.text);
    } else if (v.is_bool()) {
      w_.Bool(v.boolean);
    } else if (v.is_array()) {
      w_.BeginArray();
      for (uint32_t i = 0; i < v.count; ++i) Value(v.items[i]);
      w_.EndArray();
    } else if (v.is_object()) {
      w_.BeginObject();
      for (uint32_t i = 0; i < v.count; ++i) {
        w_.Key(v.members[i].name);
        Value(v.members[i].value);
      }
      w_.EndObject();
    } else {
      w_.Null();
    }
  }
  void Fields(std::string_view name, const std::vector<FactsInput::Field>& fields) {
    if (fields.empty()) return;
    w_.Key(name).BeginObject();
    for (const FactsInput::Field& field : fields) {
      w_.Key(field.name);
      Value(field.value);
    }
    w_.EndObject();
  }

  void Persons(const FactsInput& facts) {
    List("persons", facts.persons, [&](const FactsInput::Person& p) {
      w_.Member("id", p.id);
      if (p.status != "active") w_.Member("status", p.status);
      Time("left", p.left);
      Fields("attributes", p.fields);
    });
  }

  void MemberList(const FactsInput::Members& group) {
    for (const FactsInput::Member& m : group.members) {
      if (!m.is_team && !m.until) {
        w_.String(m.id);
        continue;
      }
      w_.BeginObject();
      w_.Member(m.is_team ? "team" : "person", m.id);
      Time("until", m.until);
      w_.EndObject();
    }
  }

  // One list for each team, however many lines name it.
  void Members(const FactsInput& facts) {
    std::vector<std::string_view> teams;
    for (const FactsInput::Members& group : facts.members) {
      if (!group.is_role && std::find(teams.begin(), teams.end(), group.name) == teams.end())
        teams.push_back(group.name);
    }
    w_.Key("teams").BeginObject();
    for (std::string_view team : teams) {
      w_.Key(team).BeginArray();
      for (const FactsInput::Members& group : facts.members) {
        if (!group.is_role && group.name == team) MemberList(group);
      }
      w_.EndArray();
    }
    w_.EndObject();
    w_.Key("roles").BeginArray();
    for (const FactsInput::Members& group : facts.members) {
      if (!group.is_role) continue;
      w_.BeginObject();
      w_.Member("role", group.name);
      if (!group.scope_type.empty()) {
        w_.Key("in").BeginObject();
        w_.Member("type", group.scope_type).Member("id", group.scope_id);
        w_.EndObject();
      }
      w_.Key("members").BeginArray();
      MemberList(group);
      w_.EndArray();
      w_.EndObject();
    }
    w_.EndArray();
  }

  void Accounts(const FactsInput& facts) {
    List("accounts", facts.accounts, [&](const FactsInput::Account& a) {
      w_.Member("system", a.system).Member("key", a.key).Member("person", a.person);
      Time("checked", a.checked);
    });
  }

  void Resources(const FactsInput& facts) {
    List("resources", facts.resources, [&](const FactsInput::Resource& r) {
      w_.Member("type", r.type).Member("id", r.id);
      if (!r.parent_id.empty()) {
        w_.Key("parent").BeginObject();
        w_.Member("type", r.parent_type).Member("id", r.parent_id);
        w_.EndObject();
      }
      Fields("attributes", r.fields);
    });
  }

  void Consents(const FactsInput& facts) {
    List("consents", facts.consents, [&](const FactsInput::Consent& c) {
      w_.Member("delegation", c.delegation).Member("person", c.person);
      // A consent of a day counts from that day's end.
      Instant at = c.at;
      if (c.whole_day) at = Add(at, Duration{kMicrosPerDay}).value_or(kMaxInstant);
      Time("at", at);
    });
  }

  void Tasks(const FactsInput& facts) {
    List("tasks", facts.tasks, [&](const FactsInput::Task& t) {
      w_.Member("id", t.id).Member("shape", t.shape);
      Text("agent", t.agent);
      Text("deputy", t.deputy);
      Text("person", t.person);
      Fields("args", t.args);
      Time("expires", t.expires);
    });
  }

  void Used(const FactsInput& facts) {
    List("used", facts.used, [&](const FactsInput::Used& u) {
      w_.Member("limit", u.limit);
      w_.Key("quantity");
      Value(u.quantity);
      Text("person", u.person);
    });
  }

  JsonWriter w_;
};

uint32_t PackageOf(const Program& program, std::string_view name) {
  for (uint32_t i = 0; i < program.schema.packages.size(); ++i) {
    if (program.Text(program.schema.packages[i].name) == name) return i;
  }
  return kNone;
}

template <class T>
void Join(std::vector<T>* to, std::vector<T>&& from) {
  std::move(from.begin(), from.end(), std::back_inserter(*to));
}

// A person or thing that several packages describe is written once; the first says most of it.
void JoinPersons(std::vector<FactsInput::Person>* to, std::vector<FactsInput::Person>&& from) {
  for (FactsInput::Person& person : from) {
    auto same = std::find_if(to->begin(), to->end(),
                             [&](const FactsInput::Person& have) { return have.id == person.id; });
    if (same == to->end()) {
      to->push_back(std::move(person));
      continue;
    }
    if (person.status != "active") same->status = person.status;
    if (person.left) same->left = person.left;
    for (FactsInput::Field& field : person.fields) {
      bool there = std::any_of(same->fields.begin(), same->fields.end(),
                               [&](const FactsInput::Field& f) { return f.name == field.name; });
      if (!there) same->fields.push_back(std::move(field));
    }
  }
}

}  // namespace

int RunFacts(const FactsArgs& args) {
  testing::Compilation c;
  if (Status s = testing::LoadSources(args.common.paths, &c.sources); !s.ok())
    return UsageError(s.error());
  testing::Compile({}, &c);
  int code = Report(args.common, c);
  if (code != kOk) return code;

  FactsInput all;
  std::vector<std::unique_ptr<testing::World>> worlds;  // own the values
  size_t blocks = 0;
  for (const auto& file : c.files) {
    std::vector<const ast::DataDecl*> data;
    for (const auto& decl : file->decls) {
      if (decl->kind == ast::DeclKind::kData)
        data.push_back(static_cast<const ast::DataDecl*>(decl.get()));
    }
    blocks += data.size();
    if (data.empty()) continue;
    worlds.push_back(
        std::make_unique<testing::World>(c.program, PackageOf(*c.program, file->package.text)));
    Result<FactsInput> facts = worlds.back()->Collect(data);
    if (!facts.ok()) {
      Err(c.sources[file->file_id].path() + ":" + std::to_string(facts.error().line) + ":" +
          std::to_string(facts.error().column) + ": error: " + facts.error().message + "\n");
      return kFindings;
    }
    JoinPersons(&all.persons, std::move(facts->persons));
    Join(&all.members, std::move(facts->members));
    Join(&all.accounts, std::move(facts->accounts));
    Join(&all.resources, std::move(facts->resources));
    Join(&all.consents, std::move(facts->consents));
    Join(&all.tasks, std::move(facts->tasks));
    Join(&all.used, std::move(facts->used));
  }
  if (blocks == 0) {
    Err("dplc: there is no `data` block in these files\n");
    return kFindings;
  }
  std::string text;
  FactsWriter(&text).Write(all);
  text += "\n";

  // What is written must be what a server will load.
  Instant now = SystemClock().Now();
  Result<FactsInput> back = ReadFactsJson(text, "facts");
  if (!back.ok()) {
    Err("dplc: internal fault: the facts cannot be read back: " + back.error().message + "\n");
    return kInternal;
  }
  Result<std::unique_ptr<Snapshot>> snapshot = Snapshot::Build(c.program, *back, now);
  Status seeded = Status::Ok();
  MemoryStore store;
  if (snapshot.ok()) seeded = SeedState(**snapshot, *back, &store, now);
  if (!snapshot.ok() || !seeded.ok()) {
    Err("dplc: these facts would not load: " +
        (snapshot.ok() ? seeded.error().message : snapshot.error().message) + "\n");
    return kFindings;
  }
  if (args.output.empty() || args.output == "-") {
    Out(text);
    return kOk;
  }
  if (Status s = WriteWhole(args.output, text); !s.ok()) return UsageError(s.error());
  if (!args.common.quiet)
    Err(args.output + ": " + std::to_string(all.persons.size()) + " persons, " +
        std::to_string(all.resources.size()) + " resources\n");
  return kOk;
}

}  // namespace dpl::dplc
