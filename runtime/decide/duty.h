// Duties: what whoever enforces a permit must do besides letting it happen, by name and as bits.
//
//   DutyKind kind;
//   if (FindDuty("step-up", &kind)) supported |= DutyBit(kind);
//
// An enforcement point is known to carry out what its registration and the request both say, and
// `log`, which is ours (docs/api.md, "Duties").
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/decide/decision.h"

namespace dpl {

constexpr uint8_t DutyBit(DutyKind kind) {
  return static_cast<uint8_t>(1u << static_cast<int>(kind));
}
constexpr uint8_t kAllDuties = (1u << kDutyKinds) - 1;

std::string_view DutyName(DutyKind kind);     // "step_up", as policies write it
std::string_view DutyAuthzen(DutyKind kind);  // "step-up", as AuthZEN does
// By our name or by AuthZEN's ("step-up", "notification"). `custom` names no duty in particular.
bool FindDuty(std::string_view name, DutyKind* out);
uint8_t DutyBits(const std::vector<std::string>& names);

const Duty& DutyOf(const Program& program, const DutyOut& duty);
// `mask salary, notes`, `step_up "urn:loa:3"`: as policies write it.
void AppendDuty(std::string* out, const Program& program, const DutyOut& duty);

}  // namespace dpl
