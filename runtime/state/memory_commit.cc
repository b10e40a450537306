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
    if (found == nullptr || found->value->uses_left == 0 || found->value->expires <= request.now) {
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
        if (known->task.load() != nullptr && !BoundTo(*known, seen.task))
          return CommitOutcome::kInstances;
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
    for (const CommitRequest::Seen& seen : request.instances) {
      if (auto* runs = instances_.Find(seen.agent)) SweepInstances(&runs->value, now, false);
    }
    if (instance_count_ + births > options_.max_instances) {
      instances_.ForEach(
          [&](NameTable<Runs>::Entry& runs) { SweepInstances(&runs.value, now, true); });
    }
    if (instance_count_ + births > options_.max_instances) return CommitOutcome::kFull;
  }
  if (!request.charge_key.empty()) {
    SweepKeys(now, keys_.size() >= options_.max_keys);
    if (keys_.size() >= options_.max_keys) return CommitOutcome::kFull;
  }

  scratch_.clear();
  if (!request.charges.empty() && reservations_.size() >= options_.max_reservations) {
    SweepReservations(now, true);
    if (reservations_.size() >= options_.max_reservations) return CommitOutcome::kFull;
  }
  for (size_t i = 0; i < request.charges.size(); ++i) {
    const Charge& charge = request.charges[i];
    // A window that is over and was swept away must not begin again at nothing.
    if (charge.counter.window == CounterKey::Window::kCalendar &&
        charge.counter.end <= HighTime()) {
      const CounterEntry* known = FindCounter(charge.counter);
      if (known == nullptr || known->value.Empty()) return CommitOutcome::kWindowMoved;
    }
    CounterEntry* counter = CounterOf(charge.counter, now);
    if (counter == nullptr) return CommitOutcome::kFull;
    ++counter->value.holds;  // keeps a sweep for a later charge from taking it
    scratch_.push_back(counter);
    std::optional<int64_t> used = counter->value.Used(charge.counter, now);
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
  return Subtract(now, found->value.opened).us < opening.lasts_us ? CommitOutcome::kDone
                                                                  : CommitOutcome::kOpening;
}

void MemoryStore::RecordOpening(const CommitRequest::Opening& opening, Instant now) {
  JoinedKey key({opening.break_glass, opening.person, opening.reason, opening.ticket});
  SweepOpenings(now);
  auto [entry, fresh] = openings_.Emplace(key);
  OpeningRecord& made = entry->value;
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
  SweepReservations(now, false);
  if (!request.charge_key.empty()) {
    auto* found = keys_.Find(request.charge_key);
    if (found != nullptr && found->value.keep_until < now) {
      // Kept long enough: forgotten, whether or not it was swept yet.
      if (OpenEntry* old = FindReservation(found->value.reservation))
        End(old, ReservationState::kSpent);
      keys_.Erase(request.charge_key);
      found = nullptr;
    }
    if (found != nullptr) {
      const ChargeKey& key = found->value;
      if (key.digest != request.request_digest) {
        result.outcome = CommitOutcome::kKeyConflict;
      } else if (key.state != ReservationState::kOpen || key.deadline <= now) {
        // Time closes a reservation at its deadline, whether or not it was swept yet.
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
  for (CounterEntry* counter : scratch_) --counter->value.holds;
  if (result.outcome != CommitOutcome::kDone) return result;
  result.reservation = Apply(request, now);
  if (const CommitRequest::Opening* o = request.opening) {
    const auto* found =
        openings_.Find(JoinedKey({o->break_glass, o->person, o->reason, o->ticket}));
    result.opened = found->value.opened;
    result.uses = found->value.uses;
  }
  return result;
}

// Writes what has passed every test; scratch_ holds the counters of the charges.
uint64_t MemoryStore::Apply(const CommitRequest& request, Instant now) {
  Raise(request.now);
  for (std::string_view id : request.approvals) {
    const auto* found = approvals_.Find(id);
    if (found == nullptr || found->value->uses_left == 0) continue;  // only when replayed
    ApprovalRecord used = *found->value;
    --used.uses_left;
    approvals_.Put(id, std::make_shared<const ApprovalRecord>(std::move(used)));
  }
  for (const CommitRequest::Act& act : request.acts) {
    JoinedKey name({act.separate, act.side == 0 ? "a" : "b", act.key, act.person});
    Act& recorded = acts_.Emplace(name).first->value;
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
      auto* runs = instances_.Find(seen.agent);
      if (runs == nullptr) runs = instances_.Emplace(seen.agent, &home_).first;
      auto [entry, made] = runs->value.Emplace(seen.instance, seen.born,
                                               Instant{SaturatingAdd(seen.born.us, seen.keep_us)});
      birth = made;
      if (birth) ++instance_count_;
      if (!seen.task.empty() && entry->value.task.load() == nullptr) Bind(&entry->value, seen.task);
    }
    if (!birth || seen.max == 0) continue;
    auto it = births_.find(seen.agent);
    if (it == births_.end()) it = births_.try_emplace(std::string(seen.agent)).first;
    it->second.window_us = std::max(it->second.window_us, seen.window_us);
    it->second.window.Add(now, 1, it->second.window_us);
  }
  return request.charges.empty() ? 0 : Reserve(request, now);
}

uint64_t MemoryStore::Reserve(const CommitRequest& request, Instant now) {
  const uint64_t id = next_id_++;
  shares_.clear();
  for (size_t i = 0; i < request.charges.size(); ++i) {
    const Charge& c = request.charges[i];
    scratch_[i]->value.Add(c.counter, c.quantity, now);
    shares_.push_back({scratch_[i], c.quantity, c.counter.start, c.measure, c.returns});
  }
  Reservation& r = MakeReservation(id, request.caller, shares_)->value;
  r.opened = now;
  r.deadline = request.reservation_deadline;
  if (!request.charge_key.empty()) {
    ChargeKey& key = keys_.Emplace(request.charge_key).first->value;
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

namespace {

// In the order of the numbers.
struct ReservationName {
  explicit ReservationName(uint64_t id) {
    for (size_t i = 0; i < sizeof bytes; ++i) bytes[i] = static_cast<char>(id >> (56 - 8 * i));
  }
  operator std::string_view() const { return {bytes, sizeof bytes}; }  // NOLINT: implicit
  char bytes[8];
};

}  // namespace

uint64_t MemoryStore::IdOf(const OpenEntry& reservation) const {
  uint64_t id = 0;
  for (char byte : reservations_.Name(reservation)) id = id << 8 | static_cast<uint8_t>(byte);
  return id;
}

// Each share holds its counter.
MemoryStore::OpenEntry* MemoryStore::MakeReservation(uint64_t id, std::string_view caller,
                                                     std::span<const Share> shares) {
  DPL_CHECK(shares.size() <= UINT16_MAX);
  OpenEntry* made = reservations_.Put(ReservationName(id));
  Reservation& r = made->value;
  r.caller = callers_.Hold(caller);
  r.count = static_cast<uint16_t>(shares.size());
  r.shares = static_cast<Share*>(home_.pool.Take(shares.size() * sizeof(Share)));
  std::uninitialized_copy(shares.begin(), shares.end(), r.shares);
  for (const Share& share : shares) ++share.counter->value.holds;
  return made;
}

MemoryStore::OpenEntry* MemoryStore::FindReservation(uint64_t id) {
  return reservations_.Find(ReservationName(id));
}

void MemoryStore::Close(OpenEntry* reservation, ReservationState state) {
  Reservation& r = reservation->value;
  for (const Share& share : r.held()) --share.counter->value.holds;
  home_.pool.Give(r.shares, r.count * sizeof(Share));
  r.count = 0;
  if (r.key != nullptr) r.key->state = state;
  r.key = nullptr;
  NoteEnded({IdOf(*reservation), state, r.caller, r.opened, r.deadline});
}

void MemoryStore::NoteEnded(const Ended& ended) {
  if (ended_.size() < kKeepEnded) {
    ended_.push_back(ended);
    return;
  }
  callers_.Drop(ended_[ended_at_].caller);
  ended_[ended_at_] = ended;
  ended_at_ = (ended_at_ + 1) % kKeepEnded;
}

void MemoryStore::End(OpenEntry* reservation, ReservationState state) {
  const uint64_t id = IdOf(*reservation);
  Close(reservation, state);
  reservations_.Erase(ReservationName(id));
}

Result<MemoryStore::OpenEntry*> MemoryStore::OpenReservation(uint64_t id, std::string_view caller,
                                                             Instant now) {
  static const Error closed{"reservation.closed", "this reservation is closed"};
  static const Error foreign{"reservation.caller",
                             "only the caller that got the permit may end its reservation"};
  OpenEntry* r = FindReservation(id);
  if (r == nullptr) {
    if (id == 0 || id >= next_id_)
      return Error{"reservation.unknown", "there is no such reservation"};
    for (const Ended& ended : ended_) {
      if (ended.id == id && callers_.At(ended.caller) != caller) return foreign;
    }
    return closed;
  }
  if (callers_.At(r->value.caller) != caller) return foreign;
  if (r->value.deadline <= now) {
    End(r, ReservationState::kSpent);
    return closed;
  }
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
  Result<OpenEntry*> open = OpenReservation(reservation, caller, at);
  if (!open.ok()) return open.error();
  OpenEntry* entry = *open;
  const Reservation& r = entry->value;
  if (cancel) actual = 0;
  if (!actual.has_value()) {
    End(entry, ReservationState::kConfirmed);
    return Status::Ok();
  }
  if (*actual < 0) return Error{"reservation.actual", "the actual quantity is below zero"};
  const Share* first = nullptr;
  for (const Share& h : r.held()) {
    if (!h.returns) continue;
    if (!cancel && first != nullptr && h.measure != first->measure) {
      return Error{"reservation.actual",
                   "several measures were reserved, so one actual quantity does not tell which"};
    }
    first = &h;
  }
  std::string name;
  auto key_of = [&](const Share& h) {
    CounterKey key = KeyOf(*h.counter, &name);
    key.start = h.window_start;
    return key;
  };
  if (first != nullptr && *actual > first->quantity) {
    for (const Share& h : r.held()) {
      if (h.returns) h.counter->value.Add(key_of(h), *actual - h.quantity, at);
    }
    End(entry, ReservationState::kSpent);
    return Error{
        "reservation.overrun",
        "more was used than was reserved; the reservation is spent and the overrun counted"};
  }
  for (const Share& h : r.held()) {
    if (!h.returns) continue;
    if (later == nullptr) {
      h.counter->value.GiveBack(key_of(h), r.opened, h.quantity - *actual, at);
    } else {
      ++h.counter->value.holds;  // until it has come back
      later->push_back({h.counter, h.window_start, r.opened, h.quantity - *actual, at});
    }
  }
  End(entry, cancel ? ReservationState::kCancelled : ReservationState::kConfirmed);
  return Status::Ok();
}

void MemoryStore::GiveBack(const Returns& returns) {
  WriteLock lock(mutex_);
  std::string name;
  for (const Return& r : returns) {
    CounterKey key = KeyOf(*r.counter, &name);
    key.start = r.window_start;
    r.counter->value.GiveBack(key, r.charged_at, r.quantity, r.now);
    --r.counter->value.holds;
  }
}

// ---------------------------------------------------------------- replay

bool MemoryStore::ReplayCommit(const CommitRequest& request, uint64_t reservation) {
  WriteLock lock(mutex_);
  Instant now = std::max(request.now, HighTime());
  SweepReservations(now, false);
  scratch_.clear();
  for (const Charge& charge : request.charges) {
    JoinedKey name(
        {MarkOf(charge.counter.window), SlidingBytes(charge.counter), charge.counter.identity});
    scratch_.push_back(counters_.Emplace(name).first);
  }
  return Apply(request, now) == reservation;
}

bool MemoryStore::FindCharge(std::string_view key, Instant now, uint64_t* reservation,
                             ReservationState* state, std::string* digest) const {
  ReadLock lock(mutex_);
  const auto* found = keys_.Find(key);
  if (found == nullptr) return false;
  const ChargeKey& charged = found->value;
  if (charged.keep_until < std::max(now, HighTime())) return false;
  *reservation = charged.reservation;
  *state = charged.state;
  if (*state == ReservationState::kOpen && charged.deadline <= std::max(now, HighTime()))
    *state = ReservationState::kSpent;
  digest->assign(charged.digest);
  return true;
}

int64_t MemoryStore::Held(uint64_t reservation, const CounterKey& counter) const {
  ReadLock lock(mutex_);
  const CounterEntry* c = FindCounter(counter);
  const OpenEntry* r = const_cast<MemoryStore*>(this)->FindReservation(reservation);
  if (c == nullptr || r == nullptr) return 0;
  int64_t sum = 0;
  for (const Share& h : r->value.held()) {
    if (h.counter != c || h.window_start != counter.start) continue;
    sum = SaturatingAdd(sum, h.quantity);
  }
  return sum;
}

}  // namespace dpl
