// Spellings of instants, dates, times and durations: RFC 3339 and DPL literals, both ways.
#include <array>
#include <cstdint>
#include <cstring>

#include "runtime/base/instant.h"

namespace dpl {
namespace {

// Reads fixed-width pieces off the front of a text.
struct Cursor {
  std::string_view text;

  bool Literal(char c) {
    if (text.empty() || text[0] != c) return false;
    text.remove_prefix(1);
    return true;
  }
  bool Digits(size_t width, int32_t* value) {
    if (text.size() < width) return false;
    *value = 0;
    for (size_t i = 0; i < width; ++i) {
      if (text[i] < '0' || text[i] > '9') return false;
      *value = *value * 10 + (text[i] - '0');
    }
    text.remove_prefix(width);
    return true;
  }
  // 1 to 6 digits after a point, as microseconds.
  bool Fraction(int32_t* micro) {
    int32_t scale = 100'000;
    size_t n = 0;
    *micro = 0;
    while (n < text.size() && text[n] >= '0' && text[n] <= '9') {
      if (n == 6) return false;
      *micro += (text[n] - '0') * scale;
      scale /= 10;
      ++n;
    }
    text.remove_prefix(n);
    return n > 0;
  }
  bool CivilDate(Civil* c) {
    return Digits(4, &c->year) && Literal('-') && Digits(2, &c->month) && Literal('-') &&
           Digits(2, &c->day);
  }
  // HH:MM[:SS[.ffffff]]
  bool CivilTime(Civil* c) {
    if (!Digits(2, &c->hour) || !Literal(':') || !Digits(2, &c->minute)) return false;
    if (!Literal(':')) return true;
    if (!Digits(2, &c->second)) return false;
    return !Literal('.') || Fraction(&c->micro);
  }
};

void AppendPadded(std::string* out, int64_t value, size_t width) {
  char text[20];
  size_t at = sizeof text;
  do {
    text[--at] = static_cast<char>('0' + value % 10);
    value /= 10;
  } while (value != 0 || sizeof text - at < width);
  out->append(text + at, sizeof text - at);
}

// Two digits of a number below a hundred.
char* WritePair(char* at, uint64_t value) {
  static constexpr char kPairs[] =
      "00010203040506070809101112131415161718192021222324252627282930313233343536373839404142434445"
      "46474849505152535455565758596061626364656667686970717273747576777879808182838485868788899091"
      "9293949596979899";
  std::memcpy(at, kPairs + 2 * value, 2);
  return at + 2;
}

// `YYYY-MM-DDT`.
char* WriteDay(char* at, Date date) {
  const Civil c = CivilFromDate(date);
  // The upper years of what 64 bits could say are beyond kMaxInstant; they keep their digits.
  const auto year = static_cast<uint64_t>(c.year < 0 ? 0 : c.year);
  if (year > 9999) at = WritePair(at, year / 10'000 % 100);
  at = WritePair(WritePair(at, year / 100 % 100), year % 100);
  *at++ = '-';
  at = WritePair(at, static_cast<uint64_t>(c.month));
  *at++ = '-';
  at = WritePair(at, static_cast<uint64_t>(c.day));
  *at++ = 'T';
  return at;
}

void AppendFraction(std::string* out, int64_t micro) {
  if (micro == 0) return;
  out->push_back('.');
  if (micro % 1000 == 0) {
    AppendPadded(out, micro / 1000, 3);
  } else {
    AppendPadded(out, micro, 6);
  }
}

struct Unit {
  std::string_view name;
  int64_t us;
};
constexpr std::array<Unit, 6> kUnits = {{{"w", 7 * kMicrosPerDay},
                                         {"d", kMicrosPerDay},
                                         {"h", kMicrosPerHour},
                                         {"m", kMicrosPerMinute},
                                         {"s", kMicrosPerSecond},
                                         {"ms", 1000}}};

}  // namespace

Result<Instant> ParseInstant(std::string_view text) {
  auto syntax = [] {
    return Error{"instant.syntax",
                 "a date-time is written with its offset, as in `2026-11-20T15:00Z`"};
  };
  auto range = [] {
    return Error{"instant.range", "no such date-time between the years 1 and 9999"};
  };
  Cursor in{text};
  Civil c;
  if (!in.CivilDate(&c) || !in.Literal('T') || !in.CivilTime(&c)) return syntax();
  int64_t offset = 0;
  if (!in.Literal('Z')) {
    bool east = in.Literal('+');
    int32_t hours = 0;
    int32_t minutes = 0;
    if (!east && !in.Literal('-')) return syntax();
    if (!in.Digits(2, &hours) || !in.Literal(':') || !in.Digits(2, &minutes)) return syntax();
    if (hours > 23 || minutes > 59) return range();
    offset = (hours * kMicrosPerHour + minutes * kMicrosPerMinute) * (east ? 1 : -1);
  }
  if (!in.text.empty()) return syntax();
  std::optional<Instant> local = InstantFromCivil(c);
  if (!local) return range();
  std::optional<Instant> instant = Subtract(*local, Duration{offset});
  if (!instant) return range();
  return *instant;
}

Result<Date> ParseDate(std::string_view text) {
  Cursor in{text};
  Civil c;
  if (!in.CivilDate(&c) || !in.text.empty()) {
    return Error{"date.syntax", "a date is written as `2026-11-20`"};
  }
  std::optional<Date> date = DateFromCivil(c.year, c.month, c.day);
  if (!date) return Error{"date.range", "no such day between the years 1 and 9999"};
  return *date;
}

Result<TimeOfDay> ParseTime(std::string_view text) {
  Cursor in{text};
  Civil c;
  if (!in.CivilTime(&c) || !in.text.empty()) {
    return Error{"time.syntax", "a time of day is written as `09:00` or `09:00:30`"};
  }
  std::optional<Instant> instant = InstantFromCivil(c);
  if (!instant)
    return Error{"time.range", "a time of day is below `24:00`; the end of a day is `00:00`"};
  return TimeOfDay{instant->us};
}

Result<Duration> ParseDuration(std::string_view text) {
  Error syntax{"duration.syntax", "a duration is written as `90d`, `2h30m` or `500ms`"};
  Error range{"duration.range", "the duration does not fit 64 bits of microseconds"};
  int64_t total = 0;
  size_t next_unit = 0;  // units must come largest first, each once
  bool overflow = false;
  if (text.empty()) return syntax;
  while (!text.empty()) {
    size_t n = 0;
    int64_t number = 0;
    for (; n < text.size() && text[n] >= '0' && text[n] <= '9'; ++n) {
      overflow |= __builtin_mul_overflow(number, 10, &number);
      overflow |= __builtin_add_overflow(number, text[n] - '0', &number);
    }
    if (n == 0) return syntax;
    text.remove_prefix(n);
    size_t letters = 0;
    while (letters < text.size() && text[letters] >= 'a' && text[letters] <= 'z') ++letters;
    size_t unit = next_unit;
    while (unit < kUnits.size() && kUnits[unit].name != text.substr(0, letters)) ++unit;
    if (unit == kUnits.size()) return syntax;
    text.remove_prefix(letters);
    next_unit = unit + 1;
    overflow |= __builtin_mul_overflow(number, kUnits[unit].us, &number);
    overflow |= __builtin_add_overflow(total, number, &total);
  }
  if (overflow) return range;
  return Duration{total};
}

void AppendDate(std::string* out, Date date) {
  Civil c = CivilFromDate(date);
  AppendPadded(out, c.year, 4);
  out->push_back('-');
  AppendPadded(out, c.month, 2);
  out->push_back('-');
  AppendPadded(out, c.day, 2);
}

void AppendTime(std::string* out, TimeOfDay time) {
  AppendPadded(out, time.us / kMicrosPerHour, 2);
  out->push_back(':');
  AppendPadded(out, time.us / kMicrosPerMinute % 60, 2);
  if (time.us % kMicrosPerMinute == 0) return;
  out->push_back(':');
  AppendPadded(out, time.us / kMicrosPerSecond % 60, 2);
  AppendFraction(out, time.us % kMicrosPerSecond);
}

namespace {

char* WriteAnew(char* at, Instant instant) {
  // Nearly all that a thread writes lie within the same day or two.
  struct Day {
    int32_t days = INT32_MIN;
    uint32_t size = 0;
    char text[16] = {};
  };
  static thread_local std::array<Day, 2> known;
  const Date date = DateOf(instant);
  Day& day = known[static_cast<uint32_t>(date.days) & 1];
  if (day.days != date.days) {
    day.size = static_cast<uint32_t>(WriteDay(day.text, date) - day.text);
    day.days = date.days;
  }
  static_assert(sizeof day.text <= kMostInstantBytes);
  std::memcpy(at, day.text, sizeof day.text);
  at += day.size;
  const auto us = static_cast<uint64_t>(TimeOf(instant).us);
  const uint64_t seconds = us / kMicrosPerSecond, micro = us % kMicrosPerSecond;
  at = WritePair(at, seconds / 3600);
  *at++ = ':';
  at = WritePair(at, seconds / 60 % 60);
  *at++ = ':';
  at = WritePair(at, seconds % 60);
  if (micro != 0) {
    *at++ = '.';
    if (micro % 1000 == 0) {
      *at++ = static_cast<char>('0' + micro / 100'000);
      at = WritePair(at, micro / 1000 % 100);
    } else {
      at = WritePair(at, micro / 10'000);
      at = WritePair(at, micro / 100 % 100);
      at = WritePair(at, micro % 100);
    }
  }
  *at++ = 'Z';
  return at;
}

}  // namespace

char* WriteInstant(char* at, Instant instant) {
  // An answer says most of its instants twice, and those of a batch are the same in all of them.
  struct Written {
    int64_t us = 0;
    uint32_t size = 0;  // 0: nothing yet
    char text[kMostInstantBytes] = {};
  };
  static thread_local std::array<Written, 2> known;
  static thread_local uint32_t oldest = 0;
  uint32_t which = known[0].us == instant.us ? 0 : 1;
  if (known[which].us != instant.us || known[which].size == 0) {
    which = oldest;
    oldest ^= 1;
    known[which].size =
        static_cast<uint32_t>(WriteAnew(known[which].text, instant) - known[which].text);
    known[which].us = instant.us;
  }
  std::memcpy(at, known[which].text, sizeof known[which].text);
  return at + known[which].size;
}

void AppendInstant(std::string* out, Instant instant) {
  char text[kMostInstantBytes];
  out->append(text, static_cast<size_t>(WriteInstant(text, instant) - text));
}

void AppendDuration(std::string* out, Duration duration) {
  uint64_t left = duration.us < 0 ? ~static_cast<uint64_t>(duration.us) + 1
                                  : static_cast<uint64_t>(duration.us);
  if (left == 0) {
    out->append("0s");
    return;
  }
  if (duration.us < 0) out->push_back('-');
  bool whole_weeks = left % static_cast<uint64_t>(kUnits[0].us) == 0;
  for (const Unit& unit : kUnits) {
    auto size = static_cast<uint64_t>(unit.us);
    if (left < size || (unit.name == "w" && !whole_weeks)) continue;
    AppendPadded(out, static_cast<int64_t>(left / size), 1);
    out->append(unit.name);
    left %= size;
  }
  if (left != 0) {
    AppendPadded(out, static_cast<int64_t>(left), 1);
    out->append("us");
  }
}

std::string FormatInstant(Instant instant) {
  std::string out;
  AppendInstant(&out, instant);
  return out;
}

std::string FormatDate(Date date) {
  std::string out;
  AppendDate(&out, date);
  return out;
}

std::string FormatTime(TimeOfDay time) {
  std::string out;
  AppendTime(&out, time);
  return out;
}

std::string FormatDuration(Duration duration) {
  std::string out;
  AppendDuration(&out, duration);
  return out;
}

}  // namespace dpl
