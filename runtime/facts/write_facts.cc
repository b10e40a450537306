// One function per section, in the order of json_facts.cc.
#include "runtime/facts/write_facts.h"

#include "runtime/json/json_writer.h"

namespace dpl {
namespace {

void WriteFields(std::string_view name, const std::vector<FactsInput::Field>& fields,
                 JsonWriter* w) {
  if (fields.empty()) return;
  w->Key(name).BeginObject();
  for (const FactsInput::Field& field : fields) {
    w->Key(field.name).Wire(field.value);
  }
  w->EndObject();
}

void TimeMember(std::string_view name, const std::optional<Instant>& at, JsonWriter* w) {
  if (at) w->Member(name, FormatInstant(*at));
}

void TextMember(std::string_view name, const std::string& text, JsonWriter* w) {
  if (!text.empty()) w->Member(name, text);
}

void WriteReference(std::string_view name, const std::string& type, const std::string& id,
                    JsonWriter* w) {
  if (id.empty()) return;
  w->Key(name);
  if (type.empty()) {
    w->String(id);
  } else {
    w->BeginObject().Member("type", type).Member("id", id).EndObject();
  }
}

void WriteMembers(const std::vector<FactsInput::Member>& members, JsonWriter* w) {
  w->BeginArray();
  for (const FactsInput::Member& member : members) {
    if (!member.is_team && !member.until) {
      w->String(member.id);
      continue;
    }
    w->BeginObject().Member(member.is_team ? "team" : "person", member.id);
    TimeMember("until", member.until, w);
    w->EndObject();
  }
  w->EndArray();
}

void WritePersons(const FactsInput& facts, JsonWriter* w) {
  w->Key("persons").BeginArray();
  for (const FactsInput::Person& person : facts.persons) {
    w->BeginObject().Member("id", person.id).Member("status", person.status);
    TimeMember("left", person.left, w);
    WriteFields("attributes", person.fields, w);
    w->EndObject();
  }
  w->EndArray();
}

// A team may have several lists while it is changed, but a name stands once in an object: all but
// the first of them are empty then.
void WriteGroups(const FactsInput& facts, JsonWriter* w) {
  w->Key("teams").BeginObject();
  std::vector<std::string_view> written;
  for (const FactsInput::Members& group : facts.members) {
    if (group.is_role) continue;
    bool again = false;
    for (std::string_view name : written) again |= name == group.name;
    if (again) continue;
    written.push_back(group.name);
    w->Key(group.name);
    WriteMembers(group.members, w);
  }
  w->EndObject().Key("roles").BeginArray();
  for (const FactsInput::Members& group : facts.members) {
    if (!group.is_role) continue;
    w->BeginObject().Member("role", group.name);
    WriteReference("in", group.scope_type, group.scope_id, w);
    w->Key("members");
    WriteMembers(group.members, w);
    w->EndObject();
  }
  w->EndArray();
}

void WriteAccounts(const FactsInput& facts, JsonWriter* w) {
  w->Key("accounts").BeginArray();
  for (const FactsInput::Account& account : facts.accounts) {
    w->BeginObject().Member("system", account.system).Member("key", account.key);
    w->Member("person", account.person).Member("checked", FormatInstant(account.checked));
    TextMember("evidence", account.evidence, w);
    w->EndObject();
  }
  w->EndArray();
}

void WriteResources(const FactsInput& facts, JsonWriter* w) {
  w->Key("resources").BeginArray();
  for (const FactsInput::Resource& resource : facts.resources) {
    w->BeginObject().Member("type", resource.type).Member("id", resource.id);
    WriteReference("parent", resource.parent_type, resource.parent_id, w);
    WriteFields("attributes", resource.fields, w);
    w->EndObject();
  }
  w->EndArray();
}

void WriteSeeds(const FactsInput& facts, JsonWriter* w) {
  w->Key("consents").BeginArray();
  for (const FactsInput::Consent& consent : facts.consents) {
    std::string at = FormatInstant(consent.at);
    if (consent.whole_day) at.resize(10);  // the day alone
    w->BeginObject().Member("delegation", consent.delegation).Member("person", consent.person);
    w->Member("at", at).EndObject();
  }
  w->EndArray().Key("tasks").BeginArray();
  for (const FactsInput::Task& task : facts.tasks) {
    w->BeginObject().Member("id", task.id).Member("shape", task.shape);
    TextMember("agent", task.agent, w);
    TextMember("deputy", task.deputy, w);
    TextMember("person", task.person, w);
    WriteFields("args", task.args, w);
    TimeMember("opened", task.opened, w);
    TimeMember("expires", task.expires, w);
    w->EndObject();
  }
  w->EndArray().Key("handoffs").BeginArray();
  for (const FactsInput::Handoff& handoff : facts.handoffs) {
    w->BeginObject().Key("from").BeginObject();
    if (handoff.parent_person.empty()) {
      w->Member("agent", handoff.parent_agent).Member("instance", handoff.parent_instance);
    } else {
      w->Member("person", handoff.parent_person);
    }
    w->EndObject().Key("to").BeginObject().Member("agent", handoff.child_agent);
    w->Member("instance", handoff.child_instance).EndObject();
    TextMember("task", handoff.task, w);
    w->EndObject();
  }
  w->EndArray().Key("used").BeginArray();
  for (const FactsInput::Used& used : facts.used) {
    w->BeginObject().Member("limit", used.limit).Key("quantity").Wire(used.quantity);
    TextMember("person", used.person, w);
    w->EndObject();
  }
  w->EndArray();
}

}  // namespace

void AppendFactsJson(std::string* out, const FactsInput& facts) {
  JsonWriter w(out);
  w.BeginObject().Member("version", facts.version);
  TimeMember("as_of", facts.as_of, &w);
  if (facts.has_persons) WritePersons(facts, &w);
  if (facts.has_memberships) WriteGroups(facts, &w);
  if (facts.has_accounts) WriteAccounts(facts, &w);
  if (facts.has_resources) WriteResources(facts, &w);
  WriteSeeds(facts, &w);
  w.EndObject();
}

}  // namespace dpl
