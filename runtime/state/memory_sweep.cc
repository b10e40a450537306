// What the in-memory store forgets, a few entries at a time: each call that adds something looks at
// some of what is there. docs/state.md says how long what is kept.
#include <algorithm>

#include "runtime/state/memory_store.h"

namespace dpl {
namespace {

constexpr size_t kFew = 16, kMore = 8192;  // slots
constexpr size_t kManyRuns = 1024;         // of one agent
// Kept for a while after their end, so that they are told from things that never were; a run that
// is bound to a task is forgotten before the task's name can be given away again.
constexpr int64_t kKeepEndedUs = 32 * kMicrosPerDay;
constexpr int64_t kKeepRevokedUs = 400 * kMicrosPerDay;
constexpr int64_t kKeepOpeningUs = 400 * kMicrosPerDay;

bool Over(Instant end, int64_t keep_us, Instant now) {
  return SaturatingAdd(end.us, keep_us) < now.us;
}

}  // namespace

bool MemoryStore::DeadCounter(const CounterEntry& counter, Instant now) const {
  if (counter.value.holds != 0) return false;
  std::string name;
  return counter.value.Dead(KeyOf(counter, &name), now);
}

void MemoryStore::SweepCounters(Instant now, bool more) {
  counters_.SweepSome(more ? kMore : kFew, [&](CounterEntry& c) { return DeadCounter(c, now); });
}

// Silence counts as spent: what has reached its deadline is closed in full.
void MemoryStore::SweepReservations(Instant now, bool more) {
  reservations_.SweepSome(more ? kMore : kFew, [&](OpenEntry& r) {
    if (r.value.deadline > now) return false;
    Close(&r, ReservationState::kSpent);
    return true;
  });
}

void MemoryStore::SweepInstances(Runs* runs, Instant now, bool more) {
  // A run that is forgotten could come again as a new one: not before there are many.
  if (!more && runs->size() < kManyRuns) return;
  const size_t before = runs->size();
  runs->SweepSome(more ? kMore : kFew, [&](const Instance& run) {
    if (run.keep_until >= now) return false;
    Forget(run);
    return true;
  });
  instance_count_ -= before - runs->size();
}

// Many runs have the same task: its name is kept once.
void MemoryStore::Bind(Instance* run, std::string_view task) {
  BoundEntry* bound = bound_tasks_.Emplace(task).first;
  ++bound->value.runs;
  run->task.store(bound);
}

void MemoryStore::Forget(const Instance& run) {
  BoundEntry* bound = run.task.load();
  if (bound == nullptr || --bound->value.runs != 0) return;
  bound_tasks_.Erase(bound_tasks_.Name(*bound));
}

void MemoryStore::SweepKeys(Instant now, bool more) {
  keys_.SweepSome(more ? kMore : kFew, [&](const ChargeKey& key) {
    return key.state != ReservationState::kOpen && key.keep_until < now;
  });
}

void MemoryStore::SweepTasks() {
  tasks_.SweepSome(kFew, [high = HighTime()](const std::shared_ptr<const TaskRecord>& task) {
    return Over(task->expires, kKeepEndedUs, high);
  });
}

void MemoryStore::SweepApprovals() {
  approvals_.SweepSome(kFew, [high = HighTime()](const std::shared_ptr<const ApprovalRecord>& a) {
    return Over(a->expires, kKeepEndedUs, high);
  });
}

void MemoryStore::SweepRequests() {
  requests_.SweepSome(kFew, [high = HighTime()](const std::shared_ptr<const AccessRequest>& r) {
    return Over(r->expires, kKeepEndedUs, high);
  });
}

void MemoryStore::SweepActs(Instant now) {
  acts_.SweepSome(kFew, [&](const Act& act) { return act.keep_until < now; });
}

// One that nobody has reviewed is kept until somebody does.
void MemoryStore::SweepOpenings(Instant now) {
  openings_.SweepSome(kFew, [&](const OpeningRecord& o) {
    return !o.reviewed_by.empty() && o.reviewed_at >= o.last_used &&
           Over(o.last_used, kKeepOpeningUs, now);
  });
}

// A withdrawal only has to outlive what was under way when it came.
void MemoryStore::SweepConsents() {
  consents_.SweepSome(kFew, [high = HighTime()](const ConsentRecord& consent) {
    return consent.reach.empty() && Over(consent.at, kKeepEndedUs, high);
  });
}

// A child's parent is remembered as long as the child may be: forgotten, the name is a new run.
void MemoryStore::SweepHandoffs() {
  const Instant high = HighTime();
  parents_.SweepSome(kFew, [&](NameTable<Handoff>::Entry& handoff) {
    if (!Over(handoff.value.kept, kKeepEndedUs, high)) return false;
    const std::string child = parents_.Name(handoff);
    std::string_view rest = child;
    std::string_view agent = JoinedKey::TakePart(&rest);
    return FindRun(agent, JoinedKey::TakePart(&rest)) == nullptr;
  });
}

// Of things that have one life: a run, a task, an approval. The name is not used again for so long.
void MemoryStore::SweepRevoked(RevokedKind kind) {
  if (kind != RevokedKind::kInstance && kind != RevokedKind::kTask &&
      kind != RevokedKind::kApproval)
    return;
  NameTable<RevokedEntry>& table = *revoked_[static_cast<int>(kind)];
  if (table.size() < sweep_revoked_at_[static_cast<int>(kind)]) return;
  const Instant high = HighTime();
  table.SweepAll([&](NameTable<RevokedEntry>::Entry& entry) {
    if (!Over(entry.value.kept, kKeepRevokedUs, high)) return false;
    const std::string name = table.Name(entry);
    if (name.empty()) return false;
    if (kind == RevokedKind::kTask) return !tasks_.Contains(name);
    if (kind == RevokedKind::kApproval)
      return name.find('.') == std::string::npos && !approvals_.Contains(name);
    size_t slash = name.find('/');
    return slash == std::string::npos ||
           FindRun(std::string_view(name).substr(0, slash),
                   std::string_view(name).substr(slash + 1)) == nullptr;
  });
  sweep_revoked_at_[static_cast<int>(kind)] = std::max<size_t>(1024, table.size() * 2);
}

// All of it, when a store is opened.
void MemoryStore::SweepAll() {
  const Instant high = HighTime();
  instances_.SweepAll([&](NameTable<Runs>::Entry& agent) {
    Runs& runs = agent.value;
    const size_t before = runs.size();
    runs.SweepAll([&](const Instance& run) {
      if (run.keep_until >= high) return false;
      Forget(run);
      return true;
    });
    instance_count_ -= before - runs.size();
    return runs.empty();
  });
  counters_.SweepAll([&](CounterEntry& c) { return DeadCounter(c, high); });
  keys_.SweepAll([&](const ChargeKey& key) {
    return key.state != ReservationState::kOpen && key.keep_until < high;
  });
  tasks_.SweepAll([&](const auto& task) { return Over(task.value->expires, kKeepEndedUs, high); });
  approvals_.SweepAll([&](const auto& a) { return Over(a.value->expires, kKeepEndedUs, high); });
  requests_.SweepAll([&](const auto& r) { return Over(r.value->expires, kKeepEndedUs, high); });
  acts_.SweepAll([&](const Act& act) { return act.keep_until < high; });
}

}  // namespace dpl
