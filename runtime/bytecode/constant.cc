#include "runtime/bytecode/constant.h"

#include "runtime/base/decimal.h"
#include "runtime/base/instant.h"
#include "runtime/base/ip.h"
#include "runtime/base/money.h"
#include "runtime/base/text.h"

namespace dpl {
namespace {

constexpr size_t kMaxShownElements = 16;

void AppendName(std::string* out, const Schema& schema, Str name) { *out += schema.Text(name); }

}  // namespace

void AppendConstant(std::string* out, const Program& program, uint32_t index) {
  const Constant& c = program.constants[index];
  const Schema& schema = program.schema;
  switch (c.kind) {
    case Constant::Kind::kBool:
      *out += c.number != 0 ? "true" : "false";
      return;
    case Constant::Kind::kInt:
      *out += std::to_string(c.number);
      return;
    case Constant::Kind::kDecimal:
      // The point tells a decimal from an int, as nothing else would.
      AppendDecimal(out, Decimal{c.number});
      if (c.number % kDecimalOne == 0) *out += ".0";
      return;
    case Constant::Kind::kMoney:
      AppendMoney(out, Money{c.number, static_cast<uint16_t>(c.extra)});
      return;
    case Constant::Kind::kString:
      *out += Quote(c.text);
      return;
    case Constant::Kind::kDate:
      AppendDate(out, Date{static_cast<int32_t>(c.number)});
      return;
    case Constant::Kind::kDateTime:
      AppendInstant(out, Instant{c.number});
      return;
    case Constant::Kind::kTime:
      AppendTime(out, TimeOfDay{c.number});
      return;
    case Constant::Kind::kDuration:
      AppendDuration(out, Duration{c.number});
      return;
    case Constant::Kind::kEnum: {
      const EnumDef& e = schema.enums[c.extra];
      AppendName(out, schema, e.name);
      *out += '.';
      AppendName(out, schema, e.members[static_cast<size_t>(c.number)]);
      return;
    }
    case Constant::Kind::kSet: {
      *out += '{';
      for (size_t i = 0; i < c.elements.size() && i < kMaxShownElements; ++i) {
        if (i != 0) *out += ", ";
        AppendConstant(out, program, c.elements[i]);
      }
      if (c.elements.size() > kMaxShownElements) *out += ", …";
      *out += '}';
      return;
    }
    case Constant::Kind::kPath:
      *out += "path " + Quote(c.text);
      return;
    case Constant::Kind::kIp:
      *out += "ip " + Quote(c.text);
      return;
    case Constant::Kind::kPerson:
      *out += "person " + Quote(c.text);
      return;
    case Constant::Kind::kResource:
      AppendName(out, schema, schema.resources[c.extra].name);
      *out += ' ' + Quote(c.text);
      return;
    case Constant::Kind::kTeam:
      *out += "team ";
      AppendName(out, schema, schema.teams[static_cast<size_t>(c.number)].name);
      return;
    case Constant::Kind::kRole:
      *out += "role ";
      AppendName(out, schema, schema.roles[static_cast<size_t>(c.number)].name);
      return;
    case Constant::Kind::kAgent:
      *out += "agent ";
      AppendName(out, schema,
                 program.statements[program.agent_statements[static_cast<size_t>(c.number)]].name);
      return;
    case Constant::Kind::kPattern:
      *out += (c.extra == 0 ? "like " : "matches ") + Quote(c.text);
      return;
  }
}

}  // namespace dpl
