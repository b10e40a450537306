// The emergency door of step 6: whether the one that a request names is valid here and now.
//
// Opening is an act of the person, alone (closing rule 2): the first permitted use in direct mode
// is the opening, recorded with the words it was made with. From then on, and until `lasts` is
// over, the same words use that opening; software of the person may, where the door says `any
// agent`. What is over is not opened again with the same words: another emergency has its own.
#include <algorithm>

#include "runtime/decide/fold.h"

namespace dpl {
namespace {

// By its qualified name, or by its short one where only one door is called so.
uint32_t FindDoor(const Fold& f, std::string_view name) {
  uint32_t statement = f.snapshot.FindStatement(name);
  if (statement != kNone) {
    return f.program.statements[statement].kind == StatementKind::kBreakGlass ? statement : kNone;
  }
  for (uint32_t s : f.program.break_glass_statements) {
    std::string_view full = f.Text(f.program.statements[s].name);
    bool called = full.size() > name.size() && full.ends_with(name) &&
                  full[full.size() - name.size() - 1] == '.';
    if (!called) continue;
    if (statement != kNone) return kNone;
    statement = s;
  }
  return statement;
}

bool Said(std::string_view text) { return text.find_first_not_of(' ') != std::string_view::npos; }

// Why the door stays shut; empty: it is open.
std::string_view WhyShut(Fold& f, uint32_t statement) {
  const Statement& s = f.program.statements[statement];
  const BreakGlass& door = f.program.break_glasses[s.detail];
  const Request& r = f.request;
  if (s.expires_us <= f.now.us) return "it has expired";
  if (f.person == nullptr || f.deputy != nullptr) return "only a person can open it, in person";
  if (f.has_agent() && !door.agents) return "it is not for agents";
  if ((door.needs & kNeedReason) != 0 && !Said(r.break_glass_reason)) return "it needs a reason";
  if ((door.needs & kNeedTicket) != 0 && !Said(r.break_glass_ticket)) return "it needs a ticket";
  uint32_t clause = kNone;
  for (const Hit& hit : HitsOf(f, ClauseRole::kBreakGlassMay)) {
    if (hit.match == Truth::kTrue) clause = std::min(clause, hit.clause);
  }
  if (clause == kNone) return "it does not open this for the person";

  std::string_view name = f.Text(s.name);
  Instant at = std::max(f.now, f.store.HighTime()), opened = at;
  uint64_t uses = 0;
  if (f.store.FindOpening(name, f.person->id, r.break_glass_reason, r.break_glass_ticket, &opened,
                          &uses)) {
    if (Subtract(at, opened).us >= door.lasts_us) return "this opening is over";
  } else if (f.has_agent()) {
    return "the person has not opened it";
  }
  if (f.Revoked(RevokedKind::kBreakGlass, name, opened)) return "it is revoked";
  if (f.Revoked(RevokedKind::kPerson, f.person->id, opened)) return "this opening is revoked";
  f.break_glass_clause = clause;
  f.d.opening = {statement, opened, Add(opened, Duration{door.lasts_us}).value_or(kMaxInstant),
                 Add(opened, Duration{door.review_within_us}).value_or(kMaxInstant), uses};
  return {};
}

}  // namespace

bool OpenBreakGlass(Fold& f) {
  uint32_t statement = FindDoor(f, f.request.break_glass);
  if (statement == kNone) {
    if (!f.reporting) f.d.detail = "there is no break_glass of this name";
    return false;
  }
  f.break_glass_named = statement;
  std::string_view why = WhyShut(f, statement);
  if (why.empty()) {
    f.break_glass = statement;
    return true;
  }
  if (!f.reporting) f.d.detail = why;
  f.Blame(Part::kBreakGlass, statement, kNone, Truth::kFalse);
  return false;
}

bool LiftedByBreakGlass(const Fold& f, uint32_t forbid) {
  if (f.break_glass == kNone) return false;
  const std::vector<uint32_t>& lifts =
      f.program.break_glasses[f.program.statements[f.break_glass].detail].lifts;
  return std::binary_search(lifts.begin(), lifts.end(), forbid);
}

}  // namespace dpl
