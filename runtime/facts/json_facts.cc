// One function per section; every complaint carries the place of the value it is about.
#include "runtime/facts/json_facts.h"

#include <initializer_list>
#include <memory>
#include <utility>

#include "runtime/base/sha256.h"
#include "runtime/base/text.h"
#include "runtime/facts/ids.h"
#include "runtime/facts/json_parts.h"
#include "runtime/json/json.h"

namespace dpl {
namespace facts_json {

Error ShapeError(const WireValue& at, std::string message) {
  return Error{"facts.shape", std::move(message), at.line, at.column};
}
Error Wrong(const WireValue& at, std::string_view what, std::string_view expected) {
  return ShapeError(at, std::string(what) + " is " + std::string(WireKindName(at.kind)) +
                            ", expected " + std::string(expected));
}
FactsInput::Where WhereOf(const WireValue& v) { return {v.line, v.column}; }

Status CheckObject(const WireValue& v, std::string_view what, Names names) {
  if (!v.is_object()) return Wrong(v, what, "an object");
  for (uint32_t i = 0; i < v.count; ++i) {
    std::string_view name = v.members[i].name;
    bool known = false;
    for (std::string_view each : names) known |= each == name;
    if (known) continue;
    return ShapeError(v.members[i].value,
                      std::string(what) + " has no member " + Quote(name) +
                          NearNameHint(name, std::vector<std::string_view>(names)));
  }
  return Status::Ok();
}

Status ReadText(const WireValue& object, std::string_view name, std::string_view what,
                bool required, std::string* out) {
  const WireValue* v = object.Find(name);
  if (v == nullptr) {
    if (!required) return Status::Ok();
    return ShapeError(object, std::string(what) + " has no " + Quote(name));
  }
  std::string where = Quote(name) + " of " + std::string(what);
  if (!v->is_string()) return Wrong(*v, where, "a text");
  if (required && v->text.empty()) return ShapeError(*v, where + " is empty");
  out->assign(v->text);
  return Status::Ok();
}

Result<Instant> TimeOfText(const WireValue& v, std::string_view what, Day day, bool* is_date) {
  if (!v.is_string()) return Wrong(v, what, "a date or a date and time as text");
  Result<Date> date = ParseDate(v.text);
  if (is_date != nullptr) *is_date = date.ok();
  if (date.ok()) {
    if (day == Day::kStart) return InstantAt(*date);
    std::optional<Date> next = AddDays(*date, 1);
    return next ? InstantAt(*next) : kMaxInstant;
  }
  Result<Instant> instant = ParseInstant(v.text);
  if (instant.ok()) return *instant;
  return Error{"facts.time",
               std::string(what) + " is " + Quote(v.text.substr(0, 40)) +
                   ", expected a date (\"2026-11-20\") or a date and time with its offset "
                   "(\"2026-11-20T15:00Z\")",
               v.line, v.column};
}

Status ReadTime(const WireValue& object, std::string_view name, std::string_view what, Day day,
                std::optional<Instant>* out) {
  const WireValue* v = object.Find(name);
  if (v == nullptr) return Status::Ok();
  Result<Instant> instant = TimeOfText(*v, Quote(name) + " of " + std::string(what), day);
  if (!instant.ok()) return instant.error();
  *out = *instant;
  return Status::Ok();
}

Status ReadReference(const WireValue& v, std::string_view what, std::string* type,
                     std::string* id) {
  if (v.is_null()) return Status::Ok();
  if (v.is_string()) {
    if (v.text.empty()) return ShapeError(v, std::string(what) + " is empty");
    id->assign(v.text);
    return Status::Ok();
  }
  if (!v.is_object()) return Wrong(v, what, "an id or {\"type\", \"id\"}");
  DPL_RETURN_IF_ERROR(CheckObject(v, what, {"type", "id"}));
  DPL_RETURN_IF_ERROR(ReadText(v, "type", what, true, type));
  return ReadText(v, "id", what, true, id);
}

Status ReadFields(const WireValue& object, std::string_view name, std::string_view what,
                  std::vector<FactsInput::Field>* out) {
  const WireValue* v = object.Find(name);
  if (v == nullptr) return Status::Ok();
  if (!v->is_object()) return Wrong(*v, Quote(name) + " of " + std::string(what), "an object");
  out->reserve(v->count);
  for (uint32_t i = 0; i < v->count; ++i) {
    out->push_back({std::string(v->members[i].name), v->members[i].value});
  }
  return Status::Ok();
}

// The items of a section that is an array.
Status CheckArray(const WireValue& v, std::string_view what) {
  return v.is_array() ? Status::Ok() : Status(Wrong(v, what, "an array"));
}

Status ReadPersons(const WireValue& section, FactsInput* out) {
  DPL_RETURN_IF_ERROR(CheckArray(section, "`persons`"));
  out->persons.reserve(section.count);
  for (uint32_t i = 0; i < section.count; ++i) {
    const WireValue& v = section.items[i];
    DPL_RETURN_IF_ERROR(CheckObject(v, "a person", {"id", "status", "left", "attributes"}));
    FactsInput::Person& person = out->persons.emplace_back();
    person.where = WhereOf(v);
    DPL_RETURN_IF_ERROR(ReadText(v, "id", "a person", true, &person.id));
    DPL_RETURN_IF_ERROR(ReadText(v, "status", "a person", false, &person.status));
    DPL_RETURN_IF_ERROR(ReadTime(v, "left", "a person", Day::kStart, &person.left));
    DPL_RETURN_IF_ERROR(ReadFields(v, "attributes", "a person", &person.fields));
  }
  return Status::Ok();
}

Status ReadMember(const WireValue& v, FactsInput::Member* member) {
  member->where = WhereOf(v);
  if (v.is_string()) {
    member->id.assign(v.text);
    return Status::Ok();
  }
  if (!v.is_object()) return Wrong(v, "a member", "a person's id, {\"person\"} or {\"team\"}");
  DPL_RETURN_IF_ERROR(CheckObject(v, "a member", {"person", "team", "until"}));
  member->is_team = v.Find("team") != nullptr;
  if (member->is_team == (v.Find("person") != nullptr)) {
    return ShapeError(v, "a member is either a \"person\" or a \"team\"");
  }
  DPL_RETURN_IF_ERROR(
      ReadText(v, member->is_team ? "team" : "person", "a member", true, &member->id));
  return ReadTime(v, "until", "a member", Day::kEnd, &member->until);
}

Status ReadMembers(const WireValue& list, std::string_view what,
                   std::vector<FactsInput::Member>* out) {
  DPL_RETURN_IF_ERROR(CheckArray(list, what));
  out->reserve(list.count);
  for (uint32_t i = 0; i < list.count; ++i) {
    const WireValue& v = list.items[i];
    DPL_RETURN_IF_ERROR(ReadMember(v, &out->emplace_back()));
  }
  return Status::Ok();
}

Status ReadTeams(const WireValue& section, FactsInput* out) {
  if (!section.is_object()) return Wrong(section, "`teams`", "an object of teams");
  for (uint32_t i = 0; i < section.count; ++i) {
    FactsInput::Members& members = out->members.emplace_back();
    members.where = WhereOf(section.members[i].value);
    members.name.assign(section.members[i].name);
    std::string what = "team " + Quote(members.name);
    DPL_RETURN_IF_ERROR(ReadMembers(section.members[i].value, what, &members.members));
  }
  return Status::Ok();
}

Status ReadRoles(const WireValue& section, FactsInput* out) {
  DPL_RETURN_IF_ERROR(CheckArray(section, "`roles`"));
  for (uint32_t i = 0; i < section.count; ++i) {
    const WireValue& v = section.items[i];
    DPL_RETURN_IF_ERROR(CheckObject(v, "a role", {"role", "in", "members"}));
    FactsInput::Members& members = out->members.emplace_back();
    members.is_role = true;
    members.where = WhereOf(v);
    DPL_RETURN_IF_ERROR(ReadText(v, "role", "a role", true, &members.name));
    if (const WireValue* in = v.Find("in")) {
      DPL_RETURN_IF_ERROR(
          ReadReference(*in, "\"in\" of a role", &members.scope_type, &members.scope_id));
    }
    const WireValue* list = v.Find("members");
    if (list == nullptr) return ShapeError(v, "a role has no \"members\"");
    DPL_RETURN_IF_ERROR(ReadMembers(*list, "\"members\" of a role", &members.members));
  }
  return Status::Ok();
}

Status ReadAccounts(const WireValue& section, FactsInput* out) {
  DPL_RETURN_IF_ERROR(CheckArray(section, "`accounts`"));
  out->accounts.reserve(section.count);
  for (uint32_t i = 0; i < section.count; ++i) {
    const WireValue& v = section.items[i];
    DPL_RETURN_IF_ERROR(
        CheckObject(v, "an account", {"system", "key", "person", "checked", "evidence"}));
    FactsInput::Account& account = out->accounts.emplace_back();
    account.where = WhereOf(v);
    DPL_RETURN_IF_ERROR(ReadText(v, "system", "an account", true, &account.system));
    DPL_RETURN_IF_ERROR(ReadText(v, "key", "an account", true, &account.key));
    DPL_RETURN_IF_ERROR(ReadText(v, "person", "an account", true, &account.person));
    DPL_RETURN_IF_ERROR(ReadText(v, "evidence", "an account", false, &account.evidence));
    std::optional<Instant> checked;
    DPL_RETURN_IF_ERROR(ReadTime(v, "checked", "an account", Day::kStart, &checked));
    if (!checked) return ShapeError(v, "an account has no \"checked\"");
    account.checked = *checked;
  }
  return Status::Ok();
}

Status ReadResources(const WireValue& section, FactsInput* out) {
  DPL_RETURN_IF_ERROR(CheckArray(section, "`resources`"));
  out->resources.reserve(section.count);
  for (uint32_t i = 0; i < section.count; ++i) {
    const WireValue& v = section.items[i];
    DPL_RETURN_IF_ERROR(CheckObject(v, "a resource", {"type", "id", "parent", "attributes"}));
    FactsInput::Resource& resource = out->resources.emplace_back();
    resource.where = WhereOf(v);
    DPL_RETURN_IF_ERROR(ReadText(v, "type", "a resource", true, &resource.type));
    DPL_RETURN_IF_ERROR(ReadText(v, "id", "a resource", true, &resource.id));
    if (const WireValue* parent = v.Find("parent")) {
      DPL_RETURN_IF_ERROR(ReadReference(*parent, "\"parent\" of a resource", &resource.parent_type,
                                        &resource.parent_id));
    }
    DPL_RETURN_IF_ERROR(ReadFields(v, "attributes", "a resource", &resource.fields));
  }
  return Status::Ok();
}

}  // namespace facts_json

namespace {

using namespace facts_json;  // NOLINT: this room's own

Status ReadConsents(const WireValue& section, FactsInput* out) {
  DPL_RETURN_IF_ERROR(CheckArray(section, "`consents`"));
  for (uint32_t i = 0; i < section.count; ++i) {
    const WireValue& v = section.items[i];
    DPL_RETURN_IF_ERROR(CheckObject(v, "a consent", {"delegation", "person", "at"}));
    FactsInput::Consent& consent = out->consents.emplace_back();
    consent.where = WhereOf(v);
    DPL_RETURN_IF_ERROR(ReadText(v, "delegation", "a consent", true, &consent.delegation));
    DPL_RETURN_IF_ERROR(ReadText(v, "person", "a consent", true, &consent.person));
    const WireValue* at = v.Find("at");
    if (at == nullptr) return ShapeError(v, "a consent has no \"at\"");
    Result<Instant> instant =
        TimeOfText(*at, "\"at\" of a consent", Day::kStart, &consent.whole_day);
    if (!instant.ok()) return instant.error();
    consent.at = *instant;
  }
  return Status::Ok();
}

Status ReadTasks(const WireValue& section, FactsInput* out) {
  DPL_RETURN_IF_ERROR(CheckArray(section, "`tasks`"));
  for (uint32_t i = 0; i < section.count; ++i) {
    const WireValue& v = section.items[i];
    DPL_RETURN_IF_ERROR(CheckObject(
        v, "a task", {"id", "shape", "agent", "deputy", "person", "args", "opened", "expires"}));
    FactsInput::Task& task = out->tasks.emplace_back();
    task.where = WhereOf(v);
    DPL_RETURN_IF_ERROR(ReadText(v, "id", "a task", true, &task.id));
    DPL_RETURN_IF_ERROR(ReadText(v, "shape", "a task", true, &task.shape));
    DPL_RETURN_IF_ERROR(ReadText(v, "deputy", "a task", false, &task.deputy));
    DPL_RETURN_IF_ERROR(ReadText(v, "agent", "a task", task.deputy.empty(), &task.agent));
    DPL_RETURN_IF_ERROR(ReadText(v, "person", "a task", false, &task.person));
    if (!task.deputy.empty() && (!task.agent.empty() || task.person.empty()))
      return ShapeError(v, "a task with a \"deputy\" has a \"person\" and no \"agent\"");
    DPL_RETURN_IF_ERROR(ReadFields(v, "args", "a task", &task.args));
    DPL_RETURN_IF_ERROR(ReadTime(v, "opened", "a task", Day::kStart, &task.opened));
    DPL_RETURN_IF_ERROR(ReadTime(v, "expires", "a task", Day::kEnd, &task.expires));
  }
  return Status::Ok();
}

Status ReadHandoffs(const WireValue& section, FactsInput* out) {
  DPL_RETURN_IF_ERROR(CheckArray(section, "`handoffs`"));
  for (uint32_t i = 0; i < section.count; ++i) {
    const WireValue& v = section.items[i];
    DPL_RETURN_IF_ERROR(CheckObject(v, "a hand-off", {"from", "to", "task"}));
    FactsInput::Handoff& handoff = out->handoffs.emplace_back();
    handoff.where = WhereOf(v);
    struct Side {
      std::string_view name;
      std::string *agent, *instance;
    };
    for (const Side& side : {Side{"from", &handoff.parent_agent, &handoff.parent_instance},
                             Side{"to", &handoff.child_agent, &handoff.child_instance}}) {
      const WireValue* end = v.Find(side.name);
      if (end == nullptr) return ShapeError(v, "a hand-off has no " + Quote(side.name));
      std::string what = Quote(side.name) + " of a hand-off";
      if (side.agent == &handoff.parent_agent && end->is_object() &&
          end->Find("person") != nullptr) {
        DPL_RETURN_IF_ERROR(CheckObject(*end, what, {"person"}));
        DPL_RETURN_IF_ERROR(ReadText(*end, "person", what, true, &handoff.parent_person));
        continue;
      }
      DPL_RETURN_IF_ERROR(CheckObject(*end, what, {"agent", "instance"}));
      DPL_RETURN_IF_ERROR(ReadText(*end, "agent", what, true, side.agent));
      DPL_RETURN_IF_ERROR(ReadText(*end, "instance", what, true, side.instance));
    }
    DPL_RETURN_IF_ERROR(ReadText(v, "task", "a hand-off", false, &handoff.task));
  }
  return Status::Ok();
}

Status ReadUsed(const WireValue& section, FactsInput* out) {
  DPL_RETURN_IF_ERROR(CheckArray(section, "`used`"));
  for (uint32_t i = 0; i < section.count; ++i) {
    const WireValue& v = section.items[i];
    DPL_RETURN_IF_ERROR(CheckObject(v, "a use", {"limit", "quantity", "person"}));
    FactsInput::Used& used = out->used.emplace_back();
    used.where = WhereOf(v);
    DPL_RETURN_IF_ERROR(ReadText(v, "limit", "a use", true, &used.limit));
    DPL_RETURN_IF_ERROR(ReadText(v, "person", "a use", false, &used.person));
    const WireValue* quantity = v.Find("quantity");
    if (quantity == nullptr) return ShapeError(v, "a use has no \"quantity\"");
    used.quantity = *quantity;
  }
  return Status::Ok();
}

struct Section {
  std::string_view name;
  Status (*read)(const WireValue&, FactsInput*);
  bool FactsInput::*loaded;  // the feed it belongs to; null: it is no feed
};
constexpr Section kSections[] = {
    {"persons", ReadPersons, &FactsInput::has_persons},
    {"teams", ReadTeams, &FactsInput::has_memberships},
    {"roles", ReadRoles, &FactsInput::has_memberships},
    {"accounts", ReadAccounts, &FactsInput::has_accounts},
    {"resources", ReadResources, &FactsInput::has_resources},
    {"consents", ReadConsents, nullptr},
    {"tasks", ReadTasks, nullptr},
    {"handoffs", ReadHandoffs, nullptr},
    {"used", ReadUsed, nullptr},
};

}  // namespace

Result<FactsInput> ReadFactsJson(std::string_view text, std::string name) {
  FactsInput facts;
  facts.name = std::move(name);
  facts.arena = std::make_shared<Arena>();
  JsonLimits limits = FileJsonLimits();
  limits.max_nodes = 64'000'000;
  Result<const WireValue*> root = ParseJson(text, facts.arena.get(), limits);
  if (!root.ok()) return root.error();
  DPL_RETURN_IF_ERROR(CheckObject(**root, "the facts",
                                  {"version", "as_of", "persons", "teams", "roles", "accounts",
                                   "resources", "consents", "tasks", "handoffs", "used"}));
  DPL_RETURN_IF_ERROR(ReadText(**root, "version", "the facts", false, &facts.version));
  if (facts.version.empty()) facts.version = "sha256:" + Hex(Sha256(text));
  DPL_RETURN_IF_ERROR(ReadTime(**root, "as_of", "the facts", Day::kStart, &facts.as_of));
  facts.has_persons = facts.has_memberships = facts.has_accounts = facts.has_resources = false;
  for (const Section& section : kSections) {
    const WireValue* v = (*root)->Find(section.name);
    if (v == nullptr) continue;
    if (section.loaded != nullptr) facts.*section.loaded = true;
    DPL_RETURN_IF_ERROR(section.read(*v, &facts));
  }
  return facts;
}

}  // namespace dpl
