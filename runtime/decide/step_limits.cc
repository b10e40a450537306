// Step 12: every limit that binds has room, and what must be limited is.
#include <algorithm>

#include "runtime/base/decimal.h"
#include "runtime/decide/fold.h"
#include "runtime/state/counter_name.h"

namespace dpl {
namespace {

// A statement whose limits bind this request (Λ), or whose `ask` does.
struct Binder {
  uint32_t statement = kNone;
  bool matched = false;  // some clause of it says T: it counts as limiting what must be limited
  bool deputy = false;   // it binds as for the person who acts for another
};

struct Gathering {
  ArenaList<Binder> binders;
  void Add(Fold& f, uint32_t statement, bool matched, bool deputy = false) {
    for (Binder& b : binders) {
      if (b.statement != statement || b.deputy != deputy) continue;
      b.matched |= matched;
      return;
    }
    if (!binders.Add(f.arena, {statement, matched, deputy})) f.OutOfArena();
  }
};

// Λ: blocks that bite; started grants and delegations that bite, live or not (closing rule 22);
// every hop; the task.
void Gather(Fold& f, Gathering* g) {
  auto take = [&](ClauseRole role, auto accept) {
    for (const Hit& hit : HitsOf(f, role)) {
      if (hit.match == Truth::kFalse) continue;
      const Clause& clause = f.program.clauses[hit.clause];
      if (!accept(clause.statement)) continue;
      g->Add(f, clause.statement, hit.match == Truth::kTrue);
      if (clause.ask_approval == kNone) continue;
      if (role == ClauseRole::kGrantMay && Superseded(f, clause.statement, nullptr)) continue;
      AddNeed(f, clause.ask_approval, clause.statement);
    }
  };
  take(ClauseRole::kLimitCovers, [](uint32_t) { return true; });
  // What caps the person who acts for another caps them here too.
  for (const Hit& hit : HitsOf(f, ClauseRole::kLimitCovers)) {
    if (f.deputy == nullptr) break;
    Truth match = MatchForDeputy(f, hit.clause);
    if (match != Truth::kFalse)
      g->Add(f, f.notes.clauses[hit.clause].statement, match == Truth::kTrue, true);
  }
  auto started = [&](uint32_t s) {
    if (!Started(f, s)) f.Flips(Instant{f.program.statements[s].granted_us});
    return Started(f, s);
  };
  take(ClauseRole::kGrantMay, started);
  if (f.mode == ActingMode::kPartner) {
    take(ClauseRole::kPartnerMay, [](uint32_t) { return true; });
    g->Add(f, f.partner_statement, false);
  } else if (f.mode != ActingMode::kPublic && f.mode != ActingMode::kDirect) {
    take(ClauseRole::kDelegationMay, started);
    take(ClauseRole::kAgentMay, [](uint32_t) { return true; });
    for (int i = 0; i < f.hop_count; ++i) g->Add(f, f.hops[i].statement, false);
    if (f.task_statement != kNone) {
      take(ClauseRole::kTaskMay, [](uint32_t) { return true; });
      g->Add(f, f.task_statement, false);
    }
  }
  std::sort(g->binders.begin(), g->binders.end(), [](const Binder& a, const Binder& b) {
    return a.statement != b.statement ? a.statement < b.statement : a.deputy < b.deputy;
  });
}

uint32_t ParamOf(const Fold& f, const Limit& limit) {
  const std::vector<ParamDef>& params = f.action_def->params;
  for (uint32_t i = 0; i < params.size(); ++i) {
    if (params[i].name == limit.measure) return i;
  }
  return kNone;
}

// What must be limited needs one statement that says T and limits it, or says `no limit` (closing
// rule: limit.unbounded).
bool Bounded(const Fold& f, const Gathering& g, uint32_t param) {
  for (const Binder& b : g.binders) {
    const Statement& s = f.program.statements[b.statement];
    if (s.kind == StatementKind::kGrant ? !InAuthority(f, b.statement) : !b.matched) continue;
    for (uint32_t i : s.limits) {
      const Limit& limit = f.program.limits[i];
      if (!limit.requests && limit.measure == f.action_def->params[param].name) return true;
    }
  }
  return false;
}

void Unknown(BoundLimit* out, ErrorKind error) {
  out->line.state = LimitState::kUnknown;
  out->line.error = error;
  out->countable = false;
}

const Hop& Actor(const Fold& f) { return f.hops[static_cast<size_t>(f.hop_count - 1)]; }

// The counter's name for these key values; false when a part is missing, with the reason in `out`.
bool NameCounter(Fold& f, const Limit& limit, const Hop* hop, BoundLimit* out) {
  std::string& name = f.text;
  BeginCounterName(&name, f.Text(limit.identity));
  for (const LimitKeyPart& part : limit.keys) {
    switch (part.kind) {
      case KeyPartKind::kPerson:
        if (f.person == nullptr) return Unknown(out, ErrorKind::kMissing), false;
        AppendCounterPart(&name, 'p', f.person->id);
        break;
      case KeyPartKind::kAgent:
        if (hop == nullptr) return Unknown(out, ErrorKind::kMissing), false;
        AppendCounterPart(&name, 'a', hop->name);
        break;
      case KeyPartKind::kInstance:
        if (f.hop_count == 0) return Unknown(out, ErrorKind::kMissing), false;
        AppendCounterPart(&name, 'i', Actor(f).name);
        AppendCounterPart(&name, 'i', Actor(f).instance);
        break;
      case KeyPartKind::kTask:
        if (f.task_statement == kNone) return Unknown(out, ErrorKind::kMissing), false;
        AppendCounterPart(&name, 't', f.request.task);
        break;
      case KeyPartKind::kPartner:
        if (f.partner == kNone) return Unknown(out, ErrorKind::kMissing), false;
        AppendCounterPart(&name, 'g', f.Text(f.program.statements[f.partner_statement].name));
        break;
      case KeyPartKind::kResource:
        AppendCounterPart(&name, 'r', f.Text(f.resource_def->name));
        AppendCounterPart(&name, 'r', f.d.resource_id);
        break;
      case KeyPartKind::kCode: {
        Value v = RunCode(f, part.code);
        if (v.is_error() || v.kind == ValueKind::kAbsent || v.kind == ValueKind::kUnset) {
          return Unknown(out, v.is_error() ? v.error() : ErrorKind::kMissing), false;
        }
        size_t before = name.size();
        AppendValue(&name, v, f.schema);
        std::string_view value = f.Keep(std::string_view(name).substr(before));
        name.resize(before);
        AppendCounterPart(&name, 'v', value);
        break;
      }
    }
  }
  AppendCounterUnit(&name, out->line.requested);
  out->counter = f.Keep(name);
  return true;
}

// The tier that takes u + q; ⊥ in one that would be needed is unknown.
void FindTier(Fold& f, const Limit& limit, int64_t sum, BoundLimit* out) {
  for (uint32_t t = 0; t < limit.tiers.size(); ++t) {
    const LimitTier& tier = limit.tiers[t];
    if (tier.up_to_code == kNone) {
      out->tier = t;
      out->tier_open = true;
      break;
    }
    Value up_to = RunCode(f, tier.up_to_code);
    if (up_to.is_error()) return Unknown(out, up_to.error());
    if (up_to.kind != out->line.requested.kind) return Unknown(out, ErrorKind::kMissing);
    if (up_to.n != out->line.requested.n) return Unknown(out, ErrorKind::kCurrency);
    if (sum > up_to.i) continue;
    out->tier = t;
    out->tier_cap = up_to.i;
    out->line.up_to = up_to;
    break;
  }
  if (out->tier == kNone) return;
  out->line.state = LimitState::kNeedsApproval;
  out->line.approval = limit.tiers[out->tier].approval;
}

bool BindsMore(const Fold& f, const BoundLimit& a, const BoundLimit& b);

void CheckOne(Fold& f, uint32_t limit_index, bool checked, bool deputy, const Hop* hop,
              Instant window_now, uint64_t replay) {
  const Limit& limit = f.program.limits[limit_index];
  TaskView view(f, limit.statement);
  BoundLimit b;
  b.checked = checked;
  b.line.limit = limit_index;
  b.line.deputy = deputy;
  if (hop != nullptr) b.line.agent = hop->agent;
  b.measure = limit.requests ? kNone : ParamOf(f, limit);
  Value q = limit.requests ? Value::Int(ValueKind::kInt, 1) : f.params[b.measure];
  q.flags = 0;
  bool each = limit.period == LimitPeriod::kEach;
  auto done = [&] {
    if (!checked) b.line.state = LimitState::kCounted;
    // A counter that both persons of a delegation share is charged once, by the tighter cap.
    for (BoundLimit& other : f.limits) {
      if (b.counter.empty() || other.line.limit != limit_index || other.counter != b.counter)
        continue;
      if (BindsMore(f, b, other)) other = b;
      return;
    }
    if (!f.limits.Add(f.arena, b)) f.OutOfArena();
  };
  if (q.kind == ValueKind::kUnset || q.kind == ValueKind::kAbsent) {
    Unknown(&b, ErrorKind::kMissing);
    return done();
  }
  b.line.requested = q;
  b.quantity = q.i;
  Value cap = RunCode(f, limit.cap_code);
  if (cap.is_error()) {
    Unknown(&b, cap.error());
  } else if (cap.kind != q.kind) {
    Unknown(&b, ErrorKind::kMissing);
  } else {
    b.line.cap = cap;
    b.cap = cap.i;
    if (cap.n != q.n) Unknown(&b, ErrorKind::kCurrency);
  }
  bool named = true;
  if (!each || !limit.keys.empty()) {
    LimitState before = b.line.state;
    ErrorKind error = b.line.error;
    named = NameCounter(f, limit, hop, &b);
    if (before == LimitState::kUnknown) b.line.error = error;
  }
  if (each || !named) b.counter = {};
  b.countable = named && b.line.state != LimitState::kUnknown;  // counters of q's unit only
  // A run without a name is a new one each time: nothing was counted for it, and nothing needs to
  // be.
  bool fresh_run = f.hop_count > 0 && Actor(f).instance.empty() &&
                   std::any_of(limit.keys.begin(), limit.keys.end(), [](const LimitKeyPart& k) {
                     return k.kind == KeyPartKind::kInstance;
                   });
  if (fresh_run) b.counter = {};
  if (!b.counter.empty()) {
    b.key = WindowOfLimit(limit, f.schema, window_now);
    b.key.identity = b.counter;
    b.used = f.store.Used(b.key, window_now);
    if (replay != 0) b.used -= std::min(b.used, f.store.Held(replay, b.key));
    if (b.key.window == CounterKey::Window::kCalendar) {
      b.line.has_window = true;
      b.line.resets = b.key.end;
    } else if (b.key.window == CounterKey::Window::kSliding) {
      b.line.has_window = true;
      b.line.resets = Add(window_now, Duration{limit.window_us}).value_or(kMaxInstant);
    }
  }
  if (named) b.line.used = Value::Int(q.kind, b.used, q.n);
  if (b.line.state == LimitState::kUnknown) return done();
  int64_t sum = 0;
  if (__builtin_add_overflow(b.used, b.quantity, &sum)) {
    Unknown(&b, ErrorKind::kRange);
    return done();
  }
  // Decimals have 18 digits: a sum beyond them is out of their range.
  if (q.kind == ValueKind::kDecimal && sum > kDecimalMax)
    Unknown(&b, ErrorKind::kRange);
  else if (sum > b.cap) {
    b.line.state = LimitState::kExceeded;
    FindTier(f, limit, sum, &b);
  }
  done();
}

void CheckLimit(Fold& f, uint32_t limit_index, bool checked, bool deputy, Instant window_now,
                uint64_t replay) {
  const Limit& limit = f.program.limits[limit_index];
  bool per_agent = std::any_of(limit.keys.begin(), limit.keys.end(),
                               [](const LimitKeyPart& k) { return k.kind == KeyPartKind::kAgent; });
  if (!per_agent || f.hop_count == 0)
    return CheckOne(f, limit_index, checked, deputy, nullptr, window_now, replay);
  // One counter per distinct template of the chain; all must have room.
  for (int i = 0; i < f.hop_count; ++i) {
    bool seen = std::find(f.chain.begin(), f.chain.begin() + i, f.chain[i]) != f.chain.begin() + i;
    if (!seen) CheckOne(f, limit_index, checked, deputy, &f.hops[i], window_now, replay);
  }
}

int Severity(LimitState state) {
  switch (state) {
    case LimitState::kUnknown:
      return 0;
    case LimitState::kExceeded:
      return 1;
    case LimitState::kNeedsApproval:
      return 2;
    default:
      return 3;
  }
}

// Whether `a` binds more than `b`: failing before fitting, then the least (cap - u - q) / cap, then
// the counter's name.
bool BindsMore(const Fold& f, const BoundLimit& a, const BoundLimit& b) {
  int sa = Severity(a.line.state), sb = Severity(b.line.state);
  if (sa != sb) return sa < sb;
  if (sa != 0) {
    bool no_cap_a = a.cap <= 0, no_cap_b = b.cap <= 0;
    if (no_cap_a != no_cap_b) return no_cap_a;
    if (!no_cap_a) {
      __int128 left = (static_cast<__int128>(a.cap) - a.used - a.quantity) * b.cap;
      __int128 right = (static_cast<__int128>(b.cap) - b.used - b.quantity) * a.cap;
      if (left != right) return left < right;
    }
  }
  std::string_view na = f.Text(f.program.limits[a.line.limit].identity),
                   nb = f.Text(f.program.limits[b.line.limit].identity);
  if (na != nb) return na < nb;
  return a.counter < b.counter;
}

// A replayed charge key is checked without what its own reservation holds.
uint64_t OpenReplay(Fold& f) {
  if (!HasKey(f)) return 0;
  uint64_t reservation = 0;
  ReservationState state = ReservationState::kSpent;
  std::string digest;
  ChargeKeyName(f, &f.text);
  if (!f.store.FindCharge(f.text, f.now, &reservation, &state, &digest) ||
      state != ReservationState::kOpen)
    return 0;
  char own[65];
  ReplayDigest(f, own);
  return digest == own ? reservation : 0;
}

}  // namespace

void AddNeed(Fold& f, uint32_t approval, uint32_t statement) {
  for (const Need& n : f.needs) {
    if (n.approval == approval) return;
  }
  if (!f.needs.Add(f.arena, {approval, statement})) f.OutOfArena();
}

void ChargeKeyName(const Fold& f, std::string* out) {
  out->clear();
  AppendCounterPart(out, 'c', f.caller.name);
  AppendCounterPart(out, 'p', f.person == nullptr ? std::string_view() : f.person->id);
  if (f.deputy != nullptr) AppendCounterPart(out, 'd', f.deputy->id);
  if (f.partner != kNone) AppendCounterPart(out, 'g', f.partner_subject);
  if (f.partner_hops > 0) AppendCounterPart(out, 'f', f.d.chain.items[0].foreign);
  AppendCounterPart(out, 'a', f.hop_count == 0 ? std::string_view() : f.hops[0].name);
  AppendCounterPart(out, 'k', f.request.charge_key);
}

namespace {

// Nothing that could apply here states a limit or asks, and nothing must be limited: as most of
// what is decided. Where Gather would note when a statement starts, it is not quiet.
bool NothingMetes(Fold& f) {
  if (f.notes.metes[static_cast<size_t>(f.entry - f.program.index.data())] != 0) return false;
  if (f.partner_statement != kNone) return false;
  if (f.task_statement != kNone && !f.program.statements[f.task_statement].limits.empty())
    return false;
  for (int i = 0; i < f.hop_count; ++i) {
    if (!f.program.statements[f.hops[i].statement].limits.empty()) return false;
  }
  for (const ParamDef& param : f.action_def->params) {
    if (param.must_be_limited) return false;
  }
  HitsOf(f, ClauseRole::kLimitCovers);
  if (f.task_statement != kNone) HitsOf(f, ClauseRole::kTaskMay);
  for (ClauseRole role : {ClauseRole::kGrantMay, ClauseRole::kDelegationMay}) {
    if (role == ClauseRole::kDelegationMay && f.hop_count == 0 && f.deputy == nullptr) continue;
    for (const Hit& hit : HitsOf(f, role)) {
      if (hit.match == Truth::kFalse) continue;
      if (hit.match == Truth::kError || !Started(f, f.notes.clauses[hit.clause].statement))
        return false;
    }
  }
  return true;
}

}  // namespace

Reason StepLimits(Fold& f) {
  f.limits = {};
  f.needs = {};
  if (NothingMetes(f)) return kPass;
  Gathering g;
  Gather(f, &g);
  uint64_t replay = OpenReplay(f);
  Instant window_now = std::max(f.now, f.store.HighTime());
  for (const Binder& b : g.binders) {
    const Statement& s = f.program.statements[b.statement];
    std::optional<DeputyView> view;
    if (b.deputy) view.emplace(f);
    for (uint32_t i : s.limits) {
      const Limit& limit = f.program.limits[i];
      if (!limit.requests && ParamOf(f, limit) == kNone) continue;
      if (limit.no_limit) continue;
      bool checked = s.kind != StatementKind::kGrant || !Superseded(f, b.statement, &limit);
      CheckLimit(f, i, checked, b.deputy, window_now, replay);
    }
  }
  const BoundLimit* binding = nullptr;
  bool unknown = false, exceeded = false;
  for (BoundLimit& b : f.limits) {
    if (!b.checked) continue;
    unknown |= b.line.state == LimitState::kUnknown;
    exceeded |= b.line.state == LimitState::kExceeded;
    if (b.line.state == LimitState::kNeedsApproval)
      AddNeed(f, b.line.approval, f.program.limits[b.line.limit].statement);
    if (binding == nullptr || BindsMore(f, b, *binding)) binding = &b;
  }
  if (binding != nullptr) const_cast<BoundLimit*>(binding)->line.binding = true;
  for (uint32_t i = 0; i < f.action_def->params.size(); ++i) {
    if (!f.action_def->params[i].must_be_limited || Bounded(f, g, i)) continue;
    f.unbounded = true;
    f.unbounded_param = i;
  }
  auto blame = [&](LimitState state) {
    if (binding != nullptr && binding->line.state == state) {
      f.Blame(Part::kLimit, f.program.limits[binding->line.limit].statement, kNone);
    }
    for (const BoundLimit& b : f.limits) {
      if (&b != binding && b.checked && b.line.state == state)
        f.Blame(Part::kLimit, f.program.limits[b.line.limit].statement, kNone);
    }
  };
  if (unknown) return blame(LimitState::kUnknown), Reason::kLimitUnknown;
  if (f.unbounded) return Reason::kLimitUnbounded;
  if (exceeded) return blame(LimitState::kExceeded), Reason::kLimitExceeded;
  return kPass;
}

}  // namespace dpl
