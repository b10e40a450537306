// Local time and calendar windows over a table of transitions.
#include "runtime/base/zone.h"

#include <algorithm>

namespace dpl {
namespace {

constexpr int32_t kMaxOffset = 18 * 3600;

int64_t FloorSeconds(Instant instant) {
  int64_t us = instant.us;
  return us / kMicrosPerSecond - (us % kMicrosPerSecond < 0 ? 1 : 0);
}

Instant Local(Instant instant, int32_t offset) {
  return Instant{instant.us + offset * kMicrosPerSecond};
}

// Index of the first transition after `seconds`.
size_t After(const std::vector<ZoneTable::Transition>& transitions, int64_t seconds) {
  auto it =
      std::upper_bound(transitions.begin(), transitions.end(), seconds,
                       [](int64_t s, const ZoneTable::Transition& t) { return s < t.utc_seconds; });
  return static_cast<size_t>(it - transitions.begin());
}

Date FirstOf(Period period, Date date) {
  switch (period) {
    case Period::kWeek:
      return FirstOfWeek(date);
    case Period::kMonth:
      return FirstOfMonth(date);
    case Period::kQuarter:
      return FirstOfQuarter(date);
    case Period::kYear:
      return FirstOfYear(date);
    default:
      return date;
  }
}

Date NextOf(Period period, Date first) {
  switch (period) {
    case Period::kWeek:
      return Date{first.days + 7};
    case Period::kMonth:
      return NextMonth(first);
    case Period::kQuarter:
      return NextQuarter(first);
    case Period::kYear:
      return NextYear(first);
    default:
      return Date{first.days + 1};
  }
}

}  // namespace

bool ZoneTable::Valid() const {
  auto bad = [](int32_t offset) { return offset < -kMaxOffset || offset > kMaxOffset; };
  if (bad(initial_offset)) return false;
  for (size_t i = 0; i < transitions.size(); ++i) {
    const Transition& t = transitions[i];
    if (bad(t.offset_seconds)) return false;
    if (t.utc_seconds < kMinInstant.us / kMicrosPerSecond ||
        t.utc_seconds > kMaxInstant.us / kMicrosPerSecond) {
      return false;
    }
    if (i > 0 && transitions[i - 1].utc_seconds >= t.utc_seconds) return false;
  }
  return true;
}

int32_t ZoneTable::OffsetAt(Instant instant) const {
  size_t next = After(transitions, FloorSeconds(instant));
  return next == 0 ? initial_offset : transitions[next - 1].offset_seconds;
}

Civil ZoneTable::ToLocal(Instant instant) const {
  return CivilFromInstant(Local(instant, OffsetAt(instant)));
}

Date ZoneTable::LocalDate(Instant instant) const {
  return DateOf(Local(instant, OffsetAt(instant)));
}

TimeOfDay ZoneTable::LocalTime(Instant instant) const {
  return TimeOf(Local(instant, OffsetAt(instant)));
}

// Segments with one offset are tried in time order, from the one in force before any offset could
// have made the wanted local time.
Instant ZoneTable::FromLocal(Date date, TimeOfDay time) const {
  int64_t wanted = InstantAt(date, time).us;  // local, as if UTC
  size_t next = After(transitions, FloorSeconds(Instant{wanted - kMaxOffset * kMicrosPerSecond}));
  int32_t offset = next == 0 ? initial_offset : transitions[next - 1].offset_seconds;
  int64_t begin = wanted - kMaxOffset * kMicrosPerSecond;
  for (;; ++next) {
    int64_t at = std::max(begin, wanted - offset * kMicrosPerSecond);
    if (next == transitions.size()) return Instant{at};
    begin = transitions[next].utc_seconds * kMicrosPerSecond;
    if (at < begin) return Instant{at};
    offset = transitions[next].offset_seconds;
  }
}

Instant ZoneTable::LocalMidnight(Date date) const { return FromLocal(date); }

Instant ZoneTable::EndOfDay(Date date) const { return FromLocal(Date{date.days + 1}); }

Window ZoneTable::WindowOf(Period period, Instant instant) const {
  if (period == Period::kHour) {
    int64_t into = instant.us % kMicrosPerHour;
    if (into < 0) into += kMicrosPerHour;
    return {Instant{instant.us - into}, Instant{instant.us - into + kMicrosPerHour}};
  }
  // The latest day that has begun. It differs from the local date only where a clock set back over
  // midnight shows a day that was already over, and where a whole day was skipped.
  Date day = LocalDate(instant);
  while (LocalMidnight(Date{day.days + 1}) <= instant) ++day.days;
  while (instant < LocalMidnight(day)) --day.days;
  Date first = FirstOf(period, day);
  return {LocalMidnight(first), LocalMidnight(NextOf(period, first))};
}

Instant ZoneTable::StartOfHour(Instant at) const { return WindowOf(Period::kHour, at).begin; }
Instant ZoneTable::StartOfDay(Instant at) const { return WindowOf(Period::kDay, at).begin; }
Instant ZoneTable::StartOfWeek(Instant at) const { return WindowOf(Period::kWeek, at).begin; }
Instant ZoneTable::StartOfMonth(Instant at) const { return WindowOf(Period::kMonth, at).begin; }
Instant ZoneTable::StartOfQuarter(Instant at) const { return WindowOf(Period::kQuarter, at).begin; }
Instant ZoneTable::StartOfYear(Instant at) const { return WindowOf(Period::kYear, at).begin; }

const ZoneTable& UtcZone() {
  static const ZoneTable* const utc = new ZoneTable{"UTC", "", 0, {}};
  return *utc;
}

}  // namespace dpl
