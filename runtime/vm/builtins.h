// The functions of builtins.def, by theme: texts, times, networks. Inside the room only.
#pragma once

#include "runtime/base/pattern.h"
#include "runtime/vm/context.h"

namespace dpl::vm {

// `args` are already free of ⊥ and of `absent`. The kinds are checked here.
Value CallBuiltin(Context& c, uint32_t builtin, const Value* args, uint32_t count);

// builtins_text.cc
Value StartsWith(Context& c, const Value& text, const Value& begin);
Value EndsWith(Context& c, const Value& text, const Value& end);
Value Lower(Context& c, const Value& text);
Value Length(Context& c, const Value& text);
Value Like(Context& c, const Value& text, std::string_view pattern);
Value Matches(Context& c, const Value& text, const Pattern& pattern);
// builtins_time.cc
Value DateOf(Context& c, const Value& instant, uint32_t zone);
Value DaysBetween(Context& c, const Value& from, const Value& to);
Value YearsBetween(Context& c, const Value& from, const Value& to);
// builtins_net.cc
Value Ip(Context& c, const Value& text);

}  // namespace dpl::vm
