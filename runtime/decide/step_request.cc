// Step 1: the request gets its types. What the schema does not know is ignored and listed, what it
// knows must fit.
#include <algorithm>

#include "runtime/base/text.h"
#include "runtime/decide/fold.h"

namespace dpl {
namespace {

Reason Invalid(Fold& f, std::string_view what, std::string_view name = {},
               std::string_view why = {}) {
  f.text.assign(what);
  if (!name.empty()) f.text.append(" `").append(name.substr(0, 64)).append("`");
  if (!why.empty()) f.text.append(": ").append(why);
  f.d.detail = f.Keep(f.text);
  return Reason::kRequestInvalid;
}

// What was expected of a value, without what was sent: caller-made text stays out of sentences
// (closing rule 42).
std::string_view Expectation(const Error& error) {
  std::string_view m = error.message;
  size_t expected = m.rfind(", expected ");
  if (expected != std::string_view::npos) m.remove_prefix(expected + 2);
  return m.find('"') != std::string_view::npos && expected == std::string_view::npos
             ? "not of the declared type"
             : m;
}

// Names that come along: short, and nothing in them that looks like something else.
bool PlainName(std::string_view s) {
  if (s.empty()) return true;
  if (s.size() <= 1024 && IsPlainJson(s)) return true;  // as most are
  return s.size() <= 1024 && IsValidUtf8(s) && !HasControl(s) && !HasBidiOrInvisible(s);
}

bool MayAssert(Fold& f, std::string_view owner, std::string_view attribute) {
  if (f.caller.asserts_all_attributes) return true;
  for (const std::string& one : f.caller.asserts) {
    if (one.size() == owner.size() + 1 + attribute.size() && one.starts_with(owner) &&
        one[owner.size()] == '.' && one.ends_with(attribute)) {
      return true;
    }
  }
  return false;
}

// A quantity below zero, or a zero with a minus sign (closing rule 19).
bool WrittenNegative(const WireValue& wire) {
  if (wire.is_object()) {
    for (std::string_view part : {"amount", "minor"}) {
      const WireValue* v = wire.Find(part);
      if (v != nullptr && !v->text.empty() && v->text[0] == '-') return true;
    }
    return false;
  }
  return (wire.is_string() || wire.is_number()) && !wire.text.empty() && wire.text[0] == '-';
}

// Properties that nothing reads, for the answer.
void ListIgnored(Fold& f, const WireValue* object, const auto& known) {
  if (object == nullptr || !object->is_object()) return;
  for (uint32_t i = 0; i < object->count; ++i) {
    if (!known(object->members[i].name)) f.d.ignored.Add(object->members[i].name);
  }
}

Reason TypeParams(Fold& f) {
  const std::vector<ParamDef>& defs = f.action_def->params;
  f.params = f.arena->NewArray<Value>(defs.size());
  if (f.params == nullptr) return f.OutOfArena(), Reason::kErrorArena;
  const WireValue* given = f.request.action_properties;
  if (given != nullptr && !given->is_null() && !given->is_object())
    return Invalid(f, "action.properties is not an object");
  for (size_t i = 0; i < defs.size(); ++i) {
    const ParamDef& p = defs[i];
    std::string_view name = f.Text(p.wire);
    const WireValue* wire = given == nullptr ? nullptr : given->Find(name);
    bool measure = IsMeasure(f, p);
    if (wire == nullptr || wire->is_null()) {
      if (p.default_constant != kNone) f.params[i] = f.snapshot.constant(p.default_constant);
    } else {
      Result<Value> value = f.snapshot.TypeValue(*wire, p.type, f.arena);
      if (!value.ok()) return Invalid(f, "parameter", name, Expectation(value.error()));
      f.params[i] = *value;
      f.params[i].flags |= kFromRequest;
      if (measure && WrittenNegative(*wire))
        return Invalid(f, "parameter", name, "a measure is not below zero");
    }
    if (f.suppose != nullptr && f.suppose->measure == i && f.params[i].kind != ValueKind::kUnset) {
      f.params[i].i = f.suppose->quantity;
    }
    if (measure) {
      bool number = f.params[i].kind != ValueKind::kUnset && f.params[i].kind != ValueKind::kAbsent;
      if (number && f.params[i].i < 0)
        return Invalid(f, "parameter", name, "a measure is not below zero");
      f.d.measures.Add(number ? f.params[i].i : INT64_MIN);
    }
  }
  ListIgnored(f, given, [&](std::string_view name) {
    return name == "idempotency_key" ||
           std::any_of(defs.begin(), defs.end(),
                       [&](const ParamDef& p) { return f.Text(p.wire) == name; });
  });
  return kPass;
}

// Lays what a registered caller says over the facts: only `from request` attributes, and never over
// a fact (closing rule 18).
Reason LayOver(Fold& f, const WireValue* given, std::string_view owner,
               const std::vector<AttributeDef>& defs, const Value* facts, bool known_as_type,
               std::string_view what, const Value** out, const Value** said) {
  if (given->is_null()) return kPass;
  if (!given->is_object()) return Invalid(f, what, {}, "not an object");
  Value *laid = nullptr, *heard = nullptr;
  for (size_t i = 0; i < defs.size(); ++i) {
    const AttributeDef& a = defs[i];
    if (!a.from_request) continue;
    const WireValue* wire = given->Find(f.Text(a.wire));
    if (wire == nullptr || wire->is_null()) continue;
    if (!MayAssert(f, owner, f.Text(a.name))) {
      f.d.ignored.Add(f.Text(a.wire));
      continue;
    }
    Result<Value> value = f.snapshot.TypeValue(*wire, a.type, f.arena);
    if (!value.ok())
      return Invalid(f, known_as_type ? "attribute" : "context field", f.Text(a.wire),
                     Expectation(value.error()));
    if (HasKey(f)) {
      if (heard == nullptr) heard = f.arena->NewArray<Value>(defs.size());
      if (heard == nullptr) return f.OutOfArena(), Reason::kErrorArena;
      heard[i] = *value;
      *said = heard;
    }
    if (facts != nullptr && facts[i].kind != ValueKind::kUnset) continue;
    if (laid == nullptr) {
      laid = f.arena->NewArray<Value>(defs.size());
      if (laid == nullptr) return f.OutOfArena(), Reason::kErrorArena;
      if (facts != nullptr) std::copy(facts, facts + defs.size(), laid);
      *out = laid;
    }
    laid[i] = *value;
    laid[i].flags |= kFromRequest;
  }
  return kPass;
}

inline Reason Overlay(Fold& f, const WireValue* given, std::string_view owner,
                      const std::vector<AttributeDef>& defs, const Value* facts, bool known_as_type,
                      std::string_view what, const Value** out, const Value** said) {
  *out = facts;
  *said = nullptr;
  if (given == nullptr) return kPass;  // as most say nothing
  return LayOver(f, given, owner, defs, facts, known_as_type, what, out, said);
}

// An action that makes its resource is decided on the parent it names, which must be a known fact
// (closing rule 16).
Reason ParentOfNew(Fold& f, Entity* resource) {
  if (!f.action_def->makes || !f.resource_def->has_parent) return kPass;
  for (size_t i = 0; i < f.action_def->params.size(); ++i) {
    const TypeDef& t = f.schema.types[f.action_def->params[i].type];
    if (t.kind != TypeKind::kResource || t.index != f.resource_def->parent_type) continue;
    const Value& named = f.params[i];
    if (named.kind != ValueKind::kResource) continue;
    std::string_view name = f.Text(f.action_def->params[i].wire);
    if (!f.snapshot.Latest(named.entity)->loaded)
      return Invalid(f, "parameter", name, "the parent is not a known fact");
    if (resource->parent_state == Entity::Parent::kKnown &&
        !SameEntity(*resource->parent, *named.entity)) {
      return Invalid(f, "parameter", name, "the resource exists already, elsewhere");
    }
    resource->parent_state = Entity::Parent::kKnown;
    resource->parent = named.entity;
    return kPass;
  }
  return kPass;
}

Reason TypeResource(Fold& f) {
  Result<std::string_view> id = f.snapshot.CheckResourceId(f.type(), f.request.resource_id);
  if (!id.ok()) return Invalid(f, "resource.id", {}, Expectation(id.error()));
  f.d.resource_id = *id;
  const Entity* fact = f.snapshot.FindResource(f.type(), *id);
  Entity* laid = f.arena->New<Entity>();
  if (laid == nullptr) return f.OutOfArena(), Reason::kErrorArena;
  if (fact != nullptr) *laid = *fact;
  laid->slot = kNone;
  laid->type = f.type();
  laid->id = *id;
  const std::vector<AttributeDef>& defs = f.resource_def->attributes;
  const WireValue* given = f.request.resource_properties;
  Reason r = Overlay(f, given, f.Text(f.resource_def->name), defs, laid->attributes, true,
                     "resource.properties", &laid->attributes, &f.said_resource);
  if (r != kPass) return r;
  uint32_t p = f.resource_def->parent_attribute;
  if (f.resource_def->parent_from_request && p != kNone &&
      laid->parent_state == Entity::Parent::kNoFact && laid->attributes != nullptr &&
      laid->attributes[p].kind == ValueKind::kResource) {
    laid->parent_state = Entity::Parent::kKnown;
    laid->parent = laid->attributes[p].entity;
  }
  ListIgnored(f, given, [&](std::string_view name) {
    return std::any_of(defs.begin(), defs.end(), [&](const AttributeDef& a) {
      return a.from_request && f.Text(a.wire) == name;
    });
  });
  r = ParentOfNew(f, laid);
  f.env.resource = laid;
  return r;
}

Reason TypeContext(Fold& f) {
  const std::vector<AttributeDef>& defs = f.schema.context;
  const Value* values = nullptr;
  Reason r = Overlay(f, f.request.context, "context", defs, nullptr, false, "context", &values,
                     &f.said_context);
  if (r != kPass) return r;
  bool any_default = std::any_of(defs.begin(), defs.end(),
                                 [](const AttributeDef& a) { return a.default_constant != kNone; });
  if (values == nullptr && (any_default || !defs.empty())) {
    values = f.arena->NewArray<Value>(defs.size());
    if (values == nullptr) return f.OutOfArena(), Reason::kErrorArena;
  }
  for (size_t i = 0; i < defs.size(); ++i) {
    if (defs[i].default_constant == kNone || values[i].kind != ValueKind::kUnset) continue;
    const_cast<Value*>(values)[i] = f.snapshot.constant(defs[i].default_constant);
  }
  f.env.context = values;
  ListIgnored(f, f.request.context, [&](std::string_view name) {
    static constexpr std::string_view kOurs[] = {
        "agent",
        "actor",
        "task",
        "approval",
        "dry_run",
        "explain",
        "break_glass",
        "time",
        "supported_obligations",
        "supported_mandatory_extensions",
    };
    return std::find(std::begin(kOurs), std::end(kOurs), name) != std::end(kOurs) ||
           std::any_of(defs.begin(), defs.end(),
                       [&](const AttributeDef& a) { return f.Text(a.wire) == name; });
  });
  return kPass;
}

}  // namespace

bool IsMeasure(const Fold& f, const ParamDef& p) {
  if (p.must_be_limited || f.notes.is_limited[p.name]) return true;
  for (uint32_t activity : f.action_def->activities) {
    for (const MeasureDef& m : f.schema.activities[activity].measures) {
      if (m.name == p.name) return true;
    }
  }
  return false;
}

Reason StepRequest(Fold& f) {
  const Request& r = f.request;
  if (!r.malformed.empty()) return Invalid(f, r.malformed.substr(0, 256));
  if (r.too_many_hops) return Invalid(f, "the chain has more than 8 agents");
  if (r.dry_run && !f.caller.dry_run)
    return Invalid(f, "this caller is not registered for dry runs");
  if (r.subject_type.size() > 256 || !PlainName(r.subject_id))
    return Invalid(f, "subject.id", {}, "not a plain text");
  for (int i = 0; i < r.hop_count; ++i) {
    if (!PlainName(r.hops[i].agent) || !PlainName(r.hops[i].instance))
      return Invalid(f, "an agent or instance is not a plain text");
  }
  if (!PlainName(r.task) || !PlainName(r.break_glass))
    return Invalid(f, "task or break_glass is not a plain text");
  for (int i = 0; i < r.approval_count; ++i) {
    if (!PlainName(r.approvals[static_cast<size_t>(i)]))
      return Invalid(f, "an approval is not a plain text");
  }
  if (!PlainName(r.break_glass_reason) || !PlainName(r.break_glass_ticket))
    return Invalid(f, "the reason or ticket of the break_glass is not a plain text");
  if (r.charge_key.size() > 256) return Invalid(f, "the charge key is longer than 256 bytes");

  uint32_t type = f.snapshot.ResourceTypeOfWire(r.resource_type);
  if (type == kNone) return Reason::kRequestUnknownAction;
  f.d.type = type;
  f.resource_def = &f.schema.resources[type];
  uint32_t action = f.snapshot.ActionOfWire(type, r.action);
  if (action == kNone) return Reason::kRequestUnknownAction;
  f.d.action = action;
  f.action_def = &f.resource_def->actions[action];
  f.entry = &f.program.EntryOf(type, action);

  f.env.snapshot = &f.snapshot;
  f.env.arena = f.arena;
  f.env.now = f.now;
  f.env.action = f.action_def;
  f.ahead.Step(f);
  Reason reason = TypeParams(f);
  if (reason != kPass) return reason;
  f.env.params = f.params;
  f.ahead.Step(f);
  reason = TypeResource(f);
  if (reason != kPass) return reason;
  f.ahead.Step(f);
  reason = TypeContext(f);
  f.ahead.Step(f);
  return reason;
}

// Lays what the caller may say about the person over the facts; called once step 2 has found the
// person.
Reason OverlayPerson(Fold& f) {
  const Value* attributes = nullptr;
  const std::vector<AttributeDef>& defs = f.schema.person.attributes;
  Reason r = Overlay(f, f.request.subject_properties, "person", defs, f.person->attributes, true,
                     "subject.properties", &attributes, &f.said_person);
  if (r != kPass) return r;
  ListIgnored(f, f.request.subject_properties, [&](std::string_view name) {
    return name == "act" || name == "iss" || name == "iat" || name == "auth_time" ||
           std::any_of(defs.begin(), defs.end(), [&](const AttributeDef& a) {
             return a.from_request && f.Text(a.wire) == name;
           });
  });
  if (attributes == f.person->attributes) return kPass;
  Entity* laid = f.arena->New<Entity>(*f.person);
  if (laid == nullptr) return f.OutOfArena(), Reason::kErrorArena;
  laid->attributes = attributes;
  laid->slot = kNone;
  f.person = laid;
  return kPass;
}

}  // namespace dpl
