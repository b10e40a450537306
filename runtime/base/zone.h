// Local time by a table of transitions. The compiler makes the tables from the time-zone database
// and they travel in the bundle, so a decision never depends on the machine's own zone files.
//
// Windows partition time: every instant is in exactly one window of each period, also where local
// clocks jump. A local midnight that does not exist is replaced by the first instant after the gap;
// one that happens twice counts the first time. A calendar day that a zone skipped is empty.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/base/instant.h"

namespace dpl {

struct Window {  // [begin, end)
  Instant begin;
  Instant end;
  friend bool operator==(const Window&, const Window&) = default;
};

enum class Period : uint8_t { kHour, kDay, kWeek, kMonth, kQuarter, kYear };

struct ZoneTable {
  struct Transition {
    int64_t utc_seconds = 0;     // from here on ...
    int32_t offset_seconds = 0;  // ... local = UTC + offset
    friend bool operator==(const Transition&, const Transition&) = default;
  };

  std::string name;     // "America/New_York"
  std::string version;  // of the time-zone database, "2026a"
  int32_t initial_offset = 0;
  std::vector<Transition> transitions;  // strictly rising

  // Strictly rising transitions, offsets within 18 hours: what the functions below rely on. A
  // loader must refuse a table that is not valid.
  bool Valid() const;

  int32_t OffsetAt(Instant instant) const;  // seconds
  Civil ToLocal(Instant instant) const;
  Date LocalDate(Instant instant) const;
  TimeOfDay LocalTime(Instant instant) const;

  // The first instant whose local time is at or after this one.
  Instant FromLocal(Date date, TimeOfDay time = {}) const;
  Instant LocalMidnight(Date date) const;  // start of the local day
  Instant EndOfDay(Date date) const;       // LocalMidnight of the next day

  Instant StartOfHour(Instant instant) const;  // hours are counted on UTC in every zone
  Instant StartOfDay(Instant instant) const;
  Instant StartOfWeek(Instant instant) const;  // Monday
  Instant StartOfMonth(Instant instant) const;
  Instant StartOfQuarter(Instant instant) const;
  Instant StartOfYear(Instant instant) const;
  Window WindowOf(Period period, Instant instant) const;  // start, and the next window's start
};

const ZoneTable& UtcZone();

}  // namespace dpl
