#include "runtime/bytecode/schema.h"

namespace dpl {
namespace {

// The entry whose name is `name`; else the only one whose last part is.
template <class Def>
uint32_t FindQualifiedOrShort(const Schema& schema, const std::vector<Def>& defs,
                              std::string_view name) {
  uint32_t found = kNone;
  int count = 0;
  for (uint32_t i = 0; i < defs.size(); ++i) {
    std::string_view full = schema.Text(defs[i].name);
    if (full == name) return i;
    if (full.size() > name.size() && full.ends_with(name) &&
        full[full.size() - name.size() - 1] == '.') {
      ++count;
      found = i;
    }
  }
  return count == 1 ? found : kNone;
}

template <class Def>
uint32_t FindExact(const Schema& schema, const std::vector<Def>& defs, std::string_view name) {
  for (uint32_t i = 0; i < defs.size(); ++i) {
    if (schema.Text(defs[i].name) == name) return i;
  }
  return kNone;
}

}  // namespace

uint32_t FindTeam(const Schema& schema, std::string_view name) {
  return FindQualifiedOrShort(schema, schema.teams, name);
}
uint32_t FindRole(const Schema& schema, std::string_view name) {
  return FindQualifiedOrShort(schema, schema.roles, name);
}
uint32_t FindSystem(const Schema& schema, std::string_view name) {
  return FindExact(schema, schema.systems, name);
}
uint32_t FindResource(const Schema& schema, std::string_view name) {
  return FindExact(schema, schema.resources, name);
}
uint32_t FindAction(const ResourceDef& resource, const Schema& schema, std::string_view name) {
  return FindExact(schema, resource.actions, name);
}

}  // namespace dpl
