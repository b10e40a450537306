// The one atomic step of a decision, and the life of what it reserved.
#include <algorithm>

#include "runtime/state/memory_store.h"

namespace dpl {

using ReadLock = std::shared_lock<std::shared_mutex>;
using WriteLock = std::unique_lock<std::shared_mutex>;

// Every guard and every test, before anything is written. Fills scratch_ with the counters of the
// charges.
CommitOutcome MemoryStore::Test(const CommitRequest& request, Instant now, CommitResult* result) {
  for (std::string_view id : request.approvals) {
    const auto* found = approvals_.Find(id);
    if (found == nullptr || found->second->uses_left == 0 ||
        found->second->expires <= request.now) {
      return CommitOutcome::kApprovalUsed;
    }
  }
  for (const CommitRequest::Act& act : request.acts) {
    if (ActAfter(act.separate, 1 - act.side, act.key, act.person, act.not_before))
      return CommitOutcome::kSeparation;
  }
  if (!request.acts.empty()) SweepActs(now);
  if (acts_.size() + request.acts.size() > options_.max_acts && !request.acts.empty())
    return CommitOutcome::kFull;
  if (request.opening != nullptr) {
    CommitOutcome opening = TestOpening(*request.opening, now);
    if (opening != CommitOutcome::kDone) return opening;
  }

  size_t births = 0;
  for (size_t i = 0; i < request.instances.size(); ++i) {
    const CommitRequest::Seen& seen = request.instances[i];
    if (!seen.instance.empty()) {
      if (const Instance* known = FindRun(seen.agent, seen.instance)) {
        // Between the read and now another decision may have bound it to a task.
        if (known->task != nullptr && known->Task() != seen.task) return CommitOutcome::kInstances;
        continue;
      }
      ++births;
    }
    if (seen.max == 0) continue;
    uint64_t here = 1;
    for (size_t j = 0; j < i; ++j) here += request.instances[j].agent == seen.agent ? 1 : 0;
    auto it = births_.find(seen.agent);
    int64_t before = it == births_.end() ? 0 : it->second.window.Sum(now, seen.window_us);
    if (static_cast<uint64_t>(before) + here > seen.max) return CommitOutcome::kInstances;
  }
  if (births != 0) {
    WriteLock records(records_mutex_);
    for (const CommitRequest::Seen& seen : request.instances) {
      auto runs = instances_.find(seen.agent);
      if (runs != instances_.end()) SweepInstances(&runs->second, now, false);
    }
    if (instance_count_ + births > options_.max_instances) {
      for (auto& [agent, runs] : instances_) SweepInstances(&runs, now, true);
    }
    if (instance_count_ + births > options_.max_instances) return CommitOutcome::kFull;
  }
  if (!request.charge_key.empty()) {
    SweepKeys(now, keys_.size() >= options_.max_keys);
    if (keys_.size() >= options_.max_keys) return CommitOutcome::kFull;
  }

  scratch_.clear();
  for (size_t i = 0; i < request.charges.size(); ++i) {
    const Charge& charge = request.charges[i];
    // A window that is over and was swept away must not begin again at nothing.
    if (charge.counter.window == CounterKey::Window::kCalendar &&
        charge.counter.end <= HighTime() && FindCounter(charge.counter) == nullptr)
      return CommitOutcome::kWindowMoved;
    Counter* counter = CounterOf(charge.counter, now);
    if (counter == nullptr) return CommitOutcome::kFull;
    ++counter->holds;  // keeps a sweep for a later charge from taking it
    scratch_.push_back(counter);
    std::optional<int64_t> used = counter->Used(charge.counter, now);
    if (!used.has_value()) return CommitOutcome::kWindowMoved;
    int64_t sum = 0;
    bool wide = charge.quantity < 0 || __builtin_add_overflow(*used, charge.quantity, &sum);
    for (size_t j = 0; j < i; ++j) {
      if (scratch_[j] == counter)
        wide |= __builtin_add_overflow(sum, request.charges[j].quantity, &sum);
    }
    if (wide || sum > charge.cap) {
      result->failed = static_cast<uint32_t>(i);
      return CommitOutcome::kLimit;
    }
  }
  return CommitOutcome::kDone;
}

CommitOutcome MemoryStore::TestOpening(const CommitRequest::Opening& opening, Instant now) const {
  JoinedKey key({opening.break_glass, opening.person, opening.reason, opening.ticket});
  const auto* found = openings_.Find(key);
  if (found == nullptr) {
    if (!opening.opens) return CommitOutcome::kOpening;
    return openings_.size() < options_.max_openings ? CommitOutcome::kDone : CommitOutcome::kFull;
  }
  return Subtract(now, found->second.opened).us < opening.lasts_us ? CommitOutcome::kDone
                                                                   : CommitOutcome::kOpening;
}

void MemoryStore::RecordOpening(const CommitRequest::Opening& opening, Instant now) {
  JoinedKey key({opening.break_glass, opening.person, opening.reason, opening.ticket});
  SweepOpenings(now);
  auto [entry, fresh] = openings_.Emplace(key);
  OpeningRecord& made = entry->second;
  if (fresh) {
    made.break_glass.assign(opening.break_glass);
    made.person.assign(opening.person);
    made.reason.assign(opening.reason);
    made.ticket.assign(opening.ticket);
    made.opened = now;
    made.review_due = Add(now, Duration{opening.review_within_us}).value_or(kMaxInstant);
  }
  made.last_used = now;
  ++made.uses;
}

CommitResult MemoryStore::Commit(const CommitRequest& request) {
  CommitResult result;
  WriteLock lock(mutex_);
  if (Epoch() != request.epoch) {
    result.outcome = CommitOutcome::kEpochMoved;
    return result;
  }
  Instant now = std::max(request.now, HighTime());
  Expire(now);
  if (!request.charge_key.empty()) {
    if (const auto* found = keys_.Find(request.charge_key)) {
      const ChargeKey& key = found->second;
      if (key.digest != request.request_digest) {
        result.outcome = CommitOutcome::kKeyConflict;
      } else if (key.state != ReservationState::kOpen) {
        result.outcome = CommitOutcome::kKeyClosed;
      } else {
        result.outcome = CommitOutcome::kReplayed;
        result.reservation = key.reservation;
        result.deadline = key.deadline;
      }
      return result;
    }
  }
  scratch_.clear();
  result.outcome = Test(request, now, &result);
  for (Counter* counter : scratch_) --counter->holds;
  if (result.outcome != CommitOutcome::kDone) return result;
  result.reservation = Apply(request, now);
  if (const CommitRequest::Opening* o = request.opening) {
    const auto* found =
        openings_.Find(JoinedKey({o->break_glass, o->person, o->reason, o->ticket}));
    result.opened = found->second.opened;
    result.uses = found->second.uses;
  }
  return result;
}

// Writes what has passed every test; scratch_ holds the counters of the charges.
uint64_t MemoryStore::Apply(const CommitRequest& request, Instant now) {
  Raise(request.now);
  WriteLock records(records_mutex_, std::defer_lock);
  if (!request.approvals.empty() || !request.instances.empty()) records.lock();
  for (std::string_view id : request.approvals) {
    auto* found = approvals_.Find(id);
    if (found == nullptr || found->second->uses_left == 0) continue;  // only when replayed
    ApprovalRecord used = *found->second;
    --used.uses_left;
    found->second = std::make_shared<const ApprovalRecord>(std::move(used));
  }
  for (const CommitRequest::Act& act : request.acts) {
    JoinedKey name({act.separate, act.side == 0 ? "a" : "b", act.key, act.person});
    Act& recorded = acts_.Emplace(name).first->second;
    recorded.at = std::max(recorded.at, now);
    // As long as its statement looks back; without a bound, for ever.
    int64_t until = INT64_MAX;
    if (act.not_before.us != INT64_MIN &&
        !__builtin_sub_overflow(now.us, act.not_before.us, &until))
      until = SaturatingAdd(now.us, std::max<int64_t>(until, 0));
    recorded.keep_until = std::max(recorded.keep_until, Instant{until});
  }
  if (request.opening != nullptr) RecordOpening(*request.opening, now);
  for (const CommitRequest::Seen& seen : request.instances) {
    bool birth = seen.instance.empty();
    if (!birth) {
      auto runs = instances_.find(seen.agent);
      if (runs == instances_.end()) runs = instances_.try_emplace(std::string(seen.agent)).first;
      auto [entry, made] = runs->second.Emplace(seen.instance);
      Instance& run = entry->second;
      birth = made;
      if (birth) {
        run.born = seen.born;
        run.keep_until = Instant{SaturatingAdd(seen.born.us, seen.keep_us)};
        ++instance_count_;
      }
      if (run.task == nullptr && !seen.task.empty()) Bind(&run, seen.task);
    }
    if (!birth || seen.max == 0) continue;
    auto it = births_.find(seen.agent);
    if (it == births_.end()) it = births_.try_emplace(std::string(seen.agent)).first;
    it->second.window_us = std::max(it->second.window_us, seen.window_us);
    it->second.window.Add(now, 1, it->second.window_us);
  }
  if (records.owns_lock()) records.unlock();
  return request.charges.empty() ? 0 : Reserve(request, now);
}

uint64_t MemoryStore::Reserve(const CommitRequest& request, Instant now) {
  if (count_ == ring_.size()) {
    if (count_ >= options_.max_reservations) {
      Close(&ring_[front_], ReservationState::kSpent);
      front_ = (front_ + 1) % ring_.size();
      --count_;
      ++first_id_;
    } else {
      std::rotate(ring_.begin(), ring_.begin() + static_cast<std::ptrdiff_t>(front_), ring_.end());
      front_ = 0;
      ring_.resize(ring_.size() * 2);
    }
  }
  uint64_t id = first_id_ + count_;
  Reservation& r = ring_[(front_ + count_) % ring_.size()];
  ++count_;
  r.state = ReservationState::kOpen;
  r.opened = now;
  r.deadline = request.reservation_deadline;
  r.caller.assign(request.caller);
  r.key = nullptr;
  r.held.clear();
  for (size_t i = 0; i < request.charges.size(); ++i) {
    const Charge& c = request.charges[i];
    scratch_[i]->Add(c.counter, c.quantity, now);
    ++scratch_[i]->holds;
    r.held.push_back({scratch_[i], c.quantity, c.counter.start, now, c.measure, c.returns,
                      c.counter.window, c.counter.end, c.counter.sliding_us});
  }
  if (!request.charge_key.empty()) {
    ChargeKey& key = keys_.Emplace(request.charge_key).first->second;
    key.reservation = id;
    key.state = ReservationState::kOpen;
    key.digest.assign(request.request_digest);
    key.deadline = request.reservation_deadline;
    key.keep_until =
        Instant{SaturatingAdd(std::max(now, request.reservation_deadline).us, request.keep_key_us)};
    r.key = &key;
  }
  return id;
}

// ---------------------------------------------------------------- reservations

MemoryStore::Reservation* MemoryStore::FindReservation(uint64_t id) {
  if (id < first_id_ || id - first_id_ >= count_) return nullptr;
  return &ring_[(front_ + static_cast<size_t>(id - first_id_)) % ring_.size()];
}

// One transition, ever: from open to `state`.
void MemoryStore::Close(Reservation* reservation, ReservationState state) {
  if (reservation->state != ReservationState::kOpen) return;
  reservation->state = state;
  for (Share& h : reservation->held) --h.counter->holds;
  reservation->held.clear();
  if (reservation->key != nullptr) reservation->key->state = state;
  reservation->key = nullptr;
}

// Silence counts as spent: what has reached its deadline is closed in full.
void MemoryStore::Expire(Instant now) {
  while (count_ != 0) {
    Reservation& r = ring_[front_];
    if (r.state == ReservationState::kOpen && r.deadline > now) return;
    Close(&r, ReservationState::kSpent);
    front_ = (front_ + 1) % ring_.size();
    --count_;
    ++first_id_;
  }
}

Result<MemoryStore::Reservation*> MemoryStore::OpenReservation(uint64_t id, std::string_view caller,
                                                               Instant now) {
  Reservation* r = FindReservation(id);
  if (r == nullptr) {
    bool past = id != 0 && id < first_id_;
    return past ? Error{"reservation.closed", "this reservation is closed"}
                : Error{"reservation.unknown", "there is no such reservation"};
  }
  if (r->caller != caller)
    return Error{"reservation.caller",
                 "only the caller that got the permit may end its reservation"};
  if (r->state == ReservationState::kOpen && r->deadline <= now) Close(r, ReservationState::kSpent);
  if (r->state != ReservationState::kOpen)
    return Error{"reservation.closed", "this reservation is closed"};
  return r;
}

Status MemoryStore::Confirm(uint64_t reservation, std::string_view caller,
                            std::optional<int64_t> actual, Instant now) {
  return End(reservation, caller, /*cancel=*/false, actual, now, nullptr);
}

Status MemoryStore::Cancel(uint64_t reservation, std::string_view caller, Instant now) {
  return End(reservation, caller, /*cancel=*/true, std::nullopt, now, nullptr);
}

Status MemoryStore::End(uint64_t reservation, std::string_view caller, bool cancel,
                        std::optional<int64_t> actual, Instant now, Returns* later) {
  WriteLock lock(mutex_);
  Instant at = Raise(now);
  Result<Reservation*> open = OpenReservation(reservation, caller, at);
  if (!open.ok()) return open.error();
  Reservation& r = **open;
  if (cancel) actual = 0;
  if (!actual.has_value()) {
    Close(&r, ReservationState::kConfirmed);
    return Status::Ok();
  }
  if (*actual < 0) return Error{"reservation.actual", "the actual quantity is below zero"};
  const Share* first = nullptr;
  for (const Share& h : r.held) {
    if (!h.returns) continue;
    if (!cancel && first != nullptr && h.measure != first->measure) {
      return Error{"reservation.actual",
                   "several measures were reserved, so one actual quantity does not tell which"};
    }
    first = &h;
  }
  if (first != nullptr && *actual > first->quantity) {
    for (const Share& h : r.held) {
      if (!h.returns) continue;
      CounterKey key;
      key.window = h.window;
      key.start = h.window_start;
      key.end = h.window_end;
      key.sliding_us = h.sliding_us;
      h.counter->Add(key, *actual - h.quantity, at);
    }
    Close(&r, ReservationState::kSpent);
    return Error{
        "reservation.overrun",
        "more was used than was reserved; the reservation is spent and the overrun counted"};
  }
  for (const Share& h : r.held) {
    if (!h.returns) continue;
    if (later == nullptr) {
      h.counter->GiveBack(h.window_start, h.at, h.quantity - *actual, at);
    } else {
      ++h.counter->holds;  // until it has come back
      later->push_back({h.counter, h.window_start, h.at, h.quantity - *actual, at});
    }
  }
  Close(&r, cancel ? ReservationState::kCancelled : ReservationState::kConfirmed);
  return Status::Ok();
}

void MemoryStore::GiveBack(const Returns& returns) {
  WriteLock lock(mutex_);
  for (const Return& r : returns) {
    r.counter->GiveBack(r.window_start, r.charged_at, r.quantity, r.now);
    --r.counter->holds;
  }
}

// ---------------------------------------------------------------- replay

bool MemoryStore::ReplayCommit(const CommitRequest& request, uint64_t reservation) {
  WriteLock lock(mutex_);
  Instant now = std::max(request.now, HighTime());
  Expire(now);
  scratch_.clear();
  for (const Charge& charge : request.charges) {
    JoinedKey name(
        {MarkOf(charge.counter.window), SlidingBytes(charge.counter), charge.counter.identity});
    auto [entry, made] = counters_.Emplace(name, charge.counter);
    if (made) entry->second.name = &entry->first;
    scratch_.push_back(&entry->second);
  }
  return Apply(request, now) == reservation;
}

bool MemoryStore::FindCharge(std::string_view key, Instant now, uint64_t* reservation,
                             ReservationState* state, std::string* digest) const {
  ReadLock lock(mutex_);
  const auto* found = keys_.Find(key);
  if (found == nullptr) return false;
  *reservation = found->second.reservation;
  *state = found->second.state;
  if (*state == ReservationState::kOpen && found->second.deadline <= std::max(now, HighTime()))
    *state = ReservationState::kSpent;
  digest->assign(found->second.digest);
  return true;
}

int64_t MemoryStore::Held(uint64_t reservation, const CounterKey& counter) const {
  ReadLock lock(mutex_);
  const Counter* c = FindCounter(counter);
  const Reservation* r = const_cast<MemoryStore*>(this)->FindReservation(reservation);
  if (c == nullptr || r == nullptr || r->state != ReservationState::kOpen) return 0;
  int64_t sum = 0;
  for (const Share& h : r->held) {
    if (h.counter != c || h.window_start != counter.start) continue;
    sum = SaturatingAdd(sum, h.quantity);
  }
  return sum;
}

}  // namespace dpl
