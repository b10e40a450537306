// Points in time, dates, times of day and durations: integers, the proleptic Gregorian calendar,
// years 1 to 9999, and their RFC 3339 and DPL spellings. UTC only; zones are in zone.h.
//
// A day is 86,400 seconds (no leap seconds: a spelled ":60" is refused).
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/base/result.h"

namespace dpl {

inline constexpr int64_t kMicrosPerSecond = 1'000'000;
inline constexpr int64_t kMicrosPerMinute = 60 * kMicrosPerSecond;
inline constexpr int64_t kMicrosPerHour = 60 * kMicrosPerMinute;
inline constexpr int64_t kMicrosPerDay = 24 * kMicrosPerHour;

// (NOLINT: clang-tidy 14 takes a defaulted <=> for a null pointer.)
struct Instant {  // microseconds since 1970-01-01T00:00Z
  int64_t us = 0;
  friend auto operator<=>(const Instant&, const Instant&) = default;  // NOLINT
};
struct Duration {  // microseconds; may be negative as a difference, never as a literal
  int64_t us = 0;
  friend auto operator<=>(const Duration&, const Duration&) = default;  // NOLINT
};
struct Date {  // days since 1970-01-01
  int32_t days = 0;
  friend auto operator<=>(const Date&, const Date&) = default;  // NOLINT
};
struct TimeOfDay {  // microseconds since midnight, below kMicrosPerDay
  int64_t us = 0;
  friend auto operator<=>(const TimeOfDay&, const TimeOfDay&) = default;  // NOLINT
};

// 0001-01-01T00:00Z and the last microsecond of 9999; what parsing and arithmetic stay within.
inline constexpr Instant kMinInstant{-62'135'596'800 * kMicrosPerSecond};
inline constexpr Instant kMaxInstant{253'402'300'800 * kMicrosPerSecond - 1};
inline constexpr Date kMinDate{-719'162};
inline constexpr Date kMaxDate{2'932'896};

struct Civil {
  int32_t year = 1970;
  int32_t month = 1;  // 1..12
  int32_t day = 1;    // 1..31
  int32_t hour = 0;
  int32_t minute = 0;
  int32_t second = 0;
  int32_t micro = 0;
  friend bool operator==(const Civil&, const Civil&) = default;
};

// Calendar. DateFromCivil gives nullopt for a day that does not exist or a year outside 1..9999.
std::optional<Date> DateFromCivil(int32_t year, int32_t month, int32_t day);
Civil CivilFromDate(Date date);                               // hour and below are 0
Civil CivilFromInstant(Instant instant);                      // UTC
std::optional<Instant> InstantFromCivil(const Civil& civil);  // UTC
int Weekday(Date date);                                       // Monday 0 .. Sunday 6
int DaysInMonth(int32_t year, int32_t month);
Date DateOf(Instant instant);                       // UTC
TimeOfDay TimeOf(Instant instant);                  // UTC
Instant InstantAt(Date date, TimeOfDay time = {});  // UTC
Date FirstOfWeek(Date date);                        // its Monday
Date FirstOfMonth(Date date);
Date FirstOfQuarter(Date date);
Date FirstOfYear(Date date);
Date NextMonth(Date first);  // the first of the month after; `first` is a first of a month
Date NextQuarter(Date first);
Date NextYear(Date first);

// Checked arithmetic: nullopt on leaving the range of the type.
std::optional<Instant> Add(Instant a, Duration b);
std::optional<Instant> Subtract(Instant a, Duration b);
Duration Subtract(Instant a, Instant b);  // always fits
std::optional<Duration> Add(Duration a, Duration b);
std::optional<Duration> Subtract(Duration a, Duration b);
std::optional<Duration> Multiply(Duration a, int64_t factor);
std::optional<Date> AddDays(Date a, int64_t days);

// Text. Codes: instant.syntax, instant.range, date.syntax, date.range, time.syntax, time.range,
// duration.syntax, duration.range.
//
// RFC 3339 with a compulsory offset, seconds optional, at most 6 fraction digits:
// "2026-11-20T15:00Z", "2026-11-20T15:00:00.250+01:00". Upper-case T and Z.
Result<Instant> ParseInstant(std::string_view text);
Result<Date> ParseDate(std::string_view text);       // "2026-11-20"
Result<TimeOfDay> ParseTime(std::string_view text);  // "09:00", "09:00:30", "09:00:30.5"
// One or more of number and unit, largest unit first, each unit once: "2h30m", "90d", "500ms".
// Units: w d h m s ms. Fixed lengths.
Result<Duration> ParseDuration(std::string_view text);

// "2026-11-20T15:00:00Z", with as many fraction digits (3 or 6) as are needed.
void AppendInstant(std::string* out, Instant instant);
// The same into memory of at least kMostInstantBytes; returns the end.
char* WriteInstant(char* at, Instant instant);
constexpr size_t kMostInstantBytes = 48;
std::string FormatInstant(Instant instant);
void AppendDate(std::string* out, Date date);
std::string FormatDate(Date date);
void AppendTime(std::string* out, TimeOfDay time);  // "09:00", seconds only when there are some
std::string FormatTime(TimeOfDay time);
// Canonical: "90d", "2h30m", "1d12h", "500ms", "0s"; weeks only when nothing else is left ("12w").
// Microseconds below a millisecond print as a final "250us", which no literal can say.
void AppendDuration(std::string* out, Duration duration);
std::string FormatDuration(Duration duration);

}  // namespace dpl
