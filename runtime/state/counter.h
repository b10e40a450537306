// The arithmetic of one counter: a calendar window and the one before it, a sliding window, or a
// total. Not thread-safe.
//
// A sliding window (now - D, now] keeps exact instants while they are few. Past kExact of them,
// instants are rounded up to the ends of buckets (k·g, (k+1)·g] with g = D/60: an event may then
// count up to g too long, never too short.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>

#include "runtime/base/bytes.h"
#include "runtime/base/instant.h"
#include "runtime/state/store.h"

namespace dpl {

// a + b for quantities >= 0; INT64_MAX when it does not fit.
int64_t SaturatingAdd(int64_t a, int64_t b);

class SlidingWindow {
 public:
  static constexpr int kExact = 64;
  static constexpr int kBuckets = 60;

  // `at` must not be below an `at` given before (callers use the high time); an earlier one counts
  // as the last one.
  void Add(Instant at, int64_t quantity, int64_t window_us);
  int64_t Sum(Instant now, int64_t window_us) const;
  // Takes back from the event added at `at`; nothing when that event is already out of the window
  // at `now`.
  void GiveBack(Instant at, int64_t quantity, Instant now, int64_t window_us);
  bool Empty(Instant now, int64_t window_us) const { return Sum(now, window_us) == 0; }
  void Clear() { size_ = 0; }
  void Save(ByteWriter* out) const;
  bool Load(ByteReader* in);

 private:
  struct Event {
    int64_t at_us;
    int64_t quantity;
  };
  void Drop(Instant now, int64_t window_us);
  void Coalesce(int64_t window_us);

  std::array<Event, kExact> events_;  // rising in at_us
  int size_ = 0;
};

class Counter {
 public:
  explicit Counter(const CounterKey& key);

  // What the window of `key` holds at `now`; nullopt: that window lies before the ones kept.
  std::optional<int64_t> Used(const CounterKey& key, Instant now) const;
  void Add(const CounterKey& key, int64_t quantity, Instant now);
  void Set(const CounterKey& key, int64_t used, Instant now);
  // What comes back goes to the window it came from; nowhere when that is gone.
  void GiveBack(Instant window_start, Instant charged_at, int64_t quantity, Instant now);
  // How it stands, without its name.
  CounterRecord Shown(Instant now) const;
  // Nothing that a later decision could read.
  bool Dead(Instant now) const;
  void Save(ByteWriter* out) const;
  static std::optional<Counter> Load(ByteReader* in);

  int holds = 0;                      // open reservations that point here
  const std::string* name = nullptr;  // its key in the store's table

 private:
  struct Calendar {
    Instant start{}, end{};
    int64_t used = 0;
  };
  CounterKey::Window window_;
  int64_t sliding_us_;
  Calendar calendar_[2];  // [0] is the later one
  int64_t total_ = 0;
  std::unique_ptr<SlidingWindow> sliding_;
};

}  // namespace dpl
