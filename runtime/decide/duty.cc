// See duty.h.
#include "runtime/decide/duty.h"

#include "runtime/base/text.h"
#include "runtime/decide/render.h"

namespace dpl {
namespace {

struct DutyRow {
  DutyKind kind;
  std::string_view name, authzen;
};
constexpr DutyRow kRows[kDutyKinds] = {
    {DutyKind::kStepUp, "step_up", "step-up"},
    {DutyKind::kSign, "sign", "sign"},
    {DutyKind::kLog, "log", "log"},
    {DutyKind::kMask, "mask", "mask"},
    {DutyKind::kNotify, "notify", "notification"},
};

}  // namespace

std::string_view DutyName(DutyKind kind) { return kRows[static_cast<size_t>(kind)].name; }

std::string_view DutyAuthzen(DutyKind kind) { return kRows[static_cast<size_t>(kind)].authzen; }

bool FindDuty(std::string_view name, DutyKind* out) {
  for (const DutyRow& row : kRows) {
    if (row.name != name && row.authzen != name) continue;
    *out = row.kind;
    return true;
  }
  return false;
}

uint8_t DutyBits(const std::vector<std::string>& names) {
  uint8_t bits = 0;
  for (const std::string& name : names) {
    DutyKind kind;
    if (FindDuty(name, &kind)) bits = static_cast<uint8_t>(bits | DutyBit(kind));
  }
  return bits;
}

const Duty& DutyOf(const Program& program, const DutyOut& duty) {
  static const Duty kOurLog{DutyKind::kLog, 0, {}, {}, {}};
  if (duty.statement == kNone) return kOurLog;  // impersonation
  const Statement& s = program.statements[duty.statement];
  return s.kind == StatementKind::kBreakGlass ? program.break_glasses[s.detail].notify[duty.index]
                                              : program.obligations[s.detail].duties[duty.index];
}

void AppendDuty(std::string* out, const Program& program, const DutyOut& out_duty) {
  const Duty& duty = DutyOf(program, out_duty);
  out->append(DutyName(duty.kind));
  switch (duty.kind) {
    case DutyKind::kStepUp:
      out->append(" ").append(Quote(program.Text(duty.text)));
      return;
    case DutyKind::kSign:
      out->append(" meaning ").append(Quote(program.Text(duty.text)));
      return;
    case DutyKind::kLog:
      return;
    case DutyKind::kMask:
      for (size_t i = 0; i < duty.fields.size(); ++i)
        out->append(i == 0 ? " " : ", ").append(program.Text(duty.fields[i]));
      return;
    case DutyKind::kNotify:
      out->append(" ");
      AppendOwner(out, program, duty.who);
      return;
  }
}

}  // namespace dpl
