// See counter_text.h.
#include "server/operate/counter_text.h"

#include "runtime/base/money.h"
#include "runtime/bytecode/opcode.h"

namespace dpl {
namespace {

constexpr char kPartSign = '\x1f';  // counter_name.cc begins every part with it

// One part: its mark, and its value after a length whose digits stand in reverse.
bool TakePart(std::string_view* rest, char* mark, std::string_view* value) {
  if (rest->size() < 4 || (*rest)[0] != kPartSign) return false;
  *mark = (*rest)[1];
  size_t length = 0, scale = 1, at = 2;
  for (; at < rest->size() && (*rest)[at] != ':'; ++at, scale *= 10) {
    if ((*rest)[at] < '0' || (*rest)[at] > '9' || at > 10) return false;
    length += static_cast<size_t>((*rest)[at] - '0') * scale;
  }
  if (at >= rest->size() || length > rest->size() - at - 1) return false;
  *value = rest->substr(at + 1, length);
  rest->remove_prefix(at + 1 + length);
  return true;
}

std::string_view KeyWord(char mark) {
  switch (mark) {
    case 'p':
      return "person";
    case 'a':
      return "agent";
    case 'i':
      return "instance";
    case 't':
      return "task";
    case 'g':
    case 'x':
      return "partner";
    case 'r':
      return "resource";
    default:
      return "value";
  }
}

uint32_t TypeIn(const ActionDef& action, Str measure) {
  for (const ParamDef& param : action.params) {
    if (param.name == measure) return param.type;
  }
  return kNone;
}

// The type of the measure: from an action that the limit's own clauses name; where they name none
// (a delegation that lends what its agent may), from any action that has it.
uint32_t TypeOf(const Program& program, const Limit& limit) {
  for (uint32_t index : program.statements[limit.statement].clauses) {
    const Clause& clause = program.clauses[index];
    if (clause.type == kNone) continue;
    for (uint32_t action : clause.actions) {
      uint32_t type = TypeIn(program.schema.resources[clause.type].actions[action], limit.measure);
      if (type != kNone) return type;
    }
  }
  for (const ResourceDef& resource : program.schema.resources) {
    for (const ActionDef& action : resource.actions) {
      if (uint32_t type = TypeIn(action, limit.measure); type != kNone) return type;
    }
  }
  return kNone;
}

}  // namespace

CounterText ReadCounter(const Snapshot& snapshot, std::string_view name) {
  const Program& program = snapshot.program();
  CounterText out;
  out.schema = &program.schema;
  out.identity = name.substr(0, name.find(kPartSign));
  std::string_view rest = name.substr(out.identity.size());
  char mark = 0, last = 0;
  std::string_view value;
  while (TakePart(&rest, &mark, &value)) {
    if (mark == 'u') {
      out.currency = value;
    } else if (mark == last && (mark == 'i' || mark == 'r')) {
      out.keys.back().second.append("/").append(value);  // agent/instance, type/id
      last = 0;
      continue;
    } else {
      out.keys.emplace_back(KeyWord(mark), value);
    }
    last = mark;
  }
  for (uint32_t i = 0; i < program.limits.size() && out.limit == kNone; ++i) {
    if (!program.limits[i].no_limit && program.Text(program.limits[i].identity) == out.identity)
      out.limit = i;
  }
  if (out.limit == kNone) return out;
  const Limit& limit = program.limits[out.limit];
  if (!limit.requests) out.type = TypeOf(program, limit);
  // A key that is an expression is called what the policy calls it.
  for (size_t i = 0; i < out.keys.size() && i < limit.keys.size(); ++i) {
    if (limit.keys[i].kind == KeyPartKind::kCode)
      out.keys[i].first = program.Text(limit.keys[i].name);
  }
  return out;
}

std::string CounterText::Write(int64_t quantity) const {
  std::string out;
  if (Result<Money> unit = ParseMoney("0", currency); !currency.empty() && unit.ok()) {
    AppendMoney(&out, {quantity, unit->currency});
    return out;
  }
  ValueKind kind = ValueKind::kInt;
  if (type != kNone && schema->types[type].kind == TypeKind::kDecimal) kind = ValueKind::kDecimal;
  if (type != kNone && schema->types[type].kind == TypeKind::kDuration) kind = ValueKind::kDuration;
  AppendValue(&out, Value::Int(kind, quantity), *schema);
  return out;
}

std::optional<int64_t> FixedCap(const Snapshot& snapshot, const CounterText& counter) {
  if (counter.limit == kNone) return std::nullopt;
  const Program& program = snapshot.program();
  const uint32_t index = program.limits[counter.limit].cap_code;
  if (index == kNone) return std::nullopt;
  const Code& code = program.codes[index];
  if (code.size != InfoOf(Opcode::kPushConst).words() + InfoOf(Opcode::kReturn).words() ||
      OpcodeOfWord(program.code[code.offset]) != Opcode::kPushConst)
    return std::nullopt;
  return snapshot.constant(program.code[code.offset + 1]).i;
}

}  // namespace dpl
