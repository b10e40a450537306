// The arithmetic of one counter: a calendar window and the one before it, a sliding window, or a
// total. Not thread-safe.
//
// A sliding window (now - D, now] keeps exact instants while they are few. Past kExact of them,
// instants are rounded up to the ends of buckets (k·g, (k+1)·g] with g = D/60: an event may then
// count up to g too long, never too short.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

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
  // The only event; false: there are none or several.
  bool Only(Instant* at, int64_t* quantity) const {
    if (size_ != 1) return false;
    *at = Instant{events_[0].at_us};
    *quantity = events_[0].quantity;
    return true;
  }

 private:
  struct Event {
    int64_t at_us;
    int64_t quantity;
  };
  void Drop(Instant now, int64_t window_us);
  void Coalesce(int64_t window_us);

  void Room(int events);

  std::unique_ptr<Event[]> events_;  // rising in at_us
  int16_t size_ = 0, room_ = 0;
};

// There may be a million of these: 24 bytes, and more only for what needs it (a sliding window with
// several instants, a calendar window with the one before it). The kind of window and its length
// are the owner's to know: every call gets the same.
class Counter {
 public:
  Counter() = default;
  Counter(Counter&& other) noexcept { *this = std::move(other); }
  Counter& operator=(Counter&& other) noexcept;
  ~Counter() { Clear(); }

  // What the window of `key` holds at `now`; nullopt: that window lies before the ones kept.
  std::optional<int64_t> Used(const CounterKey& key, Instant now) const;
  void Add(const CounterKey& key, int64_t quantity, Instant now);
  void Set(const CounterKey& key, int64_t used, Instant now);
  // What comes back goes to the window it came from (key.start, and charged_at in a sliding one);
  // nowhere when that is gone.
  void GiveBack(const CounterKey& key, Instant charged_at, int64_t quantity, Instant now);
  // How it stands, without its name. Of the key: the kind and length of the window.
  CounterRecord Shown(const CounterKey& key, Instant now) const;
  bool Empty() const { return kind_ == Kind::kEmpty; }  // nothing was ever added
  // Nothing that a later decision could read.
  bool Dead(const CounterKey& key, Instant now) const;
  void Save(const CounterKey& key, ByteWriter* out) const;
  static std::optional<Counter> Load(ByteReader* in);

  uint32_t holds = 0;  // open reservations that point here

 private:
  enum class Kind : uint8_t { kEmpty, kTotal, kCalendar, kInstant, kCalendars, kSliding };
  struct Calendar {
    Instant start{}, end{};
    int64_t used = 0;
  };
  struct Calendars {
    Calendar at[2];  // [0] is the later one
  };

  void Clear();
  // The window at hand, where it fits into `where_`: whole seconds, as all windows are but those of
  // strange clocks.
  static std::optional<uint64_t> Packed(const Calendar& calendar);
  Calendar Latest() const;
  void SetLatest(const Calendar& calendar);
  Calendar* Find(Instant start);
  SlidingWindow* Sliding();
  void Slim();  // a sliding window of one instant needs no more than that

  Kind kind_ = Kind::kEmpty;
  int64_t used_ = 0;  // kTotal, kCalendar, kInstant
  union {
    uint64_t where_ = 0;    // kCalendar: the window; kInstant: when
    Calendars* calendars_;  // kCalendars
    SlidingWindow* sliding_;
  };
};
static_assert(sizeof(Counter) == 24);

}  // namespace dpl
