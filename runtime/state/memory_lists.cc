// Lists of what the in-memory store holds, page by page. A page is gathered in slices of the table,
// so that nobody waits for a long list.
#include <algorithm>
#include <charconv>

#include "runtime/state/memory_store.h"

namespace dpl {

using ReadLock = std::shared_lock<std::shared_mutex>;

namespace {

constexpr size_t kSliceBuckets = 512;

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
  void Restart() { found_.clear(); }
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

// Offers every entry of the table that `find` gives, under the lock for a slice at a time. A shard
// that grew between two slices is begun anew, with all before it.
template <class Find, class Offer, class Restart>
void InSlices(std::shared_mutex* mutex, const Find& find, const Offer& offer,
              const Restart& restart) {
  size_t shard = 0, at = 0, buckets = 0, shards = 0;
  for (bool first = true;; first = false) {
    ReadLock lock(*mutex);
    const auto* map = find();
    if (map == nullptr) return;
    if (first || map->Shards() != shards || (at != 0 && map->Buckets(shard) != buckets)) {
      restart();
      shards = map->Shards();
      shard = at = 0;
    }
    for (size_t n = 0; n < kSliceBuckets && shard < shards; ++n) {
      buckets = map->Buckets(shard);
      if (at == buckets) {
        ++shard;
        at = 0;
        continue;
      }
      map->InBucket(shard, at++, offer);
    }
    if (shard == shards) return;
  }
}

std::string Text(std::string_view text) { return std::string(text); }

}  // namespace

std::optional<Revocation> MemoryStore::FindRevocation(RevokedKind kind,
                                                      std::string_view name) const {
  ReadLock lock(records_mutex_);
  const KeyedMap<RevokedEntry>& map = revoked_[static_cast<int>(kind)];
  auto it = map.find(name);
  if (it == map.end()) return std::nullopt;
  return Shown(kind, name, it->second);
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
  ReadLock lock(mutex_);
  for (int kind = 0; kind < kRevokedKinds; ++kind) {
    const char letter = static_cast<char>('a' + kind);
    for (const auto& [name, entry] : revoked_[kind]) {
      JoinedKey key({{&letter, 1}, name});
      gather.Offer(key, [&, &name = name, &entry = entry] {
        return Shown(static_cast<RevokedKind>(kind), name, entry);
      });
    }
  }
  return gather.Take();
}

Page<ConsentEntry> MemoryStore::ListConsents(PageAsk ask, const Keep<ConsentEntry>& keep) const {
  Gather<ConsentEntry, JoinedOrder> gather(ask, keep);
  InSlices(
      &mutex_, [&] { return &consents_; },
      [&](const std::string& name, const ConsentRecord& consent) {
        gather.Offer(name, [&] {
          std::string_view rest = name;
          ConsentEntry entry;
          entry.delegation = JoinedKey::TakePart(&rest);
          entry.person = JoinedKey::TakePart(&rest);
          entry.consent = consent;
          return entry;
        });
      },
      [&] { gather.Restart(); });
  return gather.Take();
}

Page<TaskRecord> MemoryStore::ListTasks(PageAsk ask, const Keep<TaskRecord>& keep) const {
  Gather<TaskRecord, PlainOrder> gather(ask, keep);
  InSlices(
      &mutex_, [&] { return &tasks_; },
      [&](const std::string& name, const std::shared_ptr<const TaskRecord>& task) {
        gather.Offer(name, [&] { return *task; });
      },
      [&] { gather.Restart(); });
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
    InSlices(
        &mutex_, [&] { return fresh ? &fresh_handoffs_ : &parents_; },
        [&](const std::string& name, const Handoff& handoff) {
          HandoffRecord r = ShownHandoff(name, handoff, fresh);
          JoinedKey key({r.parent_agent, r.parent_instance, r.child_agent, r.child_instance});
          part.Offer(key, [&] { return r; });
        },
        [&] { part.Restart(); });
    gather.Merge(&part);
  }
  return gather.Take();
}

Page<InstanceRecord> MemoryStore::ListInstances(std::string_view agent, PageAsk ask,
                                                const Keep<InstanceRecord>& keep) const {
  Gather<InstanceRecord, JoinedOrder> gather(ask, keep);
  std::vector<std::string> agents;
  if (agent.empty()) {
    ReadLock lock(mutex_);
    for (const auto& [name, runs] : instances_) agents.push_back(name);
  } else {
    agents.push_back(Text(agent));
  }
  for (const std::string& of : agents) {
    Gather<InstanceRecord, JoinedOrder> part(ask, keep);
    InSlices(
        &mutex_,
        [&] {
          auto it = instances_.find(of);
          return it == instances_.end() ? nullptr : &it->second;
        },
        [&](const std::string& name, const Instance& run) {
          part.Offer(JoinedKey({of, name}), [&] {
            return InstanceRecord{of, name, Text(run.Task()), run.born, run.keep_until};
          });
        },
        [&] { part.Restart(); });
    gather.Merge(&part);
  }
  return gather.Take();
}

Page<ApprovalRecord> MemoryStore::ListApprovals(PageAsk ask,
                                                const Keep<ApprovalRecord>& keep) const {
  Gather<ApprovalRecord, PlainOrder> gather(ask, keep);
  InSlices(
      &mutex_, [&] { return &approvals_; },
      [&](const std::string& name, const std::shared_ptr<const ApprovalRecord>& approval) {
        gather.Offer(name, [&] { return *approval; });
      },
      [&] { gather.Restart(); });
  return gather.Take();
}

Page<AccessRequest> MemoryStore::ListAccessRequests(PageAsk ask,
                                                    const Keep<AccessRequest>& keep) const {
  Gather<AccessRequest, PlainOrder> gather(ask, keep);
  InSlices(
      &mutex_, [&] { return &requests_; },
      [&](const std::string& name, const std::shared_ptr<const AccessRequest>& request) {
        gather.Offer(name, [&] { return *request; });
      },
      [&] { gather.Restart(); });
  return gather.Take();
}

Page<OpeningRecord> MemoryStore::ListOpenings(PageAsk ask, const Keep<OpeningRecord>& keep) const {
  Gather<OpeningRecord, JoinedOrder> gather(ask, keep);
  InSlices(
      &mutex_, [&] { return &openings_; },
      [&](const std::string& name, const OpeningRecord& opening) {
        gather.Offer(name, [&] { return opening; });
      },
      [&] { gather.Restart(); });
  return gather.Take();
}

Page<CounterRecord> MemoryStore::ListCounters(PageAsk ask, Instant now,
                                              const Keep<CounterRecord>& keep) const {
  Gather<CounterRecord, PlainOrder> gather(ask, keep);
  Instant at = std::max(now, HighTime());
  InSlices(
      &mutex_, [&] { return &counters_; },
      [&](const std::string& name, const Counter& counter) {
        std::string_view rest = name;
        JoinedKey::TakePart(&rest);
        JoinedKey::TakePart(&rest);
        std::string_view identity = JoinedKey::TakePart(&rest);
        // Two windows of one identity differ in what stands before it.
        std::string order = Text(identity) + '\0' + name;
        gather.Offer(order, [&] {
          CounterRecord record = counter.Shown(at);
          record.identity = identity;
          return record;
        });
      },
      [&] { gather.Restart(); });
  return gather.Take();
}

// ---------------------------------------------------------------- reservations

ReservationRecord MemoryStore::Shown(uint64_t id, const Reservation& r) const {
  ReservationRecord record;
  record.id = id;
  record.state = r.state;
  if (r.state == ReservationState::kOpen && r.deadline < HighTime())
    record.state = ReservationState::kSpent;
  record.caller = r.caller;
  record.opened = r.opened;
  record.deadline = r.deadline;
  for (const Share& share : r.held) {
    std::string_view rest = *share.counter->name;
    JoinedKey::TakePart(&rest);
    JoinedKey::TakePart(&rest);
    record.charges.push_back(
        {Text(JoinedKey::TakePart(&rest)), share.quantity, share.measure, share.returns});
  }
  return record;
}

std::optional<ReservationRecord> MemoryStore::ReadReservation(uint64_t id) const {
  ReadLock lock(mutex_);
  const Reservation* r = const_cast<MemoryStore*>(this)->FindReservation(id);
  if (r == nullptr) return std::nullopt;
  return Shown(id, *r);
}

Page<ReservationRecord> MemoryStore::ListReservations(PageAsk ask,
                                                      const Keep<ReservationRecord>& keep) const {
  Page<ReservationRecord> page;
  uint64_t after = 0;
  std::from_chars(ask.after.data(), ask.after.data() + ask.after.size(), after);
  const size_t limit = std::max<size_t>(1, ask.limit);
  for (bool more = true; more;) {
    ReadLock lock(mutex_);
    uint64_t id = std::max(after + 1, first_id_);
    const uint64_t end = first_id_ + count_;
    for (size_t n = 0; n < kSliceBuckets && id < end; ++n, ++id) {
      ReservationRecord record =
          Shown(id, ring_[(front_ + static_cast<size_t>(id - first_id_)) % ring_.size()]);
      if (keep && !keep(record)) continue;
      if (page.items.size() == limit) {
        page.next = std::to_string(page.items.back().id);
        return page;
      }
      page.items.push_back(std::move(record));
    }
    after = id - 1;
    more = id < end;
  }
  return page;
}

}  // namespace dpl
