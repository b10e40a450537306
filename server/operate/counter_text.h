// A counter as people read it: which limit counts, for whom, in what unit, up to what cap.
//
//   CounterText counter = ReadCounter(call.snapshot(), record.identity);
//   counter.Write(record.used)   // "4000.00 USD"
//
// A counter outlives policies: when the one in force has no limit of that identity, `limit` is
// kNone, and quantities of money still read as money.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/facts/snapshot.h"

namespace dpl {

struct CounterText {
  std::string identity;  // the limit's, without the values of its keys
  uint32_t limit = kNone;
  std::vector<std::pair<std::string, std::string>> keys;  // {"person", "E7"}, …
  std::string currency;                                   // of money; else empty
  const Schema* schema = nullptr;
  uint32_t type = kNone;  // of the measure, where an action of the policy in force declares it

  std::string Write(int64_t quantity) const;
};

// `name` is CounterRecord::identity (runtime/state/counter_name.h).
CounterText ReadCounter(const Snapshot& snapshot, std::string_view name);

// The cap, when it is the same for every request; nullopt when it is worked out each time.
std::optional<int64_t> FixedCap(const Snapshot& snapshot, const CounterText& counter);

}  // namespace dpl
