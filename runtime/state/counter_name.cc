// See counter_name.h.
#include "runtime/state/counter_name.h"

#include "runtime/base/money.h"

namespace dpl {

void BeginCounterName(std::string* out, std::string_view identity) { out->assign(identity); }

void AppendCounterPart(std::string* out, char mark, std::string_view value) {
  out->push_back('\x1f');
  out->push_back(mark);
  size_t n = value.size();
  do {
    out->push_back(static_cast<char>('0' + n % 10));
    n /= 10;
  } while (n != 0);
  out->push_back(':');
  out->append(value);
}

void AppendCounterUnit(std::string* out, const Value& quantity) {
  if (quantity.kind != ValueKind::kMoney) return;
  AppendCounterPart(out, 'u', CurrencyCode(static_cast<uint16_t>(quantity.n)));
}

CounterKey WindowOfLimit(const Limit& limit, const Schema& schema, Instant now) {
  CounterKey key;
  auto calendar = [&](Period period) {
    const ZoneTable& zone = limit.zone < schema.zones.size() ? schema.zones[limit.zone] : UtcZone();
    Window w = zone.WindowOf(period, now);
    key.window = CounterKey::Window::kCalendar;
    key.start = w.begin;
    key.end = w.end;
  };
  switch (limit.period) {
    case LimitPeriod::kEach:
    case LimitPeriod::kTotal:
      key.window = CounterKey::Window::kTotal;
      break;
    case LimitPeriod::kSliding:
      key.window = CounterKey::Window::kSliding;
      key.sliding_us = limit.window_us;
      break;
    case LimitPeriod::kHour:
      calendar(Period::kHour);
      break;
    case LimitPeriod::kDay:
      calendar(Period::kDay);
      break;
    case LimitPeriod::kWeek:
      calendar(Period::kWeek);
      break;
    case LimitPeriod::kMonth:
      calendar(Period::kMonth);
      break;
    case LimitPeriod::kQuarter:
      calendar(Period::kQuarter);
      break;
    case LimitPeriod::kYear:
      calendar(Period::kYear);
      break;
  }
  return key;
}

}  // namespace dpl
