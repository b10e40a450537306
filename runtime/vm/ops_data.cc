// Where every value comes from, and what stands there when nobody gave one (docs/facts.md, "What is
// not there").
#include "runtime/vm/ops_data.h"

namespace dpl::vm {
namespace {

// What stands where the request gave no value, and nothing but the request could have.
Value Unsaid(Context& c, TypeId type, uint32_t default_constant) {
  if (default_constant != kNone) return c.env->snapshot->constant(default_constant);
  return c.schema.types[type].optional ? Value::Absent() : Missing();
}

// What stands where neither facts nor request gave a value. Of a thing without a record nobody has
// said anything: a default there would turn a lost record into a value, and an error might widen.
// What the request may say of it, and what the request is about to make, has no need of a record.
Value Unfilled(Context& c, const AttributeDef& def, const Entity& entity) {
  bool made = c.env->resource == &entity && c.env->action != nullptr && c.env->action->makes;
  bool stands = entity.loaded || def.from_request || made;
  const TypeDef& type = c.schema.types[def.type];
  if (stands && def.default_constant != kNone)
    return c.env->snapshot->constant(def.default_constant);
  if (type.optional) return Value::Absent();
  if (entity.loaded && type.kind == TypeKind::kSet)
    return Value::Items(ValueKind::kSet, nullptr, 0);
  return Missing();
}

Value ParentOf(const Entity& entity) {
  if (entity.parent_state == Entity::Parent::kRoot) return Value::Absent();
  return Value::Of(ValueKind::kResource, entity.parent);
}

}  // namespace

Value LoadParam(Context& c, uint32_t name) {
  const ActionDef* action = c.env->action;
  if (action == nullptr) return Missing();
  for (size_t i = 0; i < action->params.size(); ++i) {
    const ParamDef& param = action->params[i];
    if (param.name != name) continue;
    if (c.env->params != nullptr && c.env->params[i].kind != ValueKind::kUnset)
      return c.env->params[i];
    return Unsaid(c, param.type, param.default_constant);
  }
  return Missing();
}

Value LoadContext(Context& c, uint32_t attribute) {
  if (attribute >= c.schema.context.size()) return c.Confused();
  const AttributeDef& def = c.schema.context[attribute];
  if (c.env->context != nullptr && c.env->context[attribute].kind != ValueKind::kUnset) {
    return c.env->context[attribute];
  }
  return Unsaid(c, def.type, def.default_constant);
}

// Without a task it is the step before this one that is missing.
Value LoadTaskParam(Context& c, uint32_t index) {
  if (c.env->task_params == nullptr) return EarlierStep(Missing());
  if (index >= c.env->task_param_count) return Missing();
  const Value& value = c.env->task_params[index];
  return value.kind == ValueKind::kUnset ? Missing() : value;
}

Value PersonAttr(Context& c, const Value& person, uint32_t attribute) {
  if (Unusable(person)) return EarlierStep(person);
  if (person.kind != ValueKind::kPerson || attribute >= c.schema.person.attributes.size()) {
    return c.Confused();
  }
  if (!c.env->snapshot->PersonsFresh(c.env->now)) return Value::Error(ErrorKind::kStale);
  const Entity& entity = *c.env->snapshot->Latest(person.entity);
  if (entity.attributes != nullptr && entity.attributes[attribute].kind != ValueKind::kUnset) {
    return entity.attributes[attribute];
  }
  return Unfilled(c, c.schema.person.attributes[attribute], entity);
}

// A resource of another type has no such attribute. That is no confusion: the condition of a
// computed role may meet the resources of every type the role is held in.
Value ResourceAttr(Context& c, const Value& resource, uint32_t type, uint32_t attribute) {
  if (Unusable(resource)) return EarlierStep(resource);
  if (resource.kind != ValueKind::kResource || type >= c.schema.resources.size())
    return c.Confused();
  const ResourceDef& def = c.schema.resources[type];
  if (attribute >= def.attributes.size()) return c.Confused();
  const Entity& entity = *c.env->snapshot->Latest(resource.entity);
  if (entity.type != type) return Missing();
  if (entity.attributes != nullptr && entity.attributes[attribute].kind != ValueKind::kUnset) {
    return entity.attributes[attribute];
  }
  if (attribute == def.parent_attribute && entity.parent_state != Entity::Parent::kNoFact) {
    return ParentOf(entity);
  }
  // A feed that was never read could have said anything: no default stands in for it.
  if (!c.env->snapshot->ResourcesLoaded()) return Value::Error(ErrorKind::kStale);
  return Unfilled(c, def.attributes[attribute], entity);
}

Value ResourceParent(Context& c, const Value& resource, uint32_t type) {
  if (Unusable(resource)) return EarlierStep(resource);
  if (resource.kind != ValueKind::kResource) return c.Confused();
  const Entity& entity = *c.env->snapshot->Latest(resource.entity);
  if (entity.type != type) return Missing();
  if (entity.parent_state != Entity::Parent::kNoFact) return ParentOf(entity);
  return c.env->snapshot->ResourcesLoaded() ? Missing() : Value::Error(ErrorKind::kStale);
}

Value EntityKey(Context& c, const Value& entity) {
  if (Unusable(entity)) return EarlierStep(entity);
  if (entity.kind == ValueKind::kPerson) return Value::Text(ValueKind::kString, entity.entity->id);
  if (entity.kind != ValueKind::kResource || entity.entity->type >= c.schema.resources.size())
    return c.Confused();
  bool path = c.schema.resources[entity.entity->type].key_is_path;
  return Value::Text(path ? ValueKind::kPath : ValueKind::kString, entity.entity->id);
}

Value RecordField(Context& c, const Value& record, uint32_t field) {
  if (Unusable(record)) return EarlierStep(record);
  if (record.kind != ValueKind::kRecord || field >= record.n) return c.Confused();
  return record.items[field];
}

Value LabelValue(Context& c, const Value& labels, uint32_t key) {
  if (Unusable(labels)) return EarlierStep(labels);
  const Value& name = c.env->snapshot->constant(key);
  if (labels.kind != ValueKind::kLabels || name.kind != ValueKind::kString) return c.Confused();
  for (uint32_t low = 0, high = labels.n; low < high;) {
    uint32_t middle = low + (high - low) / 2;
    int order = labels.items[2 * middle].text().compare(name.text());
    if (order == 0) return labels.items[2 * middle + 1];
    if (order < 0) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return Missing();
}

Value NowDate(Context& c, uint32_t zone) {
  if (zone >= c.schema.zones.size()) return c.Confused();
  return Value::Int(ValueKind::kDate, c.schema.zones[zone].LocalDate(c.env->now).days);
}

Value NowTime(Context& c, uint32_t zone) {
  if (zone >= c.schema.zones.size()) return c.Confused();
  return Value::Int(ValueKind::kTime, c.schema.zones[zone].LocalTime(c.env->now).us);
}

Value NowWeekday(Context& c, uint32_t zone) {
  if (zone >= c.schema.zones.size()) return c.Confused();
  return Value::Int(ValueKind::kInt, Weekday(c.schema.zones[zone].LocalDate(c.env->now)));
}

Value IsKnown(const Value& v) {
  if (v.kind == ValueKind::kAbsent) return Value::Bool(false);
  if (!v.is_error()) return Value::Bool(true);
  bool own_step = v.error() == ErrorKind::kMissing && (v.flags & kEarlierStep) == 0;
  return own_step ? Value::Bool(false) : v;
}

// The first ⊥ of the operands is the result; `absent` is ⊥missing here as in every strict place.
Value MakeSet(Context& c, const Value* items, uint32_t count) {
  for (uint32_t i = 0; i < count; ++i) {
    if (Unusable(items[i])) return ErrorOf(items[i]);
    if (items[i].kind != items[0].kind) return c.Confused();
  }
  Value* copy = c.env->arena->NewArray<Value>(count);
  if (copy == nullptr) return c.NoMemory();
  for (uint32_t i = 0; i < count; ++i) copy[i] = items[i];
  return Value::Items(ValueKind::kSet, copy, MakeCanonicalSet(copy, count));
}

Value MakeRecord(Context& c, const Value* items, uint32_t count) {
  for (uint32_t i = 0; i < count; ++i) {
    if (Unusable(items[i])) return ErrorOf(items[i]);
  }
  Value* copy = c.env->arena->NewArray<Value>(count);
  if (copy == nullptr) return c.NoMemory();
  for (uint32_t i = 0; i < count; ++i) copy[i] = items[i];
  return Value::Items(ValueKind::kRecord, copy, count);
}

}  // namespace dpl::vm
