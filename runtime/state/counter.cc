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
  int gone = 0;
  while (gone < size_ && events_[gone].at_us <= start) ++gone;
  if (gone == 0) return;
  std::move(events_.begin() + gone, events_.begin() + size_, events_.begin());
  size_ -= gone;
}

void SlidingWindow::Coalesce(int64_t window_us) {
  int64_t step = std::max<int64_t>(1, window_us / kBuckets + (window_us % kBuckets != 0 ? 1 : 0));
  int kept = 0;
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
  events_[size_++] = {at.us, quantity};
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
  size_ = static_cast<int>(size);
  for (int i = 0; i < size_; ++i) {
    if (!in->I64(&events_[i].at_us) || !in->SignedVarint(&events_[i].quantity)) return false;
    if (events_[i].quantity < 0 || (i > 0 && events_[i].at_us < events_[i - 1].at_us)) return false;
  }
  return true;
}

Counter::Counter(const CounterKey& key) : window_(key.window), sliding_us_(key.sliding_us) {
  if (window_ == CounterKey::Window::kSliding) sliding_ = std::make_unique<SlidingWindow>();
  if (window_ == CounterKey::Window::kCalendar) calendar_[0] = {key.start, key.end, 0};
}

std::optional<int64_t> Counter::Used(const CounterKey& key, Instant now) const {
  switch (window_) {
    case CounterKey::Window::kTotal:
      return total_;
    case CounterKey::Window::kSliding:
      return sliding_->Sum(now, sliding_us_);
    case CounterKey::Window::kCalendar:
      break;
  }
  if (key.start > calendar_[0].start) return 0;
  for (const Calendar& c : calendar_) {
    if (c.start == key.start && c.end.us != 0) return c.used;
  }
  return std::nullopt;
}

void Counter::Add(const CounterKey& key, int64_t quantity, Instant now) {
  switch (window_) {
    case CounterKey::Window::kTotal:
      total_ = SaturatingAdd(total_, quantity);
      return;
    case CounterKey::Window::kSliding:
      sliding_->Add(now, quantity, sliding_us_);
      return;
    case CounterKey::Window::kCalendar:
      break;
  }
  if (key.start > calendar_[0].start) {
    calendar_[1] = calendar_[0];
    calendar_[0] = {key.start, key.end, 0};
  }
  for (Calendar& c : calendar_) {
    if (c.start == key.start) {
      c.used = SaturatingAdd(c.used, quantity);
      return;
    }
  }
}

void Counter::Set(const CounterKey& key, int64_t used, Instant now) {
  switch (window_) {
    case CounterKey::Window::kTotal:
      total_ = used;
      return;
    case CounterKey::Window::kSliding:
      sliding_->Clear();
      sliding_->Add(now, used, sliding_us_);
      return;
    case CounterKey::Window::kCalendar:
      break;
  }
  Add(key, 0, now);
  for (Calendar& c : calendar_) {
    if (c.start == key.start) c.used = used;
  }
}

void Counter::GiveBack(Instant window_start, Instant charged_at, int64_t quantity, Instant now) {
  switch (window_) {
    case CounterKey::Window::kTotal:
      total_ -= std::min(quantity, total_);
      return;
    case CounterKey::Window::kSliding:
      sliding_->GiveBack(charged_at, quantity, now, sliding_us_);
      return;
    case CounterKey::Window::kCalendar:
      break;
  }
  for (Calendar& c : calendar_) {
    if (c.start == window_start && c.end.us != 0) c.used -= std::min(quantity, c.used);
  }
}

void Counter::Save(ByteWriter* out) const {
  out->U8(static_cast<uint8_t>(window_));
  switch (window_) {
    case CounterKey::Window::kTotal:
      return out->SignedVarint(total_);
    case CounterKey::Window::kSliding:
      out->I64(sliding_us_);
      return sliding_->Save(out);
    case CounterKey::Window::kCalendar:
      for (const Calendar& c : calendar_) {
        out->I64(c.start.us);
        out->I64(c.end.us);
        out->SignedVarint(c.used);
      }
  }
}

std::optional<Counter> Counter::Load(ByteReader* in) {
  CounterKey key;
  uint8_t window = 0;
  if (!in->U8(&window) || window > static_cast<uint8_t>(CounterKey::Window::kTotal))
    return std::nullopt;
  key.window = static_cast<CounterKey::Window>(window);
  if (key.window == CounterKey::Window::kSliding) in->I64(&key.sliding_us);
  Counter counter(key);
  bool good = true;
  switch (key.window) {
    case CounterKey::Window::kTotal:
      good = in->SignedVarint(&counter.total_) && counter.total_ >= 0;
      break;
    case CounterKey::Window::kSliding:
      good = key.sliding_us > 0 && counter.sliding_->Load(in);
      break;
    case CounterKey::Window::kCalendar:
      for (Calendar& c : counter.calendar_)
        good = good && in->I64(&c.start.us) && in->I64(&c.end.us) && in->SignedVarint(&c.used) &&
               c.used >= 0;
  }
  if (!good || in->failed()) return std::nullopt;
  return counter;
}

CounterRecord Counter::Shown(Instant now) const {
  CounterRecord record;
  record.window = window_;
  record.sliding_us = sliding_us_;
  record.start = calendar_[0].start;
  record.end = calendar_[0].end;
  switch (window_) {
    case CounterKey::Window::kCalendar:
      record.used = calendar_[0].used;
      break;
    case CounterKey::Window::kSliding:
      record.used = sliding_ == nullptr ? 0 : sliding_->Sum(now, sliding_us_);
      break;
    case CounterKey::Window::kTotal:
      record.used = total_;
      break;
  }
  return record;
}

bool Counter::Dead(Instant now) const {
  switch (window_) {
    case CounterKey::Window::kTotal:
      return total_ == 0;
    case CounterKey::Window::kSliding:
      return sliding_->Empty(now, sliding_us_);
    case CounterKey::Window::kCalendar:
      return calendar_[0].end <= now;
  }
  return false;
}

}  // namespace dpl
