// Step 15: everything a permit writes, in one atomic step of the store, or nothing.
#include <algorithm>

#include "runtime/decide/fold.h"

namespace dpl {
namespace {

constexpr int64_t kReservationUs = kMicrosPerHour;  // after that, silence has spent it
constexpr int64_t kKeepInstanceUs =
    kMicrosPerDay;  // beyond its life: a second appearance is no second birth
// A total never ends, but nobody retries after so long.
constexpr int64_t kKeepKeyUs = 400 * kMicrosPerDay;
constexpr int64_t kKeepUnboundedUs = 30 * kMicrosPerDay;  // for templates without `lives at most`

template <class T>
T* Make(Fold& f, size_t count) {
  T* items = f.arena->NewArray<T>(count);
  if (items == nullptr) f.OutOfArena();
  return items;
}

int64_t WindowUs(const BoundLimit& b) {
  switch (b.key.window) {
    case CounterKey::Window::kCalendar:
      return Subtract(b.key.end, b.key.start).us;
    case CounterKey::Window::kSliding:
      return b.key.sliding_us;
    case CounterKey::Window::kTotal:
      return kKeepKeyUs;
  }
  return 0;
}

// A window is counted from it, though no limit is charged: a run that a throttle counts, one side
// of a separation, the opening of a door.
bool RemembersWhen(const Fold& f) {
  if (f.acts.size != 0 || f.break_glass != kNone) return true;
  return std::any_of(f.hops.begin(), f.hops.begin() + f.hop_count, [&](const Hop& hop) {
    return !hop.known && f.program.agents[hop.agent].instances_max != 0;
  });
}

}  // namespace

Reason StepCommit(Fold& f) {
  // No counter: nothing is metered. Runs and acts may still have to be remembered.
  size_t charge_count = 0, seen_count = 0;
  for (const BoundLimit& b : f.limits) charge_count += b.countable && !b.counter.empty() ? 1 : 0;
  f.d.metered = charge_count != 0;
  if (f.request.clock_suspect && (f.d.metered || RemembersWhen(f))) return Reason::kErrorClock;
  if (f.suppose != nullptr) return kPass;

  std::string_view task = f.task_fits ? f.request.task : std::string_view();
  for (int i = 0; i < f.hop_count; ++i) {
    const Hop& hop = f.hops[i];
    bool counted = f.program.agents[hop.agent].instances_max != 0;
    bool binds = !task.empty() && !hop.instance.empty() && !hop.bound;
    seen_count += (!hop.known && (counted || !hop.instance.empty())) || binds ? 1 : 0;
  }
  const bool writes = charge_count != 0 || seen_count != 0 || f.acts.size != 0 ||
                      f.used_approvals.size != 0 || f.break_glass != kNone;
  // Nor is there an earlier time that could be written instead.
  if (f.request.clock_suspect && writes && f.store.HighTime().us == INT64_MIN)
    return Reason::kErrorClock;
  if (f.request.dry_run) return f.store.Epoch() == f.epoch ? kPass : (f.again = true, kPass);
  if (!writes) {
    if (f.store.Epoch() != f.epoch) f.again = true;
    return kPass;
  }

  CommitRequest c;
  c.now = f.now;
  // What such a clock says is no time that has been: it would move every window for good, and a
  // run that is born then would outlive its time.
  if (f.request.clock_suspect) c.now = std::min(f.now, f.store.HighTime());
  c.epoch = f.epoch;
  c.caller = f.caller.name;
  Charge* charges = Make<Charge>(f, charge_count);
  CommitRequest::Seen* seen = Make<CommitRequest::Seen>(f, seen_count);
  CommitRequest::Act* acts = Make<CommitRequest::Act>(f, f.acts.size);
  if (f.env.abort != Abort::kNo) return Reason::kErrorArena;

  size_t n = 0;
  for (const BoundLimit& b : f.limits) {
    if (!b.countable || b.counter.empty()) continue;
    Charge& charge = charges[n++];
    charge.counter = b.key;
    charge.quantity = b.quantity;
    charge.measure = b.measure;
    charge.returns = b.measure != kNone;
    if (b.checked) {
      charge.cap = b.line.state != LimitState::kNeedsApproval ? b.cap
                   : b.tier_open                              ? INT64_MAX
                                                              : b.tier_cap;
    }
    c.keep_key_us = std::max(c.keep_key_us, WindowUs(b));
  }
  n = 0;
  for (int i = 0; i < f.hop_count; ++i) {
    const Hop& hop = f.hops[i];
    const Agent& agent = f.program.agents[hop.agent];
    bool binds = !task.empty() && !hop.instance.empty() && !hop.bound;
    if (!((!hop.known && (agent.instances_max != 0 || !hop.instance.empty())) || binds)) continue;
    CommitRequest::Seen& s = seen[n++];
    s.agent = hop.name;
    s.instance = hop.instance;
    s.task = task;
    s.born = f.request.clock_suspect ? std::min(hop.born, c.now) : hop.born;
    s.window_us = agent.instances_window_us != 0 ? agent.instances_window_us : agent.lives_us;
    s.keep_us = std::max(agent.lives_us == 0 ? kKeepUnboundedUs : agent.lives_us + kKeepInstanceUs,
                         s.window_us);
    s.max = agent.instances_max;
  }
  for (uint32_t i = 0; i < f.acts.size; ++i) {
    const ActOut& a = f.acts.items[i];
    acts[i] = {a.name, a.side, a.key, a.person, a.not_before};
  }
  c.charges = {charges, charge_count};
  c.instances = {seen, seen_count};
  c.acts = {acts, f.acts.size};
  c.approvals = {f.used_approvals.items, static_cast<size_t>(f.used_approvals.size)};
  CommitRequest::Opening opening;
  if (f.break_glass != kNone) {
    const Statement& s = f.program.statements[f.break_glass];
    const BreakGlass& door = f.program.break_glasses[s.detail];
    opening.break_glass = f.Text(s.name);
    opening.person = f.person->id;
    opening.reason = f.request.break_glass_reason;
    opening.ticket = f.request.break_glass_ticket;
    opening.lasts_us = door.lasts_us;
    opening.review_within_us = door.review_within_us;
    opening.opens = !f.has_agent();
    c.opening = &opening;
  }
  char digest[65];
  if (charge_count != 0) {
    c.reservation_deadline = Add(f.now, Duration{kReservationUs}).value_or(kMaxInstant);
    if (HasKey(f)) {
      ReplayDigest(f, digest);
      c.request_digest = digest;
      ChargeKeyName(f, &f.text);
      c.charge_key = f.text;
    }
  }

  CommitResult done = f.store.Commit(c);
  switch (done.outcome) {
    case CommitOutcome::kReplayed:
      f.d.replayed = true;
      [[fallthrough]];
    case CommitOutcome::kDone:
      if (done.uses != 0) f.d.opening.uses = done.uses;
      f.d.reservation = done.reservation;
      f.d.ticket = done.ticket;
      if (done.reservation != 0)
        f.d.reservation_deadline = f.d.replayed ? done.deadline : c.reservation_deadline;
      return kPass;
    case CommitOutcome::kKeyConflict:
      return Reason::kRequestKeyConflict;
    case CommitOutcome::kKeyClosed:
      return Reason::kRequestAlreadyUsed;
    case CommitOutcome::kFull:
      return Reason::kErrorStoreFull;
    case CommitOutcome::kFailed:
      return Reason::kErrorStore;
    default:
      f.again = true;
      return kPass;  // what was read has changed: read again
  }
}

}  // namespace dpl
