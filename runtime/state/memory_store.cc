// Reads and plain writes of the in-memory store; the commit and reservations are in
// memory_commit.cc.
#include "runtime/state/memory_store.h"

#include <algorithm>
#include <tuple>

namespace dpl {

using ReadLock = std::shared_lock<std::shared_mutex>;
using WriteLock = std::unique_lock<std::shared_mutex>;

std::string RevokedName(std::string_view first, std::string_view second, char separator) {
  std::string out;
  out.reserve(first.size() + second.size() + 1);
  out.append(first).push_back(separator);
  out.append(second);
  return out;
}

namespace {

// A statement of the policy was there before any cut-off; the rest begins when somebody begins it.
bool BeginsAtRunTime(RevokedKind kind) {
  return kind != RevokedKind::kGrant && kind != RevokedKind::kDelegation;
}

Error Full(std::string_view what) {
  return {"state.full", "no room for more " + std::string(what)};
}

}  // namespace

// The period is part of a counter's identity; the kind of window guards against two limits sharing
// a text by mistake.
std::string_view MemoryStore::MarkOf(CounterKey::Window window) {
  switch (window) {
    case CounterKey::Window::kCalendar:
      return "c";
    case CounterKey::Window::kSliding:
      return "s";
    case CounterKey::Window::kTotal:
      return "t";
  }
  return "";
}

std::string_view MemoryStore::SlidingBytes(const CounterKey& key) {
  return {reinterpret_cast<const char*>(&key.sliding_us), sizeof(key.sliding_us)};
}

MemoryStore::MemoryStore() : MemoryStore(Options{}) {}
MemoryStore::MemoryStore(const Options& options) : options_(options) {
  for (auto& table : revoked_) table = std::make_unique<NameTable<RevokedEntry>>(&home_);
  for (std::atomic<int64_t>& all : all_before_us_) all.store(INT64_MIN);
}
MemoryStore::~MemoryStore() = default;

// ---------------------------------------------------------------- revocation

bool MemoryStore::IsRevoked(RevokedKind kind, std::string_view name,
                            std::optional<Instant> since) const {
  if (!AnyRevoked(kind)) return false;
  // A cut-off revokes everything that cannot be proved to have begun after it.
  int64_t all = all_before_us_[static_cast<int>(kind)].load(std::memory_order_acquire);
  if (BeginsAtRunTime(kind)) {
    all = std::max(all, all_before_us_[static_cast<int>(RevokedKind::kEverything)].load(
                            std::memory_order_acquire));
  }
  if (all != INT64_MIN && (!since.has_value() || since->us <= all)) return true;
  ReadGuard guard;
  const auto* found = revoked_[static_cast<int>(kind)]->Find(name);
  if (found == nullptr) return false;
  const RevokedEntry& entry = found->value;
  return entry.always || !since.has_value() || *since <= entry.before;
}

uint64_t MemoryStore::Revoke(const Revocation& r) {
  WriteLock lock(mutex_);
  std::string_view name = r.kind == RevokedKind::kEverything ? std::string_view() : r.name;
  SweepRevoked(r.kind);
  NameTable<RevokedEntry>& table = *revoked_[static_cast<int>(r.kind)];
  const auto* known = table.Find(name);
  RevokedEntry entry = known != nullptr ? known->value : RevokedEntry();
  if (r.before.has_value()) {
    entry.before = std::max(entry.before, *r.before);
  } else {
    entry.always = true;
  }
  entry.at = r.at;
  entry.kept = KeptSince(r.at);
  entry.by = r.by;
  entry.because = r.because;
  // In this order: whoever reads the new epoch finds what it stands for.
  entry.epoch = Epoch() + 1;
  table.Put(name, entry);
  NoteRevoked(r.kind, name, entry);
  epoch_.store(entry.epoch, std::memory_order_seq_cst);
  return entry.epoch;
}

// What is looked at before the lock.
void MemoryStore::NoteRevoked(RevokedKind kind, std::string_view name, const RevokedEntry& entry) {
  if (name.empty()) {
    all_before_us_[static_cast<int>(kind)].store(entry.always ? INT64_MAX : entry.before.us,
                                                 std::memory_order_release);
  }
  for (int k = 0; k < kRevokedKinds; ++k) {
    bool touched = k == static_cast<int>(kind) || (kind == RevokedKind::kEverything &&
                                                   BeginsAtRunTime(static_cast<RevokedKind>(k)));
    if (touched) any_revoked_[k].store(true, std::memory_order_release);
  }
}

// ---------------------------------------------------------------- consents and tasks

bool MemoryStore::FindConsent(std::string_view delegation, std::string_view person,
                              ConsentRecord* out) const {
  JoinedKey key({delegation, person});
  ReadGuard guard;
  const auto* found = consents_.Find(key);
  if (found == nullptr) return false;
  const ConsentRecord& consent = found->value;
  out->at = consent.at;
  out->whole_day = consent.whole_day;
  out->from_facts = consent.from_facts;
  out->reach.assign(consent.reach.begin(), consent.reach.end());
  return true;
}

void MemoryStore::ForEachConsent(const EachConsent& each) const {
  ReadLock lock(mutex_);
  consents_.ForEach([&](const NameTable<ConsentRecord>::Entry& entry) {
    const std::string key = consents_.Name(entry);
    std::string_view rest = key;
    std::string_view delegation = JoinedKey::TakePart(&rest);
    each(delegation, JoinedKey::TakePart(&rest), entry.value);
  });
}

Status MemoryStore::RoomForConsent(std::string_view delegation, std::string_view person) const {
  if (consents_.size() < options_.max_consents) return Status::Ok();
  JoinedKey key({delegation, person});
  ReadGuard guard;
  return consents_.Contains(key) ? Status::Ok() : Status(Full("consents"));
}

void MemoryStore::GiveConsent(std::string_view delegation, std::string_view person,
                              const ConsentRecord& consent) {
  JoinedKey key({delegation, person});
  WriteLock lock(mutex_);
  SweepConsents();
  const auto* known = consents_.Find(key);
  if (known == nullptr && consents_.size() >= options_.max_consents)
    return;  // not recorded is not given
  if (known == nullptr || consent.at >= known->value.at) consents_.Put(key, consent);
}

std::shared_ptr<const TaskRecord> MemoryStore::FindTask(std::string_view id) const {
  ReadGuard guard;
  const auto* found = tasks_.Find(id);
  return found == nullptr ? nullptr : found->value;
}

Status MemoryStore::OpenTask(const TaskRecord& task) {
  WriteLock lock(mutex_);
  DPL_RETURN_IF_ERROR(TaskRoom());
  if (!tasks_.Emplace(task.id, std::make_shared<const TaskRecord>(task)).second)
    return Error{"task.exists", "a task of this name is open already"};
  return Status::Ok();
}

// ---------------------------------------------------------------- instances and hand-offs

const MemoryStore::Instance* MemoryStore::FindRun(std::string_view agent,
                                                  std::string_view instance) const {
  const auto* runs = instances_.Find(agent);
  if (runs == nullptr) return nullptr;
  const auto* found = runs->value.Find(instance);
  return found == nullptr ? nullptr : &found->value;
}

bool MemoryStore::FindInstance(std::string_view agent, std::string_view instance, Instant* born,
                               bool* bound_to_task) const {
  ReadGuard guard;
  const Instance* run = FindRun(agent, instance);
  if (run == nullptr) return false;
  *born = run->born;
  *bound_to_task = run->task.load() != nullptr;
  return true;
}

void MemoryStore::FetchRun(uint64_t agent_hash, std::string_view instance, int part) const {
  ReadGuard guard;
  if (part == 0) return instances_.FetchSlot(agent_hash);
  const auto* runs = instances_.FetchEntry(agent_hash);
  if (part == 1 || runs == nullptr) return;
  if (part == 2) return runs->value.FetchSlot(KeyedHash(instance));
  (void)runs->value.FetchEntry(KeyedHash(instance));
}

bool MemoryStore::InstanceBoundTo(std::string_view agent, std::string_view instance,
                                  std::string_view task) const {
  ReadGuard guard;
  const Instance* run = FindRun(agent, instance);
  return run != nullptr && BoundTo(*run, task);
}

bool MemoryStore::BoundTo(const Instance& run, std::string_view task) const {
  const BoundEntry* bound = run.task.load();
  return bound == nullptr ? task.empty() : bound_tasks_.Is(*bound, task);
}

std::string MemoryStore::TaskOf(const Instance& run) const {
  const BoundEntry* bound = run.task.load();
  return bound == nullptr ? std::string() : bound_tasks_.Name(*bound);
}

uint64_t MemoryStore::InstancesBorn(std::string_view agent, int64_t window_us, Instant now) const {
  ReadLock lock(mutex_);
  auto it = births_.find(agent);
  if (it == births_.end()) return 0;
  Instant at = std::max(now, HighTime());
  return static_cast<uint64_t>(
      it->second.window.Sum(at, window_us == 0 ? it->second.window_us : window_us));
}

bool MemoryStore::HandoffRecorded(std::string_view parent_agent, std::string_view parent_instance,
                                  std::string_view child_agent, std::string_view child_instance,
                                  std::string_view task) const {
  ReadGuard guard;
  auto holds = [&](const std::string& recorded) { return recorded.empty() || recorded == task; };
  if (child_instance.empty()) {
    JoinedKey fresh({parent_agent, parent_instance, child_agent});
    const auto* found = fresh_handoffs_.Find(fresh);
    return found != nullptr && holds(found->value.task);
  }
  JoinedKey child({child_agent, child_instance});
  const auto* found = parents_.Find(child);
  if (found == nullptr) return false;
  JoinedKey parent({parent_agent, parent_instance});
  return found->value.parent == std::string_view(parent) && holds(found->value.task);
}

bool MemoryStore::HasParent(std::string_view child_agent, std::string_view child_instance) const {
  if (child_instance.empty()) return false;
  ReadGuard guard;
  return !parents_.empty() && parents_.Contains(JoinedKey({child_agent, child_instance}));
}

std::optional<HandoffRecord> MemoryStore::FindHandoff(std::string_view child_agent,
                                                      std::string_view child_instance) const {
  if (child_instance.empty()) return std::nullopt;
  JoinedKey child({child_agent, child_instance});
  ReadGuard guard;
  const auto* found = parents_.Find(child);
  if (found == nullptr) return std::nullopt;
  return ShownHandoff(child, found->value, false);
}

Status MemoryStore::RecordHandoff(const HandoffRecord& handoff) {
  DPL_RETURN_IF_ERROR(RoomForHandoff());
  return PutHandoff(handoff);
}

Status MemoryStore::PutHandoff(const HandoffRecord& h) {
  WriteLock lock(mutex_);
  SweepHandoffs();
  const Instant kept = KeptSince(h.at);
  if (h.child_instance.empty()) {
    // Fresh runs have no names to keep apart: the latest record stands.
    fresh_handoffs_.Put(JoinedKey({h.parent_agent, h.parent_instance, h.child_agent}),
                        Handoff{{}, h.task, h.by, h.at, kept});
    return Status::Ok();
  }
  JoinedKey parent({h.parent_agent, h.parent_instance});
  JoinedKey child({h.child_agent, h.child_instance});
  if (std::string_view(parent) == std::string_view(child)) {
    return Error{"handoff.self", "an instance cannot be its own parent"};
  }
  auto [entry, made] =
      parents_.Emplace(child, Handoff{parent.ToString(), h.task, h.by, h.at, kept});
  if (made || entry->value.parent == std::string_view(parent)) return Status::Ok();
  return Error{"handoff.parent", "this instance has another parent already"};
}

// ---------------------------------------------------------------- approvals and acts

std::shared_ptr<const ApprovalRecord> MemoryStore::FindApproval(std::string_view id) const {
  ReadGuard guard;
  const auto* found = approvals_.Find(id);
  return found == nullptr ? nullptr : found->value;
}

Status MemoryStore::RecordApproval(const ApprovalRecord& approval) {
  WriteLock lock(mutex_);
  DPL_RETURN_IF_ERROR(ApprovalRoom());
  if (!approvals_.Emplace(approval.id, std::make_shared<const ApprovalRecord>(approval)).second)
    return Error{"approval.exists", "an approval of this name is recorded already"};
  return Status::Ok();
}

bool MemoryStore::ActAfter(std::string_view separate, int side, std::string_view key,
                           std::string_view person, Instant not_before) const {
  JoinedKey name({separate, side == 0 ? "a" : "b", key, person});
  const auto* found = acts_.Find(name);
  return found != nullptr && found->value.at > not_before;
}

bool MemoryStore::ActRecorded(std::string_view separate, int side, std::string_view key,
                              std::string_view person, Instant not_before) const {
  ReadLock lock(mutex_);
  return ActAfter(separate, side, key, person, not_before);
}

// ---------------------------------------------------------------- emergency openings

bool MemoryStore::FindOpening(std::string_view break_glass, std::string_view person,
                              std::string_view reason, std::string_view ticket, Instant* opened,
                              uint64_t* uses) const {
  JoinedKey key({break_glass, person, reason, ticket});
  ReadLock lock(mutex_);
  const auto* found = openings_.Find(key);
  if (found == nullptr) return false;
  *opened = found->value.opened;
  *uses = found->value.uses;
  return true;
}

std::vector<OpeningRecord> MemoryStore::Openings() const {
  std::vector<OpeningRecord> all;
  {
    ReadLock lock(mutex_);
    openings_.ForEach(
        [&](const NameTable<OpeningRecord>::Entry& entry) { all.push_back(entry.value); });
  }
  std::sort(all.begin(), all.end(), [](const OpeningRecord& a, const OpeningRecord& b) {
    return std::tie(a.break_glass, a.opened.us, a.person, a.reason, a.ticket) <
           std::tie(b.break_glass, b.opened.us, b.person, b.reason, b.ticket);
  });
  return all;
}

// ---------------------------------------------------------------- counters

const MemoryStore::CounterEntry* MemoryStore::FindCounter(const CounterKey& key) const {
  JoinedKey name({MarkOf(key.window), SlidingBytes(key), key.identity});
  return counters_.Find(name);
}

MemoryStore::CounterEntry* MemoryStore::CounterOf(const CounterKey& key, Instant now) {
  JoinedKey name({MarkOf(key.window), SlidingBytes(key), key.identity});
  if (auto* found = counters_.Find(name)) return found;
  SweepCounters(now, counters_.size() >= options_.max_counters);
  if (counters_.size() >= options_.max_counters) return nullptr;
  return counters_.Emplace(name).first;
}

CounterKey MemoryStore::KeyOf(const CounterEntry& counter, std::string* name) const {
  *name = counters_.Name(counter);
  CounterKey key;
  std::string_view rest = *name;
  const std::string_view mark = JoinedKey::TakePart(&rest);
  const std::string_view sliding = JoinedKey::TakePart(&rest);
  key.window = mark == "c"   ? CounterKey::Window::kCalendar
               : mark == "s" ? CounterKey::Window::kSliding
                             : CounterKey::Window::kTotal;
  std::memcpy(&key.sliding_us, sliding.data(), sizeof key.sliding_us);
  key.identity = JoinedKey::TakePart(&rest);
  return key;
}

int64_t MemoryStore::Used(const CounterKey& counter, Instant now) const {
  ReadLock lock(mutex_);
  const CounterEntry* c = FindCounter(counter);
  if (c == nullptr) return 0;
  // A window that is gone cannot be added to: the commit will say so.
  return c->value.Used(counter, std::max(now, HighTime())).value_or(0);
}

void MemoryStore::SetUsed(const CounterKey& counter, int64_t used, Instant now) {
  WriteLock lock(mutex_);
  Instant at = Raise(now);
  if (CounterEntry* c = CounterOf(counter, at)) c->value.Set(counter, used, at);
}

Status MemoryStore::TaskRoom() {
  SweepTasks();
  return tasks_.size() < options_.max_tasks ? Status::Ok() : Status(Full("tasks"));
}
Status MemoryStore::ApprovalRoom() {
  SweepApprovals();
  return approvals_.size() < options_.max_approvals ? Status::Ok() : Status(Full("approvals"));
}
Status MemoryStore::RoomForTask() {
  WriteLock lock(mutex_);
  return TaskRoom();
}
Status MemoryStore::RoomForApproval() {
  WriteLock lock(mutex_);
  return ApprovalRoom();
}
Status MemoryStore::RequestRoom(std::string_view id) {
  if (requests_.Contains(id))
    return Error{"access.exists", "a request for access of this name is recorded already"};
  SweepRequests();
  return requests_.size() < options_.max_requests ? Status::Ok()
                                                  : Status(Full("requests for access"));
}
Status MemoryStore::RoomForHandoff() {
  ReadLock lock(mutex_);
  bool room = parents_.size() + fresh_handoffs_.size() < options_.max_handoffs;
  return room ? Status::Ok() : Status(Full("hand-offs"));
}

Instant MemoryStore::Raise(Instant now) {
  Instant high = std::max(now, HighTime());
  high_us_.store(high.us, std::memory_order_release);
  return high;
}

MemoryStore::Sizes MemoryStore::SizesNow() const {
  ReadLock lock(mutex_);
  return {counters_.size(), instance_count_, reservations_.size(),
          keys_.size(),     acts_.size(),    openings_.size()};
}

std::vector<StoreHealth::Held> MemoryStore::HeldNow() const {
  ReadLock lock(mutex_);
  const Options& o = options_;
  return {{"acts", acts_.size(), o.max_acts},
          {"approvals", approvals_.size(), o.max_approvals},
          {"charge_keys", keys_.size(), o.max_keys},
          {"consents", consents_.size(), o.max_consents},
          {"counters", counters_.size(), o.max_counters},
          {"handoffs", parents_.size() + fresh_handoffs_.size(), o.max_handoffs},
          {"instances", instance_count_, o.max_instances},
          {"openings", openings_.size(), o.max_openings},
          {"access_requests", requests_.size(), o.max_requests},
          {"reservations", reservations_.size(), o.max_reservations},
          {"tasks", tasks_.size(), o.max_tasks}};
}

StoreHealth MemoryStore::Health() const {
  StoreHealth health;
  health.kind = "memory";
  health.held = HeldNow();
  return health;
}

uint64_t MemoryStore::LastReservation() const {
  ReadLock lock(mutex_);
  return next_id_ - 1;
}

}  // namespace dpl
