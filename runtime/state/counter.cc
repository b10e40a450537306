// See counter.h.
#include "runtime/state/counter.h"

#include <algorithm>

namespace dpl {
namespace {

// `now - window` without leaving the range of 64 bits.
int64_t WindowStart(Instant now, int64_t window_us) {
  int64_t start = 0;
  return __builtin_sub_overflow(now.us, window_us, &start) ? INT64_MIN : start;
}

int64_t CeilTo(int64_t value, int64_t step) {
  int64_t rest = value % step;
  if (rest == 0) return value;
  int64_t down = value - rest - (rest < 0 ? step : 0);
  return down + step;
}

}  // namespace

int64_t SaturatingAdd(int64_t a, int64_t b) {
  int64_t sum = 0;
  return __builtin_add_overflow(a, b, &sum) ? INT64_MAX : sum;
}

void SlidingWindow::Drop(Instant now, int64_t window_us) {
  int64_t start = WindowStart(now, window_us);
  int16_t gone = 0;
  while (gone < size_ && events_[gone].at_us <= start) ++gone;
  if (gone == 0) return;
  std::move(events_.get() + gone, events_.get() + size_, events_.get());
  size_ = static_cast<int16_t>(size_ - gone);
}

void SlidingWindow::Coalesce(int64_t window_us) {
  int64_t step = std::max<int64_t>(1, window_us / kBuckets + (window_us % kBuckets != 0 ? 1 : 0));
  int16_t kept = 0;
  for (int i = 0; i < size_; ++i) {
    int64_t at = CeilTo(events_[i].at_us, step);
    if (kept > 0 && events_[kept - 1].at_us >= at) {
      events_[kept - 1].quantity = SaturatingAdd(events_[kept - 1].quantity, events_[i].quantity);
    } else {
      events_[kept++] = {at, events_[i].quantity};
    }
  }
  size_ = kept;
}

void SlidingWindow::Add(Instant at, int64_t quantity, int64_t window_us) {
  if (quantity == 0) return;
  Drop(at, window_us);
  if (size_ > 0 && events_[size_ - 1].at_us >= at.us) {
    events_[size_ - 1].quantity = SaturatingAdd(events_[size_ - 1].quantity, quantity);
    return;
  }
  if (size_ == kExact) {
    Coalesce(window_us);
    if (events_[size_ - 1].at_us >= at.us || size_ == kExact) {
      events_[size_ - 1].at_us = std::max(events_[size_ - 1].at_us, at.us);
      events_[size_ - 1].quantity = SaturatingAdd(events_[size_ - 1].quantity, quantity);
      return;
    }
  }
  Room(size_ + 1);
  events_[size_++] = {at.us, quantity};
}

void SlidingWindow::Room(int events) {
  if (events <= room_) return;
  const int room = std::min(kExact, std::max(events, room_ * 2));
  auto wider = std::make_unique_for_overwrite<Event[]>(static_cast<size_t>(room));
  std::copy(events_.get(), events_.get() + size_, wider.get());
  events_ = std::move(wider);
  room_ = static_cast<int16_t>(room);
}

int64_t SlidingWindow::Sum(Instant now, int64_t window_us) const {
  int64_t start = WindowStart(now, window_us);
  int64_t sum = 0;
  for (int i = size_ - 1; i >= 0 && events_[i].at_us > start; --i)
    sum = SaturatingAdd(sum, events_[i].quantity);
  return sum;
}

void SlidingWindow::GiveBack(Instant at, int64_t quantity, Instant now, int64_t window_us) {
  if (at.us <= WindowStart(now, window_us)) return;
  // Rounding moves events up only, so the first event at or after `at` holds it.
  for (int i = 0; i < size_; ++i) {
    if (events_[i].at_us < at.us) continue;
    events_[i].quantity -= std::min(quantity, events_[i].quantity);
    return;
  }
}

void SlidingWindow::Save(ByteWriter* out) const {
  out->Varint(static_cast<uint64_t>(size_));
  for (int i = 0; i < size_; ++i) {
    out->I64(events_[i].at_us);
    out->SignedVarint(events_[i].quantity);
  }
}

bool SlidingWindow::Load(ByteReader* in) {
  uint64_t size = 0;
  if (!in->Varint(&size) || size > kExact) return false;
  Room(static_cast<int>(size));
  size_ = static_cast<int16_t>(size);
  for (int i = 0; i < size_; ++i) {
    if (!in->I64(&events_[i].at_us) || !in->SignedVarint(&events_[i].quantity)) return false;
    if (events_[i].quantity < 0 || (i > 0 && events_[i].at_us < events_[i - 1].at_us)) return false;
  }
  return true;
}

// ---------------------------------------------------------------- a counter

namespace {

// A window in 63 bits: 36 of the second it begins with, 27 of how many it has.
constexpr int64_t kFirstSecond = -(int64_t{1} << 35), kMostSeconds = (int64_t{1} << 27) - 1;

}  // namespace

void Counter::Clear() {
  if (kind_ == Kind::kCalendars) delete calendars_;
  if (kind_ == Kind::kSliding) delete sliding_;
  kind_ = Kind::kEmpty;
  used_ = 0;
  where_ = 0;
}

Counter& Counter::operator=(Counter&& other) noexcept {
  if (this == &other) return *this;
  Clear();
  holds = other.holds;
  kind_ = std::exchange(other.kind_, Kind::kEmpty);
  used_ = other.used_;
  where_ = other.where_;
  return *this;
}

std::optional<uint64_t> Counter::Packed(const Calendar& c) {
  const int64_t start = c.start.us / kMicrosPerSecond, length = Subtract(c.end, c.start).us;
  if (c.start.us % kMicrosPerSecond != 0 || length % kMicrosPerSecond != 0 || length <= 0 ||
      length / kMicrosPerSecond > kMostSeconds || start < kFirstSecond || start >= -kFirstSecond)
    return std::nullopt;
  return static_cast<uint64_t>(start - kFirstSecond) << 27 |
         static_cast<uint64_t>(length / kMicrosPerSecond);
}

Counter::Calendar Counter::Latest() const {
  if (kind_ == Kind::kCalendars) return calendars_->at[0];
  if (kind_ != Kind::kCalendar) return {};
  Calendar c;
  c.start.us = (static_cast<int64_t>(where_ >> 27) + kFirstSecond) * kMicrosPerSecond;
  c.end.us = c.start.us + static_cast<int64_t>(where_ & kMostSeconds) * kMicrosPerSecond;
  c.used = used_;
  return c;
}

// The first window, or one in place of the present one, when it is the only one.
void Counter::SetLatest(const Calendar& c) {
  if (kind_ == Kind::kCalendars) {
    calendars_->at[0] = c;
    return;
  }
  if (std::optional<uint64_t> packed = Packed(c)) {
    kind_ = Kind::kCalendar;
    where_ = *packed;
    used_ = c.used;
    return;
  }
  calendars_ = new Calendars{{c, {}}};
  kind_ = Kind::kCalendars;
}

SlidingWindow* Counter::Sliding() {
  if (kind_ == Kind::kSliding) return sliding_;
  auto* sliding = new SlidingWindow();
  if (kind_ == Kind::kInstant)
    sliding->Add(Instant{static_cast<int64_t>(where_)}, used_, INT64_MAX);
  sliding_ = sliding;
  kind_ = Kind::kSliding;
  return sliding_;
}

void Counter::Slim() {
  Instant at;
  int64_t quantity = 0;
  if (!sliding_->Only(&at, &quantity)) return;
  Clear();
  kind_ = Kind::kInstant;
  where_ = static_cast<uint64_t>(at.us);
  used_ = quantity;
}

std::optional<int64_t> Counter::Used(const CounterKey& key, Instant now) const {
  switch (kind_) {
    case Kind::kEmpty:
      return 0;
    case Kind::kTotal:
      return used_;
    case Kind::kInstant:
      return static_cast<int64_t>(where_) > WindowStart(now, key.sliding_us) ? used_ : 0;
    case Kind::kSliding:
      return sliding_->Sum(now, key.sliding_us);
    case Kind::kCalendar:
    case Kind::kCalendars:
      break;
  }
  const Calendar latest = Latest();
  if (key.start > latest.start) return 0;
  if (key.start == latest.start) return latest.used;
  if (kind_ == Kind::kCalendars && calendars_->at[1].start == key.start &&
      calendars_->at[1].end.us != 0)
    return calendars_->at[1].used;
  return std::nullopt;
}

void Counter::Add(const CounterKey& key, int64_t quantity, Instant now) {
  switch (key.window) {
    case CounterKey::Window::kTotal:
      kind_ = Kind::kTotal;
      used_ = SaturatingAdd(used_, quantity);
      return;
    case CounterKey::Window::kSliding:
      if (quantity == 0) return;
      if (kind_ == Kind::kInstant &&
          static_cast<int64_t>(where_) <= WindowStart(now, key.sliding_us))
        Clear();
      if (kind_ == Kind::kInstant && static_cast<int64_t>(where_) >= now.us) {
        used_ = SaturatingAdd(used_, quantity);
      } else if (kind_ == Kind::kEmpty) {
        kind_ = Kind::kInstant;
        where_ = static_cast<uint64_t>(now.us);
        used_ = quantity;
      } else {
        Sliding()->Add(now, quantity, key.sliding_us);
      }
      return;
    case CounterKey::Window::kCalendar:
      break;
  }
  const Calendar latest = Latest();
  if (kind_ == Kind::kEmpty) {
    SetLatest({key.start, key.end, quantity});
  } else if (key.start == latest.start) {
    SetLatest({latest.start, latest.end, SaturatingAdd(latest.used, quantity)});
  } else if (key.start > latest.start) {
    // The one before is wanted as long as it lasts, or something may come back to it.
    const bool wanted = latest.end > now || holds != 0;
    if (kind_ == Kind::kCalendars || !wanted) Clear();
    const Calendar next{key.start, key.end, quantity};
    if (wanted) {
      calendars_ = new Calendars{{next, latest}};
      kind_ = Kind::kCalendars;
    } else {
      SetLatest(next);
    }
  } else if (kind_ == Kind::kCalendars && calendars_->at[1].start == key.start) {
    calendars_->at[1].used = SaturatingAdd(calendars_->at[1].used, quantity);
  }
}

void Counter::Set(const CounterKey& key, int64_t used, Instant now) {
  switch (key.window) {
    case CounterKey::Window::kTotal:
      kind_ = Kind::kTotal;
      used_ = used;
      return;
    case CounterKey::Window::kSliding:
      Clear();
      Add(key, used, now);
      return;
    case CounterKey::Window::kCalendar:
      break;
  }
  Add(key, 0, now);
  Calendar latest = Latest();
  if (latest.start == key.start) {
    latest.used = used;
    SetLatest(latest);
  } else if (kind_ == Kind::kCalendars && calendars_->at[1].start == key.start) {
    calendars_->at[1].used = used;
  }
}

void Counter::GiveBack(const CounterKey& key, Instant charged_at, int64_t quantity, Instant now) {
  switch (kind_) {
    case Kind::kEmpty:
      return;
    case Kind::kTotal:
      used_ -= std::min(quantity, used_);
      return;
    case Kind::kInstant:
      if (charged_at.us <= WindowStart(now, key.sliding_us) ||
          static_cast<int64_t>(where_) < charged_at.us)
        return;
      used_ -= std::min(quantity, used_);
      return;
    case Kind::kSliding:
      sliding_->GiveBack(charged_at, quantity, now, key.sliding_us);
      return;
    case Kind::kCalendar:
      if (Latest().start == key.start) used_ -= std::min(quantity, used_);
      return;
    case Kind::kCalendars:
      for (Calendar& c : calendars_->at) {
        if (c.start == key.start && c.end.us != 0) c.used -= std::min(quantity, c.used);
      }
  }
}

void Counter::Save(const CounterKey& key, ByteWriter* out) const {
  out->U8(static_cast<uint8_t>(key.window));
  switch (key.window) {
    case CounterKey::Window::kTotal:
      return out->SignedVarint(used_);
    case CounterKey::Window::kSliding: {
      out->I64(key.sliding_us);
      if (kind_ == Kind::kSliding) return sliding_->Save(out);
      SlidingWindow one;
      if (kind_ == Kind::kInstant)
        one.Add(Instant{static_cast<int64_t>(where_)}, used_, key.sliding_us);
      return one.Save(out);
    }
    case CounterKey::Window::kCalendar:
      const Calendar both[2] = {Latest(),
                                kind_ == Kind::kCalendars ? calendars_->at[1] : Calendar()};
      for (const Calendar& c : both) {
        out->I64(c.start.us);
        out->I64(c.end.us);
        out->SignedVarint(c.used);
      }
  }
}

std::optional<Counter> Counter::Load(ByteReader* in) {
  uint8_t window = 0;
  if (!in->U8(&window) || window > static_cast<uint8_t>(CounterKey::Window::kTotal))
    return std::nullopt;
  Counter counter;
  bool good = true;
  switch (static_cast<CounterKey::Window>(window)) {
    case CounterKey::Window::kTotal:
      counter.kind_ = Kind::kTotal;
      good = in->SignedVarint(&counter.used_) && counter.used_ >= 0;
      break;
    case CounterKey::Window::kSliding: {
      int64_t sliding_us = 0;
      good = in->I64(&sliding_us) && sliding_us > 0 && counter.Sliding()->Load(in);
      if (good) counter.Slim();
      break;
    }
    case CounterKey::Window::kCalendar: {
      Calendar both[2];
      for (Calendar& c : both)
        good = good && in->I64(&c.start.us) && in->I64(&c.end.us) && in->SignedVarint(&c.used) &&
               c.used >= 0;
      if (both[1].end.us == 0) {
        counter.SetLatest(both[0]);
      } else {
        counter.calendars_ = new Calendars{{both[0], both[1]}};
        counter.kind_ = Kind::kCalendars;
      }
    }
  }
  if (!good || in->failed()) return std::nullopt;
  return counter;
}

CounterRecord Counter::Shown(const CounterKey& key, Instant now) const {
  CounterRecord record;
  record.window = key.window;
  record.sliding_us = key.sliding_us;
  if (key.window == CounterKey::Window::kCalendar) {
    const Calendar latest = Latest();
    record.start = latest.start;
    record.end = latest.end;
    record.used = latest.used;
  } else {
    record.used = *Used(key, now);
  }
  return record;
}

bool Counter::Dead(const CounterKey& key, Instant now) const {
  if (kind_ == Kind::kCalendar || kind_ == Kind::kCalendars) return Latest().end <= now;
  return *Used(key, now) == 0;
}

}  // namespace dpl
