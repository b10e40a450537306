// Persons, accounts and resources: every record found, typed and tied to its parent.
#include <algorithm>
#include <numeric>

#include "runtime/base/text.h"
#include "runtime/facts/builder.h"
#include "runtime/facts/ids.h"

namespace dpl {
namespace {

constexpr int kMaxLevels = kMostLevels;

}  // namespace

std::string Described(const Schema& schema, const Entity& entity) {
  if (entity.is_person) return "person " + Quote(entity.id);
  return std::string(schema.Text(schema.resources[entity.type].name)) + " " + Quote(entity.id);
}

Error At(FactsInput::Where where, std::string code, std::string message) {
  return Error{std::move(code), std::move(message), where.line, where.column};
}

// ---------------------------------------------------------------- finding and making entities

Entity* SnapshotBuilder::PersonEntity(std::string_view id) {
  uint32_t next = static_cast<uint32_t>(t_.persons.size());
  uint32_t found = t_.person_ids.Find(0, id);
  if (found != kNone) return t_.persons[found];
  std::string_view copy = t_.arena.Copy(id);
  Entity* entity = t_.arena.New<Entity>();
  PersonFacts* facts = t_.arena.New<PersonFacts>();
  DPL_CHECK(copy.data() != nullptr && entity != nullptr && facts != nullptr);
  entity->is_person = true;
  entity->id = copy;
  entity->slot = next;
  entity->person = facts;
  t_.person_ids.Add(0, copy, next);
  t_.persons.push_back(entity);
  person_facts_.push_back(facts);
  person_where_.emplace_back();
  return entity;
}

Entity* SnapshotBuilder::ResourceEntity(uint32_t type, std::string_view id) {
  uint32_t found = t_.resource_ids.Find(type, id);
  if (found != kNone) return t_.resources[found];
  std::string_view copy = t_.arena.Copy(id);
  Entity* entity = t_.arena.New<Entity>();
  DPL_CHECK(copy.data() != nullptr && entity != nullptr);
  entity->type = type;
  entity->id = copy;
  if (!schema_.resources[type].has_parent) entity->parent_state = Entity::Parent::kRoot;
  entity->slot = static_cast<uint32_t>(t_.resources.size());
  t_.resource_ids.Add(type, copy, entity->slot);
  t_.resources.push_back(entity);
  resource_where_.emplace_back();
  return entity;
}

PersonFacts* SnapshotBuilder::FactsOf(const Entity& person) {
  return person_facts_[t_.person_ids.Find(0, person.id)];
}

Result<Entity*> SnapshotBuilder::NamedPerson(std::string_view id, Where where) {
  Status status = CheckId(id);
  if (!status.ok())
    return At(where, "facts.id", "person " + Quote(id) + ": " + status.error().message);
  return PersonEntity(id);
}

Result<uint32_t> NamedResourceType(const Schema& schema, const FactTables& tables,
                                   std::string_view name, FactsInput::Where where) {
  uint32_t type = tables.names.Find(kResourceSpace, name);
  if (type == kNone) type = tables.names.Find(kResourceWireSpace, name);
  if (type != kNone) return type;
  std::vector<std::string_view> names;
  for (const ResourceDef& def : schema.resources) names.push_back(schema.Text(def.name));
  return At(where, "facts.name",
            "the policy declares no resource type " + Quote(name) + NearNameHint(name, names));
}

// One entity per record, so that what refers to a record further down finds it.
Status SnapshotBuilder::MakeRecords() {
  t_.person_ids.Reserve(input_.persons.size());
  t_.persons.reserve(input_.persons.size());
  for (const FactsInput::Person& person : input_.persons) {
    Result<Entity*> entity = NamedPerson(person.id, person.where);
    if (!entity.ok()) return entity.error();
    if ((*entity)->loaded) {
      return At(person.where, "facts.duplicate", "person " + Quote(person.id) + " is given twice");
    }
    (*entity)->loaded = true;
    person_where_.back() = person.where;
  }
  t_.resource_ids.Reserve(input_.resources.size());
  t_.resources.reserve(input_.resources.size());
  for (const FactsInput::Resource& resource : input_.resources) {
    Result<uint32_t> type = NamedType(resource.type, resource.where);
    if (!type.ok()) return type.error();
    Result<std::string_view> id = CanonicalResourceId(schema_, t_, *type, resource.id);
    if (!id.ok()) {
      return At(resource.where, "facts.id",
                resource.type + " " + Quote(resource.id) + ": " + id.error().message);
    }
    Entity* entity = ResourceEntity(*type, *id);
    if (entity->loaded) {
      return At(resource.where, "facts.duplicate", Described(schema_, *entity) + " is given twice");
    }
    entity->loaded = resource.loaded;
    resource_where_[t_.resource_ids.Find(*type, *id)] = resource.where;
  }
  return Status::Ok();
}

// ---------------------------------------------------------------- attributes

Status FillAttributes(const Typing& typing, const std::vector<FactsInput::Field>& fields,
                      const std::vector<AttributeDef>& defs, std::string_view what,
                      FactsInput::Where where, Value* slots) {
  using Where = FactsInput::Where;
  const Schema& schema = typing.program.schema;
  for (const FactsInput::Field& field : fields) {
    Where at{field.value.line, field.value.column};
    if (at.line == 0) at = where;
    uint32_t found = kNone;
    for (uint32_t i = 0; i < defs.size(); ++i) {
      if (schema.Text(defs[i].name) == field.name) found = i;
    }
    for (uint32_t i = 0; found == kNone && i < defs.size(); ++i) {
      if (schema.Text(defs[i].wire) == field.name) found = i;
    }
    if (found == kNone) {
      std::vector<std::string_view> names;
      for (const AttributeDef& def : defs) names.push_back(schema.Text(def.name));
      return At(at, "facts.name",
                std::string(what) + " has no attribute " + Quote(field.name) +
                    NearNameHint(field.name, names));
    }
    if (slots[found].kind != ValueKind::kUnset) {
      return At(at, "facts.duplicate",
                std::string(what) + ": attribute `" + std::string(schema.Text(defs[found].name)) +
                    "` is given twice");
    }
    Result<Value> value = TypeWireValue(field.value, defs[found].type, typing);
    if (!value.ok()) {
      const Error& error = value.error();
      Where place = error.line != 0 ? Where{error.line, error.column} : at;
      return At(place, "facts.type",
                std::string(what) + ": attribute `" + std::string(schema.Text(defs[found].name)) +
                    "`: " + error.message);
    }
    slots[found] = *value;
  }
  return Status::Ok();
}

// ---------------------------------------------------------------- persons

Status SnapshotBuilder::FillPersons() {
  for (const FactsInput::Person& person : input_.persons) {
    DPL_RETURN_IF_ERROR(FillPerson(person, PersonEntity(person.id)));
  }
  return Status::Ok();
}

bool ReadPersonStatus(std::string_view text, PersonStatus* out) {
  if (text == "active") {
    *out = PersonStatus::kActive;
  } else if (text == "suspended") {
    *out = PersonStatus::kSuspended;
  } else if (text == "left") {
    *out = PersonStatus::kLeft;
  } else {
    return false;
  }
  return true;
}

Status SnapshotBuilder::FillPerson(const FactsInput::Person& input, Entity* person) {
  PersonFacts* facts = FactsOf(*person);
  if (!ReadPersonStatus(input.status, &facts->status)) {
    return At(input.where, "facts.type",
              "person " + Quote(input.id) + ": status is " + Quote(input.status) +
                  ", expected \"active\", \"suspended\" or \"left\"" +
                  NearNameHint(input.status, {"active", "suspended", "left"}));
  }
  facts->left = input.left;
  Value* slots = t_.arena.NewArray<Value>(schema_.person.attributes.size());
  if (slots == nullptr) return NoMemory();
  person->attributes = slots;
  std::string what = "person " + Quote(input.id);
  return FillAttributes({program_, t_, this, &t_.arena, true}, input.fields,
                        schema_.person.attributes, what, input.where, slots);
}

// Superiors come in levels, from those with nobody above; what is left over goes round in a circle.
Status SnapshotBuilder::CheckPersonTree() {
  const std::vector<uint32_t>& within = schema_.person.within;
  if (within.empty()) return Status::Ok();
  size_t count = t_.persons.size(), width = within.size();
  std::vector<uint32_t> above(count * width, kNone), open(count, 0), first(count + 1, 0);
  for (size_t i = 0; i < count; ++i) {
    for (size_t k = 0; t_.persons[i]->attributes != nullptr && k < width; ++k) {
      const Value& value = t_.persons[i]->attributes[within[k]];
      if (value.kind != ValueKind::kPerson) continue;
      above[i * width + k] = t_.person_ids.Find(0, value.entity->id);
      ++first[above[i * width + k] + 1];
      ++open[i];
    }
  }
  std::partial_sum(first.begin(), first.end(), first.begin());
  std::vector<uint32_t> below(first[count]), fill(first.begin(), first.end() - 1), ready;
  for (size_t i = 0; i < count; ++i) {
    for (size_t k = 0; k < width; ++k) {
      uint32_t up = above[i * width + k];
      if (up != kNone) below[fill[up]++] = static_cast<uint32_t>(i);
    }
    if (open[i] == 0) ready.push_back(static_cast<uint32_t>(i));
  }
  std::vector<uint8_t> level(count, 0);
  for (size_t i = 0; i < ready.size(); ++i) {
    uint32_t up = ready[i];
    for (uint32_t at = first[up]; at < first[up + 1]; ++at) {
      uint32_t down = below[at];
      level[down] = std::max<uint8_t>(level[down], static_cast<uint8_t>(level[up] + 1));
      if (level[down] > kMaxLevels) {
        return At(
            person_where_[down], "facts.depth",
            Described(schema_, *t_.persons[down]) + " has more than 16 levels of persons above it");
      }
      if (--open[down] == 0) ready.push_back(down);
    }
  }
  for (size_t i = 0; i < count; ++i) {
    if (open[i] == 0) continue;
    // Below a circle is not in it: go up until somebody comes twice.
    uint32_t at = static_cast<uint32_t>(i);
    for (size_t step = 0; step <= count; ++step) {
      uint32_t next = at;
      for (size_t k = 0; k < width; ++k) {
        uint32_t up = above[at * width + k];
        if (up != kNone && open[up] != 0) next = up;
      }
      at = next;
    }
    return At(person_where_[at], "facts.cycle",
              Described(schema_, *t_.persons[at]) + " is above itself");
  }
  return Status::Ok();
}

// ---------------------------------------------------------------- resources

Status SnapshotBuilder::FillResources() {
  for (const FactsInput::Resource& input : input_.resources) {
    Result<uint32_t> type = NamedType(input.type, input.where);
    if (!type.ok()) return type.error();
    Result<std::string_view> id = CanonicalResourceId(schema_, t_, *type, input.id);
    if (!id.ok()) return id.error();
    DPL_RETURN_IF_ERROR(FillResource(input, ResourceEntity(*type, *id)));
  }
  return Status::Ok();
}

Status SnapshotBuilder::FillResource(const FactsInput::Resource& input, Entity* resource) {
  const ResourceDef& def = schema_.resources[resource->type];
  const Typing typing{program_, t_, this, &t_.arena, true};
  if (input.loaded || !input.fields.empty()) {
    Value* slots = t_.arena.NewArray<Value>(def.attributes.size());
    if (slots == nullptr) return NoMemory();
    resource->attributes = slots;
    DPL_RETURN_IF_ERROR(FillAttributes(typing, input.fields, def.attributes,
                                       Described(schema_, *resource), input.where, slots));
  }
  return FillParent(typing, input, resource);
}

// The parent is said by `parent`, or by the attribute that names it, or by both alike.
Status FillParent(const Typing& typing, const FactsInput::Resource& input, Entity* resource) {
  const Schema& schema = typing.program.schema;
  const ResourceDef& def = schema.resources[resource->type];
  std::string what = Described(schema, *resource);
  if (!def.has_parent) {
    if (input.parent_id.empty()) return Status::Ok();
    return At(input.where, "facts.type", what + " has a parent, but its type is within nothing");
  }
  Value* slots = const_cast<Value*>(resource->attributes);
  Value* slot =
      slots != nullptr && def.parent_attribute != kNone ? &slots[def.parent_attribute] : nullptr;
  const Entity* parent =
      slot != nullptr && slot->kind == ValueKind::kResource ? slot->entity : nullptr;
  if (!input.parent_id.empty()) {
    if (!input.parent_type.empty()) {
      Result<uint32_t> type =
          NamedResourceType(schema, typing.tables, input.parent_type, input.where);
      if (!type.ok()) return type.error();
      if (*type != def.parent_type) {
        return At(input.where, "facts.type",
                  what + " has a parent of type " + input.parent_type + ", expected " +
                      std::string(schema.Text(schema.resources[def.parent_type].name)));
      }
    }
    Result<std::string_view> id =
        CanonicalResourceId(schema, typing.tables, def.parent_type, input.parent_id);
    if (!id.ok()) return At(input.where, "facts.id", what + ": its parent: " + id.error().message);
    const Entity* said = typing.entities->Resource(def.parent_type, *id);
    if (parent != nullptr && !SameEntity(*parent, *said)) {
      return At(input.where, "facts.duplicate", what + " is given two different parents");
    }
    parent = said;
  }
  if (parent != nullptr) {
    resource->parent = parent;
    resource->parent_state = Entity::Parent::kKnown;
    if (slot != nullptr) *slot = Value::Of(ValueKind::kResource, parent);
  } else if (resource->loaded && def.parent_optional) {
    resource->parent_state = Entity::Parent::kRoot;
  }
  return Status::Ok();
}

Status SnapshotBuilder::CheckParents() {
  for (size_t i = 0; i < t_.resources.size(); ++i) {
    const Entity* chain[kMaxLevels + 2];
    int count = 0;
    for (const Entity* at = t_.resources[i]; at != nullptr && count < kMaxLevels + 2;
         at = at->parent) {
      if (std::find(chain, chain + count, at) != chain + count) {
        // The one met twice is in the circle; the one begun with may only lead there.
        Where where = resource_where_[t_.resource_ids.Find(at->type, at->id)];
        return At(where, "facts.cycle", Described(schema_, *at) + " lies within itself");
      }
      chain[count++] = at;
    }
    if (count > kMaxLevels + 1) {
      return At(resource_where_[i], "facts.depth",
                Described(schema_, *t_.resources[i]) + " lies more than 16 levels deep");
    }
  }
  return Status::Ok();
}

// ---------------------------------------------------------------- accounts

Status SnapshotBuilder::FillAccounts() {
  struct Row {
    AccountFact fact;
    uint32_t person;
    uint32_t input;
  };
  std::vector<Row> rows;
  rows.reserve(input_.accounts.size());
  for (uint32_t i = 0; i < input_.accounts.size(); ++i) {
    const FactsInput::Account& account = input_.accounts[i];
    uint32_t system = t_.names.Find(kSystemSpace, account.system);
    if (system == kNone) {
      std::vector<std::string_view> names;
      for (const SystemDef& def : schema_.systems) names.push_back(schema_.Text(def.name));
      return At(account.where, "facts.name",
                "the policy declares no system " + Quote(account.system) +
                    NearNameHint(account.system, names));
    }
    if (!schema_.systems[system].has_account) {
      return At(account.where, "facts.type", "system " + account.system + " has no accounts");
    }
    Status status = CheckId(account.key);
    if (!status.ok()) {
      return At(account.where, "facts.id",
                "account " + Quote(account.key) + ": " + status.error().message);
    }
    Result<Entity*> person = NamedPerson(account.person, account.where);
    if (!person.ok()) return person.error();
    std::string_view key = t_.arena.Copy(account.key);
    if (key.data() == nullptr) return NoMemory();
    rows.push_back(
        {{system, key, *person, account.checked}, t_.person_ids.Find(0, account.person), i});
  }
  std::sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) {
    if (a.fact.system != b.fact.system) return a.fact.system < b.fact.system;
    int c = a.fact.key.compare(b.fact.key);
    return c != 0 ? c < 0 : a.fact.person->id < b.fact.person->id;
  });
  t_.account_keys.Reserve(rows.size());
  t_.accounts.reserve(rows.size());
  for (uint32_t i = 0; i < rows.size(); ++i) {
    const AccountFact& fact = rows[i].fact;
    if (i > 0 && fact.system == rows[i - 1].fact.system && fact.key == rows[i - 1].fact.key &&
        fact.person == rows[i - 1].fact.person) {
      return At(input_.accounts[std::max(rows[i].input, rows[i - 1].input)].where,
                "facts.duplicate",
                "account " + Quote(fact.key) + " of person " + Quote(fact.person->id) +
                    " is given twice");
    }
    t_.accounts.push_back(fact);
    t_.account_keys.Add(fact.system, fact.key, i);
  }
  std::stable_sort(rows.begin(), rows.end(),
                   [](const Row& a, const Row& b) { return a.person < b.person; });
  for (size_t i = 0; i < rows.size();) {
    size_t end = i;
    while (end < rows.size() && rows[end].person == rows[i].person) ++end;
    AccountFact* facts = t_.arena.NewArray<AccountFact>(end - i);
    if (facts == nullptr) return NoMemory();
    for (size_t k = i; k < end; ++k) facts[k - i] = rows[k].fact;
    person_facts_[rows[i].person]->accounts = {facts, end - i};
    i = end;
  }
  return Status::Ok();
}

}  // namespace dpl
