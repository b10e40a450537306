// Lists of what the in-memory store holds, page by page. A page is gathered part by part of the
// table, so that nobody waits for a long list.
#include <algorithm>
#include <unordered_map>

#include "runtime/state/memory_store.h"

namespace dpl {

using ReadLock = std::shared_lock<std::shared_mutex>;

namespace {

// The order of names joined from parts: part by part. Made by anybody: what is no joined name is
// one part.
std::string_view NextPart(std::string_view* rest) {
  uint32_t length = 0;
  if (rest->size() >= sizeof length) std::memcpy(&length, rest->data(), sizeof length);
  if (rest->size() < sizeof length || rest->size() - sizeof length < length)
    return std::exchange(*rest, {});
  return JoinedKey::TakePart(rest);
}

struct PlainOrder {
  bool operator()(std::string_view a, std::string_view b) const { return a < b; }
};
struct JoinedOrder {
  bool operator()(std::string_view a, std::string_view b) const {
    while (!a.empty() && !b.empty()) {
      std::string_view x = NextPart(&a), y = NextPart(&b);
      if (x != y) return x < y;
    }
    return a.empty() && !b.empty();
  }
};

// The `limit` first names after `after`, and whether there are more.
template <class T, class Order>
class Gather {
 public:
  Gather(PageAsk ask, const Keep<T>& keep)
      : after_(ask.after), limit_(std::max<size_t>(1, ask.limit)), keep_(keep) {}

  template <class Make>
  void Offer(std::string_view name, const Make& make) {
    if (!after_.empty() && !order_(after_, name)) return;
    if (found_.size() > limit_ && !order_(name, found_.front().first)) return;
    T item = make();
    if (keep_ && !keep_(item)) return;
    found_.emplace_back(std::string(name), std::move(item));
    std::push_heap(found_.begin(), found_.end(), less_);
    if (found_.size() <= limit_ + 1) return;
    std::pop_heap(found_.begin(), found_.end(), less_);
    found_.pop_back();
  }
  void Merge(Gather* other) {
    for (auto& [name, item] : other->found_) {
      found_.emplace_back(std::move(name), std::move(item));
      std::push_heap(found_.begin(), found_.end(), less_);
      if (found_.size() <= limit_ + 1) continue;
      std::pop_heap(found_.begin(), found_.end(), less_);
      found_.pop_back();
    }
  }
  Page<T> Take() {
    Page<T> page;
    std::sort_heap(found_.begin(), found_.end(), less_);
    auto same = [](const auto& a, const auto& b) { return a.first == b.first; };
    found_.erase(std::unique(found_.begin(), found_.end(), same), found_.end());
    bool more = found_.size() > limit_;
    if (more) found_.pop_back();
    if (more) page.next = std::move(found_.back().first);
    for (auto& [name, item] : found_) page.items.push_back(std::move(item));
    return page;
  }

 private:
  struct Less {
    bool operator()(const std::pair<std::string, T>& a, const std::pair<std::string, T>& b) const {
      return Order()(a.first, b.first);
    }
  };
  std::string_view after_;
  size_t limit_;
  const Keep<T>& keep_;
  Order order_;
  Less less_;
  std::vector<std::pair<std::string, T>> found_;  // a heap, the last name in front
};

// Offers every entry of the table, a part of it at a time: under the lock where one is given, else
// within a guard.
template <class T, class Offer>
void InParts(std::shared_mutex* mutex, const NameTable<T>& table, const Offer& offer) {
  uint64_t from = 0;
  do {
    ReadGuard guard;
    ReadLock lock = mutex == nullptr ? ReadLock() : ReadLock(*mutex);
    from = table.Walk(from, [&](const typename NameTable<T>::Entry& entry) {
      offer(table.Name(entry), entry.value);
    });
  } while (from != 0);
}

std::string Text(std::string_view text) { return std::string(text); }

}  // namespace

std::optional<Revocation> MemoryStore::FindRevocation(RevokedKind kind,
                                                      std::string_view name) const {
  ReadGuard guard;
  const auto* found = revoked_[static_cast<int>(kind)]->Find(name);
  if (found == nullptr) return std::nullopt;
  return Shown(kind, name, found->value);
}

Revocation MemoryStore::Shown(RevokedKind kind, std::string_view name, const RevokedEntry& entry) {
  Revocation r;
  r.kind = kind;
  r.name = name;
  if (!entry.always) r.before = entry.before;
  r.at = entry.at;
  r.by = entry.by;
  r.because = entry.because;
  r.epoch = entry.epoch;
  return r;
}

// In the order of kinds, then names.
Page<Revocation> MemoryStore::ListRevocations(PageAsk ask, const Keep<Revocation>& keep) const {
  Gather<Revocation, JoinedOrder> gather(ask, keep);
  for (int kind = 0; kind < kRevokedKinds; ++kind) {
    const char letter = static_cast<char>('a' + kind);
    InParts(nullptr, *revoked_[kind], [&](const std::string& name, const RevokedEntry& entry) {
      JoinedKey key({{&letter, 1}, name});
      gather.Offer(key, [&] { return Shown(static_cast<RevokedKind>(kind), name, entry); });
    });
  }
  return gather.Take();
}

Page<ConsentEntry> MemoryStore::ListConsents(PageAsk ask, const Keep<ConsentEntry>& keep) const {
  Gather<ConsentEntry, JoinedOrder> gather(ask, keep);
  InParts(nullptr, consents_, [&](const std::string& name, const ConsentRecord& consent) {
    gather.Offer(name, [&] {
      std::string_view rest = name;
      ConsentEntry entry;
      entry.delegation = JoinedKey::TakePart(&rest);
      entry.person = JoinedKey::TakePart(&rest);
      entry.consent = consent;
      return entry;
    });
  });
  return gather.Take();
}

Page<TaskRecord> MemoryStore::ListTasks(PageAsk ask, const Keep<TaskRecord>& keep) const {
  Gather<TaskRecord, PlainOrder> gather(ask, keep);
  InParts(nullptr, tasks_,
          [&](const std::string& name, const std::shared_ptr<const TaskRecord>& task) {
            gather.Offer(name, [&] { return *task; });
          });
  return gather.Take();
}

HandoffRecord MemoryStore::ShownHandoff(std::string_view name, const Handoff& handoff, bool fresh) {
  HandoffRecord record;
  std::string_view rest = name, parent = fresh ? name : std::string_view(handoff.parent);
  record.parent_agent = JoinedKey::TakePart(&parent);
  record.parent_instance = JoinedKey::TakePart(&parent);
  record.child_agent = JoinedKey::TakePart(fresh ? &parent : &rest);
  if (!fresh) record.child_instance = JoinedKey::TakePart(&rest);
  record.task = handoff.task;
  record.at = handoff.at;
  record.by = handoff.by;
  return record;
}

// By parent, then child.
Page<HandoffRecord> MemoryStore::ListHandoffs(PageAsk ask, const Keep<HandoffRecord>& keep) const {
  Gather<HandoffRecord, JoinedOrder> gather(ask, keep);
  for (bool fresh : {false, true}) {
    Gather<HandoffRecord, JoinedOrder> part(ask, keep);
    InParts(nullptr, fresh ? fresh_handoffs_ : parents_,
            [&](const std::string& name, const Handoff& handoff) {
              HandoffRecord r = ShownHandoff(name, handoff, fresh);
              JoinedKey key({r.parent_agent, r.parent_instance, r.child_agent, r.child_instance});
              part.Offer(key, [&] { return r; });
            });
    gather.Merge(&part);
  }
  return gather.Take();
}

Page<InstanceRecord> MemoryStore::ListInstances(std::string_view agent, PageAsk ask,
                                                const Keep<InstanceRecord>& keep) const {
  Gather<InstanceRecord, JoinedOrder> gather(ask, keep);
  std::vector<std::string> agents;
  if (agent.empty()) {
    InParts(nullptr, instances_,
            [&](const std::string& name, const Runs&) { agents.push_back(name); });
  } else {
    agents.push_back(Text(agent));
  }
  for (const std::string& of : agents) {
    const Runs* runs = nullptr;
    {
      ReadGuard guard;
      const auto* found = instances_.Find(of);
      if (found == nullptr) continue;
      runs = &found->value;  // an agent that has runs stays, once the store is open
    }
    InParts(nullptr, *runs, [&](const std::string& name, const Instance& run) {
      gather.Offer(JoinedKey({of, name}), [&] {
        return InstanceRecord{of, name, TaskOf(run), run.born, run.keep_until};
      });
    });
  }
  return gather.Take();
}

Page<ApprovalRecord> MemoryStore::ListApprovals(PageAsk ask,
                                                const Keep<ApprovalRecord>& keep) const {
  Gather<ApprovalRecord, PlainOrder> gather(ask, keep);
  InParts(nullptr, approvals_,
          [&](const std::string& name, const std::shared_ptr<const ApprovalRecord>& approval) {
            gather.Offer(name, [&] { return *approval; });
          });
  return gather.Take();
}

Page<AccessRequest> MemoryStore::ListAccessRequests(PageAsk ask,
                                                    const Keep<AccessRequest>& keep) const {
  Gather<AccessRequest, PlainOrder> gather(ask, keep);
  InParts(&mutex_, requests_,
          [&](const std::string& name, const std::shared_ptr<const AccessRequest>& request) {
            gather.Offer(name, [&] { return *request; });
          });
  return gather.Take();
}

Page<OpeningRecord> MemoryStore::ListOpenings(PageAsk ask, const Keep<OpeningRecord>& keep) const {
  Gather<OpeningRecord, JoinedOrder> gather(ask, keep);
  InParts(&mutex_, openings_, [&](const std::string& name, const OpeningRecord& opening) {
    gather.Offer(name, [&] { return opening; });
  });
  return gather.Take();
}

Page<CounterRecord> MemoryStore::ListCounters(PageAsk ask, Instant now,
                                              const Keep<CounterRecord>& keep) const {
  Gather<CounterRecord, PlainOrder> gather(ask, keep);
  Instant at = std::max(now, HighTime());
  std::string name;
  // What open reservations hold, by counter and window.
  std::unordered_map<const CounterEntry*, std::vector<std::pair<Instant, int64_t>>> held;
  uint64_t from = 0;
  do {
    ReadLock lock(mutex_);
    from = reservations_.Walk(from, [&](const OpenEntry& r) {
      if (r.value.deadline <= at) return;
      for (const Share& share : r.value.held())
        held[share.counter].emplace_back(share.window_start, share.quantity);
    });
  } while (from != 0);
  do {
    ReadLock lock(mutex_);
    from = counters_.Walk(from, [&](const CounterEntry& counter) {
      CounterKey key = KeyOf(counter, &name);
      // Two windows of one identity differ in what stands before it.
      gather.Offer(Text(key.identity) + '\0' + name, [&] {
        CounterRecord record = counter.value.Shown(key, at);
        record.identity = key.identity;
        auto shares = counter.value.holds == 0 ? held.end() : held.find(&counter);
        if (shares == held.end()) return record;
        for (const auto& [start, quantity] : shares->second) {
          if (start == record.start) record.reserved = SaturatingAdd(record.reserved, quantity);
        }
        record.reserved = std::min(record.reserved, record.used);
        return record;
      });
    });
  } while (from != 0);
  return gather.Take();
}

// ---------------------------------------------------------------- reservations

ReservationRecord MemoryStore::Shown(const OpenEntry& entry) const {
  const Reservation& r = entry.value;
  ReservationRecord record;
  record.id = IdOf(entry);
  record.state = r.deadline <= HighTime() ? ReservationState::kSpent : ReservationState::kOpen;
  record.caller = callers_.At(r.caller);
  record.opened = r.opened;
  record.deadline = r.deadline;
  std::string name;
  for (const Share& share : r.held()) {
    record.charges.push_back({Text(KeyOf(*share.counter, &name).identity), share.quantity,
                              share.measure, share.returns});
  }
  return record;
}

ReservationRecord MemoryStore::Shown(const Ended& r) const {
  ReservationRecord record;
  record.id = r.id;
  record.state = r.state;
  record.caller = callers_.At(r.caller);
  record.opened = r.opened;
  record.deadline = r.deadline;
  return record;
}

std::optional<ReservationRecord> MemoryStore::ReadReservation(uint64_t id) const {
  ReadLock lock(mutex_);
  if (const OpenEntry* r = const_cast<MemoryStore*>(this)->FindReservation(id)) return Shown(*r);
  for (const Ended& ended : ended_) {
    if (ended.id == id) return Shown(ended);
  }
  return std::nullopt;
}

Page<ReservationRecord> MemoryStore::ListReservations(PageAsk ask,
                                                      const Keep<ReservationRecord>& keep) const {
  Gather<ReservationRecord, PlainOrder> gather(ask, keep);
  // Their numbers, so that they are in order as texts.
  auto order = [](uint64_t id) {
    std::string digits = std::to_string(id);
    return std::string(20 - digits.size(), '0') + digits;
  };
  uint64_t from = 0;
  do {
    ReadLock lock(mutex_);
    from = reservations_.Walk(
        from, [&](const OpenEntry& r) { gather.Offer(order(IdOf(r)), [&] { return Shown(r); }); });
  } while (from != 0);
  // One that ended meanwhile is met again.
  ReadLock lock(mutex_);
  for (const Ended& ended : ended_) gather.Offer(order(ended.id), [&] { return Shown(ended); });
  return gather.Take();
}

}  // namespace dpl
