// All codes of a program: how they lie in the words, and each proven for every place that uses it.
#include "runtime/bytecode/verify_code.h"

namespace dpl::verify {

Result<TypeId> ParamType(const Program& program, const CodeUse& use, Str name, Work* work) {
  const Schema& schema = program.schema;
  TypeId found = kNone;
  auto look = [&](const ActionDef& action) -> Status {
    DPL_NEED(work->Take(action.params.size() + 1), "bundle.size",
             "the proof of all code takes too long");
    for (const ParamDef& param : action.params) {
      if (param.name != name) continue;
      auto plain = [&](TypeId type) {
        TypeDef def = schema.types[type];
        def.optional = false;
        return def;
      };
      DPL_NEED(found == kNone || plain(found) == plain(param.type), kCode,
               "the parameter {} has two types", schema.Text(name));
      found = param.type;
    }
    return Status::Ok();
  };
  auto look_in = [&](const Clause& clause) -> Status {
    for (uint32_t action : clause.actions)
      DPL_RETURN_IF_ERROR(look(schema.resources[clause.type].actions[action]));
    return Status::Ok();
  };
  if (use.clause != kNone) {
    DPL_RETURN_IF_ERROR(look_in(program.clauses[use.clause]));
  } else if (use.statement != kNone) {
    for (uint32_t c : program.statements[use.statement].clauses)
      DPL_RETURN_IF_ERROR(look_in(program.clauses[c]));
  } else {
    for (const ResourceDef& resource : schema.resources) {
      for (const ActionDef& action : resource.actions) DPL_RETURN_IF_ERROR(look(action));
    }
  }
  return found;
}

Status Codes(const Program& program, const std::vector<CodeUse>& uses) {
  // The codes lie one behind the other and fill the words.
  uint64_t offset = 0;
  for (size_t i = 0; i < program.codes.size(); ++i) {
    const Code& code = program.codes[i];
    DPL_NEED(code.offset == offset && code.size > 0 && code.size <= kMaxCodeWords &&
                 offset + code.size <= program.code.size(),
             kCode, "code {} does not lie where the one before it ends", i);
    offset += code.size;
  }
  DPL_NEED(offset == program.code.size(), kCode, "there are words that belong to no code");
  std::vector<bool> used(program.codes.size(), false);
  TypeTable types(program);
  Work work(program);
  CodeProof proof(program, &types, &work);
  for (const CodeUse& use : uses) {
    used[use.code] = true;
    DPL_RETURN_IF_ERROR(proof.Prove(use));
  }
  for (size_t i = 0; i < used.size(); ++i)
    DPL_NEED(used[i], kCode, "code {} is used by nothing", i);
  return Status::Ok();
}

}  // namespace dpl::verify
