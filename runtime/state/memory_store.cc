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
MemoryStore::MemoryStore(const Options& options) : options_(options), ring_(16) {
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
  ReadLock lock(records_mutex_);
  const KeyedMap<RevokedEntry>& map = revoked_[static_cast<int>(kind)];
  auto it = map.find(name);
  if (it == map.end()) return false;
  return it->second.always || !since.has_value() || *since <= it->second.before;
}

uint64_t MemoryStore::Revoke(const Revocation& r) {
  WriteLock lock(mutex_), records(records_mutex_);
  std::string_view name = r.kind == RevokedKind::kEverything ? std::string_view() : r.name;
  SweepRevoked(r.kind);
  KeyedMap<RevokedEntry>& map = revoked_[static_cast<int>(r.kind)];
  RevokedEntry& entry = map.try_emplace(std::string(name)).first->second;
  if (r.before.has_value()) {
    entry.before = std::max(entry.before, *r.before);
  } else {
    entry.always = true;
  }
  entry.at = r.at;
  entry.kept = KeptSince(r.at);
  entry.by = r.by;
  entry.because = r.because;
  NoteRevoked(r.kind, name, entry);
  entry.epoch = epoch_.fetch_add(1, std::memory_order_acq_rel) + 1;
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
  ReadLock lock(records_mutex_);
  const auto* found = consents_.Find(key);
  if (found == nullptr) return false;
  out->at = found->second.at;
  out->whole_day = found->second.whole_day;
  out->from_facts = found->second.from_facts;
  out->reach.assign(found->second.reach.begin(), found->second.reach.end());
  return true;
}

void MemoryStore::ForEachConsent(const EachConsent& each) const {
  ReadLock lock(records_mutex_);
  consents_.ForEach([&](const std::string& key, const ConsentRecord& consent) {
    std::string_view rest = key;
    std::string_view delegation = JoinedKey::TakePart(&rest);
    each(delegation, JoinedKey::TakePart(&rest), consent);
  });
}

void MemoryStore::GiveConsent(std::string_view delegation, std::string_view person,
                              const ConsentRecord& consent) {
  JoinedKey key({delegation, person});
  WriteLock lock(mutex_), records(records_mutex_);
  SweepConsents();
  if (consents_.size() >= options_.max_consents && !consents_.Contains(key))
    return;  // not recorded is not given
  auto [entry, made] = consents_.Emplace(key, consent);
  if (!made && consent.at >= entry->second.at) entry->second = consent;
}

std::shared_ptr<const TaskRecord> MemoryStore::FindTask(std::string_view id) const {
  ReadLock lock(records_mutex_);
  const auto* found = tasks_.Find(id);
  return found == nullptr ? nullptr : found->second;
}

Status MemoryStore::OpenTask(const TaskRecord& task) {
  WriteLock lock(mutex_), records(records_mutex_);
  DPL_RETURN_IF_ERROR(TaskRoom());
  auto [entry, made] = tasks_.Emplace(task.id);
  if (!made) return Error{"task.exists", "a task of this name is open already"};
  entry->second = std::make_shared<const TaskRecord>(task);
  return Status::Ok();
}

// ---------------------------------------------------------------- instances and hand-offs

const MemoryStore::Instance* MemoryStore::FindRun(std::string_view agent,
                                                  std::string_view instance) const {
  auto runs = instances_.find(agent);
  if (runs == instances_.end()) return nullptr;
  const auto* found = runs->second.Find(instance);
  return found == nullptr ? nullptr : &found->second;
}

bool MemoryStore::FindInstance(std::string_view agent, std::string_view instance, Instant* born,
                               bool* bound_to_task) const {
  ReadLock lock(records_mutex_);
  const Instance* run = FindRun(agent, instance);
  if (run == nullptr) return false;
  *born = run->born;
  *bound_to_task = run->task != nullptr;
  return true;
}

bool MemoryStore::InstanceBoundTo(std::string_view agent, std::string_view instance,
                                  std::string_view task) const {
  ReadLock lock(records_mutex_);
  const Instance* run = FindRun(agent, instance);
  return run != nullptr && run->Task() == task;
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
  ReadLock lock(records_mutex_);
  auto holds = [&](const std::string& recorded) { return recorded.empty() || recorded == task; };
  if (child_instance.empty()) {
    JoinedKey fresh({parent_agent, parent_instance, child_agent});
    const auto* found = fresh_handoffs_.Find(fresh);
    return found != nullptr && holds(found->second.task);
  }
  JoinedKey child({child_agent, child_instance});
  const auto* found = parents_.Find(child);
  if (found == nullptr) return false;
  JoinedKey parent({parent_agent, parent_instance});
  return found->second.parent == std::string_view(parent) && holds(found->second.task);
}

bool MemoryStore::HasParent(std::string_view child_agent, std::string_view child_instance) const {
  if (child_instance.empty()) return false;
  ReadLock lock(records_mutex_);
  return !parents_.empty() && parents_.Contains(JoinedKey({child_agent, child_instance}));
}

Status MemoryStore::RecordHandoff(const HandoffRecord& handoff) {
  DPL_RETURN_IF_ERROR(RoomForHandoff());
  return PutHandoff(handoff);
}

Status MemoryStore::PutHandoff(const HandoffRecord& h) {
  WriteLock lock(mutex_), records(records_mutex_);
  SweepHandoffs();
  const Instant kept = KeptSince(h.at);
  if (h.child_instance.empty()) {
    // Fresh runs have no names to keep apart: the latest record stands.
    fresh_handoffs_.Assign(JoinedKey({h.parent_agent, h.parent_instance, h.child_agent}),
                           Handoff{{}, h.task, h.by, h.at, kept});
    return Status::Ok();
  }
  JoinedKey parent({h.parent_agent, h.parent_instance});
  JoinedKey child({h.child_agent, h.child_instance});
  if (std::string_view(parent) == std::string_view(child)) {
    return Error{"handoff.self", "an instance cannot be its own parent"};
  }
  auto [entry, made] = parents_.Emplace(child);
  if (made) {
    entry->second = {parent.ToString(), h.task, h.by, h.at, kept};
    return Status::Ok();
  }
  if (entry->second.parent == std::string_view(parent)) return Status::Ok();
  return Error{"handoff.parent", "this instance has another parent already"};
}

// ---------------------------------------------------------------- approvals and acts

std::shared_ptr<const ApprovalRecord> MemoryStore::FindApproval(std::string_view id) const {
  ReadLock lock(records_mutex_);
  const auto* found = approvals_.Find(id);
  return found == nullptr ? nullptr : found->second;
}

Status MemoryStore::RecordApproval(const ApprovalRecord& approval) {
  WriteLock lock(mutex_), records(records_mutex_);
  DPL_RETURN_IF_ERROR(ApprovalRoom());
  auto [entry, made] = approvals_.Emplace(approval.id);
  if (!made) return Error{"approval.exists", "an approval of this name is recorded already"};
  entry->second = std::make_shared<const ApprovalRecord>(approval);
  return Status::Ok();
}

bool MemoryStore::ActAfter(std::string_view separate, int side, std::string_view key,
                           std::string_view person, Instant not_before) const {
  JoinedKey name({separate, side == 0 ? "a" : "b", key, person});
  const auto* found = acts_.Find(name);
  return found != nullptr && found->second.at > not_before;
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
  *opened = found->second.opened;
  *uses = found->second.uses;
  return true;
}

std::vector<OpeningRecord> MemoryStore::Openings() const {
  std::vector<OpeningRecord> all;
  {
    ReadLock lock(mutex_);
    openings_.ForEach([&](const std::string&, const OpeningRecord& r) { all.push_back(r); });
  }
  std::sort(all.begin(), all.end(), [](const OpeningRecord& a, const OpeningRecord& b) {
    return std::tie(a.break_glass, a.opened.us, a.person, a.reason, a.ticket) <
           std::tie(b.break_glass, b.opened.us, b.person, b.reason, b.ticket);
  });
  return all;
}

// ---------------------------------------------------------------- counters

const Counter* MemoryStore::FindCounter(const CounterKey& key) const {
  JoinedKey name({MarkOf(key.window), SlidingBytes(key), key.identity});
  const auto* found = counters_.Find(name);
  return found == nullptr ? nullptr : &found->second;
}

Counter* MemoryStore::CounterOf(const CounterKey& key, Instant now) {
  JoinedKey name({MarkOf(key.window), SlidingBytes(key), key.identity});
  if (auto* found = counters_.Find(name)) return &found->second;
  SweepCounters(now, counters_.size() >= options_.max_counters);
  if (counters_.size() >= options_.max_counters) return nullptr;
  auto* made = counters_.Emplace(name, key).first;
  made->second.name = &made->first;
  return &made->second;
}

int64_t MemoryStore::Used(const CounterKey& counter, Instant now) const {
  ReadLock lock(mutex_);
  const Counter* c = FindCounter(counter);
  if (c == nullptr) return 0;
  // A window that is gone cannot be added to: the commit will say so.
  return c->Used(counter, std::max(now, HighTime())).value_or(0);
}

void MemoryStore::SetUsed(const CounterKey& counter, int64_t used, Instant now) {
  WriteLock lock(mutex_);
  Instant at = Raise(now);
  if (Counter* c = CounterOf(counter, at)) c->Set(counter, used, at);
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
  WriteLock lock(mutex_), records(records_mutex_);
  return TaskRoom();
}
Status MemoryStore::RoomForApproval() {
  WriteLock lock(mutex_), records(records_mutex_);
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
  return {counters_.size(), instance_count_, count_, keys_.size(), acts_.size(), openings_.size()};
}

uint64_t MemoryStore::LastReservation() const {
  ReadLock lock(mutex_);
  return first_id_ + count_ - 1;
}

}  // namespace dpl
