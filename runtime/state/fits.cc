// See fits.h.
#include "runtime/state/fits.h"

#include <algorithm>

namespace dpl {
namespace {

struct Named {
  StatementKind kind;
  std::string_view word;
  std::string name;
};

// The statement that a revocation names; nothing: it names none, or one that matters no more.
std::optional<Named> StatementOf(const Revocation& r, const StateStore& store) {
  switch (r.kind) {
    case RevokedKind::kAgent:
      return Named{StatementKind::kAgent, "agent", r.name};
    case RevokedKind::kGrant:
      return Named{StatementKind::kGrant, "grant", r.name};
    case RevokedKind::kDelegation:
      return Named{StatementKind::kDelegation, "delegation", r.name};
    case RevokedKind::kBreakGlass:
      return Named{StatementKind::kBreakGlass, "break_glass", r.name};
    case RevokedKind::kPartner:
      return Named{StatementKind::kPartner, "partner", r.name.substr(0, r.name.find('/'))};
    case RevokedKind::kApproval:
      // One record by its id, or all of an `approval`, whose name has its package in front.
      if (r.name.find('.') == std::string::npos || store.FindApproval(r.name) != nullptr) break;
      return Named{StatementKind::kApproval, "approval", r.name};
    case RevokedKind::kInstance: {
      std::string_view name = r.name;
      size_t slash = name.find('/');
      Instant born;
      bool bound = false;
      if (slash == std::string_view::npos ||
          !store.FindInstance(name.substr(0, slash), name.substr(slash + 1), &born, &bound))
        break;
      return Named{StatementKind::kAgent, "agent", std::string(name.substr(0, slash))};
    }
    default:
      break;
  }
  return std::nullopt;
}

std::string Days(int64_t us) {
  return std::to_string((us + kMicrosPerDay - 1) / kMicrosPerDay) + "d";
}

}  // namespace

Status CheckFits(const Snapshot& snapshot, const StateStore& store,
                 std::span<const std::string> dropped) {
  const Program& program = snapshot.program();
  std::string after;
  do {
    Page<Revocation> page = store.ListRevocations({after, 1000});
    for (const Revocation& r : page.items) {
      if (r.name.empty()) continue;
      std::optional<Named> named = StatementOf(r, store);
      if (!named.has_value()) continue;
      uint32_t s = snapshot.FindStatement(named->name);
      if (s != kNone && program.statements[s].kind == named->kind) continue;
      if (std::find(dropped.begin(), dropped.end(), named->name) != dropped.end()) continue;
      return Error{"state.revoked", std::string(named->word) + " " + named->name +
                                        " is revoked, and this policy has none of that name: under "
                                        "another name it would be free again"};
    }
    after = page.next;
  } while (!after.empty());

  const int64_t history = store.HistoryUs();
  auto too_long = [&](std::string_view what, std::string_view name, int64_t window) {
    return Error{"state.window", std::string(what) + " " + std::string(name) + " looks back " +
                                     Days(window) + ", and the store keeps " + Days(history)};
  };
  for (const Limit& limit : program.limits) {
    if (limit.period == LimitPeriod::kSliding && limit.window_us > history)
      return too_long("limit", program.Text(limit.name), limit.window_us);
  }
  for (const Statement& s : program.statements) {
    if (s.kind != StatementKind::kAgent) continue;
    const int64_t window = program.agents[s.detail].instances_window_us;
    if (window > history) return too_long("agent", program.Text(s.name), window);
  }
  return Status::Ok();
}

}  // namespace dpl
