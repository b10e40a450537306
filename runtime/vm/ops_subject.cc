// Subject and scope tests. Without a person none of the person tests holds; only memberships can be
// ⊥.
#include "runtime/vm/ops_subject.h"

#include "runtime/base/path.h"
#include "runtime/vm/ops_compare.h"
#include "runtime/vm/ops_data.h"

namespace dpl::vm {

Value SubjPerson(Context& c, uint32_t constant) {
  const Value& person = c.env->snapshot->constant(constant);
  if (person.kind != ValueKind::kPerson) return c.Confused();
  return Value::Bool(c.env->person != nullptr && SameEntity(*c.env->person, *person.entity));
}

Value SubjTeam(Context& c, uint32_t team) {
  if (c.env->person == nullptr) return Value::Bool(false);
  return InTeam(c, Value::Of(ValueKind::kPerson, c.env->person), team);
}

Value SubjRole(Context& c, uint32_t role) {
  if (c.env->person == nullptr) return Value::Bool(false);
  return InRole(c, Value::Of(ValueKind::kPerson, c.env->person), role);
}

Value SubjEveryone(Context& c) {
  return Value::Bool(c.env->person != nullptr && c.env->person_active);
}

Value SubjAgentRoot(Context& c, uint32_t agent) {
  return Value::Bool(c.env->standing && !c.env->chain.empty() && c.env->chain.front() == agent);
}

Value SubjAgentHop(Context& c, uint32_t agent) {
  for (uint32_t hop : c.env->chain) {
    if (hop == agent) return Value::Bool(true);
  }
  return Value::Bool(false);
}

Value ResourceIs(Context& c, uint32_t constant) {
  const Entity* resource = c.env->resource;
  if (resource == nullptr) return Value::Bool(false);
  const Value& value = c.env->snapshot->constant(constant);
  if (value.kind == ValueKind::kResource) return Value::Bool(SameEntity(*resource, *value.entity));
  if (value.kind == ValueKind::kString || value.kind == ValueKind::kPath) {
    return Value::Bool(resource->id == value.text());
  }
  return c.Confused();
}

Value ResourceIn(Context& c, uint32_t constant) {
  if (c.env->resource == nullptr) return Missing();
  const Value& value = c.env->snapshot->constant(constant);
  if (value.kind != ValueKind::kResource) return c.Confused();
  return In(c, Value::Of(ValueKind::kResource, c.env->resource), value);
}

Value ResourceInPath(Context& c, uint32_t constant) {
  if (c.env->resource == nullptr) return Missing();
  const Value& value = c.env->snapshot->constant(constant);
  if (value.kind != ValueKind::kPath) return c.Confused();
  return Value::Bool(PathWithin(c.env->resource->id, value.text()));
}

Value ResourceInTask(Context& c, uint32_t param) {
  if (c.env->resource == nullptr) return Missing();
  return In(c, Value::Of(ValueKind::kResource, c.env->resource), LoadTaskParam(c, param));
}

}  // namespace dpl::vm
