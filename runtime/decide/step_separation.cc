// Step 11: whoever did one half does not do the other, directly or through any agent.
#include <algorithm>

#include "runtime/decide/fold.h"

namespace dpl {
namespace {

struct Match {
  uint32_t statement;
  int side;
  uint32_t clause;
  Truth match;
};

// The key that joins the two acts, as text of its own kind; false when it is ⊥ or absent.
bool KeyText(Fold& f, uint32_t code, std::string_view* out) {
  Value v = RunCode(f, code);
  if (v.is_error() || v.kind == ValueKind::kAbsent || v.kind == ValueKind::kUnset) return false;
  f.text.clear();
  AppendValue(&f.text, v, f.schema);
  *out = f.Keep(f.text);
  return true;
}

}  // namespace

Reason StepSeparation(Fold& f) {
  f.acts = {};
  ArenaList<Match> matches;
  for (ClauseRole role : {ClauseRole::kSeparateA, ClauseRole::kSeparateB}) {
    int side = role == ClauseRole::kSeparateA ? 0 : 1;
    for (const Hit& hit : HitsOf(f, role)) {
      Truth match = hit.match;
      if (match == Truth::kFalse) match = MatchForDeputy(f, hit.clause);
      if (match == Truth::kFalse) continue;
      uint32_t statement = f.notes.clauses[hit.clause].statement;
      bool seen = std::any_of(matches.begin(), matches.end(), [&](const Match& m) {
        return m.statement == statement && m.side == side;
      });
      if (!seen && !matches.Add(f.arena, {statement, side, hit.clause, match})) f.OutOfArena();
    }
  }
  Reason result = kPass;
  for (const Match& m : matches) {
    const Statement& s = f.program.statements[m.statement];
    const Separate& separate = f.program.separates[s.detail];
    if (separate.role_a != kNone) {
      // The clause itself says that both roles are held, or that nobody can tell.
      f.Blame(Part::kSeparation, m.statement, m.clause, m.match);
      result = Reason::kSeparation;
      continue;
    }
    std::string_view key;
    uint32_t code = m.side == 0 ? separate.by_code_a : separate.by_code_b;
    if (code != kNone && !KeyText(f, code, &key)) {
      f.Blame(Part::kSeparation, m.statement, kNone, Truth::kError);
      result = Reason::kSeparation;
      continue;
    }
    // `within 90d` still counts what was done exactly 90 days ago; the store takes what lies after
    // an instant.
    Instant not_before{INT64_MIN};
    if (separate.within_us != 0)
      not_before = Subtract(f.now, Duration{separate.within_us}).value_or(kMinInstant);
    if (separate.within_us != 0) not_before.us -= 1;
    auto concern = [&](std::string_view who) {
      if (f.store.ActRecorded(f.Text(s.name), 1 - m.side, key, who, not_before)) {
        f.Blame(Part::kSeparation, m.statement, kNone);
        result = Reason::kSeparation;
      }
      if (!f.acts.Add(f.arena, {m.statement, m.side, f.Text(s.name), key, who, not_before}))
        f.OutOfArena();
    };
    if (f.person != nullptr) {
      concern(f.person->id);
      if (f.deputy != nullptr) concern(f.deputy->id);
      continue;
    }
    if (f.partner != kNone) {
      f.text.assign("partner:").append(f.partner_subject);
      concern(f.Keep(f.text));
      continue;
    }
    // Nobody stands behind a standing run but its template and the person who answers for it.
    if (f.hop_count == 0) continue;
    f.text.assign("agent:").append(f.hops[0].name);
    concern(f.Keep(f.text));
    uint32_t accountable = f.program.agents[f.chain[0]].accountable;
    if (accountable != kNone) concern(f.program.constants[accountable].text);
  }
  return result;
}

}  // namespace dpl
