// See index.h.
#include "runtime/search/index.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

#include <sys/resource.h>

#include "runtime/base/keyed_hash.h"
#include "runtime/search/candidates.h"
#include "runtime/search/plan_cache.h"

namespace dpl {
namespace {

constexpr int kMaxLevels = 16;  // of containment, as in the snapshot

uint64_t Mix(uint64_t a, uint64_t b) {
  uint64_t h = (a ^ (b + 0x9e3779b97f4a7c15u + (a << 6) + (a >> 2))) * 0xd6e8feb86659fd93u;
  return h ^ (h >> 32);
}

// Ids and values are chosen by those whom the facts are about: hashes have the key of this process.
uint64_t HashOfNumbers(uint64_t a, uint64_t b, uint64_t c) {
  const uint64_t numbers[] = {a, b, c};
  return KeyedHash({reinterpret_cast<const char*>(numbers), sizeof numbers});
}

uint64_t HashOfEntity(const Entity& entity) {
  return Mix(entity.is_person ? 1 : 2 + uint64_t{entity.type}, KeyedHash(entity.id));
}

// The key under which those without a value stand; the hash of a value is never so.
constexpr uint64_t kNothing = 0;

// Ranks by key: filled once, in two walks over the same pairs, then only read.
class Postings {
 public:
  // `walk(emit)` calls emit(key, rank), ranks ascending, and the same both times. `ended`: nobody
  // will read it any more, so nothing more is done.
  template <class Walk>
  void Fill(const Walk& walk, const std::atomic<bool>* ended) {
    auto over = [ended] { return ended != nullptr && ended->load(std::memory_order_relaxed); };
    Rehash(1024);
    walk([&](uint64_t key, uint32_t) {
      if (!over()) ++Find(key, true)->count;
    });
    if (over()) return;
    uint32_t total = 0;
    for (Slot& slot : slots_) {
      if (!slot.used) continue;
      slot.first = total;
      total += slot.count;
      slot.count = 0;
    }
    ranks_.resize(total);
    walk([&](uint64_t key, uint32_t rank) {
      if (over()) return;
      Slot* slot = Find(key, false);
      uint32_t* list = ranks_.data() + slot->first;
      // A value may stand twice in one entity: two of its elements hash alike.
      if (slot->count != 0 && list[slot->count - 1] == rank) return;
      list[slot->count++] = rank;
    });
  }
  std::span<const uint32_t> Get(uint64_t key) const {
    if (slots_.empty()) return {};
    const Slot* slot = const_cast<Postings*>(this)->Find(key, false);
    return slot == nullptr ? std::span<const uint32_t>()
                           : std::span<const uint32_t>(ranks_.data() + slot->first, slot->count);
  }

 private:
  struct Slot {
    uint64_t key = 0;
    uint32_t first = 0, count = 0;
    bool used = false;
  };
  Slot* Find(uint64_t key, bool make) {
    size_t mask = slots_.size() - 1;
    for (size_t at = Mix(key, 7) & mask;; at = (at + 1) & mask) {
      Slot& slot = slots_[at];
      if (slot.used && slot.key == key) return &slot;
      if (slot.used) continue;
      if (!make) return nullptr;
      if (++used_ * 2 > slots_.size()) {
        Rehash(slots_.size() * 2);
        --used_;
        return Find(key, true);
      }
      slot.used = true;
      slot.key = key;
      return &slot;
    }
  }
  void Rehash(size_t size) {
    std::vector<Slot> before(size);
    before.swap(slots_);
    for (const Slot& slot : before) {
      if (!slot.used) continue;
      size_t mask = slots_.size() - 1, at = Mix(slot.key, 7) & mask;
      while (slots_[at].used) at = (at + 1) & mask;
      slots_[at] = slot;
    }
  }
  std::vector<Slot> slots_;  // power of two, at most half full
  size_t used_ = 0;
  std::vector<uint32_t> ranks_;
};

// Made when first asked for.
struct Part {
  std::once_flag once;
  std::atomic<bool> asked{false}, made{false};
  Postings postings;

  template <class Walk>
  const Postings& Get(const Walk& walk, const std::atomic<bool>* ended = nullptr) {
    std::call_once(once, [&] {
      postings.Fill(walk, ended);
      made.store(true, std::memory_order_release);
    });
    return postings;
  }
  bool Made() const { return made.load(std::memory_order_acquire); }
};

// One thread that makes what takes long, one after the other; begun with the first.
class Builder {
 public:
  ~Builder() {
    {
      std::lock_guard lock(mutex_);
      ended_ = true;
    }
    changed_.notify_all();
    if (thread_.joinable()) thread_.join();
  }
  void Add(std::function<void()> job) {
    std::lock_guard lock(mutex_);
    jobs_.push_back(std::move(job));
    try {
      if (!thread_.joinable()) thread_ = std::thread([this] { Run(); });
    } catch (const std::system_error&) {  // no thread to be had now: the next job tries again
    }
    changed_.notify_all();
  }
  const std::atomic<bool>& ended() const { return ended_; }
  void Settle() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return jobs_.empty() && !busy_; });
  }

 private:
  void Run() {
    (void)setpriority(PRIO_PROCESS, 0, kNice);  // of this thread
    std::unique_lock lock(mutex_);
    for (;;) {
      changed_.wait(lock, [this] { return ended_ || !jobs_.empty(); });
      if (ended_) return;
      std::function<void()> job = std::move(jobs_.front());
      jobs_.pop_front();
      busy_ = true;
      lock.unlock();
      job();
      lock.lock();
      busy_ = false;
      changed_.notify_all();
    }
  }

  static constexpr int kNice = 10;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> jobs_;
  bool busy_ = false;
  std::atomic<bool> ended_{false};
  std::thread thread_;
};

uint32_t RankIn(std::span<const Entity* const> sorted, std::string_view id) {
  auto at = std::lower_bound(sorted.begin(), sorted.end(), id,
                             [](const Entity* e, std::string_view text) { return e->id < text; });
  return at != sorted.end() && (*at)->id == id ? static_cast<uint32_t>(at - sorted.begin())
                                               : kNoRank;
}

// One attribute of every entity of a kind.
template <class Emit>
void EmitValues(std::span<const Entity* const> entities, uint32_t attribute, bool is_parent,
                const Emit& emit) {
  for (uint32_t rank = 0; rank < entities.size(); ++rank) {
    const Entity& entity = *entities[rank];
    Value value = entity.attributes == nullptr ? Value() : entity.attributes[attribute];
    if (value.kind == ValueKind::kUnset && is_parent &&
        entity.parent_state == Entity::Parent::kKnown)
      value = Value::Of(ValueKind::kResource, entity.parent);
    uint64_t hash = 0;
    if (value.kind == ValueKind::kUnset) {
      emit(kNothing, rank);
    } else if (value.kind == ValueKind::kSet) {
      for (uint32_t i = 0; i < value.n; ++i) {
        if (HashOfValue(value.items[i], &hash)) emit(hash, rank);
      }
    } else if (HashOfValue(value, &hash)) {
      emit(hash, rank);
    }
  }
}

}  // namespace

bool HashOfValue(const Value& value, uint64_t* hash) {
  switch (value.kind) {
    case ValueKind::kBool:
    case ValueKind::kInt:
    case ValueKind::kDecimal:
    case ValueKind::kMoney:
    case ValueKind::kDate:
    case ValueKind::kDateTime:
    case ValueKind::kTime:
    case ValueKind::kDuration:
    case ValueKind::kEnum:
    case ValueKind::kTeam:
    case ValueKind::kRole:
    case ValueKind::kAgent:
      *hash = HashOfNumbers(static_cast<uint64_t>(value.kind), static_cast<uint64_t>(value.i),
                            value.kind == ValueKind::kMoney ? value.n : 0);
      break;
    case ValueKind::kString:
      *hash = Mix(static_cast<uint64_t>(value.kind), KeyedHash(value.text()));
      break;
    case ValueKind::kPerson:
    case ValueKind::kResource:
      *hash = Mix(static_cast<uint64_t>(value.kind), HashOfEntity(*value.entity));
      break;
    default:
      return false;
  }
  if (*hash == kNothing) *hash = 1;
  return true;
}

struct SearchIndex::Parts {
  explicit Parts(const Schema& schema) : persons(schema.person.attributes.size()) {
    for (const ResourceDef& def : schema.resources) {
      resources.push_back(std::make_unique<std::vector<Part>>(def.attributes.size()));
      containers.push_back(std::make_unique<Part>());
    }
  }
  Part teams, roles, roles_at;
  std::vector<Part> persons;                                  // by attribute
  std::vector<std::unique_ptr<std::vector<Part>>> resources;  // by type, attribute
  std::vector<std::unique_ptr<Part>> containers;              // by type
  Builder builder;                                            // last: ends before what it makes
};

SearchIndex::SearchIndex(std::shared_ptr<const Snapshot> snapshot, uint32_t at_once)
    : snapshot_(std::move(snapshot)),
      at_once_(at_once),
      plans_(std::make_unique<PlanCache>()),
      parts_(std::make_unique<Parts>(snapshot_->program().schema)) {}
SearchIndex::~SearchIndex() = default;

void SearchIndex::Settle() const { parts_->builder.Settle(); }

// The walk is kept by value: it may be gone along later.
template <class Part, class Walk>
SearchIndex::Found SearchIndex::Look(Part* part, size_t entities, const Walk& walk,
                                     uint64_t key) const {
  if (part->Made() || entities <= at_once_) return part->Get(walk).Get(key);
  if (!part->asked.exchange(true)) {
    Builder* builder = &parts_->builder;
    builder->Add([part, walk, builder] { (void)part->Get(walk, &builder->ended()); });
  }
  return std::nullopt;
}

void SearchIndex::WarmLike(const SearchIndex& before) {
  if (before.snapshot().shared_program() != snapshot_->shared_program()) return;
  const Parts& had = *before.parts_;
  if (had.teams.Made()) (void)InTeam(0);
  if (had.roles.Made()) (void)InRole(0);
  if (had.roles_at.Made()) (void)InRoleAt(0, nullptr);
  for (uint32_t i = 0; i < had.persons.size(); ++i) {
    if (had.persons[i].Made()) (void)PersonsWithout(i);
  }
  for (uint32_t type = 0; type < had.resources.size(); ++type) {
    for (uint32_t i = 0; i < had.resources[type]->size(); ++i) {
      if ((*had.resources[type])[i].Made()) (void)ResourcesWithout(type, i);
    }
    Entity nothing;
    nothing.type = type;
    if (had.containers[type]->Made()) (void)Within(type, nothing);
  }
}

uint32_t SearchIndex::RankOfPerson(std::string_view id) const {
  return RankIn(snapshot_->Persons(), id);
}
uint32_t SearchIndex::RankOfResource(uint32_t type, std::string_view id) const {
  return RankIn(snapshot_->Resources(type), id);
}

std::pair<uint32_t, uint32_t> SearchIndex::RanksOfPrefix(uint32_t type,
                                                         std::string_view prefix) const {
  std::span<const Entity* const> all = snapshot_->Resources(type);
  auto from = std::lower_bound(all.begin(), all.end(), prefix,
                               [](const Entity* e, std::string_view t) { return e->id < t; });
  auto end = std::partition_point(from, all.end(),
                                  [&](const Entity* e) { return e->id.starts_with(prefix); });
  return {static_cast<uint32_t>(from - all.begin()), static_cast<uint32_t>(end - all.begin())};
}

SearchIndex::Found SearchIndex::InTeam(uint32_t team) const {
  const std::span<const Entity* const> persons = snapshot_->Persons();
  return Look(
      &parts_->teams, persons.size(),
      [persons](const auto& emit) {
        for (uint32_t rank = 0; rank < persons.size(); ++rank) {
          if (persons[rank]->person == nullptr) continue;
          for (const Membership& m : persons[rank]->person->teams) emit(m.team, rank);
        }
      },
      team);
}

SearchIndex::Found SearchIndex::InRole(uint32_t role) const {
  const std::span<const Entity* const> persons = snapshot_->Persons();
  return Look(
      &parts_->roles, persons.size(),
      [persons](const auto& emit) {
        for (uint32_t rank = 0; rank < persons.size(); ++rank) {
          if (persons[rank]->person == nullptr) continue;
          for (const Holding& h : persons[rank]->person->roles) emit(h.role, rank);
        }
      },
      role);
}

SearchIndex::Found SearchIndex::InRoleAt(uint32_t role, const Entity* scope) const {
  auto key = [](uint32_t of, const Entity* at) {
    return Mix(of, at == nullptr ? 1 : HashOfEntity(*at));
  };
  const std::span<const Entity* const> persons = snapshot_->Persons();
  return Look(
      &parts_->roles_at, persons.size(),
      [persons, key](const auto& emit) {
        for (uint32_t rank = 0; rank < persons.size(); ++rank) {
          if (persons[rank]->person == nullptr) continue;
          for (const Holding& h : persons[rank]->person->roles) emit(key(h.role, h.scope), rank);
        }
      },
      key(role, scope));
}

SearchIndex::Found SearchIndex::PersonsWith(uint32_t attribute, uint64_t hash) const {
  const std::span<const Entity* const> persons = snapshot_->Persons();
  return Look(
      &parts_->persons[attribute], persons.size(),
      [persons, attribute](const auto& emit) { EmitValues(persons, attribute, false, emit); },
      hash);
}

SearchIndex::Found SearchIndex::ResourcesWith(uint32_t type, uint32_t attribute,
                                              uint64_t hash) const {
  const ResourceDef& def = snapshot_->program().schema.resources[type];
  const std::span<const Entity* const> resources = snapshot_->Resources(type);
  const bool is_parent = attribute == def.parent_attribute;
  return Look(
      &(*parts_->resources[type])[attribute], resources.size(),
      [resources, attribute, is_parent](const auto& emit) {
        EmitValues(resources, attribute, is_parent, emit);
      },
      hash);
}

SearchIndex::Found SearchIndex::PersonsWithout(uint32_t attribute) const {
  return PersonsWith(attribute, kNothing);
}
SearchIndex::Found SearchIndex::ResourcesWithout(uint32_t type, uint32_t attribute) const {
  return ResourcesWith(type, attribute, kNothing);
}

SearchIndex::Found SearchIndex::Within(uint32_t type, const Entity& container) const {
  const std::span<const Entity* const> resources = snapshot_->Resources(type);
  return Look(
      parts_->containers[type].get(), resources.size(),
      [resources, snapshot = snapshot_.get()](const auto& emit) {
        for (uint32_t rank = 0; rank < resources.size(); ++rank) {
          const Entity* at = resources[rank];
          for (int level = 0; level <= kMaxLevels; ++level) {
            emit(HashOfEntity(*at), rank);
            if (at->parent_state != Entity::Parent::kKnown) break;
            at = snapshot->Latest(at->parent);
          }
        }
      },
      HashOfEntity(container));
}

}  // namespace dpl
