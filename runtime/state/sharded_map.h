// A hash table by text for very many entries, in shards: growing moves one shard at a time, and
// what is dead is swept a little with each step, so that no single call takes long however much
// there is. A small one has one shard, since there may be very many small ones. Not thread-safe.
// Entries stay where they are.
//
//   ShardedMap<Counter> counters;
//   auto [entry, made] = counters.Emplace(name, key);      // entry->first, entry->second
//   counters.SweepSome(8, [&](const Counter& c) { return c.Dead(now); });
#pragma once

#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

#include "runtime/state/keyed_hash.h"

namespace dpl {

template <class T>
class ShardedMap {
 public:
  static constexpr size_t kShards = 64;
  using Entry = std::pair<const std::string, T>;

  // Null: there is none.
  Entry* Find(std::string_view name) {
    Hashed key(name);
    auto& shard = ShardOf(key);
    auto it = shard.find(key);
    return it == shard.end() ? nullptr : &*it;
  }
  const Entry* Find(std::string_view name) const {
    return const_cast<ShardedMap*>(this)->Find(name);
  }
  bool Contains(std::string_view name) const { return Find(name) != nullptr; }
  // The entry of this name, made from `args` when there was none.
  template <class... Args>
  std::pair<Entry*, bool> Emplace(std::string_view name, Args&&... args) {
    Hashed key(name);
    auto& shard = ShardOf(key);
    auto it = shard.find(key);
    if (it != shard.end()) return {&*it, false};
    it = shard.try_emplace(std::string(name), std::forward<Args>(args)...).first;
    if (++size_ > kMostInOne && shards_.size() == 1) Split();
    return {&*it, true};
  }
  void Assign(std::string_view name, T value) {
    auto [entry, made] = Emplace(name);
    entry->second = std::move(value);
  }
  bool Erase(std::string_view name) {
    Hashed key(name);
    auto& shard = ShardOf(key);
    auto it = shard.find(key);
    if (it == shard.end()) return false;
    shard.erase(it);
    --size_;
    return true;
  }
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  template <class Each>
  void ForEach(const Each& each) {
    for (auto& shard : shards_) {
      for (Entry& entry : shard) each(entry.first, entry.second);
    }
  }
  template <class Each>
  void ForEach(const Each& each) const {
    for (const auto& shard : shards_) {
      for (const Entry& entry : shard) each(entry.first, entry.second);
    }
  }
  void Reserve(size_t count) {
    if (count > kMostInOne && shards_.size() == 1) Split();
    for (auto& shard : shards_) shard.reserve(count / shards_.size());
  }

  // Looks at this many buckets, from where the last call ended, and erases what `dead` says.
  template <class Dead>
  void SweepSome(size_t buckets, const Dead& dead) {
    for (size_t n = 0; n < buckets && size_ != 0; ++n) {
      auto* shard = &shards_[sweep_shard_];
      if (sweep_bucket_ >= shard->bucket_count() || shard->empty()) {
        sweep_bucket_ = 0;
        sweep_shard_ = (sweep_shard_ + 1) % shards_.size();
        continue;
      }
      for (auto it = shard->begin(sweep_bucket_); it != shard->end(sweep_bucket_);) {
        Entry& entry = *it;
        ++it;
        bool gone = false;
        if constexpr (std::is_invocable_v<Dead, const std::string&, const T&>) {
          gone = dead(entry.first, entry.second);
        } else {
          gone = dead(entry.second);
        }
        if (!gone) continue;
        shard->erase(shard->find(entry.first));
        --size_;
      }
      ++sweep_bucket_;
    }
  }
  template <class Dead>
  void SweepAll(const Dead& dead) {
    for (auto& shard : shards_)
      size_ -= std::erase_if(shard, [&](const Entry& entry) { return dead(entry.second); });
  }

  // For a walk with pauses in between: shard by shard, bucket by bucket. Another number of shards:
  // the walk begins anew.
  size_t Shards() const { return shards_.size(); }
  size_t Buckets(size_t shard) const { return shards_[shard].bucket_count(); }
  template <class Each>
  void InBucket(size_t shard, size_t bucket, const Each& each) const {
    const auto& map = shards_[shard];
    for (auto it = map.begin(bucket); it != map.end(bucket); ++it) each(it->first, it->second);
  }

 private:
  struct Hashed {
    explicit Hashed(std::string_view n) : name(n), hash(static_cast<size_t>(KeyedHash(n))) {}
    std::string_view name;
    size_t hash;
  };
  struct Hasher {
    using is_transparent = void;
    size_t operator()(const Hashed& key) const { return key.hash; }
    size_t operator()(std::string_view name) const { return static_cast<size_t>(KeyedHash(name)); }
  };
  struct Equal {
    using is_transparent = void;
    bool operator()(const Hashed& a, std::string_view b) const { return a.name == b; }
    bool operator()(std::string_view a, const Hashed& b) const { return a == b.name; }
    bool operator()(std::string_view a, std::string_view b) const { return a == b; }
  };
  using Shard = std::unordered_map<std::string, T, Hasher, Equal>;
  static constexpr size_t kMostInOne = 1024;
  Shard& ShardOf(const Hashed& key) { return shards_[shards_.size() == 1 ? 0 : key.hash >> 58]; }
  // Nodes move, what is in them does not.
  void Split() {
    Shard all = std::move(shards_[0]);
    shards_ = std::vector<Shard>(kShards);
    while (!all.empty()) {
      auto node = all.extract(all.begin());
      ShardOf(Hashed(node.key())).insert(std::move(node));
    }
    sweep_shard_ = sweep_bucket_ = 0;
  }

  std::vector<Shard> shards_{1};
  size_t size_ = 0;
  size_t sweep_shard_ = 0, sweep_bucket_ = 0;
};

}  // namespace dpl
