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

constexpr int64_t kKeepEndedUs = 32 * kMicrosPerDay;

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
  ReadLock lock(mutex_);
  const KeyedMap<RevokedEntry>& map = revoked_[static_cast<int>(kind)];
  auto it = map.find(name);
  if (it == map.end()) return false;
  return it->second.always || !since.has_value() || *since <= it->second.before;
}

uint64_t MemoryStore::Revoke(const Revocation& r) {
  WriteLock lock(mutex_);
  std::string_view name = r.kind == RevokedKind::kEverything ? std::string_view() : r.name;
  KeyedMap<RevokedEntry>& map = revoked_[static_cast<int>(r.kind)];
  RevokedEntry& entry = map.try_emplace(std::string(name)).first->second;
  if (r.before.has_value()) {
    entry.before = std::max(entry.before, *r.before);
  } else {
    entry.always = true;
  }
  entry.at = r.at;
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
  ReadLock lock(mutex_);
  auto it = consents_.find(std::string_view(key));
  if (it == consents_.end()) return false;
  out->at = it->second.at;
  out->whole_day = it->second.whole_day;
  out->from_facts = it->second.from_facts;
  out->reach.assign(it->second.reach.begin(), it->second.reach.end());
  return true;
}

void MemoryStore::ForEachConsent(const EachConsent& each) const {
  ReadLock lock(mutex_);
  for (const auto& [key, consent] : consents_) {
    std::string_view rest = key;
    std::string_view delegation = JoinedKey::TakePart(&rest);
    each(delegation, JoinedKey::TakePart(&rest), consent);
  }
}

void MemoryStore::GiveConsent(std::string_view delegation, std::string_view person,
                              const ConsentRecord& consent) {
  JoinedKey key({delegation, person});
  WriteLock lock(mutex_);
  if (consents_.size() >= options_.max_consents && !consents_.contains(std::string_view(key)))
    return;  // not recorded is not given
  auto [it, made] = consents_.try_emplace(key.ToString(), consent);
  if (!made && consent.at >= it->second.at) it->second = consent;
}

std::shared_ptr<const TaskRecord> MemoryStore::FindTask(std::string_view id) const {
  ReadLock lock(mutex_);
  auto it = tasks_.find(id);
  return it == tasks_.end() ? nullptr : it->second;
}

Status MemoryStore::OpenTask(const TaskRecord& task) {
  WriteLock lock(mutex_);
  DPL_RETURN_IF_ERROR(TaskRoom());
  auto [it, made] = tasks_.try_emplace(task.id);
  if (!made) return Error{"task.exists", "a task of this name is open already"};
  it->second = std::make_shared<const TaskRecord>(task);
  return Status::Ok();
}

// ---------------------------------------------------------------- instances and hand-offs

const MemoryStore::Instance* MemoryStore::FindRun(std::string_view agent,
                                                  std::string_view instance) const {
  auto runs = instances_.find(agent);
  if (runs == instances_.end()) return nullptr;
  auto it = runs->second.find(instance);
  return it == runs->second.end() ? nullptr : &it->second;
}

bool MemoryStore::FindInstance(std::string_view agent, std::string_view instance, Instant* born,
                               bool* bound_to_task) const {
  ReadLock lock(mutex_);
  const Instance* run = FindRun(agent, instance);
  if (run == nullptr) return false;
  *born = run->born;
  *bound_to_task = run->task != nullptr;
  return true;
}

bool MemoryStore::InstanceBoundTo(std::string_view agent, std::string_view instance,
                                  std::string_view task) const {
  ReadLock lock(mutex_);
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
  ReadLock lock(mutex_);
  auto holds = [&](const std::string& recorded) { return recorded.empty() || recorded == task; };
  if (child_instance.empty()) {
    JoinedKey fresh({parent_agent, parent_instance, child_agent});
    auto it = fresh_handoffs_.find(std::string_view(fresh));
    return it != fresh_handoffs_.end() && holds(it->second.task);
  }
  JoinedKey child({child_agent, child_instance});
  auto it = parents_.find(std::string_view(child));
  if (it == parents_.end()) return false;
  JoinedKey parent({parent_agent, parent_instance});
  return it->second.parent == std::string_view(parent) && holds(it->second.task);
}

bool MemoryStore::HasParent(std::string_view child_agent, std::string_view child_instance) const {
  if (child_instance.empty()) return false;
  JoinedKey child({child_agent, child_instance});
  ReadLock lock(mutex_);
  return parents_.find(std::string_view(child)) != parents_.end();
}

Status MemoryStore::RecordHandoff(const HandoffRecord& handoff) {
  DPL_RETURN_IF_ERROR(RoomForHandoff());
  return PutHandoff(handoff);
}

Status MemoryStore::PutHandoff(const HandoffRecord& h) {
  WriteLock lock(mutex_);
  if (h.child_instance.empty()) {
    // Fresh runs have no names to keep apart: the latest record stands.
    fresh_handoffs_.insert_or_assign(
        JoinedKey({h.parent_agent, h.parent_instance, h.child_agent}).ToString(),
        Handoff{{}, h.task, h.by, h.at});
    return Status::Ok();
  }
  JoinedKey parent({h.parent_agent, h.parent_instance});
  JoinedKey child({h.child_agent, h.child_instance});
  if (std::string_view(parent) == std::string_view(child)) {
    return Error{"handoff.self", "an instance cannot be its own parent"};
  }
  auto [it, made] = parents_.try_emplace(child.ToString());
  if (made) {
    it->second = {parent.ToString(), h.task, h.by, h.at};
    return Status::Ok();
  }
  if (it->second.parent == std::string_view(parent)) return Status::Ok();
  return Error{"handoff.parent", "this instance has another parent already"};
}

// ---------------------------------------------------------------- approvals and acts

std::shared_ptr<const ApprovalRecord> MemoryStore::FindApproval(std::string_view id) const {
  ReadLock lock(mutex_);
  auto it = approvals_.find(id);
  return it == approvals_.end() ? nullptr : it->second;
}

Status MemoryStore::RecordApproval(const ApprovalRecord& approval) {
  WriteLock lock(mutex_);
  DPL_RETURN_IF_ERROR(ApprovalRoom());
  auto [it, made] = approvals_.try_emplace(approval.id);
  if (!made) return Error{"approval.exists", "an approval of this name is recorded already"};
  it->second = std::make_shared<const ApprovalRecord>(approval);
  return Status::Ok();
}

bool MemoryStore::ActAfter(std::string_view separate, int side, std::string_view key,
                           std::string_view person, Instant not_before) const {
  JoinedKey name({separate, side == 0 ? "a" : "b", key, person});
  auto it = acts_.find(std::string_view(name));
  return it != acts_.end() && it->second > not_before;
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
  auto it = openings_.find(std::string_view(key));
  if (it == openings_.end()) return false;
  *opened = it->second.opened;
  *uses = it->second.uses;
  return true;
}

std::vector<OpeningRecord> MemoryStore::Openings() const {
  std::vector<OpeningRecord> all;
  {
    ReadLock lock(mutex_);
    for (const auto& [key, record] : openings_) all.push_back(record);
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
  auto it = counters_.find(std::string_view(name));
  return it == counters_.end() ? nullptr : &it->second;
}

Counter* MemoryStore::CounterOf(const CounterKey& key, Instant now) {
  JoinedKey name({MarkOf(key.window), SlidingBytes(key), key.identity});
  auto it = counters_.find(std::string_view(name));
  if (it != counters_.end()) return &it->second;
  if (counters_.size() >= sweep_counters_at_) SweepCounters(now);
  if (counters_.size() >= options_.max_counters) return nullptr;
  it = counters_.try_emplace(name.ToString(), key).first;
  it->second.name = &it->first;
  return &it->second;
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

void MemoryStore::SweepCounters(Instant now) {
  std::erase_if(counters_, [&](const auto& entry) {
    return entry.second.holds == 0 && entry.second.Dead(now);
  });
  sweep_counters_at_ = std::max<size_t>(1024, counters_.size() * 2);
}

void MemoryStore::SweepInstances(Instant now) {
  for (auto& [agent, runs] : instances_) {
    instance_count_ -=
        std::erase_if(runs, [&](const auto& entry) { return entry.second.keep_until < now; });
  }
  std::erase_if(instances_, [](const auto& entry) { return entry.second.empty(); });
  sweep_instances_at_ = std::max<size_t>(1024, instance_count_ * 2);
}

Status MemoryStore::TaskRoom() {
  if (tasks_.size() >= sweep_tasks_at_) SweepTasks();
  return tasks_.size() < options_.max_tasks ? Status::Ok() : Status(Full("tasks"));
}
Status MemoryStore::ApprovalRoom() {
  if (approvals_.size() >= sweep_approvals_at_) SweepApprovals();
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
  if (requests_.contains(id))
    return Error{"access.exists", "a request for access of this name is recorded already"};
  if (requests_.size() >= sweep_requests_at_) SweepRequests();
  return requests_.size() < options_.max_requests ? Status::Ok()
                                                  : Status(Full("requests for access"));
}
Status MemoryStore::RoomForHandoff() {
  ReadLock lock(mutex_);
  bool room = parents_.size() + fresh_handoffs_.size() < options_.max_handoffs;
  return room ? Status::Ok() : Status(Full("hand-offs"));
}

// Kept for a while after their end, so that they are told from things that never were; a run that
// is bound to a task is forgotten before the task's name can be given away again.
void MemoryStore::SweepTasks() {
  std::erase_if(tasks_, [high = HighTime()](const auto& entry) {
    return SaturatingAdd(entry.second->expires.us, kKeepEndedUs) < high.us;
  });
  sweep_tasks_at_ = std::max<size_t>(1024, tasks_.size() * 2);
}

void MemoryStore::SweepApprovals() {
  std::erase_if(approvals_, [high = HighTime()](const auto& entry) {
    return SaturatingAdd(entry.second->expires.us, kKeepEndedUs) < high.us;
  });
  sweep_approvals_at_ = std::max<size_t>(1024, approvals_.size() * 2);
}

void MemoryStore::SweepRequests() {
  std::erase_if(requests_, [high = HighTime()](const auto& entry) {
    return SaturatingAdd(entry.second->expires.us, kKeepEndedUs) < high.us;
  });
  sweep_requests_at_ = std::max<size_t>(1024, requests_.size() * 2);
}

void MemoryStore::SweepKeys(Instant now) {
  std::erase_if(keys_, [&](const auto& entry) {
    return entry.second.state != ReservationState::kOpen && entry.second.keep_until < now;
  });
  sweep_keys_at_ = std::max<size_t>(1024, keys_.size() * 2);
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

}  // namespace dpl
