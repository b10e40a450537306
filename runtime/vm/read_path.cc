// See read_path.h.
#include "runtime/vm/read_path.h"

#include "runtime/vm/ops_data.h"

namespace dpl {

Value ReadPath(const Program& program, PinPath path, Env* env) {
  vm::Context c{program, program.schema, env};
  switch (path.kind) {
    case PinPath::Kind::kResourceAttr:
    case PinPath::Kind::kResourceSet:
      if (env->resource == nullptr) break;
      return vm::ResourceAttr(c, Value::Of(ValueKind::kResource, env->resource),
                              env->resource->type, path.id);
    case PinPath::Kind::kPersonAttr:
    case PinPath::Kind::kPersonSet:
      if (env->person == nullptr) break;
      return vm::PersonAttr(c, Value::Of(ValueKind::kPerson, env->person), path.id);
    case PinPath::Kind::kParam:
    case PinPath::Kind::kParamSet:
      return vm::LoadParam(c, path.id);
    case PinPath::Kind::kContext:
    case PinPath::Kind::kContextSet:
      return vm::LoadContext(c, path.id);
    default:
      break;
  }
  return vm::Missing();
}

}  // namespace dpl
