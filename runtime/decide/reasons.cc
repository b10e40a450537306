// The table of reasons read back, and the names of modes and levels.
#include <iterator>

#include "runtime/decide/decision.h"
#include "runtime/decide/duty.h"

namespace dpl {
namespace {

struct Row {
  std::string_view code;
  int step;
  std::string_view user, meaning;
};
constexpr Row kRows[] = {
#define DPL_REASON(name, code, step, user, meaning) {code, step, user, meaning},
#include "runtime/decide/reasons.def"
#undef DPL_REASON
};

constexpr std::string_view kExplain[] = {"none", "reason", "full", "trace"};

const Row& RowOf(Reason reason) { return kRows[static_cast<size_t>(reason)]; }

}  // namespace

std::string_view ReasonCode(Reason reason) { return RowOf(reason).code; }
std::string_view ReasonUserText(Reason reason) { return RowOf(reason).user; }
std::string_view ReasonMeaning(Reason reason) { return RowOf(reason).meaning; }
int ReasonStep(Reason reason) { return RowOf(reason).step; }

bool FindReason(std::string_view code, Reason* out) {
  for (size_t i = 0; i < std::size(kRows); ++i) {
    if (kRows[i].code != code) continue;
    *out = static_cast<Reason>(i);
    return true;
  }
  return false;
}

bool FindExplain(std::string_view name, Explain* out) {
  for (size_t i = 0; i < std::size(kExplain); ++i) {
    if (kExplain[i] != name) continue;
    *out = static_cast<Explain>(i);
    return true;
  }
  return false;
}

std::string_view ExplainName(Explain level) { return kExplain[static_cast<size_t>(level)]; }

std::string_view OutcomeName(OutcomeKind outcome) {
  switch (outcome) {
    case OutcomeKind::kPermit:
      return "permit";
    case OutcomeKind::kDeny:
      return "deny";
    case OutcomeKind::kAsk:
      return "ask";
  }
  return "deny";
}

std::string_view ModeName(ActingMode mode) {
  switch (mode) {
    case ActingMode::kDirect:
      return "direct";
    case ActingMode::kOnBehalfOf:
      return "on_behalf_of";
    case ActingMode::kImpersonate:
      return "impersonate";
    case ActingMode::kStanding:
      return "standing";
    case ActingMode::kPublic:
      return "public";
    case ActingMode::kPartner:
      return "partner";
  }
  return "";
}

Caller Caller::Everything(std::string name) {
  Caller c;
  c.name = std::move(name);
  c.asserts_all_partners = c.trusts_all_issuers = true;
  c.serves_persons = c.asserts_actors = c.asserts_instances = c.asserts_all_attributes = true;
  c.charge_keys = c.request_id_keys = c.dry_run = c.search = c.details = true;
  for (int kind = 0; kind < kDutyKinds; ++kind)
    c.duties.emplace_back(DutyName(static_cast<DutyKind>(kind)));
  return c;
}

}  // namespace dpl
