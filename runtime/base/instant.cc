// The proleptic Gregorian calendar on integers, and checked arithmetic over time. The day counts
// follow Howard Hinnant's "chrono-compatible low-level date algorithms": years begin in March, so
// the leap day comes last, and 400 years are 146,097 days.
#include "runtime/base/instant.h"

namespace dpl {
namespace {

constexpr int64_t kDaysPerEra = 146'097;
constexpr int64_t kEpochShift = 719'468;  // days from 0000-03-01 to 1970-01-01

int64_t FloorDiv(int64_t a, int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

bool IsLeap(int32_t year) { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0); }

int32_t DaysFromCivil(int32_t year, int32_t month, int32_t day) {
  int64_t y = month <= 2 ? year - 1 : year;
  int64_t era = FloorDiv(y, 400);
  int64_t year_of_era = y - era * 400;
  int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
  int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return static_cast<int32_t>(era * kDaysPerEra + day_of_era - kEpochShift);
}

Date First(int32_t year, int32_t month) { return Date{DaysFromCivil(year, month, 1)}; }

Date MonthsLater(Date first, int32_t months) {
  Civil c = CivilFromDate(first);
  int32_t month = c.month - 1 + months;
  return First(c.year + month / 12, month % 12 + 1);
}

std::optional<Instant> InRange(int64_t us) {
  if (us < kMinInstant.us || us > kMaxInstant.us) return std::nullopt;
  return Instant{us};
}

}  // namespace

int DaysInMonth(int32_t year, int32_t month) {
  static constexpr int8_t kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (month < 1 || month > 12) return 0;
  return month == 2 && IsLeap(year) ? 29 : kDays[month - 1];
}

std::optional<Date> DateFromCivil(int32_t year, int32_t month, int32_t day) {
  if (year < 1 || year > 9999 || day < 1 || day > DaysInMonth(year, month)) return std::nullopt;
  return Date{DaysFromCivil(year, month, day)};
}

Civil CivilFromDate(Date date) {
  int64_t z = date.days + kEpochShift;
  int64_t era = FloorDiv(z, kDaysPerEra);
  int64_t day_of_era = z - era * kDaysPerEra;
  int64_t year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  int64_t shifted = (5 * day_of_year + 2) / 153;  // 0 is March
  Civil c;
  c.day = static_cast<int32_t>(day_of_year - (153 * shifted + 2) / 5 + 1);
  c.month = static_cast<int32_t>(shifted < 10 ? shifted + 3 : shifted - 9);
  c.year = static_cast<int32_t>(year_of_era + era * 400 + (c.month <= 2 ? 1 : 0));
  return c;
}

Date DateOf(Instant instant) {
  return Date{static_cast<int32_t>(FloorDiv(instant.us, kMicrosPerDay))};
}

TimeOfDay TimeOf(Instant instant) {
  return TimeOfDay{instant.us - FloorDiv(instant.us, kMicrosPerDay) * kMicrosPerDay};
}

Instant InstantAt(Date date, TimeOfDay time) {
  return Instant{date.days * kMicrosPerDay + time.us};
}

Civil CivilFromInstant(Instant instant) {
  Civil c = CivilFromDate(DateOf(instant));
  int64_t us = TimeOf(instant).us;
  c.hour = static_cast<int32_t>(us / kMicrosPerHour);
  c.minute = static_cast<int32_t>(us / kMicrosPerMinute % 60);
  c.second = static_cast<int32_t>(us / kMicrosPerSecond % 60);
  c.micro = static_cast<int32_t>(us % kMicrosPerSecond);
  return c;
}

std::optional<Instant> InstantFromCivil(const Civil& c) {
  std::optional<Date> date = DateFromCivil(c.year, c.month, c.day);
  if (!date || c.hour < 0 || c.hour > 23 || c.minute < 0 || c.minute > 59 || c.second < 0 ||
      c.second > 59 || c.micro < 0 || c.micro >= kMicrosPerSecond) {
    return std::nullopt;
  }
  return InstantAt(*date, TimeOfDay{c.hour * kMicrosPerHour + c.minute * kMicrosPerMinute +
                                    c.second * kMicrosPerSecond + c.micro});
}

int Weekday(Date date) {  // 1970-01-01 was a Thursday
  int64_t shifted = int64_t{date.days} + 3;
  return static_cast<int>(shifted - FloorDiv(shifted, 7) * 7);
}

Date FirstOfWeek(Date date) { return Date{date.days - Weekday(date)}; }

Date FirstOfMonth(Date date) {
  Civil c = CivilFromDate(date);
  return First(c.year, c.month);
}

Date FirstOfQuarter(Date date) {
  Civil c = CivilFromDate(date);
  return First(c.year, (c.month - 1) / 3 * 3 + 1);
}

Date FirstOfYear(Date date) { return First(CivilFromDate(date).year, 1); }

Date NextMonth(Date first) { return MonthsLater(first, 1); }
Date NextQuarter(Date first) { return MonthsLater(first, 3); }
Date NextYear(Date first) { return MonthsLater(first, 12); }

std::optional<Instant> Add(Instant a, Duration b) {
  int64_t us = 0;
  if (__builtin_add_overflow(a.us, b.us, &us)) return std::nullopt;
  return InRange(us);
}

std::optional<Instant> Subtract(Instant a, Duration b) {
  int64_t us = 0;
  if (__builtin_sub_overflow(a.us, b.us, &us)) return std::nullopt;
  return InRange(us);
}

// Instants are kept within 9,999 years, whose difference fits; one that is not saturates.
Duration Subtract(Instant a, Instant b) {
  int64_t us = 0;
  if (__builtin_sub_overflow(a.us, b.us, &us)) us = a.us < b.us ? INT64_MIN : INT64_MAX;
  return Duration{us};
}

std::optional<Duration> Add(Duration a, Duration b) {
  Duration sum;
  if (__builtin_add_overflow(a.us, b.us, &sum.us)) return std::nullopt;
  return sum;
}

std::optional<Duration> Subtract(Duration a, Duration b) {
  Duration difference;
  if (__builtin_sub_overflow(a.us, b.us, &difference.us)) return std::nullopt;
  return difference;
}

std::optional<Duration> Multiply(Duration a, int64_t factor) {
  Duration product;
  if (__builtin_mul_overflow(a.us, factor, &product.us)) return std::nullopt;
  return product;
}

std::optional<Date> AddDays(Date a, int64_t days) {
  int64_t sum = 0;
  if (__builtin_add_overflow(int64_t{a.days}, days, &sum)) return std::nullopt;
  if (sum < kMinDate.days || sum > kMaxDate.days) return std::nullopt;
  return Date{static_cast<int32_t>(sum)};
}

}  // namespace dpl
