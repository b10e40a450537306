// The fold, step 12: which limits bind, what is used of them, and which one is the tightest.
#include <algorithm>

#include "runtime/base/money.h"
#include "tests/oracle/fold.h"

namespace dpl::oracle {

bool Fold::Declares(const std::string& measure) const {
  const auto& params = schema_.resources[w_.type].actions[w_.action].params;
  return std::any_of(params.begin(), params.end(),
                     [&](const ParamDef& p) { return schema_.Text(p.name) == measure; });
}

bool Fold::Supersedes(const StatementModel& b, const StatementModel& a) const {
  const std::vector<uint32_t>& list = b.grant.supersedes;
  return std::any_of(list.begin(), list.end(),
                     [&](uint32_t i) { return &model_.statements[i] == &a; });
}

// `supersedes` is direct, per measure, and works only while the superseding grant adds authority.
bool Fold::Superseded(const StatementModel& grant, const LimitModel& limit) const {
  auto names_it = [&](const StatementModel& b) {
    return Supersedes(b, grant) &&
           std::any_of(b.limits.begin(), b.limits.end(), [&](const LimitModel& l) {
             return l.clause->measure.text == limit.clause->measure.text;
           });
  };
  if (faults_.superseded_by_dead) {
    return std::any_of(model_.statements.begin(), model_.statements.end(),
                       [&](const StatementModel& b) { return names_it(b); });
  }
  return std::any_of(adding_.begin(), adding_.end(),
                     [&](const StatementModel* b) { return names_it(*b); });
}

void Fold::Add(const StatementModel& s, bool may_be_superseded, bool deputy) {
  for (const LimitModel& limit : s.limits) {
    bool concerns =
        limit.clause->measure.text == "requests" || Declares(limit.clause->measure.text);
    if (!concerns || limit.clause->no_limit) continue;
    bounds_.push_back({&s, &limit, !(may_be_superseded && Superseded(s, limit)), deputy});
  }
}

void Fold::Gather() {
  ForEach(StatementKind::kLimit, [&](const StatementModel& s) {
    if (M(s, ClauseRole::kLimitCovers) != Truth::kFalse) Add(s, false);
    if (w_.deputy && AsDeputy([&] { return M(s, ClauseRole::kLimitCovers) != Truth::kFalse; }))
      Add(s, false, true);
  });
  if (w_.partner != kNone) Add(*ByOrdinal(StatementKind::kPartner, w_.partner), false);
  ForEach(StatementKind::kGrant, [&](const StatementModel& g) {
    if (w_.now.us < g.granted_us) return;
    Truth m = M(g, ClauseRole::kGrantMay);
    Reason why = Reason::kPermit;
    if (faults_.dead_grants_lose_limits && !Live(g, &why)) return;
    if (m == Truth::kTrue || (m == Truth::kUnknown && !faults_.unknown_grants_lose_limits))
      Add(g, true);
  });
  ForEach(StatementKind::kDelegation, [&](const StatementModel& d) {
    if (w_.now.us >= d.granted_us && DelegationM(d) != Truth::kFalse) Add(d, false);
  });
  std::set<uint32_t> templates;
  for (const Omega::Hop& hop : w_.chain) {
    if (templates.insert(hop.agent).second) Add(*AgentOf(hop.agent), false);
  }
  if (w_.task != nullptr && (w_.deputy || !w_.chain.empty()))
    Add(*ByOrdinal(StatementKind::kTask, w_.task->shape), false);
}

bool Fold::MustBeLimitedIsMet() {
  for (const ParamDef& p : schema_.resources[w_.type].actions[w_.action].params) {
    if (!p.must_be_limited) continue;
    auto limits_it = [&](const StatementModel& s) {
      return std::any_of(s.limits.begin(), s.limits.end(), [&](const LimitModel& l) {
        return l.clause->measure.text == schema_.Text(p.name);
      });
    };
    bool met = std::any_of(adding_.begin(), adding_.end(),
                           [&](const StatementModel* g) { return limits_it(*g); });
    ForEach(StatementKind::kLimit, [&](const StatementModel& s) {
      met = met || (limits_it(s) && M(s, ClauseRole::kLimitCovers) == Truth::kTrue);
      if (w_.deputy && limits_it(s))
        met = met || AsDeputy([&] { return M(s, ClauseRole::kLimitCovers) == Truth::kTrue; });
    });
    for (const Omega::Hop& hop : w_.chain) {
      met = met || (limits_it(*AgentOf(hop.agent)) &&
                    M(*AgentOf(hop.agent), ClauseRole::kAgentMay) == Truth::kTrue);
    }
    ForEach(StatementKind::kDelegation, [&](const StatementModel& d) {
      met = met || (limits_it(d) && DelegationM(d) == Truth::kTrue);
    });
    if (w_.partner != kNone) {
      const StatementModel& partner = *ByOrdinal(StatementKind::kPartner, w_.partner);
      met = met || (limits_it(partner) && M(partner, ClauseRole::kPartnerMay) == Truth::kTrue);
    }
    if (w_.task != nullptr && (w_.deputy || !w_.chain.empty())) {
      const StatementModel& shape = *ByOrdinal(StatementKind::kTask, w_.task->shape);
      met = met || (limits_it(shape) && M(shape, ClauseRole::kTaskMay) == Truth::kTrue);
    }
    if (!met) return false;
  }
  return true;
}

Instant Fold::WindowStart(const LimitModel& limit, const StatementModel& s) const {
  const ZoneTable& zone = schema_.zones[eval_.ZoneOf(s)];
  switch (limit.clause->period) {
    case ast::PeriodKind::kHour:
      return zone.StartOfHour(w_.now);
    case ast::PeriodKind::kDay:
      return zone.StartOfDay(w_.now);
    case ast::PeriodKind::kWeek:
      return zone.StartOfWeek(w_.now);
    case ast::PeriodKind::kMonth:
      return zone.StartOfMonth(w_.now);
    case ast::PeriodKind::kQuarter:
      return zone.StartOfQuarter(w_.now);
    case ast::PeriodKind::kYear:
      return zone.StartOfYear(w_.now);
    default:
      return Instant{};
  }
}

int64_t Fold::WindowUs(const LimitModel& limit, const StatementModel& s) const {
  const ZoneTable& zone = schema_.zones[eval_.ZoneOf(s)];
  const Instant start = WindowStart(limit, s);
  // Somewhere in the next window, whatever clocks do between.
  auto behind = [&](int64_t hours) { return Instant{start.us + hours * kMicrosPerHour}; };
  switch (limit.clause->period) {
    case ast::PeriodKind::kHour:
      return zone.StartOfHour(behind(1)).us - start.us;
    case ast::PeriodKind::kDay:
      return zone.StartOfDay(behind(30)).us - start.us;
    case ast::PeriodKind::kWeek:
      return zone.StartOfWeek(behind(8 * 24)).us - start.us;
    case ast::PeriodKind::kMonth:
      return zone.StartOfMonth(behind(33 * 24)).us - start.us;
    case ast::PeriodKind::kQuarter:
      return zone.StartOfQuarter(behind(95 * 24)).us - start.us;
    case ast::PeriodKind::kYear:
      return zone.StartOfYear(behind(370 * 24)).us - start.us;
    case ast::PeriodKind::kSliding:
      return ParseDuration(limit.clause->window.text).value().us;
    default:
      return 400 * 24 * kMicrosPerHour;
  }
}

int64_t Fold::Used(const std::string& counter, const LimitModel& limit,
                   const StatementModel& s) const {
  auto at = state_.counters.find(counter);
  if (limit.clause->period == ast::PeriodKind::kEach || at == state_.counters.end()) return 0;
  bool sliding = limit.clause->period == ast::PeriodKind::kSliding;
  int64_t window = sliding ? ParseDuration(limit.clause->window.text).value().us : 0;
  Instant start = WindowStart(limit, s);
  int64_t sum = 0;
  for (const State::Charged& c : at->second) {
    if (sliding ? c.at.us <= w_.now.us - window : c.window != start) continue;
    if (own_ != 0 && c.reservation == own_) continue;
    sum += c.quantity;
  }
  return sum;
}

// Whose counter it is: several names when it is kept per agent and the chain has several; none when
// ω lacks a part.
std::vector<std::string> Fold::CounterNames(const Bound& bound, const std::string& unit) {
  std::vector<std::string> names = {bound.limit->identity + "|" + unit};
  for (const LimitKeyPart& part : bound.limit->keys) {
    std::vector<std::string> values;
    switch (part.kind) {
      case KeyPartKind::kPerson:
        if (w_.person) values.push_back(*w_.person);
        break;
      case KeyPartKind::kAgent:
        for (const Omega::Hop& hop : w_.chain) {
          if (std::find(values.begin(), values.end(), hop.name) == values.end())
            values.push_back(hop.name);
        }
        break;
      case KeyPartKind::kInstance:
        if (!w_.chain.empty())
          values.push_back(w_.chain.back().name + "/" + w_.chain.back().instance);
        break;
      case KeyPartKind::kTask:
        if (w_.task != nullptr && (w_.deputy || !w_.chain.empty())) values.push_back(w_.task_id);
        break;
      case KeyPartKind::kResource:
        values.push_back(KeyText(w_.resource));
        break;
      case KeyPartKind::kPartner:
        if (w_.partner != kNone)
          values.push_back(ByOrdinal(StatementKind::kPartner, w_.partner)->name);
        break;
      case KeyPartKind::kCode: {
        Val v = eval_.Eval(*bound.limit->key_exprs[part.code], eval_.ZoneOf(*bound.statement));
        if (v.ok()) values.push_back(KeyText(v));
        break;
      }
    }
    std::vector<std::string> longer;
    for (const std::string& name : names) {
      for (const std::string& value : values) longer.push_back(name + "|" + value);
    }
    names = std::move(longer);
  }
  return names;
}

// One line of the answer. A deputy's on a counter that the subject has, too: the worse of the two.
void Fold::Tell(const Line& line, bool deputy) {
  auto badness = [](const Line& l) {
    switch (l.state) {
      case LimitState::kUnknown:
        return 3;
      case LimitState::kExceeded:
        return 2;
      case LimitState::kNeedsApproval:
        return 1;
      default:
        return 0;
    }
  };
  for (Line& other : answer_.lines) {
    if (!deputy || other.limit != line.limit || other.counter != line.counter) continue;
    bool worse = badness(line) > badness(other) || (badness(line) == badness(other) && line.cap &&
                                                    other.cap && *line.cap < *other.cap);
    if (worse) other = line;
    return;
  }
  answer_.lines.push_back(line);
}

void Fold::Check(const Bound& bound) {
  const ast::LimitClause& clause = *bound.limit->clause;
  static const char* const kPeriods[] = {"each",    "hour", "day",     "week", "month",
                                         "quarter", "year", "sliding", "total"};
  static const char* const kKeys[] = {"person",  "agent",    "instance", "task",
                                      "partner", "resource", "path"};
  auto& seen = WhatWasSeen().things;
  ++seen[std::string("period ") + kPeriods[static_cast<int>(clause.period)]];
  for (const LimitKeyPart& key : bound.limit->keys)
    ++seen[std::string("key ") + kKeys[static_cast<int>(key.kind)]];
  static const char* const kHolders[] = {"grant", "block", "", "agent", "delegation", "task"};
  bool partner = bound.statement->kind == StatementKind::kPartner;
  ++seen[std::string("limit of ") +
         (partner ? "partner" : kHolders[static_cast<int>(bound.statement->kind)]) +
         (bound.checked ? "" : ", superseded")];
  const StatementModel& s = *bound.statement;
  Line line;
  line.limit = bound.limit->name;
  line.state = LimitState::kUnknown;
  Val q = MakeNumber(Val::Kind::kInt, 1);
  bool requests = clause.measure.text == "requests";
  if (!requests) {
    auto at = w_.params.find(clause.measure.text);
    q = at == w_.params.end() || at->second.kind == Val::Kind::kAbsent ? Fail(Val::Err::kMissing)
                                                                       : at->second;
  }
  std::string unit =
      q.kind == Val::Kind::kMoney ? std::string(CurrencyCode(static_cast<uint16_t>(q.x))) : "";
  Val cap = eval_.Eval(*bound.limit->cap, eval_.ZoneOf(s));
  bool fits = q.ok() && cap.ok() && cap.kind == q.kind && cap.x == q.x;
  if (q.ok()) line.requested = q.i;
  if (cap.ok()) line.cap = cap.i;
  std::vector<std::string> names;
  if (q.ok()) names = CounterNames(bound, unit);
  if (names.empty()) fits = false;
  if (!fits) {
    if (!bound.checked) line.state = LimitState::kCounted;
    ++seen["limit unknown"];
    if (names.empty()) answer_.lines.push_back(line);
    for (const std::string& name : names) {
      line.counter = name;
      Tell(line, bound.deputy && clause.period != ast::PeriodKind::kEach);
    }
    return;
  }
  for (const std::string& name : names) {
    // A counter that both persons share is charged once, by the tighter cap.
    bool shared = bound.deputy && std::any_of(charges_.begin(), charges_.end(),
                                              [&](const Charge& c) { return c.counter == name; });
    Line one = line;
    one.counter = name;
    int64_t used = Used(name, *bound.limit, s);
    one.used = used;
    int64_t sum = 0;
    bool over = __builtin_add_overflow(used, q.i, &sum);
    if (!over) {
      if (sum <= cap.i && !(faults_.at_cap_is_over && sum == cap.i)) {
        one.state = LimitState::kOk;
      } else {
        one.state = LimitState::kExceeded;
        for (const LimitModel::Tier& tier : bound.limit->tiers) {
          bool within = tier.up_to == nullptr;
          if (!within) {
            Val up_to = eval_.Eval(*tier.up_to, eval_.ZoneOf(s));
            if (!up_to.ok() || up_to.kind != q.kind || up_to.x != q.x) {
              one.state = LimitState::kUnknown;
              break;
            }
            within = sum <= up_to.i;
          }
          if (!within) continue;
          one.state = LimitState::kNeedsApproval;
          one.approval = ByOrdinal(StatementKind::kApproval, tier.approval)->name;
          if (bound.checked) needed_.insert(tier.approval);
          break;
        }
      }
    }
    if (!bound.checked) one.state = LimitState::kCounted;
    static const char* const kStates[] = {"ok", "needs approval", "exceeded", "unknown", "counted"};
    ++seen[std::string("limit ") + kStates[static_cast<int>(one.state)] +
           (used > 0 ? ", used before" : "")];
    Tell(one, bound.deputy && clause.period != ast::PeriodKind::kEach);
    if (clause.period != ast::PeriodKind::kEach && !shared)
      charges_.push_back(
          {name, WindowStart(*bound.limit, s), q.i, !requests, WindowUs(*bound.limit, s)});
  }
}

// Failing before fitting; then the least (cap − u − q) / cap; then the name of the counter.
void Fold::PickBinding() {
  const Line* best = nullptr;
  auto worse = [](const Line& a, const Line& b) {
    bool a_fails = a.state != LimitState::kOk, b_fails = b.state != LimitState::kOk;
    if (a_fails != b_fails) return a_fails;
    __int128 left = static_cast<__int128>(*a.cap - *a.used - *a.requested) * *b.cap;
    __int128 right = static_cast<__int128>(*b.cap - *b.used - *b.requested) * *a.cap;
    return left != right ? left < right : a.counter < b.counter;
  };
  bool exceeded = false, needs = false;
  for (const Line& line : answer_.lines) {
    if (line.state == LimitState::kCounted) continue;
    if (line.state == LimitState::kUnknown || !line.cap || *line.cap <= 0) return;
    exceeded = exceeded || line.state == LimitState::kExceeded;
    needs = needs || line.state == LimitState::kNeedsApproval;
    if (best == nullptr || worse(line, *best)) best = &line;
  }
  if (best != nullptr && !(exceeded && needs)) answer_.binding = best->limit;
}

bool Fold::Limits() {
  answer_.reached_limits = true;
  // A request that comes back with its key is checked without its own share.
  if (!r_.charge_key.empty() && r_.caller->charge_keys) {
    const State::Key* key = state_.KeyAt(ChargeKey(), w_.now);
    if (key != nullptr && key->digest == Digest() && state_.Open(key->reservation, w_.now))
      own_ = key->reservation;
  }
  Gather();
  for (const Bound& bound : bounds_) {
    if (!bound.deputy) {
      Check(bound);
    } else {
      AsDeputy([&] { return Check(bound), true; });
    }
  }
  auto any = [&](LimitState state) {
    return std::any_of(answer_.lines.begin(), answer_.lines.end(),
                       [&](const Line& l) { return l.state == state; });
  };
  PickBinding();
  if (any(LimitState::kUnknown)) return Deny(Reason::kLimitUnknown);
  if (!MustBeLimitedIsMet()) return Deny(Reason::kLimitUnbounded);
  if (any(LimitState::kExceeded)) return Deny(Reason::kLimitExceeded);
  return true;
}

}  // namespace dpl::oracle
