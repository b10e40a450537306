// How a counter is named: the limit's identity, then the value of each key part, then the unit.
// Never the cap, the bundle or the session, so that a changed cap or a reload continues the same
// count.
//
//   std::string name;  BeginCounterName(&name, "acme.spend.daily.amount/day/person");
//   AppendCounterPart(&name, 'p', "E2");   AppendCounterPart(&name, 'u', "USD");
#pragma once

#include <string>
#include <string_view>

#include "runtime/base/instant.h"
#include "runtime/bytecode/program.h"
#include "runtime/facts/value.h"
#include "runtime/state/store.h"

namespace dpl {

// Marks of the parts: 'p' person, 'a' agent, 'i' instance, 't' task, 'x' partner, 'r' resource, 'v'
// value, 'u' unit.
void BeginCounterName(std::string* out, std::string_view identity);
void AppendCounterPart(std::string* out, char mark,
                       std::string_view value);  // with its length: unambiguous
// The unit of a quantity: its currency for money, nothing for anything else.
void AppendCounterUnit(std::string* out, const Value& quantity);

// The window of a limit at `now` (which is max(wall clock, high time)); identity is left empty. Not
// for kEach.
CounterKey WindowOfLimit(const Limit& limit, const Schema& schema, Instant now);

}  // namespace dpl
